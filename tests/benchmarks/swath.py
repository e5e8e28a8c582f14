"""Swaths: what they add to nadir altimeters, what their errors cost, a million pixels, and real passes of SWOT.

``python -m tests.benchmarks.swath`` prints the tables of docs/swaths.md; ``--part pixels`` one of its parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import typer
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from tests.benchmarks.measures import MISSIONS, Measurement, peak_memory, print_parts, rms
from tests.benchmarks.osse import METHODS
from tests.helpers import DATA
from xinr.challenges import Challenge, osse
from xinr.fields.field import Field
from xinr.geo.frames import frame_around
from xinr.methods import Method
from xinr.methods.kriging.method import Kriging
from xinr.observations.observations import Observations
from xinr.observations.open_tracks import open_tracks
from xinr.simulate import SwathErrors, eddies, swath

DAY = np.timedelta64(1, "D")
START = np.datetime64("2021-01-01")
#: White noise of points of the simulated altimeters, and of pixels of 2 km [m].
NOISE = {**dict.fromkeys(MISSIONS, 0.0245), "swot": 0.0137}
#: Nearer than this to a block of a swath is inside the sampled area [km, days].
NEAR = (15.0, 15.0, 1.0)
CLEAN = {"bias": 0.0, "roll": 0.0, "baseline": 0.0}
PLANTED = {"bias": 0.10, "roll": 0.05, "baseline": 0.0}
OFF = {"swath_bias": 0.0, "swath_roll": 0.0, "swath_baseline": 0.0, "swath_phase": 0.0}
TOLD = {"swath_bias": 0.10, "swath_roll": 0.05}
#: Times of the real files, which have none.
REAL = np.datetime64("2023-03-28T12:00", "ns")


@dataclass(frozen=True)
class Size:
    """How large the parts are: days of the challenge, and days of a swath over 10 by 10 degrees."""

    days: int = 31
    swath_days: int = 62
    spacing: float = 0.2


SMALL = Size(days=8, swath_days=10, spacing=1.0)


def challenge(size: Size, errors: dict[str, float] | None) -> Challenge:
    """Return the simulated ocean under five nadir altimeters, with a swath where its errors are given."""
    period = (str(START), str(START + DAY * (size.days - 1)))
    wide: Any = False if errors is None else SwathErrors(**errors)
    options: dict[str, Any] = {"period": period, "spacing": size.spacing, "time_step": 1}
    return osse(eddies(waves=60) if size == SMALL else None, missions=MISSIONS, swath=wide, **options)


def kriging(size: Size) -> dict[str, Method]:
    """Return kriging with its default covariance, and with that learned from tracks over such an ocean."""
    some = {"default": Kriging(), "tuned": METHODS["kriging, tuned"]}
    coarse = {"spacing": 40.0, "time_step": 3.0} if size == SMALL else {}
    return {name: replace(method, noise=NOISE, **coarse) for name, method in some.items()}  # type: ignore[arg-type]


def sampled(where: xr.Dataset, observations: Observations) -> NDArray[np.bool_]:
    """Return which points of a grid (time, latitude, longitude) the swath samples: see `NEAR`."""
    seen = observations.take(observations.of_swath)
    frame = frame_around("plane", seen.longitude, seen.latitude, seen.time)
    time, latitude, longitude = xr.broadcast(where.time, where.latitude, where.longitude)
    at = frame.project(longitude.values.ravel(), latitude.values.ravel(), time.values.ravel())
    tree = cKDTree(frame.project(seen.longitude, seen.latitude, seen.time) / NEAR)
    return np.isfinite(tree.query(at / NEAR, distance_upper_bound=1.0)[0]).reshape(time.shape)


@dataclass(frozen=True, eq=False)
class Judge:
    """The truth on the days of a challenge but the first and last two, and where the swath samples it."""

    true: xr.Dataset
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, wide: Challenge) -> Judge:
        """Return that of a challenge with a swath."""
        grid = wide.grid.isel(time=slice(2, -2))
        assert wide.truth is not None
        return cls(_maps(wide.truth, grid), sampled(grid, wide.observations))

    def measure(self, found: Challenge, method: Method) -> dict[str, float]:
        """Return errors overall and inside the sampled area [cm], and the skill of gradient and Laplacian [%]."""
        maps = _maps(found.fit(method), self.true)
        error = (maps["sla"] - self.true["sla"]).values
        parts = {"gradient": ("dsla_dx", "dsla_dy"), "Laplacian": ("laplacian_sla",)}
        skill = {
            f"skill of the {what} [%]": 100.0
            * (1.0 - rms([(maps[n] - self.true[n]).values for n in names]) / rms([self.true[n].values for n in names]))
            for what, names in parts.items()
        }
        errors = {"rmse [cm]": 100.0 * rms(error), "rmse where sampled [cm]": 100.0 * rms(error[self.inside])}
        return errors | skill


def _maps(field: Field, grid: xr.Dataset) -> xr.Dataset:
    """Return height, gradient and Laplacian on a grid, without the formal error."""
    where = {axis: grid[axis].values for axis in ("time", "latitude", "longitude")}
    return xr.merge([field.interp(where), field.gradient(where), field.laplacian(where)], combine_attrs="drop")


def skill(size: Size) -> Iterator[Measurement]:
    """Map five nadir altimeters with and without a swath that errs as it does after calibration."""
    alone, both = challenge(size, None), challenge(size, {})
    judge = Judge.of(both)
    for name, method in kriging(size).items():
        nadirs, wide = (judge.measure(each, method) for each in (alone, both))
        for figure, before in nadirs.items():
            change = f", {100.0 * (wide[figure] / before - 1.0):+.0f} %" if "rmse" in figure else ""
            yield Measurement(
                f"{name}, {figure}: nadirs, and with the swath", f"{before:.2f}, {wide[figure]:.2f}{change}"
            )


def errors(size: Size) -> Iterator[Measurement]:
    """Plant a roll of 5 cm and a bias of 10 cm: what they cost where the method knows of them, and where not."""
    clean, planted = challenge(size, CLEAN), challenge(size, PLANTED)
    judge = Judge.of(clean)
    for name, method in kriging(size).items():
        without = judge.measure(clean, replace(method, **OFF))["rmse [cm]"]
        yield Measurement(f"{name}, rmse with a swath without errors [cm]", f"{without:.2f}")
        for how, settings, target in (("told", TOLD, "< 10 %"), ("by default", {}, ""), ("switched off", OFF, "")):
            rmse = judge.measure(planted, replace(method, **settings))["rmse [cm]"]
            value = f"{rmse:.2f}, {100.0 * (rmse / without - 1.0):+.1f} %"
            yield Measurement(f"{name}, the same with errors planted, terms {how}", value, target)


def pixels(size: Size) -> Iterator[Measurement]:
    """Map a month and more of a swath of 2 km, opened from files, in a process of its own."""
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        count = alone.submit(write_pixels, Path(folder), size.swath_days).result()
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as mapper:
            blocks, passes, seconds, memory = mapper.submit(map_pixels, Path(folder)).result()
    what = f"{count} pixels, {passes} passes, averaged to {blocks} blocks; open, fit, map daily at 0.2 degree"
    yield Measurement(what, f"{seconds:.1f} s", "< 30 s a million")
    yield Measurement("most memory", f"{memory / 1e9:.2f} GB", "< 2 GB")


def write_pixels(folder: Path, days: int) -> int:
    """Write a simulated swath as a file, and return the number of its pixels."""
    period = (str(START), str(START + DAY * (days - 1)))
    ds = swath(eddies(waves=20), period=period)
    ds.to_netcdf(folder / "swath.nc")
    return int(ds.sla_unfiltered.notnull().sum())


def map_pixels(folder: Path) -> tuple[int, int, float, int]:
    """Return the number of blocks and passes of the files of a folder, and seconds and memory to map them."""
    started = perf_counter()
    field = open_tracks(folder / "*.nc").inr.fit("kriging", noise=0.0137)
    first, last = (np.datetime64(day[:10]) for day in field.info["extent"]["time"])
    grid = {"longitude": np.arange(295.0, 305.1, 0.2), "latitude": np.arange(33.0, 43.1, 0.2)}
    field.interp(grid | {"time": np.arange(first, last + DAY)})
    return field.info["observations"], field.info["passes"], perf_counter() - started, peak_memory()


def real(size: Size) -> Iterator[Measurement]:
    """Map the real passes over the Western Mediterranean, as if of one time."""
    folder = DATA / "swot"
    if not folder.is_dir():
        yield Measurement("real passes", f"left out: not at {folder}")
        return
    files = {"swot_l3_v2.0.1_pass003_med_20230328.nc": "ssha_filtered", "swot_med_swath.nc": "ssha_raw"}
    for name, variable in files.items():
        with xr.open_dataset(folder / name) as ds:
            tracks = ds.assign_coords(time=REAL).load()
        field = tracks.inr.fit("kriging", variable=variable)
        found = Observations.from_tracks(tracks, variable=variable, swath_block=0.0)
        where = {axis: ("pixel", getattr(found, axis)) for axis in ("time", "longitude", "latitude")}
        misfit = field.interp(xr.Dataset(coords=where))[field.name].values - found.value
        spread = np.nanstd(tracks[variable])
        counts = f"{len(found)} pixels, {field.info['observations']} blocks, {field.info['passes']} pass"
        yield Measurement(
            f"{name}: {counts}; misfit of the map to the pixels, of",
            f"{100 * rms(misfit[np.isfinite(misfit)]):.2f}, {100 * spread:.2f} cm",
        )


PARTS = {"skill": skill, "errors": errors, "pixels": pixels, "real": real}


def main(
    part: Annotated[list[str] | None, typer.Option(help="Parts to run, by default all.")] = None,
    small: Annotated[bool, typer.Option("--small", help="At a small size.")] = False,
) -> None:
    """Measure what swaths add, cost and take."""
    size = SMALL if small else Size()
    print_parts({name: partial(measure, size) for name, measure in PARTS.items()}, part)


if __name__ == "__main__":
    typer.run(main)
