"""Several networks trained alike: their mean, and the spread between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import override

import numpy as np

from xinr._typing import Array
from xinr.geo.points import Points
from xinr.methods.functions.sum import CombinedPredictor
from xinr.methods.neural.predictor import NeuralPredictor
from xinr.methods.predictor import Predictor, SamplePredictor


@dataclass(frozen=True, eq=False)
class EnsemblePredictor(CombinedPredictor, SamplePredictor):
    """The mean of trained networks.

    Its variance is the sum of that between the members and the mean of their own: a mixture of Gaussians. All members
    have the same calibration.

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
    @override
    def calibration(self) -> Mapping[str, float]:
        return self.members[0].calibration

    @property
    @override
    def error_comment(self) -> str:
        return self.members[0].error_comment

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
    def sample(self, count: int, seed: int) -> Sequence[Predictor]:
        """Posterior samples of one member after the other."""
        of_each = [member.sample(-(-count // len(self.members)), seed + k) for k, member in enumerate(self.members)]
        return [each for together in zip(*of_each, strict=True) for each in together][:count]
