"""The Matérn covariance: as rough as its smoothness says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial
from typing import ClassVar, override

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gamma, kv

from xinr._typing import Array
from xinr.methods.covariances.radial import Radial

# Beyond it the Matérn covariance is a Gaussian to 1 %, and its gamma functions overflow before long.
SMOOTHEST = 30.0


@dataclass(frozen=True)
class Matern(Radial):
    """Matérn covariance of the joint distance, ``r² = |Δposition|² / length_scale² + Δt² / time_scale²``.

    ``C = sigma² 2^(1-ν)/Γ(ν) z^ν K_ν(z)``, ``z = √(2ν) r``: with ν = 3/2, ``sigma² (1 + √3 r) exp(-√3 r)``. The
    scales are those of scikit-learn, gpytorch and pyinterp. Spectrum, with ``p² = (k² + l²) L² + omega² T²``:
    ``sigma² L² T (2π/ν)^(3/2) Γ(ν+3/2)/Γ(ν) (1 + p²/(2ν))^-(ν+3/2)``.

    Parameters
    ----------
    length_scale : float
        Scale in space [unit of the frame].
    time_scale : float
        Scale in time [days].
    sigma : float
        Standard deviation of the signal [unit of the data].
    smoothness : float
        ν: the signal has derivatives of orders below it. Halves of odd numbers (1.5, 2.5) are cheap.

    References
    ----------
    Stein (1999), Interpolation of spatial data, doi:10.1007/978-1-4612-1494-6, section 2.10;
    Rasmussen & Williams (2006), Gaussian processes for machine learning, section 4.2

    Examples
    --------
    >>> Matern(100.0, 10.0).value(np.zeros((1, 3)), np.array([[100.0, 0.0, 0.0]])).round(6)
    array([[0.483358]])
    """

    length_scale: float
    time_scale: float
    sigma: float = 1.0
    smoothness: float = 1.5
    _joint: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.smoothness > SMOOTHEST:
            raise ValueError(
                f"smoothness must be {SMOOTHEST:g} at most, got {self.smoothness!r}: so smooth a signal is Gaussian, "
                "of length_scale √2 times as large."
            )

    @override
    def lagrangian_correlation(self, lag: float) -> float:
        return float(self._kernel(np.array([(lag / self.time_scale) ** 2]), 0)[0])

    @override
    def spectrum(self, k: ArrayLike, l: ArrayLike, omega: ArrayLike) -> Array:  # noqa: E741
        k, l, omega = (np.asarray(axis, dtype=np.float64) for axis in (k, l, omega))  # noqa: E741
        nu, two = self.smoothness, 2.0 * self.smoothness
        density = (k**2 + l**2) * self.length_scale**2 + (omega * self.time_scale) ** 2
        density = (1.0 + density / two) ** -(nu + 1.5)
        volume = self.length_scale**2 * self.time_scale
        density *= self.sigma**2 * volume * (2.0 * np.pi / nu) ** 1.5 * gamma(nu + 1.5) / gamma(nu)
        return np.asarray(density)

    def _kernels(self, order: int, *squared: Array) -> Sequence[tuple[Array, ...]]:
        return [(self._kernel(squared[0], derivatives),) for derivatives in range(order + 1)]

    def _kernel(self, u: Array, derivatives: int) -> Array:
        """Return the derivative of that order by ``u = r²``: ``d/du z^ν K_ν(z) = -ν_0 z^(ν-1) K_(ν-1)(z)``."""
        nu = self.smoothness
        z = np.sqrt(2.0 * nu * u)
        if derivatives:
            # Infinite at zero where ν is small, and then multiplied by zero.
            np.maximum(z, 1e-6, out=z)
        kernel = bessel(nu - derivatives, z)
        kernel *= (-nu) ** derivatives * 2.0 ** (1.0 - nu) / gamma(nu)
        return kernel


def bessel(order: float, z: Array) -> Array:
    """Return ``z^order K_order(z)``; K is the same function for an order and its negative."""
    if order < 0.0:
        return np.asarray(bessel(-order, z) * z ** (2.0 * order))
    n = order - 0.5
    if n >= 0 and n == int(n):
        return _half_integer(int(n), z)
    with np.errstate(invalid="ignore", over="ignore"):
        product = z**order * kv(order, z)
    # Zero times infinity where z is so small that the limit holds.
    return np.where(np.isfinite(product), product, 2.0 ** (order - 1.0) * gamma(order) if order > 0.0 else 0.0)


def _half_integer(n: int, z: Array) -> Array:
    """Return ``z^(n+1/2) K_(n+1/2)(z) = √(π/2) exp(-z) Σ_j (n+j)!/(j! (n-j)!) 2^-j z^(n-j)``, by Horner's rule."""
    coefficients = [factorial(n + j) / factorial(j) / factorial(n - j) / 2.0**j for j in range(n + 1)]
    total = np.full_like(z, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= z
        total += coefficient
    decay = np.exp(-z)
    decay *= np.sqrt(np.pi / 2.0)
    total *= decay
    return total
