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
#: Largest number of altimeters at one time: bounds the search for points that are not tracks.
MOST_INSTRUMENTS = 32


def streams(time: NDArray[np.datetime64], longitude: Array, latitude: Array) -> NDArray[np.int64]:
    """Separate instruments that have no mission names: return the number of the stream of each point.

    In order of time, a point continues the nearest stream from whose last point a ground track can reach it in that
    time; else it begins a new stream. Streams end with a gap.
    """
    order = np.argsort(time, kind="stable")
    seconds = (time[order] - time[order[:1]]) / np.timedelta64(1, "s")
    position, step = EARTH_RADIUS * upward(longitude[order], latitude[order]), np.diff(seconds)
    label = np.zeros(len(time), dtype=np.int64)
    if (_too_fast(_steps(position), step) & (step <= PASS_GAP)).any():
        label[order] = _chained(seconds.tolist(), position.tolist())
    return label


def _chained(seconds: list[float], position: list[list[float]]) -> list[int]:
    """Return the stream of each point in order of time: see `streams`."""
    flying: deque[tuple[float, list[float], int]] = deque(maxlen=MOST_INSTRUMENTS)
    labels: list[int] = []
    count = 0
    for now, here in zip(seconds, position, strict=True):
        nearest, chosen = np.inf, -1
        for i, (last, there, _) in enumerate(flying):
            far = dist(here, there)
            if far < nearest and now - last <= PASS_GAP and _could_fly(far, now - last):
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
    stream: NDArray[np.int64], time: NDArray[np.datetime64], longitude: Array, latitude: Array
) -> NDArray[np.int64]:
    """Return the pass of each point: a new one begins with a stream, a gap, a jump, or a turn in latitude."""
    seconds = np.diff(time) / np.timedelta64(1, "s")
    jump = _too_fast(_steps(EARTH_RADIUS * upward(longitude, latitude)), seconds)
    split = (np.diff(stream) != 0) | (seconds > PASS_GAP) | jump
    return runs(split | _turns(latitude, split))


def _turns(latitude: Array, split: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which steps reverse the direction in latitude of the last moving step of the same part."""
    direction = np.sign(np.diff(latitude))
    moving = np.flatnonzero((direction != 0) & ~split)
    part = np.cumsum(split)[moving]
    turns = np.zeros(len(direction), dtype=bool)
    turns[moving[1:]] = (np.diff(direction[moving]) != 0) & (np.diff(part) == 0)
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


def runs(boundary: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the number of the run of each of n points, from the n - 1 steps between them that begin a new one."""
    return np.concatenate([[0], np.cumsum(boundary)]).astype(np.int64)


def _steps(position: Array) -> Array:
    """Return the distance from each point (n, 3) to the next [km]."""
    return np.asarray(np.linalg.norm(np.diff(position, axis=0), axis=1))


def _could_fly(distance: float, seconds: float) -> bool:
    slowest = SLOWEST_GROUND_TRACK * (seconds - 2.0)
    return bool(distance >= slowest and not _too_fast(distance, seconds))


def _too_fast[T: (float, Array)](distance: T, seconds: T) -> Any:
    # Two seconds of tolerance, since times may be rounded to the second.
    return distance > FASTEST_GROUND_TRACK * (seconds + 2.0)
