"""A trained network as a predictor: the scaling of its input and output, and its derivatives."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, override

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xinr._typing import Array, Pairs
from xinr.geo.points import Points
from xinr.methods.autodiff.jets import Jet
from xinr.methods.neural.calibration import Calibration
from xinr.methods.neural.network import Network
from xinr.methods.neural.networks import NETWORKS
from xinr.methods.neural.training import BLOCK
from xinr.methods.predictor import DerivativePredictor, Predictor, SamplePredictor, registered, with_prefix
from xinr.methods.settings import packed, unpacked

#: Points per block of jets, which hold several numbers where a value is one.
JET_BLOCK = BLOCK // 4
#: What is said of the formal errors of a network that is not calibrated.
UNCALIBRATED = "not calibrated: of the last layer and between members alone, far too small; fit(..., calibrate=True)"


@dataclass(frozen=True, eq=False)
class NeuralPredictor(DerivativePredictor, SamplePredictor):
    """A trained network with the scaling of its input and output; derivatives by automatic differentiation.

    It is evaluated where it was trained; one that was saved, on the CPU.
    """

    kind = "neural"

    network: Network  #: From ``(x - centre) / scale`` to ``(height - offset) / spread``.
    centre: Array  #: (d,)
    scale: Array  #: (d,)
    offset: float
    spread: float
    root: Array  #: Of the posterior covariance of the last layer, its bias last: `xinr.methods.neural.last_layer`.
    calibrated: Calibration | None  #: By how much it errs more; None where no passes were withheld to tell.
    history: dict[str, Array]  #: How the training went, one entry a check.

    @property
    def name(self) -> str:
        """Of the network: that of its method."""
        return self.network.name

    @property
    @override
    def calibration(self) -> Mapping[str, float]:
        return self.calibrated._asdict() if self.calibrated else {}

    @property
    @override
    def error_comment(self) -> str:
        return "" if self.calibrated else UNCALIBRATED

    @property
    def inflation(self) -> float:
        """The factor on the standard deviation of the last layer; 1 of a network that is not calibrated."""
        return self.calibrated.inflation if self.calibrated else 1.0

    @override
    def predict(self, points: Points) -> Array:
        with torch.no_grad():
            return self.offset + self.spread * self._in_blocks(self.network, self._scaled(points.x))

    @override
    def posterior(self, points: Points) -> tuple[Array, Array]:
        """Return the value, and the standard deviation of the last layer times the inflation."""
        value, error = self.last_layer(points.x)
        return value, self.inflation * error

    def last_layer(self, x: Array) -> tuple[Array, Array]:
        """Return the value at each point, and its standard deviation by the last layer alone, each (n,)."""
        root = self._tensor(self.root)

        def both(z: Tensor) -> Tensor:
            features = self.network.features(z)
            value = self.network.last(features).squeeze(-1)
            return torch.stack([value, torch.linalg.norm(features @ root[:-1] + root[-1], dim=1)], dim=1)

        with torch.no_grad():
            value, error = self.spread * self._in_blocks(both, self._scaled(x)).T
        return self.offset + value, error

    def features(self, x: Array) -> Tensor:
        """Return the input of the last layer at each point, and ones for its bias: (n, features + 1)."""
        with torch.no_grad():
            blocks = [self.network.features(block) for block in torch.split(self._scaled(x), BLOCK)]
        features = torch.cat(blocks)
        return torch.cat([features, torch.ones_like(features[:, :1])], dim=1)

    @override
    def sample(self, count: int, seed: int) -> Sequence[Predictor]:
        """Networks with other last layers."""
        normal = self.inflation * np.random.default_rng(seed).standard_normal((count, len(self.root)))
        return [replace(self, network=self._redrawn(self._tensor(self.root @ z))) for z in normal]

    @override
    def gradient(self, points: Points) -> Array:
        def slope(z: Tensor) -> Tensor:
            return torch.autograd.grad(self.network(z.requires_grad_()).sum(), z)[0]

        return self._in_blocks(slope, self._scaled(points.x)) * (self.spread / self.scale)

    @override
    def derivatives(
        self, points: Points, directions: Sequence[Array], pairs: Pairs, metric_terms: Sequence[Array]
    ) -> tuple[Array, Array]:
        """All in one pass through the network."""
        each = [points.repeat(vector) / self.scale for vector in (*directions, *metric_terms)]
        first, second = np.split(np.reshape(each, (-1, *points.x.shape)), [len(directions)])
        # Directions are as small as 1e-3 km per metre: scaled up here and down in float64, away from underflow. By a
        # power of two, so that what is rounded does not depend on which points come together.
        unit = 2.0 ** np.frexp(np.abs(first).max(initial=0.0, where=np.isfinite(first)) or 1.0)[1]
        curves = self._tensor(np.concatenate([first / unit, second / unit**2]).swapaxes(0, 1))  # (n, m + p, d)

        def along(z: Tensor, curve: Tensor) -> Tensor:
            ways, bent = torch.tensor_split(curve.transpose(0, 1), [len(first)])
            _, slopes, second_derivatives = self.network(Jet.along(z, ways, pairs, bent)).terms()
            return torch.cat([slopes, second_derivatives]).T

        with torch.no_grad():
            found = self.spread * self._in_blocks(along, self._scaled(points.x), curves, size=JET_BLOCK).T
        return found[: len(first)] * unit, found[len(first) :] * unit**2

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        weights = {f"network_{key}": value.cpu().numpy() for key, value in self.network.state_dict().items()}
        built = {"architecture": packed([self.network.name, dict(self.network.architecture)])}
        scaling = {"centre": self.centre, "scale": self.scale, "output": np.array([self.offset, self.spread])}
        history = {f"history_{key}": column for key, column in self.history.items()}
        calibration = {"calibration": np.array(self.calibrated)} if self.calibrated else {}
        return weights | built | scaling | history | calibration | {"root": self.root}

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        weights = {key: torch.tensor(value) for key, value in with_prefix(state, "network_").items()}
        name, architecture = unpacked(state["architecture"])
        network = registered(NETWORKS, name, "network").built(architecture).to(next(iter(weights.values())).dtype)
        network.load_state_dict(weights)
        offset, spread = map(float, state["output"])
        calibrated = Calibration(*map(float, state["calibration"])) if "calibration" in state else None
        history = with_prefix(state, "history_")
        return cls(network, state["centre"], state["scale"], offset, spread, state["root"], calibrated, history)

    def _redrawn(self, change: Tensor) -> Network:
        """Return the network with a change (features + 1,) of the weights of its last layer, and of its bias."""
        network = copy.deepcopy(self.network)
        with torch.no_grad():
            network.last.weight.add_(change[:-1])
            network.last.bias.add_(change[-1])
        return network

    def _scaled(self, x: Array) -> Tensor:
        return self._tensor((x - self.centre) / self.scale)

    def _tensor(self, array: Array) -> Tensor:
        return torch.as_tensor(array, dtype=self.network.dtype, device=self.network.last.weight.device)

    def _in_blocks(self, function: Any, *tensors: Tensor, size: int = BLOCK) -> Array:
        blocks = zip(*(torch.split(tensor, size) for tensor in tensors), strict=True)
        found = [function(*block).detach() for block in blocks]
        return np.asarray(torch.cat(found).cpu().numpy(), dtype=np.float64)
