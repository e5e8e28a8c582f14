"""Subsets of Copernicus Marine: the long table, and downloads by a stand-in for the toolbox, which has tracks."""

import importlib.util
import inspect
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

import xinr
from tests.helpers import one_mission
from xinr.cli import app
from xinr.datasets import L3_MISSIONS, download_l3, read_l3
from xinr.fields.netcdf import write_netcdf

BOX = (300.0, 306.0, 36.0, 40.0)
WEEK = ("2017-01-02", "2017-01-06")


class RefusedError(Exception):
    """What the toolbox raises at a wrong password."""


def long_table(ds, platform):
    """Tracks in the layout of ``copernicusmarine.read_dataframe``: one row for each variable and time."""
    position = {
        "platform_id": platform,
        "platform_type": "satellite",
        "time": [
            pd.Timestamp(time).isoformat() + "Z" for time in ds.time.values
        ],  # fractions only where there are some
        "longitude": (ds.longitude.values + 180.0) % 360.0 - 180.0,
        "latitude": ds.latitude.values,
        "depth": np.nan,
        "pressure": np.nan,
        "is_depth_from_producer": 0,
        "value_qc": np.nan,
        "institution": "CNES",
        "doi": None,
        "product_doi": "https://doi.org/10.48670/moi-00146",
    }
    parts = [pd.DataFrame({"variable": name, **position, "value": ds[name].values}) for name in ds.data_vars]
    return pd.concat(parts, ignore_index=True)


class Toolbox:
    """Stands for the package ``copernicusmarine``: two missions fly."""

    InvalidUsernameOrPassword = RefusedError

    def __init__(self):
        self.asked = []
        self.tracks = {"j3": one_mission("j3", seed=1), "s6a-lr": one_mission("s6a", seed=2)}

    def read_dataframe(self, **request):
        self.asked.append(request)
        if request.get("password") == "wr0ng":
            raise RefusedError("Incorrect username or password.")
        mission = request["dataset_id"].removeprefix("cmems_obs-sl_glo_phy-ssh_my_").removesuffix("-l3-duacs_PT1S")
        ds = self.tracks.get(mission, one_mission("none").isel(time=slice(0)))
        longitude = (ds.longitude + 180.0) % 360.0 - 180.0
        inside = (longitude >= request["minimum_longitude"]) & (longitude <= request["maximum_longitude"])
        inside &= (ds.latitude >= request["minimum_latitude"]) & (ds.latitude <= request["maximum_latitude"])
        inside &= ds.time >= np.datetime64(request["start_datetime"])
        inside &= ds.time <= np.datetime64(request["end_datetime"])
        chosen = ds.isel(time=inside.values)
        return long_table(chosen[[name for name in request["variables"] if name in chosen]], "Sentinel-6A")


@pytest.fixture
def toolbox(monkeypatch, no_credentials):
    """A replacement of the package copernicusmarine, without credentials."""
    fake = Toolbox()
    monkeypatch.setitem(sys.modules, "copernicusmarine", fake)
    return fake


@pytest.fixture
def table():
    return long_table(two_hertz()[["sla_unfiltered", "lwe", "mdt"]], "Jason-3")


def two_hertz():
    """Tracks whose points are half a second apart: each second one has no fraction."""
    ds = one_mission("j3").sortby("time")
    passes = np.arange(ds.sizes["time"]) % 40
    return ds.assign_coords(time=ds.time.values - passes * np.timedelta64(500, "ms"))


@pytest.mark.parametrize("kind", ["a table", "shuffled", "a file", "given twice"])
def test_a_table_becomes_tracks(table, tmp_path, kind):
    given = {
        "a table": table,
        "shuffled": table.sample(frac=1.0, random_state=0),
        "a file": tmp_path / "subset.csv",
        "given twice": pd.concat([table, table]),
    }[kind]
    table.to_csv(tmp_path / "subset.csv", index=False)
    ds = read_l3(given)
    expected = two_hertz()
    assert ds.sizes == {"time": 320}
    assert (np.diff(ds.time) > np.timedelta64(0, "ns")).all()
    np.testing.assert_array_equal(ds.time, expected.time)
    for name in ("sla_unfiltered", "lwe", "mdt"):
        np.testing.assert_allclose(ds[name], expected[name], rtol=1e-15)
        assert ds[name].attrs["units"] == "m"
    np.testing.assert_allclose(ds.longitude % 360.0, expected.longitude)
    observations = xinr.Observations.from_tracks(ds, lwe=True)
    assert (len(observations), observations.missions, observations.n_passes) == (320, ("Jason-3",), 8)


