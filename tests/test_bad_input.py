"""Unusable input is refused with what was expected, what was received, and the cure."""

import numpy as np
import pytest
import xarray as xr

import xinr
from tests.helpers import two_missions
from xinr.methods.covariances import Gaussian
from xinr.methods.oi import OI

NAN = float("nan")


def with_values(name, value, where=slice(None)):
    def change(ds):
        values = ds[name].values.copy()
        values[where] = value
        return ds.assign({name: (ds[name].dims, values, ds[name].attrs)})

    return change


def with_units(name, units):
    return lambda ds: ds.assign({name: ds[name].assign_attrs(units=units)})


def with_time(values):
    return lambda ds: ds.assign_coords(time=("time", values(ds)))


def noleap(ds):
    return ds.assign_coords(time=xr.date_range("2017-01-01", periods=640, calendar="noleap", use_cftime=True))


TRACKS = {
    "empty": (lambda ds: ds.isel(time=slice(0)), {}, r"the tracks are empty: expected at least one"),
    "all missing": (
        with_values("sla_unfiltered", NAN),
        {},
        r"all 640 observations are missing \(NaN in 'sla_unfiltered', a correction, or a coordinate\)",
    ),
    "a correction all missing": (with_values("lwe", NAN), {"lwe": True}, r"all 640 observations are missing"),
    "all times missing": (
        with_time(lambda ds: np.full(640, "NaT", "datetime64[ns]")),
        {},
        r"all 640 observations are missing",
    ),
    "radians": (with_units("longitude", "radian"), {}, r"longitude must be in degrees, got units 'radian'"),
    "packed": (
        lambda ds: ds.assign(sla_unfiltered=ds.sla_unfiltered.assign_attrs(scale_factor=1e-4)),
        {},
        r"sla_unfiltered is still packed \(attribute scale_factor\): unpack it with xr\.decode_cf",
    ),
    "a coordinate as height": (
        lambda ds: ds,
        {"variable": "longitude"},
        r"'longitude' is a coordinate: name a sea level variable",
    ),
    "too wide a region": (lambda ds: ds, {"region": (0, 370, 30, 50)}, r"region must be \(west, east, south, north\)"),
    "degrees for a height": (
        with_units("sla_unfiltered", "degree"),
        {},
        r"sla_unfiltered must be in metres, or another length such as 'cm', got units 'degree'\. "
        r"Convert it and say so: ds\['sla_unfiltered'\] = ",
    ),
    "a correction in seconds": (with_units("lwe", "s"), {"lwe": True}, r"lwe must be in metres.*got units 's'"),
    "heights of two dimensions": (
        lambda ds: ds.assign(sla_unfiltered=ds.sla_unfiltered.expand_dims(height=2)),
        {},
        r"one dimension shared by sea level, longitude.*'height': 2, 'time': 640.*A swath has longitude and",
    ),
    "time as numbers": (
        with_time(lambda ds: np.arange(640.0)),
        {},
        r"time must be datetime64, got float64\. Decode it with xr\.decode_cf",
    ),
    "another calendar": (noleap, {}, r"time has the calendar 'noleap', whose dates are no instants.*convert_calendar"),
    "no longitude": (lambda ds: ds.drop_vars("longitude"), {}, r"no longitude found: expected a variable with CF attr"),
    "no latitude": (lambda ds: ds.drop_vars("latitude"), {}, r"no latitude found.*Rename it"),
    "no time": (lambda ds: ds.drop_vars("time"), {}, r"no time found"),
    "two heights": (
        lambda ds: ds.rename(sla_unfiltered="sla", mdt="adt"),
        {},
        r"which variable is the sea level\? Expected one of .* got the candidates \['sla', 'adt'\]\. Name it",
    ),
    "no such variable": (
        lambda ds: ds,
        {"variable": "ssh"},
        r"no variable 'ssh' in the tracks: expected it among \['lwe', 'mdt', 'sla_unfiltered'\]",
    ),
    "no mdt": (lambda ds: ds.drop_vars("mdt"), {"mdt": True}, r"no variable 'mdt' in the tracks"),
    "no lwe": (lambda ds: ds.drop_vars("lwe"), {"lwe": True}, r"no variable 'lwe' in the tracks"),
    "infinite": (
        with_values("sla_unfiltered", np.inf, 3),
        {},
        r"sea level must be finite, got infinity\. Mask it: ds\.where",
    ),
    "a fill value": (
        with_values("sla_unfiltered", 9.96921e36, 3),
        {},
        r"sea level must lie within ±10000 m, got 9\.96921e\+36: a fill value\? Mask it: ds\.where\(abs",
    ),
    "latitude beyond the pole": (
        with_values("latitude", 3600.0, 5),
        {},
        r"latitude must be in degrees, within ±90; got 3600",
    ),
    "longitude beyond a turn": (
        with_values("longitude", 3e8, 5),
        {},
        r"longitude must be in degrees, within ±360; got 3e\+08\. Unpack or convert",
    ),
    "zero noise": (lambda ds: ds, {"noise": 0.0}, r"noise must be a finite number above zero, got 0\.0"),
    "negative noise": (lambda ds: ds, {"noise": -0.1}, r"noise must be a finite number above zero, got -0\.1"),
    "infinite noise": (lambda ds: ds, {"noise": np.inf}, r"noise must be a finite number above zero, got inf"),
    "noise partly missing": (
        with_values("lwe", NAN, 3),
        {"noise": "lwe"},
        r"got nan at 1 of 640: leave those out, ds\.where",
    ),
    "noise lacks a mission": (
        lambda ds: ds,
        {"noise": {"alg": 0.02, "c2": 0.02}},
        r"noise is given for \['alg', 'c2'\], but the tracks hold the missions \['alg', 'j3'\]: add \['j3'\]",
    ),
    "no such noise": (lambda ds: ds, {"noise": "sd"}, r"no variable 'sd' for the noise: expected one of \['lwe'"),
    "noise of another shape": (
        lambda ds: ds.assign(sd=("mode", [1.0, 2.0])),
        {"noise": "sd", "variable": "sla_unfiltered"},
        r"the noise 'sd' must have one value for each of 640 points, got \{'mode': 2\}",
    ),
    "noise in decibels": (with_units("lwe", "dB"), {"noise": "lwe"}, r"lwe must be in metres.*got units 'dB'"),
    "a region without data": (
        lambda ds: ds,
        {"region": (0, 10, 30, 40)},
        r"no observation lies in the region \(0, 10, 30, 40\) \(west, east, south, north, in degrees\)",
    ),
    "a region in another order": (
        lambda ds: ds,
        {"region": (36, 40, 300, 306)},
        r"region must be \(west, east, south, north\) in degrees with south < north, got \(36, 40, 300, 306\)",
    ),
    "a segment too short": (
        lambda ds: ds,
        {"coarsen": 50},
        r"no segment of track has 50 consecutive points, so coarsen=50 would leave nothing: use a smaller factor",
    ),
    "a negative scale": (
        lambda ds: ds,
        {"length_scale": -1.0},
        r"length_scale must be a finite number above zero, got -1",
    ),
    "a scale of zero": (lambda ds: ds, {"time_scale": 0}, r"time_scale must be a finite number above zero, got 0"),
    "kilometres for degrees": (
        lambda ds: ds,
        {"length_scale": 150.0},
        r'length_scale = 150 is in degrees in the frame \'degrees\'.*For kilometres set frame="sphere"',
    ),
    "an unknown frame": (lambda ds: ds, {"frame": "cube"}, r"unknown frame 'cube': expected one of"),
    "an unknown method": (
        lambda ds: ds,
        {"method": "magic"},
        r"unknown method 'magic': expected one of \['duacs', .*'kriging', .*'oi', .*'siren'",
    ),
}


