"""An eddying sea surface whose every derivative is known: a sum of random plane waves."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import xarray as xr

from xinr._typing import Array, Region
from xinr.fields.fitted import FittedField
from xinr.fields.target import Target
from xinr.geo.cf import STANDARD_NAMES, attributes
from xinr.geo.coordinates import width_of
from xinr.geo.frames import EARTH_RADIUS, Sphere
from xinr.methods.functions.waves import WavePredictor
from xinr.methods.settings import check_positive

#: The box of the SSH mapping data challenge 2021a, on the Gulf Stream: west, east, south, north [degrees].
GULF_STREAM: Region = (295.0, 305.0, 33.0, 43.0)

#: Range of the wavelengths [km]: from those that 2-3 cm of noise hide, to the size of a basin.
WAVELENGTHS = (80.0, 1500.0)
#: The spectrum rises as k**RISE at small wavenumbers.
RISE = 2.0
#: Westward drift [km/day]: about 3 cm/s, as of mid-latitude eddies (Chelton et al., 2011).
DRIFT = 2.5
#: Decorrelation time (1/e) [days] of waves of that wavelength [km]; it is proportional to the wavelength.
DECORRELATION_TIME, DECORRELATION_WAVELENGTH = 20.0, 300.0
MDT_ATTRS = attributes("m", "mean dynamic topography", STANDARD_NAMES["adt"])


def eddies(
    region: Region = GULF_STREAM,
    start: str = "2021-01-01",
    *,
    rms: float = 0.12,
    peak: float = 450.0,
    exponent: float = 5.0,
    waves: int = 400,
    seed: int = 0,
) -> FittedField:
    """Make an eddying field of sea level anomalies whose values and derivatives are known exactly.

    Parameters
    ----------
    region : (west, east, south, north)
        Degrees. The waves are tangent to the sphere at its centre; the field is isotropic within 1 % over 15 degrees.
    start : str
        Origin of time; the field is defined at every time.
    rms : float
        Standard deviation of the anomalies [m].
    peak : float
        Wavelength at which the isotropic spectrum is highest [km].
    exponent : float
        The isotropic spectrum falls as ``wavenumber**-exponent`` well beyond its peak; with the default, the spectrum
        along a track falls as about ``wavenumber**-4`` between 250 and 100 km.
    waves : int
        Number of waves.
    seed : int
        Random seed of directions, phases and frequencies.

    Returns
    -------
    FittedField
        A Field named "sla", like that of any method: ``interp``, ``gradient``, ``laplacian``, ``save``.

    Notes
    -----
    1. Wavelengths from 80 to 1500 km, one drawn in each of ``waves`` equal steps of log wavenumber; amplitudes
       from ``E(k) ~ s² / (1 + (2/exponent) s²)**((2 + exponent)/2)``, with ``s = k / k_peak``.
    2. Directions and phases are uniform. The waves live in the ambient space of the frame "sphere", so that
       derivatives on the sphere are exact anywhere.
    3. Every wave drifts westward at 2.5 km/day, with a random frequency added. The decorrelation time, 20 days at
       300 km, is proportional to the wavelength.

    References
    ----------
    Chelton, Schlax & Samelson (2011), doi:10.1016/j.pocean.2011.01.002 (sizes and drift of eddies);
    Xu & Fu (2012), doi:10.1175/JPO-D-11-0240.1 (slopes of the spectrum along tracks, -4 to -5 in energetic regions)

    Examples
    --------
    >>> truth = eddies(rms=0.1, seed=1)
    >>> at = {"longitude": 300.0, "latitude": 38.0, "time": np.datetime64("2021-01-05", "ns")}
    >>> here = truth.interp(xr.Dataset(coords=at))
    >>> bool(abs(here.sla) < 0.5)
    True
    """
    check_positive(rms=rms, peak=peak, exponent=exponent, waves=waves)
    rng = np.random.default_rng(seed)
    west, _, south, north = region
    centre = west + width_of(region) / 2.0, (south + north) / 2.0
    shortest, longest = WAVELENGTHS
    fraction = (np.arange(int(waves)) + rng.uniform(size=int(waves))) / int(waves)
    k = 2.0 * np.pi / longest * (longest / shortest) ** fraction  # [1/km]; every realisation has all scales
    wavevector, amplitude = _wavevectors(k, centre, rng), _amplitudes(k, rms, 2.0 * np.pi / peak, exponent)
    phase = rng.uniform(0.0, 2.0 * np.pi, k.size)
    settings = {"rms": rms, "peak": peak, "exponent": exponent, "waves": waves, "seed": seed}
    info = {"method": "eddies", "settings": settings, "region": list(region)}
    frame = Sphere(np.datetime64(start, "ns"), centre[0])
    return FittedField(frame, WavePredictor(wavevector, amplitude, phase), "sla", info)


def _amplitudes(k: Array, rms: float, k_peak: float, exponent: float) -> Array:
    """Return amplitudes (m,) whose waves have variance rms²; a step of log k holds the variance E(k) k."""
    s = k / k_peak
    spectrum = s**RISE / (1.0 + RISE / exponent * s**2) ** ((RISE + exponent) / 2.0)
    variance = spectrum * k
    return np.asarray(np.sqrt(2.0 * variance / variance.sum()) * rms)


def _wavevectors(k: Array, centre: tuple[float, float], rng: np.random.Generator) -> Array:
    """Return random wave vectors (m, 4) tangent to the sphere at the centre, with their frequencies [1/day]."""
    lon, lat = (np.array([degrees]) for degrees in centre)
    sphere = Sphere(np.datetime64(0, "ns"))
    east, north = 1e3 * sphere.east(lon, lat), 1e3 * sphere.north(lon, lat)  # unit vectors (1, 4)
    angle = rng.uniform(0.0, 2.0 * np.pi, k.size)
    k_east, k_north = k * np.cos(angle), k * np.sin(angle)
    wavevector = k_east[:, None] * east + k_north[:, None] * north
    decorrelation = DECORRELATION_TIME * (2.0 * np.pi / k) / DECORRELATION_WAVELENGTH
    # Frequencies of standard deviation s give the correlation exp(-s² t² / 2): 1/e at the decorrelation time.
    wavevector[:, -1] = DRIFT * k_east + rng.normal(size=k.size) * np.sqrt(2.0) / decorrelation
    return np.asarray(wavevector)


@dataclass(frozen=True)
class MeanJet:
    """A mean dynamic topography: a front along a gently meandering eastward jet, high water to the south.

    Parameters
    ----------
    latitude : float
        Mean latitude of the jet's axis [degrees].
    drop : float
        Fall of the sea surface across the jet [m].
    width : float
        Half-width: the front is ``-drop/2 · tanh(distance / width)`` [km].
    meander : float
        Amplitude of the meanders [km], one every 12 degrees of longitude.

    Examples
    --------
    >>> mdt = MeanJet(latitude=38.0).at(np.array([300.0, 300.0]), np.array([33.0, 43.0]))
    >>> mdt.round(1)
    array([ 0.4, -0.4])
    """

    latitude: float = 38.0
    drop: float = 0.8
    width: float = 120.0
    meander: float = 60.0

    def __post_init__(self) -> None:
        check_positive(width=self.width)

    @classmethod
    def across(cls, region: Region) -> Self:
        """Return a jet along the middle of a region."""
        return cls(latitude=(region[2] + region[3]) / 2.0)

    def at(self, longitude: Array, latitude: Array) -> Array:
        """Return the mean dynamic topography [m] at points (n,) [degrees]."""
        north = np.radians(latitude - self.latitude) * EARTH_RADIUS
        axis = self.meander * np.sin(30.0 * np.radians(longitude))
        return np.asarray(-self.drop / 2.0 * np.tanh((north - axis) / self.width))

    def interp(self, target: xr.Dataset) -> xr.DataArray:
        """Return the mean dynamic topography [m] on a target's longitudes and latitudes."""
        steady = target.drop_vars("time", errors="ignore")
        found: xr.DataArray = Target.of(steady).evaluate(lambda points: points.repeat(self.at(*points.positions.T)))
        return found.rename("mdt").assign_attrs(MDT_ATTRS)
