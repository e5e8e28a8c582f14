"""What every method owes: it fits, repeats itself, differentiates exactly, and can be kept and sent away."""

import pickle

import numpy as np
import pytest
import xarray as xr

import xinr
from tests.helpers import two_missions
from xinr.geo.points import Points
from xinr.methods import METHODS, ErrorPredictor, method_from
from xinr.methods.covariances import Gaussian
from xinr.methods.kriging.method import Kriging

# Small and quick; a method that is not named here is tried with its own defaults.
SETTINGS = {
    "kriging": {"spacing": 30.0, "time_step": 2.0, "margin": 100.0, "time_margin": 10.0},
    "oi": {"coarsen": 5},
    "fourier": {"steps": 60, "hidden_features": 64, "hidden_layers": 2, "batch_size": 256, "waves": 32},
    "siren": {"steps": 30, "hidden_features": 32, "hidden_layers": 2, "batch_size": 256, "length_scale": 300.0},
    "finer": {"steps": 30, "hidden_features": 32, "hidden_layers": 2, "batch_size": 256, "length_scale": 600.0},
    "fouriermfn": {"steps": 60, "hidden_features": 64, "hidden_layers": 2, "batch_size": 256},
    "gabormfn": {"steps": 60, "hidden_features": 64, "hidden_layers": 2, "batch_size": 256, "length_scale": 400.0},
    "hashgrid": {"steps": 60, "batch_size": 256, "length_scale": 400.0, "rows": 512, "levels": 2},
    "modulatedsiren": {"steps": 30, "hidden_features": 32, "hidden_layers": 2, "batch_size": 256, "tiles": 2.0},
    "positional": {"steps": 60, "hidden_features": 64, "hidden_layers": 2, "batch_size": 256},
    "tiled": {
        "inner": Kriging(covariance=Gaussian(130.0, 8.0, 0.08), margin=100.0, time_margin=10.0),
        "size": 200.0,
        "margin": 100.0,
    },
    "wire": {"steps": 60, "hidden_features": 32, "hidden_layers": 2, "batch_size": 256, "length_scale": 400.0},
}


@pytest.fixture(scope="module", params=sorted(METHODS))
def method(request):
    return method_from(request.param, SETTINGS.get(request.param, {}))


@pytest.fixture(scope="module")
def field(method):
    return two_missions().inr.fit(method)


def values(field, grid):
    return xr.merge([field.interp(grid), field.gradient(grid), field.laplacian(grid)], combine_attrs="drop_conflicts")


def in_float64(predictor):
    """The same predictor with its weights in float64, so that differences can be taken."""
    state = {k: v.astype(np.float64) if v.dtype.kind == "f" else v for k, v in predictor.state().items()}
    return type(predictor).from_state(state)


def test_fits_and_is_finite_with_units(field, grid):
    found = values(field, grid)
    units = {"sla": "m", "dsla_dx": "m m-1", "dsla_dy": "m m-1", "dsla_dt": "m s-1", "laplacian_sla": "m-1"}
    assert {name: array.attrs["units"] for name, array in found.data_vars.items()} == units
    for array in found.data_vars.values():
        assert array.dims == ("time", "latitude", "longitude") and array.dtype == np.float64
        assert np.isfinite(array).all() and float(array.std()) > 0


def test_misfits_are_smaller_than_the_observations(field, tracks):
    left = tracks.sla_unfiltered - field.interp(tracks).sla
    assert float(left.std()) < 0.8 * float(tracks.sla_unfiltered.std())


def test_the_same_seed_gives_the_same_field(method, tracks, grid):
    xr.testing.assert_equal(tracks.inr.fit(method).interp(grid), tracks.inr.fit(method).interp(grid))


def test_gradient_and_curvature_are_the_central_differences(field, tracks):
    predictor = in_float64(field.predictor)
    points = xinr.Observations.from_tracks(tracks.isel(time=slice(0, 640, 37)))
    x = field.frame.project(points.longitude, points.latitude, points.time)
    rng = np.random.default_rng(0)
    # Steps in units of the scales of the field: hundredths of a degree or kilometres, minutes.
    unit = np.array([{"degrees": 1e-2, "sphere": 0.05, "plane": 0.2}[field.frame.kind]] * (x.shape[1] - 1) + [5e-3])
    gradient = predictor.gradient(Points.of(x))
    slope = np.zeros_like(gradient)
    for axis in range(x.shape[1]):
        step = unit * np.eye(x.shape[1])[axis]
        near, far = (
            predictor.predict(Points.of(x + k * step)) - predictor.predict(Points.of(x - k * step)) for k in (1, 2)
        )
        slope[:, axis] = (8 * near - far) / 12 / unit[axis]
    scale = np.abs(gradient).max(axis=0)
    np.testing.assert_allclose(slope / scale, gradient / scale, rtol=0, atol=1e-5)

    direction = rng.normal(size=x.shape) * unit
    near, far = (
        predictor.predict(Points.of(x + k * direction)) + predictor.predict(Points.of(x - k * direction))
        for k in (1, 2)
    )
    bend = (16 * near - far - 30 * predictor.predict(Points.of(x))) / 12
    curvature = predictor.curvature(Points.of(x), direction)
    np.testing.assert_allclose(bend, curvature, rtol=0, atol=2e-5 * np.abs(curvature).max())


