"""Multiplicative filter network of Gabor wavelets."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import override

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from xinr._typing import Array
from xinr.methods.neural.architectures.families import FilterNetwork
from xinr.methods.neural.architectures.initialisation import half_ranges, uniform, wavelet_centres
from xinr.methods.neural.method import NeuralMethod


class GaborFilterNetwork(FilterNetwork):
    """Filters ``sin(ω x + φ) exp(-γ |x - μ|² / 2)``: products of them are wavelets, too.

    γ has the exponential distribution of mean 1, so that its sum over the filters is of Gamma's, of shape
    ``layers + 1`` (6 in the paper); ω is drawn as by `FourierFilterNetwork`, times ``omega_0 √γ``; μ lies within
    ``half_width`` and ``half_period``. Envelopes take more of the variance than sines alone, the more the wider the
    region is: W_k are the larger for it.
    """

    name = "gabormfn"

    def __init__(
        self,
        dimension: int,
        features: int,
        layers: int,
        omega_0: float,
        half_width: float,
        half_period: float,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(features, layers, generator)
        filters, bound = layers + 1, (6 / (layers + 1)) ** 0.5
        root = torch.empty(filters, features).exponential_(generator=generator).sqrt()
        self.root_gamma = nn.Parameter(root)  # γ itself could be trained below zero
        self.omega = nn.Parameter(
            omega_0 * bound * root[:, :, None] * uniform(1.0, generator, filters, features, dimension)
        )
        self.phase = nn.Parameter(pi * uniform(1.0, generator, filters, features))
        mu = wavelet_centres(filters * features, dimension, half_width, half_period, generator)
        self.mu = nn.Parameter(mu.reshape(filters, features, dimension))
        self._keep_variance(wavelet_centres(1000, dimension, half_width, half_period, generator))

    @classmethod
    @override
    def extent(cls, half_extent: Array) -> dict[str, float]:
        return half_ranges(half_extent)

    @override
    def filter(self, k: int, x: Tensor) -> Tensor:
        wave = torch.sin(linear(x, self.omega[k], self.phase[k]))
        # -γ/2 |x - μ|² by two products of matrices, without an array (n, features, d).
        gamma, mu = (self.root_gamma[k] ** 2)[:, None], self.mu[k]  # (features, 1), (features, d)
        exponent = linear(x, gamma * mu, -0.5 * (gamma * mu**2).sum(dim=1)) + linear(
            x * x, (-0.5 * gamma).expand_as(mu)
        )
        return wave * torch.exp(exponent)

    @torch.no_grad()
    def _keep_variance(self, x: Tensor) -> None:
        for k, layer in enumerate(self.layers, start=1):
            layer.weight *= (0.5 / (self.filter(k, x) ** 2).mean()) ** 0.5  # type: ignore[operator]


@dataclass(frozen=True, kw_only=True)
class GaborMFN(NeuralMethod):
    """Multiplicative filter network of Gabor wavelets.

    Filters begin with envelopes of about ``length_scale`` [km] and ``time_scale`` [days], their products with waves of
    about the spectrum of ``exp(-omega_0² (Δr²/length_scale² + Δt²/time_scale²))``; centres lie all over the data.

    Parameters
    ----------
    omega_0 : float
        How many times shorter the waves are than the envelopes.
    **settings
        Those of `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Fathony et al. (2021), Multiplicative filter networks, https://openreview.net/forum?id=OmtmcPkkhT
    """

    network_class = GaborFilterNetwork

    frame: str = "plane"  # of centres in a cube about a piece of the sphere, few would lie on it
    length_scale: float = 900.0
    time_scale: float = 120.0
    learning_rate: float = 1e-1
    omega_0: float = 4.0
