"""User names and passwords, from a file, the environment or netrc; no message or repr shows them."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from netrc import NetrcParseError
from pathlib import Path
from typing import Any

from xinr._warnings import warn

EXAMPLE = "{}: {{username: <name>, password: <password>}}"


@dataclass(frozen=True)
class Account:
    """An account with a data provider: its block in a credentials file, environment variables, registration page."""

    name: str
    username: str
    password: str
    page: str


@dataclass(frozen=True)
class Credentials:
    """A user name, and a password that no repr shows."""

    username: str
    password: str = field(repr=False)


ACCOUNTS = {
    "aviso": Account(
        "aviso",
        "AVISO_USERNAME",
        "AVISO_PASSWORD",
        "https://www.aviso.altimetry.fr/en/data/data-access/registration-form.html",
    ),
    "copernicusmarine": Account(
        "copernicusmarine",
        "COPERNICUSMARINE_SERVICE_USERNAME",
        "COPERNICUSMARINE_SERVICE_PASSWORD",
        "https://data.marine.copernicus.eu/register",
    ),
}


def find_credentials(account: Account, file: str | Path | None = None, url: str = "") -> Credentials | None:
    """Return the user name and password of an account: from the file if given, else the environment, else netrc.

    None where there are none. The file is YAML with a block ``<account>: {username: ..., password: ...}``, among any
    others; ``url`` is the server, as in netrc.

    Raises
    ------
    FileNotFoundError
        No such credentials file.
    ValueError
        Invalid YAML, no such account in the file, half of it in the environment, or an invalid netrc.

    Warns
    -----
    UserWarning
        Other users can read the credentials file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "credentials.yaml")
    ...     path.touch(mode=0o600)
    ...     _ = path.write_text("aviso: {username: jane, password: secret}")
    ...     find_credentials(ACCOUNTS["aviso"], path)
    Credentials(username='jane')
    """
    if file is not None:
        return _from_file(account, Path(file).expanduser())
    return _from_environment(account, os.environ) or _from_netrc(url)


def _from_file(account: Account, path: Path) -> Credentials:
    if not path.is_file():
        raise FileNotFoundError(
            f"no credentials file {path}: make it, with the line '{EXAMPLE.format(account.name)}', "
            f"and 'chmod 600 {path}'."
        )
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        warn(f"others can read the passwords in {path}: chmod 600 {path}.")
    blocks = _parsed(path)
    block = blocks.get(account.name) if isinstance(blocks, dict) else None
    match block:
        case {"username": str(username), "password": str(password)} if username and password:
            return Credentials(username, password)
    raise ValueError(
        f"{path} lacks the user name and password of {account.name!r}: expected the line "
        f"'{EXAMPLE.format(account.name)}'. Register at {account.page}."
    )


def _parsed(path: Path) -> Any:
    import yaml

    try:
        # Every value as text: 0123 may be a password.
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
    # Not chained, since the parser's message quotes the line, which may hold the password.
    raise ValueError(f"{path} cannot be read as YAML{where}: put a password with special characters in quotes.")


def _from_environment(account: Account, environment: Mapping[str, str]) -> Credentials | None:
    names = account.username, account.password
    missing = [name for name in names if not environment.get(name)]
    if len(missing) == 1:
        present = next(name for name in names if name not in missing)
        raise ValueError(f"the environment has {present} but no {missing[0]}: set both, or neither.")
    return None if missing else Credentials(environment[account.username], environment[account.password])


def _from_netrc(url: str) -> Credentials | None:
    from requests.utils import get_netrc_auth

    try:
        found = get_netrc_auth(url, raise_errors=True)
    except NetrcParseError as error:
        file, line = error.filename, error.lineno
    except OSError:
        return None
    else:
        return Credentials(*found) if found else None
    # Not chained, since the parser's message quotes the file, and perhaps the password.
    raise ValueError(
        f"{file} cannot be used as netrc (line {line}): expected 'machine <host> login <name> password <password>' "
        "in a file that only you can read (chmod 600)."
    )
