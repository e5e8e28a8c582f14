"""Derivatives of gridded maps on the sphere, by centred differences; lazy on dask arrays."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr.geo.frames import METRES_PER_DEGREE

#: Below this cosine, a latitude counts as a pole.
LEAST_COSINE = 1e-6


def slopes(
    height: xr.DataArray, longitude: xr.DataArray, latitude: xr.DataArray, time: xr.DataArray | None
) -> dict[str, xr.DataArray]:
    """Return the eastward ("x") and northward ("y") slope [1/m of the unit], and the rate of change ("t") [1/s].

    Centred differences, exact for parabolas on any spacing; one-sided next to land and at the edges; NaN on land. A
    global grid is differentiated across its seam.
    """
    east = first_difference(height, longitude, turn_of(longitude.values.astype(float)))
    found = {
        "x": east / (METRES_PER_DEGREE * _cosine(latitude)),
        "y": first_difference(height, latitude) / METRES_PER_DEGREE,
    }
    if time is not None:
        found["t"] = first_difference(height, (time - time[0]) / np.timedelta64(1, "s"))
    return found


def laplacian(height: xr.DataArray, longitude: xr.DataArray, latitude: xr.DataArray) -> xr.DataArray:
    """Return the Laplace-Beltrami operator of a map [1/m² of the unit].

    ``Δu = ∂²u/∂x² + (1/cos φ) ∂/∂y (cos φ ∂u/∂y)``, the second term as a difference of fluxes across the parallels
    half-way between rows. NaN at the edges and where a neighbour is missing.
    """
    (east, west), (h_east, h_west) = _one_sided(height, longitude, turn_of(longitude.values.astype(float)))
    (north, south), (h_north, h_south) = _one_sided(height, latitude)
    cosine_north, cosine_south = _cosine(latitude + h_north / 2), _cosine(latitude - h_south / 2)
    zonal = (east - west) / ((h_east + h_west) / 2) / (METRES_PER_DEGREE * _cosine(latitude)) ** 2
    flux = (cosine_north * north - cosine_south * south) / ((h_north + h_south) / 2)
    total: xr.DataArray = zonal + flux / _cosine(latitude) / METRES_PER_DEGREE**2
    return total


def hessian(height: xr.DataArray, longitude: xr.DataArray, latitude: xr.DataArray) -> dict[str, xr.DataArray]:
    """Return the second derivatives of a map along great circles: "xx", "xy", "yy" [1/m² of the unit].

    ``h_xy = ∂/∂y ∂h/∂x``, and ``h_xx`` is the `laplacian` minus ``h_yy``. NaN at the edges and where a neighbour is
    missing.
    """
    (north, south), (h_north, h_south) = _one_sided(height, latitude)
    yy = (north - south) / ((h_north + h_south) / 2) / METRES_PER_DEGREE**2
    xy = first_difference(slopes(height, longitude, latitude, None)["x"], latitude) / METRES_PER_DEGREE
    return {"xx": laplacian(height, longitude, latitude) - yy, "xy": xy, "yy": yy}


def first_difference(height: xr.DataArray, position: xr.DataArray, turn: float | None = None) -> xr.DataArray:
    """Return the derivative along the one dimension of ``position``: NaN for a single node."""
    if position.size < 2:
        return xr.full_like(height, np.nan)
    (ahead, behind), (h_ahead, h_behind) = _one_sided(height, position, turn)
    centred = (ahead * h_behind + behind * h_ahead) / (h_ahead + h_behind)
    return centred.fillna(ahead).fillna(behind)


def turn_of(longitude: NDArray[np.float64]) -> float | None:
    """Return ±360, in the direction of the longitudes, where they close around the globe, else None.

    Examples
    --------
    >>> turn_of(np.arange(0.0, 360.0, 0.5))
    360.0
    """
    if longitude.size < 3:
        return None
    span = longitude[-1] - longitude[0]
    step = span / (longitude.size - 1)
    closes = np.isclose(abs(span) + abs(step), 360.0, atol=1e-3 * abs(step))
    return float(np.copysign(360.0, step)) if closes else None


def _one_sided(
    height: xr.DataArray, position: xr.DataArray, turn: float | None = None
) -> tuple[tuple[xr.DataArray, xr.DataArray], tuple[xr.DataArray, xr.DataArray]]:
    """Return the slopes towards the next and the previous point, and the two steps."""
    dim = str(position.dims[0])
    position = position.reset_coords(drop=True).drop_vars(dim, errors="ignore").astype(np.float64)
    following, preceding = _neighbours(height, dim, turn)
    next_position, last_position = _neighbours(position, dim, turn)
    if turn is not None:
        last = position.sizes[dim] - 1
        index = xr.DataArray(np.arange(last + 1), dims=dim)
        next_position = next_position.where(index < last, next_position + turn)
        last_position = last_position.where(index > 0, last_position - turn)
    h_next, h_last = next_position - position, position - last_position
    return ((following - height) / h_next, (height - preceding) / h_last), (h_next, h_last)


def _neighbours(array: xr.DataArray, dim: str, turn: float | None) -> tuple[xr.DataArray, xr.DataArray]:
    if turn is not None:
        return array.roll({dim: -1}), array.roll({dim: 1})
    return array.shift({dim: -1}), array.shift({dim: 1})


def _cosine(latitude: xr.DataArray) -> xr.DataArray:
    """Return cos(latitude), NaN at the poles, where east is not defined."""
    cosine: xr.DataArray = xr.apply_ufunc(np.cos, np.radians(latitude.astype(np.float64)))
    return cosine.where(cosine > LEAST_COSINE)
