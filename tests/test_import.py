"""`import xinr` registers the accessor and costs little more than xarray."""

import subprocess
import sys

import pytest

import xinr

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


def test_the_public_names_exist_and_no_others():
    for name in xinr.__all__:
        assert getattr(xinr, name) is not None
    with pytest.raises(AttributeError, match="module 'xinr' has no attribute 'nothing'"):
        xinr.nothing  # noqa: B018
