"""Fourier features: random waves of position and time, and a multilayer perceptron of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import override

import torch
from torch import Tensor

from xinr.methods.neural.architectures.families import EncodedNetwork
from xinr.methods.neural.method import NeuralMethod


class FourierNetwork(EncodedNetwork):
    """A multilayer perceptron of ``√2 sin(k_j x)`` and ``√2 cos(k_j x)``, with random k_j that stay as drawn.

    The k_j are normal with variance 2 along each coordinate: the spectrum of the covariance ``exp(-r²)`` (Rahimi &
    Recht 2007).
    """

    name = "fourier"

    def __init__(
        self, dimension: int, features: int, layers: int, waves: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__(2 * waves, features, layers, generator)
        self.wavenumber: Tensor
        self.register_buffer("wavenumber", 2**0.5 * torch.randn(waves, dimension, generator=generator))

    @override
    def encode(self, x: Tensor) -> Tensor:
        phase = torch.nn.functional.linear(x, self.wavenumber)  # (n, waves)
        return 2**0.5 * torch.cat([torch.sin(phase), torch.cos(phase)], dim=1)  # (n, 2 waves), of variance 1


@dataclass(frozen=True, kw_only=True)
class Fourier(NeuralMethod):
    """Network of random Fourier features.

    Its waves are drawn from the spectrum of the covariance ``exp(-Δr²/length_scale² - Δt²/time_scale²)``: wavenumbers
    normal with standard deviation ``√2 / length_scale`` [rad/km] along each axis, frequencies with
    ``√2 / time_scale`` [rad/day]. The perceptron makes shorter waves of their products: give it scales longer than
    those of the signal.

    Parameters
    ----------
    waves : int
        Random waves, each with its sine and its cosine.
    **settings
        Those of `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Tancik et al. (2020), arXiv:2006.10739; Rahimi & Recht (2007), Random features for large-scale kernel machines;
    initialisation: `xinr.methods.neural.architectures.families`
    """

    network_class = FourierNetwork

    length_scale: float = 300.0
    time_scale: float = 30.0
    learning_rate: float = 2e-2
    weight_decay: float = 0.2
    waves: int = 128
