"""Run a quasi-geostrophic simulation, with the result as a CF Dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from tqdm.auto import tqdm

from xinr._typing import Array
from xinr.geo import geostrophy
from xinr.geo.cf import STANDARD_NAMES, TRACK_COORDINATES, attributes
from xinr.geo.frames import SECONDS_PER_DAY, Plane
from xinr.geo.geostrophy import GRAVITY
from xinr.methods.settings import check_positive
from xinr.simulate.ocean.periodic import resampled
from xinr.simulate.ocean.quasigeostrophic import VORTICITIES, Ocean, ocean_from
from xinr.simulate.ocean.spun_up import random_eddies, spun_up

if TYPE_CHECKING:
    from xinr.simulate.ocean.stepper import Stepper

#: Days of spin-up from random eddies, where the package has no spun-up state.
SPIN_UP = 500.0
START = "2021-01-01"
Fields = NDArray[np.floating[Any]]
SECOND = np.timedelta64(1_000_000_000, "ns")
#: Units, long name and CF standard name.
MEANINGS = {
    "ssh": ("m", "sea surface height anomaly", STANDARD_NAMES["sla"]),
    "psi": ("m2 s-1", "streamfunction anomaly"),
    "q": ("s-1", "potential vorticity anomaly"),
    "q_lower": ("s-1", "potential vorticity anomaly of the lower layer"),
    "u": geostrophy.MEANINGS["ugosa"],
    "v": geostrophy.MEANINGS["vgosa"],
    "energy": ("m2 s-2", "energy of the anomalies per unit mass, kinetic and potential, all layers"),
    "enstrophy": ("s-2", "potential enstrophy of the anomalies, all layers"),
}


@dataclass(frozen=True)
class _Run:
    """A simulation: its initial q (layers, points, points), time and clock [s], and the wait for the first map [s]."""

    ocean: Ocean
    seed: int
    q: Array
    time: np.datetime64
    clock: int
    wait: int


def qg(
    days: float = 60.0,
    model: str | Ocean | None = None,
    *,
    start: str | None = None,
    interval: float = 1.0,
    spin_up: float | None = None,
    seed: int | None = None,
    step: float | None = None,
    device: str = "auto",
    dtype: str = "float64",
    restart: xr.Dataset | None = None,
    **settings: Any,
) -> xr.Dataset:
    """Simulate an eddying ocean: quasi-geostrophic, doubly periodic.

    Parameters
    ----------
    days : float
        Duration.
    model : {"two-layer", "one-layer"} or Ocean
        `TwoLayer`, by default, has eddies like those of the Gulf Stream, from the instability of its mean current;
        `OneLayer` ("1.5 layers") has random forcing.
    start : str
        Time of the first map, "2021-01-01" by default.
    interval : float
        Interval between maps [days].
    spin_up : float, optional
        Days from random eddies to the first map. By default the two-layer ocean starts from one of the spun-up states
        in the package, chosen and shifted by the seed; with other settings, or one layer, spin-up takes 500 days.
    seed : int
        Random seed of initial state and forcing, 0 by default.
    step : float, optional
        Longest time step [hours]; by default it follows from the currents, twice a day.
    device : str
        "cpu", "cuda", or "auto": a GPU if there is one.
    dtype : {"float64", "float32"}
        Of the computation and the result.
    restart : Dataset, optional
        An earlier result: the simulation continues from its last time, with its model, settings, seed and forcing; the
        first map is one interval later, so that ``xr.concat([earlier, later], "time")`` is continuous. Settings may be
        changed; with other ``points`` the state is interpolated by its Fourier series.
    **settings
        Settings of the ocean: ``points``, ``length``, ``latitude``, ``longitude``, ``radius``, ... See `TwoLayer`
        and `OneLayer`.

    Returns
    -------
    Dataset
        Dims (time, y, x): ``ssh`` [m], ``psi`` [m²/s], ``q`` [1/s], ``u`` and ``v`` [m/s] at the surface, and
        ``q_lower`` of the lower layer; x and y [km] from the centre, and the longitudes and latitudes of the points on
        a plane tangent to the sphere there. All are anomalies: the mean current of each layer is in the attribute
        ``mean_current`` [m/s], the northward slope of its sea surface in ``mean_slope`` [m/m].

    Raises
    ------
    ValueError, TypeError
        Invalid or unknown settings.
    FloatingPointError
        An unstable simulation; the message gives a stable step.

    Notes
    -----
    ``ssh = f ψ / g``, ``u = -∂ψ/∂y``, ``v = ∂ψ/∂x``, with f at the centre. Scheme: see `xinr.simulate.ocean.stepper`.

    Examples
    --------
    >>> ds = qg(2, points=32, start="2017-01-01")
    >>> dict(ds["ssh"].sizes), str(ds["time"].values[-1])[:10]
    ({'time': 3, 'y': 32, 'x': 32}, '2017-01-03')
    """
    from xinr.methods.device import device_from
    from xinr.simulate.ocean.stepper import Stepper, one_thread, precision

    seconds, maps = _whole_seconds("interval", interval), _maps(days, interval)
    if restart is None:
        run = _begin(ocean_from(model or "two-layer", settings), start or START, spin_up, seed or 0)
    else:
        _check_only_new(model=model, start=start, spin_up=spin_up, seed=seed)
        run = _resume(restart, settings, seconds)
    maps += restart is None
    if step is not None:
        check_positive(step=step)
    longest = step and 3600.0 * step
    stepper = Stepper(run.ocean, run.seed, longest, device_from(device, metal=False), precision(dtype))
    with one_thread(run.ocean.points):
        fields = _integrate(stepper, run, seconds, maps)
    return _dataset(fields, run, run.time + SECOND * (run.wait + seconds * np.arange(maps)))


def _begin(ocean: Ocean, start: str, spin_up: float | None, seed: int) -> _Run:
    """Return a new simulation, from a state in the package or from random eddies."""
    state = spun_up(ocean, seed) if spin_up is None else None
    wait = 0 if state is not None else _whole_seconds("spin_up", SPIN_UP if spin_up is None else spin_up)
    time = np.datetime64(start, "ns") - SECOND * wait
    return _Run(ocean, seed, random_eddies(ocean, seed) if state is None else state, time, 0, wait)


def _resume(ds: xr.Dataset, settings: Mapping[str, Any], seconds: int) -> _Run:
    """Return the simulation that continues from the last time of an earlier result."""
    _check_has(ds, attrs=("settings", "clock_start", "seed"))
    stored = json.loads(ds.attrs["settings"])
    ocean = ocean_from(stored.pop("model"), {**stored, **settings})
    names = VORTICITIES[: len(ocean.thickness)]
    _check_has(ds, names)
    layers = [ds[name].isel(time=-1).transpose("y", "x").values for name in names]
    since, seed = np.datetime64(ds.attrs["clock_start"], "ns"), int(ds.attrs["seed"])
    if layers[0].shape != (stored["points"], stored["points"]):
        raise ValueError(
            f"restart needs the whole square of {stored['points']} x {stored['points']} points, got "
            f"{layers[0].shape[0]} x {layers[0].shape[1]}: give the result as it was simulated."
        )
    q, time = resampled(np.stack(layers).astype(np.float64), ocean.points), ds["time"].values[-1]
    if not np.isfinite(q).all():
        raise ValueError(f"restart has missing values in q at its last time, {time}: give the whole square.")
    return _Run(ocean, seed, q, time, int((time - since) / SECOND), seconds)


def _integrate(stepper: Stepper, run: _Run, seconds: int, maps: int) -> dict[str, Fields]:
    """Return surface fields (maps, points, points), and energy and enstrophy (maps,)."""
    q, clock = stepper.spectrum(run.q), run.clock
    rows = []
    with tqdm(total=run.wait + seconds * (maps - 1), desc="simulation", leave=False, disable=None, delay=1) as bar:
        for number in range(maps):
            end = clock + (seconds if number else run.wait)
            while clock < end:
                q, reached = stepper.advance(q, clock, end)
                bar.update(reached - clock)
                clock = reached
            rows.append(stepper.fields(q))
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _dataset(fields: Mapping[str, Fields], run: _Run, time: NDArray[np.datetime64]) -> xr.Dataset:
    ocean = run.ocean
    axis = (np.arange(ocean.points) - ocean.points // 2) * ocean.spacing / 1e3
    plane = Plane(time[0], ocean.longitude, ocean.latitude)
    longitude, latitude = plane.unproject(*np.meshgrid(axis, axis))
    coords = {
        "time": ("time", time),
        "y": ("y", axis, _axis_attrs("y", "north")),
        "x": ("x", axis, _axis_attrs("x", "east")),
        "longitude": (("y", "x"), longitude, TRACK_COORDINATES["longitude"]),
        "latitude": (("y", "x"), latitude, TRACK_COORDINATES["latitude"]),
    }
    dims = ("time", "y", "x")
    arrays = {name: (dims[: array.ndim], array, attributes(*MEANINGS[name])) for name, array in fields.items()}
    attrs = {
        "title": f"Simulated ocean: {ocean.kind} quasi-geostrophic model",
        "Conventions": "CF-1.11",
        "settings": json.dumps(ocean.settings),
        "seed": run.seed,
        "clock_start": str(run.time - SECOND * run.clock),
        "mean_current": ocean.currents.tolist(),
        "mean_slope": float(-ocean.f * ocean.currents[0] / GRAVITY),
    }
    return xr.Dataset(arrays, coords, attrs)


def _axis_attrs(axis: str, direction: str) -> dict[str, str]:
    long_name = f"distance {direction} of the centre, along a Lambert azimuthal equal-area plane"
    return attributes("km", long_name, f"projection_{axis}_coordinate") | {"axis": axis.upper()}


def _maps(days: float, interval: float) -> int:
    """Return the number of intervals in the days."""
    count = round(days / interval)
    if not (np.isfinite(days) and days >= 0.0 and abs(count * interval - days) < 1e-6):
        raise ValueError(f"days must be a whole number of intervals of {interval:g} days, zero or more, got {days!r}.")
    return count


def _whole_seconds(name: str, days: float) -> int:
    seconds = days * SECONDS_PER_DAY
    least, words = (0, "zero or more") if name == "spin_up" else (1, "above zero")
    if not (np.isfinite(days) and abs(seconds - round(seconds)) < 1e-3 and round(seconds) >= least):
        raise ValueError(f"{name} must be days, a whole number of seconds, {words}, got {days!r}.")
    return round(seconds)


def _check_has(ds: xr.Dataset, variables: Sequence[str] = ("q",), attrs: Sequence[str] = ()) -> None:
    lacking = [*(name for name in variables if name not in ds), *(name for name in attrs if name not in ds.attrs)]
    if lacking:
        raise ValueError(f"restart needs a Dataset made by xinr.simulate.qg: it lacks {lacking}.")


def _check_only_new(**given: Any) -> None:
    """Raise ValueError for options that only a new simulation can have."""
    unused = [name for name, value in given.items() if value is not None]
    if unused:
        raise ValueError(f"{unused} are those of the restart, which continues where it ended: leave them out.")
