"""A trained network as a predictor: the scaling of its input and output, and its derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xinr.methods.base import Array, Predictor, with_prefix
from xinr.methods.neural.network import Network
from xinr.methods.neural.training import BLOCK


@dataclass(frozen=True, eq=False)
class NeuralPredictor(Predictor):
    """A trained network with the scaling of its input and output; derivatives by automatic differentiation.

    A subclass names its ``kind``, and the class of its networks.
    """

    network_class: ClassVar[type[Network]]

    network: Network
    centre: Array
    scale: Array
    offset: float
    spread: float
    history: dict[str, Array]

    def predict(self, x: Array) -> Array:
        """See `Predictor.predict`."""
        with torch.no_grad():
            return self.offset + self.spread * self._in_blocks(self.network, self._scaled(x))

    def gradient(self, x: Array) -> Array:
        """See `Predictor.gradient`."""

        def slope(z: Tensor) -> Tensor:
            return torch.autograd.grad(self.network(z.requires_grad_()).sum(), z)[0]

        return self._in_blocks(slope, self._scaled(x)) * (self.spread / self.scale)

    def curvature(self, x: Array, direction: Array) -> Array:
        """See `Predictor.curvature`."""

        def bend(z: Tensor, v: Tensor) -> Tensor:
            z.requires_grad_()
            (slope,) = torch.autograd.grad(self.network(z).sum(), z, create_graph=True)
            return (torch.autograd.grad((slope * v).sum(), z)[0] * v).sum(dim=1)

        # Directions are as small as 1e-3 km per metre: scaled up here and down in float64, away from underflow.
        norm = np.linalg.norm(direction / self.scale, axis=1, keepdims=True)
        unit = self._tensor(direction / self.scale / np.where(norm > 0, norm, 1.0))
        return self._in_blocks(bend, self._scaled(x), unit) * self.spread * norm[:, 0] ** 2

    def state(self) -> dict[str, NDArray[Any]]:
        """See `Predictor.state`."""
        weights = {f"network_{key}": value.numpy() for key, value in self.network.state_dict().items()}
        architecture = {f"architecture_{key}": np.array(value) for key, value in self.network.architecture.items()}
        scaling = {"centre": self.centre, "scale": self.scale, "output": np.array([self.offset, self.spread])}
        history = {f"history_{key}": column for key, column in self.history.items()}
        return weights | architecture | scaling | history

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """See `Predictor.from_state`."""
        weights = {key: torch.tensor(value) for key, value in with_prefix(state, "network_").items()}
        architecture = {key: value.item() for key, value in with_prefix(state, "architecture_").items()}
        network = cls.network_class(**architecture).to(next(iter(weights.values())).dtype)
        network.load_state_dict(weights)
        offset, spread = (float(number) for number in state["output"])
        return cls(network, state["centre"], state["scale"], offset, spread, with_prefix(state, "history_"))

    def _scaled(self, x: Array) -> Tensor:
        return self._tensor((x - self.centre) / self.scale)

    def _tensor(self, array: Array) -> Tensor:
        return torch.as_tensor(array, dtype=self.network.dtype)

    def _in_blocks(self, function: Any, *tensors: Tensor) -> Array:
        blocks = zip(*(torch.split(tensor, BLOCK) for tensor in tensors), strict=True)
        found = [function(*block).detach() for block in blocks]
        return np.asarray(torch.cat(found).numpy(), dtype=np.float64)
