"""The points on which a prediction and a reference track are compared."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr._typing import Array, Region
from xinr.geo.coordinates import check_region, find, locate, within
from xinr.geo.frames import EARTH_RADIUS, upward
from xinr.observations.passes import distances, streams
from xinr.observations.variables import as_height

#: Distance of scored points from the edges of the region [degrees].
BUFFER = 0.25
#: Repeats of a point are at most this far from it [km].
REPEAT_DISTANCE = 2.0


@dataclass(frozen=True)
class Track:
    """Points that both have, mission after mission, sorted in time: arrays (n,), sea surface height [m]."""

    index: NDArray[np.intp]  #: Of the points in the reference.
    time: NDArray[np.datetime64]
    mission: NDArray[np.int64]  #: Number of the instrument of each point, ascending.
    ref: Array
    map: Array
    null: Array
    null_name: str
    n_dropped: int  #: Points within region and period that one of the two lacks.
    n_repeated: int  #: Points left out because an earlier one of the same instrument repeats them.


def common_points(
    prediction: xr.Dataset,
    reference: xr.Dataset,
    region: Region | None,
    period: tuple[str, str] | None,
) -> Track:
    """Select, sort and check the points of `prediction` and `reference` (see `along_track.score`)."""
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
    n_dropped = int(inside.sum() - keep.sum())
    order = np.flatnonzero(keep)
    position = _positions(reference, order)
    mission = _missions(reference, order, time[order], position)
    sort = np.lexsort([time[order], mission])
    order, mission = order[sort], mission[sort]
    repeated = _repeated(time[order], mission, None if position is None else position[:, sort])
    order, mission = order[~repeated], mission[~repeated]
    null, name = _null(reference, order, ref.size)
    columns = time[order], mission, ref[order], map_[order], null
    return Track(order, *columns, name, n_dropped, int(repeated.sum()))


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
    inside = _in_period(time, period)
    if region is not None:
        check_region(region)  # before its coordinates are needed
        inside &= within(locate(ds, "longitude").values, locate(ds, "latitude").values, region, BUFFER)
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
        ssh = as_height(ds["ssh"])
    else:
        ssh = as_height(ds["sla_unfiltered"]).astype(float) + as_height(ds["mdt"]) - as_height(ds["lwe"])
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


def _missions(
    reference: xr.Dataset, order: NDArray[np.intp], time: NDArray[Any], position: Array | None
) -> NDArray[np.int64]:
    """Return the instrument of each chosen point: its mission, else by which ground tracks connect the points."""
    if "mission" in reference and reference["mission"].ndim == 1:
        names = reference["mission"].values[order].astype(str)
        return np.unique(names, return_inverse=True)[1].astype(np.int64)
    return np.zeros(order.size, dtype=np.int64) if position is None else streams(time, *position)


def _positions(reference: xr.Dataset, order: NDArray[np.intp]) -> Array | None:
    """Return longitude and latitude of the chosen points, (2, n), or None where the reference has none."""
    if not (find(reference, "longitude") and find(reference, "latitude")):
        return None
    axes = [locate(reference, "longitude"), locate(reference, "latitude")]
    return np.stack([axis.values[order].astype(np.float64) for axis in axes])


def _repeated(time: NDArray[Any], mission: NDArray[np.int64], position: Array | None) -> NDArray[np.bool_]:
    """Return which points, sorted, repeat the one before: an instrument measures one point at a time.

    Two releases of one pass differ by milliseconds: nearer than a quarter of the sampling interval is one point.
    """
    seconds, same = np.diff(time) / np.timedelta64(1, "s"), np.diff(mission) == 0
    steps = seconds[same & (seconds > 0.0)]
    # Half the steps may lie between a point and its repeat: those are the shorter ones.
    step = np.quantile(steps, 0.75) if steps.size else 0.0
    repeated = np.concatenate([[False], same & (seconds <= 0.25 * step)])
    if position is None or not repeated.any():
        return repeated
    moved = distances(EARTH_RADIUS * upward(*position))[repeated[1:]]
    if (moved > REPEAT_DISTANCE).any():
        raise ValueError(
            f"the reference has {np.count_nonzero(moved > REPEAT_DISTANCE)} points of the same mission and time at "
            "different positions, as a swath or several altimeters of one name have: score one column of a swath, "
            "ds.isel(num_pixels=20), and name each altimeter in the coordinate 'mission'."
        )
    return repeated


def _null(reference: xr.Dataset, order: NDArray[np.intp], n: int) -> tuple[Array, str]:
    """Return the null prediction on the points scored: the mean dynamic topography, or zero without one."""
    if "mdt" not in reference:
        return np.zeros(order.size), "zero (the reference has no mdt)"
    mdt = np.asarray(as_height(reference["mdt"]).values, dtype=np.float64)
    if mdt.shape != (n,) or not np.isfinite(mdt[order]).all():
        return np.zeros(order.size), "zero (the reference's mdt is missing on some of the points)"
    return mdt[order], "the reference's mdt"
