"""Targets: evaluate a function of (longitude, latitude, time) wherever a Dataset has points."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
import pandas as pd
import psutil
import xarray as xr

from xinr._typing import Array
from xinr.geo import cf
from xinr.geo.coordinates import NAMES, Axis, find, locate, strictly_monotonic
from xinr.geo.points import Points
from xinr.geo.times import precise
from xinr.observations.tables import from_table

#: What a field can be evaluated at: anything with longitude, latitude and time.
type TargetLike = xr.Dataset | xr.DataArray | Mapping[Any, Any] | pd.DataFrame
#: Takes `Points` of longitude, latitude and time, and returns one array (n,) for each output.
PointFunction = Callable[..., Array | tuple[Array, ...]]

# Stands for the time of a target that has none.
_ANY_TIME = np.datetime64("1970-01-01", "ns")


@dataclass(frozen=True)
class Target:
    """Coordinates that broadcast to the points of a grid, a track, or a curvilinear map."""

    longitude: xr.DataArray
    latitude: xr.DataArray
    time: xr.DataArray | None
    chunks: Mapping[Any, tuple[int, ...]]

    @classmethod
    def of(cls, points: TargetLike) -> Target:
        """Find the coordinates of a target and chunk them as it is chunked.

        A mapping of axes is a grid, one with latitudes and longitudes on a mesh a curvilinear map; the rows of a
        DataFrame are points.

        Raises
        ------
        TypeError
            Not a Dataset, a DataArray, a DataFrame or a mapping of coordinates.
        ValueError
            A coordinate is missing or ambiguous, or the target holds no point, or more than fit the memory.
        """
        if isinstance(points, pd.DataFrame):
            points = from_table(points)
        elif isinstance(points, Mapping) and not isinstance(points, xr.Dataset):
            points = _grid(points)
        if not isinstance(points, xr.Dataset | xr.DataArray):
            raise TypeError(
                "the target must be a Dataset, a DataArray or a mapping of coordinates, or a DataFrame of points, got "
                f"{type(points).__name__}: for instance "
                '{"time": times, "latitude": latitudes, "longitude": longitudes}.'
            )
        axes: tuple[Axis, ...] = ("longitude", "latitude", *(("time",) if find(points, "time") else ()))
        columns = [locate(points, axis) for axis in axes]
        for column in columns:
            if column.size == 0:
                raise ValueError(f"the target has no point: its {column.name} is empty.")
        for column, axis, limit in ((columns[0], "longitude", 720.0), (columns[1], "latitude", 90.0)):
            if column.chunks is None and np.any(np.abs(column.values) > limit):
                worst = column.values.flat[np.nanargmax(np.abs(column.values))]
                raise ValueError(f"{axis}s of the target must lie within ±{limit:g} degrees, got {worst:g}.")
        chunks = dict(points.unify_chunks().chunksizes)
        if not chunks:
            _check_size(columns)
        return cls(columns[0], columns[1], columns[2] if len(columns) == 3 else None, chunks)

    @property
    def columns(self) -> dict[str, xr.DataArray]:
        """The coordinates there are, in the order of a map's dimensions."""
        found = {"time": self.time, "latitude": self.latitude, "longitude": self.longitude}
        return {axis: column for axis, column in found.items() if column is not None}

    def with_time(self) -> Target:
        """Return the target itself, having checked that it has a time."""
        if self.time is None:
            raise ValueError(
                f"the target has no time, but the field changes in time: expected a coordinate with CF attributes "
                f"or one of the names {list(NAMES['time'])}. Give it one: target.assign_coords(time=...)."
            )
        return self

    def evaluate(self, function: PointFunction, outputs: int = 1, nodes: xr.DataArray | None = None) -> Any:
        """Apply the function at every point; dims come in the order time, latitude, longitude.

        Lazy where the coordinates, or the nodes, are chunked: one call for each block of the target.
        Points with a missing coordinate get NaN.

        Parameters
        ----------
        function : callable
            Takes `xinr.geo.points.Points` of longitude and latitude [degrees] and time (datetime64), a grid where
            time is independent of position, and the nodes if any; returns ``outputs`` arrays (n,).
        outputs : int
            How many arrays it returns: one is returned bare, several as a tuple.
        nodes : DataArray, optional
            A whole array handed to every call.
        """
        extra = [] if nodes is None else [nodes]
        with warnings.catch_warnings():
            # The chunks of the result are those of the target, which dask cannot know.
            warnings.filterwarnings("ignore", "Increasing number of chunks")
            found = xr.apply_ufunc(
                partial(_on_block, function, outputs),
                _ANY_TIME if self.time is None else self._bare(self.time),
                self._bare(self.latitude),
                self._bare(self.longitude),
                *extra,
                input_core_dims=[[], [], [], *(array.dims for array in extra)],
                output_core_dims=[[]] * outputs,
                dask="parallelized",
                output_dtypes=[np.float64] * outputs,
                keep_attrs=False,
            )
        return tuple(map(self.describe, found)) if outputs > 1 else self.describe(found)

    def _bare(self, column: xr.DataArray) -> xr.DataArray:
        """Return a coordinate as a plain array, chunked as the target is: indexes themselves cannot be chunked."""
        bare = xr.DataArray(column.data, dims=column.dims)
        wanted = {dim: self.chunks[dim] for dim in column.dims if dim in self.chunks}
        return bare.chunk(wanted) if wanted and column.chunks is None else bare

    def describe(self, array: xr.DataArray) -> xr.DataArray:
        """Return values at the points of the target with its coordinates, CF attributes added."""
        for axis, column in self.columns.items():
            attrs = {**cf.COORDINATES[axis], **column.attrs}
            array = array.assign_coords({**column.coords, column.name: column.assign_attrs(attrs)})
        return array


