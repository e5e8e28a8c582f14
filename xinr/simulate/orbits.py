"""Where an altimeter's ground track runs: circular repeat orbits, from inclination and repeat alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# WGS 84 and EGM96 [km, s].
GRAVITY = 398_600.4418
FLATTENING = 1.0 / 298.257223563
EQUATOR_RADIUS = 6378.137
J2 = 1.08262668e-3
EARTH_SPIN = 7.292115e-5  # rad/s against the stars

DAY = 86_400.0


@dataclass(frozen=True)
class Orbit:
    """A circular orbit whose ground track repeats, and how its altimeter samples.

    Parameters
    ----------
    name : str
        Of the satellite.
    inclination : float
        Degrees, above 90 for a retrograde orbit.
    repeat_days : int
        Nodal days in a repeat cycle: turns of the Earth against the orbital plane. They are solar days for a
        sun-synchronous orbit.
    revolutions : int
        Revolutions in a repeat cycle.
    node_time : str
        Time of one ascending pass over the equator (UTC).
    node_longitude : float
        Its longitude [degrees east].
    sampling : float
        Time between points [s].
    noise : float
        Standard deviation of the white noise of one point [m].

    Notes
    -----
    Altitude and duration of the cycle follow from the secular J2 drifts of a circular orbit of mean motion n:
    node ``-k n cos i``, argument of latitude ``n (1 + k (4 cos² i - 1))``, with ``k = 3/2 J2 (R/a)²``. The
    semi-major axis is the one at which ``revolutions`` turns of the latter take ``repeat_days`` turns of the Earth
    against the node.

    References
    ----------
    Capderou (2014), Handbook of Satellite Orbits, doi:10.1007/978-3-319-03416-4

    Examples
    --------
    >>> jason = MISSIONS["j3"]
    >>> round(jason.cycle / 86_400, 4), round(jason.altitude), round(jason.spacing, 2)
    (9.9156, 1336, 2.83)
    """

    name: str
    inclination: float
    repeat_days: int
    revolutions: int
    node_time: str
    node_longitude: float
    sampling: float
    noise: float

    @cached_property
    def semi_major_axis(self) -> float:
        """Semi-major axis [km]."""
        axis = 7000.0
        for _ in range(10):  # Kepler's law with the drifts of the last guess: each turn gains two digits or more
            k = self._drift(axis)
            cosine = self._cosine
            node, argument = -k * cosine, 1.0 + k * (4.0 * cosine**2 - 1.0)  # in units of the mean motion
            motion = EARTH_SPIN * self.revolutions / (self.repeat_days * argument + self.revolutions * node)
            axis = float((GRAVITY / motion**2) ** (1.0 / 3.0))
        return axis

    @property
    def altitude(self) -> float:
        """Height above the equator's radius [km]."""
        return self.semi_major_axis - EQUATOR_RADIUS

    @property
    def spacing(self) -> float:
        """Distance between neighbouring ascending tracks of a whole cycle [degrees of longitude]."""
        return 360.0 / self.revolutions

    @property
    def cycle(self) -> float:
        """Duration of a repeat cycle [s]."""
        return self.revolutions * 2.0 * np.pi / self.argument_rate

    @property
    def argument_rate(self) -> float:
        """Speed along the orbit, from node to node [rad/s]."""
        k = self._drift(self.semi_major_axis)
        return float(self._motion * (1.0 + k * (4.0 * self._cosine**2 - 1.0)))

    @property
    def spin(self) -> float:
        """Speed of the Earth's turn against the orbital plane [rad/s]."""
        return EARTH_SPIN + float(self._drift(self.semi_major_axis) * self._motion * self._cosine)

    def ground_track(self, time: NDArray[np.datetime64]) -> tuple[Array, Array]:
        """Return longitude [0, 360) and geodetic latitude [degrees] beneath the satellite at times (n,)."""
        seconds = (time - np.datetime64(self.node_time, "ns")) / np.timedelta64(1, "s")
        argument = self.argument_rate * seconds
        tilt = np.radians(self.inclination)
        geocentric = np.arcsin(np.sin(tilt) * np.sin(argument))
        eastward = np.arctan2(np.cos(tilt) * np.sin(argument), np.cos(argument)) - self.spin * seconds
        longitude = np.mod(self.node_longitude + np.degrees(eastward), 360.0)
        return longitude, np.degrees(self._geodetic(geocentric))

    @property
    def _cosine(self) -> float:
        return float(np.cos(np.radians(self.inclination)))

    @property
    def _motion(self) -> float:
        return float(np.sqrt(GRAVITY / self.semi_major_axis**3))

    def _drift(self, axis: float) -> float:
        return 1.5 * J2 * (EQUATOR_RADIUS / axis) ** 2

    def _geodetic(self, geocentric: Array) -> Array:
        """Turn the satellite's geocentric latitude into the geodetic one of the point beneath it [rad]."""
        squared = FLATTENING * (2.0 - FLATTENING)
        return np.asarray(
            np.arctan(np.tan(geocentric) / (1.0 - squared * EQUATOR_RADIUS / (EQUATOR_RADIUS + self.altitude)))
        )


#: Altimeters by their names in DUACS files. Inclination and repeat cycle: CNES/AVISO mission pages and the CEOS
#: database. Nodes: fitted to the passes of DUACS files of January 2021 (for CryoSat-2, December 2016; Sentinel-3B
#: flies 140 degrees of arc behind Sentinel-3A), sampling the same. AltiKa has drifted since July 2016: its repeat
#: orbit before that is taken. Noise of 1 Hz points: 2-3 cm.
MISSIONS: dict[str, Orbit] = {
    "alg": Orbit("SARAL/AltiKa", 98.55, 35, 501, "2021-01-01T04:35:09.913", 19.9095, 1.0560, 0.020),
    "h2b": Orbit("HaiYang-2B", 99.34, 14, 193, "2021-01-02T05:52:16.622", 182.9681, 1.0240, 0.028),
    "j3": Orbit("Jason-3", 66.04, 10, 127, "2021-01-01T14:05:48.297", 0.7213, 1.0786, 0.025),
    "s3a": Orbit("Sentinel-3A", 98.65, 27, 385, "2021-01-01T09:44:30.129", 183.8993, 1.0, 0.023),
    "s3b": Orbit("Sentinel-3B", 98.65, 27, 385, "2021-01-01T10:23:46.510", 174.0810, 1.0, 0.023),
    "c2": Orbit("CryoSat-2", 92.0, 369, 5344, "2016-12-20T08:14:19.267", 306.2173, 0.9434, 0.025),
}
