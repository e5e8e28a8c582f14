"""Missions: which instrument measured, as a file says it in one way or another."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import PurePath
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr.observations.tables import PLATFORMS

#: Names of DUACS files: ``dt_med_alg_phy_l3_20170101.nc``.
DUACS = re.compile(r"^[a-z]+_[a-z]+_([a-z0-9]+)_([a-z]+_)?phy_l3_")
#: Attributes that name the satellite, and those that may mention it.
NAMING, MENTIONING = ("platform", "mission_name"), ("source", "title")
SATELLITES = re.compile(
    r"\b(SARAL|AltiKa|CryoSat-?2|Envisat|ERS-?[12]|Geosat|GFO|HY-?2[A-D]|HaiYang-?2[A-D]|Jason-?[123]|OSTM|"
    r"Sentinel-?3[AB]|Sentinel-?6[AB]?|SWOT|TOPEX)\b",
    re.IGNORECASE,
)
_DATE = re.compile(r"[-_.]?(19|20)\d{2}(0[1-9]|1[0-2])([0-3]\d)(T?\d{4,6}Z?)?(?!\d)")


def mission_of(ds: xr.Dataset, name: str, dimension: Hashable = "time") -> NDArray[np.str_]:
    """Return the mission of tracks: of each point (n,) where they say so, else one name for all, ().

    In this order: a variable ``mission``, ``platform_id`` or ``platform``; the name of a DUACS file; the attributes
    ``platform`` and ``mission_name``; the one satellite that ``source`` or ``title`` mentions; the name of the file
    without the date.

    Examples
    --------
    >>> mission_of(xr.Dataset(), "dt_global_j3_phy_l3_20170101.nc")
    array('j3', dtype='<U2')
    >>> mission_of(xr.Dataset(attrs={"title": "DT Jason-1 Global Ocean Along track"}), "a.nc")
    array('Jason-1', dtype='<U7')
    >>> mission_of(xr.Dataset(), "alt_ssh_20220101.nc")
    array('alt_ssh', dtype='<U7')
    """
    for variable in PLATFORMS:
        if variable in ds and ds[variable].dims in ((), (dimension,)) and ds[variable].dtype.kind in "UOST":
            return ds[variable].values.astype(str)
    if duacs := DUACS.match(name):
        return np.asarray(duacs.group(1))
    for attribute in NAMING:
        if text := _text(ds.attrs.get(attribute)):
            return np.asarray(text)
    for attribute in MENTIONING:
        found = {each.group() for each in SATELLITES.finditer(_text(ds.attrs.get(attribute)))}
        if len(found) == 1:
            return np.asarray(found.pop())
    stem = PurePath(name).name.split(".")[0]
    return np.asarray(_DATE.sub("", stem) or stem)


def _text(attribute: Any) -> str:
    return attribute.strip() if isinstance(attribute, str | np.str_) else ""
