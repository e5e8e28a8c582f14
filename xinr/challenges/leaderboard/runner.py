"""Run a leaderboard: each method once, found again the next time."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import xarray as xr
from tqdm.auto import tqdm

from xinr.challenges.challenge import Challenge
from xinr.challenges.leaderboard.board import Leaderboard
from xinr.challenges.leaderboard.entry import Entry, slug, stored_entry
from xinr.challenges.leaderboard.table import NULL
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
        Maps that exist, to be scored next to those of the challenge.
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
    first, *others = [*devices] or [""]
    tasks = [(name, _on_device(method, first)) for name, method in chosen.items()]
    again = [(name, method) for name, method in tasks if hasattr(method, "device")]
    tasks += [(name, _on_device(method, device)) for name, method in again for device in others]
    folder.mkdir(parents=True, exist_ok=True)
    found = [stored_entry(challenge, name, method, tune, folder) for name, method in _progress(tasks)]
    maps_found = [Entry.of_maps(challenge, name, each) for name, each in _progress(existing.items())]
    entries = {entry.name: entry for entry in (*found[: len(chosen)], *maps_found)}
    board = Leaderboard(challenge, entries, tuple(found[len(chosen) :]))
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


def _progress[T](tasks: Iterable[T]) -> Iterable[T]:
    return tqdm(tasks, disable=None, leave=False, delay=1)  # type: ignore[no-any-return]


def _on_device(method: Method, device: str) -> Method:
    options: dict[str, Any] = {"device": device}
    return replace(method, **options) if device and hasattr(method, "device") else method
