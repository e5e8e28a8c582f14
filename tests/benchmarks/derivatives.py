"""Derivatives of networks: jets, double backward and torch.func, by CPU time in one process.

``python -m tests.benchmarks.derivatives`` prints the table of docs/guide.md.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from time import process_time
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor
from torch.func import grad_and_value, jvp

from tests.benchmarks.measures import Measurement, fastest, print_parts
from xinr._typing import Pairs
from xinr.methods import METHODS, method_from
from xinr.methods.autodiff.jets import Jet
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.neural.predictor import JET_BLOCK

Height = Callable[[Tensor], Tensor]
#: From a network, points (n, d), directions (m, n, d) and pairs of them: value, slopes, second derivatives, (k, n).
Way = Callable[[Height, Tensor, Tensor, Pairs], Tensor]

#: What is asked for, of the directions east, north and time: how many of these, and which second derivatives.
QUANTITIES: dict[str, tuple[int, Pairs]] = {
    "value, slopes, Laplacian": (2, [[(0, 0), (1, 1)]]),
    "value, slopes, d/dt, Laplacian": (3, [[(0, 0), (1, 1)]]),
    "value, slopes, all second derivatives": (2, [[(0, 0)], [(0, 1)], [(1, 1)]]),
}


def by_jets(network: Height, z: Tensor, directions: Tensor, pairs: Pairs) -> Tensor:
    """Carry the derivatives through the network's forward."""
    with torch.no_grad():
        jet = network(Jet.along(z, directions, pairs))
        value, slopes, second = jet.terms()
        return torch.cat([value[None], slopes, second])


def by_double_backward(network: Height, z: Tensor, directions: Tensor, pairs: Pairs) -> Tensor:
    """Differentiate the gradient along each direction of the pairs, by reverse mode twice, its graph used again."""
    z = z.detach().requires_grad_()
    value = network(z)
    (gradient,) = torch.autograd.grad(value.sum(), z, create_graph=True)

    def product(v: Tensor) -> Tensor:
        return torch.autograd.grad((gradient * v).sum(), z, retain_graph=True)[0]

    return _together(value, gradient, {i: product(directions[i]) for i in _used(pairs)}, directions, pairs)


def by_jvp_of_gradient(network: Height, z: Tensor, directions: Tensor, pairs: Pairs) -> Tensor:
    """Differentiate the gradient along all directions of the pairs at once: forward over reverse mode, under vmap."""
    gradient_of = grad_and_value(lambda y: (network(y).sum(), network(y)), has_aux=True)
    used = _used(pairs)

    def product(v: Tensor) -> Any:
        return jvp(lambda y: gradient_of(y)[0], (z,), (v,))[1]

    gradient, (_, value) = gradient_of(z)
    products = torch.vmap(product)(directions[used])
    return _together(value, gradient, dict(zip(used, products, strict=True)), directions, pairs)


def by_nested_jvp(network: Height, z: Tensor, directions: Tensor, pairs: Pairs) -> Tensor:
    """Differentiate along both directions of each pair: forward mode twice, under vmap over the pairs."""
    flat = [pair for each in pairs for pair in each]

    def both(v: Tensor, w: Tensor) -> Any:
        return jvp(lambda y: jvp(network, (y,), (v,)), (z,), (w,))

    left, right = ([pair[side] for pair in flat] for side in (0, 1))
    (value, slope), (_, second_derivatives) = torch.vmap(both)(directions[left], directions[right])
    known = dict(zip(left, slope, strict=True))
    others = [i for i in range(len(directions)) if i not in known]
    if others:
        known |= zip(others, torch.vmap(lambda v: jvp(network, (z,), (v,))[1])(directions[others]), strict=True)
    terms = iter(second_derivatives)
    second = [sum((next(terms) for _ in each), torch.zeros(len(z))) for each in pairs]
    return torch.stack([value[0], *(known[i] for i in range(len(directions))), *second])


def _used(pairs: Pairs) -> list[int]:
    """Return the directions along which the gradient is differentiated."""
    return sorted({j for each in pairs for _, j in each})


