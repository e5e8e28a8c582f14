"""The figures of a leaderboard: observations, maps side by side, and scores by scale, day and region."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from xinr import plots
from xinr._typing import Region
from xinr.challenges.challenge import Challenge
from xinr.challenges.leaderboard.board import Leaderboard
from xinr.challenges.leaderboard.table import NULL
from xinr.challenges.osse import regular_grid
from xinr.fields.field import Field
from xinr.metrics import bin_errors

TRUTH = "truth"
#: Days shown on the picture of tracks.
TRACK_DAYS = 10
#: Boxes of the maps of errors, on each side of the region at most.
BOXES = 12
#: Grid spacing of the maps of fields [degrees]: a field can be drawn finer than it is scored.
SPACING = 0.1


def figures(board: Leaderboard) -> Iterator[tuple[str, Figure]]:
    """Yield the figures that the challenge allows, each with its title, drawn when it is asked for."""
    challenge, sources, middle = board.challenge, sources_of(board), middle_of(board.challenge)
    tracks = observed(challenge)
    days = days_about(np.sort(tracks["time"].values)[tracks.sizes["time"] // 2])  # where there surely are some
    yield "Observations", plots.tracks(tracks, "height", period=days)
    yield "Maps", plots.maps(sources, time=middle)
    yield "Currents", plots.maps(sources, time=middle, quantities=("speed", "vorticity"))
    mapped = {name: ds for name, ds in sources.items() if name != TRUTH}
    with_error = {name: ds for name, ds in mapped.items() if f"err_{board.entries[name].height}" in ds}
    if challenge.truth is not None:
        yield "Errors", plots.maps(mapped, time=middle, quantities=("error",), truth=challenge.true_maps)
    if with_error:
        yield "Formal errors", plots.maps(with_error, time=middle, quantities=("formal error",))
    if challenge.withheld is not None:
        yield from _scores(board)


def _scores(board: Leaderboard) -> Iterator[tuple[str, Figure]]:
    each = {name: board.scores.sel(prediction=name) for name in map(str, board.scores["prediction"].values)}
    null = {NULL: each.pop(NULL)}
    if np.isfinite(board.scores["psd_diff"]).any():
        yield "Spectra", plots.psd(each)
        yield "Resolved scales", plots.psd_score(each)
    if np.isfinite(board.scores["daily_score"]).any():
        yield "Score of each day", plots.daily_scores(each | null)  # its colour is then no method's
    yield "Errors by place", plots.error_maps(_binned(board))


def sources_of(board: Leaderboard) -> dict[str, xr.Dataset]:
    """Return the maps to show, the truth first if it is known; missing on land where the grid tells where that is."""
    sea = board.challenge.grid.get("sea", xr.DataArray(True))
    truth = {} if board.challenge.truth is None else {TRUTH: board.challenge.true_maps}
    every = truth | {name: entry.maps for name, entry in board.entries.items()}
    return {name: ds.where(sea) for name, ds in every.items()}


def field_maps(challenge: Challenge, fields: Mapping[str, Field], region: Region | None = None) -> Figure:
    """Draw the truth and fields in the middle of the period, over the region of the challenge or a part of it."""
    sources: dict[str, Any] = {TRUTH: challenge.truth, **fields}
    grid = regular_grid(region or challenge.region, SPACING, challenge.grid["time"].values)
    return plots.maps(sources, grid, time=middle_of(challenge))


def middle_of(challenge: Challenge) -> np.datetime64:
    """Return the time of the map in the middle of the period."""
    times = challenge.grid["time"].values
    return times[len(times) // 2]  # type: ignore[no-any-return]


def days_about(middle: np.datetime64) -> tuple[str, str]:
    """Return the first and last day of the picture of tracks."""
    half = np.timedelta64(TRACK_DAYS // 2, "D")
    return str((middle - half).astype("datetime64[D]")), str((middle + half).astype("datetime64[D]"))


def observed(challenge: Challenge) -> xr.Dataset:
    """Return the observations as methods take them, ``height`` [m], with their missions."""
    points = challenge.observations
    attrs = {"units": "m", "long_name": "sea level anomaly" if points.name == "sla" else points.name}
    missions = np.array(points.missions)[points.mission_index]
    columns = {"longitude": points.longitude, "latitude": points.latitude, "mission": missions}
    coords = {name: ("time", column) for name, column in columns.items()}
    return xr.Dataset({"height": ("time", points.value, attrs)}, {"time": points.time, **coords})


def _binned(board: Leaderboard) -> dict[str, xr.Dataset]:
    """Return the errors of each entry by boxes, about a dozen along the longer side of the region."""
    challenge = board.challenge
    west, east, south, north = challenge.region
    widest = max((east - west) % 360.0 or 360.0, north - south)
    spacing = min(size for size in (0.5, 1.0, 2.0, 5.0, 30.0) if widest / size <= BOXES or size == 30.0)
    area = {"region": challenge.rules["region"], "period": challenge.period}
    return {
        name: bin_errors(entry.on_track, challenge.track, **area, spacing=spacing)
        for name, entry in board.entries.items()
        if entry.on_track is not None
    }
