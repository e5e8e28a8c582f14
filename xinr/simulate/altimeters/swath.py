"""Wide-swath data, as of SWOT, of a known sea surface: pixels on both sides of the ground track."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from xinr._typing import Array, Region, Times
from xinr.fields.field import Field
from xinr.geo.cf import TRACK_COORDINATES, attributes
from xinr.geo.coordinates import bounds, within
from xinr.geo.frames import EARTH_RADIUS, upward
from xinr.simulate.altimeters.errors import Passes, check_deviations
from xinr.simulate.altimeters.land import Land, on_land
from xinr.simulate.altimeters.orbits import MISSIONS, Orbit
from xinr.simulate.altimeters.tracks import VARIABLES, around, check_anomaly, overhead
from xinr.simulate.eddies import GULF_STREAM, MeanJet

#: From the nadir to the inner and to the outer edge of each half of the swath [km].
INNER, OUTER = 10.0, 60.0
#: Correlation length L along the pass of the cross-track errors [km]: exp(-s²/L²).
ERROR_LENGTH = 1000.0
#: Number of random waves that make up such an error.
WAVES = 40
_DIMS = ("num_lines", "num_pixels")


@dataclass(frozen=True, kw_only=True)
class SwathErrors:
    """The errors of a swath's sea level anomalies, each a standard deviation.

    Parameters
    ----------
    noise : float
        White noise of a pixel of 1 km² [m]; that of larger pixels falls with the square root of their area.
    roll : float
        Error at the outer edge from the roll of the antennas [m]: linear across the swath.
    baseline : float
        Error at the outer edge from the length of the mast [m]: quadratic across the swath.
    bias : float
        Error common to all pixels of a line [m].

    Notes
    -----
    Roll, baseline and bias vary along the pass over some 1000 km and are independent between passes. Their defaults
    are typical residuals after cross-calibration; the noise is the mission's requirement for waves of 2 m.

    References
    ----------
    Chelton et al. (2019), doi:10.1016/j.pocean.2018.12.004 (noise of 2.74 cm at 1 km);
    Gaultier, Ubelmann & Fu (2016), doi:10.1175/JTECH-D-15-0160.1 (shape of the errors across the swath)

    Examples
    --------
    >>> SwathErrors(roll=0.0).noise
    0.0274
    """

    noise: float = 0.0274
    roll: float = 0.01
    baseline: float = 0.005
    bias: float = 0.01

    def __post_init__(self) -> None:
        check_deviations(noise=self.noise, roll=self.roll, baseline=self.baseline, bias=self.bias)

    def draw(self, passes: Passes, across: Array, spacing: float, rng: np.random.Generator) -> Array:
        """Draw the errors of lines and pixels, (lines, pixels) [m], from distances across the track (pixels,) [km]."""
        x = across / OUTER
        shapes = np.stack([self.bias * np.ones_like(x), self.roll * x, self.baseline * x**2])
        slow = np.stack([_along_pass(passes, rng) for _ in shapes], axis=1)
        return np.asarray(slow @ shapes + self.noise / spacing * rng.normal(size=(slow.shape[0], x.size)))


SWATH_ERRORS = SwathErrors()


def swath(
    truth: Field,
    orbit: Orbit = MISSIONS["swon"],
    *,
    region: Region = GULF_STREAM,
    period: tuple[str, str] = ("2021-01-01", "2021-03-01"),
    spacing: float = 2.0,
    land: Land | None = None,
    mdt: MeanJet | None = None,
    errors: SwathErrors = SWATH_ERRORS,
    seed: int = 0,
) -> xr.Dataset:
    """Sample a known sea surface in a wide swath on both sides of a ground track, as SWOT does.

    Parameters
    ----------
    truth : Field
        Sea level anomalies [m].
    orbit : Orbit
        By default that of SWOT: inclination 77.6 degrees, repeated after 21 days.
    region, period, land, mdt, seed
        As for `xinr.simulate.tracks`.
    spacing : float
        Of lines and of pixels [km].
    errors : SwathErrors
        Noise of the pixels, roll, baseline, bias.

    Returns
    -------
    Dataset
        ``sla_unfiltered``, ``mdt``, ``lwe`` (zero) [m] and ``longitude`` [0, 360), ``latitude``, dims (num_lines,
        num_pixels), ``time`` (num_lines) and ``cross_track_distance`` (num_pixels) [km, positive to the right of the
        flight], as in files of SWOT L3. Pixels are 10 to 60 km from the nadir; NaN outside the region and on land.

    Raises
    ------
    ValueError
        Pixels larger than the swath, no pass in the region, or a truth that is no anomaly.

    Notes
    -----
    It is fitted as it is; `xinr.observations.unrolled` gives points that can be concatenated with tracks.

    Examples
    --------
    >>> from xinr.simulate import eddies
    >>> ds = swath(eddies(waves=20), spacing=10.0, period=("2021-01-01", "2021-01-04"))
    >>> ds.sla_unfiltered.dims, ds.cross_track_distance.values[:3]
    (('num_lines', 'num_pixels'), array([-55., -45., -35.]))
    """
    check_anomaly(truth)
    across = _across(spacing)
    time, longitude, latitude = _lines(orbit, region, period, spacing)
    lon, lat = _pixel_positions(orbit, time, across)
    hidden = ~within(lon, lat, region)
    if land is not None:
        hidden |= on_land(land, lon.ravel(), lat.ravel()).reshape(lon.shape)
    seen = ~hidden.all(axis=1)
    if not seen.any():
        raise ValueError(f"no swath crosses the sea in {region} in {period}: take a longer period or larger region.")
    passes = Passes.of(np.zeros(int(seen.sum()), dtype=np.int64), time[seen], longitude[seen], latitude[seen])
    error = errors.draw(passes, across, spacing, np.random.default_rng([seed, *b"swath"]))
    ds = _pixels(time[seen], lon[seen], lat[seen], across)
    jet = mdt or MeanJet.across(region)
    values = {
        "sla_unfiltered": truth.interp(ds)[truth.name].values + error,
        "mdt": jet.at(lon[seen], lat[seen]),
        "lwe": np.zeros_like(error),
    }
    columns = {name: (_DIMS, each, VARIABLES[name]) for name, each in values.items()}
    ds = ds.assign(columns).where(xr.DataArray(~hidden[seen], dims=_DIMS))
    return ds.assign_attrs(Conventions="CF-1.11", title="Simulated swath of sea level anomalies", seed=seed)


def _across(spacing: float) -> Array:
    """Return the distances of pixel centres from the nadir, negative to the left [km]."""
    count = round((OUTER - INNER) / spacing) if spacing > 0.0 else 0
    if count < 1:
        raise ValueError(f"spacing must be above zero and within {OUTER - INNER:g} km, a half-swath, got {spacing!r}.")
    right = INNER + (OUTER - INNER) * (np.arange(count) + 0.5) / count
    return np.concatenate([-right[::-1], right])


def _lines(orbit: Orbit, region: Region, period: tuple[str, str], spacing: float) -> tuple[Times, Array, Array]:
    """Return time and nadir of the lines whose swath may reach the region."""
    speed = 2.0 * np.pi * EARTH_RADIUS / orbit.period
    return overhead(replace(orbit, sampling=spacing / speed), around(region, 1.1 * OUTER), *bounds(period))


def _pixel_positions(orbit: Orbit, time: Times, across: Array) -> tuple[Array, Array]:
    """Return longitude [0, 360) and latitude of the pixels, (lines, pixels) [degrees]."""
    half = np.timedelta64(500, "ms")
    before, after = (upward(*orbit.ground_track(when)) for when in (time - half, time + half))
    up = upward(*orbit.ground_track(time))
    right = np.cross(after - before, up)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    angle = (across / EARTH_RADIUS)[None, :, None]
    x, y, z = np.moveaxis(np.cos(angle) * up[:, None, :] + np.sin(angle) * right[:, None, :], -1, 0)
    return np.mod(np.degrees(np.arctan2(y, x)), 360.0), np.degrees(np.arcsin(np.clip(z, -1.0, 1.0)))


def _pixels(time: Times, longitude: Array, latitude: Array, across: Array) -> xr.Dataset:
    coords: dict[str, Any] = {
        "time": ("num_lines", time, {"standard_name": "time"}),
        "longitude": (_DIMS, longitude, TRACK_COORDINATES["longitude"]),
        "latitude": (_DIMS, latitude, TRACK_COORDINATES["latitude"]),
        "cross_track_distance": ("num_pixels", across, attributes("km", "distance from the nadir")),
        "mission": ((), "swot", {"long_name": "altimeter"}),
    }
    return xr.Dataset(coords=coords)


def _along_pass(passes: Passes, rng: np.random.Generator) -> Array:
    """Return a random function of the distance along each pass, of unit variance (lines,)."""
    # A Gaussian spread √2/L of wavenumbers correlates as exp(-s²/L²).
    k = rng.normal(size=(passes.count, WAVES)) * np.sqrt(2.0) / ERROR_LENGTH
    phase = rng.uniform(0.0, 2.0 * np.pi, (passes.count, WAVES))
    angle = k[passes.number] * passes.along[:, None] + phase[passes.number]
    return np.asarray(np.sqrt(2.0 / WAVES) * np.cos(angle).sum(axis=1))
