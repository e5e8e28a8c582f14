"""Families of networks: of sines, of an encoding of the coordinates, of filters that are multiplied."""

from abc import abstractmethod
from itertools import pairwise
from typing import Any, override

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, linear

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
    return torch.sin(linear(h, omega_0 * layer.weight, omega_0 * layer.bias))


class EncodedNetwork(Network):
    """A multilayer perceptron of an encoding of the coordinates, with GELU: ReLU has no second derivative.

    Weights begin as in He et al. (2015), for activations that halve the variance; those of the last layer at zero, so
    that the height begins at its mean also where there are no tracks. ``width`` is that of the encoding, ``features``
    that of the hidden layers.

    References
    ----------
    He et al. (2015), arXiv:1502.01852; GELU: Hendrycks & Gimpel (2016), arXiv:1606.08415
    """

    def __init__(self, width: int, features: int, layers: int, generator: torch.Generator | None) -> None:
        super().__init__()
        stack = [nn.Linear(a, b) for a, b in pairwise([width, *[features] * layers, 1])]
        self.layers, self.last = nn.ModuleList(stack[:-1]), stack[-1]
        for layer in stack:
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.last.weight)

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """Return the encoding of x (n, d), in its own precision: (n, width)."""

    @override
    def features(self, x: Tensor) -> Tensor:
        with own_precision(x):
            h = self.encode(x)  # (n, width)
        for layer in self.layers:
            h = gelu(layer(h))  # (n, features)
        return h

    @override
    def hidden_matrices(self) -> list[nn.Parameter]:
        return [layer.weight for layer in self.layers]  # type: ignore[misc]


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
