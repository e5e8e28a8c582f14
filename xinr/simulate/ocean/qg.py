"""Run a quasi-geostrophic ocean, and hand it over as a CF Dataset."""

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
from xinr.geo.frames import SECONDS_PER_DAY, Plane
from xinr.geo.geostrophy import GRAVITY
from xinr.methods.settings import check_positive
from xinr.simulate.ocean.periodic import resampled
from xinr.simulate.ocean.quasigeostrophic import VORTICITIES, Ocean, ocean_from
from xinr.simulate.ocean.spun_up import random_eddies, spun_up

if TYPE_CHECKING:
    from xinr.simulate.ocean.stepper import Stepper

#: Days from random eddies to an eddying sea, for oceans that are not in the package.
SPIN_UP = 500.0
START = "2021-01-01"
Fields = NDArray[np.floating[Any]]
SECOND = np.timedelta64(1_000_000_000, "ns")
ATTRS = {
    "ssh": ("sea surface height anomaly", "m", "sea_surface_height_above_sea_level"),
    "psi": ("streamfunction anomaly", "m2 s-1", ""),
    "q": ("potential vorticity anomaly", "s-1", ""),
    "q_lower": ("potential vorticity anomaly of the lower layer", "s-1", ""),
    "u": (
        "eastward geostrophic current anomaly",
        "m s-1",
        "surface_geostrophic_eastward_sea_water_velocity_assuming_mean_sea_level_for_geoid",
    ),
    "v": (
        "northward geostrophic current anomaly",
        "m s-1",
        "surface_geostrophic_northward_sea_water_velocity_assuming_mean_sea_level_for_geoid",
    ),
    "energy": ("energy of the anomalies per unit mass, kinetic and potential, all layers", "m2 s-2", ""),
    "enstrophy": ("potential enstrophy of the anomalies, all layers", "s-2", ""),
}


