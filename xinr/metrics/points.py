"""The points on which a prediction and a reference track are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Array, Region
from xinr.geo.coordinates import check_region, locate, within
from xinr.observations.units import in_metres

#: Distance of scored points from the edges of the region [degrees].
BUFFER = 0.25


@dataclass(frozen=True)
class Track:
    """Points that both have, sorted in time: arrays (n,), sea surface height [m]."""

    index: NDArray[np.intp]
    """Indices of the points in the reference."""
    time: NDArray[np.datetime64]
    ref: Array
    map: Array
    null: Array
    null_name: str
    n_dropped: int


def common_points(
    prediction: xr.Dataset,
    reference: xr.Dataset,
    region: Region | None,
    period: tuple[str, str] | None,
) -> Track:
    """Select, sort in time and check the points of `prediction` and `reference` (see `along_track.score`)."""
    ref, map_ = ssh_of(reference, "reference"), ssh_of(prediction, "prediction")
    time = _same_times(prediction, reference, map_.size, ref.size)
    inside = _inside(reference, time, region, period)
    keep = inside & np.isfinite(ref) & np.isfinite(map_) & ~np.isnat(time)
    if not keep.any():
        raise ValueError(
            f"no common finite points: of {inside.sum()} points the prediction has "
            f"{np.isfinite(map_[inside]).sum()} finite and the reference {np.isfinite(ref[inside]).sum()}. "
            "Make the prediction cover the track (a map gives NaN outside its grid)."
        )
    order = np.flatnonzero(keep)[np.argsort(time[keep], kind="stable")]
    null, name = _null(reference, order, ref.size)
    return Track(order, time[order], ref[order], map_[order], null, name, int(inside.sum() - keep.sum()))


def select(
    reference: xr.Dataset | xr.DataArray,
    region: Region | None,
    period: tuple[str, str] | None,
) -> xr.Dataset:
    """Return the points of a track that a score uses, so that only those need be predicted."""
    track = _as_dataset(reference, "reference")
    ssh_of(track, "reference")
    time = locate(track, "time")
    return track.isel({time.dims[0]: _inside(track, time.values, region, period)})


def _inside(
    ds: xr.Dataset,
    time: NDArray[Any],
    region: Region | None,
    period: tuple[str, str] | None,
) -> NDArray[np.bool_]:
    inside = _in_period(time, period) & _in_region(ds, region, time.size)
    if not inside.any():
        span = f"{time.min()} to {time.max()}" if time.size else "nothing, the track being empty"
        raise ValueError(
            f"no point to score in region={region}, period={period}: the reference covers {span}. Check the "
            "order (west, east, south, north) and the days, or pass None to use every point."
        )
    return inside


def _as_dataset(data: object, role: str) -> xr.Dataset:
    if not isinstance(data, xr.Dataset):
        raise TypeError(
            f"{role} must be an xarray Dataset, got {type(data).__name__}. A DataArray becomes one with "
            "da.to_dataset(name='ssh')."
        )
    return data


def ssh_of(ds: xr.Dataset, role: str) -> Array:
    """Return the sea surface height of a track (n,) [m], or raise ValueError for what is missing."""
    ds = _as_dataset(ds, role)
    missing = [name for name in ("sla_unfiltered", "mdt", "lwe") if name not in ds]
    if "ssh" not in ds and missing:
        raise ValueError(
            f"{role} has no sea surface height: expected 'ssh', or 'sla_unfiltered', 'mdt' and 'lwe', but "
            f"{missing} are missing from {sorted(map(str, ds.variables))}. Rename or add them."
        )
    if "ssh" in ds:
        ssh = in_metres(ds["ssh"])
    else:
        ssh = in_metres(ds["sla_unfiltered"]).astype(float) + in_metres(ds["mdt"]) - in_metres(ds["lwe"])
    if ssh.ndim != 1:
        raise ValueError(
            f"{role} must be a track of one dimension, got {dict(ssh.sizes)}. Interpolate a map to the track "
            "first: field.interp(track)."
        )
    return np.asarray(ssh.values, dtype=np.float64)


def _same_times(prediction: xr.Dataset, reference: xr.Dataset, n_map: int, n_ref: int) -> NDArray[Any]:
    cure = "Predict on the reference's own points: field.interp(reference)."
    if n_map != n_ref:
        raise ValueError(f"prediction has {n_map} points and reference {n_ref}, expected the same. {cure}")
    time, other = (locate(ds, "time").values for ds in (reference, prediction))
    if time.shape != (n_ref,) or other.shape != (n_ref,):
        raise ValueError(
            f"time must have one value per point, ({n_ref},), got {other.shape} in the prediction and "
            f"{time.shape} in the reference. {cure}"
        )
    differ = (time != other) & ~(np.isnat(time) & np.isnat(other))
    if differ.any():
        raise ValueError(f"times of prediction and reference differ at {differ.sum()} points. {cure}")
    return time


def _in_period(time: NDArray[Any], period: tuple[str, str] | None) -> NDArray[np.bool_]:
    if period is None:
        return np.ones(time.size, dtype=bool)
    try:
        first, last = (np.datetime64(day, "D") for day in period)
    except ValueError as error:
        raise ValueError(f"period must be two days such as ('2017-01-01', '2017-12-31'), got {period!r}.") from error
    inside: NDArray[np.bool_] = (time >= first) & (time < last + np.timedelta64(1, "D"))
    return inside


def _in_region(ds: xr.Dataset, region: Region | None, size: int) -> NDArray[np.bool_]:
    if region is None:
        return np.ones(size, dtype=bool)
    check_region(region)  # before its coordinates are needed
    return within(locate(ds, "longitude").values, locate(ds, "latitude").values, region, BUFFER)


def _null(reference: xr.Dataset, order: NDArray[np.intp], n: int) -> tuple[Array, str]:
    """Return the null prediction on the points scored: the mean dynamic topography, or zero without one."""
    if "mdt" not in reference:
        return np.zeros(order.size), "zero (the reference has no mdt)"
    mdt = np.asarray(in_metres(reference["mdt"]).values, dtype=np.float64)
    if mdt.shape != (n,) or not np.isfinite(mdt[order]).all():
        return np.zeros(order.size), "zero (the reference's mdt is missing on some of the points)"
    return mdt[order], "the reference's mdt"
