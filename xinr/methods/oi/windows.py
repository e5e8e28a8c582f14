"""Optimal interpolation in sliding time windows, every observation of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple, Self, override

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular
from tqdm.auto import tqdm

from xinr._typing import Array
from xinr.geo.points import Points
from xinr.methods.covariances import Covariance
from xinr.methods.observation_error import ObservationError
from xinr.methods.oi.grouped_windows import factor, grouped, solve_windows
from xinr.methods.predictor import ErrorPredictor, HessianPredictor

# Targets per block of the observation-target covariance: 4096 x 5000 float64 is 160 MB.
BLOCK = 4096
# Largest window solved densely: its factor alone takes 8 n² = 3.2 GB.
LARGEST_WINDOW = 20_000


class Window(NamedTuple):
    """An analysis time by its number, its observations, and the indices of its targets."""

    number: int
    near: slice
    targets: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class OIPredictor(HessianPredictor, ErrorPredictor):
    """The observations in time order, about their mean, and the analyses solved so far."""

    kind = "oi"

    x: Array
    y: Array
    error_model: ObservationError
    covariance: Covariance
    half_width: float
    analysis_step: float
    mean: float = 0.0
    _weights: dict[int, Array] = field(default_factory=dict, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    @override
    def expand(self, x: Array, order: int) -> tuple[Array, ...]:
        n, d = x.shape
        found = (np.zeros(n), np.zeros((n, d)), np.zeros((n, d, d)))[: order + 1]
        analyses = self._analyses(x)
        self._solve(analyses)
        for number, near, at in analyses:
            parts = self.covariance.weighted_derivatives(x[at], self.x[near], self._weights[number], order)
            for array, part in zip(found, parts, strict=True):
                array[at] = part
        found[0][:] += self.mean
        return found

    @override
    def posterior(self, points: Points) -> tuple[Array, Array]:
        x = points.x
        value, error = np.zeros(len(x)), np.full(len(x), self.covariance.sigma)
        for _, near, targets in tqdm(self._analyses(x), "errors", leave=False, disable=None, delay=1):
            with self._lock:  # one at a time: a factorisation uses every core by itself
                root = factor(self.covariance, self.error_model, self.x, near)
            weights = cho_solve(root, self.y[near], check_finite=False)
            for start in range(0, len(targets), BLOCK):
                at = targets[start : start + BLOCK]
                k = self.covariance.value(self.x[near], x[at])
                value[at] = weights @ k
                whitened = solve_triangular(root[0], k, trans=1, overwrite_b=True, check_finite=False)
                explained = np.einsum("ij,ij->j", whitened, whitened)
                error[at] = np.sqrt(np.maximum(self.covariance.sigma**2 - explained, 0.0))
        return value + self.mean, error

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        """The analyses solved so far are in it, so that a saved field goes on from there."""
        solved = dict(self._weights)
        return {
            "x": self.x,
            "y": self.y,
            **self.error_model.state(),
            "covariance": self.covariance.state(),
            "window": np.array([self.half_width, self.analysis_step]),
            "mean": np.array(self.mean),
            "solved": np.array(list(solved), dtype=np.int64),
            "weights": np.concatenate([np.empty(0), *solved.values()]),
        }

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        error = ObservationError.from_state(state)
        half_width, step = (float(number) for number in state["window"])
        covariance, mean = (
            Covariance.from_state(state["covariance"]),
            float(state.get("mean", 0.0)),
        )  # files of earlier versions have none
        found = cls(state["x"], state["y"], error, covariance, half_width, step, mean)
        if "solved" in state:  # files of earlier versions have none
            windows = [found.window(number) for number in state["solved"].tolist()]
            ends = np.cumsum([near.stop - near.start for near in windows], dtype=np.int64)
            parts = np.split(state["weights"], ends[:-1])
            found._weights.update(zip(state["solved"].tolist(), parts, strict=False))
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the state alone: the lock stays behind."""
        return type(self).from_state, (self.state(),)

    def _analyses(self, x: Array) -> list[Window]:
        """Return the analyses that targets need, in order of time; none where nothing is observed."""
        nearest = np.floor(x[:, -1] / self.analysis_step + 0.5).astype(np.int64)
        order = np.argsort(nearest, kind="stable")
        numbers, starts = np.unique(nearest[order], return_index=True)
        pairs = zip(numbers.tolist(), np.split(order, starts[1:]), strict=True)
        analyses = [Window(number, self.window(number), targets) for number, targets in pairs]
        return [analysis for analysis in analyses if analysis.near.start < analysis.near.stop]

    def window(self, number: int) -> slice:
        """Return the observations of an analysis, by its number; MemoryError where they are too many."""
        centre = number * self.analysis_step
        times = self.x[:, -1]
        first = np.searchsorted(times, centre - self.half_width, side="right")
        last = np.searchsorted(times, centre + self.half_width, side="left")
        size = max(int(last) - int(first), 0)
        if size > LARGEST_WINDOW:
            raise MemoryError(
                f"{size} observations fall in one analysis window; at most {LARGEST_WINDOW} are solved at once "
                f"({8e-9 * size**2:.0f} GB per matrix). Choose a smaller region, a larger coarsen, a narrower window, "
                "or n_neighbors=100."
            )
        return slice(int(first), int(first) + size)

    def _solve(self, analyses: Sequence[Window]) -> None:
        """Solve what is not solved yet; what is solved stays solved if it is interrupted."""
        with self._lock:
            missing = [analysis for analysis in analyses if analysis.number not in self._weights]
            with tqdm(total=len(missing), desc="optimal interpolation", leave=False, disable=None, delay=1) as bar:
                for group in grouped([analysis.near for analysis in missing]):
                    windows = [missing[i].near for i in group]
                    solved = solve_windows(self.covariance, self.error_model, self.x, self.y, windows)
                    self._weights.update(zip((missing[i].number for i in group), solved, strict=True))
                    bar.update(len(group))
