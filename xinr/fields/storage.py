"""Open the Fields that `Field.save` wrote: arrays and plain settings, no pickle."""

from pathlib import Path

import xarray as xr

from xinr.fields.field import FORMAT, Field
from xinr.fields.fitted import FittedField
from xinr.fields.gridded import MapField
from xinr.observations.headers import check_header


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
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"no file {path}: expected one written by Field.save.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name the file that Field.save wrote.")
    try:
        check_header(path)
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
        return MapField.restored(ds) if ds.attrs["content"] == "map" else FittedField.restored(ds)
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{path} cannot be rebuilt, {type(error).__name__}: {error} Save the field again.") from error
