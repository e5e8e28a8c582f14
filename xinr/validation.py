"""Choose settings by cross-validation over whole missions or passes of the training data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xinr.fitted import fit_observations, observation_error
from xinr.frame import frame_around
from xinr.methods import Method, ObservationError
from xinr.methods.base import (
    Array,
    Fold,
    SearchableMethod,
    from_variable,
    get_setting,
    lower_bound,
    to_variable,
    with_settings,
)
from xinr.observations import Observations

Folds = Literal["mission", "pass"]
#: Passes are dealt into this many folds.
PASS_FOLDS = 5
#: First move of each setting in the search: a factor of 1.5 up.
FIRST_MOVE = float(np.log(1.5))
#: Furthest that a descent may go from the start, a factor of 10 (or 11.5 km/day of a drift), and the relative gain at
#: which it ends.
FARTHEST, FLAT = float(np.log(10.0)), 1e-6


def cross_validate(observations: Observations, method: Method, folds: Folds = "mission", seed: int = 0) -> xr.DataArray:
    """Fit without one mission (or one fifth of the passes) and predict it, in turn.

    Never split points at random along a pass: neighbours share their errors, and the score would flatter.

    Parameters
    ----------
    observations : Observations
        The training data: `Observations.from_tracks`.
    method : Method
        The settings to judge.
    folds : {"mission", "pass"}
        What is withheld in turn.
    seed : int
        Of the deal of passes into folds.

    Returns
    -------
    DataArray
        Root mean square misfit at the withheld points [m], noise included; dim ``fold``.

    Raises
    ------
    ValueError
        Fewer than two missions or passes to part, or an unknown way to part them.
    """
    rmse = {label: _rmse(train, withheld, method) for label, train, withheld in _parted(observations, folds, seed)}
    attrs = {"units": "m", "long_name": f"root mean square misfit of each withheld {folds}"}
    return xr.DataArray(list(rmse.values()), {"fold": list(rmse)}, "fold", name="rmse", attrs=attrs)


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
    L-BFGS-B for a method that knows the gradient of its misfit (kriging), whose deviations are then scaled so that the
    withheld misfits are as large as it expects; Nelder-Mead for others.
    """
    names = list(method.searched if settings is None else settings)
    if isinstance(settings, str) or not names or evaluations < 1:
        raise ValueError(
            f"expected a list of settings to search and at least one evaluation, got {settings!r} and {evaluations}."
        )
    _check_searchable(observations, method, names)
    with tqdm(total=evaluations, desc="tuning", leave=False, disable=None) as bar:
        log = _Log(method, names, bar)
        if isinstance(method, SearchableMethod):
            return _descend(log, method, _folds(observations, method, folds, seed), evaluations)
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


def _descend(log: _Log, start: SearchableMethod, folds: list[Fold], evaluations: int) -> Tuned:
    """Follow the gradient of the misfit."""
    from scipy.optimize import minimize

    search = start.search(folds, log.names)

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
    method = cast(SearchableMethod, found.method)
    return replace(found, method=method.scaled(search.scale(method)))


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
    return log.best()


def _check_searchable(observations: Observations, method: Method, names: list[str]) -> None:
    for name in names:
        value, bound = get_setting(method, name), lower_bound(method, name)
        if not (isinstance(value, float) and value > bound):
            above = "zero" if bound == 0.0 else f"{bound:g}"
            raise ValueError(f"{name} must be a float above {above} to be searched, got {value!r}.")
        if name == "noise" and observations.noise is not None:
            raise ValueError("noise cannot be searched: these observations bring their own. Read them without noise=.")


def _folds(observations: Observations, method: Method, folds: Folds, seed: int) -> list[Fold]:
    """Return the folds as a method sees them, in the frame around all of them; what is withheld is not averaged."""
    frame = frame_around(method.frame, observations.longitude, observations.latitude, observations.time)

    def sample(part: Observations) -> tuple[Array, Array, ObservationError]:
        return frame.project(part.longitude, part.latitude, part.time), part.value, observation_error(part, method)

    parted = _parted(observations, folds, seed)
    return [Fold(*sample(train.coarsen(method.coarsen)), *sample(withheld)) for _, train, withheld in parted]


def _parted(observations: Observations, folds: Folds, seed: int) -> Iterator[tuple[str, Observations, Observations]]:
    if folds == "mission":
        fold, labels = observations.mission_index, list(observations.missions)
    elif folds == "pass":
        passes, number = np.unique(observations.pass_index, return_inverse=True)
        deal = np.random.default_rng(seed).permutation(len(passes)) % PASS_FOLDS
        fold, labels = deal[number], [f"passes {k}" for k in range(PASS_FOLDS)]
    else:
        raise ValueError(f"folds must be 'mission' or 'pass', got {folds!r}.")
    present = np.unique(fold)
    if len(present) < 2:
        raise ValueError(
            f"cross-validation needs at least two folds, got {len(present)} ({folds}): "
            'give tracks of several missions, or part them by folds="pass".'
        )
    for k in present:
        yield labels[k], observations.take(fold != k), observations.take(fold == k)


def _rmse(train: Observations, withheld: Observations, method: Method) -> float:
    field = fit_observations(train, method)
    x = field.frame.project(withheld.longitude, withheld.latitude, withheld.time)
    return float(np.sqrt(np.mean((field.predictor.predict(x) - withheld.value) ** 2)))
