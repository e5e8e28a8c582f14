"""Challenges by name, as the commands know them."""

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

from xinr.challenges.challenge import Challenge
from xinr.challenges.dc2020a import dc2020a
from xinr.challenges.dc2021a import dc2021a
from xinr.challenges.med2021 import med2021
from xinr.challenges.osse import osse

#: What opens each challenge; one with files takes their ``folder``. Add your own by ``CHALLENGES["mine"] = function``.
CHALLENGES: dict[str, Callable[..., Challenge]] = {
    "dc2020a": dc2020a,
    "dc2021a": dc2021a,
    "med2021": med2021,
    "osse": osse,
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

    Raises
    ------
    ValueError
        No such challenge or option; a folder is missing, or given to a challenge that has no files.

    Examples
    --------
    >>> from xinr.simulate import eddies
    >>> days = ("2021-01-01", "2021-01-05")
    >>> open_challenge("osse", truth=eddies(waves=20), withheld="s3b", missions=["j3"], period=days)
    <Challenge simulated ocean: ... points of j3 to map, ... of s3b withheld, 2021-01-01 to 2021-01-05>
    """
    if name not in CHALLENGES:
        raise ValueError(f"unknown challenge {name!r}: expected one of {sorted(CHALLENGES)}.")
    known = list(signature(CHALLENGES[name]).parameters)
    if ("folder" in known) != (data is not None):
        cure = "give the folder of its files, data=<folder>" if data is None else "it has no files, leave out data"
        raise ValueError(f"the challenge {name!r} cannot be opened with data={data!r}: {cure}.")
    known = [option for option in known if option != "folder"]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"the challenge {name!r} has no option {unknown}: expected {known}.")
    return CHALLENGES[name](**options, **({} if data is None else {"folder": data}))
