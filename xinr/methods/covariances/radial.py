"""Covariances of distance and lag alone, once coordinates are divided by the scales and follow the drift."""

from __future__ import annotations

from abc import abstractmethod
from itertools import combinations_with_replacement
from typing import ClassVar

import numpy as np
from scipy.spatial.distance import cdist

from xinr.methods.base import Array, check_length_scale
from xinr.methods.covariances.base import Covariance

# Rows of a curvature taken at once: several (rows, m) arrays then stay small.
ROWS = 64


class Radial(Covariance, family=False):
    """Covariance ``sigma² F(r²)`` of one squared distance, or ``sigma² F(r², τ²)`` of one in space and one in time.

    A family gives F and its derivatives with respect to the squared distances, which are finite where those with
    respect to the coordinates would be 0/0. The chain rule, the scales and the drift are here: with
    ``ξ = (x + drift t) / scale`` and ``u_g = |ξ_g - η_g|²`` over the columns of each group g,

    ``∂C/∂ξ_g = 2 F_g (ξ_g - η_g)`` and ``vᵀ H v = Σ_g 2 F_g |v_g|² + Σ_gh 4 F_gh a_g a_h``,
    ``a_g = (ξ_g - η_g)·v_g``, so that sums over η are products of matrices and no (n, m, d) array is needed.
    """

    length_scale: float
    time_scale: float
    # Whether space and time make one distance.
    _joint: ClassVar[bool] = False

    @abstractmethod
    def _correlation(self, *squared: Array) -> Array:
        """Return F; may use the arrays it is given."""

    @abstractmethod
    def _first(self, *squared: Array) -> tuple[Array, ...]:
        """Return the derivatives F_g by each squared distance; may use the arrays it is given."""

    @abstractmethod
    def _both(self, *squared: Array) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """Return the F_g and the second derivatives F_gh, g <= h, finite everywhere; may use the arrays too."""

    def _scales(self, dimension: int) -> Array:
        return np.array([self.length_scale] * (dimension - 1) + [self.time_scale])

    def _drift(self) -> Array:
        """Return what the map adds to (east, north) for each day [km/day]: features move the other way."""
        return np.zeros(2)

    def _isotropic(self) -> bool:
        return True

    def value(self, x: Array, y: Array) -> Array:
        """See `Covariance.value`."""
        value = self._correlation(*self._squared(self._scaled(x), self._scaled(y)))
        value *= self.sigma**2
        return value

    def weighted_gradient(self, x: Array, y: Array, weights: Array) -> Array:
        """See `Covariance.weighted_gradient`."""
        xi, eta = self._scaled(x), self._scaled(y)
        # From a common origin: differences of large coordinates would lose digits.
        origin = eta.mean(axis=0)
        xi, eta = xi - origin, eta - origin
        gradient = np.empty_like(xi)
        for group, first in zip(self._groups(x.shape[1]), self._first(*self._squared(xi, eta)), strict=True):
            summed = first @ (np.column_stack([np.ones(len(eta)), eta[:, group]]) * weights[:, None])
            gradient[:, group] = xi[:, group] * summed[:, :1] - summed[:, 1:]
        gradient *= 2.0 * self.sigma**2 / self._scales(x.shape[1])
        if self._drift().any():
            gradient[:, -1] += gradient[:, :-1] @ self._drift()
        return gradient

    def weighted_curvature(self, x: Array, y: Array, weights: Array, direction: Array) -> Array:
        """See `Covariance.weighted_curvature`."""
        xi, eta, v = self._scaled(x), self._scaled(y), self._scaled(direction)
        origin = eta.mean(axis=0)
        curvature = np.empty(len(xi))
        for start in range(0, len(xi), ROWS):
            rows = slice(start, start + ROWS)
            curvature[rows] = self._bend(xi[rows] - origin, eta - origin, weights, v[rows])
        return self.sigma**2 * curvature

    def check_frame(self, frame: str) -> None:
        """See `Covariance.check_frame`."""
        check_length_scale(frame, self.length_scale)
        if frame != "plane" and (self._drift().any() or not self._isotropic()):
            raise ValueError(
                f"{self!r} drifts, or differs between east and north, and the frame {frame!r} has no axis in "
                'kilometres to the east: set frame="plane".'
            )

    def _scaled(self, x: Array) -> Array:
        """Return ξ (n, d), in which the covariance is one of plain distances; the map is linear."""
        drift = self._drift()
        if not drift.any() and self._isotropic():
            return np.asarray(x / self._scales(x.shape[1]))
        if x.shape[1] != 3:
            raise ValueError(
                f"points of a covariance that drifts, or differs between east and north, must be (east, north, days), "
                f'got {x.shape[1]} columns: set frame="plane".'
            )
        followed = x.copy()
        followed[:, :2] += x[:, 2:] * drift
        return np.asarray(followed / self._scales(3))

    def _groups(self, dimension: int) -> tuple[slice, ...]:
        return (slice(None),) if self._joint else (slice(0, dimension - 1), slice(dimension - 1, dimension))

    def _squared(self, xi: Array, eta: Array) -> list[Array]:
        return [cdist(xi[:, group], eta[:, group], "sqeuclidean") for group in self._groups(xi.shape[1])]

    def _bend(self, xi: Array, eta: Array, weights: Array, v: Array) -> Array:
        groups = self._groups(xi.shape[1])
        firsts, seconds = self._both(*self._squared(xi, eta))
        total = np.zeros(len(xi))
        for group, first in zip(groups, firsts, strict=True):
            total += 2.0 * np.sum(v[:, group] ** 2, axis=1) * (first @ weights)
        along = [
            np.sum(xi[:, group] * v[:, group], axis=1)[:, None] - v[:, group] @ eta[:, group].T for group in groups
        ]
        pairs = combinations_with_replacement(range(len(groups)), 2)
        for (g, h), second in zip(pairs, seconds, strict=True):
            product = along[g] * along[h]
            product *= second
            total += (4.0 if g == h else 8.0) * (product @ weights)
        return total
