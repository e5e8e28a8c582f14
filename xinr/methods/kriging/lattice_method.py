"""What the settings of kriging build: the lattice, the mean, and the linear problem."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from xinr._typing import Array
from xinr.geo.points import Points
from xinr.methods.covariances import Covariance
from xinr.methods.functions.polynomial import Polynomial
from xinr.methods.kriging.conditioning import Conditioning
from xinr.methods.kriging.lattice import Lattice
from xinr.methods.kriging.problem import conditioning
from xinr.methods.method import Method
from xinr.methods.observation_error import ObservationError
from xinr.methods.predictor import Predictor
from xinr.methods.search import SearchableMethod


@dataclass(frozen=True, kw_only=True)
class LatticeMethod(SearchableMethod):
    """Settings of a process on a lattice, observed; `Kriging` says what each means."""

    default_covariance: ClassVar[Covariance]

    covariance: Covariance | None = None
    mean: str | Method = "constant"
    spacing: float
    time_step: float
    margin: float
    time_margin: float
    tolerance: float
    device: str = "auto"
    seed: int = 0

    @property
    def signal(self) -> Covariance:
        """The covariance given, or the default one."""
        return self.covariance or self.default_covariance

    def mean_of(self, x: Array, y: Array, error: ObservationError) -> Predictor:
        """Return the mean of observations: the method's fit, or the drift by ordinary least squares."""
        if isinstance(self.mean, Method):
            return replace(self.mean, frame=self.frame).fit(x, y, error)
        drift = Polynomial.zero(self.mean, x)
        return replace(drift, coefficients=np.linalg.lstsq(drift.columns(x), y)[0])

    def residual(self, mean: Predictor, x: Array, y: Array) -> Array:
        """Return what is left of observations y (n,) at x (n, 3) about their mean, (n,)."""
        return np.asarray(y - mean.predict(Points.of(x)))

    def lattice(self, x: Array) -> Lattice:
        """Return the lattice for points x (n, 3)."""
        steps = self.spacing, self.spacing, self.time_step
        return Lattice.around(x, steps, (self.margin, self.margin, self.time_margin))

    def conditioning(self, lattice: Lattice, x: Array, error: ObservationError) -> Conditioning:
        """Return the linear problem of observations at x (n, 3), having checked that it fits into memory."""
        return conditioning(lattice, self.signal, x, error, self.device)
