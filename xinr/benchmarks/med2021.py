"""The mapping challenge of the Western Mediterranean, 2021: map three missions, score on the fourth.

``python -m xinr.benchmarks.med2021 FOLDER`` prints the table of docs/results.md; ``--tune`` chooses the settings
again, by cross-validation over the missions that are mapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import typer
import xarray as xr

from xinr.benchmarks.peers import PyinterpOI
from xinr.fitted import FittedField, fit_observations
from xinr.methods import Method
from xinr.methods.oi import OI
from xinr.methods.siren import Siren
from xinr.metrics import score
from xinr.observations import Observations
from xinr.tracks import open_tracks
from xinr.validation import tune

MISSIONS = ("alg", "h2b", "j3", "s3a")
#: The challenge's box, 2-19 E and 31-44 N, widened by the margin that the score takes off again.
REGION = (1.75, 19.25, 30.75, 44.25)
PERIOD = ("2021-01-15", "2021-03-15")
SEGMENT_LENGTH = 500.0  # km: few passes over the basin are longer

#: Settings searched from each start, on the mapped missions alone.
SEARCHED = {
    "OI, tuned, no bias per pass": ("length_scale", "time_scale", "noise"),
    "OI, tuned": ("length_scale", "time_scale", "noise", "pass_bias"),
    "pyinterp OI, tuned": ("length_scale", "time_scale", "noise"),
}
#: The tuned ones are what `tune` found with alg, h2b and j3 (s3a withheld), rounded.
METHODS: dict[str, Method] = {
    "OI, 2021a settings": OI(),
    "OI, 2021a scales, sigma 0.1 m": OI(sigma=0.1),
    "OI, tuned, no bias per pass": OI(frame="sphere", length_scale=107.0, time_scale=17.4, sigma=0.1, noise=0.0829),
    "OI, tuned": OI(frame="sphere", length_scale=125.0, time_scale=18.9, sigma=0.1, noise=0.0343, pass_bias=0.0175),
    "pyinterp OI, tuned": PyinterpOI(length_scale=125.0, time_scale=14.5, noise=0.08),
    "SIREN": Siren(),
}
COLUMNS = ("method", "rmse [cm]", "mu", "sigma", "lambda_x [km]", "rmse of the map [cm]", "fit [s]", "interp [s]")


@dataclass(frozen=True)
class Challenge:
    """The mapped tracks, the withheld one, and the grid of maps."""

    training: Observations
    withheld: xr.Dataset
    grid: xr.Dataset

    @classmethod
    def open(cls, folder: Path, withheld: str = "s3a", spacing: float = 0.2) -> Challenge:
        """Open the files of the challenge.

        Raises
        ------
        FileNotFoundError
            The folder lacks a mission.
        ValueError
            No such mission.
        """
        if withheld not in MISSIONS:
            raise ValueError(f"withheld must be one of {list(MISSIONS)}, got {withheld!r}.")
        files = {mission: sorted(folder.glob(f"dt_med_{mission}_phy_l3_*.nc")) for mission in MISSIONS}
        missing = [mission for mission, found in files.items() if not found]
        if missing:
            raise FileNotFoundError(f"{folder} lacks dt_med_<mission>_phy_l3_*.nc for {missing}.")
        mapped = [path for mission in MISSIONS if mission != withheld for path in files[mission]]
        days = np.arange(PERIOD[0], np.datetime64(PERIOD[1]) + np.timedelta64(2, "D"), dtype="datetime64[D]")
        grid = xr.Dataset(
            coords={
                "time": days.astype("datetime64[ns]"),
                "latitude": np.arange(31.0, 44.0 + spacing / 2, spacing),
                "longitude": np.arange(2.0, 19.0 + spacing / 2, spacing),
            }
        )
        training = Observations.from_tracks(open_tracks(mapped), variable="sla_unfiltered", lwe=True)
        return cls(training, open_tracks(files[withheld]), grid)

    def score(self, field: FittedField) -> xr.Dataset:
        """Score a field of anomalies straight at the withheld track: the track's own mdt is added."""
        return field.score(self.withheld, **self._options())

    def score_map(self, maps: xr.Dataset) -> xr.Dataset:
        """Score through the map, as the challenge does."""
        table: xr.Dataset = maps.inr.score(self.withheld, **self._options())
        return table

    def score_null(self) -> xr.Dataset:
        """Score the mdt alone."""
        null = xr.Dataset({"ssh": self.withheld["mdt"]})
        return score(null, self.withheld, **self._options())

    def _options(self) -> dict[str, Any]:
        return {"protocol": "strict", "region": REGION, "period": PERIOD, "segment_length": SEGMENT_LENGTH}


def rows(challenge: Challenge, methods: dict[str, Method]) -> Iterator[dict[str, str]]:
    """Fit, map and score each method in turn, the null first."""
    yield {"method": "null (mdt)", **_shown(challenge.score_null())}
    for name, method in methods.items():
        started = perf_counter()
        field = fit_observations(challenge.training, method)
        fitted = perf_counter()
        maps = field.interp(challenge.grid)
        mapped = perf_counter()
        yield {
            "method": name,
            **_shown(challenge.score(field)),
            "rmse of the map [cm]": f"{100 * float(challenge.score_map(maps).rmse):.2f}",
            "fit [s]": f"{fitted - started:.1f}",
            "interp [s]": f"{mapped - fitted:.1f}",
        }


def _shown(table: xr.Dataset) -> dict[str, str]:
    lambda_x, (low, high) = float(table.lambda_x), table.lambda_x_interval.values
    rmse_low, rmse_high = 100 * table.rmse_interval.values
    return {
        "rmse [cm]": f"{100 * float(table.rmse):.2f} ({rmse_low:.2f}-{rmse_high:.2f})",
        "mu": f"{float(table.mu):.3f}",
        "sigma": f"{float(table.sigma):.3f}",
        "lambda_x [km]": f"{lambda_x:.0f} ({low:.0f}-{high:.0f})" if np.isfinite(lambda_x) else "not crossed",
    }


def tuned(challenge: Challenge, evaluations: int) -> dict[str, Method]:
    """Choose the settings again on the mapped missions; the analyses are thinned to every 4 days meanwhile."""
    methods = dict(METHODS)
    for name, settings in SEARCHED.items():
        start = METHODS[name]
        thinned = replace(start, analysis_step=4.0) if isinstance(start, OI) else start
        found = tune(challenge.training, thinned, settings, evaluations=evaluations)
        chosen: dict[str, Any] = {
            key: float(f"{value:.3g}") for key, value in asdict(found.method).items() if key in settings
        }
        typer.echo(f"{name}: cross-validated rmse {100 * found.rmse:.2f} cm with {chosen}")
        methods[name] = replace(start, **chosen)
    return methods


def main(
    folder: Annotated[Path, typer.Argument(help="Folder of the dt_med_*_phy_l3_*.nc files.")],
    withheld: Annotated[str, typer.Option(help="Mission to score on.")] = "s3a",
    tune_settings: Annotated[bool, typer.Option("--tune", help="Choose the settings again first.")] = False,
    evaluations: Annotated[int, typer.Option(help="Cross-validations for each method.")] = 40,
) -> None:
    """Map three missions of the Western Mediterranean and score on the fourth."""
    challenge = Challenge.open(folder, withheld)
    methods = tuned(challenge, evaluations) if tune_settings else METHODS
    typer.echo("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for row in rows(challenge, methods):
        typer.echo("| " + " | ".join(row.get(column, "") for column in COLUMNS) + " |")


if __name__ == "__main__":
    typer.run(main)
