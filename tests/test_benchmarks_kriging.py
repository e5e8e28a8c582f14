"""The benchmarks of kriging at a small size, so that they cannot rot."""

from __future__ import annotations

import sys
from importlib import import_module

import numpy as np
import psutil
import pytest
import torch
import typer
from typer.testing import CliRunner

from tests.benchmarks import kriging
from tests.benchmarks.measures import fastest, peak_memory
from tests.benchmarks.peers import REGRESSIONS
from xinr.methods.covariances import Matern
from xinr.methods.observation_error import ObservationError
from xinr.methods.pass_errors import PassErrors

# Oceans and settings here are chosen for what is tested, not for each other.
pytestmark = pytest.mark.filterwarnings("ignore:the observations vary")

PEERS = {"scikit-learn GPR": "sklearn.gaussian_process", "GPyTorch ExactGP": "gpytorch"}


def _table(part):
    app = typer.Typer()
    app.command()(kriging.main)
    printed = CliRunner().invoke(app, ["--part", part, "--small"], catch_exceptions=False).output
    lines = [line for line in printed.splitlines() if line.startswith(f"| {part} |")]
    return {figure.strip(): value.strip() for _, _, figure, value, *_ in (line.split("|") for line in lines)}


def _number(table, words):
    (value,) = [value for figure, value in table.items() if words in figure]
    return float(value.split()[0])


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_dense_regressions_map_as_kriging_does():
    pytest.importorskip("sklearn")
    table = _table("peers")
    assert _number(table, "maps from scikit-learn GPR") < 5.0  # mm, of anomalies of 120
    assert _number(table, "kriging, 1819 observations") > 0


def test_a_peer_that_is_not_installed_is_left_out(monkeypatch):
    for module in PEERS.values():
        monkeypatch.setitem(sys.modules, module, None)
    table = _table("peers")
    assert [table[name].split(":")[0] for name in PEERS] == ["left out", "left out"]


@pytest.mark.parametrize(("name", "module"), PEERS.items())
@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_dense_regression_is_a_solve_with_our_covariance(name, module):
    pytest.importorskip(module)
    rng = np.random.default_rng(0)
    x, at = (rng.uniform(0, 1, (n, 3)) * [400.0, 400.0, 30.0] for n in (60, 7))
    y, noise, covariance = rng.standard_normal(60), np.full(60, 0.3), Matern(150.0, 15.0, sigma=0.9)
    expected = covariance.value(at, x) @ np.linalg.solve(covariance.value(x, x) + 0.09 * np.eye(60), y)
    (found,) = REGRESSIONS[name](x, y, noise, covariance, [at])
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_a_year_next_to_pyinterp():
    table = _table("year")
    seconds = _number(table, "daily maps at 0.2 degree"), _number(table, "pyinterp OI, k = 50")
    assert all(second > 0 for second in seconds)
    assert _number(table, "truth, kriging") < 8.0
    assert _number(table, "truth, pyinterp") < 8.0


def test_derivatives_are_timed():
    assert _number(_table("derivatives"), "gradient and Laplacian on the grid") > 0


def test_memory_is_that_of_a_process_of_its_own():
    table = _table("memory")
    assert len([figure for figure in table if "points of track averaged by" in figure]) == 2
    assert 0.1 < _number(table, "peak memory") < 4.0


def test_settings_are_learned():
    table = _table("tuning")
    (value,) = [value for figure, value in table.items() if "first and best" in figure]
    first, _, best, _ = value.split()
    assert float(best) <= float(first)


def test_preconditioning_saves_iterations_and_tolerance_does_not_matter():
    table = _table("iterations")
    assert _number(table, "preconditioned iterations") < _number(table, "plain iterations")
    assert abs(_number(table, "tolerance 0.002,") - _number(table, "tolerance 0.001,")) < 0.02


def test_the_errors_times_a_vector_is_undone_by_their_inverse():
    rng = np.random.default_rng(0)
    number = np.repeat(np.arange(5), 8)
    error = ObservationError(rng.uniform(0.1, 0.2, 40), number, rng.uniform(-1, 1, 40), 0.3, 0.2)
    errors = PassErrors(error, torch.device("cpu"), torch.float64)
    v = torch.from_numpy(rng.standard_normal((40, 1)))
    torch.testing.assert_close(errors.solve(errors.times(v)), v)


def test_the_parts_of_an_iteration_are_a_part_of_the_fit():
    shares = [int(value.split(", ")[1].split()[0]) for value in _table("machine").values() if "of the fit" in value]
    assert len(shares) == 6
    assert all(share < 100 for share in shares)


def test_tasks_are_taken_in_turn():
    done = []
    seconds = fastest({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, repeats=2)
    assert done == ["a", "b", "a", "b"]
    assert seconds.keys() == {"a", "b"}


def test_peak_memory_grows_with_what_is_held():
    before, now = peak_memory(), psutil.Process().memory_info().rss
    held = np.ones((before - now) // 8 + 4_000_000)
    assert peak_memory() >= before + 16_000_000
    assert held.size


def test_an_unknown_part_is_refused():
    app = typer.Typer()
    app.command()(kriging.main)
    result = CliRunner().invoke(app, ["--part", "speed"])
    assert result.exit_code == 2
    assert "expected some of" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("benchmark", "expected"),
    [
        ("formal_errors", ["random points: bias", "maps with errors / (fit + maps)"]),
        ("ratios", ["matrix product in float32", "kriging / pyinterp OI", "published formulation", "of sgemm"]),
        ("gpu", ["daily maps with errors, cpu", "points, cpu", "days, cpu"]),
    ],
)
def test_tables_of_speed_are_printed(benchmark, expected):
    app = typer.Typer()
    app.command()(import_module(f"tests.benchmarks.{benchmark}").main)
    result = CliRunner().invoke(app, ["--small"])
    assert result.exit_code == 0, result.output
    for text in expected:
        assert text in result.output
