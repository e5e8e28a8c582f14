"""FINER: a SIREN whose sines oscillate the faster the farther their input is from zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, override

import torch
from torch import Tensor, nn

from xinr.methods.neural.architectures.families import SineNetwork
from xinr.methods.neural.method import NeuralMethod

#: Within which |z| is rounded off, so that second derivatives exist: well below the 1 / omega_0 of hidden layers.
ROUNDING = 0.03


class FinerNetwork(SineNetwork):
    """A SIREN with the activation ``sin(ω₀ (|z| + 1) z)``, its first biases drawn from ``±first_bias``.

    In place of |z| stands ``z tanh(z / ROUNDING)``: the authors' has a kink at zero, where no Laplacian exists.
    """

    name = "finer"

    def __init__(
        self,
        dimension: int,
        features: int,
        layers: int,
        omega_0: float,
        first_bias: float,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(dimension, features, layers, omega_0, generator)
        nn.init.uniform_(self.layers[0].bias, -first_bias, first_bias, generator=generator)  # type: ignore[arg-type]

    @override
    def activated(self, layer: Any, h: Tensor) -> Tensor:
        z = layer(h)
        return torch.sin(self.omega_0 * (z * torch.tanh(z / ROUNDING) + 1.0) * z)


@dataclass(frozen=True, kw_only=True)
class Finer(NeuralMethod):
    """Network with periodic activations of variable period.

    A sine of the first layer with the bias b oscillates with up to ``omega_0 (2 |b| + 1) / length_scale`` [rad/km] and
    ``omega_0 (2 |b| + 1) / time_scale`` [rad/day] mid-domain; ``first_bias`` is how large b may be. Frequencies grow
    with the distance from there: in a domain of several length scales the field is rougher at its edges.

    Parameters
    ----------
    omega_0 : float
        Frequency factor of the sine layers.
    first_bias : float
        Largest bias of the first layer, in units of the scales.
    **settings
        Those of `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Liu et al. (2024), arXiv:2312.02434
    """

    network_class = FinerNetwork

    length_scale: float = 900.0
    time_scale: float = 200.0
    omega_0: float = 8.0
    first_bias: float = 0.5
