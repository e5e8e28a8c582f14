from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import xinr
from xinr import challenges
from xinr.challenges import osse
from xinr.geo.coordinates import within
from xinr.metrics.truth import score_truth
from xinr.simulate import PERFECT, Errors, MeanJet, eddies
from xinr.simulate.ocean import cache

MONTH = ("2021-01-01", "2021-01-24")
QUICK = {
    "frame": "sphere",
    "length_scale": 120.0,
    "time_scale": 10.0,
    "sigma": 0.12,
    "coarsen": 10,
    "noise": 0.158,
    "analysis_step": 6.0,
}


@pytest.fixture(scope="module")
def challenge():
    return osse(eddies(waves=60), missions=("alg", "j3", "s3a"), period=MONTH, spacing=1.0, segment_length=500.0)


@pytest.fixture(scope="module")
def field(challenge):
    return challenge.fit("oi", **QUICK)


def test_an_experiment_withholds_one_mission(challenge):
    assert set(challenge.training.mission.values) == {"alg", "j3", "s3a"} == set(challenge.missions)
    assert set(challenge.withheld.mission.values) == {"c2"}
    assert dict(challenge.grid.sizes) == {"time": 8, "latitude": 11, "longitude": 11}
    np.testing.assert_allclose(challenge.grid.longitude[[0, -1]], [295.0, 305.0])
    xr.testing.assert_identical(challenge.grid.mdt, MeanJet(latitude=38.0).interp(challenge.grid))
    assert repr(challenge).startswith("<Challenge simulated ocean: ") and "of c2 withheld, 2021-01-01 to" in repr(
        challenge
    )


def test_how_the_ocean_is_sampled_is_handed_on():
    perfect = osse(eddies(waves=20), missions=("j3",), period=MONTH, errors=PERFECT, mdt=MeanJet(drop=0.0), seed=2)
    np.testing.assert_array_equal(perfect.training.sla_unfiltered, perfect.truth.interp(perfect.training).sla)
    assert not perfect.grid.mdt.any() and not perfect.withheld.mdt.any()
    dry = osse(eddies(waves=20), missions=("j3",), period=MONTH, land=lambda lon, lat: lat > 40.0)
    assert float(dry.training.latitude.max()) <= 40.0 and float(dry.withheld.latitude.max()) <= 40.0


def test_a_fit_is_that_of_the_training_tracks(challenge, field):
    direct = challenge.training.inr.fit("oi", **QUICK)
    xr.testing.assert_equal(field.interp(challenge.grid), direct.interp(challenge.grid))
    assert field.info["quantity"] == "sla_unfiltered" and field.info["missions"] == ["alg", "j3", "s3a"]


def test_methods_beat_the_null_on_the_withheld_track(challenge, field):
    table, null = challenge.score(field), challenge.score_null()
    assert float(table.rmse) < 0.7 * float(null.rmse)
    assert float(table.rmse_null) == float(null.rmse)
    assert table.attrs["protocol"] == "strict" and table.attrs["segment_length_km"] == 500.0
    through = challenge.score_map(field.interp(challenge.grid))
    assert float(table.rmse) <= float(through.rmse) < float(null.rmse)


def test_the_region_scored_is_the_region_given(challenge, field):
    there = challenge.withheld.sla_unfiltered.notnull().values
    assert int(challenge.score(field).n) == there.sum()
    inner = replace(challenge, region=(297.0, 303.0, 35.0, 41.0), period=("2021-01-05", "2021-01-20"))
    day = challenge.withheld.time.values.astype("datetime64[D]")
    inside = within(challenge.withheld.longitude, challenge.withheld.latitude, inner.region)
    inside &= (day >= np.datetime64("2021-01-05")) & (day <= np.datetime64("2021-01-20"))
    assert int(inner.score(field).n) == (there & inside).sum() > 0
    assert int(inner.score_null().n) == (there & inside).sum()


