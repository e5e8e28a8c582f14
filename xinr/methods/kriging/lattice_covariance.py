"""The covariance of a process on a lattice of B-splines, against lags."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.methods.kriging.lattice import DEGREE, Lattice

#: Aliases of a wave of the lattice that its B-splines hold: it is shifted by so many times their wavenumber.
ALIASES = (-1, 0, 1)


@dataclass(frozen=True, eq=False)
class LatticeCovariance:
    """The covariance of a process on a lattice, averaged over positions in its cells.

    Parameters
    ----------
    lattice : Lattice
        Of the coefficients.
    power : ndarray (nx, ny, nt // 2 + 1)
        Eigenvalues of their covariance: see `Lattice.power`.

    Notes
    -----
    With coefficients of spectrum P, periodic in wavenumber, the spectrum of the signal is ``P(k) Π sinc(k h / 2π)^8``,
    the squared transform of a cubic B-spline, on average over a cell.

    References
    ----------
    Unser (1999), doi:10.1109/79.799930
    """

    lattice: Lattice
    power: Array

    def at(self, east: Array, north: Array, later: Array) -> Array:
        """Return the covariance at all combinations of lags [km, km, days], (a, b, c) [unit²]."""
        found = (self.power * self.lattice.multiplicity / self.lattice.size).astype(np.complex64)
        for axis, lags in enumerate((east, north, later)):
            found = np.tensordot(found, self._waves(axis, lags), axes=(0, 1))
        return np.asarray(found.real, dtype=np.float64)

    @cached_property
    def variance(self) -> float:
        """At lag zero."""
        zero = np.zeros(1)
        return float(self.at(zero, zero, zero).item())

    @cached_property
    def microscale(self) -> Array:
        """Taylor's microscale along each axis, ``sqrt(-K / K'')`` at lag zero, (3,) [km, km, days]."""
        power = self.power * self.lattice.multiplicity
        for frequency, step in zip(self.lattice.frequencies, self.lattice.step, strict=True):
            power = power * np.sinc(frequency * step / (2.0 * np.pi)) ** (2 * (DEGREE + 1))
        curvature = [np.sum(power * frequency**2) for frequency in self.lattice.frequencies]
        return np.sqrt(power.sum() / np.array(curvature))

    def _waves(self, axis: int, lags: Array) -> NDArray[np.complex64]:
        """Return what each wave along an axis contributes at lags, (lags, waves)."""
        size, step = self.lattice.shape[axis], self.lattice.step[axis]
        cycles = np.fft.rfftfreq(size) if axis == 2 else np.fft.fftfreq(size)  # per step
        found = np.zeros((len(lags), len(cycles)), dtype=np.complex128)
        for alias in ALIASES:
            wave = cycles + alias
            found += np.sinc(wave) ** (2 * (DEGREE + 1)) * np.exp(2j * np.pi / step * np.outer(lags, wave))
        return found.astype(np.complex64)
