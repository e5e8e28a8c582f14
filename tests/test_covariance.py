"""Covariances: their derivatives, spectra and variances agree with their values, and with the formulas of others."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gamma, j0, kv

from xinr.geo.frames import EARTH_RADIUS
from xinr.methods.covariances import ArhanColinDeVerdiere, Covariance, Gaussian, Matern, Spectral

SMOOTH = {
    "gaussian": Gaussian(120.0, 9.0, 0.1),
    "matern 3/2": Matern(120.0, 9.0, 0.1),
    "matern 2.2": Matern(120.0, 9.0, 0.1, smoothness=2.2),
    "matern 5/2": Matern(120.0, 9.0, 0.1, smoothness=2.5),
    "duacs": ArhanColinDeVerdiere(150.0, 15.0, 0.1),
    "duacs, drifting": ArhanColinDeVerdiere(150.0, 15.0, 0.1, anisotropy=0.7, westward_drift=6.0, northward_drift=2.0),
    "spectral": Spectral(90.0, 12.0, 0.1, exponent=3.0, time_exponent=2.2, decorrelation_exponent=0.6),
    "spectral, drifting": Spectral(
        90.0, 12.0, 0.1, exponent=3.0, time_exponent=2.2, decorrelation_exponent=0.6, westward_drift=4.0
    ),
    "sum": Gaussian(120.0, 9.0, 0.1) + Matern(150.0, 12.0, 0.05) + ArhanColinDeVerdiere(150.0, 15.0, 0.1),
}
ROUGH = {
    "matern 1/2": Matern(120.0, 9.0, 0.1, smoothness=0.5),
    "matern 1": Matern(120.0, 9.0, 0.1, smoothness=1.0),
    "spectral, rough": Spectral(
        90.0, 10.0, 0.1, exponent=1.93, time_exponent=1.2, decorrelation_exponent=0.18, westward_drift=3.0
    ),
}
EVERY = SMOOTH | ROUGH
UNIT = np.array([100.0, 100.0, 10.0])


@pytest.fixture(params=EVERY)
def covariance(request):
    return EVERY[request.param]


@pytest.fixture(params=SMOOTH)
def smooth(request):
    return SMOOTH[request.param]


def points(n, seed, columns=3):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(-200.0, 200.0, (n, columns - 1)), rng.uniform(-15.0, 15.0, n)])


def check_derivatives(covariance, x, y, steps, tolerance):
    weights = np.random.default_rng(2).normal(size=len(y))
    steps = np.broadcast_to(steps, x.shape[1:])

    def total(at):
        return covariance.value(at, y) @ weights

    value, gradient, hessian = covariance.weighted_derivatives(x, y, weights, 2)
    np.testing.assert_allclose(value, total(x), rtol=0, atol=1e-13 * np.abs(weights).sum())
    for axis, step in enumerate(steps):
        h = step * np.eye(len(steps))[axis]
        slope = (8 * (total(x + h) - total(x - h)) - (total(x + 2 * h) - total(x - 2 * h))) / (12 * step)
        np.testing.assert_allclose(gradient[:, axis], slope, rtol=0, atol=tolerance * np.abs(slope).max())
    v = np.random.default_rng(3).normal(size=x.shape) * steps
    near, far = (total(x + k * v) + total(x - k * v) for k in (1, 2))
    bend = (16 * near - far - 30 * total(x)) / 12
    found = np.einsum("ni,nij,nj->n", v, hessian, v)
    np.testing.assert_allclose(found, bend, rtol=0, atol=10 * tolerance * np.abs(bend).max())


def test_derivatives_are_the_central_differences(covariance):
    check_derivatives(covariance, points(30, 0), points(40, 1), 5e-5 * UNIT, 1e-4)


def test_derivatives_in_space_with_three_axes():
    for covariance in (Gaussian(120.0, 9.0), Matern(120.0, 9.0), Spectral(120.0, 9.0, 1.0, 3.0, 2.0)):
        check_derivatives(covariance, points(30, 0, 4), points(40, 1, 4), 2e-3 * UNIT[[0, 0, 0, 2]], 1e-4)


def test_derivatives_of_many_rows_are_those_of_each(smooth):
    x, y, weights = points(700, 0), points(5, 1), np.arange(5.0)
    some = np.array([3, 511, 512, 699])
    whole, apart = (smooth.weighted_derivatives(at, y, weights, 2) for at in (x, x[some]))
    for all_rows, few_rows in zip(whole, apart, strict=True):
        np.testing.assert_allclose(all_rows[some], few_rows, rtol=1e-10, atol=1e-12 * np.abs(few_rows).max())


def test_derivatives_at_an_observation(smooth):
    """Where distances are zero, the limits are taken."""
    y = points(20, 1)
    check_derivatives(smooth, y[:5], y, 1e-3 * UNIT, 3e-3)


def test_fewer_derivatives_are_the_first_of_more(covariance):
    x, y, weights = points(30, 0), points(40, 1), np.random.default_rng(2).normal(size=40)
    both = covariance.weighted_derivatives(x, y, weights, 2)
    for order in (0, 1):
        found = covariance.weighted_derivatives(x, y, weights, order)
        assert len(found) == order + 1
        for few, many in zip(found, both, strict=False):
            np.testing.assert_allclose(few, many, rtol=0, atol=1e-13 * np.abs(many).max())
    np.testing.assert_allclose(both[2], both[2].swapaxes(1, 2), rtol=0, atol=1e-13 * np.abs(both[2]).max())


def test_no_points_have_no_derivatives(covariance):
    found = covariance.weighted_derivatives(np.empty((0, 3)), points(4, 1), np.ones(4), 2)
    assert [part.shape for part in found] == [(0,), (0, 3), (0, 3, 3)]


def test_a_rough_covariance_has_a_finite_gradient_at_an_observation():
    y = points(20, 1)
    for covariance in ROUGH.values():
        assert np.isfinite(covariance.weighted_derivatives(y[:5], y, np.ones(20), 1)[1]).all()
        alone = covariance.weighted_derivatives(y[:1], y[:1], np.ones(1), 1)[1]
        np.testing.assert_allclose(alone, 0.0, atol=1e-12)


def test_value_is_symmetric_and_the_variance_at_zero_lag(covariance):
    x, y = points(30, 0), points(20, 1)
    np.testing.assert_allclose(covariance.value(x, y), covariance.value(y, x).T, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.diag(covariance.value(x, x)), covariance.sigma**2, rtol=1e-6)


# --- spectra --------------------------------------------------------------------------------------


def test_spectrum_is_the_fourier_transform_of_the_value(covariance):
    n, steps = 64, np.array([30.0, 30.0, 3.0])
    lags = [step * (np.arange(n) - n // 2) for step in steps]
    x = np.stack(np.meshgrid(*lags, indexing="ij"), axis=-1).reshape(-1, 3)
    values = covariance.value(x, np.zeros((1, 3))).reshape(n, n, n)
    found = np.fft.fftn(np.fft.ifftshift(values)).real * steps.prod()
    k, l, omega = np.ix_(*(2.0 * np.pi * np.fft.fftfreq(n, step) for step in steps))  # noqa: E741
    # Waves exp(i (k x + l y - omega t)): the transform has the other sign in time.
    expected = covariance.spectrum(k, l, -omega)
    np.testing.assert_allclose(found, expected, rtol=0, atol=6e-3 * expected.max())


def test_spectrum_broadcasts_and_is_never_negative(covariance):
    k, l, omega = np.ix_(np.linspace(-1.0, 1.0, 41), np.linspace(-1.0, 1.0, 31), np.linspace(-3.0, 3.0, 21))  # noqa: E741
    density = covariance.spectrum(k, l, omega)
    assert density.shape == (41, 31, 21) and density.dtype == np.float64
    assert np.all(density >= 0.0) and density.max() > 0.0
    full = covariance.spectrum(*np.broadcast_arrays(k, l, omega))
    np.testing.assert_allclose(full, density, rtol=1e-12)
    assert covariance.spectrum(0.01, 0.0, 0.1).shape == ()


def test_spectrum_integrates_to_the_variance(smooth):
    nodes, weights = np.polynomial.legendre.leggauss(100)
    tangent, jacobian = np.tan(np.pi / 2 * nodes), weights * np.pi / 2 / np.cos(np.pi / 2 * nodes) ** 2
    total = 0.0
    for term in getattr(smooth, "terms", (smooth,)):
        k, l, omega = np.ix_(1.5 * tangent / term.length_scale, 1.5 * tangent / term.length_scale, tangent)  # noqa: E741
        drift = getattr(term, "westward_drift", 0.0) * k - getattr(term, "northward_drift", 0.0) * l
        cells = 1.5**2 * np.einsum("i,j,k->ijk", jacobian, jacobian, jacobian)
        density = term.spectrum(k, l, omega / term.time_scale - drift)
        total += np.sum(density * cells) / (term.length_scale**2 * term.time_scale)
    assert total / (2.0 * np.pi) ** 3 == pytest.approx(smooth.sigma**2, rel=2e-3)


# --- formulas of others ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("smoothness", "formula"),
    [
        (0.5, lambda r: np.exp(-r)),
        (1.5, lambda r: (1 + 3**0.5 * r) * np.exp(-(3**0.5) * r)),
        (2.5, lambda r: (1 + 5**0.5 * r + 5 / 3 * r**2) * np.exp(-(5**0.5) * r)),
        (1.7, lambda r: 2**-0.7 / gamma(1.7) * (3.4**0.5 * r) ** 1.7 * kv(1.7, 3.4**0.5 * r)),
        (3.5, lambda r: 2**-2.5 / gamma(3.5) * (7**0.5 * r) ** 3.5 * kv(3.5, 7**0.5 * r)),
    ],
)
def test_matern_is_the_textbook_formula(smoothness, formula):
    r = np.linspace(0.01, 6.0, 50)
    x = np.column_stack([60.0 * r, 80.0 * r, 0.0 * r])
    found = Matern(100.0, 10.0, smoothness=smoothness).value(x, np.zeros((1, 3)))[:, 0]
    np.testing.assert_allclose(found, formula(r), rtol=1e-10)
    in_time = Matern(100.0, 10.0, smoothness=smoothness).value(np.zeros((1, 3)), np.outer(r, [0.0, 0.0, 10.0]))[0]
    np.testing.assert_allclose(in_time, formula(r), rtol=1e-10)


def test_a_very_smooth_matern_is_nearly_gaussian():
    x = points(50, 0)
    found = Matern(100.0, 10.0, smoothness=29.5).value(x, x)
    np.testing.assert_allclose(found, Gaussian(2**0.5 * 100.0, 2**0.5 * 10.0).value(x, x), rtol=0, atol=0.01)


def test_duacs_is_the_published_formula():
    """Le Traon et al. (1998), with their propagation velocity eastward."""
    dx, dy, dt = points(50, 0).T
    cx, cy, lx, ly, t = -5.0, 1.0, 150.0, 120.0, 15.0
    ar = 3.34 * np.hypot((dx - cx * dt) / lx, (dy - cy * dt) / ly)
    expected = (1 + ar + ar**2 / 6 - ar**3 / 6) * np.exp(-ar) * np.exp(-((dt / t) ** 2))
    covariance = ArhanColinDeVerdiere(lx, t, anisotropy=0.8, westward_drift=5.0, northward_drift=1.0)
    found = covariance.value(np.column_stack([dx, dy, dt]), np.zeros((1, 3)))[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


def test_duacs_crosses_zero_at_its_scale():
    at = np.array([[140.0, 0.0, 0.0], [152.0, 0.0, 0.0]])
    inside, outside = ArhanColinDeVerdiere(150.0, 15.0).value(at, np.zeros((1, 3)))[:, 0]
    assert inside > 0.0 > outside


def matern_correlation(order, z):
    z = np.maximum(z, 1e-12)
    return 2.0 ** (1.0 - order) / gamma(order) * z**order * kv(order, z)


@pytest.mark.parametrize(("exponent", "time_exponent"), [(1.25, 0.75), (1.5, 1.0), (1.93, 1.2), (3.0, 2.0), (8.0, 5.0)])
def test_spectral_with_one_decorrelation_time_is_matern_in_space_times_matern_in_time(exponent, time_exponent):
    rng = np.random.default_rng(0)
    r, t = (np.append(0.0, 10.0 ** rng.uniform(-6.0, 1.5, 3000)) for _ in range(2))
    t = rng.permutation(t)
    covariance = Spectral(100.0, 10.0, 1.0, exponent, time_exponent, 0.0)
    found = covariance.value(np.column_stack([100.0 * r, 0.0 * r, 10.0 * t]), np.zeros((1, 3)))[:, 0]
    expected = matern_correlation(exponent - 1.0, r) * matern_correlation(time_exponent - 0.5, t)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("exponent", "time_exponent", "decorrelation_exponent"), [(1.93, 1.2, 0.18), (2.5, 1.0, 1.2)])
def test_spectral_is_the_integral_over_wavenumbers(exponent, time_exponent, decorrelation_exponent):
    nodes, weights = np.polynomial.legendre.leggauss(20)
    p = (0.1 * (np.arange(8000)[:, None] + 0.5) + 0.05 * nodes).ravel()
    cells = np.tile(0.05 * weights, 8000)
    covariance = Spectral(100.0, 10.0, 1.0, exponent, time_exponent, decorrelation_exponent)
    for r in (0.3, 1.0, 3.0):
        for t in (0.0, 0.1, 1.0, 4.0):
            remembered = matern_correlation(time_exponent - 0.5, (1 + p**2) ** (decorrelation_exponent / 2) * t)
            expected = 2 * (exponent - 1) * np.sum(cells * p * (1 + p**2) ** -exponent * j0(p * r) * remembered)
            found = covariance.value(np.array([[100.0 * r, 0.0, 10.0 * t]]), np.zeros((1, 3)))
            assert found.item() == pytest.approx(expected, abs=2e-5)


def test_small_features_decorrelate_first():
    """The half of the spectrum at small scales loses its correlation in time before the other half."""
    omega = np.linspace(-5.0, 5.0, 20001)
    eddies = Spectral(100.0, 20.0, decorrelation_exponent=1.0)

    def width(k):
        density = eddies.spectrum(k, 0.0, omega)
        return np.interp(0.5, np.cumsum(density[10000:]) / density[10000:].sum(), omega[10000:])

    assert width(0.03) == pytest.approx(width(0.001) * 10**0.5, rel=0.1)  # 1 + 3² against 1


# --- drift ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", [ArhanColinDeVerdiere, Spectral])
def test_features_move_west(family):
    covariance = family(100.0, 20.0, westward_drift=5.0)
    east = np.linspace(-100.0, 100.0, 201)
    later = covariance.value(np.column_stack([east, 0 * east, 0 * east + 10.0]), np.zeros((1, 3)))[:, 0]
    assert east[later.argmax()] == -50.0
    # A wave exp(i (k x - omega t)) that moves west has omega / k < 0.
    omega = np.linspace(-0.5, 0.5, 101)
    assert omega[covariance.spectrum(0.02, 0.0, omega).argmax()] == pytest.approx(-0.1)


def test_features_move_north():
    covariance = ArhanColinDeVerdiere(100.0, 20.0, northward_drift=3.0)
    north = np.linspace(-100.0, 100.0, 201)
    later = covariance.value(np.column_stack([0 * north, north, 0 * north + 10.0]), np.zeros((1, 3)))[:, 0]
    assert north[later.argmax()] == 30.0


@pytest.mark.parametrize(
    "settings",
    [{"westward_drift": 2.0}, {"northward_drift": -2.0}, {"anisotropy": 0.5}],
)
def test_a_direction_needs_the_plane(settings):
    covariance = ArhanColinDeVerdiere(100.0, 20.0, **settings)
    covariance.check_frame("plane")
    for frame in ("sphere", "degrees"):
        with pytest.raises(ValueError, match=r'drifts, or differs between east and north.*set frame="plane"'):
            replace(covariance, length_scale=20.0).check_frame(frame)
        with pytest.raises(ValueError, match="drifts, or differs"):
            (Gaussian(20.0, 20.0) + replace(covariance, length_scale=20.0)).check_frame(frame)
    with pytest.raises(ValueError, match=r'must be \(east, north, days\), got 4 columns: set frame="plane"'):
        covariance.value(points(3, 0, 4), points(3, 0, 4))


# --- values ---------------------------------------------------------------------------------------


def test_the_decorrelation_time_is_the_lag_of_1_over_e():
    for name, covariance in EVERY.items():
        drift = [
            getattr(covariance, f"{way}_drift", 0.0) * covariance.decorrelation_time
            for way in ("westward", "northward")
        ]
        later = np.array([[-drift[0], drift[1], covariance.decorrelation_time]])
        found = covariance.value(later, np.zeros((1, 3))).item() / covariance.sigma**2
        assert found == pytest.approx(np.exp(-1.0), rel=1e-6), name
    assert Gaussian(1.0, 7.0).decorrelation_time == 7.0


def test_sums_add_values_spectra_and_variances():
    a, b, c = Gaussian(100.0, 10.0, 0.3), Matern(50.0, 5.0, 0.4), Gaussian(10.0, 1.0, 1.2)
    both = a + b
    x, y = points(10, 0), points(12, 1)
    assert (both + c).terms == (a + (b + c)).terms == (a, b, c)
    assert (both + c).sigma == pytest.approx(1.3)
    np.testing.assert_allclose(both.value(x, y), a.value(x, y) + b.value(x, y), rtol=1e-12)
    k = np.linspace(0.0, 0.1, 7)
    np.testing.assert_allclose(both.spectrum(k, 0.0, k), a.spectrum(k, 0.0, k) + b.spectrum(k, 0.0, k), rtol=1e-12)
    with pytest.raises(TypeError, match="unsupported operand"):
        a + 1.0


def test_a_covariance_is_rebuilt_from_its_state(covariance):
    state = covariance.state()
    assert isinstance(state, np.ndarray) and state.dtype == np.uint8
    assert Covariance.from_state(state) == covariance


def test_settings_become_plain_numbers():
    covariance = Spectral(np.float32(120.0), 9, np.float64(0.1))
    assert all(type(getattr(covariance, setting.name)) is float for setting in fields(covariance))


@pytest.mark.parametrize(
    ("family", "settings", "error", "message"),
    [
        (Gaussian, {"length_scale": 0.0}, ValueError, "length_scale must be a finite number above zero, got 0.0"),
        (Matern, {"smoothness": -1.0}, ValueError, "smoothness must be a finite number above zero, got -1"),
        (Matern, {"smoothness": 99.0}, ValueError, "smoothness must be 30 at most, got 99.0: so smooth a signal is Ga"),
        (Gaussian, {"time_scale": "7"}, TypeError, "time_scale must be a number, got '7'"),
        (ArhanColinDeVerdiere, {"anisotropy": 0.0}, ValueError, "anisotropy must be a finite number above zero"),
        (ArhanColinDeVerdiere, {"northward_drift": np.nan}, ValueError, "northward_drift must be a finite number, got"),
        (Spectral, {"exponent": 1.0}, ValueError, r"exponent must be above 1 for the variance to be finite, got 1\.0"),
        (
            Spectral,
            {"time_exponent": 0.5},
            ValueError,
            r"time_exponent must be above 0\.5 for the variance to be finite",
        ),
        (
            Spectral,
            {"decorrelation_exponent": -0.1},
            ValueError,
            r"decorrelation_exponent must be zero or more, got -0\.1",
        ),
        (Spectral, {"westward_drift": np.inf}, ValueError, "westward_drift must be a finite number, got inf"),
    ],
)
def test_bad_settings_are_refused(family, settings, error, message):
    with pytest.raises(error, match=message):
        family(**{"length_scale": 100.0, "time_scale": 10.0} | settings)


def test_a_sum_of_something_else_is_refused():
    from xinr.methods.covariances import Sum

    for terms in ((), (Gaussian(1.0, 1.0), 2.0)):
        with pytest.raises(TypeError, match="a sum needs covariances as terms, got"):
            Sum(terms)


# --- positive definiteness ------------------------------------------------------------------------


def lowest(covariance, x):
    return float(np.linalg.eigvalsh(covariance.value(x, x) / covariance.sigma**2).min())


scale = st.floats(20.0, 500.0)


@given(scale, st.floats(2.0, 50.0), st.floats(0.3, 6.0), st.integers(0, 100))
def test_matern_is_positive_definite(length, time, smoothness, seed):
    assert lowest(Matern(length, time, smoothness=smoothness), points(15, seed)) > -1e-9


@given(scale, st.floats(2.0, 50.0), st.floats(-10.0, 10.0), st.floats(0.4, 2.5), st.integers(0, 100))
def test_duacs_is_positive_definite(length, time, drift, anisotropy, seed):
    covariance = ArhanColinDeVerdiere(length, time, anisotropy=anisotropy, westward_drift=drift)
    assert lowest(covariance, points(15, seed)) > -1e-9


@given(st.floats(50.0, 2000.0), st.integers(0, 100))
def test_duacs_is_positive_definite_on_the_sphere(length, seed):
    rng = np.random.default_rng(seed)
    up = rng.normal(size=(80, 3))
    up /= np.linalg.norm(up, axis=1)[:, None]
    x = np.column_stack([EARTH_RADIUS * up, np.zeros(80)])
    assert lowest(ArhanColinDeVerdiere(length, 10.0), x) > -1e-9


@given(
    scale,
    st.floats(2.0, 50.0),
    st.sampled_from([1.3, 1.93, 3.0]),
    st.sampled_from([0.8, 1.2, 2.5]),
    st.sampled_from([0.0, 0.18, 1.0]),
    st.floats(-10.0, 10.0),
    st.integers(0, 100),
)
def test_spectral_is_positive_definite_within_its_accuracy(
    length, time, exponent, time_exponent, decorrelation_exponent, drift, seed
):
    covariance = Spectral(length, time, 1.0, exponent, time_exponent, decorrelation_exponent, drift)
    assert lowest(covariance, points(15, seed)) > -2e-5
