"""Learn the covariances of signal and errors: the misfit at withheld observations, and its gradient by the adjoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import NamedTuple, override

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xinr._typing import Array
from xinr.methods.kriging.conditioning import Conditioning
from xinr.methods.kriging.lattice import Lattice
from xinr.methods.kriging.lattice_method import LatticeMethod
from xinr.methods.method import with_settings
from xinr.methods.observation_error import DEVIATIONS, ObservationError
from xinr.methods.search import Fold, Search, from_variable, to_variable

#: Iterations of a solve, and of the adjoint's, which converges sooner. A fixed number leaves the misfit a smooth
#: function of the settings; with 80 its derivatives are off by as much as themselves, with 120 by a tenth.
ITERATIONS, ADJOINT_ITERATIONS = 120, 60
#: Samples from which expected misfits are estimated, and half-step of differences of the spectrum, in the variable.
SAMPLES, STEP = 4, 1e-3
#: Rounds in which the noise of missions is found.
ROUNDS = 3


class KrigingSearch(Search):
    """Cross-validated misfit of kriging as a function of its settings.

    Parameters
    ----------
    method : Kriging
        Where the search starts; its mean is estimated once for each fold, without the withheld observations.
    folds : sequence of Fold
        Observations to krige from, and those withheld.
    settings : sequence of str
        What to differentiate by.

    Notes
    -----
    With ``e = f - y`` at the n withheld observations, ``f = G_v α``, ``A α = (G + R) α = y_t``, the misfit |e|²/n
    changes by ``(2/n) [(W_vᵀ e - Wᵀ β)ᵀ dK Wᵀ α - βᵀ dR α]`` where ``A β = W K W_vᵀ e``. K is diagonal in Fourier
    space, so that the derivatives by all of its settings come from one spectrum of sensitivities: a gradient costs as
    much as two misfits, however many settings there are.
    """

    def __init__(self, method: LatticeMethod, folds: Sequence[Fold], settings: Sequence[str]) -> None:
        self.settings = list(settings)
        everywhere = np.concatenate([folds[0].x, folds[0].withheld_x])
        self.lattice = method.lattice(everywhere)
        self.folds = [_KrigingFold(method, fold, self.lattice) for fold in folds]

    @override
    def misfit(self, method: LatticeMethod) -> tuple[float, dict[str, float]]:  # type: ignore[override]
        power = self.lattice.power(method.signal)
        found = _one_after_the_other(lambda fold: fold.forward(power, method), self.folds)
        of_power = self.lattice.multiplicity * np.mean([each.to_power for each in found], axis=0)
        errors = dict.fromkeys(name for each in found for name in each.to_errors)  # a fold may lack a swath
        gradient = {name: float(np.mean([each.to_errors.get(name, 0.0) for each in found])) for name in errors}
        of_covariance = [name for name in self.settings if name not in gradient]
        along = _side_by_side(lambda name: self._along(name, method, of_power), of_covariance)
        gradient |= dict(zip(of_covariance, along, strict=True))
        return float(np.mean([each.misfit for each in found])), {name: gradient[name] for name in self.settings}

    @override
    def expected(self, method: LatticeMethod) -> tuple[Array, Array]:  # type: ignore[override]
        power = self.lattice.power(method.signal)
        found = _side_by_side(lambda fold: fold.expected(power, method), self.folds)
        misfits, deviations = zip(*found, strict=True)
        return np.concatenate(misfits), np.concatenate(deviations)

    def _along(self, name: str, method: LatticeMethod, of_power: Array) -> float:
        """Return the derivative by the variable of a setting of the covariance."""
        z = to_variable(method, name)
        ends = [
            self.lattice.power(with_settings(method, {name: from_variable(method, name, z + step)}).signal)
            for step in (-STEP, STEP)
        ]
        return float((of_power * (ends[1] - ends[0])).sum() / (2.0 * STEP))


class Sensitivities(NamedTuple):
    """The mean square misfit of a fold, and its derivatives by the power and by the logarithms of the errors."""

    misfit: float
    to_power: Array
    to_errors: dict[str, float]


class _KrigingFold:
    """One fold: the linear problem of its observations, and the withheld ones."""

    def __init__(self, method: LatticeMethod, fold: Fold, lattice: Lattice) -> None:
        self.fold, self.noise = fold, method.rms_noise
        mean = method.mean_of(fold.x, fold.y, fold.error)
        self.problem = method.conditioning(lattice, fold.x, fold.error)
        self.withheld = self.problem.elsewhere(fold.withheld_x).with_errors(fold.withheld_error)
        self.y = self.problem.move(method.residual(mean, fold.x, fold.y)[:, None])
        self.withheld_y = self.problem.move(method.residual(mean, fold.withheld_x, fold.withheld_y)[:, None])

    def forward(self, power: Array, method: LatticeMethod) -> Callable[[], Sensitivities]:
        """Predict the withheld observations; return what finds the misfit's derivatives."""
        problem, withheld = self._problems(power, method)
        weights = problem.solve(self.y, 0.0, ITERATIONS).weights
        (signal,) = problem.coefficients(weights)
        return partial(self._backward, problem, withheld, weights, withheld.observe(signal[None]) - self.withheld_y)

    @staticmethod
    def _backward(problem: Conditioning, withheld: Conditioning, weights: Tensor, misfit: Tensor) -> Sensitivities:
        (answer,) = withheld.coefficients(misfit)
        adjoint = problem.solve(problem.observe(answer[None]), 0.0, ADJOINT_ITERATIONS).weights
        left = withheld.transform(misfit[:, 0]) - problem.transform(adjoint[:, 0])
        per_point = 2.0 / len(misfit)
        sensitivity = (left.conj() * problem.transform(weights[:, 0])).real * (per_point / problem.lattice.size)
        errors = {name: -per_point * part for name, part in problem.errors.products(adjoint, weights).items()}
        return Sensitivities(float((misfit**2).mean()), sensitivity.cpu().numpy(), errors)

    def expected(self, power: Array, method: LatticeMethod) -> tuple[Array, Array]:
        """Return the misfits, and their standard deviations as kriging expects them, from a few samples."""
        problem, withheld = self._problems(power, method)
        prior, y = _prior_observations(problem, method.seed)
        signals = problem.coefficients(problem.solve(torch.cat([self.y, y], dim=1), 0.0, ITERATIONS).weights)
        misfit = withheld.observe([next(signals)])[:, 0] - self.withheld_y[:, 0]
        error = prior - torch.stack(list(signals))
        variance = withheld.observe(error).square().mean(dim=1) + withheld.errors.variance
        return misfit.cpu().numpy(), variance.sqrt().cpu().numpy()

    def _problems(self, power: Array, method: LatticeMethod) -> tuple[Conditioning, Conditioning]:
        ratio = method.rms_noise / self.noise
        return (
            self.problem.under(power, _with(self.fold.error, ratio, method)),
            self.withheld.under(power, _with(self.fold.withheld_error, ratio, method)),
        )


