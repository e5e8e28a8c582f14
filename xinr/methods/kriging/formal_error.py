"""The formal error of kriging: found on a grid of nodes, block by block as targets need them, smooth in between."""

from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from xinr._typing import Array
from xinr.geo.points import Points
from xinr.methods.functions.spline import SplinePredictor
from xinr.methods.kriging.lattice import Lattice
from xinr.methods.kriging.local_variance import LocalVariance

#: Nodes for each step of the lattice along each axis: near tracks the error varies within 20 km.
NODES = np.array([2, 2, 1])
#: Nodes along each axis that share their nearest observations.
BLOCK = np.array([6, 6, 3])
#: From the values at nodes to coefficients of a cubic spline that passes them closely, and looks no farther than one.
QUASI_INTERPOLATION = np.array([-1.0, 8.0, -1.0]) / 6.0
#: Nodes before and after the one left of a point on which its value depends.
BEFORE, AFTER = 2, 3
#: Least share of the prior's variance, against what a spline undershoots.
LEAST = 1e-4


@dataclass(frozen=True, eq=False)
class FormalError:
    """The posterior standard deviation as a function of points.

    Values at the nodes are those of `LocalVariance`; between them the variance is a cubic spline, the same whichever
    targets are asked for together.

    References
    ----------
    Quasi-interpolation: de Boor (1978), A practical guide to splines
    """

    variance: LocalVariance
    origin: Array  #: Of the nodes [km, km, days], (3,).
    step: Array  #: Between them, (3,).
    found: NDArray[np.bool_]  #: Which blocks of nodes have been found.
    reduction: NDArray[np.float32]  #: Share of the prior's variance that observations explain, negative, at each node.
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    @classmethod
    def on(cls, lattice: Lattice, variance: LocalVariance) -> "FormalError":
        """Return it with nodes throughout a lattice, none of them found yet."""
        blocks = -(-np.array(lattice.shape) * NODES // BLOCK)
        nodes = np.zeros(blocks * BLOCK, dtype=np.float32)
        origin, step = np.array(lattice.origin), np.array(lattice.step)
        return cls(variance, origin, step / NODES, np.zeros(blocks, dtype=bool), nodes)

    def predict(self, points: Points) -> Array:
        """Return the posterior standard deviation at each point, (n,)."""
        beyond = np.array(self.reduction.shape) + BEFORE
        position = np.clip((points.x - self.origin) / self.step, -AFTER, beyond)
        left = np.where(np.isnan(position), beyond, np.floor(position)).astype(np.int64)  # the antipodes have none
        with self._lock:  # one target after the other: each finds what the ones before it have not
            self._find(self._missing(left))
        first = np.clip(left.min(axis=0) - BEFORE, 0, np.array(self.reduction.shape) - 1)
        part = tuple(slice(a, max(a, b) + AFTER + 1) for a, b in zip(first, left.max(axis=0), strict=True))
        coefficients = self.reduction[part]
        for axis in range(3):
            coefficients = correlate1d(coefficients, QUASI_INTERPOLATION, axis, mode="nearest")
        east, north, later = self.origin + first * self.step
        spline = SplinePredictor(coefficients, (east, north, later), tuple(self.step))
        share = np.maximum(1.0 + spline.predict(points), LEAST)
        return np.asarray(np.sqrt(self.variance.covariance.variance * share))

    def _missing(self, left: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the blocks on which points depend, by the nodes left of these (n, 3), and that are not found yet."""
        needed, cells = np.zeros_like(self.found), np.zeros(np.array(self.reduction.shape) + BEFORE + AFTER + 1, bool)
        cells[tuple((left + AFTER).T)] = True  # each once: those of a map are few
        left = np.argwhere(cells) - AFTER
        for shift in np.stack(np.meshgrid(*[(-BEFORE, 0, AFTER)] * 3), axis=-1).reshape(-1, 3):
            block = (left + shift) // BLOCK
            inside = ((block >= 0) & (block < self.found.shape)).all(axis=1)
            needed[tuple(block[inside].T)] = True
        return np.argwhere(needed & ~self.found)

    def _find(self, blocks: NDArray[np.int64]) -> None:
        """Find the values at blocks of nodes."""
        if len(blocks):
            nodes = blocks[:, None] * BLOCK + np.stack(list(np.ndindex(*BLOCK)))  # (blocks, nodes of each, 3)
            variance = self.variance.at(self.origin + nodes * self.step)
            self.reduction[tuple(nodes.reshape(-1, 3).T)] = variance.ravel() / self.variance.covariance.variance - 1.0
            self.found[tuple(blocks.T)] = True
