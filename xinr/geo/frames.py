"""Frames: how longitude, latitude and time become the coordinates in which a method works.

A method sees points ``x`` of shape (n, d) and knows no geography. A frame puts it back: it says along which
direction of ``x`` lies east, north, and one second, so that derivatives come out in SI units on the sphere.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, override

import numpy as np

from xinr._typing import Array, Times
from xinr._warnings import warn
from xinr.geo.coordinates import central_longitude, wrap
from xinr.geo.points import Points
from xinr.geo.times import precise

#: Mean Earth radius R1 = (2a + b)/3 of WGS 84 [km].
EARTH_RADIUS = 6371.0088

DAY = np.timedelta64(86_400_000_000_000, "ns")
SECONDS_PER_DAY = 86_400.0
_RADIAN = np.pi / 180.0
METRES_PER_DEGREE = 1e3 * EARTH_RADIUS * _RADIAN


def days_since(time: Times, epoch: np.datetime64) -> Array:
    """Return float64 days since an epoch; NaT gives NaN."""
    time = precise(time)
    return np.asarray((time - epoch.astype(time.dtype)) / np.timedelta64(1, "D"), dtype=np.float64)


@dataclass(frozen=True)
class Frame(ABC):
    """Coordinates of a method: position in km or degrees, then time in days since ``epoch``.

    With ``u(x)`` a function in the frame, the derivatives on the sphere are ``east · ∇u`` [u/m], ``north · ∇u``
    [u/m], and the second derivatives along great circles ``eastᵀ H east + metric_term · ∇u`` [u/m²] and so on, where
    ``H`` is the Hessian, and the metric terms come from the curvature of the coordinate lines or of the sphere.
    """

    epoch: np.datetime64  #: Day from which time counts.
    origin: float = 0.0  #: Longitude mid-domain [degrees].
    kind: ClassVar[str]

    def project(self, longitude: Array, latitude: Array, time: Times) -> Array:
        """Return x (n, d) from degrees, degrees and datetime64, each (n,)."""
        return np.column_stack([self.position(longitude, latitude), days_since(time, self.epoch)])

    def points(self, where: Points) -> Points:
        """Return points of longitude, latitude and datetime64 in the frame."""
        return Points(self.position(*where.positions.T), days_since(where.times, self.epoch), where.grid)

    @abstractmethod
    def position(self, longitude: Array, latitude: Array) -> Array:
        """Return the coordinates without time, (m, d - 1)."""

    @abstractmethod
    def east(self, longitude: Array, latitude: Array) -> Array:
        """Return dx per metre eastward, (m, d)."""

    @abstractmethod
    def north(self, longitude: Array, latitude: Array) -> Array:
        """Return dx per metre northward, (m, d)."""

    @abstractmethod
    def metric_terms(self, longitude: Array, latitude: Array) -> Array:
        """Return the second derivatives of x east-east, east-north and north-north [frame unit / m²], (3, m, d)."""


@dataclass(frozen=True)
class Sphere(Frame):
    """Cartesian kilometres on the sphere of radius ``EARTH_RADIUS``, and days: (X, Y, Z, t).

    No seam at the dateline, no distortion with latitude; distances are chords (within 0.1 % of the arc
    up to 1000 km). ``origin``, mid-domain, does not enter the coordinates.
    """

    kind: ClassVar[str] = "sphere"

    @override
    def position(self, longitude: Array, latitude: Array) -> Array:
        return EARTH_RADIUS * upward(longitude, latitude)

    @override
    def east(self, longitude: Array, latitude: Array) -> Array:
        return 1e-3 * np.pad(_unit_vectors(longitude, latitude)[0], ((0, 0), (0, 1)))

    @override
    def north(self, longitude: Array, latitude: Array) -> Array:
        return 1e-3 * np.pad(_unit_vectors(longitude, latitude)[1], ((0, 0), (0, 1)))

    @override
    def metric_terms(self, longitude: Array, latitude: Array) -> Array:
        """−1/R along the outward normal, since the ambient Hessian misses the curvature."""
        inward = 1e-6 / EARTH_RADIUS * np.pad(-upward(longitude, latitude), ((0, 0), (0, 1)))
        return np.stack([inward, np.zeros_like(inward), inward])


@dataclass(frozen=True)
class Degrees(Frame):
    """Longitude and latitude in degrees, and days: (lon, lat, t), as the data challenges' baselines use.

    A degree of longitude counts as much as one of latitude, so a length scale shrinks eastward by cos(latitude).
    Longitudes are turned to within 180 degrees of ``origin``, which must lie mid-domain.
    """

    kind: ClassVar[str] = "degrees"

    @override
    def position(self, longitude: Array, latitude: Array) -> Array:
        return np.stack([wrap(longitude, self.origin), latitude], axis=1)

    @override
    def east(self, longitude: Array, latitude: Array) -> Array:
        """NaN at the poles, where no direction is east."""
        cosine = np.cos(latitude * _RADIAN)
        zero = np.zeros_like(latitude)
        return np.stack([1.0 / (METRES_PER_DEGREE * np.where(cosine > 1e-6, cosine, np.nan)), zero, zero], axis=1)

    @override
    def north(self, longitude: Array, latitude: Array) -> Array:
        zero = np.zeros_like(latitude)
        return np.stack([zero, np.full_like(latitude, 1.0 / METRES_PER_DEGREE), zero], axis=1)

    @override
    def metric_terms(self, longitude: Array, latitude: Array) -> Array:
        """In tan(latitude)/R, towards the equator and eastward, since parallels shorten poleward."""
        terms = np.zeros((3, len(latitude), 3))
        shortening = np.tan(latitude * _RADIAN) / (1e3 * EARTH_RADIUS)
        terms[0, :, 1] = -shortening / METRES_PER_DEGREE
        terms[1] = shortening[:, None] * self.east(longitude, latitude)
        return terms


@dataclass(frozen=True)
class Plane(Frame):
    """Kilometres east and north on the plane that touches the sphere at (origin, latitude), and days: (x, y, t).

    Lambert's azimuthal equal-area projection: areas are true, and lengths within ``1 / cos(θ/2) - 1`` at the arc
    θ from the centre: 0.3 % at 1000 km, 1 % at ``PLANE_RADIUS``, the furthest that it serves. With
    ``u = cos θ`` a position at (e, n, u) along the centre's east, north and upward lies at ``R g (e, n)``,
    ``g = √(2 / (1 + u))``.

    References
    ----------
    Snyder (1987), Map projections, a working manual, doi:10.3133/pp1395, p. 182
    """

    latitude: float = 0.0
    kind: ClassVar[str] = "plane"

    @override
    def position(self, longitude: Array, latitude: Array) -> Array:
        """NaN beyond the hemisphere around the centre, which the plane does not hold."""
        east, north, up = self._local(upward(longitude, latitude))
        g = EARTH_RADIUS * np.sqrt(2.0 / (1.0 + np.where(up > 0.0, up, np.nan)))
        return np.stack([g * east, g * north], axis=1)

    def unproject(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return longitude [0, 360) and latitude [degrees] of positions on the plane [km]."""
        half_squared = (np.square(x) + np.square(y)) / (2.0 * EARTH_RADIUS) ** 2  # sin²(θ/2)
        local = np.stack([x, y]) / EARTH_RADIUS * np.sqrt(1.0 - half_squared)
        p = np.einsum("k...,kj->...j", np.concatenate([local, [1.0 - 2.0 * half_squared]]), self._axes())
        longitude = np.degrees(np.arctan2(p[..., 1], p[..., 0])) % 360.0
        return longitude, np.degrees(np.arctan2(p[..., 2], np.hypot(p[..., 0], p[..., 1])))

    @override
    def east(self, longitude: Array, latitude: Array) -> Array:
        return self._along(longitude, latitude, _unit_vectors(longitude, latitude)[0])

    @override
    def north(self, longitude: Array, latitude: Array) -> Array:
        return self._along(longitude, latitude, _unit_vectors(longitude, latitude)[1])

    @override
    def metric_terms(self, longitude: Array, latitude: Array) -> Array:
        """Of the coordinates ``R g(u) e`` and ``R g(u) n``.

        Along the unit vectors a and b, on the unit sphere where that of u is ``-u a · b``, the second derivative of
        ``g e`` is ``g'' e u_a u_b + g' (u_a e_b + u_b e_a) - (g + u g') e a · b``.
        """
        local = self._local(upward(longitude, latitude))  # (3, n), of which two the coordinates e and n
        u, g = local[2], np.sqrt(2.0 / (1.0 + local[2]))
        first, second = -0.5 * g / (1.0 + u), 0.75 * g / (1.0 + u) ** 2
        along = [self._local(direction) for direction in _unit_vectors(longitude, latitude)]
        terms = np.zeros((3, len(u), 3))
        for term, (a, b, product) in zip(terms, ((0, 0, 1.0), (0, 1, 0.0), (1, 1, 1.0)), strict=True):
            v, w = along[a], along[b]
            straight = second * v[2] * w[2] * local + first * (v[2] * w + w[2] * v)
            term[:, :2] = (straight - product * (g + u * first) * local)[:2].T
        return 1e-6 / EARTH_RADIUS * terms

    def _along(self, longitude: Array, latitude: Array, direction: Array) -> Array:
        """Return dx per metre along unit vectors (n, 3) tangent to the sphere."""
        east, north, up = self._local(upward(longitude, latitude))
        d_east, d_north, d_up = self._local(direction)
        g = np.sqrt(2.0 / (1.0 + up))
        shrink = -0.5 * g / (1.0 + up) * d_up
        moved = [g * d_east + shrink * east, g * d_north + shrink * north, np.zeros_like(up)]
        return 1e-3 * np.stack(moved, axis=1)

    def _local(self, vector: Array) -> Array:
        """Return the components (3, n) of vectors (n, 3) along the centre's east, north and upward."""
        return np.asarray((vector @ self._axes().T).T)

    def _axes(self) -> Array:
        lon, lat = self.origin * _RADIAN, self.latitude * _RADIAN
        east = [-np.sin(lon), np.cos(lon), 0.0]
        north = [-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)]
        return np.array([east, north, [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]])


