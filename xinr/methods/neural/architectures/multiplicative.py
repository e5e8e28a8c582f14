"""Multiplicative filter networks: products of waves, or of wavelets, mixed between one factor and the next."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from math import pi
from typing import ClassVar, override

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from xinr._typing import Array
from xinr.methods.neural.architectures.local import centres
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.network import Network
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.settings import check_positive


class FilterNetwork(Network):
    """``h_0 = g_0(x)``, ``h_k = (W_k h_{k-1} + b_k) g_k(x)``, and a linear function of the last h: no other activation.

    The ``layers + 1`` filters g_k are of the subclass, and so is all the frequency content. Entries of W_k are drawn
    from ``±√(c / features)`` as in the paper, with c = 6: a sine of random phase halves the variance of what it
    multiplies. The height begins at its mean.
    """

    def __init__(self, features: int, layers: int, generator: torch.Generator | None, **architecture: float) -> None:
        super().__init__(features=features, layers=layers, **architecture)
        stack = [nn.Linear(a, b) for a, b in pairwise([*[features] * (layers + 1), 1])]
        self.layers, self.last, bound = nn.ModuleList(stack[:-1]), stack[-1], (6 / features) ** 0.5
        for layer in stack:
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.last.weight)

    @abstractmethod
    def filter(self, k: int, x: Tensor) -> Tensor:
        """Return the filters g_k at x (n, d), in its own precision: (n, features)."""

    @override
    def features(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # phases of many radians need more than bfloat16's 8 bits
            first, *filters = (self.filter(k, x) for k in range(len(self.layers) + 1))
        h = first  # (n, features)
        for layer, g in zip(self.layers, filters, strict=True):
            h = layer(h) * g  # (n, features)
        return h

    @override
    def hidden_matrices(self) -> list[nn.Parameter]:
        return [layer.weight for layer in self.layers]  # type: ignore[misc]


class FourierFilterNetwork(FilterNetwork):
    """Filters ``sin(ω x + φ)``: the network is a sum of plane waves, each of ± the sum of one ω of each filter.

    The ω are drawn evenly with variance ``2 / filters``, so that those sums have variance 2 along each coordinate:
    about the spectrum of the covariance ``exp(-r²)``.
    """

    def __init__(self, dimension: int, features: int, layers: int, generator: torch.Generator | None = None) -> None:
        super().__init__(features, layers, generator, dimension=dimension)
        filters, bound = layers + 1, (6 / (layers + 1)) ** 0.5
        self.omega = nn.Parameter(bound * _even(generator, filters, features, dimension))
        self.phase = nn.Parameter(pi * _even(generator, filters, features))

    @override
    def filter(self, k: int, x: Tensor) -> Tensor:
        return torch.sin(linear(x, self.omega[k], self.phase[k]))


class GaborFilterNetwork(FilterNetwork):
    """Filters ``sin(ω x + φ) exp(-γ |x - μ|² / 2)``: products of them are wavelets, too.

    γ has the exponential distribution of mean 1, so that its sum over the filters is of Gamma's, of shape
    ``layers + 1`` (6 in the paper); ω is drawn as by `FourierFilterNetwork`, times ``omega_0 √γ``; μ lies within
    ``half_width`` and ``half_period``. Envelopes take more of the variance than sines alone, the more the wider the
    region is: W_k are the larger for it.
    """

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
        reach = {"half_width": half_width, "half_period": half_period}
        super().__init__(features, layers, generator, dimension=dimension, omega_0=omega_0, **reach)
        filters, bound = layers + 1, (6 / (layers + 1)) ** 0.5
        root = torch.empty(filters, features).exponential_(generator=generator).sqrt()
        self.root_gamma = nn.Parameter(root)  # γ itself could be trained below zero
        self.omega = nn.Parameter(omega_0 * bound * root[:, :, None] * _even(generator, filters, features, dimension))
        self.phase = nn.Parameter(pi * _even(generator, filters, features))
        mu = centres(filters * features, dimension, half_width, half_period, generator)
        self.mu = nn.Parameter(mu.reshape(filters, features, dimension))
        self._keep_variance(centres(1000, dimension, half_width, half_period, generator))

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


class FourierMFNPredictor(NeuralPredictor):
    """A trained `FourierFilterNetwork`."""

    kind = "fouriermfn"
    network_class = FourierFilterNetwork


class GaborMFNPredictor(NeuralPredictor):
    """A trained `GaborFilterNetwork`."""

    kind = "gabormfn"
    network_class = GaborFilterNetwork


@dataclass(frozen=True, kw_only=True)
class FourierMFN(NeuralMethod):
    """Multiplicative filter network of sines: a sum of plane waves, of a great many.

    Its waves begin with about the spectrum of the covariance ``exp(-Δr²/length_scale² - Δt²/time_scale²)``; training
    moves them.

    Parameters
    ----------
    length_scale, time_scale, hidden_features, hidden_layers, steps, batch_size, learning_rate, weight_decay, \
    optimizer, precision, withheld_passes, patience, members, penalty, checkpoint, device, seed
        See `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Fathony et al. (2021), Multiplicative filter networks, https://openreview.net/forum?id=OmtmcPkkhT
    """

    predictor: ClassVar[type[NeuralPredictor]] = FourierMFNPredictor

    length_scale: float = 300.0
    time_scale: float = 30.0
    learning_rate: float = 1e-1

    @override
    def network(self, half_extent: Array, generator: torch.Generator) -> FourierFilterNetwork:
        return FourierFilterNetwork(len(half_extent), self.hidden_features, self.hidden_layers, generator)


@dataclass(frozen=True, kw_only=True)
class GaborMFN(NeuralMethod):
    """Multiplicative filter network of Gabor wavelets.

    Filters begin with envelopes of about ``length_scale`` [km] and ``time_scale`` [days], their products with waves of
    about the spectrum of ``exp(-omega_0² (Δr²/length_scale² + Δt²/time_scale²))``; centres lie all over the data.

    Parameters
    ----------
    omega_0 : float
        How many times shorter the waves are than the envelopes.
    length_scale, time_scale, hidden_features, hidden_layers, steps, batch_size, learning_rate, weight_decay, \
    optimizer, precision, withheld_passes, patience, members, penalty, checkpoint, device, seed
        See `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Fathony et al. (2021), Multiplicative filter networks, https://openreview.net/forum?id=OmtmcPkkhT
    """

    predictor: ClassVar[type[NeuralPredictor]] = GaborMFNPredictor

    frame: str = "plane"  # of centres in a cube about a piece of the sphere, few would lie on it
    length_scale: float = 900.0
    time_scale: float = 120.0
    learning_rate: float = 1e-1
    omega_0: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(omega_0=self.omega_0)

    @override
    def network(self, half_extent: Array, generator: torch.Generator) -> GaborFilterNetwork:
        sizes = len(half_extent), self.hidden_features, self.hidden_layers
        reach = float(half_extent[:-1].max()), float(half_extent[-1])
        return GaborFilterNetwork(*sizes, self.omega_0, *reach, generator)


def _even(generator: torch.Generator | None, *shape: int) -> Tensor:
    """Draw evenly from -1 to 1."""
    return nn.init.uniform_(torch.empty(shape), -1.0, 1.0, generator=generator)
