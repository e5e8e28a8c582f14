"""Movies: frames of one figure, as animated GIF or MP4."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from tqdm.auto import tqdm

Picture = NDArray[np.uint8]  # (height, width, 3)

#: Dots per inch: a map is 276 dots wide, so that four stand side by side on a page, and a frame takes some 20 kB.
MOVIE_DPI = 72
NEARLY_WHITE = 243


def write_movie(path: Path, figure: Figure, draw: Callable[[int], None], frames: int, fps: int) -> Path:
    """Draw a figure again and again, and write its pictures as a movie.

    Parameters
    ----------
    path : Path
        Ends in ``.gif`` or ``.mp4``.
    figure : Figure
        Its layout is settled with the first frame.
    draw : callable
        Changes the figure to the frame of that number, from 0.
    frames : int
        How many.
    fps : int
        Frames per second.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    ValueError
        Another kind of file, or no frame.
    RuntimeError
        An MP4, and no ffmpeg.
    """
    if frames < 1:
        raise ValueError("a movie needs a frame: the times are empty.")
    if path.suffix not in (".gif", ".mp4"):
        raise ValueError(f"a movie must end in .gif or .mp4, got {path.name!r}.")
    write = _write_gif if path.suffix == ".gif" else _write_mp4
    figure.set_dpi(MOVIE_DPI)
    canvas = FigureCanvasAgg(figure)
    draw(0)
    canvas.draw()  # type: ignore[no-untyped-call]
    figure.set_layout_engine("none")  # else a longer label would shift every map

    def pictures() -> Iterator[Picture]:
        for frame in tqdm(range(frames), desc=path.name, disable=None, leave=False, delay=1):
            draw(frame)
            canvas.draw()  # type: ignore[no-untyped-call]
            yield np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]

    part = path.with_name(f".{path.stem}.part{path.suffix}")  # the name is taken only by a movie that is whole
    try:
        write(part, pictures(), fps)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _write_gif(path: Path, pictures: Iterator[Picture], fps: int) -> None:
    """Write pictures with the colours of the first, not dithered: what does not change does not flicker."""
    first = Image.fromarray(next(pictures))
    palette = first.quantize(256)
    colours = np.array(palette.getpalette(), dtype=np.uint8).reshape(-1, 3)
    colours[colours.min(axis=1) > NEARLY_WHITE] = 255  # paper is white, and means of colours are not
    palette.putpalette(colours.tobytes())
    images = chain([first], map(Image.fromarray, pictures))
    frames = (image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images)
    next(frames).save(path, save_all=True, append_images=frames, duration=round(1000 / fps), loop=0)


def _write_mp4(path: Path, pictures: Iterator[Picture], fps: int) -> None:
    """Hand pictures to ffmpeg, of an even size as its codec wants them."""
    try:
        from imageio_ffmpeg import write_frames
    except ImportError:
        raise RuntimeError(
            f"an MP4 needs ffmpeg: pip install 'xinr[figures]', or name the movie .gif, not {path.suffix}."
        ) from None
    for i, picture in enumerate(pictures):
        even = np.pad(picture, [(0, picture.shape[0] % 2), (0, picture.shape[1] % 2), (0, 0)], "edge")
        if i == 0:
            writer = write_frames(str(path), even.shape[1::-1], fps=fps, codec="libx264", macro_block_size=2)
            writer.send(None)
        writer.send(np.ascontiguousarray(even))
    writer.close()
