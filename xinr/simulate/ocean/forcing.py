"""Random forcing of a ring of wavenumbers, independent of the grid and of the time step."""

import math

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.simulate.ocean.quasigeostrophic import Ocean

#: Waves within this factor of the forcing wavelength are forced.
RING = 1.25


class RingForcing:
    """Forcing of the top layer's potential vorticity: equal amplitudes, new random phases every period.

    Of each wave of the half spectrum (points, columns), ``rows`` and ``columns`` are the integer wavenumbers north and
    east, and ``inverse`` is the ratio of ψ to q in the top layer [m²], zero for truncated waves. Periods are in s.

    Notes
    -----
    Constant forcing ``F̂`` over a period T changes the energy by ``-T² Σ h |F̂|² inverse`` on average, summed over the
    half spectrum, with h the top layer's fraction of the depth. Periods are independent, so that each adds as much
    energy. Waves with k = 0, half of which are conjugates of the others, are not forced.

    References
    ----------
    Lilly (1969), doi:10.1063/1.1692444
    """

    def __init__(self, ocean: Ocean, seed: int, rows: Array, columns: Array, inverse: Array, period: int) -> None:
        wavelength = ocean.length / np.maximum(np.hypot(rows, columns), 1.0)
        ratio = wavelength / ocean.forcing_wavelength
        ring = (inverse < 0.0) & (columns > 0) & (ratio > 1.0 / RING) & (ratio < RING)
        if ocean.forcing > 0.0 and not ring.any():
            raise ValueError(
                f"no wave of about {ocean.forcing_wavelength:g} km to force on a grid of {ocean.points} points over "
                f"{ocean.length:g} km: change forcing_wavelength, or take more points."
            )
        self.seed, self.shape = seed, ring.shape
        # In an order that does not depend on the number of points.
        where = np.argwhere(ring)
        self._waves = tuple(where[np.lexsort((rows[ring], columns[ring]))].T)
        weight = -ocean.thickness[0] * inverse[ring].sum()
        self._amplitude = math.sqrt(ocean.forcing / (period * weight)) if ocean.forcing > 0.0 else 0.0

    def at(self, number: int) -> NDArray[np.complex128] | None:
        """Return the spectrum (points, columns) of the forcing [1/s²] in a period, None without forcing."""
        if self._amplitude == 0.0:
            return None
        phase = np.random.default_rng([self.seed, number]).uniform(0.0, 2.0 * np.pi, len(self._waves[0]))
        spectrum = np.zeros(self.shape, complex)
        spectrum[self._waves] = self._amplitude * np.exp(1j * phase)
        return spectrum
