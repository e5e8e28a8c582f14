"""Combinations of several predictors, such as the sum of a drift and what varies about it."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, override

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array, Pairs
from xinr.geo.points import Points
from xinr.methods.predictor import Predictor, predictor_class, with_prefix


@dataclass(frozen=True, eq=False)
class CombinedPredictor(Predictor):
    """A linear combination of parts, all in the same frame: the same one for values and for derivatives."""

    parts: tuple[Predictor, ...]

    @staticmethod
    @abstractmethod
    def combine(values: Sequence[Array]) -> Array:
        """Return the combination of what each part gives."""

    @override
    def predict(self, points: Points) -> Array:
        return self.combine([part.predict(points) for part in self.parts])

    @override
    def gradient(self, points: Points) -> Array:
        return self.combine([part.gradient(points) for part in self.parts])

    @override
    def curvature(self, points: Points, direction: Array) -> Array:
        return self.combine([part.curvature(points, direction) for part in self.parts])

    @override
    def laplacian(self, points: Points, directions: Sequence[Array], metric_term: Array) -> Array:
        return self.combine([part.laplacian(points, directions, metric_term) for part in self.parts])

    @override
    def derivatives(
        self, points: Points, directions: Sequence[Array], pairs: Pairs, metric_terms: Sequence[Array]
    ) -> tuple[Array, Array]:
        found = (part.derivatives(points, directions, pairs, metric_terms) for part in self.parts)
        first, second = zip(*found, strict=True)
        return self.combine(first), self.combine(second)

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        """The states of the parts, numbered, and their kinds."""
        state = {
            f"part{number}_{key}": array
            for number, part in enumerate(self.parts)
            for key, array in part.state().items()
        }
        kinds = " ".join(part.kind for part in self.parts)
        return state | {"kinds": np.frombuffer(kinds.encode(), np.uint8).copy()}

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        kinds = state["kinds"].tobytes().decode().split()
        own = [with_prefix(state, f"part{number}_") for number in range(len(kinds))]
        return cls(tuple(predictor_class(kind).from_state(part) for kind, part in zip(kinds, own, strict=True)))


class SumPredictor(CombinedPredictor):
    """The sum of its parts."""

    kind = "sum"

    @staticmethod
    @override
    def combine(values: Sequence[Array]) -> Array:
        return np.asarray(np.sum(values, axis=0))
