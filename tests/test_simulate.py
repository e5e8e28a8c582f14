from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xinr
from xinr.frame import EARTH_RADIUS
from xinr.passes import number_passes
from xinr.simulate import MISSIONS, Jet, Orbit, eddies, tracks
from xinr.simulate.eddies import BLOCK, WavePredictor

PERIOD = ("2021-01-01", "2021-01-10")


@pytest.fixture(scope="module")
def truth():
    return eddies(waves=150, seed=3)


@pytest.fixture(scope="module")
def grid():
    time = np.array(["2021-01-03T06", "2021-02-01"], "datetime64[ns]")
    axes = {"time": time, "latitude": np.arange(34.0, 43.0), "longitude": np.arange(296.0, 305.0)}
    return xr.Dataset(coords=axes)


def moved(grid, east=0.0, north=0.0, seconds=0.0):
    """Return the points of a grid moved by degrees or seconds."""
    shift = np.timedelta64(round(seconds * 1e9), "ns")
    return grid.assign_coords(
        longitude=grid.longitude + east, latitude=grid.latitude + north, time=grid.time.values + shift
    )


def differences(field, grid, step, **direction):
    """Return first and second central differences of the height."""
    ahead, behind = (field.interp(moved(grid, **{k: s * v for k, v in direction.items()})).sla.values for s in (1, -1))
    here = field.interp(grid).sla.values
    return (ahead - behind) / (2 * step), (ahead - 2 * here + behind) / step**2


def test_gradient_is_the_central_difference(truth, grid):
    degree = 1e3 * EARTH_RADIUS * np.pi / 180
    width = (degree * np.cos(np.radians(grid.latitude))).values[None, :, None]
    h = 1e-3
    found = truth.gradient(grid)
    expected = {
        "dx": differences(truth, grid, h, east=h)[0] / width,
        "dy": differences(truth, grid, h, north=h)[0] / degree,
        "dt": differences(truth, grid, 10.0, seconds=10.0)[0],
    }
    for key, difference in expected.items():
        exact = found[f"dsla_{key}"].values
        np.testing.assert_allclose(exact, difference, rtol=0, atol=1e-5 * np.abs(exact).max())


def test_laplacian_is_the_central_difference(truth, grid):
    degree = 1e3 * EARTH_RADIUS * np.pi / 180
    lat = np.radians(grid.latitude.values)[None, :, None]
    h = 5e-3
    _, east = differences(truth, grid, h, east=h)
    slope, north = differences(truth, grid, h, north=h)
    expected = east / (degree * np.cos(lat)) ** 2 + north / degree**2
    expected -= np.tan(lat) / (1e3 * EARTH_RADIUS) * slope / degree
    exact = truth.laplacian(grid).laplacian_sla.values
    np.testing.assert_allclose(exact, expected, rtol=0, atol=1e-4 * np.abs(exact).max())


def test_blocks_leave_no_seam():
    predictor = WavePredictor(np.array([[0.1, 0.2]]), np.array([2.0]), np.array([0.3]))
    x = np.random.default_rng(0).normal(size=(BLOCK + 3, 2))
    np.testing.assert_allclose(predictor.predict(x), 2.0 * np.cos(x @ [0.1, 0.2] + 0.3))
    assert predictor.gradient(x).shape == (BLOCK + 3, 2)
    assert predictor.predict(x[:0]).shape == (0,)


def test_eddies_have_their_rms_and_seed(grid):
    wide = xr.Dataset(
        coords={
            "time": np.datetime64("2021-01-01", "ns") + 30 * np.arange(40) * np.timedelta64(1, "D"),
            "latitude": np.arange(33.0, 43.1, 2.0),
            "longitude": np.arange(295.0, 305.1, 2.0),
        }
    )
    assert float(eddies(rms=0.1).interp(wide).sla.std()) == pytest.approx(0.1, rel=0.1)
    assert eddies(seed=1).interp(grid).equals(eddies(seed=1).interp(grid))
    assert not eddies(seed=1).interp(grid).equals(eddies(seed=2).interp(grid))


