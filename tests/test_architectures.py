"""What every neural architecture owes beyond the contract of methods, and what tells each from the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import typer
from scipy.interpolate import BSpline
from typer.testing import CliRunner

from tests.benchmarks import architectures
from tests.helpers import observed_passes, pass_error
from xinr.challenges import osse
from xinr.geo.points import Points
from xinr.methods import METHODS, method_from
from xinr.methods.neural.architectures.finer import Finer, FinerNetwork
from xinr.methods.neural.architectures.fouriermfn import FourierFilterNetwork, FourierMFN
from xinr.methods.neural.architectures.gabormfn import GaborFilterNetwork, GaborMFN
from xinr.methods.neural.architectures.hashed_splines import GAIN, HashedSplines
from xinr.methods.neural.architectures.hashgrid import HashGrid
from xinr.methods.neural.architectures.modulated import UNITY, ModulatedSiren, ModulatedSirenNetwork
from xinr.methods.neural.architectures.positional import Positional, PositionalNetwork
from xinr.methods.neural.architectures.siren import Siren, SirenNetwork
from xinr.methods.neural.architectures.wire import Wire, WireNetwork
from xinr.simulate import eddies

#: Of about the scales of `observed`: waves of 940 km and 190 days.
SMALL = {
    "finer": Finer(hidden_features=64, hidden_layers=2, length_scale=500.0, time_scale=100.0, learning_rate=5e-3),
    "fouriermfn": FourierMFN(hidden_features=64, hidden_layers=2, length_scale=300.0, time_scale=60.0),
    "gabormfn": GaborMFN(hidden_features=64, hidden_layers=2, length_scale=400.0, time_scale=100.0),
    "hashgrid": HashGrid(hidden_features=64, length_scale=800.0, time_scale=100.0, levels=2, rows=2**12),
    "modulatedsiren": ModulatedSiren(hidden_features=64, hidden_layers=2, length_scale=500.0, time_scale=100.0),
    "positional": Positional(hidden_features=64, hidden_layers=2, length_scale=1000.0, time_scale=100.0, octaves=3),
    "wire": Wire(hidden_features=64, hidden_layers=2, length_scale=1000.0, time_scale=200.0),
}


def on_the_plane(**options):
    """See `observed`, without the coordinate that is zero there: as in the frame "plane"."""
    x, *rest = observed_passes(**options)
    return x[:, [0, 1, 3]], *rest


def changed(name, **settings):
    return replace(SMALL[name], **settings)


def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("optimizer", ["muon", "adam"])
@pytest.mark.parametrize("name", SMALL)
def test_recovers_a_smooth_signal(name, optimizer):
    x, y, signal, _, index = on_the_plane()
    rate = {"learning_rate": 5e-3} if optimizer == "adam" else {}
    method = changed(name, steps=150, batch_size=512, optimizer=optimizer, **rate)
    fitted = method.fit(x, y, pass_error(y, index))
    assert np.sqrt(np.mean((fitted.predict(Points.of(x)) - signal) ** 2)) < 0.35 * signal.std()


@pytest.mark.parametrize("name", SMALL)
def test_the_scales_are_kilometres_and_days(name):
    """A region four times as large, and a period twice as long, with scales to match: the same field."""
    x, y, _, _, index = on_the_plane(n_passes=10)
    one, other = (
        changed(name, steps=10, batch_size=64, length_scale=a * 500.0, time_scale=b * 60.0, precision="float32")
        .fit(np.array([a, a, b]) * x, y, pass_error(y, index))
        .predict(Points.of(np.array([a, a, b]) * x))
        for a, b in ((1.0, 1.0), (4.0, 2.0))
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", SMALL)
def test_every_weight_is_trained_and_saved(name):
    """A weight that no gradient reaches, or that the state forgets, is a mistake."""
    x, y, _, _, index = on_the_plane()
    method = changed(name, steps=3, batch_size=2000)
    fitted = method.fit(x, y, pass_error(y, index))
    half_extent = np.ptp(x, axis=0) / 2 / [method.length_scale, method.length_scale, method.time_scale]
    drawn = dict(method.network(half_extent, torch.Generator().manual_seed(method.seed)).named_parameters())
    trained = dict(fitted.network.named_parameters())
    assert [key for key, weight in trained.items() if torch.equal(weight, drawn[key])] == []
    again = type(fitted).from_state(fitted.state())
    np.testing.assert_array_equal(fitted.predict(Points.of(x)), again.predict(Points.of(x)))


@pytest.mark.parametrize("name", SMALL)
def test_hidden_matrices_are_among_the_weights_and_not_the_first_or_last(name):
    network = SMALL[name].network(np.ones(3), generator())
    weights = {id(weight): key for key, weight in network.named_parameters()}
    matrices = network.hidden_matrices()
    assert matrices and all(matrix.ndim == 2 and min(matrix.shape) > 1 for matrix in matrices)
    assert {id(matrix) for matrix in matrices} < set(weights)


@pytest.mark.parametrize("name", [name for name in SMALL if name not in ("finer", "modulatedsiren")])
def test_it_starts_from_the_mean_height(name):
    """Those of SIREN's kind start from small random heights, as SIREN does."""
    assert float(SMALL[name].network(np.ones(3), generator())(torch.rand(5, 3)).detach().abs().max()) == 0.0


