"""Geostrophic currents: signs, names, the metric of the sphere in every frame, and maps as well as fits."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
import xarray as xr

from tests.helpers import two_missions
from xinr.fields.fitted import FittedField
from xinr.fields.gridded import MapField
from xinr.geo.frames import EARTH_RADIUS, Degrees, Plane, Sphere, upward
from xinr.geo.geostrophy import EARTH_SPIN, GRAVITY, currents, geostrophic
from xinr.methods.autodiff.jets import Jet
from xinr.methods.predictor import Predictor
from xinr.simulate import eddies

EPOCH = np.datetime64("2021-01-01", "ns")
R = 1e3 * EARTH_RADIUS  # [m]
NAMES = ["ugosa", "vgosa", "vorticity", "strain", "kinetic_energy"]


@dataclass(frozen=True, eq=False)
class Analytic(Predictor):
    """A function of the unit vector, as a predictor of a frame's coordinates."""

    function: object
    frame: object

    def predict(self, points):
        return self._height(torch.as_tensor(points.x)).numpy()

    def gradient(self, points):
        x = points.x
        axes = torch.eye(x.shape[1], dtype=torch.float64)[:, None].expand(-1, *x.shape)
        return self._height(Jet.along(torch.as_tensor(x), axes)).terms()[1].T.numpy()

    def curvature(self, points, direction):
        straight = Jet.along(torch.as_tensor(points.x), torch.as_tensor(points.repeat(direction))[None], [[(0, 0)]])
        return self._height(straight).terms()[2][0].numpy()

    def state(self):
        return {}

    @classmethod
    def from_state(cls, state):
        raise NotImplementedError

    def _height(self, x):
        if isinstance(self.frame, Sphere):
            return self.function(*(x[:, i] / EARTH_RADIUS for i in range(3)))
        if isinstance(self.frame, Degrees):
            lon, lat = (np.pi / 180.0 * x[:, i] for i in range(2))
            return self.function(torch.cos(lat) * torch.cos(lon), torch.cos(lat) * torch.sin(lon), torch.sin(lat))
        e, n = x[:, 0] / EARTH_RADIUS, x[:, 1] / EARTH_RADIUS
        half = (e * e + n * n) / 4.0
        root = torch.sqrt(1.0 - half)
        local, axes = (e * root, n * root, 1.0 - 2.0 * half), self.frame._axes()
        return self.function(
            *(sum(part * float(axis[i]) for part, axis in zip(local, axes, strict=True)) for i in range(3))
        )


def frame_near(kind, lon, lat):
    """A frame of that kind; the plane touches the sphere some 900 km off, so that its metric terms matter."""
    return {
        "sphere": Sphere(EPOCH, lon),
        "degrees": Degrees(EPOCH, lon),
        "plane": Plane(EPOCH, lon + 3.0, lat - 8.0),
    }[kind]


def analytic(function, kind="sphere", lon=0.0, lat=40.0, name="sla"):
    frame = frame_near(kind, lon, lat)
    return FittedField(frame, Analytic(function, frame), name, {"method": "analytic"})


def at(lon, lat):
    """Points as they come along a track."""
    lon, lat = np.broadcast_arrays(np.asarray(lon, float), np.asarray(lat, float))
    return xr.Dataset(
        coords={"obs": np.arange(lon.size), "longitude": ("obs", lon.ravel()), "latitude": ("obs", lat.ravel())}
    ).assign_coords(time=("obs", np.full(lon.size, EPOCH)))


def rotation(speed):
    """The height [m] in balance with a zonal current ``speed cos(latitude)``, that of a solid body."""
    return lambda x, y, z: -EARTH_SPIN * speed * R / GRAVITY * z * z


def rough(x, y, z):
    """A height of some decimetres with waves of all directions, about 1000 km long."""
    return 0.2 * torch.sin(31.0 * x - 12.0 * y + 9.0 * z) + 0.3 * torch.cos(17.0 * y - 25.0 * z + 5.0 * x)


