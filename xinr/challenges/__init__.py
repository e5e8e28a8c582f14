"""Challenges: tracks to map, a withheld track, and the rules of the score."""

from xinr.challenges.challenge import Challenge
from xinr.challenges.dc2020a import dc2020a
from xinr.challenges.dc2021a import dc2021a
from xinr.challenges.med2021 import MED2021_MISSIONS, med2021
from xinr.challenges.osse import osse, regular_grid
from xinr.challenges.registry import CHALLENGES, open_challenge

__all__ = [
    "CHALLENGES",
    "MED2021_MISSIONS",
    "Challenge",
    "dc2020a",
    "dc2021a",
    "med2021",
    "open_challenge",
    "osse",
    "regular_grid",
]
