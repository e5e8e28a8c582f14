"""Passes: the parts of a track along which the errors of an altimeter are correlated."""

from __future__ import annotations

from collections import deque
from math import dist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.geo.frames import EARTH_RADIUS, upward

#: A longer gap begins a new pass [s]; islands and straits are crossed faster.
PASS_GAP = 600.0
#: Bounds on the speed of ground tracks [km/s]; that of TOPEX is 5.8, that of CryoSat-2 6.8.
SLOWEST_GROUND_TRACK, FASTEST_GROUND_TRACK = 5.0, 9.0
#: Of swaths: how far the points of a line may be apart [km], and how many points make a line.
SWATH_WIDTH, LEAST_OF_LINE = 150.0, 3
#: A swath turns where its latitude has changed by more than its width [degrees] in this time [s], then back.
TURN_CHANGE, TURN_LAG = 1.3, 60.0
#: Largest number of altimeters at one time: bounds the search for points that are not tracks.
MOST_INSTRUMENTS = 32


def streams(time: NDArray[np.datetime64], longitude: Array, latitude: Array) -> NDArray[np.int64]:
    """Separate instruments that have no mission names: return the number of the stream of each point.

    In order of time, a point continues the nearest stream from whose last point a ground track can reach it in that
    time; else it begins a new stream. Streams end with a gap. Of swaths, whole lines are taken in place of points. What
    is all of one time is one stream.
    """
    label = np.zeros(len(time), dtype=np.int64)
    order = np.argsort(time, kind="stable")
    seconds = (time[order] - time[order[:1]]) / np.timedelta64(1, "s")
    if not len(time) or seconds[-1] == 0.0:
        return label
    position = EARTH_RADIUS * upward(longitude[order], latitude[order])
    line, slack = np.arange(len(time)), 0.0
    near = _lines_within(seconds, position, SWATH_WIDTH)
    if _are_wide(np.bincount(near)):
        line, slack = near, SWATH_WIDTH
    first = np.flatnonzero(np.diff(line, prepend=-1))
    middle, seconds = _line_means(position, first), seconds[first]
    step = np.diff(seconds)
    if (_too_fast(distances(middle), step, slack) & (step <= PASS_GAP)).any():
        label[order] = np.array(_chained(seconds.tolist(), middle.tolist(), slack))[line]
    return label


def _lines_within(seconds: Array, position: Array, width: float) -> NDArray[np.int64]:
    """Return the line of each point in order of time: points of one time, within a width of the first of them [km]."""
    group = runs(np.diff(seconds) != 0.0)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    far = np.linalg.norm(position - position[first][group], axis=1) > width
    return runs((np.diff(group) != 0) | far[1:])


def _are_wide(points: NDArray[np.int64]) -> bool:
    """Return whether most points are on lines of a swath, from the number of points of each line."""
    return bool(2 * points[points >= LEAST_OF_LINE].sum() > points.sum())


def _line_means(position: Array, first: NDArray[np.int64]) -> Array:
    """Return the mean of positions (n, 3) of lines, whose first points are given, (lines, 3)."""
    count = np.diff(first, append=len(position))
    return np.stack([np.add.reduceat(column, first) / count for column in position.T], axis=1)


def _chained(seconds: list[float], position: list[list[float]], slack: float) -> list[int]:
    """Return the stream of each point, or line, in order of time: see `streams`."""
    flying: deque[tuple[float, list[float], int]] = deque(maxlen=MOST_INSTRUMENTS)
    labels: list[int] = []
    count = 0
    for now, here in zip(seconds, position, strict=True):
        nearest, chosen = np.inf, -1
        for i, (last, there, _) in enumerate(flying):
            far = dist(here, there)
            if far < nearest and now - last <= PASS_GAP and _could_fly(far, now - last, slack):
                nearest, chosen = far, i
        if chosen < 0:
            label, count = count, count + 1
        else:
            label = flying[chosen][2]
            del flying[chosen]
        flying.append((now, here, label))
        labels.append(label)
    return labels