KINDS = ["degrees", "plane", "sphere"]
POSITIONS = [(12.0, 35.0), (-75.0, -50.0), (180.0, 8.0), (-179.99999, -30.0), (40.0, 75.0)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("lon", "lat"), POSITIONS)
def test_solid_body_rotation_has_vorticity_and_no_strain(kind, lon, lat):
    found = analytic(rotation(0.5), kind, lon, lat).currents(at(lon, lat)).isel(obs=0)
    phi = np.radians(lat)
    assert float(found.ugosa) == pytest.approx(0.5 * np.cos(phi), rel=1e-9)
    assert float(found.vgosa) == pytest.approx(0.0, abs=1e-12)
    assert float(found.vorticity) == pytest.approx(2 * 0.5 * np.sin(phi) / R, rel=1e-7)
    assert float(found.strain) == pytest.approx(0.0, abs=1e-8 * 0.5 / R)
    assert float(found.kinetic_energy) == pytest.approx(0.125 * np.cos(phi) ** 2, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("lon", "lat"), POSITIONS)
def test_vorticity_and_strain_are_the_differences_of_the_velocity(kind, lon, lat):
    """With the metric terms of the sphere: Batchelor (1967), appendix 2, in longitude and latitude."""
    field, step = analytic(rough, kind, lon, lat), 1e-3
    stencil = at(
        lon + step * np.array([0, 2, 1, -1, -2, 0, 0, 0, 0]), lat + step * np.array([0, 0, 0, 0, 0, 2, 1, -1, -2])
    )
    found = field.currents(stencil)
    phi = np.radians(lat)
    east, north = np.radians(step) * R * np.cos(phi), np.radians(step) * R
    u, v = found.ugosa.values, found.vgosa.values
    (u_x, v_x), (u_y, v_y) = (
        [(8 * (w[a + 1] - w[a + 2]) - w[a] + w[a + 3]) / 12 / size for w in (u, v)]
        for a, size in ((1, east), (5, north))
    )
    turn = np.tan(phi) / R
    vorticity = v_x - u_y + u[0] * turn
    strain = np.hypot(u_x - v[0] * turn - v_y, v_x + u_y + u[0] * turn)
    size = strain + abs(vorticity)
    assert float(found.vorticity[0]) == pytest.approx(vorticity, abs=1e-6 * size)
    assert float(found.strain[0]) == pytest.approx(strain, abs=1e-6 * size)
    divergence = u_x + v_y - v[0] * turn
    assert divergence == pytest.approx(-v[0] / np.tan(phi) / R, abs=1e-6 * size)  # that of geostrophy: -β v / f


def test_a_northward_rise_flows_west_in_the_north_and_east_in_the_south():
    rise = analytic(lambda x, y, z: 1e-6 * R * z)
    found = rise.currents(at(0.0, [30.0, -30.0]))
    slope = 1e-6 * np.cos(np.radians(30.0))
    expected = GRAVITY * slope / (2 * EARTH_SPIN * 0.5)
    np.testing.assert_allclose(found.ugosa, [-expected, expected], rtol=1e-9)
    np.testing.assert_allclose(found.vgosa, 0.0, atol=1e-12)


def test_highs_are_anticyclones_in_both_hemispheres():
    """Clockwise in the north; lows the other way."""
    for sign in (1.0, -1.0):
        for lat in (35.0, -35.0):
            centre = [float(part) for part in upward(np.array([10.0]), np.array([lat]))[0]]

            def bump(x, y, z, centre=centre, sign=sign):
                inward = x * centre[0] + y * centre[1] + z * centre[2]
                return sign * 0.3 * torch.exp(3000.0 * (inward - 1.0))

            around = analytic(bump, lon=10.0, lat=lat).currents(at([10.0, 11.0], lat))
            assert np.sign(around.vorticity[0]) == -sign * np.sign(lat)
            assert np.sign(around.vgosa[1]) == -sign * np.sign(lat)  # on its eastern side


