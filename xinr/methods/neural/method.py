"""What the neural methods share: their settings, and the scaling of places and heights."""

from __future__ import annotations

import copy
import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, override

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xinr._typing import Array
from xinr.methods.device import device_from
from xinr.methods.method import WarmStartMethod
from xinr.methods.neural.calibration import Inflation, Trial, inflation_of
from xinr.methods.neural.checkpoint import Checkpoint
from xinr.methods.neural.ensemble import EnsemblePredictor
from xinr.methods.neural.last_layer import posterior_root
from xinr.methods.neural.network import Network
from xinr.methods.neural.penalties import Penalty
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.neural.training import Recipe, TrainingSet, train
from xinr.methods.neural.workers import ALONE, Workers
from xinr.methods.observation_error import ObservationError
from xinr.methods.pass_errors import PassErrors
from xinr.methods.predictor import Predictor
from xinr.methods.settings import check_length_scale, check_positive


@dataclass(frozen=True, kw_only=True)
class NeuralMethod(WarmStartMethod):
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
        Fraction of passes left out of the fit, to keep the weights that fit them best, stop early, and tell how large
        the errors are; 0 fits all, and the first to ask for errors waits for another fit:
        `xinr.methods.neural.calibration`.
    patience : int
        Checks (every 25 steps) without gain on the withheld passes before stopping.
    members : int
        Networks that differ by their seeds, trained as one; their mean is the map, and how far they are apart is part
        of the stated error.
    penalty : Penalty, optional
        What physics has against a map: see `xinr.methods.neural.penalties`.
    checkpoint : str
        File where a long training is kept at every check (25 steps), to go on from if it is cut off; removed once done.
    device : str
        Where to train: "auto" takes cuda, then mps, then cpu.
    seed : int
        Of initial weights, batches and withheld passes.

    Notes
    -----
    Only the ratios of ``noise``, ``pass_bias`` and ``pass_slope`` change the map; what they are themselves counts where
    withheld observations are compared with stated errors. By default passes have no errors: taking them off while a
    network is still learning costs more than biases of 1 cm do. State those that are larger.

    Under torchrun, all processes train one field together: see `xinr.methods.neural.workers`.

    References
    ----------
    Muon: Jordan et al. (2024), https://kellerjordan.github.io/posts/muon
    """

    predictor: ClassVar[type[NeuralPredictor]]

    noise: float | Mapping[str, float] = 0.01
    length_scale: float
    time_scale: float
    hidden_features: int = 256
    hidden_layers: int = 4
    steps: int = 300
    batch_size: int = 1024  # the noise of small batches regularises: twice as many points cost 2 to 4 % of the rmse
    learning_rate: float = 5e-3
    weight_decay: float = 0.1
    optimizer: str = "muon"
    precision: str = "auto"
    withheld_passes: float = 0.0
    patience: int = 4
    members: int = 1
    penalty: Penalty | None = None
    checkpoint: str = ""
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive = ("length_scale", "time_scale", "learning_rate")
        counts = ("hidden_features", "hidden_layers", "steps", "batch_size", "patience", "members")
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
    def network(self, half_extent: Array, generator: torch.Generator) -> Network:
        """Build the network for data within ``±half_extent`` (d,), scaled; its first weights from the generator."""

    @override
    def fit(self, x: Array, y: Array, error: ObservationError) -> NeuralPredictor | EnsemblePredictor:
        return self._train(self._untrained(x, y, error), x, y, error, Workers.present(device_from(self.device)))

    def fit_alone(self, x: Array, y: Array, error: ObservationError) -> NeuralPredictor | EnsemblePredictor:
        """Fit in this process, whatever others do."""
        return self._train(self._untrained(x, y, error), x, y, error, ALONE)

    def _untrained(self, x: Array, y: Array, error: ObservationError) -> list[NeuralPredictor]:
        """Return members as they begin."""
        scale = np.array([self.length_scale] * (x.shape[1] - 1) + [self.time_scale])
        centre, half_extent = (x.min(axis=0) + x.max(axis=0)) / 2.0, np.ptp(x, axis=0) / 2.0 / scale
        generators = [torch.Generator().manual_seed(self.seed + k) for k in range(self.members)]
        networks = [self.network(half_extent, generator) for generator in generators]
        scaling = centre, scale, float(y.mean()), float(y.std()) or 1.0
        unknown = np.empty((0, 0)), Inflation(Trial(self, x, y, error)), dict[str, Array]()
        return [self.predictor(network, *scaling, *unknown) for network in networks]

    @override
    def refit(self, x: Array, y: Array, error: ObservationError, start: Predictor) -> Predictor:
        members = start.members if isinstance(start, EnsemblePredictor) else (start,)
        if not all(type(member) is self.predictor for member in members) or len(members) != self.members:
            raise ValueError(
                f"{type(self).__name__} of {self.members} member(s) cannot start from a field of {len(members)} "
                f"{members[0].kind!r}: start from one that the same method made, of as many members."
            )
        workers = Workers.present(device_from(self.device))
        return self._train(copy.deepcopy(list(members)), x, y, error, workers)  # type: ignore[arg-type]

    def _train(
        self, members: list[NeuralPredictor], x: Array, y: Array, error: ObservationError, workers: Workers
    ) -> NeuralPredictor | EnsemblePredictor:
        """Train the networks of these predictors, in place, and return the predictors of the result."""
        device, first = device_from(self.device), members[0]
        data = TrainingSet(
            x=_on_device((x - first.centre) / first.scale, device),
            y=_on_device((y - first.offset) / first.spread, device),
            error=error.scaled(1.0 / first.spread),
            withheld=_on_device(_withheld(error.pass_index, self.withheld_passes, self.seed), device),
            penalty=self.penalty
            and self.penalty.prepared(x, first.centre, first.scale, first.spread, self.frame, device),  # type: ignore[arg-type]
        )
        networks = [member.network.to(device) for member in members]
        checkpoint = Checkpoint(self.checkpoint, self._fingerprint(x, y) if self.checkpoint else "")
        history = train(networks, data, self._recipe(device), checkpoint, workers)
        history["rmse"] = history.pop("withheld_rmse") * first.spread
        used = ~data.withheld.cpu().numpy()
        errors = PassErrors(data.error.take(used), torch.device("cpu"))
        trained = []
        for member in members:
            member.network.cpu()
            features = member.features(x[used])
            root = posterior_root(features, data.y.cpu()[torch.as_tensor(used)], errors)
            trained.append(replace(member, root=root, history=history))
        if not used.all():
            inflation = Inflation(inflation_of(trained, x[~used], y[~used], error.take(~used)))
            trained = [replace(member, inflation=inflation) for member in trained]
        return trained[0] if len(trained) == 1 else EnsemblePredictor(tuple(trained))

    def _fingerprint(self, x: Array, y: Array) -> str:
        """Tell this fit from others: settings and observations."""
        observed = hashlib.sha256(np.ascontiguousarray(np.column_stack([x, y]))).hexdigest()
        return f"{replace(self, checkpoint='')} {observed}"

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


def _on_device(array: NDArray[Any], device: torch.device) -> Tensor:
    dtype = torch.float32 if array.dtype.kind == "f" else None
    return torch.as_tensor(np.ascontiguousarray(array), dtype=dtype, device=device)


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
