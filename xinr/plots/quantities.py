"""What can be drawn of a map: heights, their derivatives, the currents that follow, and errors, in handy units."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import xarray as xr

from xinr.geo.coordinates import locate
from xinr.geo.geostrophy import currents, geostrophic
from xinr.observations.variables import as_map


class Drawable(Protocol):
    """What can be evaluated on a grid: a `xinr.Field`."""

    def interp(self, target: Any, *, error: bool = False) -> xr.Dataset:
        """Evaluate the height."""

    def gradient(self, target: Any) -> xr.Dataset:
        """Differentiate it."""

    def laplacian(self, target: Any) -> xr.Dataset:
        """Apply the Laplacian."""


@dataclass(frozen=True)
class Quantity:
    """One kind of picture.

    Parameters
    ----------
    title, unit : str
        As shown.
    factor : float
        From SI to that unit.
    colours : str
        Colour map of cmocean.
    signed : bool
        Whether values have both signs, so that the scale is about zero.
    of : callable
        Takes the variables that `plain` gives, returns the quantity in SI units.
    """

    title: str
    unit: str
    factor: float
    colours: str
    signed: bool
    of: Callable[[xr.Dataset], xr.DataArray]


def _speed(ds: xr.Dataset) -> xr.DataArray:
    u, v = geostrophic(ds["dx"], ds["dy"])
    return (u**2 + v**2) ** 0.5


def _vorticity(ds: xr.Dataset) -> xr.DataArray:
    # Of the second derivatives it depends on the sum along two directions alone: the Laplacian.
    second = {"xx": ds["bend"], "yy": xr.zeros_like(ds["bend"]), "xy": xr.zeros_like(ds["bend"])}
    return currents({"x": ds["dx"], "y": ds["dy"], **second}, anomaly=False)["vorticity"]


QUANTITIES: dict[str, Quantity] = {
    "height": Quantity("height", "cm", 1e2, "balance", True, lambda ds: ds["height"]),
    "gradient": Quantity(
        "gradient magnitude", "cm per 100 km", 1e7, "amp", False, lambda ds: (ds["dx"] ** 2 + ds["dy"] ** 2) ** 0.5
    ),
    "laplacian": Quantity("Laplacian", r"$10^{-10}\,\mathrm{m}^{-1}$", 1e10, "curl", True, lambda ds: ds["bend"]),
    "speed": Quantity("geostrophic speed", "cm/s", 1e2, "speed", False, _speed),
    "vorticity": Quantity("relative vorticity", r"$10^{-5}\,\mathrm{s}^{-1}$", 1e5, "curl", True, _vorticity),
    "error": Quantity("error: map − truth", "cm", 1e2, "balance", True, lambda ds: ds["height"] - ds["truth"]),
    "stated error": Quantity("stated error", "cm", 1e2, "matter", False, lambda ds: ds["stated"]),
}
DRAWN_BY_DEFAULT = ("height", "gradient", "laplacian")


def quantities_of(
    source: Drawable | xr.Dataset,
    names: Iterable[str] = DRAWN_BY_DEFAULT,
    target: xr.Dataset | None = None,
    truth: xr.Dataset | None = None,
) -> xr.Dataset:
    """Return quantities of a map in the units in which they are drawn.

    Parameters
    ----------
    source : Field or Dataset
        A Dataset's own derivatives (``d<name>_dx``, ``laplacian_<name>``) are taken where it has them, else centred
        differences.
    names : iterable of str
        Keys of `QUANTITIES`.
    target : Dataset, optional
        Grid on which to evaluate a Field.
    truth : Dataset, optional
        True heights on the grid of the source, for "error".

    Returns
    -------
    Dataset
        The names, dims (time, latitude, longitude) or (latitude, longitude), with ``units`` and ``long_name``.

    Raises
    ------
    ValueError
        An unknown name, an error without the truth, a stated error that there is not, or a Field without a target.

    Examples
    --------
    >>> from xinr.simulate import eddies
    >>> import numpy as np
    >>> axes = {"time": [np.datetime64("2021-01-02", "ns")], "latitude": [36.0, 37.0], "longitude": [300.0, 301.0]}
    >>> ds = quantities_of(eddies(waves=20), ["speed", "vorticity"], xr.Dataset(coords=axes))
    >>> ds.speed.attrs["units"], ds.speed.dims
    ('cm/s', ('time', 'latitude', 'longitude'))
    """
    names = list(names)
    unknown = [name for name in names if name not in QUANTITIES]
    if unknown:
        raise ValueError(f"unknown quantity {unknown}: expected some of {list(QUANTITIES)}.")
    maps = _maps(source, target, "stated error" in names)
    height = height_of(maps)
    plain = _plain(maps, height, truth)
    missing = {"error": "truth", "stated error": "stated"}
    for name in names:
        if name in missing and missing[name] not in plain:
            cure = "give truth=<true maps>" if name == "error" else "the map has none: interp(..., error=True) adds it"
            raise ValueError(f"{name!r} cannot be drawn of {height!r}: {cure}.")
    order = [str(locate(maps, axis).dims[0]) for axis in ("latitude", "longitude")]
    return xr.Dataset({name: _drawn(QUANTITIES[name], plain, maps[height], order) for name in names})


def height_of(maps: xr.Dataset) -> str:
    """Return the name of the height among maps that hold its Laplacian."""
    return next(str(name) for name in maps if f"laplacian_{name}" in maps)


def _maps(source: Drawable | xr.Dataset, target: xr.Dataset | None, stated: bool) -> xr.Dataset:
    """Return height and derivatives."""
    if isinstance(source, xr.Dataset):
        height = str(as_map(source).name)
        if {f"d{height}_dx", f"d{height}_dy", f"laplacian_{height}"} <= set(map(str, source)):
            return source
        return xr.merge([source[[height]], source.inr.gradient(), source.inr.laplacian()])
    if target is None:
        raise ValueError("a Field has no grid of its own: say where, target=<grid>.")
    parts = [source.interp(target, error=stated), source.gradient(target), source.laplacian(target)]
    return xr.merge(parts, combine_attrs="drop_conflicts")


def _plain(maps: xr.Dataset, height: str, truth: xr.Dataset | None) -> xr.Dataset:
    names = {height: "height", f"d{height}_dx": "dx", f"d{height}_dy": "dy", f"laplacian_{height}": "bend"}
    if f"err_{height}" in maps:
        names[f"err_{height}"] = "stated"
    plain = maps[list(names)].rename(names)
    return plain if truth is None else plain.assign(truth=as_map(truth))


def _drawn(quantity: Quantity, plain: xr.Dataset, height: xr.DataArray, order: list[str]) -> xr.DataArray:
    values = (quantity.factor * quantity.of(plain)).transpose(..., *order)
    title = str(height.attrs.get("long_name", height.name)) if quantity.title == "height" else quantity.title
    return values.assign_attrs(units=quantity.unit, long_name=title)
