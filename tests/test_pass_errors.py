"""Errors of passes: the cheap inverse is that of the dense matrix, and random errors have its covariance."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

from xinr.methods import ObservationError
from xinr.methods.pass_errors import PassErrors

CPU = torch.device("cpu")
DEVIATIONS = {"both": (0.03, 0.05), "bias": (0.03, 0.0), "slope": (0.0, 0.05), "none": (0.0, 0.0)}
SWATH = {"swath_bias": 0.02, "swath_roll": 0.05, "swath_baseline": 0.03, "swath_phase": 0.04}
#: Errors of tracks alone, and of swaths beside them.
CASES = {**{name: {"bias": b, "slope": s} for name, (b, s) in DEVIATIONS.items()}, "swath": {"swath": SWATH}}
CASES |= {name: {"swath": {name: deviation}} for name, deviation in SWATH.items()}
CASES["all"] = {"bias": 0.03, "slope": 0.05, "swath": SWATH}


def errors(bias=0.0, slope=0.0, n=40, seed=0, swath=None):
    """Passes of unequal length, their points in no order and their numbers with gaps; noise of 1 to 5 cm."""
    rng = np.random.default_rng(seed)
    passes = rng.choice([2, 3, 7, 50], size=n, p=[0.5, 0.3, 0.175, 0.025])
    error = ObservationError(rng.uniform(0.01, 0.05, n), passes, rng.normal(0.0, 0.5, n), bias, slope)
    if not swath:
        return error
    across = np.where(np.isin(passes, [2, 7]), rng.uniform(-60.0, 60.0, n), np.nan)  # the others are of nadirs
    return replace(error, distance=4.0 * error.distance, cross_track_distance=across, **swath)


def dense(error):
    """The covariance of the errors, and of the part that is of passes, written out."""
    same = error.pass_index[:, None] == error.pass_index[None]
    of_pass = same * (error.pass_bias**2 + error.pass_slope**2 * np.outer(error.distance, error.distance))
    x = np.nan_to_num(error.cross_track_distance) / 60.0
    swath = np.isfinite(error.cross_track_distance)
    half = np.where(swath, np.where(x > 0, 1.0, -1.0), 0.0)
    across = error.swath_roll**2 * np.outer(x, x) + error.swath_baseline**2 * np.outer(x**2, x**2)
    across += error.swath_phase**2 * (np.outer(half, half) > 0) + error.swath_bias**2 * np.outer(swath, swath)
    of_pass = of_pass + same * across * along(error.distance)
    return np.diag(error.noise**2) + of_pass, of_pass


def along(distance):
    """The correlation of errors of swaths along a pass: of cubic B-splines at knots √3/2 of 1000 km apart."""
    knots = np.sqrt(0.75)
    centres = np.arange(np.floor(distance.min() / knots) - 2, np.ceil(distance.max() / knots) + 3)
    weights = BSpline.basis_element(np.arange(-2, 3), extrapolate=False)(distance[:, None] / knots - centres)
    weights = np.nan_to_num(weights)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return weights @ weights.T


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_inverse_is_that_of_the_dense_matrix(case):
    error = errors(**case)
    whole, of_pass = dense(error)
    v = np.random.default_rng(1).normal(size=(len(error.noise), 3))
    found = PassErrors(error, CPU, torch.float64)
    np.testing.assert_allclose(found.solve(torch.from_numpy(v)), np.linalg.solve(whole, v), rtol=1e-9, atol=1e-9)
    # The most probable error of the passes where residuals are all error: its regression on the residuals.
    expected = of_pass @ np.linalg.solve(whole, v)
    np.testing.assert_allclose(found.explained(torch.from_numpy(v)), expected, rtol=1e-9, atol=1e-12)


def test_single_precision_is_enough_where_a_bias_is_a_hundred_times_the_noise():
    rng = np.random.default_rng(0)
    error = ObservationError(np.full(600, 0.003), np.repeat([0, 1], 300), rng.normal(size=600), 0.3, 0.3)
    v = rng.normal(size=(600, 2))
    exact = np.linalg.solve(dense(error)[0], v)
    found = PassErrors(error, CPU).solve(torch.from_numpy(v).float()).numpy()
    np.testing.assert_allclose(found, exact, rtol=0, atol=2e-4 * np.abs(exact).max())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_matrix_of_optimal_interpolation_is_the_same(case):
    error = errors(**case)
    matrix = np.zeros((25, 25))
    error.add_to(matrix, slice(5, 30))
    np.testing.assert_allclose(matrix, dense(error)[0][5:30, 5:30], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(error.variance, np.diag(dense(error)[0]), rtol=1e-12)
    some = np.array([3, 7, 21, 39])
    modes = error.modes_of(np.stack([some, some[::-1]]))
    for own, points in zip(modes, (some, some[::-1]), strict=True):
        np.testing.assert_allclose(own @ own.T, dense(error)[1][np.ix_(points, points)], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_derivatives_by_the_deviations_are_those_of_the_dense_matrix(case):
    error, (a, b) = errors(**case), np.random.default_rng(1).normal(size=(2, 40, 1))
    found = PassErrors(error, CPU).products(torch.from_numpy(a), torch.from_numpy(b))
    for name in error.mode_names:
        larger, smaller = (dense(replace(error, **{name: f * getattr(error, name)}))[0] for f in (1.001, 0.999))
        assert found[name] == pytest.approx((a.T @ (larger - smaller) @ b).item() / 0.002, rel=1e-5)


def test_errors_along_a_swath_decorrelate_over_a_thousand_kilometres():
    distance = np.linspace(0.0, 4.0, 400)
    error = ObservationError(
        np.full(400, 1e-3), np.zeros(400, int), distance, cross_track_distance=np.full(400, 60.0), swath_roll=0.1
    )
    matrix = np.zeros((400, 400))
    error.add_to(matrix, slice(None))
    correlation = np.array([np.diag(matrix, lag).mean() for lag in (50, 100, 200)]) / 0.1**2
    np.testing.assert_allclose(correlation, np.exp(-(np.array([0.5, 1.0, 2.0]) ** 2)), atol=0.04)


def test_tracks_have_no_errors_of_swaths():
    error = replace(errors(0.03, 0.05), **SWATH)
    assert error.mode_names == ("pass_bias", "pass_slope")
    np.testing.assert_array_equal(error.variance, errors(0.03, 0.05).variance)


def test_a_saved_error_is_the_same():
    error = errors(**CASES["all"])
    again = ObservationError.from_state(error.state())
    np.testing.assert_array_equal(again.modes.matrix.toarray(), error.modes.matrix.toarray())
    old = {name: array for name, array in errors(0.03, 0.05).state().items() if name != "cross_track_distance"}
    old["pass_deviations"] = old["pass_deviations"][:2]
    assert ObservationError.from_state(old).mode_names == ("pass_bias", "pass_slope")


@pytest.mark.parametrize("case", ["both", "all"])
def test_samples_have_the_covariance(case):
    error, count = errors(**CASES[case], n=15), 40_000
    drawn = PassErrors(error, CPU, torch.float64).sample(count, torch.Generator().manual_seed(0)).numpy()
    whole, _ = dense(error)
    assert drawn.shape == (15, count)
    found, deviation = drawn @ drawn.T / count, np.sqrt(np.diag(whole))
    # Sampling error of a covariance: at most sqrt(2 / count) of the product of deviations.
    np.testing.assert_allclose(
        found / np.outer(deviation, deviation), whole / np.outer(deviation, deviation), atol=0.03
    )
    assert np.abs(whole / np.outer(deviation, deviation) - np.eye(15)).max() > 0.3


def test_samples_repeat_with_the_seed():
    found = PassErrors(errors(0.03, 0.05), CPU)
    first, again, other = (found.sample(4, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_units_scale_along():
    error, v = errors(0.03, 0.05), torch.ones(40, 1, dtype=torch.float64)
    metres, centimetres = (PassErrors(e, CPU, torch.float64).solve(v) for e in (error, error.scaled(100.0)))
    np.testing.assert_allclose(centimetres * 1e4, metres, rtol=1e-9)


def test_points_taken_keep_their_errors():
    error, chosen = errors(0.03, 0.05), np.array([0, 5, 6, 30, 39])
    np.testing.assert_allclose(dense(error.take(chosen))[0], dense(error)[0][np.ix_(chosen, chosen)])