def test_spectrum_along_a_line_falls_with_the_slope():
    x = np.arange(0.0, 4000.0, 5.0)  # km along a great circle: periodograms of many draws
    power = np.zeros(x.size // 2 + 1)
    for seed in range(12):
        predictor = eddies(region=(-5, 5, -5, 5), seed=seed, slope=5.0).predictor
        lines = np.random.default_rng(seed).uniform(-5000, 5000, 8)
        for offset in lines:
            points = np.stack([np.full_like(x, 6371.0), x, np.full_like(x, offset), np.zeros_like(x)], axis=1)
            power += np.abs(np.fft.rfft(predictor.predict(points) * np.hanning(x.size))) ** 2
    k = np.fft.rfftfreq(x.size, 5.0)
    band = (k > 1 / 250) & (k < 1 / 100)
    slope, _ = np.polyfit(np.log(k[band]), np.log(power[band]), 1)
    assert -4.6 < slope < -3.4  # 5 is the limit at short waves; the peak is still near
    assert 250 < 1 / k[np.argmax(power)] < 1500


def test_eddies_drift_west_and_short_waves_forget_sooner(truth):
    wavevector = truth.predictor.wavevector
    size = np.linalg.norm(wavevector[:, :3], axis=1)
    east = np.array([-np.sin(np.radians(300.0)), np.cos(np.radians(300.0)), 0.0])
    residual = np.abs(wavevector[:, 3] - 2.5 * wavevector[:, :3] @ east)
    long = size < np.median(size)
    assert residual[~long].mean() > 2 * residual[long].mean()
    upward = np.array([np.cos(np.radians(38)) * c for c in (0.5, -np.sqrt(0.75))] + [np.sin(np.radians(38))])
    np.testing.assert_allclose(wavevector[:, :3] @ upward, 0.0, atol=1e-15)


def test_a_saved_sea_predicts_the_same(truth, grid, tmp_path):
    truth.save(tmp_path / "truth.nc")
    assert xinr.open_field(tmp_path / "truth.nc").interp(grid).sla.equals(truth.interp(grid).sla)


def test_eddies_refuse_a_negative_size():
    with pytest.raises(ValueError, match="rms must be a finite number above zero"):
        eddies(rms=-1.0)


def test_jet_falls_northward_by_its_drop(grid):
    mdt = Jet(drop=0.8).interp(grid)
    assert mdt.dims == ("latitude", "longitude")
    assert mdt.attrs["units"] == "m"
    assert float(mdt.max() - mdt.min()) == pytest.approx(0.8, rel=0.02)
    assert bool((mdt.diff("latitude") < 0).all())


# Semi-major axes from the missions' handbooks; cycles in days.
@pytest.mark.parametrize(
    ("name", "axis", "cycle"),
    [
        ("j3", 7714.43, 9.9156),
        ("s3a", 7177.93, 27.0),
        ("alg", 7159.5, 35.0),
        ("h2b", 7341.73, 14.0),
        ("c2", 7095.6, 368.24),
    ],
)
def test_orbits_have_the_published_size_and_cycle(name, axis, cycle):
    orbit = MISSIONS[name]
    assert orbit.semi_major_axis == pytest.approx(axis, abs=3.0)
    assert orbit.cycle / 86_400 == pytest.approx(cycle, rel=1e-4)


def test_ground_track_repeats_after_a_cycle():
    for name in ("j3", "s3a", "h2b"):
        orbit = MISSIONS[name]
        start = np.datetime64("2021-03-01", "ns") + np.arange(0, 6000, 60) * np.timedelta64(1, "s")
        later = start + np.timedelta64(round(orbit.cycle * 1e9), "ns")
        for one, other in zip(orbit.ground_track(start), orbit.ground_track(later), strict=True):
            np.testing.assert_allclose((one - other + 180) % 360, 180.0, atol=1e-4)


def test_jason_reaches_its_latitude_and_tracks_lie_315_km_apart_at_the_equator():
    orbit = MISSIONS["j3"]
    time = np.datetime64("2021-01-01", "ns") + np.arange(0, int(orbit.cycle), 5) * np.timedelta64(1, "s")
    lon, lat = orbit.ground_track(time)
    assert np.abs(lat).max() == pytest.approx(66.15, abs=0.02)  # geodetic: the inclination is 66.04
    ascending = np.flatnonzero((lat[:-1] < 0) & (lat[1:] >= 0))
    part = -lat[ascending] / (lat[ascending + 1] - lat[ascending])
    step = (lon[ascending + 1] - lon[ascending] + 180) % 360 - 180
    crossing = np.sort((lon[ascending] + part * step) % 360)
    spacing = np.diff(crossing) * np.pi / 180 * 6378.137
    assert crossing.size in (127, 128)
    np.testing.assert_allclose(spacing[spacing > 10], 315.5, atol=2.0)


def test_tracks_look_like_a_file_of_the_data_centres(truth):
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


def test_points_are_six_to_seven_kilometres_apart(truth):
    for name in MISSIONS:
        ds = tracks(truth, [name], period=PERIOD)
        lat, lon = np.radians(ds.latitude.values), np.radians(ds.longitude.values)
        step = EARTH_RADIUS * np.hypot(np.diff(lat), np.diff(lon) * np.cos(lat[1:]))
        assert 5.9 < np.median(step) < 7.3


def test_errors_are_those_asked_for(truth):
    ds = tracks(truth, ["s3a"], period=("2021-01-01", "2021-02-28"), noise=0.03, pass_bias=0.02)
    error = (ds.sla_unfiltered - ds.lwe - truth.interp(ds).sla).values
    own = number_passes(np.zeros(error.size, int), ds.time.values, ds.longitude.values, ds.latitude.values)
    means = np.array([np.nanmean(error[own == i]) for i in np.unique(own)])
    assert np.nanstd(error - means[own]) == pytest.approx(0.03, rel=0.05)
    assert means.std() == pytest.approx(0.02, rel=0.35)
    assert all(np.ptp(ds.lwe.values[own == i]) == 0 for i in np.unique(own))
    clean = tracks(truth, ["s3a"], period=PERIOD, noise=0.0, pass_bias=0.0)
    there = clean.sla_unfiltered.notnull().values
    expected = (truth.interp(clean).sla + clean.lwe).values
    np.testing.assert_allclose(clean.sla_unfiltered.values[there], expected[there], atol=1e-15)


def test_errors_of_a_mission_do_not_depend_on_the_others(truth):
    alone = tracks(truth, ["s3a"], period=PERIOD)
    among = tracks(truth, ["j3", "s3a"], period=PERIOD)
    xr.testing.assert_allclose(among.isel(time=(among.mission == "s3a").values), alone, rtol=0, atol=1e-12)
    assert not tracks(truth, ["s3a"], period=PERIOD, seed=1).equals(alone)


def test_ones_own_orbit_and_a_region_across_greenwich(truth):
    own = Orbit("mine", 78.0, 10, 140, "2021-01-01", 0.0, 1.0, 0.01)
    ds = tracks(eddies((-5, 5, 30, 40)), {"mine": own}, region=(-5.0, 5.0, 30.0, 40.0), period=PERIOD)
    assert set(ds.mission.values) == {"mine"}
    assert ((ds.longitude >= 355) | (ds.longitude <= 5)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"missions": ["topex"]}, r"unknown missions \['topex'\]: expected some of"),
        ({"noise": -0.1}, "noise must be a standard deviation, 0 or more"),
        ({"noise": {"j3": 0.1}, "missions": ["j3", "c2"]}, r"but not for the missions \['c2'\]"),
        ({"pass_bias": -1.0}, "pass_bias must be a standard deviation"),
        ({"period": ("2021-01-02", "2021-01-01")}, "ends before it begins"),
        ({"region": (0.0, 1.0, 89.0, 90.0)}, "no pass of .* take a longer period or larger box"),
    ],
)
def test_tracks_say_what_is_wrong(truth, options, message):
    with pytest.raises(ValueError, match=message):
        tracks(truth, **{"period": ("2021-01-01", "2021-01-02"), **options})
