"""Points at which a function is evaluated: a grid stays a grid, a track stays a track."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array


@dataclass(frozen=True, eq=False)
class Points:
    """Positions and times: every position at every time (a grid), or each position at a time of its own (a track).

    Examples
    --------
    >>> grid = Points(np.array([[1.0, 5.0], [2.0, 6.0]]), np.array([0.0, 10.0]), grid=True)
    >>> grid.x
    array([[ 1.,  5.,  0.],
           [ 2.,  6.,  0.],
           [ 1.,  5., 10.],
           [ 2.,  6., 10.]])
    """

    positions: Array  #: Longitude and latitude [degrees], or coordinates of a frame without its time, (m, q).
    times: NDArray[Any]  #: ``datetime64[ns]``, or days since the epoch of a frame, (k,); k = m on a track.
    grid: bool = False  #: Whether there are k m points, times varying slowest, rather than m.

    @classmethod
    def of(cls, x: Array) -> Self:
        """Return the points x (n, d) of a frame, the last column their times, each with a position of its own."""
        return cls(x[:, :-1], x[:, -1])

    def __len__(self) -> int:
        return len(self.positions) * (len(self.times) if self.grid else 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (k, m) of a grid, (1, m) of a track, in which what belongs to positions repeats."""
        return (len(self.times) if self.grid else 1), len(self.positions)

    @cached_property
    def x(self) -> Array:
        """Coordinates and time of each point, (n, q + 1)."""
        return np.column_stack([self.repeat(self.positions), self.time])

    @property
    def time(self) -> NDArray[Any]:
        """The time of each point, (n,)."""
        return np.repeat(self.times, len(self.positions)) if self.grid else self.times

    def repeat(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what belongs to positions, (m, ...), at every point, (n, ...)."""
        return np.tile(values, (self.shape[0], *[1] * (values.ndim - 1)))

    def dot(self, vectors: Array, directions: Array) -> Array:
        """Return the products of vectors at points (n, d) with directions at positions (m, d), (n,)."""
        rows = vectors.reshape(*self.shape, -1)
        return np.asarray(np.einsum("kmd,md->km", rows, directions)).ravel()
