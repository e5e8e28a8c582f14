"""Passes: the stretches of a track within which an altimeter's errors hang together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xinr.frame import EARTH_RADIUS

Array = NDArray[np.float64]

#: A silence longer than this begins a new pass [s]; islands and straits are crossed faster.
PASS_GAP = 600.0
#: No altimeter's ground track moves faster [km/s]; TOPEX, the slowest orbit, makes 5.8 and CryoSat-2 6.8.
FASTEST_GROUND_TRACK = 9.0


def streams(time: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Tell instruments apart, where no mission does, by where time goes back in the given order.

    Files laid end to end form a few long stretches of rising time. Shuffled points form many short ones, which
    tell nothing: they are taken as one stream.
    """
    stretch = runs(np.diff(time) < np.timedelta64(0, "ns"))
    informative = len(time) >= 10 * (int(stretch[-1]) + 1)
    return stretch if informative else np.zeros(len(time), dtype=np.int64)


def number_passes(
    stream: NDArray[np.int64], time: NDArray[np.datetime64], longitude: Array, latitude: Array
) -> NDArray[np.int64]:
    """Return the number of each point's pass.

    A new one begins with another stream, a silence, a jump, or a turn in latitude.
    """
    seconds = np.diff(time) / np.timedelta64(1, "s")
    lon, lat = np.radians(longitude), np.radians(latitude)
    haversine = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[1:]) * np.cos(lat[:-1]) * np.sin(np.diff(lon) / 2) ** 2
    distance = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(haversine, 1.0)))
    # Two seconds of grace: times may be rounded to the second.
    jump = distance > FASTEST_GROUND_TRACK * (seconds + 2.0)
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


def runs(boundary: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the number of each of n points' run, from the n - 1 steps that part them."""
    return np.concatenate([[0], np.cumsum(boundary)]).astype(np.int64)
