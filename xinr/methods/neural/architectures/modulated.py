"""Modulated SIREN: its sines are multiplied by functions of a code that is learned for each place and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, override

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from xinr._typing import Array
from xinr.methods.neural.architectures.hashgrid import HashedSplines
from xinr.methods.neural.architectures.siren import Siren, SirenNetwork
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.settings import check_positive

#: gelu(UNITY) = 1: with modulators of zero weights and this bias the network is a SIREN.
UNITY = 1.1444507


class ModulatedSirenNetwork(SirenNetwork):
    """``h_k = m_k sin(ω₀ (W_k h_{k-1} + b_k))`` with ``m_k = gelu(V_k [m_{k-1}, z(x)] + c_k)``, z the local code.

    In the paper each tile of the domain has its code; here codes are features of a lattice, interpolated by cubic
    B-splines, so that the field is smooth. GELU stands in place of ReLU for the same reason.
    """

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
        self.architecture |= {"codes": codes, "tiles": tiles, "rows": rows}
        self.tiles = tiles
        self.code = HashedSplines(dimension, codes, rows, generator)
        modulators = [nn.Linear(width + codes, features) for width in [0, *[features] * layers]]
        self.modulators = nn.ModuleList(modulators)
        for modulator in modulators:
            bound = 0.1 * modulator.in_features**-0.5
            nn.init.uniform_(modulator.weight, -bound, bound, generator=generator)
            nn.init.constant_(modulator.bias, UNITY)

    @override
    def features(self, x: Tensor) -> Tensor:
        first, *hidden = self.layers
        modulator, *modulators = self.modulators
        with torch.autocast(x.device.type, enabled=False):  # phases of many radians need more than bfloat16's 8 bits
            code = self.code(self.tiles * x)  # (n, codes)
            h = self._sine(first, x)  # (n, features)
        m = gelu(modulator(code))  # (n, features)
        h = m * h
        for layer, modulator in zip(hidden, modulators, strict=True):
            m = gelu(modulator(torch.cat([m, code], dim=1)))
            h = m * self._sine(layer, h)
        return h

    @override
    def hidden_matrices(self) -> list[nn.Parameter]:
        return [*super().hidden_matrices(), *(modulator.weight for modulator in self.modulators)]  # type: ignore[list-item]


class ModulatedSirenPredictor(NeuralPredictor):
    """A trained `ModulatedSirenNetwork`."""

    kind = "modulatedsiren"
    network_class = ModulatedSirenNetwork


@dataclass(frozen=True, kw_only=True)
class ModulatedSiren(Siren):
    """SIREN modulated by local codes.

    The codes stand on a lattice of ``length_scale / tiles`` [km] by ``time_scale / tiles`` [days].

    Parameters
    ----------
    codes : int
        Numbers of a code.
    tiles : float
        Codes for each ``length_scale`` and each ``time_scale``.
    rows : int
        Of the table that they share: see `xinr.methods.neural.architectures.hashgrid.HashGrid`.
    omega_0, length_scale, time_scale, hidden_features, hidden_layers, steps, batch_size, learning_rate, \
    weight_decay, optimizer, precision, withheld_passes, patience, members, penalty, checkpoint, device, seed
        See `xinr.methods.neural.architectures.siren.Siren`.

    References
    ----------
    Mehta et al. (2021), arXiv:2104.03960
    """

    predictor: ClassVar[type[NeuralPredictor]] = ModulatedSirenPredictor

    frame: str = "plane"
    codes: int = 16
    tiles: float = 8.0
    rows: int = 2**12

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(codes=self.codes, tiles=self.tiles, rows=self.rows)

    @override
    def network(self, half_extent: Array, generator: torch.Generator) -> ModulatedSirenNetwork:
        sizes = len(half_extent), self.hidden_features, self.hidden_layers
        return ModulatedSirenNetwork(*sizes, self.omega_0, self.codes, self.tiles, self.rows, generator)
