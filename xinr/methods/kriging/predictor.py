"""The best estimate of kriging, and what it takes to sample its posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, Self, override

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array, Pairs
from xinr.geo.points import Points
from xinr.methods.functions.spline import SplinePredictor
from xinr.methods.functions.sum import SumPredictor
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
    samples, seed : int
        Posterior samples from which the formal error is estimated, and their seed.
    history : dict of ndarray
        The residual of the solver after each iteration.
    """

    kind = "kriging"

    best: SumPredictor
    problem: Problem
    samples: int
    seed: int
    history: dict[str, Array]
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the state alone: samples and the lock stay behind."""
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

    @override
    def posterior(self, points: Points) -> tuple[Array, Array]:
        with self._lock:  # sampled once, whichever block of a target asks first
            spline = self._deviation
        deviation = spline.predict(points) + self.problem.covariance.sigma
        return self.predict(points), np.maximum(deviation, 0.0)

    @override
    def sample(self, count: int, seed: int) -> list[Predictor]:
        pairs = [pair for errors in self.problem.errors(count, seed) for pair in self.problem.predictors(errors)]
        return [SumPredictor((*self.best.parts, *pair)) for pair in pairs]

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        best = {f"best_{key}": array for key, array in self.best.state().items()}
        history = {f"history_{key}": array for key, array in self.history.items()}
        return best | self.problem.state() | history | {"samples": np.array([self.samples, self.seed])}

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        samples, seed = map(int, state["samples"])
        best = SumPredictor.from_state(with_prefix(state, "best_"))
        return cls(best, Problem.from_state(state), samples, seed, with_prefix(state, "history_"))

    @cached_property
    def _deviation(self) -> SplinePredictor:
        return self.problem.deviation(self.samples, self.seed)
