"""Positional encoding: waves along each axis, each half as long as the last, and a multilayer perceptron of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import ClassVar, override

import torch
from torch import Tensor

from xinr._typing import Array
from xinr.methods.neural.architectures.encoded import EncodedNetwork
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.settings import check_positive


class PositionalNetwork(EncodedNetwork):
    """A multilayer perceptron of x, ``√2 sin(2^j π x)`` and ``√2 cos(2^j π x)`` along each axis, j below ``octaves``.

    x itself comes first, as in the authors' code: all the waves have the longest one's period, and without it the field
    would repeat beyond.
    """

    def __init__(
        self, dimension: int, octaves: int, features: int, layers: int, generator: torch.Generator | None = None
    ) -> None:
        width = dimension * (1 + 2 * octaves)
        super().__init__(width, features, layers, generator, dimension=dimension, octaves=octaves)
        self.wavenumber: Tensor
        wavenumber = torch.kron(torch.eye(dimension), pi * 2.0 ** torch.arange(octaves)[:, None])
        self.register_buffer("wavenumber", wavenumber)  # (dimension octaves, dimension)

    @override
    def encode(self, x: Tensor) -> Tensor:
        phase = torch.nn.functional.linear(x, self.wavenumber)  # (n, dimension octaves)
        return torch.cat([x, 2**0.5 * torch.sin(phase), 2**0.5 * torch.cos(phase)], dim=1)


class PositionalPredictor(NeuralPredictor):
    """A trained `PositionalNetwork`."""

    kind = "positional"
    network_class = PositionalNetwork


@dataclass(frozen=True, kw_only=True)
class Positional(NeuralMethod):
    """Multilayer perceptron with the positional encoding of NeRF.

    Along each axis, waves of ``2 length_scale`` [km] and ``2 time_scale`` [days], and of half, a quarter ... of them.

    Parameters
    ----------
    octaves : int
        Waves along each axis, each with its sine and its cosine.
    length_scale, time_scale, hidden_features, hidden_layers, steps, batch_size, learning_rate, weight_decay, \
    optimizer, precision, withheld_passes, patience, members, penalty, checkpoint, device, seed
        See `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Mildenhall et al. (2020), arXiv:2003.08934, equation 4; initialisation: `xinr.methods.neural.architectures.encoded`
    """

    predictor: ClassVar[type[NeuralPredictor]] = PositionalPredictor

    length_scale: float = 900.0
    time_scale: float = 90.0
    learning_rate: float = 3e-2
    octaves: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(octaves=self.octaves)

    @override
    def network(self, half_extent: Array, generator: torch.Generator) -> PositionalNetwork:
        return PositionalNetwork(len(half_extent), self.octaves, self.hidden_features, self.hidden_layers, generator)
