"""Distances of points from the ground track of a swath."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.geo.frames import EARTH_RADIUS, upward

#: No swath is this wide: larger distances are metres [km].
WIDEST = 1000.0
#: Lines at least this share of the widest have pixels at both edges.
FULL = 0.9


def in_kilometres(across: NDArray[Any]) -> Array:
    """Return distances from the ground track in kilometres: files of L3 have those, of L2 metres."""
    across = across.astype(np.float64)
    return across * (1e-3 if np.nanmax(np.abs(across), initial=0.0) > WIDEST else 1.0)


def cross_track_distance(longitude: Array, latitude: Array, line: NDArray[np.int64]) -> Array:
    """Return the distance of the points of lines from the ground track, positive to the right of the flight, (n,) [km].

    The track runs midway between the ends of whole lines; between those, where part of a line is missing.

    Parameters
    ----------
    longitude, latitude : ndarray (n,)
        Degrees, line after line, each from one edge to the other; missing ones give NaN.
    line : ndarray of int (n,)
        The number of each point's line, in the order of flight.
    """
    position = upward(longitude, latitude)
    first = np.flatnonzero(np.diff(line, prepend=-1))
    last = np.append(first[1:], len(line)) - 1
    extent = np.linalg.norm(position[last] - position[first], axis=1)
    whole = np.flatnonzero(extent >= FULL * np.nanmax(extent, initial=0.0))  # not where an end is missing
    if not whole.size:
        return np.full(len(line), np.nan)
    middle = (position[first] + position[last])[whole] / 2.0
    nadir = np.stack([np.interp(np.arange(len(first)), whole, column) for column in middle.T], axis=1)
    nadir /= np.linalg.norm(nadir, axis=1, keepdims=True)
    right = np.cross(_heading(nadir), nadir)
    right /= np.maximum(np.linalg.norm(right, axis=1, keepdims=True), 1e-15)
    number = np.cumsum(np.diff(line, prepend=line[0]) != 0)
    return np.asarray(EARTH_RADIUS * np.einsum("ij,ij->i", position, right[number]))


def _heading(nadir: Array) -> Array:
    """Return the direction of flight at each line, to its nearer neighbour: passes may follow each other, (lines, 3).

    Of a single line it is not known, and taken to be northward.
    """
    if len(nadir) == 1:
        return np.array([[0.0, 0.0, 1.0]])
    step = np.diff(nadir, axis=0)
    before, after = np.concatenate([step[:1], step]), np.concatenate([step, step[-1:]])
    nearer = np.linalg.norm(before, axis=1) < np.linalg.norm(after, axis=1)
    return np.where(nearer[:, None], before, after)
