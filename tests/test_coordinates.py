"""Coordinates are found by attributes, then names; longitudes are circular."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from xinr.geo.coordinates import central_longitude, find, locate, within, wrap

longitudes = st.floats(-360, 720, allow_nan=False)


@pytest.mark.parametrize("name", ["longitude", "lon", "LON", "Longitude", "nav_lon"])
@pytest.mark.parametrize("as_coordinate", [True, False])
def test_coordinates_are_found_by_name_as_variable_or_coordinate(name, as_coordinate):
    ds = xr.Dataset({name: ("obs", [1.0, 2.0]), "other": ("obs", [0.0, 0.0])})
    ds = ds.set_coords(name) if as_coordinate else ds
    assert locate(ds, "longitude").name == name


@pytest.mark.parametrize(
    ("axis", "attrs"),
    [
        ("longitude", {"standard_name": "longitude"}),
        ("longitude", {"units": "degrees_east"}),
        ("latitude", {"standard_name": "latitude"}),
        ("latitude", {"units": "degrees_north"}),
        ("time", {"standard_name": "time"}),
        ("time", {"axis": "T"}),
    ],
)
def test_cf_attributes_come_before_names(axis, attrs):
    values = np.array(["2020-01-01"], "datetime64[ns]") if axis == "time" else [1.0]
    ds = xr.Dataset({axis: ("obs", [5.0]), "where": ("obs", values, attrs)})
    assert locate(ds, axis).name == "where"


def test_a_name_decides_among_several_with_attributes():
    attrs = {"standard_name": "longitude"}
    ds = xr.Dataset({"lon_20hz": ("fast", [1.0], attrs), "lon": ("obs", [1.0], attrs)})
    assert locate(ds, "longitude").name == "lon"


def test_a_data_array_is_searched_in_its_coordinates():
    array = xr.DataArray([1.0], dims="obs", coords={"lon": ("obs", [3.0])}, name="latitude")
    assert locate(array, "longitude").item() == 3.0
    assert find(array, "latitude") == []


def test_missing_coordinate_names_what_there_is_and_the_cure():
    with pytest.raises(ValueError, match=r"no longitude found.*got the variables \['a'\].*ds\.rename"):
        locate(xr.Dataset({"a": ("obs", [1.0])}), "longitude")


def test_ambiguous_coordinate_lists_the_candidates():
    attrs = {"units": "degrees_east"}
    ds = xr.Dataset({"a": ("obs", [1.0], attrs), "b": ("obs", [1.0], attrs)})
    with pytest.raises(ValueError, match=r"longitude is ambiguous: it may be any of \['a', 'b'\].*drop_vars"):
        locate(ds, "longitude")


@pytest.mark.parametrize("values", [[1.0], [3]])
def test_undecoded_time_is_refused(values):
    with pytest.raises(ValueError, match=r"time must be datetime64, got (float64|int64).*decode_cf"):
        locate(xr.Dataset({"time": ("obs", values)}), "time")


@given(longitudes, longitudes)
def test_wrap_moves_by_whole_turns_into_the_half_turn_around_the_origin(longitude, origin):
    wrapped = float(wrap(longitude, origin))
    assert abs(wrapped - origin) <= 180.0 + 1e-9
    assert (wrapped - longitude) / 360.0 == pytest.approx(round((wrapped - longitude) / 360.0), abs=1e-9)


@given(st.lists(longitudes, min_size=1, max_size=20), st.integers(-2, 2))
def test_central_longitude_lies_mid_arc_in_every_convention(points, turns):
    centre = central_longitude(points)
    assert 0.0 <= centre < 360.0
    shifted = central_longitude(np.array(points) + 360.0 * turns)
    reach, reach_shifted = (np.abs(wrap(points, origin) - origin).max() for origin in (centre, shifted))
    assert reach == pytest.approx(reach_shifted, abs=1e-6)
    assert reach <= 180.0 + 1e-9


def test_central_longitude_of_a_cluster_across_greenwich_and_the_dateline():
    assert wrap(central_longitude([-5.0, 3.0, 359.0]), 0.0) == pytest.approx(-1.0)
    assert central_longitude([175.0, -179.0]) == pytest.approx(178.0)


@pytest.mark.parametrize("region", [(350, 10, -5, 5), (-10, 10, -5, 5), (350, 370, -5, 5)])
def test_within_takes_any_convention(region):
    lon = np.array([-10.0, 355.0, 0.0, 10.0, 11.0, 180.0, 0.0])
    lat = np.array([0.0, 0.0, 5.0, -5.0, 0.0, 0.0, 6.0])
    assert within(lon, lat, region).tolist() == [True, True, True, True, False, False, False]
    assert within(lon, lat, region, buffer=1.0).tolist() == [False, True, False, False, False, False, False]


def test_the_whole_globe_has_no_eastern_edge():
    assert within([0.0, 359.9, -0.1], [0.0, 0.0, 0.0], (0, 360, -90, 90), buffer=0.25).all()


@pytest.mark.parametrize("region", [(0, 10, 5, -5), (10, 10, -5, 5), (0, 10, -95, 5), (0, 10, np.nan, 5), (0, 10)])
def test_impossible_regions_are_refused(region):
    with pytest.raises(ValueError, match=r"region must be \(west, east, south, north\) in degrees with south < north"):
        within([0.0], [0.0], region)
