"""Scores of several predictions on shared points, their paired differences, and errors by region."""

import numpy as np
import pytest
import xarray as xr

from xinr.metrics import bin_errors, score, score_pairs

RULES = {"protocol": "strict", "segment_length": 300.0}


@pytest.fixture(scope="module")
def track():
    """Twenty passes of 80 points, some of stronger signal than others, and three maps of them."""
    rng = np.random.default_rng(0)
    n, passes = 80, 20
    start = np.datetime64("2021-01-01", "ns") + np.arange(passes) * np.timedelta64(11, "h")
    time = (start[:, None] + np.arange(n) * np.timedelta64(943_400_000, "ns")).ravel()
    rough = np.repeat(rng.uniform(0.2, 3.0, passes), n)
    ssh = 0.1 * rough * rng.normal(size=n * passes).cumsum() / 20.0 + 0.2
    common = 0.02 * rough * rng.normal(size=n * passes)
    lon = np.tile(np.linspace(3.0, 8.0, n), passes) + np.repeat(np.linspace(0.0, 1.5, passes), n)
    coords = {"time": time, "longitude": ("time", lon), "latitude": ("time", 36.0 + 0.3 * (lon - 3.0))}
    reference = xr.Dataset({"ssh": ("time", ssh), "mdt": ("time", np.full(n * passes, 0.2))}, coords)
    noise = 0.01 * rough * rng.normal(size=(2, n * passes))
    maps = {
        "good": reference.assign(ssh=reference.ssh + common + noise[0]),
        "less good": reference.assign(ssh=reference.ssh + 1.1 * common + noise[1]),
    }
    return reference, maps


def test_each_prediction_has_the_score_that_it_has_alone(track):
    reference, maps = track
    table = score_pairs(maps, reference, **RULES)
    for name, prediction in maps.items():
        alone = score(prediction, reference, **RULES)
        xr.testing.assert_equal(table.sel(prediction=name)[list(alone.data_vars)].drop_vars("prediction"), alone)


def test_differences_are_antisymmetric_and_none_with_itself(track):
    table = score_pairs(track[1], track[0], **RULES)
    for name in ("rmse", "mu", "sigma"):
        difference, interval = table[f"{name}_difference"].values, table[f"{name}_difference_interval"].values
        np.testing.assert_array_equal(difference, -difference.T)
        np.testing.assert_allclose(interval[0, 1], -interval[1, 0, ::-1])
        assert not interval[0, 0].any() and not difference.diagonal().any()


def test_the_interval_is_that_of_the_same_passes_drawn_for_both(track):
    """Against numpy: passes drawn with replacement, once for both methods."""
    reference, maps = track
    table = score_pairs(maps, reference, **RULES, resamples=4000, seed=3)
    squares = [((ds.ssh - reference.ssh) ** 2).values.reshape(20, 80).sum(axis=1) for ds in maps.values()]
    drawn = np.random.default_rng(7).integers(20, size=(4000, 20))
    rmse = [np.sqrt(square[drawn].sum(axis=1) / (20 * 80)) for square in squares]
    expected = np.quantile(rmse[0] - rmse[1], [0.025, 0.975])
    found = table.rmse_difference_interval.sel(prediction="good", other="less good")
    np.testing.assert_allclose(found, expected, atol=0.05 * abs(expected).max())
    separate = float(np.hypot(*(np.diff(table.rmse_interval.sel(prediction=name))[0] for name in maps)))
    assert float(np.diff(found)[0]) < 0.5 * separate  # passes hard for one are hard for the other
    assert found.max() < 0.0 < separate


def test_only_points_that_every_prediction_has_are_scored(track):
    reference, maps = track
    gappy = maps["good"].assign(ssh=maps["good"].ssh.where(np.arange(1600) >= 100))
    table = score_pairs({"gappy": gappy, "less good": maps["less good"]}, reference, **RULES, resamples=10)
    assert table.n.values.tolist() == [1500, 1500]
    both = maps["less good"].isel(time=slice(100, None))
    assert float(table.rmse[1]) == float(score(both, reference.isel(time=slice(100, None)), **RULES).rmse)


def test_a_score_that_never_crosses_has_no_difference(track):
    reference, maps = track
    null = reference.assign(ssh=reference.mdt)
    table = score_pairs({"null": null, **maps}, reference, **RULES, resamples=0)
    assert np.isnan(table.lambda_x_difference.sel(prediction="null", other="good"))
    assert np.isnan(table.rmse_difference_interval).all() and np.isfinite(table.rmse_difference).all()


def test_predictions_that_cannot_be_compared_are_refused(track):
    reference, maps = track
    with pytest.raises(ValueError, match="no prediction to score"):
        score_pairs({}, reference)
    short = {"a": maps["good"], "b": maps["good"].isel(time=slice(9))}
    with pytest.raises(ValueError, match=r"must be on the same points.*got \{'a': 1600, 'b': 9\}"):
        score_pairs(short, reference)


def test_binned_errors_equal_numpy(track):
    reference, maps = track
    found = bin_errors(maps["good"], reference, spacing=1.0)
    error = (maps["good"].ssh - reference.ssh).values
    for box in found.stack(box=("latitude", "longitude")).transpose("box", ...).box.values:
        lat, lon = box
        inside = (np.floor(reference.latitude) + 0.5 == lat) & (np.floor(reference.longitude) + 0.5 == lon)
        here = found.sel(latitude=lat, longitude=lon)
        assert int(here["count"]) == int(inside.sum())
        if inside.sum() >= 10:
            assert float(here.bias) == pytest.approx(error[inside].mean())
            assert float(here.rmse) == pytest.approx(np.sqrt((error[inside] ** 2).mean()))
            rms = np.sqrt((reference.ssh.values[inside] ** 2).mean())
            assert float(here.score) == pytest.approx(1 - float(here.rmse) / rms)
        else:
            assert np.isnan(here.rmse)
    assert int(found["count"].sum()) == 1600


def test_boxes_follow_the_track_over_the_dateline(track):
    reference, maps = track
    turned = reference.assign_coords(longitude=(reference.longitude + 175.0 + 180.0) % 360.0 - 180.0)
    found = bin_errors(maps["good"], turned, spacing=2.0)
    assert found.sizes["longitude"] <= 5 and int(found["count"].sum()) == 1600


def test_a_spacing_of_zero_is_refused(track):
    with pytest.raises(ValueError, match="spacing must be above zero degrees, got 0"):
        bin_errors(track[1]["good"], track[0], spacing=0.0)
