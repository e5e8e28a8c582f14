"""Jets carry the derivatives that automatic differentiation finds, through every rule and every network."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from xinr.geo.points import Points
from xinr.methods import METHODS, method_from
from xinr.methods.autodiff.jets import RULES, Jet
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.predictor import Predictor

PAIRS = [[(0, 0)], [(0, 1)], [(1, 1)], [(0, 0), (1, 1), (2, 0)]]
W = torch.linspace(-1.0, 1.0, 12, dtype=torch.float64).reshape(4, 3)
FACTOR = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)

# By the rule that each is for: functions of x (n, 3), whose values lie within (0.1, 1).
CASES = {
    "linear": lambda x: functional.linear(torch.sin(x), W, W[:, 0]) + functional.linear(x * x, W),
    "matmul": lambda x: (x * x) @ W.T + (W[:, :2] @ (x[:2] * x[:2])).sum(),
    "einsum": lambda x: torch.einsum("ni,oi->no", x * x, W),
    "cat": lambda x: torch.cat([x * x, torch.ones_like(W[:, :2]).expand(4, 2)[: x.shape[0]], torch.sin(x)], dim=1),
    "stack": lambda x: torch.stack([x * x, W[: x.shape[0]]], dim=1),
    "add": lambda x: (x * x + 1.0) + (2.0 + x[:, :1] * x[:, 1:2]) + torch.add(x, x * x, alpha=0.5) + x[:, 0, None],
    "sub": lambda x: (x * x - 1.0) - x[:, 1:2] * x + torch.sub(x * x, x, alpha=0.3) - FACTOR,
    "rsub": lambda x: 1.0 - x * x,
    "mul": lambda x: (x[:, :1] * x) * (2.0 * torch.sin(x)) * FACTOR * x[:, :2].sum(1, keepdim=True),
    "div": lambda x: x * x / 3.0 + x / (1.0 + x[:, :1]) + FACTOR / (x * x + 1.0),
    "rdiv": lambda x: 2.0 / (1.0 + x * x),
    "sin": torch.sin,
    "cos": torch.cos,
    "exp": torch.exp,
    "log": torch.log,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "silu": lambda x: functional.silu(3.0 * x - 1.0),
    "gelu": lambda x: functional.gelu(3.0 * x - 1.0),
    "softplus": lambda x: functional.softplus(3.0 * x - 1.0, beta=2.0),
    "relu": lambda x: torch.relu(x - 0.5) * x,
    "abs": lambda x: torch.abs(x - 0.5) * x,
    "pow": lambda x: (2.0 * x - 1.0) ** 3 + (2.0 * x - 1.0) ** 2 + x**-1.5 + (2.0 * x - 1.0) ** 1 + x**0,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "reciprocal": torch.reciprocal,
    "neg": lambda x: -(x * x),
    "sum": lambda x: (x * x).sum(dim=1),
    "mean": lambda x: (x * x).mean(dim=-1, keepdim=True),
    "getitem": lambda x: (x * x)[:, [2, 0]] + (x * x)[..., 1, None],
    "squeeze": lambda x: (x * x)[:, :1].squeeze(1),
    "unsqueeze": lambda x: (x * x).unsqueeze(1) * x.unsqueeze(2),
    "reshape": lambda x: (x * x).reshape(-1, 3, 1),
    "flatten": lambda x: (x[:, :, None] * x[:, None]).flatten(1),
    "unflatten": lambda x: (x * x).unflatten(1, (3, 1)),
    "transpose": lambda x: (x * x).transpose(0, 1),
    "permute": lambda x: (x * x).permute(1, 0),
    "T": lambda x: (x * x).T,
    "expand": lambda x: (x * x)[:, None].expand(-1, 2, 3),
    "repeat": lambda x: (x * x).repeat(1, 2),
    "chunk": lambda x: (x * x).chunk(3, dim=1)[2] * x.chunk(3, dim=1)[0],
    "unbind": lambda x: (x * x).unbind(1)[1],
    "to": lambda x: (x * x).to(torch.float64),
    "float": lambda x: (1.0 * x).float().double() * x,
    "double": lambda x: (x * x).double(),
    "shape": lambda x: x * x / x.shape[1],
    "device": lambda x: x * x + torch.ones(1, device=x.device),
    "dtype": lambda x: x * x + torch.ones(1, dtype=x.dtype),
    "ndim": lambda x: x**x.ndim,
    "size": lambda x: x ** x.size(1),
    "dim": lambda x: x ** x.dim(),
    "floor": lambda x: (5.0 * x - torch.floor(5.0 * x)) ** 2,
    "round": lambda x: x * x * torch.round(5.0 * x),
    "sign": lambda x: x * x * torch.sign(x - 0.5),
    "long": lambda x: x * x * FACTOR[torch.floor(2.0 * x).long()],
    "detach": lambda x: x * x * torch.floor(5.0 * x.detach()),
    "gt": lambda x: x * x * (x > 0.5),
    "ge": lambda x: x * x * (x >= 0.5),
    "lt": lambda x: x * x * (x < 0.5),
    "le": lambda x: x * x * (x <= 0.5),
}


def expansion(n=4, d=3, seed=0):
    """Points within (0.1, 1), three directions and the bends of four second derivatives."""
    generator = torch.Generator().manual_seed(seed)
    x = 0.1 + 0.9 * torch.rand(n, d, generator=generator, dtype=torch.float64)
    directions = torch.randn(3, n, d, generator=generator, dtype=torch.float64)
    return x, directions, torch.randn(len(PAIRS), n, d, generator=generator, dtype=torch.float64)


def by_autograd(function, x, directions, pairs, bends):
    """The same derivatives of the whole tensor, by reverse-mode differentiation again and again."""

    def along(f, v):
        return lambda y: torch.autograd.functional.jvp(f, y, v, create_graph=True)[1]

    slopes = [along(function, v)(x) for v in directions]
    second = [
        sum(along(along(function, directions[i]), directions[j])(x) for i, j in each) + along(function, bend)(x)
        for each, bend in zip(pairs, bends, strict=True)
    ]
    return function(x), torch.stack(slopes), torch.stack(second)


def check(function, x, directions, bends, **tolerance):
    found = function(Jet.along(x, directions, PAIRS, bends)).terms()
    for ours, expected in zip(found, by_autograd(function, x, directions, PAIRS, bends), strict=True):
        torch.testing.assert_close(ours, expected, **tolerance)


def test_every_rule_has_a_case():
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("rule", sorted(CASES))
def test_rules_are_those_of_automatic_differentiation(rule):
    precision = {"rtol": 1e-5, "atol": 1e-5} if rule == "float" else {"rtol": 1e-10, "atol": 1e-10}
    check(CASES[rule], *expansion(), **precision)


def neural_methods():
    methods = (method_from(name, {}) for name in sorted(METHODS))
    return [method for method in methods if isinstance(method, NeuralMethod)]


def network_of(method):
    """A small one in float64, with nothing left at zero."""
    generator = torch.Generator().manual_seed(0)
    small = replace(method, hidden_features=16, hidden_layers=2)
    network = small.network(np.ones(4), generator).double()
    with torch.no_grad():
        for weights in network.parameters():
            weights += 0.05 * torch.randn(weights.shape, generator=generator, dtype=torch.float64)
    return network


@pytest.mark.parametrize("method", neural_methods(), ids=lambda method: type(method).__name__)
def test_the_forward_of_every_network_carries_them(method):
    network = network_of(method)
    x, directions, bends = expansion(5, 4)
    with torch.no_grad():
        check(network, x, directions, bends, rtol=1e-8, atol=1e-8)
        jet = network(Jet.along(x, directions, PAIRS, bends))
    assert type(jet.terms()[0]) is torch.Tensor
    torch.testing.assert_close(jet.terms()[0], network(x).detach())


def test_a_laplacian_is_the_sum_of_its_squares():
    network = network_of(Siren())
    x, directions, _ = expansion(4, 4)
    separate = network(Jet.along(x, directions[:2], [[(0, 0)], [(1, 1)]])).terms()[2]
    together = network(Jet.along(x, directions[:2], [[(0, 0), (1, 1)]])).terms()[2]
    torch.testing.assert_close(together[0], separate.sum(dim=0))


def test_without_second_derivatives_there_are_slopes_alone():
    x, directions, _ = expansion()
    value, slopes, second = torch.sin(Jet.along(x, directions)).terms()
    torch.testing.assert_close(slopes, torch.cos(x) * directions)
    assert value.shape == (4, 3) and second.shape == (0, 4, 3)
    assert repr(Jet.along(x, directions)).startswith("Jet of 3 slopes and 0 second derivatives at tensor(")


def test_a_penalty_on_derivatives_can_be_trained():
    network = network_of(Siren())
    x = torch.rand(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    axes = torch.eye(4, dtype=torch.float64)[:2, None].expand(2, 6, 4)
    value, slopes, (laplacian,) = network(Jet.along(x, axes, [[(0, 0), (1, 1)]])).terms()
    ours = torch.autograd.grad((laplacian**2 + slopes[0] * value).sum(), list(network.parameters()))
    z = x.clone().requires_grad_()
    height = network(z)
    (slope,) = torch.autograd.grad(height.sum(), z, create_graph=True)
    bend = sum(torch.autograd.grad(slope[:, i].sum(), z, create_graph=True)[0][:, i] for i in range(2))
    expected = torch.autograd.grad((bend**2 + slope[:, 0] * height).sum(), list(network.parameters()))
    for one, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda x: torch.linalg.norm(x, dim=1),
            r"do not know the function 'linalg_norm': expected one of \['T', 'abs'",
        ),
        (lambda x: x.add_(1.0), "do not know the function 'add_'"),
        (lambda x: x % 2.0, "do not know the function 'remainder'"),
        (lambda x: functional.gelu(x, approximate="tanh"), "know gelu itself, not its approximation 'tanh'"),
        (lambda x: x @ x.T, "pass through 'matmul' by one argument only"),
        (lambda x: functional.linear(W[:, :3], x), "its weights must be plain tensors"),
        (lambda x: x ** torch.ones(3), r"powers of a number only: write exp\(b \* log\(a\)\)"),
    ],
)
def test_what_has_no_rule_is_refused(function, message):
    x, directions, bends = expansion()
    with pytest.raises(NotImplementedError, match=message):
        function(Jet.along(x, directions, PAIRS, bends))


@pytest.fixture(scope="module")
def predictor():
    network = Siren(hidden_features=32, hidden_layers=2).network(np.ones(4), torch.Generator().manual_seed(0))
    scale = np.array([900.0, 900.0, 900.0, 200.0])
    return NeuralPredictor(network, np.full(4, 10.0), scale, 0.1, 0.2, np.eye(33), None, {})


@pytest.fixture(scope="module")
def curves():
    """Positions within 1000 km and 100 days, directions of 1e-3 km per metre, bends of 1e-10 km per square metre."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-100, 100, (3000, 4)) * [10.0, 10.0, 10.0, 1.0]
    return x, list(1e-3 * rng.normal(size=(2, 3000, 4))), list(1e-10 * rng.normal(size=(3, 3000, 4)))


