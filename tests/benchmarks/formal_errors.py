"""Formal errors of kriging against the dense solution, against posterior samples, and their cost.

``python -m tests.benchmarks.formal_errors`` prints the figures of docs/methods/kriging.md: a month of five simulated
missions, their dense posterior under the lattice's own covariance at random points, and the seconds that errors add to
a year of daily maps. With ``--folder FOLDER`` of the files dt_med_<mission>_phy_l3_*.nc, the same of real tracks, in
some minutes and 5 GB.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from scipy.linalg import cho_factor, cho_solve
from scipy.ndimage import map_coordinates, spline_filter

from tests.benchmarks.kriging import simulated
from tests.benchmarks.measures import Measurement, fastest, print_parts
from xinr._typing import Array
from xinr.challenges import Challenge, med2021
from xinr.fields.fitted import FittedField
from xinr.fields.fitting import fit_observations
from xinr.geo.points import Points
from xinr.methods.kriging.lattice_covariance import LatticeCovariance
from xinr.methods.kriging.method import Kriging
from xinr.methods.kriging.predictor import KrigingPredictor

#: Rows of the dense matrix that are filled at once.
ROWS = 200


def kernel(covariance: LatticeCovariance, extent: Array):
    """Return the lattice's covariance as a function of lags (..., 3) within an extent (3,)."""
    unit = np.array(covariance.lattice.step) / 2.0
    most = np.ceil(extent / unit).astype(int) + 4
    table = spline_filter(
        covariance.at(*(step * np.arange(-far, far + 1) for step, far in zip(unit, most, strict=True)))
    )

    def value(lag: Array) -> Array:
        at = [lag[..., axis] / unit[axis] + most[axis] for axis in range(3)]
        return map_coordinates(table, at, order=3, mode="nearest", prefilter=False)

    return value


def dense(predictor: KrigingPredictor, targets: Array) -> Array:
    """Return the posterior deviation at targets (m, 3) by one factor of the whole covariance of the observations."""
    problem = predictor.problem
    x, n = problem.x, len(problem.x)
    covariance = LatticeCovariance(problem.lattice, problem.lattice.power(problem.covariance))
    value = kernel(covariance, np.ptp(np.concatenate([x, targets]), axis=0))
    system = np.empty((n, n))
    for row in range(0, n, ROWS):
        system[row : row + ROWS] = value(x[row : row + ROWS, None] - x[None])
    problem.error.add_to(system, slice(None))
    root = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
    seen, ones = value(x[:, None] - targets[None]), np.ones((n, 1))
    solved, of_ones = cho_solve(root, seen), cho_solve(root, ones)
    open_mean = 1.0 - (ones.T @ solved)[0]
    return np.sqrt(covariance.variance - (seen * solved).sum(axis=0) + open_mean**2 / (ones.T @ of_ones).item())


def accuracy(challenge: Challenge, targets: int, samples: int) -> Iterator[Measurement]:
    """Compare formal errors with the dense posterior, and with the spread of samples, at random points."""
    field = fit_observations(challenge.observations, Kriging())
    predictor = field.predictor
    assert isinstance(predictor, KrigingPredictor)
    low, high = np.percentile(predictor.problem.x, [3, 97], axis=0)
    at = Points.of(low + (high - low) * np.random.default_rng(0).random((targets, 3)))
    exact, found = dense(predictor, at.x), predictor.posterior(at)[1]
    what = f"{len(predictor.problem.x)} averages, {targets} random points"
    yield Measurement(f"{what}: dense posterior deviation, mean", f"{100 * exact.mean():.2f} cm")
    yield Measurement(f"{what}: bias", f"{100 * (found / exact - 1).mean():.1f} %", "<= 1 %")
    yield Measurement(f"{what}: scatter", f"{100 * (found / exact).std():.1f} %", "<= 2.5 %")
    drawn = np.array([sample.predict(at) for sample in predictor.sample(samples, 0)]) - predictor.predict(at)
    spread = np.sqrt(np.mean(drawn**2, axis=0))
    noise = f"{100 / np.sqrt(2 * samples):.0f} % is their own"
    yield Measurement(f"spread of {samples} samples / formal error", f"{np.mean(spread / found):.2f}", "1 +- 0.02")
    yield Measurement(
        f"{samples} conditional simulations instead: scatter", f"{100 * (spread / exact).std():.1f} % ({noise})"
    )


def cost(days: int, repeats: int) -> Iterator[Measurement]:
    """Time daily maps of a period, without errors and with."""
    challenge = simulated(days)
    fields: list[FittedField] = []

    def fit() -> None:
        fields.append(fit_observations(challenge.observations, Kriging()))

    tasks = {
        "fit": fit,
        "maps": lambda: fields[-1].interp(challenge.grid),
        "maps with errors": lambda: fields[-1].interp(challenge.grid, error=True),
    }
    seconds = fastest(tasks, repeats)
    for name, taken in seconds.items():
        yield Measurement(f"{days} days of five missions: {name}", f"{taken:.2f} s")
    ratio = seconds["maps with errors"] / (seconds["fit"] + seconds["maps"])
    yield Measurement("maps with errors / (fit + maps)", f"{ratio:.2f}", "<= 2")


def main(
    folder: Annotated[Path | None, typer.Option(help="Folder of the dt_med_*_phy_l3_*.nc files.")] = None,
    part: Annotated[
        list[str] | None, typer.Option(help="Some of accuracy, cost, real; by default all there are.")
    ] = None,
    small: Annotated[bool, typer.Option(help="A few days of everything.")] = False,
) -> None:
    """Print the table."""
    days, targets, samples = (6, 20, 4) if small else (28, 400, 32)
    parts = {
        "accuracy": lambda: accuracy(simulated(days), targets, samples),
        "cost": partial(cost, days if small else 365, 1 if small else 2),
    }
    if folder:
        parts["real"] = lambda: accuracy(med2021(folder), targets, samples)
    print_parts(parts, part, "; real needs --folder")


if __name__ == "__main__":
    typer.run(main)
