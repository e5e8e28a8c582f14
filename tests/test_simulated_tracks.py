from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import xinr
from tests.benchmarks import ground_tracks
from xinr.geo.frames import EARTH_RADIUS, upward
from xinr.observations.passes import number_passes
from xinr.simulate import (
    CONSTELLATION,
    MISSIONS,
    PERFECT,
    Errors,
    MeanJet,
    Orbit,
    SwathErrors,
    eddies,
    on_land,
    sample,
    swath,
    tracks,
)

PERIOD = ("2021-01-01", "2021-01-10")
NO_SLOW_ERRORS = {"roll": 0.0, "baseline": 0.0, "bias": 0.0}


@pytest.fixture(scope="module")
def truth():
    return eddies(waves=60, seed=3)


def errors_of(ds, truth):
    return (ds.sla_unfiltered - truth.interp(ds).sla).values


def passes_of(ds):
    alone = np.zeros(ds.sizes["time"], dtype=int)
    return number_passes(alone, ds.time.values, ds.longitude.values, ds.latitude.values)


def chord(ds, other):
    """Distance between two positions [km]."""
    one, two = (upward(np.ravel(each.longitude), np.ravel(each.latitude)) for each in (ds, other))
    return EARTH_RADIUS * np.linalg.norm(one - two, axis=1)


# Semi-major axes from the missions' handbooks, of SWOT from AVISO.
@pytest.mark.parametrize(
    ("name", "axis"),
    [("j3", 7714.43), ("s3a", 7177.93), ("alg", 7159.5), ("h2b", 7341.73), ("c2", 7095.6), ("swon", 7268.719)],
)
def test_orbits_have_the_published_size(name, axis):
    assert MISSIONS[name].semi_major_axis == pytest.approx(axis, abs=3.0)


def test_the_nodes_precess_as_the_oblateness_of_the_earth_requires():
    # The turns in a cycle are given, not computed: Ω' = -3/2 J2 (R/a)² n cos i must come out, within its J2² terms.
    for orbit in MISSIONS.values():
        day = 86_400 * orbit.cycle / orbit.turns
        precession = 7.292115e-5 - 2 * np.pi / day
        motion = np.sqrt(398_600.4418 / orbit.semi_major_axis**3)
        expected = -1.5 * 1.08262668e-3 * (6378.137 / orbit.semi_major_axis) ** 2 * motion
        expected *= np.cos(np.radians(orbit.inclination))
        assert precession == pytest.approx(expected, rel=0.02)


def test_ground_tracks_repeat_after_a_cycle_or_drift():
    start = np.datetime64("2021-03-01", "ns") + np.arange(0, 6000, 60) * np.timedelta64(1, "s")
    for name in ("j3", "s3a", "h2b", "swon", "alg"):
        orbit = MISSIONS[name]
        later = start + np.timedelta64(round(orbit.cycle * 86_400e9), "ns")
        (lon, lat), (lon_later, lat_later) = orbit.ground_track(start), orbit.ground_track(later)
        drift = 360.0 * (round(orbit.turns) - orbit.turns)
        np.testing.assert_allclose(lat_later, lat, atol=1e-4)
        np.testing.assert_allclose((lon_later - lon - drift + 180) % 360, 180.0, atol=1e-4)
        assert (abs(drift) > 1.0) == (name == "alg")


def test_jason_reaches_its_latitude_and_tracks_lie_315_km_apart_at_the_equator():
    orbit = MISSIONS["j3"]
    time = np.datetime64("2021-01-01", "ns") + np.arange(0, int(86_400 * orbit.cycle), 5) * np.timedelta64(1, "s")
    lon, lat = orbit.ground_track(time)
    assert np.abs(lat).max() == pytest.approx(66.15, abs=0.02)  # geodetic: the inclination is 66.04
    ascending = np.flatnonzero((lat[:-1] < 0) & (lat[1:] >= 0))
    part = -lat[ascending] / (lat[ascending + 1] - lat[ascending])
    step = (lon[ascending + 1] - lon[ascending] + 180) % 360 - 180
    crossing = np.sort((lon[ascending] + part * step) % 360)
    spacing = np.diff(crossing) * np.pi / 180 * 6378.137
    assert crossing.size in (127, 128)
    np.testing.assert_allclose(spacing[spacing > 10], 315.5, atol=2.0)


