"""Find the files of a challenge by their names, whatever folders they lie in."""

from collections.abc import Collection, Iterable
from pathlib import Path

import xarray as xr


def folder_of(path: str | Path, name: str) -> Path:
    """Return the folder of a dataset; FileNotFoundError, with the command that gets it, or NotADirectoryError."""
    folder = Path(path).expanduser()
    if not folder.exists():
        raise FileNotFoundError(f"no folder {folder}: fetch the data with 'xinr download {name} {folder}'.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file: expected the folder of {name}.")
    return folder


def chosen(missions: Iterable[str], known: Collection[str]) -> list[str]:
    """Return the missions to map; ValueError unless they are some of those known."""
    mapped = list(missions)
    if not mapped or any(mission not in known for mission in mapped):
        raise ValueError(f"missions must be some of {list(known)}, got {mapped}.")
    return mapped


def one_of_each(folder: Path, patterns: dict[str, str], name: str) -> dict[str, Path]:
    """Return the file whose name fits each pattern, anywhere below the folder of a dataset of that name.

    FileNotFoundError for a pattern that none fits, with what is there; ValueError for one that several fit.
    """
    found = {key: below(folder, pattern) for key, pattern in patterns.items()}
    missing = [key for key, paths in found.items() if not paths]
    if missing:
        there = sorted(path.name for path in folder.rglob("*.nc"))
        raise FileNotFoundError(
            f"{folder} lacks the files of {_some(missing)}: expected names such as {patterns[missing[0]]}, "
            f"there are: {_some(there)}. "
            f"Fetch what is missing with 'xinr download {name} {folder}', or name the files as they were published."
        )
    for key, paths in found.items():
        if len(paths) > 1:
            raise ValueError(f"several files of {key!r}: {', '.join(map(str, paths))}. Keep one of them.")
    return {key: paths[0] for key, paths in found.items()}


def below(folder: Path, pattern: str) -> list[Path]:
    """Return the files whose name fits a pattern, anywhere below a folder, in order."""
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


def open_map(path: Path) -> xr.Dataset:
    """Open a gridded file; ValueError if it cannot be read."""
    try:
        return xr.open_dataset(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as netCDF ({error}): is it complete? Fetch it again.") from error


def _some(names: list[str]) -> str:
    return (", ".join(names[:8]) or "none") + (f" and {len(names) - 8} more" if len(names) > 8 else "")
