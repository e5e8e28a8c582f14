"""Challenges by name, as the commands know them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

from xinr.challenges.challenge import Challenge
from xinr.challenges.dc2020a import dc2020a
from xinr.challenges.dc2021a import dc2021a
from xinr.challenges.med2021 import med2021
from xinr.challenges.osse import osse


@dataclass(frozen=True)
class Opener:
    """The function that opens a challenge, and whether it takes the folder of its files first."""

    function: Callable[..., Challenge]
    from_files: bool


#: Name of each challenge, and what opens it; one's own is added by ``CHALLENGES["mine"] = Opener(...)``.
CHALLENGES: dict[str, Opener] = {
    "dc2020a": Opener(dc2020a, from_files=True),
    "dc2021a": Opener(dc2021a, from_files=True),
    "med2021": Opener(med2021, from_files=True),
    "osse": Opener(osse, from_files=False),
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
    known = list(signature(opener.function).parameters)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"the challenge {name!r} has no option {unknown}: expected {known}.")
    return opener.function(*([] if data is None else [data]), **options)
