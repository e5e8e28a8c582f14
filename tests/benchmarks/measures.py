"""What benchmarks share: seconds of tasks taken in turn, the peak memory of a process, searches, tables of figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter
from typing import NamedTuple

import numpy as np
import typer

from xinr.methods import Method
from xinr.methods.covariances import Matern
from xinr.methods.method import get_setting
from xinr.methods.oi import OI
from xinr.observations.observations import Observations
from xinr.validation.tuning import tune

#: Five altimeters, and about the signal of the eddies that they observe.
MISSIONS = ("alg", "h2b", "j3", "s3a", "s3b")
PEER = Matern(150.0, 15.0, sigma=0.12)


class Measurement(NamedTuple):
    """A line of a table: what was measured, how much it is, and what was aimed at."""

    what: str
    value: str
    target: str = ""


def fastest(
    tasks: Mapping[str, Callable[[], object]], repeats: int, clock: Callable[[], float] = perf_counter
) -> dict[str, float]:
    """Run tasks in turn, again and again, and return the least seconds of each, by a clock of the `time` module.

    Examples
    --------
    >>> fastest({"nothing": lambda: None}, repeats=3)["nothing"] < 0.1
    True
    """
    seconds = dict.fromkeys(tasks, float("inf"))
    for _ in range(repeats):
        for name, task in tasks.items():
            started = clock()
            task()
            seconds[name] = min(seconds[name], clock() - started)
    return seconds


def peak_memory() -> int:
    """Return the most memory that this process has held at once [bytes].

    Linux hands ``ru_maxrss`` down from a process to those that it starts; there the record of its own memory is read.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    return getrusage(RUSAGE_SELF).ru_maxrss


def rms(values) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def search(
    name: str, observations: Observations, start: Method, settings: Sequence[str], evaluations: int
) -> tuple[Method, dict[str, float]]:
    """Tune a method, OI with analyses 4 days apart meanwhile; print and return what was found, settings rounded."""
    begin = replace(start, analysis_step=4.0) if isinstance(start, OI) else start
    found = tune(observations, begin, settings, evaluations=evaluations)
    # Of a noise for each mission, the root mean square.
    values = {key: found.method.rms_noise if key == "noise" else get_setting(found.method, key) for key in settings}
    rounded = {key: float(f"{value:.3g}") for key, value in values.items()}
    typer.echo(f"{name}: cross-validated rmse {100 * found.rmse:.2f} cm with {rounded}")
    return found.method, rounded


def chosen(names: list[str] | None, known: Iterable[str], hint: str = "") -> list[str]:
    """Return the names, or all that are known without any; `typer.BadParameter` for one that is not."""
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise typer.BadParameter(f"unknown {unknown}: expected some of {list(known)}{hint}.")
    return names or list(known)


def print_parts(
    parts: Mapping[str, Callable[[], Iterable[Measurement]]], names: list[str] | None = None, hint: str = ""
) -> None:
    """Run the parts of those names, or all, and print a table of what they measure."""
    names = chosen(names, parts, hint)
    typer.echo("| part | figure | measured | target |\n|---|---|---|---|")
    for name in names:
        for measurement in parts[name]():
            typer.echo(f"| {name} | {' | '.join(measurement)} |")
