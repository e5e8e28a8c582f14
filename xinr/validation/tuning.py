"""Choose settings by cross-validation over whole missions or passes of the training data."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xinr._typing import Array
from xinr.methods.method import Method, ScalableMethod, get_setting, with_settings
from xinr.methods.search import Search, SearchableMethod, from_variable, lower_bound, to_variable
from xinr.metrics.calibration import gaussian_crps
from xinr.observations.observations import Observations
from xinr.validation.cross_validation import Folds, cross_validate, expected_misfits, sampled_folds
from xinr.validation.sampling import sampled

#: First move of each setting in the search: a factor of 1.5 up.
FIRST_MOVE = float(np.log(1.5))
#: Furthest that a descent may go from the start, a factor of 10 (or 11.5 km/day of a drift), and the relative gain at
#: which it ends.
FARTHEST, FLAT = float(np.log(10.0)), 1e-6


@dataclass(frozen=True)
class Tuned:
    """The best settings found, their cross-validated rmse [m], and every trial of the search."""

    method: Method
    rmse: float
    trials: xr.Dataset


def tune(
    observations: Observations,
    method: Method,
    settings: Sequence[str] | None = None,
    *,
    evaluations: int = 40,
    folds: Folds = "mission",
    seed: int = 0,
) -> Tuned:
    """Search the settings of a method that predict withheld missions (or passes) best.

    Parameters
    ----------
    observations : Observations
        The training data; nothing else is looked at.
    method : Method
        Where the search starts; what is not searched stays as it is.
    settings : sequence of str, optional
        Names of numbers among its settings and those of its covariance, above zero except for drifts; by default the
        method's ``searched``.
    evaluations : int
        Cross-validations to spend, at most.
    folds, seed
        See `cross_validate`.

    Returns
    -------
    Tuned
        With ``trials``, one row for each evaluation.

    Raises
    ------
    ValueError
        A setting is not a number above zero: start it above zero to search it.

    Notes
    -----
    In the logarithm of the settings, from those of ``method``, and in drifts themselves, which may change sign:
    L-BFGS-B for a method that knows the gradient of its misfit (kriging), Nelder-Mead for others. What L-BFGS-B finds
    is one ``noise``; each mission is then given its own, by the largest likelihood, and keeps it where withheld
    missions are predicted better so. The misfit knows the ratios of the deviations alone: in the end all of them
    (kriging's, OI's) are scaled by the factor at which what is expected of the withheld misfits has the least
    continuous ranked probability score.

    References
    ----------
    Gneiting & Raftery (2007), doi:10.1198/016214506000001437 (estimation by the least CRPS)
    """
    names = list(method.searched if settings is None else settings)
    if isinstance(settings, str) or not names or evaluations < 1:
        raise ValueError(
            f"expected a list of settings to search and at least one evaluation, got {settings!r} and {evaluations}."
        )
    _check_searchable(observations, method, names)
    method = method.resolved(*sampled(observations.coarsen(method.coarsen), method))
    with tqdm(total=evaluations, desc="tuning", leave=False, disable=None) as bar:
        log = _Log(method, names, bar)
        if isinstance(method, SearchableMethod):
            return _descend(log, observations, folds, seed, evaluations)
        return _wander(log, observations, folds, seed, evaluations)


@dataclass
class _Log:
    """The trials of a search, and how its variables z become settings: see `to_variable`."""

    method: Method
    names: list[str]
    bar: Any
    trials: list[tuple[float, ...]] = field(default_factory=list)

    @property
    def start(self) -> Array:
        return np.array([to_variable(self.method, name) for name in self.names])

    def settings(self, z: Array) -> dict[str, float]:
        return {name: from_variable(self.method, name, at) for name, at in zip(self.names, z, strict=True)}

    def at(self, z: Array) -> Method:
        """Return the method with the settings of z."""
        return with_settings(self.method, self.settings(z))

    def add(self, z: Array, rmse: float) -> None:
        self.trials.append((*self.settings(z).values(), rmse))
        self.bar.update()

    def best(self) -> Tuned:
        best = min(self.trials, key=lambda trial: trial[-1])
        columns = zip((*self.names, "rmse"), np.array(self.trials).T, strict=True)
        table = xr.Dataset({name: ("trial", column) for name, column in columns})
        method = with_settings(self.method, dict(zip(self.names, best[:-1], strict=True)))
        return Tuned(method, best[-1], table)


def _descend(log: _Log, observations: Observations, folds: Folds, seed: int, evaluations: int) -> Tuned:
    """Follow the gradient of the misfit."""
    from scipy.optimize import minimize

    search = _search(log.method, log.names, observations, folds, seed)

    def judge(z: Array) -> tuple[float, Array]:
        if len(log.trials) == evaluations:
            raise StopIteration
        misfit, gradient = search.misfit(log.at(z))
        log.add(z, float(np.sqrt(misfit)))
        log_misfit = np.array([gradient[name] for name in log.names]) / misfit
        return float(np.log(misfit)), log_misfit

    z0 = log.start
    bounds = [tuple(_farthest(log, index, sign) for sign in (-1.0, 1.0)) for index in range(len(z0))]
    with suppress(StopIteration):  # L-BFGS-B looks at its budget between line searches only
        minimize(judge, z0, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": FLAT})
    found = log.best()
    if "noise" in log.names and len(observations.missions) > 1:
        by_mission = _with_noise_by_mission(found, observations)
        its_search = _search(by_mission, [], observations, folds, seed)
        rmse = float(np.sqrt(its_search.misfit(by_mission)[0]))
        if rmse < found.rmse:
            found, search = replace(found, method=by_mission, rmse=rmse), its_search
    return _scaled(found, observations, search.expected(found.method))


def _search(method: Method, names: Sequence[str], observations: Observations, folds: Folds, seed: int) -> Search:
    searchable = cast(SearchableMethod, method)
    return searchable.search(sampled_folds(observations, method, folds, seed), names)


def _with_noise_by_mission(found: Tuned, observations: Observations) -> Method:
    """Return the method with a noise for each mission, about that found for all."""
    method, averaged = cast(SearchableMethod, found.method), observations.coarsen(found.method.coarsen)
    present, group = np.unique(averaged.mission_index, return_inverse=True)
    relative = method.relative_noise(*sampled(averaged, method), group)
    levels = (relative * method.rms_noise).tolist()
    return replace(method, noise={observations.missions[k]: level for k, level in zip(present, levels, strict=True)})


def _scaled(found: Tuned, observations: Observations, expected: tuple[Array, Array] | None) -> Tuned:
    """Scale all deviations so that those expected of withheld misfits have the least CRPS.

    Observations that bring their own noise tell the scale themselves.
    """
    from scipy.optimize import minimize_scalar

    if expected is None or not isinstance(found.method, ScalableMethod) or observations.noise is not None:
        return found
    misfit, deviation = expected

    def crps(log_factor: float) -> float:
        return float(gaussian_crps(misfit, np.exp(log_factor) * deviation).mean())

    factor = np.exp(minimize_scalar(crps).x)
    return replace(found, method=found.method.scaled(float(factor)))


def _farthest(log: _Log, index: int, sign: float) -> float:
    """Return how far one variable may go: to a tenth or ten times its setting, or as far as the method takes it."""
    z = log.start
    for share in np.linspace(1.0, 0.0, 11):
        z[index] = log.start[index] + sign * share * FARTHEST
        with suppress(ValueError):
            log.at(z)
            break
    return float(z[index])


def _wander(log: _Log, observations: Observations, folds: Folds, seed: int, evaluations: int) -> Tuned:
    """Move a simplex downhill."""
    from scipy.optimize import minimize

    def judge(z: Array) -> float:
        try:
            rmse = float(cross_validate(observations, log.at(z), folds, seed).mean())
        except (ValueError, MemoryError, ArithmeticError, np.linalg.LinAlgError):
            if not log.trials:
                raise
            rmse = np.inf  # a step too far: the simplex turns back
        log.add(z, rmse)
        return rmse

    z0 = log.start
    simplex = np.vstack([z0, z0 + FIRST_MOVE * np.eye(len(z0))])
    options = {"maxfev": evaluations, "initial_simplex": simplex, "xatol": 0.02, "fatol": 1e-5}
    minimize(judge, z0, method="Nelder-Mead", options=options)
    found = log.best()
    return _scaled(found, observations, expected_misfits(observations, found.method, folds, seed))


def _check_searchable(observations: Observations, method: Method, names: list[str]) -> None:
    for name in names:
        value, bound = get_setting(method, name), lower_bound(method, name)
        if not (isinstance(value, float) and value > bound):
            above = "zero" if bound == 0.0 else f"{bound:g}"
            raise ValueError(f"{name} must be a float above {above} to be searched, got {value!r}.")
        if name == "noise" and observations.noise is not None:
            raise ValueError("noise cannot be searched: these observations bring their own. Read them without noise=.")
