"""Covariances of the signal, as values shared by the Gaussian-process methods.

Length-scale convention: ``r² = |Δposition|² / length_scale² + Δt² / time_scale²``, as in the data challenges and
in pyinterp. The Gaussian is ``exp(-r²)``: its length scale is √2 times that of gpytorch or scikit-learn, which
write ``exp(-r²/2)``, and 2/√π = 1.128 times that of GSTools, which writes ``exp(-π r²/4)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussian:
    """Gaussian covariance ``sigma² exp(-r²)``, separable in space and time.

    Parameters
    ----------
    length_scale : float
        Distance at which the correlation has fallen to 1/e [unit of the frame].
    time_scale : float
        Lag at which it has fallen to 1/e [days].
    sigma : float
        Standard deviation of the signal [unit of the data].
    """

    length_scale: float
    time_scale: float
    sigma: float = 1.0

    def scale(self, x: Array) -> Array:
        """Return x (n, d) in units of the scales, so that r is a plain distance."""
        return np.asarray(x / self._scales(x.shape[1]))

    def value(self, x: Array, y: Array) -> Array:
        """Return the covariance between points x (n, d) and y (m, d), (n, m)."""
        squared: Array = cdist(self.scale(x), self.scale(y), "sqeuclidean")
        np.negative(squared, out=squared)
        np.exp(squared, out=squared)
        squared *= self.sigma**2
        return squared

    def weighted_gradient(self, x: Array, y: Array, weights: Array) -> Array:
        """Return the gradient at x (n, d) of ``value(x, y) @ weights``, (n, d).

        ``∂k/∂x = -2 k (x - y) / scale²``, so that the sum over y needs two matrix products and no (n, m, d) array.
        """
        scales = self._scales(x.shape[1])
        k = self.value(x, y)
        # Taken from a common origin: differences of large coordinates would lose digits.
        origin = y.mean(axis=0)
        centred = (x - origin) * (k @ weights)[:, None] - k @ ((y - origin) * weights[:, None])
        return -2.0 * centred / scales**2

    def weighted_curvature(self, x: Array, y: Array, weights: Array, direction: Array) -> Array:
        """Return vᵀ H v at x (n, d) of ``value(x, y) @ weights`` along directions v (n, d), (n,).

        ``vᵀ H v = k (4 a² - 2 |v/scale|²)`` with ``a = (x - y)·v / scale²``.
        """
        scales = self._scales(x.shape[1])
        k = self.value(x, y)
        along = direction / scales**2
        origin = y.mean(axis=0)
        a = np.sum((x - origin) * along, axis=1)[:, None] - along @ (y - origin).T
        norm = np.sum(direction * along, axis=1)[:, None]
        return np.asarray((k * (4.0 * a**2 - 2.0 * norm)) @ weights)

    def _scales(self, dimension: int) -> Array:
        return np.array([self.length_scale] * (dimension - 1) + [self.time_scale])
