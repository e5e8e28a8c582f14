"""Downloads from a server on loopback: whole files or none, whatever goes wrong."""

import hashlib
import io
import json
import logging
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import requests
from download_server import LAST_MODIFIED, Site, hear_ctrl_c, serve

from tests.helpers import one_mission
from xinr.datasets import download, registry
from xinr.datasets.registry import Collection, Remote, Source

LOGIN = ("jane", "s3cret-Pa55")
BIG = np.random.default_rng(0).bytes(3_000_000)
SMALL = b"CDF small"


@pytest.fixture(scope="module")
def netcdf(tmp_path_factory):
    """The bytes of a small netCDF file of tracks."""
    path = tmp_path_factory.mktemp("tracks") / "alg.nc"
    one_mission("alg").drop_vars("mission").to_netcdf(path)
    return path.read_bytes()


pytestmark = pytest.mark.usefixtures("no_credentials")


@pytest.fixture
def server(netcdf):
    """A server with two files, of which one is big."""
    with serve(Site({"far/alg.nc": netcdf, "far/big.nc": BIG})) as site:
        yield site


@pytest.fixture
def secured(server):
    """The same behind a password."""
    server.login = LOGIN
    return server


@pytest.fixture
def collection(monkeypatch):
    """Register a dataset of given files."""

    def register(*files, account=""):
        source = Source("https://nowhere.invalid", tuple(files), account)
        monkeypatch.setitem(
            registry.DATASETS, "trial", Collection("A trial", "https://nowhere.invalid", {"here": source})
        )

    register(Remote("dc_obs/alg.nc", "far/alg.nc"), Remote("big.nc", "far/big.nc"))
    return register


@pytest.fixture
def credentials(tmp_path):
    path = tmp_path / "credentials.yaml"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"aviso": dict(zip(("username", "password"), LOGIN, strict=True))}))
    return path


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def test_files_are_complete_and_downloaded_once(server, collection, netcdf, tmp_path):
    paths = download("trial", tmp_path / "data", url=server.url)
    assert paths == [tmp_path / "data" / "dc_obs" / "alg.nc", tmp_path / "data" / "big.nc"]
    assert [path.read_bytes() for path in paths] == [netcdf, BIG]
    assert files_below(tmp_path / "data") == ["big.nc", "dc_obs/alg.nc"]
    assert server.paths() == ["/far/alg.nc", "/far/big.nc"]
    assert download("trial", tmp_path / "data", url=server.url) == paths
    assert len(server.requests) == 2


def test_patterns_select_files(server, collection, tmp_path):
    download("trial", tmp_path, only=["dc_obs/*"], url=f"{server.url}/")
    assert server.paths() == ["/far/alg.nc"]
    with pytest.raises(
        ValueError, match=r"no file matches '\*\.txt': expected a pattern for some of \['dc_obs/alg\.nc', 'big"
    ):
        download("trial", tmp_path, only=["*.txt"], url=server.url)


def test_unknown_datasets_sources_and_files_are_refused():
    with pytest.raises(ValueError, match=r"no dataset 'dc1999': expected one of \['dc2021a', 'dc2020a', 'dc2022b'\]"):
        download("dc1999", "nowhere")
    with pytest.raises(ValueError, match=r"source must be one of \['meom'\], got 'aviso'"):
        download("dc2022b", "nowhere", source="aviso")


def test_a_password_gives_access(secured, collection, credentials, tmp_path):
    collection(Remote("alg.nc", "far/alg.nc"), account="aviso")
    download("trial", tmp_path / "data", url=secured.url, credentials_file=credentials)
    assert files_below(tmp_path / "data") == ["alg.nc"]
    credentials.unlink()  # what is there needs no password
    download("trial", tmp_path / "data", url=secured.url)


