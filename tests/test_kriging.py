"""Kriging equals the dense formulas of its covariance, and behaves at its limits."""

import pickle
from dataclasses import replace

import numpy as np
import psutil
import pytest
import xarray as xr

import xinr
from tests.helpers import two_missions
from xinr.geo.points import Points
from xinr.methods import ObservationError
from xinr.methods.covariances import ArhanColinDeVerdiere, Gaussian, Matern, Spectral
from xinr.methods.functions.polynomial import Polynomial
from xinr.methods.kriging.method import Kriging, KrigingPredictor
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.oi import OI

# Oceans and settings here are made for what is tested, not for each other.
pytestmark = pytest.mark.filterwarnings("ignore:the observations vary")

DAY = np.timedelta64(1, "D")
SMOOTH = Gaussian(130.0, 8.0, 0.1)
DRIFTING = Spectral(60.0, 3.0, 0.1, exponent=3.5, time_exponent=3.0, westward_drift=6.0)
ERRORS = {"noise": 0.03, "pass_bias": 0.02, "pass_slope": 0.05}
#: Fine and wide enough for the covariances above to be those of the lattice.
EXACT = Kriging(
    covariance=SMOOTH,
    mean="none",
    spacing=25.0,
    time_step=2.0,
    margin=260.0,
    time_margin=16.0,
    tolerance=1e-6,
    **ERRORS,
)
#: Good enough where sampling errors are larger.
COARSE = replace(EXACT, spacing=40.0, time_step=2.5, margin=200.0, time_margin=12.0, tolerance=0.003)