def test_positional_waves_are_octaves_along_each_axis():
    network = PositionalNetwork(2, 8, 1, 3)
    x = torch.tensor([[0.3, -0.7]])
    waves = np.pi * np.array([1, 2, 4])
    phase = np.concatenate([0.3 * waves, -0.7 * waves])
    expected = np.concatenate([[0.3, -0.7], 2**0.5 * np.sin(phase), 2**0.5 * np.cos(phase)])
    np.testing.assert_allclose(network.encode(x)[0], expected, atol=1e-5)


def test_finer_is_the_authors_activation_but_for_the_kink():
    network = FinerNetwork(1, 1, 0, 10.0, 2.0, generator())
    (first,), last = network.layers, network.last
    for weight, value in ((first.weight, 1.0), (first.bias, 0.0), (last.weight, 1.0), (last.bias, 0.0)):
        torch.nn.init.constant_(weight, value)
    z = torch.linspace(-1, 1, 41)[:, None]
    expected = torch.sin(10.0 * (z.abs() + 1.0) * z)[:, 0]
    np.testing.assert_allclose(network(z).detach(), expected, atol=1e-2)


def test_finer_samples_its_first_biases_from_their_own_range():
    bias = FinerNetwork(3, 4000, 1, 10.0, 3.0, generator()).layers[0].bias.detach()
    assert float(bias.abs().max()) == pytest.approx(3.0, rel=0.01)
    assert float(bias.std()) == pytest.approx(3.0 / 3**0.5, rel=0.03)


def test_fourier_filters_multiply_to_plane_waves():
    """Of frequencies that are sums and differences of those of the filters: equation 6 of the paper, one feature."""
    network = FourierFilterNetwork(1, 1, 1, generator())
    torch.nn.init.ones_(network.layers[0].weight)
    torch.nn.init.ones_(network.last.weight)
    x = torch.linspace(-3, 3, 50)[:, None]
    (a, b), (p, q) = network.omega.detach()[:, 0, 0], network.phase.detach()[:, 0]
    expected = 0.5 * (torch.cos((a - b) * x + p - q) - torch.cos((a + b) * x + p + q))[:, 0]
    np.testing.assert_allclose(network(x).detach(), expected, atol=1e-6)


def test_the_kernel_of_fourier_filters_is_about_the_gaussian_of_the_scales():
    omega = FourierFilterNetwork(3, 512, 4, generator()).omega.detach()  # (filters, features, d)
    x = torch.linspace(0.0, 2.5, 6)
    covariance = torch.cos(omega[..., None] * x).mean(dim=(1, 2)).prod(dim=0)  # of sums of one of each filter
    np.testing.assert_allclose(covariance, np.exp(-(x.numpy() ** 2)), atol=0.03)


def test_gabor_filters_are_the_formula():
    network = GaborFilterNetwork(3, 8, 1, 5.0, 2.0, 3.0, generator()).double()
    x = torch.randn(5, 3, dtype=torch.float64, generator=generator())
    gamma, mu = network.root_gamma[0] ** 2, network.mu[0]
    distance = ((x[:, None, :] - mu) ** 2).sum(dim=2)
    wave = torch.sin(x @ network.omega[0].T + network.phase[0])
    torch.testing.assert_close(network.filter(0, x), wave * torch.exp(-0.5 * gamma * distance))


