"""Multiresolution hash grid: features on lattices of several spacings, interpolated, and a small perceptron of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, override

import torch
from torch import Tensor, nn

from xinr._typing import Array
from xinr.methods.neural.architectures.encoded import EncodedNetwork
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.settings import check_positive

#: Of the hash, one an axis: those of the paper, and the next of the authors' code.
PRIMES = (1, 2654435761, 805459861, 3674653429)
#: Features are this many times the weights, which Adam moves by 1e-3 a step: by a tenth then, within some hundred steps
#: as far as they begin.
GAIN = 100.0
#: Sum of the squares of a cubic B-spline's weights along one axis, on average: by how much it shrinks a variance.
SHRINKAGE = 151 / 315


class HashedSplines(nn.Module):
    """Features at the points of a lattice, interpolated by cubic B-splines, (n, d) -> (n, features).

    The lattice has spacing 1 and no end: its points share the rows of a table by a hash of their numbers, so that no
    domain need be known. Linear interpolation, as in the paper, has slopes that jump and no Laplacian; smoothstep has
    slopes of zero at every point of the lattice. Cubic B-splines have two continuous derivatives, for 4 points an axis.

    Parameters
    ----------
    dimension, features : int
        Of x, and of what is interpolated.
    rows : int
        Of the table. Points that share a row are far apart as a rule.
    generator : torch.Generator or None
        Of the first features: even, of such a size that what is interpolated has variance 1. The paper's, ``±1e-4``,
        do not grow enough within some hundred steps.
    """

    def __init__(self, dimension: int, features: int, rows: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.primes, self.rows = PRIMES[:dimension], rows
        bound = 3**0.5 / SHRINKAGE ** (dimension / 2) / GAIN
        self.table = nn.Parameter(torch.empty(rows, features))
        nn.init.uniform_(self.table, -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Interpolate."""
        cell = torch.floor(x.detach())  # (n, d); its derivative is zero
        t = x - cell
        splines = torch.stack(
            [
                (1.0 - t) * (1.0 - t) * (1.0 - t),
                (3.0 * t - 6.0) * t * t + 4.0,
                ((3.0 - 3.0 * t) * t + 3.0) * t + 1.0,
                t * t * t,
            ],
            dim=2,
        )  # (n, d, 4), six times the four B-splines that are not zero
        points = cell.long()[:, :, None] + torch.arange(-1, 3, device=cell.device)  # (n, d, 4)
        weight, key = splines[:, 0], points[:, 0] * self.primes[0]
        for axis, prime in enumerate(self.primes[1:], start=1):
            weight = (weight.unsqueeze(2) * splines[:, axis].unsqueeze(1)).flatten(1)
            key = (key.unsqueeze(2) ^ (points[:, axis] * prime).unsqueeze(1)).flatten(1)
        features = nn.functional.embedding(key % self.rows, self.table)  # (n, 4^d, features)
        return (weight.unsqueeze(2) * features).sum(dim=1) * (GAIN / 6.0 ** len(self.primes))


class HashGridNetwork(EncodedNetwork):
    """A small perceptron of features at ``levels`` spacings: 1, 1/2, 1/4 ..."""

    def __init__(
        self,
        dimension: int,
        levels: int,
        level_features: int,
        rows: int,
        features: int,
        layers: int,
        generator: torch.Generator | None = None,
    ) -> None:
        lattices = {"dimension": dimension, "levels": levels, "level_features": level_features, "rows": rows}
        super().__init__(levels * level_features, features, layers, generator, **lattices)
        tables = (HashedSplines(dimension, level_features, rows, generator) for _ in range(levels))
        self.tables = nn.ModuleList(tables)

    @override
    def encode(self, x: Tensor) -> Tensor:
        return torch.cat([table(2.0**level * x) for level, table in enumerate(self.tables)], dim=1)


class HashGridPredictor(NeuralPredictor):
    """A trained `HashGridNetwork`."""

    kind = "hashgrid"
    network_class = HashGridNetwork


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
    length_scale, time_scale, hidden_features, hidden_layers, steps, batch_size, learning_rate, weight_decay, \
    optimizer, precision, withheld_passes, patience, members, penalty, checkpoint, device, seed
        See `xinr.methods.neural.method.NeuralMethod`.

    References
    ----------
    Müller et al. (2022), doi:10.1145/3528223.3530127, arXiv:2201.05989
    """

    predictor: ClassVar[type[NeuralPredictor]] = HashGridPredictor

    frame: str = "plane"
    length_scale: float = 600.0
    time_scale: float = 60.0
    hidden_features: int = 128
    hidden_layers: int = 2
    learning_rate: float = 2e-2
    levels: int = 3
    level_features: int = 16
    rows: int = 2**14

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(levels=self.levels, level_features=self.level_features, rows=self.rows)

    @override
    def network(self, half_extent: Array, generator: torch.Generator) -> HashGridNetwork:
        lattices = len(half_extent), self.levels, self.level_features, self.rows
        return HashGridNetwork(*lattices, self.hidden_features, self.hidden_layers, generator)
