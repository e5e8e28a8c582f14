"""A Gaussian process on a periodic lattice of B-splines: its covariance is a product in Fourier space."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.sparse import csr_array
from torch import Tensor

from xinr._typing import Array
from xinr.methods.covariances import Covariance
from xinr.methods.functions.spline import SplinePredictor, Triple, bspline_weights
from xinr.methods.sparse import Sparse

DEGREE = 3
#: B-splines that reach a point.
STENCIL = (DEGREE + 1) ** 3
#: Points whose stencils are worked out at once.
BLOCK = 1 << 15
#: Waves this far from zero are looked at for peaks, by so many nodes of Gauss across their cell.
LOWEST, NODES = 2, 8
#: A spectrum so many times its mean over the cell (above) is taken as so many times the mean (below): as it is where
#: it is smooth, the mean where it has a peak.
PEAKED = (0.0, 1.25, 2.5), (0.0, 1.25, 1.0)
#: Waves from here to there, as shares of the shortest that the lattice has, are faded out: see `Lattice.power`.
FADING = 0.5, 0.8
TINY = 1e-300


@dataclass(frozen=True)
class Lattice:
    """Centres of cubic B-splines at equal steps of (x, y, t) in the frame "plane".

    The signal is ``Σ c β``, with coefficients c that are a stationary process on the torus of the lattice.

    Parameters
    ----------
    shape : (int, int, int)
        How many centres.
    origin, step : (float, float, float)
        The first centre, and distance to the next [km, km, days].

    References
    ----------
    Wilson & Nickisch (2015), arXiv:1503.01057 (structured kernel interpolation)
    """

    shape: tuple[int, int, int]
    origin: Triple
    step: Triple

    @classmethod
    def around(cls, x: Array, step: Triple, margin: Triple) -> Self:
        """Return the lattice over points x (n, 3) with a margin on each side, of sizes that transform fast.

        Twice the margin lies between the data and their images on the torus.
        """
        low, high = x.min(axis=0) - margin, x.max(axis=0) + margin
        sizes = [ceil((b - a) / h) + DEGREE + 1 for a, b, h in zip(low, high, step, strict=True)]
        fast = [next_fast_len(size, real=axis == 2) for axis, size in enumerate(sizes)]
        first = [float(a) - h for a, h in zip(low, step, strict=True)]
        return cls((fast[0], fast[1], fast[2]), (first[0], first[1], first[2]), step)

    @property
    def size(self) -> int:
        """How many centres there are."""
        return int(np.prod(self.shape))

    @cached_property
    def frequencies(self) -> tuple[Array, Array, Array]:
        """Wavenumbers east and north [rad/km] and frequencies [rad/day] of `torch.fft.rfftn`, ready to broadcast."""
        (nx, ny, nt), (hx, hy, ht) = self.shape, self.step
        k, l, omega = np.fft.fftfreq(nx, hx), np.fft.fftfreq(ny, hy), np.fft.rfftfreq(nt, ht)  # noqa: E741
        # The transform has phases + omega t, the spectrum of a covariance - omega t.
        return 2.0 * np.pi * k[:, None, None], 2.0 * np.pi * l[None, :, None], -2.0 * np.pi * omega[None, None, :]

    def power(self, covariance: Covariance) -> Array:
        """Return the eigenvalues of the covariance of the coefficients, (nx, ny, nt // 2 + 1) [unit²].

        Such that values at the centres have the covariance asked for: ``S / (h_x h_y h_t)`` over the squared transform
        of a B-spline's samples (1/6, 4/6, 1/6). Where S has a peak narrower than the cell of a wave, it is the mean
        over the cell: a covariance that reaches farther than the torus would otherwise count its images as signal.

        Waves shorter than four steps are faded out, and none is shorter than 2.5 steps: between the centres B-splines
        would damp them, and the posterior, in which they are most of what is left open, would vary by 13 % within a
        cell.
        """
        power = covariance.spectrum(*self.frequencies)
        everywhere, lowest = slice(None), slice(0, LOWEST + 1)
        around_zero = np.r_[0 : LOWEST + 1, -LOWEST:0]
        for low in (
            (everywhere, everywhere, lowest),
            (around_zero, around_zero, everywhere),
            (around_zero, around_zero, lowest),
        ):
            block = np.ix_(*(np.arange(n)[part] for n, part in zip(power.shape, low, strict=True)))
            mean = self._cell_mean(covariance, low)
            power[block] = mean * np.interp(power[block] / np.maximum(mean, TINY), *PEAKED)
        power /= float(np.prod(self.step))
        for frequency, h in zip(self.frequencies, self.step, strict=True):
            power /= ((2.0 + np.cos(frequency * h)) / 3.0) ** 2
            share = np.clip((np.abs(frequency * h) / np.pi - FADING[0]) / (FADING[1] - FADING[0]), 0.0, 1.0)
            power *= np.cos(np.pi / 2.0 * share) ** 2
        return power

    def _cell_mean(self, covariance: Covariance, chosen: tuple[slice | NDArray[np.int64], ...]) -> Array:
        """Return the mean of the spectrum over the cells of chosen waves, along the axes where not all are chosen."""
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        centres = [frequency.ravel()[part] for frequency, part in zip(self.frequencies, chosen, strict=True)]
        fine = [isinstance(part, slice) and part == slice(None) for part in chosen]
        spread = [
            centre[:, None] + (0.0 if whole else np.pi / (n * h) * nodes)
            for centre, whole, n, h in zip(centres, fine, self.shape, self.step, strict=True)
        ]
        k, l, omega = (axis.ravel() for axis in spread)  # noqa: E741
        values = covariance.spectrum(k[:, None, None], l[None, :, None], omega[None, None, :])
        for axis, (centre, points) in enumerate(zip(centres, spread, strict=True)):
            parted = np.moveaxis(values, axis, -1).reshape(*np.delete(values.shape, axis), len(centre), -1)
            mean = parted @ (weights / 2.0) if points.shape[1] > 1 else parted[..., 0]
            values = np.moveaxis(mean, -1, axis)
        return values

    @cached_property
    def multiplicity(self) -> Array:
        """How many waves each of the frequencies kept by `torch.fft.rfftn` stands for, (nt // 2 + 1,)."""
        nt = self.shape[2]
        own_image = np.arange(nt // 2 + 1) * 2 % nt == 0
        return np.where(own_image, 1.0, 2.0)

    def matrix(self, x: Array, device: torch.device, dtype: torch.dtype) -> Sparse:
        """Return the matrix W (n, size) from coefficients to values at points x (n, 3)."""
        if max(self.size, STENCIL * len(x)) >= 2**31:
            raise MemoryError(
                f"{len(x)} observations on {self.size} centres are more than can be counted in 32 bits: "
                "use a larger coarsen or spacing, or a smaller region."
            )
        index = np.empty((len(x), STENCIL), dtype=np.int32)
        weight = np.empty((len(x), STENCIL), dtype=np.float32)
        for at in range(0, len(x), BLOCK):
            block = slice(at, at + BLOCK)
            index[block], weight[block] = self._stencils(x[block])
        rows = np.arange(0, index.size + 1, STENCIL, dtype=np.int32)
        return Sparse(csr_array((weight.ravel(), index.ravel(), rows), shape=(len(x), self.size)), device, dtype)

    def spline(self, coefficients: Tensor) -> SplinePredictor:
        """Return the function with these coefficients (nx, ny, nt)."""
        return SplinePredictor(coefficients.cpu().numpy(), self.origin, self.step, (DEGREE,) * 3, (False,) * 3)

    def _stencils(self, x: Array) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the centres that reach each point, and their weights, (n, 64) each."""
        position = (x - np.array(self.origin)) / np.array(self.step)
        left = np.floor(position)
        nodes = left.astype(np.int32)[:, :, None] - (DEGREE - 1) // 2 + np.arange(DEGREE + 1, dtype=np.int32)
        i, j, k = (nodes[:, axis] % np.int32(self.shape[axis]) for axis in range(3))  # (n, 4)
        index = (i[:, :, None, None] * np.int32(self.shape[1]) + j[:, None, :, None]) * np.int32(self.shape[2])
        u, v, w = (bspline_weights(torch.from_numpy(f), DEGREE).float().numpy() for f in (position - left).T)
        weight = (u[:, :, None, None] * v[:, None, :, None]) * w[:, None, None, :]
        return (index + k[:, None, None, :]).reshape(len(x), -1), weight.reshape(len(x), -1)
