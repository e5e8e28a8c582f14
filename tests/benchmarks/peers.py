"""Peers wrapped as methods, so that they meet the same observations, cross-validation and score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.geo.frames import SECONDS_PER_DAY
from xinr.geo.points import Points
from xinr.methods.method import Method
from xinr.methods.observation_error import ObservationError
from xinr.methods.predictor import ErrorPredictor

Kernel = Literal["cauchy", "gaussian", "matern_12", "matern_32", "matern_52", "spherical", "wendland"]


@dataclass(frozen=True, kw_only=True)
class PyinterpOI(Method):
    """Local optimal interpolation of `pyinterp.OptimalInterpolation`: the k nearest observations of each target.

    Parameters
    ----------
    length_scale, time_scale : float
        Scales of the covariance [km, days].
    sigma : float
        Standard deviation of the signal [m].
    k : int
        Observations used for each target.
    covariance : str
        One of pyinterp's names.
    """

    frame: str = "degrees"
    coarsen: int = 3
    noise: float | Mapping[str, float] = 0.052
    length_scale: float = 150.0
    time_scale: float = 15.0
    sigma: float = 0.09
    k: int = 50
    covariance: Kernel = "matern_32"

    def fit(self, x: Array, y: Array, error: ObservationError) -> PyinterpPredictor:
        """See `Method.fit`; it has no model of a bias per pass."""
        return PyinterpPredictor(x, y, error.noise**2, self)


@dataclass(frozen=True, eq=False)
class PyinterpPredictor(ErrorPredictor):
    """The observations and the settings; solved anew at each target, without derivatives."""

    kind = "pyinterp"

    x: Array
    y: Array
    variance: Array
    settings: PyinterpOI

    def predict(self, points: Points) -> Array:
        """See `Predictor.predict`."""
        return self.posterior(points)[0]

    def gradient(self, points: Points) -> Array:
        """Refuse: the map jumps where neighbours change."""
        raise TypeError("pyinterp's optimal interpolation gives no derivatives: map it, then maps.inr.gradient().")

    def curvature(self, points: Points, direction: Array) -> Array:
        """Refuse: the map jumps where neighbours change."""
        return self.gradient(points)

    def state(self) -> dict[str, NDArray[Any]]:
        """Refuse: a peer's fit is not kept."""
        raise TypeError("a peer in a benchmark is not saved.")

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Refuse: a peer's fit is not kept."""
        raise TypeError("a peer in a benchmark is not saved.")

    def posterior(self, points: Points) -> tuple[Array, Array]:
        """See `ErrorPredictor.posterior`."""
        x = points.x
        import pyinterp

        metres, seconds = 1e3 * self.settings.length_scale, SECONDS_PER_DAY * self.settings.time_scale
        to_seconds = np.array([1.0, 1.0, SECONDS_PER_DAY])
        analysis = pyinterp.OptimalInterpolation(
            self.x * to_seconds,
            self.y,
            self.variance,
            covariance=self.settings.covariance,
            coordinate_system="geographic",
            time_scale=metres / seconds,
        )
        found = analysis(x * to_seconds, l_spatial=metres, lt=seconds, sigma=self.settings.sigma, k=self.settings.k)
        return np.nan_to_num(found.value), found.error