def _grid(axes: Mapping[Any, Any]) -> xr.Dataset:
    """Return the grid of plain axes, or the curvilinear map of arrays on one mesh.

    Raises
    ------
    ValueError
        The axes are as long as one another, and one is out of order: they are the columns of points.
    """
    plain = {name: np.asarray(values) for name, values in axes.items() if not isinstance(values, tuple | xr.DataArray)}
    columns = {name: values for name, values in plain.items() if values.ndim == 1 and values.size > 1}
    if len(columns) == 3 and len({values.size for values in columns.values()}) == 1:
        for name, values in columns.items():
            if not strictly_monotonic(values):
                raise ValueError(
                    f"a mapping of coordinates is a grid, but its {name} neither increases nor decreases, and all "
                    f"three have {values.size} values: for points give a table, pandas.DataFrame(target); for a grid "
                    "sort it, np.unique(...)."
                )
    mesh = {name: (_mesh(values.ndim), values) for name, values in plain.items() if values.ndim > 1}
    return xr.Dataset(coords=dict(axes) | mesh)


def _mesh(ndim: int) -> tuple[str, ...]:
    return ("z", "y", "x")[-ndim:] if ndim <= 3 else tuple(f"dim_{i}" for i in range(ndim))


def _check_size(columns: list[xr.DataArray]) -> None:
    """Raise ValueError if the points of all coordinates together do not fit the memory of the machine."""
    sizes = {str(dim): size for column in columns for dim, size in column.sizes.items()}
    needed, memory = 8 * prod(sizes.values()), psutil.virtual_memory().total
    if needed > memory:
        raise ValueError(
            f"the target is a grid of {sizes}, {prod(sizes.values()):.3g} points: {needed / 1e9:.3g} GB for each "
            f"variable, of the machine's {memory / 1e9:.3g} GB. For points give a table, pandas.DataFrame(target), or a"
            " Dataset with one dimension; evaluate a large grid in chunks, maps.chunk(time=1)."
        )


def _on_block(function: PointFunction, outputs: int, time: Any, latitude: Any, longitude: Any, *nodes: Any) -> Any:
    """Apply the function to those points of a block whose coordinates are known."""
    latitude, longitude = np.broadcast_arrays(latitude, longitude)
    grid = _independent(np.shape(time), latitude.shape)
    if not grid:
        time, latitude, longitude = np.broadcast_arrays(time, latitude, longitude)
    here, then = np.isfinite(latitude) & np.isfinite(longitude), ~np.isnat(time)
    known = here & then
    if not grid:
        here = then = known
    result = np.full((outputs, *known.shape), np.nan)
    if known.any():
        positions = np.stack([longitude[here], latitude[here]], axis=1, dtype=np.float64)
        points = Points(positions, precise(time[then]), grid)
        result[:, known] = function(points, *nodes)
    return tuple(result) if outputs > 1 else result[0]


def _independent(time: tuple[int, ...], position: tuple[int, ...]) -> bool:
    """Return whether arrays of these shapes have no axis in common, those of time first, so that they span a grid."""
    rank = max(len(time), len(position))
    of_time, of_position = ([rank - len(s) + i for i, size in enumerate(s) if size > 1] for s in (time, position))
    return max(of_time, default=-1) < min(of_position, default=rank)
