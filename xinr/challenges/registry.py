"""Challenges by name, as the commands know them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, cast

from xinr.challenges.base import Challenge


@dataclass(frozen=True)
class Opener:
    """Where the function is that opens a challenge, and whether it takes the folder of its files first."""

    address: str
    from_files: bool


#: Name of each challenge, and what opens it; one's own is added by ``CHALLENGES["mine"] = Opener(...)``.
CHALLENGES: dict[str, Opener] = {
    "dc2020a": Opener("xinr.datasets:open_dc2020a", from_files=True),
    "dc2021a": Opener("xinr.datasets:open_dc2021a", from_files=True),
    "med2021": Opener("xinr.challenges:med2021", from_files=True),
    "osse": Opener("xinr.challenges:osse", from_files=False),
}


def open_challenge(name: str, data: str | Path | None = None, **options: Any) -> Challenge:
    """Open a challenge by its name.

    Parameters
    ----------
    name : str
        Key of `CHALLENGES`.
    data : str or Path, optional
        Folder of its files, if it has any.
    **options
        Of the function that opens it, such as ``withheld="s3a"``.

    Returns
    -------
    Challenge
        As that function gives it.

    Raises
    ------
    ValueError
        No such challenge or option; a folder is missing, or given to a challenge that has no files.

    Examples
    --------
    >>> from xinr.simulate import eddies
    >>> days = ("2021-01-01", "2021-01-05")
    >>> open_challenge("osse", truth=eddies(waves=20), withheld="s3b", missions=["j3"], period=days)
    <Challenge simulated sea: ... points of j3 to map, ... of s3b withheld, 2021-01-01 to 2021-01-05>
    """
    if name not in CHALLENGES:
        raise ValueError(f"unknown challenge {name!r}: expected one of {sorted(CHALLENGES)}.")
    opener = CHALLENGES[name]
    if opener.from_files != (data is not None):
        cure = "give the folder of its files, data=<folder>" if opener.from_files else "it has no files, leave out data"
        raise ValueError(f"the challenge {name!r} cannot be opened with data={data!r}: {cure}.")
    module, function_name = opener.address.split(":")
    function = getattr(import_module(module), function_name)
    unknown = sorted(set(options) - set(signature(function).parameters))
    if unknown:
        raise ValueError(
            f"the challenge {name!r} has no option {unknown}: expected {list(signature(function).parameters)}."
        )
    return cast(Challenge, function(*([] if data is None else [data]), **options))
