"""Where the features of a network sit that vanish away from their centres: all over the data."""

from __future__ import annotations

import torch
from torch import Tensor


def centres(
    count: int, dimension: int, half_width: float, half_period: float, generator: torch.Generator | None
) -> Tensor:
    """Draw centres evenly from ``±half_width`` along each axis of position and ``±half_period`` in time, (count, d).

    Examples
    --------
    >>> drawn = centres(1000, 3, 2.0, 5.0, torch.Generator().manual_seed(0))
    >>> [round(float(number)) for number in drawn.abs().amax(dim=0)]
    [2, 2, 5]
    """
    half = torch.tensor([half_width] * (dimension - 1) + [half_period])
    return half * (2.0 * torch.rand(count, dimension, generator=generator) - 1.0)
