"""Challenges: tracks to map, a track kept back, and the rules of the score."""

from xinr.challenges.base import Challenge
from xinr.challenges.mediterranean import MED2021_MISSIONS, med2021
from xinr.challenges.registry import CHALLENGES, Opener, open_challenge
from xinr.challenges.simulated import osse, regular_grid

__all__ = ["CHALLENGES", "MED2021_MISSIONS", "Challenge", "Opener", "med2021", "open_challenge", "osse", "regular_grid"]
