"""Kriging with a space-time spectrum: the whole period at once, on a lattice, in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import Any, ClassVar, Self, override

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm.auto import tqdm

from xinr._typing import Array, Pairs
from xinr._warnings import warn
from xinr.methods.covariances import Covariance, Spectral, check_covariance
from xinr.methods.device import check_memory, device_from
from xinr.methods.functions.polynomial import DRIFTS, Polynomial
from xinr.methods.functions.spline import SplinePredictor
from xinr.methods.functions.sum import SumPredictor
from xinr.methods.kriging.conditioning import Conditioning, Estimate
from xinr.methods.kriging.lattice import STENCIL, Lattice
from xinr.methods.kriging.learning import KrigingSearch, relative_noise
from xinr.methods.method import Method
from xinr.methods.observation_error import ObservationError, present_errors
from xinr.methods.predictor import Predictor, SamplePredictor, with_prefix
from xinr.methods.search import Fold, SearchableMethod
from xinr.methods.settings import check_positive, packed, plain_settings, unpacked

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
#: Observations by which the variance of a sea is judged, and the least factor that they may give.
SUBSAMPLE, LEAST_AMPLITUDE = 400, 0.1
#: Conditional simulations made at once: each takes 25 bytes for a centre of the lattice.
DRAWN_TOGETHER = 8


@dataclass(frozen=True, kw_only=True)
class Kriging(SearchableMethod):
    """Kriging of all observations at once, by a covariance given by its space-time spectrum.

    Parameters
    ----------
    covariance : Covariance, optional
        Of the signal about its mean: see `xinr.methods.covariances`. Lengths in km. By default that of the Western
        Mediterranean, times a factor: the variance that it and the errors expect about the drift is that of the
        observations. About a ``mean`` that is another method it is taken as it is.
    mean : {"none", "constant", "linear"} or Method
        The drift: nothing, a constant, a linear function of place and time (both estimated together with the
        signal, by generalised least squares), or any other method, whose residuals are then kriged.
    spacing, time_step : float
        Of the lattice [km, days]. What is shorter than twice the step belongs to the noise.
    margin, time_margin : float
        Of the lattice around the observations [km, days]; farther out the map is the mean.
    tolerance : float
        Relative residual at which conjugate gradients stop.
    samples : int
        Conditional simulations from which the posterior error is estimated, to a relative 1 / sqrt(2 draws).
    device : str
        "auto" takes cuda where it is, else cpu.
    seed : int
        Of the conditional simulations.

    Notes
    -----
    1. Centre cubic B-splines on a lattice of the tangent plane and time, periodic beyond the margins. Their
       coefficients are a stationary process whose covariance is diagonal in Fourier space: see `Lattice`.
    2. Solve ``(W K Wᵀ + R) α = y`` by conjugate gradients, R with a bias and a slope of each pass: see
       `Conditioning`.
    3. The map is the spline with coefficients ``K Wᵀ α``; value, gradient and Laplacian are exact anywhere.
    4. Posterior error: draw the process from its prior, observe it with random errors, map the observations likewise;
       what is left of the draw is a draw of the error (Matheron's rule).

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
    noise: float | Mapping[str, float] = 0.0173
    pass_bias: float = 0.007
    pass_slope: float = 0.007
    covariance: Covariance | None = None
    mean: str | Method = "constant"
    spacing: float = 30.0
    time_step: float = 2.0
    margin: float = 200.0
    time_margin: float = 20.0
    tolerance: float = 0.002
    samples: int = 32
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(
            spacing=self.spacing,
            time_step=self.time_step,
            margin=self.margin,
            time_margin=self.time_margin,
            tolerance=self.tolerance,
            samples=self.samples,
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
        method = self.resolved(x, y, error)
        settings = replace(method, device="auto", mean="none" if isinstance(self.mean, Method) else self.mean)
        # A drift is nearly found before: the tolerance is relative to what is left, not to the height of the data.
        mean, drift = self.mean_of(x, y, error), Polynomial.zero(str(settings.mean), x)
        lattice = self.lattice(x)
        problem = method.conditioning(lattice, x, error)
        residual = problem.move((y - mean.predict(x))[:, None])
        found = problem.krige(residual, problem.move(drift.columns(x)), self.tolerance)
        _check_expected(float(found.normalised_misfit[0]))
        best = SumPredictor((*_parts(lattice, drift, found)[0], mean))
        return KrigingPredictor(best, settings, x, error, {"residual": np.array(found.residuals)})

    @property
    def signal(self) -> Covariance:
        """The covariance given, or the usual one."""
        return self.covariance or self.default_covariance

    @property
    @override
    def searched(self) -> tuple[str, ...]:
        """The errors there are, and what shapes the covariance."""
        return ("noise", *present_errors(self), *self.signal.searched)

    @override
    def resolved(self, x: Array, y: Array, error: ObservationError) -> Self:
        """The covariance, where none was given."""
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
        residual = y - self.mean_of(x, y, error).predict(x)
        problem = self.conditioning(self.lattice(x), x, error)
        return relative_noise(problem, problem.move(residual[:, None]), error, group, self.seed)

    def mean_of(self, x: Array, y: Array, error: ObservationError) -> Predictor:
        """Return the mean of observations: the method's fit, or the drift by ordinary least squares."""
        if isinstance(self.mean, Method):
            return replace(self.mean, frame=self.frame).fit(x, y, error)
        drift = Polynomial.zero(self.mean, x)
        return replace(drift, coefficients=np.linalg.lstsq(drift.columns(x), y)[0])

    def lattice(self, x: Array) -> Lattice:
        """Return the lattice for points x (n, 3)."""
        return Lattice.around(
            x, (self.spacing, self.spacing, self.time_step), (self.margin, self.margin, self.time_margin)
        )

    def conditioning(self, lattice: Lattice, x: Array, error: ObservationError, together: int = 1) -> Conditioning:
        """Return the linear problem of observations at x (n, 3), having checked that some solutions fit into memory."""
        device = device_from(self.device, metal=False)
        check_memory(
            (40 + 25 * together) * lattice.size + 10 * STENCIL * len(x),
            device,
            f"kriging {len(x)} observations on a lattice of {' x '.join(map(str, lattice.shape))}",
            "a larger spacing, time_step or coarsen, or a smaller region",
        )
        return Conditioning(lattice, lattice.power(self.signal), x, error, device)


@dataclass(frozen=True, eq=False)
class KrigingPredictor(SamplePredictor):
    """The best estimate, and what it takes to draw others that the observations allow as well.

    The error of a mean that is another method is not counted.
    """

    kind = "kriging"

    best: SumPredictor
    settings: Kriging
    x: Array
    error: ObservationError
    history: dict[str, Array]
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the state alone: draws and the lock stay behind."""
        return type(self).from_state, (self.state(),)

    @override
    def predict(self, x: Array) -> Array:
        return self.best.predict(x)

    @override
    def gradient(self, x: Array) -> Array:
        return self.best.gradient(x)

    @override
    def curvature(self, x: Array, direction: Array) -> Array:
        return self.best.curvature(x, direction)

    @override
    def laplacian(self, x: Array, directions: Sequence[Array], bend: Array) -> Array:
        return self.best.laplacian(x, directions, bend)

    @override
    def derivatives(
        self, x: Array, directions: Sequence[Array], pairs: Pairs, bends: Sequence[Array]
    ) -> tuple[Array, Array]:
        return self.best.derivatives(x, directions, pairs, bends)

    @override
    def posterior(self, x: Array) -> tuple[Array, Array]:
        with self._lock:  # drawn once, whichever block of a target asks first
            spline = self._deviation
        deviation = spline.predict(x) + self.settings.signal.sigma
        return self.predict(x), np.maximum(deviation, 0.0)

    @override
    def sample(self, count: int, seed: int) -> list[Predictor]:
        lattice, drift = self.settings.lattice(self.x), self._drift
        parts = [pair for errors in self._errors(count, seed) for pair in _parts(lattice, drift, errors)]
        return [SumPredictor((*self.best.parts, *pair)) for pair in parts]

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        best = {f"best_{key}": array for key, array in self.best.state().items()}
        settings = packed(plain_settings(self.settings))
        history = {f"history_{key}": array for key, array in self.history.items()}
        return best | self.error.state() | history | {"x": self.x, "settings": settings}

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        settings = unpacked(state["settings"])
        covariance = Covariance.from_plain(settings.pop("covariance"))
        return cls(
            SumPredictor.from_state(with_prefix(state, "best_")),
            Kriging(covariance=covariance, **settings),
            state["x"],
            ObservationError.from_state(state),
            with_prefix(state, "history_"),
        )

    @cached_property
    def _deviation(self) -> SplinePredictor:
        """The posterior standard deviation less that of the prior, which holds beyond the lattice."""
        lattice, settings, zero = self.settings.lattice(self.x), self.settings, self._drift
        squares = torch.zeros(lattice.shape)
        for errors in self._errors(settings.samples, settings.seed):
            for signal, b in zip(errors.signal, errors.drift.T, strict=True):
                drift = _at_centres(lattice, replace(zero, coefficients=b.cpu().numpy()))
                squares += (lattice.values(signal).cpu() + drift) ** 2
        deviation = torch.sqrt(squares / settings.samples) - settings.signal.sigma
        # Linear between the centres, so that it stays positive.
        return SplinePredictor(deviation.numpy(), lattice.origin, lattice.step, (1, 1, 1))

    @property
    def _drift(self) -> Polynomial:
        return Polynomial.zero(str(self.settings.mean), self.x)

    def _errors(self, count: int, seed: int) -> Iterator[Estimate]:
        """Yield random errors of the estimate, a few at a time."""
        problem = self.settings.conditioning(
            self.settings.lattice(self.x), self.x, self.error, min(count, DRAWN_TOGETHER)
        )
        columns, generator = problem.move(self._drift.columns(self.x)), torch.Generator().manual_seed(seed)
        starts = range(0, count, DRAWN_TOGETHER)
        for start in tqdm(starts, "conditional simulations", leave=False, disable=None, delay=1):
            size = min(DRAWN_TOGETHER, count - start)
            yield problem.sample_errors(columns, size, self.settings.tolerance, generator)


def _prior_amplitude(signal: Covariance, drift: str, x: Array, y: Array, error: ObservationError) -> float:
    """Return by how much a signal should be larger for observations to vary about their drift as they do.

    Judged by some of them: by ordinary least squares the expected sum of squares is ``tr M (factor² K + R)``, where M
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


def _check_expected(normalised_misfit: float) -> None:
    """Warn where the observations are much larger, or smaller, than the covariances of signal and errors say."""
    if (
        normalised_misfit > 0.0 and not 1.0 / UNEXPECTED < normalised_misfit < UNEXPECTED
    ):  # zero where the drift takes all there is
        warn(
            f"the observations vary {normalised_misfit:.2g} times as much as the covariances of kriging expect, so that "
            "the map is not the best and its formal error is off: choose the settings for this sea, fit(..., tune=True)."
        )


def _parts(lattice: Lattice, drift: Polynomial, found: Estimate) -> list[tuple[Predictor, Predictor]]:
    """Return signal and drift of each estimate."""
    return [
        (lattice.spline(signal), replace(drift, coefficients=b.cpu().numpy()))
        for signal, b in zip(found.signal, found.drift.T, strict=True)
    ]


def _at_centres(lattice: Lattice, drift: Polynomial) -> torch.Tensor:
    """Return a drift, linear at most, at the centres, (nx, ny, nt)."""
    first = np.array([lattice.origin])
    slopes = zip(drift.gradient(first)[0], lattice.step, lattice.shape, strict=True)
    east, north, later = np.ix_(*(slope * step * np.arange(size) for slope, step, size in slopes))
    return torch.from_numpy(drift.predict(first)[0] + east + north + later).float()
