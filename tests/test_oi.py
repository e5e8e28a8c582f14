"""Optimal interpolation equals the challenge's formula, and behaves at its limits."""

import json

import numpy as np
import pytest
import xarray as xr

import xinr
from tests.helpers import START, two_missions
from xinr.geo.frames import EARTH_RADIUS
from xinr.geo.points import Points
from xinr.methods import method_from
from xinr.methods.covariances import ArhanColinDeVerdiere, Gaussian, Matern, Spectral
from xinr.methods.method import get_setting, with_settings
from xinr.methods.observation_error import ObservationError
from xinr.methods.oi import grouped_windows, windows

DAY = np.timedelta64(1, "D")


def positions(ds, frame):
    """Coordinates of each point: (n, 2) in degrees or (n, 3) in km."""
    lon, lat = (ds[name].values.ravel() for name in ("longitude", "latitude"))
    if frame == "degrees":
        return np.stack([lon, lat], axis=1)
    a, b = np.radians(lon), np.radians(lat)
    return EARTH_RADIUS * np.stack([np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), np.sin(b)], axis=1)


def challenge(
    obs, target, *, frame, length_scale, time_scale, noise, pass_bias=0.0, pass_slope=0.0, points=None, sigma=1.0
):
    """The daily OI of data challenge 2021a with plain inverses: analysis and error at (time, point)."""
    x, x0 = positions(obs, frame), positions(target, frame)
    t, y = (obs.time.values - target.time.values[0]) / DAY, obs.sla_unfiltered.values

    def covariance(p, pt, q, qt):
        apart = ((p[:, None] - q[None]) ** 2).sum(axis=2) / length_scale**2
        return sigma**2 * np.exp(-apart - (pt[:, None] - qt[None]) ** 2 / time_scale**2)

    analyses, errors = [], []
    for day in (target.time.values - target.time.values[0]) / DAY:
        near = np.abs(t - day) < 2 * time_scale
        k = covariance(x0, np.full(len(x0), day), x[near], t[near])
        r = noise**2 * np.eye(near.sum())
        if points is not None:
            passes, distance = points.pass_index[near], 1e-3 * points.distance[near]
            of_pass = pass_bias**2 + pass_slope**2 * np.outer(distance, distance)
            r += of_pass * (passes[:, None] == passes[None])
        inverse = np.linalg.inv(covariance(x[near], t[near], x[near], t[near]) + r)
        analyses.append(k @ inverse @ y[near])
        errors.append(np.sqrt(sigma**2 - np.einsum("ij,jk,ik->i", k, inverse, k)))
    return np.array(analyses), np.array(errors)


def along(grid):
    """Every node of a grid, as points."""
    flat = grid.drop_vars("time").stack(point=("latitude", "longitude")).reset_index("point").reset_coords()
    return flat.assign_coords(time=grid.time)


@pytest.mark.parametrize(("pass_bias", "pass_slope"), [(0.0, 0.0), (0.02, 0.0), (0.0, 0.2), (0.02, 0.1)])
@pytest.mark.parametrize(
    ("frame", "length_scale", "time_scale", "noise"), [("degrees", 1.0, 7.0, 0.05), ("sphere", 120.0, 3.0, 0.03)]
)
def test_equal_to_the_plain_formula(tracks, grid, frame, length_scale, time_scale, noise, pass_bias, pass_slope):
    tracks = tracks.isel(time=slice(None, None, 3))
    scales = {"frame": frame, "length_scale": length_scale, "time_scale": time_scale, "noise": noise, "sigma": 0.8}
    of_passes = {"pass_bias": pass_bias, "pass_slope": pass_slope}
    field = tracks.inr.fit("oi", coarsen=1, **of_passes, **scales)
    found = field.interp(grid, error=True)
    points = xinr.Observations.from_tracks(tracks)  # the tracks are in order already
    analysis, error = challenge(tracks, along(grid), points=points, **of_passes, **scales)
    np.testing.assert_allclose(found.sla.values.reshape(analysis.shape), analysis, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.err_sla.values.reshape(error.shape), error, rtol=0, atol=1e-8)


