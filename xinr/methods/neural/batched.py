"""Networks that are alike, evaluated and trained as one batched network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from xinr.methods.neural.network import Network


class BatchedNetworks:
    """The members of an ensemble as one network, with a leading dimension of members in each weight.

    Their parameters stay apart, so that an optimizer sees matrices; they are stacked when called.

    Parameters
    ----------
    networks : sequence of Network
        Of the same architecture.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks = list(networks)
        self.buffers = self._stacked([dict(network.named_buffers()) for network in self.networks])

    def __call__(self, x: Tensor) -> Tensor:
        """Evaluate each member at positions of its own, (members, n, d) -> (members, n)."""
        if len(self.networks) == 1:
            height: Tensor = self.networks[0](x[0])
            return height[None]
        weights = self._stacked([dict(network.named_parameters()) for network in self.networks]) | self.buffers
        first = self.networks[0]
        heights: Tensor = vmap(lambda own, at: functional_call(first, own, (at,)))(weights, x)
        return heights

    def _stacked(self, each: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        return {name: torch.stack([own[name] for own in each]) for name in each[0]}
