"""Observations: altimetry along tracks and in swaths, its sea level variable with corrections, and its passes."""

from xinr.observations.observations import Observations
from xinr.observations.open_tracks import open_tracks
from xinr.observations.swaths import unrolled

__all__ = ["Observations", "open_tracks", "unrolled"]