def relative_noise(
    problem: Conditioning, y: Tensor, error: ObservationError, group: NDArray[np.int64], seed: int
) -> Array:
    """Return how large the noise of each group is relative to that of all, of observations y (n, 1) about their mean.

    Parameters
    ----------
    problem : Conditioning
        Of the n observations, with errors as they are taken to be.
    y : Tensor (n, 1)
        The observations.
    error : ObservationError
        Those errors.
    group : ndarray of int (n,)
        Of each observation, from 0.
    seed : int
        Of random observations.

    Returns
    -------
    ndarray (groups,)
        Factors, of mean square 1 over the observations.

    Notes
    -----
    Where the likelihood is largest, the weights ``α = A⁻¹ y`` of each group have the squares that they are expected to
    have, ``Σ (A⁻¹)_ii``: those of random observations with covariance A, which several rounds bring together. The
    ratios alone are taken, since their common factor answers for whatever else is wrong with A.
    """
    count = np.bincount(group)
    factors = np.ones(len(count))
    for _ in range(ROUNDS):
        now = problem.with_errors(replace(error, noise=factors[group] * error.noise))
        weights = (
            now.solve(torch.cat([y, _prior_observations(now, seed)[1]], dim=1), 0.0, ITERATIONS)
            .weights.square()
            .cpu()
            .numpy()
        )
        squares = np.stack([np.bincount(group, column) for column in weights.T])
        factors *= np.sqrt(squares[0] / squares[1:].mean(axis=0))
        factors /= np.sqrt(np.average(factors**2, weights=count))
    return factors


def _prior_observations(problem: Conditioning, seed: int) -> tuple[Tensor, Tensor]:
    """Return signals from their prior, and what would be observed of each, (n, samples)."""
    generator = torch.Generator().manual_seed(seed)
    prior = problem.sample_prior(SAMPLES, generator)
    return prior, problem.observe(prior) + problem.errors.sample(SAMPLES, generator)


def _with(error: ObservationError, ratio: float, method: LatticeMethod) -> ObservationError:
    return replace(error, noise=ratio * error.noise, **{name: getattr(method, name) for name in DEVIATIONS})


def _side_by_side[A, B](function: Callable[[A], B], each: Sequence[A]) -> list[B]:
    """Apply a function to each, a thread for each: the steps of one are too small to be shared by threads."""
    with _threads() as pool:
        return list(pool.map(function, each))


def _one_after_the_other[A, B](function: Callable[[A], Callable[[], B]], each: Sequence[A]) -> list[B]:
    """Apply a function to each, and call what it returns, for which free threads do not wait until all are there."""
    with _threads() as pool:
        first = {pool.submit(function, one): number for number, one in enumerate(each)}
        second = {first[done]: pool.submit(done.result()) for done in as_completed(first)}
        return [second[number].result() for number in range(len(each))]


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """As many threads as torch has, each of which uses one core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)
