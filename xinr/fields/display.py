"""How a field is shown: as text, as HTML with a small map, and where a quick look at it goes."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from html import escape
from io import BytesIO
from typing import Any
from warnings import catch_warnings

import numpy as np
import xarray as xr
from numpy.typing import NDArray

#: Nodes along the longer side of the map of a notebook, and of a figure.
SMALL, LARGE = 64, 160
#: Width of the small map [pixels].
WIDTH = 260


def grid_over(extent: Mapping[str, Any], time: Any, nodes: int) -> xr.Dataset:
    """Return a grid over the extent of a field's data, so many nodes along its longer side, of one time.

    By default the middle of the period, at 00:00 where that is within.

    Examples
    --------
    >>> extent = {"longitude": [0, 10], "latitude": [0, 5], "time": ["2020-01-01T06", "2020-01-04"]}
    >>> grid_over(extent, None, 20).sizes["latitude"], str(grid_over(extent, None, 20).time.values[0])[:16]
    (10, '2020-01-02T00:00')
    """
    from xinr.plots.geography import ratio

    longitude, latitude = (np.array(extent[axis], float) for axis in ("longitude", "latitude"))
    first, last = np.array(extent["time"], "datetime64[ns]")
    middle = first + (last - first) // 2
    midnight = middle.astype("datetime64[D]").astype("datetime64[ns]")
    day = np.datetime64(time, "ns") if time is not None else max(midnight, first)
    shape = ratio(longitude, latitude)
    across, up = (max(round(nodes * min(1.0, part)), 2) for part in (1.0 / max(shape, 1e-9), shape))
    north, east = (np.linspace(axis[0], axis[1], size) for axis, size in ((latitude, up), (longitude, across)))
    return xr.Dataset(coords={"time": [day], "latitude": north, "longitude": east})


def solves_when_asked(predictor: Any) -> bool:
    """Return whether evaluation has to solve for its weights first: a predictor that keeps its observations does."""
    return hasattr(predictor, "y") or any(map(solves_when_asked, getattr(predictor, "parts", ())))


def as_text(kind: str, summary: str, info: Mapping[str, Any]) -> str:
    """Return what the field is and where it came from, a line each."""
    width = max(map(len, info))
    rows = "".join(f"\n    {key:<{width}}  {_shown(value)}" for key, value in info.items())
    return f"<xinr.{kind} {summary}>{rows}"


def as_html(kind: str, summary: str, info: Mapping[str, Any], small_map: Callable[[], xr.DataArray | None]) -> str:
    """Return the same as a table, in the colours of the page, and a small map (latitude, longitude) if there is one."""
    left = "style='text-align:left'"
    rows = "".join(
        f"<tr><th {left}>{escape(key)}</th><td {left}>{escape(_shown(value))}</td></tr>" for key, value in info.items()
    )
    aside = "style='display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start'"
    return f"<b>xinr.{kind}</b> {escape(summary)}<div {aside}><table>{rows}</table>{_figure(small_map)}</div>"


def _figure(small_map: Callable[[], xr.DataArray | None]) -> str:
    try:
        with catch_warnings(action="ignore"):
            height = small_map()
            return "" if height is None else _drawn(height)
    except Exception:
        return ""


def _drawn(height: xr.DataArray) -> str:
    from xinr.plots.geography import colour_limit, ratio

    limit = colour_limit(height.values)
    day = str(height["time"].values.astype("datetime64[D]")) if "time" in height.coords else ""
    size = f"{max(limit * 100.0, 0.01):.3g}"
    caption = f"{height.name} {day}, blue to red: -{size} to {size} cm"
    encoded = b64encode(_png(height, limit)).decode()
    tall = round(WIDTH * float(np.clip(ratio(height["longitude"].values, height["latitude"].values), 0.2, 2.0)))
    image = f"<img alt='map' width='{WIDTH}' height='{tall}' src='data:image/png;base64,{encoded}'>"
    return f"<figure style='margin:0'>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def _png(height: xr.DataArray, limit: float) -> bytes:
    """Return a picture of one pixel for each node, north up, clear where there is no value."""
    from matplotlib.image import imsave

    from xinr.plots.geography import colour_map

    values: NDArray[np.float64] = height.sortby("latitude", ascending=False).sortby("longitude").values
    colours = colour_map("balance").with_extremes(bad=(0.0, 0.0, 0.0, 0.0))
    shown = colours(np.ma.masked_invalid(0.5 + 0.5 * values / limit), bytes=True)
    file = BytesIO()
    imsave(file, shown, format="png")
    return file.getvalue()


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        shown = ", ".join(f"{key}={_shown(part)}" for key, part in value.items() if key != "kind")
        return f"{value['kind']}({shown})" if "kind" in value else shown
    if isinstance(value, float):
        return f"{value:.6g}"
    return ", ".join(map(_shown, value)) if isinstance(value, list | tuple) else str(value)
