"""Columns of observations, read from a Dataset of points and checked."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.geo.coordinates import Axis, locate
from xinr.geo.times import check_years
from xinr.observations.cross_track import in_kilometres
from xinr.observations.units import in_metres

Table = dict[str, NDArray[Any]]
#: More than any satellite has half orbits in a cycle.
PASSES = 100_000
#: No sea level is this far from the ellipsoid or the geoid [m]: fill values that were not masked are.
HIGHEST = 1e4


def read_columns(ds: xr.Dataset, height: xr.DataArray, noise: str | None) -> tuple[tuple[str, ...], Table]:
    """Return the names of the missions, and the columns of the observations, each (n,)."""
    (dimension,) = height.dims
    longitude, latitude, time = (locate(ds, axis, height) for axis in get_args(Axis))
    missions, mission_index = _missions(ds, dimension)
    return missions, {
        "longitude": longitude.values.astype(np.float64),
        "latitude": latitude.values.astype(np.float64),
        "time": check_years(time.values, time.name),
        "value": height.values,
        "mission_index": mission_index,
        "noise": np.full(len(mission_index), np.nan) if noise is None else _noise(ds, noise, len(mission_index)),
        "cross_track_distance": _across(ds, dimension),
        "known_pass": _known_pass(ds, dimension),
    }


def _across(ds: xr.Dataset, dimension: Hashable) -> Array:
    """Return the distance of each point from the ground track [km], NaN where there is none."""
    if "cross_track_distance" not in ds or ds["cross_track_distance"].dims != (dimension,):
        return np.full(ds.sizes[dimension], np.nan)
    return in_kilometres(ds["cross_track_distance"].values)


def _known_pass(ds: xr.Dataset, dimension: Hashable) -> NDArray[np.int64]:
    """Return a number for each cycle and pass of swaths, as files tell them, -1 of other points."""
    numbers = np.full(ds.sizes[dimension], -1, dtype=np.int64)
    if all(name in ds and ds[name].dims == (dimension,) for name in ("cycle", "pass", "cross_track_distance")):
        cycle, half_orbit = (np.nan_to_num(ds[name].values.astype(np.float64), nan=-1.0) for name in ("cycle", "pass"))
        swath = np.isfinite(ds["cross_track_distance"].values)
        numbers[swath] = (PASSES * cycle + half_orbit)[swath].astype(np.int64)
    return numbers


def _missions(ds: xr.Dataset, dimension: Hashable) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    if "mission" in ds and ds["mission"].dims == (dimension,):
        names, index = np.unique(ds["mission"].values.astype(str), return_inverse=True)
        return tuple(map(str, names)), index.astype(np.int64)
    name = str(ds["mission"].item()) if "mission" in ds and ds["mission"].ndim == 0 else ""
    return (name,), np.zeros(ds.sizes[dimension], dtype=np.int64)


def _noise(ds: xr.Dataset, noise: str, size: int) -> Array:
    if not isinstance(noise, str):
        raise TypeError(
            f"noise must be the name of a variable of the tracks, got {noise!r}: one number, or one for each mission, "
            "is a setting of the method, xinr.fit(tracks, ..., noise=0.03)."
        )
    if noise not in ds:
        raise ValueError(f"no variable {noise!r} for the noise: expected one of {sorted(map(str, ds.data_vars))}.")
    if ds[noise].shape != (size,):
        raise ValueError(
            f"the noise {noise!r} must have one value for each of {size} points, "
            f"got {dict(ds[noise].sizes)}: give one number as a float, or one for each mission as a mapping."
        )
    return np.asarray(in_metres(ds[noise]).values, dtype=np.float64)


def check_noise(noise: Array) -> None:
    """Raise ValueError for what is no standard deviation."""
    usable = np.isfinite(noise) & (noise > 0)
    if not usable.all():
        raise ValueError(
            f"noise must be a standard deviation above zero [m] at every observation, got {noise[~usable][0]:g} "
            f"at {np.count_nonzero(~usable)} of {len(noise)}: leave those out, ds.where((ds[<noise>] > 0) & "
            "(ds[<noise>] < 1))."
        )


def select(table: Table, chosen: NDArray[Any]) -> Table:
    """Return the chosen rows."""
    return {key: column[chosen] for key, column in table.items()}


def check_some(table: Table, message: str) -> None:
    """Raise ValueError, beginning with a message, where there is no row."""
    if not len(table["value"]):
        raise ValueError(f"{message}: expected at least one. Check the variable, the region and the time selection.")


def check_positions(table: Table) -> None:
    """Raise ValueError for positions that are not degrees, or for an infinite or impossible height."""
    for axis, limit in (("longitude", 360.0), ("latitude", 90.0)):
        worst = float(np.abs(table[axis]).max())
        if worst > limit:
            raise ValueError(f"{axis} must be in degrees, within ±{limit:g}; got {worst:g}. Unpack or convert it.")
    if np.isinf(table["value"]).any():
        raise ValueError("sea level must be finite, got infinity. Mask it: ds.where(np.isfinite(ds[<variable>])).")
    highest = float(np.abs(table["value"]).max())
    if highest > HIGHEST:
        raise ValueError(
            f"sea level must lie within ±{HIGHEST:g} m, got {highest:g}: a fill value? Mask it: "
            f"ds.where(abs(ds[<variable>]) < {HIGHEST:g})."
        )


def in_order(table: Table) -> Table:
    """Sort by stream, then time; equal times stay in the order given, which is that along the track."""
    return select(table, np.lexsort([table[key] for key in ("time", "stream")]))
