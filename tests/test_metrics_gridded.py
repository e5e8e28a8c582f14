"""Scores of maps against gridded truth: numpy oracles, limits, known cutoffs and errors."""

import warnings

import numpy as np
import pytest
import xarray as xr

from xinr.metrics import score_maps
from xinr.metrics.gridded import DIMS, _isotropic_score, _maps, _power, _psd_score

NT, NY, NX, STEP = 48, 32, 40, 0.25


def grid(values, **axes):
    default = {
        "time": np.datetime64("2012-10-01", "ns") + np.arange(NT) * np.timedelta64(1, "D"),
        "latitude": 33 + STEP * np.arange(NY),
        "longitude": 295 + STEP * np.arange(NX),
    }
    return xr.DataArray(values, default | axes, DIMS, name="ssh")


@pytest.fixture(scope="module")
def truth():
    return grid(np.random.default_rng(0).normal(size=(NT, NY, NX)))


@pytest.fixture(scope="module")
def noisy(truth):
    return truth + 0.6 * np.random.default_rng(1).normal(size=truth.shape)


def low_pass(values, axes, steps, cutoffs):
    """Keep the waves longer than the cutoff along each axis, exactly (the grid taken as periodic)."""
    spectrum = np.fft.fftn(values)
    for axis, step, cutoff in zip(axes, steps, cutoffs, strict=True):
        k = np.abs(np.fft.fftfreq(values.shape[axis], step))
        shape = [-1 if i == axis else 1 for i in range(3)]
        spectrum = spectrum * (k < 1 / cutoff).reshape(shape)
    return np.fft.ifftn(spectrum).real


def power(values, axes):
    """Hann-windowed power over two axes, by the textbook."""
    window = 1.0
    for axis in axes:
        n = values.shape[axis]
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
        window = window * hann.reshape([-1 if i == axis else 1 for i in range(3)])
    return np.abs(np.fft.fft2((values - values.mean(axes, keepdims=True)) * window, axes=axes)) ** 2


# --- oracles --------------------------------------------------------------------------------------


def test_rmse_scores_equal_numpy(noisy, truth):
    result = score_maps(noisy, truth)
    error, ref = (noisy - truth).values, truth.values
    each = 1 - np.sqrt((error**2).mean((1, 2)) / (ref**2).mean((1, 2)))
    np.testing.assert_allclose(result.rmse_score, each, rtol=1e-12)
    np.testing.assert_array_equal(result.time, truth.time)
    assert float(result.mu) == pytest.approx(each.mean())
    assert float(result.sigma) == pytest.approx(each.std(ddof=0))
    assert float(result.mu_all) == pytest.approx(1 - np.sqrt((error**2).mean() / (ref**2).mean()))
    assert float(result.rmse) == pytest.approx(np.sqrt((error**2).mean()))


