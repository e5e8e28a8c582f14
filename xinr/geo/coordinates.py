"""Longitude, latitude and time of any Dataset, conventions of longitude, regions and periods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from xinr._typing import Region
from xinr.geo.times import decoded, is_time

Axis = Literal["longitude", "latitude", "time"]

# In order of preference, compared in lower case. Not x, y and t: they may be metres of a projection, or temperature.
NAMES: dict[Axis, tuple[str, ...]] = {
    "longitude": ("longitude", "lon", "nav_lon", "longitudes", "lons", "glam"),
    "latitude": ("latitude", "lat", "nav_lat", "latitudes", "lats", "gphi"),
    "time": ("time", "times", "date", "datetime"),
}


def locate(data: xr.Dataset | xr.DataArray, axis: Axis, of: xr.DataArray | None = None) -> xr.DataArray:
    """Return the variable that holds one of the three coordinates.

    CF attributes (``standard_name``, ``units``, ``axis``) come first, usual names second. The only variable of times
    is the time, whatever its name.

    Parameters
    ----------
    data : Dataset or DataArray
        Tracks, a grid, or coordinates alone.
    axis : {"longitude", "latitude", "time"}
        Coordinate.
    of : DataArray, optional
        Whose coordinate: its attribute ``coordinates`` decides, then its dimensions, then the ending of its name
        (``lat_40hz`` of ``ssha_40hz``). A DataArray is searched for its own.

    Returns
    -------
    DataArray
        Longitude and latitude in degrees, time as ``datetime64``; Julian dates are converted exactly.

    Raises
    ------
    ValueError
        No candidate, several, or a time that is not decoded.
    TypeError
        A longitude or latitude that is no number.

    Examples
    --------
    >>> import xarray as xr
    >>> locate(xr.Dataset({"LON": ("obs", [359.0])}), "longitude").name
    'LON'
    """
    names = find(data, axis, of)
    if not names:
        known = sorted(str(name) for name in _as_dataset(data).variables)
        one = " Of a single time: ds.assign_coords(time=np.datetime64('2021-02-01', 'ns'))." if axis == "time" else ""
        raise ValueError(
            f"no {axis} found: expected a variable with CF attributes (standard_name={axis!r}) or one of the "
            f"names {list(NAMES[axis])}, got the variables {known}. Rename it: ds.rename(<name>={axis!r}).{one}"
        )
    if len(names) > 1:
        raise ValueError(
            f"{axis} is ambiguous: it may be any of {names}. Drop the others, ds.drop_vars(...), "
            f"or give the right one the name {axis!r}."
        )
    found = _as_dataset(data)[names[0]]
    return decoded(found) if axis == "time" else _in_degrees(found)


def find(data: xr.Dataset | xr.DataArray, axis: Axis, of: xr.DataArray | None = None) -> list[str]:
    """Return the names that may be the coordinate: none, one, or several of equal rank; see `locate`."""
    of = data if of is None and isinstance(data, xr.DataArray) else of
    ds = _as_dataset(data)
    pool = candidates(ds, axis)
    if of is None:
        return _named(pool, axis) or pool
    names = [str(name) for name in ds.variables]
    alike = _named(names, axis, _endings(of))
    own = _along(ds, dict.fromkeys([*alike, *pool, *_named(names, axis)]), of) or pool
    declared = [name for name in own if name in pool] or own
    return [name for name in alike if name in own] or _named(declared, axis) or declared


def candidates(ds: xr.Dataset, axis: Axis) -> list[str]:
    """Return all variables that CF attributes declare as a coordinate, else the one of a usual name, else all times.

    A single time does not count beside an axis of times: that of a forecast's start, beside those that it is valid at.
    """
    from cf_xarray.criteria import coordinate_criteria

    criteria = coordinate_criteria[axis].items()
    attrs = {str(name): variable.attrs for name, variable in ds.variables.items()}
    found = [name for name, each in attrs.items() if any(each.get(key) in values for key, values in criteria)]
    found = found or _named([*attrs], axis)
    if axis != "time":
        return found
    return [name for name in found if ds.variables[name].ndim] or _times(ds) or found


def _along(ds: xr.Dataset, names: Iterable[str], height: xr.DataArray) -> list[str]:
    """Return which coordinates a variable lists, or else those of its dimensions; of these, those of the most."""
    listed = str(height.attrs.get("coordinates", height.encoding.get("coordinates", ""))).split()
    own = {name: ds.variables[name].ndim for name in names if set(ds.variables[name].dims) <= set(height.dims)}
    own = {name: ndim for name, ndim in own.items() if name in listed} or own
    return [name for name, ndim in own.items() if ndim == max(own.values())]


def _named(names: list[str], axis: Axis, endings: tuple[str, ...] = ("",)) -> list[str]:
    """Return the first of those names that are usual for the coordinate, with one of some endings: none, or one."""
    lower = {name.lower(): name for name in names}
    return [lower[usual + end] for end in endings for usual in NAMES[axis] if usual + end in lower][:1]


def _endings(height: xr.DataArray) -> tuple[str, ...]:
    """Return how the coordinates of a sampling may end, as its height does: "_20_ku", "_ku" of ``ssha_20_ku``."""
    words = str(height.name).lower().split("_")
    return tuple("_" + "_".join(words[start:]) for start in range(1, len(words)))


def _times(ds: xr.Dataset) -> list[str]:
    """Return the axes of time, or else the other variables of times."""
    times = [str(name) for name, variable in ds.variables.items() if is_time(variable)]
    axes = [name for name in times if ds.variables[name].dims == (name,)]
    return axes or [name for name in times if ds.variables[name].ndim] or times


def _in_degrees(angle: xr.DataArray) -> xr.DataArray:
    if angle.dtype.kind not in "fiu":
        raise TypeError(
            f"{angle.name} must hold numbers [degrees], got {angle.dtype}: convert it, "
            f"ds.assign_coords({angle.name}=ds[{str(angle.name)!r}].astype(float))."
        )
    units = str(angle.attrs.get("units", "degrees"))
    if not units.lower().startswith("deg") and units != "°":
        raise ValueError(f"{angle.name} must be in degrees, got units {units!r}. Convert it and set its units.")
    return angle


def _as_dataset(data: xr.Dataset | xr.DataArray) -> xr.Dataset:
    return data.coords.to_dataset() if isinstance(data, xr.DataArray) else data


def wrap(longitude: ArrayLike, origin: float) -> NDArray[np.float64]:
    """Shift longitudes [degrees] by whole turns into ``[origin - 180, origin + 180)``.

    Examples
    --------
    >>> wrap([359.0, 2.0], origin=0.0)
    array([-1.,  2.])
    """
    turned = np.asarray(longitude, dtype=np.float64)
    return turned - 360.0 * np.floor((turned - origin + 180.0) / 360.0)


def central_longitude(longitude: ArrayLike) -> float:
    """Return the mid-longitude [degrees] of the shortest arc that contains every point.

    The mean of longitudes on both sides of the dateline would be near 0 degrees.

    Examples
    --------
    >>> central_longitude([178.0, -178.0])
    180.0
    """
    turned = np.sort(np.unique(np.mod(np.asarray(longitude, dtype=np.float64), 360.0)))
    gaps = np.diff(turned, append=turned[0] + 360.0)
    widest = int(np.argmax(gaps))
    start = turned[(widest + 1) % turned.size]
    return float(np.mod(start + (360.0 - gaps[widest]) / 2.0, 360.0))


def width_of(region: Region) -> float:
    """Return the width of a region (west, east, south, north) [degrees]: 360 around the globe.

    Examples
    --------
    >>> width_of((350.0, 5.0, -1.0, 1.0)), width_of((0.0, 360.0, -1.0, 1.0))
    (15.0, 360.0)
    """
    return (region[1] - region[0]) % 360.0 or 360.0


def within(longitude: ArrayLike, latitude: ArrayLike, region: Region, buffer: float = 0.0) -> NDArray[np.bool_]:
    """Return which points lie in (west, east, south, north), at least ``buffer`` degrees from its edges.

    Any convention of longitude, the dateline included; a region of 360 degrees has no edge to the east or west.

    Examples
    --------
    >>> within([179.5, -179.5, 0.0], [0.0, 0.0, 0.0], (179, 181, -1, 1))
    array([ True,  True, False])
    """
    check_region(region)
    west, east, south, north = region
    width = (east - west) % 360.0
    eastward = (np.asarray(longitude, dtype=np.float64) - west) % 360.0
    inside = (np.asarray(latitude) >= south + buffer) & (np.asarray(latitude) <= north - buffer)
    return np.asarray(inside & ((width == 0.0) | (eastward >= buffer) & (eastward <= width - buffer)))


def widened(region: Region, buffer: float) -> Region:
    """Return (west, east, south, north) with its edges moved out by a buffer [degrees], not beyond the poles.

    Examples
    --------
    >>> widened((295, 305, -90, 43), 1.0)
    (294.0, 306.0, -90.0, 44.0)
    """
    west, east, south, north = region
    return west - buffer, east + buffer, max(south - buffer, -90.0), min(north + buffer, 90.0)


def check_region(region: Region) -> None:
    """Raise ValueError unless the region is (west, east, south, north) in degrees."""
    if len(region) != 4 or not (-90 <= region[2] < region[3] <= 90 and 0 < abs(region[1] - region[0]) <= 360):
        raise ValueError(
            f"region must be (west, east, south, north) in degrees with south < north, got {region}: "
            "for instance (295, 305, 33, 43)."
        )


def bounds(period: tuple[str, str]) -> tuple[np.datetime64, np.datetime64]:
    """Return the times at which a period of days, both included, begins and ends."""
    first, last = (np.datetime64(day, "D") for day in period)
    if last < first:
        raise ValueError(f"period must be (first, last) day, got {period}, which ends before it begins.")
    return first.astype("datetime64[ns]"), (last + np.timedelta64(1, "D")).astype("datetime64[ns]")


def strictly_monotonic(values: NDArray[Any]) -> bool:
    """Return whether values (n,), of numbers or times, increase or decrease throughout, without repeats."""
    steps = np.diff(values)
    zero = np.zeros(1, steps.dtype)
    return bool(np.all(steps > zero) or np.all(steps < zero))


def is_grid(data: xr.Dataset | xr.DataArray) -> bool:
    """Return whether longitude and latitude span a grid, not a track: none of the one shares the other's dimensions."""
    ds = _as_dataset(data)
    longitudes, latitudes = ({ds[name].dims for name in find(data, axis)} for axis in ("longitude", "latitude"))
    if not (longitudes and latitudes):
        locate(data, "latitude" if longitudes else "longitude")  # raises
    return not longitudes & latitudes
