"""Points of swaths: where they lie across the track, and their averages over square blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.geo.coordinates import wrap
from xinr.geo.frames import EARTH_RADIUS, upward
from xinr.observations.columns import Table
from xinr.observations.cross_track import cross_track_distance
from xinr.observations.passes import LEAST_OF_LINE, SWATH_WIDTH, along_arc, runs

#: Points with which the variance of all blocks counts in that of each.
FEW = 5
#: No swath is narrower than this [km].
NARROWEST = 15.0


def located_across(table: Table) -> Table:
    """Return points, by pass and time, whose distance from the ground track is filled in where they lie on lines.

    Such are the pixels of a swath that was stacked by hand.
    """
    across, number, time = table["cross_track_distance"], table["pass_index"], table["time"]
    line = runs((np.diff(number) != 0) | (time[1:] != time[:-1]))
    points, lines = np.bincount(number), np.bincount(number[np.flatnonzero(np.diff(line, prepend=-1))])
    unknown = np.bincount(number, np.isnan(across)) == points
    found = across.copy()
    starts = np.concatenate([[0], np.cumsum(points)])
    for each in np.flatnonzero(unknown & (points >= LEAST_OF_LINE * np.maximum(lines, 1))):
        own = slice(starts[each], starts[each + 1])
        position = table["longitude"][own], table["latitude"][own]
        off = _off_axis(*position) if lines[each] == 1 else cross_track_distance(*position, line[own])
        if NARROWEST <= np.ptp(off) <= SWATH_WIDTH:  # else a track of rounded times, or a snapshot of any points
            found[own] = off
    return table | {"cross_track_distance": found}


def block_averages(table: Table, size: float) -> Table:
    """Return points, by pass and time, those of swaths averaged over blocks of ``size`` by ``size`` [km].

    Blocks never cross a pass, or from one half of the swath to the other. The columns ``averaged`` and ``spread`` are
    the number of points of each average and the standard deviation between them, of a few points together with that of
    all blocks. A size of zero averages nothing.
    """
    swath = np.isfinite(table["cross_track_distance"])
    single = {"averaged": np.ones(len(swath), dtype=np.int64), "spread": np.zeros(len(swath))}
    table = table | single
    if size == 0.0 or not swath.any():
        return table
    found = _averages({key: column[swath] for key, column in table.items()}, size)
    both = {key: np.concatenate([column[~swath], found[key]]) for key, column in table.items()}
    order = np.lexsort([both[key] for key in ("longitude", "latitude", "time", "pass_index")])
    return {key: column[order] for key, column in both.items()}


def _averages(table: Table, size: float) -> Table:
    _, first, number, count = np.unique(
        _blocks(table, size), return_index=True, return_inverse=True, return_counts=True
    )

    def mean(column: Array) -> Array:
        return np.asarray(np.bincount(number, column) / count)

    value, east = mean(table["value"]), table["longitude"][first]
    seconds = (table["time"] - table["time"][first][number]).astype("timedelta64[ns]").astype(np.float64)
    squares = np.bincount(number, (table["value"] - value[number]) ** 2)
    usual = squares.sum() / max(len(number) - len(count), 1)
    averages = {
        "longitude": east + mean(wrap(table["longitude"] - east[number], 0.0)),
        "latitude": mean(table["latitude"]),
        "time": table["time"][first] + np.rint(mean(seconds)).astype("timedelta64[ns]"),
        "value": value,
        "noise": np.sqrt(mean(table["noise"] ** 2) / count),
        "cross_track_distance": mean(table["cross_track_distance"]),
        "averaged": count.astype(np.int64),
        "spread": np.sqrt((squares + FEW * usual) / (count - 1 + FEW)),
    }
    return {key: averages[key] if key in averages else column[first] for key, column in table.items()}


def _blocks(table: Table, size: float) -> NDArray[np.int64]:
    """Return the number of the block of each point of a swath."""
    along = along_arc(EARTH_RADIUS * upward(table["longitude"], table["latitude"]), table["pass_index"])
    row = np.floor(along / size).astype(np.int64)
    row -= row.min()
    off = np.abs(table["cross_track_distance"])
    low, width = off.min(), np.ptp(off)
    columns = max(round(width / size), 1)
    column = np.minimum((off - low) * (columns / max(width, 1e-9)), columns - 1).astype(np.int64)
    half = (table["cross_track_distance"] > 0).astype(np.int64)
    return np.ravel_multi_index(
        (table["pass_index"], row, half, column), (table["pass_index"].max() + 1, row.max() + 1, 2, columns)
    )


def _off_axis(longitude: Array, latitude: Array) -> Array:
    """Return the distance of points of one time from the great circle along which they extend most, (n,) [km]."""
    position = upward(longitude, latitude)
    middle = position.mean(axis=0)
    across = np.linalg.svd(position - middle, full_matrices=False)[2][1]
    across *= np.sign(across @ np.cross([0.0, 0.0, 1.0], middle)) or 1.0  # to the east, of a northward flight
    return np.asarray(EARTH_RADIUS * (position - middle) @ across)
