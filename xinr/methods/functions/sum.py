"""Combinations of several predictors, such as the sum of a drift and what varies about it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array, Pairs
from xinr.methods.predictor import Predictor, predictor_class, with_prefix


@dataclass(frozen=True, eq=False)
class CombinedPredictor(Predictor):
    """A linear combination of parts, all in the same frame: the same one for values and for derivatives."""

    parts: tuple[Predictor, ...]

    @staticmethod
    @abstractmethod
    def combine(values: Sequence[Array]) -> Array:
        """Return the combination of what each part gives."""

    def predict(self, x: Array) -> Array:
        """See `Predictor.predict`."""
        return self.combine([part.predict(x) for part in self.parts])

    def gradient(self, x: Array) -> Array:
        """See `Predictor.gradient`."""
        return self.combine([part.gradient(x) for part in self.parts])

    def curvature(self, x: Array, direction: Array) -> Array:
        """See `Predictor.curvature`."""
        return self.combine([part.curvature(x, direction) for part in self.parts])

    def laplacian(self, x: Array, directions: Sequence[Array], bend: Array) -> Array:
        """See `Predictor.laplacian`."""
        return self.combine([part.laplacian(x, directions, bend) for part in self.parts])

    def derivatives(
        self, x: Array, directions: Sequence[Array], pairs: Pairs, bends: Sequence[Array]
    ) -> tuple[Array, Array]:
        """See `Predictor.derivatives`."""
        first, second = zip(*(part.derivatives(x, directions, pairs, bends) for part in self.parts), strict=True)
        return self.combine(first), self.combine(second)

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


class SumPredictor(CombinedPredictor):
    """The sum of its parts."""

    kind = "sum"

    @staticmethod
    def combine(values: Sequence[Array]) -> Array:
        """See `CombinedPredictor.combine`."""
        return np.asarray(np.sum(values, axis=0))
