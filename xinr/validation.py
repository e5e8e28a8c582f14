"""Choose settings by cross-validation over whole missions or passes of the training data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from tqdm.auto import tqdm

from xinr.fitted import fit_observations
from xinr.methods import Method, check_settings
from xinr.observations import Observations

Folds = Literal["mission", "pass"]
#: Passes are dealt into this many folds.
PASS_FOLDS = 5
#: First move of each setting in the search: a factor of 1.5 up.
FIRST_MOVE = float(np.log(1.5))


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
    settings: Sequence[str],
    *,
    evaluations: int = 40,
    folds: Folds = "mission",
    seed: int = 0,
) -> Tuned:
    """Search the settings of a method that predict withheld missions (or passes) best.

    Nelder-Mead simplex in the logarithm of the settings, from those of ``method``.

    Parameters
    ----------
    observations : Observations
        The training data; nothing else is looked at.
    method : Method
        Where the search starts; what is not searched stays as it is.
    settings : sequence of str
        Names of positive numbers among its settings.
    evaluations : int
        Cross-validations to spend.
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
    """
    from scipy.optimize import minimize

    if isinstance(settings, str) or not settings or evaluations < 1:
        raise ValueError(
            f"expected a list of settings to search and at least one evaluation, got {settings!r} and {evaluations}."
        )
    check_settings(type(method), dict.fromkeys(settings))
    start = [getattr(method, name) for name in settings]
    for name, value in zip(settings, start, strict=True):
        if not (isinstance(value, float) and value > 0):
            raise ValueError(f"{name} must be a float above zero to be searched, got {value!r}.")
        if name == "noise" and observations.noise is not None:
            raise ValueError("noise cannot be searched: these observations bring their own. Read them without noise=.")
    trials: list[tuple[float, ...]] = []
    with tqdm(total=evaluations, desc="tuning", leave=False, disable=None) as bar:

        def judge(logarithms: NDArray[np.float64]) -> float:
            values = np.exp(logarithms)
            try:
                rmse = float(cross_validate(observations, _with(method, settings, values), folds, seed).mean())
            except (ValueError, MemoryError, ArithmeticError, np.linalg.LinAlgError):
                if not trials:
                    raise
                rmse = np.inf  # a step too far: the simplex turns back
            trials.append((*values, rmse))
            bar.update()
            return rmse

        x0 = np.log(start)
        simplex = np.vstack([x0, x0 + FIRST_MOVE * np.eye(len(x0))])
        options = {"maxfev": evaluations, "initial_simplex": simplex, "xatol": 0.02, "fatol": 1e-5}
        minimize(judge, x0, method="Nelder-Mead", options=options)
    best = min(trials, key=lambda trial: trial[-1])
    table = {name: ("trial", column) for name, column in zip((*settings, "rmse"), np.array(trials).T, strict=True)}
    return Tuned(_with(method, settings, np.array(best[:-1])), best[-1], xr.Dataset(table))


def _with(method: Method, settings: Sequence[str], values: NDArray[np.float64]) -> Method:
    chosen: dict[str, Any] = dict(zip(settings, map(float, values), strict=True))
    return replace(method, **chosen)


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