def test_the_variance_of_fourier_filters_is_kept_from_layer_to_layer():
    network = FourierFilterNetwork(3, 512, 4, generator())
    x = 10.0 * torch.rand(2000, 3, generator=generator())
    h, *filters = (network.filter(k, x).detach() for k in range(5))
    for layer, g in zip(network.layers, filters, strict=False):
        h = layer(h).detach() * g
        assert float((h**2).mean()) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", ["gabormfn", "wire"])
def test_wavelets_lie_all_over_the_data(name):
    """Far from the middle of a wide region there are as many as near it."""
    x, y, _, _, index = on_the_plane()
    wide = changed(name, steps=1).fit(np.array([10.0, 10.0, 1.0]) * x, y, pass_error(y, index)).network
    reach = wide.architecture["half_width"]
    assert reach == pytest.approx(5000.0 / SMALL[name].length_scale, rel=0.05)
    at = reach * (2.0 * torch.rand(4000, 3, generator=generator()) - 1.0)
    at[:, 2] = 0.0
    first = (
        wide.filter(0, at)
        if name == "gabormfn"
        else wide._wavelet(at @ wide.first.T + wide.first_bias, at[:, :1] * 0)[0]
    )
    strength = (first.detach() ** 2).mean(dim=1)
    outside = at[:, :2].abs().amax(dim=1) > 0.7 * reach
    assert float(strength[outside].mean()) > 0.4 * float(strength[~outside].mean())


def test_wire_is_complex_arithmetic():
    network = WireNetwork(3, 6, 2, 5.0, 4.0, 1.0, 1.0, generator())
    torch.nn.init.normal_(network.last.weight, generator=generator())
    x = torch.randn(7, 3, generator=generator())

    def wavelet(z):
        return torch.exp(5j * z - (4.0 * z.abs()) ** 2)

    h = wavelet((x @ network.first.T + network.first_bias).to(torch.cfloat))
    for p, q, bias in zip(network.real, network.imaginary, network.bias, strict=True):
        h = wavelet(h @ torch.complex(p, q).T + torch.complex(*bias))
    a, b = network.last.weight[0].split(6)
    expected = (h @ torch.complex(a, -b)).real + network.last.bias
    torch.testing.assert_close(network(x), expected)


def test_hashed_splines_are_scipys():
    """One lattice without collisions along one axis: a cubic spline of scipy's with the same coefficients."""
    splines = HashedSplines(1, 1, 32, generator()).double()
    x = torch.linspace(4.0, 20.0, 101, dtype=torch.float64)
    coefficients = GAIN * splines.table.detach()[:, 0].numpy()
    expected = BSpline(np.arange(-2, 34), coefficients, 3)(x.numpy())
    np.testing.assert_allclose(splines(x[:, None]).detach()[:, 0], expected, atol=1e-12)


@pytest.mark.parametrize("dimension", [2, 3, 4])
def test_hashed_splines_of_equal_features_are_constant(dimension):
    """The weights of a point add up to one, on the plane and on the sphere."""
    splines = HashedSplines(dimension, 2, 64, generator()).double().requires_grad_(False)
    splines.table.fill_(1.0 / GAIN)
    at = 20.0 * torch.rand(50, dimension, dtype=torch.float64, generator=generator()) - 10.0
    torch.testing.assert_close(splines(at), torch.ones(50, 2, dtype=torch.float64))


def test_hashed_splines_are_smooth_and_of_variance_one():
    splines = HashedSplines(3, 4, 2**14, generator()).double().requires_grad_(False)
    at = 40.0 * torch.rand(4000, 3, dtype=torch.float64, generator=generator()) - 20.0
    assert float((splines(at) ** 2).mean()) == pytest.approx(1.0, abs=0.1)
    knot, step = torch.tensor([[2.0, -3.0, 0.0]], dtype=torch.float64), 1e-4
    for axis in range(3):
        e = step * torch.eye(3, dtype=torch.float64)[axis]
        second = [splines(knot + k * e - e) - 2 * splines(knot + k * e) + splines(knot + k * e + e) for k in (-3, 3)]
        torch.testing.assert_close(second[0] / step**2, second[1] / step**2, atol=0.05, rtol=0)


