"""Along-track data as altimeters would give of a known sea, in the layout of a DUACS L3 file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr.coordinates import within, wrap
from xinr.field import Field
from xinr.passes import number_passes
from xinr.simulate.eddies import GULF_STREAM, MDT_ATTRS, Jet, Region
from xinr.simulate.orbits import MISSIONS, Orbit
from xinr.targets import COORDINATE_ATTRS

Array = NDArray[np.float64]
Times = NDArray[np.datetime64]

#: Standard deviation of the long-wavelength error of a pass, which the column ``lwe`` tells [m].
LWE = 0.02
#: Chance that a dropout (rain, a tracker that lost lock) begins at a point, and its length [points].
DROPOUT, DROPOUT_LENGTH = 0.002, 5
# A coarse search along the orbit finds where it nears the region: every so many points, within so many degrees.
STRIDE, MARGIN = 10, 1.0

_POSITION = ("longitude", "latitude")
_ATTRS = {
    "sla_unfiltered": {
        "long_name": "sea level anomaly, not filtered",
        "standard_name": "sea_surface_height_above_sea_level",
        "units": "m",
        "comment": "long-wavelength error still in it: subtract lwe",
    },
    "mdt": MDT_ATTRS,
    "lwe": {"long_name": "long wavelength error", "units": "m"},
}


def tracks(
    truth: Field,
    missions: Iterable[str] | Mapping[str, Orbit] = tuple(MISSIONS),
    *,
    region: Region = GULF_STREAM,
    period: tuple[str, str] = ("2021-01-01", "2021-03-01"),
    mdt: Jet | None = None,
    noise: float | Mapping[str, float] | None = None,
    pass_bias: float = 0.01,
    seed: int = 0,
) -> xr.Dataset:
    """Sample a known sea along the passes of altimeters, with their errors.

    Parameters
    ----------
    truth : Field
        Sea level anomalies [m], such as `xinr.simulate.eddies`.
    missions : iterable of str, or mapping of str to Orbit
        Keys of `xinr.simulate.MISSIONS`, or one's own orbits.
    region : (west, east, south, north)
        Box to which passes are cut [degrees].
    period : (first, last)
        Days, both included.
    mdt : Jet, optional
        Mean dynamic topography; by default a jet along the middle of the region.
    noise : float or mapping, optional
        Standard deviation of the white noise [m], of all missions or of each; by default that of each orbit.
    pass_bias : float
        Standard deviation of a bias of each pass that no column tells [m]; 0.01 unless said otherwise.
    seed : int
        Of all errors; those of one mission do not depend on which others there are.

    Returns
    -------
    Dataset
        Along ``time``, mission after mission, each in order of time: ``sla_unfiltered``, ``mdt``, ``lwe`` [m], and
        the coordinates ``longitude`` [0, 360), ``latitude``, ``mission``. About 0.2 % of the points begin a dropout
        of five missing heights. ``sla_unfiltered - lwe`` is truth + noise + bias.

    Raises
    ------
    ValueError
        Unknown mission, negative error, a period that ends before it begins, or no pass in the region.

    Examples
    --------
    >>> from xinr.simulate import eddies
    >>> ds = tracks(eddies(), ["j3", "c2"], period=("2021-01-01", "2021-01-10"))
    >>> sorted(ds.data_vars), ds.sla_unfiltered.dims
    (['lwe', 'mdt', 'sla_unfiltered'], ('time',))
    """
    orbits = _orbits(missions)
    levels = _noise_levels(noise, orbits)
    if pass_bias < 0:
        raise ValueError(f"pass_bias must be a standard deviation, 0 or more [m], got {pass_bias!r}.")
    found = {name: _overhead(orbit, region, *_bounds(period)) for name, orbit in orbits.items()}
    if not any(time.size for time, _, _ in found.values()):
        raise ValueError(f"no pass of {list(orbits)} crosses {region} in {period}: take a longer period or larger box.")
    ds = _points(found)
    errors = [
        _errors(name, *found[name], noise=levels[name], pass_bias=pass_bias, seed=seed)
        for name in orbits
        if found[name][0].size
    ]
    lwe, other = (np.concatenate(part) for part in zip(*errors, strict=True))
    jet = mdt or Jet(latitude=(region[2] + region[3]) / 2.0)
    columns = {
        "sla_unfiltered": truth.interp(ds)[truth.name].values + lwe + other,
        "mdt": jet.at(ds["longitude"].values, ds["latitude"].values),
        "lwe": lwe,
    }
    ds = ds.assign({name: ("time", column, _ATTRS[name]) for name, column in columns.items()})
    return ds.assign_attrs(Conventions="CF-1.11", title="Simulated along-track sea level anomalies", seed=seed)


def _orbits(missions: Iterable[str] | Mapping[str, Orbit]) -> dict[str, Orbit]:
    if isinstance(missions, Mapping):
        return dict(missions)
    names = [missions] if isinstance(missions, str) else list(missions)
    unknown = sorted(set(names) - set(MISSIONS))
    if unknown or not names:
        raise ValueError(f"unknown missions {unknown}: expected some of {sorted(MISSIONS)}, or a mapping to Orbit.")
    return {name: MISSIONS[name] for name in names}


def _noise_levels(noise: float | Mapping[str, float] | None, orbits: Mapping[str, Orbit]) -> dict[str, float]:
    if isinstance(noise, Mapping):
        missing = sorted(set(orbits) - set(noise))
        if missing:
            raise ValueError(f"noise is given for {sorted(noise)}, but not for the missions {missing}.")
        levels = {name: float(noise[name]) for name in orbits}
    else:
        levels = {name: orbit.noise if noise is None else float(noise) for name, orbit in orbits.items()}
    if min(levels.values()) < 0:
        raise ValueError(f"noise must be a standard deviation, 0 or more [m], got {noise!r}.")
    return levels


def _bounds(period: tuple[str, str]) -> tuple[np.datetime64, np.datetime64]:
    first, last = (np.datetime64(day, "D") for day in period)
    if last < first:
        raise ValueError(f"period must be (first, last) day, got {period}, which ends before it begins.")
    return first.astype("datetime64[ns]"), (last + np.timedelta64(1, "D")).astype("datetime64[ns]")


def _overhead(orbit: Orbit, region: Region, start: np.datetime64, stop: np.datetime64) -> tuple[Times, Array, Array]:
    """Return time, longitude and latitude of the points that an altimeter samples in the region."""
    step = np.timedelta64(round(orbit.sampling * 1e9), "ns")
    coarse = np.arange(0, (stop - start) // step, STRIDE)
    near = coarse[_near(*orbit.ground_track(start + coarse * step), region)]
    index = (near[:, None] + np.arange(STRIDE)).ravel()
    time = (start + index * step).astype("datetime64[ns]")
    longitude, latitude = orbit.ground_track(time)
    inside = within(longitude, latitude, region) & (time < stop)
    return time[inside], longitude[inside], latitude[inside]


def _near(longitude: Array, latitude: Array, region: Region) -> NDArray[np.bool_]:
    west, east, south, north = region
    half_width = ((east - west) % 360.0 or 360.0) / 2.0
    margin_east = MARGIN / np.maximum(np.cos(np.radians(latitude)), 1e-3)
    off = np.abs(wrap(longitude - west - half_width, 0.0))
    near = (off <= half_width + margin_east) & (latitude >= south - MARGIN) & (latitude <= north + MARGIN)
    return np.asarray(near)


def _points(found: Mapping[str, tuple[Times, Array, Array]]) -> xr.Dataset:
    time, longitude, latitude = (np.concatenate(part) for part in zip(*found.values(), strict=True))
    mission = np.repeat(list(found), [part[0].size for part in found.values()])
    # CF: along a track time alone is an axis.
    position = {key: {k: v for k, v in COORDINATE_ATTRS[key].items() if k != "axis"} for key in _POSITION}
    coords: dict[str, Any] = {
        "time": ("time", time, COORDINATE_ATTRS["time"]),
        "longitude": ("time", longitude, position["longitude"]),
        "latitude": ("time", latitude, position["latitude"]),
        "mission": ("time", mission, {"long_name": "altimeter"}),
    }
    return xr.Dataset(coords=coords)


def _errors(
    name: str, time: Times, longitude: Array, latitude: Array, *, noise: float, pass_bias: float, seed: int
) -> tuple[Array, Array]:
    """Return the long-wavelength error, and noise + bias with NaN in the dropouts, each (n,)."""
    rng = np.random.default_rng([seed, *name.encode()])
    passes = number_passes(np.zeros(time.size, dtype=np.int64), time, longitude, latitude)
    lwe, bias = rng.normal(size=(2, int(passes.max()) + 1)) * np.array([[LWE], [pass_bias]])
    other = bias[passes] + noise * rng.normal(size=time.size)
    begins = rng.uniform(size=time.size) < DROPOUT
    other[np.convolve(begins, np.ones(DROPOUT_LENGTH))[: time.size] > 0] = np.nan
    return lwe[passes], other
