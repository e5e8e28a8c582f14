"""The Gaussian covariance, of the data challenges' baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from xinr.methods.base import Array
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
    def memory(self) -> float:
        """See `Covariance.memory`."""
        return self.time_scale

    def persistence(self, lag: float) -> float:
        """See `Covariance.persistence`."""
        return float(np.exp(-((lag / self.time_scale) ** 2)))

    def weighted_value(self, x: Array, y: Array, weights: Array) -> Array:
        """See `Covariance.weighted_value`: on a grid of the frame's own axes a product over them, summed by matrices.

        Examples
        --------
        >>> grid = np.stack(np.meshgrid([0.0], np.arange(30.0), np.arange(20.0)), axis=-1).reshape(-1, 3)
        >>> y, weights, covariance = np.random.default_rng(0).uniform(0, 20, (9, 3)), np.arange(9.0), Gaussian(3.0, 9.0)
        >>> np.allclose(covariance.weighted_value(grid, y, weights), covariance.value(grid, y) @ weights)
        True
        """
        axes, places = zip(*(np.unique(column, return_inverse=True) for column in x.T), strict=True)
        if prod(map(len, axes)) <= 2 * len(x):
            return np.asarray(self._on_grid(axes, y, weights)[places])
        return super().weighted_value(x, y, weights)

    def spectrum(self, k: ArrayLike, l: ArrayLike, omega: ArrayLike) -> Array:  # noqa: E741
        """See `Covariance.spectrum`."""
        k, l, omega = (np.asarray(axis, dtype=np.float64) for axis in (k, l, omega))  # noqa: E741
        space = self.length_scale**2 * np.exp((k**2 + l**2) * (-(self.length_scale**2) / 4.0))
        time = self.time_scale * np.exp(-((omega * self.time_scale / 2.0) ** 2))
        return np.asarray(space * (self.sigma**2 * np.pi**1.5 * time))

    def _on_grid(self, axes: Sequence[Array], y: Array, weights: Array) -> Array:
        scales = [self.length_scale] * (len(axes) - 1) + [self.time_scale]
        along = [
            np.exp(-(((axis[:, None] - column) / scale) ** 2))
            for axis, column, scale in zip(axes, y.T, scales, strict=True)
        ]
        total = self.sigma**2 * weights * along[-1]  # (times, m)
        for factors in along[-2:0:-1]:
            total = total[..., None, :] * factors
        return np.asarray((total @ along[0].T).T)

    def _correlation(self, *squared: Array) -> Array:
        (u,) = squared
        np.negative(u, out=u)
        return np.exp(u, out=u)

    def _first(self, *squared: Array) -> tuple[Array, ...]:
        first = self._correlation(*squared)
        return (np.negative(first, out=first),)

    def _both(self, *squared: Array) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        second = self._correlation(*squared)
        return (-second,), (second,)
