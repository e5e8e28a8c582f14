"""Columns of observations, read from a Dataset of points and checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.geo.coordinates import locate
from xinr.observations.swaths import in_kilometres
from xinr.observations.variables import check_metres

Table = dict[str, NDArray[Any]]
#: More than any satellite has half orbits in a cycle.
PASSES = 100_000


def read_columns(ds: xr.Dataset, height: xr.DataArray, noise: str | None) -> tuple[tuple[str, ...], Table]:
    """Return the names of the missions, and the columns of the observations, each (n,)."""
    longitude, latitude, time = locate(ds, "longitude"), locate(ds, "latitude"), locate(ds, "time")
    dimension = _dimension([height, longitude, latitude, time])
    missions, mission_index = _missions(ds, dimension)
    return missions, {
        "longitude": longitude.values.astype(np.float64),
        "latitude": latitude.values.astype(np.float64),
        "time": time.values.astype("datetime64[ns]"),
        "value": height.values,
        "mission_index": mission_index,
        "noise": np.full(len(mission_index), np.nan) if noise is None else _noise(ds, noise, len(mission_index)),
        "cross_track_distance": _across(ds, dimension),
        "known_pass": _known_pass(ds, dimension),
    }


def _dimension(columns: list[xr.DataArray]) -> str:
    dims = {column.dims for column in columns}
    if len(dims) == 1 and columns[0].ndim == 1:
        return str(columns[0].dims[0])
    shapes = {str(column.name): dict(column.sizes) for column in columns}
    raise ValueError(
        f"tracks must have one dimension shared by sea level, longitude, latitude and time, got {shapes}. "
        "A swath has longitude and latitude on lines and pixels, and time on its lines. A map is not a track: its .inr "
        "methods need no fit (first interpolate a curvilinear map to longitudes by latitudes)."
    )


def _across(ds: xr.Dataset, dimension: str) -> Array:
    """Return the distance of each point from the ground track [km], NaN where there is none."""
    if "cross_track_distance" not in ds or ds["cross_track_distance"].dims != (dimension,):
        return np.full(ds.sizes[dimension], np.nan)
    return in_kilometres(ds["cross_track_distance"].values)


def _known_pass(ds: xr.Dataset, dimension: str) -> NDArray[np.int64]:
    """Return a number for each cycle and pass of swaths, as files tell them, -1 of other points."""
    numbers = np.full(ds.sizes[dimension], -1, dtype=np.int64)
    if all(name in ds and ds[name].dims == (dimension,) for name in ("cycle", "pass", "cross_track_distance")):
        cycle, half_orbit = (np.nan_to_num(ds[name].values.astype(np.float64), nan=-1.0) for name in ("cycle", "pass"))
        swath = np.isfinite(ds["cross_track_distance"].values)
        numbers[swath] = (PASSES * cycle + half_orbit)[swath].astype(np.int64)
    return numbers


def _missions(ds: xr.Dataset, dimension: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
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
    check_metres(ds[noise])
    if ds[noise].shape != (size,):
        raise ValueError(
            f"the noise {noise!r} must have one value for each of {size} points, "
            f"got {dict(ds[noise].sizes)}: give one number as a float, or one for each mission as a mapping."
        )
    return np.asarray(ds[noise].values, dtype=np.float64)


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
    """Raise ValueError for positions that are not degrees, or an infinite value."""
    for axis, limit in (("longitude", 360.0), ("latitude", 90.0)):
        worst = float(np.abs(table[axis]).max())
        if worst > limit:
            raise ValueError(f"{axis} must be in degrees, within ±{limit:g}; got {worst:g}. Unpack or convert it.")
    if np.isinf(table["value"]).any():
        raise ValueError("sea level must be finite, got infinity. Mask it: ds.where(np.isfinite(ds[<variable>])).")


def repeated(table: Table) -> NDArray[np.bool_]:
    """Return which measurements repeat earlier ones, as where files overlap."""
    keys = ("value", "longitude", "latitude", "time", "mission_index")
    order = np.lexsort([table[key] for key in keys])  # stable: the first one is used
    same = np.logical_and.reduce([np.diff(table[key][order]).astype(np.float64) == 0 for key in keys])
    repeated = np.zeros(len(order), dtype=bool)
    repeated[order[1:][same]] = True
    return repeated


def in_order(table: Table) -> Table:
    """Sort by stream, then time; further keys make the result independent of the order of equal times."""
    keys = ("noise", "value", "longitude", "latitude", "time", "stream")
    return select(table, np.lexsort([table[key] for key in keys]))
