"""Open along-track files as one Dataset, with the mission of each point."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import xarray as xr

from xinr.geo.coordinates import Axis, locate
from xinr.observations.files import Source, name_of, opened, sources
from xinr.observations.joining import TIME, Part, in_one_layout, join
from xinr.observations.layouts import along_track
from xinr.observations.missions import mission_of
from xinr.observations.swaths import is_swath, swath_height, unrolled
from xinr.observations.variables import default_height, heights


def open_tracks(paths: Source | Iterable[Source], *, variable: str | None = None, **options: Any) -> xr.Dataset:
    """Open files of tracks and swaths, of one or several missions, as one Dataset with a coordinate ``mission``.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files (netCDF, CSV, parquet), zarr stores, folders of netCDF files, patterns such as ``"dc_obs/*_l3_*.nc"``,
        OPeNDAP addresses; or objects that hold tracks: Dataset, DataTree, DataFrame.
    variable : str, optional
        The sea level variable whose points are taken, such as ``"ssha_20hz"`` of a file that has 1 Hz data as well; by
        default the one that `xinr.fit` would take.
    **options
        Options of `xarray.open_dataset`, such as ``group``, ``drop_variables``, or ``chunks`` (``{}``: a chunk a file).

    Returns
    -------
    Dataset
        Along ``time``, file after file, with the coordinates ``longitude``, ``latitude`` and ``mission``. Times are
        read at once, all else when it is used. ``mission`` comes from a variable ``mission`` or ``platform``, the name
        of a DUACS file ("alg" in ``dt_med_alg_phy_l3_...nc``), the attributes ``platform``, ``mission_name``,
        ``source`` or ``title``, else from the name of the file. Lengths in different units become metres.
        The pixels of a swath become points: see `xinr.observations.unrolled`.

    Raises
    ------
    FileNotFoundError
        No file matches.
    ValueError
        A file cannot be read, holds no tracks or swath, or has other units or another sea level than the first.
    ImportError, ConnectionError
        A format needs a package that is not installed; an address cannot be reached.
    """
    chunks = options.pop("chunks", None)
    parts = [_part(source, variable, options) for source in sources(paths)]
    if not parts:
        raise FileNotFoundError(f"no file matches {str(paths)!r}: expected along-track netCDF files.")
    ds = join(parts)
    return ds if chunks is None else ds.chunk(chunks or {TIME: tuple(part.ds.sizes[TIME] for part in parts)})


def _part(source: Source, variable: str | None, options: dict[str, Any]) -> Part:
    whole = opened(source, variable, options)
    name = name_of(source)
    try:
        swath = is_swath(whole)
        height = variable or (swath_height(whole) if swath else _only(whole))
        whole = unrolled(whole, None if variable is None else [variable]) if swath else whole
        points = along_track(whole, height or _any_along_time(whole))
        one = points[height] if height else None
        columns = {axis: locate(points, axis, one) for axis in get_args(Axis)}
    except (ValueError, KeyError, RuntimeError, OverflowError) as error:
        raise ValueError(f"{name} is not a file of tracks or swaths: {error}") from error
    file = Path(name).name if isinstance(source, str | Path) else ""
    ds = in_one_layout(points, columns, mission_of(points, file, columns["time"].dims[0]))
    ds.set_close(whole.close)
    return Part(name, ds, None if swath else height)  # heights of swaths and tracks are mapped together


def _only(ds: xr.Dataset) -> str | None:
    try:
        return default_height(ds)
    except ValueError:
        return None


def _any_along_time(ds: xr.Dataset) -> str:
    """Return what stands for the points of a file in which several variables may be the sea level, all alike."""
    found = heights(ds)
    if len({ds[name].dims for name in found}) > 1:
        raise ValueError(
            "which variable is the sea level? The candidates have different dimensions, got "
            f"{ {name: ds[name].dims for name in found} }. Name it: xinr.open_tracks(..., variable=<name>)."
        )
    return found[0] if found else str(locate(ds, "time").name)
