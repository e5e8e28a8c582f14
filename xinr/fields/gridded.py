"""Gridded maps as Fields: any L4 file has the verbs of a fitted field."""

import json
from dataclasses import dataclass
from typing import Any, Self, override

import numpy as np
import pyinterp
import xarray as xr

from xinr._typing import Array
from xinr.fields.display import SMALL
from xinr.fields.field import Field
from xinr.fields.target import Target, TargetLike
from xinr.geo.coordinates import wrap
from xinr.geo.finite_differences import hessian, laplacian, slopes, turn_of
from xinr.geo.frames import days_since
from xinr.geo.points import Points
from xinr.observations.variables import as_map

EPOCH = np.datetime64("1950-01-01", "ns")  # that of the CNES Julian days of altimetry files
#: Weight below which a missing node does not matter: rounding, on a node.
LEAST_WEIGHT = 1e-9
#: Longitudes and latitudes in float32 are rounded to 3e-5 degrees.
EDGE = 1e-4
_BY_DIMENSION: dict[int, tuple[Any, Any]] = {
    2: (pyinterp.Grid2D, pyinterp.bivariate),
    3: (pyinterp.Grid3D, pyinterp.trivariate),
}


@dataclass(frozen=True, eq=False, repr=False)
class MapField(Field):
    """A gridded map as a Field: bilinear in space and linear in time between its nodes.

    NaN outside and next to missing nodes. Interpolation is pyinterp's, as in the data challenges; derivatives are
    centred differences on the sphere, interpolated like the map. Dask-backed maps stay lazy.

    Parameters
    ----------
    height : DataArray
        The map [m], dims (time, latitude, longitude), or (latitude, longitude) for one that holds at any time.
    own : Target
        Its own grid.
    name : str
        Name of the variable.
    info : dict
        Where it came from.
    """

    height: xr.DataArray
    own: Target
    name: str
    info: dict[str, Any]

    @classmethod
    def of(cls, maps: xr.Dataset | xr.DataArray, variable: str | None = None) -> Self:
        """Take the map out of a Dataset.

        Parameters
        ----------
        maps : Dataset or DataArray
            Longitude and latitude of one dimension each, in any order; time, if any, a third.
        variable : str, optional
            Which variable [m]; by default the first of ssh, adt, sla, else the only one on the grid.

        Raises
        ------
        ValueError
            No map, several, wrong units or dimensions; with the cure.
        """
        height = as_map(maps, variable)
        info = {"method": "map", "variable": str(height.name), "shape": list(height.shape)}
        info |= {key: height.attrs[key] for key in ("standard_name",) if key in height.attrs}
        return cls(height, Target.of(height), str(height.name), info)

    @override
    def stored(self) -> xr.Dataset:
        """Without the packing of the file it came from, so that values are kept to the bit."""
        return self.height.to_dataset(name=self.name).drop_encoding().assign_attrs(content="map")

    @classmethod
    @override
    def restored(cls, ds: xr.Dataset) -> Self:
        field = cls.of(xr.decode_cf(ds).drop_attrs(deep=False), ds.attrs["name"])
        field.info.update(json.loads(ds.attrs["info"]))
        return field

    def _reach(self, target: TargetLike | None) -> Target:
        if target is None:
            return self.own
        points = Target.of(target)
        return points if self._axes[2] is None else points.with_time()

    def _value(self, target: Target) -> xr.DataArray:
        return self._between_nodes(self.height, target)

    def _gradient(self, target: Target) -> dict[str, xr.DataArray]:
        found = slopes(self.height, *self._axes)
        return {key: self._between_nodes(slope, target) for key, slope in found.items()}

    def _laplacian(self, target: Target) -> xr.DataArray:
        longitude, latitude, _ = self._axes
        return self._between_nodes(laplacian(self.height, longitude, latitude), target)

    def _derivatives(self, target: Target) -> dict[str, xr.DataArray]:
        longitude, latitude, _ = self._axes
        found = slopes(self.height, longitude, latitude, None) | hessian(self.height, longitude, latitude)
        return {key: self._between_nodes(each, target) for key, each in found.items()}

    def _posterior(self, target: Target) -> tuple[xr.DataArray, xr.DataArray]:
        raise ValueError("a map gives no posterior error: ask without error=True.")

    def _to_draw(self, time: Any) -> tuple[Field | xr.Dataset, xr.Dataset | None]:
        return self.height.to_dataset(name=self.name), None

    def _small_map(self) -> xr.DataArray | None:
        if self.height.chunks is not None:
            return None
        east, north, time = self._axes
        step = {str(axis.dims[0]): -(-axis.size // SMALL) for axis in (east, north)}
        middle = {} if time is None else {str(time.dims[0]): time.size // 2}
        names = {str(axis.name): name for axis, name in ((east, "longitude"), (north, "latitude")) if axis.name != name}
        chosen = self.height.isel({dim: slice(None, None, each) for dim, each in step.items()} | middle)
        return chosen.rename(names)

    @property
    def _axes(self) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray | None]:
        time = self.own.time
        return self.own.longitude, self.own.latitude, time if time is not None and time.ndim else None

    def _between_nodes(self, nodes: xr.DataArray, target: Target) -> xr.DataArray:
        if target is self.own:
            return target.describe(nodes.drop_attrs(deep=False))
        longitude, latitude, time = self._axes
        axes = [axis for axis in (time, latitude, longitude) if axis is not None]
        core = {str(axis.dims[0]): f"node_{axis.dims[0]}" for axis in axes}  # kept apart from the target's dims
        values = nodes.drop_vars(list(nodes.coords)).transpose(*core).rename(core)
        if values.chunks is not None:
            values = values.chunk(-1)
        days = None if time is None else days_since(time.values, EPOCH)
        interpolator = _Interpolator(longitude.values.astype(float), latitude.values.astype(float), days)
        between: xr.DataArray = target.evaluate(interpolator, nodes=values)
        return between


@dataclass(frozen=True)
class _Interpolator:
    """Bilinear in space, linear in time: NaN outside, and where a missing node has a weight."""

    longitude: Array
    latitude: Array
    days: Array | None

    def __call__(self, points: Points, nodes: Array) -> Array:
        longitude, latitude = points.repeat(points.positions).T
        turn = turn_of(self.longitude)
        turned = wrap(longitude, (self.longitude[0] + self.longitude[-1]) / 2.0)
        point = [_onto_edge(turned, self.longitude), _onto_edge(latitude, self.latitude)]
        axes = [pyinterp.Axis(self.longitude, period=turn and 360.0), pyinterp.Axis(self.latitude)]
        days = days_since(points.time, EPOCH)
        if self.days is not None and self.days.size > 1:
            return _linear([*axes, pyinterp.Axis(self.days)], nodes.T, [*point, days])
        if self.days is None:
            return _linear(axes, nodes.T, point)
        return np.where(days == self.days[0], _linear(axes, nodes[0].T, point), np.nan)


def _linear(axes: list[Any], nodes: Array, point: list[Array]) -> Array:
    """Interpolate linearly; a missing node counts only where its weight is not zero, unlike pyinterp's NaN."""
    grid, interpolate = _BY_DIMENSION[len(axes)]

    def between(values: Array) -> Array:
        at_nodes = grid(*axes, np.ascontiguousarray(values, dtype=np.float64))
        return np.asarray(interpolate(at_nodes, *point, "bilinear", bounds_error=False))

    missing = np.isnan(nodes)
    if not missing.any():
        return between(nodes)
    return np.where(between(missing) > LEAST_WEIGHT, np.nan, between(np.where(missing, 0.0, nodes)))


def _onto_edge(position: Array, axis: Array) -> Array:
    """Move points that rounding put just outside of an axis onto its end."""
    inside = np.clip(position, axis.min(), axis.max())
    return np.where(np.abs(position - inside) < EDGE, inside, position)
