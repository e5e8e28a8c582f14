"""The transfer of one file over HTTP: it goes on where an earlier one broke off."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from glob import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import HTTPBasicAuth
from tqdm.auto import tqdm

from xinr.datasets.credentials import Credentials

CHUNK = 2**16
#: Seconds to wait for a connection, and for the next piece of a file.
TIMEOUT = (30.0, 60.0)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Part:
    """What has come of a file, in a hidden one beside it.

    Its name tells when the server's file was last modified [seconds since 1970], 0 where the server does not say: only
    while that holds does the rest belong to it.
    """

    path: Path
    modified: int

    @classmethod
    def of(cls, path: Path, modified: int) -> Part:
        """Return the part of a file, as yet empty."""
        return cls(path.with_name(f".{path.name}.{modified}.part"), modified)

    @classmethod
    def left(cls, path: Path) -> Part:
        """Return what an earlier transfer left, or an empty one."""
        found = sorted(path.parent.glob(f".{escape(path.name)}.*.part"))
        return cls(found[0], int(found[0].suffixes[-2][1:])) if found else cls.of(path, 0)

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0


@dataclass(frozen=True)
class Transfer:
    """Fetch a file: what `pooch` calls a downloader.

    Parameters
    ----------
    path : Path
        Where the file will be kept.
    credentials : Credentials, optional
        For HTTP basic authentication.

    Notes
    -----
    The rest of a file is asked for by ``Range``, on the condition ``If-Range``; a server that knows neither sends the
    whole again. A connection that breaks is taken up again at once, as long as each attempt brings something.
    """

    path: Path
    credentials: Credentials | None = None

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Fetch ``url``, and move it to ``output_file`` when whole.

        Raises
        ------
        PermissionError
            The server refuses the credentials, or asks for some.
        FileNotFoundError
            It has no such file.
        ConnectionError
            It cannot be reached, fails, or breaks off.
        OSError
            No space is left.
        ValueError
            The password would travel in clear.
        """
        parts = urlsplit(url)
        if self.credentials and parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError(f"{url} would send the password in clear: give an address that begins with https.")
        have = -1
        while (part := Part.left(self.path)).size > have:
            have = part.size
            try:
                os.replace(self._attempt(url, part), output_file)
                return
            except requests.RequestException as error:
                broken = error
        so_far = f" after {_megabytes(have)} of {self.path.name}" if have else ""
        raise ConnectionError(
            f"{parts.hostname} cannot be reached, or broke off ({_cause(broken)}){so_far}. Run the same again to go on."
        ) from None  # the frames of requests hold the headers, and so the password

    def _attempt(self, url: str, part: Part) -> Path:
        """Fetch what is missing, and return the whole file."""
        headers = {"Accept-Encoding": "identity"}  # sizes and ranges are those of the file itself
        if part.size and part.modified:
            headers |= {"Range": f"bytes={part.size}-", "If-Range": formatdate(part.modified, usegmt=True)}
        login = self.credentials
        auth = HTTPBasicAuth(login.username, login.password) if login else None  # a tuple would show the password
        with requests.get(url, headers=headers, auth=auth, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                part.path.unlink()  # it is no shorter than the file: begin again
                return self._attempt(url, Part.of(self.path, 0))
            _check(response, bool(self.credentials))
            if response.status_code != requests.codes.partial_content:
                part.path.unlink(missing_ok=True)
                part = Part.of(self.path, _modified(response))
            self._append(response, part)
        return part.path

    def _append(self, response: requests.Response, part: Part) -> None:
        length = response.headers.get("Content-Length")
        whole = None if length is None else part.size + int(length)
        with _space(self.path, part, whole), part.path.open("ab") as file, self._bar(part.size, whole) as bar:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
        if whole is not None and part.size != whole:
            raise requests.ConnectionError(f"{part.size} of {whole} bytes")

    def _bar(self, have: int, whole: int | None) -> Any:
        return tqdm(
            total=whole,
            initial=have,
            desc=self.path.name,
            unit="B",
            unit_scale=True,
            disable=None,
            leave=False,
            delay=1,
        )


def _check(response: requests.Response, with_credentials: bool) -> None:
    """Raise what the status of an answer means."""
    said = f"{response.status_code} {response.reason}, {response.url}"
    if response.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
        if with_credentials:
            raise PermissionError(f"the server refuses the user name and password, or the account this file: {said}.")
        raise PermissionError(f"the server asks for a user name and password: {said}.")
    if response.status_code in (requests.codes.not_found, requests.codes.gone):
        raise FileNotFoundError(f"the server has no such file: {said}.")
    if not response.ok:
        raise ConnectionError(f"the server cannot serve it now: {said}. Run the same again later.")
    if "html" in response.headers.get("Content-Type", ""):
        raise PermissionError(f"the server sent a web page, maybe to log in, instead of the file: {said}.")


def _modified(response: requests.Response) -> int:
    """Return when the server's file was modified [seconds since 1970], 0 where it does not say."""
    try:
        return int(parsedate_to_datetime(response.headers["Last-Modified"]).timestamp())
    except (KeyError, ValueError):
        return 0


@contextmanager
def _space(path: Path, part: Part, whole: int | None) -> Iterator[None]:
    """Raise OSError where the disk is too full for a file, before the transfer or during it."""
    free = shutil.disk_usage(path.parent).free
    to_come = None if whole is None else whole - part.size
    try:
        if to_come is not None and to_come > free:
            raise OSError(errno.ENOSPC, "before it began")
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        more = "" if to_come is None else f"{_megabytes(to_come)} to come, "
        raise OSError(
            error.errno,
            f"no space left in {path.parent} for {path.name}: {more}{_megabytes(free)} were free. "
            "Free some, and run the same again to go on",
        ) from None


def _cause(error: requests.RequestException) -> str:
    """Return the kind of error at the bottom, such as NameResolutionError."""
    inner = error.args[0] if error.args else error
    return type(getattr(inner, "reason", None) or error).__name__


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"