def test_derivatives_of_the_field_are_those_of_its_own_map(field, tracks):
    """End to end, on the sphere and in SI units: against centred differences of a fine map."""
    fine = {
        "time": np.datetime64("2017-01-04") + np.arange(-1, 2) * np.timedelta64(30, "m"),
        "latitude": 37.0 + 0.02 * np.arange(-3, 4),
        "longitude": 303.0 + 0.02 * np.arange(-3, 4),
    }
    maps, middle = field.interp(fine), {"time": 1, "latitude": 3, "longitude": 3}
    exact = xr.merge([field.gradient(fine), field.laplacian(fine)], combine_attrs="drop").isel(middle)
    differences = xr.merge([maps.inr.gradient(), maps.inr.laplacian()], combine_attrs="drop").isel(middle)
    for name, tolerance in (("dsla_dx", 0.01), ("dsla_dy", 0.01), ("dsla_dt", 0.05), ("laplacian_sla", 0.05)):
        size = (
            float(np.abs(field.gradient(tracks)[name]).max())
            if name[0] == "d"
            else float(np.abs(field.laplacian(tracks)[name]).max())
        )
        assert float(differences[name]) == pytest.approx(float(exact[name]), abs=tolerance * size), name


def test_saved_and_opened_it_is_the_same_to_the_bit(field, grid, tmp_path):
    field.save(tmp_path / "field.nc")
    again = xinr.open_field(tmp_path / "field.nc")
    xr.testing.assert_identical(values(again, grid), values(field, grid))
    assert again.info == field.info
    assert again.history.identical(field.history)


def test_pickled_it_is_the_same_to_the_bit(field, grid):
    field.interp(grid)  # what was solved on the way must not stand in the way
    again = pickle.loads(pickle.dumps(field))
    xr.testing.assert_identical(values(again, grid), values(field, grid))


@pytest.mark.parametrize("chunks", [{"time": 1}, {"latitude": 2, "longitude": 4}])
def test_dask_gives_the_same_lazily(field, grid, chunks, count_computes):
    template = grid.assign(any=(("time", "latitude", "longitude"), np.zeros((4, 5, 6)))).chunk(chunks)
    lazy = values(field, template)
    assert count_computes == []
    assert all(array.chunks is not None for array in lazy.data_vars.values())
    computed = lazy.compute()
    assert len(count_computes) == 1
    expected = values(field, grid)
    for name, array in computed.data_vars.items():
        size = float(np.abs(expected[name]).max())
        # Matrix products of other shapes round otherwise.
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=1e-5 * size, err_msg=name)


def test_one_point_and_points_in_any_shape_agree(field, grid):
    whole = field.interp(grid).sla
    one = field.interp(grid.isel(time=[2], latitude=[3], longitude=[4])).sla
    assert one.item() == pytest.approx(float(whole[2, 3, 4]), abs=1e-6)
    scalar = field.interp(grid.isel(time=2, latitude=3, longitude=4)).sla
    assert scalar.dims == () and scalar.item() == pytest.approx(one.item(), abs=1e-6)


def test_a_formal_error_is_above_zero_or_refused(field, grid):
    if isinstance(field.predictor, ErrorPredictor):
        error = field.interp(grid, error=True).err_sla
        assert error.attrs["units"] == "m" and (error > 0).all()
    else:
        with pytest.raises(ValueError, match=r"the method '.*' gives no posterior error: ask without error=True"):
            field.interp(grid, error=True)


def test_results_round_trip_through_netcdf(field, grid, tmp_path):
    found = values(field, grid)
    found.to_netcdf(tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc") as again:
        xr.testing.assert_identical(again.load(), found)


def test_a_field_shows_its_method_settings_and_missions(field, method):
    name = type(method).__name__.lower()
    for text in (repr(field), field._repr_html_()):
        assert f"sla by {name}" in text and "length_scale" in text and "640" not in text.split("observations")[0]
    assert field.info["missions"] == ["alg", "j3"] and field.info["passes"] == 16
