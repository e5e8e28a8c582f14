"""What a covariance is: a value with scales, which a Gaussian-process method evaluates and differentiates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from operator import iadd
from typing import Any, ClassVar, override

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from xinr._typing import Array
from xinr.methods.settings import as_plain, check_positive, coerce, packed, unpacked


class Covariance(ABC):
    """Covariance of the signal between points (position, then days), stationary.

    A family is a frozen dataclass of plain floats, found again under the name of its class where one was saved.
    Points ``x`` (n, d) are in a frame of `xinr.geo.frames`.

    Notes
    -----
    ``spectrum`` is the Fourier transform on the plane, of waves ``exp(i (k x + l y - omega t))``:
    ``C(x, y, t) = ∫∫∫ S(k, l, omega) exp(i (k x + l y - omega t)) dk dl domega / (2π)³``. What moves west has its
    power where omega and k differ in sign. The phases of ``numpy.fft`` have ``+ omega t``: give it ``-omega``.
    """

    families: ClassVar[dict[str, type[Covariance]]] = {}
    # What a setting must exceed, where that is not zero; -inf of a drift.
    _above: ClassVar[Mapping[str, float]] = {}
    # Settings that need not be above zero.
    _free: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, family: bool = True, **options: Any) -> None:
        super().__init_subclass__(**options)
        if family:
            Covariance.families[cls.__name__] = cls

    def __post_init__(self) -> None:
        coerce(self)
        check_positive(**{name: value for name, value in self.settings.items() if name not in self._free})

    @property
    @abstractmethod
    def sigma(self) -> float:
        """Standard deviation of the signal [unit of the data]."""

    @abstractmethod
    def value(self, x: Array, y: Array) -> Array:
        """Return the covariance between points x (n, d) and y (m, d), (n, m) [unit²]."""

    @abstractmethod
    def weighted_derivatives(self, x: Array, y: Array, weights: Array, order: int) -> tuple[Array, ...]:
        """Return ``value(x, y) @ weights`` and its derivatives at x, for x (n, d), y (m, d) and weights (m,).

        As many as the order asks for: 0 the value alone, (n,); 1 also its gradient, (n, d); 2 also its Hessian,
        (n, d, d).
        """

    @abstractmethod
    def spectrum(self, k: ArrayLike, l: ArrayLike, omega: ArrayLike) -> Array:  # noqa: E741
        """Return the spectral density [unit² km² day] at wavenumbers east and north [rad/km] and frequency [rad/day].

        The three broadcast: open grids are cheaper than full ones. Its integral over all three is ``(2π)³ sigma²``.
        """

    @abstractmethod
    def lagrangian_correlation(self, lag: float) -> float:
        """Return the correlation after a lag [days], moving along with the signal."""

    @abstractmethod
    def check_frame(self, frame: str) -> None:
        """Raise ValueError where the scales or the drift make no sense in a frame."""

    @property
    def decorrelation_time(self) -> float:
        """Lag after which the correlation has fallen to 1/e, moving along with the signal [days]."""
        longest = 1.0
        while self.lagrangian_correlation(longest) > np.exp(-1.0):
            longest *= 2.0
        return float(brentq(lambda lag: self.lagrangian_correlation(lag) - np.exp(-1.0), 0.0, longest, rtol=1e-12))

    @property
    def settings(self) -> dict[str, float]:
        """Its numbers by name."""
        return {setting.name: getattr(self, setting.name) for setting in fields(self)}  # type: ignore[arg-type]

    @property
    def bounds(self) -> Mapping[str, float]:
        """What a setting must exceed, where that is not zero."""
        return self._above

    @property
    def searched(self) -> tuple[str, ...]:
        """Settings that can be searched: those above their bound."""
        return tuple(name for name, value in self.settings.items() if value > self.bounds.get(name, 0.0))

    def changed(self, settings: Mapping[str, float]) -> Covariance:
        """Return the covariance with other numbers."""
        return replace(self, **settings)  # type: ignore[type-var]

    def scaled(self, factor: float) -> Covariance:
        """Return the covariance of the signal times a factor."""
        return replace(self, sigma=factor * self.sigma)  # type: ignore[type-var]

    def state(self) -> NDArray[np.uint8]:
        """Return the covariance as an array, text in bytes, so that a predictor can keep it."""
        return packed(as_plain(self))

    @staticmethod
    def from_state(state: NDArray[np.uint8]) -> Covariance:
        """Rebuild a covariance from its `state`."""
        return Covariance.from_plain(unpacked(state))

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Covariance:
        """Rebuild a covariance from what `xinr.methods.settings.as_plain` made of it."""
        settings = {name: value for name, value in plain.items() if name != "kind"}
        if "terms" in settings:
            settings["terms"] = tuple(map(Covariance.from_plain, settings["terms"]))
        return Covariance.families[plain["kind"]](**settings)

    def __add__(self, other: Covariance) -> Sum:
        if not isinstance(other, Covariance):
            return NotImplemented
        return Sum((*_terms(self), *_terms(other)))


@dataclass(frozen=True)
class Sum(Covariance):
    """Sum of covariances: signals that are independent of each other, such as eddies upon a slow background.

    Its settings are those of its terms with their numbers: ``length_scale_1``, ``sigma_2``.

    Parameters
    ----------
    terms : tuple of Covariance
        At least one.

    Examples
    --------
    >>> from xinr.methods.covariances import Gaussian
    >>> both = Gaussian(100.0, 10.0, sigma=0.08) + Gaussian(500.0, 100.0, sigma=0.06)
    >>> round(both.sigma, 12), len(both.terms)
    (0.1, 2)
    """

    terms: tuple[Covariance, ...]

    def __post_init__(self) -> None:
        terms = tuple(self.terms)
        if not terms or not all(isinstance(term, Covariance) for term in terms):
            raise TypeError(f"a sum needs covariances as terms, got {self.terms!r}.")
        object.__setattr__(self, "terms", terms)

    @property
    @override
    def sigma(self) -> float:
        return float(np.sqrt(sum(term.sigma**2 for term in self.terms)))

    @override
    def value(self, x: Array, y: Array) -> Array:
        return reduce(iadd, (term.value(x, y) for term in self.terms))

    @override
    def weighted_derivatives(self, x: Array, y: Array, weights: Array, order: int) -> tuple[Array, ...]:
        found = (term.weighted_derivatives(x, y, weights, order) for term in self.terms)
        return tuple(reduce(iadd, parts) for parts in zip(*found, strict=True))

    @override
    def spectrum(self, k: ArrayLike, l: ArrayLike, omega: ArrayLike) -> Array:  # noqa: E741
        return reduce(iadd, (term.spectrum(k, l, omega) for term in self.terms))

    @property
    @override
    def settings(self) -> dict[str, float]:
        """Those of the terms, each with the number of its term, from 1."""
        return self._numbered([term.settings for term in self.terms])

    @property
    @override
    def bounds(self) -> Mapping[str, float]:
        return self._numbered([term.bounds for term in self.terms])

    @override
    def changed(self, settings: Mapping[str, float]) -> Covariance:
        own: list[dict[str, float]] = [{} for _ in self.terms]
        for name, value in settings.items():
            setting, number = name.rsplit("_", 1)
            own[int(number) - 1][setting] = value
        return Sum(tuple(term.changed(new) for term, new in zip(self.terms, own, strict=True)))

    @staticmethod
    def _numbered(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
        return {f"{name}_{number}": value for number, part in enumerate(parts, 1) for name, value in part.items()}

    @override
    def scaled(self, factor: float) -> Covariance:
        return Sum(tuple(term.scaled(factor) for term in self.terms))

    @override
    def lagrangian_correlation(self, lag: float) -> float:
        """Each term moves with its own drift."""
        return sum(term.sigma**2 * term.lagrangian_correlation(lag) for term in self.terms) / self.sigma**2

    @override
    def check_frame(self, frame: str) -> None:
        for term in self.terms:
            term.check_frame(frame)


def check_covariance(frame: str, covariance: Any) -> None:
    """Raise TypeError for what is no covariance, ValueError for one that makes no sense in the frame."""
    if not isinstance(covariance, Covariance):
        raise TypeError(
            f"covariance must be an object such as Gaussian(length_scale=100.0, time_scale=10.0), got {covariance!r}: "
            f"xinr.methods.covariances has {sorted(Covariance.families)}."
        )
    covariance.check_frame(frame)


def _terms(covariance: Covariance) -> tuple[Covariance, ...]:
    return covariance.terms if isinstance(covariance, Sum) else (covariance,)
