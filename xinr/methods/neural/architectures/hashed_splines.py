"""Features on a lattice whose points share the rows of a table, interpolated smoothly."""

import torch
from torch import Tensor, nn

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

    Points that share one of the ``rows`` are far apart as a rule. The first features are even, of such a size that what
    is interpolated has variance 1: the paper's, ``±1e-4``, do not grow enough within some hundred steps.
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
