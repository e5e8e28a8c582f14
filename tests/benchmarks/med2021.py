"""The mapping challenge of the Western Mediterranean, 2021: map three missions, score on the fourth.

``python -m tests.benchmarks.med2021 FOLDER`` prints the first table of docs/results.md; ``--tune`` chooses the settings
again, by cross-validation over the missions that are mapped. ``--withheld all`` withholds each mission in turn and
learns the settings anew for each, in one run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from tests.benchmarks.measures import search
from tests.benchmarks.peers import PyinterpOI
from xinr.challenges import MED2021_MISSIONS, Challenge, med2021
from xinr.challenges.leaderboard import Evaluation, evaluate
from xinr.challenges.leaderboard.evaluation import null_row, timed
from xinr.challenges.leaderboard.table import COST, METHOD, TRACK, Column, Row, markdown
from xinr.fields.fitted import FittedField
from xinr.methods import ErrorPredictor, Method
from xinr.methods.covariances import Gaussian, Spectral
from xinr.methods.kriging.method import Kriging
from xinr.methods.method import get_setting, with_settings
from xinr.methods.neural.architectures.positional import Positional
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.oi import OI
from xinr.metrics.calibration import calibration
from xinr.observations.observations import Observations
from xinr.validation.sampling import observation_error
from xinr.validation.tuning import tune

#: Settings searched from each start, on the mapped missions alone.
SEARCHED = {
    "OI, tuned": ("length_scale", "time_scale", "noise", "pass_bias"),
    "pyinterp OI, tuned": ("length_scale", "time_scale", "noise"),
}
#: The tuned ones are what `tune` found with alg, h2b and j3 (s3a withheld), rounded.
METHODS: dict[str, Method] = {
    "OI, 2021a settings": OI(),
    "OI, 2021a scales, sigma 0.1 m": OI(covariance=Gaussian(1.0, 7.0, 0.1)),
    "OI, tuned": OI(frame="sphere", covariance=Gaussian(96.3, 14.3, 0.0613), noise=0.04025, pass_bias=0.0054),
    "pyinterp OI, tuned": PyinterpOI(length_scale=143.0, time_scale=19.0, noise=0.03585),
    "positional": Positional(),
    "SIREN": Siren(),
    "kriging": Kriging(),
}
#: Kriging's own defaults were learned with three of the missions: round numbers start a search that has seen none.
NEUTRAL = Kriging(
    covariance=Spectral(1000.0, 60.0, sigma=0.1, exponent=1.3, time_exponent=1.1, decorrelation_exponent=0.2)
    + Spectral(50.0, 200.0, sigma=0.03, exponent=3.0, time_exponent=1.5, decorrelation_exponent=0.0),
    noise=0.0346,
    pass_bias=0.01,
    pass_slope=0.01,
)
#: Where each method of the table of all missions starts to learn, and what; the one of the least cross-validated rmse
#: is taken. Methods without settings to learn are taken as they are.
STARTS: dict[str, tuple[tuple[Method, ...], tuple[str, ...]]] = {
    "OI, 2021a settings": ((OI(),), ()),
    "pyinterp OI, tuned": (
        (PyinterpOI(length_scale=300.0, time_scale=35.0, noise=0.052), METHODS["pyinterp OI, tuned"]),
        SEARCHED["pyinterp OI, tuned"],
    ),
    "positional": ((Positional(calibrate=True),), ()),
    "SIREN": ((Siren(calibrate=True),), ()),
    "kriging, learned": ((NEUTRAL,), NEUTRAL.searched),
}
COLUMNS = (
    METHOD,
    *TRACK,
    Column("rmse_corrected", "rmse, corrected [cm]", 2, 100.0),
    Column("rmse_map", "rmse of the map [cm]", 2, 100.0),
    COST[0],
    Column("map_seconds", "interp [s]", 1),
)
#: The last: shares of the withheld track within formal errors, and their calibration.
COLUMNS_OF_ALL = (
    Column("withheld", "withheld"),
    METHOD,
    Column("learning", "learning [s]", 1),
    *COLUMNS[1:],
    Column("coverage_68", "in 68 %", 2),
    Column("coverage_95", "in 95 %", 2),
    Column("crps", "crps [cm]", 2, 100.0),
)
#: Spacing of the maps of all missions [degrees].
SPACING = 0.2


def row(name: str, found: Evaluation) -> Row:
    """Return the row of a method, with its rmse to the heights corrected for ``lwe``, and that of its map."""
    track = found.challenge.track
    misfit = found.field.interp(track)[found.field.name] - track["sla_unfiltered"]
    via_map = float(found.challenge.score_map(found.maps).rmse)
    return {**found.row(name), "rmse_corrected": float((misfit**2).mean()) ** 0.5, "rmse_map": via_map}


def every_mission(folder: Path, evaluations: int) -> Iterator[Row]:
    """Withhold each mission in turn; learn, fit, map and score each method of `STARTS` without it."""
    for withheld in MED2021_MISSIONS:
        challenge = med2021(folder, withheld, SPACING)
        yield {"withheld": withheld, **null_row(challenge)}
        for name, (starts, settings) in STARTS.items():
            method, learning = starts[0], {}
            if settings:
                method, learning["learning"] = timed(lambda: learned(challenge, starts, settings, evaluations))  # noqa: B023
            found = evaluate(challenge, method)
            yield {"withheld": withheld, **row(name, found), **learning, **calibrated(challenge, found.field, method)}


def learned(challenge: Challenge, starts: tuple[Method, ...], settings: tuple[str, ...], evaluations: int) -> Method:
    """Return the method that a search from one of the starts finds best."""
    found = [tune(challenge.observations, start, settings, evaluations=evaluations) for start in starts]
    best = min(found, key=lambda tuned: tuned.rmse)
    rounded = ", ".join(f"{name} {_rounded(get_setting(best.method, name))}" for name in settings)
    typer.echo(f"cross-validated rmse {100 * best.rmse:.2f} cm with {rounded}", err=True)
    return best.method


def _rounded(setting: float | Mapping[str, float]) -> str:
    if isinstance(setting, Mapping):
        return " / ".join(f"{mission} {_rounded(level)}" for mission, level in setting.items())
    return f"{setting:.3g}"


def calibrated(challenge: Challenge, field: FittedField, method: Method) -> dict[str, float]:
    """Return the calibration of a formal error on the withheld track, averaged as the method averages."""
    if not isinstance(field.predictor, ErrorPredictor):
        return {}
    points = Observations.from_tracks(challenge.track, variable="sla_unfiltered", region=challenge.region)
    points = points.coarsen(method.coarsen)
    table = calibration(field, points, observation_error(points, method))
    coverage_68, coverage_95 = map(float, table.coverage.values)
    return {"coverage_68": coverage_68, "coverage_95": coverage_95, "crps": float(table.crps)}


def tuned(challenge: Challenge, evaluations: int) -> dict[str, Method]:
    """Choose the settings again on the mapped missions."""
    methods = dict(METHODS)
    for name, settings in SEARCHED.items():
        _, found = search(name, challenge.observations, METHODS[name], settings, evaluations)
        methods[name] = with_settings(METHODS[name], found)
    return methods


def main(
    folder: Annotated[Path, typer.Argument(help="Folder of the dt_med_*_phy_l3_*.nc files.")],
    withheld: Annotated[str, typer.Option(help="Mission to score on, or 'all': each in turn.")] = "s3a",
    tune_settings: Annotated[bool, typer.Option("--tune", help="Choose the settings again first.")] = False,
    evaluations: Annotated[int, typer.Option(help="Cross-validations of each search.")] = 40,
) -> None:
    """Map three missions of the Western Mediterranean and score on the fourth."""
    if withheld == "all":
        if tune_settings:
            raise typer.BadParameter("--withheld all learns the settings in any case: leave out --tune.")
        typer.echo(markdown(every_mission(folder, evaluations), COLUMNS_OF_ALL))
        return
    challenge = med2021(folder, withheld)
    methods = tuned(challenge, evaluations) if tune_settings else METHODS
    rows = [row(name, evaluate(challenge, method)) for name, method in methods.items()]
    typer.echo(markdown([null_row(challenge), *rows], COLUMNS))


if __name__ == "__main__":
    typer.run(main)
