"""The neural method: what its settings do, beyond the contract of every method."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.helpers import observed_passes, pass_error
from xinr.geo.points import Points
from xinr.methods import ObservationError
from xinr.methods.neural.architectures.positional import Positional
from xinr.methods.neural.architectures.siren import Siren, SirenNetwork
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.settings import packed

SMALL = {"hidden_features": 64, "hidden_layers": 2, "steps": 150, "batch_size": 512, "learning_rate": 5e-3}


@pytest.mark.parametrize("optimizer", ["muon", "adam"])
def test_recovers_a_smooth_signal(optimizer):
    x, y, signal, _, index = observed_passes()
    fitted = Siren(**SMALL, length_scale=500.0, time_scale=100.0, optimizer=optimizer).fit(x, y, pass_error(y, index))
    assert np.sqrt(np.mean((fitted.predict(Points.of(x)) - signal) ** 2)) < 0.3 * signal.std()


def test_a_bias_per_pass_in_the_errors_removes_planted_biases():
    x, y, signal, _, index = observed_passes(bias=0.05)
    settings = Siren(**SMALL, length_scale=500.0, time_scale=100.0)
    deaf, aware = (
        np.sqrt(np.mean((settings.fit(x, y, pass_error(y, index, bias=bias)).predict(Points.of(x)) - signal) ** 2))
        for bias in (0.0, 0.05)
    )
    assert aware < 0.8 * deaf


@pytest.mark.parametrize("seed", [0, 1])
def test_what_all_passes_share_is_not_their_bias(seed):
    """A network may stray by what biases take up: the mean of the residuals would be 3 mm and more."""
    x, y, _, _, index = observed_passes(seed=seed)
    settings = Positional(hidden_features=64, hidden_layers=2, batch_size=512, length_scale=1000.0, time_scale=100.0)
    fitted = settings.fit(x, y, pass_error(y, index, bias=0.1))
    assert abs(np.mean(y - fitted.predict(Points.of(x)))) < 1e-3


def test_a_slope_per_pass_in_the_errors_removes_planted_slopes():
    x, y, signal, _, index = observed_passes()
    distance = 1e-3 * x[:, 0]
    tilted = y + distance * (0.2 * np.random.default_rng(3).standard_normal(40))[index]
    settings = Siren(**SMALL, length_scale=500.0, time_scale=100.0)
    deaf, aware = (
        settings.fit(x, tilted, ObservationError(np.full(len(y), 0.01), index, distance, 0.01, slope)).predict(
            Points.of(x)
        )
        for slope in (0.0, 0.2)
    )
    assert np.sqrt(np.mean((aware - signal) ** 2)) < 0.8 * np.sqrt(np.mean((deaf - signal) ** 2))


def test_noisy_points_weigh_less():
    x, y, signal, _, index = observed_passes()
    spoilt = np.random.default_rng(1).random(len(y)) < 0.3
    y = y + np.where(spoilt, 0.5, 0.0)
    settings = Siren(**SMALL, length_scale=500.0, time_scale=100.0)
    noise = np.where(spoilt, 1.0, 0.01)
    trusting = settings.fit(x, y, pass_error(y, index)).predict(Points.of(x))
    wary = settings.fit(x, y, ObservationError(noise, index, np.zeros(len(y)))).predict(Points.of(x))
    assert np.abs(wary - signal).mean() < 0.3 * np.abs(trusting - signal).mean()


def test_withheld_passes_stop_a_fit_that_learns_noise():
    x, y, _, _, index = observed_passes(n_passes=12, noise=0.1)
    greedy = {**SMALL, "steps": 1000}
    fitted = Siren(**greedy, length_scale=50.0, time_scale=5.0, withheld_passes=0.25, patience=3).fit(
        x, y, pass_error(y, index)
    )
    steps, rmse = fitted.history["step"], fitted.history["rmse"]
    assert steps[-1] < 1000
    assert len(steps) - 1 - np.argmin(rmse) == 3


def test_history_without_withheld_passes_has_losses_alone():
    x, y, _, _, index = observed_passes()
    history = Siren(**SMALL).fit(x, y, pass_error(y, index)).history
    assert np.all(np.diff(history["loss"][[0, -1]]) < 0)
    assert np.isnan(history["rmse"]).all()
    np.testing.assert_array_equal(history["step"], [25, 50, 75, 100, 125, 150])


def test_the_seed_determines_the_field():
    x, y, _, _, index = observed_passes()
    first, again, other = (
        Siren(**{**SMALL, "steps": 20}, seed=seed).fit(x, y, pass_error(y, index)).predict(Points.of(x[:50]))
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0


def test_initialisation_keeps_the_spread_of_activations():
    network = SirenNetwork(4, 256, 4, 14.0, torch.Generator().manual_seed(0))
    h = torch.rand(2000, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    spreads = []
    for layer in network.layers:
        h = torch.sin(network.omega_0 * layer(h))
        spreads.append(float(h.detach().std()))
    # Sitzmann et al. (2020), theorem 1.8: arcsine-distributed activations, standard deviation 1/sqrt(2).
    np.testing.assert_allclose(spreads[1:], 2**-0.5, atol=0.06)


def test_bfloat16_and_float32_agree():
    x, y, signal, _, index = observed_passes()
    fits = [
        Siren(**SMALL, length_scale=500.0, time_scale=100.0, precision=precision)
        .fit(x, y, pass_error(y, index))
        .predict(Points.of(x))
        for precision in ("float32", "bfloat16")
    ]
    assert np.sqrt(np.mean((fits[0] - fits[1]) ** 2)) < 0.3 * signal.std()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps must be a finite number above zero"),
        ({"length_scale": -1.0}, "length_scale must be a finite number above zero"),
        ({"optimizer": "sgd"}, "optimizer must be one of"),
        ({"precision": "float8"}, "precision must be one of"),
        ({"withheld_passes": 1.0}, r"withheld_passes must be a fraction in \[0, 1\)"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Siren(**settings)


def test_withholding_every_pass_is_refused():
    x, y, _, _, index = observed_passes(n_passes=2)
    with pytest.raises(ValueError, match="leaves none to fit or to withhold"):
        Siren(**SMALL, withheld_passes=0.9).fit(x, y, pass_error(y, index))


def test_a_trained_network_is_rebuilt_from_its_state():
    x, y, _, _, index = observed_passes()
    fitted = Siren(**{**SMALL, "steps": 20}).fit(x, y, pass_error(y, index))
    again = NeuralPredictor.from_state(fitted.state())
    np.testing.assert_array_equal(fitted.predict(Points.of(x)), again.predict(Points.of(x)))
    np.testing.assert_array_equal(fitted.history["loss"], again.history["loss"])
    assert again.name == fitted.name == "siren"


def test_a_network_that_is_not_known_here_is_refused():
    x, y, _, _, index = observed_passes()
    state = Siren(**{**SMALL, "steps": 1}).fit(x, y, pass_error(y, index)).state()
    with pytest.raises(ValueError, match=r"a network 'magic', which is not known here: expected one of \['finer', "):
        NeuralPredictor.from_state(state | {"architecture": packed(["magic", {}])})


def test_a_fit_that_diverges_says_so():
    x, y, _, _, index = observed_passes()
    with pytest.raises(FloatingPointError, match=r"training diverged by step 25 .* Lower learning_rate"):
        Siren(**{**SMALL, "optimizer": "adam", "learning_rate": 1e8}).fit(x, y, pass_error(y, index))


def test_an_unknown_device_is_refused():
    x, y, _, _, index = observed_passes()
    with pytest.raises(ValueError, match="device 'cudaa' cannot be used here"):
        Siren(**SMALL, device="cudaa").fit(x, y, pass_error(y, index))


def test_kilometres_in_degrees_are_refused():
    with pytest.raises(ValueError, match="length_scale = 900 is in degrees in the frame 'degrees'"):
        Siren(frame="degrees")
