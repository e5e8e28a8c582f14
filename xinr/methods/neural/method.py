"""What the neural methods share: their settings, and the scaling of positions, times and heights."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, ClassVar, override

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xinr._typing import Array
from xinr._warnings import warn
from xinr.methods.device import device_from
from xinr.methods.method import WarmStartMethod
from xinr.methods.neural.calibration import WITHHELD, Calibration, inflation_of, withheld_points
from xinr.methods.neural.checkpoint import Checkpoint
from xinr.methods.neural.ensemble import EnsemblePredictor
from xinr.methods.neural.last_layer import posterior_root
from xinr.methods.neural.network import Network
from xinr.methods.neural.penalties import Penalty
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.neural.training import TrainingSet, TrainingSettings, train
from xinr.methods.neural.workers import Workers
from xinr.methods.observation_error import ObservationError
from xinr.methods.pass_errors import PassErrors
from xinr.methods.predictor import Predictor
from xinr.methods.settings import check_length_scale, check_positive, setting_names


@dataclass(frozen=True, kw_only=True)
class NeuralMethod(TrainingSettings, WarmStartMethod):
    """Implicit neural representation: a small network of position and time, trained on the tracks.

    Coordinates are taken about the middle of the data and divided by ``length_scale`` and ``time_scale``, so that a
    network resolves the same kilometres and days whatever the domain; heights are standardised by their mean and
    standard deviation. A subclass has its ``network_class``, and as settings of its own the numbers, all above zero,
    with which that is built.

    Parameters
    ----------
    length_scale : float
        Unit of position: kilometres in the frame "sphere", degrees in the frame "degrees".
    time_scale : float
        Unit of time [days].
    hidden_features, hidden_layers : int
        Width, and number of hidden matrices: from features to features.
    withheld_passes : float
        Fraction of passes left out of the fit, to keep the weights that fit them best, stop early, and calibrate the
        formal error; 0 fits all.
    calibrate : bool
        Train a second time, without a tenth of the passes, to calibrate the formal error on them:
        `xinr.methods.neural.calibration`. It doubles the time of a fit; without, or withheld passes, the formal error
        is far too small.
    members : int
        Networks that differ by their seeds, trained as one; their mean is the map, and the spread between them is part
        of the formal error.
    penalty : Penalty, optional
        A cost of maps that physics speaks against: see `xinr.methods.neural.penalties`.
    checkpoint : str
        File where a long training is kept at every check (25 steps), to go on from if it is cut off; removed once done.
    device : str
        Where to train: "auto" takes cuda, then mps, then cpu.
    steps, batch_size, learning_rate, weight_decay, optimizer, precision, patience, seed
        How to train: see `xinr.methods.neural.training.TrainingSettings`.

    Notes
    -----
    Only the ratios of ``noise``, ``pass_bias`` and ``pass_slope`` change the map; their size counts where withheld
    observations are compared with formal errors. By default passes have no errors: estimating them while a network is
    still learning costs more than biases of 1 cm do. Set those that are larger.

    Under torchrun, all processes train one field together: see `xinr.methods.neural.workers`.
    """

    network_class: ClassVar[type[Network]]

    noise: float | Mapping[str, float] = 0.01
    length_scale: float
    time_scale: float
    hidden_features: int = 256
    hidden_layers: int = 4
    withheld_passes: float = 0.0
    calibrate: bool = False
    members: int = 1
    penalty: Penalty | None = None
    checkpoint: str = ""
    device: str = "auto"

    def __post_init__(self) -> None:
        WarmStartMethod.__post_init__(self)
        TrainingSettings.__post_init__(self)
        sizes = ("length_scale", "time_scale", "hidden_features", "hidden_layers", "members")
        check_positive(**{name: getattr(self, name) for name in sizes}, **self._own)
        check_length_scale(self.frame, self.length_scale)
        if not 0.0 <= self.withheld_passes < 1.0:
            raise ValueError(f"withheld_passes must be a fraction in [0, 1), got {self.withheld_passes!r}.")

    def network(self, half_extent: Array, generator: torch.Generator) -> Network:
        """Build the network for data within ``±half_extent`` (d,), scaled; its first weights from the generator."""
        sizes = {"dimension": len(half_extent), "features": self.hidden_features, "layers": self.hidden_layers}
        return self.network_class.built(sizes | self._own | self.network_class.extent(half_extent), generator)

    @property
    def _own(self) -> dict[str, float]:
        """The settings that the architecture adds."""
        shared = setting_names(NeuralMethod)
        return {name: getattr(self, name) for name in setting_names(self) if name not in shared}

    @override
    def fit(self, x: Array, y: Array, error: ObservationError) -> NeuralPredictor | EnsemblePredictor:
        # The calibration first: what is cut off later goes on from its checkpoint.
        return self._train(self._untrained(x, y, self._calibration(x, y, error)), x, y, error)

    @override
    def refit(self, x: Array, y: Array, error: ObservationError, start: Predictor) -> Predictor:
        """Train further; the calibration stays that of the start.

        ValueError for a start that is no field of this method, or is to be calibrated only now.
        """
        members = start.members if isinstance(start, EnsemblePredictor) else (start,)
        names = [each.name if isinstance(each, NeuralPredictor) else each.kind for each in members]
        networks = [each for each in members if isinstance(each, NeuralPredictor) and each.name == self.name]
        if not len(networks) == len(members) == self.members:
            raise ValueError(
                f"{type(self).__name__} of {self.members} member(s) cannot start from a field of {len(members)} "
                f"{names[0]!r}: start from one that the same method made, of as many members."
            )
        if self.calibrate and not start.calibration and not self.withheld_passes:
            raise ValueError(
                "calibrate=True needs passes that the network has not seen, and the field to start from has seen "
                "them: fit that one with calibrate=True, whose calibration is kept, or set withheld_passes."
            )
        return self._train(copy.deepcopy(networks), x, y, error)

    def _calibration(self, x: Array, y: Array, error: ObservationError) -> Calibration | None:
        """Train without some passes, and compare with these."""
        passes = len(np.unique(error.pass_index))
        if not self.calibrate or self.withheld_passes:
            return None
        if passes == 1:
            warn("calibrate=True needs two passes or more, got one: the formal error is not calibrated.")
            return None
        started = perf_counter()
        # To the last step, whose rate is zero: misfits fall most towards the end.
        without = {"withheld_passes": max(WITHHELD, 1.0 / passes), "patience": self.steps}
        method = replace(self, calibrate=False, checkpoint="", penalty=None, **without)  # type: ignore[arg-type]
        inflation = method.fit(x, y, error).calibration["inflation"]
        return Calibration(inflation, perf_counter() - started)

    def _untrained(self, x: Array, y: Array, calibration: Calibration | None) -> list[NeuralPredictor]:
        """Return members as they begin."""
        scale = np.array([self.length_scale] * (x.shape[1] - 1) + [self.time_scale])
        centre, half_extent = (x.min(axis=0) + x.max(axis=0)) / 2.0, np.ptp(x, axis=0) / 2.0 / scale
        generators = [torch.Generator().manual_seed(self.seed + k) for k in range(self.members)]
        networks = [self.network(half_extent, generator) for generator in generators]
        scaling = centre, scale, float(y.mean()), float(y.std()) or 1.0
        return [NeuralPredictor(network, *scaling, np.empty((0, 0)), calibration, {}) for network in networks]

    def _train(
        self, members: list[NeuralPredictor], x: Array, y: Array, error: ObservationError
    ) -> NeuralPredictor | EnsemblePredictor:
        """Train the networks of these predictors, in place, and return the predictors of the result."""
        device, first = device_from(self.device), members[0]
        withheld = withheld_points(error.pass_index, self.withheld_passes, self.seed)
        data = TrainingSet(
            x=_on_device((x - first.centre) / first.scale, device),
            y=_on_device((y - first.offset) / first.spread, device),
            error=error.scaled(1.0 / first.spread),
            withheld=_on_device(withheld, device),
            penalty=self.penalty
            and self.penalty.prepared(x, first.centre, first.scale, first.spread, self.frame, device),  # type: ignore[arg-type]
        )
        networks = [member.network.to(device) for member in members]
        observed = hashlib.sha256(np.ascontiguousarray(np.column_stack([x, y]))).hexdigest()
        checkpoint = Checkpoint(self.checkpoint, fit=f"{replace(self, checkpoint='')} {observed}")
        history = train(networks, data, self, checkpoint, Workers.present(device))
        history["rmse"] = history.pop("withheld_rmse") * first.spread
        errors = PassErrors(data.error.take(~withheld), torch.device("cpu"))
        trained = []
        for member in members:
            member.network.cpu()
            root = posterior_root(member.features(x[~withheld]), data.y.cpu()[torch.as_tensor(~withheld)], errors)
            member.network.to(device)
            trained.append(replace(member, root=root, history=history))
        if withheld.any():
            found = Calibration(inflation_of(trained, x[withheld], y[withheld], error.take(withheld)))
            trained = [replace(member, calibrated=found) for member in trained]
        return trained[0] if len(trained) == 1 else EnsemblePredictor(tuple(trained))


def _on_device(array: NDArray[Any], device: torch.device) -> Tensor:
    dtype = torch.float32 if array.dtype.kind == "f" else None
    return torch.as_tensor(np.ascontiguousarray(array), dtype=dtype, device=device)