@pytest.mark.parametrize(
    ("name", "meant"), [("sirene", "siren"), ("krigging", "kriging"), ("Kirging", "kriging"), ("duac", "duacs")]
)
def test_a_method_that_is_nearly_named(tracks, name, meant):
    with pytest.raises(
        ValueError, match=rf"unknown method '{name}': did you mean '{meant}'\? Expected one of \['duacs'"
    ):
        tracks.inr.fit(name)


@pytest.mark.parametrize("name", ["OI", "Oi", "oi"])
def test_a_method_is_named_in_capitals_or_not(tracks, name):
    assert tracks.inr.fit(name).info["method"] == "oi"


@pytest.mark.parametrize("case", TRACKS)
def test_unusable_tracks_are_refused(case):
    change, options, message = TRACKS[case]
    with pytest.raises(ValueError, match=message):
        change(two_missions()).inr.fit(**options)


def test_some_times_missing_are_dropped(tracks):
    time = np.where(np.arange(640) == 3, np.datetime64("NaT", "ns"), tracks.time)
    assert tracks.assign_coords(time=("time", time)).inr.fit().info["dropped"] == 1


@pytest.mark.parametrize("options", [{"length_scales": 1.0}, {"method": "oi", "steps": 3}])
def test_an_unknown_setting_names_the_valid_ones(tracks, options):
    with pytest.raises(
        TypeError, match=r"OI has no setting \['(length_scales|steps)'\]: expected some of \['frame', 'coar"
    ):
        tracks.inr.fit(**options)


