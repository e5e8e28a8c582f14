"""The Gaussian covariance, of the data challenges' baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, permutations
from math import prod
from typing import Any, ClassVar, override

import numpy as np
from numpy.typing import ArrayLike

from xinr._typing import Array
from xinr.methods.covariances.radial import Radial


@dataclass(frozen=True)
class Gaussian(Radial):
    """Gaussian covariance ``sigma² exp(-r²)``, ``r² = |Δposition|² / length_scale² + Δt² / time_scale²``.

    Its spectrum is ``sigma² π^(3/2) L² T exp(-((k² + l²) L² + omega² T²) / 4)``.

    Parameters
    ----------
    length_scale : float
        Distance at which the correlation has fallen to 1/e [unit of the frame].
    time_scale : float
        Lag at which it has fallen to 1/e [days].
    sigma : float
        Standard deviation of the signal [unit of the data].

    References
    ----------
    Bretherton, Davis & Fandry (1976), doi:10.1016/0011-7471(76)90001-2

    Examples
    --------
    >>> Gaussian(100.0, 10.0).value(np.zeros((1, 3)), np.array([[100.0, 0.0, 0.0]])).round(6)
    array([[0.367879]])
    """

    length_scale: float
    time_scale: float
    sigma: float = 1.0
    _joint: ClassVar[bool] = True

    @property
    @override
    def decorrelation_time(self) -> float:
        return self.time_scale

    @override
    def lagrangian_correlation(self, lag: float) -> float:
        return float(np.exp(-((lag / self.time_scale) ** 2)))

    @override
    def weighted_derivatives(self, x: Array, y: Array, weights: Array, order: int) -> tuple[Array, ...]:
        """On a grid of the frame's own axes a product over them.

        Examples
        --------
        >>> grid = np.stack(np.meshgrid([0.0], np.arange(30.0), np.arange(20.0)), axis=-1).reshape(-1, 3)
        >>> y, weights, covariance = np.random.default_rng(0).uniform(0, 20, (9, 3)), np.arange(9.0), Gaussian(3.0, 9.0)
        >>> np.allclose(covariance.weighted_derivatives(grid, y, weights, 0), covariance.value(grid, y) @ weights)
        True
        """
        if x.shape[1] > 3:  # the axes of the frame "sphere" make no grid of a surface
            return super().weighted_derivatives(x, y, weights, order)
        axes = [np.unique(column) for column in x.T]
        if prod(map(len, axes)) > 2 * len(x):
            return super().weighted_derivatives(x, y, weights, order)
        index = tuple(map(np.searchsorted, axes, x.T))
        return tuple(part[index] for part in self._on_grid(axes, y, weights, order))

    @override
    def spectrum(self, k: ArrayLike, l: ArrayLike, omega: ArrayLike) -> Array:  # noqa: E741
        k, l, omega = (np.asarray(axis, dtype=np.float64) for axis in (k, l, omega))  # noqa: E741
        space = self.length_scale**2 * np.exp((k**2 + l**2) * (-(self.length_scale**2) / 4.0))
        time = self.time_scale * np.exp(-((omega * self.time_scale / 2.0) ** 2))
        return np.asarray(space * (self.sigma**2 * np.pi**1.5 * time))

    def _on_grid(self, axes: Sequence[Array], y: Array, weights: Array, order: int) -> Iterator[Array]:
        """Yield value, gradient and Hessian at every node, (*sizes of the axes, ...)."""
        dimension = len(axes)
        sizes, scales = tuple(map(len, axes)), self._scales(dimension)
        along = [_factors(*line, order) for line in zip(axes, y.T, scales, strict=True)]
        for derivatives in range(order + 1):
            found = np.empty((*sizes, *[dimension] * derivatives))
            for by in combinations_with_replacement(range(dimension), derivatives):
                chosen = [factors[by.count(axis)] for axis, factors in enumerate(along)]
                total = self.sigma**2 * weights * chosen[-1]  # (times, m)
                for factors in chosen[-2:0:-1]:
                    total = total[..., None, :] * factors
                nodes = (total @ chosen[0].T).T
                for index in set(permutations(by)):
                    at: tuple[Any, ...] = (..., *index)
                    found[at] = nodes
            yield found

    def _kernels(self, order: int, *squared: Array) -> Sequence[tuple[Array, ...]]:
        (u,) = squared
        np.negative(u, out=u)
        value = np.exp(u, out=u)
        return [(value,), (-value,), (value,)][: order + 1] if order else [(value,)]


def _factors(axis: Array, column: Array, scale: float, order: int) -> list[Array]:
    """Return ``exp(-((x - y) / scale)²)`` between x (n,) and y (m,), and its derivatives by x, each (n, m)."""
    xi = (axis[:, None] - column) / scale
    value = np.exp(-(xi**2))
    hermite = (1.0, -2.0 * xi, 4.0 * xi**2 - 2.0)
    return [factor / scale**n * value for n, factor in enumerate(hermite[: order + 1])]
