"""Multiplicative filter network of sines: a sum of a great many plane waves."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import override

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from xinr.methods.neural.architectures.families import FilterNetwork
from xinr.methods.neural.architectures.initialisation import uniform
from xinr.methods.neural.method import NeuralMethod


class FourierFilterNetwork(FilterNetwork):
    """Filters ``sin(ω x + φ)``: the network is a sum of plane waves, each of ± the sum of one ω of each filter.

    The ω are drawn evenly with variance ``2 / filters``, so that those sums have variance 2 along each coordinate:
    about the spectrum of the covariance ``exp(-r²)``.
    """

    name = "fouriermfn"

    def __init__(self, dimension: int, features: int, layers: int, generator: torch.Generator | None = None) -> None:
        super().__init__(features, layers, generator)
        filters, bound = layers + 1, (6 / (layers + 1)) ** 0.5
        self.omega = nn.Parameter(bound * uniform(1.0, generator, filters, features, dimension))
        self.phase = nn.Parameter(pi * uniform(1.0, generator, filters, features))

    @override
    def filter(self, k: int, x: Tensor) -> Tensor:
        return torch.sin(linear(x, self.omega[k], self.phase[k]))


@dataclass(frozen=True, kw_only=True)
class FourierMFN(NeuralMethod):
    """Multiplicative filter network of sines: a sum of plane waves, of a great many.

    Its waves begin with about the spectrum of the covariance ``exp(-Δr²/length_scale² - Δt²/time_scale²)``; training
    moves them. Its settings are those of `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Fathony et al. (2021), Multiplicative filter networks, https://openreview.net/forum?id=OmtmcPkkhT
    """

    network_class = FourierFilterNetwork

    length_scale: float = 300.0
    time_scale: float = 30.0
    learning_rate: float = 1e-1
