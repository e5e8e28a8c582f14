"""A sum of plane waves: a function whose every derivative is known, the truth of simulated eddies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, override

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.geo.points import Points
from xinr.methods.predictor import Predictor

# Points per block: with 400 waves a block of phases takes 26 MB.
BLOCK = 8192


@dataclass(frozen=True, eq=False)
class WavePredictor(Predictor):
    """A sum of plane waves ``Σ amplitude · cos(wavevector · x + phase)``.

    Parameters
    ----------
    wavevector, amplitude, phase : ndarray (m, d), (m,), (m,)
        [rad/km and rad/day], [m], [rad].
    """

    kind = "waves"

    wavevector: Array
    amplitude: Array
    phase: Array

    @override
    def predict(self, points: Points) -> Array:
        return self._joined(points.x, lambda angle, _: np.cos(angle) @ self.amplitude)

    @override
    def gradient(self, points: Points) -> Array:
        slopes = -self.amplitude[:, None] * self.wavevector  # (m, d)
        return self._joined(points.x, lambda angle, _: np.sin(angle) @ slopes)

    @override
    def curvature(self, points: Points, direction: Array) -> Array:
        along = points.repeat(direction @ self.wavevector.T)  # (n, waves)
        return self._joined(points.x, lambda angle, at: -(np.cos(angle) * along[at] ** 2) @ self.amplitude)

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        return {"wavevector": self.wavevector, "amplitude": self.amplitude, "phase": self.phase}

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        return cls(state["wavevector"], state["amplitude"], state["phase"])

    def _joined(self, x: Array, function: Callable[[Array, slice], Array]) -> Array:
        blocks = [slice(start, start + BLOCK) for start in range(0, max(len(x), 1), BLOCK)]
        return np.concatenate([function(x[at] @ self.wavevector.T + self.phase, at) for at in blocks])
