"""The lattice: its process has the covariance asked for, and its matrices are what they say."""

import numpy as np
import pytest
import torch

from xinr.geo.points import Points
from xinr.methods.covariances import ArhanColinDeVerdiere, Gaussian, Matern, Spectral
from xinr.methods.kriging.lattice import STENCIL, Lattice

CPU = torch.device("cpu")
STEP = (20.0, 25.0, 1.5)
# With the largest error of the correlation: the lattice lacks waves shorter than two steps, and the rough have some.
COVARIANCES = {
    "gaussian": (Gaussian(120.0, 9.0, 0.1), 1e-3),
    "duacs, drifting": (ArhanColinDeVerdiere(200.0, 9.0, 0.1, westward_drift=6.0, northward_drift=2.0), 3e-3),
    "matern 5/2": (Matern(100.0, 8.0, 0.1, smoothness=2.5), 2e-3),
    "matern 3/2": (Matern(100.0, 8.0, 0.1), 0.01),
    "spectral": (Spectral(60.0, 6.0, 0.1, exponent=3.0, time_exponent=2.5), 0.01),
    "spectral, drifting": (Spectral(60.0, 6.0, 0.1, exponent=3.0, time_exponent=2.5, westward_drift=8.0), 0.01),
    "sum": (Gaussian(120.0, 9.0, 0.08) + Gaussian(150.0, 5.0, 0.06), 1e-3),
}


def points(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(-150.0, 150.0, n), rng.uniform(-120.0, 120.0, n), rng.uniform(0.0, 12.0, n)])


def covariance_on(lattice, covariance, x, y):
    """The covariance of the process of a lattice between points, written out: a transform for each point of y."""
    ax, ay = (lattice.matrix(p, CPU, torch.float64).to_dense().numpy() for p in (x, y))
    power = lattice.power(covariance)
    spread = [
        np.fft.irfftn(power * np.fft.rfftn(row.reshape(lattice.shape)), s=lattice.shape, axes=(0, 1, 2)) for row in ay
    ]
    return ax @ np.reshape(spread, (len(y), -1)).T


@pytest.fixture(scope="module")
def lattice():
    return Lattice.around(points(), STEP, (300.0, 300.0, 25.0))


@pytest.mark.parametrize(("covariance", "tolerance"), COVARIANCES.values(), ids=COVARIANCES)
def test_the_process_has_the_covariance(lattice, covariance, tolerance):
    x, y = points(), points(30, seed=1)
    found = covariance_on(lattice, covariance, x, y)
    np.testing.assert_allclose(
        found / covariance.sigma**2, covariance.value(x, y) / covariance.sigma**2, atol=tolerance
    )
    variance = np.diag(covariance_on(lattice, covariance, x, x)) / covariance.sigma**2
    np.testing.assert_allclose(variance, 1.0, atol=2 * tolerance)


def test_features_move_west(lattice):
    covariance, here = COVARIANCES["spectral, drifting"][0], np.array([[0.0, 0.0, 2.0]])
    later = np.array([[-64.0, 0.0, 10.0], [0.0, 0.0, 10.0], [64.0, 0.0, 10.0]])
    west, middle, east = covariance_on(lattice, covariance, later, here)[:, 0]
    assert west > 1.2 * middle > 1.2**2 * east


def test_between_the_centres_it_is_as_at_them(lattice):
    """The process is stationary on the centres alone; cubic B-splines keep it nearly so between them."""
    origin, h = np.array(lattice.origin) + 10 * np.array(STEP), np.array(STEP)
    x = origin + h * np.array([[0, 0, 0], [0.5, 0, 0], [0.5, 0.5, 0.5], [0.25, 0.7, 0.1]])
    smooth, rough = (np.diag(covariance_on(lattice, COVARIANCES[key][0], x, x)) for key in ("gaussian", "matern 3/2"))
    np.testing.assert_allclose(smooth / smooth[0], 1.0, atol=3e-4)
    np.testing.assert_allclose(rough / rough[0], 1.0, atol=0.02)


@pytest.mark.parametrize("covariance", [c for c, _ in COVARIANCES.values()], ids=COVARIANCES)
def test_power_is_positive_and_of_the_shape_of_the_transform(lattice, covariance):
    power = lattice.power(covariance)
    nx, ny, nt = lattice.shape
    assert power.shape == (nx, ny, nt // 2 + 1)
    assert np.isfinite(power).all() and (power >= 0.0).all() and power.max() > 0.0


def test_images_on_the_torus_are_out_of_reach(lattice):
    """The process at one end of the data is hardly correlated with the other end across the margins."""
    x = points(400)
    ends = np.stack([x.min(axis=0), x.max(axis=0)])
    for covariance, _ in COVARIANCES.values():
        for axis in range(3):
            pair = np.tile(x.mean(axis=0), (2, 1))
            pair[:, axis] = ends[:, axis]
            wrapped = covariance_on(lattice, covariance, pair[:1], pair[1:])
            assert wrapped.item() == pytest.approx(
                covariance.value(pair[:1], pair[1:]).item(), abs=0.01 * covariance.sigma**2
            )


def test_the_lattice_holds_its_points_with_their_margins():
    x, margin = points(), (60.0, 70.0, 4.0)
    lattice = Lattice.around(x, STEP, margin)
    first = np.array(lattice.origin)
    last = first + np.array(STEP) * (np.array(lattice.shape) - 1)
    # A B-spline beyond the margin on either side: no stencil within the margins wraps around.
    assert np.all(first <= x.min(axis=0) - margin - np.array(STEP) + 1e-9)
    assert np.all(last >= x.max(axis=0) + margin + np.array(STEP) - 1e-9)
    around = np.array(lattice.shape) * STEP - np.ptp(x, axis=0)
    assert np.all(around >= 2 * np.array(margin))
    assert lattice.size == np.prod(lattice.shape)
    for size in lattice.shape:
        for factor in (2, 3, 5, 7, 11):
            while size % factor == 0:
                size //= factor
        assert size == 1


def test_one_point_is_enough():
    lattice = Lattice.around(np.array([[5.0, -3.0, 2.0]]), STEP, (60.0, 60.0, 6.0))
    weights = lattice.matrix(np.array([[5.0, -3.0, 2.0]]), CPU, torch.float64).to_dense().numpy()
    assert np.count_nonzero(weights) <= STENCIL and weights.sum() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_matrix_and_transpose(lattice, dtype):
    x = points()
    matrix = lattice.matrix(x, CPU, dtype)
    dense = matrix.to_dense()
    assert dense.shape == (40, lattice.size) and dense.dtype == dtype
    np.testing.assert_allclose(dense.sum(dim=1), 1.0, atol=1e-5)
    generator = torch.Generator().manual_seed(0)
    for shape in ((), (3,)):
        at_centres, at_points = (torch.randn(n, *shape, generator=generator, dtype=dtype) for n in (lattice.size, 40))
        np.testing.assert_allclose(matrix @ at_centres, dense @ at_centres, atol=1e-5)
        np.testing.assert_allclose(matrix.transposed(at_points), dense.T @ at_points, atol=1e-5)


def test_values_of_coefficients_agree_two_ways(lattice):
    c = torch.randn(lattice.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = points(300)
    at_points = lattice.matrix(x, CPU, torch.float64) @ c.reshape(-1)
    np.testing.assert_allclose(lattice.spline(c).predict(Points.of(x)), at_points, atol=1e-5)