def test_a_wrong_password_writes_nothing_and_is_not_shown(secured, collection, credentials, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    collection(Remote("alg.nc", "far/alg.nc"), account="aviso")
    credentials.write_text("aviso: {username: jane, password: wr0ng-Pa55}")
    with pytest.raises(
        PermissionError, match=r"refuses the user name and password, or the account this file: 401"
    ) as error:
        download("trial", tmp_path / "data", url=secured.url, credentials_file=credentials)
    assert files_below(tmp_path / "data") == []
    frames = [entry for entry in error.traceback if "xinr" in str(entry.path) and "tests" not in str(entry.path)]
    assert frames
    shown = [str(error.value), repr(error.value), caplog.text, *capfd.readouterr()]
    shown += [repr(entry.frame.f_locals) for entry in frames]
    encoded = server_saw(secured)["Authorization"].removeprefix("Basic ")
    assert not any("wr0ng" in text or encoded in text for text in shown)


def server_saw(site):
    return site.requests[-1][2]


def test_a_missing_password_is_refused_with_the_cure(secured, collection, tmp_path):
    collection(Remote("alg.nc", "far/alg.nc"), account="aviso")
    with pytest.raises(
        PermissionError, match=r"127\.0\.0\.1 asks for a user name.*AVISO_USERNAME.*netrc\. Register at http"
    ):
        download("trial", tmp_path / "data", url=secured.url)
    assert not (tmp_path / "data").exists()
    assert not secured.requests
    collection(Remote("alg.nc", "far/alg.nc"))  # a source without account
    with pytest.raises(PermissionError, match=r"the server asks for a user name and password: 401 Unauthorized"):
        download("trial", tmp_path / "data", url=secured.url)


def test_a_redirect_does_not_get_the_password(secured, collection, credentials, tmp_path):
    collection(Remote("alg.nc", "far/alg.nc"), account="aviso")
    with serve(Site({}, redirect=secured.url.replace("127.0.0.1", "localhost"))) as front:
        with pytest.raises(PermissionError, match="401"):
            download("trial", tmp_path / "data", url=front.url, credentials_file=credentials)
        assert "Authorization" in front.requests[0][2]
    assert "Authorization" not in secured.requests[0][2]


def test_a_password_is_not_sent_unencrypted(collection, credentials, tmp_path):
    collection(Remote("alg.nc", "far/alg.nc"), account="aviso")
    with pytest.raises(ValueError, match=r"http://nowhere\.invalid/far/alg\.nc would send the password unencrypted"):
        download("trial", tmp_path, url="http://nowhere.invalid", credentials_file=credentials)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://jane:s3cret@nowhere.invalid", "url holds a user name or password, which would be shown"),
        ("ftp://nowhere.invalid", r"url must begin with https:// or http://, got 'ftp://nowhere\.invalid'"),
    ],
)
def test_invalid_urls_are_refused(collection, tmp_path, url, message):
    with pytest.raises(ValueError, match=message) as error:
        download("trial", tmp_path, url=url)
    assert "s3cret" not in str(error.value)


def test_a_file_missing_on_the_server_is_named(server, collection, tmp_path):
    collection(Remote("alg.nc", "far/elsewhere.nc"))
    with pytest.raises(
        FileNotFoundError, match=r"the server has no such file: 404 Not Found, http://127.*/far/elsewhere\.nc"
    ):
        download("trial", tmp_path, url=server.url)
    assert files_below(tmp_path) == []


def test_a_web_page_in_place_of_the_file_is_refused(server, collection, tmp_path):
    server.content_type = "text/html; charset=utf-8"
    with pytest.raises(PermissionError, match=r"the server sent a web page, maybe to log in, instead of the file"):
        download("trial", tmp_path, url=server.url)
    assert files_below(tmp_path) == []


def test_errors_of_the_server_are_reported(server, collection, tmp_path):
    server.status = 503
    with pytest.raises(
        ConnectionError, match=r"the server cannot send the file now: 503 Service Unavailable.*again later"
    ):
        download("trial", tmp_path, url=server.url)


def test_an_unreachable_server_is_reported(tmp_path):
    with serve(Site({})) as site:
        url = site.url
    message = r"cannot be reached, or closed the connection \(NewConnectionError\)\. Run.*Other sources: \['aviso'\]"
    with pytest.raises(ConnectionError, match=message):
        download("dc2021a", tmp_path, url=url)


def test_a_broken_connection_is_resumed_at_once(server, collection, tmp_path):
    server.breaks = [1_000_000, 500_000]
    download("trial", tmp_path, only=["big.nc"], url=server.url)
    assert (tmp_path / "big.nc").read_bytes() == BIG
    assert [status for _, status, _ in server.requests] == [200, 206, 206]


def test_an_interrupted_download_continues_at_the_next_call(server, collection, tmp_path):
    server.breaks = [1_000_000, 0]
    with pytest.raises(
        ConnectionError, match=r"closed the connection \(\w+\) after [01]\.\d MB of big\.nc\. Run the same again"
    ):
        download("trial", tmp_path, only=["big.nc"], url=server.url)
    (part,) = tmp_path.iterdir()
    assert part.name == f".big.nc.{LAST_MODIFIED}.part"
    here = part.stat().st_size
    assert here > 900_000
    download("trial", tmp_path, only=["big.nc"], url=server.url)
    assert files_below(tmp_path) == ["big.nc"]
    assert (tmp_path / "big.nc").read_bytes() == BIG
    assert server.requests[-1][2]["Range"] == f"bytes={here}-"


