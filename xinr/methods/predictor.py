"""What a predictor is: a fitted function of points, made of arrays alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, ClassVar, Self, override

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array, Pairs
from xinr.geo.points import Points


class Predictor(ABC):
    """A fitted function of points in a frame: arrays, no xarray, no geography.

    Points are n in number; directions and metric terms belong to their m positions, (m, d), with the time last: see
    `xinr.geo.points.Points`. A subclass names its ``kind``, under which a saved Field finds it again.
    """

    kind: ClassVar[str]
    #: Class of each kind, or the module whose import defines it.
    registry: ClassVar[dict[str, type[Predictor] | str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in vars(cls):
            Predictor.registry[cls.kind] = cls

    @property
    def calibration(self) -> Mapping[str, float]:
        """How the formal error was calibrated, for `FittedField.info`: its inflation and the seconds that it took."""
        return {}

    @abstractmethod
    def predict(self, points: Points) -> Array:
        """Return the value at each point, (n,)."""

    @abstractmethod
    def gradient(self, points: Points) -> Array:
        """Return the derivative along each coordinate of the frame and time, (n, d)."""

    @abstractmethod
    def curvature(self, points: Points, direction: Array) -> Array:
        """Return the second derivative vᵀ H v along the direction v (m, d) of each position, (n,)."""

    def laplacian(self, points: Points, directions: Sequence[Array], metric_term: Array) -> Array:
        """Return the sum of the curvatures along directions and of the gradient along a metric term, (n,)."""
        curvature = sum((self.curvature(points, direction) for direction in directions), np.zeros(len(points)))
        return np.asarray(curvature + points.dot(self.gradient(points), metric_term))

    def derivatives(
        self, points: Points, directions: Sequence[Array], pairs: Pairs, metric_terms: Sequence[Array]
    ) -> tuple[Array, Array]:
        """Return first derivatives along j directions, and p second derivatives, (j, n) and (p, n).

        A second derivative is the sum of ``v_aᵀ H v_b`` over its pairs (a, b), and the gradient along its metric term.
        """
        gradient = self.gradient(points)
        own = {
            a: self.curvature(points, directions[a])
            for a in sorted({a for each in pairs for pair in each for a in pair})
        }

        def mixed(a: int, b: int) -> Array:
            if a == b:
                return own[a]
            return (self.curvature(points, directions[a] + directions[b]) - own[a] - own[b]) / 2.0

        first = np.array([points.dot(gradient, direction) for direction in directions])
        second = np.reshape([points.dot(gradient, term) for term in metric_terms], (-1, len(points)))
        for row, each in zip(second, pairs, strict=True):
            row += sum(mixed(a, b) for a, b in each)
        return first, second

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays from which `from_state` rebuilds the same predictor."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the predictor from its `state`."""


class DerivativePredictor(Predictor):
    """A predictor that finds all derivatives at once: curvature and Laplacian are some of them."""

    @override
    @abstractmethod
    def derivatives(
        self, points: Points, directions: Sequence[Array], pairs: Pairs, metric_terms: Sequence[Array]
    ) -> tuple[Array, Array]: ...

    @override
    def curvature(self, points: Points, direction: Array) -> Array:
        return self.laplacian(points, [direction], np.zeros_like(direction))

    @override
    def laplacian(self, points: Points, directions: Sequence[Array], metric_term: Array) -> Array:
        squares = [(a, a) for a in range(len(directions))]
        return np.asarray(self.derivatives(points, directions, [squares], [metric_term])[1][0])


class HessianPredictor(DerivativePredictor):
    """A predictor that gives value, gradient and Hessian at once; all else follows from them."""

    @abstractmethod
    def expand(self, x: Array, order: int) -> tuple[Array, ...]:
        """Return the value, (n,), and up to an order of 1 or 2 its gradient, (n, d), and its Hessian, (n, d, d)."""

    @override
    def predict(self, points: Points) -> Array:
        return self.expand(points.x, 0)[0]

    @override
    def gradient(self, points: Points) -> Array:
        return self.expand(points.x, 1)[1]

    @override
    def derivatives(
        self, points: Points, directions: Sequence[Array], pairs: Pairs, metric_terms: Sequence[Array]
    ) -> tuple[Array, Array]:
        _, gradient, hessian = self.expand(points.x, 2)
        first = np.array([points.dot(gradient, direction) for direction in directions])
        second = np.reshape([points.dot(gradient, term) for term in metric_terms], (-1, len(points)))
        turned = [np.einsum("nij,nj->ni", hessian, points.repeat(direction)) for direction in directions]
        for row, each in zip(second, pairs, strict=True):
            row += sum(points.dot(turned[b], directions[a]) for a, b in each)
        return first, second


class ErrorPredictor(Predictor):
    """A predictor that also knows its formal error."""

    @property
    def error_comment(self) -> str:
        """What a reader of its formal errors must know: the attribute ``comment`` of ``err_<name>``."""
        return ""

    @abstractmethod
    def posterior(self, points: Points) -> tuple[Array, Array]:
        """Return the value and its posterior standard deviation at each point, each (n,)."""


class SamplePredictor(ErrorPredictor):
    """A predictor whose posterior can be sampled."""

    @abstractmethod
    def sample(self, count: int, seed: int) -> Sequence[Predictor]:
        """Return random functions from the posterior, the same ones for the same seed."""


def with_prefix(state: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """Return the entries of a state whose names begin with the prefix, without it."""
    return {key.removeprefix(prefix): array for key, array in state.items() if key.startswith(prefix)}


def predictor_class(kind: str) -> type[Predictor]:
    """Return the predictor class of that kind, importing its module if it is one of ours."""
    return registered(Predictor.registry, kind, "predictor of kind")


def registered[T](registry: Mapping[str, T | str], key: str, what: str) -> T:
    """Return an entry of a registry, importing its module if only that is in it."""
    found = registry.get(key)
    if isinstance(found, str):
        import_module(found)
        found = registry[key]
    if found is None or isinstance(found, str):
        raise ValueError(
            f"the file holds a {what} {key!r}, which is not known here: expected one of {sorted(registry)}. "
            "Import the module that defines it, then open the file."
        )
    return found
