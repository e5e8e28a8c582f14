"""Where to compute."""

from __future__ import annotations

import torch


def device_from(name: str, *, metal: bool = True) -> torch.device:
    """Return the device of that name; "auto" is a GPU where there is one: cuda, then mps.

    Parameters
    ----------
    name : str
        "auto", "cpu", "cuda", "cuda:1", "mps".
    metal : bool
        Whether "auto" may take mps, which has neither float64 nor sparse products.

    Raises
    ------
    ValueError
        No such device here.

    Examples
    --------
    >>> device_from("cpu")
    device(type='cpu')
    """
    if name != "auto":
        try:
            return torch.empty(0, device=name).device
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device {name!r} cannot be used here: expected 'auto', 'cpu', 'cuda' or 'mps' ({error})."
            ) from error
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if metal and torch.backends.mps.is_available() else "cpu")
