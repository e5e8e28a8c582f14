"""Variance inflation: how much larger the errors of a network are than its last layer says, from withheld passes."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.methods.observation_error import ObservationError

#: Fraction of the passes that a calibration withholds.
WITHHELD = 0.1
#: Least share of what neighbouring misfits have in common that is the map's: errors of passes may be set too large.
MAPPED = 0.5


class Calibration(NamedTuple):
    """The factor on the standard deviation of the last layer, one or more, and how long it took to find [s]."""

    inflation: float
    seconds: float = 0.0


class LastLayer(Protocol):
    """A network whose last layer tells an uncertainty."""

    def last_layer(self, x: Array) -> tuple[Array, Array]:
        """Return the value at each point, and its standard deviation by the last layer alone, each (n,)."""


def inflation_of(members: Sequence[LastLayer], x: Array, y: Array, error: ObservationError) -> float:
    """Return the factor, one at least, by which the errors of the last layers are too small at withheld passes.

    The mean of the members is the map; x (n, d) and y (n,), with their errors, are observations of those passes.

    Notes
    -----
    White noise has no covariance between neighbours along a pass, the error of a map nearly its variance, so that the
    mean product of neighbouring misfits, less what the pass adds to both, is the mean square error of the map. The
    factor makes the variance of the last layers, with that between the members, as large. The level of the noise,
    which often regularises, has no part in it.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> flat = SimpleNamespace(last_layer=lambda x: (np.zeros(len(x)), np.full(len(x), 0.01)))
    >>> one_pass = ObservationError(noise=np.full(9, 0.02), pass_index=np.zeros(9, int), distance=np.zeros(9))
    >>> round(inflation_of([flat], np.zeros((9, 4)), np.full(9, 0.03), one_pass), 6)
    3.0
    """
    value, within = (np.stack(both) for both in zip(*(member.last_layer(x) for member in members), strict=True))
    order = np.lexsort((x[:, -1], error.pass_index))
    along = np.flatnonzero(np.diff(error.pass_index[order]) == 0)
    one, next_one = order[along], order[along + 1]

    def common(columns: Array) -> float:
        """Return the sum over (n, m) columns of the mean product of neighbours."""
        return float((columns[one] * columns[next_one]).sum(axis=1).mean())

    if not len(along):
        return 1.0
    apart = (value - value.mean(axis=0)) / np.sqrt(max(len(members) - 1, 1))
    misfit, modes = common((y - value.mean(axis=0))[:, None]), error.modes.matrix
    of_passes = float(modes[one].multiply(modes[next_one]).sum()) / len(along)
    square = max(misfit - of_passes, MAPPED * misfit) - common(apart.T)
    return float(np.sqrt(max(1.0, square * len(members) / common(within.T))))


def withheld_points(pass_index: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Mark the points of a random choice of whole passes: neighbours along a pass are not independent."""
    passes = np.unique(pass_index)
    chosen = np.random.default_rng(seed).permutation(passes)[: round(fraction * len(passes))]
    if fraction > 0 and not 0 < len(chosen) < len(passes):
        raise ValueError(f"withheld_passes={fraction} of {len(passes)} passes leaves none to fit or to withhold.")
    return np.isin(pass_index, chosen)
