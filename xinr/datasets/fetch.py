"""Download a dataset: files appear when complete, and existing files are not downloaded again."""

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
from xinr.datasets.registry import ARCHIVE, DATASETS, Remote, Source
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
    """Download the files of a dataset that are missing.

    Parameters
    ----------
    name : str
        Key of `xinr.datasets.DATASETS`.
    folder : str or Path
        Folder of the files, created if missing.
    source : str, optional
        Server, by default the first of its ``sources``.
    only : iterable of str
        Patterns of the paths to download, such as ``["dc_obs/*"]``; by default all.
    credentials_file : str or Path, optional
        YAML file with the user name and password, for sources that need an account; by default they come from the
        environment or netrc, see `xinr.datasets.credentials.find_credentials`.
    url : str, optional
        Root of a mirror of the source, with the same layout.

    Returns
    -------
    list of Path
        The files, and the folders of unpacked archives.

    Raises
    ------
    ValueError
        Unknown dataset, source, file or account, or a wrong checksum.
    PermissionError
        No user name and password, or wrong ones.
    FileNotFoundError
        The server has no such file.
    ConnectionError
        The server cannot be reached, fails, or closes the connection.
    OSError
        No space is left.

    Notes
    -----
    An interrupted download leaves a hidden ``.part`` file, from which the next one continues. Known checksums are
    verified, also of existing files. Processes that download to one folder wait for each other.

    Examples
    --------
    >>> download("dc2021a", "data", source="elsewhere")
    Traceback (most recent call last):
    ValueError: source must be one of ['meom', 'aviso'], got 'elsewhere'.
    """
    if name not in DATASETS:
        raise ValueError(f"no dataset {name!r}: expected one of {list(DATASETS)}.")
    collection = DATASETS[name]
    server = collection.source(source)
    if url is not None:
        server = replace(server, root=_checked(url))
    remotes = server.select(only)
    folder = Path(folder).expanduser()
    login = _login(server, credentials_file) if any(not _exists(folder / each.path) for each in remotes) else None
    with _locked(folder):
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


def _exists(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the folder against other downloads, where the file system can."""
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
    if remote.is_archive and _exists(path):
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
            f"{server.root}/{remote.url} is not the published file (checksum), or was damaged in transfer: it is "
            "removed. Run the same again; if this is repeated, the server has another version."
        ) from None
    return _unpack(folder / name, path) if remote.is_archive else path


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive to a folder, completely or not at all, and remove it."""
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as members:
            bar = tqdm(members, desc=f"unpack {archive.name}", unit=" files", disable=None, leave=False, delay=1)
            members.extractall(part, members=bar, filter="data")
            while stream.read(2**20):  # to the checksum at its end
                pass
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        archive.unlink()
        raise ValueError(f"{archive} was damaged ({error}), and is removed: run the same again.") from None
    else:
        # The archive may hold the folder itself, or its files.
        inner = part / folder.name
        (inner if inner.is_dir() else part).replace(folder)
        archive.unlink()
        return folder
    finally:
        shutil.rmtree(part, ignore_errors=True)
