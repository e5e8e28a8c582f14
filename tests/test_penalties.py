"""Penalties: exact for known waves, in physical units, at points of their own; and training lowers them."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

import xinr
from xinr.geo.frames import EARTH_RADIUS, upward
from xinr.methods.neural.architectures.fourier import FourierNetwork
from xinr.methods.neural.architectures.siren import Siren, SirenNetwork
from xinr.methods.neural.network import Network
from xinr.methods.neural.penalties import (
    FLAT,
    Penalty,
    QuasiGeostrophic,
    SquaredGradient,
    Surface,
    TotalVariation,
    collocated,
    local_axes,
)
from xinr.methods.observation_error import ObservationError

CPU = torch.device("cpu")
#: Rotation of the Earth [rad/day].
SPIN = 7.292115e-5 * 86_400.0
CENTRE, SCALE = np.array([1000.0, -4000.0, 4000.0, 20.0]), np.array([500.0, 500.0, 500.0, 30.0])
PENALTIES = [
    TotalVariation(weight=0.1),
    SquaredGradient(weight=9.0),
    QuasiGeostrophic(weight=0.5, deformation_radius=40.0),
]


class Waves(Network):
    """Waves around the pole, ``Σ a cos^m(latitude) cos(m (longitude + c t))``, at x scaled by `CENTRE` and `SCALE`.

    Off the sphere they grow with the distance from the axis: a Laplacian of the sphere must not see that.
    """

    def __init__(self, *waves):
        super().__init__()
        self.waves = waves  # of (a, m, c)
        self.last = torch.nn.Linear(1, 1, bias=False, dtype=torch.float64)
        torch.nn.init.ones_(self.last.weight)

    def features(self, z):
        x = z * torch.as_tensor(SCALE) + torch.as_tensor(CENTRE)
        near, far, days = x[:, 0] / EARTH_RADIUS, x[:, 1] / EARTH_RADIUS, x[:, 3]
        total = 0.0
        for a, m, c in self.waves:
            real, imaginary = torch.cos(m * c * days), torch.sin(m * c * days)
            for _ in range(m):
                real, imaginary = real * near - imaginary * far, real * far + imaginary * near
            total = total + a * real
        return total[:, None]

    def hidden_matrices(self):
        return []


def positions(n=200, seed=0, latitudes=(20.0, 60.0)):
    """Observations in the frame "sphere", off the Gulf Stream."""
    rng = np.random.default_rng(seed)
    longitude, latitude = rng.uniform(280.0, 320.0, n), rng.uniform(*latitudes, n)
    return np.concatenate([EARTH_RADIUS * upward(longitude, latitude), rng.uniform(0.0, 60.0, (n, 1))], axis=1)


def surface(network, spread=1.0):
    return Surface(network, torch.as_tensor(CENTRE), torch.as_tensor(SCALE), spread)


def rossby(m, radius):
    """Return how fast a wave of the sphere drifts westward [rad/day]: its equation is exact there."""
    squared = (radius / EARTH_RADIUS) ** 2
    return 2.0 * SPIN * squared / (1.0 + m * (m + 1) * squared)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def term(penalty, x=None, spread=0.2, frame="sphere"):
    return penalty.prepared(positions() if x is None else x, CENTRE, SCALE, spread, frame, CPU)


def test_slopes_and_laplacian_of_a_wave_of_the_sphere():
    m, x = 9, torch.as_tensor(positions())
    height, (east, north), laplacian = surface(Waves((0.3, m, 0.01)), spread=2.0).expanded(x)
    up = x[:, :3].numpy() / EARTH_RADIUS
    longitude, cosine = np.arctan2(up[:, 1], up[:, 0]), np.hypot(up[:, 0], up[:, 1])
    phase = m * (longitude + 0.01 * x[:, 3].numpy())
    per_km = m * 0.6 * cosine ** (m - 1) / EARTH_RADIUS
    np.testing.assert_allclose(height.detach(), 0.6 * cosine**m * np.cos(phase), atol=1e-12)
    np.testing.assert_allclose(east.detach(), -per_km * np.sin(phase), atol=1e-14)
    np.testing.assert_allclose(north.detach(), -per_km * up[:, 2] * np.cos(phase), atol=1e-14)
    np.testing.assert_allclose(laplacian.detach(), -m * (m + 1) / EARTH_RADIUS**2 * height.detach(), atol=1e-16)


@pytest.mark.parametrize("m", [4, 30])
def test_a_rossby_wave_keeps_its_potential_vorticity(m):
    """A wave of the sphere that drifts at its own speed obeys the equation; one that stands still does not."""
    radius, x = 200.0, torch.as_tensor(positions())
    penalty = QuasiGeostrophic(weight=1.0, deformation_radius=radius)
    drifting = penalty.residual(surface(Waves((0.3, m, rossby(m, radius)))), x)
    standing = penalty.residual(surface(Waves((0.3, m, 0.0))), x)
    assert drifting.abs().max() < 1e-9 * standing.abs().max()
    east = surface(Waves((0.3, m, 0.0))).slopes(x)[0]
    cosine = torch.hypot(x[:, 0], x[:, 1]) / EARTH_RADIUS
    torch.testing.assert_close(standing, -2.0 * SPIN * cosine / EARTH_RADIUS * radius**2 * east)


def test_advection_is_that_of_the_geostrophic_current():
    """Two waves that drift each at its own speed: what is left is the advection of one by the other, u · ∇p."""
    radius, x = 100.0, torch.as_tensor(positions())
    waves = [(3.0, 20, rossby(20, radius)), (2.0, 35, rossby(35, radius))]
    penalty = QuasiGeostrophic(weight=1.0, deformation_radius=radius)
    found = penalty.residual(surface(Waves(*waves)), x).detach().numpy()
    slopes = [surface(Waves(wave)).slopes(x).detach().numpy() for wave in waves]
    h_east, h_north = slopes[0] + slopes[1]
    stretch = [1.0 + (radius / EARTH_RADIUS) ** 2 * m * (m + 1) for _, m, _ in waves]
    p_east, p_north = stretch[0] * slopes[0] + stretch[1] * slopes[1]
    f = 2.0 * 7.292115e-5 * x[:, 2].numpy() / EARTH_RADIUS
    u, v = (-9.80665 / f * 1e-3 * h_north, 9.80665 / f * 1e-3 * h_east)  # m/s
    wanted = 86.4 * (u * p_east + v * p_north)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9 * np.abs(wanted).max())
    assert np.abs(wanted).max() > 1e-3


def test_the_residual_is_zero_within_5_degrees_of_the_equator():
    x = torch.as_tensor(positions(latitudes=(-10.0, 10.0)))
    residual = QuasiGeostrophic(weight=1.0, deformation_radius=200.0).residual(surface(Waves((0.3, 9, 0.0))), x)
    near = x[:, 2].abs() / EARTH_RADIUS < np.sin(np.radians(5.0))
    assert 0 < near.sum() < len(x)
    assert (residual[near] == 0.0).all() and (residual[~near] != 0.0).all()


def test_costs_of_slopes_are_total_variation_and_squared_gradient():
    x, wave = torch.as_tensor(positions()), surface(Waves((0.3, 9, 0.0)))
    squared = wave.slopes(x).square().sum(0)
    torch.testing.assert_close(TotalVariation(weight=5.0).cost(wave, x), torch.sqrt(squared + FLAT**2))
    torch.testing.assert_close(SquaredGradient(weight=5.0).cost(wave, x), squared)


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: type(penalty).__name__)
def test_a_weight_is_worth_square_metres_of_misfit(penalty):
    """The loss of the training is in units of spread²; the same surface costs the same metres, whatever the spread."""
    metres = []
    for spread in (0.1, 0.4):
        network = Waves((0.05 / spread, 40, 0.02))
        metres.append(spread**2 * term(penalty, spread=spread)(network, generator()).item())
    assert metres[0] == pytest.approx(metres[1], rel=1e-6)
    points = collocated(torch.as_tensor(positions(), dtype=torch.float32), penalty.points, penalty.reach, generator())
    cost = penalty.cost(surface(Waves((0.05, 40, 0.02))), points.double())
    assert metres[0] == pytest.approx(penalty.weight * cost.mean().item(), rel=1e-5)


def test_points_lie_between_tracks_and_their_times():
    x = torch.as_tensor(positions(n=50), dtype=torch.float32)
    points = collocated(x, 4000, 75.0, generator())
    np.testing.assert_allclose(points[:, :3].norm(dim=1), EARTH_RADIUS, rtol=1e-6)
    apart = torch.cdist(points[:, :3].double(), x[:, :3].double())
    nearest, index = apart.min(dim=1)
    assert set(points[:, 3].tolist()) <= set(x[:, 3].tolist())
    assert (points[:, 3] == x[index, 3]).float().mean() < 0.1
    one = collocated(x[:1], 4000, 75.0, generator())
    east, north, _ = local_axes(x[:1])
    for direction in (east, north):
        assert float(((one[:, :3] - x[0, :3]) @ direction[0]).std()) == pytest.approx(75.0, rel=0.05)
    assert nearest.max() < 6 * 75.0


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: type(penalty).__name__)
def test_the_same_generator_samples_the_same_points(penalty):
    network, cost = Waves((0.05, 40, 0.02)), term(penalty)
    assert cost(network, generator()).item() == cost(network, generator()).item()
    assert cost(network, generator()).item() != cost(network, generator(1)).item()


def networks():
    return [
        SirenNetwork(dimension=4, features=16, layers=2, omega_0=3.0, generator=generator()),
        FourierNetwork(dimension=4, waves=8, features=16, layers=2, generator=generator()),
    ]


@pytest.mark.parametrize("network", networks(), ids=lambda network: type(network).__name__)
@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: type(penalty).__name__)
def test_the_gradient_by_the_weights_is_that_of_small_changes(penalty, network):
    """Through third derivatives of the network."""
    network = network.double()
    cost = term(replace(penalty, points=16))
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=generator(), dtype=weight.dtype)
    weight = network.hidden_matrices()[-1]
    (gradient,) = torch.autograd.grad(cost(network, generator()), weight)
    way, step = torch.randn(weight.shape, generator=generator(1), dtype=weight.dtype), 1e-5
    with torch.no_grad():
        sides = []
        for sign in (1.0, -1.0):
            weight += sign * step * way
            sides.append(cost(network, generator()).item())
            weight -= sign * step * way
    assert (gradient * way).sum().item() == pytest.approx((sides[0] - sides[1]) / (2.0 * step), rel=1e-5)


@pytest.mark.parametrize("network", networks(), ids=lambda network: type(network).__name__)
@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: type(penalty).__name__)
def test_single_precision_suffices(penalty, network):
    with torch.no_grad():
        network.hidden_matrices()[-1] += 0.1
        network.last.weight += 0.1
    cost = term(penalty)
    single, double = (cost(kind, generator()).item() for kind in (network, copy.deepcopy(network).double()))
    assert single == pytest.approx(double, rel=1e-4)
    assert double > 0.0


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: type(penalty).__name__)
def test_a_penalty_is_computed_in_single_precision_under_autocast(penalty):
    network, cost = networks()[1], term(penalty)
    with torch.no_grad():
        network.last.weight += 0.1
    exact = cost(network, generator()).item()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert cost(network, generator()).item() == exact


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: type(penalty).__name__)
def test_penalties_need_the_frame_sphere(penalty):
    with pytest.raises(ValueError, match=r"frame 'sphere' alone tell, got 'plane': set frame=\"sphere\", or leave"):
        term(penalty, frame="plane")


def test_observations_all_near_the_equator_are_refused():
    with pytest.raises(ValueError, match=r"within 5 degrees of the equator, and the observations reach [23]\.\d"):
        term(PENALTIES[2], x=positions(latitudes=(-3.0, 3.0)))


@pytest.mark.parametrize("setting", ["weight", "points", "reach"])
def test_settings_must_be_numbers_above_zero(setting):
    with pytest.raises(ValueError, match=f"{setting} must be a finite number above zero, got 0"):
        TotalVariation(**({"weight": 1.0} | {setting: 0}))
    with pytest.raises(ValueError, match=r"deformation_radius must be a finite number above zero, got -1\.0"):
        QuasiGeostrophic(weight=1.0, deformation_radius=-1.0)
    with pytest.raises(TypeError, match="weight must be a number, got 'much'"):
        TotalVariation(weight="much")


def test_settings_are_plain_numbers():
    penalty = QuasiGeostrophic(weight=np.float32(0.5), deformation_radius=np.int64(30), points=np.int64(8))
    assert [type(value) for value in vars(penalty).values()] == [float, int, float, float]
    assert issubclass(QuasiGeostrophic, Penalty)


def trained(penalty, **settings):
    """Fit noisy waves at few positions with a small SIREN; return it as a surface."""
    x, rng = positions(n=400, latitudes=(30.0, 45.0)), np.random.default_rng(1)
    y = 0.1 * np.sin(x[:, 0] / 150.0) * np.cos(x[:, 1] / 150.0 + x[:, 3] / 10.0) + 0.05 * rng.standard_normal(len(x))
    errors = ObservationError(np.full(len(x), 0.05), np.arange(len(x)) // 20, np.zeros(len(x)))
    method = Siren(hidden_features=32, hidden_layers=2, steps=100, batch_size=128, penalty=penalty, **settings)
    fitted = method.fit(x, y, errors)
    assert np.isfinite(fitted.history["loss"]).all()
    scaling = (torch.as_tensor(array, dtype=torch.float32) for array in (fitted.centre, fitted.scale))
    return x, Surface(fitted.network, *scaling, fitted.spread)


@pytest.mark.parametrize(
    "penalty",
    [
        TotalVariation(weight=30.0),
        SquaredGradient(weight=1e5),
        QuasiGeostrophic(weight=1e3, deformation_radius=30.0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_training_lowers_the_cost(penalty):
    """At other points than those that it was trained at."""
    means = []
    for each in (None, penalty):
        x, fitted = trained(each)
        points = collocated(torch.as_tensor(x, dtype=torch.float32), 500, 75.0, generator(9))
        means.append(penalty.cost(fitted, points).mean().item())
    assert means[1] < 0.5 * means[0]


def test_a_penalty_also_works_with_training_in_bfloat16():
    rough, smooth = (trained(TotalVariation(weight=weight), precision="bfloat16")[1] for weight in (1e-6, 30.0))
    points = torch.as_tensor(positions(), dtype=torch.float32)
    steepness = [fitted.slopes(points).square().mean().item() for fitted in (smooth, rough)]
    assert steepness[0] < 0.5 * steepness[1]


def test_a_saved_field_keeps_the_settings_of_its_penalty(mission, tmp_path):
    penalty = QuasiGeostrophic(weight=0.5, deformation_radius=30.0, points=16)
    settings = {"hidden_features": 8, "hidden_layers": 1, "steps": 5, "batch_size": 32}
    field = xinr.fit(mission("j3"), "siren", penalty=penalty, **settings)
    field.save(tmp_path / "field.nc")
    assert xinr.open_field(tmp_path / "field.nc").info["settings"]["penalty"] == {
        "kind": "QuasiGeostrophic",
        "weight": 0.5,
        "points": 16,
        "reach": 75.0,
        "deformation_radius": 30.0,
    }
