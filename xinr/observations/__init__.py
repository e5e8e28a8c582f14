"""Observations: along-track altimetry, its sea level variable with corrections, and its passes."""

from xinr.observations.observations import Observations
from xinr.observations.open_tracks import open_tracks

__all__ = ["Observations", "open_tracks"]
