"""Fourier features: random waves of position and time, and a multilayer perceptron of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from xinr.methods.base import check_positive
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.network import Network
from xinr.methods.neural.predictor import NeuralPredictor


class FourierNetwork(Network):
    """A multilayer perceptron of ``√2 sin(k_j x)`` and ``√2 cos(k_j x)``, with random k_j that stay as drawn.

    The k_j are normal with variance 2 along each coordinate: the spectrum of the covariance ``exp(-r²)`` (Rahimi &
    Recht 2007). Weights begin as in He et al. (2015), for activations that halve the variance.
    """

    def __init__(
        self, dimension: int, waves: int, features: int, layers: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__(dimension=dimension, waves=waves, features=features, layers=layers)
        self.wavenumber: Tensor
        self.register_buffer("wavenumber", 2**0.5 * torch.randn(waves, dimension, generator=generator))
        stack = [nn.Linear(a, b) for a, b in pairwise([2 * waves, *[features] * layers, 1])]
        self.layers = nn.ModuleList(stack)
        for layer in stack:
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(stack[-1].weight)  # from zero, the mean height: what no track sees is not left to chance

    def forward(self, x: Tensor) -> Tensor:  # (n, d) -> (n,)
        """Evaluate the network."""
        with torch.autocast(x.device.type, enabled=False):  # phases of many radians need more than bfloat16's 8 bits
            phase = x @ self.wavenumber.T  # (n, waves)
            h = 2**0.5 * torch.cat([torch.sin(phase), torch.cos(phase)], dim=1)  # (n, 2 waves), of variance 1
        *hidden, last = self.layers
        for layer in hidden:
            h = nn.functional.gelu(layer(h))  # (n, features)
        height: Tensor = last(h).squeeze(-1)
        return height

    def hidden_matrices(self) -> list[nn.Parameter]:
        """See `Network.hidden_matrices`."""
        return [layer.weight for layer in self.layers[:-1]]  # type: ignore[misc]


class FourierPredictor(NeuralPredictor):
    """A trained `FourierNetwork`."""

    kind = "fourier"
    network_class = FourierNetwork


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
    length_scale, time_scale, hidden_features, hidden_layers, steps, batch_size, learning_rate, weight_decay, \
    optimizer, precision, withheld_passes, patience, device, seed
        See `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Tancik et al. (2020), arXiv:2006.10739; Rahimi & Recht (2007), Random features for large-scale kernel machines;
    He et al. (2015), arXiv:1502.01852; GELU: Hendrycks & Gimpel (2016), arXiv:1606.08415
    """

    predictor: ClassVar[type[NeuralPredictor]] = FourierPredictor

    length_scale: float = 300.0
    time_scale: float = 30.0
    batch_size: int = 1024  # the noise of small batches regularises: four times as many cost a tenth of the rmse
    learning_rate: float = 2e-2
    waves: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(waves=self.waves)

    def network(self, dimension: int, generator: torch.Generator) -> FourierNetwork:
        """See `NeuralMethod.network`."""
        return FourierNetwork(dimension, self.waves, self.hidden_features, self.hidden_layers, generator)
