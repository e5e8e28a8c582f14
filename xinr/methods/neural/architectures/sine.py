"""Networks of sines of linear functions of sines."""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise
from typing import Any, override

import torch
from torch import Tensor, nn

from xinr.methods.neural.network import Network, own_precision


class SineNetwork(Network):
    """A multilayer perceptron with periodic activations, initialised as SIREN is.

    References
    ----------
    Sitzmann et al. (2020), arXiv:2006.09661, section 3.2
    """

    def __init__(
        self, dimension: int, features: int, layers: int, omega_0: float, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        stack = [nn.Linear(a, b) for a, b in pairwise([dimension, *[features] * (layers + 1), 1])]
        self.layers, self.last = nn.ModuleList(stack[:-1]), stack[-1]
        self.omega_0 = omega_0
        for depth, layer in enumerate(stack):
            fan_in = layer.in_features
            bound = 1.0 / fan_in if depth == 0 else (6.0 / fan_in) ** 0.5 / omega_0
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -(fan_in**-0.5), fan_in**-0.5, generator=generator)

    @abstractmethod
    def activated(self, layer: Any, h: Tensor) -> Tensor:
        """Return the activations of a layer, (n, features), of its input h."""

    @override
    def features(self, x: Tensor) -> Tensor:
        first, *hidden = self.layers
        with own_precision(x):
            h = self.activated(first, x)  # (n, features)
        for layer in hidden:
            h = self.activated(layer, h)  # (n, features)
        return h

    @override
    def hidden_matrices(self) -> list[nn.Parameter]:
        return [layer.weight for layer in self.layers[1:]]  # type: ignore[misc]


def scaled_sine(omega_0: float, layer: Any, h: Tensor) -> Tensor:
    """Return ``sin(ω₀ (W h + b))``; the factor goes to the weights, not to the n activations: a fifth of a step."""
    return torch.sin(nn.functional.linear(h, omega_0 * layer.weight, omega_0 * layer.bias))