def observed(n=200, seed=1):
    """Points in a square of 300 km and 10 days, in ten passes, with errors as in ERRORS."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.uniform(-150.0, 150.0, (n, 2)), rng.uniform(0.0, 10.0, n)])
    passes, distance = np.arange(n) // (n // 10), rng.uniform(-0.3, 0.3, n)
    return x, ObservationError(np.full(n, 0.03), passes, distance, 0.02, 0.05)


def between(n=100, seed=2, reach=200.0):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(-reach, reach, (n, 2)), rng.uniform(-1.0, 11.0, n)])


def system(covariance, x, error):
    matrix = covariance.value(x, x)
    error.add_to(matrix, slice(None))
    return matrix


def textbook(covariance, x, y, error, target, mean="none"):
    """Universal kriging with plain inverses: value and error, Wackernagel (2003), chapter 38."""
    k, inverse = covariance.value(target, x), np.linalg.inv(system(covariance, x, error))
    drift = Polynomial.zero(mean, x)
    h, h0 = drift.columns(x), drift.columns(target)
    spread = np.linalg.inv(h.T @ inverse @ h)
    b = spread @ h.T @ inverse @ y
    left = h0 - k @ inverse @ h
    variance = (
        covariance.sigma**2 - np.einsum("ij,jk,ik->i", k, inverse, k) + np.einsum("ij,jk,ik->i", left, spread, left)
    )
    return h0 @ b + k @ inverse @ (y - h @ b), np.sqrt(variance)


def values(covariance, x, error, count=1, seed=3):
    """Random observations of a field with that covariance, (n, count)."""
    factor = np.linalg.cholesky(system(covariance, x, error))
    return factor @ np.random.default_rng(seed).normal(size=(len(x), count))


# --- the dense formulas -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "covariance", [SMOOTH, DRIFTING, SMOOTH + replace(DRIFTING, sigma=0.05)], ids=lambda c: type(c).__name__
)
def test_it_is_optimal_interpolation_with_a_window_without_end(covariance):
    x, error = observed()
    y, target = values(covariance, x, error)[:, 0], between()
    dense = OI(frame="plane", covariance=covariance, window=1e3, analysis_step=1e6).fit(x, y, error)
    value, deviation = dense.posterior(Points.of(target))
    found = replace(EXACT, covariance=covariance, time_step=1.0).fit(x, y, error)
    # The lattice fades out the shortest waves of a shallow spectrum.
    assert np.abs((found.predict(Points.of(target)) - value) / deviation).max() < 0.03
    assert np.abs(value).std() > 0.02


def test_features_drift_west_with_a_positive_westward_drift():
    """Observed today, a feature is mapped further west five days later."""
    x, target = np.zeros((1, 3)), np.array([[-60.0, 0.0, 5.0], [60.0, 0.0, 5.0]])
    found = replace(EXACT, covariance=DRIFTING).fit(x, np.ones(1), white(1, 0.01)).predict(Points.of(target))
    expected = DRIFTING.value(target, x)[:, 0] / (DRIFTING.sigma**2 + 0.01**2)
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.01)
    assert expected[0] > 1.2 * expected[1] > 0.1


@pytest.mark.parametrize("mean", ["constant", "linear"])
def test_universal_kriging_is_the_textbook_formula(mean):
    x, error = observed()
    y = values(SMOOTH, x, error)[:, 0] + 0.3 + 1e-3 * x[:, 0] - 0.02 * x[:, 2]
    target = between()
    value, deviation = textbook(SMOOTH, x, y, error, target, mean)
    found = replace(EXACT, mean=mean).fit(x, y, error)
    assert np.abs((found.predict(Points.of(target)) - value) / deviation).max() < 0.01


@pytest.mark.parametrize("mean", ["none", "linear"])
def test_the_formal_error_is_that_of_the_formula(mean):
    x, error = observed()
    y, target = values(SMOOTH, x, error)[:, 0], between()
    _, expected = (
        OI(frame="plane", covariance=SMOOTH, window=1e3, analysis_step=1e6)
        .fit(x, y, error)
        .posterior(Points.of(target))
    )
    if mean != "none":
        _, expected = textbook(SMOOTH, x, y, error, target, mean)
    _, found = replace(EXACT, mean=mean, tolerance=0.003).fit(x, y, error).posterior(Points.of(target))
    assert (found / expected).mean() == pytest.approx(1.0, abs=0.02)
    assert (found / expected).std() < 0.04
    assert np.std(expected) > 0.01


@pytest.mark.parametrize("height", [0.0, 40.0])
def test_adding_a_constant_adds_it_to_the_map(height):
    """The tolerance is relative to what varies: heights above the ellipsoid are mapped as well as anomalies."""
    x, error = observed()
    y, target = values(SMOOTH, x, error)[:, 0], between()
    method = replace(EXACT, mean="constant", tolerance=0.005)
    low, high = (method.fit(x, y + h, error).predict(Points.of(target)) for h in (0.0, height))
    np.testing.assert_allclose(high - height, low, rtol=0, atol=1e-5)


def test_estimates_are_linear_in_the_data():
    x, error = observed()
    y, target = values(SMOOTH, x, error, 2), between()
    one, two, both = (
        EXACT.fit(x, v, error).predict(Points.of(target)) for v in (y[:, 0], y[:, 1], y[:, 0] - 2.0 * y[:, 1])
    )
    np.testing.assert_allclose(both, one - 2.0 * two, rtol=0, atol=1e-5)


# --- limits -----------------------------------------------------------------------------------------


def few(n=15):
    rng = np.random.default_rng(0)
    return np.column_stack([rng.uniform(-200.0, 200.0, (n, 2)), rng.uniform(0.0, 20.0, n)])


def white(n, noise):
    return ObservationError(np.full(n, noise), np.arange(n), np.zeros(n))


@pytest.mark.parametrize("mean", ["none", "constant", "linear"])
def test_without_noise_it_goes_through_the_data(mean):
    x = few()
    y = np.random.default_rng(1).normal(0.2, 0.1, len(x))
    found = replace(EXACT, mean=mean).fit(x, y, white(len(x), 1e-4))
    np.testing.assert_allclose(found.predict(Points.of(x)), y, rtol=0, atol=1e-4)
    assert np.all(found.posterior(Points.of(x))[1] < 0.35 * SMOOTH.sigma)  # linear between centres


def test_with_very_large_noise_the_map_is_the_mean():
    x = few()
    y, target = np.random.default_rng(1).normal(0.2, 0.1, len(x)), between()
    none, constant, linear = (
        replace(EXACT, mean=m).fit(x, y, white(len(x), 1e4)) for m in ("none", "constant", "linear")
    )
    np.testing.assert_allclose(none.predict(Points.of(target)), 0.0, atol=1e-6)
    np.testing.assert_allclose(constant.predict(Points.of(target)), y.mean(), atol=1e-5)
    drift = Polynomial.zero("linear", x)
    fitted = drift.columns(target) @ np.linalg.lstsq(drift.columns(x), y)[0]
    np.testing.assert_allclose(linear.predict(Points.of(target)), fitted, atol=1e-5)
    ratio = COARSE.fit(x, y, white(len(x), 1e4)).posterior(Points.of(target))[1] / SMOOTH.sigma
    assert ratio.mean() == pytest.approx(1.0, abs=0.04)


def test_noisy_points_weigh_less():
    x, y = few(2), np.array([0.1, -0.1])
    x[1] = x[0]
    target, noise = x[:1], np.array([0.01, 0.1])
    found = EXACT.fit(x, y, ObservationError(noise, np.arange(2), np.zeros(2))).predict(Points.of(target))
    weights = noise**-2.0
    expected = (weights @ y) / (weights.sum() + SMOOTH.sigma**-2)
    assert found.item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("mean", ["none", "constant"])
def test_beyond_the_lattice_is_the_mean_with_the_deviation_of_the_signal(mean):
    x, error = observed()
    y = values(SMOOTH, x, error)[:, 0] + (0.5 if mean == "constant" else 0.0)
    found = replace(EXACT, mean=mean).fit(x, y, error)
    far = np.array([[5000.0, 0.0, 5.0], [0.0, -5000.0, 5.0], [0.0, 0.0, 500.0], [0.0, 0.0, -500.0]])
    value, deviation = found.posterior(Points.of(far))
    drift = textbook(SMOOTH, x, y, error, far, "constant")[0] if mean == "constant" else np.zeros(4)
    np.testing.assert_allclose(value, drift, atol=1e-4)
    np.testing.assert_allclose(deviation, SMOOTH.sigma, rtol=1e-3)
    np.testing.assert_array_equal(found.gradient(Points.of(far)), 0.0)


# --- formal errors and posterior samples ------------------------------------------------------------


def test_formal_errors_cover_realisations_of_the_covariance():
    """68 % of what is between the tracks lies within one posterior error, in 60 realisations."""
    x, error = observed(150)
    target, n = between(60, reach=170.0), 150
    both = np.concatenate([x, target])
    factor = np.linalg.cholesky(SMOOTH.value(both, both) + 1e-10 * np.eye(len(both)))
    of_errors = np.zeros((n, n))
    error.add_to(of_errors, slice(None))
    rng = np.random.default_rng(5)
    method = COARSE
    deviation, within = None, []
    for _ in range(60):
        signal = factor @ rng.normal(size=len(both))
        y = signal[:n] + np.linalg.cholesky(of_errors) @ rng.normal(size=n)
        found = method.fit(x, y, error)
        if deviation is None:
            _, deviation = found.posterior(Points.of(target))
        within.append(np.abs(found.predict(Points.of(target)) - signal[n:]) / deviation)
    assert np.mean(np.array(within) < 1.0) == pytest.approx(0.683, abs=0.03)
    assert np.mean(np.array(within) < 1.96) == pytest.approx(0.95, abs=0.02)


def test_samples_repeat_with_the_seed_and_spread_as_the_posterior():
    x, error = observed()
    y, target = values(SMOOTH, x, error)[:, 0] + 0.3, between(60)
    found = replace(COARSE, mean="constant").fit(x, y, error)
    drawn = np.array([sample.predict(Points.of(target)) for sample in found.sample(100, 8)])
    again, other = (found.sample(2, seed) for seed in (8, 7))
    assert drawn.shape == (100, 60)
    np.testing.assert_array_equal(
        [sample.predict(Points.of(target)) for sample in again],
        [d.predict(Points.of(target)) for d in found.sample(2, 8)],
    )
    assert np.abs(other[0].predict(Points.of(target)) - again[0].predict(Points.of(target))).max() > 0.01
    value, deviation = found.posterior(Points.of(target))
    assert (drawn.std(axis=0) / deviation).mean() == pytest.approx(1.0, abs=0.04)
    standardised = (drawn.mean(axis=0) - value) / deviation * np.sqrt(100)
    assert np.sqrt(np.mean(standardised**2)) == pytest.approx(1.0, abs=0.5)
    step = 1e-3 * np.eye(3)[0]
    rise = (again[0].predict(Points.of(target + step)) - again[0].predict(Points.of(target - step))) / 2e-3
    np.testing.assert_allclose(again[0].gradient(Points.of(target))[:, 0], rise, atol=2e-5)


def test_samples_have_the_formal_error_at_any_point():
    x, error = observed()
    y, target = values(SMOOTH, x, error)[:, 0], between()
    _, expected = textbook(SMOOTH, x, y, error, target)
    found = replace(EXACT, tolerance=0.003).fit(x, y, error)
    off = np.array([sample.predict(Points.of(target)) for sample in found.sample(128, 1)]) - found.predict(
        Points.of(target)
    )
    ratio = np.sqrt(np.mean(off**2, axis=0)) / expected
    assert ratio.mean() == pytest.approx(1.0, abs=0.025) and ratio.std() < 0.09


def test_a_posterior_sample_misses_the_data_by_their_noise():
    x, error = observed()
    y = values(SMOOTH, x, replace(error, pass_bias=0.0, pass_slope=0.0))[:, 0]
    found = EXACT.fit(x, y, replace(error, pass_bias=0.0, pass_slope=0.0))
    left = np.array([y - sample.predict(Points.of(x)) for sample in found.sample(8, 0)])
    assert left.std() == pytest.approx(0.03, rel=0.1)


# --- the mean by another method -----------------------------------------------------------------------


def test_another_method_gives_the_mean():
    x, error = observed()
    y, target = values(SMOOTH, x, error)[:, 0], between()
    slow = OI(covariance=Matern(400.0, 30.0, 0.1), frame="plane", window=100.0, analysis_step=1e6)
    both = replace(EXACT, mean=slow).fit(x, y, error)
    mean = slow.fit(x, y, error)
    expected = mean.predict(Points.of(target)) + EXACT.fit(x, y - mean.predict(Points.of(x)), error).predict(
        Points.of(target)
    )
    np.testing.assert_allclose(both.predict(Points.of(target)), expected, rtol=0, atol=1e-6)
    assert np.abs(mean.predict(Points.of(target))).std() > 0.01


def test_a_network_gives_the_mean_and_the_field_is_kept_with_it(tracks, grid, tmp_path):
    mean = Siren(steps=10, hidden_features=16, hidden_layers=1)
    field = tracks.inr.fit(
        "kriging", mean=mean, covariance=SMOOTH, spacing=30.0, time_step=2.0, margin=100.0, time_margin=4.0
    )
    assert "mean=Siren(" in repr(field)
    field.save(tmp_path / "field.nc")
    again = xinr.open_field(tmp_path / "field.nc")
    xr.testing.assert_identical(again.interp(grid, error=True), field.interp(grid, error=True))
    xr.testing.assert_identical(again.gradient(grid), field.gradient(grid))


# --- derivatives, files -------------------------------------------------------------------------------


def test_derivatives_are_the_central_differences():
    x, error = observed()
    found = replace(EXACT, mean="linear").fit(x, values(SMOOTH, x, error)[:, 0], error)
    # Its coefficients in float64, so that differences can be taken.
    state = {k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in found.state().items()}
    found, target = KrigingPredictor.from_state(state), between()
    for axis, h in enumerate((0.1, 0.1, 0.01)):
        step = h * np.eye(3)[axis]
        slope = (found.predict(Points.of(target + step)) - found.predict(Points.of(target - step))) / (2 * h)
        expected = found.gradient(Points.of(target))[:, axis]
        np.testing.assert_allclose(slope, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
        bend = (found.gradient(Points.of(target + step)) - found.gradient(Points.of(target - step)))[:, axis] / (2 * h)
        curvature = found.curvature(Points.of(target), np.tile(np.eye(3)[axis], (100, 1)))
        np.testing.assert_allclose(bend, curvature, rtol=0, atol=0.01 * np.abs(curvature).max())


@pytest.mark.parametrize("mean", ["none", "constant", "linear"])
@pytest.mark.parametrize("covariance", [SMOOTH, SMOOTH + ArhanColinDeVerdiere(200.0, 9.0, 0.1, westward_drift=5.0)])
def test_it_is_saved_and_pickled_with_its_posterior(mean, covariance, tracks, grid, tmp_path):
    field = tracks.inr.fit(replace(COARSE, covariance=covariance, mean=mean))
    expected = xr.merge(
        [field.interp(grid, error=True), field.gradient(grid), field.laplacian(grid)], combine_attrs="drop"
    )
    field.save(tmp_path / "field.nc")
    for again in (xinr.open_field(tmp_path / "field.nc"), pickle.loads(pickle.dumps(field))):
        found = xr.merge(
            [again.interp(grid, error=True), again.gradient(grid), again.laplacian(grid)], combine_attrs="drop"
        )
        xr.testing.assert_identical(found, expected)
        assert again.info == field.info and again.predictor.problem.covariance == field.predictor.problem.covariance


def test_the_history_tells_how_the_solver_went(tracks):
    history = tracks.inr.fit(replace(EXACT, tolerance=1e-3)).history
    assert history.residual[-1] <= 1e-3 < history.residual[0] and np.isfinite(history.residual).all()


def test_order_of_the_observations_does_not_matter():
    x, error = observed()
    y, order = values(SMOOTH, x, error)[:, 0], np.random.default_rng(0).permutation(200)
    one, other = (
        m.predict(Points.of(between()))
        for m in (EXACT.fit(x, y, error), EXACT.fit(x[order], y[order], error.take(order)))
    )
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


# --- bad input ------------------------------------------------------------------------------------------


def test_too_large_a_lattice_is_refused_before_it_is_made(tracks, monkeypatch):
    memory = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory._replace(available=10**6))
    with pytest.raises(
        MemoryError,
        match=r"kriging 208 observations on a lattice of \d+ x \d+ x \d+ needs [\d.]+ GB, and cpu has 0\.001 free: "
        r"use a larger spacing, time_step or coarsen, or a smaller region\.",
    ):
        tracks.inr.fit("kriging")


def test_a_gap_of_centuries_is_refused_before_it_fills_the_memory():
    """The lattice covers the silence between the first observation and the last."""
    tracks = two_missions()
    late = tracks.assign_coords(time=tracks.time + 180 * 365 * DAY)
    with pytest.raises(
        MemoryError, match=r"kriging 416 observations on a lattice of .* use a larger spacing, time_step"
    ):
        xr.concat([tracks, late], "time").inr.fit("kriging", spacing=1.0)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"spacing": 0.0}, ValueError, "spacing must be a finite number above zero, got 0.0"),
        ({"time_step": -1.0}, ValueError, "time_step must be a finite number above zero, got -1.0"),
        ({"margin": np.inf}, ValueError, "margin must be a finite number above zero, got inf"),
        ({"time_margin": 0.0}, ValueError, "time_margin must be a finite number above zero, got 0.0"),
        ({"tolerance": 0.0}, ValueError, "tolerance must be a finite number above zero, got 0.0"),
        ({"tolerance": 0}, ValueError, "tolerance must be a finite number above zero, got 0"),
        ({"seed": 2.5}, TypeError, "seed must be a whole number, got 2.5"),
        ({"spacing": "20"}, TypeError, "spacing must be a number, got '20'"),
        (
            {"pass_slope": -1.0},
            ValueError,
            r"pass_slope must be a standard deviation \[m per 1000 km\], zero or more, got -1",
        ),
        ({"frame": "sphere"}, ValueError, "kriging works in the frame 'plane', got 'sphere': leave frame as it is"),
        ({"covariance": "matern"}, TypeError, r"covariance must be an object such as Gaussian\(length_scale=100.0"),
        ({"covariance": Gaussian(1.0, 7.0)}, ValueError, "length_scale = 1 is in kilometres in the frame 'plane'"),
        (
            {"mean": "quadratic"},
            ValueError,
            r"mean must be one of \['constant', 'linear', 'none'\] or a method such as Siren",
        ),
        ({"mean": 0.0}, ValueError, r"mean must be one of .* got 0\.0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        Kriging(**settings)


def test_an_unknown_device_is_refused():
    x, error = observed()
    with pytest.raises(ValueError, match="device 'cudaa' cannot be used here: expected 'auto', 'cpu', 'cuda' or 'mps'"):
        Kriging(device="cudaa").fit(x, x[:, 0], error)


def test_noise_far_below_the_signal_says_that_it_does_not_converge(monkeypatch):
    from xinr.methods.kriging import conditioning

    x, error = observed()
    monkeypatch.setattr(conditioning.Conditioning.solve, "__defaults__", (20,))
    with pytest.raises(ArithmeticError, match=r"in 20 iterations, expected 1e-06: the noise is very small relative"):
        EXACT.fit(x, x[:, 0], replace(error, noise=np.full(200, 1e-4)))


@pytest.mark.parametrize(
    "x",
    [np.zeros((1, 3)), few() * [1.0, 1.0, 0.0], np.outer(np.arange(9.0), [30.0, 50.0, 1e-4])],
    ids=["one point", "one time", "one pass"],
)
def test_a_linear_mean_needs_points_that_tell_it(x):
    y, error = np.ones(len(x)), white(len(x), 0.02)
    with pytest.raises(ValueError, match=rf"{len(x)} observations do not tell a linear mean, .*, or mean='constant'"):
        replace(EXACT, mean="linear").fit(x, y, error)
    value, deviation = replace(EXACT, mean="constant").fit(x, y, error).posterior(Points.of(x))
    np.testing.assert_allclose(value, 1.0, atol=1e-3)
    assert np.all(deviation > 0.0)


def test_the_map_of_one_observation_falls_off_as_the_covariance():
    x, target = np.zeros((1, 3)), between()
    found = EXACT.fit(x, np.array([0.2]), white(1, 0.05)).predict(Points.of(target))
    expected = SMOOTH.value(target, x)[:, 0] / (SMOOTH.sigma**2 + 0.05**2) * 0.2
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-4)


def test_many_points_at_one_position_are_as_good_as_their_mean():
    position = np.array([[10.0, 20.0, 5.0]])
    y, target = np.random.default_rng(0).normal(0.1, 0.02, 50), between()
    many = EXACT.fit(np.repeat(position, 50, axis=0), y, white(50, 0.02)).predict(Points.of(target))
    one = EXACT.fit(position, y[:1] * 0.0 + y.mean(), white(1, 0.02 / 50**0.5)).predict(Points.of(target))
    np.testing.assert_allclose(many, one, rtol=0, atol=1e-5)


def quick(mean="constant"):
    return replace(COARSE, mean=mean, coarsen=3)


def test_the_dateline_changes_nothing(tracks, grid):
    def moved(ds, wrapped):
        lon = ds.longitude + 180.0 - 303.0
        return ds.assign_coords(longitude=(lon + 180.0) % 360.0 - 180.0 if wrapped else lon)

    expected = tracks.inr.fit(quick()).interp(grid, error=True)
    for wrapped in (False, True):
        found = moved(tracks, wrapped).inr.fit(quick()).interp(moved(grid, wrapped), error=True)
        for name in expected.data_vars:
            np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-5)


def test_tracks_around_a_pole_are_mapped(tracks):
    """All longitudes, and the pole itself: the plane has no seam there."""
    around = tracks.assign_coords(
        longitude=("time", np.linspace(0.0, 359.0, 640)), latitude=("time", np.linspace(88.0, 85.0, 640))
    )
    field = around.inr.fit(quick())
    target = {
        "time": tracks.time.values[:1],
        "latitude": np.array([86.5, 89.0]),
        "longitude": np.array([0.0, 120.0, 359.9]),
    }
    found = field.interp(target)
    assert np.isfinite(found.sla).all()
    np.testing.assert_allclose(found.sla[0, :, 0], found.sla[0, :, 2], atol=0.005)  # 0.1 degrees of longitude apart


def test_tracks_around_the_globe_are_refused(tracks):
    with pytest.raises(ValueError, match=r"the frame 'plane' serves 1790 km, where lengths are off by 1 %"):
        tracks.assign_coords(longitude=("time", np.linspace(0.0, 359.0, 640))).inr.fit(replace(quick(), coarsen=1))


def test_missing_coordinates_of_a_target_stay_missing(tracks, grid):
    gaps = xr.Dataset(
        coords={
            "time": ("point", [grid.time.values[0]] * 2 + [np.datetime64("NaT", "ns")]),
            "latitude": ("point", [37.0, np.nan, 37.0]),
            "longitude": ("point", [303.0, 303.0, 303.0]),
        }
    )
    found = tracks.inr.fit(quick()).interp(gaps, error=True)
    for name in ("sla", "err_sla"):
        assert np.isfinite(found[name]).values.tolist() == [True, False, False]


@pytest.mark.filterwarnings("ignore:part of the target lies beyond")
def test_at_the_antipodes_the_map_is_the_mean(tracks, grid):
    """The plane has no coordinates for it."""
    target = {"time": grid.time.values[:1], "latitude": np.array([37.0, -37.0]), "longitude": np.array([303.0, 123.0])}
    field = tracks.inr.fit(quick())
    mean = sum(part.coefficients[0] for part in field.predictor.best.parts if isinstance(part, Polynomial))
    found = field.interp(target, error=True)
    assert found.sla[0, 1, 1] == pytest.approx(mean) and found.err_sla[0, 1, 1] == pytest.approx(SMOOTH.sigma, rel=2e-3)
    assert abs(found.sla[0, 0, 0] - mean) > 0.01


@pytest.mark.filterwarnings("error:the observations vary")
def test_observations_larger_than_the_covariance_expects_warn():
    x, error = observed()
    y = np.sin(x[:, 0] / 60.0)
    EXACT.fit(x, 0.1 * y, error)
    with pytest.warns(UserWarning, match=r"the observations vary \d+ times as much .* fit\(\.\.\., tune=True\)"):
        EXACT.fit(x, 10.0 * y, error)


def test_the_default_covariance_takes_its_variance_from_the_data(tracks):
    """Twice the anomalies: twice the signal, the errors as they are."""
    doubled = tracks.assign(sla_unfiltered=2.0 * tracks.sla_unfiltered)
    fields = [ds.inr.fit("kriging", noise=1e-3, pass_bias=0.0, pass_slope=0.0) for ds in (tracks, doubled)]
    one, two = (field.predictor.problem.covariance for field in fields)
    assert two.sigma == pytest.approx(2.0 * one.sigma, rel=0.01)
    assert two.terms[0].length_scale == Kriging.default_covariance.terms[0].length_scale
    assert fields[0].info["settings"]["covariance"]["terms"][0]["sigma"] == one.terms[0].sigma
    asked = tracks.inr.fit("kriging", sigma_1=0.2).predictor.problem.covariance
    assert asked == Kriging.default_covariance.changed({"sigma_1": 0.2})


@pytest.mark.parametrize("mean", ["none", "constant", "linear"])
def test_the_default_covariance_finds_its_own_size(mean):
    """Observations drawn from it: the factor is one; what is all error takes the least."""
    x, error = observed(n=400)
    usual = Kriging.default_covariance
    root = np.linalg.cholesky(system(usual.scaled(1.7), x, error))
    drawn = root @ np.random.default_rng(0).standard_normal((400, 40))
    found = [Kriging(mean=mean).resolved(x, y, error).signal.sigma / usual.sigma for y in drawn.T]
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(1.7, rel=0.25)
    silent = Kriging(mean=mean).resolved(x, np.zeros(400), error).signal.sigma
    assert silent == pytest.approx(0.1 * usual.sigma)


def test_noise_is_given_by_mission():
    method = Kriging(noise={"alg": np.float32(0.25), "j3": 0.5})
    np.testing.assert_array_equal(method.noise_of(["j3", "alg"]), [0.5, 0.25])
    assert method.noise_of(["c2"]).item() == pytest.approx(np.sqrt((0.25**2 + 0.5**2) / 2.0))
    assert method.scaled(2.0).noise == {"alg": 0.5, "j3": 1.0}
    with pytest.raises(ValueError, match=r"noise of j3 must be a finite number above zero, got 0\.0"):
        Kriging(noise={"alg": 0.1, "j3": 0.0})
    with pytest.raises(ValueError, match="noise is an empty mapping: expected one number, or one for each mission"):
        OI(noise={})
    with pytest.raises(TypeError, match="noise of j3 must be a number, got 'much'"):
        OI(noise={"j3": "much"})
