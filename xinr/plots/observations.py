"""Figures and movies of observations along tracks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from xinr.geo.coordinates import central_longitude, locate, wrap
from xinr.plots.geography import colour_limit, colour_map, decorate, long_name, ratio
from xinr.plots.movies import write_movie
from xinr.plots.style import COLOURS, DPI, LABEL, TITLE


def tracks(
    observations: xr.Dataset,
    variable: str = "sla_unfiltered",
    *,
    period: tuple[str, str] | None = None,
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Draw observations on two maps: by mission, and by sea level.

    Parameters
    ----------
    observations : Dataset
        Along-track data (n,), with the coordinate ``mission`` of several missions.
    variable : str
        Variable to colour by [m].
    period : (first, last), optional
        Days to show, both included.
    names : mapping, optional
        Names of missions in the legend.

    Returns
    -------
    Figure
        Two maps, side by side.

    Raises
    ------
    ValueError
        No observation in the period, or no such variable.

    Examples
    --------
    >>> time = np.datetime64("2021-01-01", "ns") + np.arange(3) * np.timedelta64(1, "s")
    >>> ds = xr.Dataset({"sla": ("time", [0.1, 0.2, 0.3])},
    ...                 {"time": time, "lon": ("time", [1.0, 1.1, 1.2]), "lat": ("time", [40.0, 40.1, 40.2])})
    >>> len(tracks(ds, "sla").axes)
    3
    """
    if variable not in observations:
        raise ValueError(f"no variable {variable!r}: expected it among {sorted(map(str, observations.data_vars))}.")
    lon, lat, height, mission = _in_period(observations, variable, period)
    figure = Figure(figsize=(11.5, 1.1 + 4.6 * min(ratio(lon, lat), 1.5)), layout="constrained", dpi=DPI)
    left, right = figure.subplots(1, 2, sharey=True)
    for i, name in enumerate(sorted(set(mission))):
        own, colour = mission == name, COLOURS[i % len(COLOURS)]
        left.scatter(lon[own], lat[own], s=2.5, color=colour, linewidths=0, label=(names or {}).get(name, name))
    if mission[0]:
        left.legend(loc="upper right", fontsize=9, markerscale=4, framealpha=0.92)
    limit = colour_limit(100.0 * height)
    shown = right.scatter(lon, lat, c=100.0 * height, s=2.5, cmap=colour_map("balance"), vmin=-limit, vmax=limit)
    figure.colorbar(shown, ax=right, label=f"{long_name(observations[variable])} [cm]", extend="both", shrink=0.9)
    for axes, title in ((left, "by mission"), (right, "by height")):
        decorate(axes, title, (lon.min(), lon.max()), (lat.min(), lat.max()))
    right.set_ylabel("")
    days = "" if period is None else f", {period[0]} to {period[1]}"
    figure.suptitle(f"{height.size:,} observations{days}".replace(",", "\u2009", 1), fontsize=13)
    return figure


def tracks_movie(
    path: Path,
    observations: xr.Dataset,
    times: NDArray[np.datetime64],
    variable: str = "sla_unfiltered",
    *,
    window: float = 5.0,
    fps: int = 5,
) -> Path:
    """Write a movie of the observations within a moving time window.

    Parameters
    ----------
    path : Path
        Ends in ``.gif`` or ``.mp4``; returned.
    observations, variable : Dataset, str
        See `tracks`.
    times : ndarray of datetime64
        Times of the frames.
    window : float
        Half-width: days before and after the time of a frame.
    fps : int
        Frames per second.

    Raises
    ------
    ValueError
        No observation, no such variable, or a kind of file that cannot be written.
    """
    lon, lat, height, _ = _in_period(observations, variable, None)
    when = locate(observations, "time").values[np.isfinite(observations[variable].values)]
    limit = colour_limit(100.0 * height)
    figure = Figure(figsize=(3.83, 1.6 + 3.5 * min(ratio(lon, lat), 1.5)), layout="constrained", dpi=DPI)
    axes = figure.subplots()
    shown = axes.scatter([], [], c=[], s=4.0, linewidths=0, cmap=colour_map("balance"), vmin=-limit, vmax=limit)
    bar = figure.colorbar(shown, ax=axes, location="bottom", extend="both", shrink=0.9, pad=0.02, aspect=28)
    bar.set_label(f"{long_name(observations[variable])} [cm]", fontsize=LABEL)
    decorate(axes, "observations", (lon.min(), lon.max()), (lat.min(), lat.max()))

    def draw(frame: int) -> None:
        near = np.abs(when - times[frame]) <= np.timedelta64(round(86400 * window), "s")
        shown.set_offsets(np.stack([lon[near], lat[near]], axis=1))
        shown.set_array(100.0 * height[near])
        axes.set_title(f"{times[frame].astype('datetime64[D]')} ± {window:g} days", fontsize=TITLE)

    return write_movie(path, figure, draw, len(times), fps)


def _in_period(
    ds: xr.Dataset, variable: str, period: tuple[str, str] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]:
    time, height = locate(ds, "time").values, ds[variable].values.astype(np.float64)
    shown = np.isfinite(height)
    if period is not None:
        days = time.astype("datetime64[D]")
        shown &= (days >= np.datetime64(period[0], "D")) & (days <= np.datetime64(period[1], "D"))
    if not shown.any():
        raise ValueError(f"no observation to draw in {period}: the data cover {time.min()} to {time.max()}.")
    lon = locate(ds, "longitude").values[shown]
    mission = np.broadcast_to(ds["mission"].values.astype(str) if "mission" in ds else np.str_(""), height.shape)[shown]
    return wrap(lon, central_longitude(lon)), locate(ds, "latitude").values[shown], height[shown], mission