def number_passes(
    stream: NDArray[np.int64],
    time: NDArray[np.datetime64],
    longitude: Array,
    latitude: Array,
    known: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return the pass of each point, sorted by stream, then time.

    A new pass begins with a stream, a gap, a jump, or a turn in latitude; and with a number that is known, as from the
    name of a file. Points of one stream and time are a line of a swath: it moves as their mean position does, which
    shifts by as much as the swath is wide where part of the line is missing.
    """
    line = runs((np.diff(stream) != 0) | (time[1:] != time[:-1]))
    first = np.flatnonzero(np.diff(line, prepend=-1))
    position = EARTH_RADIUS * _line_means(upward(longitude, latitude), first)
    stream, time = stream[first], time[first]
    latitude = np.add.reduceat(np.asarray(latitude, np.float64), first) / np.bincount(line)
    number = np.unique(stream, return_inverse=True)[1]
    wide = (np.bincount(number, np.bincount(line)) >= LEAST_OF_LINE * np.bincount(number))[number]
    seconds = np.diff(time) / np.timedelta64(1, "s")
    jump = _too_fast(distances(position), seconds, SWATH_WIDTH * wide[1:])
    split = (np.diff(stream) != 0) | (seconds > PASS_GAP) | jump
    if known is not None:
        split |= np.diff(known[first]) != 0
    turn = _turns(latitude, split) & ~wide[1:]
    if wide.any():
        turn |= _slow_turns((time - time[0]) / np.timedelta64(1, "s"), latitude, split) & wide[1:]
    return runs(split | turn)[line]


def _turns(latitude: Array, split: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which steps reverse the direction in latitude of the last moving step of the same part."""
    direction = np.sign(np.diff(latitude))
    moving = np.flatnonzero((direction != 0) & ~split)
    part = np.cumsum(split)[moving]
    turns = np.zeros(len(direction), dtype=bool)
    turns[moving[1:]] = (np.diff(direction[moving]) != 0) & (np.diff(part) == 0)
    return turns


def _slow_turns(seconds: Array, latitude: Array, split: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which steps are nearest to a turn in latitude of lines whose mean positions scatter across the track.

    The direction is that of a change in a minute that no line with missing pixels can feign; a turn lies midway between
    the last such change in one direction and the first in the other.
    """
    part = runs(split)
    since = seconds - seconds[np.flatnonzero(np.diff(part, prepend=-1))][part]
    key = since + part * (since.max() + 2.0 * TURN_LAG)  # ascends through all parts
    ahead = np.searchsorted(key, key + TURN_LAG, side="right") - 1
    change = latitude[ahead] - latitude
    moving = np.flatnonzero(np.abs(change) > TURN_CHANGE)
    middle = (key[moving] + key[ahead[moving]]) / 2.0
    turned = (np.diff(np.sign(change[moving])) != 0) & (np.diff(part[moving]) == 0)
    turns = np.zeros(len(split), dtype=bool)
    turns[np.searchsorted(key, ((middle[1:] + middle[:-1]) / 2.0)[turned]) - 1] = True
    return turns


def along_chord(position: Array, pass_index: NDArray[np.int64]) -> Array:
    """Return the signed distance of points (n, 3) from the middle of their pass, along its chord, in order of time."""
    _, first, number, count = np.unique(pass_index, return_index=True, return_inverse=True, return_counts=True)
    # Heading: from the first point to the last.
    last = np.full(len(first), -1)
    last[number] = np.arange(len(position))
    chord = position[last] - position[first]
    heading = chord / np.maximum(np.linalg.norm(chord, axis=1, keepdims=True), 1e-9)
    middle = np.stack([np.bincount(number, column) for column in position.T], axis=1) / count[:, None]
    return np.asarray(np.einsum("ij,ij->i", position - middle[number], heading[number]))


def along_arc(position: Array, pass_index: NDArray[np.int64]) -> Array:
    """Return the signed distance of points (n, 3) of swaths from the middle of their pass, in order of time, (n,) [km].

    Along the great circle through the middle in the direction of the flight: that in which positions change with their
    rank in the pass.
    """
    _, first, number, count = np.unique(pass_index, return_index=True, return_inverse=True, return_counts=True)

    def sums(weight: Array) -> Array:
        return np.stack([np.bincount(number, weight * column) for column in position.T], axis=1)

    def unit(vectors: Array) -> Array:
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))

    middle = unit(sums(np.ones(len(position))))
    rank = np.arange(len(position)) - (first + (count - 1) / 2.0)[number]
    heading = sums(rank)
    heading = unit(heading - np.einsum("ij,ij->i", heading, middle)[:, None] * middle)
    ahead, up = (np.einsum("ij,ij->i", position, axis[number]) for axis in (heading, middle))
    return np.asarray(EARTH_RADIUS * np.arctan2(ahead, up))


def runs(boundary: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the number of the run of each of n points, from the n - 1 steps between them that begin a new one."""
    return np.concatenate([[0], np.cumsum(boundary)]).astype(np.int64)


def distances(position: Array) -> Array:
    """Return the distance from each point (n, 3) to the next [km]."""
    return np.asarray(np.linalg.norm(np.diff(position, axis=0), axis=1))


def _could_fly(distance: float, seconds: float, slack: float) -> bool:
    slowest = SLOWEST_GROUND_TRACK * (seconds - 2.0) - slack
    return bool(distance >= slowest and not _too_fast(distance, seconds, slack))


def _too_fast(distance: Any, seconds: Any, slack: Any = 0.0) -> Any:
    # Two seconds of tolerance, since times may be rounded to the second; slack where parts of lines are missing.
    return distance > FASTEST_GROUND_TRACK * (seconds + 2.0) + slack
