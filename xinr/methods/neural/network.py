"""What a network is to the training loop and to the predictor: features of a place, and a height linear in them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Network(nn.Module, ABC):
    """A smooth function of scaled coordinates, (n, d) -> (n,): `last`, a linear layer, of its `features`.

    Parameters
    ----------
    **architecture
        The numbers that it is built with: a subclass takes them by these names, and a generator for its first weights.
    """

    last: nn.Linear

    def __init__(self, **architecture: float) -> None:
        super().__init__()
        self.architecture = architecture

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate the network at x (n, d): (n,)."""
        height: Tensor = self.last(self.features(x)).squeeze(-1)
        return height

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """Return what the last layer sees of x (n, d): (n, features)."""

    @abstractmethod
    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return the matrices from features to features: those whose steps Muon may orthogonalise."""

    @property
    def dtype(self) -> torch.dtype:
        """Of its weights."""
        return self.last.weight.dtype