def _together(value: Tensor, gradient: Tensor, products: dict[int, Tensor], directions: Tensor, pairs: Pairs) -> Tensor:
    """Return value, slopes and second derivatives from the gradient and its derivatives H v."""
    slopes = torch.einsum("nd,mnd->mn", gradient, directions)
    zero = torch.zeros_like(value)
    second = [sum(((products[j] * directions[i]).sum(dim=1) for i, j in each), zero) for each in pairs]
    return torch.stack([value, *slopes, *second]).detach()


WAYS: dict[str, Way] = {
    "jets": by_jets,
    "double backward": by_double_backward,
    "torch.func, jvp of the gradient": by_jvp_of_gradient,
    "torch.func, jvp of jvp": by_nested_jvp,
}


def ways(points: int, repeats: int) -> Iterator[Measurement]:
    """Compare all ways on the default SIREN."""
    network, z, directions = example(Siren(), points)
    for quantity, (count, pairs) in QUANTITIES.items():
        seconds = timed(WAYS, network, z, directions[:count], pairs, repeats)
        for name, spent in seconds.items():
            target = "below 1" if name == "jets" else ""
            figures = _figures(points, spent, seconds["double backward"])
            yield Measurement(f"siren, {quantity}: {name}", figures, target)


def architectures(points: int, repeats: int) -> Iterator[Measurement]:
    """Compare jets with double backward on every architecture."""
    two = {name: WAYS[name] for name in ("jets", "double backward")}
    quantity, (count, pairs) = next(iter(QUANTITIES.items()))
    for method in (method_from(name, {}) for name in sorted(METHODS)):
        if isinstance(method, NeuralMethod):
            network, z, directions = example(method, points)
            seconds = timed(two, network, z, directions[:count], pairs, repeats)
            name = type(method).__name__.lower()
            figures = _figures(points, seconds["jets"], seconds["double backward"])
            yield Measurement(f"{name}, {quantity}: jets", figures, "below 1")


def example(method: NeuralMethod, points: int) -> tuple[Height, Tensor, Tensor]:
    """Return a network with its first weights, those at zero drawn, points (n, 4) and directions (3, n, 4)."""
    generator = torch.Generator().manual_seed(0)
    network = method.network(np.ones(4), generator)
    with torch.no_grad():
        for weights in network.parameters():
            if not weights.any():
                weights.normal_(std=0.1, generator=generator)
    z, *directions = torch.randn(4, points, 4, generator=generator)
    return network, z, torch.stack(directions)


def timed(
    chosen: dict[str, Way], network: Height, z: Tensor, directions: Tensor, pairs: Pairs, repeats: int
) -> dict[str, float]:
    """Return the CPU seconds of each way in blocks, having checked that they agree with the first.

    Raises
    ------
    ArithmeticError
        One of them finds something else.
    """

    def run(way: Way) -> Tensor:
        blocks = zip(torch.split(z, JET_BLOCK), torch.split(directions, JET_BLOCK, dim=1), strict=True)
        return torch.cat([way(network, here, ahead, pairs) for here, ahead in blocks], dim=1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of the first use of torch.func, deprecations within torch
        found = {name: run(way) for name, way in chosen.items()}
    first, *others = found
    size = found[first].abs().amax(dim=1, keepdim=True)
    for name in others:
        if not ((found[name] - found[first]).abs() <= 1e-4 * size).all():
            raise ArithmeticError(f"{name} and {first} find different derivatives.")
    return fastest({name: partial(run, way) for name, way in chosen.items()}, repeats, process_time)


def _figures(points: int, spent: float, reference: float) -> str:
    return f"{points / spent / 1e3:.1f} thousand points per CPU second, {spent / reference:.2f} of double backward"


def main(
    points: Annotated[int, typer.Option(help="On which they are compared.")] = 16384,
    repeats: Annotated[int, typer.Option(help="Times are the least of so many, taken in turn.")] = 5,
) -> None:
    """Print what derivatives of networks cost."""
    print_parts({part.__name__: partial(part, points, repeats) for part in (ways, architectures)})


if __name__ == "__main__":
    typer.run(main)
