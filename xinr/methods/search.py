"""What a search of settings needs of a method: its misfit at withheld observations, and the variables searched."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.methods.method import Method, ScalableMethod, covariance_of, get_setting, with_settings
from xinr.methods.observation_error import ObservationError


class Fold(NamedTuple):
    """Observations to fit, and those withheld to judge by: positions, values and errors of each."""

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


class SearchableMethod(ScalableMethod):
    """A method that knows how its misfit at withheld observations changes with its settings."""

    @abstractmethod
    def search(self, folds: Sequence[Fold], settings: Sequence[str]) -> Search:
        """Prepare a search over some settings."""

    @abstractmethod
    def relative_noise(self, x: Array, y: Array, error: ObservationError, group: NDArray[np.int64]) -> Array:
        """Return how large the white noise of each group of observations (n,) is relative to that of all, (groups,)."""


#: What a search takes for one unit of a drift, as it takes a factor of e for one of other settings [km/day].
DRIFT = 5.0


def lower_bound(method: Method, name: str) -> float:
    """Return what a setting must exceed: zero, unless its covariance says otherwise; -inf where it has either sign."""
    bounds: Mapping[str, float] = getattr(covariance_of(method), "bounds", {})
    return bounds.get(name, 0.0)


def searched_setting(method: Method, name: str) -> Any:
    """Return a setting as it is searched: of a noise by mission, the root mean square."""
    return method.rms_noise if name == "noise" else get_setting(method, name)


def changed[M: Method](method: M, settings: Mapping[str, Any]) -> M:
    """Return the method with other settings; a noise by mission keeps its ratios.

    Examples
    --------
    >>> from xinr.methods.oi import OI
    >>> changed(OI(noise={"alg": 0.01, "j3": 0.07}), {"noise": 0.1}).noise
    {'alg': 0.02, 'j3': 0.14}
    """
    if "noise" in settings and isinstance(method.noise, Mapping):
        factor = settings["noise"] / method.rms_noise
        settings = {**settings, "noise": {name: factor * level for name, level in method.noise.items()}}
    return with_settings(method, settings)


def to_variable(method: Method, name: str) -> float:
    """Return the variable z by which a setting is searched.

    The logarithm of what it exceeds its `lower_bound` by; of a drift, which has either sign, the drift over `DRIFT`.
    """
    setting, bound = float(searched_setting(method, name)), lower_bound(method, name)
    return setting / DRIFT if np.isinf(bound) else float(np.log(setting - bound))


def from_variable(method: Method, name: str, z: float) -> float:
    """Return the setting of a variable: see `to_variable`."""
    bound = lower_bound(method, name)
    return DRIFT * float(z) if np.isinf(bound) else bound + float(np.exp(z))
