"""Multiresolution hash grid: features on lattices of several spacings, interpolated, and a small perceptron of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import override

import torch
from torch import Tensor, nn

from xinr.methods.neural.architectures.families import EncodedNetwork
from xinr.methods.neural.architectures.hashed_splines import HashedSplines
from xinr.methods.neural.method import NeuralMethod


class HashGridNetwork(EncodedNetwork):
    """A small perceptron of features at ``levels`` spacings: 1, 1/2, 1/4 ..."""

    name = "hashgrid"

    def __init__(
        self,
        dimension: int,
        features: int,
        layers: int,
        levels: int,
        level_features: int,
        rows: int,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(levels * level_features, features, layers, generator)
        tables = (HashedSplines(dimension, level_features, rows, generator) for _ in range(levels))
        self.tables = nn.ModuleList(tables)

    @override
    def encode(self, x: Tensor) -> Tensor:
        return torch.cat([table(2.0**level * x) for level, table in enumerate(self.tables)], dim=1)


@dataclass(frozen=True, kw_only=True)
class HashGrid(NeuralMethod):
    """Multiresolution hash encoding with a small perceptron.

    Features on lattices of ``length_scale`` [km] by ``time_scale`` [days], of half of both, a quarter ..., interpolated
    by cubic B-splines: 64 points for each level on the plane, 256 on the sphere, which has four coordinates.

    Parameters
    ----------
    levels, level_features : int
        Lattices, and features at each of their points.
    rows : int
        Of each level's table, shared by the points of its lattice.
    **settings
        Those of `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Müller et al. (2022), doi:10.1145/3528223.3530127, arXiv:2201.05989
    """

    network_class = HashGridNetwork

    frame: str = "plane"
    length_scale: float = 600.0
    time_scale: float = 60.0
    hidden_features: int = 128
    hidden_layers: int = 2
    learning_rate: float = 2e-2
    levels: int = 3
    level_features: int = 16
    rows: int = 2**14
