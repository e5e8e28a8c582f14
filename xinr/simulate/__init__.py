"""Simulations with known truth: random eddies, a quasi-geostrophic ocean, a mean jet, and the altimeters above them."""

from xinr.methods.functions.waves import WavePredictor
from xinr.simulate.altimeters.errors import PERFECT, Errors
from xinr.simulate.altimeters.land import on_land
from xinr.simulate.altimeters.orbits import MISSIONS, Orbit
from xinr.simulate.altimeters.swath import SwathErrors, rows, swath
from xinr.simulate.altimeters.tracks import CONSTELLATION, sample, tracks
from xinr.simulate.eddies import MeanJet, eddies
from xinr.simulate.ocean.as_field import as_field
from xinr.simulate.ocean.periodic import derivatives
from xinr.simulate.ocean.qg import qg
from xinr.simulate.ocean.quasigeostrophic import OneLayer, TwoLayer

__all__ = [
    "CONSTELLATION",
    "MISSIONS",
    "PERFECT",
    "Errors",
    "MeanJet",
    "OneLayer",
    "Orbit",
    "SwathErrors",
    "TwoLayer",
    "WavePredictor",
    "as_field",
    "derivatives",
    "eddies",
    "on_land",
    "qg",
    "rows",
    "sample",
    "swath",
    "tracks",
]
