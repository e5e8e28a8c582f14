"""The training loop of the neural methods, top to bottom."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from xinr.methods.base import ObservationError
from xinr.methods.neural.network import Network
from xinr.methods.pass_errors import PassErrors

#: Steps between two looks at the whole training set: errors of passes, withheld passes, history.
CHECK = 25
#: Rate of Adam for what Muon does not take: biases, first and last layer.
ADAM_RATE = 1e-3
#: Points per block when many are evaluated: the activations stay in the cache, twice as fast as blocks of 65 536.
BLOCK = 4096


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained; the settings of the same name of a neural method."""

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

    ``x`` (n, d), ``y`` (n,); ``error``, its errors in units of y; ``withheld`` (n,) marks the passes that only judge.
    """

    x: Tensor
    y: Tensor
    error: ObservationError
    withheld: Tensor


def train(network: Network, data: TrainingSet, recipe: Recipe) -> dict[str, np.ndarray]:
    """Train a network in place, and return the history of its checks.

    Parameters
    ----------
    network : Network
        From x (n, d) to y (n,), on the device of the data.
    data : TrainingSet
        What to fit, and which passes to judge by.
    recipe : Recipe
        How.

    Returns
    -------
    dict of ndarray
        ``step``, ``loss`` (weighted mean square of the last batches) and ``withheld_rmse``, one entry a check,
        in standardised units.

    Notes
    -----
    1. Draw a batch with replacement; weigh squared misfits by the inverse noise variance.
    2. Muon moves the hidden matrices, Adam the rest, both on a cosine schedule down to zero.
    3. At every check, estimate the bias and slope of each pass from its residuals, and take them off the targets: the
       mode of their posterior given the network.
    4. With withheld passes, keep the weights that fit them best and stop after ``patience`` checks without gain.
    """
    generator = torch.Generator(data.x.device).manual_seed(recipe.seed)
    optimizers = _optimizers(network, recipe)
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    used = torch.nonzero(~data.withheld).squeeze(1)
    errors = PassErrors(data.error.take(used.cpu().numpy()), data.x.device, data.x.dtype)
    weight = errors.precision / errors.precision.mean()
    x, y, of_pass = data.x[used], data.y[used], torch.zeros_like(data.y[used])
    keeper = _BestWeights(network, recipe.patience)
    history: list[tuple[float, float, float]] = []
    losses: list[Tensor] = []
    for step in tqdm(range(recipe.steps), "training", leave=False, disable=None, delay=1):
        index = torch.randint(len(used), (recipe.batch_size,), generator=generator, device=x.device)
        with _autocast(x, recipe.bfloat16):
            misfit = network(x[index]) - (y - of_pass)[index]
            loss = (weight[index] * misfit.float() ** 2).mean()
        loss.backward()
        fraction = 0.5 * (1.0 + cos(pi * step / recipe.steps))
        for optimizer, base in zip(optimizers, rates, strict=True):
            for group, rate in zip(optimizer.param_groups, base, strict=True):
                group["lr"] = rate * fraction
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.detach())
        if (step + 1) % CHECK and step + 1 < recipe.steps:
            continue
        predicted = _evaluate(network, data.x, recipe.bfloat16)
        of_pass = errors.explained((y - predicted[used])[:, None])[:, 0]
        withheld_rmse = _rms((data.y - predicted)[data.withheld])
        history.append((step + 1, float(torch.stack(losses).mean()), withheld_rmse))
        losses.clear()
        if not np.isfinite(history[-1][1]):
            raise FloatingPointError(
                f"training diverged by step {step + 1} (the loss is {history[-1][1]}): expected it to fall. "
                f"Lower learning_rate ({recipe.learning_rate:g}), and check that no noise is close to zero."
            )
        if keeper.should_stop(withheld_rmse):
            break
    keeper.restore()
    return dict(zip(("step", "loss", "withheld_rmse"), np.array(history).T, strict=True))


class _BestWeights:
    """Keeps the weights of the best check, and says when to stop; without withheld passes (NaN) it does neither."""

    def __init__(self, network: nn.Module, patience: int) -> None:
        self.network, self.patience = network, patience
        self.best, self.checks_since, self.weights = float("inf"), 0, copy.deepcopy(network.state_dict())
        self.judged = False

    def should_stop(self, rmse: float) -> bool:
        self.judged = self.judged or rmse == rmse
        self.checks_since += 1
        if rmse < self.best:
            self.best, self.checks_since, self.weights = rmse, 0, copy.deepcopy(self.network.state_dict())
        return self.judged and self.checks_since >= self.patience

    def restore(self) -> None:
        if self.judged:
            self.network.load_state_dict(self.weights)


def _optimizers(network: Network, recipe: Recipe) -> list[torch.optim.Optimizer]:
    if recipe.optimizer == "adam":
        return [torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)]
    matrices = network.hidden_matrices()
    chosen = {id(p) for p in matrices}
    rest = [p for p in network.parameters() if id(p) not in chosen]
    muon = torch.optim.Muon(matrices, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    return [muon, torch.optim.Adam(rest, lr=ADAM_RATE)]


@torch.no_grad()
def _evaluate(network: Callable[[Tensor], Tensor], x: Tensor, bfloat16: bool) -> Tensor:
    with _autocast(x, bfloat16):
        return torch.cat([network(block).float() for block in torch.split(x, BLOCK)])


def _autocast(x: Tensor, bfloat16: bool) -> torch.autocast:
    return torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=bfloat16)


def _rms(residual: Tensor) -> float:
    return float(torch.sqrt((residual**2).mean()))
