"""The command ``xinr``. Each command imports what it needs when it runs, so that ``xinr --help`` is quick."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from xinr._typing import Region

app = typer.Typer(
    help="Sea-surface-height fields from altimetry tracks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

CredentialsFile = Annotated[
    Path | None,
    typer.Option(
        help="YAML file with a block of the account, such as 'aviso: {username: ..., password: ...}'. "
        "Else the environment is asked, then netrc."
    ),
]


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"xinr {version('xinr')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Sea-surface-height fields from altimetry tracks."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for maps, tracks, table and figures.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Of the simulated ocean and its observations.")] = 0,
) -> None:
    """Map a simulated ocean by OI, kriging and SIREN, score each on a withheld altimeter, and draw figures."""
    from xinr.challenges import osse
    from xinr.challenges.leaderboard.demo import run

    result = run(out, osse(seed=seed))
    typer.echo(result.table)
    typer.echo(
        f"\nWritten to {out}{'' if out.is_absolute() else '/'}: " + ", ".join(path.name for path in result.files)
    )


@app.command()
def download(
    name: Annotated[str, typer.Argument(help="Which dataset. Without it: what there is.")] = "",
    folder: Annotated[Path | None, typer.Argument(help="Where to keep it; by default a folder of its name.")] = None,
    source: Annotated[str | None, typer.Option(help="Who to fetch it from.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Pattern of files, such as 'dc_obs/*'; may be repeated.")
    ] = None,
    credentials_file: CredentialsFile = None,
    url: Annotated[str | None, typer.Option(help="Root of a copy of the source, laid out as it is.")] = None,
) -> None:
    """Download a dataset, or what is missing of it."""
    from xinr import datasets
    from xinr.datasets.registry import catalogue

    if not name:
        typer.echo(f"{catalogue()}\n\nxinr download NAME [FOLDER], or xinr download-tracks for along-track altimetry.")
        return
    place = folder or Path(name)
    with _explained():
        paths = datasets.download(
            name, place, source=source, only=only or (), credentials_file=credentials_file, url=url
        )
    typer.echo(f"In {place}: " + ", ".join(str(path.relative_to(place.expanduser())) for path in paths))


@app.command()
def download_tracks(
    folder: Annotated[Path, typer.Argument(help="Where to keep the files, one for each mission and year.")],
    region: Annotated[Region, typer.Option(help="West, east, south, north [degrees].")],
    period: Annotated[tuple[str, str], typer.Option(help="First and last day, such as 2017-01-01 2021-12-31.")],
    mission: Annotated[list[str] | None, typer.Option(help="Such as j3; may be repeated. By default all.")] = None,
    credentials_file: CredentialsFile = None,
) -> None:
    """Download along-track (L3) altimetry of Copernicus Marine within a box and a period."""
    from xinr.datasets import L3_MISSIONS, download_l3

    with _explained():
        paths = download_l3(
            folder,
            region=region,
            period=period,
            missions=mission or L3_MISSIONS,
            credentials_file=credentials_file,
        )
    typer.echo(f"In {folder}: " + (", ".join(path.name for path in paths) or "no observation in that box and period"))


@contextmanager
def _explained() -> Iterator[None]:
    """Show the text of a warning or an error, not where in the code it arose."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: typer.echo(f"warning: {message}", err=True)
            yield
    except (ImportError, OSError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("stopped: the same command goes on from here", err=True)
        raise typer.Exit(130) from None


Named = Annotated[str, typer.Argument(help="Which challenge: dc2020a, dc2021a, med2021 or osse.")]
Data = Annotated[Path | None, typer.Option(help="Folder of its files; osse has none.")]
Withheld = Annotated[str | None, typer.Option(help="Mission to score on, where one can choose.")]
Methods = Annotated[str, typer.Option(help="Names of methods, with commas between.")]
ExistingMaps = Annotated[list[str] | None, typer.Option(help="NAME=FILE of a map to score too; may be repeated.")]
Tune = Annotated[int, typer.Option(help="Cross-validations to choose settings of each method; 0: the defaults.")]
METHODS_SHOWN = "oi,kriging,siren"


@app.command()
def leaderboard(
    challenge: Named,
    data: Data = None,
    withheld: Withheld = None,
    methods: Methods = METHODS_SHOWN,
    maps: ExistingMaps = None,
    tune: Tune = 0,
    devices: Annotated[str, typer.Option(help="Where to time methods that can choose, such as cpu,cuda.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for results, tables and report.")] = Path("leaderboard"),
) -> None:
    """Fit, map and score methods on a challenge: one table, with differences pair by pair. Resumed where left."""
    from xinr.challenges.leaderboard import text_of
    from xinr.challenges.leaderboard.report import write_report

    with _explained():
        board = _board(challenge, data, withheld, methods, maps, tune, devices, out)
        report = write_report(board, out)
    typer.echo(text_of(board))
    typer.echo(f"Written to {out}: leaderboard.md, leaderboard.csv, leaderboard.nc, {report.name}")


@app.command()
def gallery(
    challenge: Named = "osse",
    data: Data = None,
    withheld: Withheld = None,
    methods: Methods = METHODS_SHOWN,
    maps: ExistingMaps = None,
    tune: Tune = 0,
    quantities: Annotated[str, typer.Option(help="Of the movies.")] = "height,gradient,laplacian",
    movies: Annotated[str, typer.Option(help="gif or mp4.")] = "gif",
    frames: Annotated[int, typer.Option(help="Of each movie, at most.")] = 30,
    out: Annotated[Path, typer.Option(help="Folder for results, pictures and movies.")] = Path("gallery"),
) -> None:
    """Draw a challenge: tracks, maps and their derivatives by every method, as pictures and movies in one page."""
    from xinr.challenges.leaderboard.gallery import gallery as draw

    with _explained():
        board = _board(challenge, data, withheld, methods, maps, tune, "", out)
        drawn = draw(board, out, quantities=_listed(quantities), movies=movies, frames=frames)
    typer.echo(f"Written to {out}: {drawn.page.name}, " + ", ".join(path.name for path in drawn.files))


def _board(
    challenge: str,
    data: Path | None,
    withheld: str | None,
    methods: str,
    maps: list[str] | None,
    tune: int,
    devices: str,
    out: Path,
) -> Any:
    from xinr.challenges import open_challenge
    from xinr.challenges.leaderboard import run

    options = {} if withheld is None else {"withheld": withheld}
    opened = open_challenge(challenge, data, **options)
    return run(opened, _listed(methods), out, maps=_opened(maps or []), tune=tune, devices=_listed(devices))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _opened(named: list[str]) -> dict[str, Any]:
    import xarray as xr

    pairs = [each.partition("=") for each in named]
    wrong = [name for name, equals, _ in pairs if not equals]
    if wrong:
        raise typer.BadParameter(f"expected NAME=FILE, got {wrong}.", param_hint="--maps")
    return {name: xr.open_dataset(path) for name, _, path in pairs}
