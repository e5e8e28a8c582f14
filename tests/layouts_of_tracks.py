"""Layouts of tracks, swaths and maps that say the same: changes of a clean Dataset, for hypothesis to combine.

Each change takes ``draw``, the draw of `hypothesis.strategies.data`, and a Dataset. Those of `TRACKS`, `SWATHS` and
`MAPS` say the same in another way that xinr reads; those of `REFUSED` may be refused.
"""

import traceback
import warnings
from pathlib import Path

import numpy as np
import xarray as xr
from hypothesis import strategies as st

import xinr

PACKAGE = str(Path(xinr.__file__).parent)
HEIGHT = "sla_unfiltered"
LENGTHS = {"m": 1.0, "metres": 1.0, "cm": 0.01, "mm": 0.001, "0.01 m": 0.01, "M": 1.0}
NAMES = {"longitude": ["lon", "LON", "nav_lon", "glam", "Longitude"], "latitude": ["lat", "LAT", "nav_lat", "gphi"]}
CF = {
    "longitude": [
        {"standard_name": "longitude"},
        {"units": "degrees_east"},
        {"standard_name": "longitude", "axis": "X"},
        {"units": "degree_E"},
    ],
    "latitude": [
        {"standard_name": "latitude"},
        {"units": "degrees_north"},
        {"standard_name": "latitude", "axis": "Y"},
        {"units": "degree_N"},
    ],
    "time": [{"standard_name": "time"}, {"axis": "T"}],
}


