"""B-splines on a grid: their weights, exactness, derivatives and edges."""

import numpy as np
import pytest
import torch

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
    np.testing.assert_allclose(spline.predict(at.reshape(-1, 3)), values.ravel(), atol=1e-8)


@pytest.mark.parametrize("periodic", [(False,) * 3, (True, True, False)])
def test_derivatives_are_central_differences(periodic):
    _, spline = random_spline(periodic=periodic)
    x, rng = inside(), np.random.default_rng(3)
    for axis, h in enumerate((1e-3, 1e-3, 1e-4)):
        step = h * np.eye(3)[axis]
        slope = (spline.predict(x + step) - spline.predict(x - step)) / (2 * h)
        np.testing.assert_allclose(spline.gradient(x)[:, axis], slope, atol=1e-6)
    direction = rng.normal(size=x.shape) * STEP
    h = 1e-4
    bend = ((spline.gradient(x + h * direction) - spline.gradient(x - h * direction)) * direction).sum(axis=1) / (2 * h)
    np.testing.assert_allclose(spline.curvature(x, direction), bend, rtol=1e-3, atol=2e-3)
    np.testing.assert_array_equal(spline.curvature(x, np.zeros_like(x)), 0.0)


def test_a_periodic_axis_closes_and_an_open_one_ends():
    _, spline = random_spline(periodic=(True, False, False))
    x = inside()
    around = x + np.array([12 * STEP[0], 0.0, 0.0])
    np.testing.assert_allclose(spline.predict(around), spline.predict(x), atol=1e-9)
    beyond = x + np.array([0.0, 1e4, 0.0])
    assert not spline.predict(beyond).any() and not spline.gradient(beyond).any()
    assert spline.predict(np.full((1, 3), np.nan)) == 0.0


def test_derivatives_of_a_wave_converge_with_the_step():
    errors = []
    for n in (16, 32):
        x = np.linspace(0.0, 2 * np.pi, n, endpoint=False)
        values = np.sin(x)[:, None, None] * np.ones((1, 8, 8))
        spline = SplinePredictor.through(values, (0.0, 0.0, 0.0), (x[1], 1.0, 1.0), (5, 5, 3), (True, True, False))
        at = np.stack([np.linspace(0, 6, 50), np.full(50, 3.0), np.full(50, 3.0)], axis=1)
        second = spline.curvature(at, np.tile([1.0, 0.0, 0.0], (50, 1)))
        errors.append(np.abs(second + np.sin(at[:, 0])).max())
    assert errors[0] < 1e-3 and errors[1] < errors[0] / 12  # fourth order


def test_it_is_rebuilt_from_its_state():
    _, spline = random_spline((5, 3, 3), (True, False, False), np.float32)
    again = SplinePredictor.from_state(spline.state())
    np.testing.assert_array_equal(again.predict(inside()), spline.predict(inside()))
    assert again.degree == (5, 3, 3) and again.periodic == (True, False, False)


@pytest.mark.parametrize("periodic", [(False,) * 3, (True,) * 3])
@pytest.mark.parametrize("times", [[5.0], [3.0, 4.5, 4.6, 12.0, 4.6]], ids=["one time", "several"])
def test_a_map_is_what_its_points_are_one_by_one(periodic, times):
    """Places that repeat are summed once; in another order they do not repeat. Some lie beyond the ends."""
    _, spline = random_spline(periodic=periodic)
    rng, places = np.random.default_rng(4), inside(60)[:, :2] * 1.3
    x = np.column_stack([np.tile(places, (len(times), 1)), np.repeat(times, 60)])
    directions = [np.tile(np.pad(rng.normal(size=(60, 2)), ((0, 0), (0, 1))), (len(times), 1)) for _ in range(2)]
    bends = [rng.normal(size=x.shape) for _ in range(2)]
    order = rng.permutation(len(x)) if len(times) > 1 else np.arange(len(x))
    late = np.vstack([x[order], x[:1] + np.array([0.0, 0.0, 0.7])])  # a point at a time of its own

    def with_one_more(vectors):
        return [np.vstack([each[order], each[:1]]) for each in vectors]

    pairs = [[(0, 0), (1, 1)], [(0, 1)]]
    first, second = spline.derivatives(x, directions, pairs, bends)
    one_by_one = spline.derivatives(late, with_one_more(directions), pairs, with_one_more(bends))
    np.testing.assert_allclose(spline.predict(x)[order], spline.predict(late)[:-1], atol=1e-12)
    np.testing.assert_allclose(spline.gradient(x)[order], spline.gradient(late)[:-1], atol=1e-12)
    for found, expected in zip((first, second), one_by_one, strict=True):
        np.testing.assert_allclose(found[:, order], expected[:, :-1], atol=1e-12)
    np.testing.assert_allclose(second[0], spline.laplacian(x, directions, bends[0]), atol=1e-12)
    assert np.abs(second).max() > 0.1


def test_derivatives_are_those_of_every_predictor():
    _, spline = random_spline()
    x, rng = inside(), np.random.default_rng(5)
    directions, bends = ([rng.normal(size=x.shape) for _ in range(2)] for _ in range(2))
    pairs = [[(0, 0), (1, 1)], [(0, 1)]]
    expected = Predictor.derivatives(spline, x, directions, pairs, bends)
    for found, other in zip(spline.derivatives(x, directions, pairs, bends), expected, strict=True):
        np.testing.assert_allclose(found, other, atol=1e-10)
