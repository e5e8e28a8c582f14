"""The mapping challenge of the Western Mediterranean, 2021: map three missions, score on the fourth.

``python -m xinr.benchmarks.med2021 FOLDER`` prints the table of docs/results.md; ``--tune`` chooses the settings
again, by cross-validation over the missions that are mapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated

import numpy as np
import typer
import xarray as xr

from xinr.benchmarks.peers import PyinterpOI
from xinr.challenges import Challenge, med2021
from xinr.methods import Method
from xinr.methods.base import get_setting, with_settings
from xinr.methods.covariances import Gaussian
from xinr.methods.oi import OI
from xinr.methods.siren import Siren
from xinr.validation import tune

#: Settings searched from each start, on the mapped missions alone.
SEARCHED = {
    "OI, tuned, no bias per pass": ("length_scale", "time_scale", "noise"),
    "OI, tuned": ("length_scale", "time_scale", "noise", "pass_bias"),
    "pyinterp OI, tuned": ("length_scale", "time_scale", "noise"),
}
#: The tuned ones are what `tune` found with alg, h2b and j3 (s3a withheld), rounded.
METHODS: dict[str, Method] = {
    "OI, 2021a settings": OI(),
    "OI, 2021a scales, sigma 0.1 m": OI(covariance=Gaussian(1.0, 7.0, 0.1)),
    "OI, tuned, no bias per pass": OI(frame="sphere", covariance=Gaussian(107.0, 17.4, 0.1), noise=0.0829),
    "OI, tuned": OI(frame="sphere", covariance=Gaussian(125.0, 18.9, 0.1), noise=0.0343, pass_bias=0.0175),
    "pyinterp OI, tuned": PyinterpOI(length_scale=125.0, time_scale=14.5, noise=0.08),
    "SIREN": Siren(),
}
COLUMNS = ("method", "rmse [cm]", "mu", "sigma", "lambda_x [km]", "rmse of the map [cm]", "fit [s]", "interp [s]")


def rows(challenge: Challenge, methods: dict[str, Method]) -> Iterator[dict[str, str]]:
    """Fit, map and score each method in turn, the null first."""
    yield {"method": "null (mdt)", **_shown(challenge.score_null())}
    for name, method in methods.items():
        started = perf_counter()
        field = challenge.fit(method)
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
        found = tune(challenge.observations, thinned, settings, evaluations=evaluations)
        chosen = {name: float(f"{get_setting(found.method, name):.3g}") for name in settings}
        typer.echo(f"{name}: cross-validated rmse {100 * found.rmse:.2f} cm with {chosen}")
        methods[name] = with_settings(start, chosen)
    return methods


def main(
    folder: Annotated[Path, typer.Argument(help="Folder of the dt_med_*_phy_l3_*.nc files.")],
    withheld: Annotated[str, typer.Option(help="Mission to score on.")] = "s3a",
    tune_settings: Annotated[bool, typer.Option("--tune", help="Choose the settings again first.")] = False,
    evaluations: Annotated[int, typer.Option(help="Cross-validations for each method.")] = 40,
) -> None:
    """Map three missions of the Western Mediterranean and score on the fourth."""
    challenge = med2021(folder, withheld)
    methods = tuned(challenge, evaluations) if tune_settings else METHODS
    typer.echo("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for row in rows(challenge, methods):
        typer.echo("| " + " | ".join(row.get(column, "") for column in COLUMNS) + " |")


if __name__ == "__main__":
    typer.run(main)
