"""The main job on a simulated sea: observe it, map it by several methods, and score the maps.

Truth is known, so that each map is compared both with an altimeter that no method saw, as one does at sea, and with
the truth itself, as one cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xinr import plots
from xinr.field import Field
from xinr.fitted import FittedField
from xinr.netcdf import write_netcdf
from xinr.simulate import MISSIONS, Jet, eddies, tracks
from xinr.simulate.eddies import GULF_STREAM, Region
from xinr.table import Row, lay_out, write_csv

#: Settings of each method, chosen on training missions alone: the least rmse on Jason-3, then on Sentinel-3A, each
#: withheld in turn from a fit to the other four. CryoSat-2, on which the table's scores are measured, took no part.
#: OI: scales of 60-120 km and 8-16 days, noises of 1.5-5 cm. SIREN (Jason-3 only): omega_0 of 8-14, widths of 128-256,
#: 3 or 4 hidden layers; of nearly equal ones the cheapest. Every eighth-point average and two days between analyses
#: keep OI quick.
METHODS: dict[str, dict[str, Any]] = {
    "oi": {
        "frame": "sphere",
        "length_scale": 70.0,
        "time_scale": 12.0,
        "sigma": 0.12,
        "noise": 0.03,
        "pass_bias": 0.01,
        "coarsen": 8,
        "window": 1.5,
        "analysis_step": 2.0,
    },
    "siren": {"omega_0": 10.0, "hidden_features": 192, "hidden_layers": 3},
}
TITLES = {"oi": "OI", "siren": "SIREN", "truth": "truth"}
#: Shown on the map of tracks, about mid-period.
TRACK_DAYS = 10
#: Grid step of the figures: fields are functions, and a figure may look closer than a file.
FIGURE_STEP = 0.1


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is simulated, and how large.

    Parameters
    ----------
    region : (west, east, south, north)
        Degrees.
    start : str
        First day.
    days : int
        How many.
    training : tuple of str
        Missions mapped: keys of `xinr.simulate.MISSIONS`.
    withheld : str
        Mission on which the maps are scored.
    grid_step, time_step : float, int
        Of the maps [degrees; days].
    segment_length : float
        Of the spectral score [km].
    methods : mapping
        Settings of each method.
    seed : int
        Of the sea and its observations.

    Examples
    --------
    >>> Scene(days=10).period
    ('2021-01-01', '2021-01-10')
    """

    region: Region = GULF_STREAM
    start: str = "2021-01-01"
    days: int = 60
    training: tuple[str, ...] = ("alg", "h2b", "j3", "s3a", "s3b")
    withheld: str = "c2"
    grid_step: float = 0.2
    time_step: int = 2
    segment_length: float = 1000.0
    methods: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: METHODS)
    seed: int = 0

    @property
    def period(self) -> tuple[str, str]:
        """First and last day."""
        first = np.datetime64(self.start, "D")
        return str(first), str(first + np.timedelta64(self.days - 1, "D"))

    def grid(self, step: float | None = None) -> xr.Dataset:
        """Return the coordinates of the maps: time, latitude, longitude."""
        west, east, south, north = self.region
        spacing = step or self.grid_step

        def axis(low: float, high: float) -> np.ndarray[Any, Any]:
            return np.linspace(low, high, round((high - low) / spacing) + 1)

        time = np.datetime64(self.start, "ns") + np.arange(0, self.days, self.time_step) * np.timedelta64(1, "D")
        return xr.Dataset(coords={"time": time, "latitude": axis(south, north), "longitude": axis(west, east)})


@dataclass(frozen=True)
class Result:
    """The table, ready to print, its rows, and the files written."""

    table: str
    rows: list[Row]
    files: list[Path]


@dataclass(frozen=True)
class _Mapped:
    field: FittedField
    maps: xr.Dataset
    score: xr.Dataset
    row: Row


def run(out: Path, scene: Scene | None = None) -> Result:
    """Simulate, map, score, write and draw.

    Parameters
    ----------
    out : Path
        Folder for the files, made if need be.
    scene : Scene, optional
        By default 10 x 10 degrees over 60 days, five missions mapped and CryoSat-2 withheld.

    Returns
    -------
    Result
        With the table that the command prints.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> small = Scene(region=(298, 303, 36, 41), days=8, training=("j3", "s3a"), withheld="s3b",
    ...               grid_step=1.0, segment_length=300.0, methods={"oi": {}})
    >>> with TemporaryDirectory() as folder:
    ...     [row.method for row in run(Path(folder), small).rows]
    ['null (mdt alone)', 'OI']
    """
    scene = scene or Scene()
    out.mkdir(parents=True, exist_ok=True)
    with tqdm(total=3 + 3 * len(scene.methods), disable=None, leave=False) as bar:
        bar.set_description("simulate the sea and its altimeters")
        truth = eddies(scene.region, scene.start, seed=scene.seed)
        everything = tracks(
            truth, [*scene.training, scene.withheld], region=scene.region, period=scene.period, seed=scene.seed
        )
        withheld = everything.isel(time=(everything["mission"] == scene.withheld).values)
        training = everything.isel(time=(everything["mission"] != scene.withheld).values)
        true_maps = _maps(truth, scene)
        bar.update()
        mapped = {
            name: _map(name, dict(settings), scene, training, withheld, true_maps, bar)
            for name, settings in scene.methods.items()
        }
        rows = [_null_row(next(iter(mapped.values())).score, true_maps), *(each.row for each in mapped.values())]
        bar.set_description("write files")
        datasets = {"tracks": everything, "truth": true_maps, **{name: each.maps for name, each in mapped.items()}}
        files = [_write(ds, out / f"{name}.nc") for name, ds in datasets.items()]
        files.append(write_csv(rows, out / "table.csv"))
        bar.update()
        bar.set_description("draw figures")
        files += _draw(out, scene, truth, everything, mapped)
        bar.update()
    names = ", ".join(MISSIONS[name].name for name in scene.training)
    title = f"{scene.days} days of {names}; scored on {MISSIONS[scene.withheld].name}, and against the truth"
    return Result(f"{title}\n\n{lay_out(rows)}", rows, files)


