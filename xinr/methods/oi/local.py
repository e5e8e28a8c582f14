"""Local optimal interpolation: tiles of targets that share their nearest observations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import brentq
from scipy.spatial import cKDTree
from tqdm.auto import tqdm

from xinr.methods.base import Array, ErrorPredictor, ObservationError
from xinr.methods.covariances import Covariance, Sum
from xinr.methods.oi.varying import VaryingCovariance

# Tiles whose neighbours are sought at once.
SOUGHT = 4096


class Tile(NamedTuple):
    """Targets of a node: their indices, where they lie from it in steps, and the analysis around it."""

    at: NDArray[np.int64]
    offset: Array
    analysis: Analysis


@dataclass(frozen=True, eq=False)
class LocalOIPredictor(ErrorPredictor):
    """The observations, and the lattice of nodes around which they are analysed.

    Around each node of a lattice in space and time, the nearest observations are analysed once. The map is the mean of
    the analyses around a target, weighted by ``Π s(1 - |q|)`` with the offset q from the node in steps along each axis
    and ``s(u) = 6 u⁵ - 15 u⁴ + 10 u³``: these weights sum to one and have two continuous derivatives, and so has
    the map. The posterior variance is the same mean of those of the analyses.

    Parameters
    ----------
    x, y : ndarray (n, d), (n,)
        The observations.
    error_model : ObservationError
        Of them.
    covariance : VaryingCovariance
        Of the signal.
    step : ndarray (d,)
        Between nodes [unit of the frame, days].
    n_neighbors : int
        Observations of each analysis.
    """

    kind = "oi-local"

    x: Array
    y: Array
    error_model: ObservationError
    covariance: VaryingCovariance
    step: Array
    n_neighbors: int

    def predict(self, x: Array) -> Array:
        """See `Predictor.predict`."""
        value = np.zeros(len(x))
        for at, offset, analysis in self._tiles(x):
            value[at] += _weight(offset) * analysis.value(x[at])
        return value

    def gradient(self, x: Array) -> Array:
        """See `Predictor.gradient`."""
        gradient = np.zeros_like(x)
        for at, offset, analysis in self._tiles(x):
            gradient[at] += _weight(offset)[:, None] * analysis.gradient(x[at])
            gradient[at] += analysis.value(x[at])[:, None] * _weight_gradient(offset) / self.step
        return gradient

    def curvature(self, x: Array, direction: Array) -> Array:
        """See `Predictor.curvature`."""
        curvature = np.zeros(len(x))
        for at, offset, analysis in self._tiles(x):
            v = direction[at]
            weight, slope, bend = _weight_along(offset, v / self.step)
            curvature[at] += weight * analysis.curvature(x[at], v) + bend * analysis.value(x[at])
            curvature[at] += 2.0 * slope * np.einsum("ij,ij->i", analysis.gradient(x[at]), v)
        return curvature

    def posterior(self, x: Array) -> tuple[Array, Array]:
        """See `ErrorPredictor.posterior`."""
        value, variance = np.zeros(len(x)), np.zeros(len(x))
        for at, offset, analysis in self._tiles(x):
            weight = _weight(offset)
            value[at] += weight * analysis.value(x[at])
            variance[at] += weight * analysis.variance(x[at])
        return value, np.sqrt(variance)

    def state(self) -> dict[str, NDArray[Any]]:
        """See `Predictor.state`."""
        sizes = {"step": self.step, "n_neighbors": np.array(self.n_neighbors)}
        return {"x": self.x, "y": self.y, **self.error_model.state(), **self.covariance.state(), **sizes}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """See `Predictor.from_state`."""
        error, covariance = ObservationError.from_state(state), VaryingCovariance.from_state(state)
        return cls(state["x"], state["y"], error, covariance, state["step"], int(state["n_neighbors"]))

    def _tiles(self, x: Array) -> Iterator[Tile]:
        """Yield the targets around each node, and the analysis there."""
        if not len(x):
            return
        scaled = x / self.step
        nodes, targets = _around(scaled)
        for start in tqdm(range(0, len(nodes), SOUGHT), "local analyses", leave=False, disable=None, delay=1):
            some = nodes[start : start + SOUGHT]
            for node, near, at in zip(some, self._nearest(some), targets[start : start + SOUGHT], strict=True):
                yield Tile(at, scaled[at] - node, self._analyse(node * self.step, near))

    def _nearest(self, nodes: Array) -> NDArray[np.int64]:
        count = min(self.n_neighbors, len(self.x))
        found = self._tree.query(nodes * self.step / self._scales, np.arange(1, count + 1))[1]
        return np.asarray(found, dtype=np.int64)

    def _analyse(self, place: Array, near: NDArray[np.int64]) -> Analysis:
        covariance = self.covariance.at(place)
        x, error = self.x[near], self.error_model
        matrix = covariance.value(x, x)
        matrix[np.diag_indices_from(matrix)] += error.noise[near] ** 2
        if self._modes.shape[1]:
            modes, passes = self._modes[near], error.pass_index[near]
            matrix += modes @ modes.T * (passes[:, None] == passes)
        root, _ = cho_factor(matrix.T, lower=True, overwrite_a=True, check_finite=False)
        return Analysis(covariance, x, root, cho_solve((root, True), self.y[near], check_finite=False))

    @cached_property
    def _modes(self) -> Array:
        return self.error_model.modes

    @cached_property
    def _scales(self) -> Array:
        return reach(self.covariance.mean, self.x.shape[1])

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.x / self._scales)


@dataclass(frozen=True)
class Analysis:
    """Observations around a node, the Cholesky factor of their covariance, and their weights."""

    covariance: Covariance
    x: Array
    root: Array
    weights: Array

    def value(self, x: Array) -> Array:
        """Return the analysis at points (m, d), (m,)."""
        return np.asarray(self.covariance.value(x, self.x) @ self.weights)

    def gradient(self, x: Array) -> Array:
        """Return its gradient, (m, d)."""
        return self.covariance.weighted_gradient(x, self.x, self.weights)

    def curvature(self, x: Array, direction: Array) -> Array:
        """Return its second derivative along directions (m, d), (m,)."""
        return self.covariance.weighted_curvature(x, self.x, self.weights, direction)

    def variance(self, x: Array) -> Array:
        """Return its posterior variance, (m,)."""
        k = self.covariance.value(self.x, x)
        whitened = solve_triangular(self.root, k, lower=True, overwrite_b=True, check_finite=False)
        explained = np.einsum("ij,ij->j", whitened, whitened)
        return np.asarray(np.maximum(self.covariance.sigma**2 - explained, 0.0))


def reach(covariance: Covariance, dimension: int) -> Array:
    """Return how far along each axis a covariance has fallen to 1/e of its variance, (d,) [unit of the frame, days].

    Of a sum, the shortest of its terms.

    Examples
    --------
    >>> from xinr.methods.covariances import Gaussian
    >>> reach(Gaussian(100.0, 10.0), 3)
    array([100., 100.,  10.])
    """
    if isinstance(covariance, Sum):
        return np.asarray(np.min([reach(term, dimension) for term in covariance.terms], axis=0))

    def fallen(distance: float, axis: int) -> float:
        apart = np.zeros((1, dimension))
        apart[0, axis] = distance
        return covariance.value(np.zeros_like(apart), apart).item() - float(np.exp(-1.0)) * covariance.sigma**2

    def one(axis: int) -> float:
        far = 1.0
        while fallen(far, axis) > 0.0:
            far *= 2.0
        return float(brentq(fallen, 0.0, far, args=(axis,)))

    return np.array([one(axis) for axis in range(dimension)])


def _around(scaled: Array) -> tuple[Array, list[NDArray[np.int64]]]:
    """Return the nodes around points (m, d) in steps, and the indices of the points around each."""
    lower = np.floor(scaled).astype(np.int64)
    least = lower.min(axis=0)
    shape = lower.max(axis=0) - least + 2
    keys, points = [], []
    for corner in product((0, 1), repeat=scaled.shape[1]):
        # A point on a node has none beyond it.
        chosen = np.flatnonzero(((np.array(corner) == 0) | (scaled > lower)).all(axis=1))
        keys.append(np.ravel_multi_index(tuple((lower[chosen] + corner - least).T), tuple(shape)))
        points.append(chosen)
    key = np.concatenate(keys)
    order = np.argsort(key, kind="stable")
    found, starts = np.unique(key[order], return_index=True)
    nodes = np.stack(np.unravel_index(found, tuple(shape)), axis=1) + least
    return nodes.astype(np.float64), np.split(np.concatenate(points)[order], starts[1:])


def _weight(offset: Array) -> Array:
    """Return the weight of a node at offsets (m, d) in steps, (m,)."""
    return np.asarray(np.prod(_smooth(offset)[0], axis=1))


def _weight_gradient(offset: Array) -> Array:
    """Return its gradient, (m, d) [1/step]."""
    unit = np.broadcast_to(np.eye(offset.shape[1])[:, None], (offset.shape[1], *offset.shape))
    return np.stack([_weight_along(offset, direction)[1] for direction in unit], axis=1)


def _weight_along(offset: Array, direction: Array) -> tuple[Array, Array, Array]:
    """Return the weight and its first and second derivative along directions (m, d), each (m,)."""
    weight, slope, bend = np.ones(len(offset)), np.zeros(len(offset)), np.zeros(len(offset))
    for s, ds, dds, v in zip(*(part.T for part in (*_smooth(offset), direction)), strict=True):
        bend = bend * s + 2.0 * slope * ds * v + weight * dds * v**2
        slope = slope * s + weight * ds * v
        weight = weight * s
    return weight, slope, bend


def _smooth(offset: Array) -> Sequence[Array]:
    """Return ``s(1 - |q|)`` and its first and second derivative by q."""
    u = 1.0 - np.abs(offset)
    first = 30.0 * u**2 * (1.0 - u) ** 2
    second = 60.0 * u * (1.0 - u) * (1.0 - 2.0 * u)
    return u**3 * (10.0 + u * (6.0 * u - 15.0)), -np.sign(offset) * first, second
