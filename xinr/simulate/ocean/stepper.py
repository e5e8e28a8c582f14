"""Time stepping of quasi-geostrophic potential vorticity: pseudo-spectral, on CPU or GPU."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xinr._typing import Array
from xinr.geo.frames import SECONDS_PER_DAY
from xinr.geo.geostrophy import GRAVITY
from xinr.simulate.ocean.forcing import RingForcing
from xinr.simulate.ocean.quasigeostrophic import VORTICITIES, Ocean

#: Interval [s] at which the random forcing and the time step change.
TICK = 43_200
#: Courant number (fastest current x largest wavenumber x step): default, and limit of stability.
COURANT, COURANT_LIMIT = 2.0, 2.82
#: Grids up to this number of points are fastest on one thread.
ONE_THREAD = 256
#: Beyond this current [m/s] the simulation has become unstable.
FASTEST_CURRENT = 30.0


class Stepper:
    """Integrate the spectra of potential vorticity of an ocean.

    A spectrum has shape (layers, points, truncation + 1): northward wavenumbers of either sign, eastward ones from
    zero; its coefficients do not depend on ``points``. Only those columns are transformed, which saves a third.

    The seed is that of the forcing. ``step`` is the longest step [s], by default as long as the currents allow.

    Notes
    -----
    1. Classical Runge-Kutta: its limit of stability is 2.82/4 per evaluation on the imaginary axis (that of
       Adams-Bashforth 3 is 0.72), restarts are exact, and the step may change.
    2. Hyperviscosity, the one stiff term, is integrated exactly (integrating factor); all else is explicit.
    3. ``J(ψ, q) = ∂(u q)/∂x + ∂(v q)/∂y``. Wavenumbers are truncated at a third of the points (two-thirds rule): the
       products have no aliasing error, and energy and enstrophy are conserved up to the error of the time step.
    4. Random forcing is constant over half a day: short for eddies, long for time steps. It depends on the seed and the
       clock alone, not on steps, restarts or ``points``.

    References
    ----------
    Orszag (1971), doi:10.1175/1520-0469(1971)028<1074:OTEOAI>2.0.CO;2 (two-thirds rule)
    """

    def __init__(self, ocean: Ocean, seed: int, step: float | None, device: torch.device, dtype: torch.dtype) -> None:
        self.ocean, self.step, self.device, self.dtype = ocean, step, device, dtype
        self.columns = ocean.truncation + 1
        east, north = np.meshgrid(np.arange(float(self.columns)), np.fft.fftfreq(ocean.points, 1.0 / ocean.points))
        first = ocean.first_wavenumber
        self.square = first**2 * (east**2 + north**2)  # (points, columns), of wavenumbers
        self.largest = first * ocean.truncation
        self.retained = (self.square > 0.0) & (east**2 + north**2 <= ocean.truncation**2)
        inverse = self._inversion()
        self._forcing = RingForcing(ocean, seed, north, east, inverse[0, 0], TICK)
        self._inverse = self._tensor(inverse)
        self._ik = self._tensor(1j * first * east * self.retained)
        self._il = self._tensor(1j * first * north * self.retained)
        self._mean = self._tensor(ocean.currents[:, None, None]).real
        self._gradient = self._tensor(ocean.pv_gradient[:, None, None])
        self._drag = self._tensor(ocean.drag[:, None, None] * self.square * self.retained)
        shape = (3, len(ocean.thickness), ocean.points, self.columns)
        self._flow = torch.empty(shape, dtype=self._ik.dtype, device=device)

    def spectrum(self, grid: Tensor | Array) -> Tensor:
        """Return the retained waves (..., points, columns) of fields on the grid (..., points, points)."""
        return self._waves(torch.as_tensor(grid, dtype=self.dtype, device=self.device)) * self._tensor(self.retained)

    def grid(self, spectrum: Tensor) -> Tensor:
        """Return fields on the grid (..., points, points)."""
        rows = torch.fft.ifft(spectrum, dim=-2, norm="forward")
        fields: Tensor = torch.fft.irfft(rows, n=self.ocean.points, dim=-1, norm="forward")
        return fields

    def streamfunction(self, q: Tensor) -> Tensor:
        """Return the spectra of ψ [m²/s] from those of q [1/s]."""
        psi = self._inverse[:, 0] * q[0]
        for layer in range(1, len(q)):
            psi.addcmul_(self._inverse[:, layer], q[layer])
        return psi

    def velocity(self, psi: Tensor) -> Tensor:
        """Return the spectra of the eddies' currents u = -∂ψ/∂y and v = ∂ψ/∂x [m/s], (2, layers, points, columns)."""
        return torch.stack([-self._il * psi, self._ik * psi])

    def fields(self, q: Tensor) -> dict[str, NDArray[np.floating[Any]]]:
        """Return maps (points, points) at the surface, q of all layers, energy [m²/s²] and enstrophy [1/s²]."""
        spectra = self.streamfunction(q)
        psi, (u, v) = self.grid(spectra[0]), self.grid(self.velocity(spectra)[:, 0])
        maps = {"ssh": psi * (self.ocean.f / GRAVITY), "psi": psi, "u": u, "v": v}
        maps |= zip(VORTICITIES, self.grid(q), strict=False)
        # Per unit mass; the waves of negative k are not stored.
        weight = self._tensor(self.ocean.thickness[:, None, None] * np.where(np.arange(self.columns) > 0, 1.0, 0.5))
        maps["energy"] = -(weight * spectra.conj() * q).real.sum()
        maps["enstrophy"] = (weight * q.conj() * q).real.sum()
        return {name: each.numpy(force=True) for name, each in maps.items()}

    def advance(self, q: Tensor, clock: int, end: int) -> tuple[Tensor, int]:
        """Return the spectra of q at the next TICK of the clock [s], or at the end, and that time."""
        stop = min(end, (clock // TICK + 1) * TICK)
        count = self._steps(q, clock, stop - clock)
        step = (stop - clock) / count
        decay = self._tensor(np.exp(-0.5 * step * self.ocean.viscosity * self.square**4))  # over half a step
        spectrum = self._forcing.at(clock // TICK)
        forcing = None if spectrum is None else self._tensor(spectrum)
        for _ in range(count):
            q = self._runge_kutta(q, step, decay, forcing)
        return q, stop

    def tendency(self, q: Tensor, forcing: Tensor | None = None) -> Tensor:
        """Return dq/dt without hyperviscosity."""
        psi = self.streamfunction(q)
        u, v, advected = self._flow
        torch.mul(self._il, psi, out=u).neg_()
        torch.mul(self._ik, psi, out=v)
        advected.copy_(q)
        flow = self.grid(self._flow)  # (3, layers, points, points)
        flow[0] += self._mean
        flux = self._waves(flow[:2].mul_(flow[2]))
        change = torch.addcmul(self._drag * psi, self._ik, flux[0], value=-1.0)
        change.addcmul_(self._il, flux[1], value=-1.0).addcmul_(self._gradient, v, value=-1.0)
        if forcing is not None:
            change[0] += forcing
        return change

    def _runge_kutta(self, q: Tensor, step: float, decay: Tensor, forcing: Tensor | None) -> Tensor:
        halfway = decay * q
        a = self.tendency(q, forcing)
        b = self.tendency(torch.addcmul(halfway, decay, a, value=0.5 * step), forcing)
        c = self.tendency(halfway.add(b, alpha=0.5 * step), forcing)
        d = self.tendency(decay * halfway.add(c, alpha=step), forcing)
        halfway.addcmul_(decay, a, value=step / 6.0).add_(b.add_(c), alpha=step / 3.0)
        return halfway.mul_(decay).add_(d, alpha=step / 6.0)

    def _steps(self, q: Tensor, clock: int, seconds: int) -> int:
        """Return the number of steps; FloatingPointError where the flow is, or would be, unstable."""
        u, v = self.grid(self.velocity(self.streamfunction(q)))
        speed = float(torch.sqrt((u + self._mean) ** 2 + v**2).max())
        if not speed < FASTEST_CURRENT:
            raise FloatingPointError(
                f"the simulation became unstable before day {clock / SECONDS_PER_DAY:g}: currents of {speed:.3g} m/s. "
                "Take a shorter step, more points, a shorter damping_time, or more drag."
            )
        rate = max(speed * self.largest, 1e-9)
        count = math.ceil(seconds / (self.step or COURANT / rate))
        if rate * seconds / count > COURANT_LIMIT:
            raise FloatingPointError(
                f"the simulation would be unstable on day {clock / SECONDS_PER_DAY:g}: currents of {speed:.2g} m/s "
                f"need steps below {COURANT / rate / 3600.0:.2g} hours, got {seconds / count / 3600.0:.3g}. Give a "
                "shorter step, or leave it out."
            )
        return count

    def _inversion(self) -> Array:
        """Return the matrices (layers, layers, points, columns) from q to ψ: ``(F - κ²)⁻¹``."""
        square = np.where(self.retained, self.square, 1.0)[..., None, None]
        inverse = np.linalg.inv(self.ocean.coupling - square * np.eye(len(self.ocean.thickness)))
        return np.ascontiguousarray(np.moveaxis(inverse, (0, 1), (2, 3)) * self.retained)

    def _waves(self, grid: Tensor) -> Tensor:
        rows = torch.fft.rfft(grid, dim=-1, norm="forward")[..., : self.columns]
        waves: Tensor = torch.fft.fft(rows, dim=-2, norm="forward")
        return waves

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        """Return an array on the device, complex: products of real and complex tensors are slower."""
        return torch.as_tensor(array, device=self.device).to(self.dtype.to_complex())


@contextmanager
def one_thread(points: int) -> Iterator[None]:
    """Run small grids on one thread, and restore the number of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if points <= ONE_THREAD else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def precision(name: str) -> torch.dtype:
    """Return torch's type for "float64" or "float32"."""
    if name not in ("float64", "float32"):
        raise ValueError(f"dtype must be 'float64' or 'float32', got {name!r}.")
    return torch.float64 if name == "float64" else torch.float32
