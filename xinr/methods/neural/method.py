"""What the neural methods share: their settings, and the scaling of places and heights."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xinr.device import device_from
from xinr.methods.base import (
    Array,
    Method,
    ObservationError,
    check_length_scale,
    check_positive,
)
from xinr.methods.neural.network import Network
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.neural.training import Recipe, TrainingSet, train


@dataclass(frozen=True, kw_only=True)
class NeuralMethod(Method):
    """Implicit neural representation: a small network of position and time, trained on the tracks.

    Coordinates are taken about the middle of the data and divided by ``length_scale`` and ``time_scale``, so that a
    network resolves the same kilometres and days whatever the domain; heights are standardised by their mean and
    standard deviation. A subclass has the settings of its architecture, its ``predictor``, and ``network``.

    Parameters
    ----------
    length_scale : float
        Unit of position: kilometres in the frame "sphere", degrees in the frame "degrees".
    time_scale : float
        Unit of time [days].
    hidden_features, hidden_layers : int
        Width, and number of hidden matrices: from features to features.
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
    Muon: Jordan et al. (2024), https://kellerjordan.github.io/posts/muon
    """

    predictor: ClassVar[type[NeuralPredictor]]

    noise: float = 0.05
    pass_bias: float = 0.02
    length_scale: float
    time_scale: float
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
        positive = ("length_scale", "time_scale", "learning_rate")
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

    @abstractmethod
    def network(self, dimension: int, generator: torch.Generator) -> Network:
        """Build the network for x (n, dimension), its first weights from the generator."""

    def fit(self, x: Array, y: Array, error: ObservationError) -> NeuralPredictor:
        """See `Method.fit`."""
        device = device_from(self.device)
        centre = (x.min(axis=0) + x.max(axis=0)) / 2.0
        scale = np.array([self.length_scale] * (x.shape[1] - 1) + [self.time_scale])
        offset, spread = float(y.mean()), float(y.std()) or 1.0

        def on_device(array: NDArray[Any]) -> Tensor:
            dtype = torch.float32 if array.dtype.kind == "f" else None
            return torch.as_tensor(np.ascontiguousarray(array), dtype=dtype, device=device)

        network = self.network(x.shape[1], torch.Generator().manual_seed(self.seed)).to(device)
        data = TrainingSet(
            x=on_device((x - centre) / scale),
            y=on_device((y - offset) / spread),
            error=error.scaled(1.0 / spread),
            withheld=on_device(_withheld(error.pass_index, self.withheld_passes, self.seed)),
        )
        history = train(network, data, self._recipe(device))
        history["rmse"] = history.pop("withheld_rmse") * spread
        return self.predictor(network.cpu(), centre, scale, offset, spread, history)

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


def _withheld(pass_index: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Mark the points of a random choice of whole passes: neighbours along a pass would leak."""
    passes = np.unique(pass_index)
    chosen = np.random.default_rng(seed).permutation(passes)[: round(fraction * len(passes))]
    if fraction > 0 and not 0 < len(chosen) < len(passes):
        raise ValueError(f"withheld_passes={fraction} of {len(passes)} passes leaves none to fit or to judge by.")
    return np.isin(pass_index, chosen)


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    cpu = torch.cpu
    return device.type == "cpu" and bool(cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported())
