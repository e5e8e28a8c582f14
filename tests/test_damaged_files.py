"""Damaged files are refused by name, or read as far as xarray reads them: no crash, no hang."""

import numpy as np
import pytest

import xinr
from tests.helpers import one_mission
from tests.mutated_files import grid, outcomes, swath


@pytest.fixture
def tracks():
    return one_mission("alg", n_passes=2, n_points=30).drop_vars("mission")


def changed(path, place, new):
    data = bytearray(path.read_bytes())
    data[place : place + len(new)] = new
    path.write_bytes(data)


def test_mutated_files_never_crash_or_hang_and_errors_name_them(tmp_path):
    found = outcomes(range(150), tmp_path)
    assert {seed: each for seed, each in found.items() if each not in ("read", "refused")} == {}
    assert {"read", "refused"} <= set(found.values())


@pytest.mark.parametrize("form", ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"])
def test_classic_files_that_count_more_than_they_hold_are_refused(tmp_path, tracks, form):
    path, whole = tmp_path / "tracks.nc", tracks
    whole.to_netcdf(path, format=form, engine="netcdf4")
    assert xinr.open_tracks(path).sizes["time"] == 60
    place = path.read_bytes().index(b"units")
    changed(path, place - 8, b"\xff" * 8)
    with pytest.raises(ValueError, match=r"tracks.nc cannot be read as netCDF .*its header.*Download it again"):
        xinr.open_tracks(path)


@pytest.mark.parametrize(("place", "message"), [(0, "a name in its header is empty"), (12, "has the type 0")])
def test_classic_files_with_zeros_in_the_header_are_refused(tmp_path, tracks, place, message):
    path = tmp_path / "tracks.nc"
    tracks.to_netcdf(path, format="NETCDF3_CLASSIC")
    start = path.read_bytes().index(b"\x00\x00\x00\x05units")  # a length, a name of 8 bytes, a type
    changed(path, start + place, bytes(4))
    with pytest.raises(ValueError, match=rf"tracks.nc cannot be read as netCDF .*{message}"):
        xinr.open_tracks(path)


def test_hdf5_files_with_zeros_in_a_heap_are_refused(tmp_path, tracks):
    tracks.to_netcdf(tmp_path / "tracks.nc")
    xinr.MapField.of(grid()).save(tmp_path / "field.nc")
    for path in tmp_path.iterdir():
        changed(path, path.read_bytes().index(b"GCOL") + 32, bytes(400))
    with pytest.raises(ValueError, match=r"tracks.nc cannot be read as netCDF \(an object without size in a heap"):
        xinr.open_tracks(tmp_path / "tracks.nc")
    with pytest.raises(ValueError, match=r"field.nc is truncated or no netCDF file \(an object without size in a heap"):
        xinr.open_field(tmp_path / "field.nc")


def test_a_damaged_variable_is_told_when_it_is_read(tmp_path, tracks):
    path = tmp_path / "tracks.nc"
    rng = np.random.default_rng(0)
    tracks["sla_unfiltered"] = "time", rng.normal(size=60)
    tracks.to_netcdf(path, encoding={"sla_unfiltered": {"zlib": True, "shuffle": False}})
    stream = path.read_bytes().index(b"\x78\x5e")  # of zlib
    changed(path, stream + 20, bytes(60))
    ds = xinr.open_tracks(path)
    with pytest.raises(OSError, match=r"tracks.nc cannot be read on \(.*is it complete\? Download it again"):
        ds.load()


def test_swaths_of_years_without_nanoseconds_are_refused():
    ds = swath()
    far = ds.assign_coords(time=("num_lines", ds.time.values.astype("M8[us]") + np.timedelta64(400 * 365, "D")))
    with pytest.raises(ValueError, match=r"1678 to 2261, got 2423.*here -400: .*\+ np.timedelta64\(-146097, 'D'\)"):
        xinr.Observations.from_tracks(far)
    cured = far.assign_coords(time=far["time"] + np.timedelta64(-146097, "D"))
    assert len(xinr.Observations.from_tracks(cured))


def test_a_missing_position_of_a_swath_is_one_pixel_less():
    ds = swath()
    whole = xinr.Observations.from_tracks(ds, swath_block=0.0)
    ds["longitude"][3, 0] = np.nan
    found = xinr.Observations.from_tracks(ds, swath_block=0.0)
    kept = np.isin(whole.value, found.value)
    assert kept.sum() == len(found) == len(whole) - 1
    np.testing.assert_allclose(found.cross_track_distance, whole.cross_track_distance[kept], atol=1.0)


def test_an_infinite_height_of_a_swath_is_refused_as_one_of_a_track_is():
    ds = swath()
    ds["ssha_unfiltered"][3, 0] = np.inf
    with pytest.raises(ValueError, match="sea level must be finite, got infinity"):
        xinr.Observations.from_tracks(ds)


def test_an_error_is_no_sea_level(tracks):
    with pytest.raises(ValueError, match=r"which variable is the sea level\?.* got the candidates \[\]"):
        xinr.Observations.from_tracks(tracks[["sla_unfiltered"]].rename(sla_unfiltered="err_sla"))


def test_an_infinite_position_of_a_swath_is_refused():
    ds = swath()
    ds["longitude"][3, 0] = np.inf
    with pytest.raises(ValueError, match="longitude must be in degrees, within ±360; got inf"):
        xinr.Observations.from_tracks(ds)


def test_a_swath_with_a_depth_of_size_one_is_read():
    ds = swath()
    deep = ds.assign(ssha_unfiltered=ds.ssha_unfiltered.expand_dims("depth", axis=2))
    found, expected = (xinr.Observations.from_tracks(each) for each in (deep, ds))
    np.testing.assert_array_equal(found.value, expected.value)


def test_times_beyond_any_date_are_refused_by_file(tmp_path, tracks):
    path = tmp_path / "tracks.nc"
    numbers = np.linspace(0.0, 1e300, 60)
    bare = tracks.drop_vars("time").assign_coords(time=("time", numbers, {"units": "days since 1950-01-01"}))
    bare.to_netcdf(path)
    with pytest.raises(ValueError, match=r"tracks.nc cannot be read as netCDF .*Download it again"):
        xinr.open_tracks(path)
