"""Errors of whole passes, told apart from the signal: the inverse of the observation-error covariance."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from xinr.methods.base import Array, ObservationError


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

        numbers, of_pass = np.unique(error.pass_index, return_inverse=True)
        self.noise, self.modes, self.names = move(error.noise), move(error.modes), error.mode_names
        self.of_pass, self.n_passes = torch.as_tensor(of_pass, device=device), len(numbers)
        self.precision = self.noise**-2
        gram = self._sum(self.modes[:, :, None] * (self.precision[:, None] * self.modes)[:, None, :])
        self.covariance = torch.linalg.inv(torch.eye(self.modes.shape[1], dtype=dtype, device=device) + gram)

    def explained(self, residual: Tensor) -> Tensor:
        """Return the part of residuals (n, j) that is most probably of their passes, (n, j)."""
        seen = self._sum(self.modes[:, :, None] * (self.precision[:, None] * residual)[:, None, :])
        amplitude = self.covariance @ seen  # (passes, modes, j)
        return torch.einsum("nm,nmj->nj", self.modes, amplitude[self.of_pass])

    def solve(self, residual: Tensor) -> Tensor:
        """Return ``R⁻¹ residual``, (n, j)."""
        return self.precision[:, None] * (residual - self.explained(residual))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return random errors, (n, count)."""
        white, amplitude = (
            torch.randn(*shape, count, generator=generator, dtype=self.noise.dtype).to(self.noise.device)
            for shape in ((len(self.noise),), (self.n_passes, self.modes.shape[1]))
        )
        return self.noise[:, None] * white + torch.einsum("nm,nmj->nj", self.modes, amplitude[self.of_pass])

    def products(self, a: Tensor, b: Tensor) -> dict[str, float]:
        """Return ``aᵀ (dR/dlog s) b`` for a, b (n, 1) and each deviation s of the errors, by its name."""
        noise = 2.0 * (self.noise[:, None] ** 2 * a * b).sum()
        modes = 2.0 * (self._sum(self.modes * a) * self._sum(self.modes * b)).sum(dim=0)
        return {"noise": float(noise), **dict(zip(self.names, modes.tolist(), strict=True))}

    def _sum(self, values: Tensor) -> Tensor:
        """Return the sum over the points of each pass, (passes, ...)."""
        total = torch.zeros(self.n_passes, *values.shape[1:], dtype=values.dtype, device=values.device)
        return total.index_add_(0, self.of_pass, values)