@dataclass(frozen=True)
class _Run:
    """What runs, from which q (layers, points, points), when, on which clock [s], how long before the first map [s]."""

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
    """Simulate an eddying sea: quasi-geostrophic, doubly periodic.

    Parameters
    ----------
    days : float
        How long.
    model : {"two-layer", "one-layer"} or Ocean
        `TwoLayer`, by default, lives on the shear of its mean current, with eddies like the Gulf Stream's;
        `OneLayer` ("1.5 layers") on random forcing.
    start : str
        Time of the first map, "2021-01-01" by default.
    interval : float
        Between maps [days].
    spin_up : float, optional
        Days run from random eddies before the first map. By default the two-layer ocean starts at once, from one of
        the eddying seas of the package, which the seed chooses and moves; one with other settings, or the one-layer
        ocean, is spun up for 500 days.
    seed : int
        Of beginning and forcing, 0 by default.
    step : float, optional
        The longest time step [hours]. By default the currents decide, twice a day.
    device : str
        "cpu", "cuda", or "auto" for a GPU where there is one.
    dtype : {"float64", "float32"}
        Of the computation and the result.
    restart : Dataset, optional
        An earlier result: the simulation goes on from its last time, with its model, settings, seed and forcing; the
        first map is then one interval later, so that ``xr.concat([earlier, later], "time")`` is a whole. Settings
        may be changed; for other ``points`` the sea is interpolated by its Fourier series.
    **settings
        Settings of the ocean: ``points``, ``length``, ``latitude``, ``longitude``, ``radius``, ... See `TwoLayer`
        and `OneLayer`.

    Returns
    -------
    Dataset
        Dims (time, y, x): ``ssh`` [m], ``psi`` [m²/s], ``q`` [1/s], ``u`` and ``v`` [m/s] at the surface, and
        ``q_lower`` of the lower layer; x and y [km] from the centre, and the longitudes and latitudes of the points on
        a plane that touches the sphere there. All are anomalies: the mean current of each layer is in the
        attribute ``mean_current`` [m/s], the northward slope of its sea surface in ``mean_slope`` [m/m].

    Raises
    ------
    ValueError, TypeError
        Settings that make no ocean, or that it does not have; says what was expected and the cure.
    FloatingPointError
        An unstable simulation; says the step that would do.

    Notes
    -----
    ``ssh = f ψ / g``, ``u = -∂ψ/∂y``, ``v = ∂ψ/∂x``, with f at the centre. Scheme: see `xinr.simulate.ocean.stepper`.

    Examples
    --------
    >>> sea = qg(2, points=32, start="2017-01-01")
    >>> dict(sea["ssh"].sizes), str(sea["time"].values[-1])[:10]
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
    stepper = Stepper(run.ocean, run.seed, _seconds(step), device_from(device, metal=False), precision(dtype))
    with one_thread(run.ocean.points):
        fields = _integrate(stepper, run, seconds, maps)
    return _dataset(fields, run, run.time + SECOND * (run.wait + seconds * np.arange(maps)))


def _begin(ocean: Ocean, start: str, spin_up: float | None, seed: int) -> _Run:
    """Return a new simulation, from a sea of the package or from random eddies."""
    sea = spun_up(ocean, seed) if spin_up is None else None
    wait = 0 if sea is not None else _whole_seconds("spin_up", SPIN_UP if spin_up is None else spin_up)
    time = np.datetime64(start, "ns") - SECOND * wait
    return _Run(ocean, seed, random_eddies(ocean, seed) if sea is None else sea, time, 0, wait)


def _resume(ds: xr.Dataset, settings: Mapping[str, Any], seconds: int) -> _Run:
    """Return the simulation that goes on from the last time of an earlier result."""
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
        "longitude": (("y", "x"), longitude, {"standard_name": "longitude", "units": "degrees_east"}),
        "latitude": (("y", "x"), latitude, {"standard_name": "latitude", "units": "degrees_north"}),
    }
    dims = ("time", "y", "x")
    arrays = {name: (dims[: array.ndim], array, _attrs(name)) for name, array in fields.items()}
    mean = ocean.currents
    attrs = {
        "title": f"Simulated sea: {ocean.kind} quasi-geostrophic model",
        "Conventions": "CF-1.11",
        "settings": json.dumps(ocean.settings),
        "seed": run.seed,
        "clock_start": str(run.time - SECOND * run.clock),
        "mean_current": mean.tolist(),
        "mean_slope": float(-ocean.f * mean[0] / GRAVITY),
    }
    return xr.Dataset(arrays, coords, attrs)


def _attrs(name: str) -> dict[str, str]:
    long_name, units, standard_name = ATTRS[name]
    attrs = {"long_name": long_name, "units": units}
    return {**attrs, "standard_name": standard_name} if standard_name else attrs


def _axis_attrs(axis: str, direction: str) -> dict[str, str]:
    return {
        "long_name": f"distance {direction} of the centre, along a Lambert azimuthal equal-area plane",
        "standard_name": f"projection_{axis}_coordinate",
        "units": "km",
        "axis": axis.upper(),
    }


def _maps(days: float, interval: float) -> int:
    """Return how many intervals make up the days."""
    count = round(days / interval)
    if not (np.isfinite(days) and days >= 0.0 and abs(count * interval - days) < 1e-6):
        raise ValueError(f"days must be a whole number of intervals of {interval:g} days, zero or more, got {days!r}.")
    return count


def _whole_seconds(name: str, days: float) -> int:
    seconds = days * SECONDS_PER_DAY
    least, words = (0, "zero or more") if name == "spin_up" else (1, "above zero")
    if not (np.isfinite(days) and abs(seconds - round(seconds)) < 1e-3 and round(seconds) >= least):
        raise ValueError(f"{name} must be days that make up whole seconds, {words}, got {days!r}.")
    return round(seconds)


def _seconds(step: float | None) -> float | None:
    if step is not None:
        check_positive(step=step)
    return None if step is None else 3600.0 * step


def _check_has(ds: xr.Dataset, variables: Sequence[str] = ("q",), attrs: Sequence[str] = ()) -> None:
    lacking = [*(name for name in variables if name not in ds), *(name for name in attrs if name not in ds.attrs)]
    if lacking:
        raise ValueError(f"restart needs a Dataset made by xinr.simulate.qg: it lacks {lacking}.")


def _check_only_new(**given: Any) -> None:
    """Raise ValueError where a restart is told what only a new simulation can be."""
    unused = [name for name, value in given.items() if value is not None]
    if unused:
        raise ValueError(f"{unused} are those of the restart, which goes on where it ended: leave them out.")
