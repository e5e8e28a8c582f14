"""Fit a method to tracks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from xinr._typing import Array, Region
from xinr._warnings import warn
from xinr.fields.fitted import FittedField
from xinr.geo.coordinates import wrap
from xinr.geo.frames import Frame, frame_around
from xinr.methods.method import Method, WarmStartMethod
from xinr.methods.observation_error import ObservationError
from xinr.methods.predictor import Predictor
from xinr.methods.settings import plain_settings
from xinr.observations.observations import Observations
from xinr.validation.sampling import Tracks, prepared, sampled
from xinr.validation.tuning import tune as search

#: More than this share of the observations lost to coarsening is worth a warning.
MOST_TRIMMED = 0.2


def fit(
    tracks: Tracks,
    method: str | Method = "oi",
    *,
    variable: str | None = None,
    lwe: bool = False,
    mdt: bool = False,
    noise: float | Mapping[str, float] | str | None = None,
    region: Region | None = None,
    swath_block: float | None = None,
    tune: bool | Sequence[str] = False,
    init: FittedField | None = None,
    **settings: Any,
) -> FittedField:
    """Fit a method to along-track observations.

    Parameters
    ----------
    tracks : Dataset, DataArray or Observations
        Along-track data, swaths, or both: see `xinr.Observations.from_tracks`.
    method : str or Method
        "oi", "siren", another key of `xinr.METHODS`, or an object such as ``Siren(hidden_features=128)``.
    variable, lwe, mdt, region, swath_block
        Which observations, corrected how: see `xinr.Observations.from_tracks`.
    noise : float, mapping or str, optional
        Standard deviation of the white noise of one raw observation [m]: a number, or one for each mission, is the
        method's setting ``noise``; the name of a variable of the tracks gives one value a point. By default the
        method's. Where averages are mapped (``coarsen``), theirs is less by sqrt(coarsen).
    tune : bool or sequence of str
        Choose settings by cross-validation over the missions of these tracks first, or over the passes of a single
        one, by `xinr.tune`: those that the method names, or these. A ``noise`` given is where its search starts. What
        was found is in ``info["tuned"]``.
    init : FittedField, optional
        A field that the same method made of earlier data, to start from: new days then take a fraction of the steps.
        Neural methods can.
    **settings
        Settings of the method and of its covariance: the fields of their classes.

    Returns
    -------
    FittedField
        A function of longitude, latitude and time.

    Raises
    ------
    ValueError
        Unknown method, unusable observations or settings; says what was expected and the cure.
    TypeError
        A setting that the method does not have.
    """
    of_tracks = {"variable": variable, "lwe": lwe, "mdt": mdt, "noise": noise, "region": region}
    of_tracks["swath_block"] = swath_block
    points, chosen = prepared(tracks, method, settings | of_tracks)
    if tune is False:
        return fit_observations(points, chosen, init)
    found = search(points, chosen, None if tune is True else tune)
    tuned = {"rmse": found.rmse, "evaluations": found.trials.sizes["trial"], "folds": found.folds}
    field = fit_observations(points, found.method, init)
    return replace(field, info=field.info | {"tuned": tuned})


def fit_observations(points: Observations, method: Method, init: FittedField | None = None) -> FittedField:
    """Fit a method to observations already taken out of their Dataset, starting from an earlier field if given."""
    whole, points = int(points.averaged.sum()), points.coarsen(method.coarsen)
    trimmed = whole - int(points.averaged.sum())
    if trimmed > MOST_TRIMMED * whole:
        warn(
            f"coarsen={method.coarsen} leaves out {trimmed} of {whole} observations, the ends of short "
            "stretches of track: use a smaller factor. Tracks of several instruments need a coordinate 'mission'."
        )
    frame = init.frame if init else frame_around(method.frame, points.longitude, points.latitude, points.time)
    started = perf_counter()
    x, y, error = sampled(points, method, frame)
    method = method.resolved(x, y, error)
    predictor = _refit(method, x, y, error, init) if init else method.fit(x, y, error)
    info = {
        "method": method.name,
        "settings": plain_settings(method) | ({} if points.noise is None else {"noise": points.noise_name}),
        "quantity": points.quantity,
        "observations": len(points),
        "dropped": points.dropped,
        "trimmed": trimmed,
        "passes": points.n_passes,
        "missions": list(points.missions),
        "extent": _extent(points, frame),
        "fit_seconds": perf_counter() - started,
    }
    if predictor.calibration:
        info["calibration"] = dict(predictor.calibration)
    return FittedField(frame, predictor, points.name, info)


def _refit(method: Method, x: Array, y: Array, error: ObservationError, init: FittedField) -> Predictor:
    if not isinstance(method, WarmStartMethod):
        raise ValueError(
            f"{type(method).__name__} starts from no earlier field, it solves at once: fit it without init=. "
            "Neural methods do start from one."
        )
    if init.frame.kind != method.frame:
        raise ValueError(
            f"the field to start from works in the frame {init.frame.kind!r}, the method in {method.frame!r}: "
            f"set frame={init.frame.kind!r}."
        )
    return method.refit(x, y, error, init.predictor)


def _extent(points: Observations, frame: Frame) -> dict[str, list[Any]]:
    longitude = wrap(points.longitude, frame.origin)
    return {
        "longitude": [float(longitude.min()), float(longitude.max())],
        "latitude": [float(points.latitude.min()), float(points.latitude.max())],
        "time": [str(end.astype("datetime64[s]")) for end in (points.time.min(), points.time.max())],
    }
