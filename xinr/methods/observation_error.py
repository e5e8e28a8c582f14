"""How observations err: white noise of each point, and what the points of a pass have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from xinr._typing import Array

#: Deviations of whole passes, by name, and of the passes of swaths.
PASS_ERRORS = ("pass_bias", "pass_slope")
SWATH_ERRORS = ("swath_bias", "swath_roll", "swath_baseline", "swath_phase")
DEVIATIONS = (*PASS_ERRORS, *SWATH_ERRORS)
#: Distance from the ground track at which errors across a swath have their deviation [km]: its edge.
EDGE = 60.0
#: Decorrelation length L of the errors of swaths along a pass [1000 km], exp(-s²/L²): of cubic B-splines with
#: independent amplitudes at knots √3/2 L apart.
ERROR_LENGTH = 1.0
KNOTS = ERROR_LENGTH * np.sqrt(0.75)
_COLUMNS = ("noise", "pass_index", "distance", "cross_track_distance")


class Modes(NamedTuple):
    """What passes can add to their points: columns of one standard deviation each, all independent.

    ``matrix`` (n, m), sparse; ``name`` (m,), the index of each column's deviation in ``mode_names``; ``of_pass`` (m,),
    the pass of each column.
    """

    matrix: csr_array
    name: NDArray[np.int64]
    of_pass: NDArray[np.int64]


@dataclass(frozen=True)
class ObservationError:
    """How observations err: white noise per point, a bias and a slope per pass, and errors across swaths.

    The covariance of the errors is ``diag(noise²)``, and within each pass ``pass_bias² + pass_slope² d_i d_j`` with
    the distances d from its middle. What is left of orbit errors and long-wavelength corrections changes little along
    a pass: Le Traon et al. (1998).

    Points of a swath err together by a bias, a roll of the antennas, linear across the track, a baseline dilation,
    quadratic, and a phase, a bias of each half of the swath. These vary along the pass and decorrelate over 1000 km.
    The defaults of the methods, together 1 cm, are what a calibration on all altimeters leaves, as in L3 files:
    Dibarboure et al. (2022). Before any calibration, errors are tens of centimetres: Metref et al. (2019) have the same
    shapes.

    Parameters
    ----------
    noise : ndarray (n,)
        Standard deviation of the white noise [unit of the data], above zero.
    pass_index : ndarray of int (n,)
        Which pass each point belongs to, from 0.
    distance : ndarray (n,)
        Signed distance from the middle of the pass [1000 km].
    pass_bias : float
        Standard deviation of the bias of a pass [unit of the data].
    pass_slope : float
        Standard deviation of its slope [unit of the data per 1000 km].
    cross_track_distance : ndarray (n,)
        Distance from the ground track [km]; NaN of points that are not of a swath.
    swath_bias : float
        Standard deviation of the error common to all pixels of a line [unit of the data].
    swath_roll, swath_baseline : float
        Standard deviation of the errors linear and quadratic across the track, 60 km from it [unit of the data].
    swath_phase : float
        Standard deviation of the bias of each half of a swath [unit of the data].

    References
    ----------
    Le Traon, Nadal & Ducet (1998), doi:10.1175/1520-0426(1998)015<0522:AIMMOM>2.0.CO;2;
    Dibarboure et al. (2022), doi:10.3390/rs14236070 (shapes, and residuals of 1 cm);
    Metref et al. (2019), doi:10.3390/rs11111336 (projection on the shapes)
    """

    noise: Array
    pass_index: NDArray[np.int64]
    distance: Array
    pass_bias: float = 0.0
    pass_slope: float = 0.0
    cross_track_distance: Array = field(default_factory=lambda: np.empty(0))
    swath_bias: float = 0.0
    swath_roll: float = 0.0
    swath_baseline: float = 0.0
    swath_phase: float = 0.0

    def __post_init__(self) -> None:
        if not len(self.cross_track_distance):
            object.__setattr__(self, "cross_track_distance", np.full(len(self.noise), np.nan))

    @property
    def mode_names(self) -> tuple[str, ...]:
        """Which deviations of passes are above zero, those of swaths where there are points of one."""
        swath = np.isfinite(self.cross_track_distance).any()
        return tuple(name for name in present_errors(self) if swath or name in PASS_ERRORS)

    @cached_property
    def modes(self) -> Modes:
        """What passes can add to their points."""
        numbers, of_pass = np.unique(self.pass_index, return_inverse=True)
        names = self.mode_names
        shapes = {"pass_bias": np.ones_like(self.distance), "pass_slope": self.distance}
        whole = [name for name in names if name in PASS_ERRORS]
        columns = np.stack([getattr(self, name) * shapes[name] for name in whole] or [np.empty((0,))], axis=-1)
        columns = columns.reshape(len(self.noise), len(whole))
        parts = [_spread(columns, of_pass[:, None] * len(whole) + np.arange(len(whole)), len(numbers) * len(whole))]
        kinds, passes = [np.tile(np.arange(len(whole)), len(numbers))], [np.repeat(numbers, len(whole))]
        for name in names[len(whole) :]:
            matrix, along = self._across(name)
            parts.append(matrix)
            kinds.append(np.full(len(along), names.index(name)))
            passes.append(along)
        matrix = hstack(parts, format="csr")
        matrix.eliminate_zeros()
        return Modes(matrix, np.concatenate(kinds), np.concatenate(passes))

    def _across(self, name: str) -> tuple[csr_array, NDArray[np.int64]]:
        """Return the modes of one error of swaths, and the pass of each."""
        swath = np.isfinite(self.cross_track_distance)
        x = np.where(swath, self.cross_track_distance, 0.0) / EDGE
        shape = {"swath_roll": x, "swath_baseline": x**2}.get(name, np.ones_like(x))
        half = (x > 0).astype(np.int64) if name == "swath_phase" else np.zeros(len(x), dtype=np.int64)
        knot, weight = _splines(self.distance / KNOTS)
        knot -= knot.min()
        key = (self.pass_index[:, None] * (knot.max() + 1) + knot) * 2 + half[:, None]
        found, column = np.unique(key[swath], return_inverse=True)
        columns = np.zeros_like(knot)
        columns[swath] = column.reshape(-1, knot.shape[1])
        height = (getattr(self, name) * shape * swath)[:, None] * weight
        return _spread(height, columns, len(found)), found // 2 // (knot.max() + 1)

    @property
    def variance(self) -> Array:
        """Variance of the error of each point, (n,)."""
        return np.asarray(self.noise**2 + self.modes.matrix.power(2).sum(axis=1))

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> ObservationError:
        """Return the errors of the chosen points; passes keep their numbers."""
        columns = {name: getattr(self, name)[chosen] for name in _COLUMNS}
        return replace(self, **columns)

    def scaled(self, factor: float) -> ObservationError:
        """Return the errors in another unit of the data: every deviation times the factor."""
        deviations = {name: factor * getattr(self, name) for name in DEVIATIONS}
        return replace(self, noise=factor * self.noise, **deviations)

    def add_to(self, covariance: Array, chosen: slice) -> None:
        """Add the error covariance of the chosen points to a matrix, in place."""
        covariance[np.diag_indices_from(covariance)] += self.noise[chosen] ** 2
        if self.mode_names:
            modes = self.modes.matrix[chosen]
            shared = (modes @ modes.T).tocoo()  # sparse: passes are short, the matrix is large
            covariance[shared.row, shared.col] += shared.data

    def modes_of(self, chosen: NDArray[np.integer[Any]]) -> Array:
        """Return the modes of each set of points, (b, k), as columns of its own, (b, k, most of a set)."""
        columns, weights = (each[chosen].reshape(len(chosen), -1) for each in self._padded)
        order = np.argsort(columns, axis=1)
        new = np.diff(np.take_along_axis(columns, order, axis=1), axis=1, prepend=-1) != 0
        place = np.empty_like(columns)
        np.put_along_axis(place, order, new.cumsum(axis=1) - 1, axis=1)
        modes = np.zeros((*chosen.shape, int(place.max(initial=-1)) + 1))
        block, point = (
            axis.reshape(len(chosen), -1) for axis in np.indices((*chosen.shape, self._padded[0].shape[1]))[:2]
        )
        np.add.at(modes, (block, point, place), weights)
        return modes

    @cached_property
    def _padded(self) -> tuple[NDArray[np.int64], Array]:
        """The modes of each point, columns and heights, those of few filled up with zeros, (n, most)."""
        matrix = self.modes.matrix
        count = np.diff(matrix.indptr)
        there = np.arange(count.max(initial=0)) < count[:, None]
        columns, weights = np.zeros(there.shape, dtype=np.int64), np.zeros(there.shape)
        columns[there], weights[there] = matrix.indices, matrix.data
        return columns, weights

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays from which `from_state` rebuilds it."""
        deviations = np.array([getattr(self, name) for name in DEVIATIONS])
        return {name: getattr(self, name) for name in _COLUMNS} | {"pass_deviations": deviations}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild it from a mapping that holds its `state`; those of earlier versions have no swaths."""
        deviations = dict(zip(DEVIATIONS, map(float, state["pass_deviations"]), strict=False))
        columns = {name: state[name] for name in _COLUMNS if name in state}
        return cls(**columns, **deviations)  # type: ignore[arg-type]


def present_errors(deviations: Any) -> tuple[str, ...]:
    """Return which deviations of passes are above zero."""
    return tuple(name for name in DEVIATIONS if getattr(deviations, name) > 0.0)


def _splines(position: Array) -> tuple[NDArray[np.int64], Array]:
    """Return the four cubic B-splines at each position (n,) in knots, and their values, of unit norm, (n, 4)."""
    left = np.floor(position)
    u = position - left
    weight = np.stack([(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, 3 * (1 - u) ** 3 - 6 * (1 - u) ** 2 + 4, u**3], axis=1)
    weight /= np.linalg.norm(weight, axis=1, keepdims=True)
    return left.astype(np.int64)[:, None] + np.arange(-1, 3), weight


def _spread(values: Array, columns: NDArray[np.int64], count: int) -> csr_array:
    """Return the sparse matrix (n, count) with values (n, k) in the given columns of each row."""
    n, k = values.shape
    rows = k * np.arange(n + 1, dtype=np.int32)
    matrix = csr_array((values.ravel(), columns.ravel().astype(np.int32), rows), shape=(n, count))
    return matrix
