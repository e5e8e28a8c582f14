"""Calibration: fields whose errors are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from xinr.fields.fitted import FittedField
from xinr.fields.fitting import fit_observations
from xinr.geo.frames import frame_around
from xinr.methods.functions.sum import SumPredictor
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.observation_error import ObservationError
from xinr.methods.predictor import ErrorPredictor
from xinr.metrics.calibration import calibration, gaussian_crps
from xinr.observations.observations import Observations
from xinr.validation.sampling import observation_error

SIGNAL, NOISE, BIAS, SLOPE = 0.05, 0.02, 0.03, 0.04


@dataclass(frozen=True, eq=False)
class Flat(ErrorPredictor):
    """Zero everywhere, with a constant formal error."""

    deviation: float

    def predict(self, points):
        return np.zeros(len(points))

    def posterior(self, points):
        return self.predict(points), np.full(len(points), self.deviation)

    def gradient(self, points):
        raise NotImplementedError

    def curvature(self, points, direction):
        raise NotImplementedError

    def state(self):
        raise NotImplementedError

    @classmethod
    def from_state(cls, state):
        raise NotImplementedError


@pytest.fixture(scope="module")
def withheld():
    """400 passes of 10 points with errors of every kind about a signal of known deviation."""
    rng, passes, points = np.random.default_rng(0), 400, 10
    number = np.repeat(np.arange(passes), points)
    time = np.datetime64("2021-01-01", "ns") + (np.arange(passes * points) * 1e10).astype("timedelta64[ns]")
    latitude = np.tile(np.linspace(30.0, 39.0, points), passes)
    observations = Observations(
        longitude=np.repeat(rng.uniform(0.0, 10.0, passes), points),
        latitude=latitude,
        time=time,
        value=SIGNAL * rng.standard_normal(passes * points),
        pass_index=number,
        mission_index=np.zeros_like(number),
        missions=("",),
        noise=None,
        name="sla",
    )
    error = ObservationError(np.full(len(number), NOISE), number, 1e-3 * observations.distance, BIAS, SLOPE)
    errors = NOISE * rng.standard_normal(len(number))
    errors += error.modes.matrix @ rng.standard_normal(2 * passes)
    return replace(observations, value=observations.value + errors), error


def field_of(observations, deviation):
    frame = frame_around("plane", observations.longitude, observations.latitude, observations.time)
    return FittedField(frame, Flat(deviation), "sla", {"method": "flat"})


def test_a_field_with_the_right_formal_error_is_calibrated(withheld):
    observations, error = withheld
    table = calibration(field_of(observations, SIGNAL), observations, error)
    np.testing.assert_allclose(table.coverage, [0.68, 0.95], atol=0.02)
    np.testing.assert_allclose(table.spread, table.rmse, rtol=0.03)
    deviation = float(np.sqrt(SIGNAL**2 + NOISE**2 + BIAS**2 + np.mean(SLOPE**2 * error.distance**2)))
    np.testing.assert_allclose(table.crps, deviation / np.sqrt(np.pi), rtol=0.03)
    low, high = table.coverage_interval.transpose("quantile", "level").values
    assert (low < table.coverage.values).all()
    assert (high > table.coverage.values).all()
    assert (high - low < 0.1).all()
    assert int(table.n) == 4000


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_formal_errors_too_small_or_too_large_change_the_coverage_and_raise_the_crps(withheld, factor):
    observations, error = withheld
    right = calibration(field_of(observations, SIGNAL), observations, error, resamples=0)
    wrong = calibration(field_of(observations, factor * SIGNAL), observations, error, resamples=0)
    assert (np.sign(wrong.coverage - right.coverage) == np.sign(factor - 1.0)).all()
    assert wrong.crps > right.crps
    assert wrong.rmse == right.rmse
    assert np.isnan(wrong.crps_interval).all()


def test_intervals_are_wider_where_errors_of_a_pass_are_correlated(withheld):
    observations, error = withheld
    shared = replace(
        observations, value=SIGNAL * np.random.default_rng(1).standard_normal(400)[observations.pass_index]
    )
    alone = replace(shared, pass_index=np.arange(len(shared)))
    together, apart = (calibration(field_of(part, SIGNAL), part, error) for part in (shared, alone))
    width, narrow = (np.ptp(table.rmse_interval.values) for table in (together, apart))
    np.testing.assert_allclose(width / narrow, np.sqrt(10.0), rtol=0.1)


@pytest.mark.parametrize("misfit", [-2.0, 0.0, 0.7])
def test_the_crps_is_the_integral_that_defines_it(misfit):
    below = quad(lambda x: ndtr(x / 1.5) ** 2, -np.inf, misfit)[0]
    above = quad(lambda x: ndtr(-x / 1.5) ** 2, misfit, np.inf)[0]
    np.testing.assert_allclose(gaussian_crps(np.array([misfit]), np.array([1.5])), below + above, rtol=1e-8)


def test_observations_of_another_quantity_are_refused(withheld):
    observations, error = withheld
    with pytest.raises(ValueError, match="the observations are of 'adt' and the field of 'sla': take the same"):
        calibration(field_of(observations, SIGNAL), replace(observations, name="adt"), error)


def test_errors_of_other_observations_are_refused(withheld):
    observations, error = withheld
    with pytest.raises(ValueError, match="there are 4000 observations and errors of 3999: expected those of the same"):
        calibration(field_of(observations, SIGNAL), observations, error.take(np.arange(3999)))


def test_a_method_without_a_formal_error_is_refused(tracks):
    observations = Observations.from_tracks(tracks)
    method = Siren(hidden_features=8, hidden_layers=1, steps=2)
    field = fit_observations(observations, method)
    field = replace(field, predictor=SumPredictor((field.predictor,)))
    points = observations.coarsen(method.coarsen)
    with pytest.raises(ValueError, match="the method 'siren' gives no posterior error"):
        calibration(field, points, observation_error(points, method))