def test_the_defaults_are_the_challenge_baseline(tracks, grid):
    coarse = tracks.isel(time=slice(0, 320)).drop_vars("mission").coarsen(time=5, boundary="trim").mean()
    analysis, _ = challenge(coarse, along(grid), frame="degrees", length_scale=1.0, time_scale=7.0, noise=0.05)
    found = tracks.isel(time=slice(0, 320)).inr.interp(grid)  # passes of 40 points: no block crosses a gap
    np.testing.assert_allclose(found.sla.values.reshape(analysis.shape), analysis, rtol=0, atol=1e-8)


def test_without_noise_it_interpolates(tracks):
    few = tracks.isel(time=slice(0, 40, 8))
    target = few.assign_coords(time=few.time.dt.round("D"))
    field = few.assign_coords(time=target.time).inr.fit("oi", coarsen=1, noise=1e-5)
    found = field.interp(target, error=True)
    np.testing.assert_allclose(found.sla, few.sla_unfiltered, rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.err_sla, 1e-5, rtol=1e-3)


def test_with_very_large_noise_the_map_is_zero(tracks, grid):
    found = tracks.inr.fit("oi", noise=1e8, sigma=0.3).interp(grid, error=True)
    np.testing.assert_allclose(found.sla, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.err_sla, 0.3, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:part of the target lies beyond")
def test_far_from_the_data_it_is_zero(tracks):
    target = {
        "time": tracks.time.values[:2] + np.array([0, 300]) * DAY,
        "latitude": np.array([37.0]),
        "longitude": np.array([150.0, 302.0]),
    }
    field = tracks.inr.fit("oi")
    found = field.interp(target, error=True)
    far = {"sla": 0.0, "err_sla": 1.0}
    for name, value in far.items():
        assert np.all(found[name].isel(longitude=0) == value) and np.all(found[name].isel(time=1) == value)
    assert found.sla.isel(time=0, longitude=1) != 0.0
    assert np.all(field.gradient(target).dsla_dx.isel(time=1) == 0.0)
    assert np.all(field.laplacian(target).laplacian_sla.isel(time=1) == 0.0)


def test_points_given_twice_count_once(tracks, grid):
    twice = xr.concat([tracks, tracks], "time")
    expected = tracks.inr.interp(grid, coarsen=1)
    np.testing.assert_array_equal(twice.inr.interp(grid, coarsen=1).sla, expected.sla)


def test_nearby_points_that_disagree_need_no_help(tracks, grid):
    other = tracks.assign(sla_unfiltered=tracks.sla_unfiltered + 0.01, mission=tracks.mission.str.upper())
    found = xr.concat([tracks, other], "time").inr.interp(grid, coarsen=1)
    assert np.isfinite(found.sla).all()


def test_order_of_the_points_does_not_matter(tracks, grid):
    shuffled = tracks.isel(time=np.random.default_rng(0).permutation(640))
    np.testing.assert_array_equal(shuffled.inr.interp(grid).sla, tracks.inr.interp(grid).sla)


@pytest.mark.parametrize("frame", ["degrees", "sphere"])
def test_the_dateline_changes_nothing(tracks, grid, frame):
    settings = {"frame": frame, "length_scale": {"degrees": 1.0, "sphere": 100.0}[frame]}
    shift = 180.0 - 303.0

    def moved(ds, wrapped):
        lon = ds.longitude + shift
        return ds.assign_coords(longitude=(lon + 180.0) % 360.0 - 180.0 if wrapped else lon)

    expected = tracks.inr.interp(grid, error=True, **settings)
    for wrapped in (False, True):
        found = moved(tracks, wrapped).inr.interp(moved(grid, wrapped), error=True, **settings)
        for name in expected.data_vars:
            np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-8)