def broken_off(server, folder):
    server.breaks = [1_000_000, 0]
    with pytest.raises(ConnectionError):
        download("trial", folder, only=["big.nc"], url=server.url)


def test_a_file_changed_on_the_server_is_downloaded_from_the_start(server, collection, tmp_path):
    broken_off(server, tmp_path)
    server.files["far/big.nc"], server.modified = BIG[::-1], LAST_MODIFIED + 60
    download("trial", tmp_path, only=["big.nc"], url=server.url)
    assert (tmp_path / "big.nc").read_bytes() == BIG[::-1]
    assert files_below(tmp_path) == ["big.nc"]


@pytest.mark.parametrize("change", [{"ranges": False}, {"modified": None}])
def test_a_server_without_ranges_sends_the_whole_file(server, collection, tmp_path, change):
    for name, value in change.items():
        setattr(server, name, value)
    broken_off(server, tmp_path)
    download("trial", tmp_path, only=["big.nc"], url=server.url)
    assert (tmp_path / "big.nc").read_bytes() == BIG


def test_a_part_longer_than_the_file_is_discarded(server, collection, tmp_path):
    (tmp_path / f".big.nc.{LAST_MODIFIED}.part").write_bytes(BIG + b"more")
    download("trial", tmp_path, only=["big.nc"], url=server.url)
    assert (tmp_path / "big.nc").read_bytes() == BIG
    assert [status for _, status, _ in server.requests] == [416, 200]


def test_a_server_need_not_send_the_length(server, collection, tmp_path):
    server.content_length = False
    download("trial", tmp_path, only=["big.nc"], url=server.url)
    assert (tmp_path / "big.nc").read_bytes() == BIG


def test_a_short_response_is_noticed(server, collection, tmp_path, monkeypatch):
    """urllib3 before 2 takes what comes for the whole."""
    answer = requests.Response.iter_content
    monkeypatch.setattr(requests.Response, "iter_content", lambda self, size: islice(answer(self, size), 3))
    download("trial", tmp_path, only=["big.nc"], url=server.url)
    assert (tmp_path / "big.nc").read_bytes() == BIG
    assert len(server.requests) > 10


def test_a_file_with_a_wrong_checksum_is_removed(server, collection, tmp_path):
    collection(Remote("big.nc", "far/big.nc", 1.0, hashlib.sha256(SMALL).hexdigest()))
    with pytest.raises(ValueError, match=r"far/big\.nc is not the published file \(checksum\).*it is removed"):
        download("trial", tmp_path, url=server.url)
    assert files_below(tmp_path) == []


def test_a_damaged_file_is_downloaded_again(server, collection, tmp_path):
    collection(Remote("big.nc", "far/big.nc", 1.0, hashlib.sha256(BIG).hexdigest()))
    (tmp_path / "big.nc").write_bytes(BIG[:-1])
    download("trial", tmp_path, url=server.url)
    assert (tmp_path / "big.nc").read_bytes() == BIG
    download("trial", tmp_path, url=server.url)
    assert len(server.requests) == 1


