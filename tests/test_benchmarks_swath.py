"""The benchmark of swaths at a small size: what they add, and what their errors cost."""

from __future__ import annotations

import re

import pytest
import typer
from typer.testing import CliRunner

from tests.benchmarks import swath

pytestmark = [
    pytest.mark.filterwarnings("ignore:the observations vary"),  # those of the nadirs alone
    pytest.mark.filterwarnings("ignore:part of the target lies beyond"),
]


def table(*parts):
    app = typer.Typer()
    app.command()(swath.main)
    arguments = [word for part in parts for word in ("--part", part)]
    printed = CliRunner().invoke(app, [*arguments, "--small"], catch_exceptions=False).output
    rows = [line.split(" | ") for line in printed.splitlines()[2:]]
    return {figure: [float(number) for number in re.findall(r"[-+]?\d+\.?\d*", value)] for _, figure, value, *_ in rows}


def test_a_swath_reduces_the_error_of_maps_and_of_their_slopes():
    found = table("skill")
    assert len(found) == 8
    for figure, (nadirs, both, *_) in found.items():
        assert both < (0.5 if "sampled" in figure else 0.95) * nadirs if "rmse" in figure else both > nadirs + 2.0


def test_errors_of_a_swath_that_a_method_knows_of_hardly_cost_anything():
    found = table("errors")
    for name in ("default", "tuned"):
        (without,) = found[f"{name}, rmse with a swath without errors [cm]"]
        told, off = (found[f"{name}, the same with errors planted, terms {how}"] for how in ("told", "switched off"))
        assert told[0] < 1.1 * without < 1.3 * without < off[0]


def test_pixels_in_a_file_are_mapped(tmp_path):
    pixels = swath.write_pixels(tmp_path, days=5)
    blocks, passes, seconds, memory = swath.map_pixels(tmp_path)
    assert passes >= 1 and 20 < pixels / blocks < 30 and seconds > 0.0 and memory > 0


def test_real_passes_are_mapped(shared_data):
    assert all(misfit[0] < 0.5 * spread for *_, misfit, spread in ([[v[-2]], v[-1]] for v in table("real").values()))
