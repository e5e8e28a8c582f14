"""Positional encoding: waves along each axis, each half as long as the last, and a multilayer perceptron of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import override

import torch
from torch import Tensor

from xinr.methods.neural.architectures.families import EncodedNetwork
from xinr.methods.neural.method import NeuralMethod


class PositionalNetwork(EncodedNetwork):
    """A multilayer perceptron of x, ``√2 sin(2^j π x)`` and ``√2 cos(2^j π x)`` along each axis, j below ``octaves``.

    x itself comes first, as in the authors' code: all the waves have the longest one's period, and without it the field
    would repeat beyond.
    """

    name = "positional"

    def __init__(
        self, dimension: int, features: int, layers: int, octaves: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__(dimension * (1 + 2 * octaves), features, layers, generator)
        self.wavenumber: Tensor
        wavenumber = torch.kron(torch.eye(dimension), pi * 2.0 ** torch.arange(octaves)[:, None])
        self.register_buffer("wavenumber", wavenumber)  # (dimension octaves, dimension)

    @override
    def encode(self, x: Tensor) -> Tensor:
        phase = torch.nn.functional.linear(x, self.wavenumber)  # (n, dimension octaves)
        return torch.cat([x, 2**0.5 * torch.sin(phase), 2**0.5 * torch.cos(phase)], dim=1)


@dataclass(frozen=True, kw_only=True)
class Positional(NeuralMethod):
    """Multilayer perceptron with the positional encoding of NeRF.

    Along each axis, waves of ``2 length_scale`` [km] and ``2 time_scale`` [days], and of half, a quarter ... of them.

    Parameters
    ----------
    octaves : int
        Waves along each axis, each with its sine and its cosine.
    **settings
        Those of `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Mildenhall et al. (2020), arXiv:2003.08934, equation 4; initialisation: `xinr.methods.neural.architectures.families`
    """

    network_class = PositionalNetwork

    length_scale: float = 900.0
    time_scale: float = 90.0
    learning_rate: float = 3e-2
    octaves: int = 2
