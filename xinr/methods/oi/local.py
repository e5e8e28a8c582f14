"""Local optimal interpolation: tiles of targets that share their nearest observations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple, Self, override

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import brentq
from scipy.spatial import cKDTree
from tqdm.auto import tqdm

from xinr._typing import Array
from xinr.geo.points import Points
from xinr.methods.covariances import Covariance, Sum
from xinr.methods.covariances.nonstationary import NonstationaryCovariance
from xinr.methods.observation_error import ObservationError
from xinr.methods.oi.analysis_cache import Analysis, AnalysisCache, Node
from xinr.methods.predictor import ErrorPredictor, HessianPredictor

# Nodes whose nearest observations are searched at once.
SEARCHED = 1024


class Tile(NamedTuple):
    """A node, its nearest observations, the indices of its targets, and where they lie from it in steps."""

    node: Node
    near: NDArray[np.int32]
    at: NDArray[np.int64]
    offset: Array


@dataclass(frozen=True, eq=False)
class LocalOIPredictor(HessianPredictor, ErrorPredictor):
    """The observations, and the lattice of nodes around which they are analysed.

    Around each node of a lattice in space and time, the nearest observations are analysed once. The map is the mean of
    the analyses around a target, weighted by ``Π s(1 - |q|)`` with the offset q from the node in steps along each axis
    and ``s(u) = 6 u⁵ - 15 u⁴ + 10 u³``: these weights sum to one and have two continuous derivatives, and so has
    the map. The posterior variance is the same mean of those of the analyses.

    What map and derivatives need of an analysis is cached, its observations and their weights: 12 bytes for each of
    them, and 0.5 GB at most, the analyses used last (`AnalysisCache`). The posterior variance needs the factor, and
    solves again. The cache is neither pickled nor saved.
    """

    kind = "oi-local"

    x: Array  #: Positions and times of the observations, (n, d).
    y: Array  #: Their values about the mean, (n,).
    error_model: ObservationError
    covariance: NonstationaryCovariance  #: Of the signal.
    step: Array  #: Between nodes [unit of the frame, days], (d,).
    n_neighbors: int  #: Observations of each analysis.
    mean: float = 0.0  #: Added to the map.
    _cache: AnalysisCache = field(default_factory=AnalysisCache, init=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the state alone."""
        return type(self).from_state, (self.state(),)

    @override
    def expand(self, x: Array, order: int) -> tuple[Array, ...]:
        n, d = x.shape
        total = (np.zeros(n), np.zeros((n, d)), np.zeros((n, d, d)))[: order + 1]
        for node, near, at, offset in self._tiles(x):
            covariance, _, weights = self._cache.get(node) or self._solve(node, near)[0]
            found = covariance.weighted_derivatives(x[at], self.x[near], weights, order)
            for array, part in zip(total, _product(_weight(offset, self.step, order), found), strict=True):
                array[at] += part
        total[0][:] += self.mean
        return total

    @override
    def posterior(self, points: Points) -> tuple[Array, Array]:
        x = points.x
        value, variance = np.zeros(len(x)), np.zeros(len(x))
        for node, near, at, offset in self._tiles(x):
            (covariance, _, weights), root = self._solve(node, near)
            k = covariance.value(self.x[near], x[at])
            share = _weight(offset, self.step, 0)[0]
            value[at] += share * (weights @ k)
            whitened = solve_triangular(root, k, lower=True, overwrite_b=True, check_finite=False)
            explained = np.einsum("ij,ij->j", whitened, whitened)
            variance[at] += share * np.maximum(covariance.sigma**2 - explained, 0.0)
        return value + self.mean, np.sqrt(variance)

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        sizes = {"step": self.step, "n_neighbors": np.array(self.n_neighbors), "mean": np.array(self.mean)}
        return {"x": self.x, "y": self.y, **self.error_model.state(), **self.covariance.state(), **sizes}

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        error, covariance = ObservationError.from_state(state), NonstationaryCovariance.from_state(state)
        numbers = int(state["n_neighbors"]), float(state.get("mean", 0.0))
        return cls(state["x"], state["y"], error, covariance, state["step"], *numbers)

    def _tiles(self, x: Array) -> Iterator[Tile]:
        """Yield the nodes that targets need, with the targets around each."""
        if not len(x):
            return
        scaled = x / self.step
        nodes, targets = _around(scaled)
        for start in tqdm(range(0, len(nodes), SEARCHED), "local analyses", leave=False, disable=None, delay=1):
            some = slice(start, start + SEARCHED)
            for node, near, at in zip(nodes[some], self._nearest(nodes[some]), targets[some], strict=True):
                yield Tile(node, near, at, scaled[at] - node)

    def _nearest(self, nodes: Sequence[Node]) -> list[NDArray[np.int32]]:
        """Return the nearest observations of each node, searched where its analysis is not cached."""
        cached = [self._cache.get(node) for node in nodes]
        missing = [
            np.multiply(node, self.step) for node, analysis in zip(nodes, cached, strict=True) if analysis is None
        ]
        ranks = np.arange(1, min(self.n_neighbors, len(self.x)) + 1)
        found = iter(self._tree.query(np.reshape(missing, (-1, self.x.shape[1])) / self._scales, ranks)[1])
        return [next(found).astype(np.int32) if analysis is None else analysis.near for analysis in cached]

    def _solve(self, node: Node, near: NDArray[np.int32]) -> tuple[Analysis, Array]:
        """Solve the analysis of a node and keep it; return it with the Cholesky factor, lower."""
        covariance, x, error = self.covariance.at(np.multiply(node, self.step)), self.x[near], self.error_model
        matrix = covariance.value(x, x)
        np.einsum("ii->i", matrix)[:] += error.noise[near] ** 2
        if error.mode_names:
            modes = error.modes_of(near[None])[0]
            matrix += modes @ modes.T
        root, _ = cho_factor(matrix.T, lower=True, overwrite_a=True, check_finite=False)
        analysis = Analysis(covariance, near, cho_solve((root, True), self.y[near], check_finite=False))
        self._cache.put(node, analysis)
        return analysis, root

    @cached_property
    def _scales(self) -> Array:
        return reach(self.covariance.mean, self.x.shape[1])

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.x / self._scales)


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


