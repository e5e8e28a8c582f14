"""Jets: values with their first and second derivatives, which any network's own ``forward`` carries along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from xinr._typing import Pairs
from xinr.methods.autodiff.elementwise import ELEMENTWISE, Triple, reciprocal


class Jet(Tensor):
    """A truncated Taylor expansion: a tensor of values that carries derivatives along curves through the input.

    It is a tensor to the code that computes with it, and every function of torch that it meets applies the chain rule
    as well. What has no rule raises `NotImplementedError`: no derivative is silently wrong. Rules are themselves
    differentiable: a penalty on derivatives can be trained.

    Attributes
    ----------
    derivatives : Tensor (m + p, *shape)
        Along m directions, then p second derivatives: linear layers take them all in one matrix product.
    pairs : sequence of p sequences of (int, int)
        What each second derivative is the sum of: ``[[(0, 0), (1, 1)]]`` is the Laplacian of two directions.

    Notes
    -----
    With a_i the derivative of h along direction i and b_q the second derivative of the pairs q, a function of each
    element has ``a_i' = f'(h) a_i`` and ``b_q' = f'(h) b_q + f''(h) Σ_(i,j)∈q a_i a_j``. A Laplacian is carried as the
    sum that it is, as in Li et al. (2024): four tensors for two directions, where all second derivatives take six.

    References
    ----------
    Griewank & Walther (2008), Evaluating derivatives, doi:10.1137/1.9780898717761, chapter 13;
    Li et al. (2024), A computational framework for neural network-based variational Monte Carlo with forward
    Laplacian, doi:10.1038/s42256-024-00794-x
    """

    derivatives: Tensor
    pairs: Pairs

    @classmethod
    def along(cls, x: Tensor, directions: Tensor, pairs: Pairs = (), second: Tensor | None = None) -> Jet:
        """Expand x along directions.

        Parameters
        ----------
        x : Tensor (n, d)
            Points.
        directions : Tensor (m, n, d)
            First derivatives of the curves through each point.
        pairs : sequence of p sequences of (int, int)
            Which second derivatives.
        second : Tensor (p, n, d), optional
            The same second derivatives of the curves themselves: none for straight lines.

        Examples
        --------
        >>> x, east = torch.tensor([[0.0, 2.0]]), torch.tensor([[[1.0, 0.0]]])
        >>> value, slopes, second = (torch.sin(Jet.along(x, east, [[(0, 0)]])) ** 2).sum(-1).terms()
        >>> slopes, second  # sin 2x and 2 cos 2x, at x = 0
        (tensor([[0.]]), tensor([[2.]]))
        """
        second = x.new_zeros(len(pairs), *x.shape) if second is None else second
        return _jet(x, torch.cat([directions, second]), pairs)

    def terms(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the values (*shape), the derivatives (m, *shape) and the second derivatives (p, *shape)."""
        count = len(self.derivatives) - len(self.pairs)
        return _value(self), self.derivatives[:count], self.derivatives[count:]

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        value, slopes, second = self.terms()
        return f"Jet of {len(slopes)} slopes and {len(second)} second derivatives at {value!r}"

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Apply the rule of a function of torch."""
        name = _name(func)
        if name not in RULES:
            raise NotImplementedError(
                f"derivatives do not know the function {name!r}: expected one of {sorted(RULES)}. Write the network's "
                "forward with these, or add a rule to xinr/methods/autodiff/jets.py."
            )
        with torch._C.DisableTorchFunctionSubclass():
            return RULES[name](func, *args, **(kwargs or {}))


def _name(func: Any) -> str:
    """Return the name of a function, a method, an operator or an attribute of tensors."""
    name = str(func.__self__.__name__ if func.__name__ == "__get__" else func.__name__)
    return name.removeprefix("__").removesuffix("__")


def _jet(value: Tensor, derivatives: Tensor, pairs: Pairs) -> Jet:
    jet = value.as_subclass(Jet)
    jet.derivatives, jet.pairs = derivatives, pairs
    return jet


def _value(tensor: Any) -> Any:
    """Return the values of a jet; anything else as it is."""
    if not isinstance(tensor, Jet):
        return tensor
    with torch._C.DisableTorchFunctionSubclass():
        return tensor.as_subclass(Tensor)


def _fitted_to(derivatives: Tensor, shape: torch.Size) -> Tensor:
    """Return derivatives (k, *other) such that they broadcast against a shape as their values do."""
    missing = len(shape) - derivatives.ndim + 1
    return derivatives.reshape(len(derivatives), *[1] * missing, *derivatives.shape[1:])


def _products(pairs: Sequence[tuple[int, int]], left: Tensor, right: Tensor) -> Tensor:
    (i, j), *rest = pairs
    total = left[i] * right[j]
    for i, j in rest:
        total = torch.addcmul(total, left[i], right[j])
    return total


def elementwise(rule: Callable[..., Triple]) -> Callable[..., Jet]:
    """Return the rule of a function of each element."""

    def apply(func: Any, jet: Jet, *args: Any, **kwargs: Any) -> Jet:
        value, slope, curvature = rule(_value(jet), *args, **kwargs)
        derivatives, count = slope * jet.derivatives, len(jet.derivatives) - len(jet.pairs)
        for number, pairs in enumerate(jet.pairs, start=count):
            derivatives[number].addcmul_(curvature, _products(pairs, jet.derivatives, jet.derivatives))
        return _jet(value, derivatives, jet.pairs)

    return apply


def _linear(func: Any, jet: Tensor, weight: Tensor, bias: Tensor | None = None) -> Jet:
    if not isinstance(jet, Jet) or isinstance(weight, Jet):
        raise NotImplementedError(
            "derivatives pass through a linear layer by its input only: its weights must be plain tensors."
        )
    return _jet(func(_value(jet), weight, bias), jet.derivatives @ weight.T, jet.pairs)


def _alike(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Rule of a function linear in one jet: what becomes of values becomes of derivatives."""
    leaves, structure = tree_flatten((args, kwargs))
    numbers = [number for number, leaf in enumerate(leaves) if isinstance(leaf, Jet)]
    if len(numbers) > 1:
        raise NotImplementedError(f"derivatives pass through {_name(func)!r} by one argument only: multiply with *.")

    def applied(tensor: Tensor) -> Any:
        given, named = tree_unflatten([*leaves[: numbers[0]], tensor, *leaves[numbers[0] + 1 :]], structure)
        return func(*given, **named)

    jet = leaves[numbers[0]]
    return tree_map(
        lambda value, derivatives: _jet(value, derivatives, jet.pairs),
        applied(_value(jet)),
        torch.vmap(applied)(jet.derivatives),
    )


