"""Whatever the layout, the answer is that of the clean layout, or an error of xinr's own: never another map."""

import os

import numpy as np
import pytest
import xarray as xr
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import xinr
from tests.layouts_of_tracks import (
    MAPS,
    REFUSED,
    SWATHS,
    TARGETS,
    TRACKS,
    answer,
    applied,
    changes,
    empty,
    mismatched,
)

START = np.datetime64("2017-01-01T03:00", "ns")
#: How many times the usual number of examples: XINR_FUZZ=20 for a campaign.
MORE = float(os.environ.get("XINR_FUZZ", "1"))


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


def clean_swath():
    """A pass of 8 lines of 7 pixels, up to 60 km from the ground track."""
    line, across = np.arange(8.0)[:, None], np.array([-60.0, -40, -20, 0, 20, 40, 60])[None, :]
    latitude, longitude = 36.0 + 0.125 * line + 0.0 * across, 301.0 + across / 85.0 + 0.03125 * line
    value = np.round(0.2 * np.sin(longitude) * np.cos(latitude), 4)
    value[2, 3] = np.nan
    dims = ("num_lines", "num_pixels")
    return xr.Dataset(
        {"ssha_unfiltered": (dims, value, {"units": "m"})},
        {
            "time": ("num_lines", START + np.arange(8) * np.timedelta64(2, "s")),
            "longitude": (dims, longitude, {"units": "degrees_east"}),
            "latitude": (dims, latitude, {"units": "degrees_north"}),
        },
        {"platform": "SWOT"},
    )


def clean_map():
    """Three days, 4 latitudes, 5 longitudes, one node missing."""
    axes = {
        "time": START + np.arange(3) * np.timedelta64(1, "D"),
        "latitude": np.linspace(36.0, 39.0, 4),
        "longitude": np.linspace(300.0, 304.0, 5),
    }
    value = np.round(0.2 * np.sin(np.arange(60.0)), 4).reshape(3, 4, 5)
    value[1, 0, 0] = np.nan
    ds = xr.Dataset({"sla": (tuple(axes), value, {"units": "m"})}, axes)
    ds["longitude"].attrs, ds["latitude"].attrs = {"units": "degrees_east"}, {"units": "degrees_north"}
    return ds


def examples(number):
    return settings(
        max_examples=int(MORE * number), phases=[Phase.explicit, Phase.reuse, Phase.generate]
    )  # without shrinking, which takes minutes


CLEAN, SWATH, MAP = clean_tracks(), clean_swath(), clean_map()
OBSERVED, PIXELS = (rows(xinr.Observations.from_tracks(ds)) for ds in (CLEAN, SWATH))
#: A longitude of another dimension than the latitude is a section, not an error.
OF_TARGETS = [change for change in REFUSED if change is not mismatched]
TARGET = {
    "time": START + np.array([0, 12], "m8[h]"),
    "latitude": np.linspace(37.2, 38.7, 3),
    "longitude": np.array([301.0, 303.0]),
}


def _plausible(ds):
    """Whether a height, if there is one, is none that any file has."""
    names = [name for name in ("sla", "sla_unfiltered") if name in ds and ds[name].dtype.kind == "f"]
    return all(float(abs(ds[name]).max()) < 1e4 for name in names if ds[name].size)


def values(ds):
    """The first variable in the order of a map, or of tracks."""
    first = next(iter(ds.data_vars.values()))
    return first.transpose("time", "latitude", "longitude").values if first.ndim == 3 else first.values


@examples(60)
@given(data=st.data(), several=changes(TRACKS))
def test_tracks_of_any_layout_are_the_same_observations(data, several):
    ds = applied(data.draw, CLEAN, several)
    check(answer(lambda: rows(xinr.Observations.from_tracks(ds))), OBSERVED, refusable=False)


