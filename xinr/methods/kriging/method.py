"""Kriging with a space-time spectrum: the whole period at once, on a lattice, in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self, override

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr._warnings import warn
from xinr.methods.covariances import Covariance, Spectral, check_covariance
from xinr.methods.functions.polynomial import DRIFTS, Polynomial
from xinr.methods.functions.sum import SumPredictor
from xinr.methods.kriging.lattice_method import LatticeMethod
from xinr.methods.kriging.learning import KrigingSearch, relative_noise
from xinr.methods.kriging.predictor import KrigingPredictor
from xinr.methods.kriging.problem import Problem
from xinr.methods.method import Method
from xinr.methods.observation_error import ObservationError, present_errors
from xinr.methods.search import Fold
from xinr.methods.settings import check_positive

#: Eddies, and small features that outlast a season. Learned from tracks of the Western Mediterranean, January to March
#: 2021, by withholding each of three missions in turn: see docs/methods/kriging.md.
EDDIES_AND_BACKGROUND = Spectral(
    length_scale=1240.0,
    time_scale=37.2,
    sigma=0.0702,
    exponent=1.277,
    time_exponent=1.606,
    decorrelation_exponent=0.375,
) + Spectral(
    length_scale=35.0, time_scale=202.0, sigma=0.0146, exponent=2.46, time_exponent=1.49, decorrelation_exponent=0.0
)

#: Observations this many times larger or smaller than expected are worth a warning.
UNEXPECTED = 2.0
#: Observations from which the amplitude of the prior is estimated, and the least factor that they may give.
SUBSAMPLE, LEAST_AMPLITUDE = 400, 0.1


@dataclass(frozen=True, kw_only=True)
class Kriging(LatticeMethod):
    """Kriging of all observations at once, by a covariance given by its space-time spectrum.

    Parameters
    ----------
    covariance : Covariance, optional
        Of the signal about its mean: see `xinr.methods.covariances`. Lengths in km. By default that of the Western
        Mediterranean, times a factor: the variance that it and the errors expect about the drift is that of the
        observations. About a ``mean`` that is another method it is taken as it is.
    mean : {"none", "constant", "linear"} or Method
        The drift: nothing, a constant, a linear function of position and time (both estimated together with the
        signal, by generalised least squares), or any other method, whose residuals are then kriged.
    spacing, time_step : float
        Of the lattice [km, days]. What is shorter than twice the step belongs to the noise.
    margin, time_margin : float
        Of the lattice around the observations [km, days]; farther out the map is the mean.
    tolerance : float
        Relative residual at which conjugate gradients stop.
    device : str
        "auto" takes cuda where it is, else cpu.
    seed : int
        Of the simulations from which `tune` tells how far a noise is from the best.

    Notes
    -----
    1. Centre cubic B-splines on a lattice of the tangent plane and time, periodic beyond the margins. Their
       coefficients are a stationary process whose covariance is diagonal in Fourier space: see `Lattice`.
    2. Solve ``(W K Wᵀ + R) α = y`` by conjugate gradients, R with a bias and a slope of each pass: see
       `Conditioning`.
    3. The map is the spline with coefficients ``K Wᵀ α``; value, gradient and Laplacian are exact anywhere.
    4. Formal error: the posterior variance given the 128 observations nearest to a point, less what the others explain,
       estimated by one solve: see `xinr.methods.kriging.local_variance.LocalVariance`.
    5. Posterior samples: simulate the process from its prior, observe it with random errors, map the observations
       likewise; the difference is a sample of the error (Matheron's rule, conditional simulation).

    References
    ----------
    Wackernagel (2003), doi:10.1007/978-3-662-05294-5 (kriging with drift, conditional simulation);
    Wilson & Nickisch (2015), arXiv:1503.01057 (interpolation from a lattice);
    Wilson et al. (2020), arXiv:2002.09309 (Matheron's rule)

    Examples
    --------
    >>> Kriging(mean="linear", pass_bias=0.02).signal.searched[:3]
    ('length_scale_1', 'time_scale_1', 'sigma_1')
    """

    default_covariance: ClassVar[Covariance] = EDDIES_AND_BACKGROUND

    frame: str = "plane"
    coarsen: int = 3
    noise: float | Mapping[str, float] = 0.03
    pass_bias: float = 0.007
    pass_slope: float = 0.007
    spacing: float = 30.0
    time_step: float = 2.0
    margin: float = 200.0
    time_margin: float = 20.0
    tolerance: float = 0.002

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(
            spacing=self.spacing,
            time_step=self.time_step,
            margin=self.margin,
            time_margin=self.time_margin,
            tolerance=self.tolerance,
        )
        if self.frame != "plane":
            raise ValueError(f"kriging works in the frame 'plane', got {self.frame!r}: leave frame as it is.")
        check_covariance(self.frame, self.signal)
        if not isinstance(self.mean, Method) and self.mean not in DRIFTS:
            raise ValueError(f"mean must be one of {sorted(DRIFTS)} or a method such as Siren(), got {self.mean!r}.")

    @override
    def fit(self, x: Array, y: Array, error: ObservationError) -> KrigingPredictor:
        """Fit the whole period at once.

        Raises
        ------
        MemoryError
            The lattice and the observations need more memory than there is.
        """
        covariance = self.resolved(x, y, error).signal
        drift = "none" if isinstance(self.mean, Method) else self.mean
        problem = Problem(self.lattice(x), covariance, drift, x, error, self.tolerance, self.device)
        # A drift is nearly found before: the tolerance is relative to what is left, not to the height of the data.
        mean = self.mean_of(x, y, error)
        found, parts = problem.krige(self.residual(mean, x, y))
        _check_expected(float(found.normalised_misfit[0]), error)
        history = {"residual": np.array(found.residuals)}
        # Opened elsewhere, the field computes where it then is.
        return KrigingPredictor(
            SumPredictor((*parts, mean)),
            replace(problem, device="auto"),
            found.drift_weights.cpu().numpy(),
            history,
        )

    @property
    @override
    def searched(self) -> tuple[str, ...]:
        """The errors there are, and what shapes the covariance."""
        return ("noise", *present_errors(self), *self.signal.searched)

    @override
    def resolved(self, x: Array, y: Array, error: ObservationError) -> Self:
        """Write in the covariance, where none was given."""
        if self.covariance is not None:
            return self
        factor = 1.0 if isinstance(self.mean, Method) else _prior_amplitude(self.signal, self.mean, x, y, error)
        return replace(self, covariance=self.signal.scaled(factor))

    @override
    def search(self, folds: Sequence[Fold], settings: Sequence[str]) -> KrigingSearch:
        return KrigingSearch(self, folds, settings)

    @override
    def scaled(self, factor: float) -> Self:
        return replace(self, covariance=self.signal.scaled(factor), **self.scaled_errors(factor))

    @override
    def relative_noise(self, x: Array, y: Array, error: ObservationError, group: NDArray[np.int64]) -> Array:
        residual = self.residual(self.mean_of(x, y, error), x, y)
        problem = self.conditioning(self.lattice(x), x, error)
        return relative_noise(problem, problem.move(residual[:, None]), error, group, self.seed)


def _prior_amplitude(signal: Covariance, drift: str, x: Array, y: Array, error: ObservationError) -> float:
    """Return the factor by which the observations about their drift ask for a larger signal.

    From a subsample: by ordinary least squares the expected sum of squares is ``tr M (factor² K + R)``, where M
    leaves what is not drift.
    """
    some = np.linspace(0, len(x) - 1, min(len(x), SUBSAMPLE)).astype(np.int64)
    x, y, error = x[some], y[some], error.take(some)
    drift_part = np.linalg.qr(Polynomial.zero(drift, x).columns(x))[0]
    errors = np.zeros((len(x), len(x)))
    error.add_to(errors, slice(None))

    def left(covariance: Array) -> float:
        return float(np.trace(covariance) - np.trace(drift_part.T @ covariance @ drift_part))

    expected, of_errors = left(signal.value(x, x)), left(errors)
    observed = float(np.sum((y - drift_part @ (drift_part.T @ y)) ** 2))
    return (
        float(np.sqrt(max(observed - of_errors, LEAST_AMPLITUDE**2 * expected) / expected)) if expected > 0.0 else 1.0
    )


def _check_expected(normalised_misfit: float, error: ObservationError) -> None:
    """Warn where the observations are much larger, or smaller, than the covariances of signal and errors say.

    The noise of averages of a swath includes what a map does not follow: these are smaller.
    """
    least = 0.0 if np.isfinite(error.cross_track_distance).any() else 1.0 / UNEXPECTED
    # Zero where the drift takes all there is.
    if normalised_misfit > 0.0 and not least < normalised_misfit < UNEXPECTED:
        warn(
            f"the observations vary {normalised_misfit:.2g} times as much as the covariances of kriging expect, so "
            "that the map is not the best and its formal error is off: choose the settings for this region, "
            "fit(..., tune=True)."
        )
