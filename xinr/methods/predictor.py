"""What a predictor is: a fitted function of points, made of arrays alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, ClassVar, Self, override

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array, Pairs


class Predictor(ABC):
    """A fitted function of ``x`` (n, d): arrays, no xarray, no geography.

    A subclass names its ``kind``, under which a saved Field finds it again.
    """

    kind: ClassVar[str]
    #: Class of each kind, or the module whose import defines it.
    registry: ClassVar[dict[str, type[Predictor] | str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in vars(cls):
            Predictor.registry[cls.kind] = cls

    @property
    def name(self) -> str:
        """What `FittedField.info` calls the method."""
        return self.kind

    @property
    def calibration(self) -> Mapping[str, float]:
        """How the formal error was calibrated, for `FittedField.info`: its inflation and the seconds that it took."""
        return {}

    @abstractmethod
    def predict(self, x: Array) -> Array:
        """Return the value at each point, (n,)."""

    @abstractmethod
    def gradient(self, x: Array) -> Array:
        """Return the derivative along each coordinate of x, (n, d)."""

    @abstractmethod
    def curvature(self, x: Array, direction: Array) -> Array:
        """Return the second derivative vᵀ H v along the direction v (n, d) of each point, (n,)."""

    def laplacian(self, x: Array, directions: Sequence[Array], bend: Array) -> Array:
        """Return the sum of the curvatures along directions (n, d) and of the gradient along the bend (n, d), (n,)."""
        curvature = sum((self.curvature(x, direction) for direction in directions), np.zeros(len(x)))
        return np.asarray(curvature + np.einsum("ij,ij->i", self.gradient(x), bend))

    def derivatives(
        self, x: Array, directions: Sequence[Array], pairs: Pairs, bends: Sequence[Array]
    ) -> tuple[Array, Array]:
        """Return first derivatives along m directions (n, d), and p second derivatives, (m, n) and (p, n).

        A second derivative is the sum of ``v_iᵀ H v_j`` over its pairs (i, j), and the gradient along its bend (n, d).
        """
        gradient = self.gradient(x)
        own = {
            i: self.curvature(x, directions[i]) for i in sorted({i for each in pairs for pair in each for i in pair})
        }

        def mixed(i: int, j: int) -> Array:
            return own[i] if i == j else (self.curvature(x, directions[i] + directions[j]) - own[i] - own[j]) / 2.0

        first = np.einsum("nd,mnd->mn", gradient, np.stack(directions))
        second = np.einsum("nd,pnd->pn", gradient, np.reshape(bends, (-1, *x.shape)))
        for row, each in zip(second, pairs, strict=True):
            row += sum(mixed(i, j) for i, j in each)
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

    @abstractmethod
    @override
    def derivatives(
        self, x: Array, directions: Sequence[Array], pairs: Pairs, bends: Sequence[Array]
    ) -> tuple[Array, Array]: ...
    @override
    def curvature(self, x: Array, direction: Array) -> Array:
        return self.laplacian(x, [direction], np.zeros_like(x))

    @override
    def laplacian(self, x: Array, directions: Sequence[Array], bend: Array) -> Array:
        squares = [(i, i) for i in range(len(directions))]
        return np.asarray(self.derivatives(x, directions, [squares], [bend])[1][0])


class HessianPredictor(DerivativePredictor):
    """A predictor that gives value, gradient and Hessian at once; all else follows from them."""

    @abstractmethod
    def expand(self, x: Array, order: int) -> tuple[Array, ...]:
        """Return the value, (n,), and up to an order of 1 or 2 its gradient, (n, d), and its Hessian, (n, d, d)."""

    @override
    def predict(self, x: Array) -> Array:
        return self.expand(x, 0)[0]

    @override
    def gradient(self, x: Array) -> Array:
        return self.expand(x, 1)[1]

    @override
    def derivatives(
        self, x: Array, directions: Sequence[Array], pairs: Pairs, bends: Sequence[Array]
    ) -> tuple[Array, Array]:
        _, gradient, hessian = self.expand(x, 2)
        first = np.einsum("nd,mnd->mn", gradient, np.stack(directions))
        second = np.einsum("nd,pnd->pn", gradient, np.reshape(bends, (-1, *x.shape)))
        turned = [np.einsum("nij,nj->ni", hessian, direction) for direction in directions]
        for row, each in zip(second, pairs, strict=True):
            row += sum(np.einsum("ni,ni->n", directions[i], turned[j]) for i, j in each)
        return first, second


class ErrorPredictor(Predictor):
    """A predictor that also knows how far off it may be."""

    @property
    def error_comment(self) -> str:
        """What a reader of its formal errors must know: the attribute ``comment`` of ``err_<name>``."""
        return ""

    @abstractmethod
    def posterior(self, x: Array) -> tuple[Array, Array]:
        """Return the value and its posterior standard deviation at each point, each (n,)."""


class SamplePredictor(ErrorPredictor):
    """A predictor that can draw other functions which fit the observations as well."""

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
