"""Quantities of maps, in the units in which they are drawn: sea level, derivatives, currents, errors."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import xarray as xr

from xinr.geo.coordinates import locate
from xinr.geo.finite_differences import laplacian, slopes
from xinr.geo.geostrophy import currents, geostrophic
from xinr.observations.variables import as_map
from xinr.plots.geography import long_name


class Drawable(Protocol):
    """What can be evaluated on a grid, such as a `xinr.Field`."""

    def interp(self, target: Any, *, error: bool = False) -> xr.Dataset:
        """Evaluate the height."""

    def gradient(self, target: Any) -> xr.Dataset:
        """Differentiate it."""

    def laplacian(self, target: Any) -> xr.Dataset:
        """Apply the Laplacian."""


@dataclass(frozen=True)
class Quantity:
    """A quantity that can be drawn.

    Parameters
    ----------
    title, unit, factor : str, str, float
        Title and unit in figures, and the factor from SI units.
    colours : str
        Colour map of cmocean.
    signed : bool
        Whether values have both signs: the colour scale is then symmetric.
    of : callable
        Takes ``height``, ``dx``, ``dy``, ``laplacian``, ``truth``, ``formal_error``; returns the quantity in SI units.
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
    # It depends on the sum of xx and yy alone, the Laplacian.
    zero = xr.zeros_like(ds["laplacian"])
    second = {"xx": ds["laplacian"], "yy": zero, "xy": zero}
    return currents({"x": ds["dx"], "y": ds["dy"], **second}, anomaly=False)["vorticity"]


QUANTITIES: dict[str, Quantity] = {
    "height": Quantity("height", "cm", 1e2, "balance", True, lambda ds: ds["height"]),
    "gradient": Quantity(
        "gradient magnitude", "cm per 100 km", 1e7, "amp", False, lambda ds: (ds["dx"] ** 2 + ds["dy"] ** 2) ** 0.5
    ),
    "laplacian": Quantity("Laplacian", r"$10^{-10}\,\mathrm{m}^{-1}$", 1e10, "curl", True, lambda ds: ds["laplacian"]),
    "speed": Quantity("geostrophic speed", "cm/s", 1e2, "speed", False, _speed),
    "vorticity": Quantity("relative vorticity", r"$10^{-5}\,\mathrm{s}^{-1}$", 1e5, "curl", True, _vorticity),
    "error": Quantity("error: map − truth", "cm", 1e2, "balance", True, lambda ds: ds["height"] - ds["truth"]),
    "formal error": Quantity("formal error", "cm", 1e2, "matter", False, lambda ds: ds["formal_error"]),
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
        The derivatives in a Dataset (``d<name>_dx``, ``laplacian_<name>``) are used if present, else centred
        differences.
    names : iterable of str
        Keys of `QUANTITIES`.
    target : Dataset, optional
        Grid on which a Field is evaluated.
    truth : Dataset, optional
        The truth on the grid of the source, for "error".

    Returns
    -------
    Dataset
        The names, dims (time, latitude, longitude) or (latitude, longitude), with ``units`` and ``long_name``.

    Raises
    ------
    ValueError
        An unknown name, an error without the truth, no formal error, or a Field without a target.

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
    height, plain = _plain(source, target, "formal error" in names)
    if truth is not None:
        plain = plain.assign(truth=as_map(truth))
    needed = {
        "error": ("truth", "give truth=<true maps>"),
        "formal error": ("formal_error", "the map has none: interp(..., error=True) adds it"),
    }
    for name in names:
        variable, cure = needed.get(name, ("height", ""))
        if variable not in plain:
            raise ValueError(f"{name!r} cannot be drawn of {height.name!r}: {cure}.")
    order = [str(locate(height, axis).dims[0]) for axis in ("latitude", "longitude")]
    return xr.Dataset({name: _in_unit(QUANTITIES[name], plain, height, order) for name in names})


def _plain(source: Drawable | xr.Dataset, target: xr.Dataset | None, error: bool) -> tuple[xr.DataArray, xr.Dataset]:
    """Return the map, and its variables under names that do not depend on the map's name."""
    if isinstance(source, xr.Dataset):
        height = as_map(source)
        derived = _differentiated(height)
        maps = source if set(derived) <= set(source) else source.assign(derived)
    elif target is None:
        raise ValueError("a Field has no grid of its own: say where, target=<grid>.")
    else:
        parts = [source.interp(target, error=error), source.gradient(target), source.laplacian(target)]
        maps = xr.merge(parts, combine_attrs="drop_conflicts")
        height = maps[next(name for name in maps if f"laplacian_{name}" in maps)]
    name = height.name
    names = {name: "height", f"d{name}_dx": "dx", f"d{name}_dy": "dy", f"laplacian_{name}": "laplacian"}
    names |= {f"err_{name}": "formal_error"} if f"err_{name}" in maps else {}
    return height, maps[list(names)].rename(names)


def _differentiated(height: xr.DataArray) -> dict[str, xr.DataArray]:
    """Return the derivatives of a map by centred differences."""
    axes = locate(height, "longitude"), locate(height, "latitude")
    slope = slopes(height, *axes, None)
    found = {f"d{height.name}_dx": slope["x"], f"d{height.name}_dy": slope["y"]}
    return found | {f"laplacian_{height.name}": laplacian(height, *axes)}


def _in_unit(quantity: Quantity, plain: xr.Dataset, height: xr.DataArray, order: list[str]) -> xr.DataArray:
    values = (quantity.factor * quantity.of(plain)).transpose(..., *order)
    title = long_name(height) if quantity.title == "height" else quantity.title
    return values.assign_attrs(units=quantity.unit, long_name=title)
