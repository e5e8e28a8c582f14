"""Simulated oceans in the cache folder: simulated once, then opened."""

import json
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pooch

from xinr._typing import Region
from xinr._warnings import warn
from xinr.fields.field import Field
from xinr.fields.storage import open_field
from xinr.geo.coordinates import bounds, width_of
from xinr.geo.frames import DAY, METRES_PER_DEGREE
from xinr.simulate.eddies import GULF_STREAM
from xinr.simulate.ocean.quasigeostrophic import TwoLayer

#: Side of the simulated ocean [km], which is periodic, and the largest fraction of it that a region may cover.
SIDE, LARGEST_SHARE = 2000.0, 0.8


def cached_ocean(
    region: Region = GULF_STREAM, period: tuple[str, str] = ("2021-01-01", "2021-03-01"), seed: int = 0
) -> Field:
    """Return the sea level anomalies of a quasi-geostrophic ocean around a region, simulated at the first call.

    It is stored in the user's cache folder (``pooch.os_cache("xinr")``), one netCDF file for each set of settings and
    release of xinr; the files may be deleted at any time. At the latitude of the default region the simulation starts
    spun up and takes seconds; elsewhere the spin-up takes minutes.

    Raises
    ------
    ValueError
        The region is wider than 1600 km, as the ocean is periodic after 2000 km, or too near to the equator or a pole.

    Warns
    -----
    UserWarning
        The cache folder cannot be written.
    """
    from xinr.simulate.ocean.as_field import as_field
    from xinr.simulate.ocean.qg import qg

    ocean, (first, after) = _ocean(region), bounds(period)
    settings: dict[str, Any] = {"days": float((after - first) / DAY), "start": period[0], "seed": seed}
    key = json.dumps([version("xinr"), asdict(ocean), settings], sort_keys=True)
    path = Path(pooch.os_cache("xinr")) / f"sea-{sha256(key.encode()).hexdigest()[:16]}.nc"
    with suppress(FileNotFoundError, ValueError):  # no file, or a damaged one
        return open_field(path)
    field = as_field(qg(model=ocean, **settings))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        field.save(path)
    except OSError as error:
        warn(f"the simulated ocean cannot be stored in the cache: {error}.")
    return field


def _ocean(region: Region) -> TwoLayer:
    """Return the ocean around a region."""
    west, _, south, north = region
    width = width_of(region)
    widest = min(abs(south), abs(north)) if south * north > 0 else 0.0
    extent = max(north - south, width * np.cos(np.radians(widest))) * METRES_PER_DEGREE / 1e3
    if extent > LARGEST_SHARE * SIDE:
        raise ValueError(
            f"the region {region} is {extent:.0f} km across, and the simulated ocean {SIDE:g} km: choose one of "
            f"{LARGEST_SHARE * SIDE:g} km at most, or give another truth, as in osse(eddies(region))."
        )
    return TwoLayer(length=SIDE, latitude=(south + north) / 2.0, longitude=(west + width / 2.0) % 360.0)
