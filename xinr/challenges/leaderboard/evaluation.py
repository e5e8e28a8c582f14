"""Fit, map, score, time: what a method makes of a challenge."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

import xarray as xr

from xinr.challenges.challenge import Challenge
from xinr.challenges.leaderboard.table import NULL, Row, track_cells, truth_cells
from xinr.fields.fitted import FittedField
from xinr.methods.method import Method


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a method makes of a challenge: its field, its maps and their cost; scores are computed when asked for.

    Parameters
    ----------
    challenge : Challenge
        What was mapped, and the rules of the score.
    field : FittedField
        The fit to the training tracks.
    maps : Dataset
        The field on the grid of the challenge.
    seconds : mapping of str to float
        ``fit_seconds`` and ``map_seconds``.
    """

    challenge: Challenge
    field: FittedField
    maps: xr.Dataset
    seconds: Mapping[str, float]

    @cached_property
    def track_score(self) -> xr.Dataset:
        """Score on the withheld track: see `xinr.challenges.Challenge.score`."""
        return self.challenge.score(self.field)

    @cached_property
    def truth_score(self) -> xr.Dataset:
        """Score of the maps, which need derivatives, on the truth: see `xinr.challenges.Challenge.score_truth`."""
        return self.challenge.score_truth(self.maps)

    def row(self, name: str, *, truth: bool = False) -> Row:
        """Return the row of a table: name, score on the withheld track, on the truth too if asked, seconds."""
        on_truth = truth_cells(self.truth_score) if truth else {}
        return {"method": name, **track_cells(self.track_score), **on_truth, **self.seconds}


def evaluate(
    challenge: Challenge,
    method: str | Method,
    *,
    derivatives: bool = False,
    clock: Callable[[], float] = perf_counter,
) -> Evaluation:
    """Fit a method to the training tracks of a challenge, and map it on the challenge's grid.

    Parameters
    ----------
    challenge : Challenge
        What to map.
    method : str or Method
        A key of `xinr.METHODS`, or a method with its settings.
    derivatives : bool
        Map the formal error, if any, the gradient and the Laplacian too, as scores on the truth need.
    clock : callable
        Of the `time` module: `process_time` counts the seconds of the processor.

    Examples
    --------
    >>> from time import process_time
    >>> from xinr import OI
    >>> from xinr.challenges import osse
    >>> from xinr.simulate import eddies
    >>> days = ("2021-01-01", "2021-01-09")
    >>> challenge = osse(eddies(waves=40), missions=["j3", "s3a"], period=days, spacing=1.0, time_step=1)
    >>> found = evaluate(challenge, OI(analysis_step=4.0), derivatives=True, clock=process_time)
    >>> list(found.seconds), bool(found.track_score.rmse < challenge.score_null().rmse), bool(found.truth_score.mu > 0)
    (['fit_seconds', 'map_seconds'], True, True)
    """
    field, fit_seconds = timed(lambda: challenge.fit(method), clock)
    maps, map_seconds = timed(lambda: challenge.map(field) if derivatives else field.interp(challenge.grid), clock)
    return Evaluation(challenge, field, maps, {"fit_seconds": fit_seconds, "map_seconds": map_seconds})


def timed[T](task: Callable[[], T], clock: Callable[[], float] = perf_counter) -> tuple[T, float]:
    """Run a task; return its result and its seconds by a clock of the `time` module."""
    started = clock()
    result = task()
    return result, clock() - started


def null_row(challenge: Challenge) -> Row:
    """Return the row of a map of nothing: the mean topography alone, and zero against the truth where it is known."""
    cells = track_cells(challenge.score_null())
    if challenge.truth is not None:
        rms = float((challenge.true_maps[challenge.truth.name] ** 2).mean()) ** 0.5
        cells |= {"rmse_truth": rms, "mu_truth": 0.0}
    return {"method": NULL, **cells}
