"""Several networks trained alike: their mean, and how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, override

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.geo.points import Points
from xinr.methods.functions.sum import CombinedPredictor
from xinr.methods.neural.calibration import Inflation
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.predictor import Predictor, SamplePredictor, with_prefix


@dataclass(frozen=True, eq=False)
class EnsemblePredictor(CombinedPredictor, SamplePredictor):
    """The mean of trained networks.

    Its variance is that between the members and, on average, that of the last layer of each, inflated: a mixture of
    Gaussians.

    References
    ----------
    Lakshminarayanan et al. (2017), arXiv:1612.01474
    """

    kind = "ensemble"

    parts: tuple[NeuralPredictor, ...]

    @staticmethod
    @override
    def combine(values: Sequence[Array]) -> Array:
        return np.asarray(np.mean(values, axis=0))

    @property
    def members(self) -> tuple[NeuralPredictor, ...]:
        """The networks."""
        return self.parts

    @property
    def inflation(self) -> Inflation:
        """By how much the last layers know too little: the same for all."""
        return self.members[0].inflation

    @property
    def history(self) -> dict[str, Array]:
        """How the training went: the same record for all."""
        return self.members[0].history

    @override
    def posterior(self, points: Points) -> tuple[Array, Array]:
        value, error = (
            np.stack(both) for both in zip(*(member.posterior(points) for member in self.members), strict=True)
        )
        # The spread of a few members about their own mean is too small by (count - 1) / count.
        between = value.var(axis=0, ddof=1)
        return value.mean(axis=0), np.sqrt(between + np.square(error).mean(axis=0))

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        """The inflation is kept with the first member alone."""
        others = tuple(f"part{number}_inflation_" for number in range(1, len(self.members)))
        return {key: array for key, array in super().state().items() if not key.startswith(others)}

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        kept, count = with_prefix(state, "part0_inflation_"), len(state["kinds"].tobytes().split())
        others = {f"part{number}_inflation_{key}": kept[key] for number in range(1, count) for key in kept}
        found = super().from_state({**state, **others})
        return cls(tuple(replace(member, inflation=found.inflation) for member in found.members))

    @override
    def sample(self, count: int, seed: int) -> Sequence[Predictor]:
        """Of one member after the other."""
        of_each = [member.sample(-(-count // len(self.members)), seed + k) for k, member in enumerate(self.members)]
        return [draw for together in zip(*of_each, strict=True) for draw in together][:count]
