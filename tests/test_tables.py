"""Tables of points, long or wide, in memory or in files, are tracks and targets."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xinr
from xinr import Observations


@pytest.fixture
def table(tracks):
    return tracks.to_dataframe().reset_index()


def test_a_table_of_points_is_tracks(tracks, table):
    expected = Observations.from_tracks(tracks)
    for each in (table, table.set_index("time"), table.assign(time=table.time.dt.tz_localize("UTC"))):
        found = Observations.from_tracks(each)
        np.testing.assert_array_equal(found.value, expected.value)
        assert found.missions == ("alg", "j3")
    np.testing.assert_array_equal(Observations.from_tracks(xinr.open_tracks(table)).value, expected.value)


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_a_csv_file_opens_as_netcdf_does(ending, tmp_path, tracks):
    tracks.to_dataframe().to_csv(tmp_path / f"t.{ending}")
    ds = xinr.open_tracks(tmp_path / f"t.{ending}")
    assert set(ds.coords) == {"time", "longitude", "latitude", "mission"}
    np.testing.assert_allclose(Observations.from_tracks(ds).value, Observations.from_tracks(tracks).value)


def test_the_platform_of_a_table_is_its_mission(table):
    found = Observations.from_tracks(table.rename(columns={"mission": "platform_id"}))
    assert found.missions == ("alg", "j3")


def test_a_long_table_opens_from_files(tmp_path):
    rows = [
        (name, "Jason-3", f"2017-01-01T00:00:{k:02d}Z", 300.0, 36.0 + 0.05 * k, value + 0.01 * k)
        for name, value in (("sla_unfiltered", 0.1), ("mdt", 0.5))
        for k in range(20)
    ]
    columns = ["variable", "platform_id", "time", "longitude", "latitude", "value"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "subset.csv", index=False)
    ds = xinr.open_tracks(tmp_path / "subset.csv")
    assert (ds.sizes, set(ds.mission.values)) == ({"time": 20}, {"Jason-3"})
    np.testing.assert_allclose(Observations.from_tracks(ds, mdt=True).value, 0.6 + 0.02 * np.arange(20))


def test_parquet_opens_or_asks_for_its_package(tmp_path, tracks, table):
    try:
        table.to_parquet(tmp_path / "t.parquet")
    except ImportError:
        (tmp_path / "t.parquet").write_bytes(b"PAR1" * 10)
        with pytest.raises(ImportError, match=r"t\.parquet is a parquet file, .* pip install 'xinr\[formats\]'"):
            xinr.open_tracks(tmp_path / "t.parquet")
    else:
        found = Observations.from_tracks(xinr.open_tracks(tmp_path / "t.parquet"))
        np.testing.assert_array_equal(found.value, Observations.from_tracks(tracks).value)


def test_a_table_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\x90\xff\xfe" * 20)
    with pytest.raises(ValueError, match=r"t\.csv cannot be read as a table .*Download it again"):
        xinr.open_tracks(tmp_path / "t.csv")


def test_times_in_an_order_of_their_own_are_refused_and_the_cure_works(table):
    written = table.assign(time=table.time.dt.strftime("%d/%m/%Y %H:%M:%S.%f"))
    with pytest.raises(
        ValueError, match=r"time must hold times as ISO 8601 .*pandas\.to_datetime\(table\['time'\], form"
    ):
        Observations.from_tracks(written)
    cured = written.assign(time=pd.to_datetime(written["time"], format="%d/%m/%Y %H:%M:%S.%f"))
    assert len(Observations.from_tracks(cured)) == 640


def test_a_table_without_rows_is_refused(table):
    with pytest.raises(ValueError, match=r"the table has no rows: expected one for each point, or for each variable"):
        xinr.open_tracks(table.iloc[:0])


def test_a_table_without_positions_is_refused_as_any_file(tmp_path, table):
    table.drop(columns="longitude").to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match=r"t\.csv is not .*: no longitude found"):
        xinr.open_tracks(tmp_path / "t.csv")


def test_rows_of_a_table_are_points_of_a_target(tracks, table):
    field = tracks.inr.fit("oi", frame="sphere", length_scale=150, time_scale=15, sigma=0.1)
    expected = field.interp(tracks).sla.values
    for each in (table, table.set_index("time"), table[["time", "latitude", "longitude"]].to_xarray()):
        found = field.interp(each).sla
        assert found.ndim == 1
        np.testing.assert_array_equal(found, expected)
    assert isinstance(field.gradient(table.iloc[:3]), xr.Dataset)
