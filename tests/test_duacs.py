"""Optimal interpolation as DUACS does it: scales from the tracks, pass biases, sub-domains."""

import numpy as np
import pytest

import xinr
from xinr.geo.frames import frame_around
from xinr.geo.points import Points
from xinr.methods import ObservationError, method_from
from xinr.methods.covariances import ArhanColinDeVerdiere, Gaussian
from xinr.methods.oi import OI
from xinr.methods.oi.covariance_estimation import estimate_covariance
from xinr.methods.oi.duacs import Duacs
from xinr.simulate import eddies, tracks
from xinr.validation.sampling import observation_error

REGION, PERIOD = (295.0, 305.0, 33.0, 43.0), ("2021-01-01", "2021-03-01")
KNOWN = ArhanColinDeVerdiere(220.0, 15.0, 0.12, 0.8, westward_drift=6.0) + Gaussian(1500.0, 20.0, 0.05)


@pytest.fixture(scope="module")
def realisations():
    """Positions, six realisations of a known covariance there, and their observation error."""
    ds = tracks(eddies(waves=9), ["alg", "h2b", "j3", "s3a"], region=REGION, period=PERIOD)
    points = xinr.Observations.from_tracks(ds).coarsen(12)
    frame = frame_around("plane", points.longitude, points.latitude, points.time)
    x = frame.project(points.longitude, points.latitude, points.time)
    root = np.linalg.cholesky(KNOWN.value(x, x) + 1e-8 * np.eye(len(x)))
    return x, root @ np.random.default_rng(0).standard_normal((len(x), 6)), observation_error(points, Duacs())


@pytest.fixture(scope="module")
def realisation(realisations):
    """One of them: positions, signal, observations with noise and pass biases, their error model."""
    x, signals, error = realisations
    rng = np.random.default_rng(1)
    biases = 0.05 * rng.standard_normal(error.pass_index.max() + 1)[error.pass_index]
    return x, signals[:, 0], signals[:, 0] + biases + 0.02 * rng.standard_normal(len(x)), error


@pytest.fixture(scope="module")
def estimated(realisation):
    x, _, y, error = realisation
    return estimate_covariance(x, y, error)


def test_estimated_scales_and_propagation_are_those_of_the_known_covariance(realisations):
    """Two months of one realisation hold few eddies: the median over six."""
    x, signals, error = realisations
    found = [estimate_covariance(x, y, error).mean.settings for y in signals.T]
    for name, known in KNOWN.terms[0].settings.items():
        median = np.median([settings[f"{name}_1"] for settings in found])
        if name.endswith("drift"):  # its prior is zero
            assert 0.4 * known <= median <= 1.2 * known if known else abs(median) < 1.0, name
        else:
            assert median == pytest.approx(known, rel=0.25), name
    assert all(settings["length_scale_2"] == 1500.0 for settings in found)


def test_pass_biases_do_not_change_the_estimated_scales(realisation, estimated):
    x, signal, _, error = realisation
    without = estimate_covariance(x, signal, error).mean
    for name, value in without.settings.items():
        if not name.startswith("northward"):
            assert estimated.mean.settings[name] == pytest.approx(value, rel=0.25), name


def test_the_estimated_variance_is_larger_where_the_signal_is(realisation):
    x, signal, _, error = realisation
    east = x[:, 0] > 0.0
    found = estimate_covariance(x, np.where(east, 2.0, 1.0) * signal, error)
    sigma = found.settings["sigma_1"]
    assert sigma[-1].mean() > 1.3 * sigma[0].mean()
    assert found.at(np.array([400.0, 0.0, 0.0])).sigma > 1.3 * found.at(np.array([-400.0, 0.0, 0.0])).sigma


def test_the_estimate_is_the_same_for_the_same_tracks(realisation, estimated):
    x, _, y, error = realisation
    again = estimate_covariance(x, y, error)
    assert again.mean == estimated.mean
    for name, table in estimated.settings.items():
        np.testing.assert_array_equal(again.settings[name], table)


def test_duacs_errs_less_than_the_baseline_on_withheld_passes(realisation):
    x, signal, y, error = realisation
    mapped = error.pass_index % 5 > 0
    withheld = ~mapped & (np.abs(x[:, 2] - x[:, 2].mean()) < 8.0)  # half a month of two
    ours = Duacs().fit(x[mapped], y[mapped], error.take(mapped)).predict(Points.of(x[withheld]))
    # The lengths of the baseline, one degree, in kilometres.
    baseline = OI(frame="plane", covariance=Gaussian(111.0, 7.0, 1.0)).fit(x[mapped], y[mapped], error.take(mapped))
    theirs = baseline.predict(Points.of(x[withheld]))
    ours_rms, theirs_rms = (np.sqrt(np.mean((each - signal[withheld]) ** 2)) for each in (ours, theirs))
    assert ours_rms < 0.85 * theirs_rms


def test_without_estimate_it_is_local_oi_with_its_covariance(realisation):
    x, _, y, error = realisation
    method = Duacs(estimate=False, covariance=KNOWN, n_neighbors=60)
    local = OI(frame="plane", covariance=KNOWN, n_neighbors=60, tile=method.tile, analysis_step=method.analysis_step)
    at = x[::50] + 10.0
    for ours, theirs in zip(
        method.fit(x, y, error).posterior(Points.of(at)), local.fit(x, y, error).posterior(Points.of(at)), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_passes_that_never_meet_are_refused():
    x = np.array([[0.0, 0.0, 0.0], [10.0, 0.0, 0.0], [5000.0, 0.0, 0.0]])
    error = ObservationError(np.full(3, 0.02), np.array([0, 0, 1]), np.zeros(3))
    with pytest.raises(ValueError, match=r"no two passes come within 450 km and 28 days of each other.*estimate=False"):
        Duacs().fit(x, np.zeros(3), error)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"frame": "sphere"}, "duacs works in the frame 'plane', got 'sphere': leave frame as it is"),
        ({"n_neighbors": 0}, "n_neighbors must be a finite number above zero, got 0"),
        ({"tile": -1.0}, "tile must be a finite number above zero, got -1.0"),
        ({"estimate": "no"}, "estimate must be True or False, got 'no'"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        method_from("duacs", settings)


def test_the_covariance_is_searched_only_where_it_is_not_estimated():
    swath = ("swath_bias", "swath_roll", "swath_baseline", "swath_phase")  # where there is one: see xinr.tune
    assert Duacs().searched == ("noise", "pass_bias", "pass_slope", *swath)
    assert "length_scale_1" in Duacs(estimate=False, pass_bias=0.0).searched


def test_anomalies_of_zero_are_mapped_as_zero(realisation):
    x, _, _, error = realisation
    field = Duacs(n_neighbors=30).fit(x, np.zeros(len(x)), error)
    assert np.abs(field.predict(Points.of(x[:3]))).max() == 0.0
