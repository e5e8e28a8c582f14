"""Conditioning: the iterative solution is the dense one, in few iterations, and draws have the posterior's spread."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from xinr.methods import ObservationError
from xinr.methods.covariances import Matern
from xinr.methods.kriging.conditioning import Conditioning
from xinr.methods.kriging.lattice import Lattice

CPU = torch.device("cpu")
COVARIANCE = Matern(120.0, 8.0, 0.1)


def along_passes(n_passes=16, n=25, seed=0):
    """Straight passes of points 12 km apart, at random over 400 km and 10 days."""
    rng = np.random.default_rng(seed)
    heading, along = rng.uniform(0.0, np.pi, n_passes), 12.0 * (np.arange(n) - (n - 1) / 2)
    centre = rng.uniform(-120.0, 120.0, (n_passes, 2))
    direction = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    place = (centre[:, None] + along[:, None] * direction[:, None]).reshape(-1, 2)
    x = np.column_stack([place, np.repeat(rng.uniform(0.0, 10.0, n_passes), n)])
    error = ObservationError(
        np.full(len(x), 0.02), np.repeat(np.arange(n_passes), n), np.tile(1e-3 * along, n_passes), 0.03, 0.05
    )
    return x, error


@pytest.fixture(scope="module")
def case():
    """A problem with its matrices written out, 400 observations."""
    x, error = along_passes()
    lattice = Lattice.around(x, (30.0, 30.0, 2.0), (200.0, 200.0, 12.0))
    problem = Conditioning(lattice, lattice.power(COVARIANCE), x, error, CPU, torch.float64)
    signal = problem.signal_covariance(torch.eye(len(x), dtype=torch.float64)).numpy()  # W K Wᵀ
    whole = signal.copy()
    error.add_to(whole, slice(None))
    single = Conditioning(lattice, lattice.power(COVARIANCE), x, error, CPU, torch.float32)
    y = np.random.default_rng(1).multivariate_normal(np.zeros(len(x)), whole, size=2).T
    posterior = np.sqrt(np.diag(signal - signal @ np.linalg.solve(whole, signal)))
    return SimpleNamespace(
        x=x,
        error=error,
        lattice=lattice,
        problem=problem,
        single=single,
        signal=signal,
        whole=whole,
        y=y,
        posterior=posterior,
    )


def test_the_signal_covariance_is_symmetric_and_that_of_the_points(case):
    np.testing.assert_allclose(case.signal, case.signal.T, atol=1e-12)
    np.testing.assert_allclose(case.signal, COVARIANCE.value(case.x, case.x), atol=0.02 * COVARIANCE.sigma**2)


def test_the_solution_is_that_of_the_dense_system(case):
    solved = case.problem.solve(case.problem.move(case.y), 1e-9)
    expected = np.linalg.solve(case.whole, case.y)
    np.testing.assert_allclose(solved.weights, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    assert solved.residuals[-1] <= 1e-9 < solved.residuals[-2]


def test_single_precision_is_within_a_thousandth_of_the_formal_error(case):
    estimates = [
        p.signal_covariance(p.solve(p.move(case.y), 1e-5).weights).numpy() for p in (case.single, case.problem)
    ]
    expected = case.signal @ np.linalg.solve(case.whole, case.y)
    for found in estimates:
        assert np.abs((found - expected) / case.posterior[:, None]).max() < 1e-3


def conjugate_gradients(matrix, y, done):
    """Plain conjugate gradients on ``matrix α = y``: how many iterations until done."""
    weights, residual = np.zeros_like(y), y.copy()
    direction, norm = residual, residual @ residual
    for iteration in range(1, 2000):
        image = matrix @ direction
        length = norm / (direction @ image)
        weights, residual = weights + length * direction, residual - length * image
        if done(weights):
            return iteration
        previous, norm = norm, residual @ residual
        direction = residual + norm / previous * direction
    raise AssertionError("did not converge")


def test_it_takes_less_than_half_the_iterations_of_plain_conjugate_gradients(case):
    """The more the errors differ from white noise, the more it saves."""
    noise = np.repeat(np.random.default_rng(3).choice([0.01, 0.1], 16), 25)
    error = replace(case.error, noise=noise, pass_bias=0.1, pass_slope=0.1)
    problem, whole = case.problem.under(case.lattice.power(COVARIANCE), error), case.signal.copy()
    error.add_to(whole, slice(None))
    y = np.random.default_rng(1).multivariate_normal(np.zeros(400), whole)
    exact = case.signal @ np.linalg.solve(whole, y)
    posterior = np.sqrt(np.diag(case.signal - case.signal @ np.linalg.solve(whole, case.signal)))

    def done(weights):
        return np.sqrt(np.mean(((case.signal @ weights - exact) / posterior) ** 2)) < 0.05

    plain = conjugate_gradients(whole, y, done)
    column = problem.move(y[:, None])
    ours = next(m for m in range(1, plain + 1) if done(problem.solve(column, 0.0, most=m).weights[:, 0].numpy()))
    print(f"iterations: {ours}, plain conjugate gradients {plain}")
    assert plain > 2 * ours


def test_without_a_tolerance_it_takes_the_iterations_given(case):
    solved = case.problem.solve(case.problem.move(case.y), 0.0, most=7)
    assert len(solved.residuals) == 7
    further = case.problem.solve(case.problem.move(case.y), 0.0, most=12)
    assert further.residuals[:7] == pytest.approx(solved.residuals, rel=1e-12)
    assert further.residuals[-1] < solved.residuals[-1]


def test_a_system_that_does_not_converge_says_so(case):
    with pytest.raises(
        ArithmeticError,
        match=r"conjugate gradients reached a residual of .* in 3 iterations, expected 1e-09: the noise is very small "
        r"relative to the signal\. Raise noise, or the tolerance",
    ):
        case.problem.solve(case.problem.move(case.y), 1e-9, most=3)


def test_columns_do_not_disturb_each_other(case):
    y = case.problem.move(case.y)
    together = case.problem.solve(y, 1e-8).weights
    for column in range(2):
        alone = case.problem.solve(y[:, column : column + 1], 1e-8).weights
        assert alone.shape == (400, 1)
        scale = float(alone.abs().max())
        np.testing.assert_allclose(together[:, column : column + 1], alone, rtol=0, atol=1e-5 * scale)


def test_a_column_of_zeros_stays_zero_next_to_others(case):
    y = torch.cat([torch.zeros(400, 1, dtype=torch.float64), case.problem.move(case.y)], dim=1)
    solved = case.problem.solve(y, 1e-6)
    assert torch.equal(solved.weights[:, 0], torch.zeros(400, dtype=torch.float64))
    assert case.problem.solve(y[:, :1], 1e-6).residuals == [0.0]


def test_the_same_problem_gives_the_same_bits(case):
    twice = [
        Conditioning(case.lattice, case.lattice.power(COVARIANCE), case.x, case.error, CPU, torch.float32).solve(
            case.problem.move(case.y), 1e-4
        )
        for _ in range(2)
    ]
    assert torch.equal(twice[0].weights, twice[1].weights) and twice[0].residuals == twice[1].residuals


def test_the_drift_is_that_of_generalised_least_squares(case):
    added = np.array([[1.0], [0.5], [-0.2]])
    h = np.column_stack([np.ones(400), case.x[:, 0] / 100.0, case.x[:, 2] / 10.0])
    estimate = case.problem.krige(case.problem.move(case.y + h @ added), case.problem.move(h), 1e-9)
    inverse = np.linalg.inv(case.whole)
    of_noise = np.linalg.solve(h.T @ inverse @ h, h.T @ inverse @ case.y)
    np.testing.assert_allclose(estimate.drift, of_noise + added, rtol=0, atol=1e-6)
    assert estimate.signal.shape == (2, *case.lattice.shape)
    expected = case.signal @ inverse @ (case.y - h @ of_noise)
    np.testing.assert_allclose(case.problem.observe(estimate.signal), expected, rtol=0, atol=1e-7)


def test_samples_of_the_prior_have_its_covariance(case):
    drawn = case.single.observe(case.single.sample_prior(150, torch.Generator().manual_seed(0)))[::10].numpy()
    found, expected = drawn @ drawn.T / 150 / COVARIANCE.sigma**2, case.signal[::10, ::10] / COVARIANCE.sigma**2
    # Sampling error: up to sqrt(2 / 150) = 0.12 of each, and many are one.
    assert np.abs(found - expected).max() < 0.5
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.12
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9


def test_samples_of_the_error_have_the_posterior_spread(case):
    errors = case.single.sample_errors(case.single.move(np.empty((400, 0))), 64, 1e-3, torch.Generator().manual_seed(0))
    assert errors.drift.shape == (0, 64)
    ratio = case.single.observe(errors.signal).square().mean(dim=1).sqrt().numpy() / case.posterior
    assert ratio.mean() == pytest.approx(1.0, abs=0.06)
    assert ratio.min() > 0.65 and ratio.max() < 1.35  # sampling error: 1 / sqrt(128) = 0.09
