"""A wide swath as SWOT would give of a known sea: pixels on both sides of the ground track."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from xinr._typing import Array, Region, Times
from xinr.fields.field import Field
from xinr.fields.target import COORDINATE_ATTRS
from xinr.geo.coordinates import bounds, width_of, within
from xinr.geo.frames import EARTH_RADIUS, upward
from xinr.simulate.altimeters.errors import Passes
from xinr.simulate.altimeters.land import Land, on_land
from xinr.simulate.altimeters.orbits import MISSIONS, Orbit
from xinr.simulate.altimeters.tracks import check_anomaly, overhead
from xinr.simulate.eddies import GULF_STREAM, MDT_ATTRS, MeanJet

#: From the nadir to the inner and to the outer edge of each half of the swath [km].
INNER, OUTER = 10.0, 60.0
#: Over which the cross-track errors change along a pass [km]: correlation exp(-s²/L²).
ERROR_LENGTH = 1000.0
#: How many random waves make up such an error.
WAVES = 40
_DIMS = ("num_lines", "num_pixels")


@dataclass(frozen=True, kw_only=True)
class SwathErrors:
    """The errors of a swath's heights, each a standard deviation.

    Parameters
    ----------
    noise : float
        White noise of a pixel of 1 km² [m]; averaged over larger pixels, it shrinks with the root of their area.
    roll : float
        Error at the outer edge from the roll of the antennas, linear across the swath, of opposite sign on its two
        sides [m].
    baseline : float
        Error at the outer edge from the length of the mast, quadratic across the swath, of one sign [m].
    bias : float
        Error common to all pixels of a line [m].

    Notes
    -----
    Roll, baseline and bias change along the pass over some 1000 km, and are drawn anew for each pass. The defaults
    of those are what cross-calibration might leave; the noise is the requirement for waves of 2 m.

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
        for name in ("noise", "roll", "baseline", "bias"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be a standard deviation, 0 or more [m], got {getattr(self, name)!r}.")

    def draw(self, passes: Passes, across: Array, spacing: float, rng: np.random.Generator) -> Array:
        """Draw the errors of lines and pixels, (lines, pixels) [m], from distances across the track (pixels,) [km]."""
        x = across / OUTER
        shapes = np.stack([self.bias * np.ones_like(x), self.roll * x, self.baseline * x**2])
        slow = np.stack([_slow(passes, rng) for _ in shapes], axis=1)
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
    """Sample a known sea in a wide swath on both sides of a ground track, as SWOT does.

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
    `rows` makes tracks of it, to fit.

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
    lon, lat = _aside(orbit, time, across)
    dry = ~within(lon, lat, region)
    if land is not None:
        dry |= on_land(land, lon.ravel(), lat.ravel()).reshape(lon.shape)
    seen = ~dry.all(axis=1)
    if not seen.any():
        raise ValueError(f"no swath crosses the sea of {region} in {period}: take a longer period or larger box.")
    passes = Passes.of(np.zeros(int(seen.sum()), dtype=np.int64), time[seen], longitude[seen], latitude[seen])
    error = errors.draw(passes, across, spacing, np.random.default_rng([seed, *b"swath"]))
    ds = _pixels(time[seen], lon[seen], lat[seen], across)
    jet = mdt or MeanJet.across(region)
    heights = {
        "sla_unfiltered": (truth.interp(ds)[truth.name].values + error, "sea level anomaly, not filtered"),
        "mdt": (jet.at(lon[seen], lat[seen]), MDT_ATTRS["long_name"]),
        "lwe": (np.zeros_like(error), "long wavelength error"),
    }
    hidden = xr.DataArray(dry[seen], dims=_DIMS)
    columns = {key: (_DIMS, value, {"long_name": text, "units": "m"}) for key, (value, text) in heights.items()}
    ds = ds.assign(columns).where(~hidden)
    return ds.assign_attrs(Conventions="CF-1.11", title="Simulated swath of sea level anomalies", seed=seed)


def rows(ds: xr.Dataset) -> xr.Dataset:
    """Make tracks of a swath: each row of pixels along the flight becomes a track of its own.

    Parameters
    ----------
    ds : Dataset
        As `swath` gives it. For a map every fifth pixel is plenty: ``ds.isel(num_pixels=slice(2, None, 5))``.

    Returns
    -------
    Dataset
        Along ``time``, row after row, in the layout of `xinr.simulate.tracks`, with which it can be concatenated. The
        coordinate ``mission`` tells the rows apart, so that ``coarsen`` averages along them and each has passes of
        its own. Pixels without a height are left out.

    Examples
    --------
    >>> from xinr.simulate import eddies
    >>> ds = swath(eddies(waves=20), spacing=10.0, period=("2021-01-01", "2021-01-04"))
    >>> field = rows(ds).inr.fit("oi", coarsen=1)
    >>> len(field.info["missions"])
    10
    """
    stacked = ds.stack(pixel=("num_pixels", "num_lines")).reset_index("pixel")
    there = stacked.isel(pixel=stacked["sla_unfiltered"].notnull().values)
    bare = there.drop_vars(["num_pixels", "num_lines", "cross_track_distance"])
    return bare.swap_dims(pixel="time").assign_attrs(title="Rows of a simulated swath")


def _across(spacing: float) -> Array:
    """Return the distances of pixel centres from the nadir, negative to the left [km]."""
    count = round((OUTER - INNER) / spacing) if spacing > 0.0 else 0
    if count < 1:
        raise ValueError(f"spacing must be above zero and within {OUTER - INNER:g} km, a half-swath, got {spacing!r}.")
    right = INNER + (OUTER - INNER) * (np.arange(count) + 0.5) / count
    return np.concatenate([-right[::-1], right])


def _lines(orbit: Orbit, region: Region, period: tuple[str, str], spacing: float) -> tuple[Times, Array, Array]:
    """Return time and nadir of the lines whose swath may touch the region."""
    west, _, south, north = region
    reach = np.degrees(1.1 * OUTER / EARTH_RADIUS)
    reach_east = reach / max(np.cos(np.radians(min(max(abs(south), abs(north)) + reach, 89.0))), 1e-3)
    width = min(width_of(region), 360.0 - 2.0 * reach_east) + 2.0 * reach_east
    wide = (west - reach_east, west - reach_east + width, max(south - reach, -90.0), min(north + reach, 90.0))
    speed = 2.0 * np.pi * EARTH_RADIUS / orbit.period
    return overhead(replace(orbit, sampling=spacing / speed), wide, *bounds(period))


def _aside(orbit: Orbit, time: Times, across: Array) -> tuple[Array, Array]:
    """Return longitude [0, 360) and latitude of points beside the nadir, (lines, pixels) [degrees]."""
    half = np.timedelta64(500, "ms")
    before, after = (upward(*orbit.ground_track(when)) for when in (time - half, time + half))
    up = upward(*orbit.ground_track(time))
    right = np.cross(after - before, up)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    angle = (across / EARTH_RADIUS)[None, :, None]
    place = np.cos(angle) * up[:, None, :] + np.sin(angle) * right[:, None, :]
    longitude = np.mod(np.degrees(np.arctan2(place[..., 1], place[..., 0])), 360.0)
    return longitude, np.degrees(np.arcsin(np.clip(place[..., 2], -1.0, 1.0)))


def _pixels(time: Times, longitude: Array, latitude: Array, across: Array) -> xr.Dataset:
    position = {key: {k: v for k, v in COORDINATE_ATTRS[key].items() if k != "axis"} for key in COORDINATE_ATTRS}
    coords: dict[str, Any] = {
        "time": ("num_lines", time, position["time"]),
        "longitude": (_DIMS, longitude, position["longitude"]),
        "latitude": (_DIMS, latitude, position["latitude"]),
        "cross_track_distance": ("num_pixels", across, {"long_name": "distance from the nadir", "units": "km"}),
        "mission": ("num_pixels", [f"swot {x:+g} km" for x in across], {"long_name": "row of pixels"}),
    }
    return xr.Dataset(coords=coords)


def _slow(passes: Passes, rng: np.random.Generator) -> Array:
    """Return a random function of the distance along each pass, of unit variance (lines,)."""
    # A Gaussian spread √2/L of wavenumbers correlates as exp(-s²/L²).
    k = rng.normal(size=(passes.count, WAVES)) * np.sqrt(2.0) / ERROR_LENGTH
    phase = rng.uniform(0.0, 2.0 * np.pi, (passes.count, WAVES))
    angle = k[passes.number] * passes.along[:, None] + phase[passes.number]
    return np.asarray(np.sqrt(2.0 / WAVES) * np.cos(angle).sum(axis=1))
