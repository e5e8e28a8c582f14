"""The training loop of the neural methods, top to bottom."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, pi
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from xinr.methods.neural.batched import BatchedNetworks
from xinr.methods.neural.checkpoint import Checkpoint
from xinr.methods.neural.muon import Muon
from xinr.methods.neural.network import Network
from xinr.methods.neural.workers import ALONE, Workers
from xinr.methods.observation_error import ObservationError
from xinr.methods.pass_errors import PassErrors
from xinr.methods.settings import check_positive

#: Steps between two checks on the whole training set: pass errors, withheld passes, history, checkpoint.
CHECK = 25
#: Rate of Adam for what Muon does not take: biases, first and last layer.
ADAM_RATE = 1e-3
#: Points per block when many are evaluated: the activations stay in the cache, twice as fast as blocks of 65 536.
BLOCK = 4096


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How networks are trained.

    Parameters
    ----------
    steps, batch_size : int
        Optimisation steps, and points drawn for each.
    learning_rate, weight_decay : float
        Of Muon on the hidden matrices, or of Adam on everything (which takes no weight decay).
    optimizer : {"muon", "adam"}
        Muon orthogonalises the step of each hidden matrix; Adam moves the rest.
    precision : {"auto", "float32", "bfloat16"}
        Of the matrix products; "auto" takes bfloat16 where the hardware multiplies it natively.
    patience : int
        Checks (every 25 steps) without gain on the withheld passes before stopping.
    seed : int
        Of initial weights, batches and withheld passes.

    References
    ----------
    Muon: Jordan et al. (2024), https://kellerjordan.github.io/posts/muon
    """

    steps: int = 300
    batch_size: int = 1024  # the noise of small batches regularises: twice as many points cost 2 to 4 % of the rmse
    learning_rate: float = 5e-3
    weight_decay: float = 0.1
    optimizer: str = "muon"
    precision: str = "auto"
    patience: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        positive = ("learning_rate", "steps", "batch_size", "patience")
        check_positive(**{name: getattr(self, name) for name in positive})
        for name, choices in (("optimizer", ("muon", "adam")), ("precision", ("auto", "float32", "bfloat16"))):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {list(choices)}, got {getattr(self, name)!r}.")
        if self.seed < 0 or self.weight_decay < 0.0:
            raise ValueError(f"seed and weight_decay must be zero or more, got {self.seed} and {self.weight_decay}.")

    def bfloat16(self, device: torch.device) -> bool:
        """Return whether matrix products are in bfloat16 on a device."""
        return self.precision == "bfloat16" or (self.precision == "auto" and _multiplies_bfloat16(device))


@dataclass(frozen=True)
class TrainingSet:
    """Standardised observations, whole on the device.

    ``x`` (n, d), ``y`` (n,); ``error``, the errors in units of y; ``withheld`` (n,) marks points of withheld passes;
    ``penalty`` is added to the loss of each network.
    """

    x: Tensor
    y: Tensor
    error: ObservationError
    withheld: Tensor
    penalty: Callable[[Network, torch.Generator], Tensor] | None = None


def train(
    networks: Sequence[Network],
    data: TrainingSet,
    settings: TrainingSettings,
    checkpoint: Checkpoint,
    workers: Workers = ALONE,
) -> dict[str, np.ndarray]:
    """Train the networks of an ensemble in place, and return the history of the checks.

    Parameters
    ----------
    networks : sequence of Network
        One or more of the same architecture, from x (n, d) to y (n,), on the device of the data.
    data : TrainingSet
        What to fit, and which passes to withhold.
    settings : TrainingSettings
        How: a neural method is such settings.
    checkpoint : Checkpoint
        Where to begin, if anything was kept there, and to keep the state at every check.
    workers : Workers
        Which process this is among those that train together.

    Returns
    -------
    dict of ndarray
        ``step``, ``loss`` (weighted mean square of the last batches) and ``withheld_rmse``, one entry a check,
        in standardised units; of all members together.

    Notes
    -----
    1. Draw a batch for each member, with replacement; weight squared misfits by the inverse noise variance. Of
       several processes, each takes its share of the batch, and their gradients are summed.
    2. Muon moves the hidden matrices, Adam the rest, both on a cosine schedule down to zero.
    3. At every check, estimate the bias and slope of each pass from its residuals, less the mean of all, and subtract
       them from the targets: the mode of their posterior given the network.
    4. With withheld passes, keep the weights that fit them best and stop after ``patience`` checks without gain.
    """
    device, batched = data.x.device, BatchedNetworks(networks)
    bfloat16 = settings.bfloat16(device)
    used = torch.nonzero(~data.withheld).squeeze(1)
    errors = PassErrors(data.error.take(used.cpu().numpy()), device, data.x.dtype)
    weight = errors.precision / errors.precision.mean()
    x, y = data.x[used], data.y[used]
    run = _Run(networks, _optimizers(networks, settings), torch.Generator(device).manual_seed(settings.seed))
    run.pass_errors = torch.zeros(len(networks), len(used), dtype=y.dtype, device=device)
    run.restore(checkpoint.read())
    shown: dict[str, Any] = {"initial": run.step, "disable": None if workers.leads else True}
    for step in tqdm(range(run.step, settings.steps), "training", settings.steps, leave=False, delay=1, **shown):
        index = torch.randint(len(used), (len(networks), settings.batch_size), generator=run.generator, device=device)
        index = workers.share(index)  # (members, batch)
        target = y[index] - run.pass_errors.gather(1, index)
        with _autocast(x, bfloat16):
            misfit = batched(x[index]).float() - target
        loss = (weight[index] * misfit**2).sum() / settings.batch_size
        if data.penalty is not None:
            loss = loss + sum(data.penalty(network, run.generator) for network in networks) / workers.count
        loss.backward()  # type: ignore[no-untyped-call]
        run.move(0.5 * (1.0 + cos(pi * step / settings.steps)), workers)
        run.losses.append(loss.detach() / len(networks))
        if (step + 1) % CHECK and step + 1 < settings.steps:
            continue
        withheld_rmse = float("nan")
        if errors.names or data.withheld.any():
            predicted = _evaluate(batched, data.x, bfloat16)  # (members, n)
            residual = (y - predicted[:, used]).T  # (n, members)
            # What all passes share is the network's to fit: their biases would take it up, and it would stray.
            run.pass_errors = errors.explained(residual - weight @ residual / weight.sum()).T
            withheld_rmse = _rms((data.y - predicted)[:, data.withheld])
        run.record(step + 1, withheld_rmse, workers)
        if not np.isfinite(run.history[-1][1]):
            raise FloatingPointError(
                f"training diverged by step {step + 1} (the loss is {run.history[-1][1]}): expected it to fall. "
                f"Lower learning_rate ({settings.learning_rate:g}), and check that no noise is close to zero."
            )
        if run.withholds and run.checks_since_best >= settings.patience:
            break
        if workers.leads:
            checkpoint.write(run.state())
    if run.withholds:
        run.load(run.best_weights)
    if workers.leads:
        checkpoint.remove()
    return dict(zip(("step", "loss", "withheld_rmse"), np.array(run.history).T, strict=True))


