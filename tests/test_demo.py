from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr
from typer.testing import CliRunner

from xinr import cli
from xinr.challenges import osse
from xinr.challenges.leaderboard import demo as demonstration
from xinr.methods import method_from
from xinr.methods.covariances import Spectral
from xinr.simulate import eddies

REGION = (297.0, 304.0, 34.0, 42.0)
METHODS = {
    "oi": {**demonstration.METHODS["oi"], "length_scale": 100.0, "sigma": 0.12},
    "kriging": {
        "covariance": Spectral(100.0, 9.0, 0.12, exponent=2.5),
        "spacing": 40.0,
        "time_step": 3.0,
    },
    "siren": {"hidden_features": 64, "hidden_layers": 2, "steps": 60, "batch_size": 1024},
}


@pytest.fixture(scope="module")
def challenge():
    return osse(
        eddies(REGION, waves=100),
        missions=("alg", "j3", "s3a", "s3b"),
        region=REGION,
        period=("2021-01-01", "2021-01-24"),
        spacing=0.5,
        segment_length=500.0,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory, challenge):
    out = tmp_path_factory.mktemp("demo") / "deep" / "er"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine, threads that wait for each other take minutes over so small a net
    try:
        return out, demonstration.run(out, challenge, METHODS)
    finally:
        torch.set_num_threads(threads)


def test_every_file_is_there(demo):
    out, result = demo
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in result.files)
    assert {path.name for path in result.files} == {
        *("tracks.nc", "truth.nc", "oi.nc", "kriging.nc", "siren.nc", "table.csv"),
        *("tracks.png", "maps.png", "psd_score.png"),
    }


@pytest.mark.parametrize("name", ["truth", "oi", "kriging", "siren"])
def test_maps_open_and_follow_cf(demo, name):
    out, _ = demo
    with xr.open_dataset(out / f"{name}.nc") as ds:
        assert ds.attrs["Conventions"].startswith("CF-")
        assert ds.sla.dims == ("time", "latitude", "longitude")
        units = {"sla": "m", "adt": "m", "mdt": "m", "dsla_dx": "m m-1", "dsla_dt": "m s-1", "laplacian_sla": "m-1"}
        assert {key: ds[key].attrs["units"] for key in units} == units
        assert ds.cf["longitude"].name == "longitude" and ds.cf["sea_surface_height_above_sea_level"].name == "sla"
        assert all(np.isfinite(ds[key]).all() for key in ds.data_vars)
        assert ds.time.values[0] == np.datetime64("2021-01-01", "ns")
        np.testing.assert_allclose(ds.adt, ds.sla + ds.mdt, atol=1e-6)


def test_tracks_can_be_fitted_from_their_file(demo):
    out, _ = demo
    with xr.open_dataset(out / "tracks.nc") as ds:
        assert set(ds.mission.values) == {"alg", "c2", "j3", "s3a", "s3b"}
        assert ds.inr.fit(method="oi").info["missions"] == ["alg", "c2", "j3", "s3a", "s3b"]


def test_methods_beat_the_null(demo):
    null, oi, kriging, siren = demo[1].rows
    assert kriging["rmse_truth"] < 0.6 * null["rmse_truth"]
    assert 0.3 < kriging["coverage_68"] < kriging["coverage_95"]
    assert oi["mu"] > null["mu"] + 0.05
    assert oi["rmse_truth"] < 0.6 * null["rmse_truth"] and oi["rmse"] < 0.7 * null["rmse"]
    assert siren["rmse_truth"] < null["rmse_truth"]
    assert oi["lambda_x_low"] <= oi["lambda_x"] <= oi["lambda_x_high"]
    assert 0.0 < oi["mu_laplacian"] < oi["mu_gradient"] < oi["mu_truth"] < 1.0
    assert 0.4 < oi["coverage_68"] < oi["coverage_95"] <= 1.0 and "coverage_68" not in null


def test_table_and_csv_say_the_same(demo):
    out, result = demo
    lines = result.table.splitlines()
    assert lines[0] == "24 days of SARAL/AltiKa, Jason-3, Sentinel-3A, Sentinel-3B"
    assert lines[2] == "On the passes of CryoSat-2, which no method saw:"
    starts = [line.split("|")[1].strip() for line in lines if line.startswith("|")]
    assert starts == ["method", "---", "null (mdt)", "OI", "kriging", "SIREN"] * 2
    with (out / "table.csv").open(encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert [row["method"] for row in read] == [row["method"] for row in result.rows]
    on_track, on_truth = (line for line in lines if line.startswith("| OI"))
    assert f"{100 * float(read[1]['rmse']):.2f}" in on_track
    assert (
        f"{100 * float(read[1]['rmse_truth']):.2f}" in on_truth and f"{float(read[1]['mu_velocity']):.3f}" in on_truth
    )


@pytest.mark.parametrize("name", demonstration.METHODS)
def test_its_settings_make_a_method(name):
    settings = demonstration.METHODS[name]
    assert type(method_from(name, dict(settings))).__name__.lower() == name


def test_an_ocean_without_known_truth_is_refused(tmp_path, challenge):
    with pytest.raises(ValueError, match="the truth of 'simulated ocean' is not known"):
        demonstration.run(tmp_path, replace(challenge, truth=None))


def test_the_command_runs_the_demo(monkeypatch, tmp_path):
    seen = {}

    class Fake:
        table = "the table"
        files = (tmp_path / "a.nc",)

    monkeypatch.setattr("xinr.challenges.osse", lambda seed: f"osse of seed {seed}")
    monkeypatch.setattr(
        "xinr.challenges.leaderboard.demo.run", lambda out, challenge: seen.update(out=out, challenge=challenge) or Fake
    )
    result = CliRunner().invoke(cli.app, ["demo", "--out", str(tmp_path), "--seed", "3"])
    assert result.exit_code == 0 and "the table" in result.output and "a.nc" in result.output
    assert seen == {"out": tmp_path, "challenge": "osse of seed 3"}


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from typer.testing import CliRunner; from xinr.cli import app;"
        "assert 'demo' in CliRunner().invoke(app, ['--help']).output;"
        "heavy = 'torch', 'matplotlib', 'scipy', 'xinr.challenges.leaderboard.demo';"
        "print([name for name in heavy if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
