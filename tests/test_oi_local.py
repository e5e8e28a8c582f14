"""Local optimal interpolation: tiles that share their neighbours, one smooth map."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

import xinr
from tests.helpers import two_missions
from xinr.geo.points import Points
from xinr.methods.covariances import ArhanColinDeVerdiere, Gaussian, Matern
from xinr.methods.covariances.nonstationary import NonstationaryCovariance
from xinr.methods.oi import LocalOIPredictor, analysis_cache, local
from xinr.methods.oi.local import reach

SETTINGS = {"frame": "plane", "covariance": Gaussian(120.0, 8.0, 0.2), "coarsen": 5, "noise": 0.02}


def fitted(**settings):
    return two_missions().inr.fit("oi", **SETTINGS | settings)


@pytest.fixture(scope="module")
def field():
    return fitted(n_neighbors=40, pass_bias=0.02)


@pytest.mark.parametrize("errors", [{}, {"pass_bias": 0.02}, {"pass_bias": 0.02, "pass_slope": 0.1}])
@pytest.mark.parametrize("frame", ["plane", "sphere"])
def test_with_every_neighbour_it_is_the_whole_analysis(grid, errors, frame):
    whole = fitted(frame=frame, window=100.0, **errors)
    local = fitted(frame=frame, n_neighbors=10_000, **errors)
    assert isinstance(local.predictor, LocalOIPredictor)
    expected, found = (each.interp(grid, error=True) for each in (whole, local))
    for name in expected.data_vars:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-8)
    for verb in ("gradient", "laplacian"):
        expected, found = (getattr(each, verb)(grid) for each in (whole, local))
        for name, array in expected.data_vars.items():
            np.testing.assert_allclose(found[name], array, rtol=0, atol=1e-6 * float(np.abs(array).max()))


def test_at_a_node_it_is_the_analysis_of_the_nearest_observations(field):
    p = field.predictor
    node = np.round(p.x.mean(axis=0) / p.step) * p.step
    scales = np.array([120.0, 120.0, 8.0])
    near = np.argsort((((p.x - node) / scales) ** 2).sum(axis=1))[:40]
    covariance = SETTINGS["covariance"]
    same = p.error_model.pass_index[near][:, None] == p.error_model.pass_index[near]
    matrix = covariance.value(p.x[near], p.x[near]) + np.diag(p.error_model.noise[near] ** 2) + 0.02**2 * same
    k = covariance.value(node[None], p.x[near])[0]
    value, error = p.posterior(Points.of(node[None]))
    assert value[0] == pytest.approx(k @ np.linalg.solve(matrix, p.y[near]), abs=1e-12)
    assert error[0] == pytest.approx(np.sqrt(0.2**2 - k @ np.linalg.solve(matrix, k)), abs=1e-12)


def test_the_map_and_its_slope_have_no_steps(field):
    """Across several tiles, in space and time: steps of the map shrink with those of the line, as do its slopes'."""
    p = field.predictor
    middle, span = p.x.mean(axis=0), np.array([3.1, 2.3, 1.7]) * p.step

    def largest_steps(count):
        line = middle + np.linspace(-0.5, 0.5, count)[:, None] * span
        return np.abs(np.diff(p.predict(Points.of(line)))).max(), np.abs(
            np.diff(p.gradient(Points.of(line))[:, 0])
        ).max()

    coarse, fine = largest_steps(101), largest_steps(1001)
    assert all(b < 0.15 * a for a, b in zip(coarse, fine, strict=True))


def test_far_from_the_data_it_is_zero_with_the_error_of_the_signal(field):
    far = field.predictor.x[:2] + np.array([3000.0, 0.0, 0.0])
    value, error = field.predictor.posterior(Points.of(far))
    np.testing.assert_allclose(value, 0.0, atol=1e-12)
    np.testing.assert_allclose(error, 0.2, rtol=1e-12)


def test_no_targets_give_no_values(field):
    nowhere = np.empty((0, 3))
    assert field.predictor.predict(Points.of(nowhere)).shape == (0,)
    assert field.predictor.gradient(Points.of(nowhere)).shape == (0, 3)


def test_saved_and_opened_it_is_the_same_to_the_bit(field, grid, tmp_path):
    field.save(tmp_path / "field.nc")
    again = xinr.open_field(tmp_path / "field.nc")
    xr.testing.assert_identical(again.interp(grid, error=True), field.interp(grid, error=True))
    xr.testing.assert_identical(again.laplacian(grid), field.laplacian(grid))


def test_more_neighbours_come_nearer_to_the_whole(grid):
    whole = fitted(window=100.0).interp(grid).sla
    apart = [float(np.abs(fitted(n_neighbors=k).interp(grid).sla - whole).max()) for k in (5, 20, 80)]
    assert apart[0] > apart[1] > apart[2]


