"""Tables of along-track data: a row for each point, or for each variable at each point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from xinr.geo.cf import STANDARD_NAMES, TRACK_COORDINATES
from xinr.geo.coordinates import NAMES

#: Columns of the long tables of Copernicus Marine subsets, those of their variables apart.
LONG = ("variable", "platform_id", "time", "longitude", "latitude", "value")
#: Endings of the names of tables.
ENDINGS = (".csv", ".csv.gz", ".parquet", ".pq")
#: Attributes that the tables leave out, as the product states them.
ATTRS = {
    "longitude": TRACK_COORDINATES["longitude"],
    "latitude": TRACK_COORDINATES["latitude"],
    "sla_unfiltered": {"standard_name": STANDARD_NAMES["sla"], "units": "m"},
    "sla_filtered": {"standard_name": STANDARD_NAMES["sla"], "units": "m"},
    "lwe": {"long_name": "Long wavelength error", "units": "m"},
    "mdt": {"standard_name": STANDARD_NAMES["adt"], "units": "m"},
}
#: Columns that name the instrument.
PLATFORMS = ("mission", "platform_id", "platform")


def is_table(path: Path) -> bool:
    """Return whether a file is a table, by its name."""
    return path.name.lower().endswith(ENDINGS)


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or parquet file.

    Raises
    ------
    ImportError
        A parquet file needs a package that is not installed.
    ValueError
        The file cannot be read.
    """
    read = pd.read_csv if ".csv" in path.name.lower() else pd.read_parquet
    try:
        return read(path)
    except ImportError as error:
        raise ImportError(
            f"{path} is a parquet file, which pandas reads by pyarrow: pip install 'xinr[formats]'."
        ) from error
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a table ({error}): is it complete? Download it again.") from error


def from_table(table: pd.DataFrame) -> xr.Dataset:
    """Return the points of a table as a Dataset.

    Parameters
    ----------
    table : DataFrame
        Wide, a row for each point, with columns (or index levels) of longitude, latitude, time and others; or long, as
        Copernicus Marine subsets are: a row for each variable and time, with the columns `LONG`.

    Returns
    -------
    Dataset
        Along ``row``; of a long table along ``time``, platform after platform, with the coordinate ``mission``.

    Raises
    ------
    ValueError
        No rows, or a long table that lacks a column.

    Examples
    --------
    >>> rows = [("sla_unfiltered", "j3", "2017-01-01T00:00:00Z", -60.0, 38.0, 0.12),
    ...         ("mdt", "j3", "2017-01-01T00:00:00Z", -60.0, 38.0, 0.4)]
    >>> ds = from_table(pd.DataFrame(rows, columns=LONG))
    >>> ds.sizes["time"], float(ds.mdt[0]), str(ds.mission.values[0])
    (1, 0.4, 'j3')
    """
    table = table.reset_index() if any(name is not None for name in table.index.names) else table
    if table.empty:
        raise ValueError("the table has no rows: expected one for each point, or for each variable and time.")
    return _long(table) if {"variable", "value"} <= set(table.columns) else _wide(table)


def _wide(table: pd.DataFrame) -> xr.Dataset:
    columns = {str(name): _column(table[name], str(name).lower() in NAMES["time"]) for name in table.columns}
    mission = next((columns.pop(name) for name in PLATFORMS if name in columns), None)
    if mission is not None:
        columns["mission"] = mission.astype(str)
    coords = [name for name in columns if any(name.lower() in usual for usual in (*NAMES.values(), ("mission",)))]
    return xr.Dataset({name: ("row", values) for name, values in columns.items()}).set_coords(coords)


def _column(column: pd.Series, is_time: bool) -> NDArray[Any]:
    """Return a column as numbers, text, or times in UTC, read from text where its name is that of a time."""
    if isinstance(column.dtype, pd.DatetimeTZDtype) or (is_time and not pd.api.types.is_numeric_dtype(column)):
        return _utc(column)
    values = column.to_numpy()
    return np.asarray(values.astype(str) if values.dtype == object else values)


def _utc(column: pd.Series) -> NDArray[Any]:
    # As times, since the strings do not sort: whole seconds have no fraction.
    try:
        times = pd.to_datetime(column, utc=True, format=None if column.dtype.kind == "M" else "ISO8601")
    except ValueError as error:
        raise ValueError(
            f"{column.name} must hold times as ISO 8601 writes them, such as 2017-01-31T12:00:00Z, got "
            f"{column.iloc[0]!r}. Read it first: table[{column.name!r}] = pandas.to_datetime(table[{column.name!r}], "
            "format='%d/%m/%Y')."
        ) from error
    return np.asarray(times.dt.tz_localize(None).to_numpy(), dtype="datetime64[ns]")


def _long(rows: pd.DataFrame) -> xr.Dataset:
    missing = [column for column in LONG if column not in rows]
    if missing:
        raise ValueError(f"the table lacks the columns {missing}: expected those of a subset, got {list(rows)}.")
    keys = ["platform_id", "time"]
    rows = rows[[*LONG]].assign(time=_utc(rows["time"])).drop_duplicates([*keys, "variable"])
    values = rows.pivot(index=keys, columns="variable", values="value").reset_index()
    positions = rows.drop_duplicates(keys).sort_values(keys)
    columns = {str(name): values[name] for name in values.columns if name not in keys}
    columns |= {axis: positions[axis] for axis in ("longitude", "latitude")}
    ds = xr.Dataset(
        {name: ("time", np.asarray(column, dtype=float), ATTRS.get(name, {})) for name, column in columns.items()},
        coords={
            "time": values["time"].to_numpy().astype("datetime64[ns]"),
            "mission": ("time", values["platform_id"].to_numpy().astype(str)),
        },
    )
    return ds.set_coords(["longitude", "latitude"])
