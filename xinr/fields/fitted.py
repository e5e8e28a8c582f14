"""Fit a method to tracks, and the Field that comes of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, override

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Array
from xinr._warnings import warn
from xinr.fields.field import Field
from xinr.fields.target import Target, TargetLike
from xinr.geo.coordinates import wrap
from xinr.geo.frames import FRAMES, SECONDS_PER_DAY, Frame, days_since
from xinr.geo.points import Points
from xinr.methods.predictor import ErrorPredictor, Predictor, SamplePredictor, predictor_class

#: A target this far beyond the data [degrees; days] is an extrapolation worth a warning.
REACH_DEGREES, REACH_DAYS = 2.0, 2.0


@dataclass(frozen=True, eq=False, repr=False)
class FittedField(Field):
    """A Field made of a predictor and the frame in which it works.

    Parameters
    ----------
    frame : Frame
        From longitude, latitude and time to the predictor's coordinates.
    predictor : Predictor
        The fitted function of those coordinates.
    name : str
        Name of the variable.
    info : dict
        Where it came from; ``info["extent"]`` holds the data's bounds.
    """

    frame: Frame
    predictor: Predictor
    name: str
    info: dict[str, Any]

    @property
    def history(self) -> xr.Dataset:
        """How the fit went, one row for each check; empty for methods that solve at once."""
        columns: Mapping[str, Array] = getattr(self.predictor, "history", {})
        return xr.Dataset({key: ("check", np.asarray(column)) for key, column in columns.items()})

    def sample(self, target: TargetLike, count: int, seed: int = 0) -> xr.Dataset:
        """Draw posterior samples: each is as rough as the signal, where `interp` is smooth.

        Parameters
        ----------
        target : Dataset, DataArray or mapping
            As for `interp`.
        count : int
            How many.
        seed : int
            Samples of the same seed are of the same functions, whatever the target.

        Returns
        -------
        Dataset
            ``<name>`` [m] with the leading dimension ``sample``.

        Raises
        ------
        ValueError
            The method gives none, or the count is not above zero.
        """
        if not isinstance(self.predictor, SamplePredictor):
            raise ValueError(f"the method {self.info['method']!r} draws no samples: kriging does.")
        if count < 1:
            raise ValueError(f"count must be a whole number above zero, got {count!r}.")
        points = self._reach(target)
        found = [replace(self, predictor=drawn)._value(points) for drawn in self.predictor.sample(count, seed)]
        return self._dataset({self.name: xr.concat(found, "sample").assign_attrs(self._attrs("", "m"))})

    @property
    @override
    def has_error(self) -> bool:
        return isinstance(self.predictor, ErrorPredictor)

    @override
    def stored(self) -> xr.Dataset:
        """The state of the predictor, with a list of its shapes and types to check on opening."""
        state = self.predictor.state()
        arrays = {key: ([f"{key}_{i}" for i in range(array.ndim)], array) for key, array in state.items()}
        manifest = {key: [str(array.dtype), list(array.shape)] for key, array in state.items()}
        frame = {"kind": self.frame.kind, **vars(self.frame), "epoch": str(self.frame.epoch)}
        attrs = {"content": self.predictor.kind, "frame": json.dumps(frame), "manifest": json.dumps(manifest)}
        return xr.Dataset(arrays, attrs=attrs)

    @classmethod
    @override
    def restored(cls, ds: xr.Dataset) -> Self:
        state = {}
        for key, (dtype, shape) in json.loads(ds.attrs["manifest"]).items():
            array = ds[key].values
            if array.dtype != np.dtype(dtype) or list(array.shape) != shape:
                raise ValueError(
                    f"it is damaged, {key!r} should be {dtype} {shape}, is {array.dtype} {list(array.shape)}."
                )
            state[key] = array
        frame = json.loads(ds.attrs["frame"])
        kind, epoch = frame.pop("kind"), frame.pop("epoch")
        return cls(
            frame=FRAMES[kind](np.datetime64(epoch, "ns"), **frame),
            predictor=predictor_class(ds.attrs["content"]).from_state(state),
            name=ds.attrs["name"],
            info=json.loads(ds.attrs["info"]),
        )

    def _value(self, target: Target) -> xr.DataArray:
        value: xr.DataArray = self._at(target, lambda where, points: self.predictor.predict(points))
        return value

    def _posterior(self, target: Target) -> tuple[xr.DataArray, xr.DataArray]:
        predictor = self.predictor
        if not isinstance(predictor, ErrorPredictor):
            raise ValueError(f"the method {self.info['method']!r} gives no posterior error: ask without error=True.")
        value, error = self._at(target, lambda where, points: predictor.posterior(points), 2)
        return value, error.assign_attrs({"comment": predictor.error_comment} if predictor.error_comment else {})

    def _gradient(self, target: Target) -> dict[str, xr.DataArray]:
        def slopes(where: Points, points: Points) -> tuple[Array, ...]:
            gradient = self.predictor.gradient(points)
            east, north = self._directions(where)
            return points.dot(gradient, east), points.dot(gradient, north), gradient[:, -1] / SECONDS_PER_DAY

        return dict(zip("xyt", self._at(target, slopes, 3), strict=True))

    def _laplacian(self, target: Target) -> xr.DataArray:
        def laplacian(where: Points, points: Points) -> Array:
            east, _, north = self.frame.metric_terms(*where.positions.T)
            return self.predictor.laplacian(points, self._directions(where), east + north)

        found: xr.DataArray = self._at(target, laplacian)
        return found

    def _derivatives(self, target: Target) -> dict[str, xr.DataArray]:
        def both_orders(where: Points, points: Points) -> tuple[Array, ...]:
            pairs, terms = [[(0, 0)], [(0, 1)], [(1, 1)]], self.frame.metric_terms(*where.positions.T)
            first, second = self.predictor.derivatives(points, self._directions(where), pairs, list(terms))
            return *first, *second

        return dict(zip(("x", "y", "xx", "xy", "yy"), self._at(target, both_orders, 5), strict=True))

    def _directions(self, where: Points) -> tuple[Array, Array]:
        """Return dx per metre east and north at each position, (m, d)."""
        return self.frame.east(*where.positions.T), self.frame.north(*where.positions.T)

    def _at(
        self, target: Target, function: Callable[[Points, Points], Array | tuple[Array, ...]], outputs: int = 1
    ) -> Any:
        """Apply a function of the points, by longitude and latitude and in the frame, at every point of the target."""
        return target.evaluate(lambda where: function(where, self.frame.points(where)), outputs)

    def _reach(self, target: TargetLike | None) -> Target:
        if target is None:
            raise TypeError("a fitted field has no grid of its own: say where, field.gradient(grid).")
        points = Target.of(target).with_time()
        extent = self.info.get("extent", {})
        for axis, reach in (("time", REACH_DAYS), ("latitude", REACH_DEGREES), ("longitude", REACH_DEGREES)):
            column = getattr(points, axis)
            if axis in extent and column.chunks is None:
                _check_reach(axis, column.values, extent[axis], reach)
        return points


def _check_reach(axis: str, values: NDArray[Any], bounds: list[Any], reach: float) -> None:
    """Raise where no target point is within reach of the data along one axis, warn where some are not."""
    epoch = np.datetime64(bounds[0], "ns") if axis == "time" else None
    first, last = days_since(np.array(bounds, "M8[ns]"), epoch) if epoch is not None else map(float, bounds)
    seen = days_since(values, epoch) if epoch is not None else values
    seen = wrap(seen, (first + last) / 2) if axis == "longitude" else seen
    beyond = (seen < first - reach) | (seen > last + reach)  # False where a coordinate is missing
    if beyond.all():
        raise ValueError(
            f"no point of the target is near the data: its {axis} runs from {values.min()} to {values.max()}, "
            f"the observations' from {bounds[0]} to {bounds[1]}. Map where there are observations."
        )
    if beyond.any():
        warn(
            f"part of the target lies beyond the observations, whose {axis} runs from {bounds[0]} to {bounds[1]}: "
            "values there are extrapolated.",
        )
