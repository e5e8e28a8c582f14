"""Penalties on the height of a network between the tracks: on rough heights, and on heights that break dynamics.

Each is a cost in physical units at collocation points of its own, added to the misfit of the training:

    ``mean square misfit [m²] + weight * mean cost``

so that a weight means the same in any domain, for any variance and any number of observations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import override

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from xinr._typing import Array
from xinr.geo.frames import EARTH_RADIUS, SECONDS_PER_DAY
from xinr.geo.geostrophy import EARTH_SPIN, EQUATORIAL, GRAVITY
from xinr.methods.autodiff.jets import Jet
from xinr.methods.neural.network import Network
from xinr.methods.settings import check_positive, coerce

#: What the training adds to its loss: a function of the network and of the source of the random points.
Term = Callable[[Network, torch.Generator], Tensor]
#: Slope below which the total variation is rounded off, and has a derivative: 1 cm in 100 km [m/km].
FLAT = 1e-4
#: Kilometres a day in one metre a second.
KM_PER_DAY = 1e-3 * SECONDS_PER_DAY


@dataclass(frozen=True, kw_only=True)
class Penalty(ABC):
    """A cost of heights at random points, which the training adds to the misfit.

    Parameters
    ----------
    weight : float
        Square metres of misfit that one unit of the cost is worth.
    points : int
        Collocation points drawn for each step.
    reach : float
        How far from the tracks they lie: standard deviation, northward and eastward [km].

    Notes
    -----
    A point has the position of one random observation, moved by ``reach``, and the time of another: the points lie
    where the data are, but neither on the tracks nor at their times.
    """

    weight: float
    points: int = 64
    reach: float = 75.0

    def __post_init__(self) -> None:
        coerce(self)
        check_positive(weight=self.weight, points=self.points, reach=self.reach)

    @abstractmethod
    def cost(self, surface: Surface, x: Tensor) -> Tensor:
        """Return the cost (n,) of a surface at x (n, 4), each in units that the class says."""

    def prepared(self, x: Array, centre: Array, scale: Array, spread: float, frame: str, device: torch.device) -> Term:
        """Return the penalty for one data set, in the units of the training's loss.

        Observations x (n, 4) are in the frame "sphere" [km, days]: ValueError for another, whose coordinates do not
        tell the latitude. A network on the device takes ``(x - centre) / scale``; one unit it gives is ``spread`` [m].
        """
        if frame != "sphere":
            raise ValueError(
                f"a penalty needs to know where on Earth a point lies, which coordinates of the frame 'sphere' alone "
                f'tell, got {frame!r}: set frame="sphere", or leave the penalty out.'
            )
        observed, middle, unit = (
            torch.as_tensor(array, dtype=torch.float32, device=device) for array in (x, centre, scale)
        )

        def term(network: Network, generator: torch.Generator) -> Tensor:
            drawn = collocated(observed, self.points, self.reach, generator).to(network.dtype)
            # Second and third derivatives cancel digits that bfloat16 does not have.
            with torch.autocast(device.type, enabled=False):
                return self.weight / spread**2 * self.cost(Surface(network, middle, unit, spread), drawn).mean()

        return term


@dataclass(frozen=True, kw_only=True)
class TotalVariation(Penalty):
    """Total variation: the slope [m/km], which costs a steep front no more than a gentle rise to the same height.

    ``weight`` [m km]: to smooth out noise, a round eddy of radius r [km] loses ``weight / r`` [m] of its height.

    References
    ----------
    Rudin, Osher & Fatemi (1992), doi:10.1016/0167-2789(92)90242-F; what eddies lose: Strong & Chan (2003),
    doi:10.1088/0266-5611/19/6/059; of altimetry with a SIREN: Li et al. (2025), doi:10.5194/egusphere-2025-6389

    Examples
    --------
    >>> TotalVariation(weight=0.1)
    TotalVariation(weight=0.1, points=64, reach=75.0)
    """

    @override
    def cost(self, surface: Surface, x: Tensor) -> Tensor:
        return torch.sqrt(surface.slopes(x).square().sum(0) + FLAT**2)


@dataclass(frozen=True, kw_only=True)
class SquaredGradient(Penalty):
    """The squared slope [m²/km²]: Tikhonov's regularisation, or the energy of geostrophic currents.

    ``weight`` [km²]: a wave of wavenumber k [rad/km] is reduced by the factor ``1 / (1 + weight k²)``, to one half at a
    wavelength of ``2 π √weight``.

    References
    ----------
    Tikhonov & Arsenin (1977), Solutions of ill-posed problems

    Examples
    --------
    >>> SquaredGradient(weight=4.0).points
    64
    """

    @override
    def cost(self, surface: Surface, x: Tensor) -> Tensor:
        return surface.slopes(x).square().sum(0)


@dataclass(frozen=True, kw_only=True)
class QuasiGeostrophic(Penalty):
    """The square of what is left of the quasi-geostrophic equation of one layer [m²/day²].

    ``weight`` [days²]: heights are to fit as well as they obey the equation over ``√weight`` days. Training takes
    about twice as long with it; points within 5 degrees of the equator count for nothing.

    Parameters
    ----------
    deformation_radius : float
        First baroclinic radius of deformation [km]: Chelton et al. (1998) map it.
    weight, points, reach
        See `Penalty`.

    Notes
    -----
    Potential vorticity ``q = ∇²ψ - ψ / R_d²`` with ``ψ = g h / f`` is kept by the flow: ``∂q/∂t + J(ψ, q) + β v = 0``.
    Multiplied by ``-R_d² f / g``, so that it is about heights, with ``p = h - R_d² ∇²h`` and the geostrophic
    ``(u, v) = (g / f) (-∂h/∂y, ∂h/∂x)``:

        ``∂p/∂t + u ∂p/∂x + v ∂p/∂y - β R_d² ∂h/∂x = 0``

    Only β knows that f varies. There is one layer above a deep one at rest, neither forced nor damped, and the height
    is all of it: of anomalies, the mean current that carries them is missing.

    References
    ----------
    Vallis (2017), doi:10.1017/9781107588417, section 5.4; radii: Chelton et al. (1998),
    doi:10.1175/1520-0485(1998)028<0433:GVOTFB>2.0.CO;2; mapping by the equation: Ubelmann, Klein & Fu (2015),
    doi:10.1175/JTECH-D-14-00152.1; as a penalty: Raissi, Perdikaris & Karniadakis (2019), doi:10.1016/j.jcp.2018.10.045

    Examples
    --------
    >>> QuasiGeostrophic(weight=0.1, deformation_radius=30.0).deformation_radius
    30.0
    """

    deformation_radius: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(deformation_radius=self.deformation_radius)

    @override
    def prepared(self, x: Array, centre: Array, scale: Array, spread: float, frame: str, device: torch.device) -> Term:
        """Also ValueError where all observations are near the equator."""
        term = super().prepared(x, centre, scale, spread, frame, device)
        furthest = float(np.degrees(np.arcsin(np.abs(x[:, 2] / EARTH_RADIUS).max())))
        if furthest < EQUATORIAL:
            raise ValueError(
                f"there is no geostrophic balance within {EQUATORIAL:g} degrees of the equator, and the observations "
                f"reach {furthest:.1f}: expected some further away. Leave the penalty out, or take TotalVariation."
            )
        return term

    @override
    def cost(self, surface: Surface, x: Tensor) -> Tensor:
        return self.residual(surface, x) ** 2

    @torch.enable_grad()
    def residual(self, surface: Surface, x: Tensor) -> Tensor:
        """Return the left side of the equation (n,) [m/day]; zero near the equator."""
        x = x.detach().requires_grad_()
        height, (h_east, h_north), laplacian = surface.expanded(x)
        p = height - self.deformation_radius**2 * laplacian
        (slope,) = torch.autograd.grad(p.sum(), x, create_graph=True)
        east, north, up = local_axes(x)
        p_east, p_north = (slope[:, :3] * east).sum(1), (slope[:, :3] * north).sum(1)
        sine = up[:, 2].detach()
        balanced = sine.abs() > np.sin(np.radians(EQUATORIAL))
        f = 2.0 * EARTH_SPIN * torch.where(balanced, sine, 1.0)
        turning = 1e-3 * KM_PER_DAY * GRAVITY / f  # current over slope [km/day per m/km]
        drift = 2.0 * EARTH_SPIN * SECONDS_PER_DAY * torch.sqrt(1.0 - sine**2) * self.deformation_radius**2
        advection = turning * (h_east * p_north - h_north * p_east)
        return torch.where(balanced, slope[:, 3] + advection - drift / EARTH_RADIUS * h_east, 0.0)


@dataclass(frozen=True)
class Surface:
    """The height [m] that a network describes, as a function of x (n, 4) [km, days] on the sphere.

    It is known up to a constant: ``spread`` times the network at ``(x - centre) / scale``.
    """

    network: Network
    centre: Tensor
    scale: Tensor
    spread: float

    def slopes(self, x: Tensor) -> Tensor:
        """Return the slopes eastward and northward (2, n) [m/km]."""
        jet = Jet.along(self._scaled(x), self._directions(x))
        slopes: Tensor = self.network(jet).terms()[1]
        return self.spread * slopes

    def expanded(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the height (n,) [m], its slopes (2, n) [m/km] and its Laplacian on the sphere (n,) [m/km²]."""
        # What the ambient Hessian misses is the curvature of great circles, 1/R inward for each of the two.
        metric_term = functional.pad(-2.0 / EARTH_RADIUS * local_axes(x)[2], (0, 1)) / self.scale
        jet = Jet.along(self._scaled(x), self._directions(x), [[(0, 0), (1, 1)]], metric_term[None])
        height, slopes, second = (self.spread * term for term in self.network(jet).terms())
        return height, slopes, second[0]

    def _scaled(self, x: Tensor) -> Tensor:
        return (x - self.centre) / self.scale

    def _directions(self, x: Tensor) -> Tensor:
        east, north, _ = local_axes(x)
        return functional.pad(torch.stack([east, north]), (0, 1)) / self.scale