def _joined(func: Any, tensors: Sequence[Tensor], *args: Any, **kwargs: Any) -> Jet:
    """Rule of `cat` and `stack`: a plain tensor among jets does not vary."""
    jet = next(tensor for tensor in tensors if isinstance(tensor, Jet))
    count = len(jet.derivatives)
    parts = [each.derivatives if isinstance(each, Jet) else each.new_zeros(count, *each.shape) for each in tensors]
    derivatives = torch.vmap(lambda *each: func(each, *args, **kwargs))(*parts)
    return _jet(func([_value(tensor) for tensor in tensors], *args, **kwargs), derivatives, jet.pairs)


def _sum(func: Any, a: Any, b: Any, *, alpha: float = 1.0) -> Jet:
    """Rule of ``a + alpha b`` and ``a - alpha b``."""
    value = func(_value(a), _value(b), alpha=alpha)
    sign = -alpha if _name(func) == "sub" else alpha
    terms = [(factor, jet) for factor, jet in ((1.0, a), (sign, b)) if isinstance(jet, Jet)]
    parts = [_fitted_to(jet.derivatives, value.shape) for _, jet in terms]
    derivatives = torch.add(terms[0][0] * parts[0], parts[1], alpha=sign) if len(parts) == 2 else terms[0][0] * parts[0]
    return _jet(value, derivatives.expand(len(derivatives), *value.shape), terms[0][1].pairs)


def _product(func: Any, a: Any, b: Any) -> Jet:
    """Rule of ``a * b``: that of Leibniz."""
    if not (isinstance(a, Jet) and isinstance(b, Jet)):
        jet, factor = (a, b) if isinstance(a, Jet) else (b, a)
        value = _value(jet) * factor
        return _jet(value, _fitted_to(jet.derivatives, value.shape) * factor, jet.pairs)
    value = _value(a) * _value(b)
    left, right = _fitted_to(a.derivatives, value.shape), _fitted_to(b.derivatives, value.shape)
    derivatives = left * _value(b) + right * _value(a)
    count = len(derivatives) - len(a.pairs)
    for number, pairs in enumerate(a.pairs, start=count):
        derivatives[number] += _products(pairs, left, right) + _products(pairs, right, left)
    return _jet(value, derivatives, a.pairs)


def _quotient(func: Any, a: Any, b: Any) -> Jet:
    if isinstance(b, Jet):
        return _product(func, a, elementwise(reciprocal)(func, b))
    return _product(func, a, 1.0 / b)


def _swapped(rule: Callable[..., Jet], function: Any) -> Callable[..., Jet]:
    """Return the rule of an operator whose left side is no jet, as in ``1 - jet``."""
    return lambda func, jet, other: rule(function, other, jet)


def _constant(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Rule of what does not vary with the input, or by steps."""
    return tree_map(_value, func(*tree_map(_value, args), **tree_map(_value, kwargs)))


#: Linear in one jet, changes of shape among them.
_ALIKE = (
    *("matmul", "einsum", "neg", "sum", "mean", "getitem", "squeeze", "unsqueeze", "reshape", "flatten", "unflatten"),
    *("transpose", "permute", "T", "expand", "repeat", "chunk", "unbind", "to", "float", "double"),
)
_CONSTANT = (
    *("shape", "device", "dtype", "ndim", "size", "dim", "floor", "round", "sign", "long", "detach"),
    *("gt", "ge", "lt", "le"),
)
RULES: dict[str, Callable[..., Any]] = {
    "linear": _linear,
    "cat": _joined,
    "stack": _joined,
    **dict.fromkeys(("add", "sub"), _sum),
    "rsub": _swapped(_sum, torch.sub),
    "mul": _product,
    "div": _quotient,
    "rdiv": _swapped(_quotient, torch.div),
    **{name: elementwise(rule) for name, rule in ELEMENTWISE.items()},
    **dict.fromkeys(_ALIKE, _alike),
    **dict.fromkeys(_CONSTANT, _constant),
}
