"""Movies: frames of one figure, as animated GIF or MP4."""

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

#: Dots per inch: a map is 276 dots wide, a frame has about 20 kB.
MOVIE_DPI = 72
#: Colours of at least this value become white.
NEARLY_WHITE = 243


def write_movie(path: Path, figure: Figure, draw: Callable[[int], None], frames: int, fps: int) -> Path:
    """Write ``frames`` pictures of a figure, each after ``draw(number)``; returns the path.

    ValueError for another suffix than .gif or .mp4 or without frames, RuntimeError for MP4 without ffmpeg.
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
    figure.set_layout_engine("none")  # the layout of the first frame holds for all

    def pictures() -> Iterator[Picture]:
        for frame in tqdm(range(frames), desc=path.name, disable=None, leave=False, delay=1):
            draw(frame)
            canvas.draw()  # type: ignore[no-untyped-call]
            yield np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]

    part = path.with_name(f".{path.stem}.part{path.suffix}")  # renamed when complete
    try:
        write(part, pictures(), fps)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _write_gif(path: Path, pictures: Iterator[Picture], fps: int) -> None:
    """Write pictures with the palette of the first, without dithering, so that nothing flickers."""
    first = Image.fromarray(next(pictures))
    palette = first.quantize(256)
    colours = np.array(palette.getpalette(), dtype=np.uint8).reshape(-1, 3)
    colours[colours.min(axis=1) > NEARLY_WHITE] = 255  # the background, which the palette averages
    palette.putpalette(colours.tobytes())
    images = chain([first], map(Image.fromarray, pictures))
    frames = (image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images)
    next(frames).save(path, save_all=True, append_images=frames, duration=round(1000 / fps), loop=0)


def _write_mp4(path: Path, pictures: Iterator[Picture], fps: int) -> None:
    """Write pictures with ffmpeg, padded to an even size for its codec."""
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
