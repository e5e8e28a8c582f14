"""What a GPU gains: kriging of a year, a network trained and evaluated, a simulated ocean, on it and on the CPU.

``python -m tests.benchmarks.gpu`` prints the table of docs/results.md: seconds on each device, and how far results are
apart.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
import typer

from tests.benchmarks.kriging import simulated
from tests.benchmarks.measures import Measurement, fastest, print_parts
from tests.benchmarks.training import GRID_POINTS, as_observed
from xinr._typing import Array
from xinr.fields.fitting import fit_observations
from xinr.geo.points import Points
from xinr.methods.kriging.method import Kriging
from xinr.methods.neural.architectures.siren import Siren
from xinr.simulate import qg


def compare(what: str, run: Callable[[str], Array], tolerance: str) -> Iterator[Measurement]:
    """Run a task on the CPU, and on a GPU where there is one; each once before it is timed."""
    devices = ("cpu", *(["cuda"] if torch.cuda.is_available() else []))
    found: dict[str, Array] = {}

    def on(device: str) -> None:
        found[device] = run(device)

    seconds = fastest({device: partial(on, device) for device in devices}, 2)
    for device in devices:
        yield Measurement(f"{what}, {device}", f"{seconds[device]:.2f} s")
    if len(devices) > 1:
        apart = np.sqrt(np.mean((found["cpu"] - found["cuda"]) ** 2) / np.mean(found["cpu"] ** 2))
        yield Measurement(f"{what}: cpu / cuda", f"{seconds['cpu'] / seconds['cuda']:.1f}")
        yield Measurement(f"{what}: difference, relative", f"{apart:.1e}", tolerance)


def kriging(days: int, small: bool) -> Iterator[Measurement]:
    """Krige five missions, and map them daily, without formal errors and with."""
    challenge = simulated(days)
    method = Kriging(spacing=60.0, time_step=4.0) if small else Kriging()

    def run(error: bool, device: str) -> Array:
        field = fit_observations(challenge.observations, replace(method, device=device))
        maps = field.interp(challenge.grid, error=error)
        return maps["err_sla" if error else "sla"].values

    yield from compare(f"kriging, {days} daily maps", partial(run, False), "<= 1e-2")
    yield from compare(f"kriging, {days} daily maps with errors", partial(run, True), "<= 1e-2")


def network(points: int, settings: dict[str, Any]) -> Iterator[Measurement]:
    """Train a network, and evaluate it."""
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (points, 4))
    some = torch.as_tensor(x[:50_000], dtype=torch.float32)
    signal = torch.sin(3.0 * some[:, 0]) * torch.cos(2.0 * some[:, 1])
    method = Siren(precision="float32", **settings)

    def fitted(device: str) -> Any:
        return replace(method, device=device).fit(*as_observed(some, signal))

    what = f"siren of {method.hidden_layers + 1} x {method.hidden_features}"
    at = Points.of(100.0 * x)
    yield from compare(
        f"{what}, {method.steps} steps", lambda device: fitted(device).predict(Points.of(at.x[:1000])), ""
    )
    trained = {device: fitted(device) for device in ("cpu", *(["cuda"] if torch.cuda.is_available() else []))}
    yield from compare(f"{what}, {points} points", lambda device: trained[device].predict(at), "")


def ocean(days: int, points: int) -> Iterator[Measurement]:
    """Step a quasi-geostrophic ocean."""
    yield from compare(
        f"two layers of {points} x {points} points, {days} days",
        lambda device: qg(days, points=points, spin_up=1.0, device=device).isel(time=-1).to_array().values.ravel(),
        "",
    )


def main(small: Annotated[bool, typer.Option(help="A little of everything.")] = False) -> None:
    """Print the table."""
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    print(f"GPU: {card}; CPU threads: {torch.get_num_threads()}")
    size: dict[str, Any] = (
        {"hidden_features": 16, "hidden_layers": 1, "steps": 5} if small else {"hidden_features": 512}
    )
    print_parts(
        {
            "kriging": lambda: kriging(8 if small else 365, small),
            "network": lambda: network(1000 if small else GRID_POINTS, size),
            "ocean": lambda: ocean(1 if small else 20, 32 if small else 256),
        },
        None,
    )


if __name__ == "__main__":
    typer.run(main)