def _around(scaled: Array) -> tuple[list[Node], list[NDArray[np.int64]]]:
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
    return list(map(tuple, nodes.tolist())), np.split(np.concatenate(points)[order], starts[1:])


def _weight(offset: Array, step: Array, order: int) -> tuple[Array, ...]:
    """Return the weight of a node at offsets (m, d) in steps, (m,), and its derivatives up to an order."""
    m, d = offset.shape
    weight, slope, bend = _smooth(offset)
    if order == 0:
        return (np.asarray(weight.prod(axis=1)),)
    value, gradient, hessian = np.ones(m), np.zeros((m, d)), np.zeros((m, d, d))
    for i, (s, ds, dds) in enumerate(zip(weight.T, slope.T, bend.T, strict=True)):
        hessian *= s[:, None, None]
        hessian[:, i, :i] = hessian[:, :i, i] = gradient[:, :i] * ds[:, None]
        hessian[:, i, i] = value * dds
        gradient *= s[:, None]
        gradient[:, i] = value * ds
        value = value * s
    return (value, gradient / step, hessian / (step * step[:, None]))[: order + 1]


def _smooth(offset: Array) -> tuple[Array, Array, Array]:
    """Return ``s(1 - |q|)`` and its first and second derivative by q."""
    u = 1.0 - np.abs(offset)
    first = 30.0 * u**2 * (1.0 - u) ** 2
    second = 60.0 * u * (1.0 - u) * (1.0 - 2.0 * u)
    return u**3 * (10.0 + u * (6.0 * u - 15.0)), -np.sign(offset) * first, second


def _product(f: Sequence[Array], g: Sequence[Array]) -> Iterator[Array]:
    """Yield the product of two functions, given with their derivatives, and its derivatives."""
    yield f[0] * g[0]
    if len(f) > 1:
        yield f[0][:, None] * g[1] + g[0][:, None] * f[1]
    if len(f) > 2:
        mixed = f[1][:, :, None] * g[1][:, None, :]
        yield f[0][:, None, None] * g[2] + g[0][:, None, None] * f[2] + mixed + mixed.swapaxes(1, 2)