def test_settings_next_to_a_method_object_are_refused(tracks):
    with pytest.raises(TypeError, match=r"settings \['time_scale'\] came with a ready OI: set them on the object"):
        tracks.inr.fit(OI(), time_scale=3.0)


@pytest.mark.parametrize("thing", [np.zeros(3), None, {"sla": [1.0]}])
def test_tracks_that_are_no_xarray_object_are_refused(thing):
    with pytest.raises(TypeError, match=r"tracks must be .*, a DataTree or .* got (ndarray|NoneType|dict)"):
        xinr.fit(thing)


# --- targets --------------------------------------------------------------------------------------


@pytest.fixture
def field(tracks):
    return tracks.inr.fit()


@pytest.mark.parametrize(
    ("shift", "axis"), [({"longitude": 90.0}, "longitude"), ({"latitude": -60.0}, "latitude"), ({"time": 400}, "time")]
)
def test_a_target_wholly_outside_the_data(field, grid, shift, axis):
    (name, by), *_ = shift.items()
    moved = grid.assign_coords({name: grid[name] + (np.timedelta64(by, "D") if name == "time" else by)})
    with pytest.raises(
        ValueError, match=rf"no point of the target is near the data: its {axis} runs from .*observations'"
    ):
        field.interp(moved)


def test_a_target_partly_outside_the_data(field, grid):
    wide = grid.reindex(longitude=np.arange(290.0, 306.0))
    with pytest.warns(
        UserWarning, match=r"part of the target lies beyond the observations, whose longitude runs from 300"
    ):
        found = field.interp(wide)
    assert np.isfinite(found.sla).all()


def test_a_target_in_the_other_convention_is_inside(field, grid):
    expected = field.interp(grid).sla.values
    moved = field.interp(grid.assign_coords(longitude=grid.longitude - 360.0)).sla.values
    np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("verb", ["interp", "gradient", "laplacian"])
def test_a_target_without_a_coordinate(field, grid, verb):
    for name in ("time", "longitude"):
        with pytest.raises(ValueError, match=rf"no {name}"):
            getattr(field, verb)(grid.drop_vars(name))


def test_a_target_without_a_point(field, grid):
    with pytest.raises(ValueError, match=r"the target has no point: its time is empty"):
        field.interp(grid.isel(time=slice(0)))


def test_a_target_that_is_no_xarray_object_is_refused(field):
    with pytest.raises(
        TypeError, match=r"the target must be a Dataset, a DataArray or a mapping of coordinates, or a .* got ndarray"
    ):
        field.interp(np.zeros((3, 3)))


def test_a_target_with_time_as_numbers(field, grid):
    with pytest.raises(ValueError, match=r"time must be datetime64, got int64"):
        field.interp(grid.assign_coords(time=[0, 1, 2, 3]))


