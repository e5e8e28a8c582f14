"""What a method is: settings with one ``fit``, giving a predictor made of arrays alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ObservationError:
    """How observations err: white noise per point, and a constant per pass.

    The covariance of the errors is ``diag(noise²) + pass_bias² · [same pass]``. What is left of orbit errors and
    long-wavelength corrections is nearly constant along a pass: Le Traon et al. (1998).

    Parameters
    ----------
    noise : ndarray (n,)
        Standard deviation of the white noise [unit of the data], above zero.
    pass_index : ndarray of int (n,)
        Which pass each point belongs to, from 0.
    pass_bias : float
        Standard deviation of the bias of a pass [unit of the data].

    References
    ----------
    Le Traon, Nadal & Ducet (1998), doi:10.1175/1520-0426(1998)015<0522:AIMMOM>2.0.CO;2
    """

    noise: Array
    pass_index: NDArray[np.int64]
    pass_bias: float = 0.0

    def add_to(self, covariance: Array, chosen: slice) -> None:
        """Add the error covariance of the chosen points to a matrix, in place."""
        covariance[np.diag_indices_from(covariance)] += self.noise[chosen] ** 2
        if self.pass_bias > 0.0:
            # Block by block: passes are short, the matrix is large.
            passes = self.pass_index[chosen]
            order = np.argsort(passes, kind="stable")
            for members in np.split(order, np.flatnonzero(np.diff(passes[order])) + 1):
                covariance[np.ix_(members, members)] += self.pass_bias**2


class Predictor(ABC):
    """A fitted function of ``x`` (n, d): arrays, no xarray, no geography.

    A subclass names its ``kind``, under which a saved Field finds it again.
    """

    kind: ClassVar[str]
    registry: ClassVar[dict[str, type[Predictor]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in vars(cls):
            Predictor.registry[cls.kind] = cls

    @abstractmethod
    def predict(self, x: Array) -> Array:
        """Return the value at each point, (n,)."""

    @abstractmethod
    def gradient(self, x: Array) -> Array:
        """Return the derivative along each coordinate of x, (n, d)."""

    @abstractmethod
    def curvature(self, x: Array, direction: Array) -> Array:
        """Return the second derivative vᵀ H v along the direction v (n, d) of each point, (n,)."""

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays from which `from_state` rebuilds the same predictor."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the predictor from its `state`."""


class ErrorPredictor(Predictor):
    """A predictor that also knows how far off it may be."""

    @abstractmethod
    def posterior(self, x: Array) -> tuple[Array, Array]:
        """Return the value and its posterior standard deviation at each point, each (n,)."""


@dataclass(frozen=True, kw_only=True)
class Method(ABC):
    """Settings of a method, and what it asks of the observations.

    Parameters
    ----------
    frame : {"sphere", "degrees"}
        Coordinates in which it works: see `xinr.frame`.
    coarsen : int
        How many consecutive points of a pass are averaged into one.
    noise : float
        Standard deviation of the observations' white noise [unit of the data], after averaging.
    pass_bias : float
        Standard deviation of a bias per pass [unit of the data].
    """

    frame: str = "sphere"
    coarsen: int = 1
    noise: float = 0.03
    pass_bias: float = 0.0

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = _as_declared(setting.name, str(setting.type), getattr(self, setting.name))
            object.__setattr__(self, setting.name, value)
        check_positive(noise=self.noise, coarsen=self.coarsen)
        if not 0.0 <= self.pass_bias < np.inf:
            raise ValueError(f"pass_bias must be a standard deviation [m], zero or more, got {self.pass_bias!r}.")

    @abstractmethod
    def fit(self, x: Array, y: Array, error: ObservationError) -> Predictor:
        """Fit ``y`` (n,) observed at ``x`` (n, d) with errors as modelled."""


def check_settings(method: type[Method], settings: Mapping[str, Any]) -> None:
    """Raise TypeError for settings that a method does not have, naming those it has."""
    valid = [field.name for field in fields(method)]
    unknown = sorted(set(settings) - set(valid))
    if unknown:
        raise TypeError(f"{method.__name__} has no setting {unknown}: expected some of {valid}.")


def check_length_scale(frame: str, length_scale: float) -> None:
    """Raise ValueError for a length scale that must have been meant in the other frame's unit."""
    if frame == "degrees" and length_scale > 45.0:
        raise ValueError(
            f"length_scale = {length_scale:g} is in degrees in the frame 'degrees': expected a few degrees at most. "
            'For kilometres set frame="sphere".'
        )
    if frame == "sphere" and length_scale < 10.0:
        raise ValueError(
            f"length_scale = {length_scale:g} is in kilometres in the frame 'sphere', less than altimeters resolve: "
            'expected 10 or more, say 100. For degrees set frame="degrees".'
        )


def _as_declared(name: str, declared: str, value: Any) -> Any:
    """Return a setting as the plain type it is declared with: numpy's scalars could not be saved."""
    if declared == "int":
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise TypeError(f"{name} must be a whole number, got {value!r}.")
        return int(value)
    if declared == "float":
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"{name} must be a number, got {value!r}.")
        return float(value)
    return value


def check_positive(**settings: float) -> None:
    """Raise ValueError for the first setting that is not a finite number above zero."""
    for name, value in settings.items():
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a finite number above zero, got {value!r}.")
