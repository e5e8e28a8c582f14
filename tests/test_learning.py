"""The gradient of the cross-validated misfit, what a search finds by it, and posterior samples of a fitted field."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import xinr
from tests.helpers import two_missions
from xinr.fields.fitting import fit_observations
from xinr.methods.covariances import Gaussian, Spectral
from xinr.methods.kriging.method import Kriging
from xinr.methods.method import with_settings
from xinr.methods.search import from_variable, to_variable
from xinr.metrics.calibration import gaussian_crps
from xinr.simulate import eddies, tracks
from xinr.simulate.altimeters.errors import Errors
from xinr.validation.cross_validation import cross_validate, expected_misfits, sampled_folds

pytestmark = pytest.mark.filterwarnings("ignore:the observations vary")

START = Kriging(
    covariance=Spectral(
        120.0, 10.0, 0.1, exponent=2.2, time_exponent=1.5, decorrelation_exponent=0.3, westward_drift=2.0
    ),
    noise=0.052,
    pass_bias=0.02,
    pass_slope=0.03,
    swath_bias=0.0,
    swath_roll=0.0,
    swath_baseline=0.0,
    swath_phase=0.0,
    spacing=50.0,
    time_step=3.0,
)


@pytest.fixture(scope="module")
def observations():
    return xinr.Observations.from_tracks(two_missions())


def test_the_gradient_is_that_of_the_misfit(observations):
    search = START.search(sampled_folds(observations, START, "mission", 0), START.searched)
    misfit, gradient = search.misfit(START)
    assert list(gradient) == list(START.searched) and len(gradient) == 10
    for name, slope in gradient.items():
        z = to_variable(START, name)
        ends = [
            search.misfit(with_settings(START, {name: from_variable(START, name, z + step)}))[0]
            for step in (-0.01, 0.01)
        ]
        assert slope == pytest.approx((ends[1] - ends[0]) / 0.02, rel=0.02, abs=2e-4 * misfit)


def test_deviations_are_scaled_to_the_misfits(observations):
    """What is expected of the misfits after tuning has the least CRPS, and the map is as it was."""
    found = xinr.tune(observations, replace(START, noise=0.35), ["pass_bias"], evaluations=1)
    factor = found.method.pass_bias / START.pass_bias
    assert factor < 0.7  # so large a noise was not there
    assert found.method.noise == pytest.approx(factor * 0.35)
    assert found.method.covariance.sigma == pytest.approx(factor * START.covariance.sigma)
    search = found.method.search(sampled_folds(observations, found.method, "mission", 0, averaged=True), [])
    misfit, deviation = search.expected(found.method)
    scores = [gaussian_crps(misfit, scale * deviation).mean() for scale in (0.9, 1.0, 1.1)]
    assert scores[1] < min(scores[0], scores[2])
    whole = found.method.search(sampled_folds(observations, found.method, "mission", 0), [])
    assert whole.misfit(found.method)[0] == pytest.approx(float(found.trials.rmse[0]) ** 2, rel=1e-6)


NOISY = {"alg": 0.01, "j3": 0.01, "s3a": 0.06}


@pytest.mark.parametrize(("noise", "apart"), [(NOISY, True), (dict.fromkeys(NOISY, 0.02), False)])
def test_each_mission_has_the_noise_that_its_tracks_show(noise, apart):
    made = tracks(eddies(), list(NOISY), period=("2021-01-01", "2021-01-25"), errors=Errors(noise=noise))
    points = xinr.Observations.from_tracks(made)
    found = xinr.tune(points, Kriging(), ["noise"], evaluations=1)
    levels = found.method.noise_of(["alg", "j3", "s3a"])
    if not apart:
        np.testing.assert_allclose(levels, found.method.rms_noise, rtol=0.1)
        return
    assert levels[1] == pytest.approx(levels[0], rel=0.25)
    assert levels[2] == pytest.approx(6.0 * levels[0], rel=0.3)
    assert found.rmse < float(found.trials.rmse.min())
    unknown = found.method.noise_of(["c2"]).item()
    assert unknown == pytest.approx(np.sqrt(np.mean(levels**2)))
    field = fit_observations(points, found.method)
    assert set(field.info["settings"]["noise"]) == set(NOISY) and "s3a=" in repr(field)


def test_observations_that_bring_their_noise_are_not_scaled(observations):
    brought = replace(observations, noise=np.full(len(observations), 0.02))
    found = xinr.tune(brought, START, ["pass_bias"], evaluations=1)
    assert found.method == START


def test_errors_of_oi_are_scaled_to_the_misfits(observations):
    start = xinr.OI(noise=1.1, analysis_step=4.0)
    found = xinr.tune(observations, start, ["noise"], evaluations=2)
    method = found.method
    assert method.covariance.sigma < 0.5  # a signal of 1 m was not there
    misfit, deviation = expected_misfits(observations, method, "mission", 0)
    scores = [gaussian_crps(misfit, scale * deviation).mean() for scale in (0.9, 1.0, 1.1)]
    assert scores[1] < min(scores[0], scores[2])
    assert float(cross_validate(observations, method).mean()) == pytest.approx(found.rmse, rel=1e-6)


def test_a_search_descends_and_repeats_itself(observations):
    poor = replace(START, noise=0.52)
    found, again = (xinr.tune(observations, poor, evaluations=4) for _ in range(2))
    assert found.rmse < 0.98 * float(found.trials.rmse[0])
    assert found.trials.sizes["trial"] <= 4 and found.method == again.method
    assert set(found.trials.data_vars) == {*START.searched, "rmse"}


def test_settings_of_a_sum_are_searched_by_the_number_of_the_term(observations):
    start = replace(START, covariance=Gaussian(150.0, 10.0, 0.1) + Gaussian(400.0, 40.0, 0.05))
    found = xinr.tune(observations, start, ["length_scale_1", "sigma_2"], evaluations=3)
    first, second = found.method.covariance.terms
    assert first.length_scale != 150.0 and second.length_scale == 400.0


def test_fit_tunes_first_when_asked(grid, monkeypatch):
    monkeypatch.setitem(xinr.tune.__kwdefaults__, "evaluations", 2)
    field = two_missions().inr.fit(START, tune=True)
    assert (
        field.info["tuned"]["evaluations"] == 2
        and field.info["tuned"]["folds"] == "mission"
        and 0 < field.info["tuned"]["rmse"] < 1
    )
    assert field.info["settings"]["noise"] != START.noise
    only = two_missions().inr.fit(START, tune=["noise"])
    assert only.info["settings"]["covariance"]["exponent"] == START.covariance.exponent
    assert np.isfinite(field.interp(grid).sla).all()


def test_a_method_without_settings_to_search_says_so(observations):
    with pytest.raises(ValueError, match="expected a list of settings to search"):
        xinr.tune(observations, xinr.Siren())


def test_samples_of_a_field_scatter_as_its_error_says(grid):
    field = two_missions().inr.fit(START)
    drawn = field.sample(grid, 40, seed=1).sla
    maps = field.interp(grid, error=True)
    assert drawn.dims == ("sample", "time", "latitude", "longitude") and drawn.attrs["units"] == "m"
    ratio = drawn.std("sample") / maps.err_sla
    assert float(ratio.mean()) == pytest.approx(1.0, abs=0.12)
    assert float(abs(drawn.mean("sample") - maps.sla).mean()) < 0.5 * float(maps.err_sla.mean())
    part = grid.isel(time=[1]) if isinstance(grid, xr.Dataset) else {**grid, "time": grid["time"][[1]]}
    again = field.sample(part, 40, seed=1).sla
    np.testing.assert_allclose(again.values, drawn[:, [1]].values, atol=1e-6)  # the same functions at other points


def test_a_method_that_samples_nothing_says_so(grid):
    field = two_missions().inr.fit("oi")
    with pytest.raises(ValueError, match="the method 'oi' draws no samples: kriging does"):
        field.sample(grid, 2)
    with pytest.raises(ValueError, match="count must be a whole number above zero, got 0"):
        two_missions().inr.fit(START).sample(grid, 0)


def test_a_drift_that_starts_at_zero_is_found_on_either_side():
    """A pattern that moves east, and its mirror image."""
    rng, n_passes, n = np.random.default_rng(0), 80, 20
    lon, day = rng.uniform(0.0, 6.0, n_passes), rng.uniform(0.0, 20.0, n_passes)
    x = np.column_stack([np.repeat(lon, n), np.tile(np.linspace(0.0, 4.0, n), n_passes), np.repeat(day, n)])
    start = replace(START, covariance=Spectral(120.0, 10.0, 0.1, exponent=2.2, time_exponent=1.5), coarsen=1)
    found = []
    for eastward in (0.06, -0.06):  # degrees of longitude a day
        height = 0.1 * np.sin(2.0 * (x[:, 0] - eastward * x[:, 2])) * np.cos(1.7 * x[:, 1])
        points = xinr.Observations(
            longitude=x[:, 0],
            latitude=x[:, 1],
            time=np.datetime64("2020-01-01", "ns") + (x[:, 2] * 86400e9).astype("timedelta64[ns]"),
            value=height + 0.01 * rng.standard_normal(len(x)),
            pass_index=np.repeat(np.arange(n_passes), n),
            mission_index=np.repeat(np.arange(n_passes) % 2, n),
            missions=("a", "b"),
            noise=None,
            name="sla",
        )
        found.append(xinr.tune(points, start, ["westward_drift"], evaluations=8).method.covariance.westward_drift)
    assert found[0] < -3.0 and found[1] > 3.0  # 6.7 km a day
