"""Land, given as a map with missing values, a mask, or a function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from xinr._typing import Array
from xinr.fields.gridded import MapField
from xinr.geo.coordinates import locate, wrap

#: A gridded map, NaN on land; a mask, True on land; or a function of longitude and latitude, True on land.
Land = xr.Dataset | xr.DataArray | Callable[[Array, Array], ArrayLike]


def on_land(land: Land, longitude: Array, latitude: Array) -> NDArray[np.bool_]:
    """Return which points are on land, or next to it.

    Parameters
    ----------
    land : Dataset, DataArray or callable
        - A gridded map (sea level, temperature, mean topography): land is where it is NaN at every time and depth. Of a
          Dataset, the first variable on the grid that has NaN is used.
        - A DataArray of booleans on a grid: True on land.
        - A function of longitudes in -180..180 and latitudes, each (n,) in degrees, that returns True on land.
    longitude, latitude : ndarray (n,)
        Degrees.

    Returns
    -------
    ndarray of bool (n,)
        On a grid, a point is at sea where all nodes around it are; points outside the grid are on land.

    Raises
    ------
    TypeError
        Another kind of object.
    ValueError
        A map without NaN, or a mask that is not of booleans.

    Examples
    --------
    >>> shore = xr.DataArray([[True, False, False]] * 2, {"lat": [40.0, 41.0], "lon": [0.0, 1.0, 2.0]}, ("lat", "lon"))
    >>> on_land(shore, np.array([0.5, 1.5]), np.array([40.5, 40.5]))
    array([ True, False])
    """
    if callable(land):
        found = np.asarray(land(wrap(longitude, 0.0), latitude))
        if found.shape != longitude.shape or found.dtype != bool:
            raise ValueError(
                f"land(longitude, latitude) must return {longitude.size} booleans, one a point, got {found.dtype} of "
                f"shape {found.shape}."
            )
        return found
    if not isinstance(land, xr.Dataset | xr.DataArray):
        raise TypeError(
            f"land must be a gridded map that is NaN on land, a mask that is True on land, or a function of longitude "
            f"and latitude, got {type(land).__name__}."
        )
    positions = {"longitude": ("point", longitude), "latitude": ("point", latitude)}
    between = MapField.of(_at_sea(land)).interp(xr.Dataset(coords=positions))
    return np.asarray(between["sea"].isnull().values)


def _at_sea(land: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """Return 1 at sea and NaN on land, dims (latitude, longitude)."""
    axes = [locate(land, "latitude"), locate(land, "longitude")]
    dims = {axis.dims[0] for axis in axes if axis.ndim == 1}
    mask = _variable(land, dims) if isinstance(land, xr.Dataset) else land
    covered = mask if mask.dtype == bool else mask.isnull()
    if mask.dtype != bool and not covered.any():
        raise ValueError(
            f"{mask.name!r} has no NaN, and so shows no land: expected NaN there, or booleans that are True on "
            "land, as in land=(ds.mask == 0)."
        )
    covered = covered.all([dim for dim in covered.dims if dim not in dims])
    sea: xr.DataArray = xr.ones_like(covered, dtype=float).where(~covered).rename("sea").drop_attrs(deep=False)
    return sea.drop_vars([name for name in sea.coords if name not in {axis.name for axis in axes}])


def _variable(ds: xr.Dataset, dims: set[object]) -> xr.DataArray:
    on_grid = [array for array in ds.data_vars.values() if set(array.dims) >= dims and array.dtype.kind == "f"]
    if not on_grid:
        raise ValueError(
            f"no map that shows land: expected a variable of numbers on {sorted(map(str, dims))}, got "
            f"{sorted(map(str, ds.data_vars))}. Choose a mask yourself: land=ds[<name>]."
        )
    return next((array for array in on_grid if bool(array.isnull().any())), on_grid[0])
