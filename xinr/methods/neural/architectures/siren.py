"""SIREN: a multilayer perceptron with sine activations, as a function of position and time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, override

import torch
from torch import Tensor, nn

from xinr._typing import Array
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.network import Network
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.settings import check_positive


class SirenNetwork(Network):
    """``W_L sin(ω₀ (W_{L-1} ... sin(ω₀ (W_0 x + b_0))) + b_L``, initialised as in section 3.2 of the paper."""

    def __init__(
        self, dimension: int, features: int, layers: int, omega_0: float, generator: torch.Generator | None = None
    ) -> None:
        super().__init__(dimension=dimension, features=features, layers=layers, omega_0=omega_0)
        stack = [nn.Linear(a, b) for a, b in pairwise([dimension, *[features] * (layers + 1), 1])]
        self.layers, self.last = nn.ModuleList(stack[:-1]), stack[-1]
        self.omega_0 = omega_0
        for depth, layer in enumerate(stack):
            fan_in = layer.in_features
            bound = 1.0 / fan_in if depth == 0 else (6.0 / fan_in) ** 0.5 / omega_0
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -(fan_in**-0.5), fan_in**-0.5, generator=generator)

    @override
    def features(self, x: Tensor) -> Tensor:
        first, *hidden = self.layers
        with torch.autocast(x.device.type, enabled=False):  # phases of many radians need more than bfloat16's 8 bits
            h = self._sine(first, x)  # (n, features)
        for layer in hidden:
            h = self._sine(layer, h)  # (n, features)
        return h

    @override
    def hidden_matrices(self) -> list[nn.Parameter]:
        return [layer.weight for layer in self.layers[1:]]  # type: ignore[misc]

    def _sine(self, layer: Any, h: Tensor) -> Tensor:
        # The factor goes to the weights, not to the n activations: a fifth of a training step.
        return torch.sin(nn.functional.linear(h, self.omega_0 * layer.weight, self.omega_0 * layer.bias))


class SirenPredictor(NeuralPredictor):
    """A trained `SirenNetwork`."""

    kind = "siren"
    network_class = SirenNetwork


@dataclass(frozen=True, kw_only=True)
class Siren(NeuralMethod):
    """Network with periodic activations.

    ``omega_0 / length_scale`` [rad/km] and ``omega_0 / time_scale`` [rad/day] set the bandwidth of its first layer.

    Parameters
    ----------
    omega_0 : float
        Frequency factor of the sine layers.
    length_scale, time_scale, hidden_features, hidden_layers, steps, batch_size, learning_rate, weight_decay, \
    optimizer, precision, withheld_passes, patience, members, penalty, checkpoint, device, seed
        See `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Sitzmann et al. (2020), arXiv:2006.09661
    """

    predictor: ClassVar[type[NeuralPredictor]] = SirenPredictor

    length_scale: float = 900.0
    time_scale: float = 200.0
    omega_0: float = 14.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(omega_0=self.omega_0)

    @override
    def network(self, half_extent: Array, generator: torch.Generator) -> SirenNetwork:
        return SirenNetwork(len(half_extent), self.hidden_features, self.hidden_layers, self.omega_0, generator)
