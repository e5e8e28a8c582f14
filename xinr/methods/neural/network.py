"""What a network is to the training loop and to the predictor: a function that knows how it was built."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn


class Network(nn.Module, ABC):
    """A smooth function of scaled coordinates, (n, d) -> (n,).

    Parameters
    ----------
    **architecture
        The numbers that it is built with: a subclass takes them by these names, and a generator for its first weights.
    """

    def __init__(self, **architecture: float) -> None:
        super().__init__()
        self.architecture = architecture

    @abstractmethod
    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return the matrices from features to features: those whose steps Muon may orthogonalise."""

    @property
    def dtype(self) -> torch.dtype:
        """Of its weights."""
        return next(self.parameters()).dtype
