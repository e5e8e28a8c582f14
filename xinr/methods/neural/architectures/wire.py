"""WIRE: a multilayer perceptron with complex weights and complex Gabor wavelets as activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import override

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from xinr._typing import Array
from xinr.methods.neural.architectures.initialisation import half_ranges, uniform, wavelet_centres
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.network import Network, own_precision


class WireNetwork(Network):
    """Layers ``ψ(W h + b)`` with ``ψ(z) = exp(i ω₀ z - s₀² |z|²)``; the height is the real part of a linear function.

    Complex numbers stand as their two real parts. Weights begin as in the authors' code, both parts drawn from
    ``±1/√fan_in``, those of the height at zero; the first layer is real. There a wavelet vanishes away from the plane
    ``W x + b = 0``, which goes through a point drawn within ``half_width`` and ``half_period``.
    """

    name = "wire"

    def __init__(
        self,
        dimension: int,
        features: int,
        layers: int,
        omega_0: float,
        s_0: float,
        half_width: float,
        half_period: float,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.omega_0, self.s_0 = omega_0, s_0
        self.first = nn.Parameter(uniform(dimension**-0.5, generator, features, dimension))
        through = wavelet_centres(features, dimension, half_width, half_period, generator)
        self.first_bias = nn.Parameter(-(self.first.detach() * through).sum(dim=1))
        bound, square = features**-0.5, (features, features)
        self.real = nn.ParameterList(uniform(bound, generator, *square) for _ in range(layers))
        self.imaginary = nn.ParameterList(uniform(bound, generator, *square) for _ in range(layers))
        self.bias = nn.Parameter(uniform(bound, generator, layers, 2, features))
        self.last = nn.Linear(2 * features, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    @classmethod
    @override
    def extent(cls, half_extent: Array) -> dict[str, float]:
        return half_ranges(half_extent)

    @override
    def features(self, x: Tensor) -> Tensor:
        with own_precision(x):
            z = linear(x, self.first, self.first_bias)  # (n, features)
            a, b = self._wavelet(z, 0.0 * z)  # the real and the imaginary part of h, each (n, features)
        for p, q, bias in zip(self.real, self.imaginary, self.bias, strict=True):
            # (p + iq)(a + ib)
            a, b = self._wavelet(linear(a, p, bias[0]) - linear(b, q), linear(a, q, bias[1]) + linear(b, p))
        return torch.cat([a, b], dim=1)

    @override
    def hidden_matrices(self) -> list[nn.Parameter]:
        return [*self.real, *self.imaginary]

    def _wavelet(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        size = torch.exp(-self.omega_0 * b - self.s_0**2 * (a * a + b * b))
        return size * torch.cos(self.omega_0 * a), size * torch.sin(self.omega_0 * a)


@dataclass(frozen=True, kw_only=True)
class Wire(NeuralMethod):
    """Network of wavelets.

    Wavelets of the first layer have up to about ``omega_0 / length_scale`` [rad/km] and ``omega_0 / time_scale``
    [rad/day], and are about ``length_scale / s_0`` and ``time_scale / s_0`` wide.

    Parameters
    ----------
    omega_0 : float
        Frequency of the wavelets.
    s_0 : float
        Inverse width of their envelopes: not below ``omega_0 / 2``, where activations could exceed e.
    hidden_features : int
        Complex ones: with half as many as another network, a layer costs the same.
    **settings
        Those of `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Saragadam et al. (2023), arXiv:2301.05187
    """

    network_class = WireNetwork

    frame: str = "plane"  # of centres in a cube about a piece of the sphere, few would lie on it
    length_scale: float = 3000.0
    time_scale: float = 300.0
    hidden_features: int = 128
    learning_rate: float = 1e-2
    omega_0: float = 4.0
    s_0: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.s_0 < self.omega_0 / 2:
            raise ValueError(
                f"s_0 = {self.s_0:g} lets activations grow to exp((omega_0 / s_0)² / 4): expected at least half of "
                f"omega_0 = {self.omega_0:g}."
            )
