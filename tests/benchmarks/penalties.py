"""What penalties of the training are worth: networks with and without each, on simulated oceans and real tracks.

``python -m tests.benchmarks.penalties`` prints the tables of docs/methods/neural.md for the simulated oceans; with
``--folder FOLDER`` also that of the mapping challenge of the Western Mediterranean; ``--case`` and ``--network`` choose
some. The weight of each penalty is the one of a few with which the training tracks of one mission, left out, are mapped
best from the others; the truth and the withheld track only score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import process_time
from typing import Annotated, Any

import numpy as np
import torch
import typer

from tests.benchmarks.measures import chosen
from xinr.challenges import Challenge, med2021, osse
from xinr.challenges.leaderboard import demo, evaluate
from xinr.challenges.leaderboard.table import METHOD, TRACK, TRUTH, Column, Row, markdown, track_cells, truth_cells
from xinr.fields.field import Field
from xinr.fields.fitting import fit_observations
from xinr.geo.points import Points
from xinr.methods import method_from
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.penalties import Penalty, QuasiGeostrophic, SquaredGradient, TotalVariation
from xinr.observations.observations import Observations
from xinr.simulate import as_field, qg

COLUMNS = (
    METHOD,
    Column("penalty", "penalty"),
    Column("weight", "weight", 2),
    Column("rmse_left_out", "rmse on the mission left out [cm]", 2, 100.0),
    *(column for column in TRUTH if column.key in ("rmse_truth", "mu_gradient", "mu_laplacian", "mu_velocity")),
    *TRACK[:2],
    Column("fit_seconds", "fit [CPU s]", 1),
)
PERIOD = ("2021-01-01", "2021-03-01")
#: Deformation radius of the upper of the two layers, as the lower one lets it be: 22 √1.25 [km].
UPPER_RADIUS = 25.0
#: About that of the Western Mediterranean [km].
MEDITERRANEAN_RADIUS = 10.0
#: Their settings on the simulated oceans; on real tracks the defaults, which were chosen there.
SIMULATED: Mapping[str, Mapping[str, Any]] = {"siren": demo.METHODS["siren"], "fourier": {}}
REAL: Mapping[str, Mapping[str, Any]] = {"siren": {}, "fourier": {}}


@dataclass(frozen=True)
class Case:
    """A challenge, its radius of deformation [km], the mission by which weights are chosen, and networks."""

    challenge: Challenge
    radius: float
    left_out: str
    networks: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: SIMULATED)

    def penalties(self) -> Mapping[str, list[Penalty | None]]:
        """Return each penalty with the weights among which one is chosen."""
        radius = self.radius
        return {
            "total variation": [TotalVariation(weight=weight) for weight in (0.03, 0.1)],
            "squared gradient": [SquaredGradient(weight=weight) for weight in (4.0, 16.0)],
            "quasi-geostrophic": [
                QuasiGeostrophic(weight=weight, deformation_radius=radius) for weight in (0.1, 0.3, 1.0)
            ],
        }


def one_layer_ocean() -> Field:
    """Simulate one layer: the equation of the quasi-geostrophic penalty, and forcing and drag."""
    return as_field(qg(60.0, model="one-layer", start=PERIOD[0]))


#: Simulated oceans; the challenge of the Mediterranean needs a folder.
OCEANS: Mapping[str, Callable[[], Case]] = {
    "two layers, five missions": lambda: Case(osse(), UPPER_RADIUS, "s3b"),
    "two layers, two missions": lambda: Case(osse(missions=("alg", "j3")), UPPER_RADIUS, "alg"),
    "one layer, five missions": lambda: Case(osse(one_layer_ocean()), 35.0, "s3b"),
}


def rows(case: Case, name: str, method: NeuralMethod, seeds: int) -> Iterator[Row]:
    """Score a network without penalty, and with each at the weight that maps the mission left out best.

    Everything is the mean over seeds, since penalties gain little more than seeds differ.
    """
    contenders: dict[str, list[Penalty | None]] = {"none": [None], **case.penalties()}
    for title, choices in contenders.items():
        tried = []
        for penalty in choices:
            fits = [replace(method, penalty=penalty, seed=seed) for seed in range(seeds)]
            each = [left_out_rmse(case, fit) for fit in fits]
            typer.echo(f"{name}: {', '.join(f'{100 * rmse:.2f}' for rmse in each)} cm with {penalty}", err=True)
            tried.append((float(np.mean(each)), penalty, fits))
        rmse, penalty, fits = min(tried, key=lambda trial: trial[0])
        weight = {"weight": penalty.weight} if penalty else {}
        scores = mean_of([scored(case.challenge, fit) for fit in fits])
        row: Row = {"method": name, "penalty": title, **weight, "rmse_left_out": rmse, **scores}
        typer.echo(str(row), err=True)
        yield row


def mean_of(scores: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each score.

    Examples
    --------
    >>> mean_of([{"mu": 0.5}, {"mu": 0.7}])
    {'mu': 0.6}
    """
    return {key: float(np.mean([each[key] for each in scores])) for key in scores[0]}


def left_out_rmse(case: Case, method: NeuralMethod) -> float:
    """Return the root mean square misfit at the mission left out [m], mapped from the other training missions."""
    observations: Observations = case.challenge.observations
    out = observations.mission_index == observations.missions.index(case.left_out)
    fitted, held = fit_observations(observations.take(~out), method), observations.take(out)
    x = fitted.frame.project(held.longitude, held.latitude, held.time)
    return float(np.sqrt(np.mean((fitted.predictor.predict(Points.of(x)) - held.value) ** 2)))


def scored(challenge: Challenge, method: NeuralMethod) -> dict[str, float]:
    """Fit all training tracks, and score on the truth where it is known, on the withheld track elsewhere."""
    known = challenge.truth is not None
    found = evaluate(challenge, method, derivatives=known, clock=process_time)
    return {**(truth_cells(found.truth_score) if known else track_cells(found.track_score)), **found.seconds}


def main(
    case: Annotated[list[str] | None, typer.Option(help="Oceans; by default all.")] = None,
    network: Annotated[list[str] | None, typer.Option(help="Networks; by default all.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Folder of the dt_med_*_phy_l3_*.nc files.")] = None,
    seeds: Annotated[int, typer.Option(help="Fits of which each figure is the mean.")] = 2,
    threads: Annotated[int, typer.Option(help="Of torch.")] = 1,
) -> None:
    """Fit networks with and without each penalty, and score."""
    torch.set_num_threads(threads)
    cases = dict(OCEANS)
    if folder is not None:
        cases["Western Mediterranean"] = lambda: Case(med2021(folder), MEDITERRANEAN_RADIUS, "j3", REAL)
    for title in chosen(case, cases):
        built, table = cases[title](), []
        for name in chosen(network, built.networks):
            method = method_from(name, dict(built.networks[name]))
            assert isinstance(method, NeuralMethod)  # those are the networks
            table += list(rows(built, name, method, seeds))
        typer.echo(f"{title}:\n\n{markdown(table, COLUMNS)}\n")


if __name__ == "__main__":
    typer.run(main)
