"""The three kinds of optimal interpolation and their peers: the baseline, the local engine, DUACS.

``python -m tests.benchmarks.oi`` prints the tables of docs/methods/oi.md; ``--part local`` one of its parts. DUACS is
scored on real tracks: ``--folder FOLDER`` with the files dt_med_<mission>_phy_l3_*.nc. Times are CPU seconds of this
process, which other work on the machine disturbs less; one thread (OMP_NUM_THREADS=1) makes them comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import process_time
from typing import Annotated

import numpy as np
import typer
import xarray as xr
from scipy.linalg import cholesky

from tests.benchmarks.measures import MISSIONS, PEER, Measurement, print_parts, rms
from tests.benchmarks.med2021 import calibrated
from tests.benchmarks.peers import PyinterpOI
from xinr._typing import Array, Region
from xinr.challenges import MED2021_MISSIONS, Challenge, med2021, osse
from xinr.challenges.leaderboard import evaluate
from xinr.challenges.leaderboard.evaluation import timed as timed_by
from xinr.fields.fitting import fit_observations
from xinr.geo.points import Points
from xinr.methods import Method
from xinr.methods.covariances import Gaussian
from xinr.methods.oi import OI, OIPredictor, grouped_windows
from xinr.methods.oi.duacs import Duacs
from xinr.observations.observations import Observations
from xinr.simulate import eddies, tracks
from xinr.validation.sampling import sampled

START, DAY = np.datetime64("2021-01-01", "ns"), np.timedelta64(1, "D")
#: The box of data challenge 2021a, widened until windows hold 4600 averages of five points of these missions.
BOX: Region = (294.4, 305.6, 32.4, 43.6)
#: Standard deviation of the errors planted into the passes of one mission [m].
PLANTED = 0.05


@dataclass(frozen=True)
class Size:
    """How large the parts are: days of the baseline and of its published form, its box, days mapped locally, ..."""

    days: int = 33
    published: int = 2
    box: Region = BOX
    local: int = 45
    samples: int = 40
    withheld: tuple[str, ...] = MED2021_MISSIONS


SMALL = Size(3, 1, (299.0, 302.0, 37.0, 40.0), 12, 6, ("s3a",))


def published(x: Array, y: Array, grid: Array, day: float, scales: tuple[float, float], noise: float) -> Array:
    """Map one day as the published baseline does: a loop over observations, and an explicit inverse.

    References
    ----------
    https://github.com/ocean-data-challenges/2021a_SSH_mapping_OSE
    """
    space, time = scales
    near = np.flatnonzero(np.abs(x[:, 2] - day) < 2.0 * time)
    lon, lat, t = x[near].T
    to_grid, between = np.empty((len(grid), len(near))), np.empty((len(near), len(near)))
    for i in range(len(near)):
        on_grid = ((grid[:, 0] - lon[i]) / space) ** 2 + ((grid[:, 1] - lat[i]) / space) ** 2
        to_grid[:, i] = np.exp(-(((day - t[i]) / time) ** 2) - on_grid)
        apart = ((lon - lon[i]) / space) ** 2 + ((lat - lat[i]) / space) ** 2
        between[:, i] = np.exp(-(((t - t[i]) / time) ** 2) - apart)
    inverse = np.linalg.inv(between + np.diag(np.full(len(near), noise**2)))
    return np.asarray(to_grid @ inverse @ y[near])


def baseline(size: Size) -> Iterator[Measurement]:
    """Compare daily maps of the baseline with the formulation that was published."""
    west, east, south, north = size.box
    first, last = START + 15 * DAY, START + (15 + size.days) * DAY
    period = (str(START)[:10], str(last + 15 * DAY)[:10])
    ds = tracks(eddies(), MISSIONS, region=size.box, period=period)
    method, points = OI(), Observations.from_tracks(ds)
    field = fit_observations(points, method)
    predictor = field.predictor
    longitude = 295.0 + 0.2 * np.arange(52) if size.box == BOX else np.arange(west + 1, east - 1, 0.2)
    latitude = 33.0 + 0.2 * np.arange(51) if size.box == BOX else np.arange(south + 1, north - 1, 0.2)
    grid = {"time": np.arange(first, last, DAY), "latitude": latitude, "longitude": longitude}
    maps, ours = timed(lambda: field.interp(grid)["sla"].values)
    lon, lat = (axis.ravel() for axis in np.meshgrid(longitude, latitude))
    x = field.frame.project(lon, lat, np.full(lon.shape, first))
    days = x[0, 2] + np.arange(size.published)
    observed = predictor.x, predictor.y
    theirs_of = [
        timed(partial(published, *observed, x, day, (1.0, 7.0), float(predictor.error_model.noise[0]))) for day in days
    ]
    theirs = sum(seconds for _, seconds in theirs_of) / len(days)
    count = int(np.count_nonzero(np.abs(predictor.x[:, 2] - days[0]) < 14.0))
    what = f"{count} observations a window, {len(latitude)} x {len(longitude)} nodes"
    yield Measurement(f"{what}, published formulation", f"{theirs:.3g} s a day")
    yield Measurement(f"{what}, xinr, {size.days} days", f"{ours / size.days:.3g} s a day")
    yield Measurement("rate of xinr / published formulation", f"{theirs * size.days / ours:.3g}", ">= 60")
    apart = max(np.abs(maps[i].ravel() - found).max() for i, (found, _) in enumerate(theirs_of))
    yield Measurement("greatest difference of the maps", f"{apart:.1g} m", "<= 1e-6 m")
    yield from _factorisation(predictor, predictor.window(int(days[0])))


def _factorisation(predictor: OIPredictor, near: slice) -> Iterator[Measurement]:
    """Compare the factorisation of a window with the rate of a matrix product, and see what single precision loses."""
    x, y, error = predictor.x[near], predictor.y[near], predictor.error_model.take(np.arange(near.start, near.stop))
    matrix = grouped_windows.lower_triangle(predictor.covariance, x)
    error.add_to(matrix, slice(None))
    n = len(matrix)
    for kind in (np.float64, np.float32):
        some = np.ones((n, n), dtype=kind)
        product = timed(partial(np.matmul, some, some))[1]
        upper = matrix.T.astype(kind)
        root, seconds = timed(partial(cholesky, upper, overwrite_a=True, check_finite=False))
        share = (n**3 / 3.0 / seconds) / (2.0 * n**3 / product)
        what = f"Cholesky of a window / matrix product, {np.dtype(kind).name}"
        yield Measurement(what, f"{100 * share:.0f} %", ">= 70 %")
    solved = np.linalg.solve(root.astype(np.float64), np.linalg.solve(root.T.astype(np.float64), y))
    whole = predictor.covariance, predictor.error_model, predictor.x, predictor.y
    (exact,) = grouped_windows.solve_windows(*whole, [near])
    k = predictor.covariance.value(x, x)
    yield Measurement("greatest error in single precision alone", f"{np.abs(k @ (solved - exact)).max():.1g} m")


def local(size: Size) -> Iterator[Measurement]:
    """Compare local optimal interpolation with pyinterp's, k = 100, on a simulated ocean."""
    period = (str(START)[:10], str(START + (size.local - 1) * DAY)[:10])
    challenge = osse(eddies(), missions=MISSIONS, period=period, time_step=10)
    truth = challenge.truth.interp(challenge.grid)["sla"]
    settings = {"noise": 0.0433, "coarsen": 3}
    peer = PyinterpOI(length_scale=150.0, time_scale=15.0, sigma=PEER.sigma, n_neighbors=100, **settings)
    ours = OI(frame="plane", covariance=PEER, n_neighbors=100, **settings)
    methods: dict[str, Method] = {
        "pyinterp, k = 100": peer,
        "tiles, k = 100": ours,
        "tiles, k = 150": replace(ours, n_neighbors=150),
        "tiles, k = 150, a bias per pass": replace(ours, n_neighbors=150, pass_bias=0.014),
        "all of the window": replace(ours, n_neighbors=0),
    }
    spent: dict[str, float] = {}
    for name, method in methods.items():
        found = evaluate(challenge, method, clock=process_time)
        seconds = spent[name] = found.seconds["map_seconds"]
        rmse = 100 * rms(found.maps["sla"] - truth)
        times = spent["pyinterp, k = 100"] / seconds
        rate = f"{1e6 * seconds / truth.size:.3g} µs a target, {times:.1f} times pyinterp"
        yield Measurement(name, f"{rate}; rmse {rmse:.3f} cm", ">= 4 times" if name.startswith("tiles") else "")


