"""The covariance of DUACS production."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, override

import numpy as np
from numpy.typing import ArrayLike

from xinr._typing import Array
from xinr.methods.covariances.radial import Radial
from xinr.methods.settings import check_finite

# The correlation in space crosses zero at a r = 3.34.
A = 3.34


@dataclass(frozen=True)
class ArhanColinDeVerdiere(Radial):
    """Covariance of Arhan and Colin de Verdière, with propagation, as DUACS maps use it.

    ``C = sigma² [1 + s + s²/6 - s³/6] exp(-s) exp(-(Δt / T)²)``, ``s = 3.34 r``,
    ``r² = ((Δx + c_w Δt) / L_x)² + ((Δy - c_n Δt) / L_y)²``. Its spectrum on the plane, from the Hankel transforms of
    ``s^n exp(-s)``, is zero at the largest scales and positive elsewhere:
    ``sigma² (L_x L_y / 3.34²) 35 π p² (1 + p²)^-(9/2) √π T exp(-(omega' T)² / 4)``, with
    ``p² = ((k L_x)² + (l L_y)²) / 3.34²`` and ``omega' = omega + c_w k - c_n l``: a valid covariance on the plane, and
    on the sphere, whose chords it takes for distances; not in all of space.

    Parameters
    ----------
    length_scale : float
        L_x, the zonal distance at which the correlation crosses zero [unit of the frame].
    time_scale : float
        T, the lag at which it has fallen to 1/e, following the signal [days].
    sigma : float
        Standard deviation of the signal [unit of the data].
    anisotropy : float
        L_y / L_x, meridional over zonal; other than 1 only in the frame "plane".
    westward_drift, northward_drift : float
        c_w and c_n, how fast features move west and north [km/day]; other than 0 only in the frame "plane".

    References
    ----------
    Arhan & Colin de Verdière (1985), doi:10.1175/1520-0485(1985)015<0153:DOEMIT>2.0.CO;2;
    Le Traon, Nadal & Ducet (1998), doi:10.1175/1520-0426(1998)015<0522:AIMMOM>2.0.CO;2;
    Ducet, Le Traon & Reverdin (2000), doi:10.1029/2000JC900063; Pujol et al. (2016), doi:10.5194/os-12-1067-2016.
    Transforms: Gradshteyn & Ryzhik, 6.621.1.

    Examples
    --------
    >>> duacs = ArhanColinDeVerdiere(150.0, 15.0, sigma=0.1, westward_drift=5.0)
    >>> duacs.value(np.zeros((1, 3)), np.array([[-50.0, 0.0, 10.0], [50.0, 0.0, 10.0]])).round(4)
    array([[0.0064, 0.0015]])
    """

    length_scale: float
    time_scale: float
    sigma: float = 1.0
    anisotropy: float = 1.0
    westward_drift: float = 0.0
    northward_drift: float = 0.0
    _free: ClassVar[tuple[str, ...]] = ("westward_drift", "northward_drift")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_finite(westward_drift=self.westward_drift, northward_drift=self.northward_drift)

    @property
    @override
    def decorrelation_time(self) -> float:
        return self.time_scale

    @override
    def lagrangian_correlation(self, lag: float) -> float:
        return float(np.exp(-((lag / self.time_scale) ** 2)))

    @override
    def spectrum(self, k: ArrayLike, l: ArrayLike, omega: ArrayLike) -> Array:  # noqa: E741
        k, l, omega = (np.asarray(axis, dtype=np.float64) for axis in (k, l, omega))  # noqa: E741
        east, north = self.length_scale / A, self.anisotropy * self.length_scale / A
        p = (k * east) ** 2 + (l * north) ** 2
        space = 35.0 * np.pi * east * north * p * (1.0 + p) ** -4.5
        followed = omega + (self.westward_drift * k - self.northward_drift * l)
        time = np.sqrt(np.pi) * self.time_scale * np.exp(-((followed * self.time_scale / 2.0) ** 2))
        return np.asarray(self.sigma**2 * space * time)

    def _scales(self, dimension: int) -> Array:
        scales = super()._scales(dimension)
        scales[1] *= self.anisotropy
        return scales

    def _drift(self) -> Array:
        return np.array([self.westward_drift, -self.northward_drift])

    def _isotropic(self) -> bool:
        return self.anisotropy == 1.0

    def _kernels(self, order: int, *squared: Array) -> Sequence[tuple[Array, ...]]:
        u, v = squared
        s = A * np.sqrt(u)
        decay = np.exp(-(s + v))
        value = ((1.0 - s) * s / 6.0 + 1.0) * s + 1.0
        value *= decay
        if order == 0:
            return [(value,)]
        slope = ((s - 4.0) * s - 4.0) * (A**2 / 12.0 * decay)
        if order == 1:
            return [(value,), (slope, -value)]
        return [(value,), (slope, -value), ((6.0 - s) * (A**4 / 24.0 * decay), -slope, value)]
