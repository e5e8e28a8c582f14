"""The best estimate of kriging, and what it takes to sample its posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, override

from numpy.typing import NDArray

from xinr._typing import Array, Pairs
from xinr.geo.points import Points
from xinr.methods.functions.sum import SumPredictor
from xinr.methods.kriging.formal_error import FormalError
from xinr.methods.kriging.problem import Problem
from xinr.methods.predictor import Predictor, SamplePredictor, with_prefix


@dataclass(frozen=True, eq=False)
class KrigingPredictor(SamplePredictor):
    """The best estimate, and the problem that it solves, from which posterior samples and formal errors come.

    The error of a mean that is another method is not counted.

    Parameters
    ----------
    best : SumPredictor
        Signal, drift, and mean.
    problem : Problem
        The observations, and the covariances of signal and errors.
    drift_weights : ndarray (n, m)
        What weighs the observations in the drift: see `Estimate`.
    history : dict of ndarray
        The residual of the solver after each iteration.
    """

    kind = "kriging"

    best: SumPredictor
    problem: Problem
    drift_weights: Array
    history: dict[str, Array]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the state alone: formal errors stay behind."""
        return type(self).from_state, (self.state(),)

    @override
    def predict(self, points: Points) -> Array:
        return self.best.predict(points)

    @override
    def gradient(self, points: Points) -> Array:
        return self.best.gradient(points)

    @override
    def curvature(self, points: Points, direction: Array) -> Array:
        return self.best.curvature(points, direction)

    @override
    def laplacian(self, points: Points, directions: Sequence[Array], metric_term: Array) -> Array:
        return self.best.laplacian(points, directions, metric_term)

    @override
    def derivatives(
        self, points: Points, directions: Sequence[Array], pairs: Pairs, metric_terms: Sequence[Array]
    ) -> tuple[Array, Array]:
        return self.best.derivatives(points, directions, pairs, metric_terms)

    @property
    @override
    def error_comment(self) -> str:
        covariance, (east, _, later) = self._formal_error.variance.covariance, self.problem.lattice.step
        whole, resolved = self.problem.covariance.sigma, covariance.variance**0.5
        return (
            f"Of what the lattice of {east:g} km and {later:g} days resolves, {resolved:.3g} m of the prior's "
            f"{whole:.3g} m; shorter waves are left out."
        )

    @override
    def posterior(self, points: Points) -> tuple[Array, Array]:
        return self.predict(points), self._formal_error.predict(points)

    @override
    def sample(self, count: int, seed: int) -> list[Predictor]:
        pairs = [pair for errors in self.problem.errors(count, seed) for pair in self.problem.predictors(errors)]
        return [SumPredictor((*self.best.parts, *pair)) for pair in pairs]

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        best = {f"best_{key}": array for key, array in self.best.state().items()}
        history = {f"history_{key}": array for key, array in self.history.items()}
        return best | self.problem.state() | history | {"drift_weights": self.drift_weights}

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        best = SumPredictor.from_state(with_prefix(state, "best_"))
        return cls(best, Problem.from_state(state), state["drift_weights"], with_prefix(state, "history_"))

    @cached_property
    def _formal_error(self) -> FormalError:
        return self.problem.formal_error(self.drift_weights)
