"""Ground tracks of altimeters: circular orbits, from inclination and repeat cycle alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array

# WGS 84 and EGM96 [km, s].
GRAVITY = 398_600.4418
FLATTENING = 1.0 / 298.257223563
EQUATOR_RADIUS = 6378.137
J2 = 1.08262668e-3

DAY = 86_400.0


@dataclass(frozen=True)
class Orbit:
    """A circular orbit, and the sampling of its altimeter.

    Parameters
    ----------
    name : str
        Name of the satellite.
    inclination : float
        Degrees, above 90 for a retrograde orbit.
    cycle : float
        Duration of ``revolutions`` revolutions, from node to node [days].
    revolutions : int
        Revolutions in a cycle.
    turns : float
        Rotations of the Earth relative to the orbital plane in a cycle (nodal days). With a whole number the ground
        track repeats; with any other it drifts.
    node_time : str
        Time of one ascending equator crossing (UTC).
    node_longitude : float
        Its longitude [degrees east].
    sampling : float
        Time between points [s].
    noise : float
        Standard deviation of the white noise of one point [m].

    Notes
    -----
    The argument of latitude grows by ``2π · revolutions / cycle`` and the Earth rotates beneath the orbital plane by
    ``2π · turns / cycle``, which includes the precession of the node. The semi-major axis follows from this rate of the
    argument, ``n (1 + k (4 cos² i - 1))`` with ``k = 3/2 J2 (R/a)²`` and the mean motion n; only the geodetic latitude
    depends on it. The eccentricity of altimeters, 0.001, would shift points by up to 14 km along the track, and the
    track itself hardly at all.

    References
    ----------
    Capderou (2014), Handbook of Satellite Orbits, doi:10.1007/978-3-319-03416-4

    Examples
    --------
    >>> jason = MISSIONS["j3"]
    >>> round(jason.period), round(jason.altitude), round(jason.spacing, 2)
    (6746, 1336, 2.83)
    """

    name: str
    inclination: float
    cycle: float
    revolutions: int
    turns: float
    node_time: str
    node_longitude: float
    sampling: float
    noise: float

    @property
    def period(self) -> float:
        """Time from one ascending node to the next [s]."""
        return self.cycle * DAY / self.revolutions

    @property
    def spacing(self) -> float:
        """Distance between neighbouring ascending tracks of a whole cycle [degrees of longitude]."""
        return 360.0 / self.revolutions

    @cached_property
    def semi_major_axis(self) -> float:
        """Semi-major axis [km]."""
        rate, cosine = 2.0 * np.pi / self.period, np.cos(np.radians(self.inclination))
        axis = EQUATOR_RADIUS + 1000.0
        for _ in range(
            10
        ):  # Kepler's law, with the drift of the previous estimate: two digits or more for each iteration
            k = 1.5 * J2 * (EQUATOR_RADIUS / axis) ** 2
            motion = rate / (1.0 + k * (4.0 * cosine**2 - 1.0))
            axis = float((GRAVITY / motion**2) ** (1.0 / 3.0))
        return axis

    @property
    def altitude(self) -> float:
        """Height above the equator's radius [km]."""
        return self.semi_major_axis - EQUATOR_RADIUS

    def ground_track(self, time: NDArray[np.datetime64]) -> tuple[Array, Array]:
        """Return longitude [0, 360) and geodetic latitude [degrees] beneath the satellite at times (n,)."""
        seconds = (time - np.datetime64(self.node_time, "ns")) / np.timedelta64(1, "s")
        argument = 2.0 * np.pi / self.period * seconds
        turned = 2.0 * np.pi * self.turns / (self.cycle * DAY) * seconds
        tilt = np.radians(self.inclination)
        geocentric = np.arcsin(np.sin(tilt) * np.sin(argument))
        eastward = np.arctan2(np.cos(tilt) * np.sin(argument), np.cos(argument)) - turned
        longitude = np.mod(self.node_longitude + np.degrees(eastward), 360.0)
        return longitude, np.degrees(self._geodetic(geocentric))

    def _geodetic(self, geocentric: Array) -> Array:
        """Convert the satellite's geocentric latitude to the geodetic latitude of its nadir [rad]."""
        squared = FLATTENING * (2.0 - FLATTENING)
        return np.asarray(np.arctan(np.tan(geocentric) / (1.0 - squared * EQUATOR_RADIUS / self.semi_major_axis)))


#: Altimeters by their names in DUACS files. Inclination and repeat cycle: CNES/AVISO mission pages and the CEOS
#: database. Nodes, sampling, and the drift of AltiKa (adrift since July 2016): fitted to the passes of DUACS files of
#: January to March 2021; of CryoSat-2, to those of December 2016, before its orbit was raised. By construction:
#: Sentinel-3B flies 140 degrees of arc behind Sentinel-3A, Sentinel-6A 30 s behind Jason-3, the interleaved Jason-3
#: half a track spacing away and half a cycle later. The node of SWOT is arbitrary. Noise of 1 Hz points: 2-3 cm.
MISSIONS: dict[str, Orbit] = {
    "alg": Orbit("SARAL/AltiKa", 98.55, 35.004997, 501, 35.00507, "2021-01-01T04:35:08.953", 19.9163, 1.0560, 0.020),
    "h2b": Orbit("HaiYang-2B", 99.34, 14.00005, 193, 14, "2021-01-02T05:52:14.697", 182.9782, 1.0240, 0.028),
    "j3": Orbit("Jason-3", 66.04, 9.915643, 127, 10, "2021-01-01T14:05:47.214", 0.7117, 1.0786, 0.025),
    "j3n": Orbit("Jason-3 interleaved", 66.04, 9.915643, 127, 10, "2021-01-06T13:05:02.992", 2.1290, 1.0786, 0.025),
    "s6a": Orbit("Sentinel-6A", 66.04, 9.915643, 127, 10, "2021-01-01T14:06:17.214", 0.7117, 1.0, 0.023),
    "s3a": Orbit("Sentinel-3A", 98.65, 27.0, 385, 27, "2021-01-01T09:44:34.456", 183.9068, 1.0, 0.023),
    "s3b": Orbit("Sentinel-3B", 98.65, 27.0, 385, 27, "2021-01-01T10:23:50.820", 174.0886, 1.0, 0.023),
    "c2": Orbit("CryoSat-2", 92.0, 368.237, 5344, 369, "2016-12-20T08:14:19.267", 306.2173, 0.9434, 0.025),
    "swon": Orbit("SWOT nadir", 77.6, 20.86455, 292, 21, "2021-01-01T00:00:00", 0.0, 1.0, 0.023),
}
