"""Tensor-product B-splines on a regular grid of (x, y, t): smooth functions with exact derivatives, cheap anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import spline_filter1d

from xinr.methods.base import Array, Predictor

Triple = tuple[float, float, float]
#: How often to differentiate along x, y and t.
Order = tuple[int, int, int]
FIRST: list[Order] = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
SECOND: list[Order] = [(2, 0, 0), (0, 2, 0), (0, 0, 2), (1, 1, 0), (1, 0, 1), (0, 1, 1)]

# Points per block: what one gather writes, 1 MB, stays in cache.
BLOCK = 1 << 15


@dataclass(frozen=True, eq=False)
class SplinePredictor(Predictor):
    """The function ``Σ c_ijk β((x - x_i)/h_x) β((y - y_j)/h_y) β((t - t_k)/h_t)`` with centred B-splines β.

    Parameters
    ----------
    coefficients : ndarray (nx, ny, nt)
        Unit of the data, float32 or float64.
    origin, step : (float, float, float)
        Centre of the first B-spline, and distance to the next [km, km, days].
    degree : (int, int, int)
        Odd degrees: 3 has two continuous derivatives, 5 four.
    periodic : (bool, bool, bool)
        Whether an axis closes on itself. Along one that does not, the function is zero where a B-spline it needs
        is not there: beyond ``(degree - 1)/2`` steps inside the ends.

    References
    ----------
    de Boor (1978), A practical guide to splines; Unser (1999), doi:10.1109/79.799930
    """

    kind = "spline"

    coefficients: NDArray[np.floating[Any]]
    origin: Triple
    step: Triple
    degree: tuple[int, int, int] = (3, 3, 3)
    periodic: tuple[bool, bool, bool] = (False, False, False)

    @classmethod
    def through(
        cls,
        values: NDArray[np.floating[Any]],
        origin: Triple,
        step: Triple,
        degree: tuple[int, int, int] = (5, 5, 3),
        periodic: tuple[bool, bool, bool] = (False, False, False),
    ) -> Self:
        """Return the spline that interpolates values (nx, ny, nt) on the grid; mirrored at the ends of open axes."""
        coefficients, first = values, list(origin)
        for axis in range(3):
            half, mode = (degree[axis] + 1) // 2, "grid-wrap" if periodic[axis] else "mirror"
            coefficients = spline_filter1d(coefficients, degree[axis], axis, output=values.dtype, mode=mode)
            if not periodic[axis]:
                width = [(half, half) if i == axis else (0, 0) for i in range(3)]
                coefficients = np.pad(coefficients, width, mode="reflect")
                first[axis] -= half * step[axis]
        return cls(coefficients, (first[0], first[1], first[2]), step, degree, periodic)

    def predict(self, x: Array) -> Array:
        """See `Predictor.predict`."""
        return self._evaluate(x, [(0, 0, 0)])[:, 0]

    def gradient(self, x: Array) -> Array:
        """See `Predictor.gradient`."""
        return self._evaluate(x, FIRST)

    def curvature(self, x: Array, direction: Array) -> Array:
        """See `Predictor.curvature`."""
        return self._combined(x, SECOND, _products(direction))

    def laplacian(self, x: Array, directions: Sequence[Array], bend: Array) -> Array:
        """See `Predictor.laplacian`: all derivatives from one look at the coefficients."""
        second = np.sum([_products(direction) for direction in directions], axis=0)
        return self._combined(x, SECOND + FIRST, np.concatenate([second, bend], axis=1))

    def state(self) -> dict[str, NDArray[Any]]:
        """See `Predictor.state`."""
        return {
            "coefficients": self.coefficients,
            "grid": np.array([self.origin, self.step]),
            "shape": np.array([self.degree, self.periodic], dtype=np.int64),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """See `Predictor.from_state`."""
        origin, step = (tuple(map(float, row)) for row in state["grid"])
        degree, periodic = state["shape"]
        return cls(state["coefficients"], origin, step, tuple(map(int, degree)), tuple(map(bool, periodic)))  # type: ignore[arg-type]

    def _combined(self, x: Array, orders: list[Order], factors: Array) -> Array:
        """Return the sum over the orders of derivatives times factors (n, len(orders)), (n,)."""
        used = np.flatnonzero(np.any(factors, axis=0))  # east and north have no part along time
        derivatives = self._evaluate(x, [orders[i] for i in used])
        return np.asarray(np.einsum("ij,ij->i", factors[:, used], derivatives))

    def _evaluate(self, x: Array, orders: list[Order]) -> Array:
        """Return the derivatives of those orders along x, y and t at each point, (n, len(orders))."""
        # Coefficients along time lie side by side: one gather brings those of all the B-splines of a point.
        rows = torch.from_numpy(self._closed_in_time()).unfold(2, self.degree[2] + 1, 1)
        result = np.zeros((len(x), len(orders)))
        for at in range(0, len(x), BLOCK):
            place = torch.from_numpy(np.ascontiguousarray(x[at : at + BLOCK], dtype=np.float64))
            result[at : at + BLOCK] = self._evaluate_block(rows, place, orders).numpy()
        return result

    def _evaluate_block(self, rows: torch.Tensor, x: torch.Tensor, orders: list[Order]) -> torch.Tensor:
        cells, weights, inside = zip(*(self._basis(x[:, axis], axis, orders) for axis in range(3)), strict=True)
        weights = tuple({order: w.to(rows.dtype) for order, w in axis.items()} for axis in weights)
        result = torch.zeros(len(x), len(orders), dtype=rows.dtype)
        for (a, i), (b, j) in product(self._stencil(cells[0], 0), self._stencil(cells[1], 1)):
            along_t = rows[i, j, cells[2]]  # (n, degree + 1)
            in_t = {order: (along_t * w).sum(dim=1) for order, w in weights[2].items()}
            for column, (p, q, r) in enumerate(orders):
                result[:, column] += weights[0][p][:, a] * weights[1][q][:, b] * in_t[r]
        return torch.where((inside[0] & inside[1] & inside[2])[:, None], result, torch.zeros_like(result))

    def _basis(
        self, x: torch.Tensor, axis: int, orders: list[Order]
    ) -> tuple[torch.Tensor, dict[int, torch.Tensor], torch.Tensor]:
        """Return the first B-spline of each point, weights (n, degree + 1) by order of derivative, and who is inside.

        A point that is not there, NaN, is not inside.
        """
        size, degree = self.coefficients.shape[axis], self.degree[axis]
        position = (x - self.origin[axis]) / self.step[axis]
        left = torch.floor(position) - (degree - 1) // 2
        inside = torch.isfinite(left) if self.periodic[axis] else (left >= 0) & (left + degree < size)
        first = torch.where(inside, torch.remainder(left, size), torch.zeros_like(left)).long()
        u = torch.where(inside, position - torch.floor(position), torch.zeros_like(left))
        wanted = {order[axis] for order in orders}
        return first, {n: bspline_weights(u, degree, n) / self.step[axis] ** n for n in wanted}, inside

    def _stencil(self, first: torch.Tensor, axis: int) -> Iterator[tuple[int, torch.Tensor]]:
        size = self.coefficients.shape[axis]
        for k in range(self.degree[axis] + 1):
            yield k, (first + k) % size

    def _closed_in_time(self) -> NDArray[np.floating[Any]]:
        if not self.periodic[2]:
            return self.coefficients
        return np.pad(self.coefficients, [(0, 0), (0, 0), (0, self.degree[2])], mode="wrap")


def _products(direction: Array) -> Array:
    """Return what each of the `SECOND` derivatives is multiplied by in the one along directions (n, 3), (n, 6)."""
    u, v, w = direction.T
    return np.stack([u * u, v * v, w * w, 2.0 * u * v, 2.0 * u * w, 2.0 * v * w], axis=1)


def bspline_weights(u: torch.Tensor, degree: int, derivative: int = 0) -> torch.Tensor:
    """Return the B-splines that are not zero at a fraction u (n,) of a cell, from left to right, (n, degree + 1).

    Recursion of Cox and de Boor on unit knots; a derivative is a difference of splines one degree lower.

    Examples
    --------
    >>> bspline_weights(torch.tensor([0.0]), 1)
    tensor([[1., 0.]])
    """
    weights = torch.ones(len(u), 1, dtype=u.dtype)
    for d in range(1, degree - derivative + 1):
        rising = (u[:, None] + torch.arange(d - 1, -1, -1, dtype=u.dtype)) / d  # of the spline to the right
        rise = rising * weights
        zero = torch.zeros(len(u), 1, dtype=u.dtype)
        weights = torch.cat([weights - rise, zero], dim=1) + torch.cat([zero, rise], dim=1)
    for _ in range(derivative):
        zero = torch.zeros(len(u), 1, dtype=u.dtype)
        weights = torch.cat([zero, weights], dim=1) - torch.cat([weights, zero], dim=1)
    return weights
