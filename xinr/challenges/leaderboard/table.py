"""Tables of scores, one row for each method: as text that is also markdown, and as CSV.

A row is a mapping. Its numbers are in the units of `xinr.metrics`: heights in m, lengths in km or degrees, periods in
days, cost in s. A column says what to show of it, and in which unit.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import xarray as xr

from xinr.metrics.along_track import DESCRIPTIONS

Row = Mapping[str, float | str]
#: Scores of heights on the truth that are called like those on a track.
SHARED = ("mu", "sigma", "mu_all", "rmse", "lambda_x", "lambda_t", "lambda_r")


@dataclass(frozen=True)
class Column:
    """What a column shows of a row: ``<key>_low`` and ``<key>_high``, where the row has them, as the key's interval."""

    key: str
    heading: str  #: With the unit.
    digits: int = 3  #: Behind the point.
    factor: float = 1.0  #: From the row's unit to that of the heading.

    def cell(self, row: Row) -> str:
        """Return what is shown: nothing where the row has no such key, a dash where its number is NaN.

        Examples
        --------
        >>> Column("rmse", "rmse [cm]", 2, 100.0).cell({"rmse": 0.0401, "rmse_low": 0.0375, "rmse_high": 0.0432})
        '4.01 (3.75-4.32)'
        """
        value = row.get(self.key, "")
        if isinstance(value, str):
            return value
        if not np.isfinite(value):
            return "-"
        bounds = [self._number(row[f"{self.key}_{end}"]) for end in ("low", "high") if f"{self.key}_{end}" in row]
        between = " to " if any(bound.startswith("-") for bound in bounds) else "-"
        return self._number(value) + (f" ({between.join(bounds)})" if bounds else "")

    def _number(self, value: float | str) -> str:
        return f"{self.factor * float(value):.{self.digits}f}"


NULL = "null (mdt)"
METHOD = Column("method", "method")
TRACK = (
    Column("rmse", "rmse [cm]", 2, 100.0),
    Column("mu", "mu"),
    Column("sigma", "sigma"),
    Column("lambda_x", "lambda_x [km]", 0),
)
#: The map is of the height alone.
COST = (Column("fit_seconds", "fit [s]", 1), Column("map_seconds", "maps [s]", 1))
#: Skills on the truth, 1 - rms error / rms truth; wavelengths, the period; how much lies within formal errors.
TRUTH = (
    Column("rmse_truth", "rmse [cm]", 2, 100.0),
    Column("mu_truth", "height"),
    Column("sigma_truth", "its sigma"),
    Column("mu_gradient", "gradient"),
    Column("mu_laplacian", "Laplacian"),
    Column("mu_speed", "speed"),
    Column("mu_velocity", "current"),
    Column("lambda_x_truth", "lambda_x [deg]", 2),
    Column("lambda_t_truth", "lambda_t [days]", 1),
    Column("lambda_r_truth", "isotropic [deg]", 2),
    Column("coverage_68", "in 68 %", 2),
    Column("coverage_95", "in 95 %", 2),
)


def track_cells(score: xr.Dataset) -> dict[str, float]:
    """Return the part of a row that a score on a track gives: `xinr.metrics.score`.

    Examples
    --------
    >>> ends = xr.Variable("quantile", [0.5, 0.7])
    >>> score = xr.Dataset({"mu": 0.6, "sigma": 0.1, "lambda_x": 150.0, "rmse": 0.04, "mu_interval": ends})
    >>> track_cells(score)
    {'mu': 0.6, 'mu_low': 0.5, 'mu_high': 0.7, 'sigma': 0.1, 'lambda_x': 150.0, 'rmse': 0.04}
    """
    cells: dict[str, float] = {}
    for name in DESCRIPTIONS:
        cells[name] = float(score[name])
        ends = score[f"{name}_interval"].values if f"{name}_interval" in score else np.full(2, np.nan)
        if np.isfinite(ends).all():
            cells |= {f"{name}_low": float(ends[0]), f"{name}_high": float(ends[1])}
    return cells


def truth_cells(score: xr.Dataset) -> dict[str, float]:
    """Return the part of a row that a score on the truth gives: `xinr.metrics.truth.score_truth`.

    Examples
    --------
    >>> truth_cells(xr.Dataset({"mu": 0.8, "mu_gradient": 0.6, "psd_score": ("k", [1.0, 0.5])}))
    {'mu_truth': 0.8, 'mu_gradient': 0.6}
    """
    scalars = {str(name): float(value) for name, value in score.data_vars.items() if not value.dims}
    return {f"{name}_truth" if name in SHARED else name: value for name, value in scalars.items()}


def markdown(rows: Iterable[Row], columns: Sequence[Column]) -> str:
    """Lay rows out as a markdown table whose columns line up in a terminal too.

    Columns of which no row has anything are left out.

    Examples
    --------
    >>> rows = [{"method": "null", "mu": 0.06, "lambda_x": np.nan}, {"method": "OI", "mu": 0.9, "lambda_x": 112.3}]
    >>> print(markdown(rows, [METHOD, *TRACK]))
    | method | mu    | lambda_x [km] |
    | ---    | ---   | ---           |
    | null   | 0.060 | -             |
    | OI     | 0.900 | 112           |
    """
    shown = [[heading, "---", *cells] for heading, *cells in _cells(rows, columns)]
    padded = [[cell.ljust(max(map(len, column))) for cell in column] for column in shown]
    return "\n".join("| " + " | ".join(line) + " |" for line in zip(*padded, strict=True))


def html(rows: Iterable[Row], columns: Sequence[Column]) -> str:
    """Lay rows out as a table of HTML; columns of which no row has anything are left out.

    Examples
    --------
    >>> print(html([{"method": "OI & co", "mu": 0.9}], [METHOD, *TRACK]))
    <table>
    <tr><th>method</th><th>mu</th></tr>
    <tr><td>OI &amp; co</td><td>0.900</td></tr>
    </table>
    """
    lines = []
    for i, line in enumerate(zip(*_cells(rows, columns), strict=True)):
        tag = "td" if i else "th"
        lines.append("<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in line) + "</tr>")
    return "\n".join(["<table>", *lines, "</table>"])


def write_csv(rows: Iterable[Row], path: Path) -> Path:
    """Write everything that the rows hold, with every digit, and return the path."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _cells(rows: Iterable[Row], columns: Sequence[Column]) -> list[list[str]]:
    """Return heading and cells of each column that has any."""
    rows = list(rows)
    shown = [[column.heading, *(column.cell(row) for row in rows)] for column in columns]
    return [cells for cells in shown if any(cells[1:])]
