"""The simulated challenge: map five altimeters over a known ocean, score on the truth and on a sixth altimeter.

``python -m tests.benchmarks.osse`` prints the tables of docs/simulation.md. ``--tune`` chooses the settings again
first; ``--figures FOLDER`` draws the pictures, and ``--csv FILE`` keeps every digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from tests.benchmarks.measures import search
from xinr import plots
from xinr.challenges import Challenge, osse
from xinr.challenges.leaderboard import Evaluation, demo, evaluate
from xinr.challenges.leaderboard.evaluation import null_row
from xinr.challenges.leaderboard.figures import field_maps
from xinr.challenges.leaderboard.table import COST, METHOD, TRACK, TRUTH, Column, Row, markdown, write_csv
from xinr.methods import METHODS as REGISTERED
from xinr.methods import Method, method_from
from xinr.methods.covariances import ArhanColinDeVerdiere, Spectral
from xinr.methods.kriging.method import Kriging
from xinr.methods.method import with_settings
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.oi import OI
from xinr.simulate import qg
from xinr.simulate.ocean.covariance import covariance_of

#: The realisation from which covariances are learned: its seed begins it from another state than seed 0.
ELSEWHERE, ELSEWHERE_DAYS = 1, 400.0
OI_SCALES = ("length_scale", "time_scale", "noise")
SPECTRUM = ("noise", "sigma", "length_scale", "time_scale", "exponent", "time_exponent", "decorrelation_exponent")
#: Settings searched from each start, and on the tracks of which realisation; no search assumes that it drifts eastward.
SEARCHED: dict[str, tuple[tuple[str, ...], int]] = {
    "OI, tuned": (OI_SCALES, 0),
    "DUACS-like OI": (OI_SCALES, 0),
    "kriging, tuned": (SPECTRUM, 0),
    "kriging, learned from other tracks": (SPECTRUM, ELSEWHERE),
}
FROM_FIELDS = "kriging, learned from fields"
#: What is known of the altimeters: 2.0 to 2.8 cm of white noise, `xinr.simulate.Errors`.
INSTRUMENTS: dict[str, Any] = {"noise": 0.02425, "pass_bias": 0.01, "pass_slope": 0.005}
THINNED: dict[str, Any] = {"coarsen": 8, "window": 1.5, "pass_bias": 0.01}
#: Fine enough for its waves, the shortest of which last a day or two.
LATTICE: dict[str, Any] = {"spacing": 20.0, "time_step": 1.0}
#: Chosen on the missions that are mapped (alg, h2b, j3, s3a, s3b), or on another realisation, and rounded; those of the
#: demo are taken from there.
METHODS: dict[str, Method] = {
    "OI, 2021a settings": OI(),
    "OI, tuned": method_from("oi", demo.METHODS["oi"] | {"analysis_step": 1.0}),
    "DUACS-like OI": OI(
        frame="plane",
        covariance=ArhanColinDeVerdiere(190.0, 6.2, 0.25, westward_drift=-4.0),
        noise=0.09051,
        **THINNED,
    ),
    "kriging, defaults": Kriging(),
    "kriging, tuned": method_from("kriging", demo.METHODS["kriging"]),
    "kriging, learned from other tracks": Kriging(
        covariance=Spectral(68.7, 5.16, 0.208, 2.56, 4.3, 1.77, -4.0),
        **LATTICE,
        noise=0.0194,
        pass_bias=0.0079,
        pass_slope=0.004,
    ),
    FROM_FIELDS: Kriging(covariance=Spectral(49.7, 2.94, 0.266, 3.59, 6.47, 1.82, -4.55), **LATTICE, **INSTRUMENTS),
    "SIREN, defaults": Siren(calibrate=True),
    "SIREN, tuned": method_from("siren", demo.METHODS["siren"]),
}
#: Networks of the package that need no settings here, where it has them.
OTHERS = {"Fourier features": "fourier"}
#: What is drawn, and under which name.
DRAWN = {"OI, tuned": "OI", "DUACS-like OI": "DUACS-like", FROM_FIELDS: "kriging", "SIREN, tuned": "SIREN"}

#: What kriging gains by learning, on the truth.
GAINS = (
    METHOD,
    TRUTH[0],
    Column("than_oi", "less than OI, tuned [%]", 0),
    Column("than_defaults", "less than its defaults [%]", 0),
)


def gains(rows: list[Row]) -> list[Row]:
    """Return by how much kriging errs less than OI, and than its own defaults, for each way to learn its covariance."""
    rmse = {str(row["method"]): float(row["rmse_truth"]) for row in rows}
    peers = {"than_oi": rmse["OI, tuned"], "than_defaults": rmse["kriging, defaults"]}
    kriging = {name: own for name, own in rmse.items() if name.startswith("kriging")}
    return [
        {"method": name, "rmse_truth": own, **{key: 100.0 * (1.0 - own / peer) for key, peer in peers.items()}}
        for name, own in kriging.items()
    ]


def tuned(oceans: Mapping[int, Challenge], evaluations: int) -> dict[str, Method]:
    """Choose the settings again, on mapped missions alone."""
    methods = dict(METHODS)
    for name, (settings, seed) in SEARCHED.items():
        found, rounded = search(name, oceans[seed].observations, METHODS[name], settings, evaluations)
        # A search of kriging scales all deviations, also those that it was not asked for.
        methods[name] = with_settings(found if isinstance(found, Kriging) else METHODS[name], rounded)
    covariance = covariance_of(qg(ELSEWHERE_DAYS, seed=ELSEWHERE))
    typer.echo(f"{FROM_FIELDS}: {covariance}")
    krige: Any = methods[FROM_FIELDS]
    return methods | {FROM_FIELDS: replace(krige, covariance=covariance)}


def main(
    tune_settings: Annotated[bool, typer.Option("--tune", help="Choose the settings again first.")] = False,
    evaluations: Annotated[int, typer.Option(help="Cross-validations for each search.")] = 20,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write every score to this file.")] = None,
    figures: Annotated[Path | None, typer.Option(help="Folder for the pictures.")] = None,
) -> None:
    """Map the simulated ocean by every method, and score."""
    challenge = osse()
    methods = tuned({0: challenge, ELSEWHERE: osse(seed=ELSEWHERE)}, evaluations) if tune_settings else dict(METHODS)
    methods |= {title: method_from(name, {}) for title, name in OTHERS.items() if name in REGISTERED}
    found = {name: evaluate(challenge, method, derivatives=True) for name, method in methods.items()}
    rows = [null_row(challenge), *(each.row(name, truth=True) for name, each in found.items())]
    for title, columns in (("Truth", TRUTH), ("Withheld track and cost", (*TRACK, *COST))):
        typer.echo(f"{title}:\n\n{markdown(rows, (METHOD, *columns))}\n")
    typer.echo(f"Covariance learned:\n\n{markdown(gains(rows), GAINS)}")
    if csv_file is not None:
        write_csv(rows, csv_file)
    if figures is not None:
        draw(challenge, {title: found[name] for name, title in DRAWN.items()}, figures)


def draw(challenge: Challenge, found: Mapping[str, Evaluation], folder: Path) -> None:
    """Draw truth and maps about the middle of the latitudes, and the spectra on the withheld track."""
    west, east, south, north = challenge.region
    cut = (north - south) / 5.0  # a picture of five rows would not fit a screen
    fields = {title: each.field for title, each in found.items()}
    field_maps(challenge, fields, (west, east, south + cut, north - cut)).savefig(folder / "osse_maps.png")
    spectra = plots.psd_score({title: each.track_score for title, each in found.items()})
    spectra.savefig(folder / "osse_psd_score.png")


if __name__ == "__main__":
    typer.run(main)
