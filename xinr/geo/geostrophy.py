"""Geostrophic surface currents: velocity, vorticity, strain, kinetic energy."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from xinr.geo.cf import attributes
from xinr.geo.coordinates import locate
from xinr.geo.frames import EARTH_RADIUS

#: Standard gravity [m/s²].
GRAVITY = 9.80665
#: Angular velocity of the Earth [rad/s].
EARTH_SPIN = 7.292115e-5
#: Geostrophic currents are not defined nearer to the equator [degrees].
EQUATORIAL = 5.0
VELOCITY = "surface_geostrophic_{}ward_sea_water_velocity"
ANOMALY = VELOCITY + "_assuming_mean_sea_level_for_geoid"
#: Units, long name and CF standard name.
MEANINGS = {
    "ugosa": ("m s-1", "eastward geostrophic current anomaly", ANOMALY.format("east")),
    "vgosa": ("m s-1", "northward geostrophic current anomaly", ANOMALY.format("north")),
    "ugos": ("m s-1", "eastward geostrophic current", VELOCITY.format("east")),
    "vgos": ("m s-1", "northward geostrophic current", VELOCITY.format("north")),
    "vorticity": ("s-1", "relative vorticity of the geostrophic current", "ocean_relative_vorticity"),
    "strain": ("s-1", "rate of strain of the geostrophic current"),
    "kinetic_energy": (
        "m2 s-2",
        "kinetic energy per unit mass of the geostrophic current",
        "specific_kinetic_energy_of_sea_water",
    ),
}


def currents(derivatives: Mapping[str, xr.DataArray], *, anomaly: bool) -> dict[str, xr.DataArray]:
    """Return the currents in geostrophic balance with the derivatives of a height.

    Parameters
    ----------
    derivatives : mapping of DataArray
        On the sphere: ``x`` and ``y``, the slopes east and north [m/m], and ``xx``, ``xy``, ``yy``, the second
        derivatives along great circles [1/m], with their latitudes.
    anomaly : bool
        Whether the height is an anomaly, so that its currents are called ``ugosa`` and ``vgosa``.

    Returns
    -------
    dict of DataArray
        Velocity ``ugos``, ``vgos`` [m/s], ``vorticity`` and ``strain`` [1/s], ``kinetic_energy`` [m²/s²]: NaN within
        5 degrees of the equator.

    Notes
    -----
    With f the Coriolis parameter, β = df/dy and h_xx, h_xy, h_yy the covariant second derivatives, those along great
    circles, which hold the metric terms in tan(latitude)/R:

    - ``u = -(g/f) h_y``, ``v = (g/f) h_x``
    - vorticity ``ζ = (g/f) (h_xx + h_yy) + (β/f) u``
    - normal strain ``-2 (g/f) h_xy + (β/f) v``, shear strain ``(g/f) (h_xx - h_yy) - (β/f) u``, and the root of the sum
      of their squares: zero in solid-body rotation
    - kinetic energy ``(u² + v²) / 2``

    References
    ----------
    Gill (1982), Atmosphere-ocean dynamics, chapters 4.12 and 7.6; strain: Okubo (1970),
    doi:10.1016/0011-7471(70)90059-8; equator: Lagerloef et al. (1999), doi:10.1029/1999JC900197, who replace the slopes
    within 5 degrees by smoothed second derivatives, which is not done here.

    Examples
    --------
    >>> one = xr.DataArray([1e-6, 1e-6], {"latitude": [-30.0, 30.0]})
    >>> slopes = {"x": 0 * one, "y": one, "xx": 0 * one, "xy": 0 * one, "yy": 0 * one}
    >>> currents(slopes, anomaly=False)["ugos"].values.round(3)  # rising northward: westward in the north
    array([ 0.134, -0.134])
    """
    f, beta = coriolis(locate(derivatives["x"], "latitude"))
    u, v = geostrophic(derivatives["x"], derivatives["y"])
    xx, xy, yy = (GRAVITY * derivatives[key] / f for key in ("xx", "xy", "yy"))
    turn_u, turn_v = u * beta / f, v * beta / f
    found = {
        "ugosa" if anomaly else "ugos": u,
        "vgosa" if anomaly else "vgos": v,
        "vorticity": xx + yy + turn_u,
        "strain": ((turn_v - 2.0 * xy) ** 2 + (xx - yy - turn_u) ** 2) ** 0.5,
        "kinetic_energy": (u**2 + v**2) / 2.0,
    }
    return {name: each.drop_attrs(deep=False).assign_attrs(attributes(*MEANINGS[name])) for name, each in found.items()}


def geostrophic(east: xr.DataArray, north: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the eastward and the northward geostrophic velocity [m/s]: NaN within 5 degrees of the equator.

    From the eastward and the northward slope of the sea surface [m/m], with their latitudes.

    Examples
    --------
    >>> slope = xr.DataArray([1e-6, 1e-6, 1e-6], {"latitude": [-30.0, 0.0, 30.0]})
    >>> geostrophic(slope, 0 * slope)[1].values.round(3)  # rising eastward: northward in the northern hemisphere
    array([-0.134,    nan,  0.134])
    """
    f, _ = coriolis(locate(east, "latitude"))
    return -GRAVITY * north / f, GRAVITY * east / f


def coriolis(latitude: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the Coriolis parameter [1/s], NaN within 5 degrees of the equator, and its slope northward [1/(m s)]."""
    angle = np.pi / 180.0 * latitude.astype(np.float64)
    sine, cosine = (xr.apply_ufunc(function, angle, dask="allowed") for function in (np.sin, np.cos))
    f = 2.0 * EARTH_SPIN * sine.where(abs(latitude) > EQUATORIAL)
    return f, 2.0 * EARTH_SPIN / (1e3 * EARTH_RADIUS) * cosine