def test_platforms_become_missions_and_gaps_nan(table):
    other = table.assign(platform_id="CryoSat-2")
    lacking = table[(table.variable != "mdt") | (table.index % 2 == 0)]
    ds = read_l3(pd.concat([lacking, other]))
    assert ds.sizes == {"time": 640}
    assert xinr.Observations.from_tracks(ds).missions == ("CryoSat-2", "Jason-3")
    assert int(ds.mdt.isnull().sum()) == 160


def test_invalid_tables_are_refused(table):
    with pytest.raises(ValueError, match=r"the table lacks the columns \['platform_id'\]: expected those of a subset"):
        read_l3(table.drop(columns=["platform_id"]))
    with pytest.raises(ValueError, match="the table has no rows"):
        read_l3(table.iloc[:0])


def test_each_mission_and_year_is_a_file(toolbox, tmp_path):
    paths = download_l3(tmp_path, region=BOX, period=("2016-12-20", "2017-01-06"), missions=["j3", "s6a-lr", "tp"])
    assert [path.name for path in paths] == [
        "dt_global_j3_phy_l3_20170101-20170106_300-306_36-40.nc",
        "dt_global_s6a_phy_l3_20170101-20170106_300-306_36-40.nc",
    ]
    assert len(toolbox.asked) == 6  # of three missions in two years
    tracks = xinr.open_tracks(paths)
    assert xinr.Observations.from_tracks(tracks, lwe=True).missions == ("j3", "s6a")
    expected = toolbox.tracks["j3"].sortby("time").sel(time=slice("2017-01-01", "2017-01-06"))
    inside = (expected.latitude >= 36.0) & (expected.latitude <= 40.0)
    found = tracks.isel(time=tracks.mission.values == "j3")
    np.testing.assert_allclose(found.sla_unfiltered, expected.sla_unfiltered[inside.values], atol=1e-7)
    np.testing.assert_array_equal(found.time, expected.time[inside.values])
    assert xr.load_dataset(paths[0]).attrs["platform"] == "Sentinel-6A"


def test_existing_files_are_not_requested(toolbox, tmp_path):
    first = download_l3(tmp_path, region=BOX, period=WEEK, missions=["j3"])
    assert download_l3(tmp_path, region=BOX, period=WEEK, missions=["j3"]) == first
    assert len(toolbox.asked) == 1
    assert [path.name for path in tmp_path.iterdir()] == [first[0].name]


def test_a_region_across_the_dateline_is_requested_in_two_parts(toolbox, tmp_path):
    toolbox.tracks["j3"] = toolbox.tracks["j3"].assign_coords(longitude=toolbox.tracks["j3"].longitude - 123.0)
    (path,) = download_l3(tmp_path, region=(177.0, 183.0, 36.0, 40.0), period=WEEK, missions=["j3"])
    spans = [(request["minimum_longitude"], request["maximum_longitude"]) for request in toolbox.asked]
    assert spans == [(177.0, 180.0), (-180.0, -177.0)]
    longitude = xr.load_dataset(path).longitude
    assert (longitude > 177.0).any() and (longitude < -177.0).any()
    toolbox.asked.clear()
    download_l3(tmp_path, region=(0.0, 360.0, 36.0, 40.0), period=WEEK, missions=["j3"])
    assert [(each["minimum_longitude"], each["maximum_longitude"]) for each in toolbox.asked] == [
        (0.0, 180.0),
        (-180.0, 0.0),
    ]


