"""The simulated challenge at a small size, and covariances learned from simulated fields."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
import typer
import xarray as xr
from typer.testing import CliRunner

from tests.benchmarks import measures, osse
from xinr import challenges
from xinr.methods.covariances import Gaussian, Spectral
from xinr.methods.kriging.method import Kriging
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.oi import OI
from xinr.simulate import eddies, qg
from xinr.simulate.ocean.covariance import covariance_of, modes_of

# Oceans and settings here are chosen for what is tested, not for each other.
pytestmark = pytest.mark.filterwarnings("ignore:the observations vary")

SMALL = {
    "OI, 2021a settings": OI(coarsen=20, analysis_step=4.0),
    "OI, tuned": OI(frame="sphere", coarsen=20, covariance=Gaussian(120.0, 6.0, 0.1), analysis_step=4.0),
    "DUACS-like OI": OI(frame="sphere", coarsen=20, covariance=Gaussian(150.0, 8.0, 0.1), analysis_step=4.0),
    "kriging, defaults": Kriging(coarsen=10, spacing=40.0, time_step=3.0),
    osse.FROM_FIELDS: Kriging(coarsen=10, covariance=Spectral(120.0, 12.0, 0.1), spacing=40.0, time_step=3.0),
    "SIREN, tuned": Siren(hidden_features=32, hidden_layers=2, steps=60, batch_size=512),
}


@pytest.fixture(scope="module")
def challenge():
    truth = eddies(waves=60)
    return challenges.osse(truth, missions=("j3", "s3a"), period=("2021-01-01", "2021-01-16"), spacing=1.0, time_step=2)


def test_every_method_is_in_the_tables_and_figures(challenge, monkeypatch, tmp_path):
    monkeypatch.setattr(osse, "METHODS", SMALL)
    monkeypatch.setattr(osse, "OTHERS", {})
    monkeypatch.setattr(osse, "osse", lambda: challenge)
    app = typer.Typer()
    app.command()(osse.main)
    arguments = ["--csv", str(tmp_path / "all.csv"), "--figures", str(tmp_path)]
    printed = CliRunner().invoke(app, arguments, catch_exceptions=False).output
    truth, track, learned = (part.splitlines() for part in printed.split("|\n\n"))
    names = [row.split("|")[1].strip() for row in truth if row.startswith("|")]
    assert names == ["method", "---", "null (mdt)", *SMALL]
    assert [row.split("|")[1].strip() for row in track if row.startswith("|")] == names
    assert sum(row.startswith("|") for row in learned) == 4
    with (tmp_path / "all.csv").open(encoding="utf-8") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert float(rows["OI, tuned"]["rmse_truth"]) < 0.8 * float(rows["null (mdt)"]["rmse_truth"])
    assert 0.3 < float(rows[osse.FROM_FIELDS]["coverage_68"]) < float(rows[osse.FROM_FIELDS]["coverage_95"]) <= 1.0
    assert rows["null (mdt)"]["coverage_68"] == ""
    for name in ("osse_maps.png", "osse_psd_score.png"):
        assert (tmp_path / name).stat().st_size > 10_000


def test_each_search_uses_the_tracks_of_its_own_realisation(challenge, monkeypatch):
    seen = []
    settings = {"OI, tuned": (("noise",), 0), osse.FROM_FIELDS: (("noise",), osse.ELSEWHERE)}
    other = replace(challenge, name="elsewhere")
    monkeypatch.setattr(osse, "METHODS", SMALL)
    monkeypatch.setattr(osse, "SEARCHED", settings)
    monkeypatch.setattr(osse, "qg", lambda days, seed: (days, seed))
    monkeypatch.setattr(osse, "covariance_of", lambda ds: seen.append(ds) or Spectral(80.0, 7.0, 0.2))
    search = measures.tune

    def watched(observations, *arguments, **options):
        seen.append(observations)
        return search(observations, *arguments, **options)

    monkeypatch.setattr(measures, "tune", watched)
    found = osse.tuned({0: challenge, osse.ELSEWHERE: other}, evaluations=2)
    assert seen[0] is challenge.observations and seen[1] is other.observations
    assert seen[2] == (osse.ELSEWHERE_DAYS, osse.ELSEWHERE)
    assert found["OI, tuned"].analysis_step == 4.0 and found["OI, tuned"].covariance == SMALL["OI, tuned"].covariance
    assert found[osse.FROM_FIELDS].covariance == Spectral(80.0, 7.0, 0.2)
    assert found["SIREN, tuned"] is SMALL["SIREN, tuned"]


def test_gains_are_relative_to_oi_and_to_the_defaults():
    rmse = {"OI, tuned": 5.0, "kriging, defaults": 8.0, "kriging, x": 4.0, "SIREN": 1.0}
    defaults, other = osse.gains([{"method": name, "rmse_truth": value} for name, value in rmse.items()])
    assert (defaults["method"], other.pop("method")) == ("kriging, defaults", "kriging, x")
    assert other == pytest.approx({"rmse_truth": 4.0, "than_oi": 20.0, "than_defaults": 50.0})


def gaussian_ocean(covariance, points=32, maps=800, side=2000.0, seed=0):
    """Sample a periodic ocean with the spectrum of a covariance, by the numbers in its definition."""
    space = side / points
    k, omega = 2 * np.pi * np.fft.fftfreq(points, space), -2 * np.pi * np.fft.fftfreq(maps, 1.0)
    density = covariance.spectrum(k[None, None, :], k[None, :, None], omega[:, None, None])
    white = np.random.default_rng(seed).standard_normal((maps, points, points))
    ssh = np.fft.ifftn(np.sqrt(density / space**2) * np.fft.fftn(white)).real
    axis = (np.arange(points) - points // 2) * space
    time = np.datetime64("2021-01-01", "ns") + np.arange(maps) * np.timedelta64(1, "D")
    return xr.Dataset({"ssh": (("time", "y", "x"), ssh)}, {"time": time, "y": axis, "x": axis})


def test_the_covariance_of_an_ocean_is_found_again():
    asked = Spectral(180.0, 12.0, 0.2, exponent=2.6, time_exponent=1.8, decorrelation_exponent=0.6, westward_drift=6.0)
    found = covariance_of(gaussian_ocean(asked), floor=1e-3)
    names = ("length_scale", "sigma", "exponent", "westward_drift")
    assert [getattr(found, name) for name in names] == pytest.approx([getattr(asked, name) for name in names], rel=0.15)
    lags = np.array([[0.0, 0.0, 5.0], [-60.0, 0.0, 10.0], [150.0, 0.0, 0.0], [0.0, 200.0, 5.0]])
    origin = np.zeros((1, 3))
    np.testing.assert_allclose(found.value(origin, lags), asked.value(origin, lags), atol=0.05 * asked.sigma**2)


def test_densities_sum_to_the_variance():
    ds = gaussian_ocean(Spectral(180.0, 12.0, 0.2, exponent=2.6))
    waves = modes_of(ds)
    volume = (2 * np.pi / 2000.0) ** 2 * 2 * np.pi / 80.0
    both_directions = np.where(waves.k > 0, 2.0, 1.0)
    variance = (both_directions * waves.density).sum() * volume / (2 * np.pi) ** 3
    # All but the mean, and waves shorter than three steps.
    assert variance == pytest.approx(float((ds.ssh - ds.ssh.mean(("x", "y"))).var()), rel=0.05)


def test_a_feature_that_moves_west_has_a_positive_drift():
    ds = gaussian_ocean(Spectral(150.0, 40.0, 0.2, exponent=3.0))
    steps = 2000.0 / 32
    west = xr.concat([ds.ssh[i].roll(x=-round(8.0 * i / steps)) for i in range(ds.sizes["time"])], "time")
    assert covariance_of(ds.assign(ssh=west), floor=1e-2).westward_drift == pytest.approx(8.0, abs=1.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ds: ds.isel(time=slice(70)), r"expected 80 maps or more of a whole square.*\(70, 32, 32\)"),
        (lambda ds: ds.isel(y=slice(20)), "expected 80 maps or more of a whole square"),
        (lambda ds: ds.where(ds.x > 0), "without missing values"),
        (lambda ds: ds.isel(time=np.r_[0:90, 100:200]), "expected regular steps of time and x, got 1 to 11"),
    ],
)
def test_what_is_no_periodic_ocean_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        covariance_of(change(gaussian_ocean(Spectral(180.0, 12.0, 0.2), maps=200)))


def test_a_floor_must_be_above_zero():
    with pytest.raises(ValueError, match="floor"):
        covariance_of(qg(79, points=32), floor=0.0)