def errors(size: Size) -> Iterator[Measurement]:
    """Count how often known realisations lie in the formal interval, the covariance being the true one."""
    ds = tracks(eddies(waves=9), MISSIONS, region=(300.0, 304.0, 36.0, 40.0), period=("2021-01-01", "2021-01-30"))
    points = Observations.from_tracks(ds).coarsen(5)
    covariance = Gaussian(120.0, 10.0, 0.1)
    settings = {"frame": "plane", "coarsen": 1, "noise": 0.067, "pass_bias": 0.03}
    methods: dict[str, Method] = {
        "oi": OI(covariance=covariance, **settings),
        "oi, n_neighbors = 100": OI(covariance=covariance, n_neighbors=100, **settings),
        "duacs": Duacs(estimate=False, **settings),
    }
    for name, method in methods.items():
        share = f"{100 * coverage(points, method, size.samples):.1f} %"
        yield Measurement(f"{name}: truth within the 68 % interval", share, "68 +- 3 %")


def coverage(points: Observations, method: Method, samples: int, seed: int = 0) -> float:
    """Return how often realisations of a method's own covariance lie within one formal error of its map."""
    rng = np.random.default_rng(seed)
    x, _, error = sampled(points, method)
    at = rng.uniform(x.min(axis=0), x.max(axis=0), (200, 3))
    everywhere = np.concatenate([x, at])
    root = np.linalg.cholesky(method.covariance.value(everywhere, everywhere) + 1e-9 * np.eye(len(everywhere)))
    noise = np.zeros((len(x), len(x)))
    error.add_to(noise, slice(None))
    noise_root = np.linalg.cholesky(noise)
    within = []
    for _ in range(samples):
        realisation = root @ rng.standard_normal(len(everywhere))
        predictor = method.fit(x, realisation[: len(x)] + noise_root @ rng.standard_normal(len(x)), error)
        value, deviation = predictor.posterior(Points.of(at))
        within.append(np.abs(value - realisation[len(x) :]) <= deviation)
    return float(np.mean(within))