FETCH = """
import resource, signal, sys
from xinr.datasets import download, registry
from xinr.datasets.registry import Collection, Remote, Source
files = Remote("big.nc", "far/big.nc"), Remote("dc_obs", "far/obs.tar.gz")
registry.DATASETS["trial"] = Collection("", "", {"here": Source("", files)})
if sys.argv[3] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    download("trial", sys.argv[1], only=sys.argv[4:], url=sys.argv[2])
except OSError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def fetch(folder, url, *only, limit=0, before=()):
    """Start a process that downloads."""
    command = [*before, sys.executable, "-c", FETCH, str(folder), url, str(limit), *(only or ["big.nc"])]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c)


def test_an_exceeded_quota_is_reported(server, collection, tmp_path):
    process = fetch(tmp_path, server.url, limit=1_000_000)
    _, shown = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"no space left in {tmp_path} for big.nc: 3.0 MB to come" in shown
    assert "Free some, and run the same again to continue" in shown
    assert files_below(tmp_path) == [f".big.nc.{LAST_MODIFIED}.part"]
    download("trial", tmp_path, only=["big.nc"], url=server.url)
    assert (tmp_path / "big.nc").read_bytes() == BIG
    assert server.requests[-1][1] == 206


@pytest.mark.parametrize("known", [True, False], ids=["before", "during"])
def test_a_full_disk_is_reported_with_the_space_needed(server, tmp_path, known):
    server.content_length = known
    (tmp_path / "disk").mkdir()
    disk = f"{tmp_path}/disk"
    script = f'mount -t tmpfs -o size=2m tmpfs {disk} || exit 77; "$@"; code=$?; ls -A {disk} >&2; exit $code'
    mounted = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    try:
        can = subprocess.run([*mounted, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        can = False
    if not can:
        pytest.skip("no file system of its own can be mounted here")
    process = fetch(tmp_path / "disk", server.url, before=mounted)
    _, shown = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"for big.nc: {'3.0 MB to come, ' if known else ''}2.1 MB were free" in shown
    assert (".part" in shown) is not known  # where the length is known, nothing is begun


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "killed"])
def test_a_killed_download_continues(server, collection, tmp_path, way):
    server.stall_at = 2_000_000
    process = fetch(tmp_path, server.url)
    assert server.stalled.wait(30)
    part = tmp_path / f".big.nc.{LAST_MODIFIED}.part"
    until(lambda: part.exists() and part.stat().st_size > 1_000_000)
    process.send_signal(way)
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert not (tmp_path / "big.nc").exists()
    server.stall_at = None
    download("trial", tmp_path, only=["big.nc"], url=server.url)
    assert (tmp_path / "big.nc").read_bytes() == BIG
    assert server.requests[-1][1] == 206


def until(happens, seconds=30.0):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_downloads_to_one_folder_wait_for_each_other(server, collection, tmp_path):
    fcntl = pytest.importorskip("fcntl", reason="no locks here")
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)  # as another process would
    waiting = threading.Thread(target=download, args=("trial", tmp_path), kwargs={"url": server.url})
    waiting.start()
    time.sleep(0.3)
    assert not server.requests
    os.close(held)
    waiting.join(60)
    assert files_below(tmp_path) == ["big.nc", "dc_obs/alg.nc"]


def archive(members):
    """The bytes of a .tar.gz."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize("top", ["dc_obs/", "./dc_obs/", ""], ids=["its folder", "dotted", "its content"])
def test_an_archive_is_unpacked_to_its_folder(server, collection, netcdf, tmp_path, top):
    collection(Remote("dc_obs", "far/obs.tar.gz"))
    server.files["far/obs.tar.gz"] = archive({f"{top}alg.nc": netcdf, f"{top}deeper/j3.nc": SMALL})
    assert download("trial", tmp_path, url=server.url) == [tmp_path / "dc_obs"]
    assert files_below(tmp_path) == ["dc_obs/alg.nc", "dc_obs/deeper/j3.nc"]
    assert (tmp_path / "dc_obs/alg.nc").read_bytes() == netcdf
    download("trial", tmp_path, url=server.url)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "damage",
    [lambda body: body[:-600], lambda body: b"no archive", lambda body: body[:500] + b"x" * 200 + body[700:]],
    ids=["cut off", "something else", "garbled"],
)
def test_a_damaged_archive_is_removed(server, collection, tmp_path, damage):
    collection(Remote("dc_obs", "far/obs.tar.gz"))
    server.files["far/obs.tar.gz"] = damage(archive({"dc_obs/alg.nc": BIG[:5000]}))
    with pytest.raises(ValueError, match=r"dc_obs\.tar\.gz was damaged \(.+\), and is removed: run the same again"):
        download("trial", tmp_path, url=server.url)
    assert files_below(tmp_path) == []
    assert not (tmp_path / "dc_obs").exists()


def test_an_archive_cannot_write_elsewhere(server, collection, tmp_path):
    collection(Remote("dc_obs", "far/obs.tar.gz"))
    server.files["far/obs.tar.gz"] = archive({"../../outside.nc": SMALL})
    with pytest.raises(ValueError, match=r"would be extracted to"):
        download("trial", tmp_path / "data", url=server.url)
    assert files_below(tmp_path) == []


def test_interrupted_unpacking_starts_again(server, collection, tmp_path):
    collection(Remote("dc_obs", "far/obs.tar.gz"))
    server.files["far/obs.tar.gz"] = archive({"dc_obs/alg.nc": BIG})
    process = fetch(tmp_path, server.url, "dc_obs", limit=2_900_000)  # the archive fits, what is in it does not
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert not (tmp_path / "dc_obs").exists()
    (tmp_path / ".dc_obs.part").mkdir(exist_ok=True)
    (tmp_path / ".dc_obs.part" / "left.nc").write_bytes(SMALL)
    download("trial", tmp_path, url=server.url)
    assert files_below(tmp_path) == ["dc_obs/alg.nc"]
