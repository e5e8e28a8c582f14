"""Several processes that train one field: each takes its share of every batch.

``torchrun --nproc-per-node 2 script.py`` starts them; the script fits as ever, and every process ends up with the same
field.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Workers:
    """One process among those that train together.

    Parameters
    ----------
    rank, count : int
        Its number, from 0, and how many there are.

    References
    ----------
    https://docs.pytorch.org/docs/stable/elastic/run.html (the environment variables of torchrun)

    Examples
    --------
    >>> Workers(rank=1, count=2).share(torch.arange(5)[None])
    tensor([[1, 3]])
    """

    rank: int = 0
    count: int = 1

    @classmethod
    def present(cls, device: torch.device) -> Workers:
        """Return which process this is among those that torchrun started, joining them if it has not yet."""
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls()
        if not distributed.is_initialized():
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return cls(distributed.get_rank(), distributed.get_world_size())

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes files and shows progress."""
        return self.rank == 0

    def share(self, index: Tensor) -> Tensor:
        """Return what this process takes of a batch (..., n): every ``count``-th."""
        return index[..., self.rank :: self.count]

    def add_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Sum the gradients over the processes, in one message."""
        if self.count == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        message = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(message)
        for gradient, found in zip(gradients, torch.split(message, [g.numel() for g in gradients]), strict=True):
            gradient.copy_(found.view_as(gradient))

    def sum(self, value: Tensor) -> Tensor:
        """Return the sum of a value over the processes."""
        if self.count > 1:
            distributed.all_reduce(value)
        return value


#: One process on its own.
ALONE = Workers()
