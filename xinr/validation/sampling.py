"""Observations as a method sees them."""

from __future__ import annotations

from xinr._typing import Array
from xinr.geo.frames import Frame, frame_around
from xinr.methods.method import Method
from xinr.methods.observation_error import ObservationError
from xinr.methods.predictor import Predictor
from xinr.observations.observations import Observations


def sampled(points: Observations, method: Method, frame: Frame | None = None) -> tuple[Array, Array, ObservationError]:
    """Return observations as a method sees them, in a frame, by default that around them: places, values, errors."""
    frame = frame or frame_around(method.frame, points.longitude, points.latitude, points.time)
    x = frame.project(points.longitude, points.latitude, points.time)
    return x, points.value, observation_error(points, method)


def observation_error(points: Observations, method: Method) -> ObservationError:
    """Return how observations err: the noise they bring, or that of the method, and its errors of passes."""
    noise = method.noise_of(points.missions)[points.mission_index] if points.noise is None else points.noise
    return ObservationError(noise, points.pass_index, 1e-3 * points.distance, method.pass_bias, method.pass_slope)


def fit_predictor(points: Observations, method: Method) -> tuple[Frame, Predictor]:
    """Fit a method to observations in the frame around them; return both."""
    points = points.coarsen(method.coarsen)
    frame = frame_around(method.frame, points.longitude, points.latitude, points.time)
    return frame, method.fit(*sampled(points, method, frame))
