"""The accessor holds the object, delegates, and remembers nothing."""

import pickle

import pytest
import xarray as xr

import xinr

OI = {"coarsen": 5, "noise": 0.03}


def test_accessor_is_the_function(tracks, grid):
    field = xinr.fit(tracks, "oi", **OI)
    expected = field.interp(grid, error=True)
    timeless = ["sla", "err_sla"]
    for found in (
        tracks.inr.fit("oi", **OI).interp(grid, error=True),
        tracks.inr.interp(grid, error=True, method="oi", **OI),
    ):
        xr.testing.assert_equal(found[timeless], expected[timeless])
    xr.testing.assert_equal(tracks.inr.gradient(grid, **OI), field.gradient(grid))
    xr.testing.assert_equal(tracks.inr.laplacian(grid, **OI), field.laplacian(grid))


def test_a_data_array_has_the_same_verbs(tracks, maps, grid):
    xr.testing.assert_equal(tracks["sla_unfiltered"].inr.interp(grid, **OI), tracks.inr.interp(grid, **OI))
    assert maps["sla"].inr.gradient().identical(maps.inr.gradient())
    assert maps["sla"].inr.laplacian().identical(maps.inr.laplacian())
    assert maps["sla"].inr.interp(tracks).identical(maps.inr.interp(tracks))


def test_tracks_are_differentiated_at_their_own_points(tracks):
    found = tracks.inr.gradient(**OI)
    assert found.dsla_dx.dims == ("time",) and found.sizes == tracks.sizes
    assert tracks.inr.laplacian(**OI).laplacian_sla.dims == ("time",)


def test_a_map_and_a_fit_are_scored_alike(tracks, maps):
    withheld = tracks.isel(time=tracks.mission == "j3")
    options = {"region": None, "period": None, "segment_length": 100.0, "resamples": 10}
    scores = [
        maps.inr.score(withheld, **options),
        maps["sla"].inr.score(withheld, protocol="strict", **options),
        tracks.isel(time=tracks.mission == "alg").inr.score(withheld, method="oi", **OI, **options),
    ]
    for table in scores:
        assert {"mu", "sigma", "lambda_x", "rmse"} <= set(table.data_vars)


def test_options_of_a_fit_are_refused_on_a_map(maps, grid):
    with pytest.raises(
        TypeError, match=r"a gridded map is not fitted: expected no option but 'variable', got \['method'\]"
    ):
        maps.inr.interp(grid, method="oi")


def test_a_map_may_be_named(maps):
    two = maps.assign(adt=maps.sla + 1.0)
    assert "dadt_dx" in two.inr.gradient()  # of an L4 file's heights, the absolute one
    assert "dsla_dx" in two.inr.gradient(variable="sla")


def test_the_accessor_caches_nothing(tracks, grid):
    first = tracks.inr.interp(grid, **OI)
    changed = tracks.copy(deep=True)
    accessor = changed.inr
    accessor.interp(grid, **OI)
    changed["sla_unfiltered"][:] *= 2.0
    xr.testing.assert_allclose(accessor.interp(grid, **OI)["sla"], 2.0 * first["sla"], rtol=1e-9)
    assert vars(accessor) == {"_obj": changed}


def test_data_with_the_accessor_used_still_pickle(tracks, grid):
    tracks.inr.interp(grid, **OI)
    xr.testing.assert_identical(pickle.loads(pickle.dumps(tracks)), tracks)


def test_only_the_scored_points_are_predicted(tracks, monkeypatch):
    field = tracks.inr.fit(**OI)
    predicted = []
    predict = type(field.predictor).predict
    monkeypatch.setattr(type(field.predictor), "predict", lambda self, x: predicted.append(len(x)) or predict(self, x))
    table = field.score(tracks, period=("2017-01-02", "2017-01-03"), segment_length=100.0, resamples=0)
    assert predicted == [int(table.n)]
    assert 0 < predicted[0] < tracks.sizes["time"]


def test_points_lost_to_coarsening_are_counted(tracks):
    field = tracks.inr.fit(coarsen=6)
    assert field.info["trimmed"] == 640 - 6 * field.info["observations"] == 16 * 4
    with pytest.warns(UserWarning, match=r"coarsen=21 leaves out 304 of 640 observations"):
        tracks.inr.fit(coarsen=21)


def test_posterior_samples_are_those_of_the_fitted_field(tracks, grid):
    options = {"spacing": 50.0, "time_step": 3.0, "margin": 100.0, "time_margin": 10.0}
    expected = tracks.inr.fit("kriging", **options).sample(grid, 2, seed=3)
    found = tracks.inr.sample(grid, 2, seed=3, **options)
    xr.testing.assert_equal(found, expected)
    with pytest.raises(ValueError, match="the method 'oi' draws no samples"):
        tracks.inr.sample(grid, 2, method="oi")
