"""Observations to be kriged: one problem for the best estimate, for posterior samples and for formal errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm.auto import tqdm

from xinr._typing import Array
from xinr.methods.covariances import Covariance
from xinr.methods.device import check_memory, device_from
from xinr.methods.functions.polynomial import Polynomial
from xinr.methods.kriging.conditioning import Conditioning, Estimate
from xinr.methods.kriging.formal_error import FormalError
from xinr.methods.kriging.lattice import STENCIL, Lattice
from xinr.methods.kriging.lattice_covariance import LatticeCovariance
from xinr.methods.kriging.local_variance import LocalVariance
from xinr.methods.observation_error import ObservationError
from xinr.methods.predictor import Predictor
from xinr.methods.settings import packed, unpacked

#: Relative residual at which the solve for a variance stops: what is left open is a hundredth of the signal.
PROBED = 2e-6
#: Conditional simulations made at once: each takes 25 bytes for a centre of the lattice.
SAMPLED_TOGETHER = 8


@dataclass(frozen=True, eq=False)
class Problem:
    """Observations of a signal on a lattice about a drift.

    Parameters
    ----------
    lattice : Lattice
        Of the signal's coefficients.
    covariance : Covariance
        Of the signal.
    drift : str
        Key of `DRIFTS`.
    x : ndarray (n, 3)
        Positions and times of the observations on the plane [km, km, days].
    error : ObservationError
        Of the observations.
    tolerance : float
        Relative residual at which conjugate gradients stop.
    device : str
        See `xinr.methods.device.device_from`.
    """

    lattice: Lattice
    covariance: Covariance
    drift: str
    x: Array
    error: ObservationError
    tolerance: float
    device: str = "auto"

    def conditioning(self, together: int = 1) -> Conditioning:
        """Return the linear problem, having checked that so many solutions fit into memory."""
        return conditioning(self.lattice, self.covariance, self.x, self.error, self.device, together)

    def krige(self, y: Array) -> tuple[Estimate, tuple[Predictor, Predictor]]:
        """Estimate signal and drift from observations y (n,); return the estimate, and both as predictors."""
        problem = self.conditioning()
        found = problem.krige(problem.move(y[:, None]), problem.move(self.no_drift.columns(self.x)), self.tolerance)
        return found, self.predictors(found)[0]

    def errors(self, count: int, seed: int) -> Iterator[Estimate]:
        """Yield random errors of the estimate, a few at a time."""
        problem = self.conditioning(min(count, SAMPLED_TOGETHER))
        columns, generator = problem.move(self.no_drift.columns(self.x)), torch.Generator().manual_seed(seed)
        starts = range(0, count, SAMPLED_TOGETHER)
        for start in tqdm(starts, "conditional simulations", leave=False, disable=None, delay=1):
            yield problem.sample_errors(columns, min(SAMPLED_TOGETHER, count - start), self.tolerance, generator)

    def predictors(self, found: Estimate) -> list[tuple[Predictor, Predictor]]:
        """Return signal and drift of each estimate as predictors."""
        drifts = (replace(self.no_drift, coefficients=b.cpu().numpy()) for b in found.drift.T)
        return [(self.lattice.spline(signal), drift) for signal, drift in zip(found.signal, drifts, strict=True)]

    def formal_error(self, drift_weights: Array) -> FormalError:
        """Return the posterior deviation, given the weights of the observations in the drift (n, m)."""
        covariance = LatticeCovariance(self.lattice, self.lattice.power(self.covariance))
        of_drift = np.linalg.inv(self.no_drift.columns(self.x).T @ drift_weights)
        covariances = partial(self._covariances, drift_weights, of_drift)
        device = device_from(self.device, metal=False)
        local = LocalVariance(covariance, self.x, self.error, self.no_drift, of_drift, covariances, device)
        return FormalError.on(self.lattice, local)

    def _covariances(self, drift_weights: Array, of_drift: Array, positions: Array, weights: Array) -> Array:
        """Return the posterior covariances of signal and drift at positions (m, 3) with a combination of them, (m,)."""
        problem = self.conditioning()
        there = problem.elsewhere(positions)
        (signal,) = there.coefficients(there.move(weights[:, None]))
        solved = problem.solve(problem.observe([signal]), PROBED).weights
        (explained,) = problem.coefficients(solved)
        error = there.observe([signal - explained])[:, 0].cpu().numpy()
        seen = there.observe(problem.coefficients(problem.move(drift_weights))) if drift_weights.shape[1] else None
        open_drift = self.no_drift.columns(positions) - (0.0 if seen is None else seen.cpu().numpy())  # (m, columns)
        return np.asarray(error + open_drift @ of_drift @ (open_drift.T @ weights))

    @cached_property
    def no_drift(self) -> Polynomial:
        """The drift, its coefficients zero."""
        return Polynomial.zero(self.drift, self.x)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays from which `from_state` rebuilds it."""
        plain = {"shape": self.lattice.shape, "drift": self.drift, "tolerance": self.tolerance}
        lattice = np.array([self.lattice.origin, self.lattice.step])
        covariance = self.covariance.state()
        return self.error.state() | {
            "x": self.x,
            "lattice": lattice,
            "covariance": covariance,
            "problem": packed(plain),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild it from a mapping that holds its `state`."""
        plain = unpacked(state["problem"])
        origin, step = (tuple(map(float, row)) for row in state["lattice"])
        lattice = Lattice(tuple(plain["shape"]), origin, step)  # type: ignore[arg-type]
        covariance, error = Covariance.from_state(state["covariance"]), ObservationError.from_state(state)
        return cls(lattice, covariance, plain["drift"], state["x"], error, plain["tolerance"])


def conditioning(
    lattice: Lattice, covariance: Covariance, x: Array, error: ObservationError, device: str, together: int = 1
) -> Conditioning:
    """Return the linear problem of observations at x (n, 3), having checked that some solutions fit into memory."""
    where = device_from(device, metal=False)
    check_memory(
        (40 + 25 * together) * lattice.size + 10 * STENCIL * len(x),
        where,
        f"kriging {len(x)} observations on a lattice of {' x '.join(map(str, lattice.shape))}",
        "a larger spacing, time_step or coarsen, or a smaller region",
    )
    return Conditioning(lattice, lattice.power(covariance), x, error, where)
