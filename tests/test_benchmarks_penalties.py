"""The benchmark of penalties: weights by a mission left out, scores by the truth or by the withheld track."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from tests.benchmarks import penalties
from tests.benchmarks.penalties import Case
from xinr.challenges import osse
from xinr.methods import method_from
from xinr.simulate import eddies
from xinr.validation.cross_validation import cross_validate

SMALL = {"siren": {"hidden_features": 32, "hidden_layers": 2, "omega_0": 6.0, "steps": 30, "batch_size": 256}}


@pytest.fixture(scope="module")
def challenge():
    two_weeks = ("2021-01-01", "2021-01-16")
    return osse(eddies(waves=40), missions=("j3", "s3a"), period=two_weeks, spacing=1.0, time_step=2)


def invoke(*arguments):
    app, threads = typer.Typer(), torch.get_num_threads()
    app.command()(penalties.main)
    result = CliRunner().invoke(app, [*arguments])
    torch.set_num_threads(threads)
    return result


def test_prints_a_row_for_each_penalty(challenge, monkeypatch):
    monkeypatch.setattr(penalties, "OCEANS", {"eddies": lambda: Case(challenge, 30.0, "j3", SMALL)})
    title, _, head, _, *table = invoke("--network", "siren", "--seeds", "1").stdout.strip().splitlines()
    head, *table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in (head, *table)]
    rows = {cells[1]: dict(zip(head, cells, strict=True)) for cells in table}
    assert title == "eddies:"
    assert list(rows) == ["none", "total variation", "squared gradient", "quasi-geostrophic"]
    assert [row["weight"] == "" for row in rows.values()] == [True, False, False, False]
    assert rows["none"]["rmse [cm]"] != rows["quasi-geostrophic"]["rmse [cm]"]
    for row in rows.values():
        assert 0 < float(row["rmse [cm]"]) < 30.0
        assert float(row["rmse on the mission left out [cm]"]) > 0 and float(row["fit [CPU s]"]) > 0


def test_real_tracks_are_scored_on_the_withheld_one(challenge):
    method = method_from("siren", SMALL["siren"])
    on_truth = penalties.scored(challenge, method)
    track_alone = penalties.scored(penalties.replace(challenge, truth=None), method)
    assert "rmse_truth" in on_truth and "rmse_truth" not in track_alone
    assert track_alone["rmse"] == pytest.approx(float(challenge.score(challenge.fit(method)).rmse))


def test_the_mission_left_out_is_that_of_cross_validation(challenge):
    method = method_from("siren", SMALL["siren"])
    found = penalties.left_out_rmse(Case(challenge, 30.0, "s3a", SMALL), method)
    np.testing.assert_allclose(found, cross_validate(challenge.observations, method).sel(fold="s3a"))


def test_refuses_what_it_does_not_know():
    result = invoke("--case", "three layers")
    assert result.exit_code == 2
    assert "unknown ['three layers']: expected some of ['two layers" in " ".join(result.output.replace("│", "").split())
