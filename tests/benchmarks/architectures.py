"""The neural architectures on the same tracks, with as many steps and points a step, each with its own defaults.

``python -m tests.benchmarks.architectures FOLDER`` prints the table of docs/methods/neural.md, for the mapping
challenge of the Western Mediterranean, Sentinel-3A withheld; FOLDER has its files dt_med_<mission>_phy_l3_*.nc.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Annotated

import torch
import typer

from tests.benchmarks.measures import chosen
from xinr.challenges import Challenge, med2021
from xinr.challenges.leaderboard import evaluate
from xinr.challenges.leaderboard.table import METHOD, TRACK, Column, Row, markdown
from xinr.fields.fitted import FittedField
from xinr.methods import METHODS, method_from
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.validation.cross_validation import cross_validate

#: Seconds are those of the processor, by all threads together: they mean something on a busy machine, too.
COLUMNS = (
    METHOD,
    Column("rmse_cv", "cross-validated rmse [cm]", 2, 100.0),
    *TRACK[:2],
    Column("parameters", "parameters", 0),
    Column("fit_seconds", "fit [CPU s]", 1),
    Column("map_seconds", "maps [CPU s]", 1),
)


def architectures() -> dict[str, NeuralMethod]:
    """Return every neural method of the registry, with its defaults.

    Examples
    --------
    >>> sorted(architectures())
    ['finer', 'fourier', ..., 'siren', 'wire']
    """
    methods = {name: method_from(name, {}) for name in METHODS}
    return {name: method for name, method in methods.items() if isinstance(method, NeuralMethod)}


def row(challenge: Challenge, method: NeuralMethod) -> Row:
    """Cross-validate one method on the training tracks, then fit them all, map and score."""
    rmse = float(cross_validate(challenge.observations, method).mean())
    found = evaluate(challenge, method, clock=process_time)
    size = float(parameters(found.field))
    return {**found.row(type(method).__name__), "rmse_cv": rmse, "parameters": size}


def parameters(field: FittedField) -> int:
    """Return how many numbers the training chose."""
    predictor = field.predictor
    if not isinstance(predictor, NeuralPredictor):
        raise TypeError(f"expected a field of a network, got one of {type(predictor).__name__}.")
    return sum(weight.numel() for weight in predictor.network.parameters())


def main(
    folder: Annotated[Path, typer.Argument(help="Folder of the dt_med_*_phy_l3_*.nc files.")],
    method: Annotated[list[str] | None, typer.Option(help="Architectures; by default all.")] = None,
    steps: Annotated[int, typer.Option(help="Optimisation steps.")] = 300,
    batch_size: Annotated[int, typer.Option(help="Points drawn for each.")] = 1024,
    threads: Annotated[int, typer.Option(help="Of torch.")] = 1,
) -> None:
    """Map three missions of the Western Mediterranean with each architecture, and score on Sentinel-3A."""
    torch.set_num_threads(threads)
    known = architectures()
    methods = [replace(known[name], steps=steps, batch_size=batch_size) for name in chosen(method, sorted(known))]
    challenge = med2021(folder)
    typer.echo(markdown([row(challenge, each) for each in methods], COLUMNS))


if __name__ == "__main__":
    typer.run(main)
