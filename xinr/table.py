"""A table of scores, one row for each method: laid out for a terminal, and written as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Row:
    """One line of the table; lengths in km, heights in cm, times in s."""

    method: str
    mu: float
    sigma: float
    lambda_x: float
    lambda_x_low: float
    lambda_x_high: float
    rmse_track: float
    rmse_truth: float
    fit_seconds: float
    interp_seconds: float


#: Heading of each column, its unit, and its width.
_COLUMNS = (
    ("method", "", -17),
    ("mu", "", 7),
    ("sigma", "", 8),
    ("lambda_x [95 %]", "km", 19),
    ("rmse track", "cm", 12),
    ("rmse truth", "cm", 12),
    ("fit", "s", 8),
    ("interp", "s", 8),
)


def lay_out(rows: Iterable[Row]) -> str:
    """Return the table as text, a dash where there is no number.

    Examples
    --------
    >>> print(lay_out([Row("OI", 0.9, 0.02, 112.3, 108.0, 117.0, 3.7, 2.7, 0.1, 8.0)]))
    method                mu   sigma    lambda_x [95 %]  rmse track  rmse truth     fit  interp
                                                     km          cm          cm       s       s
    OI                 0.900   0.020     112 [108, 117]        3.70        2.70     0.1     8.0
    """
    headings = [[column[0] for column in _COLUMNS], [column[1] for column in _COLUMNS]]
    lines = [*headings, *(_cells(row) for row in rows)]
    return "\n".join(
        "".join(_fill(cell, width) for cell, (*_, width) in zip(line, _COLUMNS, strict=True)) for line in lines
    )


def write_csv(rows: Iterable[Row], path: Path) -> Path:
    """Write the rows with every digit, and return the path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [column.name for column in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    return path


def _cells(row: Row) -> list[str]:
    scale = _shown(row.lambda_x, 0)
    if np.isfinite(row.lambda_x_low):
        scale += f" [{row.lambda_x_low:.0f}, {row.lambda_x_high:.0f}]"
    skill = [_shown(row.mu, 3), _shown(row.sigma, 3), scale]
    errors = [_shown(row.rmse_track, 2), _shown(row.rmse_truth, 2)]
    return [row.method, *skill, *errors, _shown(row.fit_seconds, 1), _shown(row.interp_seconds, 1)]


def _fill(cell: str, width: int) -> str:
    return cell.ljust(-width) if width < 0 else cell.rjust(width)


def _shown(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else "-"
