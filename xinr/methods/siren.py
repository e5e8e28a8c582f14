"""SIREN: a multilayer perceptron with sine activations, as a function of position and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xinr.methods.base import Array, Method, ObservationError, Predictor, check_length_scale, check_positive
from xinr.methods.training import BLOCK, Recipe, TrainingSet, train


@dataclass(frozen=True, kw_only=True)
class Siren(Method):
    """Implicit neural representation with periodic activations, trained on the tracks.

    Coordinates are divided by ``length_scale`` and ``time_scale``, so that ``omega_0 / length_scale`` [rad/km] and
    ``omega_0 / time_scale`` [rad/day] set the bandwidth of the first layer whatever the domain; heights are
    standardised by their mean and standard deviation.

    Parameters
    ----------
    length_scale : float
        Unit of position: kilometres in the frame "sphere", degrees in the frame "degrees".
    time_scale : float
        Unit of time [days].
    omega_0 : float
        Frequency factor of the sine layers.
    hidden_features, hidden_layers : int
        Width, and number of hidden matrices between the first sine layer and the linear output.
    steps, batch_size : int
        Optimisation steps, and points drawn for each.
    learning_rate, weight_decay : float
        Of Muon on the hidden matrices, or of Adam on everything (which takes no weight decay).
    optimizer : {"muon", "adam"}
        Muon orthogonalises the step of each hidden matrix; Adam moves the rest.
    precision : {"auto", "float32", "bfloat16"}
        Of the matrix products in training; "auto" takes bfloat16 where the hardware multiplies it natively.
    withheld_passes : float
        Fraction of passes left out of the fit, to keep the weights that fit them best and stop early; 0 fits all.
    patience : int
        Checks (every 25 steps) without gain on the withheld passes before stopping.
    device : str
        Where to train: "auto" takes cuda, then mps, then cpu.
    seed : int
        Of initial weights, batches and withheld passes.

    References
    ----------
    SIREN: Sitzmann et al. (2020), arXiv:2006.09661; Muon: Jordan et al. (2024), https://kellerjordan.github.io/posts/muon
    """

    noise: float = 0.05
    pass_bias: float = 0.02
    length_scale: float = 900.0
    time_scale: float = 200.0
    omega_0: float = 14.0
    hidden_features: int = 256
    hidden_layers: int = 4
    steps: int = 300
    batch_size: int = 4096
    learning_rate: float = 5e-3
    weight_decay: float = 0.1
    optimizer: str = "muon"
    precision: str = "auto"
    withheld_passes: float = 0.0
    patience: int = 4
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive = ("length_scale", "time_scale", "omega_0", "learning_rate")
        counts = ("hidden_features", "hidden_layers", "steps", "batch_size", "patience")
        check_positive(**{name: getattr(self, name) for name in (*positive, *counts)})
        for name, choices in (("optimizer", ("muon", "adam")), ("precision", ("auto", "float32", "bfloat16"))):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {list(choices)}, got {getattr(self, name)!r}.")
        check_length_scale(self.frame, self.length_scale)
        if self.seed < 0 or self.weight_decay < 0.0:
            raise ValueError(f"seed and weight_decay must be zero or more, got {self.seed} and {self.weight_decay}.")
        if not 0.0 <= self.withheld_passes < 1.0:
            raise ValueError(f"withheld_passes must be a fraction in [0, 1), got {self.withheld_passes!r}.")

    def fit(self, x: Array, y: Array, error: ObservationError) -> SirenPredictor:
        """See `Method.fit`."""
        device = _device(self.device)
        centre = (x.min(axis=0) + x.max(axis=0)) / 2.0
        scale = np.array([self.length_scale] * (x.shape[1] - 1) + [self.time_scale])
        offset, spread = float(y.mean()), float(y.std()) or 1.0

        def on_device(array: NDArray[Any]) -> Tensor:
            dtype = torch.float32 if array.dtype.kind == "f" else None
            return torch.as_tensor(np.ascontiguousarray(array), dtype=dtype, device=device)

        initial = torch.Generator().manual_seed(self.seed)
        network = SirenNetwork(x.shape[1], self.hidden_features, self.hidden_layers, self.omega_0, initial).to(device)
        data = TrainingSet(
            x=on_device((x - centre) / scale),
            y=on_device((y - offset) / spread),
            noise=on_device(error.noise / spread),
            pass_index=on_device(error.pass_index),
            pass_bias=error.pass_bias / spread,
            withheld=on_device(_withheld(error.pass_index, self.withheld_passes, self.seed)),
        )
        history = train(network, data, self._recipe(device))
        history["rmse"] = history.pop("withheld_rmse") * spread
        return SirenPredictor(network.cpu(), centre, scale, offset, spread, history)

    def _recipe(self, device: torch.device) -> Recipe:
        return Recipe(
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            optimizer=self.optimizer,
            bfloat16=self.precision == "bfloat16" or (self.precision == "auto" and _multiplies_bfloat16(device)),
            patience=self.patience,
            seed=self.seed,
        )


class SirenNetwork(nn.Module):
    """``W_L sin(ω₀ (W_{L-1} ... sin(ω₀ (W_0 x + b_0))) + b_L``, initialised as in section 3.2 of the paper."""

    def __init__(
        self, dimension: int, features: int, layers: int, omega_0: float, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        widths = [dimension, *[features] * (layers + 1), 1]
        stack = [nn.Linear(a, b) for a, b in pairwise(widths)]
        self.layers = nn.ModuleList(stack)
        self.omega_0: Tensor
        self.register_buffer("omega_0", torch.tensor(float(omega_0)))
        for depth, layer in enumerate(stack):
            fan_in = layer.in_features
            bound = 1.0 / fan_in if depth == 0 else (6.0 / fan_in) ** 0.5 / omega_0
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -(fan_in**-0.5), fan_in**-0.5, generator=generator)

    def forward(self, x: Tensor) -> Tensor:  # (n, d) -> (n,)
        """Evaluate the network."""
        first, *hidden, last = self.layers
        with torch.autocast(x.device.type, enabled=False):  # phases of many radians need more than bfloat16's 8 bits
            h = self._sine(first, x)  # (n, features)
        for layer in hidden:
            h = self._sine(layer, h)  # (n, features)
        height: Tensor = last(h).squeeze(-1)
        return height

    def _sine(self, layer: Any, h: Tensor) -> Tensor:
        # The factor goes to the weights, not to the n activations: a fifth of a training step.
        return torch.sin(nn.functional.linear(h, self.omega_0 * layer.weight, self.omega_0 * layer.bias))


@dataclass(frozen=True, eq=False)
class SirenPredictor(Predictor):
    """A trained network with the scaling of its input and output; derivatives by automatic differentiation."""

    kind = "siren"

    network: SirenNetwork
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
        scaling = {"centre": self.centre, "scale": self.scale, "output": np.array([self.offset, self.spread])}
        return weights | scaling | {f"history_{key}": column for key, column in self.history.items()}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """See `Predictor.from_state`."""
        parts = {key.removeprefix("network_"): value for key, value in state.items() if key.startswith("network_")}
        weights = [value for key, value in parts.items() if key.endswith("weight")]
        network = SirenNetwork(weights[0].shape[1], weights[0].shape[0], len(weights) - 2, float(parts["omega_0"])).to(
            torch.as_tensor(weights[0]).dtype
        )
        network.load_state_dict({key: torch.tensor(value) for key, value in parts.items()})
        history = {key.removeprefix("history_"): value for key, value in state.items() if key.startswith("history_")}
        offset, spread = (float(number) for number in state["output"])
        return cls(network, state["centre"], state["scale"], offset, spread, history)

    def _scaled(self, x: Array) -> Tensor:
        return self._tensor((x - self.centre) / self.scale)

    def _tensor(self, array: Array) -> Tensor:
        return torch.as_tensor(array, dtype=self.network.omega_0.dtype)

    def _in_blocks(self, function: Any, *tensors: Tensor) -> Array:
        blocks = zip(*(torch.split(tensor, BLOCK) for tensor in tensors), strict=True)
        found = [function(*block).detach() for block in blocks]
        return np.asarray(torch.cat(found).numpy(), dtype=np.float64)


def _withheld(pass_index: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Mark the points of a random choice of whole passes: neighbours along a pass would leak."""
    passes = np.unique(pass_index)
    chosen = np.random.default_rng(seed).permutation(passes)[: round(fraction * len(passes))]
    if fraction > 0 and not 0 < len(chosen) < len(passes):
        raise ValueError(f"withheld_passes={fraction} of {len(passes)} passes leaves none to fit or to judge by.")
    return np.isin(pass_index, chosen)


def _device(name: str) -> torch.device:
    if name != "auto":
        try:
            return torch.empty(0, device=name).device
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device {name!r} cannot be used here: expected 'auto', 'cpu', 'cuda' or 'mps' ({error})."
            ) from error
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    cpu = torch.cpu
    return device.type == "cpu" and bool(cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported())
