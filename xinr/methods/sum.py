"""The sum of several predictors, such as a drift and what varies about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xinr.methods import predictor_class
from xinr.methods.base import Array, Pairs, Predictor, with_prefix


@dataclass(frozen=True, eq=False)
class SumPredictor(Predictor):
    """The sum of its parts, all in the same frame."""

    kind = "sum"

    parts: tuple[Predictor, ...]

    def predict(self, x: Array) -> Array:
        """See `Predictor.predict`."""
        return np.sum([part.predict(x) for part in self.parts], axis=0)

    def gradient(self, x: Array) -> Array:
        """See `Predictor.gradient`."""
        return np.sum([part.gradient(x) for part in self.parts], axis=0)

    def curvature(self, x: Array, direction: Array) -> Array:
        """See `Predictor.curvature`."""
        return np.sum([part.curvature(x, direction) for part in self.parts], axis=0)

    def laplacian(self, x: Array, directions: Sequence[Array], bend: Array) -> Array:
        """See `Predictor.laplacian`."""
        return np.sum([part.laplacian(x, directions, bend) for part in self.parts], axis=0)

    def derivatives(
        self, x: Array, directions: Sequence[Array], pairs: Pairs, bends: Sequence[Array]
    ) -> tuple[Array, Array]:
        """See `Predictor.derivatives`."""
        first, second = zip(*(part.derivatives(x, directions, pairs, bends) for part in self.parts), strict=True)
        return np.sum(first, axis=0), np.sum(second, axis=0)

    def state(self) -> dict[str, NDArray[Any]]:
        """See `Predictor.state`: the states of the parts, numbered, and their kinds."""
        state = {
            f"part{number}_{key}": array
            for number, part in enumerate(self.parts)
            for key, array in part.state().items()
        }
        kinds = " ".join(part.kind for part in self.parts)
        return state | {"kinds": np.frombuffer(kinds.encode(), np.uint8).copy()}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """See `Predictor.from_state`."""
        kinds = state["kinds"].tobytes().decode().split()
        own = [with_prefix(state, f"part{number}_") for number in range(len(kinds))]
        return cls(tuple(predictor_class(kind).from_state(part) for kind, part in zip(kinds, own, strict=True)))
