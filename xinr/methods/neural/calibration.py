"""By how much a trained network errs more than its last layer knows, judged by passes that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.methods.observation_error import ObservationError
from xinr.methods.settings import packed, plain_settings, unpacked

if TYPE_CHECKING:
    from xinr.methods.neural.method import NeuralMethod
    from xinr.methods.neural.predictor import NeuralPredictor

#: Fraction of the passes that a trial withholds.
WITHHELD = 0.1
#: Least share of what neighbouring misfits have in common that is the map's: errors of passes may be stated too large.
MAPPED = 0.5


@dataclass(frozen=True, eq=False)
class Trial:
    """A fit of the same observations without a tenth of their passes.

    Parameters
    ----------
    method : NeuralMethod
        Its settings; a penalty is left out.
    x : ndarray (n, d)
    y : ndarray (n,)
    error : ObservationError
        As given to `Method.fit`.
    """

    method: NeuralMethod
    x: Array
    y: Array
    error: ObservationError

    def inflation(self) -> float:
        """Train once more, without some passes, and judge by these; 1 where there is but one pass."""
        passes = len(np.unique(self.error.pass_index))
        if passes == 1:
            return 1.0
        # To the last step, whose rate is zero: misfits fall most towards the end.
        method = replace(self._plain, withheld_passes=max(WITHHELD, 1.0 / passes), patience=self.method.steps)
        return method.fit_alone(self.x, self.y, self.error).inflation.factor

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays from which `from_state` rebuilds it."""
        settings = plain_settings(self._plain)
        kind = {"kind": self.method.predictor.kind}
        return {"x": self.x, "y": self.y, "method": packed(kind | settings), **self.error.state()}

    @property
    def _plain(self) -> NeuralMethod:
        return replace(self.method, checkpoint="", penalty=None, device="auto")

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild it from a mapping that holds its `state`."""
        from xinr.methods.registry import method_from

        settings = unpacked(state["method"])
        method: Any = method_from(settings.pop("kind"), settings)
        return cls(method, state["x"], state["y"], ObservationError.from_state(state))


class Inflation:
    """The factor between errors and what the last layer knows of them: a number, or a trial until it is asked for.

    Parameters
    ----------
    found : float or Trial
        The factor, or what will tell it.
    """

    def __init__(self, found: float | Trial) -> None:
        self._found, self._lock = found, Lock()

    @property
    def factor(self) -> float:
        """The factor, one or more."""
        with self._lock:  # one trial, whichever block of a target asks first
            if isinstance(self._found, Trial):
                self._found = self._found.inflation()
            return self._found

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays from which `from_state` rebuilds it."""
        return self._found.state() if isinstance(self._found, Trial) else {"factor": np.array(self._found)}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild it from its `state`."""
        return cls(float(state["factor"]) if "factor" in state else Trial.from_state(state))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what was found: the lock stays behind."""
        return type(self), (self._found,)


def inflation_of(members: Sequence[NeuralPredictor], x: Array, y: Array, error: ObservationError) -> float:
    """Return by how much the errors of the last layers are too small at passes that the members have not seen.

    Parameters
    ----------
    members : sequence of NeuralPredictor
        Networks whose mean is the map.
    x : ndarray (n, d)
    y : ndarray (n,)
    error : ObservationError
        Observations of these passes.

    Returns
    -------
    float
        One at least.

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
    misfit = common((y - value.mean(axis=0))[:, None])
    square = max(misfit - common(error.modes), MAPPED * misfit) - common(apart.T)
    return float(np.sqrt(max(1.0, square * len(members) / common(within.T))))