def test_interleaved_and_tandem_missions_have_their_documented_phases():
    jason, interleaved = MISSIONS["j3"], MISSIONS["j3n"]
    node = np.array([interleaved.node_time], "datetime64[ns]")
    half = np.timedelta64(round(jason.cycle * 43_200e9), "ns")
    assert jason.ground_track(node - half)[0][0] == pytest.approx(
        interleaved.node_longitude - jason.spacing / 2, abs=0.01
    )
    behind = MISSIONS["s6a"].ground_track(node + np.timedelta64(30, "s"))
    np.testing.assert_allclose(behind, jason.ground_track(node), atol=1e-3)
    a, b = (MISSIONS[name].node_longitude for name in ("s3a", "s3b"))
    assert ((a - b) / MISSIONS["s3a"].spacing) % 1 == pytest.approx(0.5, abs=0.01)  # tracks of the other half-way


def test_simulated_tracks_have_the_layout_of_a_duacs_file(truth):
    ds = tracks(truth, ["j3", "c2"], period=PERIOD)
    assert list(ds.data_vars) == ["sla_unfiltered", "mdt", "lwe"]
    assert ds.sla_unfiltered.dims == ("time",)
    assert all(ds[name].attrs["units"] == "m" for name in ds.data_vars)
    assert ds.cf["longitude"].name == "longitude" and ds.cf["time"].name == "time"
    assert ds.longitude.min() >= 295 and ds.longitude.max() <= 305
    assert 0 < int(ds.sla_unfiltered.isnull().sum()) < 0.05 * ds.sizes["time"]
    for name in ("j3", "c2"):
        own = ds.isel(time=(ds.mission == name).values)
        seconds = np.diff(own.time.values) / np.timedelta64(1, "s")
        assert (seconds > 0).all()
        assert np.median(seconds) == pytest.approx(MISSIONS[name].sampling)
        assert 100 < own.sizes["time"] / 10 < 200  # a 10-degree box sees about 140 points a day


def test_the_default_constellation_samples_every_six_to_seven_kilometres(truth):
    ds = tracks(truth, period=PERIOD)
    assert set(ds.mission.values) == set(CONSTELLATION)
    for _, own in ds.groupby("mission"):
        step = chord(own.isel(time=slice(1, None)), own.isel(time=slice(None, -1)))
        assert 5.9 < np.median(step) < 7.3


def test_noise_pass_bias_and_lwe_have_the_standard_deviations_given(truth):
    period = ("2021-01-01", "2021-02-28")
    ds = tracks(truth, ["s3a"], period=period, errors=Errors(noise=0.03, pass_bias=0.02, pass_slope=0.0))
    error, own = errors_of(ds, truth), passes_of(ds)
    means = np.array([np.nanmean(error[own == i]) for i in np.unique(own)])
    assert np.nanstd(error - means[own]) == pytest.approx(0.03, rel=0.05)
    assert means.std() == pytest.approx(0.02, rel=0.35)
    assert all(np.ptp(ds.lwe.values[own == i]) == 0 for i in np.unique(own))
    assert ds.lwe.std() == pytest.approx(0.02, rel=0.35)


def test_a_pass_slope_is_linear_along_the_pass_and_zero_at_its_middle(truth):
    tilted = Errors(noise=0.0, pass_bias=0.0, pass_slope=0.05, dropout=0.0)
    ds = tracks(truth, ["s3a"], period=("2021-01-01", "2021-02-28"), errors=tilted)
    error, own = errors_of(ds, truth), passes_of(ds)
    slopes = []
    for i in np.unique(own):
        one = ds.isel(time=own == i)
        assert abs(error[own == i].mean()) < 1e-12
        length = chord(one.isel(time=[0]), one.isel(time=[-1])).item()
        slopes.append(np.ptp(error[own == i]) / max(length, 1.0) * 1e3)
    assert np.sqrt(np.mean(np.square(slopes))) == pytest.approx(0.05, rel=0.35)


def test_perfect_altimeters_observe_the_truth(truth):
    ds = tracks(truth, ["s3a"], period=PERIOD, errors=PERFECT)
    np.testing.assert_array_equal(ds.sla_unfiltered, truth.interp(ds).sla)
    assert not ds.lwe.any()


