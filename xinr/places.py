"""Places that repeat, as those of a map do at each of its times."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xinr._typing import Array


def repetition(*coordinates: Array) -> int:
    """Return after how many points places, each coordinate (n,), repeat; n where they do not.

    Examples
    --------
    >>> repetition(np.array([0.0, 5.0, 0.0, 5.0]), np.array([1.0, 1.0, 1.0, 1.0]))
    2
    """
    count = len(coordinates[0])
    again = np.flatnonzero(np.logical_and.reduce([column[1:] == column[0] for column in coordinates]))
    period = int(again[0]) + 1 if len(again) else count
    whole = count % period == 0 and all(bool((c.reshape(-1, period) == c[:period]).all()) for c in coordinates)
    return period if whole else count


def once(function: Callable[[Array, Array], Array], longitude: Array, latitude: Array) -> Array:
    """Apply a function of places (n,) that gives vectors (..., n, d), once to places that repeat.

    Examples
    --------
    >>> once(lambda lon, lat: np.stack([lon, lat], axis=1), np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    array([[1., 2.],
           [1., 2.]])
    """
    period = repetition(longitude, latitude)
    return np.tile(function(longitude[:period], latitude[:period]), (len(longitude) // period, 1))
