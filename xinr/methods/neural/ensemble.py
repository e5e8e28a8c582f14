"""Several networks trained alike: their mean, and how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xinr.methods import predictor_class
from xinr.methods.base import Array, Pairs, Predictor, SamplePredictor, packed, unpacked, with_prefix
from xinr.methods.neural.predictor import NeuralPredictor


@dataclass(frozen=True, eq=False)
class EnsemblePredictor(SamplePredictor):
    """The mean of trained networks.

    Its variance is that between the members and, on average, that of the last layer of each: a mixture of Gaussians.

    References
    ----------
    Lakshminarayanan et al. (2017), arXiv:1612.01474
    """

    kind = "ensemble"

    members: tuple[NeuralPredictor, ...]

    @property
    def history(self) -> dict[str, Array]:
        """How the training went: the same record for all."""
        return self.members[0].history

    def predict(self, x: Array) -> Array:
        """See `Predictor.predict`."""
        return np.mean([member.predict(x) for member in self.members], axis=0)

    def gradient(self, x: Array) -> Array:
        """See `Predictor.gradient`."""
        return np.mean([member.gradient(x) for member in self.members], axis=0)

    def curvature(self, x: Array, direction: Array) -> Array:
        """See `Predictor.curvature`."""
        return np.mean([member.curvature(x, direction) for member in self.members], axis=0)

    def laplacian(self, x: Array, directions: Sequence[Array], bend: Array) -> Array:
        """See `Predictor.laplacian`."""
        return np.mean([member.laplacian(x, directions, bend) for member in self.members], axis=0)

    def derivatives(
        self, x: Array, directions: Sequence[Array], pairs: Pairs, bends: Sequence[Array]
    ) -> tuple[Array, Array]:
        """See `Predictor.derivatives`."""
        first, second = zip(*(member.derivatives(x, directions, pairs, bends) for member in self.members), strict=True)
        return np.mean(first, axis=0), np.mean(second, axis=0)

    def posterior(self, x: Array) -> tuple[Array, Array]:
        """See `ErrorPredictor.posterior`."""
        value, error = (np.stack(both) for both in zip(*(member.posterior(x) for member in self.members), strict=True))
        # The spread of a few members about their own mean is too small by (count - 1) / count.
        between = value.var(axis=0, ddof=1)
        return value.mean(axis=0), np.sqrt(between + np.square(error).mean(axis=0))

    def draws(self, count: int, seed: int) -> Sequence[Predictor]:
        """See `SamplePredictor.draws`: of one member after the other."""
        of_each = [member.draws(-(-count // len(self.members)), seed + k) for k, member in enumerate(self.members)]
        return [draw for together in zip(*of_each, strict=True) for draw in together][:count]

    def state(self) -> dict[str, NDArray[Any]]:
        """See `Predictor.state`: the states of the members, numbered."""
        state = {
            f"member{number}_{key}": array
            for number, member in enumerate(self.members)
            for key, array in member.state().items()
        }
        return state | {"kinds": packed([member.kind for member in self.members])}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """See `Predictor.from_state`."""
        kinds = enumerate(unpacked(state["kinds"]))
        members = [predictor_class(kind).from_state(with_prefix(state, f"member{number}_")) for number, kind in kinds]
        return cls(tuple(members))  # type: ignore[arg-type]
