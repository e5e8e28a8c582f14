"""Observations as a method sees them."""

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr

from xinr._typing import Array
from xinr._warnings import warn
from xinr.geo.frames import Frame, frame_around
from xinr.methods.method import Method
from xinr.methods.observation_error import DEVIATIONS, ObservationError
from xinr.methods.predictor import Predictor
from xinr.methods.registry import method_from
from xinr.observations.observations import Observations

Tracks = xr.Dataset | xr.DataArray | Observations
#: Keywords of `Observations.from_tracks`; a ``noise`` that is no variable's name is the method's.
OF_TRACKS = ("variable", "lwe", "mdt", "region", "swath_block")


def prepared(tracks: Tracks, method: str | Method, options: Mapping[str, Any]) -> tuple[Observations, Method]:
    """Return the observations and the method that tracks, a name and keywords stand for: see `xinr.fit`.

    The keywords are those of tracks (TypeError with observations), ``noise``, and settings of the method.
    """
    of_tracks = {key: options[key] for key in OF_TRACKS if options.get(key) is not None}
    settings = {key: value for key, value in options.items() if key not in (*OF_TRACKS, "noise")}
    noise, chosen = options.get("noise"), method_from(method, settings)
    if isinstance(noise, str):
        return _observations(tracks, of_tracks | {"noise": noise}), chosen
    points = _observations(tracks, of_tracks)
    return points, chosen if noise is None else replace(chosen, noise=_noise_of(points, noise))


def _observations(tracks: Tracks, options: Mapping[str, Any]) -> Observations:
    if not isinstance(tracks, Observations):
        return Observations.from_tracks(tracks, **options)
    given = sorted(key for key, value in options.items() if value is not None and value is not False)
    if given:
        raise TypeError(
            f"{given} choose observations from tracks, but these are Observations already: "
            "give the tracks themselves, or Observations.from_tracks(tracks, ...) these keywords."
        )
    return tracks


def _noise_of(points: Observations, noise: float | Mapping[str, float]) -> float | Mapping[str, float]:
    """Return a noise for a method's setting, checked against the missions."""
    if points.noise is not None:
        raise ValueError(f"noise={noise!r} came with observations that bring their own: leave one of them out.")
    if isinstance(noise, Real):
        return noise  # checked by the method
    if not isinstance(noise, Mapping):
        raise TypeError(
            f"noise must be a number, one for each mission, or the name of a variable, got {type(noise).__name__}: "
            "for one value a point, tracks.assign(noise=(<dim>, values)) and noise='noise'."
        )
    given, missions = {str(name): level for name, level in noise.items()}, list(points.missions)
    missing, unused = sorted(set(missions) - set(given)), sorted(set(given) - set(missions))
    named = "Names come from the coordinate 'mission', as xinr.open_tracks makes it."
    if missing:
        raise ValueError(
            f"noise is given for {sorted(given)}, but the tracks hold the missions {missions}: add {missing}. {named}"
        )
    if unused:
        warn(f"noise is given for {unused}, but the tracks hold only the missions {missions}. {named}")
    return given


def sampled(points: Observations, method: Method, frame: Frame | None = None) -> tuple[Array, Array, ObservationError]:
    """Return observations as a method sees them, in a frame, by default that around them: positions, values, errors."""
    frame = frame or frame_around(method.frame, points.longitude, points.latitude, points.time)
    x = frame.project(points.longitude, points.latitude, points.time)
    return x, points.value, observation_error(points, method)


def observation_error(points: Observations, method: Method) -> ObservationError:
    """Return how observations err: the noise they bring, or that of the method, and its errors of passes.

    The noise of a method is that of one raw observation; that of the mean of several is less by the root of their
    number. The variance between the pixels of a block is added whole: what varies within a block, a map does not
    follow, and neighbouring blocks err alike (error of representation).

    References
    ----------
    Janjić et al. (2018), doi:10.1002/qj.3130
    """
    noise = points.noise
    if noise is None:
        noise = method.noise_of(points.missions)[points.mission_index] / np.sqrt(points.averaged)
    deviations = {name: getattr(method, name) for name in DEVIATIONS}
    return ObservationError(
        np.hypot(noise, points.spread),
        points.pass_index,
        1e-3 * points.distance,
        cross_track_distance=points.cross_track_distance,
        **deviations,
    )


def fit_predictor(points: Observations, method: Method) -> tuple[Frame, Predictor]:
    """Fit a method to observations in the frame around them; return both."""
    points = points.coarsen(method.coarsen)
    frame = frame_around(method.frame, points.longitude, points.latitude, points.time)
    return frame, method.fit(*sampled(points, method, frame))