@examples(100)
@given(data=st.data(), several=changes(TRACKS), odd=st.sampled_from(REFUSED))
def test_odd_tracks_are_the_same_observations_or_refused(data, several, odd):
    ds = odd(data.draw, applied(data.draw, CLEAN, several))
    check(answer(lambda: rows(xinr.Observations.from_tracks(ds))), OBSERVED, refusable=True)


@examples(30)
@given(data=st.data(), several=changes(SWATHS))
def test_swaths_of_any_layout_are_the_same_observations(data, several):
    ds = applied(data.draw, SWATH, several)
    check(answer(lambda: rows(xinr.Observations.from_tracks(ds))), PIXELS, refusable=False)


@examples(50)
@given(data=st.data(), several=changes(SWATHS), odd=st.sampled_from(REFUSED))
def test_odd_swaths_are_the_same_observations_or_refused(data, several, odd):
    ds = odd(data.draw, applied(data.draw, SWATH, several))
    check(answer(lambda: rows(xinr.Observations.from_tracks(ds))), PIXELS, refusable=True)


@examples(30)
@given(
    data=st.data(),
    several=changes(MAPS),
    odd=st.none() | st.sampled_from(REFUSED),
    verb=st.sampled_from(["interp", "gradient"]),
)
def test_maps_of_any_layout_are_the_same_map_or_refused(data, several, odd, verb):
    ds = applied(data.draw, MAP, several if odd is None else [*several, odd])
    assume(odd is not empty and _plausible(ds))  # a map is taken as it is
    expected = values(getattr(MAP.inr, verb)(TARGET))
    got = answer(lambda: values(getattr(ds.inr, verb)(TARGET).compute()))
    if isinstance(got, str):
        assert odd is not None and len(got) > 40, got
    else:
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-4)


@pytest.fixture(scope="module", params=["oi", "kriging"])
def method(request):
    return request.param


@examples(5)
@given(data=st.data(), several=changes(TRACKS), odd=st.none() | st.sampled_from(REFUSED))
def test_fits_to_tracks_of_any_layout_are_the_same_map_or_refused(method, data, several, odd):
    expected = values(xinr.fit(CLEAN, method, coarsen=1).interp(TARGET))
    ds = applied(data.draw, CLEAN, several if odd is None else [*several, odd])
    got = answer(lambda: values(xinr.fit(ds, method, coarsen=1).interp(TARGET)))
    if isinstance(got, str):
        assert odd is not None and len(got) > 40, got
    else:
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-3)


@pytest.fixture(scope="module")
def field():
    return xinr.fit(CLEAN, "oi", coarsen=1)


@examples(30)
@given(data=st.data(), clean=st.sampled_from([CLEAN, SWATH, MAP]), odd=st.none() | st.sampled_from(OF_TARGETS))
def test_targets_of_any_layout_are_the_same_points_or_refused(field, data, clean, odd):
    several = data.draw(changes(TARGETS))
    ds = applied(data.draw, clean, several if odd is None else [*several, odd])
    got = answer(lambda: field.interp(ds).compute())
    if isinstance(got, str):
        assert odd is not None and len(got) > 40, got
    else:
        expected = answer(lambda: field.interp(clean))
        np.testing.assert_allclose(
            np.sort(got.sla.values.ravel()), np.sort(expected.sla.values.ravel()), rtol=0, atol=1e-4
        )


@examples(20)
@given(data=st.data(), several=changes(TRACKS), odd=st.none() | st.sampled_from(REFUSED))
def test_scores_on_tracks_of_any_layout_are_the_same_or_refused(field, data, several, odd):
    reference = CLEAN.assign(mdt=("time", np.zeros(18)), lwe=("time", np.zeros(18)))
    expected = answer(lambda: field.score(reference))
    ds = applied(data.draw, reference, several if odd is None else [*several, odd])
    assume(_plausible(ds))
    got = answer(lambda: field.score(ds))
    if isinstance(got, str):
        assert len(got) > 40, got
    else:
        np.testing.assert_allclose(got.rmse, expected.rmse, rtol=0, atol=1e-4)
