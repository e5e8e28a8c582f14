"""Calibration: whether the misfits are as large as the formal error of a field says."""

from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from xinr._typing import Array
from xinr.geo.cf import attributes
from xinr.methods.observation_error import ObservationError
from xinr.observations import Observations

#: Chance of each interval, and the bounds of the bootstrap.
LEVELS, QUANTILES = (0.68, 0.95), (0.025, 0.975)
DESCRIPTIONS = {
    "coverage": ("1", "share of observations within the central interval of that chance"),
    "crps": ("m", "continuous ranked probability score, mean over the observations"),
    "rmse": ("m", "root mean square misfit"),
    "spread": ("m", "root mean square of the expected misfit"),
}


class MapWithError(Protocol):
    """What can be evaluated with its formal error, such as a `xinr.Field`."""

    @property
    def name(self) -> str:
        """Name of the height."""

    def interp(self, target: Any, *, error: bool) -> xr.Dataset:
        """Evaluate the height, and its formal error ``err_<name>``."""


def calibration(
    field: MapWithError,
    withheld: Observations,
    error: ObservationError,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> xr.Dataset:
    """Compare the misfits at withheld observations with those expected from the formal error of a field.

    Parameters
    ----------
    field : Field
        Of a method with a formal error, such as "kriging" or "oi".
    withheld : Observations
        n observations of the quantity that was fitted, averaged in the same way, of missions withheld from the fit.
    error : ObservationError
        Errors of the withheld observations themselves: `xinr.validation.sampling.observation_error`.
    resamples, seed : int
        Bootstrap resamples of whole passes for the intervals, and their random seed.

    Returns
    -------
    Dataset
        ``coverage`` [1] along ``level`` (0.68, 0.95), ``crps``, ``rmse`` and ``spread`` [m], each with ``_interval``
        (dimension ``quantile``: 0.025, 0.975); ``n``. A calibrated field has a coverage equal to the level and a
        spread equal to the rmse; of two calibrated fields the one with the lower crps is better.

    Raises
    ------
    ValueError
        The observations are of another quantity than the field, the errors are not of these observations, or the
        method has no formal error.

    Notes
    -----
    The misfit at a point is expected to be Gaussian, of variance ``err² + noise² + pass_bias² + pass_slope² d²``, with
    err the formal error of the field and d the distance from the middle of the pass. Misfits of one pass are
    correlated, which is why whole passes are resampled.

    References
    ----------
    Gneiting & Raftery (2007), doi:10.1198/016214506000001437

    Examples
    --------
    >>> from xinr.fields.fitting import fit_observations
    >>> from xinr.validation.sampling import observation_error
    >>> from xinr.methods.covariances import Gaussian
    >>> from xinr.methods.oi import OI
    >>> from xinr.observations.observations import Observations
    >>> from xinr.simulate import eddies, tracks
    >>> days = ("2021-01-01", "2021-01-10")
    >>> mapped, withheld = (tracks(eddies(), names, period=days) for names in (["alg", "j3", "s3a"], ["c2"]))
    >>> method = OI(covariance=Gaussian(1.3, 9.0, sigma=0.12), noise=0.045, analysis_step=2.0)
    >>> withheld = Observations.from_tracks(withheld).coarsen(method.coarsen)
    >>> field = fit_observations(Observations.from_tracks(mapped), method)
    >>> table = calibration(field, withheld, observation_error(withheld, method))
    >>> table.coverage.round(1).values  # below 0.68 and 0.95: the errors of a Gaussian covariance are too small
    array([0.5, 0.8])
    """
    _check(field, withheld, error)
    at = xr.Dataset(coords={axis: ("point", getattr(withheld, axis)) for axis in ("time", "longitude", "latitude")})
    found = field.interp(at, error=True)
    misfit = withheld.value - found[field.name].values
    variance = found[f"err_{field.name}"].values ** 2 + error.variance
    sums = _sums(misfit, variance, withheld.pass_index)
    counts = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1.0 / len(sums)), size=resamples)
    samples = _statistics(counts @ sums)
    out = xr.Dataset({"n": xr.DataArray(len(misfit), attrs=attributes("1", "number of observations"))})
    for name, estimate in _statistics(sums.sum(axis=0)[None]).items():
        units, text = DESCRIPTIONS[name]
        dims = ("level",) if name == "coverage" else ()
        bounds = (
            np.quantile(samples[name], QUANTILES, axis=0) if resamples else np.full((2, *estimate[0].shape), np.nan)
        )
        out[name] = xr.DataArray(estimate[0], dims=dims, attrs=attributes(units, text))
        attrs = attributes(units, f"95 % bootstrap interval: {text}")
        out[f"{name}_interval"] = (("quantile", *dims), bounds, attrs)
    return out.assign_coords(level=list(LEVELS), quantile=list(QUANTILES))


def gaussian_crps(misfit: Array, deviation: Array) -> Array:
    """Return the continuous ranked probability score of a Gaussian forecast at each point [unit of the misfit].

    ``σ [z (2Φ(z) - 1) + 2φ(z) - 1/√π]`` with ``z = misfit / σ``: the absolute misfit as σ goes to 0, and at least
    0.234 σ, for no misfit.

    References
    ----------
    Gneiting & Raftery (2007), doi:10.1198/016214506000001437, equation 21 (with the sign of an error)

    Examples
    --------
    >>> gaussian_crps(np.array([0.0, 3.0]), np.array([1.0, 1e-9])).round(4)
    array([0.2337, 3.    ])
    """
    z = misfit / deviation
    density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    return np.asarray(deviation * (z * (2.0 * ndtr(z) - 1.0) + 2.0 * density - 1.0 / np.sqrt(np.pi)))


def _check(field: MapWithError, withheld: Observations, error: ObservationError) -> None:
    if withheld.name != field.name:
        raise ValueError(
            f"the observations are of {withheld.name!r} and the field of {field.name!r}: take the same variable and "
            "corrections as for the fit, Observations.from_tracks(tracks, variable=..., lwe=..., mdt=...)."
        )
    if len(error.noise) != len(withheld):
        raise ValueError(
            f"there are {len(withheld)} observations and errors of {len(error.noise)}: expected those of the same "
            "points, observation_error(withheld, method)."
        )


def _sums(misfit: Array, variance: Array, pass_index: NDArray[np.int64]) -> Array:
    """Return the terms of the averages, summed over the points of each pass: (passes, 4 + levels)."""
    deviation = np.sqrt(variance)
    within = [np.abs(misfit) <= ndtri(0.5 + level / 2.0) * deviation for level in LEVELS]
    columns = np.stack([np.ones_like(misfit), gaussian_crps(misfit, deviation), misfit**2, variance, *within], axis=1)
    _, number = np.unique(pass_index, return_inverse=True)
    return np.stack([np.bincount(number, column) for column in columns.T], axis=1)


def _statistics(sums: Array) -> dict[str, Array]:
    """Return each statistic of rows of sums over points, (rows,) or (rows, levels)."""
    count, crps, squares, variances = sums[:, :4].T
    return {
        "coverage": sums[:, 4:] / count[:, None],
        "crps": crps / count,
        "rmse": np.sqrt(squares / count),
        "spread": np.sqrt(variances / count),
    }
