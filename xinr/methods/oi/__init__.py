"""Optimal interpolation: sliding time windows with every observation, or local, from the nearest ones."""

from xinr.methods.oi.local import LocalOIPredictor
from xinr.methods.oi.method import OI
from xinr.methods.oi.windows import OIPredictor

__all__ = ["OI", "LocalOIPredictor", "OIPredictor"]
