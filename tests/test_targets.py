"""A field is evaluated wherever a Dataset has points, lazily where that is chunked."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from xinr.fields.target import Target


def combine(points):
    """A function of all three coordinates, that tells them apart."""
    (longitude, latitude), time = points.repeat(points.positions).T, points.time
    return longitude + 1e3 * latitude + 1e6 * (time.astype("datetime64[D]") - np.datetime64("2017-01-01")).astype(float)


def expected(ds):
    days = (ds.time.astype("datetime64[D]") - np.datetime64("2017-01-01")) / np.timedelta64(1, "D")
    return ds.longitude + 1e3 * ds.latitude + 1e6 * days


def test_a_grid_comes_in_the_order_of_a_map(grid):
    found = Target.of(grid).evaluate(combine)
    assert found.dims == ("time", "latitude", "longitude")
    xr.testing.assert_equal(found.drop_attrs(), expected(grid).transpose(*found.dims))
    assert found.longitude.attrs == {"standard_name": "longitude", "units": "degrees_east", "axis": "X"}
    assert found.latitude.attrs["units"] == "degrees_north"
    assert found.time.attrs == {"standard_name": "time", "axis": "T"}


@pytest.mark.parametrize(
    ("select", "grid_shape"),
    [
        ({}, (4, 30)),
        ({"time": 1}, (1, 30)),
        ({"latitude": 2, "longitude": 3}, (4, 1)),
        ({"latitude": [2], "longitude": [3]}, (4, 1)),
    ],
    ids=["map", "one time", "one position", "one position, kept as a dimension"],
)
def test_a_grid_stays_a_grid(grid, select, grid_shape):
    """A function is given the positions of a map once, and its times, not every point of it."""
    seen = []
    Target.of(grid.isel(select)).evaluate(
        lambda points: seen.append((points.grid, points.shape)) or points.time.astype(float)
    )
    assert seen == [(True, grid_shape)]


def test_a_track_stays_a_track(tracks):
    seen = []
    Target.of(tracks).evaluate(lambda points: seen.append((points.grid, points.shape)) or points.positions[:, 0])
    assert seen == [(False, (1, 640))]


def test_own_attributes_win(grid):
    grid["longitude"].attrs["units"] = "degree_E"
    assert Target.of(grid).evaluate(combine).longitude.attrs["units"] == "degree_E"


def test_a_mapping_of_coordinates_is_a_target(grid):
    found = Target.of({name: grid[name].values for name in grid.coords}).evaluate(combine)
    xr.testing.assert_equal(found.drop_attrs(), expected(grid).transpose(*found.dims))


def test_a_data_array_is_a_target(grid, maps):
    xr.testing.assert_identical(Target.of(maps["sla"]).evaluate(combine), Target.of(grid).evaluate(combine))


def test_track_points_keep_their_coordinates(tracks):
    found = Target.of(tracks).evaluate(combine)
    assert found.dims == ("time",)
    np.testing.assert_array_equal(found, expected(tracks))
    assert set(found.coords) == {"time", "longitude", "latitude", "mission"}


def test_track_points_with_coordinates_as_variables_and_other_names(tracks):
    ds = tracks.rename(longitude="lon", latitude="lat").reset_coords(["lon", "lat"])
    found = Target.of(ds).evaluate(combine)
    np.testing.assert_array_equal(found, expected(tracks))
    assert {"lon", "lat"} <= set(found.coords)


def test_curvilinear_coordinates(grid):
    lat, lon = np.meshgrid(grid.latitude, grid.longitude, indexing="ij")
    curved = xr.Dataset(coords={"time": grid.time, "nav_lat": (("y", "x"), lat), "nav_lon": (("y", "x"), lon)})
    found = Target.of(curved).evaluate(combine)
    assert found.dims == ("time", "y", "x")
    np.testing.assert_array_equal(found, expected(grid).transpose("time", "latitude", "longitude"))
    assert {"nav_lon", "nav_lat", "time"} <= set(found.coords)


def test_a_single_time_keeps_its_scalar_coordinate(grid):
    found = Target.of(grid.isel(time=1)).evaluate(combine)
    assert found.dims == ("latitude", "longitude")
    assert found.time == grid.time[1]


def test_several_outputs_are_evaluated_at_once(grid):
    found = Target.of(grid).evaluate(lambda points: points.repeat(points.positions).T, 2)
    assert np.all(found[0] == grid.longitude) and np.all(found[1] == grid.latitude)


def test_missing_coordinates_give_missing_values(tracks):
    ds = tracks.isel(time=slice(5)).copy(deep=True)
    ds["longitude"][0] = np.nan
    ds["latitude"][1] = np.nan
    ds = ds.assign_coords(time=("time", np.where(np.arange(5) == 2, np.datetime64("NaT", "ns"), ds.time)))
    found = Target.of(ds).evaluate(combine)
    assert np.isnan(found).values.tolist() == [True, True, True, False, False]
    nowhere = ds.assign_coords(longitude=ds.longitude * np.nan)
    assert np.isnan(Target.of(nowhere).evaluate(lambda points: 1 / 0)).all()


@pytest.mark.parametrize("chunks", [{"time": 1}, {"latitude": 2, "longitude": 3}, {"time": 2, "longitude": 4}, {}])
def test_a_chunked_grid_is_lazy_and_gives_the_same(maps, chunks, count_computes):
    target = Target.of(maps.chunk(chunks))
    values, (double, _) = (
        target.evaluate(combine),
        target.evaluate(lambda points: (2 * combine(points), combine(points)), 2),
    )
    assert count_computes == []
    assert values.chunks is not None
    if chunks:
        assert values.chunksizes == maps.chunk(chunks).chunksizes
    computed = values.compute()
    assert len(count_computes) == 1
    xr.testing.assert_identical(computed, Target.of(maps).evaluate(combine))
    xr.testing.assert_equal(double.compute(), 2 * computed)


@given(sizes=st.tuples(*(st.integers(1, n) for n in (4, 5, 6))))
def test_chunking_does_not_matter(sizes):
    lat, lon = np.linspace(30.0, 40.0, 5), np.linspace(170.0, 190.0, 6)
    time = np.datetime64("2017-01-03", "ns") + np.arange(4) * np.timedelta64(1, "D")
    dims = ("time", "latitude", "longitude")
    whole = xr.Dataset({"any": (dims, np.zeros((4, 5, 6)))}, dict(zip(dims, (time, lat, lon), strict=True)))
    found = Target.of(whole.chunk(dict(zip(dims, sizes, strict=True)))).evaluate(combine)
    xr.testing.assert_identical(found.compute(), Target.of(whole).evaluate(combine))


def test_a_chunked_track_is_lazy(tracks, count_computes):
    found = Target.of(tracks.chunk(time=100)).evaluate(combine)
    assert count_computes == []
    np.testing.assert_array_equal(found, expected(tracks))


def test_chunks_that_disagree_are_unified(maps):
    mixed = maps.chunk(time=1).assign(other=maps["sla"].chunk(time=4))
    assert Target.of(mixed).evaluate(combine).chunksizes["time"] == (1, 1, 1, 1)


def test_columns_of_points_in_a_mapping_are_refused_and_the_cures_work():
    """A mapping is a grid: three arrays of one length, one out of order, are no axes."""
    day = np.timedelta64(1, "D")
    columns = {
        "time": np.repeat(np.datetime64("2017-01-03", "ns") + np.arange(2) * day, 3),
        "latitude": np.linspace(36.0, 38.0, 6),
        "longitude": np.linspace(301.0, 303.0, 6),
    }
    with pytest.raises(
        ValueError, match=r"a mapping .* is a grid, but its time neither increases nor decreases"
    ) as caught:
        Target.of(columns)
    assert "for points give a table, pandas.DataFrame(target)" in str(caught.value)
    points = Target.of(pd.DataFrame(columns)).evaluate(combine)
    assert points.shape == (6,)
    np.testing.assert_array_equal(points, expected(xr.Dataset({k: ("row", v) for k, v in columns.items()})))
    grid = Target.of({name: np.unique(values) for name, values in columns.items()}).evaluate(combine)
    assert grid.sizes == {"time": 2, "latitude": 6, "longitude": 6}


def test_axes_of_one_length_are_a_grid_and_a_single_time_may_be_any():
    axes = {"latitude": np.array([36.0, 37.0, 38.0]), "longitude": np.array([301.0, 302.0, 303.0])}
    time = np.datetime64("2017-01-03", "ns") + np.arange(3) * np.timedelta64(1, "D")
    assert Target.of(axes | {"time": time}).evaluate(combine).shape == (3, 3, 3)
    assert Target.of(axes | {"time": time[0]}).evaluate(combine).shape == (3, 3)


def test_a_mesh_is_a_curvilinear_map(grid):
    lon, lat = np.meshgrid(grid.longitude, grid.latitude)
    for time in (grid.time.values, grid.time.values[0], np.full(lat.shape, grid.time.values[0])):
        found = Target.of({"time": time, "latitude": lat, "longitude": lon}).evaluate(combine)
        assert found.dims == (("time", "y", "x") if np.shape(time) == (4,) else ("y", "x"))
        wanted = expected(grid).transpose("time", "latitude", "longitude")
        np.testing.assert_array_equal(found, wanted if np.shape(time) == (4,) else wanted[0])


def test_a_grid_beyond_the_memory_is_refused_before_it_is_made_and_the_cures_work():
    n = 20_000
    axes = {
        "time": np.datetime64("2017-01-03", "ns") + np.arange(n) * np.timedelta64(1, "s"),
        "latitude": np.linspace(35.0, 38.0, n),
        "longitude": np.linspace(301.0, 304.0, n),
    }
    with pytest.raises(ValueError, match=r"is a grid of \{.*'time': 20000.*8e\+12 points: 6\.4e\+04 GB") as caught:
        Target.of(axes).evaluate(combine)
    assert "pandas.DataFrame(target)" in str(caught.value) and "maps.chunk(time=1)" in str(caught.value)
    assert Target.of(pd.DataFrame(axes)).evaluate(combine).shape == (n,)
    dims = tuple(axes)
    maps = xr.DataArray(da.zeros((n, n, n), chunks=(1, n, n)), axes, dims)
    assert Target.of(maps).evaluate(combine).chunks is not None


def test_a_target_without_points_is_refused(grid):
    with pytest.raises(ValueError, match=r"the target has no point: its latitude is empty"):
        Target.of(grid.isel(latitude=slice(0)))


@pytest.mark.parametrize("target", [np.zeros(3), "grid.nc", None])
def test_what_has_no_coordinates_is_refused(target):
    with pytest.raises(TypeError, match=r"the target must be a Dataset, a DataArray or a mapping .* got"):
        Target.of(target)


def test_a_target_without_time_says_so(grid):
    target = Target.of(grid.drop_vars("time"))
    assert target.evaluate(lambda points: points.positions[:, 0]).dims == ("latitude", "longitude")
    with pytest.raises(ValueError, match=r"the target has no time.*target\.assign_coords\(time=\.\.\.\)"):
        target.with_time()
