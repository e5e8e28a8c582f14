"""Observations: the points of altimetry tracks, from any along-track Dataset."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any, Self, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Array, Region
from xinr.geo.coordinates import Axis, locate, within, wrap
from xinr.geo.frames import EARTH_RADIUS, upward
from xinr.geo.times import check_years
from xinr.observations.passes import along_chord, number_passes, runs, streams
from xinr.observations.repeats import warn_of_coarse_times, without_repeats
from xinr.observations.units import in_metres
from xinr.observations.variables import as_tracks, corrected, field_name, quantity

#: Points further apart than this many sampling steps are not averaged together.
COARSEN_GAP = 4.0
_POSITION = ("time", "longitude", "latitude")
_COLUMNS = (*_POSITION, "value", "mission_index")


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
        Sea level [m].
    pass_index : ndarray of int (n,)
        Pass of each point, from 0: one instrument, no long gap, one direction (ascending or descending).
    mission_index : ndarray of int (n,)
        Mission of each point, an index into ``missions``.
    missions : tuple of str
        Names of the missions; one empty name where the data have none.
    noise : ndarray (n,) or None
        Standard deviation of the noise of each value [m], where the tracks bring it; else it is the method's.
    name : str
        "sla", "adt", or the name of the variable.
    dropped : int
        Number of points left out: value, coordinate or correction missing, or repeated (see `from_tracks`).
    quantity : str
        Formula of ``value``, such as "sla_unfiltered - lwe".
    noise_name : str
        Of the variable that held the noise.
    averaged : int
        How many consecutive raw observations each value is the mean of.
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
    quantity: str = ""
    noise_name: str = "noise"
    averaged: int = 1

    @classmethod
    def from_tracks(
        cls,
        tracks: xr.Dataset | xr.DataArray,
        *,
        variable: str | None = None,
        lwe: bool = False,
        mdt: bool = False,
        noise: str | None = None,
        region: Region | None = None,
    ) -> Self:
        """Select the observations of an along-track Dataset.

        Parameters
        ----------
        tracks : Dataset, DataArray, DataTree or DataFrame
            Points, any order of times: dimensions of size 1 are left out, a scalar time or position holds for all, and
            high-rate samples (time, 20) with coordinates of their own are points as well. The coordinate ``mission``,
            as from `xinr.open_tracks`, identifies the instruments; without it, points that one ground track can connect
            are taken as one instrument. Of points given twice, the first counts.
        variable : str, optional
            Sea level, a length, converted to metres; by default ``sla_unfiltered``, else the only one.
        lwe : bool
            Subtract the variable ``lwe`` (long-wavelength error). DUACS data are corrected for it as published, and
            should be mapped so; the data challenges subtract it from their reference, which undoes the correction.
        mdt : bool
            Add the variable ``mdt`` (mean dynamic topography), to map absolute dynamic topography.
        noise : str, optional
            Name of a variable with the standard deviation of the white noise of each point [m]. By default it is the
            method's setting ``noise``: one number, or one for each mission.
        region : (west, east, south, north), optional
            Select the points within [degrees]; any convention of longitude, the dateline included.

        Returns
        -------
        Observations
            Without missing values, whose number is ``dropped``.

        Raises
        ------
        ValueError
            No data, all missing, no or several sea level variables, wrong units or dimensions.

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
        ds, variable = as_tracks(tracks, variable)
        height = corrected(ds, variable, lwe=lwe, mdt=mdt).rename(variable)
        missions, table = _table(ds, height, noise)
        _check_some(table, "the tracks are empty")
        if region is not None:
            table = _select(table, within(table["longitude"], table["latitude"], region))
            _check_some(table, f"no observation lies in the region {region} (west, east, south, north, in degrees)")
        size = len(table["value"])
        known = [~np.isnan(table[key]) for key in (*_POSITION, "value")]
        table = _select(table, np.logical_and.reduce(known))
        _check_some(table, f"all {size} observations are missing (NaN in {variable!r}, a correction, or a coordinate)")
        _check_positions(table)
        warn_of_coarse_times(*(table[key] for key in _POSITION))
        table = _select(table, without_repeats(*(table[key] for key in (*_POSITION, "value", "mission_index"))))
        dropped = size - len(table["value"])
        labelled = missions != ("",)
        stream = table["mission_index"] if labelled else streams(*(table[key] for key in _POSITION))
        table = _in_order(table | {"stream": stream})
        columns: dict[str, Any] = {key: table[key] for key in _COLUMNS}
        return cls(
            pass_index=number_passes(table["stream"], *(table[key] for key in _POSITION)),
            missions=missions,
            name=field_name(ds[variable], mdt),
            quantity=quantity(variable, lwe=lwe, mdt=mdt),
            dropped=dropped,
            **columns,
            noise=None if noise is None else _check_noise(table["noise"]),
            noise_name=noise or "noise",
        )

    def __len__(self) -> int:
        return len(self.value)

    @property
    def n_passes(self) -> int:
        """Number of passes."""
        return np.unique(self.pass_index).size

    @property
    def distance(self) -> Array:
        """Signed distance of each point from the middle of its pass, along its chord, (n,) [km]."""
        return along_chord(EARTH_RADIUS * upward(self.longitude, self.latitude), self.pass_index)

    def coarsen(self, factor: int) -> Observations:
        """Average ``factor`` consecutive points of a pass into one.

        Blocks never cross a pass or a gap of more than 4 sampling intervals; fewer than ``factor`` points at the end of
        a segment are dropped (``boundary="trim"``). White noise shrinks by sqrt(factor).

        Raises
        ------
        ValueError
            The factor is not a whole number above zero, or no segment is that long.
        """
        if factor != int(factor) or factor < 1:
            raise ValueError(f"coarsen must be a whole number above zero, got {factor!r}.")
        if factor == 1:
            return self
        seconds = np.diff(self.time) / np.timedelta64(1, "s")
        same_pass = np.diff(self.pass_index) == 0
        steps = seconds[same_pass & (seconds > 0)]
        step = np.median(steps) if steps.size else 1.0
        segment = runs(~same_pass | (seconds > COARSEN_GAP * step))
        rank = np.arange(len(self)) - np.flatnonzero(np.diff(segment, prepend=-1))[segment]
        complete = rank < (np.bincount(segment)[segment] // factor) * factor
        if not complete.any():
            raise ValueError(
                f"no segment of track has {factor} consecutive points, so coarsen={factor} would leave nothing: "
                "use a smaller factor (coarsen=1 takes every point)."
            )
        return self.take(np.flatnonzero(complete))._average(factor)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Observations:
        """Return the chosen points, with unchanged numbers of passes and missions."""
        chosen: dict[str, Any] = {key: getattr(self, key)[index] for key in (*_COLUMNS, "pass_index")}
        return replace(self, **chosen, noise=None if self.noise is None else self.noise[index])

    def _average(self, factor: int) -> Observations:
        def mean(array: Array) -> Array:
            return np.asarray(array.reshape(-1, factor).mean(axis=1))

        first = self.longitude[::factor]
        east = mean(wrap(self.longitude - np.repeat(first, factor), 0.0))
        seconds = self.time.astype("datetime64[ns]").astype(np.int64).reshape(-1, factor)
        time = seconds[:, 0] + np.rint((seconds - seconds[:, :1]).mean(axis=1)).astype(np.int64)
        return replace(
            self.take(np.arange(0, len(self), factor)),
            longitude=first + east,
            latitude=mean(self.latitude),
            time=time.astype("datetime64[ns]"),
            value=mean(self.value),
            noise=None if self.noise is None else np.sqrt(mean(self.noise**2) / factor),
            averaged=factor * self.averaged,
        )


def _table(ds: xr.Dataset, height: xr.DataArray, noise: str | None) -> tuple[tuple[str, ...], dict[str, NDArray[Any]]]:
    """Return the names of the missions, and the columns of the observations, each (n,)."""
    (dimension,) = height.dims
    longitude, latitude, time = (locate(ds, axis, height) for axis in get_args(Axis))
    missions, mission_index = _missions(ds, dimension)
    return missions, {
        "longitude": longitude.values.astype(np.float64),
        "latitude": latitude.values.astype(np.float64),
        "time": check_years(time.values, time.name),
        "value": height.values,
        "mission_index": mission_index,
        "noise": np.full(len(mission_index), np.nan) if noise is None else _noise(ds, noise, len(mission_index)),
    }


def _missions(ds: xr.Dataset, dimension: Hashable) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    if "mission" in ds and ds["mission"].dims == (dimension,):
        names, index = np.unique(ds["mission"].values.astype(str), return_inverse=True)
        return tuple(map(str, names)), index.astype(np.int64)
    name = str(ds["mission"].item()) if "mission" in ds and ds["mission"].ndim == 0 else ""
    return (name,), np.zeros(ds.sizes[dimension], dtype=np.int64)


def _noise(ds: xr.Dataset, noise: str, size: int) -> Array:
    if not isinstance(noise, str):
        raise TypeError(
            f"noise must be the name of a variable of the tracks, got {noise!r}: one number, or one for each mission, "
            "is a setting of the method, xinr.fit(tracks, ..., noise=0.03)."
        )
    if noise not in ds:
        raise ValueError(f"no variable {noise!r} for the noise: expected one of {sorted(map(str, ds.data_vars))}.")
    if ds[noise].shape != (size,):
        raise ValueError(
            f"the noise {noise!r} must have one value for each of {size} points, "
            f"got {dict(ds[noise].sizes)}: give one number as a float, or one for each mission as a mapping."
        )
    return np.asarray(in_metres(ds[noise]).values, dtype=np.float64)


def _check_noise(noise: Array) -> Array:
    usable = np.isfinite(noise) & (noise > 0)
    if not usable.all():
        raise ValueError(
            f"noise must be a standard deviation above zero [m] at every observation, got {noise[~usable][0]:g} "
            f"at {np.count_nonzero(~usable)} of {len(noise)}: leave those out, ds.where((ds[<noise>] > 0) & "
            "(ds[<noise>] < 1))."
        )
    return noise


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
        raise ValueError("sea level must be finite, got infinity. Mask it: ds.where(np.isfinite(ds[<variable>])).")


def _in_order(table: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Sort by stream, then time; equal times stay in the order given, which is that along the track."""
    return _select(table, np.lexsort([table[key] for key in ("time", "stream")]))