def test_a_window_too_large_is_refused_before_it_fills_the_memory(tracks, grid, monkeypatch):
    monkeypatch.setattr(windows, "LARGEST_WINDOW", 100)
    with pytest.raises(MemoryError, match=r"128 observations fall in one analysis window; at most 100.*larger coarsen"):
        tracks.inr.interp(grid)


def test_blocks_of_targets_change_nothing(tracks, grid, monkeypatch):
    expected = tracks.inr.interp(grid, error=True)
    monkeypatch.setattr(windows, "BLOCK", 7)
    found = tracks.inr.interp(grid, error=True)
    for name in expected.data_vars:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-13)


@pytest.fixture
def factored(monkeypatch):
    """The windows solved or factored so far."""
    seen = []
    for name in ("factor", "solve_windows"):
        real = getattr(windows, name)

        def counted(*args, _real=real):
            seen.extend(args[-1] if isinstance(args[-1], list) else [args[-1]])
            return _real(*args)

        monkeypatch.setattr(windows, name, counted)
    return seen


def test_value_and_error_share_one_factorisation_a_day(tracks, grid, factored):
    field = tracks.inr.fit(coarsen=5)
    with_error = field.interp(grid, error=True)
    assert len(factored) == grid.sizes["time"]
    xr.testing.assert_allclose(with_error[["sla"]], tracks.inr.fit(coarsen=5).interp(grid), atol=1e-12)
    assert with_error.err_sla.attrs["standard_name"] == "sea_surface_height_above_sea_level standard_error"


def test_analyses_are_solved_once(tracks, grid, factored):
    field = tracks.inr.fit(coarsen=5)
    field.interp(grid)
    field.gradient(grid)
    field.laplacian(grid)
    assert len(factored) == grid.sizes["time"]


