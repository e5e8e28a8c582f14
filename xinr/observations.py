"""Observations: the points of altimetry tracks, taken out of any along-track Dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr.coordinates import find, locate, wrap
from xinr.passes import number_passes, runs, streams

Array = NDArray[np.float64]

#: What names a sea surface height, in order of preference.
HEIGHTS = ("sla_unfiltered", "sla", "ssh", "adt", "ssha", "sla_filtered")
#: Corrections, flags and counters that come beside it in along-track files.
COMPANIONS = (
    "mdt",
    "lwe",
    "dac",
    "ocean_tide",
    "internal_tide",
    "cycle",
    "track",
    "pass",
    "mission",
    "noise",
)

#: Points further apart than this many sampling steps are not averaged together.
COARSEN_GAP = 4.0


@dataclass(frozen=True, eq=False)
class Observations:
    """Points of along-track data, in the order of mission, then time.

    Parameters
    ----------
    longitude, latitude : ndarray (n,)
        Degrees.
    time : ndarray of datetime64[ns] (n,)
        Time of measurement.
    value : ndarray (n,)
        Height [m].
    pass_index : ndarray of int (n,)
        Pass of each point, from 0: one instrument, no long silence, one direction (ascending or descending).
    mission_index : ndarray of int (n,)
        Mission of each point, an index into ``missions``.
    missions : tuple of str
        Names of the missions; one empty name where the data do not tell.
    noise : ndarray (n,) or None
        Standard deviation of the noise [m], where the data or the caller tell.
    name : str
        "sla", "adt", or the name of the variable.
    dropped : int
        How many points were left out because value, coordinate or correction was missing.
    """

    longitude: Array
    latitude: Array
    time: NDArray[np.datetime64]
    value: Array
    pass_index: NDArray[np.int64]
    mission_index: NDArray[np.int64]
    missions: tuple[str, ...]
    noise: Array | None
    name: str
    dropped: int = 0

    @classmethod
    def from_tracks(
        cls,
        tracks: xr.Dataset | xr.DataArray,
        *,
        variable: str | None = None,
        lwe: bool = False,
        mdt: bool = False,
        noise: float | Mapping[str, float] | str | None = None,
        region: tuple[float, float, float, float] | None = None,
    ) -> Self:
        """Take the observations out of an along-track Dataset.

        Parameters
        ----------
        tracks : Dataset or DataArray
            One dimension, any order of times. A coordinate ``mission`` along it, as `xinr.open_tracks` makes it,
            tells the instruments apart; without it, files laid one after the other are told apart by time going back.
        variable : str, optional
            The height to use [m]. By default ``sla_unfiltered``, else the only variable that looks like a height.
        lwe : bool
            Subtract the variable ``lwe`` (long-wavelength error), as the data challenges do for their reference.
        mdt : bool
            Add the variable ``mdt`` (mean dynamic topography), to map absolute dynamic topography.
        noise : float, mapping or str, optional
            Standard deviation of the white noise of each point [m]: one number, one for each mission, or the name of
            a variable. By default each method has its own.
        region : (west, east, south, north), optional
            Keep the points within [degrees]; any convention of longitude, the dateline included.

        Returns
        -------
        Observations
            Without missing values; how many there were is in ``dropped``.

        Raises
        ------
        ValueError
            Nothing to use: empty, all missing, no or several heights, wrong units, wrong dimensions; with the cure.

        Examples
        --------
        >>> import numpy as np, xarray as xr
        >>> time = np.datetime64("2017-01-01", "ns") + np.arange(4) * np.timedelta64(1, "s")
        >>> ds = xr.Dataset({"sla": ("time", [0.1, 0.2, np.nan, 0.3])},
        ...                 {"time": time, "lon": ("time", [1.0, 1, 1, 1]), "lat": ("time", [40.0, 40.1, 40.2, 40.3])})
        >>> obs = Observations.from_tracks(ds)
        >>> len(obs), obs.dropped, obs.n_passes
        (3, 1, 1)
        """
        ds, variable = _as_tracks(tracks, variable)
        height = _height(ds, variable, lwe=lwe, mdt=mdt)
        dimension = _dimension(ds, height)
        missions, mission_index = _missions(ds, dimension)
        table: dict[str, NDArray[Any]] = {
            "longitude": locate(ds, "longitude").values.astype(np.float64),
            "latitude": locate(ds, "latitude").values.astype(np.float64),
            "time": locate(ds, "time").values.astype("datetime64[ns]"),
            "value": height.values.astype(np.float64),
            "mission_index": mission_index,
            "noise": _noise(ds, noise, missions, mission_index),
            "stream": streams(locate(ds, "time").values, mission_index),
        }
        if region is not None:
            table = _select(table, within(table["longitude"], table["latitude"], region))
            _check_some(table, f"no observation lies in the region {region} (west, east, south, north, in degrees)")
        size = len(table["value"])
        table = _select(
            table,
            np.logical_and.reduce([_present(table[key]) for key in ("longitude", "latitude", "time", "value")]),
        )
        _check_some(table, f"all {size} observations are missing (NaN in {variable!r}, a correction, or a coordinate)")
        _check_positions(table)
        table = _in_order(table)
        return cls(
            pass_index=number_passes(table["stream"], table["time"], table["longitude"], table["latitude"]),
            missions=missions,
            name=_field_name(variable, mdt),
            dropped=size - len(table["value"]),
            **{key: table[key] for key in ("longitude", "latitude", "time", "value", "mission_index")},
            noise=None if noise is None else _check_noise(table["noise"]),
        )

    def __len__(self) -> int:
        return len(self.value)

    @property
    def n_passes(self) -> int:
        """How many passes there are."""
        return int(self.pass_index.max()) + 1

    def coarsen(self, factor: int) -> Observations:
        """Average ``factor`` consecutive points of a pass into one.

        Blocks never cross a pass or a gap of more than 4 sampling steps; what is left at the end of a stretch,
        fewer than ``factor`` points, is dropped (``boundary="trim"``). White noise shrinks by sqrt(factor) only
        where it was given for each point or mission: a method's own ``noise`` speaks of averaged points.

        Raises
        ------
        ValueError
            The factor is not a whole number above zero, or no stretch is that long.
        """
        if factor != int(factor) or factor < 1:
            raise ValueError(f"coarsen must be a whole number above zero, got {factor!r}.")
        if factor == 1:
            return self
        seconds = np.diff(self.time) / np.timedelta64(1, "s")
        same_pass = np.diff(self.pass_index) == 0
        step = np.median(seconds[same_pass & (seconds > 0)]) if np.any(same_pass & (seconds > 0)) else 1.0
        stretch = runs(~same_pass | (seconds > COARSEN_GAP * step))
        rank = np.arange(len(self)) - np.flatnonzero(np.diff(stretch, prepend=-1))[stretch]
        whole = rank < (np.bincount(stretch)[stretch] // factor) * factor
        if not whole.any():
            raise ValueError(
                f"no stretch of track has {factor} consecutive points, so coarsen={factor} would leave nothing: "
                "use a smaller factor (coarsen=1 keeps every point)."
            )
        return self._take(np.flatnonzero(whole))._average(factor)

    def _take(self, index: NDArray[np.int64]) -> Observations:
        chosen: dict[str, Any] = {
            key: getattr(self, key)[index]
            for key in ("longitude", "latitude", "time", "value", "pass_index", "mission_index")
        }
        noise = None if self.noise is None else self.noise[index]
        return replace(self, **chosen, noise=noise)

    def _average(self, factor: int) -> Observations:
        def mean(array: Array) -> Array:
            return np.asarray(array.reshape(-1, factor).mean(axis=1))

        first = self.longitude[::factor]
        east = mean(wrap(self.longitude - np.repeat(first, factor), 0.0))
        seconds = self.time.astype("datetime64[ns]").astype(np.int64).reshape(-1, factor)
        time = seconds[:, 0] + np.rint((seconds - seconds[:, :1]).mean(axis=1)).astype(np.int64)
        return replace(
            self._take(np.arange(0, len(self), factor)),
            longitude=first + east,
            latitude=mean(self.latitude),
            time=time.astype("datetime64[ns]"),
            value=mean(self.value),
            noise=None if self.noise is None else np.sqrt(mean(self.noise**2) / factor),
        )


def within(
    longitude: Array, latitude: Array, region: tuple[float, float, float, float], margin: float = 0.0
) -> NDArray[np.bool_]:
    """Return which points lie in (west, east, south, north), at least ``margin`` degrees from its edges.

    Examples
    --------
    >>> within(np.array([179.5, -179.5, 0.0]), np.zeros(3), (179, 181, -1, 1))
    array([ True,  True, False])
    """
    west, east, south, north = region
    width = (east - west) % 360.0 or 360.0
    if not (south < north and south >= -90 and north <= 90):
        raise ValueError(f"region must be (west, east, south, north) in degrees with south < north, got {region}.")
    eastward = (longitude - west) % 360.0
    inside = (latitude >= south + margin) & (latitude <= north - margin)
    if width < 360.0:
        inside &= (eastward >= margin) & (eastward <= width - margin)
    return np.asarray(inside)


def _as_tracks(tracks: xr.Dataset | xr.DataArray, variable: str | None) -> tuple[xr.Dataset, str]:
    if isinstance(tracks, xr.DataArray):
        variable = str(tracks.name or "height")
        tracks = tracks.to_dataset(name=variable)
    if not isinstance(tracks, xr.Dataset):
        raise TypeError(f"tracks must be an xarray Dataset or DataArray, got {type(tracks).__name__}.")
    return tracks, variable or _default_height(tracks)


def _default_height(ds: xr.Dataset) -> str:
    for name in HEIGHTS[:1]:
        if name in ds:
            return name
    taken = {*COMPANIONS, *(name for axis in ("longitude", "latitude", "time") for name in find(ds, axis))}  # type: ignore[arg-type]
    numeric = [str(name) for name, array in ds.data_vars.items() if array.dtype.kind == "f" and name not in taken]
    known = [name for name in HEIGHTS if name in numeric]
    candidates = known or numeric
    if len(candidates) == 1:
        return candidates[0]
    raise ValueError(
        f"which variable holds the height? Expected one of {list(HEIGHTS)}, or a single candidate; "
        f"got the candidates {candidates or numeric}. Name it: variable=<name>."
    )


def _height(ds: xr.Dataset, variable: str, *, lwe: bool, mdt: bool) -> xr.DataArray:
    for name in [variable, *(["lwe"] if lwe else []), *(["mdt"] if mdt else [])]:
        if name not in ds:
            raise ValueError(f"no variable {name!r} in the tracks: expected it among {sorted(map(str, ds.data_vars))}.")
        check_metres(ds[name])
    height = ds[variable]
    height = height - ds["lwe"] if lwe else height
    return height + ds["mdt"] if mdt else height


def check_metres(height: xr.DataArray) -> None:
    """Raise ValueError unless the unit is metres, or not stated."""
    units = str(height.attrs.get("units", "m")).strip()
    if units.lower() not in {"m", "meter", "meters", "metre", "metres"}:
        raise ValueError(
            f"{height.name} must be in metres, got units {units!r}. Convert it and say so: "
            f"ds[{height.name!r}] = (ds[{height.name!r}] * factor).assign_attrs(units='m')."
        )


def _dimension(ds: xr.Dataset, height: xr.DataArray) -> str:
    columns = [height, locate(ds, "longitude"), locate(ds, "latitude"), locate(ds, "time")]
    dims = {column.dims for column in columns}
    if len(dims) == 1 and height.ndim == 1:
        return str(height.dims[0])
    shapes = {str(column.name): dict(column.sizes) for column in columns}
    raise ValueError(
        f"tracks must have one dimension shared by height, longitude, latitude and time, got {shapes}. "
        "Stack a swath: ds.stack(obs=[...]).reset_index('obs'); a map on a grid is no track: use .inr on it as it is."
    )


def _missions(ds: xr.Dataset, dimension: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    if "mission" in ds and ds["mission"].dims == (dimension,):
        names, index = np.unique(ds["mission"].values.astype(str), return_inverse=True)
        return tuple(map(str, names)), index.astype(np.int64)
    name = str(ds["mission"].item()) if "mission" in ds and ds["mission"].ndim == 0 else ""
    return (name,), np.zeros(ds.sizes[dimension], dtype=np.int64)


def _noise(
    ds: xr.Dataset,
    noise: float | Mapping[str, float] | str | None,
    missions: tuple[str, ...],
    mission_index: NDArray[np.int64],
) -> Array:
    if isinstance(noise, str):
        if noise not in ds:
            raise ValueError(
                f"no variable {noise!r} for the noise: expected it among {sorted(map(str, ds.data_vars))}."
            )
        check_metres(ds[noise])
        return np.asarray(ds[noise].values, dtype=np.float64)
    if isinstance(noise, Mapping):
        missing = sorted(set(missions) - set(noise))
        if missing:
            raise ValueError(f"noise is given for {sorted(noise)}, but the tracks hold the missions {list(missions)}.")
        return np.array([float(noise[name]) for name in missions])[mission_index]
    return np.full(len(mission_index), np.nan if noise is None else float(noise))


def _check_noise(noise: Array) -> Array:
    if not np.all(noise > 0):
        raise ValueError(f"noise must be a standard deviation above zero [m] everywhere, got {np.min(noise)!r}.")
    return noise


def _present(column: NDArray[Any]) -> NDArray[np.bool_]:
    return ~(np.isnat(column) if column.dtype.kind == "M" else np.isnan(column))


def _select(table: dict[str, NDArray[Any]], chosen: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {key: column[chosen] for key, column in table.items()}


def _check_some(table: dict[str, NDArray[Any]], message: str) -> None:
    if not len(table["value"]):
        raise ValueError(f"{message}: expected at least one. Check the variable, the region and the time selection.")


def _check_positions(table: dict[str, NDArray[Any]]) -> None:
    for axis, limit in (("longitude", 360.0), ("latitude", 90.0)):
        worst = float(np.abs(table[axis]).max())
        if worst > limit:
            raise ValueError(f"{axis} must be in degrees, within ±{limit:g}; got {worst:g}. Unpack or convert it.")
    if np.isinf(table["value"]).any():
        raise ValueError("heights must be finite, got infinity. Mask it: ds.where(np.isfinite(ds[<variable>])).")


def _in_order(table: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Sort by stream, then time, and drop points given twice."""
    table = _select(table, np.lexsort((table["time"], table["stream"])))
    repeated = np.zeros(len(table["value"]), dtype=bool)
    repeated[1:] = np.logical_and.reduce(
        [column[1:] == column[:-1] for key, column in table.items() if key not in ("value", "noise")]
    )
    return _select(table, ~repeated)


def _field_name(variable: str, mdt: bool) -> str:
    if mdt:
        return "adt"
    return "sla" if variable.startswith("sla") else variable
