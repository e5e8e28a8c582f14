"""Cross-validation and the search of settings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import xinr
from xinr.methods.covariances import Gaussian
from xinr.methods.method import with_settings
from xinr.methods.oi import OI
from xinr.observations.observations import Observations
from xinr.validation.cross_validation import cross_validate
from xinr.validation.tuning import tune

SPHERE = OI(frame="sphere", coarsen=1, covariance=Gaussian(150.0, 10.0, 0.1), noise=0.02, analysis_step=5.0)


def passes(missions: tuple[str, ...] = ("a", "b"), seed: int = 0) -> Observations:
    """Points of two missions over a signal of 150 km scale."""
    rng = np.random.default_rng(seed)
    n_passes, n = 40, 20
    lon0, day = rng.uniform(0, 5, n_passes), rng.uniform(0, 10, n_passes)
    lon = np.repeat(lon0, n) + np.tile(np.linspace(0, 0.5, n), n_passes)
    lat = np.tile(np.linspace(40, 43, n), n_passes)
    start = (np.repeat(day, n) * 86400e9).astype(np.int64) + np.tile(np.arange(n) * 10**9, n_passes)
    value = 0.1 * np.sin(lon * 85 / 60) * np.cos(lat * 111 / 60) + 0.02 * rng.standard_normal(len(lon))
    index = np.repeat(np.arange(n_passes), n)
    return Observations(
        longitude=lon,
        latitude=lat,
        time=np.datetime64("2020-01-01", "ns") + start.astype("timedelta64[ns]"),
        value=value,
        pass_index=index,
        mission_index=index % len(missions),
        missions=missions,
        noise=None,
        name="sla",
    )


def test_each_mission_is_withheld_in_turn():
    found = cross_validate(passes(), SPHERE)
    assert list(found.fold.values) == ["a", "b"]
    assert np.all((found > 0.019) & (found < 0.08))


def test_withheld_points_are_not_seen():
    # With no noise assumed, a fit that saw the points would reproduce them.
    seeing = OI(**{**SPHERE.__dict__, "noise": 1e-4})
    assert float(cross_validate(passes(), seeing, "pass").min()) > 0.019


def test_tuning_improves_and_is_repeatable():
    start = with_settings(SPHERE, {"length_scale": 30.0})
    first, again = (tune(passes(), start, ["length_scale", "noise"], evaluations=15) for _ in range(2))
    assert first.method == again.method
    assert first.rmse < 0.9 * float(cross_validate(passes(), start).mean())
    assert first.rmse == float(first.trials.rmse.min())
    assert first.method.covariance.length_scale > 40.0


def test_one_fold_is_refused():
    with pytest.raises(ValueError, match=r'withholds each mission in turn, .* only 1: part it by passes, folds="pass"'):
        cross_validate(passes(("a",)), SPHERE, "mission")
    assert cross_validate(passes(("a",)), SPHERE, "pass").sizes["fold"] == 5
    one_pass = passes().take(passes().pass_index == 0)
    with pytest.raises(
        ValueError, match=r"withholds each pass in turn, .* only 1: take a longer period or a larger reg"
    ):
        cross_validate(one_pass, SPHERE)


def test_unknown_folds_are_refused():
    with pytest.raises(ValueError, match="folds must be 'mission' or 'pass', got 'points'"):
        cross_validate(passes(), SPHERE, "points")


@pytest.mark.parametrize("name", ["pass_bias", "frame"])
def test_only_positive_numbers_are_searched(name):
    with pytest.raises(ValueError, match=f"{name} must be a float above zero to be searched"):
        tune(passes(), SPHERE, [name])


@pytest.mark.parametrize(("settings", "evaluations"), [("noise", 3), ([], 3), (["noise"], 0)])
def test_nothing_to_search_is_refused(settings, evaluations):
    with pytest.raises(ValueError, match="expected a list of settings to search and at least one evaluation"):
        tune(passes(), SPHERE, settings, evaluations=evaluations)


def test_an_unknown_setting_is_refused():
    with pytest.raises(TypeError, match=r"OI has no setting \['lengthscale'\]: expected some of"):
        tune(passes(), SPHERE, ["lengthscale"])


def test_noise_that_comes_with_the_data_is_not_searched():
    noisy = replace(passes(), noise=np.full(len(passes()), 0.02))
    with pytest.raises(ValueError, match="noise cannot be searched: these observations bring their own"):
        tune(noisy, SPHERE, ["noise"])


def test_passes_keep_their_numbers_when_some_are_taken():
    some = passes().take(passes().pass_index >= 20)
    assert cross_validate(some, SPHERE, "pass").sizes == {"fold": 5}


def test_a_search_goes_on_after_a_trial_that_fails():
    start = with_settings(SPHERE, {"frame": "degrees", "length_scale": 40.0})  # the first move asks for 60 degrees
    found = tune(passes(), start, ["length_scale"], evaluations=4)
    assert np.isinf(found.trials.rmse.values).any() and np.isfinite(found.rmse)


def test_a_start_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="withholds each mission in turn, and there is only 1"):
        tune(passes(("a",)), SPHERE, ["noise"], evaluations=4, folds="mission")


# --- tracks, names and keywords ------------------------------------------------------------------------


def test_tracks_and_observations_a_name_and_a_method_are_judged_alike(tracks):
    """Each room takes what `fit` takes; the accessor is the function."""
    settings = {"analysis_step": 4.0, "length_scale": 2.0, "noise": 0.1}
    expected = cross_validate(Observations.from_tracks(tracks, lwe=True), with_settings(OI(), settings))
    for found in (
        xinr.cross_validate(tracks, "oi", lwe=True, **settings),
        xinr.cross_validate(tracks, with_settings(OI(), settings), lwe=True),
        tracks.inr.cross_validate(lwe=True, **settings),
        tracks["sla_unfiltered"].assign_coords(lwe=tracks.lwe).to_dataset().inr.cross_validate(lwe=True, **settings),
    ):
        xr.testing.assert_identical(found, expected)
    assert float(tracks.inr.cross_validate(**settings)[0]) != float(expected[0])


def test_a_search_takes_what_a_fit_takes(tracks):
    options = {"evaluations": 2, "analysis_step": 4.0, "length_scale": 2.0}
    found = tracks.inr.tune("oi", ["length_scale"], **options)
    assert float(found.trials.length_scale[0]) == pytest.approx(2.0) and found.folds == "mission"
    points = Observations.from_tracks(tracks)
    assert tune(points, OI(analysis_step=4.0), ["length_scale"], evaluations=2).method.analysis_step == 4.0
    assert tune(points, "oi", ["length_scale"], **options).method == found.method


def test_one_mission_is_tuned_by_its_passes(tracks, monkeypatch):
    alone = tracks.isel(time=tracks.mission == "j3")
    monkeypatch.setitem(tune.__kwdefaults__, "evaluations", 2)
    for ds in (alone, alone.drop_vars("mission")):
        assert ds.inr.fit(tune=["noise"], analysis_step=4.0).info["tuned"]["folds"] == "pass"
        assert ds.inr.cross_validate(analysis_step=4.0).fold.values.tolist() == [f"passes {k}" for k in range(5)]
    one_pass = alone.isel(time=slice(0, 40))
    with pytest.raises(ValueError, match="withholds each pass in turn, and there is only 1: take a longer period"):
        one_pass.inr.fit(tune=True)
    assert one_pass.inr.fit().info["passes"] == 1


def test_keywords_of_tracks_are_not_for_observations(tracks):
    points = Observations.from_tracks(tracks)
    with pytest.raises(TypeError, match=r"\['lwe', 'region'\] choose observations from tracks, but these are Observat"):
        cross_validate(points, "oi", lwe=True, region=(0, 1, 2, 3))
    with pytest.raises(TypeError, match=r"\['noise'\] choose observations from tracks"):
        xinr.fit(points, "oi", noise="sd")
    assert xinr.fit(points, "oi").info["missions"] == ["alg", "j3"]


def test_a_keyword_that_nothing_takes_is_refused(tracks):
    with pytest.raises(TypeError, match=r"OI has no setting \['settings'\]: expected some of"):
        tune(tracks, "oi", settings=["noise"])


def test_a_map_has_no_settings_to_search(maps):
    with pytest.raises(ValueError, match=r"tracks must have one dimension.*A map is not a track"):
        maps.inr.tune()
    with pytest.raises(ValueError, match=r"tracks must have one dimension.*A map is not a track"):
        maps.inr.cross_validate()
