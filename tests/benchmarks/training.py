"""How fast networks are trained and evaluated, relative to the loops that one would write first.

``python -m tests.benchmarks.training FOLDER`` prints what docs/methods/neural.md says of speed: samples a second of one
network and batch in several loops, the share of the machine's rate of matrix products, seconds to the rmse that 1500
steps of Adam reach, the prediction of the 2021a grid, and new days fitted from an earlier field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from tests.benchmarks.measures import Measurement, fastest, print_parts
from tests.benchmarks.med2021 import calibrated
from xinr._typing import Array
from xinr.challenges import Challenge, med2021
from xinr.challenges.leaderboard.evaluation import timed
from xinr.fields.fitted import FittedField
from xinr.fields.fitting import fit_observations
from xinr.geo.points import Points
from xinr.methods.kriging.method import Kriging
from xinr.methods.method import Method
from xinr.methods.neural.architectures.positional import Positional
from xinr.methods.neural.architectures.siren import Siren, SirenNetwork
from xinr.methods.neural.checkpoint import Checkpoint
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.training import TrainingSet, TrainingSettings, train
from xinr.methods.observation_error import ObservationError
from xinr.observations.observations import Observations

#: Points of a year of daily maps of the data challenge 2021a at 0.2 degree, and the network of its first submission.
GRID_POINTS, SEED_NETWORK = 967_980, {"features": 512, "layers": 4}
#: Seconds that the ten cores of its authors took for them.
SEED_SECONDS = 26.5

#: A mean for kriging: too small to fit the errors of the tracks.
LARGE_SCALES = Positional(
    length_scale=3000.0,
    time_scale=200.0,
    octaves=1,
    hidden_features=64,
    hidden_layers=2,
    steps=100,
    learning_rate=1e-2,
)


class PlainSiren(nn.Module):
    """The network as the paper writes it: ``sin(omega_0 (W x + b))``, layer after layer."""

    def __init__(self, features: int, layers: int, omega_0: float) -> None:
        super().__init__()
        widths = [4, *[features] * (layers + 1)]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.last, self.omega_0 = nn.Linear(features, 1), omega_0

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate it."""
        for layer in self.layers:
            x = torch.sin(self.omega_0 * layer(x))
        height: Tensor = self.last(x)
        return height


def rates(features: int, layers: int, batch: int, steps: int, repeats: int) -> Iterator[Measurement]:
    """Compare samples a second: a loader of single samples, a plain loop, and the training of xinr."""
    x = torch.rand(batch, 4, generator=torch.Generator().manual_seed(0)) * 2.0 - 1.0
    y = torch.sin(3.0 * x[:, 0]) * torch.cos(2.0 * x[:, 1])
    data = TrainingSet(x, y, as_observed(x, y)[2], torch.zeros(batch, dtype=torch.bool))

    def ours(optimizer: str, bfloat16: bool) -> Callable[[], object]:
        settings = TrainingSettings(
            steps=steps,
            batch_size=batch,
            learning_rate=1e-3,
            optimizer=optimizer,
            precision="bfloat16" if bfloat16 else "float32",
        )
        return lambda: train([SirenNetwork(4, features, layers, 14.0)], data, settings, Checkpoint("", ""))

    tasks = {
        "a DataLoader that collates single samples": lambda: plain(x, y, features, layers, steps=1, loader=batch),
        "a DataLoader, a step for each sample": lambda: plain(x, y, features, layers, steps=20, loader=1),
        "a plain loop": lambda: plain(x, y, features, layers, steps, batch),
        "xinr, Adam, float32": ours("adam", False),
        "xinr, Adam, bfloat16": ours("adam", True),
        "xinr, Muon, float32": ours("muon", False),
        "xinr, Muon, bfloat16": ours("muon", True),
    }
    seconds = fastest(tasks, repeats)
    seconds["a DataLoader that collates single samples"] *= steps
    seconds["a DataLoader, a step for each sample"] *= steps * batch / 20
    weights = 4 * features + layers * features**2 + features
    possible = product_rate(batch, features, repeats)
    for name, taken in seconds.items():
        rate = steps * batch / taken
        share = 6.0 * weights * rate / possible  # forward, and backward by weights and by features
        relative = f"{seconds['a plain loop'] / taken:.2f} times the plain loop"
        yield Measurement(name, f"{rate / 1e3:.1f} thousand samples a second, {100 * share:.0f} % of sgemm, {relative}")
    yield Measurement("a matrix product in float32", f"{possible / 1e9:.0f} GFLOP/s")


