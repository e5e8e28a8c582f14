"""Leaderboards: every method and map of a challenge in one table, resumed where it was left."""

from xinr.challenges.leaderboard.board import NULL, Leaderboard
from xinr.challenges.leaderboard.entry import Entry, slug
from xinr.challenges.leaderboard.runner import run
from xinr.challenges.leaderboard.text import Table, described, tables, text_of, write

__all__ = ["NULL", "Entry", "Leaderboard", "Table", "described", "run", "slug", "tables", "text_of", "write"]
