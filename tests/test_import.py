"""`import xinr` registers the accessor and costs little more than xarray."""

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

import xinr
from xinr.cli import app
from xinr.methods import method_from

TIMED = """
import time
import {first}
start = time.perf_counter()
import xinr
print(time.perf_counter() - start)
"""


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_heavy_is_loaded():
    loaded = python("import sys, xarray; before = set(sys.modules); import xinr; print(*(set(sys.modules) - before))")
    heavy = {"torch", "xrft", "scipy", "dask", "pyinterp", "cf_xarray", "matplotlib", "netCDF4", "tqdm", "typer"}
    assert not heavy & {name.partition(".")[0] for name in loaded.split()}


def test_the_accessor_is_registered():
    assert (
        python(
            "import xarray, xinr; print(hasattr(xarray.Dataset, 'inr') and hasattr(xarray.DataArray, 'inr'))"
        ).strip()
        == "True"
    )


def test_import_takes_less_than_50_ms_beyond_xarray():
    # The least of several runs: other work on the machine only adds.
    assert min(float(python(TIMED.format(first="xarray"))) for _ in range(4)) < 0.05


def test_tab_shows_the_public_names_and_no_others():
    """Whatever has been imported since: submodules and helpers do not show."""
    import xinr.fields.fitting
    import xinr.observations

    assert dir(xinr) == sorted(xinr.__all__)
    assert {"fit", "tune", "OI", "Kriging", "Matern", "METHODS", "metrics", "__version__"} <= set(dir(xinr))
    for name in xinr.__all__:
        assert getattr(xinr, name) is not None
    assert all(type(method_from(name, {})).__name__ in dir(xinr) for name in xinr.METHODS)
    with pytest.raises(AttributeError, match="module 'xinr' has no attribute 'nothing'"):
        xinr.nothing  # noqa: B018


@pytest.mark.parametrize("room", ["challenges", "covariances", "datasets", "methods", "metrics", "plots", "simulate"])
def test_rooms_open_by_their_names_right_after_the_import(room):
    shown = python(f"import xinr; print(len(xinr.{room}.__all__), {room!r} in dir(xinr))").split()
    assert int(shown[0]) > 0 and shown[1] == "True"


def test_the_version_is_that_of_the_package():
    assert xinr.__version__ == version("xinr")
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.output.strip()) == (0, f"xinr {xinr.__version__}")
