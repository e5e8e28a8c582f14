"""Errors of a map by region: its misfit to a withheld track, averaged over boxes."""

import numpy as np
import pyinterp
import xarray as xr

from xinr._typing import Array, Region
from xinr.geo.cf import COORDINATES, attributes
from xinr.geo.coordinates import central_longitude, locate, wrap
from xinr.metrics.points import common_points

#: Boxes of fewer points are NaN: they would show single passes.
LEAST_POINTS = 10


def bin_errors(
    prediction: xr.Dataset,
    reference: xr.Dataset,
    *,
    region: Region | None = None,
    period: tuple[str, str] | None = None,
    spacing: float = 1.0,
) -> xr.Dataset:
    """Average the misfits along a track over boxes of longitude and latitude.

    Parameters
    ----------
    prediction, reference : Dataset
        The same points, as for `xinr.metrics.score`; the reference with longitude and latitude.
    region, period
        See `xinr.metrics.score`.
    spacing : float
        Size of the boxes [degrees]; their edges are its multiples.

    Returns
    -------
    Dataset
        ``bias``, prediction less reference, ``rmse`` and ``rms``, of the reference about zero [m], ``score``
        ``1 - rmse / rms`` [1], NaN in boxes of fewer than 10 points; ``count``. Dims (latitude, longitude), at the
        centres of the boxes.

    Raises
    ------
    ValueError
        A spacing that is not above zero, or what `xinr.metrics.score` refuses.

    Examples
    --------
    >>> along = np.linspace(0.0, 1.0, 40)
    >>> time = np.datetime64("2017-01-01", "ns") + 943_400_000 * np.arange(40)
    >>> coords = {"time": time, "longitude": ("time", 3.1 + along / 2), "latitude": ("time", 40.1 + along / 2)}
    >>> truth = xr.Dataset({"ssh": ("time", np.ones(40))}, coords)
    >>> bin_errors(truth.assign(ssh=truth.ssh + 0.1), truth).bias.round(3).values
    array([[0.1]])
    """
    if not spacing > 0.0:
        raise ValueError(f"spacing must be above zero degrees, got {spacing}.")
    track = common_points(prediction, reference, region, period)
    lon = locate(reference, "longitude").values[track.index].astype(np.float64)
    lat = locate(reference, "latitude").values[track.index].astype(np.float64)
    lon = wrap(lon, central_longitude(lon))
    axes = _centres(lon, spacing), _centres(lat, spacing)
    error = track.map - track.ref
    count, bias = _binned(axes, spacing, lon, lat, error)
    square, power = (_binned(axes, spacing, lon, lat, values)[1] for values in (error**2, track.ref**2))
    few = count < LEAST_POINTS
    found = {"bias": bias, "rmse": np.sqrt(square), "rms": np.sqrt(power), "score": 1.0 - np.sqrt(square / power)}
    return _described({name: np.where(few, np.nan, values) for name, values in found.items()}, count, axes)


def _centres(values: Array, spacing: float) -> Array:
    first, last = np.floor(values.min() / spacing), np.floor(values.max() / spacing)
    return np.asarray(spacing * (np.arange(first, last + 1.0) + 0.5))


def _binned(axes: tuple[Array, Array], spacing: float, lon: Array, lat: Array, values: Array) -> tuple[Array, Array]:
    """Return the number of points and their mean in each box, (latitude, longitude)."""
    # A pyinterp axis needs two values: one is added beyond the last, and its boxes are dropped.
    padded = [np.append(axis, axis[-1] + spacing) for axis in axes]
    binning = pyinterp.Binning2D(pyinterp.Axis(padded[0]), pyinterp.Axis(padded[1]))
    binning.push(lon, lat, values, True)
    count, mean = np.asarray(binning.count(), dtype=np.float64), np.asarray(binning.mean())
    return count.T[:-1, :-1], mean.T[:-1, :-1]


def _described(values: dict[str, Array], count: Array, axes: tuple[Array, Array]) -> xr.Dataset:
    meaning = {
        "bias": ("m", "mean of prediction minus reference"),
        "rmse": ("m", "root mean square error"),
        "rms": ("m", "root mean square of the reference"),
        "score": ("1", "1 - rmse / rms"),
        "count": ("1", "number of points"),
    }
    dims = ("latitude", "longitude")
    arrays = {**values, "count": count.astype(np.int64)}
    data = {name: (dims, array, attributes(*meaning[name])) for name, array in arrays.items()}
    coords = {dim: (dim, axis, COORDINATES[dim]) for dim, axis in zip(reversed(dims), axes, strict=True)}
    return xr.Dataset(data, coords)
