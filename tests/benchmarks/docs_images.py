"""Every picture of the docs: ``python -m tests.benchmarks.docs_images`` lists them.

``python -m tests.benchmarks.docs_images oi_windows 'demo_*'`` makes some. Those from real tracks need ``--data``, a
folder with the subfolders med2021 (dt_med_<mission>_phy_l3_*.nc) and nasa_ssh (GSFC-alt_ssh202201*.nc). Most take
minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
import xarray as xr
from matplotlib.figure import Figure

from tests.benchmarks import oi_figures, osse, simulation
from tests.benchmarks.measures import chosen
from xinr import plots
from xinr.challenges import med2021
from xinr.challenges import osse as simulated
from xinr.challenges.leaderboard import demo, evaluate, run
from xinr.challenges.leaderboard.figures import figures
from xinr.challenges.leaderboard.gallery import gallery
from xinr.methods import method_from
from xinr.methods.tiled.method import Tiled
from xinr.plots.style import DPI
from xinr.simulate import qg

#: Of the gallery, what the docs leave out.
NOT_SHOWN = ("maps.png", "observations.png", "resolved-scales.png")


def draw_demo(images: Path, _: Path) -> None:
    """Draw what ``xinr demo`` draws."""
    with TemporaryDirectory() as folder:
        for path in demo.run(Path(folder)).files:
            if path.suffix == ".png":
                copy(path, images / f"demo_{path.name}")


def draw_osse(images: Path, _: Path) -> None:
    """Draw what ``python -m tests.benchmarks.osse --figures`` draws, without its tables."""
    challenge = simulated()
    found = {title: evaluate(challenge, osse.METHODS[name]) for name, title in osse.DRAWN.items()}
    osse.draw(challenge, found, images)


def draw_gallery(images: Path, _: Path) -> None:
    """Draw the gallery of the simulated ocean by the methods of the demo."""
    methods = {demo.TITLES.get(name, name): method_from(name, dict(each)) for name, each in demo.METHODS.items()}
    with TemporaryDirectory() as folder:
        drawn = gallery(run(simulated(), methods, Path(folder)), Path(folder), frames=12)
        for path in drawn.files:
            if path.name not in NOT_SHOWN:
                copy(path, images / "gallery" / path.name)


def draw_med2021(images: Path, data: Path) -> None:
    """Draw the leaderboard of the Western Mediterranean, Sentinel-3A withheld."""
    names = {"Maps": "maps", "Resolved scales": "psd_score", "Errors by place": "errors_by_place"}
    with TemporaryDirectory() as folder:
        board = run(med2021(data / "med2021"), ["oi", "duacs", "kriging", "positional", "siren"], Path(folder))
    for title, figure in figures(board):
        if title in names:
            figure.savefig(images / f"med2021_{names[title]}.png")


def globe(data: Path) -> Figure:
    """Draw a map of the globe from three days of one satellite."""
    paths = sorted((data / "nasa_ssh").glob("GSFC-alt_ssh202201*.nc"))
    days = [xr.open_dataset(path)[["ssh", "nasa_flag"]].load() for path in paths]
    tracks = xr.concat([ds[["ssh"]].where(ds["nasa_flag"] == 0) for ds in days], "time")
    field = tracks.inr.fit(Tiled())
    axes = {"latitude": np.arange(-79.5, 80.0), "longitude": np.arange(0.5, 360.0)}
    grid = xr.Dataset(coords={"time": [np.datetime64("2022-01-02", "ns")], **axes})
    return plots.maps({"tiles": field}, grid, quantities=("height", "gradient"))


#: Pictures of one figure, named as their file.
FIGURES: Mapping[str, Callable[[Path], Figure]] = {
    "oi_duacs": lambda data: oi_figures.scales(data / "med2021"),
    "oi_local": lambda _: oi_figures.sections(),
    "oi_windows": lambda _: oi_figures.windows(),
    "qg": lambda _: simulation.draw(qg(400).isel(time=slice(None, None, 5))),
    "tiles_globe": globe,
}
#: Pictures that are made together, and what makes them.
GROUPS: Mapping[str, Callable[[Path, Path], None]] = {
    "demo_*": draw_demo,
    "gallery/*": draw_gallery,
    "med2021_*": draw_med2021,
    "osse_*": draw_osse,
}
FROM_DATA = ("oi_duacs", "tiles_globe", "med2021_*")


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Pictures to make; without any: what there is.")] = None,
    images: Annotated[Path, typer.Option(help="Where they go.")] = Path("docs/images"),
    data: Annotated[Path | None, typer.Option(help="Folder of real tracks.")] = None,
) -> None:
    """List the pictures of the docs, or make some."""
    if not names:
        typer.echo("\n".join(f"{name}{', needs --data' * (name in FROM_DATA)}" for name in [*FIGURES, *GROUPS]))
        return
    for name in chosen(names, [*FIGURES, *GROUPS]):
        if name in FROM_DATA and data is None:
            raise typer.BadParameter(f"{name} is drawn from real tracks: say where, --data FOLDER.")
        if name in FIGURES:
            FIGURES[name](data or Path()).savefig(images / f"{name}.png", dpi=DPI)
        else:
            GROUPS[name](images, data or Path())


if __name__ == "__main__":
    typer.run(main)