def test_the_truth_scores_itself_perfectly_and_a_fraction_its_remainder(challenge):
    itself = challenge.score_truth(challenge.truth)
    names = ("mu", "mu_gradient", "mu_laplacian", "mu_speed", "mu_velocity")
    assert [float(itself[name]) for name in names] == [1.0] * 5
    assert float(itself.rmse) == float(itself.rmse_velocity) == 0.0
    fraction = challenge.score_truth(0.9 * challenge.true_maps)
    np.testing.assert_allclose([float(fraction[name]) for name in names], 0.9, atol=1e-12)
    np.testing.assert_allclose([float(fraction[name.replace("mu", "sigma")]) for name in names], 0.0, atol=1e-12)
    assert not [name for name in fraction if str(name).startswith("coverage")]


def test_a_field_scores_as_its_maps_do(challenge, field):
    table, again = challenge.score_truth(field), challenge.score_truth(challenge.map(field))
    xr.testing.assert_identical(table, again)
    assert 0.2 < float(table.mu_velocity) < float(table.mu) < 1.0
    assert float(table.mu_laplacian) < float(table.mu_gradient) < float(table.mu)
    assert 0.5 < float(table.coverage_68) < float(table.coverage_95) <= 1.0
    assert all(table[name].attrs["units"] for name in table.data_vars)
    assert float(table.rmse) == pytest.approx(
        float(np.sqrt(((field.interp(challenge.grid).sla - challenge.true_maps.sla) ** 2).mean()))
    )


def test_formal_errors_that_are_right_cover_what_they_claim(challenge):
    rng = np.random.default_rng(0)
    true = challenge.true_maps
    deviation = xr.full_like(true.sla, 0.03)
    maps = true.assign(sla=true.sla + deviation * rng.normal(size=true.sla.shape), err_sla=deviation)
    table = challenge.score_truth(maps)
    assert float(table.coverage_68) == pytest.approx(0.68, abs=0.04)  # 968 points: standard error 0.015
    assert float(table.coverage_95) == pytest.approx(0.95, abs=0.02)


def test_speed_is_of_one_sign_and_velocity_is_not(challenge):
    true = challenge.true_maps
    turned = true.assign(dsla_dx=-true.dsla_dx, dsla_dy=-true.dsla_dy)
    table = challenge.score_truth(turned)
    assert float(table.mu_speed) == float(table.mu_gradient) == 1.0
    assert float(table.mu_velocity) == pytest.approx(-1.0)


def test_maps_without_derivatives_are_refused(challenge):
    with pytest.raises(
        ValueError,
        match=r"the maps lack \['dsla_dx', 'dsla_dy', 'laplacian_sla'\]: expected the result of field.evaluate",
    ):
        challenge.score_truth(challenge.true_maps[["sla"]])


def test_truth_under_another_name_is_the_same_and_absolute_heights_are_not(challenge, field):
    def called(name):
        return xinr.MapField.of(challenge.true_maps.sla.drop_attrs().rename(name)).evaluate(challenge.grid)

    ours = challenge.map(field)
    assert score_truth(ours, called("ssha")).mu == score_truth(ours, called("sla")).mu
    with pytest.raises(
        ValueError, match="the maps are of 'sla' and the truth of 'adt', one an anomaly and the other not"
    ):
        score_truth(ours, called("adt"))


def test_a_map_is_scored_on_the_truth_too(challenge):
    table = challenge.score_truth(xinr.MapField.of(challenge.true_maps.sla))
    assert float(table.mu) == pytest.approx(1.0)
    assert 0.0 < float(table.mu_gradient) < 1.0  # differences across a degree


def test_without_a_truth_there_is_no_score_on_it(challenge, field):
    with pytest.raises(ValueError, match="the truth of 'simulated ocean' is not known"):
        replace(challenge, truth=None).score_truth(field)


def test_the_withheld_mission_must_not_be_mapped():
    with pytest.raises(ValueError, match="the withheld mission 'j3' must not be among those to map"):
        osse(eddies(waves=4), withheld="j3")


WEEK = ("2021-01-01", "2021-01-05")


@pytest.fixture
def cache_folder(monkeypatch, tmp_path):
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / name)
    return tmp_path / "xinr"


