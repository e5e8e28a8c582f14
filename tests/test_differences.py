"""Centred differences on the sphere converge to the analytic derivatives, land and edges respected."""

import numpy as np
import pytest
import xarray as xr

from xinr.geo.finite_differences import laplacian, slopes, turn_of
from xinr.geo.frames import EARTH_RADIUS

R = 1e3 * EARTH_RADIUS


def sphere(step, *, south=-60.0, north=60.0, west=0.0, east=360.0):
    """u = cos² φ sin 2λ (degree 2) on a grid, with its slopes and Laplacian."""
    lat = xr.DataArray(np.arange(south, north + step / 2, step), dims="lat", name="lat")
    lon = xr.DataArray(np.arange(west, east - step / 2, step), dims="lon", name="lon")
    a, b = np.radians(lon).assign_coords(lon=lon), np.radians(lat).assign_coords(lat=lat)
    u = (np.cos(b) ** 2 * np.sin(2 * a)).transpose("lat", "lon")
    exact = {
        "x": 2 * np.cos(b) * np.cos(2 * a) / R,
        "y": -np.sin(2 * b) * np.sin(2 * a) / R,
        "laplacian": -6 * u / R**2,
    }
    return u, exact


def errors(step, **domain):
    u, exact = sphere(step, **domain)
    found = slopes(u, u.lon, u.lat, None) | {"laplacian": laplacian(u, u.lon, u.lat)}
    scale = {"x": R, "y": R, "laplacian": R**2}
    inside = {"lat": slice(1, -1)}
    return {key: float(np.abs(found[key] - exact[key]).isel(inside).max()) * scale[key] for key in exact}


def test_second_order_convergence_around_the_globe():
    coarse, fine = errors(2.0), errors(1.0)
    for key, error in coarse.items():
        assert np.log2(error / fine[key]) > 1.95, key
    assert max(fine.values()) < 3e-3


def test_differences_converge_in_a_box_near_the_pole():
    u, exact = sphere(0.25, south=80.0, north=89.75, west=170.0, east=200.0)
    found = slopes(u, u.lon, u.lat, None) | {"laplacian": laplacian(u, u.lon, u.lat)}
    inside = {"lat": slice(1, -1), "lon": slice(1, -1)}
    for key, scale in (("x", R), ("y", R), ("laplacian", R**2)):
        np.testing.assert_allclose(found[key].isel(inside) * scale, exact[key].isel(inside) * scale, atol=6e-3)


def test_eastward_slopes_are_nan_at_the_pole():
    u, _ = sphere(1.0, south=80.0, north=90.0)
    found = slopes(u, u.lon, u.lat, None)
    assert np.isnan(found["x"].sel(lat=90.0)).all() and np.isfinite(found["x"].sel(lat=89.0)).all()
    assert np.isnan(laplacian(u, u.lon, u.lat).sel(lat=90.0)).all()


@pytest.mark.parametrize("order", [{"lat": slice(None, None, -1)}, {"lon": slice(None, None, -1)}])
def test_descending_coordinates_give_the_same(order):
    u, _ = sphere(5.0)
    v = u.isel(order)
    assert turn_of(v.lon.values) == pytest.approx(np.sign(v.lon[1] - v.lon[0]) * 360.0)
    for key, slope in slopes(v, v.lon, v.lat, None).items():
        expected = slopes(u, u.lon, u.lat, None)[key]
        np.testing.assert_allclose(slope.reindex_like(expected), expected, rtol=1e-12, atol=1e-22)
    bend, expected = laplacian(v, v.lon, v.lat), laplacian(u, u.lon, u.lat)
    np.testing.assert_allclose(bend.reindex_like(expected), expected, rtol=1e-10, atol=1e-25)


def test_only_global_longitudes_close():
    assert turn_of(np.arange(0.25, 360, 0.5)) == 360.0
    assert turn_of(np.arange(-180.0, 180.0).astype(np.float32)) == 360.0
    assert turn_of(np.arange(0.0, 359.0)) is None
    assert turn_of(np.linspace(0.0, 360.0, 361)) is None
    assert turn_of(np.array([0.0, 180.0])) is None


def test_parabolas_are_exact_on_uneven_spacing():
    lat = xr.DataArray([0.0, 1.0, 3.0, 3.5, 7.0], dims="lat", name="lat")
    u = (lat**2).assign_coords(lat=lat)
    lon = xr.DataArray([0.0, 1.0], dims="lon", name="lon")
    slope = slopes(u.expand_dims(lon=lon), lon, u.lat, None)["y"].isel(lon=0) * R * np.pi / 180
    np.testing.assert_allclose(slope[1:-1], 2 * lat[1:-1])
    np.testing.assert_allclose(slope[[0, -1]], [1.0, 10.5])  # one-sided at the edges


def test_slopes_are_nan_on_land_and_one_sided_next_to_it():
    lon = xr.DataArray(np.arange(6.0), dims="lon", name="lon")
    lat = xr.DataArray(np.arange(3.0), dims="lat", name="lat")
    u = (3.0 * lon + 0.0 * lat).assign_coords(lon=lon, lat=lat).transpose("lat", "lon")
    u = u.where((u.lon != 2.0) | (u.lat != 1.0))
    found = slopes(u, u.lon, u.lat, None)
    assert np.isnan(found["x"]).sum() == 1 and np.isnan(found["x"].sel(lon=2.0, lat=1.0))
    metres = R * np.pi / 180 * np.cos(np.radians(found["x"].lat))
    np.testing.assert_allclose((found["x"] * metres).values[np.isfinite(u.values)], 3.0)
    island = laplacian(u, u.lon, u.lat)
    assert np.isfinite(island.sel(lat=1.0, lon=4.0)) and np.isnan(island.sel(lat=1.0, lon=[0.0, 1.0, 2.0, 3.0])).all()


def test_a_point_between_two_land_points_has_no_slope():
    lon = xr.DataArray(np.arange(3.0), dims="lon", name="lon")
    u = xr.DataArray([[np.nan, 1.0, np.nan]] * 2, dims=("lat", "lon"), coords={"lat": [0.0, 1.0], "lon": lon})
    assert np.isnan(slopes(u, u.lon, u.lat, None)["x"]).all()


def test_rate_of_change_per_second():
    time = np.datetime64("2020-01-01", "ns") + np.array([0, 1, 3]) * np.timedelta64(1, "D")
    u = xr.DataArray(
        np.arange(3.0)[:, None, None] ** 2 * np.ones((3, 2, 2)),
        dims=("time", "lat", "lon"),
        coords={"time": time, "lat": [0.0, 1.0], "lon": [0.0, 1.0]},
    )
    rate = slopes(u, u.lon, u.lat, u.time)["t"].isel(lat=0, lon=0) * 86400
    np.testing.assert_allclose(rate, [1.0, 1.0 * 2 / 3 + 1.5 / 3, 1.5])


def test_dask_stays_lazy_and_gives_the_same(count_computes):
    u, _ = sphere(5.0)
    lazy = u.chunk(lat=7, lon=20)
    found = slopes(lazy, u.lon, u.lat, None) | {"laplacian": laplacian(lazy, u.lon, u.lat)}
    assert count_computes == []
    eager = slopes(u, u.lon, u.lat, None) | {"laplacian": laplacian(u, u.lon, u.lat)}
    for key, slope in found.items():
        np.testing.assert_array_equal(slope, eager[key])
