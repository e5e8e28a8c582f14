"""Times: what a file calls a time, exactly as datetime64, whatever its calendar and its years."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Times

#: 1 January 1970 of the Gregorian calendar, from which datetime64 counts, as the date of each calendar of real days.
UNIX_EPOCH = {
    "standard": "1970-01-01",
    "gregorian": "1970-01-01",
    "proleptic_gregorian": "1970-01-01",
    "julian": "1969-12-19",
}
#: Days of 400 years, after which the Gregorian calendar repeats.
DAYS = 146_097
_FIRST, _LAST = np.datetime64("1677-09-22", "s"), np.datetime64("2262-04-11", "s")


def is_time(variable: xr.Variable | xr.DataArray) -> bool:
    """Return whether an array holds times: datetime64, dates of another calendar, or numbers since a date."""
    if isinstance(variable.dtype, np.dtype) and np.issubdtype(variable.dtype, np.datetime64):
        return True
    since = re.search(r"\bsince\b", str(variable.attrs.get("units", "")))
    return since is not None or calendar_of(variable) is not None


def calendar_of(time: xr.Variable | xr.DataArray) -> str | None:
    """Return the calendar of an array of cftime dates, or None for anything else."""
    if time.dtype != np.dtype(object) or not time.size:
        return None
    found = getattr(time[(0,) * time.ndim].values.item(), "calendar", None)
    return None if found is None else str(found)


def decoded(time: xr.DataArray) -> xr.DataArray:
    """Return times as datetime64: those of a calendar of real days, the Julian one included, are converted exactly.

    Raises
    ------
    ValueError
        Not decoded, or a calendar of other days (no leap years, 360 days a year), which fix no instant.
    """
    if isinstance(time.dtype, np.dtype) and np.issubdtype(time.dtype, np.datetime64):
        return time
    calendar = calendar_of(time)
    if calendar in UNIX_EPOCH:
        return xr.DataArray(_instants(time.values, calendar), dims=time.dims, name=time.name, attrs=time.attrs)
    if calendar is not None:
        raise ValueError(
            f"{time.name} has the calendar {calendar!r}, whose dates are no instants: expected 'standard', "
            f"'proleptic_gregorian' or 'julian'. Keep the dates that there are: {_converted(time)}."
        )
    raise ValueError(
        f"{time.name} must be datetime64, got {time.dtype}. Decode it with xr.decode_cf(ds) (its units attribute "
        "must read like 'days since 1950-01-01'); strings with np.array(times, 'datetime64[ns]'); a time zone with "
        "times.tz_convert('UTC').tz_localize(None)."
    )


def precise(time: Times) -> Times:
    """Return times in nanoseconds, or in microseconds where they reach beyond the years 1678 to 2261."""
    if time.dtype == np.dtype("datetime64[ns]"):
        return time
    known = time[~np.isnat(time)]
    in_range = not known.size or (known.min() >= _FIRST and known.max() <= _LAST)
    return time.astype("datetime64[ns]" if in_range else "datetime64[us]")


def check_years(time: Times, name: object) -> Times:
    """Return times in nanoseconds.

    Raises
    ------
    ValueError
        They reach beyond the years 1678 to 2261.
    """
    found = precise(time)
    if found.dtype != np.dtype("datetime64[ns]"):
        cycles = round((2000 - float(np.nanmin(found).astype("M8[Y]").astype(int) + 1970)) / 400)
        raise ValueError(
            f"{name} must lie within the years 1678 to 2261, got {np.nanmin(found)} to {np.nanmax(found)}. Move it by "
            f"whole years, here {400 * cycles}: ds.assign_coords({name}=ds[{name!r}] + "
            f"np.timedelta64({DAYS * cycles}, 'D'))."
        )
    return found


def _instants(dates: NDArray[Any], calendar: str) -> Times:
    import cftime

    units = f"microseconds since {UNIX_EPOCH[calendar]}"
    zero = dates.flat[0].has_year_zero
    count = cftime.date2num(dates, units, calendar=calendar, has_year_zero=zero)
    return precise(np.asarray(count, dtype=np.int64).view("datetime64[us]"))


def _converted(time: xr.DataArray) -> str:
    """Return the code that converts the dates of another calendar."""
    convert = f"convert_calendar('standard', dim={time.name!r}, align_on='date', use_cftime=False)"
    if time.dims == (time.name,):
        return f"ds.{convert}"
    if time.ndim == 1:
        return f"ds.set_coords({time.name!r}).swap_dims({time.dims[0]}={time.name!r}).{convert}"
    stack = f"ds.stack(obs={list(time.dims)}).reset_index('obs')"
    return f"ds = {stack}, then ds.set_coords({time.name!r}).swap_dims(obs={time.name!r}).{convert}"
