"""B-splines on a grid: their weights, exactness, derivatives and edges."""

import numpy as np
import pytest
import torch

from xinr.geo.points import Points
from xinr.methods.functions.spline import SplinePredictor, bspline_weights
from xinr.methods.predictor import Predictor

ORIGIN, STEP = (-100.0, 50.0, 2.0), (20.0, 25.0, 1.5)


def random_spline(degree=(3, 3, 3), periodic=(False, False, False), dtype=np.float64):
    values = np.random.default_rng(0).normal(size=(12, 11, 10)).astype(dtype)
    return values, SplinePredictor.through(values, ORIGIN, STEP, degree, periodic)


def inside(n=200, seed=1):
    fraction = np.random.default_rng(seed).uniform(0.0, 1.0, size=(n, 3))
    return np.array(ORIGIN) + fraction * (np.array([12, 11, 10]) - 1) * STEP


@pytest.mark.parametrize("degree", [1, 3, 5])
def test_weights_are_those_of_scipy(degree):
    from scipy.interpolate import BSpline

    u = np.linspace(0.0, 0.99, 7)
    for order in range(degree + 1):
        basis = BSpline.basis_element(np.arange(degree + 2) - (degree + 1) / 2, extrapolate=False)
        basis = basis.derivative(order) if order else basis
        centres = np.arange(degree + 1) - (degree - 1) // 2
        expected = np.nan_to_num(basis(u[:, None] - centres))
        found = bspline_weights(torch.from_numpy(u), degree, order).numpy()
        if order < degree:  # at u = 0 the highest derivative has a jump
            np.testing.assert_allclose(found, expected, atol=1e-13)


@pytest.mark.parametrize("degree", [(3, 3, 3), (5, 5, 3), (1, 3, 5)])
@pytest.mark.parametrize("periodic", [(False,) * 3, (True, True, False), (True,) * 3])
def test_it_goes_through_the_values(degree, periodic):
    values, spline = random_spline(degree, periodic)
    at = np.stack(
        np.meshgrid(*(o + s * np.arange(n) for o, s, n in zip(ORIGIN, STEP, values.shape, strict=True)), indexing="ij"),
        -1,
    )
    np.testing.assert_allclose(spline.predict(Points.of(at.reshape(-1, 3))), values.ravel(), atol=1e-8)


@pytest.mark.parametrize("periodic", [(False,) * 3, (True, True, False)])
def test_derivatives_are_central_differences(periodic):
    _, spline = random_spline(periodic=periodic)
    x, rng = inside(), np.random.default_rng(3)
    for axis, h in enumerate((1e-3, 1e-3, 1e-4)):
        step = h * np.eye(3)[axis]
        slope = (spline.predict(Points.of(x + step)) - spline.predict(Points.of(x - step))) / (2 * h)
        np.testing.assert_allclose(spline.gradient(Points.of(x))[:, axis], slope, atol=1e-6)
    direction = rng.normal(size=x.shape) * STEP
    h = 1e-4
    bend = (
        (spline.gradient(Points.of(x + h * direction)) - spline.gradient(Points.of(x - h * direction))) * direction
    ).sum(axis=1) / (2 * h)
    np.testing.assert_allclose(spline.curvature(Points.of(x), direction), bend, rtol=1e-3, atol=2e-3)
    np.testing.assert_array_equal(spline.curvature(Points.of(x), np.zeros_like(x)), 0.0)


def test_a_periodic_axis_closes_and_an_open_one_ends():
    _, spline = random_spline(periodic=(True, False, False))
    x = inside()
    around = x + np.array([12 * STEP[0], 0.0, 0.0])
    np.testing.assert_allclose(spline.predict(Points.of(around)), spline.predict(Points.of(x)), atol=1e-9)
    beyond = x + np.array([0.0, 1e4, 0.0])
    assert not spline.predict(Points.of(beyond)).any() and not spline.gradient(Points.of(beyond)).any()
    assert spline.predict(Points.of(np.full((1, 3), np.nan))) == 0.0


def test_derivatives_of_a_wave_converge_with_the_step():
    errors = []
    for n in (16, 32):
        x = np.linspace(0.0, 2 * np.pi, n, endpoint=False)
        values = np.sin(x)[:, None, None] * np.ones((1, 8, 8))
        spline = SplinePredictor.through(values, (0.0, 0.0, 0.0), (x[1], 1.0, 1.0), (5, 5, 3), (True, True, False))
        at = np.stack([np.linspace(0, 6, 50), np.full(50, 3.0), np.full(50, 3.0)], axis=1)
        second = spline.curvature(Points.of(at), np.tile([1.0, 0.0, 0.0], (50, 1)))
        errors.append(np.abs(second + np.sin(at[:, 0])).max())
    assert errors[0] < 1e-3 and errors[1] < errors[0] / 12  # fourth order


def test_it_is_rebuilt_from_its_state():
    _, spline = random_spline((5, 3, 3), (True, False, False), np.float32)
    again = SplinePredictor.from_state(spline.state())
    np.testing.assert_array_equal(again.predict(Points.of(inside())), spline.predict(Points.of(inside())))
    assert again.degree == (5, 3, 3) and again.periodic == (True, False, False)


@pytest.mark.parametrize("periodic", [(False,) * 3, (True,) * 3])
@pytest.mark.parametrize("times", [[5.0], [3.0, 4.5, 4.6, 12.0, 4.6]], ids=["one time", "several"])
def test_a_map_is_what_its_points_are_one_by_one(periodic, times):
    """A grid is summed once along each axis; point by point the same comes out. Some lie beyond the ends."""
    _, spline = random_spline(periodic=periodic)
    rng, positions = np.random.default_rng(4), inside(60)[:, :2] * 1.3
    grid = Points(positions, np.array(times), grid=True)
    directions = [np.pad(rng.normal(size=(60, 2)), ((0, 0), (0, 1))) for _ in range(2)]
    terms = [rng.normal(size=(60, 3)) for _ in range(2)]
    pairs, points = [[(0, 0), (1, 1)], [(0, 1)]], Points.of(grid.x)
    everywhere = [[grid.repeat(each) for each in vectors] for vectors in (directions, terms)]
    found = *spline.derivatives(grid, directions, pairs, terms), spline.predict(grid), spline.gradient(grid)
    one_by_one = (
        *spline.derivatives(points, everywhere[0], pairs, everywhere[1]),
        spline.predict(points),
        spline.gradient(points),
    )
    for each, expected in zip(found, one_by_one, strict=True):
        np.testing.assert_allclose(each, expected, atol=1e-12)
    np.testing.assert_allclose(found[1][0], spline.laplacian(grid, directions, terms[0]), atol=1e-12)
    assert np.abs(found[1]).max() > 0.1


def test_derivatives_are_those_of_every_predictor():
    _, spline = random_spline()
    x, rng = inside(), np.random.default_rng(5)
    directions, bends = ([rng.normal(size=x.shape) for _ in range(2)] for _ in range(2))
    pairs = [[(0, 0), (1, 1)], [(0, 1)]]
    expected = Predictor.derivatives(spline, Points.of(x), directions, pairs, bends)
    for found, other in zip(spline.derivatives(Points.of(x), directions, pairs, bends), expected, strict=True):
        np.testing.assert_allclose(found, other, atol=1e-10)
