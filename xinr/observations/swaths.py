"""Swaths, as of SWOT: their lines and pixels as points of altimetry, flags applied, nadir samples apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Array, Region
from xinr.geo.coordinates import Axis, find, locate, within
from xinr.geo.times import check_years, is_time
from xinr.observations.cross_track import cross_track_distance, in_kilometres
from xinr.observations.units import metres_in
from xinr.observations.variables import COMPANIONS, HEIGHTS, is_anomaly

#: Names of sea level anomalies in SWOT files, the preferred first: L3 of 2.0 and later, 1.0, 0.3; L2.
SWATH_HEIGHTS = ("ssha_unfiltered", "ssha", "ssha_noiseless", "ssha_filtered", "ssha_karin_2", "ssha_karin")
#: Heights of L2 files, which lack the correction of their crossovers.
UNCALIBRATED = ("ssha_karin", "ssha_karin_2", "ssh_karin", "ssh_karin_2")
CROSSOVERS = "height_cor_xover"
HEIGHT_NAMES = ("sla", "ssh", "adt")
#: Dimensions of SWOT files: along and across the track.
DIMENSIONS = ("num_lines", "num_pixels")
POSITION: tuple[Axis, Axis] = ("longitude", "latitude")
#: Closer to the ground track lie samples of the nadir altimeter, and none of the interferometer [km].
NADIR = 5.0
ACROSS = {"units": "km", "long_name": "distance from the ground track, positive to the right of the flight"}


def is_swath(ds: xr.Dataset | xr.DataArray) -> bool:
    """Return whether positions are on lines and pixels: two dimensions, and a time, if any, along one of them.

    With a time for each point they are high-rate samples, unless their dimensions are those of SWOT.

    Examples
    --------
    >>> from xinr.simulate import eddies, swath
    >>> is_swath(swath(eddies(waves=9), spacing=25.0, period=("2021-01-01", "2021-01-04")))
    True
    """
    if not find(ds, "longitude") or not find(ds, "latitude"):
        return False
    dims = set(_position(ds, "latitude").dims)
    if len(dims) != 2 or set(_position(ds, "longitude").dims) != dims:
        return False
    whole = ds.to_dataset(name="height") if isinstance(ds, xr.DataArray) else ds
    times = [set(each.dims) for each in whole.variables.values() if each.ndim and is_time(each)]
    by_pixel = min(whole.sizes[dim] for dim in dims) > 1 and dims not in times
    return dims == set(DIMENSIONS) or (by_pixel and any(of_time < dims for of_time in times))


def unrolled(ds: xr.Dataset, names: Sequence[str] | None = None) -> xr.Dataset:
    """Return the pixels of a swath as points along ``time``, in the layout of nadir tracks.

    Parameters
    ----------
    ds : Dataset
        Lines by pixels: SWOT L3 or L2 LR SSH of any version, or any other with longitude and latitude of two
        dimensions, and time along the lines, at every pixel, or one for all.
    names : sequence of str, optional
        Variables to keep, the height first; by default all in metres.

    Returns
    -------
    Dataset
        Pixels with a height, line after line, then the nadir samples: coordinates ``time``, ``longitude``,
        ``latitude``, ``mission`` ("swot" and "swot_nadir"); the variables, ``cross_track_distance`` [km, positive to
        the right of the flight, NaN at the nadir], ``cycle`` and ``pass`` where the file's name or attributes tell.

    Raises
    ------
    ValueError
        No time, no height; heights of L2 without the correction of crossovers.

    Notes
    -----
    1. Pixels are kept where ``quality_flag``, or ``<height>_qual`` of L2, is zero; without that variable, all are.
    2. ``height_cor_xover`` is added to the heights of L2, where its own flag is zero.
    3. Within 5 km of the ground track, and at (i_num_line, i_num_pixel), are samples of the nadir altimeter.

    References
    ----------
    SWOT L3 LR SSH: doi:10.24400/527896/A01-2023.018; SWOT L2 LR SSH: product description JPL D-56407, section 4.1.8

    Examples
    --------
    >>> from xinr.simulate import eddies, swath
    >>> points = unrolled(swath(eddies(waves=9), spacing=25.0, period=("2021-01-01", "2021-01-04")))
    >>> points.sla_unfiltered.dims, sorted(points.data_vars)
    (('time',), ['cross_track_distance', 'lwe', 'mdt', 'sla_unfiltered'])
    """
    dims = _dims(ds)
    ds = _without_single_dimensions(ds, dims)
    across = _cross_track(ds, dims)
    listed = _listed(ds, dims)
    nadir = listed | (np.abs(across) < NADIR)
    kept = [str(name) for name, array in ds.data_vars.items() if set(array.dims) == set(dims) and _kept(array, names)]
    heights = list(names[:1]) if names else [name for name in kept if name.startswith(HEIGHT_NAMES)]
    if not set(heights) & set(kept):
        raise ValueError(
            f"no height on lines and pixels {dims}: expected one of {heights or list(SWATH_HEIGHTS)}, got "
            f"{sorted(map(str, ds.data_vars))}. Name it: variable=<name>."
        )
    columns = {name: _flagged(ds, name, dims, listed) for name in kept if name != CROSSOVERS}
    present = np.logical_or.reduce([~np.isnan(columns[name]) for name in heights], axis=0).ravel()
    nadir = nadir.ravel()[present]
    order = np.argsort(nadir, kind="stable")  # the swath first, then the nadir samples

    def points(array: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(array.ravel()[present][order])

    position = {str(axis): _position(ds, axis).transpose(*dims) for axis in POSITION}
    name = _mission(ds)
    variables = {key: ("time", points(column), ds[key].attrs) for key, column in columns.items()}
    distance = np.where(nadir[order], np.nan, points(across))
    variables["cross_track_distance"] = ("time", distance, ACROSS)
    for key, number in _numbers(ds, dims).items():
        variables[key] = ("time", points(np.broadcast_to(number, across.shape)), {})
    coords = {axis: ("time", points(each.values), each.attrs) for axis, each in position.items()}
    coords["time"] = ("time", points(_times(ds, dims)), {"standard_name": "time"})
    coords["mission"] = ("time", np.where(nadir[order], f"{name}_nadir", name), {})
    return xr.Dataset(variables, coords, ds.attrs)


def swath_height(ds: xr.Dataset) -> str | None:
    """Return the sea level that is mapped of a swath unless told: none where it is of no file of SWOT."""
    return next((name for name in (HEIGHTS[0], *SWATH_HEIGHTS) if name in ds), None)


def with_one_height(ds: xr.Dataset, variable: str | None) -> tuple[xr.Dataset, str | None, str | None]:
    """Return points that have one height for nadir missions and swaths, its name, and of which variables it is made.

    Files of SWOT name their heights otherwise than those of other missions: a mission without any value of the variable
    is given the anomaly that it has. The names are None where nothing was chosen.
    """
    known = [name for name in (HEIGHTS[0], *SWATH_HEIGHTS) if name in ds]
    if CROSSOVERS in ds and (variable or (known or [""])[0]) in UNCALIBRATED:
        raise ValueError(
            f"{variable or known[0]} was stacked without {CROSSOVERS!r}, up to metres: give the swath as it is, "
            "lines by pixels, or its points, xinr.observations.unrolled(ds)."
        )
    if "cross_track_distance" not in ds or not known:
        return ds, variable, variable
    base = variable or known[0]
    if "mission" not in ds or base not in ds or not is_anomaly(base, ds[base].attrs.get("standard_name")):
        return ds, base, base
    dimension = ds[base].dims
    missions, index = np.unique(np.broadcast_to(ds["mission"].values, ds[base].shape), return_inverse=True)
    height, used = ds[base].values.astype(np.float64), {base}
    for number in range(len(missions)):
        own = index == number
        for name in (base, *known):
            if ds[name].dims == dimension and np.isfinite(ds[name].values[own]).any():
                height[own] = ds[name].values[own]
                used.add(name)
                break
    return ds.assign({base: (dimension, height, ds[base].attrs)}), base, " or ".join(sorted(used, key=len))


def lines_within(ds: xr.Dataset, region: Region) -> xr.Dataset:
    """Return a swath from the first to the last line that reaches into a region: few of those of a half orbit."""
    along, across = _dims(ds)
    longitude, latitude = (_position(ds, axis).transpose(along, across).values for axis in POSITION)
    found = np.flatnonzero(within(longitude, latitude, region).any(axis=1))
    first, last = (found[0], found[-1] + 1) if len(found) else (0, 0)
    listed = {"i_num_line": ds["i_num_line"].astype(np.int64) - first} if "i_num_line" in ds else {}
    return ds.assign(listed).isel({along: slice(first, last)})


def _position(ds: xr.Dataset | xr.DataArray, axis: Axis) -> xr.DataArray:
    """Return the longitude or latitude of the pixels, not that of the nadir beside them."""
    pixels = None
    if isinstance(ds, xr.Dataset):
        pixels = next((array for array in ds.data_vars.values() if array.ndim == len(DIMENSIONS)), None)
    return locate(ds, axis, pixels)


def _dims(ds: xr.Dataset) -> tuple[str, str]:
    """Return the dimensions along and across the track."""
    dims = [str(dim) for dim in _position(ds, "latitude").dims]
    times = find(ds, "time")
    along = str(ds[times[0]].dims[0]) if times and ds[times[0]].ndim == 1 else DIMENSIONS[0]
    if along not in dims:
        along = max(dims, key=lambda dim: ds.sizes[dim])
    return along, next(dim for dim in dims if dim != along)


def _without_single_dimensions(ds: xr.Dataset, dims: tuple[str, str]) -> xr.Dataset:
    """Leave out the dimensions of size 1 that variables have beside lines and pixels."""
    further = {dim for each in ds.variables.values() if set(each.dims) > set(dims) for dim in each.dims} - set(dims)
    return ds.squeeze([dim for dim in further if ds.sizes[dim] == 1])


def _kept(array: xr.DataArray, names: Sequence[str] | None) -> bool:
    if names is not None:
        return str(array.name) in names
    length = metres_in(array.attrs.get("units", "m")) is not None
    return array.dtype.kind == "f" and length and array.name != "cross_track_distance"


def _flagged(ds: xr.Dataset, name: str, dims: tuple[str, str], listed: NDArray[np.bool_]) -> NDArray[Any]:
    """Return a variable (lines, pixels), NaN where its flags are not those of good data, L2 with its crossovers."""
    values: NDArray[Any] = ds[name].transpose(*dims).values
    values = values if values.dtype.kind == "f" else values.astype(np.float64)
    if name in UNCALIBRATED:
        if CROSSOVERS not in ds:
            raise ValueError(
                f"{name} is not corrected for what crossovers tell of the roll, up to metres, and {CROSSOVERS!r} is "
                f"missing: open the whole file, or add the correction and say so by another name, "
                f"ds['ssha'] = ds[{name!r}] + correction; ds = ds.drop_vars({name!r})."
            )
        values = values + _flagged(ds, CROSSOVERS, dims, listed)
    flag = f"{name}_qual" if f"{name}_qual" in ds else "quality_flag"
    if flag not in ds or name in COMPANIONS:
        return values
    good = ds[flag].transpose(*dims).values == 0
    if flag == "quality_flag":  # of the interferometer
        good |= listed
    return np.where(good, values, np.array(np.nan, values.dtype))


def _listed(ds: xr.Dataset, dims: tuple[str, str]) -> NDArray[np.bool_]:
    """Return which pixels (lines, pixels) the file lists as samples of the nadir altimeter."""
    listed = np.zeros(tuple(ds.sizes[dim] for dim in dims), dtype=bool)
    if "i_num_line" in ds and "i_num_pixel" in ds:
        line, pixel = (ds[name].values.astype(np.int64) for name in ("i_num_line", "i_num_pixel"))
        there = (line >= 0) & (line < listed.shape[0]) & (pixel >= 0) & (pixel < listed.shape[1])
        listed[line[there], pixel[there]] = True
    return listed


def _cross_track(ds: xr.Dataset, dims: tuple[str, str]) -> Array:
    """Return the distance from the ground track (lines, pixels) [km], from the file, else from the positions."""
    shape = tuple(ds.sizes[dim] for dim in dims)
    across = np.full(shape, np.nan)
    if "cross_track_distance" in ds:
        given = ds["cross_track_distance"].astype(np.float64)
        missing = [dim for dim in dims if dim not in given.dims]
        across = in_kilometres(given.expand_dims({dim: ds.sizes[dim] for dim in missing}).transpose(*dims).values)
    if np.isnan(across).any():
        longitude, latitude = (_position(ds, axis).transpose(*dims).values for axis in POSITION)
        longitude, latitude = (np.where(np.abs(angle) <= 360.0, angle, np.nan) for angle in (longitude, latitude))
        line = np.repeat(np.arange(shape[0]), shape[1])
        found = cross_track_distance(longitude.ravel(), latitude.ravel(), line).reshape(shape)
        across = np.where(np.isnan(across), found, across)
    return across


def _times(ds: xr.Dataset, dims: tuple[str, str]) -> NDArray[np.datetime64]:
    if not find(ds, "time"):
        raise ValueError(
            "no time found: expected one for each line of the swath, or one for all. Give it: "
            "ds.assign_coords(time=np.datetime64('2023-03-28T12:00')), or time=('num_lines', times)."
        )
    time = locate(ds, "time")
    time = time if set(time.dims) <= set(dims) else time.squeeze()
    missing = {dim: ds.sizes[dim] for dim in dims if dim not in time.dims}
    return check_years(time.expand_dims(missing).transpose(*dims).values, time.name)


def _numbers(ds: xr.Dataset, dims: tuple[str, str]) -> dict[str, NDArray[np.int64]]:
    """Return cycle and pass, of variables along the lines, else of the file's name, else of its attributes."""
    names = ("cycle", "pass")
    if all(name in ds and ds[name].dims == dims[:1] for name in names):
        return {name: ds[name].values.astype(np.int64)[:, None] for name in names}
    file = re.search(r"SWOT_L\d_\w+?_(\d{3})_(\d{3})_\d{8}T", Path(str(ds.encoding.get("source", ""))).name)
    if file:
        return {name: np.array(int(number)) for name, number in zip(names, file.groups(), strict=True)}
    if all(f"{name}_number" in ds.attrs for name in names):
        return {name: np.array(int(ds.attrs[f"{name}_number"])) for name in names}
    return {}


def _mission(ds: xr.Dataset) -> str:
    if "mission" in ds and ds["mission"].ndim == 0:
        return str(ds["mission"].item())
    said = " ".join(str(ds.attrs.get(key, "")) for key in ("platform", "mission_name", "title"))
    layout = any(name in ds for name in (*SWATH_HEIGHTS, "num_nadir", "i_num_line"))
    return "swot" if layout or "swot" in said.lower() else "swath"
