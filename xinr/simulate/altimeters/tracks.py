"""Along-track data of a known sea surface, in the layout of a DUACS L3 file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Array, Region, Times
from xinr.fields.field import Field
from xinr.geo.cf import STANDARD_NAMES, TRACK_COORDINATES, attributes
from xinr.geo.coordinates import bounds, locate, width_of, within
from xinr.geo.frames import EARTH_RADIUS
from xinr.observations.passes import streams
from xinr.simulate.altimeters.errors import Errors, Passes
from xinr.simulate.altimeters.land import Land, on_land
from xinr.simulate.altimeters.orbits import MISSIONS, Orbit
from xinr.simulate.eddies import GULF_STREAM, MDT_ATTRS, MeanJet

#: The altimeters of early 2021.
CONSTELLATION = ("alg", "h2b", "j3", "s3a", "s3b", "c2")
ERRORS = Errors()
#: A coarse search finds the parts of the orbit near the region: time step [s] and distance [km].
STRIDE, NEAR = 10.0, 111.0

#: Attributes of what is measured.
VARIABLES = {
    "sla_unfiltered": {
        **attributes("m", "sea level anomaly, not filtered", STANDARD_NAMES["sla"]),
        "comment": "already corrected for lwe; [uncorrected sla] = [sla] - [lwe]",
    },
    "mdt": MDT_ATTRS,
    "lwe": attributes("m", "long wavelength error"),
}


def tracks(
    truth: Field,
    missions: Iterable[str] | Mapping[str, Orbit] = CONSTELLATION,
    *,
    region: Region = GULF_STREAM,
    period: tuple[str, str] = ("2021-01-01", "2021-03-01"),
    land: Land | None = None,
    mdt: MeanJet | None = None,
    errors: Errors = ERRORS,
    seed: int = 0,
) -> xr.Dataset:
    """Sample a known sea surface along the passes of altimeters, with their errors.

    Parameters
    ----------
    truth : Field
        Sea level anomalies [m], such as `xinr.simulate.eddies`.
    missions : iterable of str, or mapping of str to Orbit
        Keys of `xinr.simulate.MISSIONS`, or one's own orbits; by default the altimeters of early 2021.
    region : (west, east, south, north)
        Passes are cut to this region [degrees].
    period : (first, last)
        Days, both included.
    land : Dataset, DataArray or callable, optional
        Points on land are left out. A map that is NaN on land, a mask that is True there, or a function of longitude
        and latitude: see `xinr.simulate.on_land`.
    mdt : MeanJet, optional
        Mean dynamic topography; by default a jet along the middle of the region.
    errors : Errors
        Noise, pass biases and slopes, dropouts, missing passes, outages.
    seed : int
        Random seed of the errors; those of one mission do not depend on the other missions.

    Returns
    -------
    Dataset
        Along ``time``, mission after mission, each in order of time: ``sla_unfiltered``, ``mdt``, ``lwe`` [m], and
        the coordinates ``longitude`` [0, 360), ``latitude``, ``mission``. As in DUACS products, ``sla_unfiltered`` is
        corrected for ``lwe``: it is truth + noise + pass bias and slope; NaN where it is missing.

    Raises
    ------
    ValueError
        Unknown mission, a period that ends before it begins, no pass in the region, or a truth that is not an anomaly.

    Examples
    --------
    >>> from xinr.simulate import eddies
    >>> ds = tracks(eddies(), ["j3", "c2"], period=("2021-01-01", "2021-01-10"), errors=Errors(missing_passes=0.1))
    >>> sorted(ds.data_vars), ds.sla_unfiltered.dims
    (['lwe', 'mdt', 'sla_unfiltered'], ('time',))
    """
    orbits = _orbits(missions)
    found = {name: overhead(orbit, region, *bounds(period)) for name, orbit in orbits.items()}
    time, longitude, latitude = (np.concatenate(part) for part in zip(*found.values(), strict=True))
    ds = _points(time, longitude, latitude, np.repeat(list(found), [part[0].size for part in found.values()]))
    if land is not None:
        ds = ds.isel(time=~on_land(land, longitude, latitude))
    if not ds.sizes["time"]:
        raise ValueError(
            f"no pass of {list(orbits)} crosses the sea in {region} in {period}: take a longer period or larger region."
        )
    jet = mdt or MeanJet.across(region)
    levels = errors.levels(list(orbits), {name: orbit.noise for name, orbit in orbits.items()})
    return _observed(truth, ds, jet, errors, levels, seed)


def sample(
    truth: Field,
    positions: xr.Dataset,
    *,
    mdt: MeanJet | None = None,
    errors: Errors = ERRORS,
    seed: int = 0,
) -> xr.Dataset:
    """Sample a known sea surface at the positions of real observations, with their gaps and coasts.

    Parameters
    ----------
    truth : Field
        Sea level anomalies [m].
    positions : Dataset
        Any along-track Dataset, such as from `xinr.open_tracks`; its sea level is not used, nor are its missing values.
    mdt : MeanJet, optional
        Mean dynamic topography; by default the ``mdt`` of the positions, or zero without one.
    errors, seed
        As for `tracks`. Noise must be given for missions that are not in `xinr.simulate.MISSIONS`, and for positions
        without a coordinate ``mission``.

    Returns
    -------
    Dataset
        As from `tracks`, one point for each complete position.

    Raises
    ------
    ValueError
        No coordinates, several dimensions, unknown noise, or a truth that is not an anomaly.

    Examples
    --------
    >>> from xinr.simulate import eddies
    >>> real = tracks(eddies(seed=1), ["s3a"], period=("2021-01-01", "2021-01-05"))
    >>> sample(eddies(seed=2), real[["time"]]).sizes == real.sizes
    True
    """
    axes = [locate(positions, axis) for axis in ("time", "longitude", "latitude")]
    if {axis.dims for axis in axes} != {axes[0].dims[:1]}:
        shapes = {str(axis.name): dict(axis.sizes) for axis in axes}
        raise ValueError(
            f"positions must be along a track, time, longitude and latitude of one dimension: got {shapes}."
        )
    known = np.logical_and.reduce([axis.notnull().values for axis in axes])
    positions = positions.isel({axes[0].dims[0]: known})
    time, longitude, latitude = (axis.values[known] for axis in axes)
    mission = positions["mission"].values.astype(str) if "mission" in positions else None
    ds = _points(time.astype("datetime64[ns]"), longitude.astype(float), latitude.astype(float), mission)
    own = positions["mdt"].values.astype(float) if mdt is None and "mdt" in positions else None
    levels = errors.levels([""] if mission is None else np.unique(mission).tolist())
    return _observed(truth, ds, mdt if own is None else own, errors, levels, seed)


def overhead(orbit: Orbit, region: Region, start: np.datetime64, stop: np.datetime64) -> tuple[Times, Array, Array]:
    """Return time, longitude and latitude of the points sampled in the region, each (n,)."""
    step = np.timedelta64(round(orbit.sampling * 1e9), "ns")
    stride = max(int(STRIDE / orbit.sampling), 1)
    coarse = np.arange(0, (stop - start) // step, stride)
    near = coarse[within(*orbit.ground_track(start + coarse * step), around(region, NEAR))]
    index = (near[:, None] + np.arange(stride)).ravel()
    time = (start + index * step).astype("datetime64[ns]")
    longitude, latitude = orbit.ground_track(time)
    inside = within(longitude, latitude, region) & (time < stop)
    return time[inside], longitude[inside], latitude[inside]


def check_anomaly(truth: Field) -> None:
    """Raise ValueError for a truth that includes the mean dynamic topography."""
    if not truth.is_anomaly:
        raise ValueError(
            f"the truth must be a sea level anomaly, got {truth.name!r}: subtract its mean first, as in "
            "xinr.MapField.of((ds.ssh - ds.ssh.mean('time')).rename('sla'))."
        )


def _orbits(missions: Iterable[str] | Mapping[str, Orbit]) -> dict[str, Orbit]:
    if isinstance(missions, Mapping):
        return dict(missions)
    names = [missions] if isinstance(missions, str) else list(missions)
    unknown = sorted(set(names) - set(MISSIONS))
    if unknown or not names:
        raise ValueError(f"unknown missions {unknown}: expected some of {sorted(MISSIONS)}, or a mapping to Orbit.")
    return {name: MISSIONS[name] for name in names}


def around(region: Region, distance: float) -> Region:
    """Return a region that reaches further by a distance [km]."""
    west, _, south, north = region
    buffer = np.degrees(distance / EARTH_RADIUS)
    buffer_east = buffer / np.cos(np.radians(min(max(abs(south), abs(north)) + buffer, 89.0)))
    width = min(width_of(region) + 2.0 * buffer_east, 360.0)
    return west - buffer_east, west - buffer_east + width, max(south - buffer, -90.0), min(north + buffer, 90.0)


def _points(time: Times, longitude: Array, latitude: Array, mission: NDArray[np.str_] | None) -> xr.Dataset:
    columns = {"time": time, "longitude": longitude, "latitude": latitude}
    coords: dict[str, Any] = {name: ("time", each, TRACK_COORDINATES[name]) for name, each in columns.items()}
    if mission is not None:
        coords["mission"] = ("time", mission, {"long_name": "altimeter"})
    return xr.Dataset(coords=coords)


def _observed(
    truth: Field, ds: xr.Dataset, mdt: MeanJet | Array | None, errors: Errors, levels: Mapping[str, float], seed: int
) -> xr.Dataset:
    """Add what the altimeters measure at the points."""
    check_anomaly(truth)
    lwe, other = np.zeros((2, ds.sizes["time"]))
    for name, noise in levels.items():
        own = ds["mission"].values == name if "mission" in ds.coords else slice(None)
        lwe[own], other[own] = _errors_of(name, ds.isel(time=own), errors, noise, seed)
    if isinstance(mdt, MeanJet):
        mdt = mdt.at(ds["longitude"].values, ds["latitude"].values)
    columns = {
        "sla_unfiltered": truth.interp(ds)[truth.name].values + other,
        "mdt": np.zeros_like(lwe) if mdt is None else mdt,
        "lwe": lwe,
    }
    ds = ds.assign({name: ("time", column, VARIABLES[name]) for name, column in columns.items()})
    return ds.assign_attrs(Conventions="CF-1.11", title="Simulated along-track sea level anomalies", seed=seed)


def _errors_of(name: str, ds: xr.Dataset, errors: Errors, noise: float, seed: int) -> Array:
    """Return ``lwe`` and the remaining errors of one mission (2, n), NaN where data are missing."""
    drawn = np.zeros((2, ds.sizes["time"]))
    time, longitude, latitude = (ds[key].values for key in ("time", "longitude", "latitude"))
    if not time.size:
        return drawn
    stream = np.zeros(time.size, dtype=np.int64) if name else streams(time, longitude, latitude)
    order = np.lexsort([time, stream])
    passes = Passes.of(stream[order], time[order], longitude[order], latitude[order])
    drawn[:, order] = errors.draw(noise, passes, np.random.default_rng([seed, *name.encode()]))
    if name in errors.outages:
        start, stop = bounds(errors.outages[name])
        drawn[1, (time >= start) & (time < stop)] = np.nan
    return drawn