def test_a_gradient_of_a_fitted_field_needs_a_target(field):
    with pytest.raises(TypeError, match=r"a fitted field has no grid of its own: say where, field\.gradient\(grid\)"):
        field.gradient()


# --- maps -----------------------------------------------------------------------------------------

MAPS = {
    "repeated longitudes": (
        lambda ds: ds.isel(longitude=[0, 1, 1, 2]),
        r"longitude of a map must increase or decrease without repeats: ds\.sortby\('longitude'\)",
    ),
    "an infinite longitude": (
        lambda ds: ds.assign_coords(longitude=[301.0, 302, 303, 304, 305, np.inf]),
        r"longitude of a map must be in degrees, got \[301\.0, .*inf\]: mend its axis",
    ),
    "longitudes out of order": (
        lambda ds: ds.isel(longitude=[0, 2, 1]),
        r"longitude of a map must increase or decrease",
    ),
    "repeated times": (
        lambda ds: ds.isel(time=[0, 0, 1]),
        r"time of a map must increase or decrease.*drop_duplicates\('time'\)",
    ),
    "a missing latitude": (
        lambda ds: ds.assign_coords(latitude=[36.0, NAN, 37.0, 38.0, 39.0]),
        r"latitude of a map must increase or decrease",
    ),
    "one longitude": (
        lambda ds: ds.isel(longitude=[2]),
        r"longitude of a map must have at least two values, got \[302\.6\]",
    ),
    "hours": (with_units("sla", "h"), r"sla must be in metres, or another length such as 'cm', got units 'h'"),
    "levels": (
        lambda ds: ds.expand_dims(depth=[0.0, 10.0]),
        r"'sla' must have the dimensions \['time', 'latitude', 'longitude'\], got .*ds\.isel\(depth=0\)",
    ),
    "two maps": (
        lambda ds: ds.rename(sla="first").assign(second=ds.sla),
        r"which variable is the map\? Expected one of .* got \['first', 'second'\]\. Name it: variable=<name>",
    ),
    "no map": (lambda ds: ds.drop_vars("sla"), r"which variable is the map\?.* got \[\]"),
    "time as numbers": (lambda ds: ds.assign_coords(time=[0.0, 1, 2, 3]), r"time must be datetime64, got float64"),
    "no longitude": (lambda ds: ds.drop_vars("longitude"), r"no longitude found"),
}


@pytest.mark.parametrize("case", MAPS)
def test_unusable_maps_are_refused(maps, case):
    change, message = MAPS[case]
    with pytest.raises(ValueError, match=message):
        change(maps).inr.gradient()


def test_positions_that_are_no_numbers_are_refused_and_the_cure_works(tracks):
    text = tracks.assign_coords(longitude=tracks.longitude.astype(str))
    with pytest.raises(
        TypeError, match=r"longitude must hold numbers \[degrees\], got <U.*longitude'\]\.astype\(float"
    ):
        text.inr.fit()
    assert text.assign_coords(longitude=text["longitude"].astype(float)).inr.fit().info["observations"]


def test_fill_values_masked_as_told_are_left_out(tracks):
    filled = with_values("sla_unfiltered", 9.96921e36, 3)(tracks)
    assert filled.where(abs(filled["sla_unfiltered"]) < 10000).inr.fit().info["dropped"] == 1


def test_an_unknown_variable_of_a_map_is_refused(maps):
    with pytest.raises(ValueError, match=r"no variable 'adt': expected it among \['sla'\]"):
        maps.inr.gradient(variable="adt")


def test_a_curvilinear_map_is_refused(maps):
    lat, lon = np.meshgrid(maps.latitude, maps.longitude, indexing="ij")
    curved = xr.Dataset(
        {"sla": (("time", "y", "x"), maps.sla.values)},
        {"time": maps.time, "nav_lat": (("y", "x"), lat), "nav_lon": (("y", "x"), lon)},
    )
    with pytest.raises(ValueError, match=r"nav_lat of a map must have one dimension, got \('y', 'x'\): interpolate"):
        xinr.MapField.of(curved)
    with pytest.raises(ValueError, match=r"tracks must have one dimension.*interpolate a curvilinear map"):
        curved.inr.gradient()
    with pytest.raises(
        ValueError, match=r"tracks must have one dimension.*A map is not a track: its \.inr methods need no fit"
    ):
        maps.inr.fit()


