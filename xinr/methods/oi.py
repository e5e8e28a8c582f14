"""Optimal interpolation in sliding time windows: the baseline of the data challenges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from tqdm.auto import tqdm

from xinr.methods.base import Array, ErrorPredictor, Method, ObservationError, check_positive, present_errors
from xinr.methods.covariances import Covariance, Gaussian, check_covariance

# Targets per block of the observation-target covariance: 4096 x 5000 float64 is 160 MB.
BLOCK = 4096
# Largest window solved densely: its factor alone takes 8 n² = 3.2 GB.
LARGEST_WINDOW = 20_000
# Of data challenge 2021a, in degrees and days.
BASELINE = Gaussian(length_scale=1.0, time_scale=7.0, sigma=1.0)


@dataclass(frozen=True, kw_only=True)
class OI(Method):
    """Optimal interpolation with any covariance, one solve per analysis time.

    The defaults are those of the SSH mapping data challenge 2021a: Gaussian with scales of 1 degree and 7 days, unit
    signal variance, 0.05 m of noise, averages of five points, observations less than 14 days from the analysis.

    Parameters
    ----------
    covariance : Covariance
        Of the signal: see `xinr.methods.covariances`. Its lengths are degrees in the frame "degrees", kilometres in
        the frames "sphere" and "plane"; only the ratio of its ``sigma`` to ``noise`` changes the map.
    window : float
        Half-width of the time window, in memories of the covariance: lags at which it has fallen to 1/e.
    analysis_step : float
        Days between analyses. A target takes the analysis nearest in time; daily maps at 00:00 fall on them.

    Notes
    -----
    1. Select the observations with ``|t - t_analysis| < window · covariance.memory``.
    2. Factor ``K + R`` by Cholesky in float64: in float32 it fails at ``noise = 0.05``.
    3. The analysis is ``k(x) · (K + R)⁻¹ y``; its error is ``sqrt(sigma² - kᵀ (K + R)⁻¹ k)``.

    The background is zero: feed anomalies. The field is smooth in space, with a small step in time half-way
    between analyses, where the window changes (correlation at its edge: exp(-window²) = 0.018 for the Gaussian).

    References
    ----------
    Bretherton, Davis & Fandry (1976), doi:10.1016/0011-7471(76)90001-2;
    data challenge: https://github.com/ocean-data-challenges/2021a_SSH_mapping_OSE

    Examples
    --------
    >>> from xinr.methods.covariances import Matern
    >>> OI(frame="sphere", covariance=Matern(150.0, 15.0, sigma=0.1)).window
    2.0
    """

    frame: str = "degrees"
    coarsen: int = 5
    noise: float = 0.05
    covariance: Covariance = BASELINE
    window: float = 2.0
    analysis_step: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(window=self.window, analysis_step=self.analysis_step)
        check_covariance(self.frame, self.covariance)

    @property
    def searched(self) -> tuple[str, ...]:
        """See `Method.searched`: scales and errors; of sigma only the ratio to the errors matters."""
        return ("noise", *present_errors(self), *(name for name in self.covariance.searched if name != "sigma"))

    def fit(self, x: Array, y: Array, error: ObservationError) -> OIPredictor:
        """See `Method.fit`. Solves nothing yet: each analysis is solved when a target first needs it."""
        order = np.argsort(x[:, -1], kind="stable")
        return OIPredictor(
            x=x[order],
            y=y[order],
            error_model=error.take(order),
            covariance=self.covariance,
            half_width=self.window * self.covariance.memory,
            analysis_step=self.analysis_step,
        )


@dataclass(frozen=True, eq=False)
class OIPredictor(ErrorPredictor):
    """The observations in time order, and the analyses solved so far."""

    kind = "oi"

    x: Array
    y: Array
    error_model: ObservationError
    covariance: Covariance
    half_width: float
    analysis_step: float
    _weights: dict[int, Array] = field(default_factory=dict, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def predict(self, x: Array) -> Array:
        """See `Predictor.predict`."""

        def value(near: slice, weights: Array, at: NDArray[np.int64]) -> Array:
            return np.asarray(self.covariance.value(x[at], self.x[near]) @ weights)

        return self._analyse(x, np.zeros(len(x)), value)

    def gradient(self, x: Array) -> Array:
        """See `Predictor.gradient`."""

        def slope(near: slice, weights: Array, at: NDArray[np.int64]) -> Array:
            return self.covariance.weighted_gradient(x[at], self.x[near], weights)

        return self._analyse(x, np.zeros_like(x), slope)

    def curvature(self, x: Array, direction: Array) -> Array:
        """See `Predictor.curvature`."""

        def bend(near: slice, weights: Array, at: NDArray[np.int64]) -> Array:
            return self.covariance.weighted_curvature(x[at], self.x[near], weights, direction[at])

        return self._analyse(x, np.zeros(len(x)), bend)

    def posterior(self, x: Array) -> tuple[Array, Array]:
        """See `ErrorPredictor.posterior`."""
        value, error = np.zeros(len(x)), np.full(len(x), self.covariance.sigma)
        for analysis, near, targets in self._analyses(x):
            with self._lock:
                factor = self._factor(near)
                weights = self._weights[analysis] = cho_solve(factor, self.y[near], check_finite=False)
            for at in _blocks(targets):
                k = self.covariance.value(self.x[near], x[at])
                value[at] = weights @ k
                whitened = solve_triangular(factor[0], k, lower=True, overwrite_b=True, check_finite=False)
                explained = np.einsum("ij,ij->j", whitened, whitened)
                error[at] = np.sqrt(np.maximum(self.covariance.sigma**2 - explained, 0.0))
        return value, error

    def state(self) -> dict[str, NDArray[Any]]:
        """See `Predictor.state`."""
        return {
            "x": self.x,
            "y": self.y,
            **self.error_model.state(),
            "covariance": self.covariance.state(),
            "window": np.array([self.half_width, self.analysis_step]),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """See `Predictor.from_state`."""
        error = ObservationError.from_state(state)
        half_width, step = (float(number) for number in state["window"])
        return cls(state["x"], state["y"], error, Covariance.from_state(state["covariance"]), half_width, step)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the state alone: solved analyses and the lock stay behind."""
        return type(self).from_state, (self.state(),)

    def _analyse(self, x: Array, result: Array, evaluate: Callable[[slice, Array, NDArray[np.int64]], Array]) -> Array:
        for analysis, near, targets in self._analyses(x):
            weights = self._solve(analysis, near)
            for at in _blocks(targets):
                result[at] = evaluate(near, weights, at)
        return result

    def _analyses(self, x: Array) -> Iterator[tuple[int, slice, NDArray[np.int64]]]:
        """Yield each analysis with its observations and the indices of its targets; none where none is observed."""
        nearest = np.floor(x[:, -1] / self.analysis_step + 0.5).astype(np.int64)
        order = np.argsort(nearest, kind="stable")
        analyses, starts = np.unique(nearest[order], return_index=True)
        groups = np.split(order, starts[1:])
        pairs = zip(analyses.tolist(), groups, strict=True)
        for analysis, targets in tqdm(pairs, "optimal interpolation", len(groups), leave=False, disable=None, delay=1):
            near = self._near(analysis)
            if near.start < near.stop:
                yield analysis, near, targets

    def _near(self, analysis: int) -> slice:
        centre = analysis * self.analysis_step
        times = self.x[:, -1]
        first = np.searchsorted(times, centre - self.half_width, side="right")
        last = np.searchsorted(times, centre + self.half_width, side="left")
        return slice(int(first), int(max(first, last)))

    def _solve(self, analysis: int, near: slice) -> Array:
        with self._lock:  # one at a time: a factorisation uses every core by itself
            if analysis not in self._weights:
                self._weights[analysis] = cho_solve(self._factor(near), self.y[near], check_finite=False)
            return self._weights[analysis]

    def _factor(self, near: slice) -> tuple[Array, bool]:
        size = near.stop - near.start
        if size > LARGEST_WINDOW:
            raise MemoryError(
                f"{size} observations fall in one analysis window; at most {LARGEST_WINDOW} are solved at once "
                f"({8e-9 * size**2:.0f} GB per matrix). Choose a smaller region, a larger coarsen or a narrower window."
            )
        matrix = self.covariance.value(self.x[near], self.x[near])
        self.error_model.add_to(matrix, near)
        # The matrix is symmetric: its transpose is in the order of LAPACK, which then factors it in place.
        factor: tuple[Array, bool] = cho_factor(matrix.T, lower=True, overwrite_a=True, check_finite=False)
        return factor


def _blocks(targets: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(targets), BLOCK):
        yield targets[start : start + BLOCK]
