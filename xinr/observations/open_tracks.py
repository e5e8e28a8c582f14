"""Open along-track files, with the mission of each point."""

from __future__ import annotations

import re
from collections.abc import Iterable
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from xinr.geo.coordinates import locate
from xinr.observations.swaths import is_swath, unrolled


def open_tracks(paths: str | Path | Iterable[str | Path], **options: Any) -> xr.Dataset:
    """Open files of tracks and swaths, of one or several missions, as one Dataset with a coordinate ``mission``.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files, or a pattern such as ``"dc_obs/*_l3_*.nc"``.
    **options
        Options of `xarray.open_dataset`.

    Returns
    -------
    Dataset
        Along ``time``, file after file. ``mission`` comes from the name of a DUACS file ("alg" in
        ``dt_med_alg_phy_l3_...nc``), else from the attribute ``platform``, else it is the name of the file.
        The pixels of a swath become points: see `xinr.observations.unrolled`.

    Raises
    ------
    FileNotFoundError
        No file matches.
    ValueError
        A file cannot be read as netCDF.
    """
    names = sorted(glob(str(paths))) if isinstance(paths, str | Path) else paths
    found = [Path(name) for name in names]
    if not found:
        raise FileNotFoundError(f"no file matches {str(paths)!r}: expected along-track netCDF files.")
    parts = [_open_one(path, options) for path in found]
    return xr.concat(
        parts,
        parts[0]["mission"].dims[0],
        data_vars="minimal",  # variables without the dimension are not repeated
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="drop_conflicts",
    )


def _open_one(path: Path, options: dict[str, Any]) -> xr.Dataset:
    try:
        ds = xr.open_dataset(path, **options)
    except (OSError, ValueError) as error:
        if not path.exists():
            raise FileNotFoundError(f"no file {path}: expected an along-track netCDF file.") from error
        raise ValueError(f"{path} cannot be read as netCDF ({error}): is it complete? Download it again.") from error
    try:
        if is_swath(ds):
            return unrolled(ds)
        dimension = locate(ds, "time").dims[0]
    except ValueError as error:
        raise ValueError(f"{path} is not a file of tracks or swaths: {error}") from error
    duacs = re.search(r"^[a-z]+_[a-z]+_([a-z0-9]+)_([a-z]+_)?phy_l3_", path.name)
    mission = duacs.group(1) if duacs else str(ds.attrs.get("platform", path.stem))
    return ds.assign_coords(mission=(dimension, np.full(ds.sizes[dimension], mission)))
