"""Points that an altimeter cannot have measured one by one: repeats, and times coarser than its sampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from xinr._typing import Array
from xinr._warnings import warn
from xinr.geo.frames import EARTH_RADIUS, upward
from xinr.observations.passes import FASTEST_GROUND_TRACK, PASS_GAP, distances, runs

#: Two points of one mission closer in time than this are one measurement, whatever the sampling [s].
SAME_TIME = 0.005
#: No altimeter file samples more slowly [s]; positions agree within their rounding [km].
SLOWEST_SAMPLING, ROUNDING = 1.1, 0.01
#: Times may be rounded to the second; coarser ones are worth a warning [s].
ROUNDED = 2.0


def without_repeats(
    time: NDArray[np.datetime64], longitude: Array, latitude: Array, value: Array, mission: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which points (n,) to keep: not those that repeat earlier ones, as where files or releases overlap.

    Of two points of a mission on one ground track, closer in time than half the sampling, the first given is kept.
    Within a stretch that is given in order of time, and where points do not come in order at all, so that their
    sampling is not known, of those within 5 ms. Repeats with other heights are warned of.
    """
    keep = np.ones(len(time), dtype=bool)
    seconds = (time - time.min()) / np.timedelta64(1, "s")
    position = EARTH_RADIUS * upward(longitude, latitude)
    differing = 0
    for number in np.unique(mission):
        rows = np.flatnonzero(mission == number)
        first, second = _pairs(seconds[rows], position[rows])
        keep[rows[second]] = False
        differing += np.unique(second[value[rows[first]] != value[rows[second]]]).size
    if differing:
        warn(
            f"{differing} of {len(time)} points repeat others of their mission with other heights, as a second release "
            "of the same passes does: the first given are kept. Give the release that you want alone, or first."
        )
    return keep


def _pairs(seconds: Array, position: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of points that are one measurement of an instrument: the first given, and the second."""
    window = _window(seconds)
    reach = FASTEST_GROUND_TRACK * window
    tree = cKDTree(np.column_stack([position, FASTEST_GROUND_TRACK * seconds]))
    pairs = np.sort(tree.query_pairs(np.hypot(reach, reach + ROUNDING), output_type="ndarray"), axis=1)
    apart = np.abs(seconds[pairs[:, 0]] - seconds[pairs[:, 1]])
    distance = np.linalg.norm(position[pairs[:, 0]] - position[pairs[:, 1]], axis=1)
    steps = np.diff(seconds)
    stretch = runs((steps < 0) | (steps > PASS_GAP))
    near = (apart <= SAME_TIME) | (apart <= window) & (stretch[pairs[:, 0]] != stretch[pairs[:, 1]])
    one = near & (distance <= FASTEST_GROUND_TRACK * apart + ROUNDING)
    return pairs[one, 0], pairs[one, 1]


def _window(seconds: Array) -> float:
    """Return how near in time two points of a mission are one measurement [s]."""
    steps = np.diff(seconds)
    forward = steps[(steps > 0) & (steps < PASS_GAP)]
    if not forward.size or np.mean(steps >= 0) < 0.9:
        return SAME_TIME
    return max(SAME_TIME, 0.49 * min(float(np.median(forward)), SLOWEST_SAMPLING))


def warn_of_coarse_times(time: NDArray[np.datetime64], longitude: Array, latitude: Array) -> None:
    """Warn where neighbours along a track share a time, as of times in days that were kept in float32."""
    if len(time) < 2:
        return
    seconds = np.abs(np.diff(time) / np.timedelta64(1, "s"))
    distance = distances(EARTH_RADIUS * upward(longitude, latitude))
    sharing = (seconds == 0) & (distance > ROUNDING) & (distance < FASTEST_GROUND_TRACK * ROUNDED)
    step = np.median(seconds[seconds > 0]) if (seconds > 0).any() else 0.0
    if np.mean(sharing) > 0.5 and step > ROUNDED:
        warn(
            f"{np.count_nonzero(sharing)} of {len(time)} points share the time of their neighbour on the track, in "
            f"steps of {step:.0f} s: their times are coarser than the sampling, as days in float32 are. They are taken "
            "in the order given; write times as float64 or as integers where you can."
        )
