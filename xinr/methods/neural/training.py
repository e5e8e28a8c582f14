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

from xinr.methods.neural.checkpoint import Checkpoint
from xinr.methods.neural.members import Members
from xinr.methods.neural.network import Network
from xinr.methods.neural.workers import ALONE, Workers
from xinr.methods.observation_error import ObservationError
from xinr.methods.pass_errors import PassErrors

#: Steps between two looks at the whole training set: errors of passes, withheld passes, history, checkpoint.
CHECK = 25
#: Rate of Adam for what Muon does not take: biases, first and last layer.
ADAM_RATE = 1e-3
#: Points per block when many are evaluated: the activations stay in the cache, twice as fast as blocks of 65 536.
BLOCK = 4096


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How networks are trained; the settings of the same name of a neural method."""

    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    optimizer: str
    bfloat16: bool
    patience: int
    seed: int


@dataclass(frozen=True)
class TrainingSet:
    """Standardised observations, whole on the device.

    ``x`` (n, d), ``y`` (n,); ``error``, its errors in units of y; ``withheld`` (n,) marks the passes that only judge;
    ``penalty`` is added to the loss of each network.
    """

    x: Tensor
    y: Tensor
    error: ObservationError
    withheld: Tensor
    penalty: Callable[[Network, torch.Generator], Tensor] | None = None


def train(
    networks: Sequence[Network], data: TrainingSet, recipe: Recipe, checkpoint: Checkpoint, workers: Workers = ALONE
) -> dict[str, np.ndarray]:
    """Train the networks of an ensemble in place, and return the history of the checks.

    Parameters
    ----------
    networks : sequence of Network
        One or more of the same architecture, from x (n, d) to y (n,), on the device of the data.
    data : TrainingSet
        What to fit, and which passes to judge by.
    recipe : Recipe
        How.
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
    1. Draw a batch for each member, with replacement; weigh squared misfits by the inverse noise variance. Of
       several processes, each takes its share of the batch, and their gradients are summed.
    2. Muon moves the hidden matrices, Adam the rest, both on a cosine schedule down to zero.
    3. At every check, estimate the bias and slope of each pass from its residuals, less the mean of all, and take them
       off the targets: the mode of their posterior given the network.
    4. With withheld passes, keep the weights that fit them best and stop after ``patience`` checks without gain.
    """
    device, members = data.x.device, Members(networks)
    used = torch.nonzero(~data.withheld).squeeze(1)
    errors = PassErrors(data.error.take(used.cpu().numpy()), device, data.x.dtype)
    weight = errors.precision / errors.precision.mean()
    x, y = data.x[used], data.y[used]
    run = _Run(networks, _optimizers(networks, recipe), torch.Generator(device).manual_seed(recipe.seed))
    run.of_pass = torch.zeros(len(networks), len(used), dtype=y.dtype, device=device)
    run.restore(checkpoint.read())
    shown: dict[str, Any] = {"initial": run.step, "disable": None if workers.leads else True}
    for step in tqdm(range(run.step, recipe.steps), "training", recipe.steps, leave=False, delay=1, **shown):
        index = torch.randint(len(used), (len(networks), recipe.batch_size), generator=run.generator, device=device)
        index = workers.share(index)  # (members, batch)
        target = y[index] - run.of_pass.gather(1, index)
        with _autocast(x, recipe.bfloat16):
            misfit = members(x[index]).float() - target
        loss = (weight[index] * misfit**2).sum() / recipe.batch_size
        if data.penalty is not None:
            loss = loss + sum(data.penalty(network, run.generator) for network in networks) / workers.count
        loss.backward()  # type: ignore[no-untyped-call]
        run.move(0.5 * (1.0 + cos(pi * step / recipe.steps)), workers)
        run.losses.append(loss.detach() / len(networks))
        if (step + 1) % CHECK and step + 1 < recipe.steps:
            continue
        predicted = _evaluate(members, data.x, recipe.bfloat16)  # (members, n)
        left = (y - predicted[:, used]).T  # (n, members)
        # What all passes share is the network's to fit: their biases would take it up, and it would stray.
        run.of_pass = errors.explained(left - weight @ left / weight.sum()).T
        run.look(step + 1, _rms((data.y - predicted)[:, data.withheld]), workers)
        if not np.isfinite(run.history[-1][1]):
            raise FloatingPointError(
                f"training diverged by step {step + 1} (the loss is {run.history[-1][1]}): expected it to fall. "
                f"Lower learning_rate ({recipe.learning_rate:g}), and check that no noise is close to zero."
            )
        if run.judged and run.checks_since_best >= recipe.patience:
            break
        if workers.leads:
            checkpoint.write(run.state())
    if run.judged:
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
    of_pass: Tensor = field(init=False)
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

    def look(self, step: int, withheld_rmse: float, workers: Workers) -> None:
        """Note how it goes, and keep the weights if none were better for the withheld passes."""
        loss = workers.sum(torch.stack(self.losses).mean())
        self.step, self.history = step, [*self.history, (step, float(loss), withheld_rmse)]
        self.losses.clear()
        if self.judged and self.checks_since_best == 0:
            self.best_weights = copy.deepcopy([network.state_dict() for network in self.networks])

    @property
    def judged(self) -> bool:
        """Whether there are withheld passes; without, their rmse is NaN."""
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
            "of_pass": self.of_pass,
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
        self.of_pass = state["of_pass"].to(self.of_pass.device)
        self.step, self.history, self.best_weights = state["step"], state["history"], state["best_weights"]


def _optimizers(networks: Sequence[Network], recipe: Recipe) -> list[torch.optim.Optimizer]:
    everything = [parameter for network in networks for parameter in network.parameters()]
    if recipe.optimizer == "adam":
        return [torch.optim.Adam(everything, lr=recipe.learning_rate)]
    matrices = [matrix for network in networks for matrix in network.hidden_matrices()]
    chosen = {id(matrix) for matrix in matrices}
    rest = [parameter for parameter in everything if id(parameter) not in chosen]
    muon = torch.optim.Muon(matrices, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    return [muon, torch.optim.Adam(rest, lr=ADAM_RATE)]


@torch.no_grad()
def _evaluate(members: Members, x: Tensor, bfloat16: bool) -> Tensor:
    count = len(members.networks)
    with _autocast(x, bfloat16):
        return torch.cat([members(block.expand(count, -1, -1)).float() for block in torch.split(x, BLOCK)], dim=1)


def _autocast(x: Tensor, bfloat16: bool) -> torch.autocast:
    return torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=bfloat16)


def _rms(residual: Tensor) -> float:
    return float(torch.sqrt((residual**2).mean()))
