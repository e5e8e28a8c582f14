"""Points of any layout are taken where and when they were measured, or refused with a cure that works."""

import numpy as np
import pytest
import xarray as xr

import xinr
from tests.helpers import START, one_mission
from xinr import Observations
from xinr.geo.coordinates import locate

NORTH = {"standard_name": "latitude", "units": "degrees_north"}
EAST = {"standard_name": "longitude", "units": "degrees_east"}
TIME = {"standard_name": "time"}
SECOND = np.timedelta64(10**9, "ns")


def forty_hertz(n=30, per=40, ending="_40hz"):
    """A level-2 file of AltiKa: heights at 40 Hz, with positions and times of 1 Hz and of 40 Hz."""
    d = ("time", "meas_ind")
    fraction = np.arange(per) / per
    time = START + np.arange(n) * SECOND
    lat = (34.0 + 0.055 * np.arange(n))[:, None] + 0.055 * fraction
    lon = 301.0 + 0.35 * (lat - 34.0)
    fast = time[:, None] + (fraction * 1e9).astype("m8[ns]")
    return xr.Dataset(
        {f"ssha{ending}": (d, 0.01 * lat, {"units": "m"})},
        {
            "time": ("time", time, TIME),
            "lat": ("time", lat[:, 0], NORTH),
            "lon": ("time", lon[:, 0], EAST),
            f"lat{ending}": (d, lat, NORTH),
            f"lon{ending}": (d, lon, EAST),
            f"time{ending}": (d, fast, TIME),
        },
    )


def at_their_places(obs, n=1200):
    """Whether all heights, 0.01 times their latitude, are at it, in order of time."""
    np.testing.assert_allclose(obs.value, 0.01 * obs.latitude)
    assert len(np.unique(obs.latitude)) == len(np.unique(obs.time)) == len(obs) == n
    return bool(np.all(np.diff(obs.latitude) > 0))


def test_high_rate_heights_are_at_their_own_positions_and_times():
    assert at_their_places(Observations.from_tracks(forty_hertz()))


def test_high_rate_heights_that_the_user_stacked_are_too():
    stacked = forty_hertz().stack(obs=["time", "meas_ind"]).reset_index("obs")
    assert at_their_places(Observations.from_tracks(stacked))


def test_a_high_rate_variable_alone_keeps_its_coordinates():
    assert at_their_places(Observations.from_tracks(forty_hertz()["ssha_40hz"]))


def test_high_rate_heights_in_the_other_order_of_dimensions():
    assert at_their_places(Observations.from_tracks(forty_hertz().transpose("meas_ind", "time")))


def test_coordinates_without_attributes_end_as_the_height_does():
    assert at_their_places(Observations.from_tracks(forty_hertz(ending="_20_ku").drop_attrs()))


def test_the_attribute_coordinates_decides():
    ds = forty_hertz().rename(lat_40hz="phi", lon_40hz="lam", time_40hz="when")
    ds = ds.assign_coords(other=ds.phi + 1.0)
    ds["other"].attrs = NORTH
    ds["ssha_40hz"].attrs["coordinates"] = "phi lam when"
    assert at_their_places(Observations.from_tracks(ds))


def test_one_hertz_positions_of_forty_hertz_heights_are_refused_and_the_cure_works():
    ds = forty_hertz().rename(lat_40hz="phi", lon_40hz="lam").drop_attrs()
    with pytest.raises(
        ValueError, match=r"'ssha_40hz': \{'time': 30, 'meas_ind': 40\}.*'lat': \{'time': 30\}"
    ) as caught:
        Observations.from_tracks(ds, variable="ssha_40hz")
    assert "ds['ssha_40hz'].attrs['coordinates'] = '<longitude> <latitude> <time>'" in str(caught.value)
    ds["ssha_40hz"].attrs["coordinates"] = "lam phi time_40hz"
    for name, attrs in (("phi", NORTH), ("lam", EAST)):
        ds[name].attrs = attrs
    assert at_their_places(Observations.from_tracks(ds, variable="ssha_40hz"))


