"""Muon: steps of matrices whose singular values are all made alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, override

import torch
from torch import Tensor
from torch.optim import Optimizer

#: Decay of the mean gradient in a step.
MOMENTUM = 0.95
#: Coefficients (a, b, c) of the polynomial ``a s + b s³ + c s⁵`` that takes singular values s in (0, 1] towards 1, and
#: how often it is applied: five times, as is usual for language models, cost 10 to 40 % more time and fit no better.
POLYNOMIAL, REPEATS = (3.4445, -4.7750, 2.0315), 3


class Muon(Optimizer):
    """Gradient descent on matrices, each step orthogonalised: ``W <- (1 - r w) W - r √max(1, m / n) U Vᵀ``.

    ``U S Vᵀ`` is the mean of the last gradients of a matrix (m, n), r the rate and w the weight decay.

    Parameters
    ----------
    matrices : iterable of Tensor
        To be moved. Those of the same shape are orthogonalised as one batch.
    lr, weight_decay : float
        Rate, and decay of the weights relative to it.
    dtype : torch.dtype
        Of the products of matrices: bfloat16 only where the hardware multiplies it.

    References
    ----------
    Jordan et al. (2024), https://kellerjordan.github.io/posts/muon
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float, weight_decay: float, dtype: torch.dtype) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})
        self.dtype = dtype

    @override
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            moved = [matrix for matrix in group["params"] if matrix.grad is not None]
            for shape in dict.fromkeys(matrix.shape for matrix in moved):
                self._move([matrix for matrix in moved if matrix.shape == shape], group)

    def _move(self, matrices: list[Tensor], group: dict[str, Any]) -> None:
        """Move matrices of one shape."""
        gradients = [matrix.grad for matrix in matrices if matrix.grad is not None]
        for matrix in matrices:
            if not self.state[matrix]:
                self.state[matrix]["momentum_buffer"] = torch.zeros_like(matrix)
        momenta = [self.state[matrix]["momentum_buffer"] for matrix in matrices]
        torch._foreach_lerp_(momenta, gradients, 1.0 - MOMENTUM)
        ahead = torch._foreach_lerp(gradients, momenta, MOMENTUM)  # Nesterov
        steps = orthogonalised(torch.stack(ahead).to(self.dtype)).to(matrices[0].dtype)
        rows, columns = matrices[0].shape
        torch._foreach_mul_(matrices, 1.0 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(matrices, steps.unbind(), alpha=-group["lr"] * max(1.0, rows / columns) ** 0.5)


def orthogonalised(matrices: Tensor) -> Tensor:
    """Return about ``U Vᵀ`` of each matrix ``U S Vᵀ``, (k, m, n): small singular values fall short of 1."""
    if matrices.shape[-2] > matrices.shape[-1]:
        return orthogonalised(matrices.mT).mT
    x: Tensor = matrices / (torch.linalg.matrix_norm(matrices, keepdim=True) + 1e-7)
    a, b, c = POLYNOMIAL
    for _ in range(REPEATS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x