def answer(call):
    """Return what a call gives, or the text of the error by which xinr refuses it; any other error is a fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return call()
    except (ValueError, TypeError) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        assert last.filename.startswith(PACKAGE), f"{type(error).__name__} of {last.filename}:{last.lineno}: {error}"
        return str(error)


def found(ds, axis):
    """Return the name that a coordinate has by now."""
    usual = {axis, *NAMES.get(axis, ()), "coordinate_" + axis}
    return next(name for name in map(str, ds.variables) if name in usual)


def height_of(ds):
    return next(name for name in map(str, ds.data_vars) if name in (HEIGHT, "sla", "ssha_unfiltered"))


def renamed(draw, ds):
    """Other usual names of the coordinates."""
    for axis, names in NAMES.items():
        ds = _rename(ds, found(ds, axis), draw(st.sampled_from(names)))
    return ds


def told_by_attributes(draw, ds):
    """Names that say nothing, CF attributes that say all."""
    for axis in ("longitude", "latitude"):
        old = found(ds, axis)
        new = "coordinate_" + axis
        attrs = draw(st.sampled_from(CF[axis]))
        ds = _with_attrs(_rename(ds, old, new), new, attrs)
    return ds


def _rename(ds, old, new):
    return ds if old == new else ds.rename({old: new})


def _with_attrs(ds, name, attrs):
    if name in ds.coords:
        return ds.assign_coords({name: (ds[name].dims, ds[name].values, attrs)})
    return ds.assign({name: (ds[name].dims, ds[name].values, attrs)})


def bare(draw, ds):
    """No attributes of coordinates whose names are usual, and of the height."""
    for axis in ("longitude", "latitude", "time"):
        name = found(ds, axis)
        if not name.startswith("coordinate"):
            ds = _with_attrs(ds, name, {})
    name = height_of(ds)
    return ds if ds[name].attrs.get("units", "m") != "m" else ds.assign({name: ds[name].drop_attrs(deep=False)})


def attributed(draw, ds):
    """More CF attributes."""
    for axis in ("longitude", "latitude", "time"):
        name = found(ds, axis)
        ds = _with_attrs(ds, name, dict(ds[name].attrs) | draw(st.sampled_from(CF[axis])))
    return ds


def turned(draw, ds):
    """Longitudes from -180 to 180, or beyond."""
    name = found(ds, "longitude")
    values = ds[name].values
    if draw(st.booleans()) and ds[name].ndim:
        return _set(ds, name, values - 360.0)
    return _set(ds, name, np.where(values > 302.0, values - 360.0, values) if name not in ds.dims else values - 360.0)


def _set(ds, name, values):
    new = (ds[name].dims, values, ds[name].attrs)
    return ds.assign_coords({name: new}) if name in ds.coords else ds.assign({name: new})


def other_lengths(draw, ds):
    """Heights in centimetres and the like."""
    units, name = draw(st.sampled_from(sorted(LENGTHS))), height_of(ds)
    if ds[name].attrs.get("units", "m") != "m":
        return ds
    return ds.assign({name: (ds[name] / LENGTHS[units]).assign_attrs(units=units)})


def other_numbers(draw, ds):
    """Numbers of four bytes, or in the other order of bytes."""
    dtype = draw(st.sampled_from(["f4", ">f4", ">f8", "<f8"]))
    ds = ds.assign({height_of(ds): ds[height_of(ds)].astype(dtype)})
    for axis in ("longitude", "latitude"):
        name = found(ds, axis)
        ds = _set(ds, name, ds[name].values.astype(draw(st.sampled_from(["f4", ">f4", ">f8", "<f8"]))))
    return ds


def other_times(draw, ds):
    """Times of another resolution, or in cftime."""
    name = found(ds, "time")
    unit = draw(st.sampled_from(["ms", "us", "ns"]))
    return _set(ds, name, ds[name].values.astype(f"datetime64[{unit}]"))


def packed(draw, ds):
    """Integers of two bytes, unpacked."""
    name = height_of(ds)
    packed = np.rint(np.nan_to_num(ds[name].values.astype(float), nan=-3.2767) * 1e4).astype("i2")
    if ds[name].attrs.get("units", "m") != "m":
        return ds
    attrs = dict(ds[name].attrs) | {"scale_factor": 1e-4, "_FillValue": np.int16(-32767)}
    whole = ds.assign({name: (ds[name].dims, packed, attrs)})
    for each in whole.variables.values():
        each.encoding = {}
    return xr.decode_cf(whole, decode_times=False)


def as_variables(draw, ds):
    """Coordinates as variables."""
    names = [str(name) for name in ds.coords if name not in ds.dims and ds[name].dims]
    return ds.reset_coords(draw(st.lists(st.sampled_from(names), unique=True)) if names else [])


def other_order(draw, ds):
    """Variables in another order."""
    return ds[draw(st.permutations(list(ds.data_vars)))] if len(ds.data_vars) else ds


def shuffled(draw, ds):
    """Points in another order."""
    (dim,) = ds[found(ds, "time")].dims or ds[found(ds, "latitude")].dims[:1]
    return ds.isel({dim: draw(st.permutations(range(ds.sizes[dim])))})


def twice(draw, ds):
    """Points given twice."""
    (dim,) = ds[found(ds, "time")].dims or ds[found(ds, "latitude")].dims[:1]
    n = ds.sizes[dim]
    return ds.isel({dim: [*range(n), *draw(st.lists(st.integers(0, n - 1), max_size=3))]})


def other_dimension(draw, ds):
    """Points along a dimension of any name, times beside them."""
    if "time" not in ds.dims or ds.sizes["time"] != ds[found(ds, "latitude")].size:
        return ds
    dim = draw(st.sampled_from(["obs", "row", "point", "x", "N_PROF", "index", "num_lines"]))
    return ds.swap_dims(time=dim) if draw(st.booleans()) else ds.reset_index("time").rename_dims(time=dim)


def single_dimension(draw, ds):
    """A further dimension of size one, of the height or of all."""
    dim, name = draw(st.sampled_from(["depth", "instance"])), height_of(ds)
    if dim in ds.dims:
        return ds
    axis = draw(st.integers(0, ds[name].ndim))
    return ds.assign({name: ds[name].expand_dims(dim, axis=axis)})


def chunked(draw, ds):
    """Chunks of dask."""
    return ds.chunk({dim: draw(st.integers(1, size)) for dim, size in ds.sizes.items() if size})


def transposed(draw, ds):
    """Dimensions in another order."""
    return ds.transpose(*draw(st.permutations(list(ds.dims))))


def more_variables(draw, ds):
    """Flags, counters and names beside the height."""
    dims = ds[height_of(ds)].dims
    shape = ds[height_of(ds)].shape
    more = {
        "cycle": (dims, np.full(shape, 12)),
        "flag": (dims, np.zeros(shape, dtype="i1")),
        "crs": ((), 0),
        "err_sla": (dims, np.full(shape, 0.01)),
        "history": ((), "made"),
    }
    return ds.assign({name: more[name] for name in draw(st.lists(st.sampled_from(sorted(more)), unique=True))})


# --- what may be refused ----------------------------------------------------------------------------------------


def other_units(draw, ds):
    """Units that are no length, or no degrees."""
    name = draw(st.sampled_from([height_of(ds), found(ds, "longitude"), found(ds, "latitude")]))
    units = draw(st.sampled_from(["K", "1", "", "radian", "m s-1", "m2", 1, "unknown"]))
    return _with_attrs(ds, name, dict(ds[name].attrs) | {"units": units})


def undecoded(draw, ds):
    """Times as numbers, or packed heights."""
    if draw(st.booleans()):
        return ds.assign({height_of(ds): ds[height_of(ds)].assign_attrs(scale_factor=1e-4)})
    name = found(ds, "time")
    days = (ds[name].values - np.datetime64("1950-01-01", "ns")) / np.timedelta64(1, "D")
    attrs = draw(st.sampled_from([{}, {"units": "days since 1950-01-01"}]))
    return _with_attrs(_set(ds, name, days), name, attrs)


def lacking(draw, ds):
    """A variable left out."""
    return ds.drop_vars(draw(st.sampled_from([height_of(ds), *(found(ds, axis) for axis in (*NAMES, "time"))])))


def text(draw, ds):
    """Text, truths, complex numbers or objects for a variable of numbers."""
    name = draw(st.sampled_from([height_of(ds), *(found(ds, axis) for axis in (*NAMES, "time"))]))
    kind = draw(st.sampled_from(["U", "S", "O", "?", "c16", "m8[s]"]))
    values = ds[name].values
    values = np.nan_to_num(values.astype("f8")).astype("i8") if kind == "m8[s]" else values
    return _set(ds, name, values.astype(kind))


def infinite(draw, ds):
    """An infinite or huge value."""
    name = draw(st.sampled_from([height_of(ds), *(found(ds, axis) for axis in NAMES)]))
    values = ds[name].values.astype(float).copy()
    values.flat[draw(st.integers(0, values.size - 1))] = draw(st.sampled_from([np.inf, -np.inf, 1e30, 9.96921e36]))
    return _set(ds, name, values)


def ambiguous(draw, ds):
    """A second longitude, latitude, time or height, moved by an amount that would be seen."""
    axis = draw(st.sampled_from(["longitude", "latitude", "time", "height"]))
    old = height_of(ds) if axis == "height" else found(ds, axis)
    new = {"height": "sla_filtered", "time": "time_tai"}.get(axis, f"{axis}_2")
    by = np.timedelta64(9, "D") if axis == "time" else 1.5
    attrs = draw(st.sampled_from([{}, ds[old].attrs]))  # CF attributes of one alone would decide
    return ds.assign({new: (ds[old].dims, ds[old].values + by, attrs)})


def mismatched(draw, ds):
    """A coordinate of another size."""
    name = found(ds, draw(st.sampled_from(list(NAMES))))
    values = ds[name].values.ravel()
    return ds.drop_vars(name).assign_coords({name: ("other", np.concatenate([values, values[:1]]), ds[name].attrs)})


def empty(draw, ds):
    """No points at all, or only missing ones."""
    if draw(st.booleans()):
        return ds.isel({draw(st.sampled_from(list(ds.dims))): slice(0)})
    return _set(ds, height_of(ds), np.full(ds[height_of(ds)].shape, np.nan))


COMMON = [renamed, told_by_attributes, bare, attributed, turned, other_lengths, other_numbers, other_times, packed]
COMMON += [as_variables, other_order, single_dimension, chunked, transposed, more_variables]


def flipped(draw, ds):
    """Axes from north to south, from east to west, or back in time."""
    dims = draw(st.lists(st.sampled_from(list(ds.dims)), unique=True))
    return ds.isel({dim: slice(None, None, -1) for dim in dims})


def other_pixels(draw, ds):
    """Lines and pixels by other names."""
    if "num_lines" not in ds.dims:
        return ds
    return ds.rename_dims(num_lines="y", num_pixels="x")


MAPS = [*COMMON, flipped]
SWATHS = [*COMMON, other_pixels]
TARGETS = [renamed, told_by_attributes, bare, attributed, turned, other_numbers, other_times, as_variables, other_order]
TARGETS += [single_dimension, chunked, transposed, more_variables]
TRACKS = [*COMMON, shuffled, twice, other_dimension]
REFUSED = [other_units, undecoded, lacking, text, infinite, ambiguous, mismatched, empty]


def changes(of):
    """A strategy of combinations of changes."""
    return st.lists(st.sampled_from(of), max_size=5, unique=True)


def applied(draw, ds, several):
    for change in several:
        ds = change(draw, ds)
    return ds