@dataclass
class _Run:
    """What changes while networks are trained, so that it can be kept and taken up again."""

    networks: Sequence[Network]
    optimizers: list[torch.optim.Optimizer]
    generator: torch.Generator
    pass_errors: Tensor = field(init=False)
    step: int = 0
    history: list[tuple[float, float, float]] = field(default_factory=list)
    best_weights: list[Mapping[str, Tensor]] = field(default_factory=list)
    losses: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in self.optimizers]

    def move(self, fraction: float, workers: Workers) -> None:
        """Step along the gradients, at this fraction of the rates."""
        workers.add_gradients(parameter for network in self.networks for parameter in network.parameters())
        for optimizer, base in zip(self.optimizers, self.rates, strict=True):
            for group, rate in zip(optimizer.param_groups, base, strict=True):
                group["lr"] = rate * fraction
            optimizer.step()
            optimizer.zero_grad()

    def record(self, step: int, withheld_rmse: float, workers: Workers) -> None:
        """Add a check to the history, and keep the weights if none fitted the withheld passes better."""
        loss = workers.sum(torch.stack(self.losses).mean())
        self.step, self.history = step, [*self.history, (step, float(loss), withheld_rmse)]
        self.losses.clear()
        if self.withholds and self.checks_since_best == 0:
            self.best_weights = copy.deepcopy([network.state_dict() for network in self.networks])

    @property
    def withholds(self) -> bool:
        """Whether there are withheld passes: without, their rmse is NaN."""
        return not np.isnan(self.history[-1][2])

    @property
    def checks_since_best(self) -> int:
        """How many checks ago the withheld passes were fitted best."""
        rmse = [check[2] for check in self.history]
        return len(rmse) - 1 - int(np.argmin(rmse))

    def load(self, weights: Sequence[Mapping[str, Tensor]]) -> None:
        """Give the networks these weights."""
        for network, own in zip(self.networks, weights, strict=True):
            network.load_state_dict(own)

    def state(self) -> dict[str, Any]:
        """Return what `restore` takes up."""
        return {
            "step": self.step,
            "weights": [network.state_dict() for network in self.networks],
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "generator": self.generator.get_state(),
            "pass_errors": self.pass_errors,
            "history": self.history,
            "best_weights": self.best_weights,
        }

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Take up a state that was kept, if any."""
        if state is None:
            return
        self.load(state["weights"])
        for optimizer, own in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(own)
        self.generator.set_state(state["generator"])
        self.pass_errors = state["pass_errors"].to(self.pass_errors.device)
        self.step, self.history, self.best_weights = state["step"], state["history"], state["best_weights"]


def _optimizers(networks: Sequence[Network], settings: TrainingSettings) -> list[torch.optim.Optimizer]:
    everything = [parameter for network in networks for parameter in network.parameters()]
    if settings.optimizer == "adam":
        return [torch.optim.Adam(everything, lr=settings.learning_rate)]
    matrices = [matrix for network in networks for matrix in network.hidden_matrices()]
    chosen = {id(matrix) for matrix in matrices}
    rest = [parameter for parameter in everything if id(parameter) not in chosen]
    dtype = torch.bfloat16 if settings.bfloat16(everything[0].device) else everything[0].dtype
    muon = Muon(matrices, settings.learning_rate, settings.weight_decay, dtype)
    return [muon, torch.optim.Adam(rest, lr=ADAM_RATE)]


@torch.no_grad()
def _evaluate(batched: BatchedNetworks, x: Tensor, bfloat16: bool) -> Tensor:
    count = len(batched.networks)
    with _autocast(x, bfloat16):
        return torch.cat([batched(block.expand(count, -1, -1)).float() for block in torch.split(x, BLOCK)], dim=1)


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    cpu = torch.cpu
    return device.type == "cpu" and bool(cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported())


def _autocast(x: Tensor, bfloat16: bool) -> torch.autocast:
    return torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=bfloat16)


def _rms(residual: Tensor) -> float:
    return float(torch.sqrt((residual**2).mean()))
