"""The command ``xinr``. Each command imports what it needs when it runs, so that ``xinr --help`` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Sea-surface-height fields from altimetry tracks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def main() -> None:
    """Sea-surface-height fields from altimetry tracks."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for maps, tracks, table and figures.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Of the simulated sea and its observations.")] = 0,
) -> None:
    """Map a simulated sea by OI, kriging and SIREN, score each on a withheld altimeter, and draw figures."""
    from xinr.challenges import osse
    from xinr.demo import run

    result = run(out, osse(seed=seed))
    typer.echo(result.table)
    typer.echo(
        f"\nWritten to {out}{'' if out.is_absolute() else '/'}: " + ", ".join(path.name for path in result.files)
    )
