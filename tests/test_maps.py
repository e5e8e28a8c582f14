"""Any gridded map has the verbs of a field."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import xinr
from xinr.geo.coordinates import is_grid
from xinr.geo.frames import EARTH_RADIUS

DAY = np.timedelta64(1, "D")


@pytest.fixture
def rough():
    """A map without smoothness: 5 times, 6 latitudes unevenly spaced, 7 longitudes."""
    values = np.random.default_rng(0).normal(size=(5, 6, 7))
    return xr.Dataset(
        {"ssh": (("time", "lat", "lon"), values, {"units": "m"})},
        {
            "time": np.datetime64("2020-01-01", "ns") + np.arange(5) * DAY,
            "lat": [30.0, 30.5, 31.0, 32.0, 33.0, 35.0],
            "lon": 300.0 + 0.5 * np.arange(7),
        },
    )


def points(n=200, seed=1, west=300.0, east=303.0):
    rng = np.random.default_rng(seed)
    seconds = rng.uniform(0, 4 * 86400, n).astype("timedelta64[s]")
    return xr.Dataset(
        coords={
            "time": ("obs", np.datetime64("2020-01-01", "ns") + seconds),
            "lat": ("obs", rng.uniform(30, 35, n)),
            "lon": ("obs", rng.uniform(west, east, n)),
        }
    )


def trilinear(ds, at):
    """Interpolate by the eight corners, one point at a time."""
    days = [np.asarray((d.time - ds.time[0]) / DAY, float) for d in (ds, at)]
    axes = [days[0], ds.lat.values, ds.lon.values]
    found = []
    for position in zip(days[1], at.lat.values, at.lon.values, strict=True):
        corners = []
        for axis, p in zip(axes, position, strict=True):
            i = min(np.searchsorted(axis, p, side="right") - 1, len(axis) - 2)
            w = (p - axis[i]) / (axis[i + 1] - axis[i])
            corners.append([(i, 1 - w), (i + 1, w)])
        total = 0.0
        for t, wt in corners[0]:
            for y, wy in corners[1]:
                for x, wx in corners[2]:
                    total += wt * wy * wx * ds.ssh.values[t, y, x]
        found.append(total)
    return np.array(found)


# --- interpolation --------------------------------------------------------------------------------


def test_interpolation_equals_the_trilinear_oracle(rough):
    at = points()
    found = rough.inr.interp(at)
    assert found.ssh.dims == ("obs",) and found.ssh.attrs["units"] == "m"
    np.testing.assert_allclose(found.ssh, trilinear(rough, at), rtol=0, atol=1e-10)  # microseconds since 1950


@pytest.mark.parametrize("flip", [("lat",), ("lon",), ("time",), ("time", "lat", "lon")])
def test_order_of_the_axes_does_not_matter(rough, flip):
    at = points()
    turned = rough.isel({dim: slice(None, None, -1) for dim in flip}).transpose("lon", "time", "lat")
    np.testing.assert_allclose(turned.inr.interp(at).ssh, rough.inr.interp(at).ssh, rtol=0, atol=1e-12)


@given(west=st.floats(-180, 180), turns=st.integers(-1, 1), step=st.sampled_from([0.1, 0.2, 0.25, 1 / 3]))
def test_convention_of_longitudes_does_not_matter(west, turns, step):
    lon = west + step * np.arange(6)
    u = xr.DataArray(
        np.arange(12.0).reshape(2, 6), dims=("lat", "lon"), coords={"lat": [0.0, 1.0], "lon": lon}, name="ssh"
    )
    target = {"lat": ("obs", np.ones(6)), "lon": ("obs", lon + 360.0 * turns)}
    np.testing.assert_allclose(u.inr.interp(target).ssh, np.arange(6.0, 12.0), atol=1e-9)


def test_on_its_own_grid_a_map_is_unchanged(rough):
    hole = rough.where((rough.lat != 31.0) | (rough.lon != 301.0))
    hole["ssh"][2] = np.nan
    for turned in (hole, hole.isel(lat=slice(None, None, -1)), hole.assign_coords(lon=hole.lon - 360.0)):
        again = turned.inr.interp(turned)
        np.testing.assert_array_equal(np.isnan(again.ssh), np.isnan(turned.ssh))
        np.testing.assert_allclose(again.ssh, turned.ssh, atol=1e-12)


def test_maps_are_nan_next_to_land_and_outside(rough):
    hole = rough.where((rough.lat != 31.0) | (rough.lon != 301.0))
    at = xr.Dataset(
        coords={
            "time": ("obs", np.full(5, rough.time.values[1])),
            "lat": ("obs", [31.2, 31.2, 29.9, 31.2, 31.2]),
            "lon": ("obs", [301.1, 302.0, 301.0, 299.9, 303.1]),
        }
    )
    assert np.isfinite(hole.inr.interp(at).ssh).values.tolist() == [False, True, False, False, False]
    late = at.assign_coords(time=at.time + 10 * DAY)
    assert np.isnan(hole.inr.interp(late).ssh).all()


def test_a_global_map_is_interpolated_across_its_edge():
    lon = np.arange(0.5, 360.0)
    u = xr.DataArray(
        np.cos(np.radians(lon)) * np.ones((3, 1)), dims=("lat", "lon"), coords={"lat": [0, 1, 2.0], "lon": lon}
    )
    for turned in (u, u.isel(lon=slice(None, None, -1)), u.assign_coords(lon=(lon + 180) % 360 - 180).sortby("lon")):
        target = {"lat": ("obs", np.full(5, 0.5)), "lon": ("obs", [0.0, 359.99, -0.3, 360.2, 179.9])}
        found = turned.rename("ssh").inr.interp(target).ssh
        np.testing.assert_allclose(found, np.cos(np.radians(target["lon"][1])), atol=2e-4)


def test_float32_coordinates_include_their_edges():
    lon = np.arange(0.1, 1.0, 0.1).astype(np.float32)
    u = xr.DataArray(np.ones((9, 9)), dims=("lat", "lon"), coords={"lat": lon, "lon": lon}, name="ssh")
    target = {"lat": np.arange(0.1, 1.0, 0.1), "lon": 360.0 + np.arange(0.1, 1.0, 0.1)}
    assert np.all(u.inr.interp(target).ssh == 1.0)


def test_maps_without_time_hold_at_any_time_and_a_single_one_only_then(rough):
    at = points(5)
    frozen = rough.isel(time=0, drop=True)
    assert np.isfinite(frozen.inr.interp(at).ssh).all()
    assert np.isfinite(frozen.inr.interp(at.drop_vars("time")).ssh).all()
    assert np.isfinite(rough.isel(time=0).inr.interp(at).ssh).all()  # a scalar time is a label
    single = rough.isel(time=[0])
    then = at.assign_coords(time=("obs", np.full(5, rough.time.values[0])))
    assert np.isfinite(single.inr.interp(then).ssh).all() and np.isnan(single.inr.interp(at).ssh).all()


def test_a_target_without_time_is_refused_by_maps_in_time(rough):
    with pytest.raises(ValueError, match=r"the target has no time, but the field changes in time"):
        rough.inr.interp(points().drop_vars("time"))


def test_dask_gives_the_same_and_stays_lazy(rough, count_computes):
    lazy, at = rough.chunk(time=2, lon=3), points()
    found = [lazy.inr.interp(at), lazy.inr.gradient(), lazy.inr.laplacian(), rough.inr.interp(at.chunk(obs=70))]
    assert count_computes == []
    expected = [rough.inr.interp(at), rough.inr.gradient(), rough.inr.laplacian(), rough.inr.interp(at)]
    for one, other in zip(found[:3], expected[:3], strict=True):
        assert all(array.chunks is not None for array in one.data_vars.values())
        xr.testing.assert_equal(one, other)


# --- derivatives ----------------------------------------------------------------------------------


def test_gradient_and_laplacian_of_a_known_field(maps):
    fine = {"time": maps.time.values, "latitude": np.arange(36, 38.01, 0.05), "longitude": np.arange(301, 303.01, 0.05)}
    ds = xr.Dataset(coords=fine)
    a, b = np.radians(ds.longitude), np.radians(ds.latitude)
    days = (ds.time - ds.time[0]) / DAY
    u = (np.sin(9 * a) * np.cos(b) + 0.01 * days).transpose("time", "latitude", "longitude")
    ds["sla"] = u.assign_attrs(units="m")
    r = 1e3 * EARTH_RADIUS
    slope, bend = ds.inr.gradient(), ds.inr.laplacian()
    assert slope.dsla_dx.dims == ("time", "latitude", "longitude")
    inner = {"latitude": slice(1, -1), "longitude": slice(1, -1)}
    close = {"rtol": 0, "atol": 1e-4 / r}
    np.testing.assert_allclose(
        slope.dsla_dx.isel(inner), (9 * np.cos(9 * a) / r + 0 * u).transpose(*u.dims).isel(inner), **close
    )
    np.testing.assert_allclose(
        slope.dsla_dy.isel(inner), (-np.sin(b) * np.sin(9 * a) / r + 0 * u).transpose(*u.dims).isel(inner), **close
    )
    np.testing.assert_allclose(slope.dsla_dt, 0.01 / 86400, rtol=1e-9)
    exact = np.sin(9 * a) * (-81 / np.cos(b) - np.cos(b) + np.sin(b) ** 2 / np.cos(b)) / r**2
    np.testing.assert_allclose(
        bend.laplacian_sla.isel(inner), (exact + 0 * u).transpose(*u.dims).isel(inner), rtol=0, atol=5e-3 / r**2
    )


def test_results_have_cf_attributes_of_their_own(maps):
    maps["sla"].attrs |= {"standard_name": "sea_surface_height_above_sea_level", "valid_min": -1, "comment": "x"}
    for found, units in ((maps.inr.gradient().dsla_dx, "m m-1"), (maps.inr.laplacian().laplacian_sla, "m-1")):
        assert set(found.attrs) == {"long_name", "units"} and found.attrs["units"] == units
        assert found.longitude.attrs["units"] == "degrees_east"
    assert maps.inr.gradient().dsla_dt.attrs["units"] == "m s-1"
    assert "Conventions" in maps.inr.gradient().attrs


def test_gradient_at_points_interpolates_the_slopes(rough):
    at = points(20)
    found, own = rough.inr.gradient(at), rough.inr.gradient()
    expected = trilinear(own.rename(dssh_dy="ssh"), at)
    np.testing.assert_allclose(found.dssh_dy, expected, rtol=0, atol=1e-15)


def test_results_round_trip_through_netcdf(rough, tmp_path):
    for found in (rough.inr.gradient(), rough.inr.interp(points())):
        found.to_netcdf(tmp_path / "a.nc")
        with xr.open_dataset(tmp_path / "a.nc") as again:
            xr.testing.assert_equal(found, again.load())


def test_coordinates_may_be_variables_off_the_dimensions(rough):
    ds = rough.rename_dims(lat="j", lon="i").reset_index(["lat", "lon"]).reset_coords(["lat", "lon"])
    found = ds.inr.gradient()
    assert found.dssh_dx.dims == ("time", "j", "i")
    np.testing.assert_array_equal(found.dssh_dx, rough.inr.gradient().dssh_dx)


# --- which variable -------------------------------------------------------------------------------


def test_the_variable_of_a_map_is_ssh_then_adt_then_sla(rough):
    several = rough.assign(err_ssh=rough.ssh, flag=rough.ssh > 0, depth=rough.ssh.isel(time=0))
    assert xinr.MapField.of(several).name == "ssh"
    assert xinr.MapField.of(several.rename(ssh="height")).name == "height"
    assert xinr.MapField.of(rough.ssh).name == "ssh"
    assert rough.ssh.inr.gradient().identical(rough.inr.gradient(variable="ssh"))


def test_grids_are_distinguished_from_tracks(rough, tracks):
    assert is_grid(rough) and is_grid(rough.ssh) and is_grid(rough.isel(lat=[0], lon=[0]))
    assert not is_grid(tracks) and not is_grid(tracks["sla_unfiltered"])


def test_a_real_mean_dynamic_topography_is_a_map(med2021):
    with xr.open_dataset(med2021 / "dt_med_mdt_phy_l4_0.5-20.0_29-45.nc") as ds:
        slope = ds.inr.gradient()
    assert slope.dmdt_dx.dims == ("lat", "lon")
    np.testing.assert_array_equal(np.isfinite(slope.dmdt_dx).any(), True)
    assert float(np.abs(slope.dmdt_dx).quantile(0.99)) < 1e-5  # a centimetre per kilometre is already steep
    with xr.open_dataset(med2021 / "dt_med_alg_phy_l3_20210101-20210331_0-20_30-45.nc") as track:
        at_track = ds.inr.interp(track).mdt
    near = np.isfinite(at_track) & np.isfinite(track.mdt)
    # The gridded field sits 5 cm above the tracks' own.
    assert float(np.median((at_track - track.mdt)[near])) == pytest.approx(0.05, abs=0.002)
    assert near.mean() > 0.85


def test_a_map_of_one_day_is_the_same_on_dask(maps):
    day = maps.isel(time=[0])
    xr.testing.assert_allclose(day.chunk().inr.gradient(), day.inr.gradient())
    assert np.isnan(day.inr.gradient()["dsla_dt"]).all()


@pytest.fixture
def month():
    """A month of a map that is rough enough to have every scale."""
    rng = np.random.default_rng(3)
    axes = {
        "time": np.datetime64("2020-01-01", "ns") + np.arange(30) * DAY,
        "latitude": np.linspace(33.0, 43.0, 21),
        "longitude": np.linspace(295.0, 305.0, 24),
    }
    return xr.DataArray(rng.normal(size=(30, 21, 24)), axes, tuple(axes), name="sla", attrs={"units": "m"})


def test_a_map_is_scored_on_gridded_truth(month):
    table = (0.8 * month).rename("sla").inr.score(month.to_dataset())
    assert table.attrs["protocol"] == "dc2020a"
    assert float(table.mu) == pytest.approx(0.8)
    assert float(table.rmse) == pytest.approx(0.2 * float((month**2).mean()) ** 0.5)


def test_an_anomaly_is_not_compared_with_an_absolute_height(month):
    with pytest.raises(ValueError, match="the field is 'sla' and the reference 'adt', one an anomaly"):
        month.inr.score(month.rename("adt"))


@pytest.mark.parametrize("options", [{"protocol": "strict"}, {"segment_length": 500.0}])
def test_options_of_tracks_are_refused_on_gridded_truth(month, options):
    with pytest.raises(ValueError, match="gridded truth is scored by the protocol 'dc2020a' without options"):
        month.inr.score(month, **options)


def test_an_anomaly_is_known_by_its_standard_name(month):
    named = month.rename("h").assign_attrs(standard_name="sea_surface_height_above_sea_level")
    assert xinr.MapField.of(named).is_anomaly
    assert not xinr.MapField.of(month.rename("h")).is_anomaly
