"""Observations: altimetry tracks opened, their heights chosen and corrected, parted into passes."""

from xinr.observations.observations import Observations
from xinr.observations.open_tracks import open_tracks

__all__ = ["Observations", "open_tracks"]
