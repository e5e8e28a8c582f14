"""A simulated ocean as a Field: a function of longitude, latitude and time, like any map or fit."""

import json
from typing import Any

import numpy as np
import xarray as xr

from xinr.fields.fitted import FittedField
from xinr.geo.frames import Plane, days_since
from xinr.simulate.ocean.quasigeostrophic import Ocean, ocean_from


def as_field(ds: xr.Dataset) -> FittedField:
    """Return the sea surface height of a simulation as a Field.

    Parameters
    ----------
    ds : Dataset
        From `qg`: the whole square, four maps or more at equal intervals.

    Returns
    -------
    FittedField
        A Field named "sla": `interp`, `gradient` and `laplacian` at any longitude, latitude and time of the
        simulation, `save`. It is periodic beyond the square.

    Raises
    ------
    ValueError
        A Dataset that is not from `qg`, part of the square, too few maps, or maps at unequal intervals.

    Notes
    -----
    A tensor-product spline through the values on the grid: of fifth degree and periodic along x and y, of third degree
    along time. Its derivatives are exact; `derivatives` gives those of the model itself, on the grid.

    Examples
    --------
    >>> from xinr.simulate import qg
    >>> truth = as_field(qg(3, points=32))
    >>> at = {"longitude": 300.0, "latitude": 38.0, "time": np.datetime64("2021-01-02", "ns")}
    >>> bool(abs(truth.interp(xr.Dataset(coords=at))["sla"]) < 1.5)
    True
    """
    from xinr.methods.functions.spline import SplinePredictor

    ocean = _ocean(ds)
    times = ds["time"].values
    days = days_since(times, times[0])
    if len(days) < 4 or not np.allclose(np.diff(days), days[1], rtol=1e-9, atol=0.0):
        raise ValueError(f"a Field needs four maps or more at equal intervals, got {len(days)} from {times[:1]} on.")
    values = np.ascontiguousarray(ds["ssh"].transpose("x", "y", "time").values)
    if not np.isfinite(values).all():
        raise ValueError("ssh has missing values: give the whole square, as simulated.")
    origin, step = (float(ds["x"][0]), float(ds["y"][0]), 0.0), ocean.spacing / 1e3
    predictor = SplinePredictor.through(values, origin, (step, step, float(days[1])), periodic=(True, True, False))
    extent: dict[str, Any] = {
        axis: [float(ds[axis].min()), float(ds[axis].max())] for axis in ("longitude", "latitude")
    }
    extent["time"] = times[[0, -1]].astype("datetime64[s]").astype(str).tolist()
    info = {"method": "qg", "settings": ocean.settings, "seed": int(ds.attrs["seed"]), "extent": extent}
    return FittedField(Plane(times[0], ocean.longitude, ocean.latitude), predictor, "sla", info)


def _ocean(ds: xr.Dataset) -> Ocean:
    """Return the ocean of a Dataset, which must hold the whole square."""
    if "settings" not in ds.attrs or "ssh" not in ds:
        raise ValueError("expected a Dataset made by xinr.simulate.qg, with ssh and the attribute 'settings'.")
    settings = json.loads(ds.attrs["settings"])
    ocean = ocean_from(settings.pop("model"), settings)
    if ds.sizes["x"] != ocean.points or ds.sizes["y"] != ocean.points:
        raise ValueError(
            f"expected the whole square of {ocean.points} x {ocean.points} points, got {ds.sizes['x']} x "
            f"{ds.sizes['y']}: a periodic ocean cannot be cut. Cut the grid to which you interpolate."
        )
    return ocean
