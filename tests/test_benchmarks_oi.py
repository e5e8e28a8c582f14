"""The benchmarks of optimal interpolation at a small size, so that they cannot rot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from tests.benchmarks import docs_images, oi, oi_figures
from xinr.challenges import med2021


def _app():
    app = typer.Typer()
    app.command()(oi.main)
    return app


def _table(part, *options):
    printed = CliRunner().invoke(_app(), ["--part", part, "--small", *options], catch_exceptions=False).output
    lines = [line for line in printed.splitlines() if line.startswith(f"| {part} |")]
    return {figure.strip(): value.strip() for _, _, figure, value, *_ in (line.split("|") for line in lines)}


def _number(table, words):
    (value,) = [value for figure, value in table.items() if words in figure]
    return float(value.split()[0])


def test_the_baseline_is_the_published_formulation():
    table = _table("baseline")
    assert _number(table, "greatest difference of the maps") < 1e-9
    assert _number(table, "rate of xinr / published") > 0
    assert 0 < _number(table, "matrix product, float64") <= 150
    assert 0 < _number(table, "greatest error in single precision") < 0.01


def test_tiles_err_no_more_than_pyinterp():
    rmse = {name: float(value.split("rmse ")[1].split()[0]) for name, value in _table("local").items()}
    assert len(rmse) == 5
    assert rmse["tiles, k = 100"] < 1.02 * rmse["pyinterp, k = 100"]


def test_formal_errors_are_those_of_known_realisations():
    table = _table("errors")
    assert len(table) == 3
    for name, value in table.items():
        assert abs(float(value.split()[0]) - 68.3) < 4.0, name


def test_duacs_beats_the_baseline_and_bears_errors_of_passes(med2021_folder, monkeypatch):
    """On a fortnight of real tracks."""

    def shortened(folder, withheld):
        challenge = med2021(folder, withheld)
        month = challenge.training.sortby("time").sel(time=slice("2021-01-20", "2021-02-20"))
        return replace(challenge, training=month, period=("2021-02-01", "2021-02-08"))

    monkeypatch.setattr(oi, "med2021", shortened)
    table = _table("duacs", "--folder", str(med2021_folder))
    rmse = {name: float(value.split()[1]) for name, value in table.items() if value.startswith("rmse")}
    assert rmse["s3a, duacs"] < 0.95 * rmse["s3a, baseline"]
    assert _number(table, "lost by duacs") < 0.33


@pytest.fixture
def med2021_folder(shared_data):
    return shared_data / "med2021"


def test_planted_errors_are_one_number_a_pass(med2021_folder):
    challenge = med2021(med2021_folder, "s3a")
    harmed = oi.with_planted(challenge, "alg")
    before, after = (one.training.sortby("time") for one in (challenge, harmed))
    planted = (after.sla_unfiltered - before.sla_unfiltered).values
    theirs = before.mission.values == "alg"
    assert np.nanmax(np.abs(planted[~theirs])) == 0.0
    np.testing.assert_allclose(np.abs(planted[theirs & np.isfinite(planted)]), 0.05, atol=1e-9)
    assert 10 < np.count_nonzero(np.diff(planted[theirs & np.isfinite(planted)])) < 1000


def test_figures_are_drawn(med2021_folder, tmp_path, monkeypatch):
    def thinned(folder, withheld):
        challenge = med2021(folder, withheld, spacing=1.0)
        return replace(challenge, training=challenge.training.isel(time=slice(None, None, 4)))

    monkeypatch.setattr(oi_figures, "med2021", thinned)
    app = typer.Typer()
    app.command()(docs_images.main)
    names = ["oi_windows", "oi_local", "oi_duacs"]
    folders = ["--images", str(tmp_path), "--data", str(med2021_folder.parent)]
    CliRunner().invoke(app, [*names, *folders], catch_exceptions=False)
    assert {path.name for path in tmp_path.iterdir()} == {"oi_windows.png", "oi_local.png", "oi_duacs.png"}
    assert all(path.stat().st_size > 20_000 for path in tmp_path.iterdir())


def test_a_part_that_does_not_exist_is_refused():
    result = CliRunner().invoke(_app(), ["--part", "duacs"])
    assert result.exit_code == 2
    assert "duacs needs --folder" in " ".join(result.output.replace("│", " ").split())
