"""Figures of spectra: of the reference, of the errors, and of the scales that a map resolves."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from xinr.plots.style import COLOURS, DPI, LABEL, TITLE

#: Lower limits of the axes of `psd_score`: wavelength [km] and score.
SHORTEST, LOWEST = 40.0, -0.5


def psd_score(scores: Mapping[str, xr.Dataset]) -> Figure:
    """Draw ``1 - PSD(error)/PSD(reference)`` against wavelength, and mark the shortest wavelength resolved.

    Parameters
    ----------
    scores : mapping of str to Dataset
        Results of `xinr.Field.score`, by name.

    Returns
    -------
    Figure
        One line for each; the band is the 95 % interval of the resolved wavelength.

    Raises
    ------
    ValueError
        Nothing to draw, or no spectrum, where passes are too short for a segment.

    Examples
    --------
    >>> k = np.arange(5) / 1000.0
    >>> ds = xr.Dataset({"psd_ref": ("wavenumber", np.ones(5)), "psd_diff": ("wavenumber", np.linspace(0, 1, 5)),
    ...                  "lambda_x": 500.0}, {"wavenumber": k})
    >>> psd_score({"OI": ds}).axes[0].get_xlabel()
    'wavelength along the track [km]'
    """
    figure, axes = _empty(scores)
    lowest = [_draw_score(axes, *item, COLOURS[i % len(COLOURS)]) for i, item in enumerate(scores.items())]
    axes.axhline(0.5, color="0.35", linewidth=1.0, linestyle="--")
    axes.text(0.012, 0.51, "0.5: resolved above", transform=axes.get_yaxis_transform(), fontsize=9, color="0.35")
    axes.set_ylim(max(min(lowest) - 0.05, LOWEST), 1.03)
    _finish(axes, "1 − PSD(error) / PSD(reference)", "Spectral score along the withheld track")
    return figure


def psd(scores: Mapping[str, xr.Dataset]) -> Figure:
    """Draw the power spectra of the reference and of each error against wavelength.

    Parameters
    ----------
    scores : mapping of str to Dataset
        Results of `xinr.Field.score`, by name, on one reference.

    Returns
    -------
    Figure
        The reference in black, half of it dashed: waves whose error is below are resolved. Lines are thick for
        wavelengths of at least lambda_x.

    Raises
    ------
    ValueError
        Nothing to draw, or no spectrum, where passes are too short for a segment.

    Examples
    --------
    >>> k = np.arange(5) / 1000.0
    >>> ds = xr.Dataset({"psd_ref": ("wavenumber", np.ones(5)), "psd_diff": ("wavenumber", np.linspace(0.1, 1, 5)),
    ...                  "lambda_x": 500.0}, {"wavenumber": k})
    >>> [line.get_text() for line in psd({"OI": ds}).axes[0].get_legend().get_texts()]
    ['reference', 'half of it', 'error of OI']
    """
    figure, axes = _empty(scores)
    for i, (name, score) in enumerate(scores.items()):
        _check_spectrum(name, score)
        k = score["wavenumber"].values[1:]
        ref, error = (score[f"psd_{key}"].values[1:] for key in ("ref", "diff"))
        if i == 0:
            axes.plot(1.0 / k, ref, color="black", linewidth=2.2, label="reference")
            axes.plot(1.0 / k, ref / 2.0, color="black", linewidth=1.0, linestyle="--", label="half of it")
        colour, resolved = COLOURS[i % len(COLOURS)], 1.0 / k >= float(score["lambda_x"])
        axes.plot(1.0 / k, error, color=colour, linewidth=1.2, label=f"error of {name}")
        axes.plot(1.0 / k[resolved], error[resolved], color=colour, linewidth=3.2)
    axes.set_yscale("log")
    _finish(axes, "power spectral density [m² km]", "Spectra along the withheld track; thick where waves are resolved")
    return figure


def check_some(scores: Mapping[str, xr.Dataset]) -> None:
    """Raise ValueError for no scores at all."""
    if not scores:
        raise ValueError("no score to draw: expected {name: Dataset of a score}, got an empty mapping.")


def _empty(scores: Mapping[str, xr.Dataset]) -> tuple[Figure, Axes]:
    check_some(scores)
    figure = Figure(figsize=(7.8, 4.9), layout="constrained", dpi=DPI)
    return figure, figure.subplots()


def _check_spectrum(name: str, score: xr.Dataset) -> None:
    if not ((score["wavenumber"].values > 0) & np.isfinite(score["psd_diff"].values)).any():
        raise ValueError(f"the score of {name!r} has no spectrum: score with a shorter segment_length.")


def _draw_score(axes: Axes, name: str, score: xr.Dataset, colour: str) -> float:
    """Draw one line, and return its lowest value at the wavelengths shown, at most 0."""
    k = score["wavenumber"].values
    ratio = 1.0 - score["psd_diff"].values / score["psd_ref"].values
    known = (k > 0) & np.isfinite(ratio)
    _check_spectrum(name, score)
    resolved = float(score["lambda_x"])
    label = f"{name}: {resolved:.0f} km" if np.isfinite(resolved) else name
    axes.plot(1.0 / k[known], ratio[known], color=colour, linewidth=2.0, marker="o", markersize=3.5, label=label)
    if np.isfinite(resolved):
        axes.vlines(resolved, LOWEST, 0.5, color=colour, linewidth=1.2, linestyle=":")
        axes.plot(resolved, 0.5, color=colour, marker="o", markersize=9, markeredgecolor="white", zorder=5)
    low, high = score["lambda_x_interval"].values if "lambda_x_interval" in score else (np.nan, np.nan)
    if np.isfinite([resolved, low, high]).all():
        axes.axvspan(low, high, color=colour, alpha=0.12, linewidth=0)
    return float(min(0.0, ratio[known & (k * SHORTEST <= 1.0)].min(initial=0.0)))


def _finish(axes: Axes, label: str, title: str) -> None:
    """Set labels and legend, with wavelengths from long to short."""
    low, high = axes.get_xlim()
    low, high = max(low, SHORTEST), min(high, 1050.0)
    ticks = [tick for tick in (50, 70, 100, 150, 200, 300, 500, 1000) if low <= tick <= high]
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, [f"{tick}" for tick in ticks])
    axes.set_xlim(high, low)
    axes.set_xlabel("wavelength along the track [km]", fontsize=LABEL)
    axes.set_ylabel(label, fontsize=LABEL)
    axes.set_title(title, fontsize=TITLE)
    axes.legend(loc="lower left", fontsize=10, framealpha=0.95)
    axes.grid(alpha=0.25)