def test_both_samplings_of_a_file_open_each_with_its_own(tmp_path):
    ds = forty_hertz().assign(ssha=("time", np.full(30, 0.5), {"units": "m"}))
    ds.to_netcdf(tmp_path / "altika.nc")
    slow = xinr.open_tracks(tmp_path / "altika.nc")
    assert set(Observations.from_tracks(slow).value) == {0.5} and slow.ssha.dims == ("time",)
    fast = xinr.open_tracks(tmp_path / "altika.nc", variable="ssha_40hz")
    assert fast.sizes == {"time": 1200}
    assert at_their_places(Observations.from_tracks(fast, variable="ssha_40hz"))


def test_positions_of_another_sampling_do_not_count():
    """Nadir positions beside those of a swath's points, the latter being along the height's own dimension."""
    ds = one_mission("alg").drop_vars("mission").rename(latitude="phi", longitude="lam")
    ds["phi"].attrs, ds["lam"].attrs = NORTH, EAST
    extra = ds.assign_coords(latitude=("num_nadir", [1.0, 2.0], NORTH), longitude=("num_nadir", [1.0, 2.0], EAST))
    np.testing.assert_array_equal(Observations.from_tracks(extra).latitude, Observations.from_tracks(ds).latitude)


def snapshot():
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(300, 306, 400), rng.uniform(36, 40, 400)
    return xr.Dataset({"sla": ("obs", 0.01 * lat, {"units": "m"})}, {"lon": ("obs", lon), "lat": ("obs", lat)})


def test_a_scalar_time_holds_for_every_point():
    obs = Observations.from_tracks(snapshot().assign_coords(time=START))
    assert len(obs) == 400 and np.all(obs.time == START)
    field = snapshot().assign_coords(time=START).inr.fit("oi", coarsen=1)
    assert np.isfinite(field.interp({"time": START, "latitude": [37.0, 38.0], "longitude": [302.0]}).sla).all()


def test_points_without_time_are_refused_and_the_cure_works():
    with pytest.raises(ValueError, match=r"no time found.*Of a single time: ds\.assign_coords\(time=np\.datetime64\("):
        snapshot().inr.fit()
    cured = snapshot().assign_coords(time=np.datetime64("2021-02-01", "ns"))
    assert len(Observations.from_tracks(cured)) == 400


def test_a_tide_gauge_has_one_position_for_all_times():
    time = START + np.arange(50) * np.timedelta64(1, "h")
    gauge = xr.Dataset(
        {"SLEV": (("INSTANCE", "MAXT"), np.linspace(0.0, 1.0, 50)[None], {"units": "cm"})},
        {
            "TIME": (("INSTANCE", "MAXT"), time[None]),
            "LONGITUDE": ("INSTANCE", [3.0]),
            "LATITUDE": ("INSTANCE", [42.0]),
        },
    )
    obs = Observations.from_tracks(gauge)
    assert len(obs) == 50 and set(obs.longitude) == {3.0}
    np.testing.assert_allclose(obs.value, np.linspace(0.0, 0.01, 50))


@pytest.mark.parametrize("axis", [0, 1])
def test_dimensions_of_size_one_are_left_out(axis, tmp_path):
    ds = one_mission("alg").reset_coords(["longitude", "latitude"])
    deep = ds.expand_dims(depth_level=1, axis=axis).set_coords(["longitude", "latitude"])
    assert len(Observations.from_tracks(deep)) == 320
    deep.to_netcdf(tmp_path / "a.nc")
    ds = xinr.open_tracks(tmp_path / "a.nc")
    assert ds.sizes == {"time": 320} and set(ds.mission.values) == {"alg"}


def test_a_track_of_one_point_keeps_it():
    assert len(Observations.from_tracks(one_mission("alg").isel(time=[3]))) == 1


@pytest.mark.parametrize("name", ["time_counter", "ocean_time", "valid_time", "JULD"])
def test_the_only_times_are_the_time_whatever_their_name(name, tracks, maps, grid):
    renamed = tracks.rename(time=name)
    assert len(Observations.from_tracks(renamed)) == 640
    expected = maps.inr.gradient()
    np.testing.assert_array_equal(maps.rename(time=name).inr.gradient().dsla_dx, expected.dsla_dx)
    assert maps.inr.interp(grid.rename(time=name)).sla.dims == (name, "latitude", "longitude")


def test_an_axis_of_time_comes_before_other_variables_of_times(maps):
    ds = maps.rename(time="time_counter").assign_coords(reference=START)
    assert locate(ds.assign(counted=("time_counter", ds.time_counter.values)), "time").name == "time_counter"


