"""One table of how fast xinr is: relative to its peers, and to what the machine can do.

``make bench``, or ``python -m tests.benchmarks.ratios``, prints it in some ten minutes on two cores; each row was
measured in turns with what it is compared with, in one process.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated

import torch
import typer

from tests.benchmarks import formal_errors, kriging, oi, training
from tests.benchmarks.measures import Measurement, print_parts
from tests.benchmarks.solver import machine_rates
from xinr.methods.neural.training import TrainingSettings


def machine(size: int, repeats: int) -> Iterator[Measurement]:
    """Measure the rates of this machine."""
    _, copied = machine_rates(size**2, repeats)
    yield Measurement("threads of torch", str(torch.get_num_threads()))
    yield Measurement("matrix product in float32", f"{1e-9 * training.product_rate(size, size, repeats):.0f} GFLOP/s")
    yield Measurement("copy of memory", f"{1e-9 * copied:.0f} GB/s")
    native = TrainingSettings().bfloat16(torch.device("cpu"))
    yield Measurement("bfloat16 multiplied by the hardware", "yes" if native else "no")


def main(small: Annotated[bool, typer.Option(help="A little of everything.")] = False) -> None:
    """Print the table."""
    size = kriging.SMALL if small else replace(kriging.Size(), peer_step=30, repeats=2)
    steps, features, batch = (2, 32, 64) if small else (10, 256, 1024)
    print_parts(
        {
            "machine": partial(machine, 256 if small else 2048, 3),
            "kriging": partial(kriging.year, size),
            "formal errors": partial(formal_errors.cost, size.year, size.repeats),
            "oi": partial(oi.baseline, oi.SMALL if small else oi.Size(days=11, published=1)),
            "networks": partial(training.rates, features, 4, batch, steps, 2),
        }
    )


if __name__ == "__main__":
    typer.run(main)
