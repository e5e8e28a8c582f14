"""Kriging and its peers: speed, memory, learning, iterations, on simulated tracks.

``python -m tests.benchmarks.kriging`` prints the table of docs/results.md; ``--part year`` one of its parts. The peers
scikit-learn and GPyTorch are the dependency group "benchmark", and left out where they are not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated

import dask.array as da
import numpy as np
import torch
import typer
import xarray as xr

from tests.benchmarks.measures import MISSIONS, PEER, Measurement, fastest, peak_memory, print_parts, rms
from tests.benchmarks.peers import REGRESSIONS, PyinterpOI
from tests.benchmarks.solver import iterations, machine
from xinr._typing import Array, Region
from xinr.challenges import Challenge, osse, regular_grid
from xinr.challenges.leaderboard import evaluate
from xinr.challenges.leaderboard.evaluation import timed
from xinr.fields.fitted import FittedField
from xinr.fields.fitting import fit_observations
from xinr.fields.netcdf import write_netcdf
from xinr.geo.frames import frame_around
from xinr.geo.points import Points
from xinr.methods import Method
from xinr.methods.kriging.method import Kriging
from xinr.methods.observation_error import ObservationError
from xinr.observations.observations import Observations
from xinr.observations.open_tracks import open_tracks
from xinr.simulate import eddies, tracks
from xinr.validation.sampling import observation_error
from xinr.validation.tuning import tune

START, DAY = np.datetime64("2021-01-01"), np.timedelta64(1, "D")
#: Over which five missions see a million points in a year.
WIDE: Region = (290.0, 310.0, 28.0, 48.0)


@dataclass(frozen=True)
class Size:
    """How large the parts are: days of maps; pyinterp maps one day in ``peer_step``; times are the least of repeats."""

    year: int = 365
    season: int = 96
    window: int = 28
    wide: int = 365
    peer_step: int = 5
    evaluations: int = 25
    repeats: int = 3


SMALL = Size(year=8, season=8, window=4, wide=3, peer_step=4, evaluations=1, repeats=1)


def simulated(days: int) -> Challenge:
    """Return the box of data challenge 2021a: five missions to map at 0.2 degree, daily."""
    period = (str(START), str(START + DAY * (days - 1)))
    return osse(eddies(), missions=MISSIONS, period=period, time_step=1)


def peers(size: Size) -> Iterator[Measurement]:
    """Compare mapped points per second with dense regressions, which cannot take a season's observations at once."""
    whole = simulated(size.season)
    method = Kriging(covariance=PEER, noise=0.0433, pass_bias=0.0, pass_slope=0.0, mean="none")
    best = fastest({"kriging": lambda: evaluate(whole, method)}, size.repeats)
    rate = np.prod(list(whole.grid.sizes.values())) / best["kriging"]
    count = len(whole.observations.coarsen(method.coarsen))
    what = f"kriging, {count} observations of {size.season} days at once, daily maps"
    yield Measurement(what, f"{rate:.3g} points/s")
    x, y, error, days = _window(whole, method, size.window)
    what = f"{len(y)} observations of {size.window} days"

    def krig() -> list[Array]:
        fitted = method.fit(x, y, error)
        return [fitted.predict(Points.of(at)) for at in days]

    ours = np.concatenate(krig())
    for name, regression in REGRESSIONS.items():
        dense = partial(regression, x, y, error.noise, PEER)
        try:
            theirs = np.concatenate(dense(days))
        except ImportError as missing:
            yield Measurement(name, f"left out: {missing}")
            continue
        seconds = fastest({"one": partial(dense, days[:1]), "all": partial(dense, days), "kriging": krig}, 1)
        slow = len(days[0]) / seconds["one"]
        yield Measurement(f"{name}, {what} for each daily map", f"{slow:.3g} points/s")
        yield Measurement(f"rate of kriging, the season at once / {name}, day by day", f"{rate / slow:.0f}", ">= 100")
        ratio = seconds["all"] / seconds["kriging"]
        yield Measurement(f"rate of kriging / {name}, {what}, {len(days)} daily maps of one fit", f"{ratio:.1f}")
        difference = f"{1e3 * rms(ours - theirs):.2f} mm"
        yield Measurement(f"root mean square difference of those maps from {name}", difference)


def year(size: Size) -> Iterator[Measurement]:
    """Compare a year of daily maps with pyinterp's local optimal interpolation."""
    challenge, some = simulated(size.year), slice(None, None, size.peer_step)
    few = challenge.grid.isel(time=some)
    found: dict[str, xr.Dataset] = {}

    def run(name: str, method: Method, on: Challenge) -> None:
        found[name] = evaluate(on, method).maps

    ours, theirs = Kriging(), PyinterpOI(length_scale=150.0, time_scale=15.0, sigma=0.12, n_neighbors=50)
    tasks = {
        "kriging": partial(run, "kriging", ours, challenge),
        "pyinterp": partial(run, "pyinterp", theirs, replace(challenge, grid=few)),
    }
    seconds = fastest(tasks, size.repeats)
    whole = seconds["pyinterp"] * challenge.grid.sizes["time"] / few.sizes["time"]
    count = len(challenge.observations.coarsen(ours.coarsen))
    what = f"kriging, {count} observations, {size.year} daily maps at 0.2 degree"
    yield Measurement(what, f"{seconds['kriging']:.1f} s")
    yield Measurement(f"pyinterp OI, k = 50, the same (from {few.sizes['time']} of the maps)", f"{whole:.1f} s")
    yield Measurement("kriging / pyinterp OI", f"{seconds['kriging'] / whole:.2f}", "<= 0.5")
    truth = challenge.truth.interp(few)["sla"]
    for name, maps in found.items():
        error = rms((maps["sla"].sel(time=few["time"]) - truth).values)
        yield Measurement(f"error of the maps against the truth, {name}", f"{100 * error:.2f} cm")


