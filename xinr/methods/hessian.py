"""Predictors that give value, gradient and Hessian at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from xinr.methods.base import Array, DerivativePredictor, Pairs


class HessianPredictor(DerivativePredictor):
    """A predictor that gives value, gradient and Hessian at once; all else follows from them."""

    @abstractmethod
    def expand(self, x: Array, order: int) -> tuple[Array, ...]:
        """Return the value, (n,), and up to an order of 1 or 2 its gradient, (n, d), and its Hessian, (n, d, d)."""

    def predict(self, x: Array) -> Array:
        """See `Predictor.predict`."""
        return self.expand(x, 0)[0]

    def gradient(self, x: Array) -> Array:
        """See `Predictor.gradient`."""
        return self.expand(x, 1)[1]

    def derivatives(
        self, x: Array, directions: Sequence[Array], pairs: Pairs, bends: Sequence[Array]
    ) -> tuple[Array, Array]:
        """See `Predictor.derivatives`."""
        _, gradient, hessian = self.expand(x, 2)
        first = np.einsum("nd,mnd->mn", gradient, np.stack(directions))
        second = np.einsum("nd,pnd->pn", gradient, np.reshape(bends, (-1, *x.shape)))
        turned = [np.einsum("nij,nj->ni", hessian, direction) for direction in directions]
        for row, each in zip(second, pairs, strict=True):
            row += sum(np.einsum("ni,ni->n", directions[i], turned[j]) for i, j in each)
        return first, second
