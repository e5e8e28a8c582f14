"""Files of along-track data: found by names, patterns and folders, opened whatever their format."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from glob import glob, has_magic
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from xinr.observations.groups import groups_of, joined
from xinr.observations.headers import check_header
from xinr.observations.tables import from_table, is_table, read_table
from xinr.observations.variables import HEIGHTS, heights

#: What `xinr.open_tracks` opens.
type Source = str | Path | xr.Dataset | xr.DataTree | pd.DataFrame
_ADDRESS = "://"
_ZARR = (".zgroup", ".zmetadata", "zarr.json")


def sources(given: Source | Iterable[Source]) -> Iterator[Source]:
    """Yield each file, address or object, in order: patterns and folders stand for their files, sorted by name.

    Raises
    ------
    FileNotFoundError
        No file has the name, matches the pattern, or lies in the folder.
    """
    if not isinstance(given, str | Path | xr.Dataset | xr.DataTree | pd.DataFrame):
        for each in given:
            yield from sources(each)
    elif isinstance(given, str | Path) and _ADDRESS not in str(given):
        yield from _local(Path(given).expanduser())
    else:
        yield given


def _local(path: Path) -> list[Path]:
    if path.is_dir() and not any((path / name).exists() for name in _ZARR):
        if found := sorted(path.rglob("*.nc")):
            return found
        raise FileNotFoundError(
            f"the folder {path} holds no netCDF file (*.nc): expected along-track files. Name other ones by a pattern, "
            f"{str(path / '*.csv')!r}."
        )
    if path.exists():
        return [path]
    if has_magic(str(path)):
        if matching := sorted(glob(str(path), recursive=True)):
            return [Path(name) for name in matching]
        raise FileNotFoundError(f"no file matches {str(path)!r}: expected along-track netCDF files.")
    raise FileNotFoundError(f"no file {path}: expected an along-track netCDF file.")


def name_of(source: Source) -> str:
    """Return how errors name a source: by its path, or its kind."""
    return str(source) if isinstance(source, str | Path) else f"the {type(source).__name__}"


def opened(source: Source, variable: str | None, options: Mapping[str, Any]) -> xr.Dataset:
    """Open one source, netCDF lazily, with the group that holds the variable, or else one of the usual sea levels.

    Raises
    ------
    ValueError, ImportError, ConnectionError
        It cannot be read; with the cause, and what to do.
    """
    names = (variable,) if variable else HEIGHTS
    if isinstance(source, xr.DataTree):
        return joined(*groups_of(source), names)
    if isinstance(source, pd.DataFrame):
        return from_table(source)
    if isinstance(source, xr.Dataset):
        return source
    if isinstance(source, Path) and is_table(source):
        return from_table(read_table(source))
    try:
        groups = _groups(source, variable, dict(options))
    except (OSError, ValueError, ImportError, RuntimeError, OverflowError) as error:
        raise _unreadable(source, error) from error
    if isinstance(groups, xr.Dataset):
        return groups
    try:
        return joined(groups, options.get("group") or "/", names)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error


def _groups(path: str | Path, variable: str | None, options: dict[str, Any]) -> xr.Dataset | dict[str, xr.Dataset]:
    """Return the Dataset of a file, or its groups where the root holds no sea level, or a group is asked for."""
    group = options.pop("group", None)
    if isinstance(path, Path) and path.is_dir():
        options.setdefault("engine", "zarr")
    elif isinstance(path, Path):
        check_header(path)
    with warnings.catch_warnings():
        # Julian dates before the year 0 are read as they are meant.
        warnings.filterwarnings("ignore", "this date/calendar/year zero convention is not supported by CF")
        ds = xr.open_dataset(path, cache=False, **options)
        if group is None and (variable in ds if variable else heights(ds)):
            return ds
        groups = xr.open_groups(path, cache=False, **options)
    return ds if group is None and len(groups) == 1 else groups


def _unreadable(source: str | Path, error: Exception) -> Exception:
    if not isinstance(source, Path):
        return ConnectionError(
            f"{source} cannot be opened ({error}): is the server up, and the address one of OPeNDAP (.../dodsC/...)? "
            "Any other file is downloaded first, or opened by xarray, xinr.open_tracks(xarray.open_dataset(...))."
        )
    if source.is_dir() and find_spec("zarr") is None:
        return ImportError(f"{source} is a zarr store, which needs the package zarr: pip install 'xinr[formats]'.")
    return ValueError(
        f"{source} cannot be read as {'zarr' if source.is_dir() else 'netCDF'} ({str(error).splitlines()[0]}): is it "
        "complete? Download it again. Other formats have readers of their own: give xinr.fit the Dataset or DataFrame."
    )
