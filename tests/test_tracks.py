"""Files of several missions open as one Dataset that knows which is which."""

import numpy as np
import pytest
import xarray as xr

import xinr


@pytest.fixture
def folder(tmp_path, mission):
    mission("x", seed=1).drop_vars("mission").to_netcdf(tmp_path / "dt_med_alg_phy_l3_20170101.nc")
    with_platform = mission("x", seed=2, first=7.0).drop_vars("mission").assign_attrs(platform="Jason-3")
    with_platform.to_netcdf(tmp_path / "other_l3_1.nc")
    mission("x", seed=3, first=3.0).drop_vars("mission").to_netcdf(tmp_path / "plain_l3_2.nc")
    return tmp_path


def test_missions_are_named_by_file_name_or_platform(folder):
    ds = xinr.open_tracks(folder / "*_l3_*.nc")
    assert ds.sizes == {"time": 960}
    assert list(dict.fromkeys(ds.mission.values.tolist())) == ["alg", "Jason-3", "plain_l3_2"]
    assert xinr.Observations.from_tracks(ds).missions == ("Jason-3", "alg", "plain_l3_2")


def test_files_are_given_as_a_list_or_a_pattern(folder):
    assert xinr.open_tracks([folder / "plain_l3_2.nc"]).sizes == {"time": 320}
    assert xinr.open_tracks(str(folder.parent / "*" / "plain_l3_2.nc")).sizes["time"] >= 320


def test_variables_missing_from_some_files_are_nan(folder):
    with xr.open_dataset(folder / "plain_l3_2.nc") as ds:
        ds.drop_vars("lwe").to_netcdf(folder / "short_l3_3.nc")
    ds = xinr.open_tracks(folder / "*_l3_*.nc")
    assert int(ds.lwe.isnull().sum()) == 320


def test_options_are_those_of_xarray(folder):
    assert xinr.open_tracks(folder / "*_l3_*.nc", chunks={}).lwe.chunks is not None


def test_tables_without_the_dimension_are_not_repeated(folder):
    for name in ("other_l3_1.nc", "plain_l3_2.nc"):
        with xr.open_dataset(folder / name) as ds:
            ds.assign(names=("basin", ["a", "b"])).to_netcdf(folder / f"table_{name}")
    assert xinr.open_tracks(folder / "table_*.nc").names.dims == ("basin",)


def test_files_that_do_not_exist_are_named():
    with pytest.raises(FileNotFoundError, match=r"no file matches '/nowhere/\*\.nc': expected along-track netCDF"):
        xinr.open_tracks("/nowhere/*.nc")
    with pytest.raises(FileNotFoundError, match=r"no file /nowhere/a\.nc"):
        xinr.open_tracks(["/nowhere/a.nc"])


def test_a_file_that_is_not_netcdf_is_named(folder):
    content = (folder / "plain_l3_2.nc").read_bytes()
    (folder / "plain_l3_2.nc").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"plain_l3_2\.nc cannot be read as netCDF .*Download it again"):
        xinr.open_tracks(folder / "*.nc")


def test_real_files_have_their_missions(med2021):
    ds = xinr.open_tracks(med2021 / "*_l3_*.nc")
    assert set(np.unique(ds.mission)) == {"alg", "h2b", "j3", "s3a"}


def test_the_band_in_a_duacs_file_name_is_not_the_mission(tmp_path, mission):
    mission("x").drop_vars("mission").to_netcdf(tmp_path / "dt_global_s6a_hr_phy_l3_1hz_20240101.nc")
    assert set(xinr.open_tracks(tmp_path / "*.nc").mission.values) == {"s6a"}


def test_a_file_without_time_is_named(folder):
    xr.Dataset({"mdt": ("lat", [0.1])}, {"lat": [40.0]}).to_netcdf(folder / "mdt_l3_9.nc")
    with pytest.raises(ValueError, match=r"mdt_l3_9\.nc is not a file of tracks or swaths: no time found"):
        xinr.open_tracks(folder / "*_l3_*.nc")
