"""Choose settings by cross-validation over whole missions or passes of the training data."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xinr._typing import Array
from xinr.methods.method import Method, ScalableMethod
from xinr.methods.observation_error import SWATH_ERRORS
from xinr.methods.search import (
    Search,
    SearchableMethod,
    changed,
    from_variable,
    lower_bound,
    searched_setting,
    to_variable,
)
from xinr.metrics.calibration import gaussian_crps
from xinr.observations.observations import Observations
from xinr.validation.cross_validation import Folds, expected_misfits, rmse_by_fold, sampled_folds, usual_folds
from xinr.validation.sampling import Tracks, prepared, sampled

#: First move of each setting in the search: a factor of 1.5 up.
FIRST_MOVE = float(np.log(1.5))
#: Furthest that a descent may go from the start, a factor of 10 (or 11.5 km/day of a drift), and the relative gain at
#: which it ends.
FARTHEST, FLAT = float(np.log(10.0)), 1e-6


@dataclass(frozen=True)
class Tuned:
    """The best settings found, their cross-validated rmse [m], every trial of the search, and what was withheld."""

    method: Method
    rmse: float
    trials: xr.Dataset
    folds: Folds


def tune(
    tracks: Tracks,
    method: str | Method = "oi",
    search: Sequence[str] | None = None,
    *,
    evaluations: int = 40,
    folds: Folds | None = None,
    seed: int = 0,
    **options: Any,
) -> Tuned:
    """Search the settings of a method that predict withheld missions (or passes) best.

    Parameters
    ----------
    tracks : Dataset, DataArray or Observations
        The training data; nothing else is used.
    method : str or Method
        Where the search starts; what is not searched stays as it is.
    search : sequence of str, optional
        Names of numbers among its settings and those of its covariance, above zero except for drifts; by default the
        method's ``searched``, without ``noise`` where the tracks bring it and errors of swaths where there is none.
    evaluations : int
        Cross-validations to spend, at most.
    folds, seed, **options
        See `cross_validate`. A setting given is where its search starts.

    Returns
    -------
    Tuned
        With ``trials``, one row for each evaluation, and ``folds``.

    Raises
    ------
    ValueError
        A setting is not a number above zero: start it above zero to search it. Too few missions or passes.

    Notes
    -----
    In the logarithm of the settings, from those of ``method``, and in drifts themselves, which may change sign:
    L-BFGS-B for a method that knows the gradient of its misfit (kriging), Nelder-Mead for others. What L-BFGS-B finds
    is one ``noise``; each mission is then given its own, by the largest likelihood, and keeps it where withheld
    missions are predicted better so. The misfit knows the ratios of the deviations alone: in the end all of them
    (kriging's, OI's) are scaled by the factor at which what is expected of the withheld misfits, of averages as they
    are mapped, has the least continuous ranked probability score. A noise by mission keeps its ratios in the descent.

    References
    ----------
    Gneiting & Raftery (2007), doi:10.1198/016214506000001437 (estimation by the least CRPS)
    """
    observations, method = prepared(tracks, method, options)
    names = list(method.searched if search is None else search)
    if search is None:
        unknown = SWATH_ERRORS if not observations.of_swath.any() else ()
        unknown = (*unknown, "noise") if observations.noise is not None else unknown
        names = [name for name in names if name not in unknown] or names
    if isinstance(search, str) or not names or evaluations < 1:
        raise ValueError(
            f"expected a list of settings to search and at least one evaluation, got {search!r} and {evaluations}."
        )
    _check_searchable(observations, method, names)
    folds = folds or usual_folds(observations)
    method = method.resolved(*sampled(observations.coarsen(method.coarsen), method))
    with tqdm(total=evaluations, desc="tuning", leave=False, disable=None) as bar:
        log = _Log(method, names, folds, bar)
        if isinstance(method, SearchableMethod):
            return _descend(log, observations, seed, evaluations)
        return _wander(log, observations, seed, evaluations)


@dataclass
class _Log:
    """The trials of a search, and how its variables z become settings: see `to_variable`."""

    method: Method
    names: list[str]
    folds: Folds
    bar: Any
    trials: list[tuple[float, ...]] = field(default_factory=list)

    @property
    def start(self) -> Array:
        return np.array([to_variable(self.method, name) for name in self.names])

    def settings(self, z: Array) -> dict[str, float]:
        return {name: from_variable(self.method, name, at) for name, at in zip(self.names, z, strict=True)}

    def at(self, z: Array) -> Method:
        """Return the method with the settings of z."""
        return changed(self.method, self.settings(z))

    def add(self, z: Array, rmse: float) -> None:
        self.trials.append((*self.settings(z).values(), rmse))
        self.bar.update()

    def best(self) -> Tuned:
        best = min(self.trials, key=lambda trial: trial[-1])
        columns = zip((*self.names, "rmse"), np.array(self.trials).T, strict=True)
        table = xr.Dataset({name: ("trial", column) for name, column in columns})
        method = changed(self.method, dict(zip(self.names, best[:-1], strict=True)))
        return Tuned(method, best[-1], table, self.folds)


def _descend(log: _Log, observations: Observations, seed: int, evaluations: int) -> Tuned:
    """Follow the gradient of the misfit."""
    from scipy.optimize import minimize

    search = _search(log, log.method, log.names, observations, seed)

    def judge(z: Array) -> tuple[float, Array]:
        if len(log.trials) == evaluations:
            raise StopIteration
        misfit, gradient = search.misfit(log.at(z))
        log.add(z, float(np.sqrt(misfit)))
        log_misfit = np.array([gradient[name] for name in log.names]) / misfit
        return float(np.log(misfit)), log_misfit

    z0 = log.start
    bounds = [tuple(_farthest(log, index, sign) for sign in (-1.0, 1.0)) for index in range(len(z0))]
    with suppress(StopIteration):  # L-BFGS-B checks its budget between line searches only
        minimize(judge, z0, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": FLAT})
    found = log.best()
    if "noise" in log.names and len(observations.missions) > 1:
        by_mission = _with_noise_by_mission(found, observations)
        its_search = _search(log, by_mission, [], observations, seed)
        rmse = float(np.sqrt(its_search.misfit(by_mission)[0]))
        if rmse < found.rmse:
            found = replace(found, method=by_mission, rmse=rmse)
    # Misfits of averages are compared with the noise of averages: what nearby observations share is not for the noise.
    averaged = _search(log, found.method, [], observations, seed, averaged=True)
    return _scaled(found, observations, averaged.expected(found.method))


def _search(
    log: _Log, method: Method, names: Sequence[str], observations: Observations, seed: int, *, averaged: bool = False
) -> Search:
    searchable = cast(SearchableMethod, method)
    return searchable.search(sampled_folds(observations, method, log.folds, seed, averaged=averaged), names)


def _with_noise_by_mission(found: Tuned, observations: Observations) -> Method:
    """Return the method with a noise for each mission, about that found for all."""
    method, averaged = cast(SearchableMethod, found.method), observations.coarsen(found.method.coarsen)
    present, group = np.unique(averaged.mission_index, return_inverse=True)
    relative = method.relative_noise(*sampled(averaged, method), group)
    names = [observations.missions[k] for k in present]
    return replace(method, noise=dict(zip(names, (relative * method.noise_of(names)).tolist(), strict=True)))


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


def _wander(log: _Log, observations: Observations, seed: int, evaluations: int) -> Tuned:
    """Move a simplex downhill."""
    from scipy.optimize import minimize

    def judge(z: Array) -> float:
        try:
            rmse = float(rmse_by_fold(observations, log.at(z), log.folds, seed).mean())
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
    return _scaled(found, observations, expected_misfits(observations, found.method, log.folds, seed))


def _check_searchable(observations: Observations, method: Method, names: list[str]) -> None:
    for name in names:
        value, bound = searched_setting(method, name), lower_bound(method, name)
        if not (isinstance(value, float) and value > bound):
            above = "zero" if bound == 0.0 else f"{bound:g}"
            raise ValueError(f"{name} must be a float above {above} to be searched, got {value!r}.")
        if name == "noise" and observations.noise is not None:
            raise ValueError(
                "noise cannot be searched: these observations bring their own. Read them without noise=<variable>."
            )