def local_axes(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the unit vectors (n, 3) that point east, north and up at x (n, 3 or more) on the sphere.

    Examples
    --------
    >>> torch.stack(local_axes(torch.tensor([[0.0, 6371.0, 0.0]]))).squeeze(1) + 0.0
    tensor([[-1.,  0.,  0.],
            [ 0.,  0.,  1.],
            [ 0.,  1.,  0.]])
    """
    up = functional.normalize(x[:, :3], dim=1)
    east = functional.normalize(torch.stack([-up[:, 1], up[:, 0], torch.zeros_like(up[:, 0])], dim=1), dim=1)
    return east, torch.linalg.cross(up, east), up


def collocated(x: Tensor, points: int, reach: float, generator: torch.Generator) -> Tensor:
    """Draw points (points, 4) of the sphere between observations x (n, 4): see `Penalty`."""
    position, time = torch.randint(len(x), (2, points), generator=generator, device=x.device)
    east, north, up = local_axes(x[position])
    move = reach / EARTH_RADIUS * torch.randn(2, points, 1, generator=generator, device=x.device, dtype=x.dtype)
    moved = EARTH_RADIUS * functional.normalize(up + move[0] * east + move[1] * north, dim=1)
    return torch.cat([moved, x[time, 3:]], dim=1)