def derivatives(size: Size) -> Iterator[Measurement]:
    """Time what currents and vorticity take, the gradient and the Laplacian on the grid."""
    challenge = simulated(size.season)
    fitted: list[FittedField] = []
    tasks = {
        "fit": lambda: fitted.append(challenge.fit(Kriging())),
        "map": lambda: fitted[-1].interp(challenge.grid),
        "gradient": lambda: fitted[-1].gradient(challenge.grid),
        "Laplacian": lambda: fitted[-1].laplacian(challenge.grid),
    }
    seconds = fastest(tasks, size.repeats)
    for name, spent in seconds.items():
        yield Measurement(f"{name}, {size.season} days", f"{spent:.2f} s")
    extra = (seconds["gradient"] + seconds["Laplacian"]) / (seconds["fit"] + seconds["map"])
    yield Measurement("gradient and Laplacian on the grid / fit and map", f"{100 * extra:.0f} %", "<= 20 %")


def memory(size: Size) -> Iterator[Measurement]:
    """Measure the peak memory of a fresh process that reads tracks, krigs them, and writes daily maps in chunks."""
    period = (str(START), str(START + DAY * (size.wide - 1)))
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as fresh:
        path = Path(folder) / "tracks.nc"
        ds = tracks(eddies(WIDE), MISSIONS, region=WIDE, period=period)
        write_netcdf(ds, path)
        for coarsen in (Kriging().coarsen, 1):
            peak, count, seconds = fresh.submit(_map_in_chunks, path, coarsen).result()
            what = f"{ds.sizes['time']} points of track averaged by {coarsen}, {count} observations"
            yield Measurement(f"{what}, {size.wide} daily maps at 0.1 degree", f"{seconds:.0f} s")
            yield Measurement("peak memory of the process", f"{peak / 1e9:.2f} GB", "<= 2 GB")


def _map_in_chunks(path: Path, coarsen: int) -> tuple[int, int, float]:
    """Return the peak memory of this process [bytes], the number of observations and the seconds."""
    started = perf_counter()
    ds = open_tracks(path)
    days = np.arange(START, ds["time"].values.max().astype("datetime64[D]") + DAY)
    observations = Observations.from_tracks(ds)
    field = fit_observations(observations, Kriging(coarsen=coarsen))
    grid = regular_grid(WIDE, 0.1, days)
    # Coordinates alone are not chunked: a variable is, and the map as it is.
    like = xr.DataArray(da.zeros(tuple(grid.sizes.values()), bool, chunks=(4, -1, -1)), grid.coords, tuple(grid.sizes))
    write_netcdf(field.interp(like), path.with_name("maps.nc"))
    return peak_memory(), field.info["observations"], perf_counter() - started


def tuning(size: Size) -> Iterator[Measurement]:
    """Time the search of all settings by cross-validation over missions."""
    observations = simulated(size.season).observations
    found, seconds = timed(lambda: tune(observations, Kriging(), evaluations=size.evaluations))
    what = f"{found.trials.sizes['trial']} settings cross-validated, {size.season} days, {len(MISSIONS)} missions"
    yield Measurement(what, f"{seconds:.0f} s", "<= 60 s")
    first, best = 100 * float(found.trials["rmse"][0]), 100 * found.rmse
    yield Measurement("cross-validated rmse, first and best", f"{first:.3f} and {best:.3f} cm")


def _window(challenge: Challenge, method: Kriging, days: int) -> tuple[Array, Array, ObservationError, list[Array]]:
    """Return positions, values and errors of the first days' observations, and the positions of each day's map."""
    points = challenge.observations
    points = points.take(points.time < START + DAY * days).coarsen(method.coarsen)
    frame = frame_around(method.frame, points.longitude, points.latitude, points.time)
    x = frame.project(points.longitude, points.latitude, points.time)
    longitude, latitude = (
        axis.ravel() for axis in np.meshgrid(challenge.grid["longitude"], challenge.grid["latitude"])
    )
    midnights = challenge.grid["time"].values[:days]
    maps = [frame.project(longitude, latitude, np.full(longitude.shape, midnight)) for midnight in midnights]
    return x, points.value, observation_error(points, method), maps


PARTS: dict[str, Callable[[Size], Iterator[Measurement]]] = {
    "peers": peers,
    "year": year,
    "derivatives": derivatives,
    "memory": memory,
    "tuning": tuning,
    "iterations": lambda size: iterations(simulated(size.season)),
    "machine": lambda size: machine(simulated(size.year), size.repeats),
}


def main(
    part: Annotated[list[str] | None, typer.Option(help=f"Some of {', '.join(PARTS)}; by default all.")] = None,
    small: Annotated[bool, typer.Option(help="A minute's check that everything runs.")] = False,
) -> None:
    """Print the figures of kriging and of its peers."""
    typer.echo(f"{torch.get_num_threads()} threads of torch, {cpu_count()} processors\n")
    size = SMALL if small else Size()
    print_parts({name: partial(measure, size) for name, measure in PARTS.items()}, part)


if __name__ == "__main__":
    typer.run(main)
