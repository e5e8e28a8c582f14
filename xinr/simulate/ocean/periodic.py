"""Fourier series of periodic fields on square grids: resampling and exact derivatives."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Array


def resampled(grid: Array, points: int) -> Array:
    """Return periodic fields (..., n, n) on another number of points: the waves that both grids resolve."""
    n = grid.shape[-1]
    keep = (min(n, points) - 1) // 2  # waves below both grids' shortest
    old, new = np.fft.rfft2(grid, norm="forward"), np.zeros((*grid.shape[:-2], points, points // 2 + 1), complex)
    new[..., : keep + 1, : keep + 1] = old[..., : keep + 1, : keep + 1]
    new[..., -keep:, : keep + 1] = old[..., -keep:, : keep + 1]
    return np.fft.irfft2(new, s=(points, points), norm="forward")


def derivatives(ds: xr.Dataset, variable: str = "ssh") -> xr.Dataset:
    """Differentiate a periodic simulated field exactly, by its Fourier series.

    Parameters
    ----------
    ds : Dataset
        Such as from `qg`: regular coordinates x and y [km] over a whole period; any other dimensions, which may be
        chunked.
    variable : str
        Variable to differentiate.

    Returns
    -------
    Dataset
        ``d<variable>_dx`` and ``d<variable>_dy`` [unit/m], ``laplacian_<variable>`` [unit/m²]: slopes of ssh are in
        m/m, its Laplacian in 1/m.

    Raises
    ------
    ValueError
        No such variable, or one that is not on a regular grid of x and y.

    Notes
    -----
    The derivatives are those of the interpolating trigonometric polynomial: exact for fields without waves as short as
    two grid steps, such as those of `qg`, whose shortest waves have three.

    Examples
    --------
    >>> x = np.arange(-50.0, 50.0, 10.0)
    >>> wave = xr.DataArray(np.sin(2 * np.pi * x / 100.0), coords={"x": x}).expand_dims(y=x)
    >>> slope = derivatives(wave.to_dataset(name="ssh"))["dssh_dx"]
    >>> bool(np.isclose(slope.max(), 2 * np.pi / 100e3))
    True
    """
    if variable not in ds or not {"x", "y"} <= set(ds[variable].dims):
        found = {str(name): array.dims for name, array in ds.data_vars.items()}
        raise ValueError(f"no variable {variable!r} with dims (y, x): got {found}.")
    k, ell = _wavenumbers(ds["x"]), _wavenumbers(ds["y"])[:, None]
    factors = {f"d{variable}_dx": 1j * k, f"d{variable}_dy": 1j * ell, f"laplacian_{variable}": -(k**2) - ell**2}
    arrays = {name: _multiplied(ds[variable], factor) for name, factor in factors.items()}
    return xr.Dataset({name: _labelled(array, ds[variable], name) for name, array in arrays.items()})


def _multiplied(field: xr.DataArray, multiplier: NDArray[Any]) -> xr.DataArray:
    """Multiply the spectrum (y, x) of a field by an odd or even function of the wavenumbers, which broadcasts."""

    def on_grid(values: Array) -> Array:
        return np.asarray(np.fft.ifft2(np.fft.fft2(values) * multiplier).real, dtype=values.dtype)

    core = [["y", "x"]]
    found: xr.DataArray = xr.apply_ufunc(
        on_grid, field, input_core_dims=core, output_core_dims=core, dask="parallelized", output_dtypes=[field.dtype]
    )
    return found.transpose(*field.dims)


def _wavenumbers(axis: xr.DataArray) -> Array:
    """Return the wavenumbers [rad/m] of an axis in km, zero at the Nyquist wavenumber, whose slope is not known."""
    steps = np.diff(axis.values.astype(np.float64))
    if axis.size < 2 or not np.allclose(steps, steps[0], rtol=1e-6, atol=0.0) or not steps[0] > 0.0:
        raise ValueError(
            f"{axis.name} must increase by equal steps over a whole period: give the whole square of the simulation."
        )
    wavenumbers = 2e-3 * np.pi * np.fft.fftfreq(axis.size, steps[0])
    if axis.size % 2 == 0:
        wavenumbers[axis.size // 2] = 0.0
    return np.asarray(wavenumbers)


def _labelled(array: xr.DataArray, field: xr.DataArray, name: str) -> xr.DataArray:
    words = {"x": "eastward slope of ", "y": "northward slope of "}
    what, power = ("Laplacian of ", 2) if name.startswith("laplacian") else (words[name[-1]], 1)
    unit = {("m", 1): "m m-1", ("m", 2): "m-1"}.get((field.attrs.get("units", ""), power))
    long_name = what + str(field.attrs.get("long_name", field.name))
    return array.assign_attrs(long_name=long_name, units=unit or f"{field.attrs.get('units', '1')} m-{power}")
