"""Tables of scores, one row for each method: laid out for a terminal, and written as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the tables; lengths in km, heights in cm, times in s; NaN where there is no number.

    The second part is against the truth: skills (1 - rms error / rms truth) of height, norm of the gradient,
    Laplacian and current, wavelengths in degrees, the period in days, and how much lies within stated errors.
    """

    method: str
    mu: float
    sigma: float
    lambda_x: float
    lambda_x_low: float = np.nan
    lambda_x_high: float = np.nan
    rmse_track: float
    fit_seconds: float = np.nan
    map_seconds: float = np.nan

    rmse_truth: float
    mu_truth: float = np.nan
    mu_gradient: float = np.nan
    mu_laplacian: float = np.nan
    mu_velocity: float = np.nan
    lambda_x_truth: float = np.nan
    lambda_t_truth: float = np.nan
    lambda_r_truth: float = np.nan
    coverage_68: float = np.nan
    coverage_95: float = np.nan


#: Of each table: heading of each column, its unit, the value, its digits and its width.
TRACK = (
    ("mu", "", "mu", 3, 7),
    ("sigma", "", "sigma", 3, 8),
    ("lambda_x [95 %]", "km", "lambda_x", 0, 19),
    ("rmse", "cm", "rmse_track", 2, 8),
    ("fit", "s", "fit_seconds", 1, 8),
    ("maps", "s", "map_seconds", 1, 8),
)
TRUTH = (
    ("rmse", "cm", "rmse_truth", 2, 7),
    ("height", "", "mu_truth", 3, 8),
    ("gradient", "", "mu_gradient", 3, 10),
    ("Laplacian", "", "mu_laplacian", 3, 11),
    ("current", "", "mu_velocity", 3, 9),
    ("lambda_x", "deg", "lambda_x_truth", 2, 10),
    ("lambda_t", "days", "lambda_t_truth", 1, 10),
    ("lambda_r", "deg", "lambda_r_truth", 2, 10),
    ("in 68 %", "", "coverage_68", 2, 9),
    ("in 95 %", "", "coverage_95", 2, 9),
)
METHOD = 17
Column = tuple[str, str, str, int, int]


def lay_out(rows: Iterable[Row], columns: Iterable[Column] = TRACK) -> str:
    """Return a table as text, a dash where there is no number.

    Examples
    --------
    >>> row = Row(method="OI", mu=0.9, sigma=0.02, lambda_x=112.3, lambda_x_low=108.0, lambda_x_high=117.0,
    ...           rmse_track=3.7, rmse_truth=2.7, mu_truth=0.78, fit_seconds=0.1, map_seconds=8.0)
    >>> print(lay_out([row]))
    method                mu   sigma    lambda_x [95 %]    rmse     fit    maps
                                                     km      cm       s       s
    OI                 0.900   0.020     112 [108, 117]    3.70     0.1     8.0
    """
    columns = list(columns)
    head = "method".ljust(METHOD) + "".join(heading.rjust(width) for heading, *_, width in columns)
    units = " " * METHOD + "".join(unit.rjust(width) for _, unit, *_, width in columns)
    return "\n".join([head, units, *(_line(row, columns) for row in rows)])


def write_csv(rows: Iterable[Row], path: Path) -> Path:
    """Write the rows with every digit, and return the path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [column.name for column in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    return path


def _line(row: Row, columns: list[Column]) -> str:
    cells = [_cell(row, name, digits).rjust(width) for _, _, name, digits, width in columns]
    return row.method.ljust(METHOD) + "".join(cells)


def _cell(row: Row, name: str, digits: int) -> str:
    value = getattr(row, name)
    text = f"{value:.{digits}f}" if np.isfinite(value) else "-"
    if name == "lambda_x" and np.isfinite(row.lambda_x_low):
        return f"{text} [{row.lambda_x_low:.0f}, {row.lambda_x_high:.0f}]"
    return text
