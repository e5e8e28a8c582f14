"""Errors of passes: the cheap inverse is that of the dense matrix, and random errors have its covariance."""

import numpy as np
import pytest
import torch

from xinr.methods import ObservationError
from xinr.methods.pass_errors import PassErrors

CPU = torch.device("cpu")
DEVIATIONS = {"both": (0.03, 0.05), "bias": (0.03, 0.0), "slope": (0.0, 0.05), "none": (0.0, 0.0)}


def errors(bias, slope, n=40, seed=0):
    """Passes of unequal length, their points in no order and their numbers with gaps; noise of 1 to 5 cm."""
    rng = np.random.default_rng(seed)
    passes = rng.choice([2, 3, 7, 50], size=n, p=[0.5, 0.3, 0.175, 0.025])
    return ObservationError(rng.uniform(0.01, 0.05, n), passes, rng.normal(0.0, 0.5, n), bias, slope)


def dense(error):
    """The covariance of the errors, and of the part that is of passes, written out."""
    same = error.pass_index[:, None] == error.pass_index[None]
    of_pass = same * (error.pass_bias**2 + error.pass_slope**2 * np.outer(error.distance, error.distance))
    return np.diag(error.noise**2) + of_pass, of_pass


@pytest.mark.parametrize(("bias", "slope"), DEVIATIONS.values(), ids=DEVIATIONS)
def test_the_inverse_is_that_of_the_dense_matrix(bias, slope):
    error = errors(bias, slope)
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


def test_the_matrix_of_optimal_interpolation_is_the_same():
    error = errors(0.03, 0.05)
    matrix = np.zeros((25, 25))
    error.add_to(matrix, slice(5, 30))
    np.testing.assert_allclose(matrix, dense(error)[0][5:30, 5:30], rtol=1e-12, atol=1e-15)


def test_samples_have_the_covariance():
    error, count = errors(0.03, 0.05, n=15), 40_000
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
