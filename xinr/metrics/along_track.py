"""Scores of the SSH mapping data challenge 2021a: a prediction against a withheld altimeter track."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xinr._typing import Region
from xinr._warnings import warn
from xinr.geo.cf import attributes
from xinr.metrics.points import Track, common_points
from xinr.metrics.spectra import MIN_DAILY_POINTS, PROTOCOLS, Passes, Sums

QUANTILES = (0.025, 0.975)
SCORE_OPTIONS = ("region", "period", "segment_length", "resamples", "seed")
DESCRIPTIONS: dict[str, tuple[str, str]] = {
    "mu": ("1", "RMSE score, mean over days"),
    "sigma": ("1", "RMSE score, standard deviation over days"),
    "lambda_x": ("km", "shortest wavelength resolved: PSD score = 0.5, NaN where it is not crossed"),
    "rmse": ("m", "root mean square error over all points"),
}


def score(
    prediction: xr.Dataset,
    reference: xr.Dataset,
    *,
    protocol: str = "dc2021a",
    region: Region | None = None,
    period: tuple[str, str] | None = None,
    segment_length: float = 1000.0,
    resamples: int = 1000,
    seed: int = 0,
) -> xr.Dataset:
    """Score a prediction on the points of a withheld track.

    Parameters
    ----------
    prediction, reference : Dataset
        The same n points along one dimension, with equal times. Sea surface height [m] is `ssh` where there
        is one, else `sla_unfiltered + mdt - lwe`. Points where either is NaN are dropped (attribute `n_dropped`), and
        so are repeats (`n_repeated`). Missions, told by the coordinate `mission`, else by positions, are cut into
        passes one by one.
    protocol : {"dc2021a", "strict"}
        The published code with its known deviations, or without them (see Notes).
    region : (west, east, south, north), optional
        Degrees, in either longitude convention; points at least 0.25 degree inside are used.
    period : (first, last), optional
        Days, both included, such as ``("2017-01-01", "2017-12-31")``.
    segment_length : float
        Length of the spectral segments [km].
    resamples, seed : int
        Bootstrap resamples for the intervals (of whole passes; of whole days for `mu` and `sigma`, which are over
        days), and their random seed.

    Returns
    -------
    Dataset
        `mu`, `sigma` [1], `lambda_x` [km], `rmse` [m], each with `_interval` (dimension `quantile`: 0.025,
        0.975) and `_null`; `n`, `n_segments`; `psd_ref`, `psd_diff` [m2 km] along `wavenumber` [1/km];
        `daily_score` along `day`, NaN on days of fewer than 10 points.

    Raises
    ------
    TypeError
        `prediction` or `reference` is not a Dataset.
    ValueError
        Unknown protocol, a missing variable, different points, no point to score, passes of different sampling
        intervals, or several points of one mission at one time.

    Warns
    -----
    UserWarning
        No pass is as long as a segment (`lambda_x` is NaN), or no day has 10 points (`mu` is NaN).

    Notes
    -----
    1. Each day scores ``1 - rms(ref - map) / rms(ref)``; mu and sigma are its mean and standard deviation.
    2. The track of each mission is cut into passes where time jumps by more than 4 s, each pass into segments of
       `segment_length` that start every quarter of it (Hann window, constant detrend, density).
    3. ``1 - PSD(map - ref) / PSD(ref)``, with PSDs averaged over segments, is 0.5 at lambda_x.

    The published code starts each pass one point early, drops the last pass, gives no segment to a pass of
    exactly one segment's length, assumes CryoSat-2's time step (0.9434 s) and reads the crossing off the
    sorted score. The mean field raises every score: compare with the null score, that of the reference's
    `mdt` (zero without one; attribute `null_prediction`).

    References
    ----------
    https://github.com/ocean-data-challenges/2021a_SSH_mapping_OSE

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> time = np.datetime64("2017-01-01", "ns") + 943_400_000 * np.arange(400)
    >>> truth = xr.Dataset({"ssh": ("time", np.random.default_rng(0).normal(size=400))}, {"time": time})
    >>> result = score(0.9 * truth, truth, protocol="strict", resamples=10)
    >>> round(float(result.mu), 6), int(result.n_segments)
    (0.9, 7)
    """
    if resamples < 0:
        raise ValueError(f"resamples must be 0 (no intervals) or more, got {resamples}.")
    track, sums = track_sums(prediction, reference, protocol, region, period, segment_length)
    passes = sums.passes
    null = Sums.of(passes, track.ref, track.null - track.ref)
    estimate = sums.statistics()
    _warn(passes, estimate["mu"], segment_length, track.ref.size)
    out = xr.Dataset(
        {name: _scalar(name, value) for name, value in estimate.items()}
        | _intervals(sums, resamples, seed)
        | {f"{name}_null": _scalar(name, v, "null score: ") for name, v in null.statistics().items()}
        | {"n": xr.DataArray(track.ref.size, attrs=attributes("1", "number of points"))}
    )
    return out.merge(_details(sums)).assign_attrs(
        protocol=protocol,
        segment_length_km=segment_length,
        delta_x_km=passes.delta_x,
        n_dropped=track.n_dropped,
        n_repeated=track.n_repeated,
        n_passes=passes.first.size,
        null_prediction=track.null_name,
        resamples=resamples,
        seed=seed,
    )


def track_sums(
    prediction: xr.Dataset,
    reference: xr.Dataset,
    protocol: str,
    region: Region | None,
    period: tuple[str, str] | None,
    segment_length: float,
) -> tuple[Track, Sums]:
    """Return the points that are scored, and their sums by pass and day."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol={protocol!r} is unknown: choose one of {list(PROTOCOLS)}.")
    track = common_points(prediction, reference, region, period)
    passes = Passes.cut(track.time, track.mission, PROTOCOLS[protocol], segment_length)
    return track, Sums.of(passes, track.ref, track.map - track.ref)


