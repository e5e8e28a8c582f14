"""Figures of scores by day and by region."""

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from xinr.geo.coordinates import Axis, locate
from xinr.plots.geography import colour_limit, colour_map, decorate, ratio
from xinr.plots.sheet import WIDTH
from xinr.plots.spectra import check_some
from xinr.plots.style import COLOURS, DPI, LABEL, TITLE

AXES: tuple[Axis, ...] = ("longitude", "latitude")
#: Variables of `error_maps`: colour map of cmocean, factor from SI, label.
KINDS = {
    "rmse": ("amp", 100.0, "rms error [cm]"),
    "bias": ("balance", 100.0, "mean error [cm]"),
    "score": ("balance_r", 1.0, "1 − rms error / rms signal"),
}


def daily_scores(scores: Mapping[str, xr.Dataset]) -> Figure:
    """Draw the score of each day.

    Parameters
    ----------
    scores : mapping of str to Dataset
        Results of `xinr.Field.score`, by name: ``daily_score`` along ``day``, or of `xinr.metrics.score_maps`:
        ``rmse_score`` along ``time``.

    Returns
    -------
    Figure
        One line for each; the legend gives mean and standard deviation, mu and sigma.

    Raises
    ------
    ValueError
        Nothing to draw, or no daily score.

    Examples
    --------
    >>> day = np.datetime64("2021-01-01", "ns") + np.arange(5) * np.timedelta64(1, "D")
    >>> ds = xr.Dataset({"daily_score": ("day", np.linspace(0.8, 0.9, 5))}, {"day": day})
    >>> daily_scores({"OI": ds}).axes[0].get_legend().get_texts()[0].get_text()
    'OI: 0.850 ± 0.035'
    """
    check_some(scores)
    figure = Figure(figsize=(9.0, 3.9), layout="constrained", dpi=DPI)
    axes = figure.subplots()
    with matplotlib.rc_context({"date.converter": "concise"}):
        for i, (name, score) in enumerate(scores.items()):
            days, values = _daily(name, score)
            label = f"{name}: {np.nanmean(values):.3f} ± {np.nanstd(values):.3f}"
            axes.plot(days, values, "o-", color=COLOURS[i % len(COLOURS)], label=label, linewidth=1.6, markersize=2.5)
    axes.axhline(0.0, color="0.35", linewidth=1.0, linestyle="--")
    axes.set_ylabel("1 − rms(error) / rms(reference)", fontsize=LABEL)
    axes.set_title("Score of each day: mean ± standard deviation", fontsize=TITLE)
    axes.set_ylim(bottom=max(axes.get_ylim()[0], -1.0))
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=10, frameon=False)
    axes.grid(alpha=0.25)
    return figure


def _daily(name: str, score: xr.Dataset) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    for variable, time in (("daily_score", "day"), ("rmse_score", "time")):
        if variable in score and np.isfinite(score[variable]).any():
            return score[time].values, score[variable].values
    raise ValueError(f"the score of {name!r} has no day: expected 'daily_score' or 'rmse_score' with a number.")


def error_maps(errors: Mapping[str, xr.Dataset], variable: str = "rmse") -> Figure:
    """Draw maps of the errors of several maps.

    Parameters
    ----------
    errors : mapping of str to Dataset
        Results of `xinr.metrics.bin_errors`, by name.
    variable : {"rmse", "bias", "score"}
        Variable to show: [cm], or relative to the signal.

    Returns
    -------
    Figure
        Maps side by side on one colour scale; grey where there are too few points.

    Raises
    ------
    ValueError
        Nothing to draw, or another variable.

    Examples
    --------
    >>> axes = {"latitude": [33.5, 34.5], "longitude": [295.5, 296.5, 297.5]}
    >>> boxes = xr.Dataset({"rmse": (("latitude", "longitude"), np.full((2, 3), 0.04))}, axes)
    >>> len(error_maps({"OI": boxes, "kriging": boxes}).axes)
    3
    """
    if not errors or variable not in KINDS:
        raise ValueError(
            f"expected {{name: Dataset of bin_errors}} and one of {list(KINDS)}, got {list(errors)}, {variable!r}."
        )
    colours, factor, label = KINDS[variable]
    drawn = {name: factor * ds[variable] for name, ds in errors.items()}
    limit = colour_limit(np.concatenate([values.values.ravel() for values in drawn.values()]))
    half = _half(drawn)
    figure, panels, limits = _empty_maps(drawn, half)
    for axes, (name, values) in zip(panels, drawn.items(), strict=True):
        middles = [locate(values, axis).values for axis in AXES]
        edges = [np.append(each - half, each[-1] + half) for each in middles]
        low = 0.0 if variable == "rmse" else -limit
        mesh = axes.pcolormesh(*edges, values.values, cmap=colour_map(colours), vmin=low, vmax=limit)
        decorate(axes, name, *limits)
        axes.label_outer()
    below = panels[0].get_subplotspec().get_gridspec().ncols
    for axes in panels[-below:]:  # the lowest of their columns
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("longitude [°E]", fontsize=LABEL)
    extend = "max" if variable == "rmse" else "both"
    bar = figure.colorbar(mesh, ax=panels, location="bottom", extend=extend, shrink=0.7, pad=0.02, aspect=32)
    bar.set_label(label, fontsize=LABEL)
    return figure


def _half(drawn: Mapping[str, xr.DataArray]) -> float:
    """Return half the side of the boxes [degrees]: of a single one, half a degree."""
    steps = [np.diff(locate(values, axis).values) for values in drawn.values() for axis in AXES]
    known = np.concatenate(steps)
    return float(known.min() if known.size else 1.0) / 2.0


def _empty_maps(
    drawn: Mapping[str, xr.DataArray], half: float
) -> tuple[Figure, list[Any], tuple[tuple[float, float], tuple[float, float]]]:
    """Return a figure with axes for each map, and the limits of longitude and latitude of all."""
    lon, lat = (np.concatenate([locate(each, axis).values for each in drawn.values()]) for axis in AXES)
    columns = 2 if len(drawn) == 4 else min(len(drawn), 3)
    rows = -(-len(drawn) // columns)
    limits = (lon.min() - half, lon.max() + half), (lat.min() - half, lat.max() + half)
    size = (WIDTH * max(columns, 1.3), 1.3 + (0.2 + 0.98 * WIDTH * ratio(*map(np.array, limits))) * rows)
    figure = Figure(figsize=size, layout="constrained", dpi=DPI)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[len(drawn) :]:
        axes.remove()
    return figure, list(grid.flat[: len(drawn)]), limits
