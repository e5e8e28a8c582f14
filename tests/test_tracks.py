"""Files of several missions and producers open as one Dataset that knows which is which, or the odd one is named."""

import pickle

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


# --- several producers ----------------------------------------------------------------------------


def halves(mission):
    ds = mission("x").drop_vars("mission")
    return ds.isel(time=slice(0, 160)), ds.isel(time=slice(160, 320))


def in_units(ds, units, factor, *names):
    return ds.assign({name: (ds[name] * factor).assign_attrs(units=units) for name in names})


@pytest.mark.parametrize(
    ("units", "factor"), [("cm", 100.0), ("Millimeters", 1000.0), ("km", 0.001), ("0.01 m", 100.0)]
)
def test_lengths_in_other_units_become_metres(units, factor, tmp_path, mission):
    """Heights and corrections alike, of one file or of many: as if all had been in metres."""
    first, second = halves(mission)
    names = ("sla_unfiltered", "mdt", "lwe")
    first.to_netcdf(tmp_path / "dt_global_j3_phy_l3_1.nc")
    in_units(second, units, factor, *names).to_netcdf(tmp_path / "dt_global_j3_phy_l3_2.nc")
    whole = xr.concat([first, second], "time").assign_coords(mission="j3")
    expected = xinr.Observations.from_tracks(whole, lwe=True, mdt=True)
    both = xinr.open_tracks(tmp_path)
    assert {both[name].attrs["units"] for name in names} == {"m"}
    for each in (both, in_units(whole, units, factor, *names)):
        found = xinr.Observations.from_tracks(each, lwe=True, mdt=True)
        np.testing.assert_allclose(found.value, expected.value, rtol=1e-12)


def test_noise_and_references_and_maps_are_converted_too(tracks, maps):
    ds = tracks.assign(sd=("time", np.full(640, 3.0), {"units": "cm"}))
    obs = xinr.Observations.from_tracks(ds, variable="sla_unfiltered", noise="sd")
    np.testing.assert_allclose(obs.noise, 0.03)
    field = tracks.inr.fit("oi", mdt=True)
    options = {"segment_length": 100.0, "resamples": 0}
    reference = tracks.assign(ssh=(tracks.sla_unfiltered + tracks.mdt - tracks.lwe).assign_attrs(units="m"))
    expected, found = (field.score(each, **options) for each in (reference, in_units(reference, "cm", 100.0, "ssh")))
    np.testing.assert_allclose(found.rmse, expected.rmse)
    np.testing.assert_allclose(in_units(maps, "mm", 1e3, "sla").inr.interp(maps).sla, maps.sla)


def test_units_that_do_not_convert_are_refused_with_the_file_and_the_cure_works(tmp_path, mission):
    first, second = halves(mission)
    for name, ds, units in (("a.nc", first, "K"), ("b.nc", second, "degree")):
        ds.assign(sst=ds.lwe.assign_attrs(units=units)).to_netcdf(tmp_path / name)
    with pytest.raises(
        ValueError, match=r"sst has the units 'K' in .*a\.nc, and \['degree'\] in other files"
    ) as caught:
        xinr.open_tracks(tmp_path)
    assert "drop_variables=['sst']" in str(caught.value)
    assert xinr.open_tracks(tmp_path, drop_variables=["sst"]).sizes == {"time": 320}


def test_files_that_differ_in_their_sea_level_are_refused_and_the_cures_work(tmp_path, mission):
    first, second = halves(mission)
    a, b = tmp_path / "a.nc", tmp_path / "b.nc"
    first.to_netcdf(a)
    second.rename(sla_unfiltered="ssha").assign(adt=second.mdt).to_netcdf(b)
    with pytest.raises(ValueError, match=r"b\.nc has the sea level 'ssha', .*a\.nc has 'sla_unfiltered'.*rename"):
        xinr.open_tracks([a, b], drop_variables=["adt"])
    cured = xinr.open_tracks([a, xinr.open_tracks(b, variable="ssha").rename(ssha="sla_unfiltered")])
    assert int(cured.sla_unfiltered.notnull().sum()) == 320


