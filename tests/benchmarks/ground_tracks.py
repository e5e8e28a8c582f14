"""Simulated ground tracks and real ones: ``python -m tests.benchmarks.ground_tracks FOLDER``.

The folder is that of the mapping challenge of the Western Mediterranean. It prints the table of docs/simulation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import typer
import xarray as xr
from numpy.typing import NDArray

from xinr.geo.coordinates import bounds, within
from xinr.geo.frames import EARTH_RADIUS, upward
from xinr.observations.open_tracks import open_tracks
from xinr.observations.passes import number_passes
from xinr.simulate.altimeters.land import Land, on_land
from xinr.simulate.altimeters.orbits import MISSIONS, Orbit
from xinr.simulate.altimeters.tracks import overhead

Array = NDArray[np.float64]

NAMES = ("alg", "h2b", "j3", "s3a")
BOX = (2.0, 19.0, 31.0, 44.0)
PERIOD = ("2021-01-01", "2021-03-31")
#: Parallel on which headings and crossings are taken [degrees].
PARALLEL = 37.5
#: Two passes this near on the parallel are one ground track [degrees of longitude].
SAME_TRACK = 0.05
HEADINGS = ("mission", "passes/day", "points/day", "spacing [km]", "heading [deg]", "revisit [days]", "offset [km]")


@dataclass(frozen=True)
class Geometry:
    """How one altimeter samples a box.

    Parameters
    ----------
    passes, points : float
        Per day.
    spacing : float
        Between neighbouring points of a pass, median [km].
    heading : float
        Of ascending passes at the parallel, from north, positive to the east, median [degrees].
    revisit : float
        Time between passes along one ground track, median [days]; NaN where none is repeated.
    """

    passes: float
    points: float
    spacing: float
    heading: float
    revisit: float

    @classmethod
    def of(cls, time: NDArray[np.datetime64], longitude: Array, latitude: Array) -> Self:
        """Measure it from the points of one altimeter in the order of time, each (n,)."""
        start, stop = bounds(PERIOD)
        days = (stop - start) / np.timedelta64(1, "D")
        number = number_passes(np.zeros(time.size, dtype=np.int64), time, longitude, latitude)
        step = EARTH_RADIUS * np.linalg.norm(np.diff(upward(longitude, latitude), axis=0), axis=1)
        near = (np.diff(number) == 0) & (np.diff(time) < np.timedelta64(1500, "ms"))
        when, where, heading = _crossings(time, longitude, latitude, near)
        return cls(
            passes=(number[-1] + 1) / days,
            points=time.size / days,
            spacing=float(np.median(step[near])),
            heading=float(np.median(heading)),
            revisit=_revisit(when, where),
        )


def _crossings(
    time: NDArray[np.datetime64], longitude: Array, latitude: Array, near: NDArray[np.bool_]
) -> tuple[Array, Array, Array]:
    """Return day, longitude and heading of each ascending crossing of the parallel."""
    at = np.flatnonzero(near & (latitude[:-1] < PARALLEL) & (latitude[1:] >= PARALLEL))
    part = (PARALLEL - latitude[at]) / (latitude[at + 1] - latitude[at])
    east, north = longitude[at + 1] - longitude[at], latitude[at + 1] - latitude[at]
    days = (time[at] - time[0]) / np.timedelta64(1, "D")
    heading = np.degrees(np.arctan2(east * np.cos(np.radians(PARALLEL)), north))
    return days, longitude[at] + part * east, heading


def _revisit(day: Array, longitude: Array) -> float:
    """Return the median time until the same longitude is crossed again [days]."""
    later = np.triu(np.abs(longitude[:, None] - longitude) < SAME_TRACK, k=1)
    again = [day[np.flatnonzero(row)[0]] - day[i] for i, row in enumerate(later) if row.any()]
    return float(np.median(again)) if again else np.nan


def offset(orbit: Orbit, time: NDArray[np.datetime64], longitude: Array, latitude: Array) -> Array:
    """Return how far points lie from the simulated pass of the same time, (n,) [km]."""
    second = np.timedelta64(1, "s")
    for _ in range(4):  # slide along the orbit until abreast of the point
        here, ahead = (EARTH_RADIUS * upward(*orbit.ground_track(when)) for when in (time, time + second))
        speed = ahead - here
        apart = EARTH_RADIUS * upward(longitude, latitude) - here
        late = np.einsum("ij,ij->i", apart, speed) / np.einsum("ij,ij->i", speed, speed)
        time = time + np.asarray(late * 1e9).astype("timedelta64[ns]")
    return np.asarray(np.linalg.norm(apart, axis=1))


def compared(path: Path, orbit: Orbit, land: Land) -> tuple[Geometry, Geometry, Array]:
    """Return the geometry of a real file, of its simulation, and how far from it each real point lies [km]."""
    ds = open_tracks(path)
    time, longitude, latitude = ds["time"].values, ds["longitude"].values, ds["latitude"].values
    seen = within(longitude, latitude, BOX) & ~on_land(land, longitude, latitude)
    real = Geometry.of(time[seen], longitude[seen], latitude[seen])
    apart = offset(orbit, time[seen], longitude[seen], latitude[seen])
    time, longitude, latitude = overhead(orbit, BOX, *bounds(PERIOD))
    wet = ~on_land(land, longitude, latitude)
    return real, Geometry.of(time[wet], longitude[wet], latitude[wet]), apart


def main(folder: Annotated[Path, typer.Argument(help="Folder of the dt_med_*_phy_l3_*.nc files and the mdt.")]) -> None:
    """Compare simulated ground tracks with real ones over the Western Mediterranean."""
    typer.echo("| " + " | ".join(HEADINGS) + " |\n|" + "---|" * len(HEADINGS))
    with xr.open_dataset(next(folder.glob("dt_med_mdt_phy_l4_*.nc"))) as land:
        for name in NAMES:
            path = next(folder.glob(f"dt_med_{name}_phy_l3_*.nc"))
            real, simulated, apart = compared(path, MISSIONS[name], land)
            distance = f"{np.median(apart):.1f}, at most {apart.max():.1f}"
            typer.echo(f"| {MISSIONS[name].name} | {_pairs(real, simulated)} | {distance} |")


def _pairs(real: Geometry, simulated: Geometry) -> str:
    digits = {"passes": 2, "points": 1, "spacing": 2, "heading": 2, "revisit": 4}
    cells = [f"{getattr(real, key):.{n}f} / {getattr(simulated, key):.{n}f}" for key, n in digits.items()]
    return " | ".join(cells).replace("nan / nan", "none")


if __name__ == "__main__":
    typer.run(main)
