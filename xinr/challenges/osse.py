"""Challenges on a simulated ocean, whose truth is known."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Region
from xinr.challenges.challenge import Challenge
from xinr.fields.field import Field
from xinr.geo.coordinates import bounds, width_of
from xinr.geo.frames import DAY
from xinr.observations.swaths import unrolled
from xinr.simulate.altimeters.swath import SwathErrors
from xinr.simulate.altimeters.swath import swath as simulated_swath
from xinr.simulate.altimeters.tracks import tracks
from xinr.simulate.eddies import GULF_STREAM, MeanJet
from xinr.simulate.ocean.cache import cached_ocean


def osse(
    truth: Field | None = None,
    *,
    missions: Iterable[str] = ("alg", "h2b", "j3", "s3a", "s3b"),
    withheld: str = "c2",
    region: Region = GULF_STREAM,
    period: tuple[str, str] = ("2021-01-01", "2021-03-01"),
    spacing: float = 0.2,
    time_step: int = 3,
    segment_length: float = 1000.0,
    seed: int = 0,
    swath: bool | SwathErrors = False,
    **sampling: Any,
) -> Challenge:
    """Set up an observing-system simulation experiment: a known ocean, the altimeters that observe it, one withheld.

    Parameters
    ----------
    truth : Field, optional
        Sea level anomalies [m] over region and period. By default a quasi-geostrophic ocean of that seed, simulated
        once and kept in the user's cache folder: see `xinr.simulate.ocean.cache.cached_ocean`.
    missions : iterable of str
        To map: keys of `xinr.simulate.MISSIONS`.
    withheld : str
        To score on.
    region : (west, east, south, north)
        Degrees.
    period : (first, last)
        Days, both included.
    spacing, time_step : float, int
        Of the maps [degrees; days].
    segment_length : float
        Of the spectral score [km].
    seed : int
        Of ocean and errors.
    swath : bool or SwathErrors
        Whether the swath of SWOT is mapped too, and with which errors: see `xinr.simulate.swath`.
    **sampling
        ``land``, ``mdt``, ``errors``: see `xinr.simulate.tracks`.

    Returns
    -------
    Challenge
        With its truth.

    Raises
    ------
    ValueError
        The withheld mission is one of those to map, the region is larger than the simulated ocean, or what
        `xinr.simulate.tracks` refuses.

    Examples
    --------
    >>> from xinr.simulate import Errors, eddies
    >>> week = ("2021-01-01", "2021-01-07")
    >>> challenge = osse(eddies(waves=40), period=week, errors=Errors(missing_passes=0.1))
    >>> dict(challenge.grid.sizes)
    {'time': 3, 'latitude': 51, 'longitude': 51}
    """
    mapped = list(missions)
    if withheld in mapped:
        raise ValueError(f"the withheld mission {withheld!r} must not be among those to map, {mapped}.")
    truth = cached_ocean(region, period, seed) if truth is None else truth
    everything = tracks(truth, [*mapped, withheld], region=region, period=period, seed=seed, **sampling)
    everything["ssh"] = (everything["sla_unfiltered"] + everything["mdt"]).assign_attrs(
        long_name="sea surface height", units="m"
    )
    held_out = everything["mission"].values == withheld
    grid = regular_grid(region, spacing, np.arange(*bounds(period), time_step * DAY))
    jet = sampling.get("mdt") or MeanJet.across(region)
    training = everything.isel(time=~held_out)
    if swath:
        errors = SwathErrors() if swath is True else swath
        options = {key: each for key, each in sampling.items() if key in ("land", "mdt")}
        wide = simulated_swath(truth, region=region, period=period, errors=errors, seed=seed, **options)
        points = unrolled(wide, ["sla_unfiltered", "mdt", "lwe"])
        training = xr.concat([training, points], "time", data_vars="minimal", coords="minimal", compat="override")
    return Challenge(
        name="simulated ocean",
        training=training,
        withheld=everything.isel(time=held_out),
        grid=grid.assign(mdt=jet.interp(grid)),
        region=region,
        period=period,
        segment_length=segment_length,
        truth=truth,
    )


def regular_grid(region: Region, spacing: float, time: NDArray[np.datetime64]) -> xr.Dataset:
    """Return the coordinates of maps over a region, its edges included, in steps of about ``spacing`` degrees."""
    west, east, south, north = region
    east = west + width_of(region)
    axes = {"latitude": (south, north), "longitude": (west, east)}
    steps = {name: np.linspace(low, high, round((high - low) / spacing) + 1) for name, (low, high) in axes.items()}
    return xr.Dataset(coords={"time": time.astype("datetime64[ns]"), **steps})
