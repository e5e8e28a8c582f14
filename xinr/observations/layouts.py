"""Layouts: points along one dimension, with longitude, latitude and time of their own, from any along-track Dataset."""

from __future__ import annotations

from typing import get_args

import numpy as np
import xarray as xr

from xinr.geo.coordinates import Axis, candidates, locate

#: Of points that had several dimensions.
POINTS = "point"


def along_track(ds: xr.Dataset, variable: str) -> xr.Dataset:
    """Return a Dataset in which a variable and its three coordinates share one dimension.

    Dimensions of size 1 are left out, scalar coordinates hold for every point, and high-rate samples, such as
    (time, 20), become points in order of time. What has that layout already is returned as it is.

    Parameters
    ----------
    ds : Dataset
        With the variable, its longitude, latitude and time, found as CF says: see `xinr.geo.coordinates.locate`.
    variable : str
        Whose coordinates and dimensions count; variables of other samplings are left out where dimensions change.

    Raises
    ------
    ValueError
        A coordinate is missing, ambiguous or of another sampling; a swath or a map.
    """
    if variable not in ds:
        raise ValueError(f"no variable {variable!r}: expected it among {sorted(map(str, ds.data_vars))}.")
    columns = {axis: locate(ds, axis, ds[variable]) for axis in get_args(Axis)}
    decoded = {str(each.name): each for each in columns.values() if each.dtype != ds.variables[each.name].dtype}
    ds = ds.assign_coords(decoded) if decoded else ds
    ds = ds.set_coords([str(column.name) for column in columns.values()])
    ds = _without_single_dimensions(ds, variable, columns)
    names = {axis: str(column.name) for axis, column in columns.items()}
    dims = ds[variable].dims
    own = {axis: ds[name].dims for axis, name in names.items()}
    if any(each and set(each) != set(dims) for each in own.values()):
        raise ValueError(_mismatch(ds, variable, names))
    if len(dims) > 1:
        return _stacked(ds, variable, names)
    scalar = {name: ds[name].expand_dims({dims[0]: ds.sizes[dims[0]]}) for name in names.values() if not ds[name].ndim}
    return ds.assign_coords(scalar) if scalar else ds


def _without_single_dimensions(ds: xr.Dataset, variable: str, columns: dict[Axis, xr.DataArray]) -> xr.Dataset:
    """Leave out the dimensions of size 1 of a variable and its coordinates, but for the last that it has."""
    dims = ds[variable].dims
    single = [dim for dim in dims if ds.sizes[dim] == 1]
    if len(single) == len(dims):
        single = [dim for dim in single if dim != (columns["time"].dims or dims)[0]]
    alone = {dim for column in columns.values() for dim in column.dims if dim not in dims and ds.sizes[dim] == 1}
    return ds.squeeze([*single, *alone]) if single or alone else ds


def _stacked(ds: xr.Dataset, variable: str, names: dict[Axis, str]) -> xr.Dataset:
    """Return what has the dimensions of a variable, or some of them, along one dimension in order of time."""
    dims = ds[variable].dims
    others = {name for axis in names for name in candidates(ds, axis)} - set(names.values())
    others |= {str(name) for name, each in ds.variables.items() if not set(each.dims) <= set(dims)}
    kept = ds.drop_vars(others)
    points = kept.drop_indexes(list(kept.indexes)).stack({POINTS: dims}, create_index=False)
    points = points.rename({name: axis for axis, name in names.items() if name != axis}).set_coords(list(names))
    if points["time"].ndim:
        points = points.isel({POINTS: np.argsort(points["time"].values, kind="stable")})
    return along_track(points, variable)


def _mismatch(ds: xr.Dataset, variable: str, names: dict[Axis, str]) -> str:
    shapes = {name: dict(ds[name].sizes) for name in (variable, *names.values())}
    return (
        f"tracks must have one dimension shared by sea level, longitude, latitude and time, got {shapes}. "
        f"Name the coordinates of this sampling: ds[{variable!r}].attrs['coordinates'] = '<longitude> <latitude> "
        "<time>'. "
        "A swath has longitude and latitude on lines and pixels, and time on its lines. A map is not a track: its .inr "
        "methods need no fit (first interpolate a curvilinear map to longitudes by latitudes)."
    )
