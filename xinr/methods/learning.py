"""Learn the covariances of signal and errors: the misfit at withheld observations, and its gradient by the adjoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from xinr.methods.base import Array, Fold, ObservationError, Search, from_variable, to_variable, with_settings
from xinr.methods.conditioning import Conditioning
from xinr.methods.lattice import Lattice

if TYPE_CHECKING:
    from xinr.methods.kriging import Kriging

#: Iterations of a solve, and of the adjoint's, which converges sooner. A fixed number leaves the misfit a smooth
#: function of the settings; with 80 its derivatives are off by as much as themselves, with 120 by a tenth.
ITERATIONS, ADJOINT_ITERATIONS = 120, 60
#: Draws from which the scale of the errors is estimated, and half-step of differences of the spectrum, in the variable.
DRAWS, STEP = 2, 1e-3


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

    def __init__(self, method: Kriging, folds: Sequence[Fold], settings: Sequence[str]) -> None:
        self.settings = list(settings)
        everywhere = np.concatenate([folds[0].x, folds[0].withheld_x])
        self.lattice = method.lattice(everywhere)
        self.folds = [_KrigingFold(method, fold, self.lattice) for fold in folds]

    def misfit(self, method: Kriging) -> tuple[float, dict[str, float]]:  # type: ignore[override]
        """See `Search.misfit`."""
        power = self.lattice.power(method.covariance)
        found = _side_by_side(lambda fold: fold.misfit(power, method), self.folds)
        of_power = self.lattice.multiplicity * np.mean([sensitivity for _, sensitivity, _ in found], axis=0)
        gradient = {name: float(np.mean([errors[name] for *_, errors in found])) for name in found[0][2]}
        of_covariance = [name for name in self.settings if name not in gradient]
        along = _side_by_side(lambda name: self._along(name, method, of_power), of_covariance)
        gradient |= dict(zip(of_covariance, along, strict=True))
        return float(np.mean([misfit for misfit, *_ in found])), {name: gradient[name] for name in self.settings}

    def scale(self, method: Kriging) -> float:  # type: ignore[override]
        """See `Search.scale`."""
        power = self.lattice.power(method.covariance)
        squares, variances = zip(*_side_by_side(lambda fold: fold.squares(power, method), self.folds), strict=True)
        return float(np.sqrt(sum(squares) / sum(variances)))

    def _along(self, name: str, method: Kriging, of_power: Array) -> float:
        """Return the derivative by the variable of a setting of the covariance."""
        z = to_variable(method, name)
        ends = [
            self.lattice.power(with_settings(method, {name: from_variable(method, name, z + step)}).covariance)
            for step in (-STEP, STEP)
        ]
        return float((of_power * (ends[1] - ends[0])).sum() / (2.0 * STEP))


class _KrigingFold:
    """One fold: the linear problem of its observations, and the withheld ones."""

    def __init__(self, method: Kriging, fold: Fold, lattice: Lattice) -> None:
        self.fold, self.noise = fold, method.noise
        mean = method.mean_of(fold.x, fold.y, fold.error)
        self.problem = method.conditioning(lattice, fold.x, fold.error)
        self.withheld = self.problem.elsewhere(fold.withheld_x, fold.withheld_error)
        self.y = self.problem.move((fold.y - mean.predict(fold.x))[:, None])
        self.withheld_y = self.problem.move((fold.withheld_y - mean.predict(fold.withheld_x))[:, None])

    def misfit(self, power: Array, method: Kriging) -> tuple[float, Array, dict[str, float]]:
        """Return the misfit, its sensitivity to the power, and its derivatives by the logarithms of the errors."""
        problem, withheld = self._problems(power, method)
        weights = problem.solve(self.y, 0.0, ITERATIONS).weights
        (signal,) = problem.coefficients(weights)
        misfit = withheld.observe(signal[None]) - self.withheld_y
        (answer,) = withheld.coefficients(misfit)
        adjoint = problem.solve(problem.observe(answer[None]), 0.0, ADJOINT_ITERATIONS).weights
        left = withheld.transform(misfit[:, 0]) - problem.transform(adjoint[:, 0])
        per_point = 2.0 / len(misfit)
        sensitivity = (left.conj() * problem.transform(weights[:, 0])).real * (per_point / problem.lattice.size)
        errors = {name: -per_point * part for name, part in problem.errors.products(adjoint, weights).items()}
        return float((misfit**2).mean()), sensitivity.cpu().numpy(), errors

    def squares(self, power: Array, method: Kriging) -> tuple[float, float]:
        """Return the sum of squared misfits, and the sum of the variances that kriging expects of them."""
        problem, withheld = self._problems(power, method)
        prior = problem.draw_prior(DRAWS, torch.Generator().manual_seed(method.seed))
        noise = problem.errors.draw(DRAWS, torch.Generator().manual_seed(method.seed + 1))
        y = torch.cat([self.y, problem.observe(prior) + noise], dim=1)
        signals = torch.stack(list(problem.coefficients(problem.solve(y, 0.0, ITERATIONS).weights)))
        misfit = withheld.observe(signals[:1]) - self.withheld_y
        drawn = withheld.observe(prior - signals[1:])
        variance = (drawn**2).mean(dim=1) + withheld.errors.variance
        return float((misfit**2).sum()), float(variance.sum())

    def _problems(self, power: Array, method: Kriging) -> tuple[Conditioning, Conditioning]:
        ratio = method.noise / self.noise
        return (
            self.problem.under(power, _with(self.fold.error, ratio, method)),
            self.withheld.under(power, _with(self.fold.withheld_error, ratio, method)),
        )


def _with(error: ObservationError, ratio: float, method: Kriging) -> ObservationError:
    return replace(error, noise=ratio * error.noise, pass_bias=method.pass_bias, pass_slope=method.pass_slope)


def _side_by_side[A, B](function: Callable[[A], B], each: Sequence[A]) -> list[B]:
    """Apply a function to each, a thread for each: the steps of one are too small to be shared by threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(function, each))
    finally:
        torch.set_num_threads(threads)
