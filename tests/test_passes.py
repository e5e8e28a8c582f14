"""Passes end at gaps, turns in latitude, jumps, and with the mission."""

import numpy as np
import pytest
import xarray as xr

from xinr import Observations
from xinr.observations.passes import number_passes, runs, streams

SECOND = np.timedelta64(10**9, "ns")
START = np.datetime64("2020-01-01", "ns")


def passes_of(latitude, seconds, longitude=None, stream=None):
    n = len(latitude)
    time = START + (np.asarray(seconds) * 1e9).astype("timedelta64[ns]")
    stream = np.zeros(n, int) if stream is None else np.asarray(stream)
    longitude = np.zeros(n) if longitude is None else np.asarray(longitude)
    return number_passes(stream, time, longitude, np.asarray(latitude, float)).tolist()


def test_one_ascending_track_is_one_pass():
    assert passes_of(0.06 * np.arange(5), np.arange(5)) == [0] * 5


def test_a_gap_of_ten_minutes_begins_a_pass_and_a_shorter_one_does_not():
    assert passes_of([0, 0.06, 0.12, 0.18], [0, 1, 602, 603]) == [0, 0, 1, 1]
    assert passes_of([0, 0.06, 0.12 + 20, 0.18 + 20], [0, 1, 500, 501]) == [0] * 4


def test_a_turn_in_latitude_begins_a_pass():
    # At the turn itself the latitude does not change for a step.
    assert passes_of([66.0, 66.05, 66.05, 66.0, 65.95], range(5)) == [0, 0, 0, 1, 1]


def test_a_turn_at_a_gap_begins_one_pass():
    assert passes_of([0, 0.06, 0.12, 0.06, 0.0], [0, 1, 5000, 5001, 5002]) == [0, 0, 1, 1, 1]


def test_a_jump_faster_than_any_satellite_begins_a_pass():
    assert passes_of(0.06 * np.arange(4), range(4), longitude=[0, 0, 50, 50]) == [0, 0, 1, 1]


def test_the_dateline_is_no_jump():
    assert passes_of(0.06 * np.arange(4), range(4), longitude=[179.9, 179.95, -179.95, 179.98]) == [0] * 4


def test_another_stream_begins_a_pass():
    assert passes_of(0.06 * np.arange(4), range(4), stream=[0, 0, 1, 1]) == [0, 0, 1, 1]


def test_one_point_is_one_pass():
    assert passes_of([1.0], [0]) == [0]
    assert runs(np.array([], bool)).tolist() == [0]


def test_simultaneous_instruments_are_separated():
    n = 30
    time = START + np.concatenate([np.arange(n), np.arange(n)]) * SECOND
    lat, lon = np.tile(0.06 * np.arange(n), 2), np.repeat([0.0, 20.0], n)
    assert streams(time, lon, lat).tolist() == [0] * n + [1] * n
    shuffled = np.random.default_rng(0).permutation(2 * n)
    found = streams(time[shuffled], lon[shuffled], lat[shuffled])
    assert len(set(zip(found, lon[shuffled], strict=True))) == 2


def test_one_instrument_is_one_stream():
    lat = np.concatenate([0.06 * np.arange(20), 40 - 0.06 * np.arange(20)])
    time = START + np.concatenate([np.arange(20), 6000 + np.arange(20)]) * SECOND
    assert not streams(time, np.zeros(40), lat).any()
    assert streams(time[:0], np.zeros(0), np.zeros(0)).size == 0


@pytest.mark.parametrize("labelled", [True, False])
def test_missions_that_measure_at_the_same_time_keep_their_passes(mission, labelled):
    both = xr.concat([mission("a", seed=1), mission("b", seed=2, first=0.003)], "time")
    obs = Observations.from_tracks(both if labelled else both.drop_vars("mission"))
    assert obs.n_passes == 16
    assert np.bincount(obs.pass_index).tolist() == [40] * 16
    mixed = Observations.from_tracks(both.drop_vars("mission").sortby("time"))
    assert np.bincount(mixed.pass_index).tolist() == [40] * 16
