"""Sea level variables: which variable of a Dataset it is, its units and its corrections."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pandas as pd
import xarray as xr

from xinr.geo.cf import STANDARD_NAMES
from xinr.geo.coordinates import Axis, candidates, find, locate, strictly_monotonic
from xinr.observations.groups import groups_of, joined
from xinr.observations.layouts import along_track
from xinr.observations.tables import from_table
from xinr.observations.units import in_metres

#: Names of sea level variables along tracks: the first is preferred, any other must be the only one.
HEIGHTS = ("sla_unfiltered", "sla", "ssh", "adt", "ssha", "sla_filtered")
#: The same of maps, in order of preference: absolute before the anomalies that L4 files have too.
MAP_HEIGHTS = ("ssh", "adt", "sla")
#: No axis of a map goes further: some models begin east of Greenwich, and go around from there [degrees].
WIDEST = 720.0
#: Other variables of along-track files: corrections, flags and counters.
COMPANIONS = (
    *("mdt", "lwe", "dac", "ocean_tide", "internal_tide", "cycle", "track", "pass", "mission", "noise"),
    "cross_track_distance",
)


def as_tracks(
    tracks: xr.Dataset | xr.DataArray | xr.DataTree | pd.DataFrame, variable: str | None
) -> tuple[xr.Dataset, str]:
    """Return along-track data as points of one dimension, and the name of their sea level variable, in metres."""
    ds, variable = named(tracks, variable)
    return along_track(ds, variable), variable


def named(
    tracks: xr.Dataset | xr.DataArray | xr.DataTree | pd.DataFrame, variable: str | None
) -> tuple[xr.Dataset, str]:
    """Return a Dataset of whatever holds tracks, and the name of its sea level variable, in metres."""
    ds, name = _as_dataset(tracks, variable)
    variable = name or variable or default_height(ds)
    if variable not in ds:
        raise ValueError(f"no variable {variable!r} in the tracks: expected it among {sorted(map(str, ds.data_vars))}.")
    if any(variable in candidates(ds, axis) for axis in get_args(Axis)):
        raise ValueError(f"{variable!r} is a coordinate: name a sea level variable, variable=<name>.")
    return ds.assign({variable: as_height(ds[variable])}), variable


def _as_dataset(tracks: object, variable: str | None) -> tuple[xr.Dataset, str | None]:
    """Return a Dataset of whatever holds tracks, and the name of its variable if it is but one."""
    if isinstance(tracks, xr.DataArray):
        name = str(tracks.name or "height")
        return tracks.to_dataset(name=name), name
    if isinstance(tracks, xr.DataTree):
        return joined(*groups_of(tracks), (variable,) if variable else HEIGHTS), None
    if isinstance(tracks, pd.DataFrame):
        return from_table(tracks), None
    if isinstance(tracks, xr.Dataset):
        return tracks, None
    raise TypeError(
        f"tracks must be an xarray Dataset or DataArray, a DataTree or a pandas DataFrame, got {type(tracks).__name__}."
    )


def corrected(ds: xr.Dataset, variable: str, *, lwe: bool, mdt: bool) -> xr.DataArray:
    """Return the variable [m] in float64, minus ``lwe`` and plus ``mdt`` as chosen."""
    corrections = {name: sign for name, sign, chosen in (("lwe", -1.0, lwe), ("mdt", 1.0, mdt)) if chosen}
    height = as_height(ds[variable]).astype("float64")
    for name, sign in corrections.items():
        if name not in ds:
            raise ValueError(f"no variable {name!r} in the tracks: expected it among {sorted(map(str, ds.data_vars))}.")
        height = height + sign * as_height(ds[name])
    return height


def as_height(height: xr.DataArray) -> xr.DataArray:
    """Return sea level in metres; raise an error unless an array is: numbers, unpacked, a length."""
    if height.dtype.kind not in "fiu":
        raise TypeError(
            f"{height.name} must hold numbers [m], got {height.dtype}: name another variable, or convert it."
        )
    if "scale_factor" in height.attrs or "add_offset" in height.attrs:
        raise ValueError(f"{height.name} is still packed (attribute scale_factor): unpack it with xr.decode_cf(ds).")
    return in_metres(height)


def field_name(height: xr.DataArray, mdt: bool) -> str:
    """Return the name of the mapped quantity: "adt" with the mdt, "sla" for any kind of anomaly."""
    if mdt:
        return "adt"
    name = str(height.name)
    return "sla" if is_anomaly(name, height.attrs.get("standard_name")) else name


def is_anomaly(name: str, standard_name: str | None) -> bool:
    """Return whether a variable is an anomaly relative to the mean sea surface, without the mdt."""
    return name.startswith(("sla", "ssha")) or standard_name == STANDARD_NAMES["sla"]


def quantity(variable: str, *, lwe: bool, mdt: bool) -> str:
    """Return the formula of what is mapped, in variables of the tracks."""
    return variable + (" - lwe" if lwe else "") + (" + mdt" if mdt else "")


def default_height(ds: xr.Dataset) -> str:
    """Return the name of the only sea level variable of tracks; raise ValueError if there is none, or several."""
    if HEIGHTS[0] in ds:
        return HEIGHTS[0]
    found = heights(ds)
    if len(found) == 1:
        return found[0]
    raise ValueError(
        f"which variable is the sea level? Expected one of {list(HEIGHTS)}, or a single candidate; "
        f"got the candidates {found}. Name it: variable=<name>."
    )


def heights(ds: xr.Dataset) -> list[str]:
    """Return which variables of tracks may be the sea level: those of its usual names, else all numbers."""
    taken = {*COMPANIONS, *(name for axis in get_args(Axis) for name in candidates(ds, axis))}
    numbers = [str(name) for name, array in ds.data_vars.items() if array.dtype.kind == "f" and name not in taken]
    numeric = [name for name in numbers if not name.startswith("err_")]
    return [name for name in HEIGHTS if name in numeric] or numeric


def as_map(maps: xr.Dataset | xr.DataArray, variable: str | None = None) -> xr.DataArray:
    """Return the sea level of a gridded map, dims (time, latitude, longitude) or (latitude, longitude).

    Parameters
    ----------
    maps : Dataset or DataArray
        Longitude and latitude of one dimension each, in any order; time, if any, a third.
    variable : str, optional
        Which variable [m]; by default the first of ssh, adt, sla, else the only one on the grid.

    Raises
    ------
    ValueError
        No map, several, wrong units or dimensions.
    """
    if isinstance(maps, xr.DataArray):
        variable = str(maps.name or "height")
        maps = maps.to_dataset(name=variable)
    if not isinstance(maps, xr.Dataset):
        raise TypeError(f"a map must be an xarray Dataset or DataArray, got {type(maps).__name__}.")
    axes = [locate(maps, "latitude"), locate(maps, "longitude")]
    axes = ([locate(maps, "time")] if _has_time(maps) else []) + axes
    _check_axes(axes)
    dims = [axis.dims[0] for axis in axes]
    variable = variable or _default_map(maps, set(dims))
    if variable not in maps:
        raise ValueError(f"no variable {variable!r}: expected it among {sorted(map(str, maps.data_vars))}.")
    height = as_height(maps[variable])
    height = height.squeeze([dim for dim in height.dims if dim not in dims and height.sizes[dim] == 1])
    if set(height.dims) != set(dims):
        raise ValueError(
            f"{variable!r} must have the dimensions {dims}, got {list(height.dims)}. "
            "Select one of each further dimension first, as in ds.isel(depth=0)."
        )
    return height.assign_coords({str(axis.name): axis for axis in axes}).transpose(*dims)


def _has_time(maps: xr.Dataset) -> bool:
    names = find(maps, "time")
    return bool(names) and maps[names[0]].ndim == 1


def _check_axes(axes: list[xr.DataArray]) -> None:
    for axis in axes:
        if axis.ndim != 1:
            raise ValueError(
                f"{axis.name} of a map must have one dimension, got {axis.dims}: interpolate curvilinear or "
                "unstructured maps to a regular grid first."
            )
        if axis.size < 2 and not np.issubdtype(axis.dtype, np.datetime64):
            raise ValueError(f"{axis.name} of a map must have at least two values, got {axis.values.tolist()}.")
        if axis.dtype.kind != "M" and np.nanmax(np.abs(axis.values), initial=0.0) > WIDEST:
            raise ValueError(
                f"{axis.name} of a map must be in degrees, got {axis.values.tolist()}: mend its axis, "
                f"ds.assign_coords({axis.name}=...)."
            )
        if not strictly_monotonic(axis.values):
            raise ValueError(
                f"{axis.name} of a map must increase or decrease without repeats: ds.sortby({axis.name!r}), "
                f"then ds.drop_duplicates({axis.name!r})."
            )


def _default_map(maps: xr.Dataset, dims: set[Any]) -> str:
    on_grid = [
        str(name) for name, array in maps.data_vars.items() if set(array.dims) >= dims and array.dtype.kind == "f"
    ]
    heights = [name for name in MAP_HEIGHTS if name in on_grid]
    others = [name for name in on_grid if not name.startswith("err_")]
    if heights or len(others) == 1:
        return [*heights, *others][0]
    raise ValueError(
        f"which variable is the map? Expected one of {list(MAP_HEIGHTS)}, or a single one on the dimensions "
        f"{sorted(map(str, dims))}; got {on_grid}. Name it: variable=<name>, or ds[<name>].inr."
    )
