"""The calls of the README, as written there, on real tracks of the Western Mediterranean."""

import numpy as np
import pytest
import xarray as xr

import xinr

QUICK = {"method": "siren", "steps": 40, "hidden_features": 64, "hidden_layers": 2}


@pytest.fixture(scope="module")
def ds(med2021):
    """Three weeks of three missions."""
    tracks = xinr.open_tracks([next(med2021.glob(f"dt_med_{mission}_phy_l3_*.nc")) for mission in ("alg", "h2b", "j3")])
    weeks = (tracks.time >= np.datetime64("2021-01-20")) & (tracks.time < np.datetime64("2021-02-10"))
    return tracks.isel(time=weeks.values)


@pytest.fixture(scope="module")
def ref(med2021):
    """A week of the fourth."""
    return xinr.open_tracks(med2021 / "dt_med_s3a_phy_l3_*.nc").sel(time=slice("2021-01-27", "2021-02-02"))


@pytest.fixture(scope="module")
def grid():
    return xr.Dataset(
        coords={
            "time": np.arange("2021-01-27", "2021-02-04", dtype="datetime64[D]").astype("datetime64[ns]"),
            "latitude": np.arange(31.0, 44.5, 0.5),
            "longitude": np.arange(2.0, 19.5, 0.5),
        }
    )


def test_tracks_are_fitted_and_mapped(ds, grid):
    maps = ds.inr.fit(**QUICK, lwe=True).interp(grid)
    assert maps.sla.dims == ("time", "latitude", "longitude")
    assert 0.02 < float(maps.sla.std()) < 0.3


def test_interp_of_tracks_then_the_verbs_of_its_map(ds, grid, ref):
    maps = ds.inr.interp(grid, method="oi", sigma=0.1, lwe=True)
    slope = maps.inr.gradient()
    assert slope.dsla_dx.shape == maps.sla.shape
    assert 1e-8 < float(abs(slope.dsla_dx).mean()) < 1e-5
    table = maps.inr.score(ref, segment_length=300.0, resamples=50)
    assert table.attrs["mdt_added"] == "True"
    assert float(table.rmse) < 0.7 * float(table.rmse_null)


def test_tracks_are_differentiated_and_scored_without_a_fit_first(ds, ref):
    first = ds.isel(time=slice(0, 4000))
    assert first.inr.gradient(sigma=0.1).sizes == {"time": 4000}
    table = ds.inr.score(ref, sigma=0.1, lwe=True, segment_length=300.0, resamples=50)
    assert float(table.rmse) < 0.7 * float(table.rmse_null)
