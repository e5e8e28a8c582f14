"""Drift: the mean of a process as a polynomial of position and time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, override

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array, Pairs
from xinr.geo.points import Points
from xinr.methods.predictor import Predictor

#: Degree of each drift by name; "none" has no term.
DRIFTS = {"none": -1, "constant": 0, "linear": 1}
#: Points whose spread across their plane is less than this share of their extent tell no slope across it.
FLATTEST = 1e-3


@dataclass(frozen=True, eq=False)
class Polynomial(Predictor):
    """``b_0 + b · (x - centre) / scale``, with as many coefficients as there are: none, one, or one each axis more."""

    kind = "polynomial"

    coefficients: Array  #: [unit of the data], (m,).
    centre: Array  #: Of the coordinates, (d,).
    scale: Array  #: Of the coordinates, (d,).

    @classmethod
    def zero(cls, drift: str, x: Array) -> Self:
        """Return the drift of that name, all of its coefficients zero, in the scales of points x (n, d).

        Raises
        ------
        ValueError
            The points do not tell its coefficients: all on one line, or at one time.
        """
        size = {-1: 0, 0: 1, 1: 1 + x.shape[1]}[DRIFTS[drift]]
        spread = x.std(axis=0)
        zero = cls(np.zeros(size), x.mean(axis=0), np.where(spread > 0.0, spread, 1.0))
        if size and np.linalg.matrix_rank(zero.columns(x), rtol=FLATTEST) < size:
            raise ValueError(
                f"{len(x)} observations do not tell a {drift} mean, which has {size} coefficients: they are too few, "
                "on one line, or at one time. Take more observations, or mean='constant'."
            )
        return zero

    def columns(self, x: Array) -> Array:
        """Return what each coefficient multiplies, (n, m)."""
        if len(self.coefficients) <= 1:
            return np.ones((len(x), len(self.coefficients)))
        return np.column_stack([np.ones(len(x)), (x - self.centre) / self.scale])

    @override
    def predict(self, points: Points) -> Array:
        return np.asarray(self.columns(points.x) @ self.coefficients)

    @override
    def gradient(self, points: Points) -> Array:
        return np.tile(self._slopes, (len(points), 1))

    @override
    def curvature(self, points: Points, direction: Array) -> Array:
        return np.zeros(len(points))

    @override
    def derivatives(
        self, points: Points, directions: Sequence[Array], pairs: Pairs, metric_terms: Sequence[Array]
    ) -> tuple[Array, Array]:
        return self._along(directions, points), self._along(metric_terms, points)

    @override
    def laplacian(self, points: Points, directions: Sequence[Array], metric_term: Array) -> Array:
        return np.asarray(self._along([metric_term], points)[0])

    def _along(self, vectors: Sequence[Array], points: Points) -> Array:
        """Return the derivative along each of j vectors (m, d), (j, n)."""
        return np.reshape([points.repeat(each @ self._slopes) for each in vectors], (len(vectors), len(points)))

    @property
    def _slopes(self) -> Array:
        slopes = np.zeros(len(self.scale))
        slopes[: max(len(self.coefficients) - 1, 0)] = self.coefficients[1:]
        return np.asarray(slopes / self.scale)

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        return {"coefficients": self.coefficients, "centre": self.centre, "scale": self.scale}

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        return cls(state["coefficients"], state["centre"], state["scale"])