# --- what is cached ------------------------------------------------------------------------------------


@pytest.fixture
def factored(monkeypatch):
    """The sizes of the matrices factored so far."""
    sizes = []
    real = local.cho_factor

    def counted(matrix, **options):
        sizes.append(len(matrix))
        return real(matrix, **options)

    monkeypatch.setattr(local, "cho_factor", counted)
    return sizes


def test_a_map_and_its_derivatives_solve_each_analysis_once(grid, factored):
    field = fitted(n_neighbors=40)
    field.interp(grid)
    solved = len(factored)
    assert solved == len(field.predictor._cache) > 0
    for verb in (field.interp, field.gradient, field.laplacian, field.currents):
        verb(grid)
    assert len(factored) == solved
    field.interp(grid, error=True)  # the posterior variance needs the factors again
    assert len(factored) == 2 * solved


def test_errors_leave_the_analyses_for_the_derivatives(grid, factored):
    field = fitted(n_neighbors=40)
    field.interp(grid, error=True)
    solved = len(factored)
    field.currents(grid)
    assert len(factored) == solved


def test_blocks_share_the_nodes_between_them(grid, factored):
    whole, parts = fitted(n_neighbors=40), fitted(n_neighbors=40)
    expected = whole.interp(grid)
    solved = len(factored)
    found = parts.interp(grid.chunk(time=1, latitude=2)).compute(scheduler="synchronous")
    assert len(factored) == 2 * solved
    xr.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_the_cache_is_bounded_and_changes_nothing(field, grid, monkeypatch):
    expected = xr.merge([field.interp(grid), field.laplacian(grid)], combine_attrs="drop")
    monkeypatch.setattr(analysis_cache, "LARGEST", 5 * (analysis_cache.OVERHEAD + 40 * 12))
    small = fitted(n_neighbors=40, pass_bias=0.02)
    for _ in range(2):
        found = xr.merge([small.interp(grid), small.laplacian(grid)], combine_attrs="drop")
        xr.testing.assert_identical(found, expected)
        assert len(small.predictor._cache) == 5


def test_analyses_used_last_stay(monkeypatch):
    analysis = analysis_cache.Analysis(Gaussian(1.0, 1.0), np.zeros(4, np.int32), np.zeros(4))
    monkeypatch.setattr(analysis_cache, "LARGEST", 2 * analysis.size)
    analyses = analysis_cache.AnalysisCache()
    analyses.put((0,), analysis)
    analyses.put((1,), analysis)
    assert analyses.get((0,)) is analysis
    analyses.put((2,), analysis)
    assert [analyses.get((node,)) is analysis for node in range(3)] == [True, False, True]


def test_threads_may_share_it(grid):
    shared, alone = fitted(n_neighbors=40), fitted(n_neighbors=40)
    days = [grid.isel(time=[day]) for day in range(grid.sizes["time"])] * 3
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(shared.interp, days))
    for result, day in zip(found, days, strict=True):
        xr.testing.assert_equal(result, alone.interp(day))


def test_the_cache_is_not_pickled(grid):
    field = fitted(n_neighbors=40)
    before = len(pickle.dumps(field))
    expected = field.interp(grid)
    assert len(pickle.dumps(field)) == before
    again = pickle.loads(pickle.dumps(field))
    assert len(again.predictor._cache) == 0
    xr.testing.assert_identical(again.interp(grid), expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_neighbors": -1}, "n_neighbors must be above zero, or 0 for all of the window, got -1"),
        ({"tile": 0.0}, "tile must be a finite number above zero, got 0.0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        fitted(**settings)


def test_reach_is_where_the_covariance_has_fallen_to_a_third():
    matern = Matern(90.0, 9.0, 0.3)
    far = reach(matern, 3)
    apart = np.diag(far)
    np.testing.assert_allclose(matern.value(np.zeros((1, 3)), apart)[0], 0.3**2 * np.exp(-1.0), rtol=1e-9)
    np.testing.assert_allclose(reach(matern + Gaussian(900.0, 90.0), 3), far)


def test_a_covariance_that_varies_is_linear_between_nodes_and_constant_beyond():
    mean = ArhanColinDeVerdiere(150.0, 15.0, 0.1)
    tables = {"sigma": np.array([[0.1, 0.2], [0.3, 0.4]]), "anisotropy": np.full((2, 2), 0.8)}
    varying = NonstationaryCovariance(mean, tables, np.array([-100.0, 0.0]), np.array([200.0, 100.0]))
    found = [varying.at(np.array([*place, 3.0])) for place in ((0.0, 50.0), (-900.0, 0.0), (900.0, 900.0))]
    assert [covariance.sigma for covariance in found] == pytest.approx([0.25, 0.1, 0.4])
    assert all(covariance.anisotropy == pytest.approx(0.8) for covariance in found)
    assert found[0].length_scale == 150.0
