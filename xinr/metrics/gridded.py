"""Scores of the SSH mapping data challenge 2020a: maps against gridded truth (an OSSE)."""

import warnings
from typing import Literal

import numpy as np
import xarray as xr

from xinr.geo.cf import attributes
from xinr.geo.coordinates import locate
from xinr.metrics.spectra import first_crossing

DIMS: tuple[Literal["time", "latitude", "longitude"], ...] = ("time", "latitude", "longitude")
MIN_POINTS = 8  # along each dimension: xrft's isotropic spectrum has a bin for every 4
TOLERANCE = 1e-3  # of a grid step, the same as xrft's
EPOCH = np.datetime64("1950-01-01")
AT_HALF = "where the PSD score is 0.5, NaN where it is not crossed"


def score_maps(
    prediction: xr.Dataset | xr.DataArray,
    truth: xr.Dataset | xr.DataArray,
    *,
    variable: str | None = None,
) -> xr.Dataset:
    """Score maps against gridded truth.

    Parameters
    ----------
    prediction, truth : Dataset or DataArray
        Sea surface height [m] on the same uniform grid (time, latitude, longitude), in any order of the
        dimensions, without NaN.
    variable : str, optional
        Name of the height in the Datasets; by default `ssh`, or the only variable.

    Returns
    -------
    Dataset
        `mu`, `sigma` [1]: mean and standard deviation over time of `rmse_score` (time); `mu_all` [1]: the
        score over all space and time at once, as in the challenge's table; `rmse` [m];
        `lambda_x` [degree], `lambda_t` [day]: shortest ones on the 0.5 contour of `psd_score`
        (freq_time, freq_longitude); `lambda_r` [degree]: crossing of the isotropic score `psd_score_r`
        (freq_r). NaN where a score does not cross 0.5.

    Raises
    ------
    TypeError
        Not a Dataset or DataArray.
    ValueError
        NaN, other dimensions, a grid that is not uniform, or two different grids.

    Notes
    -----
    ``rmse_score = 1 - rms(map - truth) / rms(truth)`` at each time step. ``psd_score = 1 - PSD(map - truth) /
    PSD(truth)`` from xrft power spectra over (time, longitude), mean over latitude, constant detrend, Hann
    window. Of several 0.5 contour lines the longest is read (the challenge takes the first, whichever
    that is); their number is the attribute `n_contour_lines`. The isotropic spectrum is over
    (latitude, longitude) in degrees, mean over time; its score is read where it first falls through 0.5.

    References
    ----------
    https://github.com/ocean-data-challenges/2020a_SSH_mapping_NATL60

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> axes = {"time": np.datetime64("2013-01-01") + np.arange(8), "latitude": np.arange(8.0)}
    >>> ssh = np.random.default_rng(0).normal(size=(8, 8, 8))
    >>> truth = xr.DataArray(ssh, {**axes, "longitude": np.arange(8.0)}, ("time", "latitude", "longitude"))
    >>> round(float(score_maps(0.9 * truth, truth).mu), 6)
    0.9
    """
    map_, ref = _maps(prediction, variable, "prediction"), _maps(truth, variable, "truth")
    _check_same_grid(map_, ref)
    error = map_ - ref
    space = ["latitude", "longitude"]
    rmse_score = 1.0 - _rms(error, space) / _rms(ref, space)
    psd_score, psd_score_r = _psd_score(error, ref), _isotropic_score(error, ref)
    lambda_x, lambda_t, n_lines = _contour_minima(psd_score)
    lambda_r = first_crossing(psd_score_r.values[None], 1.0 / psd_score_r["freq_r"].values)[0]
    when = rmse_score.assign_coords(time=np.sort(locate(truth, "time").values))
    return xr.Dataset(
        {
            "mu": named(rmse_score.mean(), "1", "RMSE score, mean over time steps"),
            "sigma": named(rmse_score.std(ddof=0), "1", "RMSE score, standard deviation over time steps"),
            "mu_all": named(1.0 - _rms(error) / _rms(ref), "1", "RMSE score over all space and time"),
            "rmse": named(_rms(error), "m", "root mean square error"),
            "lambda_x": named(lambda_x, "degree", f"shortest zonal wavelength {AT_HALF}"),
            "lambda_t": named(lambda_t, "day", f"shortest period {AT_HALF}"),
            "lambda_r": named(lambda_r, "degree", f"shortest isotropic wavelength {AT_HALF}"),
            "rmse_score": named(when, "1", "RMSE score of each time step"),
            "psd_score": named(psd_score, "1", "PSD score by frequency and zonal wavenumber"),
            "psd_score_r": named(psd_score_r, "1", "isotropic PSD score"),
        },
        attrs={"protocol": "dc2020a", "n_contour_lines": n_lines},
    )


def named(value: xr.DataArray | float, units: str, long_name: str) -> xr.DataArray:
    """Return a score with these attributes alone."""
    return xr.DataArray(value).drop_attrs(deep=False).assign_attrs(attributes(units, long_name))


def _rms(values: xr.DataArray, dim: list[str] | None = None) -> xr.DataArray:
    mean_square = (values**2).mean(dim)
    return mean_square**0.5