def _map(
    name: str,
    settings: dict[str, Any],
    scene: Scene,
    training: xr.Dataset,
    withheld: xr.Dataset,
    true_maps: xr.Dataset,
    bar: Any,
) -> _Mapped:
    """Fit one method to the training missions, map it, and score it on the withheld one."""
    bar.set_description(f"{_title(name)}: fit")
    fitted, fit_seconds = _timed(lambda: training.inr.fit(method=name, lwe=True, **settings))
    bar.update()
    bar.set_description(f"{_title(name)}: map")
    height, interp_seconds = _timed(lambda: fitted.interp(scene.grid()))
    bar.update()
    bar.set_description(f"{_title(name)}: derivatives and score")
    maps = _maps(fitted, scene, height)
    score = fitted.score(withheld, protocol="strict", segment_length=scene.segment_length, seed=scene.seed)
    error = 100.0 * _rms(maps["sla"] - true_maps["sla"])
    bar.update()
    row = _row(_title(name), score, "", error, fit_seconds, interp_seconds)
    return _Mapped(fitted, maps, score, row)


def _maps(source: Field, scene: Scene, height: xr.Dataset | None = None) -> xr.Dataset:
    """Return heights and exact derivatives on the grid of the maps."""
    grid = scene.grid()
    parts = [source.interp(grid) if height is None else height, source.gradient(grid), source.laplacian(grid)]
    maps = xr.merge(parts, combine_attrs="drop_conflicts")
    mdt = Jet(latitude=(scene.region[2] + scene.region[3]) / 2.0).interp(grid)
    adt = (maps["sla"] + mdt).transpose(*maps["sla"].dims)
    attrs = {
        "long_name": "absolute dynamic topography",
        "standard_name": "sea_surface_height_above_geoid",
        "units": "m",
        "comment": "sla + mdt",
    }
    return maps.assign(mdt=mdt, adt=adt.assign_attrs(attrs)).assign_attrs(title=f"Simulated sea: {source.summary}")


def _timed[T](function: Callable[[], T]) -> tuple[T, float]:
    started = perf_counter()
    return function(), perf_counter() - started


def _row(method: str, score: xr.Dataset, suffix: str, error: float, fit: float, interp: float) -> Row:
    low, high = (np.nan, np.nan) if suffix else score["lambda_x_interval"].values
    return Row(
        method=method,
        mu=float(score[f"mu{suffix}"]),
        sigma=float(score[f"sigma{suffix}"]),
        lambda_x=float(score[f"lambda_x{suffix}"]),
        lambda_x_low=float(low),
        lambda_x_high=float(high),
        rmse_track=100.0 * float(score[f"rmse{suffix}"]),
        rmse_truth=error,
        fit_seconds=fit,
        interp_seconds=interp,
    )


def _null_row(score: xr.Dataset, true_maps: xr.Dataset) -> Row:
    """Return the score of mapping nothing: the mean topography alone."""
    return _row("null (mdt alone)", score, "_null", 100.0 * _rms(true_maps["sla"]), np.nan, np.nan)


def _rms(values: xr.DataArray) -> float:
    return float(np.sqrt((values**2).mean()))


def _title(name: str) -> str:
    return TITLES.get(name, name)


def _write(ds: xr.Dataset, path: Path) -> Path:
    # As in the files of the data centres: single precision, and a time that any tool reads.
    encoding = {str(name): {"dtype": "float32", "zlib": True} for name, array in ds.data_vars.items() if array.ndim}
    write_netcdf(ds, path, encoding={**encoding, "time": {"units": "microseconds since 1950-01-01", "dtype": "int64"}})
    return path


def _draw(out: Path, scene: Scene, truth: Field, everything: xr.Dataset, mapped: Mapping[str, _Mapped]) -> list[Path]:
    """Draw tracks, maps and spectral scores."""
    middle = np.datetime64(scene.start, "D") + np.timedelta64(scene.days // 2, "D")
    half = np.timedelta64(TRACK_DAYS // 2, "D")
    period = str(middle - half), str(middle + half)
    corrected = (everything["sla_unfiltered"] - everything["lwe"]).assign_attrs(long_name="sea level anomaly")
    sources = {"truth": truth, **{_title(name): each.field for name, each in mapped.items()}}
    figures = {
        "tracks": plots.tracks(
            everything.assign(sla=corrected), "sla", period=period, names={key: o.name for key, o in MISSIONS.items()}
        ),
        "maps": plots.maps(sources, scene.grid(FIGURE_STEP), time=middle),
        "psd_score": plots.psd_score({_title(name): each.score for name, each in mapped.items()}),
    }
    paths = [out / f"{name}.png" for name in figures]
    for path, figure in zip(paths, figures.values(), strict=True):
        figure.savefig(path)
    return paths
