"""CF metadata: attributes of coordinates and of variables."""

from __future__ import annotations

COORDINATES: dict[str, dict[str, str]] = {
    "longitude": {"standard_name": "longitude", "units": "degrees_east", "axis": "X"},
    "latitude": {"standard_name": "latitude", "units": "degrees_north", "axis": "Y"},
    "time": {"standard_name": "time", "axis": "T"},
}
#: The same of points along a track, where time alone is an axis.
TRACK_COORDINATES: dict[str, dict[str, str]] = {
    name: {key: value for key, value in attrs.items() if key != "axis" or name == "time"}
    for name, attrs in COORDINATES.items()
}
#: Standard names of the anomaly and of the height above the geoid.
STANDARD_NAMES = {"sla": "sea_surface_height_above_sea_level", "adt": "sea_surface_height_above_geoid"}


def attributes(units: str, long_name: str, standard_name: str = "") -> dict[str, str]:
    """Return the attributes of a variable, without a standard name where it has none.

    Examples
    --------
    >>> attributes("m", "mean sea surface")
    {'units': 'm', 'long_name': 'mean sea surface'}
    """
    attrs = {"units": units, "long_name": long_name}
    return attrs | {"standard_name": standard_name} if standard_name else attrs
