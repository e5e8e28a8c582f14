"""Elements of maps: axes of longitude and latitude, coastlines, colour scales."""

import warnings
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from xinr._warnings import warn
from xinr.geo.coordinates import wrap
from xinr.plots.style import LABEL, TITLE

#: Fraction of values within a colour scale.
COVERED = 0.995
#: Resolution of the coastlines of Natural Earth.
RESOLUTION = "50m"


def decorate(axes: Axes, title: str, lon: tuple[float, float], lat: tuple[float, float]) -> None:
    """Set title, limits, aspect and labels of a map, and draw the coastline if cartopy is installed."""
    axes.set_title(title, fontsize=TITLE)
    tiny = 1e-3  # a single pass along a meridian has no width
    if lines := coastline(sum(lon) / 2.0):
        axes.add_collection(LineCollection(lines, colors="0.2", linewidths=0.7), autolim=False)
    axes.set(
        xlim=(lon[0] - tiny, lon[1] + tiny),
        ylim=(lat[0] - tiny, lat[1] + tiny),
        aspect=1.0 / np.cos(np.radians(sum(lat) / 2.0)),
    )
    axes.set_xlabel("longitude [°E]", fontsize=LABEL)
    axes.set_ylabel("latitude [°N]", fontsize=LABEL)
    axes.locator_params(nbins=6)


def coastline(centre: float) -> list[NDArray[np.float64]]:
    """Return coastlines (points, 2) about a longitude, none without cartopy; it downloads them once, or warns."""
    if find_spec("cartopy") is None:
        return []
    turned = [np.stack([wrap(line[:, 0], centre), line[:, 1]], axis=1) for line in _coasts()]
    # Lines across the edge of the map would cross all of it.
    return [line for line in turned if np.ptp(line[:, 0]) < 180.0]


@cache
def _coasts() -> list[NDArray[np.float64]]:
    from cartopy.io import shapereader

    try:
        with warnings.catch_warnings():  # cartopy warns of every download
            warnings.simplefilter("ignore")
            path = shapereader.natural_earth(resolution=RESOLUTION, category="physical", name="coastline")
        shapes = list(shapereader.Reader(path).geometries())
    except (OSError, ValueError) as error:
        warn(f"no coastlines: cartopy could not fetch those of Natural Earth ({error}).")
        return []
    return [np.asarray(part.coords)[:, :2] for shape in shapes for part in getattr(shape, "geoms", [shape])]


def colour_map(name: str) -> Any:
    """Return a colour map of cmocean, grey for missing values."""
    with warnings.catch_warnings():  # cmocean 4 builds its maps in a way that matplotlib 3.11 deprecates
        warnings.simplefilter("ignore", DeprecationWarning)
        import cmocean
    return getattr(cmocean.cm, name).with_extremes(bad="0.85")


def colour_limit(values: NDArray[np.float64]) -> float:
    """Return the limit of a colour scale that covers nearly all values.

    Examples
    --------
    >>> colour_limit(np.array([-2.0, 1.0, np.nan]))
    1.995
    """
    finite = np.abs(values[np.isfinite(values)])
    return float(np.quantile(finite, COVERED)) or 1.0 if finite.size else 1.0


def ratio(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> float:
    """Return height over width of a map.

    Examples
    --------
    >>> round(ratio(np.array([0.0, 10.0]), np.array([55.0, 65.0])), 6)
    2.0
    """
    return float(np.ptp(lat) / max(np.ptp(lon) * np.cos(np.radians(lat.mean())), 1e-9))


def long_name(array: xr.DataArray) -> str:
    """Return the name of an array in a figure."""
    return str(array.attrs.get("long_name", array.name))
