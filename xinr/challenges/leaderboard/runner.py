"""Run a leaderboard: each method once, found again the next time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import xarray as xr
from tqdm.auto import tqdm

from xinr.challenges.challenge import Challenge
from xinr.challenges.leaderboard.board import NULL, Leaderboard
from xinr.challenges.leaderboard.entry import Entry, made, slug
from xinr.challenges.leaderboard.text import write
from xinr.methods.method import Method
from xinr.methods.registry import method_from


def run(
    challenge: Challenge,
    methods: Iterable[str] | Mapping[str, Method],
    folder: Path,
    *,
    maps: Mapping[str, xr.Dataset] | None = None,
    tune: int = 0,
    devices: Iterable[str] = (),
) -> Leaderboard:
    """Fit, map and score every method, and write the tables.

    Parameters
    ----------
    challenge : Challenge
        What to map, and on what to score.
    methods : iterable of str or mapping of str to Method
        Keys of `xinr.METHODS`, taken with their defaults; or methods with settings of one's own, by name.
    folder : Path
        Of results and tables, made if need be. A method whose result is there, with the same settings, data and
        versions, is not run again.
    maps : mapping of str to Dataset, optional
        Maps that exist, to be scored beside those of the challenge.
    tune : int
        Cross-validations over the training missions to choose settings, for each method; 0 takes them as they are.
    devices : iterable of str
        Where methods that can choose compute: "cpu", "cuda", "mps". Scores are those of the first, cost is of each.

    Returns
    -------
    Leaderboard
        Written as ``leaderboard.md``, ``.csv`` and ``.nc``.

    Raises
    ------
    ValueError
        No method nor map, an unknown method, or the same name twice (capitals aside).

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from xinr import OI
    >>> from xinr.challenges import osse
    >>> from xinr.simulate import eddies
    >>> days = ("2021-01-01", "2021-01-09")
    >>> challenge = osse(eddies(waves=40), missions=["j3", "s3a"], period=days, spacing=1.0, time_step=1)
    >>> with TemporaryDirectory() as folder:
    ...     board = run(challenge, {"OI": OI(analysis_step=4.0)}, Path(folder))
    ...     [path.name for path in sorted(Path(folder).glob("leaderboard.*"))]
    ['leaderboard.csv', 'leaderboard.md', 'leaderboard.nc']
    >>> [row["method"] for row in board.rows], bool(board.rows[1]["rmse"] < board.rows[0]["rmse"])
    (['null (mdt)', 'OI'], True)
    """
    chosen = dict(methods) if isinstance(methods, Mapping) else {name: method_from(name, {}) for name in methods}
    existing = {**challenge.maps, **(maps or {})}
    _check(chosen, existing)
    places: list[str | None] = [*devices] or [None]
    tasks = [(name, _placed(method, place), i) for name, method in chosen.items() for i, place in enumerate(places)]
    tasks = [task for task in tasks if task[2] == 0 or hasattr(task[1], "device")]
    folder.mkdir(parents=True, exist_ok=True)
    found: list[tuple[int, Entry]] = []
    with tqdm(total=len(tasks) + len(existing), disable=None, leave=False, delay=1) as bar:
        for name, method, i in tasks:
            bar.set_description(name)
            found.append((i, made(challenge, name, method, tune, folder)))
            bar.update()
        for name, each in existing.items():
            bar.set_description(name)
            found.append((0, Entry.of_maps(challenge, name, each)))
            bar.update()
    first = {entry.name: entry for i, entry in found if i == 0}
    board = Leaderboard(challenge, first, tuple(entry for i, entry in found if i))
    write(board, folder)
    return board


def _check(methods: Mapping[str, Method], maps: Mapping[str, xr.Dataset]) -> None:
    if not methods and not maps:
        raise ValueError("nothing to score: give a method, such as ['oi'], or a map that exists.")
    names = [NULL, "truth", *methods, *maps]
    taken = Counter(map(slug, names))  # files are named by it
    twice = sorted({name for name in names if taken[slug(name)] > 1})
    if twice:
        raise ValueError(f"rows or their files would have the same name, {twice}: give the methods or the maps others.")


def _placed(method: Method, device: str | None) -> Method:
    options: dict[str, Any] = {"device": device}
    return method if device is None or not hasattr(method, "device") else replace(method, **options)
