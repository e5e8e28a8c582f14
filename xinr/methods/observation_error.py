"""How observations err: white noise of each point, and what the points of a pass have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array

#: Deviations of whole passes, by name.
PASS_ERRORS = ("pass_bias", "pass_slope")


@dataclass(frozen=True)
class ObservationError:
    """How observations err: white noise per point, and a bias and a slope per pass.

    The covariance of the errors is ``diag(noise²)``, and within each pass ``pass_bias² + pass_slope² d_i d_j`` with
    the distances d from its middle. What is left of orbit errors and long-wavelength corrections changes little along
    a pass: Le Traon et al. (1998).

    Parameters
    ----------
    noise : ndarray (n,)
        Standard deviation of the white noise [unit of the data], above zero.
    pass_index : ndarray of int (n,)
        Which pass each point belongs to, from 0.
    distance : ndarray (n,)
        Signed distance from the middle of the pass [1000 km].
    pass_bias : float
        Standard deviation of the bias of a pass [unit of the data].
    pass_slope : float
        Standard deviation of its slope [unit of the data per 1000 km].

    References
    ----------
    Le Traon, Nadal & Ducet (1998), doi:10.1175/1520-0426(1998)015<0522:AIMMOM>2.0.CO;2
    """

    noise: Array
    pass_index: NDArray[np.int64]
    distance: Array
    pass_bias: float = 0.0
    pass_slope: float = 0.0

    @property
    def mode_names(self) -> tuple[str, ...]:
        """Which deviations of passes are above zero."""
        return present_errors(self)

    @property
    def modes(self) -> Array:
        """What a pass can add to its points, each column one standard deviation of it, (n, modes)."""
        shapes = {"pass_bias": np.ones_like(self.distance), "pass_slope": self.distance}
        columns = [getattr(self, name) * shapes[name] for name in self.mode_names]
        return np.stack(columns, axis=1) if columns else np.empty((len(self.noise), 0))

    @property
    def variance(self) -> Array:
        """Variance of the error of each point, (n,)."""
        return np.asarray(self.noise**2 + (self.modes**2).sum(axis=1))

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> ObservationError:
        """Return the errors of the chosen points; passes keep their numbers."""
        columns = {name: getattr(self, name)[chosen] for name in ("noise", "pass_index", "distance")}
        return replace(self, **columns)

    def scaled(self, factor: float) -> ObservationError:
        """Return the errors in another unit of the data: every deviation times the factor."""
        bias, slope = factor * self.pass_bias, factor * self.pass_slope
        return replace(self, noise=factor * self.noise, pass_bias=bias, pass_slope=slope)

    def add_to(self, covariance: Array, chosen: slice) -> None:
        """Add the error covariance of the chosen points to a matrix, in place."""
        covariance[np.diag_indices_from(covariance)] += self.noise[chosen] ** 2
        modes = self.modes[chosen]
        if modes.shape[1]:
            # Block by block: passes are short, the matrix is large.
            passes = self.pass_index[chosen]
            order = np.argsort(passes, kind="stable")
            for members in np.split(order, np.flatnonzero(np.diff(passes[order])) + 1):
                covariance[np.ix_(members, members)] += modes[members] @ modes[members].T

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays from which `from_state` rebuilds it."""
        deviations = np.array([self.pass_bias, self.pass_slope])
        columns = {"noise": self.noise, "pass_index": self.pass_index, "distance": self.distance}
        return columns | {"pass_deviations": deviations}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild it from a mapping that holds its `state`."""
        bias, slope = map(float, state["pass_deviations"])
        return cls(state["noise"], state["pass_index"], state["distance"], bias, slope)


def present_errors(deviations: Any) -> tuple[str, ...]:
    """Return which deviations of passes are above zero."""
    return tuple(name for name in PASS_ERRORS if getattr(deviations, name) > 0.0)
