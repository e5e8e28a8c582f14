"""Measurements that are given twice count once, whichever file or release they come from."""

import numpy as np
import pytest
import xarray as xr

from tests.helpers import one_mission, two_missions
from xinr import Observations


def shifted(ds, milliseconds, by=0.0):
    time = ds.time.values + np.timedelta64(round(1e6 * milliseconds), "ns")
    return ds.assign(sla_unfiltered=ds.sla_unfiltered + by).assign_coords(time=time)


@pytest.mark.parametrize("milliseconds", [0, 1e-3, 3, 40, 400])
def test_of_two_releases_the_first_counts_and_the_other_is_said(milliseconds):
    """Releases of one mission, their times some ms apart: the heights of the first, the passes as of one."""
    ds = one_mission("j3")
    expected = Observations.from_tracks(ds)
    with pytest.warns(UserWarning, match=r"320 of 640 points repeat others of their mission with other heights"):
        found = Observations.from_tracks(xr.concat([ds, shifted(ds, milliseconds, by=0.01)], "time"))
    np.testing.assert_array_equal(found.value, expected.value)
    np.testing.assert_array_equal(found.pass_index, expected.pass_index)
    assert (len(found), found.dropped) == (320, 320)
    assert len(found.coarsen(5)) == 64


def test_the_cure_of_two_releases_works():
    ds = one_mission("j3")
    better, worse = shifted(ds, 3, by=0.01), ds
    with pytest.warns(UserWarning, match=r"the first given are kept\. Give the release that you want alone, or first"):
        found = Observations.from_tracks(xr.concat([better, worse], "time"))
    np.testing.assert_array_equal(found.value, Observations.from_tracks(better).value)


def test_repeats_with_the_same_heights_are_counted_without_a_word():
    ds = one_mission("j3")
    few = shifted(ds.isel(time=np.arange(5, 300, 7)), 1e-3)
    found = Observations.from_tracks(xr.concat([ds, few], "time").sortby("time"))
    assert (len(found), found.dropped) == (320, few.sizes["time"])


def test_releases_sorted_into_one_another_are_found_too():
    ds = one_mission("j3")
    both = xr.concat([ds, shifted(ds, 3)], "time").sortby("time")
    assert len(Observations.from_tracks(both)) == 320


def test_files_of_one_mission_may_sample_at_different_rates():
    """Most points at 1 Hz, the others at 5 Hz: none of these repeats its neighbour."""
    slow = one_mission("s6a")
    lat = 36.0 + 0.0115 * np.arange(100)
    time = slow.time.values[-1] + np.timedelta64(1, "h") + np.arange(100) * np.timedelta64(200, "ms")
    columns = {"time": time, "latitude": ("time", lat), "longitude": ("time", 0.3 * lat)}
    fast = xr.Dataset({"sla_unfiltered": ("time", 0.1 * lat)}, columns).assign_coords(mission=("time", ["s6a"] * 100))
    assert len(Observations.from_tracks(xr.concat([slow[["sla_unfiltered"]], fast], "time"))) == 420


def test_two_missions_that_fly_together_are_both_used():
    """Jason-3 and Sentinel-6A flew 30 s apart; without names too."""
    ds = one_mission("j3", n_points=20)
    close = shifted(ds, 30_000).assign_coords(mission=("time", np.full(160, "s6a")))
    both = xr.concat([ds, close], "time")
    assert len(Observations.from_tracks(both)) == len(Observations.from_tracks(both.drop_vars("mission"))) == 320


def test_samples_of_high_rate_are_no_repeats():
    """At 40 Hz points are 25 ms and 175 m apart, in any order."""
    time = np.datetime64("2017-01-01", "ns") + np.arange(400) * np.timedelta64(25, "ms")
    lat = 36.0 + 0.00157 * np.arange(400)
    ds = xr.Dataset({"ssh": ("time", 0.1 * lat)}, {"time": time, "lat": ("time", lat), "lon": ("time", 0.0 * lat)})
    order = np.random.default_rng(0).permutation(400)
    assert len(Observations.from_tracks(ds)) == len(Observations.from_tracks(ds.isel(time=order))) == 400


def test_simultaneous_points_of_a_swath_or_a_snapshot_are_all_used():
    lat, lon = np.meshgrid(36.0 + 0.002 * np.arange(20), 0.0025 * np.arange(20), indexing="ij")
    times = np.datetime64("2017-01-01", "ns") + np.repeat(np.arange(20), 20) * np.timedelta64(37, "ms")
    for time in (times, times[:1].repeat(400)):
        columns = {"time": time, "lat": ("time", lat.ravel()), "lon": ("time", lon.ravel())}
        swath = xr.Dataset({"ssh": ("time", lat.ravel())}, columns)
        assert len(Observations.from_tracks(swath, swath_block=0.0)) == 400


def test_real_tracks_do_not_repeat(med2021):
    import xinr

    found = Observations.from_tracks(xinr.open_tracks(med2021 / "*_l3_*.nc"))
    with xr.open_dataset(next(med2021.glob("dt_med_j3_*.nc"))) as ds:
        assert len(found.take(found.mission_index == found.missions.index("j3"))) == int(ds.sla_unfiltered.count())


def test_missions_do_not_repeat_one_another():
    assert len(Observations.from_tracks(two_missions())) == 640