def test_a_map_has_no_formal_error(maps, grid):
    with pytest.raises(ValueError, match=r"a map gives no posterior error: ask without error=True"):
        maps.inr.interp(grid, error=True)


def test_a_map_that_is_no_xarray_object_is_refused():
    with pytest.raises(TypeError, match=r"a map must be an xarray Dataset or DataArray, got ndarray"):
        xinr.MapField.of(np.zeros((3, 3)))


def test_sea_levels_that_are_no_numbers_are_refused(tracks):
    text = tracks.assign(sla=tracks.sla_unfiltered.astype(str))
    with pytest.raises(TypeError, match=r"sla must hold numbers \[m\], got <U"):
        text.inr.fit(variable="sla")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"coarsen": 2.5}, "coarsen must be a whole number, got 2.5"),
        ({"coarsen": True}, "coarsen must be a whole number, got True"),
        ({"noise": "0.05"}, "noise must be a number, got '0.05'"),
        ({"window": None}, "window must be a number, got None"),
    ],
)
def test_settings_of_the_wrong_type(settings, message):
    with pytest.raises(TypeError, match=message):
        OI(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"frame": "sphere"}, "length_scale = 1 is in kilometres in the frame 'sphere', less than altimeters resolve"),
        ({"covariance": Gaussian(150.0, 7.0)}, "length_scale = 150 is in degrees in the frame 'degrees'"),
        ({"noise": 0.0}, "noise must be a finite number above zero, got 0.0"),
        ({"pass_bias": -0.1}, r"pass_bias must be a standard deviation \[m\], zero or more, got -0.1"),
        ({"pass_bias": float("inf")}, "pass_bias must be a standard deviation"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        OI(**settings)


def test_degrees_around_the_globe(tracks):
    around = tracks.assign_coords(longitude=("time", np.linspace(0.0, 359.0, 640)))
    with pytest.warns(UserWarning, match="go around the globe, and the frame 'degrees' cuts them"):
        around.inr.fit(coarsen=1)


def test_a_latitude_beyond_the_pole(field, grid):
    with pytest.raises(ValueError, match="latitudes of the target must lie within ±90 degrees, got 95"):
        field.interp(grid.assign_coords(latitude=[37.0, 38.0, 39.0, 40.0, 95.0]))


def test_a_reference_that_is_packed_or_of_truths(field, tracks):
    with pytest.raises(TypeError, match=r"sla_unfiltered must hold numbers \[m\], got bool"):
        field.score(tracks.assign(sla_unfiltered=tracks.sla_unfiltered > 0))
    with pytest.raises(ValueError, match="sla_unfiltered is still packed"):
        field.score(tracks.assign(sla_unfiltered=tracks.sla_unfiltered.assign_attrs(scale_factor=1e-4)))


@pytest.mark.parametrize("bad", [np.inf, 1e30])
def test_a_longitude_that_is_none(field, grid, bad):
    axis = [301.0, 302, 303, 304, 305, bad]
    with pytest.raises(ValueError, match=r"longitudes of the target must lie within ±720 degrees, got (inf|1e\+30)"):
        field.interp(grid.assign_coords(longitude=axis))


def test_a_reference_in_other_units(field, tracks):
    tracks["mdt"].attrs["units"] = "K"
    with pytest.raises(ValueError, match="mdt must be in metres, or another length such as 'cm', got units 'K'"):
        field.score(tracks)


def test_a_height_of_unknown_kind_is_scored_with_a_warning(tracks):
    renamed = tracks.rename(sla_unfiltered="h")
    field = renamed.inr.fit(variable="h", coarsen=5)
    with pytest.warns(UserWarning, match="'h' is taken for an absolute height, and no mdt is added to it"):
        field.score(tracks, segment_length=100.0, resamples=0)
