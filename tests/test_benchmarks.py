"""The benchmarks at a small size, so that they cannot rot."""

from __future__ import annotations

import sys
from dataclasses import replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import typer
import xarray as xr
from typer.testing import CliRunner

from tests.benchmarks import docs_images, med2021
from tests.benchmarks.peers import PyinterpOI
from xinr import challenges
from xinr.fields.fitting import fit_observations
from xinr.methods.covariances import Gaussian, Matern
from xinr.methods.kriging.method import Kriging
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.oi import OI
from xinr.observations.observations import Observations


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of four missions in the layout of the challenge: straight passes over a known signal of 0.1 m."""
    folder = tmp_path_factory.mktemp("med2021")
    rng = np.random.default_rng(0)
    for mission in challenges.MED2021_MISSIONS:
        starts = np.sort(rng.uniform(10, 35, 40))
        along = np.arange(0, 200)
        day = np.repeat(starts, along.size) + np.tile(along / 86400, starts.size)
        lat = np.tile(32 + 0.06 * along, starts.size)
        lon = np.repeat(rng.uniform(3, 16, starts.size), along.size) + 0.015 * np.tile(along, starts.size)
        signal = 0.1 * np.sin(lon / 0.9 + day / 15) * np.cos(lat / 0.9)
        ds = xr.Dataset(
            {
                "sla_unfiltered": ("time", signal + 0.02 * rng.standard_normal(lon.size)),
                "mdt": ("time", 0.02 * np.sin(lat)),
                "lwe": ("time", np.zeros(lon.size)),
            },
            {
                "time": np.datetime64("2021-01-01", "ns") + (day * 86400e9).astype("timedelta64[ns]"),
                "longitude": ("time", lon),
                "latitude": ("time", lat),
            },
        )
        ds.to_netcdf(folder / f"dt_med_{mission}_phy_l3_20210101-20210331_0-20_30-45.nc")
    return folder


SMALL = {
    "OI": OI(frame="sphere", coarsen=20, covariance=Gaussian(120.0, 6.0, 0.1), analysis_step=4.0),
    "pyinterp OI": PyinterpOI(),
    "SIREN": Siren(hidden_features=32, hidden_layers=2, steps=50, batch_size=512),
}


def test_every_method_beats_the_null(folder, monkeypatch):
    monkeypatch.setattr(med2021, "METHODS", SMALL)
    monkeypatch.setattr(sys.modules["xinr.challenges.med2021"], "MED2021_PERIOD", ("2021-01-15", "2021-01-20"))
    printed = CliRunner().invoke(_app(), [str(folder), "--withheld", "s3a"], catch_exceptions=False).output
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines()]
    assert [row[0] for row in table] == ["method", "---", "null (mdt)", "OI", "pyinterp OI", "SIREN"]
    rmse = [float(row[1].split()[0]) for row in table[2:]]
    assert max(rmse[1:3]) < 0.6 * rmse[0]
    assert all(float(row[6]) >= 0 and float(row[7]) >= 0 for row in table[3:])


def test_tuning_keeps_to_the_mapped_missions(folder, monkeypatch):
    monkeypatch.setattr(med2021, "METHODS", {"OI, tuned": replace(SMALL["OI"], pass_bias=0.02)})
    monkeypatch.setattr(med2021, "SEARCHED", {"OI, tuned": ("length_scale", "noise")})
    challenge = challenges.med2021(folder, "alg")
    assert challenge.missions == ("h2b", "j3", "s3a")
    challenge = replace(challenge, training=challenge.training.isel(time=slice(None, None, 2)))
    found = med2021.tuned(challenge, evaluations=3)["OI, tuned"]
    assert isinstance(found, OI)
    assert found.analysis_step == 4.0


def test_every_mission_is_withheld_in_turn(folder, monkeypatch):
    """Two of them, two methods: the better start is taken, learning is timed, errors are calibrated."""
    kriging = Kriging(coarsen=10, spacing=60.0, time_step=4.0)
    poor = replace(kriging, noise=1.6)
    starts = {"SIREN": ((SMALL["SIREN"],), ()), "kriging, tuned": ((poor, kriging), ("noise",))}
    monkeypatch.setattr(med2021, "STARTS", starts)
    monkeypatch.setattr(med2021, "MED2021_MISSIONS", ("j3", "s3a"))
    monkeypatch.setattr(med2021, "SPACING", 0.5)
    monkeypatch.setattr(sys.modules["xinr.challenges.med2021"], "MED2021_PERIOD", ("2021-01-15", "2021-01-20"))
    arguments = [str(folder), "--withheld", "all", "--evaluations", "1"]
    printed = CliRunner().invoke(_app(), arguments, catch_exceptions=False).stdout
    head, _, *table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines()]
    rows = [dict(zip(head, cells, strict=True)) for cells in table]
    assert [row["withheld"] for row in rows] == ["j3"] * 3 + ["s3a"] * 3
    assert [row["method"] for row in rows[:3]] == ["null (mdt)", "SIREN", "kriging, tuned"]
    null, siren, tuned = rows[3:]
    assert float(tuned["rmse [cm]"].split()[0]) < 0.5 * float(null["rmse [cm]"].split()[0])
    assert float(tuned["learning [s]"]) > 0
    assert siren["learning [s]"] == null["in 68 %"] == null["fit [s]"] == ""
    low, high = (float(tuned[f"in {level} %"]) for level in (68, 95))
    assert 0.3 < low < high <= 1.0
    assert 0 < float(tuned["crps [cm]"]) < float(tuned["rmse [cm]"].split()[0])


def test_the_table_of_all_missions_always_learns(folder):
    result = CliRunner().invoke(_app(), [str(folder), "--withheld", "all", "--tune"])
    assert result.exit_code == 2
    assert "learns the settings in any case" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Gaussian, "gaussian"),
        (partial(Matern, smoothness=0.5), "matern_12"),
        (Matern, "matern_32"),
        (partial(Matern, smoothness=2.5), "matern_52"),
    ],
)
def test_pyinterp_with_every_neighbour_is_our_oi(folder, ours, theirs):
    """Same covariance, all observations: two implementations agree."""
    near = Observations.from_tracks(xr.open_dataset(next(folder.glob("*s3a*"))))
    near = near.take(np.arange(0, 1000)).coarsen(5)
    settings = {"coarsen": 1, "noise": 0.067}
    scales = {"length_scale": 150.0, "time_scale": 10.0, "sigma": 0.1}
    ours = fit_observations(near, OI(**settings, covariance=ours(**scales), frame="sphere", window=100.0))
    theirs = fit_observations(near, PyinterpOI(**settings, **scales, n_neighbors=len(near), covariance=theirs))
    target = {"time": near.time[::20], "longitude": np.linspace(5, 15, 5), "latitude": np.linspace(33, 43, 5)}
    a, b = (field.interp(target).sla.values for field in (ours, theirs))
    assert np.abs(a).max() > 0.03
    np.testing.assert_allclose(a, b, atol=1e-3)  # chords on a sphere against chords on the ellipsoid


def test_peers_have_no_derivatives(folder):
    near = Observations.from_tracks(xr.open_dataset(next(folder.glob("*s3a*"))))
    field = fit_observations(near, PyinterpOI())
    with pytest.raises(TypeError, match="pyinterp's optimal interpolation gives no derivatives"):
        field.gradient({"time": near.time[:1], "longitude": [5.0], "latitude": [33.0]})


def _app(main=med2021.main):
    app = typer.Typer()
    app.command()(main)
    return app


# --- pictures of the docs ---------------------------------------------------------------------------


def test_every_picture_of_the_docs_is_made_by_one_command():
    images = Path(__file__).parents[1] / "docs" / "images"
    listed = CliRunner().invoke(_app(docs_images.main), []).output
    patterns = [line.split(",")[0] for line in listed.splitlines()]
    found = [str(path.relative_to(images).with_suffix("")) for path in images.rglob("*.*")]
    assert [sum(fnmatch(name, pattern) for pattern in patterns) for name in found] == [1] * len(found) != []


def test_a_picture_is_made_where_asked(tmp_path):
    made = CliRunner().invoke(_app(docs_images.main), ["oi_windows", "--images", str(tmp_path)])
    assert made.exit_code == 0, made.output
    assert (tmp_path / "oi_windows.png").stat().st_size > 20_000


@pytest.mark.parametrize(
    ("name", "message"),
    [("tiles_globe", "drawn from real tracks: say where, --data FOLDER"), ("moon", "unknown ['moon']: expected some")],
)
def test_pictures_that_cannot_be_made_are_refused(name, message):
    refused = CliRunner().invoke(_app(docs_images.main), [name])
    assert refused.exit_code == 2
    assert message in " ".join(refused.output.replace("│", " ").split())