def test_a_modulated_siren_of_equal_codes_is_a_siren():
    network = ModulatedSirenNetwork(3, 16, 2, 10.0, 4, 2.0, 64, generator())
    for modulator in network.modulators:
        torch.nn.init.zeros_(modulator.weight)
    plain = SirenNetwork(3, 16, 2, 10.0, generator())
    x = torch.randn(9, 3, generator=generator())
    assert float(torch.nn.functional.gelu(torch.tensor(UNITY))) == pytest.approx(1.0, abs=1e-6)
    torch.testing.assert_close(network(x), plain(x), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        (Finer, {"first_bias": 0.0}, "first_bias must be a finite number above zero, got 0"),
        (HashGrid, {"rows": 0}, "rows must be a finite number above zero, got 0"),
        (HashGrid, {"frame": "degrees"}, "length_scale = .* is in degrees in the frame 'degrees'"),
        (ModulatedSiren, {"tiles": 0.0}, "tiles must be a finite number above zero, got 0"),
        (Positional, {"octaves": -1}, "octaves must be a finite number above zero, got -1"),
        (Wire, {"omega_0": 0.0}, "omega_0 must be a finite number above zero, got 0"),
        (Siren, {"omega_0": 0.0}, "omega_0 must be a finite number above zero, got 0"),
        (Wire, {"omega_0": 9.0, "s_0": 4.0}, "s_0 = 4 lets activations grow .* expected at least half of omega_0 = 9"),
    ],
)
def test_bad_settings_are_refused(method, settings, message):
    with pytest.raises(ValueError, match=message):
        method(**settings)


@pytest.fixture(scope="module")
def challenge():
    two_weeks = ("2021-01-01", "2021-01-16")
    return osse(eddies(waves=40), missions=("j3", "s3a"), period=two_weeks, spacing=1.0, time_step=2)


def test_the_benchmark_prints_a_row_for_each(challenge, monkeypatch, tmp_path):
    small = {"positional": SMALL["positional"], "wire": SMALL["wire"]}
    monkeypatch.setattr(architectures, "architectures", lambda: small)
    monkeypatch.setattr(architectures, "med2021", lambda folder: challenge)
    threads = torch.get_num_threads()
    printed = CliRunner().invoke(
        _app(), [str(tmp_path), "--steps", "80", "--batch-size", "128"], catch_exceptions=False
    )
    torch.set_num_threads(threads)
    head, _, *table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.output.splitlines()]
    found = [dict(zip(head, cells, strict=True)) for cells in table]
    assert [row["method"] for row in found] == ["Positional", "Wire"]
    null = 100 * float(challenge.score_null().rmse)
    for row in found:
        assert 0 < float(row["rmse [cm]"].split()[0]) < null
        assert 0 < float(row["cross-validated rmse [cm]"]) < 1.2 * null
        assert float(row["fit [CPU s]"]) > 0 and float(row["maps [CPU s]"]) >= 0
    assert int(found[1]["parameters"]) == 3 * 64 + 64 + 2 * (2 * 64**2 + 2 * 64) + 2 * 64 + 1


def test_the_benchmark_knows_every_neural_method():
    assert set(architectures.architectures()) == {"siren", "fourier", *SMALL}
    assert set(architectures.architectures()) < set(METHODS)


def test_the_benchmark_counts_weights_of_networks_alone(challenge):
    with pytest.raises(TypeError, match="expected a field of a network, got one of OIPredictor"):
        architectures.parameters(challenge.fit(method_from("oi", {"analysis_step": 8.0})))


def test_the_benchmark_refuses_what_is_no_architecture(tmp_path):
    result = CliRunner().invoke(_app(), [str(tmp_path), "--method", "kriging"])
    assert result.exit_code == 2
    assert "unknown ['kriging']: expected some of ['finer'" in " ".join(result.output.replace("│", "").split())


def _app():
    app = typer.Typer()
    app.command()(architectures.main)
    return app
