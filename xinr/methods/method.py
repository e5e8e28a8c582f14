"""What a method is: frozen settings with one ``fit``, which gives a predictor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from xinr._typing import Array
from xinr.methods.observation_error import DEVIATIONS, ObservationError
from xinr.methods.predictor import Predictor
from xinr.methods.settings import check_positive, coerce, setting_names


@dataclass(frozen=True, kw_only=True)
class Method(ABC):
    """Settings of a method, and what it asks of the observations.

    Parameters
    ----------
    frame : {"sphere", "degrees", "plane"}
        Coordinates in which it works: see `xinr.geo.frames`.
    coarsen : int
        How many consecutive points of a pass are averaged into one.
    noise : float or mapping
        Standard deviation of the white noise of one raw observation [unit of the data]: one number, or one for each
        mission. A mission that is not among them has their root mean square. Averages of ``coarsen`` points have it
        divided by sqrt(coarsen).
    pass_bias : float
        Standard deviation of a bias per pass [unit of the data].
    pass_slope : float
        Standard deviation of a slope per pass [unit of the data per 1000 km].
    swath_bias, swath_roll, swath_baseline, swath_phase : float
        Standard deviations of the errors across swaths [unit of the data]: see
        `xinr.methods.observation_error.ObservationError`. Tracks have none.
    """

    frame: str = "sphere"
    coarsen: int = 1
    noise: float | Mapping[str, float] = 0.03
    pass_bias: float = 0.0
    pass_slope: float = 0.0
    swath_bias: float = 0.005
    swath_roll: float = 0.01
    swath_baseline: float = 0.005
    swath_phase: float = 0.005

    def __post_init__(self) -> None:
        coerce(self)
        levels = self._noise_levels
        if not levels:
            raise ValueError("noise is an empty mapping: expected one number, or one for each mission.")
        named = {f"noise of {mission}" if mission else "noise": level for mission, level in levels.items()}
        check_positive(coarsen=self.coarsen, **named)
        for name in DEVIATIONS:
            if not 0.0 <= getattr(self, name) < np.inf:
                unit = "m per 1000 km" if name == "pass_slope" else "m"
                raise ValueError(
                    f"{name} must be a standard deviation [{unit}], zero or more, got {getattr(self, name)!r}."
                )

    @property
    def name(self) -> str:
        """Its name, as `xinr.METHODS` and `xinr.FittedField.info` have it."""
        return type(self).__name__.lower()

    @property
    def searched(self) -> tuple[str, ...]:
        """Settings that `xinr.tune` searches unless told which."""
        return ()

    @property
    def rms_noise(self) -> float:
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
        return np.array([self._noise_levels.get(mission, self.rms_noise) for mission in missions])

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
        passes = {name: factor * getattr(self, name) for name in DEVIATIONS}
        return {"noise": noise if isinstance(self.noise, Mapping) else noise[""], **passes}


def check_settings(method: type[Method], covariance: Any, names: Iterable[str]) -> None:
    """Raise TypeError for settings that neither a method nor its covariance has, naming those they have."""
    valid, inner = setting_names(method), list(getattr(covariance, "settings", ()))
    unknown = sorted(set(names) - {*valid, *inner})
    if unknown:
        also = f", or of its covariance {type(covariance).__name__} {inner}" if inner else ""
        raise TypeError(f"{method.__name__} has no setting {unknown}: expected some of {valid}{also}.")


def resolve_settings(method: type[Method], covariance: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the method's own settings, those of its covariance put into the covariance; TypeError for unknown ones.

    A setting that the method itself lacks but its covariance has belongs to the covariance.
    """
    covariance = settings.get("covariance", covariance)
    check_settings(method, covariance, settings)
    own = {name: value for name, value in settings.items() if name in setting_names(method)}
    inner = {name: value for name, value in settings.items() if name not in own}
    return own | {"covariance": covariance.changed(inner)} if inner else own


def covariance_of(method: Method | type[Method]) -> Any:
    """Return the covariance of a method whose settings stand next to its own: that it has, or takes when given none."""
    return getattr(method, "covariance", None) or getattr(method, "default_covariance", None)


def with_settings[M: Method](method: M, settings: Mapping[str, Any]) -> M:
    """Return the method with other settings, of its own or of its covariance.

    Examples
    --------
    >>> from xinr.methods.oi import OI
    >>> with_settings(OI(), {"length_scale": 2.0, "noise": 0.03}).covariance
    Gaussian(length_scale=2.0, time_scale=7.0, sigma=1.0)
    """
    return replace(method, **resolve_settings(type(method), covariance_of(method), settings))


def get_setting(method: Method, name: str) -> Any:
    """Return a setting of a method or of its covariance; TypeError where neither has it."""
    covariance = covariance_of(method)
    check_settings(type(method), covariance, [name])
    return getattr(method, name) if name in setting_names(method) else covariance.settings[name]