def plain(x: Tensor, y: Tensor, features: int, layers: int, steps: int, batch: int = 0, loader: int = 0) -> None:
    """Train a network by the loop of a first notebook, or by a loader that collates single samples."""
    network = PlainSiren(features, layers, 14.0)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    if loader:
        feed = iter(DataLoader(TensorDataset(x, y), batch_size=loader, shuffle=True))
    for _ in range(steps):
        index = torch.randint(len(x), (batch,)) if batch else None
        positions, heights = next(feed) if index is None else (x[index], y[index])
        loss = ((network(positions)[:, 0] - heights) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def as_observed(x: Tensor, y: Tensor) -> tuple[Array, Array, ObservationError]:
    """Return what a method takes: positions in km and days, one long pass."""
    n = len(x)
    error = ObservationError(np.full(n, 0.1), np.zeros(n, dtype=np.int64), np.zeros(n))
    return 100.0 * x.double().numpy(), y.double().numpy(), error


def product_rate(rows: int, columns: int, repeats: int) -> float:
    """Return the rate of such products of matrices as a layer makes [FLOP/s]."""
    a, b = torch.rand(rows, columns), torch.rand(columns, columns)
    seconds = fastest({"product": lambda: [a @ b for _ in range(20)]}, 3 * repeats)["product"]
    return 20 * 2.0 * rows * columns**2 / seconds


def to_the_rmse_of_adam(challenge: Challenge, method: Siren, adam_steps: int) -> Iterator[Measurement]:
    """Compare how long it takes to predict the withheld track as well as many steps of Adam with large batches do."""
    peer = replace(method, optimizer="adam", learning_rate=1e-3, steps=adam_steps, batch_size=4096, precision="float32")
    field, whole = fitted(challenge.observations, peer)
    goal = rmse_of(challenge, field)
    yield Measurement(f"Adam, {adam_steps} steps of 4096", f"{goal:.2f} cm in {whole:.1f} s")
    for precision in ("float32", "bfloat16"):
        for steps in (100, 150, 200, 300):
            field, seconds = fitted(challenge.observations, replace(method, steps=steps, precision=precision))
            rmse = rmse_of(challenge, field)
            reached = "reached" if rmse <= goal else "not reached"
            measured = f"{rmse:.2f} cm in {seconds:.1f} s, {seconds / whole:.3f} of the time: {reached}"
            yield Measurement(f"Muon, {steps} steps of {method.batch_size}, {precision}", measured)
            if rmse <= goal:
                break


def prediction(points: int, features: int, layers: int) -> Iterator[Measurement]:
    """Evaluate the network of the first submission on its grid."""
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (points, 4))
    one = Siren(hidden_features=features, hidden_layers=layers, steps=1, batch_size=8)
    few = torch.as_tensor(x[:64], dtype=torch.float32)
    predictor = one.fit(*as_observed(few, few[:, 0]))
    assert isinstance(predictor.network, SirenNetwork)  # type: ignore[union-attr]
    seconds = fastest({"predict": lambda: predictor.predict(Points.of(x))}, 2)["predict"]
    weights = layers * features**2
    possible = product_rate(4096, features, 3)
    share = 2.0 * weights * points / seconds / possible
    yield Measurement(
        f"{points} points of {layers + 1} x {features}",
        f"{seconds:.1f} s, {100 * share:.0f} % of sgemm",
        f"{SEED_SECONDS} s on ten cores",
    )