def test_psd_score_equals_numpy(noisy, truth):
    found = score_maps(noisy, truth).psd_score
    err, ref = (power(x.values, (0, 2)).mean(1) for x in (noisy - truth, truth))
    expected = (1 - err / ref)[1 : NT // 2, 1 : NX // 2]
    assert found.dims == ("freq_time", "freq_longitude")
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    np.testing.assert_allclose(found.freq_time, np.arange(1, NT // 2) / NT)
    np.testing.assert_allclose(found.freq_longitude, np.arange(1, NX // 2) / (NX * STEP))


def test_isotropic_score_equals_numpy(noisy, truth):
    """Rings of equal width in the radial wavenumber, a quarter as many as points along the shorter side."""
    found = score_maps(noisy, truth).psd_score_r
    radius = np.hypot(np.fft.fftfreq(NY, STEP)[:, None], np.fft.fftfreq(NX, STEP)).ravel()
    edges = np.linspace(0, radius.max(), min(NY, NX) // 4 + 1)
    ring = np.maximum(np.searchsorted(edges, radius, side="left") - 1, 0)
    mean_radius = np.bincount(ring, radius) / np.bincount(ring)
    err, ref = (np.bincount(ring, power(x.values, (1, 2)).mean(0).ravel()) for x in (noisy - truth, truth))
    below_nyquist = mean_radius <= (NY // 2 - 1) / (NY * STEP)
    assert below_nyquist.sum() > 4
    np.testing.assert_allclose(found.freq_r, mean_radius[below_nyquist], rtol=1e-9)
    np.testing.assert_allclose(found, (1 - err / ref)[below_nyquist], rtol=1e-9)


@pytest.mark.parametrize("dims", [("time", "longitude"), ("latitude", "longitude")])
@pytest.mark.parametrize("cut", [0, 1])
def test_power_equals_numpy(truth, dims, cut):
    """The density itself, of even and odd lengths, and what it sums to."""
    values = _maps(truth.isel(time=slice(cut, None), latitude=slice(cut, None), longitude=slice(cut, None)), None, "x")
    found = _power(values, list(dims))
    steps = {"time": 1.0, "latitude": STEP, "longitude": STEP}
    axes = tuple(DIMS.index(dim) for dim in dims)
    sizes, spacing = [values.shape[axis] for axis in axes], [steps[dim] for dim in dims]
    density = power(values.values, axes) * np.prod(spacing) / np.prod(sizes)
    np.testing.assert_allclose(
        found.transpose(*(f"freq_{d}" if d in dims else d for d in DIMS)),
        np.fft.fftshift(density, axes),
        rtol=1e-9,
        atol=1e-15,
    )
    for dim, n, step in zip(dims, sizes, spacing, strict=True):
        np.testing.assert_allclose(found[f"freq_{dim}"], np.fft.fftshift(np.fft.fftfreq(n, step)), atol=1e-12)
    window = [0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n) for n in sizes]
    other = next(dim for dim in DIMS if dim not in dims)
    first = values.isel({other: 0}).transpose(*dims).values
    mean_square = ((first - first.mean()) ** 2 * np.outer(*window) ** 2).mean()
    total = found.isel({other: 0}).sum() / np.prod(np.multiply(sizes, spacing))
    assert float(total) == pytest.approx(mean_square)  # Parseval


def test_no_other_warning_of_xrft_is_silenced(truth, monkeypatch):
    import xrft

    def warns(*arguments, **options):
        warnings.warn("something else will change", FutureWarning, stacklevel=2)

    monkeypatch.setattr(xrft, "power_spectrum", warns)
    with pytest.raises(FutureWarning, match="something else will change"):
        _power(_maps(truth, None, "x"), ["time", "longitude"])


def test_isotropic_score_equals_xrft_time_by_time(noisy, truth):
    xrft = pytest.importorskip("xrft")
    found = _isotropic_score(*(_maps(x, None, "x") for x in (noisy - truth, truth)))
    options = {"dim": ["latitude", "longitude"], "detrend": "constant", "window": "hann", "truncate": True}
    with pytest.warns(FutureWarning, match="drop"):
        psd = [xrft.isotropic_power_spectrum(x, **options).mean("time") for x in (noisy - truth, truth)]
    np.testing.assert_allclose(found, 1 - psd[0] / psd[1], rtol=1e-9)


# --- science: exact low-passes cross 0.5 at their cutoffs -----------------------------------------


@pytest.mark.parametrize(("wavelength", "period"), [(1.3, 5.0), (0.8, 8.0)])
def test_a_low_pass_filter_is_resolved_down_to_its_cutoffs(truth, wavelength, period):
    smooth = truth.copy(data=low_pass(truth.values, (0, 2), (1.0, STEP), (period, wavelength)))
    result = score_maps(smooth, truth)
    assert float(result.lambda_x) == pytest.approx(wavelength, abs=wavelength**2 / (NX * STEP))
    assert float(result.lambda_t) == pytest.approx(period, abs=period**2 / NT)
    assert result.n_contour_lines == 1


@pytest.mark.parametrize("cutoff", [0.8, 1.3])
def test_an_isotropic_low_pass_filter_is_resolved_down_to_its_cutoff(truth, cutoff):
    radius = np.hypot(np.fft.fftfreq(NY, STEP)[:, None], np.fft.fftfreq(NX, STEP))
    smooth = truth.copy(data=np.fft.ifft2(np.fft.fft2(truth.values) * (radius < 1 / cutoff)).real)
    result = score_maps(smooth, truth)
    ring = np.diff(result.freq_r.values).mean()
    assert 1 / float(result.lambda_r) == pytest.approx(1 / cutoff, abs=0.5 * ring)


def test_islands_in_the_score_do_not_decide(truth):
    """A patch of poor score among the long waves has a contour of its own, which is not the longest."""
    smooth = low_pass(truth.values, (0, 2), (1.0, STEP), (4.0, 1.3))
    t, x = np.arange(NT)[:, None, None], STEP * np.arange(NX)
    wave = 3 * np.cos(2 * np.pi * (t / NT + 0.3 * x)) * np.ones((1, NY, 1))
    result = score_maps(truth.copy(data=smooth + wave), truth)
    assert result.n_contour_lines > 1
    assert float(result.lambda_x) == pytest.approx(1.3, abs=0.2)


# --- limits ---------------------------------------------------------------------------------------


def test_perfect_maps_score_one(truth):
    result = score_maps(truth, truth)
    assert (float(result.mu), float(result.sigma), float(result.rmse)) == (1.0, 0.0, 0.0)
    assert np.all(result.psd_score == 1.0)
    assert np.isnan([result.lambda_x, result.lambda_t, result.lambda_r]).all()
    assert result.n_contour_lines == 0


def test_zero_maps_score_zero(truth):
    result = score_maps(0.0 * truth, truth)
    assert float(result.mu) == 0.0
    np.testing.assert_allclose(result.psd_score, 0.0, atol=1e-12)
    assert np.isnan([result.lambda_x, result.lambda_r]).all()


def test_no_power_in_the_truth_is_nan_not_an_error(truth):
    flat = xr.ones_like(truth)
    assert np.isnan(score_maps(1.1 * flat, flat).psd_score).all()


# --- equivalence ----------------------------------------------------------------------------------


def test_layout_does_not_matter(noisy, truth):
    expected = score_maps(noisy, truth)
    datasets = [x.rename("ssh").to_dataset() for x in (noisy, truth)]
    xr.testing.assert_identical(score_maps(*datasets), expected)
    named = [ds.assign(other=0.0 * ds.ssh).rename(ssh="sossheig") for ds in datasets]
    xr.testing.assert_identical(score_maps(*named, variable="sossheig"), expected)
    turned = noisy.transpose("longitude", "time", "latitude").rename(longitude="lon", latitude="lat")
    xr.testing.assert_allclose(score_maps(turned, truth.rename(longitude="lon", latitude="lat")), expected)
    flipped = [noisy.isel(latitude=slice(None, None, -1)), truth.isel(time=slice(None, None, -1))]
    xr.testing.assert_allclose(score_maps(*flipped), expected)
    labelled = noisy.assign_coords(month=("time", noisy.time.dt.month.values))
    xr.testing.assert_identical(score_maps(labelled, truth), expected)
    xr.testing.assert_allclose(score_maps(noisy.chunk(time=7), truth.chunk(latitude=5)), expected)


def test_every_variable_has_units_and_a_long_name(noisy, truth, tmp_path):
    result = score_maps(noisy, truth)
    assert len(result.data_vars) == 10
    for name in result.data_vars:
        assert {"units", "long_name"} <= set(result[name].attrs), name
    assert {str(result[f"freq_{d}"].attrs["units"]) for d in ("time", "longitude", "r")} == {
        "day-1",
        "degree-1",
    }
    result.to_netcdf(tmp_path / "score.nc")


def test_psd_score_keeps_positive_frequencies_only(noisy, truth):
    found = _psd_score(*(_maps(x, None, "x") for x in (noisy - truth, truth)))
    assert found.shape == (NT // 2 - 1, NX // 2 - 1)
    assert float(found.freq_time.min()) > 0
    assert float(found.freq_longitude.min()) > 0


# --- errors ---------------------------------------------------------------------------------------


def uneven(values):
    values = np.array(values)
    values[-1] += (values[-1] - values[-2]) / 2
    return values


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x: x.where(x.longitude > 296), r"prediction has 7680 NaN.*Select a box without land"),
        (lambda x: x.isel(time=0, drop=True), "no time found"),
        (lambda x: x.isel(time=0), r"must have the dimensions \(time, latitude, longitude\) and no other"),
        (lambda x: x.expand_dims(member=2), r"and no other, got \('member', .*da.isel"),
        (lambda x: x.assign_coords(longitude=uneven(x.longitude)), "must be uniform along longitude"),
        (lambda x: x.assign_coords(longitude=(x.longitude + 61) % 360), "make longitudes continuous over 0"),
        (lambda x: x.assign_coords(latitude=0 * x.latitude), "must be uniform along latitude"),
        (lambda x: x.isel(latitude=slice(7)), "needs at least 8 points along latitude, got 7"),
        (lambda x: x.isel(time=slice(0)), "needs at least 8 points along time, got 0"),
        (lambda x: x.isel(time=slice(20)), "different grids: time has 20 points, .*, against 48"),
        (lambda x: x.assign_coords(latitude=x.latitude + 0.1), "different grids: latitude.*field.interp"),
        (
            lambda x: x.to_dataset(name="a").assign(b=x),
            r"has no variable 'ssh', only \['a', 'b'\].*variable=",
        ),
    ],
)
def test_invalid_maps_are_refused(truth, change, text):
    with pytest.raises(ValueError, match=text):
        score_maps(change(truth), truth)


def test_maps_of_different_days_are_refused(truth):
    later = truth.assign_coords(time=truth.time + np.timedelta64(400, "D"))
    with pytest.raises(ValueError, match="different grids: time"):
        score_maps(later, truth)


def test_bare_arrays_are_refused(truth):
    with pytest.raises(TypeError, match="prediction must be an xarray Dataset or DataArray, got ndarray"):
        score_maps(truth.values, truth)
