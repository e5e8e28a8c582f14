"""Multiplicative filter networks: products of waves, or of wavelets, mixed between one factor and the next."""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise
from typing import override

import torch
from torch import Tensor, nn

from xinr.methods.neural.network import Network, own_precision


class FilterNetwork(Network):
    """``h_0 = g_0(x)``, ``h_k = (W_k h_{k-1} + b_k) g_k(x)``, and a linear function of the last h: no other activation.

    The ``layers + 1`` filters g_k are of the subclass, and so is all the frequency content. Entries of W_k are drawn
    from ``±√(c / features)`` as in the paper, with c = 6: a sine of random phase halves the variance of what it
    multiplies. The height begins at its mean.
    """

    def __init__(self, features: int, layers: int, generator: torch.Generator | None) -> None:
        super().__init__()
        stack = [nn.Linear(a, b) for a, b in pairwise([*[features] * (layers + 1), 1])]
        self.layers, self.last, bound = nn.ModuleList(stack[:-1]), stack[-1], (6 / features) ** 0.5
        for layer in stack:
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.last.weight)

    @abstractmethod
    def filter(self, k: int, x: Tensor) -> Tensor:
        """Return the filters g_k at x (n, d), in its own precision: (n, features)."""

    @override
    def features(self, x: Tensor) -> Tensor:
        with own_precision(x):
            first, *filters = (self.filter(k, x) for k in range(len(self.layers) + 1))
        h = first  # (n, features)
        for layer, g in zip(self.layers, filters, strict=True):
            h = layer(h) * g  # (n, features)
        return h

    @override
    def hidden_matrices(self) -> list[nn.Parameter]:
        return [layer.weight for layer in self.layers]  # type: ignore[misc]