def _maps(data: xr.Dataset | xr.DataArray, variable: str | None, role: str) -> xr.DataArray:
    """Return maps (time, latitude, longitude) in float64 with plain ascending axes: days, degrees."""
    height = _variable(data, variable, role)
    names = {str(locate(data, dim).name): dim for dim in DIMS}
    if set(height.dims) != set(names):
        raise ValueError(
            f"{role} must have the dimensions (time, latitude, longitude) and no other, got {height.dims} "
            f"with coordinates {list(names)}. Select one index along the others: da.isel(...)."
        )
    if height.isnull().any():
        raise ValueError(
            f"{role} has {int(height.isnull().sum())} NaN, and a spectrum needs every point. Select a box "
            "without land, ds.sel(longitude=slice(...)), or fill both sides alike, ds.fillna(0)."
        )
    plain = xr.DataArray(height.transpose(*names).values.astype(np.float64), dims=DIMS)
    plain = plain.assign_coords({dim: _axis(locate(data, dim), dim, role) for dim in DIMS})
    return plain.sortby(list(DIMS))  # xrft's Hann window is not symmetric


def _variable(data: xr.Dataset | xr.DataArray, variable: str | None, role: str) -> xr.DataArray:
    if isinstance(data, xr.DataArray):
        return data
    if not isinstance(data, xr.Dataset):
        raise TypeError(f"{role} must be an xarray Dataset or DataArray, got {type(data).__name__}.")
    names = [str(name) for name in data.data_vars]
    name = variable or ("ssh" if "ssh" in names or len(names) != 1 else names[0])
    if name not in names:
        raise ValueError(f"{role} has no variable {name!r}, only {names}. Name one of them: variable=...")
    return data[name]


def _axis(coordinate: xr.DataArray, dim: str, role: str) -> xr.DataArray:
    """Return a uniform axis in float64: degrees, or days since 1950."""
    values = coordinate.values
    if dim == "time":
        values = (values - EPOCH) / np.timedelta64(1, "D")
    if values.size < MIN_POINTS:
        raise ValueError(f"{role} needs at least {MIN_POINTS} points along {dim}, got {values.size}.")
    steps = np.diff(values.astype(np.float64))
    if steps[0] == 0 or not np.allclose(steps, steps[0], rtol=TOLERANCE, atol=0):
        raise ValueError(
            f"{role} must be uniform along {dim}, got steps from {steps.min():.6g} to {steps.max():.6g}. "
            "Interpolate to a uniform axis, and make longitudes continuous over 0 or 180 degrees."
        )
    return xr.DataArray(values.astype(np.float64), dims=dim)


def _check_same_grid(prediction: xr.DataArray, truth: xr.DataArray) -> None:
    for dim in DIMS:
        got, expected = prediction[dim].values, truth[dim].values
        step = abs(expected[1] - expected[0])
        if got.size != expected.size or not np.allclose(got, expected, rtol=0, atol=TOLERANCE * step):
            raise ValueError(
                f"prediction and truth are on different grids: {dim} has {got.size} points, {got[0]:g} to "
                f"{got[-1]:g}, against {expected.size}, {expected[0]:g} to {expected[-1]:g} (time in days "
                "since 1950). Map onto the truth's grid: field.interp(truth)."
            )


def _power(values: xr.DataArray, dims: list[str]) -> xr.DataArray:
    """Return the power spectral density over two dimensions (Hann window, mean removed)."""
    import xrft  # slow to import

    with warnings.catch_warnings():  # xrft 1.0 calls a method that xarray has renamed
        warnings.filterwarnings("ignore", "dropping variables using `drop`", FutureWarning)
        power: xr.DataArray = xrft.power_spectrum(values, dim=dims, detrend="constant", window="hann")
    return power


def _psd_score(error: xr.DataArray, truth: xr.DataArray) -> xr.DataArray:
    """Return the score (freq_time, freq_longitude) at positive frequencies."""
    dims = ["time", "longitude"]
    power = [_power(values, dims).mean("latitude") for values in (error, truth)]
    ratio = _ratio(power[0], power[1]).transpose("freq_time", "freq_longitude")
    positive = ratio.isel(freq_time=ratio["freq_time"].values > 0, freq_longitude=ratio["freq_longitude"].values > 0)
    positive["freq_time"].attrs["units"] = "day-1"
    positive["freq_longitude"].attrs["units"] = "degree-1"
    return positive


def _isotropic_score(error: xr.DataArray, truth: xr.DataArray) -> xr.DataArray:
    """Return the score (freq_r,) of the azimuthal averages, up to the Nyquist wavenumber."""
    import xrft

    dims = ["latitude", "longitude"]
    power = [_power(values, dims).mean("time") for values in (error, truth)]
    # The azimuthal average is linear, so it may follow the mean over time.
    power = [xrft.isotropize(psd, [f"freq_{dim}" for dim in dims], truncate=True) for psd in power]
    ratio = _ratio(power[0], power[1])
    ratio["freq_r"].attrs["units"] = "degree-1"
    return ratio


def _ratio(error: xr.DataArray, truth: xr.DataArray) -> xr.DataArray:
    return 1.0 - error / truth.where(truth > 0)


def _contour_minima(psd_score: xr.DataArray) -> tuple[float, float, int]:
    """Return the shortest wavelength and period on the 0.5 contour, and the number of its lines."""
    import contourpy

    generator = contourpy.contour_generator(
        1.0 / psd_score["freq_longitude"].values,
        1.0 / psd_score["freq_time"].values,
        np.ma.masked_invalid(psd_score.values),
        line_type=contourpy.LineType.Separate,
    )
    lines = [np.asarray(line) for line in generator.lines(0.5)]  # each (vertices, 2)
    if not lines:
        return np.nan, np.nan, 0
    lambda_x, lambda_t = max(lines, key=len).min(axis=0)
    return float(lambda_x), float(lambda_t), len(lines)
