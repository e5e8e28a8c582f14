"""Whatever the layout, the answer is that of the clean layout, or an error of xinr's own: never another map."""

import numpy as np
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import xinr
from tests.layouts_of_tracks import REFUSED, TRACKS, answer, applied, changes

START = np.datetime64("2017-01-01T03:00", "ns")
MORE = settings.get_profile("long") if "long" in settings._profiles else None
REGION = (298.0, 306.0, 35.0, 42.0)


def clean_tracks():
    """Two passes of 9 points, over 300-304 E: some heights missing."""
    along = np.arange(9.0)
    longitude = np.concatenate([300.5 + 0.25 * along, 303.5 - 0.25 * along])
    latitude = np.concatenate([37.0 + 0.125 * along, 38.0 + 0.125 * along])
    time = START + np.concatenate([along, 50_000 + along]).astype("m8[s]")
    value = np.round(0.2 * np.sin(longitude) * np.cos(latitude), 4)
    value[4] = np.nan
    return xr.Dataset(
        {"sla_unfiltered": ("time", value, {"units": "m"})},
        {
            "time": time,
            "longitude": ("time", longitude, {"units": "degrees_east"}),
            "latitude": ("time", latitude, {"units": "degrees_north"}),
        },
    )


def rows(obs):
    """Points in order of time and position, longitudes within 0 to 360."""
    seconds = (obs.time - START) / np.timedelta64(1, "s")
    table = np.stack([seconds, obs.longitude % 360.0, obs.latitude, obs.value, obs.pass_index], axis=1)
    return table[np.lexsort(np.round(table[:, 2::-1].T, 3))]


def check(got, expected, refusable):
    if isinstance(got, str):
        assert refusable and len(got) > 40, got
    else:
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-4)


CLEAN = clean_tracks()
OBSERVED = rows(xinr.Observations.from_tracks(CLEAN))
GRID = {"time": START + np.array([0, 12], "m8[h]"), "latitude": np.linspace(37.2, 38.7, 3), "longitude": [301.0, 303.0]}
FITS = {"oi": {"coarsen": 1}, "kriging": {"coarsen": 1}}


@settings(max_examples=250)
@given(data=st.data(), several=changes(TRACKS))
def test_tracks_of_any_layout_are_the_same_observations(data, several):
    ds = applied(data.draw, CLEAN, several)
    check(answer(lambda: rows(xinr.Observations.from_tracks(ds))), OBSERVED, refusable=False)


@settings(max_examples=250)
@given(data=st.data(), several=changes(TRACKS), odd=st.sampled_from(REFUSED))
def test_odd_tracks_are_the_same_observations_or_refused(data, several, odd):
    ds = odd(data.draw, applied(data.draw, CLEAN, several))
    check(answer(lambda: rows(xinr.Observations.from_tracks(ds))), OBSERVED, refusable=True)