def test_changing_one_error_leaves_the_others_as_they_were(truth):
    one, other = (
        tracks(truth, ["s3a"], period=PERIOD, errors=Errors(missing_passes=share, dropout=0.0)) for share in (0.0, 0.4)
    )
    there = other.sla_unfiltered.notnull()
    assert 0.3 < float(there.mean()) < 0.9
    np.testing.assert_array_equal(other.sla_unfiltered[there], one.sla_unfiltered[there])
    for i in np.unique(passes_of(other)):
        assert np.ptp(there.values[passes_of(other) == i].astype(int)) == 0  # whole passes


def test_dropouts_and_outages_are_missing_data(truth):
    gappy = Errors(dropout=0.01, dropout_length=20, outages={"j3": ("2021-01-03", "2021-01-05")})
    ds = tracks(truth, ["j3", "s3a"], period=PERIOD, errors=gappy)
    missing = ds.sla_unfiltered.isnull()
    day = ds.time.values.astype("datetime64[D]")
    out = (ds.mission.values == "j3") & (day >= np.datetime64("2021-01-03")) & (day <= np.datetime64("2021-01-05"))
    assert out.any() and bool(missing[out].all())
    assert float(missing[~out].mean()) == pytest.approx(1 - 0.99**20, abs=0.08)
    assert ds.mdt.notnull().all()


def test_errors_of_a_mission_do_not_depend_on_the_others(truth):
    alone = tracks(truth, ["s3a"], period=PERIOD)
    among = tracks(truth, ["j3", "s3a"], period=PERIOD)
    xr.testing.assert_allclose(among.isel(time=(among.mission == "s3a").values), alone, rtol=0, atol=1e-12)
    assert not tracks(truth, ["s3a"], period=PERIOD, seed=1).equals(alone)


def test_an_orbit_of_ones_own_and_a_region_across_greenwich():
    own = Orbit("mine", 78.0, 10.0, 140, 10, "2021-01-01", 0.0, 1.0, 0.01)
    ds = tracks(eddies((-5, 5, 30, 40)), {"mine": own}, region=(-5.0, 5.0, 30.0, 40.0), period=PERIOD)
    assert set(ds.mission.values) == {"mine"}
    assert ((ds.longitude >= 355) | (ds.longitude <= 5)).all()


def gridded(values, name="sst"):
    """A map over the Gulf Stream box with half-degree nodes; longitudes -180..180."""
    axes = {"lat": np.arange(32.0, 44.1, 0.5), "lon": np.arange(-66.0, -53.9, 0.5)}
    return xr.DataArray(values(*np.meshgrid(axes["lon"], axes["lat"])), axes, ("lat", "lon"), name=name)


def coast(lon, lat):
    return np.where(lon < -60.0, np.nan, 290.0)  # kelvin: any map that is NaN on land


MASKS = {
    "map": gridded(coast),
    "dataset": xr.Dataset({"flag": gridded(lambda lon, lat: lat.astype(int)), "sst": gridded(coast)}),
    "levels": gridded(coast).expand_dims(
        time=np.array(["2021-01-01", "2021-01-02"], "datetime64[ns]"), depth=[0.0, 9.0]
    ),
    "booleans": gridded(lambda lon, lat: lon < -60.0),
    "lazy": gridded(coast).chunk(lat=5),
    "function": lambda lon, lat: lon < -60.0,
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_no_point_lies_on_land_in_any_form_of_mask(truth, mask):
    ds = tracks(truth, ["j3", "s3a"], period=PERIOD, land=mask)
    everywhere = tracks(truth, ["j3", "s3a"], period=PERIOD)
    assert 300.0 <= float(ds.longitude.min()) < 300.6
    assert 0.4 < ds.sizes["time"] / everywhere.sizes["time"] < 0.6


def test_a_map_of_several_depths_is_land_where_all_are_missing():
    deep = gridded(lambda lon, lat: np.ones_like(lon)).expand_dims(depth=[0.0, 1000.0]).copy()
    deep[1, :, :12] = np.nan
    deep[0, :3] = deep[1, :3] = np.nan
    found = on_land(deep, np.array([295.0, 295.0]), np.array([32.5, 40.0]))
    np.testing.assert_array_equal(found, [True, False])


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (0.5, TypeError, "land must be a gridded map .* got float"),
        (gridded(lambda lon, lat: lon), ValueError, r"'sst' has no NaN.* land=\(ds.mask == 0\)"),
        (lambda lon, lat: lon, ValueError, r"must return \d+ booleans, one a point, got float64"),
        (xr.Dataset({"tmask": gridded(lambda lon, lat: lat.astype(int))}), ValueError, "no map that shows land"),
        (lambda lon, lat: lon < 400, ValueError, "crosses the sea in"),
    ],
)
def test_masks_without_land_are_refused(truth, mask, error, message):
    with pytest.raises(error, match=message):
        tracks(truth, ["j3"], period=("2021-01-01", "2021-01-03"), land=mask)