def test_credentials_come_from_a_file(toolbox, tmp_path):
    path = tmp_path / "credentials.yaml"
    path.touch(mode=0o600)
    path.write_text("aviso: {username: no, password: no}\ncopernicusmarine: {username: jane, password: secret}")
    download_l3(tmp_path / "l3", region=BOX, period=WEEK, missions=["j3"], credentials_file=path)
    assert (toolbox.asked[0]["username"], toolbox.asked[0]["password"]) == ("jane", "secret")
    download_l3(tmp_path / "more", region=BOX, period=WEEK, missions=["j3"])
    assert "username" not in toolbox.asked[1]  # the toolbox has its own ways
    path.write_text("copernicusmarine: {username: jane, password: wr0ng}")
    with pytest.raises(
        PermissionError, match=r"Copernicus Marine refuses the user name and password\. Register"
    ) as error:
        download_l3(tmp_path / "none", region=BOX, period=WEEK, missions=["j3"], credentials_file=path)
    assert "wr0ng" not in str(error.value)
    assert not any((tmp_path / "none").iterdir())


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "copernicusmarine", None)
    with pytest.raises(ImportError, match=r"copernicusmarine is not installed: pip install 'xinr\[copernicus\]'"):
        download_l3(tmp_path, region=BOX, period=WEEK)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"missions": ["jason"]}, r"no mission 'jason': expected some of \['al', 'alg', 'c2'"),
        ({"region": (0, 10, 40, 30)}, r"region must be \(west, east, south, north\)"),
        ({"period": ("2017-02-01", "2017-01-01")}, r"period must be \(first, last\) with the first before the last"),
        (
            {"period": ("spring", "2017-01-01")},
            r"period must be \(first, last\), days such as '2017-01-01', got \('spr",
        ),
    ],
)
def test_invalid_requests_are_refused(toolbox, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        download_l3(tmp_path / "l3", **{"region": BOX, "period": WEEK} | change)
    assert not (tmp_path / "l3").exists()


def test_five_years_are_requested_year_by_year(toolbox, tmp_path):
    assert download_l3(tmp_path, region=BOX, period=("2018-03-01", "2022-06-30"), missions=["c2"]) == []
    spans = [(request["start_datetime"][:10], request["end_datetime"][:10]) for request in toolbox.asked]
    assert spans[0] == ("2018-03-01", "2018-12-31")
    assert spans[1] == ("2019-01-01", "2019-12-31")
    assert spans[-1] == ("2022-01-01", "2022-06-30")
    assert len(spans) == 5


def test_the_command_downloads_tracks(toolbox, tmp_path):
    arguments = ["download-tracks", str(tmp_path), "--region", *map(str, BOX), "--period", *WEEK, "--mission", "j3"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"In {tmp_path}: dt_global_j3_phy_l3_20170102-20170106_300-306_36-40.nc\n"
    done = CliRunner().invoke(app, [*arguments[:-1], "c2"])
    assert done.stdout == f"In {tmp_path}: no observation in that box and period\n"


def test_a_netcdf_subset_opens_as_tracks(tmp_path):
    """As the toolbox writes it: seconds since 1970, coordinates by their attributes, named after the platform."""
    tracks = one_mission("j3").sortby("time")
    seconds = (tracks.time.values - np.datetime64("1970-01-01", "ns")) / np.timedelta64(1, "s")
    ds = xr.Dataset(
        {name: ("time", tracks[name].values, {"units": "m"}) for name in ("sla_unfiltered", "lwe", "mdt")},
        coords={
            "time": (
                "time",
                seconds,
                {"units": "seconds since 1970-01-01T00:00:00Z", "standard_name": "time", "axis": "T"},
            ),
            "longitude": ("time", tracks.longitude.values, {"standard_name": "longitude", "units": "degrees_east"}),
            "latitude": ("time", tracks.latitude.values, {"standard_name": "latitude", "units": "degrees_north"}),
        },
    )
    write_netcdf(ds, tmp_path / "Jason-3.nc")
    observations = xinr.Observations.from_tracks(xinr.open_tracks(tmp_path / "*.nc"), lwe=True)
    assert (observations.missions, observations.n_passes) == (("Jason-3",), 8)
    np.testing.assert_allclose(observations.value, tracks.sla_unfiltered - tracks.lwe)


def test_every_mission_has_a_name_of_its_own():
    assert len({name.split("-")[0] for name in L3_MISSIONS}) == len(L3_MISSIONS)
    assert len(set(L3_MISSIONS.values())) == len(L3_MISSIONS)


@pytest.mark.skipif(importlib.util.find_spec("copernicusmarine") is None, reason="copernicusmarine is not installed")
def test_the_installed_package_accepts_the_request(toolbox, tmp_path, monkeypatch):
    download_l3(tmp_path, region=BOX, period=WEEK, missions=["j3"])
    monkeypatch.delitem(sys.modules, "copernicusmarine")
    import copernicusmarine

    known = inspect.signature(copernicusmarine.read_dataframe).parameters
    assert {*toolbox.asked[0], "username", "password"} <= set(known)
    assert issubclass(copernicusmarine.InvalidUsernameOrPassword, Exception)