@pytest.mark.parametrize("kind", ["variables", "short names", "another dimension", "the other way round", "Julian"])
def test_layouts_of_several_producers_become_one(kind, tmp_path, mission):
    first, second = halves(mission)
    bare = second.reset_coords()
    other = {
        "variables": bare,
        "short names": bare.rename(longitude="lon", latitude="lat"),
        "another dimension": bare.rename_dims(time="obs").reset_index("time").reset_coords().rename(time="when"),
        "the other way round": second.expand_dims(level=1),
        "Julian": second.rename(time="JULD"),
    }[kind]
    first.to_netcdf(tmp_path / "dt_global_j3_phy_l3_1.nc")
    other.to_netcdf(tmp_path / "dt_global_j3_phy_l3_2.nc")
    found = xinr.open_tracks(tmp_path)
    assert found.sizes == {"time": 320} and set(found.coords) == {"time", "longitude", "latitude", "mission"}
    expected = xinr.Observations.from_tracks(xr.concat([first, second], "time"), lwe=True)
    obs = xinr.Observations.from_tracks(found, lwe=True)
    for column in ("value", "longitude", "latitude", "time", "pass_index"):
        np.testing.assert_array_equal(getattr(obs, column), getattr(expected, column))


def test_files_of_other_shapes_are_refused_with_the_file_and_the_cure_works(tmp_path, mission):
    first, second = halves(mission)
    for name, ds, size in (("a.nc", first, 2), ("b.nc", second, 3)):
        ds.assign(flags=(("time", "flag"), np.zeros((160, size)))).to_netcdf(tmp_path / name)
    with pytest.raises(ValueError, match=r"flags has the sizes .*'flag': 3\} in .*b\.nc, .*drop_variables=\['flags'\]"):
        xinr.open_tracks(tmp_path)
    assert xinr.open_tracks(tmp_path, drop_variables=["flags"]).sizes == {"time": 320}


# --- missions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attrs", "names", "expected"),
    [
        ({"mission_name": "JASON-3"}, ["j3p0001c001.nc", "j3p0002c001.nc"], {"JASON-3"}),
        ({"platform": "Jason-3", "mission_name": "x"}, ["a.nc", "b.nc"], {"Jason-3"}),
        ({"title": "DT Jason-1 Global Ocean Along track"}, ["a.nc", "b.nc"], {"Jason-1"}),
        ({"source": "Jason-3 and Sentinel-6A"}, ["a.nc", "b.nc"], {"a", "b"}),
        ({}, ["alt_ssh20220101.nc", "alt_ssh20220102.nc"], {"alt_ssh"}),
        ({"platform": "x"}, ["dt_global_j3_phy_l3_1.nc", "nrt_global_s6a_hr_phy_l3_2.nc"], {"j3", "s6a"}),
    ],
)
def test_a_mission_is_known_by_attributes_before_the_name_of_the_file(attrs, names, expected, tmp_path, mission):
    """Pass files of one satellite are one mission; DUACS names come first."""
    for name, ds in zip(names, halves(mission), strict=True):
        ds.assign_attrs(attrs).to_netcdf(tmp_path / name)
    assert set(xinr.open_tracks(tmp_path).mission.values) == expected


def test_missions_that_tracks_name_themselves_are_kept(tmp_path, tracks):
    tracks.to_netcdf(tmp_path / "both.nc")
    assert set(xinr.open_tracks(tmp_path / "both.nc").mission.values) == {"alg", "j3"}


# --- sources --------------------------------------------------------------------------------------


