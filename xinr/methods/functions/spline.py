"""Tensor-product B-splines on a regular grid of (x, y, t): smooth functions with exact derivatives, cheap anywhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Self, override

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import spline_filter1d
from scipy.sparse import csr_array

from xinr._typing import Array, Pairs
from xinr.geo.points import Points
from xinr.methods.predictor import DerivativePredictor

Triple = tuple[float, float, float]
#: How often to differentiate along x, y and t.
Order = tuple[int, int, int]
FIRST: list[Order] = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]

# Points per block: what one gather writes, 1 MB, stays in cache.
BLOCK = 1 << 15


@dataclass(frozen=True, eq=False)
class SplinePredictor(DerivativePredictor):
    """The function ``Σ c_ijk β((x - x_i)/h_x) β((y - y_j)/h_y) β((t - t_k)/h_t)`` with centred B-splines β.

    Along an axis that does not close on itself, the function is zero where a B-spline it needs is not there: beyond
    ``(degree - 1)/2`` steps inside the ends.

    References
    ----------
    de Boor (1978), A practical guide to splines; Unser (1999), doi:10.1109/79.799930
    """

    kind = "spline"

    coefficients: NDArray[np.floating[Any]]  #: [unit of the data], (nx, ny, nt), float32 or float64.
    origin: Triple  #: Centre of the first B-spline [km, km, days].
    step: Triple  #: Distance to the next.
    degree: tuple[int, int, int] = (3, 3, 3)  #: Odd: 3 has two continuous derivatives, 5 four.
    periodic: tuple[bool, bool, bool] = (False, False, False)  #: Whether an axis closes on itself.

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

    @override
    def predict(self, points: Points) -> Array:
        return self._evaluate(points, [(0, 0, 0)])[:, 0]

    @override
    def gradient(self, points: Points) -> Array:
        return self._evaluate(points, FIRST)

    @override
    def derivatives(
        self, points: Points, directions: Sequence[Array], pairs: Pairs, metric_terms: Sequence[Array]
    ) -> tuple[Array, Array]:
        """Return them all from one evaluation of the coefficients."""
        first = [_parts(direction) for direction in directions]
        second = [
            _second([(first[a], first[b]) for a, b in each], term)
            for each, term in zip(pairs, metric_terms, strict=True)
        ]
        found = self._combined(points, first + second)
        return found[: len(first)], found[len(first) :]

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        return {
            "coefficients": self.coefficients,
            "grid": np.array([self.origin, self.step]),
            "shape": np.array([self.degree, self.periodic], dtype=np.int64),
        }

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        origin, step = (tuple(map(float, row)) for row in state["grid"])
        degree, periodic = state["shape"]
        return cls(state["coefficients"], origin, step, tuple(map(int, degree)), tuple(map(bool, periodic)))  # type: ignore[arg-type]

    def _combined(self, points: Points, sums: Sequence[Mapping[Order, Array]]) -> Array:
        """Return sums of derivatives by their factors at positions, (m,), as (len(sums), n)."""
        orders = sorted({order for each in sums for order in each})
        derivatives = dict(zip(orders, self._evaluate(points, orders).T, strict=True))
        result = np.zeros((len(sums), *points.shape))
        for rows, each in zip(result, sums, strict=True):
            for order, factor in each.items():
                rows += factor * derivatives[order].reshape(points.shape)
        return result.reshape(len(sums), len(points))

    def _evaluate(self, points: Points, orders: list[Order]) -> Array:
        """Return the derivatives of those orders along x, y and t at each point, (n, len(orders))."""
        if points.grid:
            return self._on_grid(points.positions, points.times, orders)
        x, rows = np.ascontiguousarray(points.x), self._rows()
        result = np.zeros((len(x), len(orders)), order="F")
        for at in range(0, len(x), BLOCK):
            block = slice(at, at + BLOCK)
            result[block] = self._evaluate_block(rows, torch.from_numpy(x[block]), orders).numpy()
        return result

    def _on_grid(self, positions: Array, times: Array, orders: list[Order]) -> Array:
        """Return the same at the positions (m, 2) at each of the times: sums along x and y once, then along t."""
        cell, weights, inside = self._basis(torch.from_numpy(times.astype(np.float64)), 2, {r for *_, r in orders})
        nodes = (cell[:, None] + torch.arange(self.degree[2] + 1)) % self.coefficients.shape[2]
        needed, column = np.unique(nodes.numpy(), return_inverse=True)
        near = self.coefficients[:, :, needed].reshape(-1, len(needed))
        sums = {
            order: np.ascontiguousarray((matrix @ near).T) for order, matrix in self._at_positions(positions, orders)
        }
        along_t = {
            r: _sparse(w * inside[:, None], column.reshape(nodes.shape), len(needed), near.dtype)
            for r, w in weights.items()
        }
        found = [(along_t[r] @ sums[p, q]).ravel() for p, q, r in orders]  # (times · positions) each
        return np.array(found, dtype=np.float64).T

    def _at_positions(self, positions: Array, orders: list[Order]) -> Iterator[tuple[tuple[int, int], csr_array]]:
        """Yield the matrices (m, nx ny) from the coefficients of one time to derivatives along x and y at positions."""
        (i, in_x, inside_x), (j, in_y, inside_y) = (
            self._basis(
                torch.from_numpy(positions[:, axis].astype(np.float64)), axis, {order[axis] for order in orders}
            )
            for axis in range(2)
        )
        nx, ny, _ = self.coefficients.shape
        rows, columns = (
            (first[:, None] + torch.arange(degree + 1)) % size
            for first, degree, size in zip((i, j), self.degree, (nx, ny), strict=False)
        )
        nodes = (rows[:, :, None] * ny + columns[:, None, :]).flatten(1).numpy()
        inside = (inside_x & inside_y)[:, None]
        for p, q in sorted({(p, q) for p, q, _ in orders}):
            weights = (in_x[p][:, :, None] * in_y[q][:, None, :]).flatten(1) * inside
            yield (p, q), _sparse(weights, nodes, nx * ny, self.coefficients.dtype)

    def _evaluate_block(self, coefficients: torch.Tensor, x: torch.Tensor, orders: list[Order]) -> torch.Tensor:
        """Return the same at points x (n, 3) that share nothing, from coefficients (nx, ny, nt, degree + 1)."""
        cells, weights, inside = zip(
            *(self._basis(x[:, axis], axis, {order[axis] for order in orders}) for axis in range(3)), strict=True
        )
        dtype = coefficients.dtype
        in_x, in_y = ({order: w.T.to(dtype).contiguous() for order, w in axis.items()} for axis in weights[:2])
        in_t = {order: w.to(dtype) for order, w in weights[2].items()}
        result = torch.zeros(len(orders), len(x), dtype=dtype)
        for a, i in self._stencil(cells[0], 0):
            # Sums along t and y serve every derivative along x.
            rows = {(q, r): torch.zeros(len(x), dtype=dtype) for _, q, r in orders}
            for b, j in self._stencil(cells[1], 1):
                near = coefficients[i, j, cells[2]]  # (n, degree + 1)
                moments = {r: (near * w).sum(dim=1) for r, w in in_t.items()}
                for (q, r), row in rows.items():
                    row.addcmul_(in_y[q][b], moments[r])
            for column, (p, q, r) in enumerate(orders):
                result[column].addcmul_(in_x[p][a], rows[q, r])
        return torch.where(inside[0] & inside[1] & inside[2], result, torch.zeros_like(result)).T

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

    def _rows(self) -> torch.Tensor:
        """Return the coefficients so that those of all B-splines of a point along time come in one gather."""
        closing = [(0, 0), (0, 0), (0, self.degree[2] if self.periodic[2] else 0)]
        return torch.from_numpy(np.pad(self.coefficients, closing, mode="wrap")).unfold(2, self.degree[2] + 1, 1)


def _parts(vectors: Array) -> dict[Order, Array]:
    """Return the components (m,) of vectors (m, 3) that are not all zero, by the order of derivative they multiply."""
    return {order: part for order, part in zip(FIRST, np.ascontiguousarray(vectors.T), strict=True) if part.any()}


def _second(
    pairs: Sequence[tuple[Mapping[Order, Array], Mapping[Order, Array]]], metric_term: Array
) -> dict[Order, Array]:
    """Return the factors (m,) of each derivative in ``Σ uᵀ H v`` over the pairs, and in the gradient along a term."""
    factors = _parts(metric_term)
    for one, other in pairs:
        for (a, u), (b, v) in product(one.items(), other.items()):
            both = (a[0] + b[0], a[1] + b[1], a[2] + b[2])
            factors[both] = factors[both] + u * v if both in factors else u * v
    return factors


def _sparse(weights: torch.Tensor, columns: NDArray[np.int64], size: int, dtype: np.dtype[Any]) -> csr_array:
    """Return the matrix (n, size) with weights (n, k) in columns (n, k)."""
    rows = np.arange(0, columns.size + 1, columns.shape[1])
    return csr_array((weights.numpy().astype(dtype).ravel(), columns.ravel(), rows), shape=(len(columns), size))


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
