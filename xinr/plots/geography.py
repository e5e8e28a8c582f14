"""Figures on a map: where the altimeters passed, and what a method made of it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from xinr.coordinates import central_longitude, locate, wrap
from xinr.field import Field
from xinr.maps import MapField
from xinr.plots.style import COLOURS, DPI, LABEL, TITLE

#: Columns of `maps`: title, unit, factor from SI, colour map of cmocean, whether values have both signs.
COLUMNS: tuple[tuple[str, str, float, str, bool], ...] = (
    ("height", "cm", 1e2, "balance", True),
    ("gradient magnitude", "cm per 100 km", 1e7, "amp", False),
    ("Laplacian", r"$10^{-10}\,\mathrm{m}^{-1}$", 1e10, "curl", True),
)
#: Share of values within a colour scale: the rest saturate.
COVERED = 0.995


def tracks(
    observations: xr.Dataset,
    variable: str = "sla_unfiltered",
    *,
    period: tuple[str, str] | None = None,
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Draw observations on a map: by mission, and by height.

    Parameters
    ----------
    observations : Dataset
        Along-track data (n,), with a coordinate ``mission`` if there are several.
    variable : str
        Height to colour by [m].
    period : (first, last), optional
        Days to show, both included; a month of five missions covers everything.
    names : mapping, optional
        Names to show for missions.

    Returns
    -------
    Figure
        Two maps side by side.

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
    figure = Figure(figsize=(11.5, 1.1 + 4.6 * min(_ratio(lon, lat), 1.5)), layout="constrained", dpi=DPI)
    left, right = figure.subplots(1, 2, sharey=True)
    for i, name in enumerate(sorted(set(mission))):
        of, colour = mission == name, COLOURS[i % len(COLOURS)]
        left.scatter(lon[of], lat[of], s=2.5, color=colour, linewidths=0, label=(names or {}).get(name, name))
    if mission[0]:
        left.legend(loc="upper right", fontsize=9, markerscale=4, framealpha=0.92)
    limit = _limit(100.0 * height)
    shown = right.scatter(lon, lat, c=100.0 * height, s=2.5, cmap=_colour_map("balance"), vmin=-limit, vmax=limit)
    figure.colorbar(shown, ax=right, label=f"{_long_name(observations[variable])} [cm]", extend="both", shrink=0.9)
    for axes, title in ((left, "by mission"), (right, "by height")):
        _dress(axes, title, (lon.min(), lon.max()), (lat.min(), lat.max()))
    right.set_ylabel("")
    days = "" if period is None else f", {period[0]} to {period[1]}"
    figure.suptitle(f"{height.size:,} observations{days}".replace(",", "\u2009", 1), fontsize=13)
    return figure


def maps(
    sources: Mapping[str, Field | xr.Dataset],
    target: xr.Dataset | None = None,
    *,
    time: str | np.datetime64 | None = None,
) -> Figure:
    """Draw height, gradient magnitude and Laplacian of several maps, one row for each.

    Parameters
    ----------
    sources : mapping of str to Field or Dataset
        By name. A Dataset's own derivatives (``d<name>_dx``, ``laplacian_<name>``) are shown where it has them,
        else centred differences.
    target : Dataset, optional
        Grid on which to evaluate Fields; Datasets are shown on their own.
    time : str or datetime64, optional
        Which map (the nearest); by default the middle one.

    Returns
    -------
    Figure
        Three columns with one colour scale each.

    Raises
    ------
    ValueError
        Nothing to draw, or a Field without a target.

    Examples
    --------
    >>> axes = {"latitude": np.arange(33.0, 37.0), "longitude": np.arange(295.0, 300.0)}
    >>> bump = xr.Dataset({"sla": (("latitude", "longitude"), np.random.default_rng(0).normal(size=(4, 5)))}, axes)
    >>> len(maps({"one": bump, "two": 2 * bump}).axes)
    9
    """
    if not sources:
        raise ValueError("no map to draw: expected {name: Field or Dataset}, got an empty mapping.")
    rows = {name: _panels(name, source, target, time) for name, source in sources.items()}
    first = next(iter(rows.values()))[0]
    lon, lat = (locate(first, axis).values for axis in ("longitude", "latitude"))
    figure = Figure(figsize=(11.5, 1.3 + 3.45 * _ratio(lon, lat) * len(rows)), layout="constrained", dpi=DPI)
    grid = figure.subplots(len(rows), 3, sharex=True, sharey=True, squeeze=False)
    for j, (title, unit, factor, colours, signed) in enumerate(COLUMNS):
        column = [factor * panels[j] for panels in rows.values()]
        limit = _limit(np.concatenate([panel.values.ravel() for panel in column]))
        for axes, panel in zip(grid[:, j], column, strict=True):
            east, north = (locate(panel, axis).values for axis in ("longitude", "latitude"))
            shown = axes.pcolormesh(
                east,
                north,
                panel.values,
                cmap=_colour_map(colours),
                vmin=-limit if signed else 0.0,
                vmax=limit,
                rasterized=True,
            )
        label = _long_name(first) if j == 0 else title
        bar = figure.colorbar(
            shown, ax=grid[:, j], location="bottom", extend="both" if signed else "max", shrink=0.9, pad=0.02, aspect=28
        )
        bar.set_label(f"{label} [{unit}]", fontsize=LABEL)
    for i, name in enumerate(rows):
        for j, (title, *_) in enumerate(COLUMNS):
            _dress(grid[i, j], f"{name}: {title}", (lon.min(), lon.max()), (lat.min(), lat.max()))
            grid[i, j].label_outer()
    if "time" in first.coords:
        figure.suptitle(str(first["time"].values.astype("datetime64[D]")), fontsize=13)
    return figure


def _panels(
    name: str, source: Field | xr.Dataset, target: xr.Dataset | None, time: str | np.datetime64 | None
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Return height, gradient magnitude and Laplacian on one day, each (latitude, longitude)."""
    if isinstance(source, xr.Dataset):
        day = _one_day(source, time)
        field: Field = MapField.of(day)
        has = {f"d{field.name}_dx", f"d{field.name}_dy", f"laplacian_{field.name}"} <= set(map(str, day.data_vars))
        found = day if has else xr.merge([day[[field.name]], field.gradient(), field.laplacian()])
    else:
        if target is None:
            raise ValueError(f"{name!r} is a Field, which has no grid of its own: say where, maps(..., target=grid).")
        field, at = source, _one_day(target, time)
        found = xr.merge([field.interp(at), field.gradient(at), field.laplacian(at)], combine_attrs="drop_conflicts")
    slope = (found[f"d{field.name}_dx"] ** 2 + found[f"d{field.name}_dy"] ** 2) ** 0.5
    order = [str(locate(found, axis).dims[0]) for axis in ("latitude", "longitude")]
    height, bend = found[field.name], found[f"laplacian_{field.name}"]
    return height.transpose(*order), slope.transpose(*order), bend.transpose(*order)


