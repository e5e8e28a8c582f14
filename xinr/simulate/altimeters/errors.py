"""Errors of simulated altimeters: noise, errors that are correlated along a pass, and missing data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array, Times
from xinr.geo.coordinates import bounds
from xinr.geo.frames import EARTH_RADIUS, upward
from xinr.observations.passes import distances, number_passes
from xinr.simulate.altimeters.orbits import MISSIONS


@dataclass(frozen=True, kw_only=True)
class Errors:
    """The errors of along-track sea level anomalies.

    Parameters
    ----------
    noise : float or mapping, optional
        Standard deviation of the white noise [m]: one number, or one for each mission; by default that of each orbit.
    lwe : float
        Standard deviation of the long-wavelength error of each pass [m]: the variable ``lwe``, for which the anomalies
        are corrected already.
    pass_bias : float
        Standard deviation of the bias of each pass that the correction leaves [m].
    pass_slope : float
        The same of the slope along each pass, zero at mid-pass [m per 1000 km]: residual orbit and long-wavelength
        errors.
    dropout : float
        Probability that a dropout begins at a point: rain, loss of tracking.
    dropout_length : int
        Number of points missing in each dropout.
    missing_passes : float
        Fraction of passes that are missing entirely.
    outages : mapping of str to (first, last), optional
        Days, both included, without data from a mission.

    Examples
    --------
    >>> Errors(noise=0.02, missing_passes=0.05, outages={"j3": ("2021-01-05", "2021-01-08")}).pass_bias
    0.01
    >>> PERFECT.noise
    0.0
    """

    noise: float | Mapping[str, float] | None = None
    lwe: float = 0.02
    pass_bias: float = 0.01
    pass_slope: float = 0.005
    dropout: float = 0.002
    dropout_length: int = 5
    missing_passes: float = 0.0
    outages: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_deviations(noise=self.noise, lwe=self.lwe, pass_bias=self.pass_bias, pass_slope=self.pass_slope)
        for name in ("dropout", "missing_passes"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must be a share between 0 and 1, got {getattr(self, name)!r}.")
        if self.dropout_length != int(self.dropout_length) or self.dropout_length < 1:
            raise ValueError(f"dropout_length must be a whole number above zero, got {self.dropout_length!r}.")
        for period in self.outages.values():
            bounds(period)

    def levels(self, missions: list[str], known: Mapping[str, float] | None = None) -> dict[str, float]:
        """Return the standard deviation of the white noise of each mission [m].

        Where ``noise`` is not given it is the known one of each mission, by default that of `xinr.simulate.MISSIONS`.
        """
        unknown = sorted(set(self.outages) - set(missions))
        if unknown:
            raise ValueError(f"outages are given for {unknown}, but the missions are {sorted(missions)}.")
        if self.noise is not None and not isinstance(self.noise, Mapping):
            return dict.fromkeys(missions, float(self.noise))
        given = self.noise or known or {name: orbit.noise for name, orbit in MISSIONS.items()}
        missing = sorted(set(missions) - set(given))
        if missing:
            raise ValueError(
                f"noise is known for {sorted(given)}, but not for the missions {missing}: give it, as in "
                "errors=Errors(noise=0.03), or as a mapping by mission."
            )
        return {name: float(given[name]) for name in missions}

    def draw(self, noise: float, passes: Passes, rng: np.random.Generator) -> Array:
        """Draw ``lwe`` and the remaining errors of the n points of one mission, NaN where data are missing, (2, n) [m].

        The random numbers do not depend on the settings: if one error is changed, the others remain.
        """
        number, count, size = passes.number, passes.count, passes.number.size
        lwe, bias, slope = rng.normal(size=(3, count)) * np.array([[self.lwe], [self.pass_bias], [self.pass_slope]])
        lost = rng.uniform(size=count) < self.missing_passes
        other = bias[number] + slope[number] * passes.along / 1e3 + noise * rng.normal(size=size)
        begins = rng.uniform(size=size) < self.dropout
        dropped = np.convolve(begins, np.ones(int(self.dropout_length)))[:size] > 0
        return np.stack([lwe[number], np.where(dropped | lost[number], np.nan, other)])


@dataclass(frozen=True)
class Passes:
    """The pass of each of n points, all of one mission and in the order of time.

    Parameters
    ----------
    number : ndarray of int (n,)
        From 0.
    along : ndarray (n,)
        Distance from the middle of the pass [km].
    """

    number: NDArray[np.int64]
    along: Array

    @classmethod
    def of(cls, stream: NDArray[np.int64], time: Times, longitude: Array, latitude: Array) -> Self:
        """Find the passes of points that are sorted by stream, then time."""
        number = number_passes(stream, time, longitude, latitude)
        step = distances(EARTH_RADIUS * upward(longitude, latitude))
        distance = np.concatenate([[0.0], np.cumsum(np.where(np.diff(number) == 0, step, 0.0))])
        middle = np.bincount(number, distance) / np.bincount(number)
        return cls(number, distance - middle[number])

    @property
    def count(self) -> int:
        """Number of passes."""
        return int(self.number.max()) + 1


def check_deviations(**settings: float | Mapping[str, float] | None) -> None:
    """Raise ValueError for the first setting that is not a standard deviation, or a mapping of them."""
    for name, value in settings.items():
        values = value.values() if isinstance(value, Mapping) else [value or 0.0]
        if not all(0.0 <= each < np.inf for each in values):
            raise ValueError(f"{name} must be a standard deviation, 0 or more [m], got {value!r}.")


#: An altimeter without errors.
PERFECT = Errors(noise=0.0, lwe=0.0, pass_bias=0.0, pass_slope=0.0, dropout=0.0)
