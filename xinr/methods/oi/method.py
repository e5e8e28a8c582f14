"""Optimal interpolation: the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self, override

import numpy as np

from xinr._typing import Array
from xinr.methods.covariances import Covariance, Gaussian, check_covariance
from xinr.methods.covariances.nonstationary import NonstationaryCovariance
from xinr.methods.method import ScalableMethod
from xinr.methods.observation_error import ObservationError, present_errors
from xinr.methods.oi.local import LocalOIPredictor, reach
from xinr.methods.oi.prior_mean import prior_mean
from xinr.methods.oi.windows import OIPredictor
from xinr.methods.settings import check_positive

# Of data challenge 2021a, in degrees and days.
BASELINE = Gaussian(length_scale=1.0, time_scale=7.0, sigma=1.0)


@dataclass(frozen=True, kw_only=True)
class OI(ScalableMethod):
    """Optimal interpolation with any covariance, one solve per analysis time.

    The defaults are those of the SSH mapping data challenge 2021a: Gaussian with scales of 1 degree and 7 days, unit
    signal variance, averages of five points with 0.05 m of noise (so that ``noise``, of a single one, is 0.112 m),
    observations less than 14 days from the analysis.

    Parameters
    ----------
    covariance : Covariance
        Of the signal: see `xinr.methods.covariances`. Its lengths are degrees in the frame "degrees", kilometres in
        the frames "sphere" and "plane"; only the ratio of its ``sigma`` to ``noise`` changes the map.
    mean : float, optional
        Mean of the signal [unit of the data], to which the map falls far from observations. By default zero, as of
        anomalies, or that of the observations where it is more than 3 of their standard deviations from zero.
    window : float
        Half-width of the time window, in decorrelation times of the covariance: lags at which it has fallen to 1/e.
    analysis_step : float
        Days between analyses. A target takes the analysis nearest in time; daily maps at 00:00 fall on them.
    n_neighbors : int
        Observations of a local analysis, the nearest in space and time; 0 takes all of the window.
    tile : float
        Distance between local analyses, in lengths at which the covariance has fallen to 1/e.

    Notes
    -----
    1. Select the observations with ``|t - t_analysis| < window · covariance.decorrelation_time``.
    2. Solve ``(K + R) α = y``, windows that share most of their observations together: see
       `xinr.methods.oi.grouped_windows.solve_windows`.
    3. The analysis is ``k(x) · α``; its error is ``sqrt(sigma² - kᵀ (K + R)⁻¹ k)``.

    With ``n_neighbors`` the nearest observations are analysed around each node of a lattice, and the map passes
    smoothly from one analysis to the next: see `xinr.methods.oi.local.LocalOIPredictor`.

    With all of the window, the field is smooth in space, with a small step in
    time half-way between analyses, where the window changes (correlation at its edge: exp(-window²) = 0.018 for the
    Gaussian).

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
    noise: float | Mapping[str, float] = 0.05 * 5**0.5  # 0.05 m of averages of five points
    covariance: Covariance = BASELINE
    mean: float | None = None
    window: float = 2.0
    analysis_step: float = 1.0
    n_neighbors: int = 0
    tile: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(window=self.window, analysis_step=self.analysis_step, tile=self.tile)
        if self.n_neighbors < 0:
            raise ValueError(f"n_neighbors must be above zero, or 0 for all of the window, got {self.n_neighbors}.")
        check_covariance(self.frame, self.covariance)

    @property
    @override
    def searched(self) -> tuple[str, ...]:
        """Scales and errors; of sigma only the ratio to the errors matters."""
        return ("noise", *present_errors(self), *(name for name in self.covariance.searched if name != "sigma"))

    @override
    def scaled(self, factor: float) -> Self:
        return replace(self, covariance=self.covariance.scaled(factor), **self.scaled_errors(factor))

    @override
    def resolved(self, x: Array, y: Array, error: ObservationError) -> Self:
        return replace(self, mean=prior_mean(self.mean, y))

    @override
    def fit(self, x: Array, y: Array, error: ObservationError) -> OIPredictor | LocalOIPredictor:
        """Solves nothing yet: each analysis is solved when a target first needs it."""
        mean = prior_mean(self.mean, y)
        if self.n_neighbors:
            step = np.append(self.tile * reach(self.covariance, x.shape[1])[:-1], self.analysis_step)
            covariance = NonstationaryCovariance.constant(self.covariance)
            return LocalOIPredictor(x, y - mean, error, covariance, step, self.n_neighbors, mean)
        order = np.argsort(x[:, -1], kind="stable")
        return OIPredictor(
            x=x[order],
            y=y[order] - mean,
            error_model=error.take(order),
            covariance=self.covariance,
            half_width=self.window * self.covariance.decorrelation_time,
            analysis_step=self.analysis_step,
            mean=mean,
        )
