"""Cross-validation and the search of settings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

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
    with pytest.raises(ValueError, match="at least two folds, got 1"):
        cross_validate(passes(("a",)), SPHERE)


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


def test_a_trial_that_cannot_be_is_survived():
    start = with_settings(SPHERE, {"frame": "degrees", "length_scale": 40.0})  # the first move asks for 60 degrees
    found = tune(passes(), start, ["length_scale"], evaluations=4)
    assert np.isinf(found.trials.rmse.values).any() and np.isfinite(found.rmse)


def test_a_start_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="at least two folds"):
        tune(passes(("a",)), SPHERE, ["noise"], evaluations=4)