def test_sampling_at_the_positions_of_tracks_repeats_them(truth):
    ds = tracks(truth, ["j3", "s3a"], period=PERIOD, seed=4)
    shuffled = ds.isel(time=np.random.default_rng(0).permutation(ds.sizes["time"]))
    again = sample(truth, shuffled.rename(time="when", longitude="lon"), seed=4)
    xr.testing.assert_allclose(again.sortby(["mission", "time"]), ds.sortby(["mission", "time"]), atol=1e-12)


def test_sampling_takes_the_mdt_of_the_positions_or_the_one_given(truth):
    ds = tracks(truth, ["j3"], period=PERIOD)
    own = ds.assign(mdt=ds.mdt + 1.0)
    np.testing.assert_array_equal(sample(truth, own).mdt, own.mdt)
    assert not sample(truth, ds.drop_vars("mdt")).mdt.any()
    np.testing.assert_array_equal(sample(truth, own, mdt=MeanJet()).mdt, ds.mdt)


def test_positions_without_missions_need_a_noise(truth):
    ds = tracks(truth, ["j3", "s3a"], period=PERIOD).drop_vars("mission").sortby("time")
    with pytest.raises(ValueError, match=r"noise is known for .* but not for the missions \[''\]"):
        sample(truth, ds)
    found = sample(truth, ds, errors=Errors(noise=0.03, pass_bias=0.0, pass_slope=0.0))
    assert "mission" not in found.coords
    assert np.nanstd(errors_of(found, truth)) == pytest.approx(0.03, rel=0.1)


def test_missing_positions_are_left_out(truth):
    ds = tracks(truth, ["j3"], period=PERIOD)
    holes = ds.assign_coords(latitude=ds.latitude.where(np.arange(ds.sizes["time"]) % 7 != 0))
    assert sample(truth, holes).sizes["time"] == int(holes.latitude.notnull().sum())


def test_positions_must_be_along_a_track(truth):
    grid = xr.Dataset(
        coords={"time": np.array(["2021-01-01"], "M8[ns]"), "latitude": [33.0], "longitude": [300.0, 301]}
    )
    with pytest.raises(ValueError, match="positions must be along a track"):
        sample(truth, grid)


@pytest.mark.parametrize("simulate", [tracks, swath])
def test_a_truth_with_the_mean_in_it_is_refused(simulate):
    times = np.array(["2021-01-01", "2021-03-01"], "datetime64[ns]")
    axes = {"time": times, "latitude": [30.0, 45.0], "longitude": [290.0, 310.0]}
    absolute = xinr.MapField.of(xr.DataArray(np.ones((2, 2, 2)), axes, tuple(axes), name="ssh"))
    with pytest.raises(ValueError, match=r"the truth must be a sea level anomaly, got 'ssh': subtract its mean first"):
        simulate(absolute, period=PERIOD)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"missions": ["topex"]}, r"unknown missions \['topex'\]: expected some of"),
        ({"period": ("2021-01-02", "2021-01-01")}, "ends before it begins"),
        ({"region": (0.0, 1.0, 89.0, 90.0)}, "no pass of .* take a longer period or larger region"),
        ({"errors": Errors(noise={"j3": 0.1}), "missions": ["j3", "c2"]}, r"but not for the missions \['c2'\]"),
        ({"errors": Errors(outages={"j4": PERIOD})}, r"outages are given for \['j4'\], but the missions are"),
    ],
)
def test_invalid_settings_of_tracks_are_refused(truth, options, message):
    with pytest.raises(ValueError, match=message):
        tracks(truth, **{"period": ("2021-01-01", "2021-01-02"), **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": -0.1}, "noise must be a standard deviation, 0 or more"),
        ({"noise": {"j3": -0.1}}, "noise must be a standard deviation, 0 or more"),
        ({"pass_bias": -1.0}, "pass_bias must be a standard deviation"),
        ({"pass_slope": np.nan}, "pass_slope must be a standard deviation"),
        ({"lwe": np.inf}, "lwe must be a standard deviation"),
        ({"dropout": 1.5}, "dropout must be a share between 0 and 1, got 1.5"),
        ({"missing_passes": -0.5}, "missing_passes must be a share between 0 and 1"),
        ({"dropout_length": 2.5}, "dropout_length must be a whole number above zero"),
        ({"outages": {"j3": ("2021-02-01", "2021-01-01")}}, "ends before it begins"),
    ],
)
def test_invalid_errors_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Errors(**options)


