"""Simulated seas with known truth: an eddying field, a mean front, and the altimeter passes that sample them."""

from xinr.simulate.eddies import Jet, WavePredictor, eddies
from xinr.simulate.orbits import MISSIONS, Orbit
from xinr.simulate.tracks import tracks

__all__ = ["MISSIONS", "Jet", "Orbit", "WavePredictor", "eddies", "tracks"]
