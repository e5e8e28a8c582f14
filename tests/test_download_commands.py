"""The commands that a user types: the two of the data folder, and ``xinr download``."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from download_server import Site, hear_ctrl_c, serve
from typer.testing import CliRunner

from tests.helpers import one_mission
from xinr.cli import app
from xinr.datasets.registry import DATASETS

DATA = Path(__file__).parents[1] / "data"
SHELL = shutil.which("sh")
LOGIN = ("jane", "s3cret-Pa55")
BLOCK = "aviso:\n  username: jane\n  password: s3cret-Pa55\nelsewhere:\n  token: 1\n"
OBSERVATIONS = [f"dc_obs/dt_gulfstream_{name}_phy_l3_20161201-20180131_285-315_23-53.nc" for name in
                ("alg", "c2", "h2g", "j2g", "j2n", "j3", "s3a")]  # fmt: skip
FETCHED = sorted(
    [*OBSERVATIONS, "dc_maps/mdt.nc", "dc_maps/OSE_ssh_mapping_BASELINE.nc", "dc_maps/OSE_ssh_mapping_DUACS.nc"]
)


@pytest.fixture
def aviso(tmp_path):
    """A copy of AVISO's server: every file of the challenge, small, behind a password."""
    path = tmp_path / "tracks.nc"
    one_mission("alg").drop_vars("mission").to_netcdf(path)
    body = path.read_bytes()
    path.unlink()
    files = {remote.url: body for remote in DATASETS["dc2021a"].sources["aviso"].files}
    with serve(Site(files, login=LOGIN)) as site:
        yield site


@pytest.fixture
def credentials(tmp_path):
    path = tmp_path / "credentials.yaml"
    path.touch(mode=0o600)
    path.write_text(BLOCK)
    return path


@pytest.fixture(autouse=True)
def environment(monkeypatch, no_credentials):
    """No credentials, and the Python of these tests as ``python``."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=DATA)


def below(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def words_of_processes():
    """The command lines of all processes, where the system shows them."""
    words = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words.append(path.read_bytes())
        except OSError:
            continue  # it has ended
    return b"\n".join(words)


def test_the_python_script_downloads(aviso, credentials, tmp_path):
    command = ["python", "dl_dc21a.py", "--credentials-file", str(credentials), "--save-dir", str(tmp_path / "save")]
    done = run(*command, "--url", aviso.url)
    assert done.returncode == 0, done.stderr
    assert below(tmp_path / "save") == FETCHED
    assert done.stdout == f"10 files in {tmp_path / 'save'}\n"
    assert LOGIN[1] not in done.stdout + done.stderr
    asked = len(aviso.requests)
    assert run(*command, "--url", aviso.url).returncode == 0
    assert len(aviso.requests) == asked


@pytest.mark.skipif(SHELL is None, reason="there is no shell")
def test_the_shell_script_downloads(aviso, tmp_path):
    done = run("sh", "dl_dc21a.sh", *LOGIN, str(tmp_path / "save dir"), "--url", aviso.url)
    assert done.returncode == 0, done.stderr
    assert below(tmp_path / "save dir") == FETCHED
    assert LOGIN[1] not in done.stdout + done.stderr


@pytest.mark.skipif(SHELL is None or not Path("/proc/self/cmdline").exists(), reason="no way to see command lines")
def test_the_password_is_on_no_command_line_during_the_transfer(aviso, tmp_path):
    password = f"of-this-test-{os.getpid()}"  # others may run at the same time
    aviso.stall_at, aviso.login = 100, ("jane", password)
    command = ["sh", str(DATA / "dl_dc21a.sh"), "jane", password, str(tmp_path / "save"), "--url", aviso.url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert aviso.stalled.wait(60)
    words = words_of_processes()
    assert b"dl_dc21a.py" in words
    assert password.encode() not in words
    aviso.resume.set()
    process.communicate(timeout=120)
    assert process.returncode == 0


@pytest.mark.skipif(SHELL is None, reason="there is no shell")
def test_the_shell_script_needs_three_words():
    done = run("sh", "dl_dc21a.sh", "jane")
    assert done.returncode == 2
    assert "usage: bash dl_dc21a.sh username password path/to/save/dir" in done.stderr


def test_a_wrong_password_is_reported(aviso, credentials, tmp_path):
    credentials.write_text(BLOCK.replace("s3cret", "wr0ng"))
    command = ["dl_dc21a.py", "--credentials-file", str(credentials), "--save-dir", str(tmp_path / "save")]
    done = run("python", *command, "--url", aviso.url)
    assert done.returncode == 1
    assert "error: the server refuses the user name and password" in done.stderr
    assert "Traceback" not in done.stderr
    assert "wr0ng" not in done.stdout + done.stderr
    assert below(tmp_path / "save") == []


def test_ctrl_c_ends_a_download_that_can_continue(aviso, credentials, tmp_path):
    aviso.stall_at = 100
    command = [sys.executable, "-m", "typer", "xinr.cli", "run", "download", "dc2021a", str(tmp_path / "save")]
    options = ["--source", "aviso", "--url", aviso.url, "--credentials-file", str(credentials)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*command, *options], **pipes, preexec_fn=hear_ctrl_c)
    assert aviso.stalled.wait(60)
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped: the same command goes on from here" in shown
    assert "Traceback" not in shown
    assert not any(name.endswith(".nc") for name in below(tmp_path / "save"))


def test_the_command_downloads(aviso, credentials, tmp_path):
    folder = tmp_path / "dc2021a"
    options = ["--source", "aviso", "--only", "dc_maps/mdt.nc", "--only", "*_j3_*"]
    arguments = [
        "download",
        "dc2021a",
        str(folder),
        *options,
        "--credentials-file",
        str(credentials),
        "--url",
        aviso.url,
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert below(folder) == ["dc_maps/mdt.nc", OBSERVATIONS[5]]
    assert done.stdout == f"In {folder}: {OBSERVATIONS[5]}, dc_maps/mdt.nc\n"


@pytest.mark.filterwarnings("default")
def test_a_warning_is_printed_without_its_line_of_code(aviso, credentials, tmp_path):
    credentials.chmod(0o644)
    options = ["--source", "aviso", "--only", "*mdt*", "--credentials-file", str(credentials), "--url", aviso.url]
    done = CliRunner().invoke(app, ["download", "dc2021a", str(tmp_path / "save"), *options])
    assert done.exit_code == 0, done.output
    assert f"warning: others can read the passwords in {credentials}: chmod 600 {credentials}.\n" in done.stderr
    assert "UserWarning" not in done.stderr


def test_the_command_lists_the_datasets():
    done = CliRunner().invoke(app, ["download"])
    assert done.exit_code == 0
    assert all(name in done.stdout for name in DATASETS)
    assert "aviso  14 files, 0.9 GB and 3 of unknown size, asks for an account" in done.stdout


def test_errors_are_printed_without_a_traceback(tmp_path):
    done = CliRunner().invoke(app, ["download", "dc1999", str(tmp_path)])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: no dataset 'dc1999': expected one of")
    done = CliRunner().invoke(app, ["download", "dc2021a", str(tmp_path), "--source", "aviso"])
    assert done.exit_code == 1
    assert "error: tds.aviso.altimetry.fr asks for a user name and password: give a credentials file" in done.stderr