FRAMES: dict[str, type[Frame]] = {"sphere": Sphere, "degrees": Degrees, "plane": Plane}
#: Furthest a position may lie from the centre of a `Plane`, so that lengths are within 1 % [km].
PLANE_RADIUS = 1790.0


def frame_around(kind: str, longitude: Array, latitude: Array, time: Times) -> Frame:
    """Build the frame of that kind for a data set: centred on it, midnight before it as the epoch.

    Raises
    ------
    ValueError
        No such frame, or data too far apart for the frame "plane".
    """
    if kind not in FRAMES:
        raise ValueError(f"unknown frame {kind!r}: expected one of {sorted(FRAMES)}.")
    epoch = time.min().astype("datetime64[D]").astype("datetime64[ns]")
    origin = central_longitude(longitude)
    if kind == "plane":
        return _plane_around(epoch, origin, longitude, latitude)
    if kind == "degrees" and np.ptp(wrap(longitude, origin)) > 350.0:
        warn(
            f"the observations go around the globe, and the frame 'degrees' cuts them at {(origin + 180) % 360:g} "
            'degrees east: the map has a seam there. frame="sphere" has none.',
        )
    return FRAMES[kind](epoch, origin)


def _plane_around(epoch: np.datetime64, origin: float, longitude: Array, latitude: Array) -> Plane:
    plane = Plane(epoch, origin, float(latitude.min() + latitude.max()) / 2.0)
    cosine = upward(longitude, latitude) @ upward(np.array([origin]), np.array([plane.latitude]))[0]
    furthest = EARTH_RADIUS * float(np.arccos(np.clip(cosine.min(), -1.0, 1.0)))
    if furthest > PLANE_RADIUS:
        raise ValueError(
            f"the observations reach {furthest:.0f} km from their centre ({origin:.1f} E, {plane.latitude:.1f} N), and "
            f"the frame 'plane' serves {PLANE_RADIUS:.0f} km, where lengths are off by 1 %. Take a smaller region, "
            'fit(..., region=(west, east, south, north)), or tiles, fit(..., method="tiled").'
        )
    return plane


def upward(longitude: Array, latitude: Array) -> Array:
    """Return the unit vectors (n, 3) that point up at positions in degrees."""
    lon, lat = longitude * _RADIAN, latitude * _RADIAN
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _unit_vectors(longitude: Array, latitude: Array) -> tuple[Array, Array]:
    """Return the unit vectors (n, 3) that point east and north at positions in degrees."""
    lon, lat = longitude * _RADIAN, latitude * _RADIAN
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], axis=1)
    south = -np.sin(lat)
    return east, np.stack([south * np.cos(lon), south * np.sin(lon), np.cos(lat)], axis=1)
