"""Join the points of many files: one layout, one unit for each variable, one sea level, read when they are used."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr.geo.coordinates import Axis
from xinr.geo.times import precise
from xinr.observations.concatenated import Piece, end_to_end
from xinr.observations.units import metres_in

#: The dimension of tracks.
TIME = "time"
#: Other coordinates of tracks, whose units are checked file by file.
COORDINATES = ("longitude", "latitude", "mission")


@dataclass(frozen=True, eq=False)
class Part:
    """Points of one file, in the one layout, and its sea level variable if only one may be it."""

    name: str
    ds: xr.Dataset
    height: str | None


def in_one_layout(ds: xr.Dataset, columns: Mapping[Axis, xr.DataArray], mission: NDArray[np.str_]) -> xr.Dataset:
    """Return points with the dimension ``time`` and coordinates of the usual names, no array being read.

    Parameters
    ----------
    ds : Dataset
        Points along one dimension, as from `xinr.observations.layouts.along_track`.
    columns : mapping of axis to DataArray
        Longitude, latitude and time of the points.
    mission : ndarray of str, (n,) or ()
        Of each point, or one for all.
    """
    (dimension,) = columns["time"].dims
    taken = {*columns, *(str(column.name) for column in columns.values()), "mission", dimension}
    variables = {name: each for name, each in ds.variables.items() if name not in taken}
    if dimension != TIME:  # another sampling, whose dimension has the name
        variables = {name: each for name, each in variables.items() if TIME not in each.dims}
    found = {name: _along_time(each, dimension) for name, each in variables.items()}
    found |= {axis: _along_time(column.variable.to_base_variable(), dimension) for axis, column in columns.items()}
    found["mission"] = xr.Variable(TIME, np.broadcast_to(mission, columns["time"].size))
    coords = {name for name in ds.coords if name in variables} | {*columns, "mission"}
    bare = xr.Dataset({name: each for name, each in found.items() if name != TIME}, attrs=ds.attrs)
    return bare.assign_coords(xr.Coordinates({TIME: found[TIME]}, indexes={})).set_coords(list(coords))


def _along_time(variable: xr.Variable, dimension: Hashable) -> xr.Variable:
    """Return a variable whose first dimension is the time, if that of the points is one of its own."""
    found = variable.to_base_variable().copy(deep=False)
    found.dims = tuple(TIME if dim == dimension else dim for dim in found.dims)
    return found.transpose(TIME, ...) if TIME in found.dims[1:] else found


def join(parts: Sequence[Part]) -> xr.Dataset:
    """Return the points of all files, one after the other; only times are read.

    Raises
    ------
    ValueError
        A file has another sea level variable, other units that are no length, or other dimensions than the rest.
    """
    _check_heights(parts)
    names = dict.fromkeys(name for part in parts for name in part.ds.variables if name != TIME)
    variables = {name: _joined(name, parts) for name in names}
    times = [precise(np.asarray(_piece(part, part.ds.variables[TIME]).read(slice(None), ()))) for part in parts]
    coords = dict.fromkeys(name for part in parts for name in part.ds.coords if name != TIME)
    attrs = _common(part.ds.attrs for part in parts)
    ds = xr.Dataset(variables, {TIME: (TIME, np.concatenate(times), _common(p.ds[TIME].attrs for p in parts))}, attrs)
    ds = ds.set_coords(list(coords))
    ds.set_close(partial(_close, parts))
    return ds


def _close(parts: Sequence[Part]) -> None:
    for part in parts:
        part.ds.close()


def _check_heights(parts: Sequence[Part]) -> None:
    """Raise ValueError if files differ in their sea level: all but one would count as missing."""
    first = next((part for part in parts if part.height), parts[0])
    for part in parts:
        if part.height not in (None, first.height):
            raise ValueError(
                f"{part.name} has the sea level {part.height!r}, {first.name} has {first.height!r}: expected one name "
                "in all files. Choose one that all have, variable=<name>, or rename it: xinr.open_tracks([<others>, "
                f"xinr.open_tracks({part.name!r}).rename({part.height}={first.height!r})])."
            )


def _joined(name: Hashable, parts: Sequence[Part]) -> xr.Variable:
    """Return a variable of all files, or of the first that has it where it is not along the tracks."""
    holding = {part: part.ds.variables[name] for part in parts if name in part.ds.variables}
    first, one = next(iter(holding.items()))
    if not any(TIME in each.dims for each in holding.values()):
        return one
    for part, each in holding.items():
        if (each.dims, each.shape[1:]) != (one.dims, one.shape[1:]):
            raise ValueError(
                f"{name} has the sizes {dict(each.sizes)} in {part.name}, {dict(one.sizes)} in {first.name}: "
                f"expected the same but for {TIME!r}. Leave it out: drop_variables=[{name!r}]."
            )
    units = {part: each.attrs.get("units") for part, each in holding.items()}
    factors = {} if name in COORDINATES else _to_metres(str(name), units)
    pieces = [_piece(part, holding.get(part), factors.get(part, 1.0)) for part in parts]
    attrs = _common(each.attrs for each in holding.values())
    return end_to_end(one.dims, pieces, attrs | ({"units": "m"} if factors else {}))


def _piece(part: Part, variable: xr.Variable | None, factor: float = 1.0) -> Piece:
    return Piece(part.ds.sizes[TIME], variable, factor, part.name)


def _to_metres(name: str, units: Mapping[Part, Any]) -> dict[Part, float]:
    """Return the factor to metres of each file, where they give a length in different units; else none."""
    stated = {text for text in units.values() if text is not None}
    if len(set(units.values())) == 1:
        return {}
    factors = {part: metres_in("m" if text is None else text) for part, text in units.items()}
    lengths = {part: factor for part, factor in factors.items() if factor is not None}
    if len(lengths) == len(units):
        return lengths
    if len(stated) == 1:
        return {}
    part = next(part for part, factor in factors.items() if factor is None)
    raise ValueError(
        f"{name} has the units {units[part]!r} in {part.name}, and {sorted(map(str, stated - {units[part]}))} in other "
        f"files, which do not convert: expected the same, or lengths. Leave it out: drop_variables=[{name!r}]."
    )


def _common(attrs: Iterable[Mapping[Any, Any]]) -> dict[Any, Any]:
    """Return the attributes in which all that have them agree."""
    found: dict[Any, Any] = {}
    conflicts = set()
    for each in attrs:
        for key, value in each.items():
            if key in found and not np.array_equal(found[key], value):
                conflicts.add(key)
            found.setdefault(key, value)
    return {key: value for key, value in found.items() if key not in conflicts}