def _scalar(name: str, value: float, prefix: str = "") -> xr.DataArray:
    units, text = DESCRIPTIONS[name]
    return xr.DataArray(value, attrs=attributes(units, prefix + text))


def _intervals(sums: Sums, resamples: int, seed: int) -> dict[str, xr.DataArray]:
    """Return the 2.5 and 97.5 % quantiles over resamples, NaN without any."""
    samples = sums.bootstrap(resamples, seed)
    found = {}
    for name, (units, text) in DESCRIPTIONS.items():
        values = samples.get(name, np.empty(0))
        finite = values[np.isfinite(values)]
        bounds = np.quantile(finite, QUANTILES) if finite.size else np.full(2, np.nan)
        attrs: dict[str, str | int] = {**attributes(units, f"95 % bootstrap interval: {text}")}
        attrs["n_undefined"] = int(values.size - finite.size)
        coords = {"quantile": list(QUANTILES)}
        found[f"{name}_interval"] = xr.DataArray(bounds, coords, "quantile", attrs=attrs)
    return found


def _details(sums: Sums) -> xr.Dataset:
    """Return the spectra, the daily scores and the number of segments."""
    passes, n_segments = sums.passes, sums.passes.segment_first.size
    psd = {"psd_ref": sums.psd_ref, "psd_diff": sums.psd_diff}
    meaning = {"psd_ref": "of the reference", "psd_diff": "of prediction minus reference"}
    out = xr.Dataset({"n_segments": xr.DataArray(n_segments, attrs=attributes("1", "number of segments"))})
    for name, total in psd.items():
        mean = total.sum(axis=0) / n_segments if n_segments else np.full(total.shape[1], np.nan)
        attrs = attributes("m2 km", f"power spectral density {meaning[name]}")
        out[name] = xr.DataArray(mean, dims="wavenumber", attrs=attrs)
    attrs = attributes("1", f"RMSE score of each day, NaN on days of fewer than {MIN_DAILY_POINTS} points")
    out["daily_score"] = xr.DataArray(sums.daily, dims="day", attrs=attrs)
    return out.assign_coords(
        wavenumber=("wavenumber", passes.wavenumber, attributes("km-1", "wavenumber along the track")),
        wavelength=("wavenumber", passes.wavelength, attributes("km", "wavelength along the track")),
        day=("day", passes.day.astype("datetime64[ns]"), {"long_name": "calendar day (UTC)"}),
    )


def _warn(passes: Passes, mu: float, segment_length: float, n: int) -> None:
    """Warn of scores that are NaN because the track is too short."""
    if not passes.segment_first.size:
        longest = int(np.diff(np.append(passes.first, n)).max())
        warn(
            f"lambda_x is NaN: no pass is as long as a segment of {segment_length:g} km ({passes.npt} points); the "
            f"longest of {passes.first.size} passes has {longest} points. Give a shorter segment_length or a "
            "larger region.",
        )
    if not np.isfinite(mu):
        warn(
            f"mu is NaN: no day has {MIN_DAILY_POINTS} points and a reference other than zero. Give a longer "
            "period, or a larger region.",
        )
