"""First weights that several networks draw alike."""

import torch
from torch import Tensor, nn

from xinr._typing import Array


def uniform(bound: float, generator: torch.Generator | None, *shape: int) -> Tensor:
    """Draw a tensor evenly from ``±bound``."""
    return nn.init.uniform_(torch.empty(shape), -bound, bound, generator=generator)


def half_ranges(half_extent: Array) -> dict[str, float]:
    """Return where the centres of wavelets are to lie, by the names of the arguments of `wavelet_centres`."""
    return {"half_width": float(half_extent[:-1].max()), "half_period": float(half_extent[-1])}


def wavelet_centres(
    count: int, dimension: int, half_width: float, half_period: float, generator: torch.Generator | None
) -> Tensor:
    """Draw centres evenly from ``±half_width`` along each axis of position and ``±half_period`` in time, (count, d)."""
    half = torch.tensor([half_width] * (dimension - 1) + [half_period])
    return half * (2.0 * torch.rand(count, dimension, generator=generator) - 1.0)
