"""Figures: where the altimeters passed, what a method made of it, and which scales it resolves.

Every function returns a `matplotlib.figure.Figure` that belongs to no window and no global state:
``figure.savefig("maps.png")``, or the last line of a notebook's cell.
"""

from xinr.plots.geography import maps, tracks
from xinr.plots.spectra import psd_score

__all__ = ["maps", "psd_score", "tracks"]
