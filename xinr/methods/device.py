"""Where to compute."""

import psutil
import torch


def device_from(name: str, *, metal: bool = True) -> torch.device:
    """Return the device of that name ("cpu", "cuda", "cuda:1", "mps"); ValueError where there is none.

    "auto" is a GPU if there is one: cuda, then mps unless ``metal`` is False, as mps has neither float64 nor sparse
    products.
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


def check_memory(needed: int, device: torch.device, what: str, cure: str) -> None:
    """Raise MemoryError where bytes are needed that a device does not have."""
    available = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    if needed > available:
        raise MemoryError(
            f"{what} needs {needed / 1e9:.3g} GB, and {device} has {available / 1e9:.3g} free: use {cure}."
        )
