"""SIREN: a multilayer perceptron with sine activations, as a function of position and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, override

from torch import Tensor

from xinr.methods.neural.architectures.families import SineNetwork, scaled_sine
from xinr.methods.neural.method import NeuralMethod


class SirenNetwork(SineNetwork):
    """``W_L sin(ω₀ (W_{L-1} ... sin(ω₀ (W_0 x + b_0))) + b_L``."""

    name = "siren"

    @override
    def activated(self, layer: Any, h: Tensor) -> Tensor:
        return scaled_sine(self.omega_0, layer, h)


@dataclass(frozen=True, kw_only=True)
class Siren(NeuralMethod):
    """Network with periodic activations.

    ``omega_0 / length_scale`` [rad/km] and ``omega_0 / time_scale`` [rad/day] set the bandwidth of its first layer.

    Parameters
    ----------
    omega_0 : float
        Frequency factor of the sine layers.
    **settings
        Those of `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Sitzmann et al. (2020), arXiv:2006.09661
    """

    network_class = SirenNetwork

    length_scale: float = 900.0
    time_scale: float = 200.0
    omega_0: float = 14.0
