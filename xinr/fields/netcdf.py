"""Write netCDF files that are whole or not there."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Any

import xarray as xr


def write_netcdf(ds: xr.Dataset, path: Path, **options: Any) -> None:
    """Write a Dataset under a temporary name next to ``path``, then rename: no file is ever half-written."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it, such as {path / 'field.nc'}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no folder {path.parent}: make it first, then write {path.name}.")
    handle, temporary = mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    try:
        ds.to_netcdf(temporary, engine="netcdf4", **options)
        os.umask(umask := os.umask(0))  # to read it is to set it
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            os.remove(temporary)
