"""Simulated seas with known truth: eddies, a quasi-geostrophic ocean, a front, and the altimeters that sample them."""

from xinr.simulate.eddies import Jet, WavePredictor, eddies
from xinr.simulate.errors import PERFECT, Errors
from xinr.simulate.land import on_land
from xinr.simulate.orbits import MISSIONS, Orbit
from xinr.simulate.periodic import derivatives
from xinr.simulate.qg import qg
from xinr.simulate.quasigeostrophic import OneLayer, TwoLayer
from xinr.simulate.sea import sea
from xinr.simulate.swath import SwathErrors, rows, swath
from xinr.simulate.tracks import CONSTELLATION, sample, tracks

__all__ = [
    "CONSTELLATION",
    "MISSIONS",
    "PERFECT",
    "Errors",
    "Jet",
    "OneLayer",
    "Orbit",
    "SwathErrors",
    "TwoLayer",
    "WavePredictor",
    "derivatives",
    "eddies",
    "on_land",
    "qg",
    "rows",
    "sample",
    "sea",
    "swath",
    "tracks",
]
