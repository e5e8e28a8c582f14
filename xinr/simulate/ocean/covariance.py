"""The covariance of a simulated ocean, from its spectrum in space and time: to map another realisation."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from xinr._typing import Array
from xinr.geo.frames import DAY
from xinr.methods.covariances import Spectral
from xinr.methods.settings import check_positive

#: Maps in a segment; segments overlap by half.
SEGMENT = 80
#: The shortest waves fitted, in grid steps: the shortest in `xinr.simulate.qg`.
SHORTEST = 3.0


class Modes(NamedTuple):
    """Spectral density [m² km² day] of n waves at their wavenumbers [rad/km] and frequencies [rad/day]."""

    density: Array
    k: Array
    l: Array  # noqa: E741
    omega: Array


def covariance_of(ds: xr.Dataset, start: Spectral | None = None, floor: float = 1.0) -> Spectral:
    """Fit a covariance to the spectrum of a simulated ocean.

    Parameters
    ----------
    ds : Dataset
        From `qg`: the whole square, 80 maps or more; 400 days give a stable estimate.
    start : Spectral, optional
        Initial values of the optimisation.
    floor : float
        Spectral density of the noise of the observations to be mapped [m² km² day]: their noise variance over their
        number per square kilometre and day. Much weaker waves do not matter. Five altimeters with 2.5 cm of noise
        have 0.9.

    Returns
    -------
    Spectral
        Isotropic in a frame that moves with its drift; lengths in km.

    Raises
    ------
    ValueError
        Too few maps, not a whole square of regular steps, or missing values.

    Notes
    -----
    1. Periodogram P of the square, of segments of 80 maps under a Hann window that overlap by half (Welch).
    2. Whittle's likelihood of waves longer than three steps, ``Σ log(S + N) + (P + N) / (S + N)``, N the floor, is
       minimised over the parameters of the spectrum S, by L-BFGS-B.

    References
    ----------
    Welch (1967), doi:10.1109/TAU.1967.1161901; Whittle (1953), doi:10.1007/BF02590998

    Examples
    --------
    >>> from xinr.simulate import qg
    >>> covariance = covariance_of(qg(79, points=32))
    >>> 0.15 < covariance.sigma < 0.5
    True
    """
    from scipy.optimize import minimize

    check_positive(floor=floor)
    waves = modes_of(ds)

    def misfit(z: Array) -> float:
        expected = _spectral(z).spectrum(waves.k, waves.l, waves.omega) + floor
        return float(np.mean(np.log(expected) + (waves.density + floor) / expected))

    z0 = _variables(start or Spectral(100.0, 10.0, 0.2))
    ranges = [*((z - 4.0, z + 4.0) for z in z0[:-1]), (-50.0, 50.0)]
    return _spectral(minimize(misfit, z0, method="L-BFGS-B", bounds=ranges).x)


def modes_of(ds: xr.Dataset) -> Modes:
    """Return the spectral density of the waves in the ``ssh`` of a simulation, 80 maps or more.

    Waves ``exp(i (k x + l y - omega t))``, as in `xinr.methods.covariances`, for all l but no negative k: those are
    conjugates. The densities of all waves, times ``dk dl domega / (2π)³``, sum to the variance.
    """
    values = ds["ssh"].transpose("time", "y", "x").values.astype(np.float64)
    days, space = _step((ds["time"].values - ds["time"].values[0]) / DAY), _step(ds["x"].values)
    points = values.shape[2]
    if len(values) < SEGMENT or values.shape[1] != points or not np.isfinite(values).all():
        raise ValueError(
            f"expected {SEGMENT} maps or more of a whole square without missing values, got {values.shape}: "
            "simulate for longer, qg(400)."
        )
    k, l = 2.0 * np.pi * np.fft.rfftfreq(points, space), 2.0 * np.pi * np.fft.fftfreq(points, space)  # noqa: E741
    omega = -2.0 * np.pi * np.fft.fftfreq(SEGMENT, days)  # numpy's phases have + omega t
    east, north = k[None, None, :], l[None, :, None]
    resolved = (np.hypot(east, north) > 0.0) & (np.hypot(east, north) < 2.0 * np.pi / (SHORTEST * space))
    density = _periodogram(values) * space**2 * days
    chosen = np.broadcast_to(resolved, density.shape)
    axes = (np.broadcast_to(axis, density.shape)[chosen] for axis in (east, north, omega[:, None, None]))
    return Modes(density[chosen], *axes)


def _periodogram(values: Array) -> Array:
    """Return the mean periodogram of segments (SEGMENT, n, n // 2 + 1): 1 for white noise of variance 1."""
    window = np.hanning(SEGMENT + 1)[:-1]
    window /= np.sqrt(np.mean(window**2))
    starts = range(0, len(values) - SEGMENT + 1, SEGMENT // 2)
    power = sum(np.abs(np.fft.rfftn(values[at : at + SEGMENT] * window[:, None, None])) ** 2 for at in starts)
    return np.asarray(power / (len(starts) * SEGMENT * values[0].size))


def _step(axis: Array) -> float:
    steps = np.diff(np.asarray(axis, dtype=np.float64))
    if not np.allclose(steps, steps[0], rtol=1e-6, atol=0.0):
        raise ValueError(f"expected regular steps of time and x, got {steps.min():g} to {steps.max():g}.")
    return float(steps[0])


def _variables(covariance: Spectral) -> Array:
    """Return the variables of the optimisation: logarithms of the distance from each lower bound, and the drift."""
    c = covariance
    above = (c.length_scale, c.time_scale, c.sigma, c.exponent - 1.0, c.time_exponent - 0.5, c.decorrelation_exponent)
    return np.array([*np.log(above), c.westward_drift])


def _spectral(z: Array) -> Spectral:
    length, time, sigma, exponent, time_exponent, decorrelation_exponent = map(float, np.exp(z[:-1]))
    return Spectral(length, time, sigma, 1.0 + exponent, 0.5 + time_exponent, decorrelation_exponent, float(z[-1]))
