"""Tiles: one smooth function over any region, the weighted mean of what each tile gives."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.spatial import cKDTree

import xinr
from tests.helpers import START, two_missions
from xinr._warnings import warn
from xinr.geo.frames import EARTH_RADIUS, Plane, Sphere
from xinr.geo.points import Points
from xinr.methods import ErrorPredictor, Method, ObservationError, SamplePredictor
from xinr.methods.covariances import Gaussian
from xinr.methods.functions.polynomial import Polynomial
from xinr.methods.kriging.method import Kriging
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.oi import OI
from xinr.methods.oi.duacs import Duacs
from xinr.methods.tiled.method import Tiled, axes_at, centres
from xinr.methods.tiled.predictor import TiledSampled, taper
from xinr.validation.sampling import observation_error

# Oceans and settings here are made for what is tested, not for each other.
pytestmark = pytest.mark.filterwarnings("ignore:.* warnings came from .* the observations vary")

DAY = np.timedelta64(1, "D")
SMOOTH = Gaussian(150.0, 8.0, 0.1)
#: Fine enough for the covariance above to be that of the lattice.
FINE = Kriging(covariance=SMOOTH, mean="none", pass_bias=0.0, pass_slope=0.0, noise=0.02, margin=300.0)
DENSE = OI(frame="plane", covariance=SMOOTH, window=1e3, analysis_step=1e6, noise=0.02)
POSITIONS = {
    "mid-latitude": (12.0, 44.0),
    "dateline": (179.8, -35.0),
    "north pole": (40.0, 89.9),
    "south pole": (0.0, -90.0),
}


def around(longitude, latitude, n, reach, seed=0):
    """Random positions within reach [km] of one, and times within eight days: x (n, 4) in the frame "sphere"."""
    rng = np.random.default_rng(seed)
    on_plane = reach * rng.uniform(-0.7, 0.7, (n, 2))
    lon, lat = Plane(START, longitude, latitude).unproject(*on_plane.T)
    return Sphere(START).project(lon, lat, START + (rng.uniform(0.0, 8.0, n) * 86400e9).astype("m8[ns]"))


def white(n, noise=0.02):
    return ObservationError(np.full(n, noise), np.arange(n), np.zeros(n))


def realisation(x, seed=1, count=1):
    """Realisations of a field with the covariance SMOOTH at points x (n, 4): (n, count)."""
    values = SMOOTH.value(x, x) + 1e-10 * np.eye(len(x))
    return np.linalg.cholesky(values) @ np.random.default_rng(seed).normal(size=(len(x), count))


def ones(x, size=500.0):
    """Tiles around points, each of which maps the constant 1."""
    return Tiled(Constant(), size=size).fit(x, x[:, 0], white(len(x)))


@dataclass(frozen=True, kw_only=True)
class Constant(Method):
    """A method whose map is one number, and which warns or fails where it has few observations."""

    number: float = 1.0
    fewest: int = 0
    warned_below: int = 0

    def fit(self, x, y, error):
        if len(x) < self.fewest:
            raise ValueError("too few observations.")
        if len(x) < self.warned_below:
            warn("few observations.")
        return Polynomial(np.array([self.number]), np.zeros(3), np.ones(3))


# --- where tiles are --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [100.0, 437.0, 1000.0, 1490.0])
def test_centres_cover_the_sphere_evenly(size):
    up = centres(size)
    np.testing.assert_allclose(np.linalg.norm(up, axis=1), 1.0, rtol=1e-12)
    position = np.random.default_rng(0).normal(size=(20000, 3))
    position /= np.linalg.norm(position, axis=1, keepdims=True)
    chord = cKDTree(up).query(np.vstack([position, np.eye(3), -np.eye(3)]))[0]
    assert 2.0 * np.arcsin(chord.max() / 2.0) * EARTH_RADIUS < 0.78 * size
    for axis in range(3):  # as many in each slice of the sphere, which have equal areas
        slices = np.histogram(up[:, axis], 5, (-1.0, 1.0))[0]
        np.testing.assert_allclose(slices, len(up) / 5, rtol=0.0, atol=0.03 * len(up))


def test_axes_are_those_of_the_plane():
    up = centres(1490.0)
    longitude, latitude = np.degrees(np.arctan2(up[:, 1], up[:, 0])), np.degrees(np.arcsin(up[:, 2]))
    for axes, lon, lat in zip(axes_at(up), longitude, latitude, strict=True):
        np.testing.assert_allclose(axes, Plane(START, lon, lat)._axes(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
def test_weights_sum_to_one(position):
    x = around(*position, 300, 1500.0)
    found, target = ones(x), around(*position, 200, 1500.0, seed=1)
    assert len(found.parts) > 5
    covering = sum(taper(_tensor(target), axes, found.radius).numpy() > 0.0 for axes in found.axes)
    assert covering.min() >= 1 and covering.max() >= 3
    np.testing.assert_allclose(found.predict(Points.of(target)), 1.0, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.gradient(Points.of(target)), 0.0, atol=1e-14)
    curvature = found.curvature(Points.of(target), np.random.default_rng(0).normal(size=target.shape))
    np.testing.assert_allclose(curvature, 0.0, atol=1e-15)


def test_beyond_all_tiles_the_map_is_nan():
    x = around(12.0, 44.0, 50, 300.0)
    found, far = ones(x), around(60.0, 44.0, 5, 300.0)
    assert np.isfinite(found.predict(Points.of(x))).all()
    for nothing in (
        found.predict(Points.of(far)),
        found.gradient(Points.of(far)),
        found.curvature(Points.of(far), far),
    ):
        assert np.isnan(nothing).all()


def test_tiles_do_not_depend_on_the_order_of_observations():
    x = around(*POSITIONS["dateline"], 200, 1200.0)
    order = np.random.default_rng(0).permutation(200)
    np.testing.assert_array_equal(ones(x).axes, ones(x[order]).axes)


def test_every_observation_lies_within_a_tile():
    position = np.random.default_rng(0).normal(size=(5000, 3))
    x = np.column_stack([EARTH_RADIUS * position / np.linalg.norm(position, axis=1, keepdims=True), np.zeros(5000)])
    found = ones(x, 1000.0)
    assert len(found.parts) == 510  # all over the globe
    np.testing.assert_allclose(found.predict(Points.of(x)), 1.0, rtol=0, atol=1e-14)


# --- values ------------------------------------------------------------------------------------------


def test_one_tile_is_kriging_on_its_plane():
    axes = axes_at(centres(1000.0))
    up = axes[np.argmin(np.abs(axes[:, 2, 2] - 0.6)), 2]
    longitude, latitude = np.degrees(np.arctan2(up[1], up[0])), np.degrees(np.arcsin(up[2]))
    tracks = two_missions()
    tracks["longitude"], tracks["latitude"] = tracks.longitude - 303.0 + longitude, tracks.latitude - 38.0 + latitude
    points = xinr.Observations.from_tracks(tracks).coarsen(3)
    plane, sphere = Plane(START, longitude, latitude), Sphere(START)
    method = Kriging(mean="linear", covariance=SMOOTH)
    error = observation_error(points, method)
    where = points.longitude, points.latitude, points.time
    plain = method.fit(plane.project(*where), points.value, error)
    found = Tiled(method, size=1000.0).fit(sphere.project(*where), points.value, error)
    assert len(found.parts) == 1
    target = tracks.isel(time=slice(0, 640, 7))
    there = target.longitude.values, target.latitude.values, target.time.values
    on_plane, on_sphere = plane.project(*there), sphere.project(*there)
    np.testing.assert_allclose(
        found.predict(Points.of(on_sphere)), plain.predict(Points.of(on_plane)), rtol=0, atol=1e-7
    )
    np.testing.assert_allclose(
        found.posterior(Points.of(on_sphere))[1], plain.posterior(Points.of(on_plane))[1], rtol=0, atol=1e-5
    )
    one, other = (
        predictor.derivatives(
            Points.of(x),
            [frame.east(*there[:2]), frame.north(*there[:2])],
            [[(0, 0)], [(0, 1)], [(1, 1)]],
            list(frame.metric_terms(*there[:2])),
        )
        for predictor, frame, x in ((found, sphere, on_sphere), (plain, plane, on_plane))
    )
    for mine, expected in zip(one, other, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_maps_by_tiles_of_different_size_agree_within_their_formal_errors():
    """And the misfit to the truth is as large as the formal error."""
    x, target = around(0.0, 60.0, 300, 600.0), around(0.0, 60.0, 200, 550.0, seed=3)
    y = realisation(np.vstack([x, target]))[:, 0]
    observed = y[:300] + 0.02 * np.random.default_rng(2).normal(size=300)
    (one, error), (other, _) = (
        Tiled(replace(FINE, margin=150.0), size=size, margin=250.0)
        .fit(x, observed, white(300))
        .posterior(Points.of(target))
        for size in (300.0, 500.0)
    )
    assert 0.0 < np.sqrt(np.mean(np.square((one - other) / error))) < 0.1
    assert np.sqrt(np.mean(np.square((one - y[300:]) / error))) == pytest.approx(1.0, abs=0.1)
    assert error.min() < 0.06 < y[300:].std()


def test_each_tile_takes_its_variance_from_its_own_data():
    """Of kriging: a calm region next to an energetic one has a smaller prior amplitude."""
    calm, energetic = around(-20.0, 0.0, 300, 500.0), around(20.0, 0.0, 300, 500.0)
    y = np.concatenate([0.03 / 0.1 * realisation(calm)[:, 0], 0.3 / 0.1 * realisation(energetic)[:, 0]])
    found = Tiled(replace(FINE, covariance=None), size=700.0).fit(np.vstack([calm, energetic]), y, white(600))
    east = found.axes[:, 2, 1] > 0.0
    sigma = np.array([part.problem.covariance.sigma for part in found.parts])
    assert sigma[east].min() > 4.0 * sigma[~east].max()


def test_the_slope_of_a_pass_is_about_its_middle_within_each_tile():
    """A half-orbit is 20 000 km long: far from its middle, a slope would be a bias of half a metre."""
    latitude = np.linspace(-60.0, 60.0, 2000)
    tracks = xr.Dataset(
        {"sla": ("time", np.zeros(2000), {"units": "m"})},
        {
            "time": START + np.arange(2000) * np.timedelta64(1, "s"),
            "latitude": ("time", latitude),
            "longitude": ("time", np.linspace(0.0, 30.0, 2000)),
        },
    )
    seen = []

    @dataclass(frozen=True, kw_only=True)
    class Recording(Constant):
        def fit(self, x, y, error):
            seen.append((x, error))
            return super().fit(x, y, error)

    tracks.inr.fit(Tiled(Recording(pass_slope=0.05), size=600.0, margin=200.0))
    assert len(seen) > 10
    for x, error in seen:
        step = 1e-3 * np.linalg.norm(np.diff(x[:, :2], axis=0), axis=1)
        assert error.distance.mean() == pytest.approx(0.0, abs=1e-12) and np.abs(error.distance).max() < 0.9
        np.testing.assert_allclose(np.diff(error.distance), step, rtol=0.02)


def test_a_tile_with_one_observation_is_mapped():
    tracks = two_missions()
    lonely = tracks.isel(time=[0]).assign_coords(longitude=("time", [200.0]))
    both = xr.concat([tracks, lonely], "time")
    field = both.inr.fit(Tiled(OI(frame="plane", covariance=SMOOTH, coarsen=1), size=500.0))
    there = field.interp({"time": lonely.time, "latitude": lonely.latitude.values, "longitude": [200.0]}, error=True)
    assert np.isfinite(there.sla).all() and 0.0 < float(there.err_sla.max()) < 0.1


# --- derivatives --------------------------------------------------------------------------------------


@pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
def test_derivatives_are_central_differences_where_tiles_overlap(position):
    x, target = around(*position, 120, 500.0), around(*position, 40, 400.0, seed=5)
    found = Tiled(DENSE, size=300.0, margin=100.0).fit(x, realisation(x)[:, 0], white(120))
    covering = sum(taper(_tensor(target), axes, 300.0).numpy() > 0.0 for axes in found.axes)
    assert covering.max() >= 3
    _check_differences(found, target)


def test_a_line_across_the_dateline_is_smooth():
    """Second differences of a map along a parallel, 180 E in its middle, hold no step and no kink."""
    x = around(*POSITIONS["dateline"], 120, 500.0)
    found = Tiled(DENSE, size=300.0, margin=100.0).fit(x, realisation(x)[:, 0], white(120))
    longitude = 180.0 + np.arange(-200, 201) / 100.0
    line = Sphere(START).project(longitude, np.full(401, -35.0), np.full(401, START + 4 * DAY))
    bend = np.diff(found.predict(Points.of(line)), 2)
    assert np.abs(np.diff(bend)).max() < 0.05 * np.abs(bend).max()


def test_derivatives_of_posterior_samples_are_exact():
    x, target = around(12.0, 44.0, 80, 350.0), around(12.0, 44.0, 20, 300.0, seed=5)
    found = Tiled(replace(FINE, spacing=40.0), size=300.0, margin=100.0).fit(x, realisation(x)[:, 0], white(80))
    state = {k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in found.sample(1, 0)[0].state().items()}
    _check_differences(TiledSampled.from_state(state), target, 1e-3)


def _check_differences(predictor, x, tolerance=1e-5):
    """Slopes along east, north and time, and second derivatives along great circles through points x (n, 4)."""
    up = np.pad(x[:, :3] / EARTH_RADIUS, ((0, 0), (0, 1)))
    east = np.cross(np.random.default_rng(7).normal(size=3), up[:, :3])
    east = np.pad(east / np.linalg.norm(east, axis=1, keepdims=True), ((0, 0), (0, 1)))
    north = np.pad(np.cross(up[:, :3], east[:, :3]), ((0, 0), (0, 1)))
    later = np.broadcast_to([0.0, 0.0, 0.0, 1.0], x.shape)

    def moved(direction, km):
        """Points so many km along the great circles in a direction."""
        angle = km / EARTH_RADIUS
        return x + EARTH_RADIUS * ((np.cos(angle) - 1.0) * up + np.sin(angle) * direction)

    both, bend, h = (east + north) / np.sqrt(2.0), -up / EARTH_RADIUS, 1.0
    pairs, none = [[(0, 0)], [(1, 1)], [(0, 1)]], np.zeros_like(x)
    first, second = predictor.derivatives(Points.of(x), [east, north, later], pairs, [bend, bend, none])
    along = [
        (predictor.predict(Points.of(moved(v, h))) - predictor.predict(Points.of(moved(v, -h)))) / (2.0 * h)
        for v in (east, north)
    ]
    along.append(
        (predictor.predict(Points.of(x + 0.01 * later)) - predictor.predict(Points.of(x - 0.01 * later))) / 0.02
    )
    for mine, expected in zip(first, along, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=10 * tolerance * np.abs(expected).max())
    np.testing.assert_allclose(
        first, [np.einsum("ij,ij->i", predictor.gradient(Points.of(x)), v) for v in (east, north, later)]
    )

    h = 4.0

    def bent(v):
        near, far = (
            predictor.predict(Points.of(moved(v, k * h))) + predictor.predict(Points.of(moved(v, -k * h)))
            for k in (1, 2)
        )
        return (16.0 * near - far - 30.0 * predictor.predict(Points.of(x))) / (12.0 * h**2)

    xx, yy, diagonal = bent(east), bent(north), bent(both)
    scale = np.abs(xx).max()
    for mine, expected in zip(second, (xx, yy, diagonal - (xx + yy) / 2.0), strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=20 * tolerance * scale)
    np.testing.assert_allclose(
        predictor.laplacian(Points.of(x), [east, north], 2.0 * bend), xx + yy, rtol=0, atol=40 * tolerance * scale
    )


def _tensor(x):
    return torch.from_numpy(x[:, :3])


# --- formal errors and posterior samples ----------------------------------------------------------------


def test_tiles_give_formal_errors_and_samples_where_their_method_does():
    x = around(12.0, 44.0, 40, 300.0)
    y, error = realisation(x)[:, 0], white(40)
    given = {
        type(method).__name__: [
            isinstance(Tiled(method, size=500.0).fit(x, y, error), c) for c in (ErrorPredictor, SamplePredictor)
        ]
        for method in (Constant(), DENSE, FINE)
    }
    assert given == {"Constant": [False, False], "OI": [True, False], "Kriging": [True, True]}
    field = two_missions().inr.fit(Tiled(Constant(), size=500.0))
    with pytest.raises(ValueError, match=r"the method 'tiled' gives no posterior error"):
        field.interp({"time": [START], "latitude": [37.0], "longitude": [303.0]}, error=True)


def test_samples_vary_as_much_as_the_formal_error_also_where_tiles_overlap():
    x, target = around(12.0, 44.0, 60, 200.0), around(12.0, 44.0, 100, 180.0, seed=5)
    found = Tiled(replace(FINE, margin=150.0), size=150.0, margin=100.0).fit(x, realisation(x)[:, 0], white(60, 0.05))
    drawn = np.array([sample.predict(Points.of(target)) for sample in found.sample(48, 0)])
    value, error = found.posterior(Points.of(target))
    weights = np.array([taper(_tensor(target), axes, found.radius).numpy() for axes in found.axes])
    ratio, share = drawn.std(axis=0, ddof=1) / error, np.sqrt((weights**2).sum(axis=0)) / weights.sum(axis=0)
    assert ratio.mean() == pytest.approx(1.0, abs=0.05) and ratio.min() > 0.7
    assert share.mean() < 0.85  # what their mean would have varied by
    assert np.abs((drawn.mean(axis=0) - value) / error).max() < 0.5
    one, again, other = (found.sample(1, seed)[0].predict(Points.of(target)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-3


def test_a_posterior_sample_is_saved_and_opened_unchanged(tmp_path):
    tracks = two_missions()
    field = tracks.inr.fit(Tiled(replace(FINE, coarsen=5), size=300.0))
    drawn = replace(field, predictor=field.predictor.sample(1, 0)[0])
    drawn.save(tmp_path / "field.nc")
    grid = {"time": [START + DAY], "latitude": [37.0, 38.0], "longitude": [302.0, 303.0]}
    xr.testing.assert_identical(xinr.open_field(tmp_path / "field.nc").interp(grid), drawn.interp(grid))


@pytest.mark.parametrize(
    "method",
    [
        OI(frame="plane", covariance=SMOOTH, n_neighbors=20),
        Duacs(estimate=False, n_neighbors=30),
        Siren(steps=5, hidden_features=64, hidden_layers=2),
    ],
    ids=lambda method: type(method).__name__,
)
def test_any_method_can_be_tiled(method, tmp_path):
    field = two_missions().inr.fit(Tiled(method, size=300.0))
    grid = {"time": [START + DAY], "latitude": [37.0, 38.0], "longitude": [302.0, 303.0]}
    maps = field.interp(grid, error=True).assign(field.gradient(grid))
    assert len(field.predictor.parts) > 1 and all(np.isfinite(array).all() for array in maps.values())
    assert ("not calibrated" in maps.err_sla.attrs.get("comment", "")) == isinstance(method, Siren)
    field.save(tmp_path / "field.nc")
    xr.testing.assert_identical(xinr.open_field(tmp_path / "field.nc").interp(grid), field.interp(grid))


# --- grids ----------------------------------------------------------------------------------------------


def test_a_grid_is_evaluated_as_a_grid_by_every_tile():
    """A grid, which splines take 50 times faster than its points, is a grid on the plane of every tile."""
    field = two_missions().inr.fit(Tiled(replace(FINE, coarsen=5), size=200.0, margin=100.0))
    shapes = []

    class Recording(type(field.predictor.parts[0])):
        kind = "recording"

        def predict(self, points):
            shapes.append(points.shape if points.grid else None)
            return super().predict(points)

    parts = tuple(Recording.from_state(part.state()) for part in field.predictor.parts)
    recording = replace(field, predictor=replace(field.predictor, parts=parts))
    grid = {
        "time": START + DAY * np.arange(3),
        "latitude": np.arange(36.0, 40.0, 0.5),
        "longitude": np.arange(301.0, 305.0),
    }
    maps = xr.merge([recording.interp(grid), recording.laplacian(grid)], combine_attrs="drop")
    assert len(shapes) > 5 and all(shape is not None and shape[0] == 3 for shape in shapes)
    points = xr.Dataset(coords=grid).stack(point=("time", "latitude", "longitude")).isel(point=slice(None, None, -1))
    points = points.reset_index("point")
    for name, found in (("sla", field.interp(points)), ("laplacian_sla", field.laplacian(points))):
        expected = maps[name].values.ravel()[::-1]
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-5 * np.abs(expected).max())


# --- settings and bad input -----------------------------------------------------------------------------


def test_settings_of_observations_are_those_of_the_method_of_the_tiles():
    plain = Tiled(Kriging(coarsen=5, noise=0.02))
    assert (plain.coarsen, plain.noise, plain.pass_bias) == (5, 0.02, Kriging().pass_bias)
    given = Tiled(Kriging(coarsen=5), coarsen=2, noise=0.01, pass_bias=0.0, pass_slope=0.0)
    assert (given.inner.coarsen, given.inner.noise, given.inner.pass_bias, given.inner.pass_slope) == (
        2,
        0.01,
        0.0,
        0.0,
    )
    assert Tiled(OI(frame="sphere", covariance=SMOOTH)).inner.frame == "plane"


def test_errors_of_tiles_can_be_searched():
    observations = xinr.Observations.from_tracks(two_missions())
    method = Tiled(OI(frame="plane", covariance=SMOOTH, noise=0.22, pass_bias=0.02), size=400.0)
    assert method.searched[:2] == ("noise", "pass_bias")
    found = xinr.tune(observations, method, evaluations=4)
    assert found.method.inner.noise == found.method.noise and found.rmse < float(found.trials.rmse[0])
    assert set(found.trials) == {"noise", "pass_bias", "rmse"}


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"inner": "kriging"}, TypeError, r"inner must be a method such as Kriging\(\), got 'kriging'"),
        ({"inner": Tiled()}, ValueError, "tiles lie in the frame 'sphere', got 'plane': leave frame as it is"),
        ({"frame": "plane"}, ValueError, "tiles lie in the frame 'sphere', got 'plane': leave frame as it is"),
        ({"size": -1.0}, ValueError, "size must be a finite number above zero, got -1.0"),
        ({"margin": 0.0}, ValueError, "margin must be a finite number above zero, got 0.0"),
        ({"size": 1500.0}, ValueError, r"size = 1500 km .* expected .* 1790 km together.* size <= 1490"),
        ({"size": 50.0}, ValueError, r"size = 50 km .* out of range: expected a size of 100 km or more"),
        ({"inner": OI()}, ValueError, "length_scale = 1 is in kilometres in the frame 'plane'"),
        ({"noise": -1.0}, ValueError, "noise must be a finite number above zero"),
    ],
)
def test_settings_out_of_range_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        Tiled(**settings)


def test_a_tile_that_cannot_be_mapped_says_where_it_is():
    x = np.vstack([around(12.0, 44.0, 100, 200.0), around(-120.0, -44.0, 3, 10.0)])
    with pytest.raises(ValueError, match="too few observations") as caught:
        Tiled(Constant(fewest=10), size=500.0).fit(x, x[:, 0], white(103))
    assert (
        caught.value.__notes__[0].startswith("In the tile around 2")
        and "with 3 observations" in caught.value.__notes__[0]
    )


def test_warnings_of_many_tiles_come_as_one():
    x = around(12.0, 44.0, 200, 1500.0)
    with pytest.warns(UserWarning, match=r"^\d+ warnings came from \d+ tiles, the first: few observations") as caught:
        Tiled(Constant(warned_below=1000), size=500.0).fit(x, x[:, 0], white(200))
    assert len(caught) == 1


# --- real tracks ----------------------------------------------------------------------------------------


def test_a_day_of_real_tracks_is_mapped_over_the_whole_globe(shared_data):
    """One satellite, one day: everything it has seen is mapped, across the dateline and without a seam."""
    with xr.open_dataset(shared_data / "nasa_ssh" / "GSFC-alt_ssh20220101.nc") as ds:
        tracks = ds[["ssh"]].where(ds.nasa_flag == 0).load()
    method = Tiled(Kriging(coarsen=10, spacing=80.0, margin=100.0, time_margin=2.0), size=1400.0)
    field = tracks.inr.fit(method)
    kept = tracks.dropna("time")
    left = kept.ssh - field.interp(kept).ssh
    assert np.isfinite(left).all() and float(left.std()) < 0.6 * float(kept.ssh.std())
    line = {"time": [np.datetime64("2022-01-01T12", "ns")], "latitude": np.arange(-60.0, 61.0, 10.0)}
    west, east = (field.interp(line | {"longitude": [lon]}).ssh for lon in (-180.0, 180.0))
    np.testing.assert_allclose(west, east, rtol=0, atol=1e-6)