def test_the_default_ocean_is_simulated_once(cache_folder, monkeypatch):
    first = osse(period=WEEK, seed=5, time_step=1)
    kept = list(cache_folder.iterdir())
    assert len(kept) == 1 and kept[0].suffix == ".nc"
    monkeypatch.setattr(sys.modules["xinr.simulate.ocean.qg"], "qg", lambda **_: pytest.fail("simulated again"))
    again = osse(period=WEEK, seed=5, time_step=1)
    xr.testing.assert_equal(again.training, first.training)
    xr.testing.assert_equal(again.true_maps.sla, first.true_maps.sla)
    assert 0.05 < float(first.true_maps.sla.std()) < 0.6
    assert first.truth.is_anomaly and first.truth.info["method"] == "qg"


class StandIn:
    """Replaces the simulation, which takes time."""

    def __init__(self):
        self.made = 0

    def qg(self, **settings):
        self.made += 1
        return settings

    def as_field(self, settings):
        return eddies(waves=5, seed=settings["seed"], start=settings["start"])


@pytest.fixture
def simulated(monkeypatch, cache_folder):
    stand_in = StandIn()
    monkeypatch.setattr(sys.modules["xinr.simulate.ocean.qg"], "qg", stand_in.qg)
    monkeypatch.setattr(sys.modules["xinr.simulate.ocean.as_field"], "as_field", stand_in.as_field)
    return stand_in


def test_each_set_of_settings_has_a_file_of_its_own(simulated, cache_folder):
    for options in (
        {},
        {"seed": 1},
        {"period": WEEK},
        {"region": (296.0, 304.0, 33.0, 43.0)},
        {"region": (295.0, 304.0, 33.0, 43.0)},
    ):
        cache.cached_ocean(**options)
    assert simulated.made == len(list(cache_folder.iterdir())) == 4  # the same centre: the same ocean
    cache.cached_ocean(seed=1)
    assert simulated.made == 4


def test_a_damaged_file_is_simulated_again(simulated, cache_folder):
    cache.cached_ocean()
    (path,) = cache_folder.iterdir()
    path.write_bytes(b"not a netCDF file")
    field = cache.cached_ocean()
    assert simulated.made == 2
    assert xinr.open_field(path).info == field.info


def test_without_a_writable_cache_the_ocean_is_simulated_each_time(simulated, cache_folder):
    cache_folder.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="the simulated ocean cannot be stored in the cache"):
        field = cache.cached_ocean()
    assert field.name == "sla"


def test_a_region_larger_than_the_ocean_is_refused(simulated):
    with pytest.raises(
        ValueError, match=r"is 2224 km across, and the simulated ocean 2000 km.*osse\(eddies\(region\)\)"
    ):
        osse(region=(290.0, 310.0, 25.0, 45.0))
    assert simulated.made == 0


def test_the_western_mediterranean_scores_as_published_here(med2021):
    challenge = challenges.med2021(med2021)
    null = challenge.score_null()
    assert (round(100 * float(null.rmse), 2), round(float(null.mu), 3), int(null.n)) == (10.07, 0.062, 9233)
    assert challenge.missions == ("alg", "h2b", "j3") and len(challenge.observations) == 48319
    assert challenge.grid.time.values[[0, -1]].astype("datetime64[D]").astype(str).tolist() == [
        "2021-01-15",
        "2021-03-16",
    ]
    assert dict(challenge.grid.sizes) == {"time": 61, "latitude": 66, "longitude": 86}
    with pytest.raises(ValueError, match="the truth of 'Western Mediterranean 2021' is not known"):
        challenge.true_maps  # noqa: B018


def test_a_folder_without_the_missions_is_refused(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"lacks dt_med_<mission>_phy_l3_\*.nc for \['alg', 'h2b', 'j3', 's3a'\]"
    ):
        challenges.med2021(tmp_path)


def test_an_unknown_mission_is_refused(tmp_path):
    with pytest.raises(ValueError, match="withheld must be one of"):
        challenges.med2021(tmp_path, "c2")


def test_missing_passes_leave_fewer_observations():
    whole, gappy = (
        osse(eddies(waves=20), missions=("j3", "s3a"), period=MONTH, errors=Errors(missing_passes=share))
        for share in (0.0, 0.5)
    )
    assert len(gappy.observations) < 0.8 * len(whole.observations)
