"""The download of one file over HTTP, which continues an interrupted one."""

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
    """The downloaded part of a file, a hidden file in the same folder.

    Its name has the time of modification of the server's file [seconds since 1970], 0 where unknown: the rest can be
    appended only while that is unchanged.
    """

    path: Path
    modified: int

    @classmethod
    def of(cls, path: Path, modified: int) -> Part:
        """Return the part of a file, without any data."""
        return cls(path.with_name(f".{path.name}.{modified}.part"), modified)

    @classmethod
    def left(cls, path: Path) -> Part:
        """Return the part that an earlier download left, or an empty one."""
        found = sorted(path.parent.glob(f".{escape(path.name)}.*.part"))
        return cls(found[0], int(found[0].suffixes[-2][1:])) if found else cls.of(path, 0)

    @property
    def size(self) -> int:
        """Bytes downloaded."""
        return self.path.stat().st_size if self.path.exists() else 0


@dataclass(frozen=True)
class Transfer:
    """Download a file: a downloader of `pooch`.

    Notes
    -----
    The rest of a file is requested by ``Range`` with ``If-Range``; a server without them sends the whole file. A broken
    connection is resumed at once, as long as each attempt makes progress.
    """

    path: Path  #: Final path of the file.
    credentials: Credentials | None = None  #: For HTTP basic authentication.

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Download ``url``, and move it to ``output_file`` when complete; for errors see `xinr.datasets.download`."""
        parts = urlsplit(url)
        if self.credentials and parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError(f"{url} would send the password unencrypted: give an address that begins with https.")
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
            f"{parts.hostname} cannot be reached, or closed the connection ({_cause(broken)}){so_far}. "
            "Run the same again to continue."
        ) from None  # the traceback of requests has the headers, with the password

    def _attempt(self, url: str, part: Part) -> Path:
        """Download the missing part, and return the path of the complete file."""
        headers = {"Accept-Encoding": "identity"}  # sizes and ranges are those of the file itself
        if part.size and part.modified:
            headers |= {"Range": f"bytes={part.size}-", "If-Range": formatdate(part.modified, usegmt=True)}
        login = self.credentials  # as a tuple it would show the password in tracebacks
        auth = HTTPBasicAuth(login.username, login.password) if login else None
        with requests.get(url, headers=headers, auth=auth, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                part.path.unlink()  # not shorter than the file: start again
                return self._attempt(url, Part.of(self.path, 0))
            _check(response, bool(self.credentials))
            if response.status_code != requests.codes.partial_content:
                part.path.unlink(missing_ok=True)
                part = Part.of(self.path, _modified(response))
            self._append(response, part)
        return part.path

    def _append(self, response: requests.Response, part: Part) -> None:
        length = response.headers.get("Content-Length")
        total = None if length is None else part.size + int(length)
        shown = {"desc": self.path.name, "unit": "B", "unit_scale": True, "disable": None, "leave": False, "delay": 1}
        with (
            _space(self.path, part, total),
            part.path.open("ab") as file,
            tqdm(total=total, initial=part.size, **shown) as bar,
        ):
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
        if total is not None and part.size != total:
            raise requests.ConnectionError(f"{part.size} of {total} bytes")


def _check(response: requests.Response, with_credentials: bool) -> None:
    """Raise the error that the status of a response means."""
    said = f"{response.status_code} {response.reason}, {response.url}"
    if response.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
        if with_credentials:
            raise PermissionError(f"the server refuses the user name and password, or the account this file: {said}.")
        raise PermissionError(f"the server asks for a user name and password: {said}.")
    if response.status_code in (requests.codes.not_found, requests.codes.gone):
        raise FileNotFoundError(f"the server has no such file: {said}.")
    if not response.ok:
        raise ConnectionError(f"the server cannot send the file now: {said}. Run the same again later.")
    if "html" in response.headers.get("Content-Type", ""):
        raise PermissionError(f"the server sent a web page, maybe to log in, instead of the file: {said}.")


def _modified(response: requests.Response) -> int:
    """Return when the server's file was modified [seconds since 1970], 0 where unknown."""
    try:
        return int(parsedate_to_datetime(response.headers["Last-Modified"]).timestamp())
    except (KeyError, ValueError):
        return 0


@contextmanager
def _space(path: Path, part: Part, total: int | None) -> Iterator[None]:
    """Raise OSError if the disk is too full, before the download or during it."""
    free = shutil.disk_usage(path.parent).free
    to_come = None if total is None else total - part.size
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
            "Free some, and run the same again to continue",
        ) from None


def _cause(error: requests.RequestException) -> str:
    """Return the name of the original error, such as NameResolutionError."""
    inner = error.args[0] if error.args else error
    return type(getattr(inner, "reason", None) or error).__name__


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"
