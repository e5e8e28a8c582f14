"""Long-wavelength errors of passes: the covariance of observation errors, and its inverse."""

from __future__ import annotations

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
        def move(array: Array) -> Tensor:
            return torch.as_tensor(np.ascontiguousarray(array), dtype=dtype, device=device)

        modes, (numbers, of_pass) = error.modes, np.unique(error.pass_index, return_inverse=True)
        self.noise, self.names, self.n_passes = move(error.noise), error.mode_names, len(numbers)
        self.precision = self.noise**-2
        self._modes = Sparse(_of_passes(modes, of_pass, len(numbers)), device, dtype)
        gram = self._seen(self.precision[:, None] * move(modes))
        self._covariance = torch.linalg.inv(torch.eye(len(self.names), dtype=dtype, device=device) + gram)

    @property
    def variance(self) -> Tensor:
        """The variance of the error of each point, (n,)."""
        squares = self._modes.weights.square().reshape(len(self.noise), len(self.names))
        return self.noise**2 + squares.sum(dim=1)

    def explained(self, residual: Tensor) -> Tensor:
        """Return the part of residuals (n, j) that is most probably of their passes, (n, j)."""
        amplitude = self._covariance @ self._seen(self.precision[:, None] * residual)
        explained: Tensor = self._modes @ amplitude.flatten(0, 1)
        return explained

    def solve(self, residual: Tensor) -> Tensor:
        """Return ``R⁻¹ residual``, (n, j)."""
        return self.precision[:, None] * (residual - self.explained(residual))

    def times(self, values: Tensor) -> Tensor:
        """Return ``R values``, (n, j)."""
        return self.noise[:, None] ** 2 * values + self._modes @ self._seen(values).flatten(0, 1)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Return random errors, (n, count)."""
        white, amplitude = (
            torch.randn(*shape, count, generator=generator, dtype=self.noise.dtype).to(self.noise.device)
            for shape in ((len(self.noise),), (self.n_passes, len(self.names)))
        )
        return self.noise[:, None] * white + self._modes @ amplitude.flatten(0, 1)

    def products(self, a: Tensor, b: Tensor) -> dict[str, float]:
        """Return ``aᵀ (dR/dlog s) b`` for a, b (n, 1) and each deviation s of the errors, by its name."""
        noise = 2.0 * (self.noise[:, None] ** 2 * a * b).sum()
        modes = 2.0 * (self._seen(a) * self._seen(b)).sum(dim=(0, 2))
        return {"noise": float(noise), **dict(zip(self.names, modes.tolist(), strict=True))}

    def _seen(self, values: Tensor) -> Tensor:
        """Return ``Uᵀ v`` of values (n, j), (passes, modes, j)."""
        return self._modes.transposed(values).reshape(self.n_passes, len(self.names), values.shape[1])


def _of_passes(modes: Array, of_pass: NDArray[np.int64], n_passes: int) -> csr_array:
    """Return the matrix U (n, passes · modes): each point has the modes of its own pass."""
    n, m = modes.shape
    columns = (m * of_pass[:, None] + np.arange(m)).astype(np.int32)
    rows = m * np.arange(n + 1, dtype=np.int32)
    return csr_array((modes.ravel(), columns.ravel(), rows), shape=(n, m * n_passes))