def _one_day(ds: xr.Dataset, time: str | np.datetime64 | None) -> xr.Dataset:
    if "time" not in ds.dims:
        return ds
    if time is None:
        return ds.isel(time=ds.sizes["time"] // 2)
    return ds.sel(time=np.datetime64(time, "ns"), method="nearest")


def _in_period(
    ds: xr.Dataset, variable: str, period: tuple[str, str] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]:
    time, height = locate(ds, "time").values, ds[variable].values.astype(np.float64)
    shown = np.isfinite(height)
    if period is not None:
        days = time.astype("datetime64[D]")
        shown &= (days >= np.datetime64(period[0], "D")) & (days <= np.datetime64(period[1], "D"))
    if not shown.any():
        raise ValueError(f"no observation to draw in {period}: the data run from {time.min()} to {time.max()}.")
    lon = locate(ds, "longitude").values[shown]
    mission = np.broadcast_to(ds["mission"].values.astype(str) if "mission" in ds else np.str_(""), height.shape)[shown]
    return wrap(lon, central_longitude(lon)), locate(ds, "latitude").values[shown], height[shown], mission


def _colour_map(name: str) -> Any:
    with warnings.catch_warnings():  # cmocean 4 builds its maps in a way that matplotlib 3.11 deprecates
        warnings.simplefilter("ignore", DeprecationWarning)
        import cmocean
    return getattr(cmocean.cm, name)


def _ratio(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> float:
    """Return height over width of a map."""
    return float(np.ptp(lat) / max(np.ptp(lon) * np.cos(np.radians(lat.mean())), 1e-9))


def _limit(values: NDArray[np.float64]) -> float:
    """Return the end of a colour scale that covers nearly all values."""
    finite = np.abs(values[np.isfinite(values)])
    return float(np.quantile(finite, COVERED)) or 1.0 if finite.size else 1.0


def _long_name(array: xr.DataArray) -> str:
    return str(array.attrs.get("long_name", array.name))


def _dress(axes: Axes, title: str, lon: tuple[float, float], lat: tuple[float, float]) -> None:
    axes.set_title(title, fontsize=TITLE)
    tiny = 1e-3  # a single pass along a meridian has no width
    axes.set(
        xlim=(lon[0] - tiny, lon[1] + tiny),
        ylim=(lat[0] - tiny, lat[1] + tiny),
        aspect=1.0 / np.cos(np.radians(sum(lat) / 2.0)),
    )
    axes.set_xlabel("longitude [°E]", fontsize=LABEL)
    axes.set_ylabel("latitude [°N]", fontsize=LABEL)
    axes.locator_params(nbins=6)
