"""Scores along withheld tracks and on gridded truth, and calibration of formal errors."""

from xinr.metrics.along_track import SCORE_OPTIONS, score
from xinr.metrics.binned import bin_errors
from xinr.metrics.calibration import calibration
from xinr.metrics.gridded import score_maps
from xinr.metrics.paired import score_pairs
from xinr.metrics.points import select
from xinr.metrics.spectra import PROTOCOLS, Protocol

__all__ = [
    "PROTOCOLS",
    "SCORE_OPTIONS",
    "Protocol",
    "bin_errors",
    "calibration",
    "score",
    "score_maps",
    "score_pairs",
    "select",
]
