"""The figures of a leaderboard: observations, maps side by side, and scores by scale, day and place."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from xinr import plots
from xinr.challenges.challenge import Challenge
from xinr.challenges.leaderboard import NULL, Leaderboard
from xinr.metrics import bin_errors

TRUTH = "truth"
#: Days shown on the picture of tracks.
TRACK_DAYS = 10
#: Boxes of the maps of errors, on each side of the region at most.
BOXES = 12


def figures(board: Leaderboard) -> Iterator[tuple[str, Figure]]:
    """Yield the figures that the challenge allows, each with its title.

    Parameters
    ----------
    board : Leaderboard
        Of `xinr.challenges.leaderboard.run`.

    Yields
    ------
    title : str
        What it shows.
    figure : Figure
        Drawn when it is asked for.
    """
    sources, true = sources_of(board), true_maps(board.challenge)
    when = board.challenge.grid["time"].values
    middle = when[len(when) // 2]
    yield "Observations", _tracks(board.challenge)
    yield "Maps", plots.maps(sources, time=middle)
    yield "Currents", plots.maps(sources, time=middle, quantities=("speed", "vorticity"))
    made = {name: ds for name, ds in sources.items() if name != TRUTH}
    stated = {name: ds for name, ds in made.items() if f"err_{board.entries[name].height}" in ds}
    if true is not None:
        yield "Errors", plots.maps(made, time=middle, quantities=("error",), truth=true)
    if stated:
        yield "Stated errors", plots.maps(stated, time=middle, quantities=("formal error",))
    if board.challenge.withheld is not None:
        yield from _scores(board)


def _scores(board: Leaderboard) -> Iterator[tuple[str, Figure]]:
    each = {name: board.scores.sel(prediction=name) for name in map(str, board.scores["prediction"].values)}
    found = {name: score for name, score in each.items() if name != NULL}
    if np.isfinite(board.scores["psd_diff"]).any():
        yield "Spectra", plots.psd(found)
        yield "Resolved scales", plots.psd_score(found)
    if np.isfinite(board.scores["daily_score"]).any():
        yield "Score of each day", plots.daily_scores(found | {NULL: each[NULL]})  # its colour is then no method's
    yield "Errors by place", plots.error_maps(_binned(board))


def sources_of(board: Leaderboard) -> dict[str, xr.Dataset]:
    """Return the maps to show, the truth first if it is known; missing on land where the grid tells where that is."""
    sea = board.challenge.grid.get("sea", xr.DataArray(True))
    truth = {} if board.challenge.truth is None else {TRUTH: board.challenge.true_maps}
    every = truth | {name: entry.maps for name, entry in board.entries.items()}
    return {name: ds.where(sea) for name, ds in every.items()}


def true_maps(challenge: Challenge) -> xr.Dataset | None:
    """Return the true maps, if they are known."""
    return None if challenge.truth is None else challenge.true_maps


def observed(challenge: Challenge) -> xr.Dataset:
    """Return the observations as methods take them, ``height`` [m], with their missions."""
    points = challenge.observations
    attrs = {"units": "m", "long_name": "sea level anomaly" if points.name == "sla" else points.name}
    missions = np.array(points.missions)[points.mission_index]
    columns = {"longitude": points.longitude, "latitude": points.latitude, "mission": missions}
    coords = {name: ("time", column) for name, column in columns.items()}
    return xr.Dataset({"height": ("time", points.value, attrs)}, {"time": points.time, **coords})


def _tracks(challenge: Challenge) -> Figure:
    ds = observed(challenge)
    middle = np.sort(ds["time"].values)[ds.sizes["time"] // 2]  # of the observations: surely there are some
    half = np.timedelta64(TRACK_DAYS // 2, "D")
    first, last = (str((middle + shift).astype("datetime64[D]")) for shift in (-half, half))
    return plots.tracks(ds, "height", period=(first, last))


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