@pytest.mark.parametrize("attrs", [{}, TIME])
def test_the_start_of_a_forecast_is_not_the_time_beside_those_it_is_valid_at(attrs, maps, grid):
    forecast = maps.rename(time="valid_time").assign_coords(time=((), START, attrs))
    np.testing.assert_array_equal(forecast.inr.interp(grid).sla, maps.inr.interp(grid).sla)


def test_nadir_positions_with_attributes_beside_a_swath_without_are_not_its_own():
    names = {"lat_40hz": "latitude", "lon_40hz": "longitude", "lat": "latitude_nadir", "lon": "longitude_nadir"}
    bare = forty_hertz().drop_attrs().rename(names)
    bare["latitude_nadir"].attrs, bare["longitude_nadir"].attrs = NORTH, EAST
    assert at_their_places(Observations.from_tracks(bare))


def test_several_times_are_ambiguous_and_the_cure_works(tracks):
    ds = tracks.rename(time="obs").reset_index("obs").rename_vars(obs="measured")
    ds = ds.assign_coords(received=ds.measured + np.timedelta64(1, "h"))
    with pytest.raises(ValueError, match=r"time is ambiguous: it may be any of \['measured', 'received'\].*drop_vars"):
        Observations.from_tracks(ds)
    assert len(Observations.from_tracks(ds.drop_vars("received"))) == 640
    assert len(Observations.from_tracks(ds.rename(measured="time"))) == 640


def sentinel(path, *, more=""):
    """A file in the groups of Sentinel-6: coordinates in data_01, sea level in data_01/ku."""
    ds = one_mission("x").drop_vars("mission")
    xr.Dataset(attrs={"mission_name": "Sentinel-6A"}).to_netcdf(path)
    ds[["longitude", "latitude", "mdt"]].to_netcdf(path, mode="a", group="data_01")
    for group in ["data_01/ku", *more.split()]:
        height = ds.reset_coords(drop=True)[["sla_unfiltered"]].rename(sla_unfiltered="ssha")
        height.to_netcdf(path, mode="a", group=group)
    return path


def test_groups_are_joined_with_those_around_them(tmp_path):
    path = sentinel(tmp_path / "S6A_P4_2__LR_STD__NT_001_001.nc")
    ds = xinr.open_tracks(path)
    assert Observations.from_tracks(ds, mdt=True).missions == ("Sentinel-6A",)
    assert xinr.open_tracks(path, group="data_01/ku").identical(ds)
    with xr.open_datatree(path) as tree:
        for each in (tree, tree["data_01/ku"]):
            obs = Observations.from_tracks(each)
            np.testing.assert_array_equal(obs.value, Observations.from_tracks(ds).value)
        assert xinr.open_tracks(tree).sizes == {"time": 320}


def test_a_root_with_coordinates_alone_is_joined_with_its_group(tmp_path):
    ds = one_mission("x").drop_vars("mission")
    ds[["longitude", "latitude"]].to_netcdf(tmp_path / "a.nc")
    ds.reset_coords(drop=True)[["sla_unfiltered"]].to_netcdf(tmp_path / "a.nc", mode="a", group="ku")
    assert len(Observations.from_tracks(xinr.open_tracks(tmp_path / "a.nc"))) == 320


def test_derivatives_of_high_rate_tracks_are_at_the_points_of_their_heights():
    ds = forty_hertz()
    found = ds.inr.gradient(method="oi", frame="sphere", length_scale=150, time_scale=15, sigma=0.1)
    assert found.sizes == {"point": 1200}


def test_several_groups_with_sea_level_are_named_and_the_cures_work(tmp_path):
    path = sentinel(tmp_path / "s6.nc", more="data_01/c")
    with pytest.raises(ValueError, match=r"s6\.nc: sea level must be in one group.*'/data_01/c'.*group='data_01/ku'"):
        xinr.open_tracks(path)
    assert xinr.open_tracks(path, group="data_01/c").sizes == {"time": 320}
    with xr.open_datatree(path) as tree:
        with pytest.raises(ValueError, match=r"xinr\.fit\(tree\['data_01/ku'\]\)"):
            xinr.fit(tree)
        assert xinr.fit(tree["data_01/ku"]).info["observations"] == 64
