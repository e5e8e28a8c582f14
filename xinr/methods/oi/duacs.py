"""Optimal interpolation as DUACS production does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self, override

import numpy as np

from xinr._typing import Array
from xinr.methods.covariances import ArhanColinDeVerdiere, Covariance, Gaussian, check_covariance
from xinr.methods.covariances.nonstationary import NonstationaryCovariance
from xinr.methods.method import Method
from xinr.methods.observation_error import ObservationError, present_errors
from xinr.methods.oi.covariance_estimation import estimate_covariance
from xinr.methods.oi.local import LocalOIPredictor, reach
from xinr.methods.oi.prior_mean import prior_mean
from xinr.methods.settings import check_positive

#: Round numbers for where the tracks are not asked: eddies upon what is common to a basin.
EDDIES_UPON_BASIN = ArhanColinDeVerdiere(150.0, 15.0, sigma=0.06) + Gaussian(1500.0, 15.0, sigma=0.06)


@dataclass(frozen=True, kw_only=True)
class Duacs(Method):
    """Optimal interpolation as DUACS production does it, with scales that vary in space.

    Parameters
    ----------
    covariance : Covariance
        Of the signal, where it is not estimated.
    mean : float, optional
        Mean of the signal [unit of the data], to which the map falls far from observations. By default zero, as of
        anomalies, or that of the observations where it is more than 3 of their standard deviations from zero.
    estimate : bool
        Estimate the covariance from the tracks: propagation, and standard deviation, zonal, meridional and time scales
        as they vary in space.
    n_neighbors : int
        Observations of the sub-domain around each analysis: the nearest in the scales of the eddies.
    tile : float
        Distance between analyses, in lengths at which the covariance of the eddies has fallen to 1/e.
    analysis_step : float
        Days between analyses.
    noise, pass_bias, pass_slope : float
        See `xinr.methods.Method`.

    Notes
    -----
    1. Covariance of Arhan and Colin de Verdière with propagation, upon a background that is common to a basin;
       production takes long wavelengths off beforehand.
    2. Its scales, propagation and variance are estimated from the tracks: see
       `xinr.methods.oi.covariance_estimation.estimate_covariance`. Production takes them from tables, not public.
    3. White noise of each mission, and what is left of errors of long wavelength: a bias and a slope of each pass.
    4. Around each node of a lattice the observations nearest in those scales are analysed; the map passes smoothly
       from one analysis to the next, as does its formal error: see `xinr.methods.oi.local.LocalOIPredictor`.

    References
    ----------
    Le Traon, Nadal & Ducet (1998), doi:10.1175/1520-0426(1998)015<0522:AIMMOM>2.0.CO;2;
    Ducet, Le Traon & Reverdin (2000), doi:10.1029/2000JC900063; Pujol et al. (2016), doi:10.5194/os-12-1067-2016

    Examples
    --------
    >>> Duacs(pass_bias=0.03).covariance.terms[0].length_scale
    150.0
    """

    frame: str = "plane"
    coarsen: int = 5
    noise: float | Mapping[str, float] = 0.0447
    pass_bias: float = 0.02
    pass_slope: float = 0.02
    covariance: Covariance = EDDIES_UPON_BASIN
    mean: float | None = None
    estimate: bool = True
    n_neighbors: int = 300
    tile: float = 1.0
    analysis_step: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(n_neighbors=self.n_neighbors, tile=self.tile, analysis_step=self.analysis_step)
        if self.frame != "plane":
            raise ValueError(f"duacs works in the frame 'plane', got {self.frame!r}: leave frame as it is.")
        if not isinstance(self.estimate, bool):
            raise ValueError(f"estimate must be True or False, got {self.estimate!r}.")
        check_covariance(self.frame, self.covariance)

    @property
    @override
    def searched(self) -> tuple[str, ...]:
        """The errors, and the covariance unless it is estimated."""
        return ("noise", *present_errors(self), *(() if self.estimate else self.covariance.searched))

    @override
    def resolved(self, x: Array, y: Array, error: ObservationError) -> Self:
        return replace(self, mean=prior_mean(self.mean, y))

    @override
    def fit(self, x: Array, y: Array, error: ObservationError) -> LocalOIPredictor:
        """Estimates the covariance; analyses are solved where targets need them."""
        mean = prior_mean(self.mean, y)
        y = y - mean
        covariance = (
            estimate_covariance(x, y, error) if self.estimate else NonstationaryCovariance.constant(self.covariance)
        )
        step = np.append(self.tile * reach(covariance.mean, 3)[:2], self.analysis_step)
        return LocalOIPredictor(x, y, error, covariance, step, self.n_neighbors, mean)
