"""Local optimal interpolation: tiles of targets that share their nearest observations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple, Self, override

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.linalg.blas import dsyrk
from scipy.optimize import brentq
from scipy.spatial import cKDTree
from tqdm.auto import tqdm

from xinr._typing import Array
from xinr.geo.points import Points
from xinr.methods.covariances import Covariance, Sum
from xinr.methods.covariances.nonstationary import NonstationaryCovariance
from xinr.methods.observation_error import ObservationError
from xinr.methods.oi.analysis_cache import Analysis, AnalysisCache, Node
from xinr.methods.oi.grouped_windows import lower_triangle
from xinr.methods.predictor import ErrorPredictor, HessianPredictor

# Nodes whose nearest observations are searched at once.
SEARCHED = 1024
# Observations of nodes whose covariances are evaluated together, at most, relative to those of one.
SHARED = 2.0


class Tile(NamedTuple):
    """A node, the indices of the targets around it, and where they lie from it in steps."""

    node: Node
    at: NDArray[np.int64]
    offset: Array


class Group(NamedTuple):
    """Nodes of one place, the nearest observations of each, and those of all of them, in ascending order."""

    nodes: list[Node]
    near: list[NDArray[np.int32]]
    observations: NDArray[np.int32]


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
        tiles = _tiles(x / self.step)
        for tile, (covariance, near, weights) in zip(tiles, self._analyses(tiles), strict=True):
            found = covariance.weighted_derivatives(x[tile.at], self.x[near], weights, order)
            for array, part in zip(total, _product(_weight(tile.offset, self.step, order), found), strict=True):
                array[tile.at] += part
        total[0][:] += self.mean
        return total

    @override
    def posterior(self, points: Points) -> tuple[Array, Array]:
        x = points.x
        value, variance = np.zeros(len(x)), np.zeros(len(x))
        tiles = _tiles(x / self.step)
        for (_, at, offset), solved in zip(tiles, self._solve([tile.node for tile in tiles]), strict=True):
            (covariance, near, weights), root = solved
            k = covariance.value(self.x[near], x[at])
            share = _weight(offset, self.step, 0)[0]
            value[at] += share * (weights @ k)
            whitened = solve_triangular(root, k, trans=1, overwrite_b=True, check_finite=False)
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

    def _analyses(self, tiles: Sequence[Tile]) -> Iterator[Analysis]:
        """Yield the analysis of each tile, solved where it is not cached."""
        cached = [self._cache.get(tile.node) for tile in tiles]
        solved = self._solve([tile.node for tile, found in zip(tiles, cached, strict=True) if found is None])
        for found in cached:
            yield found or next(solved)[0]

    def _solve(self, nodes: Sequence[Node]) -> Iterator[tuple[Analysis, Array]]:
        """Solve the analyses of nodes and keep them; yield each with its Cholesky factor, upper."""
        with tqdm(total=len(nodes), desc="local analyses", leave=False, disable=None, delay=1) as bar:
            for group in self._grouped(nodes):
                covariance = self.covariance.at(np.multiply(group.nodes[0], self.step))
                matrix = self._matrix(covariance, group.observations)
                for node, near in zip(group.nodes, group.near, strict=True):
                    rank = np.searchsorted(group.observations, near)
                    # Its transpose is in the order of LAPACK, which then factors it in place.
                    root = cho_factor(matrix[rank][:, rank].T, overwrite_a=True, check_finite=False)
                    analysis = Analysis(covariance, near, cho_solve(root, self.y[near], check_finite=False))
                    self._cache.put(node, analysis)
                    yield analysis, root[0]
                    bar.update()

    def _grouped(self, nodes: Sequence[Node]) -> Iterator[Group]:
        """Part nodes into groups of the same place and of times so near that they share most of their observations."""
        group = Group([], [], np.empty(0, dtype=np.int32))
        for node, near in zip(nodes, self._nearest(nodes), strict=True):
            together = np.union1d(group.observations, near)
            if group.nodes and (group.nodes[0][:-1] != node[:-1] or len(together) > SHARED * len(near)):
                yield group
                group, together = Group([], [], near), near
            group = Group([*group.nodes, node], [*group.near, near], together)
        if group.nodes:
            yield group

    def _nearest(self, nodes: Sequence[Node]) -> Iterator[NDArray[np.int32]]:
        """Yield the nearest observations of each node, in ascending order."""
        ranks = np.arange(1, min(self.n_neighbors, len(self.x)) + 1)
        for start in range(0, len(nodes), SEARCHED):
            positions = np.multiply(nodes[start : start + SEARCHED], self.step)
            yield from np.sort(self._tree.query(positions / self._scales, ranks)[1].astype(np.int32), axis=1)

    def _matrix(self, covariance: Covariance, chosen: NDArray[np.int32]) -> Array:
        """Return the covariance between chosen observations, of which the lower triangle counts."""
        matrix = lower_triangle(covariance, self.x[chosen])
        np.einsum("ii->i", matrix)[:] += self.error_model.noise[chosen] ** 2
        if self.error_model.mode_names:
            modes = self.error_model.modes_of(chosen[None])[0].T
            matrix = dsyrk(1.0, modes, beta=1.0, c=matrix.T, trans=1, overwrite_c=1).T
        return matrix

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


def _tiles(scaled: Array) -> list[Tile]:
    """Return the nodes around targets (m, d) in steps, in ascending order, with the targets around each."""
    if not len(scaled):
        return []
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
    targets = np.split(np.concatenate(points)[order], starts[1:])
    return [Tile(tuple(node), at, scaled[at] - node) for node, at in zip(nodes.tolist(), targets, strict=True)]


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
