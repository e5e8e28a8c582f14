"""The figures of docs/methods/oi.md, which `tests.benchmarks.docs_images` makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from tests.benchmarks.measures import MISSIONS, PEER
from tests.benchmarks.peers import PyinterpOI
from xinr.challenges import med2021, osse
from xinr.geo.frames import Plane
from xinr.methods.oi import OI, LocalOIPredictor
from xinr.methods.oi.duacs import Duacs
from xinr.plots.geography import colour_map, decorate
from xinr.plots.style import COLOURS, LABEL, TITLE
from xinr.simulate import eddies

#: Half of the baseline's window, and days of the group that is drawn.
HALF, GROUP = 14, 11


def windows() -> Figure:
    """Draw the windows of a group of days, and the factor that serves them all."""
    figure = Figure(figsize=(10.0, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.6, 1.0))
    first, last = GROUP - 1 - HALF, HALF
    for day in range(GROUP):
        parts = ((day - HALF, first, COLOURS[1]), (first, last, COLOURS[0]), (last, day + HALF, COLOURS[2]))
        for begin, end, colour in parts:
            left.barh(day, end - begin, left=begin, color=colour, height=0.7)
        left.plot(day, day, "k|", markersize=9)
    left.set_xlabel("time of the observations [days]", fontsize=LABEL)
    left.set_ylabel("analysis [day]", fontsize=LABEL)
    left.set_title(f"windows of {GROUP} days: core and wings", fontsize=TITLE)
    core, wing = last - first, GROUP - 1
    edges = np.cumsum([0, core, wing, wing])
    for row, colour in enumerate((COLOURS[0], COLOURS[1], COLOURS[2])):
        top, bottom = edges[row], edges[row + 1]
        right.fill([top, top, bottom], [top, bottom, bottom], color=colour)
        if row:
            right.fill([0, 0, core, core], [top, bottom, bottom, top], color=colour, alpha=0.45)
    right.set(xlim=(0, edges[-1]), ylim=(edges[-1], 0), aspect="equal", xticks=[], yticks=[])
    right.set_title("their one factor", fontsize=TITLE)
    return figure


def sections() -> Figure:
    """Draw a line through maps of a simulated ocean: each target by itself, tiles, and the whole window."""
    challenge = osse(eddies(), missions=MISSIONS, period=("2021-01-01", "2021-02-01"))
    longitude = np.arange(298.0, 302.0, 0.01)
    line = {"time": [np.datetime64("2021-01-16", "ns")], "latitude": [38.0], "longitude": longitude}
    local = OI(frame="plane", covariance=PEER, coarsen=3, noise=0.0433, n_neighbors=50)
    peer = PyinterpOI(length_scale=150.0, time_scale=15.0, sigma=PEER.sigma, noise=0.0433, n_neighbors=50)
    whole = OI(frame="plane", covariance=PEER, coarsen=3, noise=0.0433)
    figure = Figure(figsize=(10.0, 5.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    metres = 1e3 * np.diff(longitude) * 111.2 * np.cos(np.radians(38.0))
    named = {"each target by itself (pyinterp), k = 50": peer, "tiles, k = 50": local, "all of the window": whole}
    for (name, method), colour in zip(named.items(), COLOURS[1:], strict=False):
        height = challenge.fit(method).interp(line)["sla"].values.ravel()
        above.plot(longitude, 100.0 * height, color=colour, label=name, linewidth=1.2)
        below.plot(longitude[1:], 1e6 * np.diff(height) / metres, color=colour, linewidth=1.0)
    above.set_ylabel("height [cm]", fontsize=LABEL)
    above.legend(frameon=False)
    below.set_ylabel("slope by difference [10⁻⁶]", fontsize=LABEL)
    below.set_xlabel("longitude at 38° N [°E]", fontsize=LABEL)
    return figure


def scales(folder: Path) -> Figure:
    """Draw scale and background estimated from real tracks, a map made with them, and its formal error."""
    challenge = med2021(folder, "s3a")
    field = challenge.fit(Duacs())
    predictor, frame = field.predictor, field.frame
    assert isinstance(predictor, LocalOIPredictor) and isinstance(frame, Plane)
    day = challenge.grid.isel(time=[30])
    maps = field.interp(day, error=True).isel(time=0)
    lon, lat = np.meshgrid(day["longitude"], day["latitude"])
    x = frame.project(lon.ravel(), lat.ravel(), np.full(lon.size, day["time"].values[0]))
    local = [predictor.covariance.at(position).settings for position in x]
    drawn: dict[str, tuple[ArrayLike, str, float | None]] = {
        "zonal scale of eddies [km]": ([each["length_scale_1"] for each in local], "matter", None),
        "background, standard deviation [cm]": ([100.0 * each["sigma_2"] for each in local], "matter", None),
        "height [cm]": (100.0 * maps["sla"].values, "balance", 30.0),
        "formal error [cm]": (100.0 * maps["err_sla"].values, "amp", None),
    }
    figure = Figure(figsize=(11.0, 7.5), layout="constrained")
    for axes, title in zip(figure.subplots(2, 2).flat, drawn, strict=True):
        values, colours, limit = drawn[title]
        ends = {} if limit is None else {"vmin": -limit, "vmax": limit}
        shown = axes.pcolormesh(lon, lat, np.reshape(values, lon.shape), cmap=colour_map(colours), **ends)
        figure.colorbar(shown, ax=axes, shrink=0.75)
        decorate(axes, title, (2.0, 19.0), (31.0, 44.0))
    return figure
