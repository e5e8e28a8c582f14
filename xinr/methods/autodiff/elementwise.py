"""Functions of each element of a tensor, with their first and second derivatives.

>>> square(torch.tensor([3.0]))
(tensor([9.]), tensor([6.]), tensor([2.]))
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

#: A function of each element, its first and its second derivative.
Triple = tuple[Tensor, Tensor, Tensor]


def sin(v: Tensor) -> Triple:
    """``sin v``."""
    sine = torch.sin(v)
    return sine, torch.cos(v), -sine


def cos(v: Tensor) -> Triple:
    """``cos v``."""
    cosine = torch.cos(v)
    return cosine, -torch.sin(v), -cosine


def exp(v: Tensor) -> Triple:
    """``e^v``."""
    value = torch.exp(v)
    return value, value, value


def tanh(v: Tensor) -> Triple:
    """``tanh v``."""
    value = torch.tanh(v)
    slope = 1.0 - value**2
    return value, slope, -2.0 * value * slope


def sigmoid(v: Tensor) -> Triple:
    """``1 / (1 + e^-v)``."""
    value = torch.sigmoid(v)
    slope = value * (1.0 - value)
    return value, slope, slope * (1.0 - 2.0 * value)


def silu(v: Tensor, inplace: bool = False) -> Triple:
    """``v / (1 + e^-v)``."""
    share, slope, curvature = sigmoid(v)
    return v * share, share + v * slope, 2.0 * slope + v * curvature


def gelu(v: Tensor, approximate: str = "none") -> Triple:
    """``v Φ(v), Φ the normal distribution``."""
    if approximate != "none":
        raise NotImplementedError(
            f"derivatives know gelu itself, not its approximation {approximate!r}: leave that out."
        )
    density = torch.exp(-0.5 * v**2) / (2.0 * torch.pi) ** 0.5
    below = 0.5 * (1.0 + torch.erf(v / 2.0**0.5))
    return v * below, below + v * density, (2.0 - v**2) * density


def softplus(v: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Triple:
    """``log(1 + e^(beta v)) / beta``."""
    value = functional.softplus(v, beta, threshold)
    slope = torch.sigmoid(beta * v)
    return value, slope, beta * slope * (1.0 - slope)


def relu(v: Tensor, inplace: bool = False) -> Triple:
    """``max(v, 0)``."""
    return torch.relu(v), (v > 0).to(v.dtype), torch.zeros_like(v)


def abs(v: Tensor) -> Triple:
    """``|v|``."""
    return torch.abs(v), torch.sign(v), torch.zeros_like(v)


def pow(v: Tensor, exponent: float) -> Triple:
    """``v^exponent``."""
    if isinstance(exponent, Tensor):
        raise NotImplementedError("derivatives know powers of a number only: write exp(b * log(a)) for others.")
    if exponent in (0, 1):
        return v**exponent, torch.full_like(v, exponent), torch.zeros_like(v)
    return v**exponent, exponent * v ** (exponent - 1), exponent * (exponent - 1) * v ** (exponent - 2)


def square(v: Tensor) -> Triple:
    """``v²``."""
    return v**2, 2.0 * v, torch.full_like(v, 2.0)


def sqrt(v: Tensor) -> Triple:
    """``√v``."""
    root = torch.sqrt(v)
    return root, 0.5 / root, -0.25 / (v * root)


def log(v: Tensor) -> Triple:
    """``log v``."""
    return torch.log(v), 1.0 / v, -1.0 / v**2


def reciprocal(v: Tensor) -> Triple:
    """``1 / v``."""
    value = 1.0 / v
    return value, -(value**2), 2.0 * value**3


#: By the name that torch gives them.
ELEMENTWISE: dict[str, Callable[..., Triple]] = {
    rule.__name__: rule
    for rule in (
        *(sin, cos, exp, log, tanh, sigmoid, silu, gelu, softplus),
        *(relu, abs, pow, square, sqrt, reciprocal),
    )
}
