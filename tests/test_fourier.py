"""Fourier features: what tells them from the other networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.helpers import observed_passes, pass_error
from xinr.geo.points import Points
from xinr.methods.neural.architectures.fourier import Fourier, FourierNetwork

SMALL = {"waves": 64, "hidden_features": 64, "hidden_layers": 2, "steps": 150, "batch_size": 512}


def features(network: FourierNetwork, x: torch.Tensor) -> torch.Tensor:
    """What enters the first layer of the perceptron."""
    seen = []
    hook = network.layers[0].register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
    network(x)
    hook.remove()
    return seen[0].detach()


@pytest.mark.parametrize("optimizer", ["muon", "adam"])
def test_recovers_a_smooth_signal(optimizer):
    x, y, signal, _, index = observed_passes()
    fitted = Fourier(**SMALL, length_scale=300.0, time_scale=60.0, optimizer=optimizer).fit(x, y, pass_error(y, index))
    assert np.sqrt(np.mean((fitted.predict(Points.of(x)) - signal) ** 2)) < 0.3 * signal.std()


def test_the_kernel_of_the_features_is_the_gaussian_of_the_scales():
    network = FourierNetwork(4, 8, 1, 20_000, torch.Generator().manual_seed(0))
    x = torch.zeros(6, 4)
    x[:, 1] = torch.linspace(0.0, 2.5, 6)  # in units of the scales
    h = features(network, x)
    covariance = (h @ h[0]) / (h[0] @ h[0])
    np.testing.assert_allclose(covariance, np.exp(-(x[:, 1].numpy() ** 2)), atol=0.02)


def test_the_scales_are_kilometres_and_days():
    """Twice the scales on a region twice as large and long: the same field."""
    x, y, _, _, index = observed_passes()
    one, two = (
        Fourier(**{**SMALL, "steps": 20}, length_scale=k * 300.0, time_scale=k * 60.0, precision="float32")
        .fit(k * x, y, pass_error(y, index))
        .predict(Points.of(k * x))
        for k in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_initialisation_keeps_the_size_of_activations():
    network = FourierNetwork(4, 256, 4, 128, torch.Generator().manual_seed(0))
    h = features(network, torch.rand(2000, 4, generator=torch.Generator().manual_seed(1)))
    assert float((h**2).mean()) == pytest.approx(1.0, abs=0.01)
    for layer in network.layers:
        h = torch.nn.functional.gelu(layer(h)).detach()
        assert 0.3 < float((h**2).mean()) < 1.5


def test_it_starts_from_the_mean_height():
    assert float(FourierNetwork(4, 16, 2, 16)(torch.rand(5, 4)).detach().abs().max()) == 0.0


def test_the_waves_stay_as_drawn_and_the_rest_is_trained():
    x, y, _, _, index = observed_passes()
    method = Fourier(**{**SMALL, "steps": 5})
    drawn = method.network(np.ones(4), torch.Generator().manual_seed(method.seed)).state_dict()
    trained = method.fit(x, y, pass_error(y, index)).network.state_dict()
    assert {name: bool(torch.equal(drawn[name], trained[name])) for name in drawn} == {
        name: name == "wavenumber" for name in drawn
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"waves": 0}, "waves must be a finite number above zero, got 0"),
        ({"frame": "degrees"}, "length_scale = 300 is in degrees in the frame 'degrees'"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Fourier(**settings)
