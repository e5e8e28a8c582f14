"""Save a Field as one netCDF file, and open it again: arrays and plain settings, no pickle."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Any

import numpy as np
import xarray as xr

from xinr.field import Field
from xinr.fitted import FittedField
from xinr.frame import FRAMES
from xinr.maps import MapField
from xinr.methods import predictor_class

#: Raised when a change makes older files unreadable.
FORMAT = 1


def write_netcdf(ds: xr.Dataset, path: Path, **options: Any) -> None:
    """Write a Dataset under a temporary name beside ``path``, then rename: no file is ever half-written."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it, such as {path / 'field.nc'}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no folder {path.parent}: make it first, then write {path.name}.")
    handle, temporary = mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    try:
        ds.to_netcdf(temporary, engine="netcdf4", **options)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            os.remove(temporary)


def write(field: Field, path: Path) -> None:
    """Write a field: see `Field.save`."""
    if isinstance(field, FittedField):
        write_netcdf(_fitted_to_dataset(field), path)
    elif isinstance(field, MapField):
        content = {
            "xinr_format": FORMAT,
            "content": "map",
            "name": field.name,
            "info": json.dumps(field.info),
        }
        # Without the packing of the file it came from, so that values are kept to the bit.
        write_netcdf(field.height.to_dataset(name=field.name).drop_encoding().assign_attrs(content), path)
    else:
        raise TypeError(f"expected a FittedField or a MapField to save, got {type(field).__name__}.")


def open_field(path: str | Path) -> Field:
    """Open a Field that `Field.save` wrote.

    Parameters
    ----------
    path : str or Path
        The netCDF file.

    Returns
    -------
    Field
        Predicts bit for bit what the saved one did.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Truncated, not of xinr, of another format, or damaged: nothing is built from it.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no file {path}: expected one written by Field.save.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name the file that Field.save wrote.")
    try:
        with xr.open_dataset(path, engine="netcdf4", decode_cf=False) as stored:
            ds = stored.load()
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(f"{path} is truncated or no netCDF file ({error}): save the field again.") from error
    found = ds.attrs.get("xinr_format")
    if found is None or "content" not in ds.attrs:
        raise ValueError(
            f"{path} is a netCDF file, but holds no xinr Field: expected one written by Field.save. "
            "A map opens with xr.open_dataset(path) and has .inr as it is."
        )
    if found != FORMAT:
        raise ValueError(f"{path} has format {found}, this xinr reads {FORMAT}: open it with the xinr that wrote it.")
    try:
        return _map_from_dataset(ds) if ds.attrs["content"] == "map" else _fitted_from_dataset(ds)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{path} cannot be rebuilt, {type(error).__name__}: {error} Save the field again.") from error


def _fitted_to_dataset(field: FittedField) -> xr.Dataset:
    state = field.predictor.state()
    arrays = {key: ([f"{key}_{i}" for i in range(array.ndim)], array) for key, array in state.items()}
    manifest = {key: [str(array.dtype), list(array.shape)] for key, array in state.items()}
    frame = {"kind": field.frame.kind, "epoch": str(field.frame.epoch), "origin": field.frame.origin}
    attrs = {
        "xinr_format": FORMAT,
        "content": field.predictor.kind,
        "name": field.name,
        "info": json.dumps(field.info),
        "frame": json.dumps(frame),
        "manifest": json.dumps(manifest),
    }
    return xr.Dataset(arrays, attrs=attrs)


def _fitted_from_dataset(ds: xr.Dataset) -> FittedField:
    state = {}
    for key, (dtype, shape) in json.loads(ds.attrs["manifest"]).items():
        array = ds[key].values
        if array.dtype != np.dtype(dtype) or list(array.shape) != shape:
            raise ValueError(f"it is damaged, {key!r} should be {dtype} {shape}, is {array.dtype} {list(array.shape)}.")
        state[key] = array
    frame = json.loads(ds.attrs["frame"])
    return FittedField(
        frame=FRAMES[frame["kind"]](np.datetime64(frame["epoch"], "ns"), float(frame["origin"])),
        predictor=predictor_class(ds.attrs["content"]).from_state(state),
        name=ds.attrs["name"],
        info=json.loads(ds.attrs["info"]),
    )


def _map_from_dataset(ds: xr.Dataset) -> MapField:
    attrs = dict(ds.attrs)
    decoded = xr.decode_cf(ds)
    decoded.attrs = {}
    field = MapField.of(decoded, attrs["name"])
    field.info.update(json.loads(attrs["info"]))
    return field


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
