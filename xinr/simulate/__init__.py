"""Simulations with known truth, and the altimeters that sample them.

- Truth: `eddies` (random waves), `qg` with `as_field` (a quasi-geostrophic ocean), `MeanJet` (mean dynamic topography);
  `derivatives` and `covariance_of` a simulated ocean.
- Altimeters: `tracks`, `sample`, `swath`, with their `Errors`, `SwathErrors`, `Orbit` and `MISSIONS`.
"""

from xinr.methods.functions.waves import WavePredictor
from xinr.simulate.altimeters.errors import PERFECT, Errors
from xinr.simulate.altimeters.land import on_land
from xinr.simulate.altimeters.orbits import MISSIONS, Orbit
from xinr.simulate.altimeters.swath import SwathErrors, swath
from xinr.simulate.altimeters.tracks import CONSTELLATION, sample, tracks
from xinr.simulate.eddies import MeanJet, eddies
from xinr.simulate.ocean.as_field import as_field
from xinr.simulate.ocean.covariance import covariance_of
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
    "covariance_of",
    "derivatives",
    "eddies",
    "on_land",
    "qg",
    "sample",
    "swath",
    "tracks",
]