def test_a_network_and_any_other_predictor_agree_on_derivatives(predictor, curves):
    x, directions, bends = curves
    in_float64 = NeuralPredictor.from_state(
        {key: array.astype(float) if array.dtype.kind == "f" else array for key, array in predictor.state().items()}
    )
    pairs = [[(0, 0)], [(0, 1)], [(1, 1)]]
    general = Predictor.derivatives(in_float64, Points.of(x), directions, pairs, bends)  # of gradients and curvatures
    for found, tolerance in (
        (in_float64.derivatives(Points.of(x), directions, pairs, bends), 1e-10),
        (predictor.derivatives(Points.of(x), directions, pairs, bends), 1e-4),  # float32, and numbers of 1e-15
    ):
        for ours, expected in zip(found, general, strict=True):
            assert ours.shape == expected.shape and np.all(np.abs(expected).max(axis=1) > 0.0)
            size = np.abs(expected).max(axis=1, keepdims=True)
            np.testing.assert_allclose(ours / size, expected / size, atol=tolerance)


def test_derivatives_do_not_depend_on_which_points_come_together(predictor, curves):
    x, directions, _ = curves
    bend = np.zeros_like(x)
    whole = predictor.laplacian(Points.of(x), directions, bend)
    alone = predictor.laplacian(Points.of(x[:7]), [direction[:7] for direction in directions], bend[:7])
    np.testing.assert_allclose(alone, whole[:7], rtol=1e-4, atol=1e-6 * np.abs(whole).max())
    still = predictor.laplacian(Points.of(x), [np.zeros_like(x)] * 2, bend)
    np.testing.assert_array_equal(still, 0.0)
    missing = predictor.laplacian(Points.of(x), [np.where(np.arange(3000)[:, None] == 3, np.nan, directions[0])], bend)
    assert np.flatnonzero(np.isnan(missing)).tolist() == [3]
