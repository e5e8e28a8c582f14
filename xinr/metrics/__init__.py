"""Scores of predictions and maps.

- Along a withheld track: `score`, `score_pairs` of several predictions, `bin_errors` by region, `calibration`.
- On gridded truth: `score_maps`, `score_truth` with derivatives and currents.
"""

from xinr.metrics.along_track import SCORE_OPTIONS, score
from xinr.metrics.binned import bin_errors
from xinr.metrics.calibration import calibration
from xinr.metrics.gridded import score_maps
from xinr.metrics.paired import score_pairs
from xinr.metrics.points import select
from xinr.metrics.spectra import PROTOCOLS, Protocol
from xinr.metrics.truth import score_truth

__all__ = [
    "PROTOCOLS",
    "SCORE_OPTIONS",
    "Protocol",
    "bin_errors",
    "calibration",
    "score",
    "score_maps",
    "score_pairs",
    "score_truth",
    "select",
]
