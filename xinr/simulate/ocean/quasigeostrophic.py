"""Quasi-geostrophic oceans: their settings, and the layer matrices that distinguish them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, override

import numpy as np

from xinr._typing import Array
from xinr.geo.frames import EARTH_RADIUS, SECONDS_PER_DAY
from xinr.geo.geostrophy import EARTH_SPIN
from xinr.methods.settings import check_finite, check_positive, coerce

#: Names of the potential vorticity of each layer, from the top.
VORTICITIES = ("q", "q_lower")
#: Range of latitudes of quasi-geostrophy [degrees].
LATITUDES = (10.0, 80.0)


@dataclass(frozen=True, kw_only=True)
class Ocean(ABC):
    """A doubly periodic square of ocean on a beta plane, in layers.

    Potential vorticity anomalies ``q = ∇²ψ + F ψ``, with ``F`` the coupling of the layers, obey

        ``∂q/∂t + J(ψ, q) + U ∂q/∂x + (β - F U) ∂ψ/∂x = -r ∇²ψ - ν ∇⁸q + forcing``

    with ``U`` the mean eastward current of each layer and ``r`` its drag.

    Parameters
    ----------
    points : int
        Grid points along a side, even. Wavenumbers are truncated at a third of them, so that products are not aliased.
    length : float
        Length of a side [km].
    latitude, longitude : float
        Centre [degrees]; the latitude sets f and β.
    radius : float
        Radius of deformation [km].
    drag_time : float
        Time scale of the drag on the vorticity of the lowest layer [days]; infinite for no drag.
    damping_time : float
        Time in which hyperviscosity reduces the shortest wave to 1/e [hours]; infinite for none.
    """

    points: int = 128
    length: float = 2000.0
    latitude: float = 38.0
    longitude: float = 300.0
    radius: float
    drag_time: float
    damping_time: float = 12.0

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        coerce(self)
        if self.points < 16 or self.points % 2:
            raise ValueError(f"points must be an even number, 16 or more, got {self.points!r}.")
        check_positive(length=self.length, radius=self.radius)
        for name in ("drag_time", "damping_time"):
            if not getattr(self, name) > 0.0:
                raise ValueError(
                    f"{name} must be above zero, or infinite to leave it out, got {getattr(self, name)!r}."
                )
        if not LATITUDES[0] <= abs(self.latitude) <= LATITUDES[1]:
            raise ValueError(
                f"latitude must be {LATITUDES[0]:g} to {LATITUDES[1]:g} degrees from the equator, where the flow is "
                f"quasi-geostrophic, got {self.latitude!r}."
            )

    @property
    @abstractmethod
    def coupling(self) -> Array:
        """``F`` (layers, layers) [1/m²]."""

    @property
    @abstractmethod
    def currents(self) -> Array:
        """Mean eastward current ``U`` of each layer (layers,) [m/s]."""

    @property
    @abstractmethod
    def thickness(self) -> Array:
        """Fraction of the moving depth that each layer takes (layers,)."""

    @property
    def forcing(self) -> float:
        """Energy input by random forcing of the top layer [m²/s³]."""
        return 0.0

    @property
    def forcing_wavelength(self) -> float:
        """Wavelength of the forcing [km]."""
        return np.inf

    @property
    def f(self) -> float:
        """Coriolis parameter [1/s]."""
        return float(2.0 * EARTH_SPIN * np.sin(np.radians(self.latitude)))

    @property
    def beta(self) -> float:
        """Northward gradient of the Coriolis parameter [1/(m s)]."""
        return float(2.0 * EARTH_SPIN * np.cos(np.radians(self.latitude)) / (1e3 * EARTH_RADIUS))

    @property
    def pv_gradient(self) -> Array:
        """Northward gradient of the mean potential vorticity (layers,) [1/(m s)]."""
        return np.asarray(self.beta - self.coupling @ self.currents)

    @property
    def drag(self) -> Array:
        """Drag coefficient ``r`` of each layer (layers,) [1/s]: zero but in the lowest."""
        rate = np.zeros(len(self.thickness))
        rate[-1] = 1.0 / (self.drag_time * SECONDS_PER_DAY)
        return rate

    @property
    def spacing(self) -> float:
        """Grid spacing [m]."""
        return 1e3 * self.length / self.points

    @property
    def first_wavenumber(self) -> float:
        """Wavenumber of the wave as long as a side [rad/m]."""
        return 2.0 * np.pi / (1e3 * self.length)

    @property
    def truncation(self) -> int:
        """Largest number of waves along a side: the largest for which products are not aliased onto retained waves."""
        return (self.points - 1) // 3

    @property
    def viscosity(self) -> float:
        """Hyperviscosity ``ν`` [m⁸/s]."""
        return float(1.0 / (self.damping_time * 3600.0 * (self.truncation * self.first_wavenumber) ** 8))

    @property
    def settings(self) -> dict[str, Any]:
        """Plain values from which `ocean_from` rebuilds the ocean."""
        return {"model": self.kind, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class TwoLayer(Ocean):
    """Two layers with an unstable sheared current, which sustains eddies (Phillips's model).

    Parameters
    ----------
    depth_ratio : float
        Thickness of the upper layer over that of the lower.
    upper_current, lower_current : float
        Mean eastward currents [m/s], which are not part of the anomalies.
    radius, drag_time
        See `Ocean`; the drag is at the bottom.

    References
    ----------
    Phillips (1954), doi:10.3402/tellusa.v6i3.8734; Arbic & Flierl (2004),
    doi:10.1175/1520-0485(2004)034<2257:BUASAT>2.0.CO;2; Vallis (2017), doi:10.1017/9781107588417, sections 5.4, 9.6

    Examples
    --------
    >>> ocean = TwoLayer(upper_current=0.2, lower_current=0.0)
    >>> bool(ocean.pv_gradient[0] > 0 > ocean.pv_gradient[1])  # opposite signs: unstable
    True
    """

    radius: float = 22.0
    depth_ratio: float = 0.25
    upper_current: float = 0.13
    lower_current: float = 0.03
    drag_time: float = 30.0

    kind: ClassVar[str] = "two-layer"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(depth_ratio=self.depth_ratio)
        check_finite(upper_current=self.upper_current, lower_current=self.lower_current)

    @property
    @override
    def coupling(self) -> Array:
        upper = 1.0 / ((1.0 + self.depth_ratio) * (1e3 * self.radius) ** 2)
        lower = self.depth_ratio * upper
        return np.array([[-upper, upper], [lower, -lower]])

    @property
    @override
    def currents(self) -> Array:
        return np.array([self.upper_current, self.lower_current])

    @property
    @override
    def thickness(self) -> Array:
        return np.array([self.depth_ratio, 1.0]) / (1.0 + self.depth_ratio)


@dataclass(frozen=True, kw_only=True)
class OneLayer(Ocean):
    """One active layer above a deep one at rest ("1.5 layers"), with eddies from random forcing.

    Parameters
    ----------
    forcing : float
        Energy input per unit mass [m²/s³].
    forcing_wavelength : float
        Wavelength of the forced waves, within a quarter [km].
    radius, drag_time
        See `Ocean`; the drag acts on the one layer.

    References
    ----------
    Vallis (2017), doi:10.1017/9781107588417, sections 5.4 and 11.3

    Examples
    --------
    >>> ocean = OneLayer(radius=40.0)
    >>> wave = ocean.beta * 40e3**2  # fastest westward speed of Rossby waves
    >>> round(wave, 3)
    0.029
    """

    radius: float = 35.0
    drag_time: float = 60.0
    forcing: float = 2e-8
    forcing_wavelength: float = 150.0

    kind: ClassVar[str] = "one-layer"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(forcing_wavelength=self.forcing_wavelength)
        if not 0.0 <= self.forcing < np.inf:
            raise ValueError(f"forcing must be an energy input [m²/s³], zero or more, got {self.forcing!r}.")

    @property
    @override
    def coupling(self) -> Array:
        return np.array([[-1.0 / (1e3 * self.radius) ** 2]])

    @property
    @override
    def currents(self) -> Array:
        return np.zeros(1)

    @property
    @override
    def thickness(self) -> Array:
        return np.ones(1)


OCEANS: dict[str, type[Ocean]] = {each.kind: each for each in (TwoLayer, OneLayer)}


def ocean_from(model: str | Ocean, settings: Mapping[str, Any]) -> Ocean:
    """Return an ocean of that kind, or one with other settings; TypeError for unknown settings."""
    if not isinstance(model, Ocean) and model not in OCEANS:
        raise ValueError(f"unknown model {model!r}: expected one of {sorted(OCEANS)}, TwoLayer(...) or OneLayer(...).")
    kind = type(model) if isinstance(model, Ocean) else OCEANS[model]
    valid = [field.name for field in fields(kind)]
    unknown = sorted(set(settings) - set(valid))
    if unknown:
        raise TypeError(f"the {kind.kind} model has no setting {unknown}: expected some of {valid}.")
    return replace(model, **settings) if isinstance(model, Ocean) else kind(**settings)