@pytest.fixture(scope="module")
def wide(truth):
    return swath(truth, period=("2021-01-01", "2021-01-05"), errors=SwathErrors(noise=0.0, **NO_SLOW_ERRORS))


def test_a_swath_has_the_layout_of_a_swot_file(wide, truth):
    assert wide.sla_unfiltered.dims == ("num_lines", "num_pixels") == wide.longitude.dims
    assert wide.time.dims == ("num_lines",) and wide.sizes["num_pixels"] == 50
    np.testing.assert_allclose(wide.cross_track_distance[:2], [-59.0, -57.0])
    np.testing.assert_allclose(wide.cross_track_distance[25:27], [11.0, 13.0])
    there = wide.sla_unfiltered.notnull()
    np.testing.assert_allclose(wide.sla_unfiltered.where(there), truth.interp(wide).sla.where(there), atol=1e-12)
    inside = xinr.geo.coordinates.within(wide.longitude, wide.latitude, (295, 305, 33, 43))
    np.testing.assert_array_equal(there, inside)
    assert there.any("num_pixels").all()


def test_pixels_are_at_their_distance_from_the_nadir(wide):
    nadir = xr.Dataset(
        dict(zip(("longitude", "latitude"), MISSIONS["swon"].ground_track(wide.time.values), strict=True))
    )
    for column in (0, 20, 30, 49):
        pixel = wide.isel(num_pixels=column)
        np.testing.assert_allclose(chord(pixel, nadir), abs(float(pixel.cross_track_distance)), rtol=1e-4)
    neighbours = chord(wide.isel(num_pixels=0), wide.isel(num_pixels=1))
    np.testing.assert_allclose(neighbours, 2.0, rtol=1e-3)
    lines = chord(wide.isel(num_lines=slice(1, None)), wide.isel(num_lines=slice(None, -1)))
    assert np.median(lines) == pytest.approx(2.0, rel=0.03)
    upward_pass = wide.isel(num_lines=slice(0, 2))
    rising = float(upward_pass.latitude[1, 0] - upward_pass.latitude[0, 0]) > 0
    east_of_nadir = float(upward_pass.longitude[0, -1] - upward_pass.longitude[0, 0]) > 0
    assert rising == east_of_nadir  # right of the flight is east on the way north


def test_roll_baseline_and_bias_have_their_shapes_across_the_swath(truth):
    options = {"period": ("2021-01-01", "2021-03-15"), "spacing": 10.0}
    clean = swath(truth, errors=SwathErrors(noise=0.0, **NO_SLOW_ERRORS), **options)
    x = clean.cross_track_distance / 60.0

    def error(**settings):
        found = swath(truth, errors=SwathErrors(**{"noise": 0.0, **NO_SLOW_ERRORS, **settings}), **options)
        return (found - clean).sla_unfiltered

    for name, shape in {"roll": x, "baseline": x**2, "bias": 0 * x + 1}.items():
        lines = error(**{name: 0.02}) / shape
        assert float(lines.std("num_pixels").max()) < 1e-12
        assert float(np.sqrt((lines**2).mean())) == pytest.approx(0.02, rel=0.4)
        assert float(np.abs(lines.mean("num_pixels").diff("num_lines")).median()) < 0.002  # slow along the pass
    assert float(error(noise=0.0274).std()) == pytest.approx(0.00274, rel=0.02)  # 10 km: a hundred pixels of 1 km


