"""Passes: the stretches of a track within which an altimeter's errors hang together."""

from __future__ import annotations

from collections import deque
from math import dist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.geo.frames import EARTH_RADIUS, upward

#: A silence longer than this begins a new pass [s]; islands and straits are crossed faster.
PASS_GAP = 600.0
#: No altimeter's ground track moves faster [km/s]; TOPEX, the slowest orbit, makes 5.8 and CryoSat-2 6.8.
FASTEST_GROUND_TRACK = 9.0
#: Nor slower [km/s].
SLOWEST_GROUND_TRACK = 5.0
#: More altimeters than ever flew at once: bounds the search among points that are no track.
AT_ONCE = 32


def streams(time: NDArray[np.datetime64], longitude: Array, latitude: Array) -> NDArray[np.int64]:
    """Tell instruments apart, where no mission does: return the number of the stream of each point.

    In the order of time, a point continues the stream whose last point is nearest among those from which a ground
    track leads here in that time; else it begins a stream. Streams end with a silence.
    """
    order = np.argsort(time, kind="stable")
    seconds = (time[order] - time[order[:1]]) / np.timedelta64(1, "s")
    place, step = EARTH_RADIUS * upward(longitude[order], latitude[order]), np.diff(seconds)
    label = np.zeros(len(time), dtype=np.int64)
    if (_too_fast(_steps(place), step) & (step <= PASS_GAP)).any():
        label[order] = _untangled(seconds.tolist(), place.tolist())
    return label


def _untangled(seconds: list[float], place: list[list[float]]) -> list[int]:
    """Chain points in the order of time: see `streams`."""
    flying: deque[tuple[float, list[float], int]] = deque(maxlen=AT_ONCE)
    labels: list[int] = []
    count = 0
    for now, here in zip(seconds, place, strict=True):
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
    """Return the number of each point's pass.

    A new one begins with another stream, a silence, a jump, or a turn in latitude.
    """
    seconds = np.diff(time) / np.timedelta64(1, "s")
    jump = _too_fast(_steps(EARTH_RADIUS * upward(longitude, latitude)), seconds)
    parted = (np.diff(stream) != 0) | (seconds > PASS_GAP) | jump
    return runs(parted | _turns(latitude, parted))


def _turns(latitude: Array, parted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return, for each step, whether it turns back in latitude from the last moving step of the same stretch."""
    direction = np.sign(np.diff(latitude))
    moving = np.flatnonzero((direction != 0) & ~parted)
    stretch = np.cumsum(parted)[moving]
    turns = np.zeros(len(direction), dtype=bool)
    turns[moving[1:]] = (np.diff(direction[moving]) != 0) & (np.diff(stretch) == 0)
    return turns


def along_chord(place: Array, pass_index: NDArray[np.int64]) -> Array:
    """Return the signed distance of places (n, 3), in order of time, from the middle of their pass, along its chord."""
    _, first, number, count = np.unique(pass_index, return_index=True, return_inverse=True, return_counts=True)
    # Heading: from the first point to the last.
    last = np.full(len(first), -1)
    last[number] = np.arange(len(place))
    chord = place[last] - place[first]
    heading = chord / np.maximum(np.linalg.norm(chord, axis=1, keepdims=True), 1e-9)
    middle = np.stack([np.bincount(number, column) for column in place.T], axis=1) / count[:, None]
    return np.asarray(np.einsum("ij,ij->i", place - middle[number], heading[number]))


def runs(boundary: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the number of each of n points' run, from the n - 1 steps that part them."""
    return np.concatenate([[0], np.cumsum(boundary)]).astype(np.int64)


def _steps(place: Array) -> Array:
    """Return the distance from each point (n, 3) to the next [km]."""
    return np.asarray(np.linalg.norm(np.diff(place, axis=0), axis=1))


def _could_fly(distance: float, seconds: float) -> bool:
    slowest = SLOWEST_GROUND_TRACK * (seconds - 2.0)
    return bool(distance >= slowest and not _too_fast(distance, seconds))


def _too_fast[T: (float, Array)](distance: T, seconds: T) -> Any:
    # Two seconds of grace: times may be rounded to the second.
    return distance > FASTEST_GROUND_TRACK * (seconds + 2.0)
