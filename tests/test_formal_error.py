"""The formal error of kriging: that of all observations, smooth, and the same however it is asked for."""

import numpy as np
import pytest
import torch

import xinr
from tests.helpers import two_missions
from xinr.geo.points import Points
from xinr.methods import ObservationError
from xinr.methods.covariances import Gaussian, Spectral
from xinr.methods.kriging.conditioning import Conditioning
from xinr.methods.kriging.lattice import Lattice
from xinr.methods.kriging.lattice_covariance import LatticeCovariance
from xinr.methods.kriging.method import Kriging

#: What is observed is of no consequence here.
pytestmark = pytest.mark.filterwarnings("ignore:the observations vary")

SMOOTH = Gaussian(130.0, 15.0, 0.1)
METHOD = Kriging(covariance=SMOOTH, spacing=30.0, margin=200.0, time_margin=20.0, tolerance=0.003)


def passes(n_passes=24, n_points=40, seed=3):
    """Straight passes over 800 km and 20 days, each with a bias of its own."""
    rng = np.random.default_rng(seed)
    along = np.linspace(-400.0, 400.0, n_points)
    across, tilt = rng.uniform(-400.0, 400.0, (2, n_passes, 1))
    x = np.stack(
        np.broadcast_arrays(along, across + tilt * along / 800.0, rng.uniform(0.0, 20.0, (n_passes, 1))), axis=-1
    )
    index = np.repeat(np.arange(n_passes), n_points)
    distance = np.tile(along / 1000.0, n_passes)
    return x.reshape(-1, 3), ObservationError(np.full(len(index), 0.02), index, distance, 0.007, 0.007)


@pytest.fixture(scope="module")
def fitted():
    x, error = passes()
    return METHOD.fit(x, np.random.default_rng(0).normal(0.0, 0.1, len(x)), error)


def anywhere(n=200, seed=5):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(-450.0, 450.0, (n, 2)), rng.uniform(-2.0, 22.0, n)])


def test_it_is_that_of_all_observations_near_tracks_and_in_gaps(fitted):
    x, error = passes()
    target = anywhere()
    system = SMOOTH.value(x, x)
    error.add_to(system, slice(None))
    k, ones = SMOOTH.value(x, target), np.ones((len(x), 1))
    solved, of_ones = np.linalg.solve(system, k), np.linalg.solve(system, ones)
    open_mean = 1.0 - ones.T @ solved
    variance = SMOOTH.sigma**2 - (k * solved).sum(axis=0) + open_mean[0] ** 2 / (ones.T @ of_ones).item()
    ratio = fitted.posterior(Points.of(target))[1] / np.sqrt(variance)
    assert ratio.mean() == pytest.approx(1.0, abs=0.03)
    assert ratio.std() < 0.07
    assert np.ptp(np.sqrt(variance)) > 0.5 * SMOOTH.sigma


def test_it_does_not_depend_on_what_else_is_asked_for(fitted):
    x, target = passes()[0], anywhere()
    together = fitted.posterior(Points.of(target))[1]
    again = METHOD.fit(x, np.zeros(len(x)), passes()[1])
    apart = [again.posterior(Points.of(some))[1] for some in np.array_split(target, 7)]
    np.testing.assert_allclose(np.concatenate(apart), together, rtol=1e-6)


def test_it_is_smooth(fitted):
    along = np.linspace(-300.0, 300.0, 601)
    line = np.column_stack([along, np.full(601, 17.0), np.full(601, 9.3)])
    error = fitted.posterior(Points.of(line))[1]
    assert np.abs(np.diff(error, 2)).max() < 2e-3 * np.ptp(error)


def test_far_from_observations_it_is_that_of_the_prior_and_of_the_mean(fitted):
    far = np.array([[5000.0, 0.0, 5.0], [0.0, 0.0, 500.0]])
    np.testing.assert_allclose(fitted.posterior(Points.of(far))[1], SMOOTH.sigma, rtol=0.02)


def test_it_says_what_the_lattice_leaves_out():
    field = xinr.fit(two_missions(), "kriging", spacing=60.0, time_step=4.0, variable="sla_unfiltered")
    grid = {"time": two_missions().time.values[:1], "latitude": [37.0, 38.0], "longitude": [302.0, 303.0]}
    comment = field.interp(grid, error=True).err_sla.attrs["comment"]
    assert "Of what the lattice of 60 km and 4 days resolves" in comment


def test_a_shallow_spectrum_varies_as_much_between_the_centres_as_at_them():
    covariance = Spectral(100.0, 10.0, 0.1, exponent=1.3, time_exponent=1.5)
    lattice = Lattice((40, 40, 40), (0.0, 0.0, 0.0), (30.0, 30.0, 2.0))
    x = np.array([[600.0, 600.0, 40.0], [615.0, 615.0, 41.0], [607.0, 611.0, 40.4]])
    problem = Conditioning(
        lattice,
        lattice.power(covariance),
        x,
        ObservationError(np.ones(3), np.arange(3), np.zeros(3)),
        torch.device("cpu"),
    )
    weights = torch.eye(3, dtype=torch.float64)
    variance = problem.observe(problem.coefficients(weights)).diagonal().numpy()
    np.testing.assert_allclose(variance, LatticeCovariance(lattice, lattice.power(covariance)).variance, rtol=0.01)


def test_observations_without_noise_are_known():
    x, _ = passes(n_passes=12, n_points=60)
    exact = ObservationError(np.full(len(x), 1e-6), np.arange(len(x)), np.zeros(len(x)))
    found = METHOD.fit(x[::3], np.zeros(240), exact.take(np.arange(0, 720, 3)))
    assert found.posterior(Points.of(x[::3]))[1].max() < 0.2 * SMOOTH.sigma