def test_a_swath_is_fitted_as_it_is_and_together_with_tracks(truth, wide):
    nadir = tracks(truth, ["j3"], period=PERIOD)
    both = xr.concat([nadir, xinr.observations.unrolled(wide)], "time")
    points = xinr.Observations.from_tracks(both)
    assert points.missions == ("j3", "swot") and points.of_swath.any()
    at = {"longitude": ("n", points.longitude), "latitude": ("n", points.latitude), "time": ("n", points.time)}
    misfit = points.value - truth.interp(xr.Dataset(at)).sla.values
    assert np.abs(misfit[points.of_swath]).max() < 0.01  # averages of 10 km
    assert both.inr.fit("oi", coarsen=20).info["missions"] == ["j3", "swot"]
    assert wide.inr.fit("oi").info["passes"] == len(np.unique(points.pass_index[points.of_swath]))


def test_a_swath_is_missing_on_land(truth):
    options = {"period": ("2021-01-01", "2021-01-05"), "spacing": 10.0}
    ds = swath(truth, land=MASKS["map"], **options)
    assert float(ds.longitude.where(ds.sla_unfiltered.notnull()).min()) >= 300.0
    assert ds.sla_unfiltered.notnull().any("num_pixels").all()
    with pytest.raises(ValueError, match="no swath crosses the sea in"):
        swath(truth, land=lambda lon, lat: lon < 400, **options)
    with pytest.raises(ValueError, match="spacing must be above zero and within 50 km, a half-swath, got 200"):
        swath(truth, spacing=200.0)
    with pytest.raises(ValueError, match="roll must be a standard deviation"):
        SwathErrors(roll=-1.0)


def test_a_swath_crosses_greenwich():
    region = (-5.0, 5.0, 30.0, 40.0)
    ds = swath(eddies(region, waves=20), region=region, spacing=10.0, period=PERIOD)
    lon = ds.longitude.where(ds.sla_unfiltered.notnull())
    assert bool(((lon >= 355) | (lon <= 5) | lon.isnull()).all()) and bool((lon > 355).any() and (lon < 5).any())


@pytest.mark.parametrize("name", ground_tracks.NAMES)
def test_ground_tracks_are_those_of_real_altimeters(med2021, name):
    path = next(med2021.glob(f"dt_med_{name}_phy_l3_*.nc"))
    with xr.open_dataset(next(med2021.glob("dt_med_mdt_phy_l4_*.nc"))) as land:
        real, simulated, distance = ground_tracks.compared(path, MISSIONS[name], land)
    assert np.median(distance) < 2.0 and distance.max() < 3.0  # AVISO holds repeat orbits to 1 km at the equator
    assert simulated.heading == pytest.approx(real.heading, abs=0.05)
    # Of AltiKa and HY-2B the files have points 2 % nearer than their time stamps and any orbit would.
    assert simulated.spacing == pytest.approx(real.spacing, rel=0.025)
    assert real.passes <= simulated.passes * 1.01 and real.passes > 0.93 * simulated.passes
    assert 0.75 * simulated.points < real.points <= simulated.points
    np.testing.assert_allclose(simulated.revisit, real.revisit, rtol=1e-4)  # AltiKa drifts: NaN


def test_the_table_of_ground_tracks_is_printed(med2021):
    import typer

    app = typer.Typer()
    app.command()(ground_tracks.main)
    lines = CliRunner().invoke(app, [str(med2021)], catch_exceptions=False).output.splitlines()
    assert len(lines) == 2 + len(ground_tracks.NAMES)
    assert lines[2].startswith("| SARAL/AltiKa") and "none" in lines[2] and "nan" not in "".join(lines)


def test_a_simulation_is_sampled_at_real_positions(med2021):
    real = xinr.open_tracks(sorted(med2021.glob("dt_med_[jh]*_phy_l3_*.nc")))
    truth = eddies((0.0, 20.0, 30.0, 45.0), waves=40)
    ds = sample(truth, real)
    assert ds.sizes == real.sizes and set(ds.mission.values) == {"h2b", "j3"}
    assert np.nanstd(errors_of(ds, truth)) == pytest.approx(np.hypot(0.0265, 0.011), rel=0.15)
    np.testing.assert_array_equal(ds.mdt, real.mdt)
