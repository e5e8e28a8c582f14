"""Nonstationary covariances: their settings vary in space."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from xinr._typing import Array
from xinr.methods.covariances import Covariance
from xinr.methods.predictor import with_prefix


@dataclass(frozen=True, eq=False)
class NonstationaryCovariance:
    """A covariance whose settings are known at the nodes of a plane, linear between them and constant beyond.

    Examples
    --------
    >>> from xinr.methods.covariances import Gaussian
    >>> sigma = np.array([[0.1], [0.2]])
    >>> varying = NonstationaryCovariance(Gaussian(100.0, 10.0), {"sigma": sigma}, np.zeros(2), np.array([50.0, 50.0]))
    >>> varying.at(np.array([25.0, 10.0, 3.0])).sigma
    0.15
    """

    mean: Covariance  #: Of the whole domain; of every position where no settings vary.
    settings: Mapping[str, Array]  #: Those that vary, at the nodes, each (nx, ny).
    origin: Array  #: First node [unit of the frame], (2,).
    step: Array  #: Distances between nodes [unit of the frame], (2,).

    @classmethod
    def constant(cls, covariance: Covariance) -> Self:
        """Return the same covariance everywhere."""
        return cls(covariance, {}, np.zeros(2), np.ones(2))

    def at(self, position: Array) -> Covariance:
        """Return the covariance around a position (d,)."""
        if not self.settings:
            return self.mean
        names = np.arange(len(self.settings), dtype=np.float64)
        east, north = (np.full_like(names, axis) for axis in (position[:2] - self.origin) / self.step)
        values = map_coordinates(self._tables, [names, east, north], order=1, mode="nearest")
        return self.mean.changed(dict(zip(self.settings, values.tolist(), strict=True)))

    @cached_property
    def _tables(self) -> Array:
        return np.stack(list(self.settings.values()))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays from which `from_state` rebuilds it."""
        lattice = {"varying_origin": self.origin, "varying_step": self.step}
        tables = {f"varying_{name}_at": table for name, table in self.settings.items()}
        return {"covariance": self.mean.state(), **lattice, **tables}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild it from a mapping that holds its `state`."""
        lattice = with_prefix(state, "varying_")
        tables = {name.removesuffix("_at"): table for name, table in lattice.items() if name.endswith("_at")}
        mean = Covariance.from_state(state["covariance"])
        return cls(mean, tables, lattice["origin"], lattice["step"])
