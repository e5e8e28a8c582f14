"""A leaderboard as tables: scores, differences, cost and settings; written as markdown, CSV and netCDF."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xinr.challenges.challenge import Challenge
from xinr.challenges.leaderboard.board import Leaderboard
from xinr.challenges.leaderboard.entry import Entry
from xinr.challenges.leaderboard.table import METHOD, TRACK, TRUTH, Column, Row, markdown, write_csv
from xinr.fields.netcdf import write_netcdf

SETTINGS = Column("settings", "settings")
#: Of the table on the withheld track.
ON_TRACK = (METHOD, SETTINGS, *TRACK, Column("rmse_map", "rmse of the map [cm]", 2, 100.0))


@dataclass(frozen=True)
class Table:
    """A table with its title, and what must be known to read it."""

    title: str
    note: str
    rows: Sequence[Row]
    columns: Sequence[Column]


def write(board: Leaderboard, folder: Path) -> list[Path]:
    """Write the text, the rows with every digit as CSV, and scores with spectra, days and differences as netCDF."""
    paths = [folder / f"leaderboard.{suffix}" for suffix in ("md", "csv", "nc")]
    paths[0].write_text(text_of(board), encoding="utf-8")
    write_csv(board.rows, paths[1])
    write_netcdf(board.dataset, paths[2])
    return paths


def text_of(board: Leaderboard) -> str:
    """Return everything as markdown."""
    parts = [f"# {board.challenge.name}", described(board.challenge)]
    for table in tables(board):
        parts += [f"## {table.title}", table.note, markdown(table.rows, table.columns)]
    return "\n\n".join(parts) + "\n"


def described(challenge: Challenge) -> str:
    """Say what is mapped, and on what it is scored."""
    west, east, south, north = challenge.region
    where = f"{west:g} to {east:g} °E, {south:g} to {north:g} °N, {challenge.period[0]} to {challenge.period[1]}"
    mapped = f"{len(challenge.observations):,} points of {', '.join(challenge.missions)} are mapped."
    if challenge.withheld is None:
        return f"{mapped} Scored on the truth, by the protocol dc2020a: {where}."
    withheld = ", ".join(np.unique(challenge.withheld["mission"].values.astype(str)))
    return (
        f"{mapped} {withheld} is withheld; scored on its track, {where}, by the protocol {challenge.protocol} with "
        f"segments of {challenge.segment_length:g} km."
    )


def tables(board: Leaderboard) -> Iterator[Table]:
    """Yield the tables that the challenge allows."""
    if board.challenge.withheld is not None:
        yield from _on_track(board)
    if board.truth_scores:
        note = "Skills are 1 - rms error / rms truth; the last columns are shares of the truth within formal errors."
        known = [row for row in board.rows if any(column.key in row for column in TRUTH)]
        yield Table("Scores on the truth", note, known, (METHOD, SETTINGS, *TRUTH))
    entries = [entry for entry in board.entries.values() if "machine" in entry.info]
    if entries:
        yield _speed([*entries, *board.elsewhere])
        yield _settings(entries)


def _on_track(board: Leaderboard) -> Iterator[Table]:
    scores = board.scores
    note = (
        f"{int(scores['n'][0]):,} of {board.challenge.track.sizes['time']:,} points: those that every row has. In "
        f"brackets 95 % bootstrap intervals, over {scores.attrs['n_passes']} passes for rmse and lambda_x, over days "
        "for mu and sigma; - is a score that does not cross 0.5."
    )
    yield Table("Scores on the withheld track", note, board.rows, ON_TRACK)
    note = "The row's less the column's, with 95 % intervals from the same resamples of passes for both."
    names = list(map(str, scores["other"].values))
    yield Table("Differences in rmse [cm]", note, board.differences("rmse"), _pairs(names, 2, 100.0))
    note = "As above, from the same resamples of days."
    yield Table("Differences in mu", note, board.differences("mu"), _pairs(names, 3))


def _pairs(names: Iterable[str], digits: int, factor: float = 1.0) -> list[Column]:
    return [METHOD, *(Column(name, name, digits, factor) for name in names)]


def _speed(entries: Sequence[Entry]) -> Table:
    """Return seconds for fit, map and the rest, one column for each device and machine."""
    rows: dict[str, dict[str, float | str]] = {entry.name: {"method": entry.name} for entry in entries}
    machines = [f"{entry.info['device']}: {entry.info['machine']}" for entry in entries]
    for entry, machine in zip(entries, machines, strict=True):
        parts = (entry.info[f"{part}_seconds"] for part in ("fit", "map", "rest"))
        rows[entry.name][machine] = " + ".join(f"{seconds:.1f}" for seconds in parts)
    sizes = {int(np.prod(list(entry.maps[entry.height].sizes.values()))) for entry in entries}
    note = (
        f"Seconds for the fit + the height on {', '.join(f'{size:,}' for size in sorted(sizes))} nodes + what else is "
        "kept there: height with its formal error, if any, gradient and Laplacian."
    )
    columns = [METHOD, *(Column(machine, f"{machine} [s]") for machine in dict.fromkeys(machines))]
    return Table("Speed", note, list(rows.values()), columns)


def _settings(entries: Sequence[Entry]) -> Table:
    texts = {", ".join(f"{name} {number}" for name, number in entry.info["versions"].items()) for entry in entries}
    note = f"What is not named is the method's default. Versions: {'; '.join(sorted(texts))}."
    headings = {"method": "method", "choice": "settings", "search": "search", "given": "values"}
    columns = [Column(key, heading) for key, heading in headings.items()]
    rows: list[Row] = []
    for name, info in ((entry.name, entry.info) for entry in entries):
        search = "{evaluations} cross-validations, rmse {rmse:.4f} m".format(**info["tuning"]) if info["tuning"] else ""
        rows.append({"method": name, "choice": info["choice"], "search": search, "given": _listed(info["given"])})
    return Table("Settings", note, rows, columns)


def _listed(settings: Mapping[str, Any]) -> str:
    """Return settings as one would write them, objects among them as their constructors."""
    return ", ".join(f"{name}={_value(value)}" for name, value in settings.items() if name != "kind")


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['kind']}({_listed(value)})"
    return f"[{', '.join(map(_value, value))}]" if isinstance(value, list) else f"{value}"
