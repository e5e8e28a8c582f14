"""What a network is to the training loop and to the predictor: features of a point, and a height linear in them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from xinr._typing import Array
from xinr.methods.neural.networks import NETWORKS


class Network(nn.Module, ABC):
    """A smooth function of scaled coordinates, (n, d) -> (n,): `last`, a linear layer, of its `features`.

    A subclass has a ``name``, under which a saved field finds it again, and is built with numbers by their names and a
    generator of its first weights: ``dimension`` (d), ``features``, ``layers``, and the settings of its method.
    """

    name: ClassVar[str]
    last: nn.Linear
    #: The numbers that it was built with.
    architecture: Mapping[str, float]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls):
            NETWORKS[cls.name] = cls

    @classmethod
    def built(cls, architecture: Mapping[str, float], generator: torch.Generator | None = None) -> Self:
        """Build the network with these numbers, and remember them."""
        network = cls(**architecture, generator=generator)
        network.architecture = dict(architecture)
        return network

    @classmethod
    def extent(cls, half_extent: Array) -> dict[str, float]:
        """Return the numbers that depend on the extent of the data, ``±half_extent`` (d,), scaled: none by default."""
        return {}

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate the network at x (n, d): (n,)."""
        height: Tensor = self.last(self.features(x)).squeeze(-1)
        return height

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """Return the input of the last layer at x (n, d): (n, features)."""

    @abstractmethod
    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return the matrices from features to features: those whose steps Muon may orthogonalise."""

    @property
    def dtype(self) -> torch.dtype:
        """Of its weights."""
        return self.last.weight.dtype


def own_precision(x: Tensor) -> torch.autocast:
    """Return a context without bfloat16, whose 8 bits are too few for phases of many radians and for many cells."""
    return torch.autocast(x.device.type, enabled=False)
