"""Units of sea level: lengths as CF spells them, and their factor to metres."""

from __future__ import annotations

import re

import xarray as xr

#: Metres in each prefix of the metre.
PREFIXES = {
    "": 1.0,
    "deci": 0.1,
    "centi": 0.01,
    "milli": 0.001,
    "kilo": 1000.0,
    "d": 0.1,
    "c": 0.01,
    "m": 0.001,
    "k": 1e3,
}
_METRE = re.compile(r"(?:(?P<factor>\d[\d.]*(?:e[+-]?\d+)?)\s+)?(?P<prefix>deci|centi|milli|kilo|)met(?:er|re)s?")
_SYMBOL = re.compile(r"(?:(?P<factor>\d[\d.]*(?:[eE][+-]?\d+)?)\s+)?(?P<prefix>[dcmk]?)m")


def metres_in(units: object) -> float | None:
    """Return how many metres a unit of length is, or None for any other unit, as in UDUNITS.

    Examples
    --------
    >>> metres_in("cm"), metres_in("Millimetres"), metres_in("0.01 m"), metres_in("degrees")
    (0.01, 0.001, 0.01, None)
    """
    text = str(units).strip()
    found = _SYMBOL.fullmatch(text) or _METRE.fullmatch(text.lower())
    if found is None and text == "M":
        return 1.0
    return None if found is None else float(found["factor"] or 1.0) * PREFIXES[found["prefix"]]


def in_metres(height: xr.DataArray) -> xr.DataArray:
    """Return a height in metres; without the attribute ``units`` it is in metres already.

    Raises
    ------
    ValueError
        The units are no length.
    """
    units = height.attrs.get("units", "m")
    factor = metres_in(units)
    if factor is None:
        raise ValueError(
            f"{height.name} must be in metres, or another length such as 'cm', got units {units!r}. Convert it and say "
            f"so: ds[{height.name!r}] = (ds[{height.name!r}] * factor).assign_attrs(units='m')."
        )
    return height if factor == 1.0 else (height.astype("float64") * factor).assign_attrs(height.attrs | {"units": "m"})
