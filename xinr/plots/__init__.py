"""Figures and movies of tracks, maps and scores.

Every figure is a `matplotlib.figure.Figure` outside of pyplot: ``figure.savefig("maps.png")``, or the last line of a
notebook's cell.
"""

from xinr.plots.observations import tracks, tracks_movie
from xinr.plots.quantities import QUANTITIES, Quantity, quantities_of
from xinr.plots.scores import daily_scores, error_maps
from xinr.plots.sheet import maps, movie
from xinr.plots.spectra import psd, psd_score

__all__ = [
    "QUANTITIES",
    "Quantity",
    "daily_scores",
    "error_maps",
    "maps",
    "movie",
    "psd",
    "psd_score",
    "quantities_of",
    "tracks",
    "tracks_movie",
]