def new_days(challenge: Challenge, method: Siren, days: int = 7) -> Iterator[Measurement]:
    """Fit all days from a field of all but the last, and from nothing."""
    points = challenge.observations
    before = points.take(points.time < points.time.max() - np.timedelta64(days, "D"))
    earlier = fit_observations(before, method)
    whole, seconds = fitted(points, method)
    yield Measurement(
        f"all days from nothing, {method.steps} steps", f"{rmse_of(challenge, whole):.2f} cm in {seconds:.1f} s"
    )
    for steps in (method.steps // 10, method.steps // 4):
        for name, init in (("an earlier field", earlier), ("nothing", None)):
            field, some = fitted(points, replace(method, steps=steps), init)
            shown = f"{rmse_of(challenge, field):.2f} cm in {some:.1f} s, {some / seconds:.2f} of the time"
            yield Measurement(f"{days} new days from {name}, {steps} steps", shown)


def curve(challenge: Challenge, methods: Sequence[NeuralMethod]) -> Iterator[Measurement]:
    """Measure what seconds buy: rmse on the withheld track, and how much of it lies within formal errors."""
    for method in methods:
        for quarters, members in ((1, 1), (2, 1), (4, 1), (4, 4)):
            some = replace(method, steps=quarters * method.steps // 4, members=members, calibrate=True)
            yield Measurement(
                f"{type(method).__name__}, {some.steps} steps, {members} member(s)", _found(challenge, some)
            )
    yield Measurement("kriging about a small network of large scales", _found(challenge, Kriging(mean=LARGE_SCALES)))


def _found(challenge: Challenge, method: Method) -> str:
    field, seconds = fitted(challenge.observations, method)
    shares = calibrated(challenge, field, method)
    within = f"{100 * shares['coverage_68']:.0f} / {100 * shares['coverage_95']:.0f}"
    return f"{rmse_of(challenge, field):.2f} cm in {seconds:.1f} s, {within} % within formal 68 / 95 % intervals"


def fitted(points: Observations, method: Method, init: FittedField | None = None) -> tuple[FittedField, float]:
    """Return a field, and the seconds of its fit."""
    return timed(lambda: fit_observations(points, method, init))


def rmse_of(challenge: Challenge, field: FittedField) -> float:
    """Return the rmse on the withheld track [cm]."""
    return 100.0 * float(challenge.score(field).rmse)


def main(
    folder: Annotated[Path, typer.Argument(help="Folder of the dt_med_*_phy_l3_*.nc files.")],
    part: Annotated[
        list[str] | None, typer.Option(help="Some of rates, adam, prediction, days, curve; by default all.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Of torch.")] = 2,
    small: Annotated[bool, typer.Option(help="A tenth of everything.")] = False,
) -> None:
    """Print how fast networks are trained and evaluated."""
    torch.set_num_threads(threads)
    size: dict[str, int] = {"hidden_features": 32, "hidden_layers": 2, "steps": 20} if small else {}
    method, few = Siren(**size), 10 if small else 1
    parts: dict[str, Callable[[], Iterator[Measurement]]] = {
        "rates": lambda: rates(256 // few, 4, 4096 // few, 20 // min(few, 4), 3),
        "adam": lambda: to_the_rmse_of_adam(med2021(folder), method, 1500 // few**2),
        "prediction": lambda: prediction(GRID_POINTS // few, SEED_NETWORK["features"] // few, SEED_NETWORK["layers"]),
        "days": lambda: new_days(med2021(folder), method),
        "curve": lambda: curve(med2021(folder), [Siren(**size), Positional(**size)]),
    }
    print_parts(parts, part)


if __name__ == "__main__":
    typer.run(main)
