"""Observations: the points of altimetry tracks and swaths, from any such Dataset."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Array, Region
from xinr.geo.coordinates import within, wrap
from xinr.geo.frames import EARTH_RADIUS, upward
from xinr.observations.blocks import block_averages, located_across
from xinr.observations.columns import check_noise, check_positions, check_some, in_order, read_columns, select
from xinr.observations.passes import along_arc, along_chord, number_passes, runs, streams
from xinr.observations.repeats import warn_of_coarse_times, without_repeats
from xinr.observations.swaths import is_swath, lines_within, swath_height, unrolled, with_one_height
from xinr.observations.variables import as_tracks, corrected, field_name, named, quantity

#: Points further apart than this many sampling steps are not averaged together.
COARSEN_GAP = 4.0
#: Side of the blocks over which the pixels of swaths are averaged [km].
SWATH_BLOCK = 10.0
_POSITION = ("time", "longitude", "latitude")
_COLUMNS = (*_POSITION, "value", "mission_index", "pass_index", "cross_track_distance", "averaged", "spread")


@dataclass(frozen=True, eq=False)
class Observations:
    """Points of altimetry: of tracks, and averages of the pixels of swaths; in the order of mission, then time.

    Parameters
    ----------
    longitude, latitude : ndarray (n,)
        Degrees.
    time : ndarray of datetime64[ns] (n,)
        Time of measurement.
    value : ndarray (n,)
        Sea level [m].
    pass_index : ndarray of int (n,)
        Pass of each point, from 0: one instrument, no long gap, one direction (ascending or descending). The whole
        width of a swath is of one pass.
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
    cross_track_distance : ndarray (n,)
        Distance from the ground track, positive to the right of the flight [km]; NaN of points that are not of a swath.
    averaged : ndarray of int (n,)
        How many raw observations each value is the mean of.
    spread : ndarray (n,)
        Standard deviation of the pixels of which a value is the mean [m]; zero of other points.
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
    cross_track_distance: Array = field(default_factory=lambda: np.empty(0))
    averaged: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    spread: Array = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        n = len(self.value)  # by default, points of tracks, each one observation
        for name, default in (("cross_track_distance", np.nan), ("averaged", 1), ("spread", 0.0)):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(n, default))

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
        swath_block: float = SWATH_BLOCK,
    ) -> Self:
        """Select the observations of a Dataset of tracks, swaths, or both.

        Parameters
        ----------
        tracks : Dataset, DataArray, DataTree or DataFrame
            Points, any order of times: dimensions of size 1 are left out, a scalar time or position holds for all, and
            high-rate samples (time, 20) with coordinates of their own are points as well. The coordinate ``mission``,
            as from `xinr.open_tracks`, identifies the instruments; without it, points that one ground track can connect
            are taken as one instrument. Of points given twice, the first counts. Or a swath, lines by pixels: see
            `xinr.observations.unrolled`.
        variable : str, optional
            Sea level, a length, converted to metres; by default ``sla_unfiltered``, of swaths ``ssha_unfiltered``, else
            the only one. Missions without it, as where tracks and swaths are mapped together, have their own default.
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
        swath_block : float
            Side of the square blocks over which the pixels of swaths are averaged [km]; zero takes every pixel.

        Returns
        -------
        Observations
            Without missing values, whose number is ``dropped``; those of a swath, most of them land, are not counted.

        Raises
        ------
        ValueError
            No data, all missing, no or several sea level variables, wrong units or dimensions, a negative block.

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
        check_block(swath_block)
        tracks, variable, made_of = as_points(tracks, variable, ("mdt", "lwe", noise or "lwe"), region)
        ds, variable = as_tracks(tracks, variable)
        height = corrected(ds, variable, lwe=lwe, mdt=mdt).rename(variable)
        missions, table = read_columns(ds, height, noise)
        check_some(table, "the tracks are empty")
        if region is not None:
            table = select(table, within(table["longitude"], table["latitude"], region))
            check_some(table, f"no observation lies in the region {region} (west, east, south, north, in degrees)")
        size = len(table["value"])
        known = [~np.isnan(table[key]) for key in (*_POSITION, "value")]
        table = select(table, np.logical_and.reduce(known))
        check_some(table, f"all {size} observations are missing (NaN in {variable!r}, a correction, or a coordinate)")
        check_positions(table)
        warn_of_coarse_times(*(table[key] for key in _POSITION))
        table = select(table, without_repeats(*(table[key] for key in (*_POSITION, "value", "mission_index"))))
        dropped = size - len(table["value"])
        if noise is not None:
            check_noise(table["noise"])
        labelled = missions != ("",)
        stream = table["mission_index"] if labelled else streams(*(table[key] for key in _POSITION))
        table = in_order(table | {"stream": stream})
        passes = number_passes(*(table[key] for key in ("stream", *_POSITION, "known_pass")))
        table = block_averages(located_across(table | {"pass_index": passes}), swath_block)
        columns: dict[str, Any] = {key: table[key] for key in _COLUMNS}
        return cls(
            missions=missions,
            name=field_name(ds[variable], mdt),
            quantity=quantity(made_of or variable, lwe=lwe, mdt=mdt),
            dropped=dropped,
            **columns,
            noise=None if noise is None else table["noise"],
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
        """Signed distance of each point from the middle of its pass, along its chord, of swaths its arc, (n,) [km]."""
        position, found = EARTH_RADIUS * upward(self.longitude, self.latitude), np.empty(len(self))
        for along, chosen in ((along_chord, ~self.of_swath), (along_arc, self.of_swath)):
            found[chosen] = along(position[chosen], self.pass_index[chosen])
        return found

    @property
    def of_swath(self) -> NDArray[np.bool_]:
        """Which points are of a swath, (n,)."""
        return np.isfinite(self.cross_track_distance)

    def coarsen(self, factor: int) -> Observations:
        """Average ``factor`` consecutive points of a pass into one.

        Blocks never cross a pass or a gap of more than 4 sampling intervals; fewer than ``factor`` points at the end of
        a segment are dropped (``boundary="trim"``). White noise shrinks by sqrt(factor). Points of swaths stay: they
        are averages over blocks already.

        Raises
        ------
        ValueError
            The factor is not a whole number above zero, or no segment is that long.
        """
        if factor != int(factor) or factor < 1:
            raise ValueError(f"coarsen must be a whole number above zero, got {factor!r}.")
        if factor == 1 or self.of_swath.all():
            return self
        if self.of_swath.any():
            return self.take(~self.of_swath).coarsen(factor)._with(self.take(self.of_swath))
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
        chosen: dict[str, Any] = {key: getattr(self, key)[index] for key in _COLUMNS}
        return replace(self, **chosen, noise=None if self.noise is None else self.noise[index])

    def _with(self, other: Observations) -> Observations:
        """Return these and other points of the same missions, by mission, then time."""
        keys = _COLUMNS if self.noise is None else (*_COLUMNS, "noise")
        both = {key: np.concatenate([getattr(self, key), getattr(other, key)]) for key in keys}
        order = np.lexsort([both["time"], both["pass_index"], both["mission_index"]])
        columns: dict[str, Any] = {key: column[order] for key, column in both.items()}
        return replace(self, **columns)

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
            averaged=self.averaged.reshape(-1, factor).sum(axis=1),
        )


def check_block(size: float) -> None:
    """Raise ValueError for a side of blocks that is no length."""
    if not 0.0 <= size < np.inf:
        raise ValueError(f"swath_block must be a length [km], zero for every pixel, got {size!r}.")


def as_points(
    tracks: xr.Dataset | xr.DataArray,
    variable: str | None,
    others: tuple[str, ...] = (),
    region: Region | None = None,
) -> tuple[xr.Dataset | xr.DataArray, str | None, str | None]:
    """Return tracks, or a swath as points, the height that files of swaths have, and of which variables it is made."""
    if isinstance(tracks, xr.DataArray) and is_swath(tracks):
        variable = str(tracks.name or "height")
        tracks = tracks.to_dataset(name=variable)
    if not isinstance(tracks, xr.Dataset):
        return tracks, variable, variable
    if not is_swath(tracks):
        return with_one_height(tracks, variable)
    tracks, variable = named(tracks, variable or swath_height(tracks))
    near = tracks if region is None else lines_within(tracks, region)
    return unrolled(near, [variable, *others]), variable, variable