def test_within_five_degrees_of_the_equator_currents_are_nan():
    found = analytic(rotation(0.5)).currents(at(0.0, [-5.1, -5.0, 0.0, 5.0, 5.1]))
    for name in NAMES:
        assert np.isnan(found[name]).values.tolist() == [False, True, True, True, False], name


def test_geostrophic_current_of_a_known_slope():
    latitude = xr.DataArray([-30.0, 0.0, 30.0], dims="latitude")
    slope = xr.Dataset({"dsla_dx": 0 * latitude, "dsla_dy": 0 * latitude + 1e-6}, {"latitude": latitude})
    u, v = geostrophic(slope.dsla_dx, slope.dsla_dy)
    one = 1e-6 * 9.80665 / 7.292115e-5  # g/f at 30 degrees, where 2 sin is 1
    np.testing.assert_allclose(u, [one, np.nan, -one], rtol=1e-12)
    np.testing.assert_allclose(v, [0.0, np.nan, 0.0], atol=1e-12)


def test_names_units_and_standard_names(maps):
    anomalies, absolute = maps.inr.currents(), maps.rename(sla="adt").inr.currents()
    assert list(anomalies) == NAMES
    assert list(absolute) == ["ugos", "vgos", *NAMES[2:]]
    units = dict(zip(NAMES, ["m s-1", "m s-1", "s-1", "s-1", "m2 s-2"], strict=True))
    assert {name: array.attrs["units"] for name, array in anomalies.data_vars.items()} == units
    standard = "surface_geostrophic_eastward_sea_water_velocity"
    assert absolute.ugos.attrs["standard_name"] == standard
    assert anomalies.ugosa.attrs["standard_name"] == f"{standard}_assuming_mean_sea_level_for_geoid"
    assert "standard_name" not in anomalies.strain.attrs
    for array in anomalies.data_vars.values():
        assert array.dims == ("time", "latitude", "longitude")
    by_attribute = maps.sla.rename("h").assign_attrs(standard_name="sea_surface_height_above_sea_level").inr.currents()
    assert list(by_attribute) == NAMES


METHODS = {
    "oi": {"coarsen": 5},
    "kriging": {"spacing": 30.0, "time_step": 2.0, "margin": 100.0, "time_margin": 10.0},
    "siren": {"steps": 30, "hidden_features": 32, "hidden_layers": 2, "batch_size": 256, "length_scale": 300.0},
}


@pytest.fixture(scope="module", params=[*sorted(METHODS), "waves"])
def field(request):
    if request.param == "waves":
        return eddies(waves=30)
    return two_missions().inr.fit(request.param, **METHODS[request.param])


def test_currents_of_any_method_are_those_of_its_own_fine_map(field):
    middle = {"longitude": 303.0, "latitude": 37.5}
    fine = {
        "time": np.array(["2017-01-04T00:00"], "datetime64[ns]"),
        "latitude": middle["latitude"] + 0.05 * np.arange(-2, 3),
        "longitude": middle["longitude"] + 0.05 * np.arange(-2, 3),
    }
    if field.info["method"] == "waves":
        fine["time"] = fine["time"] + np.timedelta64(4 * 365, "D")
    exact, differences = field.currents(fine), field.interp(fine).inr.currents()
    for name, tolerance in zip(NAMES, [0.01, 0.01, 0.05, 0.05, 0.02], strict=True):
        one, other = (float(found[name].isel(time=0, latitude=2, longitude=2)) for found in (exact, differences))
        size = max(float(abs(exact[name]).max()), float(exact.vorticity.std()) if name == "strain" else 0.0)
        assert other == pytest.approx(one, abs=tolerance * size), name


