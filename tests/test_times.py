"""Times are exact in any calendar of real days and at any year; other calendars are refused with a cure that works."""

import numpy as np
import pytest
import xarray as xr

import xinr
from tests.helpers import one_mission
from xinr import Observations
from xinr.geo.coordinates import locate

DAY = np.timedelta64(86_400_000_000_000, "ns")
JULIAN = {"units": "days since -4713-01-01T12:00:00Z", "calendar": "julian"}
pytestmark = pytest.mark.filterwarnings("ignore:this date/calendar/year zero convention")


def julian_days(time):
    return (time - np.datetime64("2000-01-01T12:00", "ns")) / DAY + 2451545.0


def recoded(ds, attrs, numbers):
    """The same tracks with time as a variable along N, in other units."""
    bare = ds.reset_coords().rename_dims(time="N").drop_vars("time")
    return bare.assign(time=("N", numbers, attrs)).set_coords(["longitude", "latitude", "mission"])


@pytest.mark.parametrize("along", ["time", "N"])
def test_julian_days_are_the_instants_they_count(along, mission):
    ds = mission("alg")
    numbers = julian_days(ds.time.values)
    along_time = ds.drop_vars("time").assign_coords(time=("time", numbers, JULIAN))
    decoded = xr.decode_cf(along_time if along == "time" else recoded(ds, JULIAN, numbers))
    found = Observations.from_tracks(decoded)
    assert abs(found.time - np.sort(ds.time.values)).max() < np.timedelta64(1, "ms")  # of float64 Julian days
    np.testing.assert_array_equal(found.value, Observations.from_tracks(ds).value)


def test_a_file_in_julian_days_opens(tmp_path, mission):
    ds = mission("alg").drop_vars("mission")
    ds.drop_vars("time").assign_coords(time=("time", julian_days(ds.time.values), JULIAN)).to_netcdf(tmp_path / "a.nc")
    found = xinr.open_tracks(tmp_path / "a.nc")
    assert found.time.dtype == "datetime64[ns]"
    assert abs(found.time.values - ds.time.values).max() < np.timedelta64(1, "ms")


def test_a_map_in_julian_days_is_the_same_map(maps):
    numbers = julian_days(maps.time.values)
    ds = xr.decode_cf(maps.drop_vars("time").assign_coords(time=("time", numbers, JULIAN)))
    found = ds.inr.interp(maps)
    np.testing.assert_allclose(found.sla, maps.sla, atol=1e-9)


@pytest.mark.parametrize("calendar", ["standard", "proleptic_gregorian", "gregorian"])
def test_calendars_of_real_days_are_taken(calendar, mission):
    ds = mission("alg")
    days = (ds.time.values - np.datetime64("1950-01-01", "ns")) / DAY
    coder = xr.coders.CFDatetimeCoder(use_cftime=True)
    attrs = {"units": "days since 1950-01-01", "calendar": calendar}
    found = xr.decode_cf(ds.drop_vars("time").assign_coords(time=("time", days, attrs)), decode_times=coder)
    assert found.time.dtype == object
    assert abs(Observations.from_tracks(found).time - np.sort(ds.time.values)).max() < np.timedelta64(1, "ms")


@pytest.mark.parametrize("calendar", ["noleap", "360_day", "all_leap"])
@pytest.mark.parametrize("along", ["time", "N"])
def test_calendars_of_other_days_are_refused_and_the_cure_runs(calendar, along, mission):
    ds = mission("alg")
    attrs = {"units": "days since 2016-12-20", "calendar": calendar}
    days = np.linspace(0.0, 20.0, 320)
    ds = ds.drop_vars("time").assign_coords(time=("time", days, attrs)) if along == "time" else recoded(ds, attrs, days)
    ds = xr.decode_cf(ds)
    with pytest.raises(ValueError, match=rf"time has the calendar '{calendar}', whose dates are no instants") as caught:
        Observations.from_tracks(ds)
    cure = str(caught.value).rpartition(": ")[2].removesuffix(".")
    assert "convert_calendar" in cure
    assert len(Observations.from_tracks(eval(cure, {"ds": ds}))) > 250


def test_a_time_that_is_not_decoded_is_refused_and_the_cure_works(mission):
    ds = mission("alg")
    days = (ds.time.values - np.datetime64("1950-01-01", "ns")) / DAY
    raw = ds.drop_vars("time").assign_coords(time=("time", days, {"units": "days since 1950-01-01"}))
    with pytest.raises(ValueError, match=r"time must be datetime64, got float64\. Decode it with xr\.decode_cf\(ds\)"):
        Observations.from_tracks(raw)
    assert len(Observations.from_tracks(xr.decode_cf(raw))) == 320


def test_times_coarser_than_the_sampling_are_warned_of_and_make_no_passes():
    """Days in float32 come in steps of 169 s; passes are told apart as those of exact times."""
    ds = one_mission("alg", n_passes=2, n_points=900).drop_vars("mission")
    ds = ds.assign_coords(latitude=("time", np.concatenate([np.linspace(-20, 29, 900), np.linspace(29, -20, 900)])))
    days = (ds.time.values - np.datetime64("1950-01-01", "ns")) / DAY
    attrs = {"units": "days since 1950-01-01"}
    exact, coarse = (xr.decode_cf(recoded_like(ds, days.astype(kind), attrs)) for kind in ("f8", "f4"))
    assert Observations.from_tracks(exact).n_passes == 2
    with pytest.warns(
        UserWarning, match=r"of 1800 points share the time of their neighbour on the track, in steps of 169"
    ):
        assert Observations.from_tracks(coarse).n_passes == 2


def recoded_like(ds, numbers, attrs):
    return ds.drop_vars("time").assign_coords(time=("time", numbers, attrs))


def in_the_year_one(ds):
    return ds.assign_coords(
        time=np.datetime64("0001-01-01", "s") + np.arange(ds.sizes["time"]) * np.timedelta64(1, "D")
    )


def test_maps_of_any_year_have_their_verbs(maps):
    ancient = in_the_year_one(maps)
    for verb in ("gradient", "laplacian", "currents"):
        assert np.isfinite(getattr(ancient.inr, verb)().to_array().isel(latitude=2, longitude=2)).all()
    found = ancient.inr.interp(ancient.isel(latitude=[1, 2]))
    np.testing.assert_allclose(found.sla, maps.sla.isel(latitude=[1, 2]))
    np.testing.assert_allclose(ancient.inr.gradient().dsla_dt, maps.inr.gradient().dsla_dt)


def test_tracks_of_years_beyond_nanoseconds_are_refused_and_the_cure_works(tracks):
    ancient = in_the_year_one(tracks)
    with pytest.raises(ValueError, match=r"time must lie within the years 1678 to 2261, got 0001-01-01") as caught:
        Observations.from_tracks(ancient)
    cure = str(caught.value).rpartition("here 2000: ")[2].removesuffix(".")
    moved = Observations.from_tracks(eval(cure, {"ds": ancient, "np": np}))
    assert moved.time.min() == np.datetime64("2001-01-01")


def test_a_julian_date_is_thirteen_days_behind():
    ds = xr.Dataset(coords={"time": xr.date_range("2021-01-19", periods=2, calendar="julian", use_cftime=True)})
    assert locate(ds, "time").values[0] == np.datetime64("2021-02-01")
