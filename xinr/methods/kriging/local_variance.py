"""The posterior variance of kriging anywhere, from the nearest observations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor
from tqdm.auto import tqdm

from xinr._typing import Array
from xinr.methods.functions.polynomial import Polynomial
from xinr.methods.kriging.lattice_covariance import LatticeCovariance
from xinr.methods.observation_error import ObservationError

#: Largest block of positions, in steps of the lattice along each axis, and the nearest observations that it shares.
BLOCK, NEIGHBORS = 4, 128
#: Fewer observations than this are all neighbours.
FEW = 400
#: What these leave out is estimated at some of so many positions.
CANDIDATES = 1024
#: How near observations these are, and how far from each other, in microscales of the signal.
NEAR, APART = 0.5, 2.0
#: Scatter of what one of them tells, and how large it is expected to be.
SCATTER, EXPECTED = 0.2, 0.15
#: Least share of a variance that may be left.
LEAST = 0.2
#: Blocks that are solved together, of so many neighbours in all.
TOGETHER = 4096
#: How far the neighbours of a block are, in microscales of the signal, and the entries of the table of their
#: covariances. What is farther is left out.
RANGES = {1.5: 1 << 25, 3.0: 1 << 23, 8.0: 1 << 22}
#: Noise relative to the signal below which single precision does not do, and that of rounded covariances.
SINGLE, ROUNDED = 1e-2, 3e-3
#: Noise of what is no observation, relative to the signal.
NONE = 1e3


class Table(NamedTuple):
    """Covariances at lags of whole ``units`` (3,), that many entries apart as ``strides`` (3,) say."""

    values: Tensor
    units: Array
    strides: NDArray[np.int64]
    zero: int

    def between(self, a: Array, b: Array) -> Tensor:
        """Return the covariances of positions (b, k, 3) and (b, c, 3), rounded to whole units, (b, k, c)."""
        entries = (self._numbers(a) + self.zero)[:, :, None] - self._numbers(b)[:, None, :]
        return torch.index_select(self.values, 0, entries.reshape(-1)).reshape(entries.shape)

    def _numbers(self, x: Array) -> Tensor:
        """Return positions as numbers whose differences are those of entries."""
        numbers = np.rint(x / self.units).astype(np.int64) @ self.strides
        return torch.as_tensor(numbers, device=self.values.device)


@dataclass(frozen=True, eq=False)
class LocalVariance:
    """The posterior variance of a process on a lattice, given the nearest observations.

    Parameters
    ----------
    covariance : LatticeCovariance
        Of the signal.
    x : ndarray (n, 3)
        Positions and times of the observations [km, km, days].
    error : ObservationError
        Of them.
    drift : Polynomial
        Its columns.
    drift_covariance : ndarray (m, m)
        Posterior covariance of its coefficients.
    covariances : callable
        Returns the posterior covariances, given all observations, of the signal at positions (m, 3) with its sum under
        weights (m,), (m,).
    device : torch.device
        Where to compute.

    Notes
    -----
    1. The positions of a block share their nearest observations, of covariance ``A = K + R``, one factor of which
       serves the block. With k, the covariance of the observations with a position, its variance is
       ``σ² - kᵀ A⁻¹ k + g D gᵀ``: D is the covariance of the drift, whose columns are H at the observations and h at
       the position, and ``g = h - kᵀ A⁻¹ H``.
    2. Observations farther away, and the rest of long passes, explain a little more: variances v are multiplied by
       ``1 - a (1 - v / σ²)``. One solve with all observations gives the posterior covariances of
       positions far apart with the sum of them all under random signs: their variances, as their errors are nearly
       independent (probing: Bekas et al. 2007). To these a is fitted.

    Covariances are looked up in a table, positions rounded to its units: the matrices stay covariances.

    References
    ----------
    Bekas, Kokiopoulou & Saad (2007), doi:10.1016/j.apnum.2007.01.003
    """

    covariance: LatticeCovariance
    x: Array
    error: ObservationError
    drift: Polynomial
    drift_covariance: Array
    covariances: Callable[[Array, Array], Array]
    device: torch.device
    _tables: dict[float, Table] = field(default_factory=dict, init=False, repr=False)

    def at(self, blocks: Array) -> Array:
        """Return the posterior variance at blocks of positions (b, c, 3), (b, c)."""
        found = self._from_nearest(blocks)
        explained = 1.0 - found / self.covariance.variance
        return np.asarray(found * np.maximum(1.0 - self._left_out * explained, LEAST))

    @cached_property
    def _left_out(self) -> float:
        """The share of a variance that more than the nearest observations explain, where these explain nearly all."""
        if len(self.x) < FEW:
            return 0.0
        positions = self._far_apart()
        few = self._from_nearest(positions[:, None])[:, 0]
        signed = np.where(np.arange(len(few)) % 2, -1.0, 1.0) / np.sqrt(few)
        share = signed * self.covariances(positions, signed)  # of the variance, and of covariances with random signs
        explained = 1.0 - few / self.covariance.variance
        # What few positions tell is mostly noise.
        return float(explained @ (1.0 - share) / (explained @ explained + (SCATTER / EXPECTED) ** 2))

    def _far_apart(self) -> Array:
        """Return positions near observations, and far from each other: their errors are nearly independent."""
        rng, scale = np.random.default_rng(0), self.covariance.microscale
        some = self.x[np.sort(rng.choice(len(self.x), min(CANDIDATES, len(self.x)), replace=False))]
        positions = some + rng.uniform(-NEAR, NEAR, some.shape) * scale
        taken = np.ones(len(positions), dtype=bool)
        for a, b in sorted(cKDTree(positions / scale).query_pairs(APART)):
            taken[b] &= not taken[a]
        return positions[taken]

    def _from_nearest(self, blocks: Array) -> Array:
        found = np.full(blocks.shape[:2], self.covariance.variance)
        for table, some, near in self._neighborhoods(blocks.mean(axis=1)):
            found[some] = self._solve(table, blocks[some], near)
        return found

    def _neighborhoods(self, middle: Array) -> Iterator[tuple[Table, NDArray[np.int64], NDArray[np.int64]]]:
        """Yield blocks with observations near their middle (b, 3), by number, and these observations (some, k)."""
        count = len(self.x) if len(self.x) < FEW else NEIGHBORS
        scale = self.covariance.microscale
        ranks = np.arange(1, count + 1)
        apart, near = self._tree.query(middle / scale, ranks, distance_upper_bound=max(RANGES))
        farthest = np.where(np.isfinite(apart), apart, 0.0).max(axis=1)
        observed, together = near[:, 0] < len(self.x), max(TOGETHER // count, 1)
        within = np.array([*RANGES])[np.searchsorted([*RANGES], farthest)]
        with tqdm(total=int(observed.sum()), desc="formal errors", leave=False, disable=None, delay=1) as bar:
            for reach in RANGES:
                chosen = np.flatnonzero(observed & (within == reach))
                for some in np.split(chosen, range(together, len(chosen), together)) if len(chosen) else []:
                    yield self._table(reach), some, near[some]
                    bar.update(len(some))

    def _solve(self, table: Table, blocks: Array, near: NDArray[np.int64]) -> Array:
        """Return the variance at blocks (b, c, 3), from observations near them (b, k), (b, c)."""
        missing, middle = near == len(self.x), blocks.mean(axis=1, keepdims=True)
        x = np.where(missing[..., None], middle, self.x[near - missing])
        matrix = table.between(x - middle, x - middle) + self._errors(near - missing, missing)
        root = torch.linalg.cholesky(matrix)
        signal = table.between(x - middle, blocks - middle)
        seen, own = self._columns(x) * self._move(~missing[..., None]), self._columns(blocks)
        half = torch.linalg.solve_triangular(root, torch.cat([signal, seen], dim=2), upper=False)
        signal, seen = half[..., : signal.shape[2]], half[..., signal.shape[2] :]
        open_drift = own - signal.mT @ seen  # (b, c, m)
        of_drift = ((open_drift @ self._move(self.drift_covariance)) * open_drift).sum(dim=2)
        found = self.covariance.variance - signal.square().sum(dim=1) + of_drift
        return np.asarray(found.clamp_min(1e-6 * self.covariance.variance).double().cpu().numpy())

    def _errors(self, near: NDArray[np.int64], missing: NDArray[np.bool_]) -> Tensor:
        """Return the covariances of the errors of observations (b, k), endless where they are missing, (b, k, k)."""
        modes = self._move(self.error.modes_of(near) * ~missing[..., None])
        matrix = modes @ modes.mT
        least, none = ROUNDED**2 * self.covariance.variance, NONE**2 * self.covariance.variance
        variance = np.maximum(self.error.noise[near] ** 2, least) + none * missing
        matrix.diagonal(dim1=1, dim2=2).add_(self._move(variance))
        return matrix

    def _columns(self, x: Array) -> Tensor:
        """Return the columns of the drift at positions (b, k, 3), (b, k, m)."""
        return self._move(self.drift.columns(x.reshape(-1, 3)).reshape(*x.shape[:2], -1))

    def _move(self, array: Array) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=self._dtype, device=self.device)

    @cached_property
    def _dtype(self) -> torch.dtype:
        single = self.error.noise.min() > SINGLE * np.sqrt(self.covariance.variance)
        return torch.float32 if single else torch.float64

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.x / self.covariance.microscale)

    def _table(self, reach: float) -> Table:
        """Return the covariances between observations within so many microscales of a block, and its positions."""
        if reach not in self._tables:
            scale, step = self.covariance.microscale, np.array(self.covariance.lattice.step)
            within = np.minimum(2.0 * reach * scale, np.maximum(np.ptp(self.x, axis=0), reach * scale))
            lags = within + BLOCK * step
            units = scale * np.cbrt(np.prod(2.0 * lags / scale) / RANGES[reach])
            most = np.ceil(lags / units).astype(np.int64)
            sizes = 2 * most + 1
            strides = np.array([sizes[1] * sizes[2], sizes[2], 1])
            axes = (unit * np.arange(-far, far + 1) for unit, far in zip(units, most, strict=True))
            values = self._move(self.covariance.at(*axes).ravel())
            self._tables[reach] = Table(values, units, strides, int(most @ strides))
        return self._tables[reach]
