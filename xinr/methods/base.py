"""What a method is: settings with one ``fit``, giving a predictor made of arrays alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from xinr.methods.settings import check_positive, coerce

Array = NDArray[np.float64]
#: Of each second derivative, the pairs of directions whose mixed derivatives it sums.
Pairs = Sequence[Sequence[tuple[int, int]]]

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


def present_errors(settings: ObservationError | Method) -> tuple[str, ...]:
    """Return which deviations of passes are above zero."""
    return tuple(name for name in PASS_ERRORS if getattr(settings, name) > 0.0)


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

    def laplacian(self, x: Array, directions: Sequence[Array], bend: Array) -> Array:
        """Return the sum of the curvatures along directions (n, d) and of the gradient along the bend (n, d), (n,)."""
        curvature = sum((self.curvature(x, direction) for direction in directions), np.zeros(len(x)))
        return np.asarray(curvature + np.einsum("ij,ij->i", self.gradient(x), bend))

    def derivatives(
        self, x: Array, directions: Sequence[Array], pairs: Pairs, bends: Sequence[Array]
    ) -> tuple[Array, Array]:
        """Return first derivatives along m directions (n, d), and p second derivatives, (m, n) and (p, n).

        A second derivative is the sum of ``v_iᵀ H v_j`` over its pairs (i, j), and the gradient along its bend (n, d).
        """
        gradient = self.gradient(x)
        own = {
            i: self.curvature(x, directions[i]) for i in sorted({i for each in pairs for pair in each for i in pair})
        }

        def mixed(i: int, j: int) -> Array:
            return own[i] if i == j else (self.curvature(x, directions[i] + directions[j]) - own[i] - own[j]) / 2.0

        first = np.einsum("nd,mnd->mn", gradient, np.stack(directions))
        second = np.einsum("nd,pnd->pn", gradient, np.reshape(bends, (-1, *x.shape)))
        for row, each in zip(second, pairs, strict=True):
            row += sum(mixed(i, j) for i, j in each)
        return first, second

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays from which `from_state` rebuilds the same predictor."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the predictor from its `state`."""


class DerivativePredictor(Predictor):
    """A predictor that finds all derivatives at once: curvature and Laplacian are some of them."""

    @abstractmethod
    def derivatives(
        self, x: Array, directions: Sequence[Array], pairs: Pairs, bends: Sequence[Array]
    ) -> tuple[Array, Array]:
        """See `Predictor.derivatives`."""

    def curvature(self, x: Array, direction: Array) -> Array:
        """See `Predictor.curvature`."""
        return self.laplacian(x, [direction], np.zeros_like(x))

    def laplacian(self, x: Array, directions: Sequence[Array], bend: Array) -> Array:
        """See `Predictor.laplacian`."""
        squares = [(i, i) for i in range(len(directions))]
        return np.asarray(self.derivatives(x, directions, [squares], [bend])[1][0])