def test_folders_homes_and_patterns_in_lists(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    (folder / "deep").mkdir()
    (folder / "plain_l3_2.nc").rename(folder / "deep" / "plain.nc")
    assert xinr.open_tracks(folder).sizes == {"time": 960}
    assert xinr.open_tracks("~/*_l3_*.nc").sizes == {"time": 640}
    assert xinr.open_tracks(["~/dt*.nc", folder / "deep" / "*.nc", folder / "other_l3_1.nc"]).sizes == {"time": 960}
    assert xinr.open_tracks(str(folder / "**" / "plain*.nc")).sizes == {"time": 320}


def test_a_folder_without_netcdf_says_how_to_name_others(tmp_path, tracks):
    tracks.to_dataframe().to_csv(tmp_path / "t.csv")
    with pytest.raises(FileNotFoundError, match=r"holds no netCDF file .* Name other ones by a pattern, '.*\*\.csv'"):
        xinr.open_tracks(tmp_path)
    assert xinr.open_tracks(str(tmp_path / "*.csv")).sizes == {"time": 640}


def test_a_group_that_is_not_there_is_refused(folder):
    with pytest.raises(ValueError, match=r"plain_l3_2\.nc: sea level must be in one group.* of the groups \['/'\]"):
        xinr.open_tracks(folder / "plain_l3_2.nc", group="data_01/ku")


@pytest.mark.filterwarnings("ignore")
def test_an_address_that_does_not_answer_says_so():
    address = "https://127.0.0.1:9/thredds/dodsC/x.nc"
    with pytest.raises(ConnectionError, match=r"dodsC/x\.nc cannot be opened .*is the server up, .*OPeNDAP"):
        xinr.open_tracks(address)


def test_a_zarr_store_opens_or_asks_for_its_package(tmp_path, mission):
    try:
        mission("x").drop_vars("mission").to_zarr(tmp_path / "j3.zarr", zarr_format=2)
    except ImportError:
        (tmp_path / "j3.zarr").mkdir()
        (tmp_path / "j3.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
        with pytest.raises(ImportError, match=r"j3\.zarr is a zarr store, .*pip install 'xinr\[formats\]'"):
            xinr.open_tracks(tmp_path / "j3.zarr")
    else:
        assert set(xinr.open_tracks(tmp_path / "j3.zarr").mission.values) == {"j3"}


def test_other_files_are_refused_with_the_way_to_give_them(tmp_path):
    (tmp_path / "tracks.grib").write_bytes(b"GRIB" * 20)
    with pytest.raises(ValueError, match=r"tracks\.grib cannot be read as netCDF .* give xinr\.fit the Dataset"):
        xinr.open_tracks(tmp_path / "tracks.grib")


# --- lazily ---------------------------------------------------------------------------------------


def test_arrays_are_read_only_where_they_are_used(folder, monkeypatch):
    """Opening reads times; a selection reads the files it lies in."""
    import xarray.backends.netCDF4_ as backend

    read = []
    inner = backend.NetCDF4ArrayWrapper._getitem

    def counted(self, key):
        read.append((self.datastore._filename.rpartition("/")[2], self.variable_name))
        return inner(self, key)

    monkeypatch.setattr(backend.NetCDF4ArrayWrapper, "_getitem", counted)
    ds = xinr.open_tracks(folder / "*_l3_*.nc")
    assert {variable for _, variable in read} <= {"time"}
    read.clear()
    assert ds.isel(time=slice(330, 400)).sla_unfiltered.values.size == 70
    assert read == [("other_l3_1.nc", "sla_unfiltered")]


def test_any_selection_is_that_of_the_whole(folder):
    whole = xinr.open_tracks(folder / "*_l3_*.nc").load()
    rng = np.random.default_rng(0)
    for chosen in (
        slice(300, 700, 7),
        slice(None, None, -1),
        rng.integers(0, 960, 50),
        5,
        whole.mission.values == "alg",
    ):
        found = xinr.open_tracks(folder / "*_l3_*.nc").isel(time=chosen)
        xr.testing.assert_identical(found.load(), whole.isel(time=chosen))
    lazy = xinr.open_tracks(folder / "*_l3_*.nc", chunks={})
    assert lazy.chunksizes["time"] == (320, 320, 320)
    xr.testing.assert_identical(lazy.compute(), whole)
    xr.testing.assert_identical(pickle.loads(pickle.dumps(xinr.open_tracks(folder / "*_l3_*.nc"))).load(), whole)
