"""One line of a leaderboard: what a method, or a map that exists, makes of a challenge; kept in one file."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import xarray as xr

from xinr.challenges.challenge import Challenge
from xinr.challenges.leaderboard.evaluation import evaluate, timed
from xinr.challenges.leaderboard.machine import device_of, machine_of, versions
from xinr.fields.field import Field
from xinr.fields.gridded import MapField
from xinr.fields.netcdf import write_netcdf
from xinr.methods.method import Method
from xinr.methods.settings import plain_settings
from xinr.validation.tuning import tune as search

#: Of the files: raised when a change makes older ones unreadable, or their numbers others.
FORMAT = 2
TRACK = "ssh_on_track"


@dataclass(frozen=True, eq=False)
class Entry:
    """What came of one method, or of a map that exists.

    Parameters
    ----------
    name : str
        Of its row.
    maps : Dataset
        On the grid of the challenge: see `xinr.challenges.Challenge.map`.
    on_track : Dataset or None
        ``ssh`` [m] at the points of the withheld track that are scored.
    info : dict
        ``choice`` ("default", "given", "tuned" or "map"); ``given``, the settings that are not the defaults;
        ``tuning``; ``fit_seconds``, ``map_seconds`` of the height alone, ``rest_seconds`` of what else `maps` holds;
        ``device``, ``machine``, ``versions``.
    """

    name: str
    maps: xr.Dataset
    on_track: xr.Dataset | None
    info: Mapping[str, Any]

    @property
    def height(self) -> str:
        """Name of the height among its maps."""
        return next(str(name) for name in self.maps if f"laplacian_{name}" in self.maps)

    @classmethod
    def of_method(cls, challenge: Challenge, name: str, method: Method, tune: int = 0) -> Self:
        """Fit, map, and evaluate on the withheld track; settings are first chosen by ``tune`` cross-validations."""
        choice, tuning = "given" if _given(method) else "default", {}
        if tune and method.searched:
            found = search(challenge.observations, method, evaluations=tune)
            method, choice = found.method, "tuned"
            tuning = {"evaluations": found.trials.sizes["trial"], "rmse": found.rmse}
        evaluation = evaluate(challenge, method)  # for the cost of the height alone
        maps, rest_seconds = timed(lambda: challenge.map(evaluation.field))
        device = device_of(method)
        about = {"choice": choice, "given": _given(method), "tuning": tuning, "versions": versions()}
        cost = {**evaluation.seconds, "rest_seconds": rest_seconds, "device": device, "machine": machine_of(device)}
        return cls(name, maps, _on_track(challenge, evaluation.field), about | cost)

    @classmethod
    def of_maps(cls, challenge: Challenge, name: str, maps: xr.Dataset) -> Self:
        """Take a map that exists: any gridded (L4) height."""
        field = MapField.of(maps)
        return cls(name, challenge.map(field), _on_track(challenge, field), {"choice": "map"})

    def write(self, path: Path) -> None:
        """Write it to one netCDF file, which is whole or not there."""
        ds = self.maps
        if self.on_track is not None:
            ds = ds.assign({TRACK: ("point", self.on_track["ssh"].values)})
        attrs = {"xinr_leaderboard": FORMAT, "name": self.name, "info": json.dumps(self.info)}
        write_netcdf(ds.assign_attrs(attrs), path, encoding=packed(ds))

    @classmethod
    def read(cls, path: Path, challenge: Challenge) -> Self:
        """Read a file that `write` wrote, of the same challenge."""
        with xr.open_dataset(path, engine="netcdf4") as stored:
            ds = stored.load()
        on_track = None
        if TRACK in ds:
            track = challenge.track
            on_track = xr.Dataset({"ssh": (track["time"].dims, ds[TRACK].values)}, {"time": track["time"]})
        return cls(ds.attrs["name"], ds.drop_vars(TRACK, errors="ignore"), on_track, json.loads(ds.attrs["info"]))


def stored_entry(challenge: Challenge, name: str, method: Method, tune: int, folder: Path) -> Entry:
    """Return `Entry.of_method`, from its file in the folder where settings, data and versions are the same."""
    path = folder / f"{slug(name)}-{fingerprint(challenge, method, tune)}.nc"
    if not path.exists():
        Entry.of_method(challenge, name, method, tune).write(path)
    return replace(Entry.read(path, challenge), name=name)


def fingerprint(challenge: Challenge, method: Method, tune: int) -> str:
    """Return a hash of all that the result depends on: settings, search, data, grid, versions, device."""
    points = challenge.observations
    settings = {"kind": type(method).__qualname__, **plain_settings(method)}
    plain = [FORMAT, settings, tune, versions(), device_of(method), challenge.rules, points.quantity]
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode())
    arrays = [points.time, points.longitude, points.latitude, points.value, points.pass_index]
    arrays += [challenge.grid[axis].values for axis in ("time", "latitude", "longitude")]
    if challenge.withheld is not None:
        track = challenge.track
        arrays += [track[str(name)].values for name in track.variables if track[name].dtype.kind in "fM"]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:12]


def packed(ds: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Return the encoding of maps in files: single precision, compressed."""
    return {str(name): {"dtype": "float32", "zlib": True} for name, array in ds.data_vars.items() if array.ndim}


def _on_track(challenge: Challenge, field: Field) -> xr.Dataset | None:
    return None if challenge.withheld is None else field.on_track(challenge.track).reset_coords(drop=True)


def _given(method: Method) -> dict[str, Any]:
    """Return the settings that are not the method's defaults."""
    own = plain_settings(method)
    try:
        default = plain_settings(type(method)())
    except TypeError:  # settings without default
        default = {}
    return {key: value for key, value in own.items() if value != default.get(key)}


def slug(name: str) -> str:
    """Return a name as part of a file's.

    Examples
    --------
    >>> slug("OI, 2021a settings")
    'oi-2021a-settings'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "method"
