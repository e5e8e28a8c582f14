"""Tensor-product B-splines on a regular grid of (x, y, t): smooth functions with exact derivatives, cheap anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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

#: From cells along x and y, and the number of a moment, to the coefficients there by order of derivative along t.
Moments = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], dict[int, torch.Tensor]]

# Points per block: what one gather writes, 1 MB, stays in cache.
BLOCK = 1 << 15
# Points share moments where splines of x and y alone cost less than this many coefficients a point.
SHARED = 8


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
        return self.laplacian(x, [direction], np.zeros_like(x))

    def laplacian(self, x: Array, directions: Sequence[Array], bend: Array) -> Array:
        """See `Predictor.laplacian`: all derivatives from one look at the coefficients."""
        u, v, w = np.moveaxis(np.stack(directions), -1, 0)  # (directions, n) each
        factors = {(2, 0, 0): u * u, (1, 1, 0): 2.0 * u * v, (0, 2, 0): v * v}
        if w.any():  # east and north have no part along time
            factors |= {(1, 0, 1): 2.0 * u * w, (0, 1, 1): 2.0 * v * w, (0, 0, 2): w * w}
        factors |= {order: bend[None, :, axis] for axis, order in enumerate(FIRST) if bend[:, axis].any()}
        derivatives = self._evaluate(x, list(factors)).T
        terms = (factor.sum(axis=0) * each for factor, each in zip(factors.values(), derivatives, strict=True))
        return np.asarray(sum(terms, np.zeros(len(x))))

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

    def _evaluate(self, x: Array, orders: list[Order]) -> Array:
        """Return the derivatives of those orders along x, y and t at each point, (n, len(orders))."""
        moments, number = self._moments(x[:, 2], {order[2] for order in orders})
        result = np.zeros((len(x), len(orders)), order="F")
        for at in range(0, len(x), BLOCK):
            block = slice(at, at + BLOCK)
            place = torch.from_numpy(np.ascontiguousarray(x[block, :2], dtype=np.float64))
            result[block] = self._evaluate_block(moments, number[block], place, orders).numpy()
        return result

    def _moments(self, t: Array, wanted: set[int]) -> tuple[Moments, torch.Tensor]:
        """Return the coefficients of each moment along x and y, or how to have those of some, and each point's moment.

        The points of a map share few moments, for which splines of x and y alone are made once; those of a track
        have each its own, for which the splines along t are summed where they are needed.
        """
        # Coefficients along time lie side by side: one gather brings those of all the B-splines of a point.
        rows = torch.from_numpy(self._closed_in_time()).unfold(2, self.degree[2] + 1, 1)
        starts = np.flatnonzero(np.diff(t, prepend=np.nan) != 0.0)
        shared = len(starts) * rows[:, :, 0, 0].numel() < SHARED * len(t)
        moments = np.ascontiguousarray(t[starts] if shared else t, dtype=np.float64)
        cell, weights, inside = self._basis(torch.from_numpy(moments), 2, wanted)
        scaled = {order: (w * inside[:, None]).to(rows.dtype) for order, w in weights.items()}
        if shared:
            number = torch.from_numpy(np.repeat(np.arange(len(starts)), np.diff(starts, append=len(t))))
            planes = {order: torch.einsum("xyud,ud->xyu", rows[:, :, cell], w) for order, w in scaled.items()}
            return lambda i, j, u: {order: plane[i, j, u] for order, plane in planes.items()}, number

        def along_t(i: torch.Tensor, j: torch.Tensor, u: torch.Tensor) -> dict[int, torch.Tensor]:
            near = rows[i, j, cell[u]]  # (n, degree + 1)
            return {order: (near * w[u]).sum(dim=1) for order, w in scaled.items()}

        return along_t, torch.arange(len(t))

    def _evaluate_block(
        self, moments: Moments, number: torch.Tensor, x: torch.Tensor, orders: list[Order]
    ) -> torch.Tensor:
        cells, weights, inside = zip(
            *(self._basis(x[:, axis], axis, {order[axis] for order in orders}) for axis in range(2)), strict=True
        )
        dtype = torch.from_numpy(self.coefficients[:0]).dtype
        in_x, in_y = ({order: w.T.to(dtype).contiguous() for order, w in axis.items()} for axis in weights)
        result = torch.zeros(len(orders), len(x), dtype=dtype)
        for a, i in self._stencil(cells[0], 0):
            # Sums along t and y serve every derivative along x.
            rows = {(q, r): torch.zeros(len(x), dtype=dtype) for _, q, r in orders}
            for b, j in self._stencil(cells[1], 1):
                in_t = moments(i, j, number)
                for (q, r), row in rows.items():
                    row.addcmul_(in_y[q][b], in_t[r])
            for column, (p, q, r) in enumerate(orders):
                result[column].addcmul_(in_x[p][a], rows[q, r])
        return torch.where(inside[0] & inside[1], result, torch.zeros_like(result)).T

    def _basis(
        self, x: torch.Tensor, axis: int, wanted: set[int]
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
        return first, {n: bspline_weights(u, degree, n) / self.step[axis] ** n for n in wanted}, inside

    def _stencil(self, first: torch.Tensor, axis: int) -> Iterator[tuple[int, torch.Tensor]]:
        size = self.coefficients.shape[axis]
        for k in range(self.degree[axis] + 1):
            yield k, (first + k) % size

    def _closed_in_time(self) -> NDArray[np.floating[Any]]:
        if not self.periodic[2]:
            return self.coefficients
        return np.pad(self.coefficients, [(0, 0), (0, 0), (0, self.degree[2])], mode="wrap")


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
