"""The neural architectures on the same tracks, with as many steps and points a step, each with its own defaults.

``python -m tests.benchmarks.architectures FOLDER`` prints the table of docs/methods/neural.md, for the mapping
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Annotated

import torch
import typer

from xinr.challenges import Challenge, med2021
from xinr.challenges.leaderboard.table import METHOD, TRACK, Column, Row, markdown, track_cells
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


def rows(challenge: Challenge, methods: Iterable[NeuralMethod], steps: int, batch_size: int) -> Iterator[Row]:
    """Cross-validate, fit, map and score each architecture in turn."""
    for method in methods:
        yield judged(challenge, replace(method, steps=steps, batch_size=batch_size))


def judged(challenge: Challenge, method: NeuralMethod) -> Row:
    """Cross-validate one method on the training tracks, then fit them all, map and score."""
    rmse = float(cross_validate(challenge.observations, method).mean())
    started = process_time()
    field = challenge.fit(method)
    fitted = process_time()
    field.interp(challenge.grid)
    mapped = process_time()
    return {
        "method": type(method).__name__,
        "rmse_cv": rmse,
        **track_cells(challenge.score(field)),
        "parameters": float(parameters(field)),
        "fit_seconds": fitted - started,
        "map_seconds": mapped - fitted,
    }


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
    unknown = sorted(set(method or ()) - set(known))
    if unknown:
        raise typer.BadParameter(f"no architecture {unknown}: expected some of {sorted(known)}.")
    chosen = [known[name] for name in method or sorted(known)]
    typer.echo(markdown(rows(med2021(folder), chosen, steps, batch_size), COLUMNS))


if __name__ == "__main__":
    typer.run(main)