def test_differences_on_a_map_converge_to_the_exact_currents():
    field = analytic(rough)

    def error(step):
        axis = np.arange(-2, 3) * step
        grid = {"time": [EPOCH], "latitude": 40.0 + axis, "longitude": 5.0 + axis}
        centre = {"time": 0, "latitude": 2, "longitude": 2}
        found, exact = field.interp(grid).inr.currents().isel(centre), field.currents(grid).isel(centre)
        return {name: abs(float(found[name] / exact[name]) - 1.0) for name in NAMES}

    coarse, fine = error(0.2), error(0.1)
    for name in NAMES:
        assert fine[name] < 1e-2 and coarse[name] / fine[name] == pytest.approx(4.0, rel=0.1), name


def test_a_map_has_velocities_at_its_edges_and_vorticity_inside(maps):
    found = maps.where(maps.longitude != maps.longitude[2]).inr.currents()
    assert not np.isnan(found.ugosa.isel(longitude=0)).any()
    assert np.isnan(found.vorticity.isel(latitude=0)).all() and np.isnan(found.strain.isel(longitude=[1, 2])).all()
    assert not np.isnan(found.strain.isel(longitude=4, latitude=slice(1, -1))).any()


def test_dask_gives_the_same_lazily(field, grid, maps, count_computes):
    if field.info["method"] == "waves":
        grid = grid.assign_coords(time=grid.time + np.timedelta64(4 * 365, "D"))
    chunks = {"time": 2, "latitude": 3}
    template = grid.assign(any=(("time", "latitude", "longitude"), np.zeros((4, 5, 6)))).chunk(chunks)
    lazy, of_map = field.currents(template), maps.chunk(chunks).inr.currents()
    assert count_computes == []
    for lazily, eagerly in ((lazy, field.currents(grid)), (of_map, maps.inr.currents())):
        assert list(lazily) == NAMES and all(array.chunks is not None for array in lazily.data_vars.values())
        for name, array in lazily.compute().data_vars.items():
            size = float(abs(eagerly[name]).max())
            np.testing.assert_allclose(array, eagerly[name], rtol=0, atol=1e-5 * size, err_msg=name)


def test_the_accessor_and_the_field_agree(tracks, grid, maps):
    field = tracks.inr.fit("oi", coarsen=5)
    xr.testing.assert_equal(tracks.inr.currents(grid, method="oi", coarsen=5), field.currents(grid))
    assert tracks.inr.currents(method="oi", coarsen=5).ugosa.dims == ("time",)
    xr.testing.assert_identical(maps.sla.inr.currents(), MapField.of(maps).currents())
    xr.testing.assert_equal(maps.assign(adt=maps.sla).inr.currents(variable="sla"), maps.inr.currents())
    between = maps.inr.currents(grid.isel(latitude=[2], longitude=[3]))
    xr.testing.assert_allclose(between, maps.inr.currents().isel(latitude=[2], longitude=[3]))


def test_velocity_is_that_of_the_gradient(field, grid):
    if field.info["method"] == "waves":
        grid = grid.assign_coords(time=grid.time + np.timedelta64(4 * 365, "D"))
    found, slope = field.currents(grid), field.gradient(grid)
    u, v = geostrophic(slope.dsla_dx, slope.dsla_dy)
    for ours, expected in ((found.ugosa, u), (found.vgosa, v)):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5 * float(abs(expected).max()))


def test_round_trip_through_netcdf(maps, tmp_path):
    found = maps.inr.currents()
    found.to_netcdf(tmp_path / "currents.nc")
    with xr.open_dataset(tmp_path / "currents.nc") as again:
        xr.testing.assert_identical(again.load(), found)


def test_currents_of_derivatives_alone_keep_their_coordinates():
    one = xr.DataArray(np.full((2, 3), 1e-6), {"latitude": [40.0, 41.0], "longitude": [1.0, 2.0, 3.0]})
    found = currents(dict.fromkeys(("x", "y", "xx", "xy", "yy"), one), anomaly=True)
    assert all(array.dims == ("latitude", "longitude") for array in found.values())
