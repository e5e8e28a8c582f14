"""Covariances of distance and lag alone, once coordinates are divided by the scales and follow the drift."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from typing import ClassVar, override

import numpy as np
from scipy.spatial.distance import cdist

from xinr._typing import Array
from xinr.methods.covariances.covariance import Covariance
from xinr.methods.settings import check_length_scale

# Elements of (rows, m) arrays made at once: a dozen of them stay in the cache, and none is fetched from the system.
ELEMENTS = 1 << 14


class Radial(Covariance, family=False):
    """Covariance ``sigma² F(r²)`` of one squared distance, or ``sigma² F(r², τ²)`` of one in space and one in time.

    A family gives F and its derivatives with respect to the squared distances, which are finite where those with
    respect to the coordinates would be 0/0. The chain rule, the scales and the drift are here: with
    ``ξ = (x + drift t) / scale`` and ``u_g = |ξ_g - η_g|²`` over the columns of each group g,

    ``∂C/∂ξ_i = 2 F_g (ξ_i - η_i)`` and ``∂²C/∂ξ_i∂ξ_j = 2 F_g δ_ij + 4 F_gh (ξ_i - η_i) (ξ_j - η_j)``, i in the group
    g and j in h. One evaluation of the distances gives the value and both derivatives.
    """

    length_scale: float
    time_scale: float
    # Whether space and time make one distance.
    _joint: ClassVar[bool] = False

    @abstractmethod
    def _kernels(self, order: int, *squared: Array) -> Sequence[tuple[Array, ...]]:
        """Return (F,), the F_g, and the F_gh with g <= h, up to an order; finite. It may use the arrays it is given."""

    def _scales(self, dimension: int) -> Array:
        return np.array([self.length_scale] * (dimension - 1) + [self.time_scale])

    def _drift(self) -> Array:
        """Return what the map adds to (east, north) for each day [km/day]: features move the other way."""
        return np.zeros(2)

    def _isotropic(self) -> bool:
        return True

    @override
    def value(self, x: Array, y: Array) -> Array:
        ((value,),) = self._kernels(0, *self._squared(self._scaled(x), self._scaled(y)))
        value *= self.sigma**2
        return value

    @override
    def weighted_derivatives(self, x: Array, y: Array, weights: Array, order: int) -> tuple[Array, ...]:
        n, d = x.shape
        xi, eta, weights = self._scaled(x), self._scaled(y), self.sigma**2 * weights
        found = (np.empty(n), np.empty((n, d)), np.empty((n, d, d)))[: order + 1]
        size = max(1, ELEMENTS // len(eta))
        for start in range(0, n, size):
            rows = slice(start, start + size)
            for array, part in zip(found, self._derivatives(xi[rows], eta, weights, order), strict=True):
                array[rows] = part
        if order > 0:
            by_x = self._scaled(np.eye(d)).T  # ∂ξ/∂x
            np.matmul(found[1], by_x, out=found[1])
        if order > 1:
            np.matmul(by_x.T @ found[2], by_x, out=found[2])
        return found

    @override
    def check_frame(self, frame: str) -> None:
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

    def _derivatives(self, xi: Array, eta: Array, weights: Array, order: int) -> Iterator[Array]:
        """Yield the sums over η of F by weight, and their derivatives by ξ, up to an order."""
        kernels = self._kernels(order, *self._squared(xi, eta))
        yield kernels[0][0] @ weights
        if order > 0:
            axes, groups = range(xi.shape[1]), self._groups(xi.shape[1])
            group_of = [g for g, group in enumerate(groups) for _ in axes[group]]
            apart = [np.subtract.outer(*axis) for axis in zip(xi.T, eta.T, strict=True)]
            firsts = [kernels[1][g] for g in group_of]
            yield 2.0 * np.stack([(first * each) @ weights for first, each in zip(firsts, apart, strict=True)], axis=1)
        if order > 1:
            seconds = dict(zip(combinations_with_replacement(range(len(groups)), 2), kernels[2], strict=True))
            hessian = np.empty((*xi.shape, xi.shape[1]))
            for i, j in combinations_with_replacement(axes, 2):
                product = seconds[group_of[i], group_of[j]] * apart[i]
                product *= apart[j]
                hessian[:, i, j] = hessian[:, j, i] = 4.0 * (product @ weights)
            for i, first in enumerate(firsts):
                hessian[:, i, i] += 2.0 * (first @ weights)
            yield hessian
