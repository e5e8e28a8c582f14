"""Download a dataset: each file appears whole or not at all, and what is there is not fetched again."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pooch
from tqdm.auto import tqdm

from xinr.datasets.credentials import ACCOUNTS, EXAMPLE, Credentials, find_credentials
from xinr.datasets.registry import ARCHIVE, Remote, Source, dataset
from xinr.datasets.transfer import Transfer


def download(
    name: str,
    folder: str | Path,
    *,
    source: str | None = None,
    only: Iterable[str] = (),
    credentials_file: str | Path | None = None,
    url: str | None = None,
) -> list[Path]:
    """Download a dataset, or what is missing of it.

    Parameters
    ----------
    name : str
        Key of `xinr.datasets.DATASETS`.
    folder : str or Path
        Where to keep it, made if need be.
    source : str, optional
        Who to fetch it from, by default the first of its ``sources``.
    only : iterable of str
        Patterns of the paths to fetch, such as ``["dc_obs/*"]``; by default all.
    credentials_file : str or Path, optional
        YAML file with the user name and password, where the source asks for an account: see
        `xinr.datasets.credentials.find_credentials`, which else looks in the environment, then in netrc.
    url : str, optional
        Root of a copy of the source, laid out as it is.

    Returns
    -------
    list of Path
        The files, and the folders that archives unpacked to.

    Raises
    ------
    ValueError
        No such dataset, source, file or account, or a checksum that is not the published one.
    PermissionError
        No user name and password, or wrong ones.
    FileNotFoundError
        The server has no such file.
    ConnectionError
        The server cannot be reached, fails, or breaks off.
    OSError
        No space is left.

    Notes
    -----
    A transfer that breaks off leaves a hidden ``.part`` file, from which the next goes on. Checksums are verified where
    known, for files that are already there, too. Processes that fetch into one folder wait for one another.

    Examples
    --------
    >>> download("dc2021a", "data", source="elsewhere")
    Traceback (most recent call last):
    ValueError: source must be one of ['meom', 'aviso'], got 'elsewhere'.
    """
    collection = dataset(name)
    server = collection.source(source)
    if url is not None:
        server = replace(server, root=_checked(url))
    remotes = server.select(only)
    folder = Path(folder).expanduser()
    login = _login(server, credentials_file) if any(not _is_there(folder / each.path) for each in remotes) else None
    with _alone(folder):
        try:
            return [_fetch(server, remote, folder, login) for remote in remotes]
        except ConnectionError as error:
            others = [each for each, other in collection.sources.items() if other.files is not server.files]
            raise ConnectionError(f"{error} Other sources: {others}." if others else str(error)) from None


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("url holds a user name or password, which would be shown: put them in a credentials file.")
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"url must begin with https:// or http://, got {url!r}.")
    return url.rstrip("/")


def _login(server: Source, file: str | Path | None) -> Credentials | None:
    if not server.account:
        return None
    account = ACCOUNTS[server.account]
    found = find_credentials(account, file, server.root)
    if found is None:
        raise PermissionError(
            f"{urlsplit(server.root).hostname} asks for a user name and password: give a credentials file with the "
            f"line '{EXAMPLE.format(account.name)}', or set {account.username} and {account.password}, or add the "
            f"host to netrc. Register at {account.page}."
        )
    return found


def _is_there(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder: another process that fetches into it waits, where the file system can lock."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        from fcntl import LOCK_EX, flock
    except ImportError:  # Windows
        yield
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            flock(held, LOCK_EX)
        yield
    finally:
        os.close(held)


def _fetch(server: Source, remote: Remote, folder: Path, credentials: Credentials | None) -> Path:
    path = folder / remote.path
    if remote.is_archive and _is_there(path):
        return path
    name = remote.path + ARCHIVE if remote.is_archive else remote.path
    store = pooch.create(
        path=folder,
        base_url="",
        registry={name: remote.sha256 and f"sha256:{remote.sha256}"},
        urls={name: f"{server.root}/{remote.url}"},
    )
    try:
        store.fetch(name, downloader=Transfer(folder / name, credentials))
    except ValueError as error:
        if "does not match the known hash" not in str(error):
            raise
        raise ValueError(
            f"{server.root}/{remote.url} is not the file that was published (checksum), or was damaged on its way: "
            "nothing of it is kept. Run the same again; if it comes back, the server holds another version."
        ) from None
    return _unpack(folder / name, path) if remote.is_archive else path


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive to a folder, whole or not at all, and remove it."""
    place = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(place, ignore_errors=True)
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as members:
            bar = tqdm(members, desc=f"unpack {archive.name}", unit=" files", disable=None, leave=False, delay=1)
            members.extractall(place, members=bar, filter="data")
            while stream.read(2**20):  # to its end, where its checksum is
                pass
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        archive.unlink()
        raise ValueError(f"{archive} was damaged ({error}), and is removed: run the same again.") from None
    else:
        # An archive of the folder, or of what is in it.
        inner = place / folder.name
        (inner if inner.is_dir() else place).replace(folder)
        archive.unlink()
        return folder
    finally:
        shutil.rmtree(place, ignore_errors=True)
