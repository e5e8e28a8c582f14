"""Refuse what does not fit into memory, before anything is allocated."""

from __future__ import annotations

import psutil
import torch


def check_memory(needed: int, device: torch.device, what: str, cure: str) -> None:
    """Raise MemoryError where bytes are needed that a device does not have.

    Examples
    --------
    >>> check_memory(10**15, torch.device("cpu"), "this", "less")
    Traceback (most recent call last):
    MemoryError: this needs 1e+06 GB, and cpu has ... free: use less.
    """
    available = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    if needed > available:
        raise MemoryError(
            f"{what} needs {needed / 1e9:.3g} GB, and {device} has {available / 1e9:.3g} free: use {cure}."
        )
