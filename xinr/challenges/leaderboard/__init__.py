"""Leaderboards: every method and map of a challenge in one table, resumed where it was left."""

from xinr.challenges.leaderboard.board import Leaderboard
from xinr.challenges.leaderboard.entry import Entry
from xinr.challenges.leaderboard.evaluation import Evaluation, evaluate
from xinr.challenges.leaderboard.runner import run
from xinr.challenges.leaderboard.table import NULL
from xinr.challenges.leaderboard.text import text_of, write

__all__ = ["NULL", "Entry", "Evaluation", "Leaderboard", "evaluate", "run", "text_of", "write"]