def duacs(size: Size, folder: Path) -> Iterator[Measurement]:
    """Score the baseline and DUACS on each withheld mission, before and after errors are planted into another."""
    for withheld in size.withheld:
        challenge = med2021(folder, withheld)
        harmed = with_planted(challenge, challenge.missions[0])
        lost: dict[str, float] = {}
        for name, method in {"baseline": OI(), "duacs": Duacs()}.items():
            field, fitting = timed(partial(challenge.fit, method))
            scores, scoring = timed(partial(challenge.score, field))
            rmse, after = float(scores.rmse), float(harmed.score(harmed.fit(method)).rmse)
            lost[name] = after - rmse
            shares = calibrated(challenge, field, method)
            covered = " and ".join(f"{100 * shares[f'coverage_{level}']:.0f} %" for level in (68, 95))
            covered += " in the 68 % and 95 % intervals"
            yield Measurement(f"{withheld}, {name}", f"rmse {100 * rmse:.2f} cm, {covered}")
            yield Measurement(f"{withheld}, {name}: fit, score", f"{fitting:.3g} s, {scoring:.3g} s")
            yield Measurement(f"{withheld}, {name}: planted", f"{100 * after:.2f} cm, {100 * lost[name]:.2f} cm lost")
        share = lost["duacs"] / lost["baseline"]
        yield Measurement(f"{withheld}: lost by duacs / by the baseline", f"{share:.2f}", "< 0.33")


def with_planted(challenge: Challenge, mission: str, seed: int = 0) -> Challenge:
    """Return the challenge with 5 cm added to or taken off each pass of one mission, at random."""
    training = challenge.training
    chosen = training.isel(time=training["mission"].values.astype(str) == mission)
    others = training.isel(time=training["mission"].values.astype(str) != mission)
    chosen = chosen.sortby("time")
    # A pass is over where nothing is measured for ten minutes.
    number = np.cumsum(np.diff(chosen["time"].values, prepend=chosen["time"].values[:1]) > np.timedelta64(10, "m"))
    planted = PLANTED * np.random.default_rng(seed).choice([-1.0, 1.0], number[-1] + 1)[number]
    harmed = chosen.assign(sla_unfiltered=chosen["sla_unfiltered"] + xr.DataArray(planted, dims="time"))
    return replace(challenge, training=xr.concat([others, harmed], "time"))


timed = partial(timed_by, clock=process_time)
PARTS: dict[str, Callable[[Size], Iterator[Measurement]]] = {"baseline": baseline, "local": local, "errors": errors}


def main(
    part: Annotated[list[str] | None, typer.Option(help=f"Some of {', '.join(PARTS)}, duacs; by default all.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Folder of the dt_med_*_phy_l3_*.nc files, for duacs.")] = None,
    small: Annotated[bool, typer.Option(help="A minute's check that everything runs.")] = False,
) -> None:
    """Print the figures of optimal interpolation and of its peers."""
    size = SMALL if small else Size()
    parts = {name: partial(measure, size) for name, measure in PARTS.items()}
    if folder is not None:
        parts["duacs"] = partial(duacs, size, folder)
    print_parts(parts, part, "; duacs needs --folder")


if __name__ == "__main__":
    typer.run(main)
