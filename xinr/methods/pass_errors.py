"""Long-wavelength errors of passes: the covariance of observation errors, and its inverse."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from xinr._typing import Array
from xinr.methods.observation_error import ObservationError
from xinr.methods.sparse import Sparse


class PassErrors:
    """The covariance ``R = D + U Uᵀ`` of observation errors: white noise D, and a few modes U of each pass.

    Its inverse costs a small solve for each pass (Woodbury): ``R⁻¹ v = D⁻¹ (v - U z)`` with the most probable
    amplitudes ``z = (I + Uᵀ D⁻¹ U)⁻¹ Uᵀ D⁻¹ v`` of the modes, given that v is all error.

    Parameters
    ----------
    error : ObservationError
        Of n observations.
    device, dtype
        Where and how to compute.
    """

    def __init__(self, error: ObservationError, device: torch.device, dtype: torch.dtype = torch.float64) -> None:
        def move(array: NDArray[np.float64] | NDArray[np.int64]) -> Tensor:
            tensor = torch.from_numpy(np.ascontiguousarray(array)).to(device)
            return tensor.to(dtype) if tensor.is_floating_point() else tensor

        modes = error.modes
        self.noise, self.names, self.count = move(error.noise), error.mode_names, modes.matrix.shape[1]
        self.precision, self.variance = self.noise**-2, move(error.variance)
        self._modes, self._name = Sparse(modes.matrix, device, dtype), move(modes.name)
        gram = modes.matrix.T @ (modes.matrix * (error.noise**-2)[:, None])
        self._covariances = [
            (move(columns), move(np.linalg.inv(np.eye(part.shape[1]) + part)))
            for columns, part in _blocks(csr_array(gram), modes.of_pass)
        ]

    def explained(self, residual: Tensor) -> Tensor:
        """Return the part of residuals (n, j) that is most probably of their passes, (n, j)."""
        seen = self._modes.transposed(self.precision[:, None] * residual)
        amplitude = torch.empty_like(seen)
        for columns, covariance in self._covariances:
            amplitude[columns] = covariance @ seen[columns]
        explained: Tensor = self._modes @ amplitude
        return explained

    def solve(self, residual: Tensor) -> Tensor:
        """Return ``R⁻¹ residual``, (n, j)."""
        return self.precision[:, None] * (residual - self.explained(residual))

    def times(self, values: Tensor) -> Tensor:
        """Return ``R values``, (n, j)."""
        return self.noise[:, None] ** 2 * values + self._modes @ self._modes.transposed(values)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Return random errors, (n, count)."""
        white, amplitude = (
            torch.randn(size, count, generator=generator, dtype=self.noise.dtype).to(self.noise.device)
            for size in (len(self.noise), self.count)
        )
        return self.noise[:, None] * white + self._modes @ amplitude

    def products(self, a: Tensor, b: Tensor) -> dict[str, float]:
        """Return ``aᵀ (dR/dlog s) b`` for a, b (n, 1) and each deviation s of the errors, by its name."""
        noise = 2.0 * (self.noise[:, None] ** 2 * a * b).sum()
        both = (self._modes.transposed(a) * self._modes.transposed(b)).sum(dim=1)
        modes = 2.0 * torch.bincount(self._name, both, len(self.names))
        return {"noise": float(noise), **dict(zip(self.names, modes.tolist(), strict=True))}


def _blocks(gram: csr_array, of_pass: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Array]]:
    """Yield the columns (p, m), and the blocks (p, m, m) of a block diagonal matrix, of passes with m modes each."""
    order = np.argsort(of_pass, kind="stable")
    _, first, number, count = np.unique(of_pass[order], return_index=True, return_inverse=True, return_counts=True)
    rank, block = np.empty_like(order), np.empty_like(order)
    rank[order], block[order] = np.arange(len(order)) - first[number], number
    entries = gram.tocoo()
    for size in np.unique(count):
        passes = np.flatnonzero(count == size)
        place = np.full(len(count), -1)
        place[passes] = np.arange(len(passes))
        own = place[block[entries.row]] >= 0
        row, column = entries.row[own], entries.col[own]
        part = np.zeros((len(passes), size, size))
        part[place[block[row]], rank[row], rank[column]] = entries.data[own]
        yield order[first[passes][:, None] + np.arange(size)], part
