"""Maps side by side: quantities of several maps, each on one colour scale, as a figure or a movie."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from xinr.geo.coordinates import locate
from xinr.plots.geography import colour_limit, colour_map, decorate, long_name, ratio
from xinr.plots.movies import write_movie
from xinr.plots.quantities import DRAWN_BY_DEFAULT, QUANTITIES, Drawable, quantities_of
from xinr.plots.style import DPI, LABEL, TITLE

Sources = Mapping[str, Drawable | xr.Dataset]
#: Width of one map [inches].
WIDTH = 3.83


def maps(
    sources: Sources,
    target: xr.Dataset | None = None,
    *,
    time: str | np.datetime64 | None = None,
    quantities: Iterable[str] = DRAWN_BY_DEFAULT,
    truth: xr.Dataset | None = None,
) -> Figure:
    """Draw quantities of several maps, each quantity on one colour scale.

    Parameters
    ----------
    sources : mapping of str to Field or Dataset
        By name. The derivatives in a Dataset (``d<name>_dx``, ``laplacian_<name>``) are used if present, else centred
        differences.
    target : Dataset, optional
        Grid on which Fields are evaluated; Datasets are shown on their own grid.
    time : str or datetime64, optional
        The nearest map is shown; by default the middle one.
    quantities : iterable of str
        Keys of `xinr.plots.QUANTITIES`.
    truth : Dataset, optional
        The truth on the same grid, for the quantity "error".

    Returns
    -------
    Figure
        A row for each map; with one or two quantities, a row for each quantity.

    Raises
    ------
    ValueError
        Nothing to draw, an unknown quantity, or a Field without a target.

    Examples
    --------
    >>> axes = {"latitude": np.arange(33.0, 37.0), "longitude": np.arange(295.0, 300.0)}
    >>> ds = xr.Dataset({"sla": (("latitude", "longitude"), np.random.default_rng(0).normal(size=(4, 5)))}, axes)
    >>> len(maps({"one": ds, "two": 2 * ds}).axes)
    9
    """
    _check(sources)
    names = list(quantities)
    target, truth = (None if ds is None else _one_day(ds, time) for ds in (target, truth))
    days = {name: _one_day(each, time) if isinstance(each, xr.Dataset) else each for name, each in sources.items()}
    found = {name: _named(name, each, names, target, truth) for name, each in days.items()}
    sheet = _Sheet(found, colour_limits(found.values()), across=len(names) < 3)
    first = next(iter(found.values()))
    if "time" in first.coords:
        sheet.date(_day(first["time"].values))
    return sheet.figure


def movie(
    path: Path,
    sources: Sources,
    target: xr.Dataset | None = None,
    *,
    quantities: Iterable[str] = ("height",),
    truth: xr.Dataset | None = None,
    limits: Mapping[str, float] | None = None,
    fps: int = 5,
) -> Path:
    """Write a movie of quantities of several maps, one row for each quantity and the maps side by side.

    Parameters
    ----------
    path : Path
        Ends in ``.gif`` or ``.mp4``; returned.
    sources, target, quantities, truth
        See `maps`; the sources have the same times.
    limits : mapping of str to float, optional
        Limits of the colour scales [drawn unit], by quantity; by default they cover all maps at all times.
    fps : int
        Frames per second.

    Raises
    ------
    ValueError
        Nothing to draw, maps of different times or of none, or another kind of file.
    """
    _check(sources)
    names = list(quantities)
    found = {name: _named(name, each, names, target, truth) for name, each in sources.items()}
    times = [locate(ds, "time").values if "time" in ds.dims else np.empty(0, "M8[ns]") for ds in found.values()]
    if not times[0].size or not all(np.array_equal(each, times[0]) for each in times):
        raise ValueError("the maps of a movie must have the same times: interpolate them to one grid first.")
    scale = colour_limits(found.values()) | dict(limits or {})
    sheet = _Sheet({name: ds.isel(time=0) for name, ds in found.items()}, scale, across=True)

    def draw(frame: int) -> None:
        sheet.show({name: ds.isel(time=frame) for name, ds in found.items()})
        sheet.date(_day(times[0][frame]))

    return write_movie(path, sheet.figure, draw, len(times[0]), fps)


def colour_limits(drawn: Iterable[xr.Dataset]) -> dict[str, float]:
    """Return the limit of the colour scale of each quantity, which covers nearly all values of several maps."""
    each = list(drawn)
    return {str(name): colour_limit(np.concatenate([ds[name].values.ravel() for ds in each])) for name in each[0]}


class _Sheet:
    """Maps in rows and columns: a row for each map, or, across, a row for each quantity."""

    def __init__(self, drawn: Mapping[str, xr.Dataset], limits: Mapping[str, float], across: bool = False) -> None:
        first = next(iter(drawn.values()))
        self.names, self.across = [str(name) for name in first], across
        lon, lat = (locate(first, axis).values for axis in ("longitude", "latitude"))
        rows, columns = len(drawn), len(self.names)
        rows, columns = (columns, rows) if across else (rows, columns)
        bars = rows if across else 1
        size = (WIDTH * columns, 0.75 + 0.85 * bars + (0.3 + 0.9 * WIDTH * ratio(lon, lat)) * rows)
        self.figure = Figure(figsize=size, dpi=DPI)
        grid = self.figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        self.figure.set_layout_engine("constrained", h_pad=0.07)  # between a colour bar's label and the title below it
        self.axes = grid.T if across else grid  # (maps, quantities)
        self.meshes: dict[tuple[str, str], Any] = {}
        for j, quantity in enumerate(self.names):
            for i, (name, ds) in enumerate(drawn.items()):
                # The colour bar names a single quantity.
                title = name if len(self.names) == 1 else f"{name}: {QUANTITIES[quantity].title}"
                self.meshes[name, quantity] = _mesh(self.axes[i, j], ds[quantity], quantity, limits[quantity])
                decorate(self.axes[i, j], title, (lon.min(), lon.max()), (lat.min(), lat.max()))
                self.axes[i, j].label_outer()
            self._colour_bar(j, quantity, first[quantity])

    def show(self, drawn: Mapping[str, xr.Dataset]) -> None:
        """Update the values."""
        for (name, quantity), mesh in self.meshes.items():
            mesh.set_array(drawn[name][quantity].values)

    def date(self, day: str) -> None:
        """Write the date of the maps."""
        if len(self.meshes) > 1:
            self.figure.suptitle(day, fontsize=13)
        else:
            self.axes[0, 0].set_title(f"{next(iter(self.meshes))[0]}, {day}", fontsize=TITLE)

    def _colour_bar(self, j: int, quantity: str, values: xr.DataArray) -> None:
        mesh = self.meshes[next(iter(self.meshes))[0], quantity]
        extend = "both" if QUANTITIES[quantity].signed else "max"
        column = list(self.axes[:, j])
        aspect = 28 * (len(column) if self.across else 1)
        bar = self.figure.colorbar(
            mesh, ax=column, location="bottom", extend=extend, shrink=0.9, pad=0.02, aspect=aspect
        )
        bar.set_label(f"{long_name(values)} [{values.attrs['units']}]", fontsize=LABEL)


def _mesh(axes: Any, values: xr.DataArray, quantity: str, limit: float) -> Any:
    east, north = (locate(values, axis).values for axis in ("longitude", "latitude"))
    low = -limit if QUANTITIES[quantity].signed else 0.0
    colours = colour_map(QUANTITIES[quantity].colours)
    return axes.pcolormesh(east, north, values.values, cmap=colours, vmin=low, vmax=limit, rasterized=True)


def _named(
    name: str, source: Drawable | xr.Dataset, names: list[str], target: xr.Dataset | None, truth: xr.Dataset | None
) -> xr.Dataset:
    try:
        return quantities_of(source, names, target, truth)
    except ValueError as error:
        raise ValueError(f"{name!r} cannot be drawn: {error}") from error


def _check(sources: Sources) -> None:
    if not sources:
        raise ValueError("no map to draw: expected {name: Field or Dataset}, got an empty mapping.")


def _one_day(ds: xr.Dataset, time: str | np.datetime64 | None) -> xr.Dataset:
    if "time" not in ds.dims:
        return ds
    if time is None:
        return ds.isel(time=ds.sizes["time"] // 2)
    return ds.sel(time=np.datetime64(time, "ns"), method="nearest")


def _day(time: NDArray[np.datetime64]) -> str:
    return str(time.astype("datetime64[D]"))
