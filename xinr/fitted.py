"""Fit a method to tracks, and the Field that comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr.caution import caution
from xinr.coordinates import wrap
from xinr.field import Field, Points
from xinr.frame import FRAMES, SECONDS_PER_DAY, Array, Frame, Times, days_since, frame_around
from xinr.methods import (
    ErrorPredictor,
    Method,
    ObservationError,
    Predictor,
    SamplePredictor,
    method_from,
    predictor_class,
)
from xinr.methods.base import WarmStartMethod
from xinr.methods.settings import plain_settings
from xinr.observations import Observations
from xinr.places import once
from xinr.targets import Target

#: A target this far beyond the data [degrees; days] is an extrapolation worth a warning.
REACH_DEGREES, REACH_DAYS = 2.0, 2.0
#: More than this share of the observations lost to coarsening is worth a warning.
MOST_TRIMMED = 0.2


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

    def sample(self, target: Points, count: int, seed: int = 0) -> xr.Dataset:
        """Draw fields that the observations allow as well: each is as rough as the sea, where `interp` is smooth.

        Parameters
        ----------
        target : Dataset, DataArray or mapping
            As for `interp`.
        count : int
            How many.
        seed : int
            Draws of the same seed are of the same functions, whatever the target.

        Returns
        -------
        Dataset
            ``<name>`` [m] with the leading dimension ``sample``.

        Raises
        ------
        ValueError
            The method draws none, or the count is not above zero.
        """
        if not isinstance(self.predictor, SamplePredictor):
            raise ValueError(f"the method {self.info['method']!r} draws no samples: kriging does.")
        if count < 1:
            raise ValueError(f"count must be a whole number above zero, got {count!r}.")
        points = self._reach(target)
        found = [replace(self, predictor=drawn)._value(points) for drawn in self.predictor.draws(count, seed)]
        return self._dataset({self.name: xr.concat(found, "sample").assign_attrs(self._attrs("", "m"))})

    def stored(self) -> xr.Dataset:
        """See `Field.stored`: the state of the predictor, with a list of its shapes and types to check on opening."""
        state = self.predictor.state()
        arrays = {key: ([f"{key}_{i}" for i in range(array.ndim)], array) for key, array in state.items()}
        manifest = {key: [str(array.dtype), list(array.shape)] for key, array in state.items()}
        frame = {"kind": self.frame.kind, **vars(self.frame), "epoch": str(self.frame.epoch)}
        attrs = {"content": self.predictor.kind, "frame": json.dumps(frame), "manifest": json.dumps(manifest)}
        return xr.Dataset(arrays, attrs=attrs)

    @classmethod
    def restored(cls, ds: xr.Dataset) -> Self:
        """See `Field.restored`."""
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
        value: xr.DataArray = self._at(target, lambda lon, lat, x: self.predictor.predict(x))
        return value

    def _posterior(self, target: Target) -> tuple[xr.DataArray, xr.DataArray]:
        predictor = self.predictor
        if not isinstance(predictor, ErrorPredictor):
            raise ValueError(f"the method {self.info['method']!r} gives no posterior error: ask without error=True.")
        value, error = self._at(target, lambda lon, lat, x: predictor.posterior(x), 2)
        return value, error

    def _gradient(self, target: Target) -> dict[str, xr.DataArray]:
        def slopes(lon: Array, lat: Array, x: Array) -> tuple[Array, ...]:
            gradient = self.predictor.gradient(x)
            east, north = once(self.frame.east, lon, lat), once(self.frame.north, lon, lat)
            return _dot(gradient, east), _dot(gradient, north), gradient[:, -1] / SECONDS_PER_DAY

        return dict(zip("xyt", self._at(target, slopes, 3), strict=True))

    def _laplacian(self, target: Target) -> xr.DataArray:
        def bend(lon: Array, lat: Array, x: Array) -> Array:
            directions = once(self.frame.east, lon, lat), once(self.frame.north, lon, lat)
            east, _, north = once(self.frame.bends, lon, lat)
            return self.predictor.laplacian(x, directions, east + north)

        laplacian: xr.DataArray = self._at(target, bend)
        return laplacian

    def _derivatives(self, target: Target) -> dict[str, xr.DataArray]:
        def both_orders(lon: Array, lat: Array, x: Array) -> tuple[Array, ...]:
            directions = once(self.frame.east, lon, lat), once(self.frame.north, lon, lat)
            pairs = [[(0, 0)], [(0, 1)], [(1, 1)]]
            first, second = self.predictor.derivatives(x, directions, pairs, list(once(self.frame.bends, lon, lat)))
            return *first, *second

        return dict(zip(("x", "y", "xx", "xy", "yy"), self._at(target, both_orders, 5), strict=True))

    def _at(
        self,
        target: Target,
        function: Callable[[Array, Array, Array], Array | tuple[Array, ...]],
        outputs: int = 1,
    ) -> Any:
        def of_points(lon: Array, lat: Array, time: Times) -> Array | tuple[Array, ...]:
            x = once(lambda lon, lat: self.frame.project(lon, lat, time[: len(lon)]), lon, lat)
            x[:, -1] = days_since(time, self.frame.epoch)
            return function(lon, lat, x)

        return target.evaluate(of_points, outputs)

    def _reach(self, target: Points | None) -> Target:
        if target is None:
            raise TypeError("a fitted field has no grid of its own: say where, field.gradient(grid).")
        points = Target.of(target).with_time()
        extent = self.info.get("extent", {})
        for axis, reach in (("time", REACH_DAYS), ("latitude", REACH_DEGREES), ("longitude", REACH_DEGREES)):
            column = getattr(points, axis)
            if axis in extent and column.chunks is None:
                _check_reach(axis, column.values, extent[axis], reach)
        return points


def fit(
    tracks: xr.Dataset | xr.DataArray,
    method: str | Method = "oi",
    *,
    variable: str | None = None,
    lwe: bool = False,
    mdt: bool = False,
    noise: float | Mapping[str, float] | str | None = None,
    region: tuple[float, float, float, float] | None = None,
    tune: bool | Sequence[str] = False,
    init: FittedField | None = None,
    **settings: Any,
) -> FittedField:
    """Fit a method to along-track observations.

    Parameters
    ----------
    tracks : Dataset or DataArray
        Along-track data: see `xinr.Observations.from_tracks`.
    method : str or Method
        "oi", "siren", another key of `xinr.METHODS`, or an object such as ``Siren(hidden_features=128)``.
    variable, lwe, mdt, noise, region
        Which observations, corrected how: see `xinr.Observations.from_tracks`.
    tune : bool or sequence of str
        Choose settings by cross-validation over the missions of these tracks first, by `xinr.tune`: those that the
        method names, or these. What was found is in ``info["tuned"]``.
    init : FittedField, optional
        A field that the same method made of earlier data, to start from: new days then take a fraction of the steps.
        Neural methods can.
    **settings
        Settings of the method and of its covariance: the fields of their classes.

    Returns
    -------
    FittedField
        A function of longitude, latitude and time.

    Raises
    ------
    ValueError
        Unknown method, unusable observations or settings; says what was expected and the cure.
    TypeError
        A setting that the method does not have.
    """
    chosen = method_from(method, settings)
    points = Observations.from_tracks(tracks, variable=variable, lwe=lwe, mdt=mdt, noise=noise, region=region)
    if tune is False:
        return fit_observations(points, chosen, init)
    from xinr.tuning import tune as search

    found = search(points, chosen, None if tune is True else tune)
    tuned = {"rmse": found.rmse, "evaluations": found.trials.sizes["trial"]}
    field = fit_observations(points, found.method, init)
    return replace(field, info=field.info | {"tuned": tuned})


def fit_observations(points: Observations, method: Method, init: FittedField | None = None) -> FittedField:
    """Fit a method to observations already taken out of their Dataset, starting from an earlier field if given."""
    whole, points = len(points), points.coarsen(method.coarsen)
    trimmed = whole - method.coarsen * len(points)
    if trimmed > MOST_TRIMMED * whole:
        caution(
            f"coarsen={method.coarsen} leaves out {trimmed} of {whole} observations, the ends of short "
            "stretches of track: use a smaller factor. Tracks of several instruments need a coordinate 'mission'."
        )
    frame = init.frame if init else frame_around(method.frame, points.longitude, points.latitude, points.time)
    started = perf_counter()
    x, y, error = sampled(points, method, frame)
    method = method.resolved(x, y, error)
    predictor = _refit(method, x, y, error, init) if init else method.fit(x, y, error)
    info = {
        "method": predictor.kind,
        "settings": plain_settings(method),
        "quantity": points.quantity,
        "observations": len(points),
        "dropped": points.dropped,
        "trimmed": trimmed,
        "passes": points.n_passes,
        "missions": list(points.missions),
        "extent": _extent(points, frame),
        "fit_seconds": perf_counter() - started,
    }
    return FittedField(frame, predictor, points.name, info)


def _refit(method: Method, x: Array, y: Array, error: ObservationError, init: FittedField) -> Predictor:
    if not isinstance(method, WarmStartMethod):
        raise ValueError(
            f"{type(method).__name__} starts from no earlier field, it solves at once: fit it without init=. "
            "Neural methods do start from one."
        )
    if init.frame.kind != method.frame:
        raise ValueError(
            f"the field to start from works in the frame {init.frame.kind!r}, the method in {method.frame!r}: "
            f"set frame={init.frame.kind!r}."
        )
    return method.refit(x, y, error, init.predictor)


def sampled(points: Observations, method: Method, frame: Frame | None = None) -> tuple[Array, Array, ObservationError]:
    """Return observations as a method sees them, in a frame, by default that around them: places, values, errors."""
    frame = frame or frame_around(method.frame, points.longitude, points.latitude, points.time)
    x = frame.project(points.longitude, points.latitude, points.time)
    return x, points.value, observation_error(points, method)


def observation_error(points: Observations, method: Method) -> ObservationError:
    """Return how observations err: the noise they bring, or that of the method, and its errors of passes."""
    noise = method.noise_of(points.missions)[points.mission_index] if points.noise is None else points.noise
    return ObservationError(noise, points.pass_index, 1e-3 * points.distance, method.pass_bias, method.pass_slope)


def _extent(points: Observations, frame: Frame) -> dict[str, list[Any]]:
    longitude = wrap(points.longitude, frame.origin)
    return {
        "longitude": [float(longitude.min()), float(longitude.max())],
        "latitude": [float(points.latitude.min()), float(points.latitude.max())],
        "time": [
            str(points.time.min().astype("datetime64[s]")),
            str(points.time.max().astype("datetime64[s]")),
        ],
    }


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
        caution(
            f"part of the target lies beyond the observations, whose {axis} runs from {bounds[0]} to {bounds[1]}: "
            "values there are extrapolated.",
        )


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->i", a, b))
