"""A covariance given by its spectrum: a power law in space, a decorrelation time by scale, and a drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar, override

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import fht, fhtoffset
from scipy.interpolate import CubicSpline, RectBivariateSpline
from scipy.special import gamma

from xinr._typing import Array
from xinr.methods.covariances.matern import bessel
from xinr.methods.covariances.radial import Radial
from xinr.methods.settings import check_finite

# Wavenumbers of the transform, in units of 1/length_scale: 1024 in steps of 5 %.
LOG_P = 0.05 * (np.arange(1024) - 511.5)
# The table: its spacing in the stretched coordinates, mirrored nodes before zero, and how far it reaches in scales.
SPACING, MIRRORED, REACH = 0.1, 6, 100.0


@dataclass(frozen=True)
class Spectral(Radial):
    """Covariance with the spectrum of eddies: small features are weak and decorrelate soon.

    ``S = N (1 + κ² L²)^-s (1 + (omega' / w)²)^-q / w``, ``κ² = k² + l²``, ``w(κ) = (1 + κ² L²)^(b/2) / T``,
    ``omega' = omega + c k``, with N such that the variance is sigma².

    Parameters
    ----------
    length_scale : float
        L, beyond which (as 1/wavenumber) the spectrum is flat [km, unit of the frame].
    time_scale : float
        T, decorrelation time of the large scales [days].
    sigma : float
        Standard deviation of the signal [unit of the data].
    exponent : float
        s > 1: the density falls as ``κ^-2s``, the spectrum along a track as ``κ^-(2s-1)``.
    time_exponent : float
        q > 1/2: the density falls as ``omega^-2q``.
    decorrelation_exponent : float
        b >= 0: the decorrelation time falls with scale as ``κ^-b``.
    westward_drift : float
        c, how fast features move west [km/day]; other than 0 only in the frame "plane".

    Notes
    -----
    With ``P = 1 + p²`` and M_μ the Matérn correlation ``2^(1-μ)/Γ(μ) z^μ K_μ(z)``, the integral over omega leaves

    ``C = sigma² 2 (s-1) ∫ p P^-s J0(p r/L) M_(q-1/2)(P^(b/2) |Δt|/T) dp``,

    without a closed form but for b = 0: ``sigma² M_(s-1)(r/L) M_(q-1/2)(|Δt|/T)``. It is tabulated once for each set
    of exponents, by the transform of Hamilton (2000), and interpolated by a cubic spline: within 1e-4 sigma² for
    exponent >= 1.25 and time_exponent >= 0.75, and its derivatives are those of the spline.

    References
    ----------
    Stein (2005), doi:10.1198/016214504000000854 (covariances by a spectrum, not separable);
    Hamilton (2000), doi:10.1046/j.1365-8711.2000.03071.x, appendix B (the transform)

    Examples
    --------
    >>> eddies = Spectral(100.0, 20.0, sigma=0.1, westward_drift=5.0)
    >>> eddies.value(np.zeros((1, 3)), np.array([[-50.0, 0.0, 10.0], [50.0, 0.0, 10.0]])).round(4)
    array([[0.0069, 0.0043]])
    """

    length_scale: float
    time_scale: float
    sigma: float = 1.0
    exponent: float = 2.0
    time_exponent: float = 1.2
    decorrelation_exponent: float = 0.2
    westward_drift: float = 0.0
    _above: ClassVar[Mapping[str, float]] = {"exponent": 1.0, "time_exponent": 0.5, "westward_drift": -np.inf}
    _free: ClassVar[tuple[str, ...]] = ("decorrelation_exponent", "westward_drift")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_finite(westward_drift=self.westward_drift)
        if self.exponent <= 1.0:
            raise ValueError(f"exponent must be above 1 for the variance to be finite, got {self.exponent!r}: try 2.")
        if self.time_exponent <= 0.5:
            raise ValueError(
                f"time_exponent must be above 0.5 for the variance to be finite, got {self.time_exponent!r}: try 1."
            )
        if not 0.0 <= self.decorrelation_exponent < np.inf:
            raise ValueError(
                f"decorrelation_exponent must be zero or more, got {self.decorrelation_exponent!r}: small features "
                "decorrelate first."
            )

    @override
    def spectrum(self, k: ArrayLike, l: ArrayLike, omega: ArrayLike) -> Array:  # noqa: E741
        k, l, omega = (np.asarray(axis, dtype=np.float64) for axis in (k, l, omega))  # noqa: E741
        s, q = self.exponent, self.time_exponent
        p = 1.0 + (k**2 + l**2) * self.length_scale**2
        duration = self.time_scale * p ** (-self.decorrelation_exponent / 2.0)
        amplitude = 8.0 * np.pi**1.5 * self.sigma**2 * self.length_scale**2 * (s - 1.0) * gamma(q) / gamma(q - 0.5)
        space = amplitude * duration * p**-s
        # One array of the full size, changed in place.
        density = np.asarray((omega + self.westward_drift * k) * duration)
        np.square(density, out=density)
        density += 1.0
        np.power(density, -q, out=density)
        density *= space
        return density

    @override
    def lagrangian_correlation(self, lag: float) -> float:
        return float(self._table.value(np.zeros(1), np.array([(lag / self.time_scale) ** 2]))[0])

    @property
    def _table(self) -> Table:
        return tabulated(self.exponent, self.time_exponent, self.decorrelation_exponent)

    def _drift(self) -> Array:
        return np.array([self.westward_drift, 0.0])

    def _kernels(self, order: int, *squared: Array) -> Sequence[tuple[Array, ...]]:
        value = (self._table.value(*squared),)
        if order == 0:
            return [value]
        return [value, self._table.first(*squared)] if order == 1 else [value, *self._table.both(*squared)]


@dataclass(frozen=True, eq=False)
class Table:
    """Correlation by distance and lag in units of the scales, a cubic spline in ``asinh(r / ε)`` and ``asinh(τ / ε')``.

    Where the correlation is rough, it rises to 1 as a low power of r: ε is small enough for that not to matter.
    The spline is even in both coordinates, as the correlation is, so that derivatives by r² and τ² are finite.
    """

    exponent: float
    time_exponent: float
    decorrelation_exponent: float

    def value(self, u: Array, v: Array) -> Array:
        """Return the correlation at squared distances u and squared lags v."""
        alpha, beta = (
            np.arcsinh(np.minimum(np.sqrt(squared), REACH) / epsilon)
            for squared, epsilon in zip((u, v), self._epsilons, strict=True)
        )
        return np.asarray(self._spline.ev(alpha, beta))

    def first(self, u: Array, v: Array) -> tuple[Array, Array]:
        """Return the derivatives by u and by v: with ``dr/dα = g``, ``F_u = F_α / (2 r g)``."""
        (r, g, alpha), (t, h, beta) = self._stretched(u, v)
        return self._spline.ev(alpha, beta, dx=1) / (2.0 * r * g), self._spline.ev(alpha, beta, dy=1) / (2.0 * t * h)

    def both(self, u: Array, v: Array) -> tuple[tuple[Array, Array], tuple[Array, Array, Array]]:
        """Return the first derivatives, then the second ones by u and u, u and v, v and v."""
        (r, g, alpha), (t, h, beta) = self._stretched(u, v)
        f, rg, th = self._spline, 2.0 * r * g, 2.0 * t * h
        by_u, by_v = f.ev(alpha, beta, dx=1) / rg, f.ev(alpha, beta, dy=1) / th
        uu = (f.ev(alpha, beta, dx=2) - 2.0 * by_u * (g**2 + r**2)) / rg**2
        vv = (f.ev(alpha, beta, dy=2) - 2.0 * by_v * (h**2 + t**2)) / th**2
        return (by_u, by_v), (uu, f.ev(alpha, beta, dx=1, dy=1) / (rg * th), vv)

    @property
    def _epsilons(self) -> tuple[float, float]:
        # The correlation is 1 - O(r^(2s-2)) and 1 - O(τ^(2q-1)): where these powers are 1e-3, the stretch begins.
        powers = (2.0 * self.exponent - 2.0, 2.0 * self.time_exponent - 1.0)
        near, soon = (float(np.clip(1e-3 ** (1.0 / power), 1e-6, 0.2)) for power in powers)
        return near, soon

    def _stretched(self, u: Array, v: Array) -> list[tuple[Array, Array, Array]]:
        """Return r, dr/dα and α, then the same in time; r is kept off zero, where derivatives have their limits."""
        stretched = []
        for squared, epsilon in zip((u, v), self._epsilons, strict=True):
            r = np.sqrt(squared)
            np.clip(r, 1e-3 * epsilon, REACH, out=r)
            stretched.append((r, np.hypot(r, epsilon), np.arcsinh(r / epsilon)))
        return stretched

    @cached_property
    def _spline(self) -> RectBivariateSpline:
        alpha, beta = (
            SPACING * np.arange(-MIRRORED, np.arcsinh(REACH / epsilon) / SPACING + 1.0) for epsilon in self._epsilons
        )
        near, soon = (e * np.sinh(np.abs(nodes)) for e, nodes in zip(self._epsilons, (alpha, beta), strict=True))
        return RectBivariateSpline(alpha, beta, self._correlation(near, soon))

    def _correlation(self, distance: Array, lag: Array) -> Array:
        """Return the correlation at each distance (n,) and lag (m,), (n, m): a transform over log p for each lag."""
        p, step = np.exp(LOG_P), LOG_P[1] - LOG_P[0]
        power = 2.0 * (self.exponent - 1.0) * p * (1.0 + p**2) ** -self.exponent
        order, w = self.time_exponent - 0.5, (1.0 + p**2) ** (self.decorrelation_exponent / 2.0)
        integrand = power * bessel(order, lag[:, None] * w) * (2.0 ** (1.0 - order) / gamma(order))
        offset = fhtoffset(step, mu=0.0, initial=0.0)
        r = np.exp(LOG_P + offset)
        transformed = fht(integrand, step, mu=0.0, offset=offset) / r
        some = (r > 0.5 * distance[distance > 0].min()) & (r < 2.0 * distance.max())
        found = CubicSpline(np.log(r[some]), transformed.T[some])(np.log(np.where(distance > 0, distance, 1.0)))
        at_zero = integrand @ p * step
        return np.asarray(np.where(distance[:, None] > 0, found, at_zero))


#: The table of these exponents, made when first used.
tabulated = lru_cache(maxsize=32)(Table)
