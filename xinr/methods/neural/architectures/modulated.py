"""Modulated SIREN: its sines are multiplied by functions of a code that is learned for each position and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, override

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from xinr.methods.neural.architectures.families import SineNetwork, scaled_sine
from xinr.methods.neural.architectures.hashed_splines import HashedSplines
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.network import own_precision

#: gelu(UNITY) = 1: with modulators of zero weights and this bias the network is a SIREN.
UNITY = 1.1444507


class ModulatedSirenNetwork(SineNetwork):
    """``h_k = m_k sin(ω₀ (W_k h_{k-1} + b_k))`` with ``m_k = gelu(V_k [m_{k-1}, z(x)] + c_k)``, z the local code.

    In the paper each tile of the domain has its code; here codes are features of a lattice, interpolated by cubic
    B-splines, so that the field is smooth. GELU stands in place of ReLU for the same reason.
    """

    name = "modulatedsiren"

    def __init__(
        self,
        dimension: int,
        features: int,
        layers: int,
        omega_0: float,
        codes: int,
        tiles: float,
        rows: int,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(dimension, features, layers, omega_0, generator)
        self.tiles = tiles
        self.code = HashedSplines(dimension, codes, rows, generator)
        modulators = [nn.Linear(width + codes, features) for width in [0, *[features] * layers]]
        self.modulators = nn.ModuleList(modulators)
        for modulator in modulators:
            bound = 0.1 * modulator.in_features**-0.5
            nn.init.uniform_(modulator.weight, -bound, bound, generator=generator)
            nn.init.constant_(modulator.bias, UNITY)

    @override
    def activated(self, layer: Any, h: Tensor) -> Tensor:
        return scaled_sine(self.omega_0, layer, h)

    @override
    def features(self, x: Tensor) -> Tensor:
        first, *hidden = self.layers
        modulator, *modulators = self.modulators
        with own_precision(x):
            code = self.code(self.tiles * x)  # (n, codes)
            h = self.activated(first, x)  # (n, features)
        m = gelu(modulator(code))  # (n, features)
        h = m * h
        for layer, modulator in zip(hidden, modulators, strict=True):
            m = gelu(modulator(torch.cat([m, code], dim=1)))
            h = m * self.activated(layer, h)
        return h

    @override
    def hidden_matrices(self) -> list[nn.Parameter]:
        return [*super().hidden_matrices(), *(modulator.weight for modulator in self.modulators)]  # type: ignore[list-item]


@dataclass(frozen=True, kw_only=True)
class ModulatedSiren(NeuralMethod):
    """SIREN modulated by local codes.

    The codes stand on a lattice of ``length_scale / tiles`` [km] by ``time_scale / tiles`` [days].

    Parameters
    ----------
    omega_0 : float
        Frequency factor of the sine layers.
    codes : int
        Numbers of a code.
    tiles : float
        Codes for each ``length_scale`` and each ``time_scale``.
    rows : int
        Of the table that they share: see `xinr.methods.neural.architectures.hashgrid.HashGrid`.
    **settings
        Those of `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Mehta et al. (2021), arXiv:2104.03960
    """

    network_class = ModulatedSirenNetwork

    frame: str = "plane"
    length_scale: float = 900.0
    time_scale: float = 200.0
    omega_0: float = 14.0
    codes: int = 16
    tiles: float = 8.0
    rows: int = 2**12
