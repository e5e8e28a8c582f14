from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xinr
from xinr.geo.frames import EARTH_RADIUS
from xinr.geo.points import Points
from xinr.methods.functions.waves import BLOCK, WavePredictor
from xinr.simulate import MeanJet, eddies


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


def test_the_gradient_of_eddies_is_exact(truth, grid):
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


def test_the_laplacian_of_eddies_is_exact(truth, grid):
    degree = 1e3 * EARTH_RADIUS * np.pi / 180
    lat = np.radians(grid.latitude.values)[None, :, None]
    h = 5e-3
    _, east = differences(truth, grid, h, east=h)
    slope, north = differences(truth, grid, h, north=h)
    expected = east / (degree * np.cos(lat)) ** 2 + north / degree**2
    expected -= np.tan(lat) / (1e3 * EARTH_RADIUS) * slope / degree
    exact = truth.laplacian(grid).laplacian_sla.values
    np.testing.assert_allclose(exact, expected, rtol=0, atol=1e-4 * np.abs(exact).max())


def test_waves_are_summed_block_by_block_without_a_difference():
    predictor = WavePredictor(np.array([[0.1, 0.2]]), np.array([2.0]), np.array([0.3]))
    x = np.random.default_rng(0).normal(size=(BLOCK + 3, 2))
    np.testing.assert_allclose(predictor.predict(Points.of(x)), 2.0 * np.cos(x @ [0.1, 0.2] + 0.3))
    assert predictor.gradient(Points.of(x)).shape == (BLOCK + 3, 2)
    assert predictor.predict(Points.of(x[:0])).shape == (0,)


def test_eddies_have_the_rms_given_and_follow_from_the_seed(grid):
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


def test_the_spectrum_along_a_track_falls_with_its_exponent():
    x = np.arange(0.0, 4000.0, 5.0)  # km along a great circle: periodograms of many realisations
    power = np.zeros(x.size // 2 + 1)
    for seed in range(12):
        predictor = eddies(region=(-5, 5, -5, 5), seed=seed, exponent=5.0).predictor
        lines = np.random.default_rng(seed).uniform(-5000, 5000, 8)
        for offset in lines:
            points = np.stack([np.full_like(x, 6371.0), x, np.full_like(x, offset), np.zeros_like(x)], axis=1)
            power += np.abs(np.fft.rfft(predictor.predict(Points.of(points)) * np.hanning(x.size))) ** 2
    k = np.fft.rfftfreq(x.size, 5.0)
    band = (k > 1 / 250) & (k < 1 / 100)
    slope, _ = np.polyfit(np.log(k[band]), np.log(power[band]), 1)
    assert -4.6 < slope < -3.4  # 5 is the limit at short waves; the peak is still near
    assert 250 < 1 / k[np.argmax(power)] < 1500


def test_eddies_drift_west_and_short_waves_decorrelate_sooner(truth):
    wavevector = truth.predictor.wavevector
    size = np.linalg.norm(wavevector[:, :3], axis=1)
    east = np.array([-np.sin(np.radians(300.0)), np.cos(np.radians(300.0)), 0.0])
    residual = np.abs(wavevector[:, 3] - 2.5 * wavevector[:, :3] @ east)
    long = size < np.median(size)
    assert residual[~long].mean() > 2 * residual[long].mean()
    upward = np.array([np.cos(np.radians(38)) * c for c in (0.5, -np.sqrt(0.75))] + [np.sin(np.radians(38))])
    np.testing.assert_allclose(wavevector[:, :3] @ upward, 0.0, atol=1e-15)


def test_saved_eddies_are_the_same_field(truth, grid, tmp_path):
    truth.save(tmp_path / "truth.nc")
    assert xinr.open_field(tmp_path / "truth.nc").interp(grid).sla.equals(truth.interp(grid).sla)


def test_eddies_refuse_a_negative_rms():
    with pytest.raises(ValueError, match="rms must be a finite number above zero"):
        eddies(rms=-1.0)


def test_the_mean_jet_falls_northward_by_its_drop(grid):
    mdt = MeanJet(drop=0.8).interp(grid)
    assert mdt.dims == ("latitude", "longitude")
    assert mdt.attrs["units"] == "m"
    assert float(mdt.max() - mdt.min()) == pytest.approx(0.8, rel=0.02)
    assert bool((mdt.diff("latitude") < 0).all())
