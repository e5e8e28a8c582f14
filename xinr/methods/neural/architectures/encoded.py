"""Networks of an encoding of the coordinates: a multilayer perceptron of it."""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise
from typing import override

import torch
from torch import Tensor, nn

from xinr.methods.neural.network import Network, own_precision


class EncodedNetwork(Network):
    """A multilayer perceptron of an encoding of the coordinates, with GELU: ReLU has no second derivative.

    Weights begin as in He et al. (2015), for activations that halve the variance; those of the last layer at zero, so
    that the height begins at its mean also where there are no tracks.

    Parameters
    ----------
    width : int
        Of the encoding.
    features, layers : int
        Width and number of the hidden layers.
    generator : torch.Generator or None
        Of the first weights.

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
            h = nn.functional.gelu(layer(h))  # (n, features)
        return h

    @override
    def hidden_matrices(self) -> list[nn.Parameter]:
        return [layer.weight for layer in self.layers]  # type: ignore[misc]