# --- windows solved together ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dense():
    """A predictor whose windows share most of their observations, and each window's exact weights."""
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.uniform(0, 4, (900, 2)), np.sort(rng.uniform(0, 60, 900))])
    y = np.sin(x[:, 0] + 0.1 * x[:, 2]) + 0.05 * rng.standard_normal(900)
    error = ObservationError(np.full(900, 0.05), np.arange(900) // 9, np.tile(np.linspace(-0.1, 0.1, 9), 100), 0.1, 0.2)
    predictor = xinr.OI().fit(x, y, error)
    near = [predictor.window(number) for number in range(16, 44)]
    matrix = predictor.covariance.value(x, x)
    error.add_to(matrix, slice(None))
    return predictor, near, [np.linalg.solve(matrix[window, window], y[window]) for window in near]


def test_windows_solved_together_are_solved_exactly(dense, monkeypatch):
    p, near, exact = dense
    groups = list(grouped_windows.grouped(near))
    assert 2 <= len(groups) < len(near)
    monkeypatch.setattr(grouped_windows, "factor", None)  # nothing falls back to double precision
    for group in groups:
        solved = grouped_windows.solve_windows(p.covariance, p.error_model, p.x, p.y, [near[i] for i in group])
        for i, weights in zip(group, solved, strict=True):
            k = p.covariance.value(p.x[near[i]], p.x[near[i]])
            np.testing.assert_allclose(k @ weights, k @ exact[i], rtol=0, atol=1e-6)


def test_where_single_precision_fails_double_steps_in(dense, monkeypatch):
    predictor, near, _ = dense
    x, y = predictor.x, predictor.y
    error = ObservationError(np.full(900, 1e-4), np.arange(900), np.zeros(900))
    broad = Gaussian(10.0, 20.0)
    called = []
    real = grouped_windows.factor
    monkeypatch.setattr(grouped_windows, "factor", lambda *args: called.append(1) or real(*args))
    (weights,) = grouped_windows.solve_windows(broad, error, x, y, near[:1])
    assert called == [1]
    k = broad.value(x[near[0]], x[near[0]])
    exact = np.linalg.solve(k + 1e-8 * np.eye(len(k)), y[near[0]])
    np.testing.assert_allclose(k @ weights, k @ exact, rtol=0, atol=1e-6)


def test_windows_that_share_nothing_are_solved_by_themselves():
    assert list(grouped_windows.grouped([slice(0, 10), slice(10, 20)])) == [range(0, 1), range(1, 2)]
    assert list(grouped_windows.grouped([])) == []


def test_a_group_stays_within_the_memory(monkeypatch):
    monkeypatch.setattr(grouped_windows, "LARGEST_GROUP", 104)
    sliding = [slice(i, i + 100) for i in range(10)]
    assert list(grouped_windows.grouped(sliding)) == [range(0, 5), range(5, 10)]


def test_what_is_solved_is_kept_when_interrupted_and_saved(tracks, grid, factored, monkeypatch, tmp_path):
    monkeypatch.setattr(grouped_windows, "CORE", 2.0)  # one window a group
    counted, calls = windows.solve_windows, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return counted(*args)

    monkeypatch.setattr(windows, "solve_windows", interrupted)
    field = tracks.inr.fit(coarsen=5)
    with pytest.raises(KeyboardInterrupt):
        field.interp(grid)
    field.save(tmp_path / "field.nc")
    again = xinr.open_field(tmp_path / "field.nc")
    assert len(factored) == 2
    found = again.interp(grid)
    assert len(factored) == grid.sizes["time"]
    monkeypatch.undo()
    np.testing.assert_allclose(found.sla, tracks.inr.fit(coarsen=5).interp(grid).sla, rtol=0, atol=1e-8)


def test_files_of_before_analyses_were_kept_still_open(tracks, grid):
    field = tracks.inr.fit(coarsen=5)
    state = {name: array for name, array in field.predictor.state().items() if name not in ("solved", "weights")}
    again = type(field.predictor).from_state(state)
    x = field.predictor.x[:5]
    np.testing.assert_array_equal(again.predict(Points.of(x)), field.predictor.predict(Points.of(x)))


@pytest.mark.parametrize("covariance", [Gaussian(2.0, 5.0, 0.3), Matern(2.0, 5.0, 0.3)])
def test_on_a_grid_or_not_values_and_derivatives_are_the_same(covariance):
    rng = np.random.default_rng(1)
    y, weights = rng.uniform(0, 10, (50, 3)), rng.standard_normal(50)
    grid = np.stack(np.meshgrid(np.arange(4.0), np.arange(5.0), np.arange(3.0)), axis=-1).reshape(-1, 3)
    for x in (grid, grid[rng.permutation(60)], grid[:41], grid[7:8], rng.uniform(0, 10, (60, 3))):
        value, gradient, hessian = covariance.weighted_derivatives(x, y, weights, 2)
        np.testing.assert_allclose(value, covariance.value(x, y) @ weights, rtol=0, atol=1e-13)
        # Points that have no common times make no grid.
        alone = np.concatenate([x, x + [[0.0, 0.0, 100.0]] * np.arange(1.0, len(x) + 1.0)[:, None]])
        _, *expected = covariance.weighted_derivatives(alone, y, weights, 2)
        for ours, theirs in zip((gradient, hessian), expected, strict=True):
            np.testing.assert_allclose(ours, theirs[: len(x)], rtol=0, atol=1e-13)


# --- covariances ----------------------------------------------------------------------------------

COVARIANCES = {
    "matern": Matern(120.0, 8.0, 0.2),
    "duacs": ArhanColinDeVerdiere(250.0, 10.0, 0.2, anisotropy=0.8, westward_drift=4.0),
    "spectral": Spectral(100.0, 10.0, 0.2, exponent=2.5, time_exponent=1.8, westward_drift=4.0),
    "sum": Gaussian(120.0, 8.0, 0.15) + Matern(400.0, 30.0, 0.1),
}


@pytest.fixture(params=COVARIANCES)
def covariance(request):
    return COVARIANCES[request.param]


def test_it_is_the_best_linear_estimate_of_any_covariance(tracks, grid, covariance):
    field = tracks.inr.fit("oi", frame="plane", covariance=covariance, coarsen=5, noise=0.02, window=100.0)
    found = field.interp(grid, error=True)
    predictor = field.predictor
    target = xr.broadcast(grid.time, grid.latitude, grid.longitude)
    x = field.frame.project(*(target[k].values.ravel() for k in (2, 1, 0)))
    k = covariance.value(x, predictor.x)
    noise = np.diag(predictor.error_model.noise**2)
    inverse = np.linalg.inv(covariance.value(predictor.x, predictor.x) + noise)
    np.testing.assert_allclose(found.sla.values.ravel(), k @ inverse @ predictor.y, rtol=0, atol=1e-8)
    error = np.sqrt(covariance.sigma**2 - np.einsum("ij,jk,ik->i", k, inverse, k))
    np.testing.assert_allclose(found.err_sla.values.ravel(), error, rtol=0, atol=1e-7)


def test_slopes_and_laplacians_are_those_of_its_own_map(tracks, covariance):
    field = tracks.inr.fit("oi", frame="plane", covariance=covariance, coarsen=5, noise=0.02)
    fine = {
        "time": np.datetime64("2017-01-04") + np.arange(-1, 2) * np.timedelta64(30, "m"),
        "latitude": 37.0 + 0.02 * np.arange(-3, 4),
        "longitude": 303.0 + 0.02 * np.arange(-3, 4),
    }
    middle = {"time": 1, "latitude": 3, "longitude": 3}
    maps = field.interp(fine)
    for verb, tolerance in (("gradient", 0.01), ("laplacian", 0.05)):
        exact, differences = getattr(field, verb)(fine), getattr(maps.inr, verb)()
        for name, array in exact.data_vars.items():
            size = np.abs(array).max()
            np.testing.assert_allclose(differences[name].isel(middle), array.isel(middle), atol=tolerance * float(size))


def test_a_covariance_is_saved_and_shown(tracks, grid, tmp_path, covariance):
    field = tracks.inr.fit("oi", frame="plane", covariance=covariance, coarsen=5)
    field.save(tmp_path / "field.nc")
    again = xinr.open_field(tmp_path / "field.nc")
    assert again.predictor.covariance == covariance
    assert again.info == field.info == json.loads(json.dumps(field.info))
    xr.testing.assert_identical(again.interp(grid, error=True), field.interp(grid, error=True))
    assert f"covariance={type(covariance).__name__}(" in repr(field)


def test_the_window_follows_the_decorrelation_time():
    fitted = xinr.OI(frame="sphere", covariance=Matern(100.0, 10.0), window=1.5)
    x, error = np.zeros((3, 4)), ObservationError(np.ones(3), np.zeros(3, np.int64), np.zeros(3))
    assert fitted.fit(x, np.zeros(3), error).half_width == pytest.approx(1.5 * 12.391, rel=1e-4)


# --- settings of the covariance next to those of the method -------------------------------------------


def test_settings_of_the_covariance_are_given_with_those_of_the_method():
    method = method_from("oi", {"frame": "sphere", "length_scale": 150.0, "sigma": 0.1, "noise": 0.02})
    assert method == xinr.OI(frame="sphere", covariance=Gaussian(150.0, 7.0, 0.1), noise=0.02)
    method = method_from("oi", {"frame": "sphere", "covariance": Matern(90.0, 9.0), "time_scale": 12.0})
    assert method == xinr.OI(frame="sphere", covariance=Matern(90.0, 12.0))


def test_settings_are_read_and_changed_wherever_they_are():
    method = xinr.OI(frame="sphere", covariance=Matern(90.0, 9.0))
    changed = with_settings(method, {"smoothness": 2.5, "noise": 0.1, "length_scale": 80.0})
    assert changed == xinr.OI(frame="sphere", covariance=Matern(80.0, 9.0, smoothness=2.5), noise=0.1)
    assert (get_setting(changed, "noise"), get_setting(changed, "smoothness")) == (0.1, 2.5)


def test_unknown_settings_name_those_of_method_and_covariance():
    message = (
        r"OI has no setting \['exponent'\]: expected some of \['frame'.*'analysis_step', 'n_neighbors', 'tile'\], "
        r"or of its covariance Matern \['length_scale', 'time_scale', 'sigma', 'smoothness'\]"
    )
    covariance = Matern(90.0, 9.0)
    for attempt in (
        lambda: method_from("oi", {"covariance": covariance, "exponent": 2.0}),
        lambda: with_settings(xinr.OI(frame="sphere", covariance=covariance), {"exponent": 2.0}),
        lambda: get_setting(xinr.OI(frame="sphere", covariance=covariance), "exponent"),
    ):
        with pytest.raises(TypeError, match=message):
            attempt()


@pytest.mark.parametrize("settings", [{"covariance": "matern"}, {"covariance": None}])
def test_what_is_no_covariance_is_refused(tracks, settings):
    families = r"\['ArhanColinDeVerdiere', 'Gaussian', 'Matern', 'Spectral', 'Sum'\]"
    with pytest.raises(
        TypeError, match=rf"must be an object such as Gaussian\(.*got ('matern'|None): xinr.*{families}"
    ):
        tracks.inr.fit("oi", **settings)


def test_a_drift_needs_the_plane(tracks):
    drifting = Spectral(100.0, 10.0, westward_drift=3.0)
    with pytest.raises(ValueError, match=r"Spectral\(.*drifts, .* the frame 'sphere' has no axis.*set frame=\"plane\""):
        tracks.inr.fit("oi", frame="sphere", covariance=drifting)
    with pytest.raises(ValueError, match="length_scale = 1 is in kilometres in the frame 'plane'"):
        tracks.inr.fit("oi", frame="plane")


@pytest.mark.parametrize("offset", [0.9, -35.0])
@pytest.mark.parametrize("method", ["oi", "duacs"])
def test_heights_far_from_zero_are_mapped_about_their_mean(method, offset):
    """A constant changes neither the map's anomalies nor currents, and what was taken as the mean is told."""
    ds, settings = two_missions(), {"n_neighbors": 60}
    grid = {"time": ds.time.values[:1], "latitude": [36.0, 38.0, 39.0], "longitude": [301.0, 303.0, 304.5]}
    plain, far = (xinr.fit((ds.sla_unfiltered + shift).rename("ssh"), method, **settings) for shift in (0.0, offset))
    mean = far.info["settings"]["mean"]
    assert plain.info["settings"]["mean"] == 0.0
    assert mean == pytest.approx(offset, abs=0.1)
    named = xinr.fit((ds.sla_unfiltered + offset).rename("ssh"), method, mean=mean, **settings)
    np.testing.assert_allclose(far.interp(grid).ssh, named.interp(grid).ssh)
    np.testing.assert_allclose(far.interp(grid, error=True).ssh, far.interp(grid).ssh, atol=1e-6)
    restored = far.currents(grid).ugos - plain.currents(grid).ugos
    assert float(abs(restored).max()) < 0.05


def test_a_mean_is_set_by_name_and_saved(tmp_path):
    field = xinr.fit(two_missions(), "oi", variable="sla_unfiltered", mean=0.5, length_scale=0.05)
    grid = {"time": [START], "latitude": np.linspace(37.0, 39.0, 9), "longitude": np.linspace(301.0, 305.0, 9)}
    far = field.interp(grid, error=True)
    far = far.sla.where(far.err_sla > 0.9999)
    assert float(far.min()) == pytest.approx(0.5, abs=0.01)
    field.save(tmp_path / "field.nc")
    xr.testing.assert_allclose(xinr.open_field(tmp_path / "field.nc").interp(grid).sla.where(far.notnull()), far)