def with_prefix(state: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """Return the entries of a state whose names begin with the prefix, without it."""
    return {key.removeprefix(prefix): array for key, array in state.items() if key.startswith(prefix)}


class ErrorPredictor(Predictor):
    """A predictor that also knows how far off it may be."""

    @abstractmethod
    def posterior(self, x: Array) -> tuple[Array, Array]:
        """Return the value and its posterior standard deviation at each point, each (n,)."""


class SamplePredictor(ErrorPredictor):
    """A predictor that can draw other functions which fit the observations as well."""

    @abstractmethod
    def draws(self, count: int, seed: int) -> Sequence[Predictor]:
        """Return random functions from the posterior, the same ones for the same seed."""


@dataclass(frozen=True, kw_only=True)
class Method(ABC):
    """Settings of a method, and what it asks of the observations.

    Parameters
    ----------
    frame : {"sphere", "degrees", "plane"}
        Coordinates in which it works: see `xinr.frame`.
    coarsen : int
        How many consecutive points of a pass are averaged into one.
    noise : float or mapping
        Standard deviation of the observations' white noise [unit of the data], after averaging: one number, or one for
        each mission. A mission that is not among them has their root mean square.
    pass_bias : float
        Standard deviation of a bias per pass [unit of the data].
    pass_slope : float
        Standard deviation of a slope per pass [unit of the data per 1000 km].
    """

    frame: str = "sphere"
    coarsen: int = 1
    noise: float | Mapping[str, float] = 0.03
    pass_bias: float = 0.0
    pass_slope: float = 0.0

    def __post_init__(self) -> None:
        coerce(self)
        levels = self._noise_levels
        if not levels:
            raise ValueError("noise is an empty mapping: expected one number, or one for each mission.")
        named = {f"noise of {mission}" if mission else "noise": level for mission, level in levels.items()}
        check_positive(coarsen=self.coarsen, **named)
        for name, unit in (("pass_bias", "m"), ("pass_slope", "m per 1000 km")):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise ValueError(
                    f"{name} must be a standard deviation [{unit}], zero or more, got {getattr(self, name)!r}."
                )

    @property
    def searched(self) -> tuple[str, ...]:
        """Settings that `xinr.tune` searches unless told which."""
        return ()

    @property
    def usual_noise(self) -> float:
        """The noise, or the root mean square of that of the missions."""
        return float(np.sqrt(np.mean(np.square(list(self._noise_levels.values())))))

    def noise_of(self, missions: Sequence[str]) -> Array:
        """Return the standard deviation of the noise of each mission, (len(missions),).

        Examples
        --------
        >>> from xinr.methods.oi import OI
        >>> OI(noise={"alg": 0.01, "j3": 0.07}).noise_of(["j3", "alg", "c2"])
        array([0.07, 0.01, 0.05])
        """
        return np.array([self._noise_levels.get(mission, self.usual_noise) for mission in missions])

    def resolved(self, x: Array, y: Array, error: ObservationError) -> Self:
        """Return the method with what it takes from observations ``y`` (n,) at ``x`` (n, d) written into its settings.

        `fit` does the same by itself; a search of settings starts from here.
        """
        return self

    @abstractmethod
    def fit(self, x: Array, y: Array, error: ObservationError) -> Predictor:
        """Fit ``y`` (n,) observed at ``x`` (n, d) with errors as modelled."""

    @property
    def _noise_levels(self) -> Mapping[str, float]:
        return self.noise if isinstance(self.noise, Mapping) else {"": self.noise}


class Fold(NamedTuple):
    """Observations to fit, and those withheld to judge by: places, values and errors of each."""

    x: Array
    y: Array
    error: ObservationError
    withheld_x: Array
    withheld_y: Array
    withheld_error: ObservationError


class Search(ABC):
    """The cross-validated misfit as a function of a method's settings, with what need be done once done."""

    @abstractmethod
    def misfit(self, method: Method) -> tuple[float, dict[str, float]]:
        """Return the mean square misfit over the folds, and its derivatives by the variables of settings.

        The variable of a setting is that of `to_variable`.
        """

    @abstractmethod
    def expected(self, method: Method) -> tuple[Array, Array]:
        """Return the misfit at each withheld observation, and its standard deviation as the method expects it."""


class WarmStartMethod(Method):
    """A method that can begin where an earlier fit ended."""

    @abstractmethod
    def refit(self, x: Array, y: Array, error: ObservationError, start: Predictor) -> Predictor:
        """Fit ``y`` (n,) observed at ``x`` (n, d), in the frame of an earlier fit, starting from what that found."""


class ScalableMethod(Method):
    """A method whose map only depends on the ratios of the standard deviations in its settings."""

    @abstractmethod
    def scaled(self, factor: float) -> Self:
        """Return the method with all standard deviations, of signal and errors, times a factor: the same map."""

    def scaled_errors(self, factor: float) -> dict[str, Any]:
        """Return the settings of `ObservationError` times a factor."""
        noise = {name: factor * level for name, level in self._noise_levels.items()}
        passes = {name: factor * getattr(self, name) for name in PASS_ERRORS}
        return {"noise": noise if isinstance(self.noise, Mapping) else noise[""], **passes}


class SearchableMethod(ScalableMethod):
    """A method that knows how its misfit at withheld observations changes with its settings."""

    @abstractmethod
    def search(self, folds: Sequence[Fold], settings: Sequence[str]) -> Search:
        """Prepare a search over some settings."""

    @abstractmethod
    def relative_noise(self, x: Array, y: Array, error: ObservationError, group: NDArray[np.int64]) -> Array:
        """Return how large the white noise of each group of observations (n,) is beside that of all, (groups,)."""
