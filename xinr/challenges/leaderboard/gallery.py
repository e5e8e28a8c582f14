"""Every picture and movie of a leaderboard, and a page of markdown that shows them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm

from xinr import plots
from xinr.challenges.leaderboard.board import Leaderboard
from xinr.challenges.leaderboard.entry import slug
from xinr.challenges.leaderboard.figures import figures, observed, sources_of
from xinr.challenges.leaderboard.text import described
from xinr.plots.sheet import colour_limits

#: Of the movies of each method.
MOVED = ("height", "gradient", "laplacian")
#: Days before and after a frame whose observations it shows.
WINDOW = 3.0


@dataclass(frozen=True)
class Gallery:
    """The page, and the files that it shows."""

    page: Path
    files: tuple[Path, ...]


def gallery(
    board: Leaderboard,
    folder: Path,
    *,
    quantities: Sequence[str] = MOVED,
    movies: str = "gif",
    frames: int = 30,
    fps: int = 5,
) -> Gallery:
    """Draw the pictures of a leaderboard, and a movie of each quantity for each method, on one colour scale.

    Parameters
    ----------
    board : Leaderboard
        Of `xinr.challenges.leaderboard.run`.
    folder : Path
        For the files, made if need be.
    quantities : sequence of str
        Of the movies, one for each method and quantity: keys of `xinr.plots.QUANTITIES`.
    movies : {"gif", "mp4"}
        Kind of movie; mp4 needs ffmpeg.
    frames, fps : int
        At most so many, evenly over the period; so many in a second.

    Returns
    -------
    Gallery
        Its page is ``gallery.md``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    grid = board.challenge.grid
    # At most so many, and evenly: steps of the same length.
    step = slice(None, None, math.ceil(grid.sizes["time"] / frames))
    sources = {name: ds.isel(time=step) for name, ds in sources_of(board).items()}
    truth = None if board.challenge.truth is None else board.challenge.true_maps.isel(time=step)
    tracks = folder / f"observations.{movies}"
    plots.tracks_movie(tracks, observed(board.challenge), grid["time"].values[step], "height", window=WINDOW, fps=fps)
    moved: dict[str, dict[str, Path]] = {name: {} for name in sources}
    for quantity in tqdm(quantities, desc="movies", disable=None, leave=False, delay=1):
        limits = colour_limits(plots.quantities_of(ds, [quantity], truth=truth) for ds in sources.values())
        for name, ds in sources.items():  # on one colour scale
            moved[name][quantity] = folder / f"{slug(name)}_{slug(quantity)}.{movies}"
            plots.movie(moved[name][quantity], {name: ds}, quantities=[quantity], truth=truth, limits=limits, fps=fps)
    pictures = {}
    for title, figure in figures(board):
        pictures[title] = folder / f"{slug(title)}.png"
        figure.savefig(pictures[title])
    page = folder / "gallery.md"
    page.write_text(_page(board, tracks, moved, pictures), encoding="utf-8")
    return Gallery(page, (tracks, *(path for row in moved.values() for path in row.values()), *pictures.values()))


def _page(
    board: Leaderboard, tracks: Path, moved: Mapping[str, Mapping[str, Path]], pictures: Mapping[str, Path]
) -> str:
    """Return the markdown: the challenge, a row of movies for each map, and the pictures."""
    first, *_ = moved
    known, *_ = moved[first].values()
    quantities = list(moved[first])
    titles = [plots.QUANTITIES[name].title for name in quantities]
    parts = [
        f"# {board.challenge.name}",
        described(board.challenge),
        "## Challenge",
        _table([["Altimeter tracks", f"{titles[0]}: {first}"], [_shown(tracks), _shown(known)]]),
        "## Movies",
        _table([["", *titles], *([name, *map(_shown, row.values())] for name, row in moved.items())]),
        "## Pictures",
        *(f"### {title}\n\n{_shown(path)}" for title, path in pictures.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _table(rows: Iterable[Sequence[str]]) -> str:
    """Return a markdown table of pictures, the first row its heading."""
    head, *others = rows
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, [":---:"] * len(head), *others])


def _shown(path: Path) -> str:
    """Return a picture, or a link to a film, in markdown."""
    mark = "!" if path.suffix != ".mp4" else ""
    return f"{mark}[{path.stem.replace('_', ' ')}]({path.name})"
