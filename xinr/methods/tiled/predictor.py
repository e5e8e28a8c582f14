"""Functions of overlapping tiles of the sphere, each on a plane of its own, blended into one smooth function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Self, override

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xinr._typing import Array, Pairs
from xinr.geo.frames import EARTH_RADIUS
from xinr.geo.points import Points
from xinr.methods.autodiff.jets import Jet
from xinr.methods.predictor import (
    DerivativePredictor,
    ErrorPredictor,
    Predictor,
    SamplePredictor,
    predictor_class,
    with_prefix,
)
from xinr.methods.settings import packed, unpacked

#: Takes the number of a tile, its weight (1, positions), its points and the curves through them on its plane; returns
#: what is summed over tiles, each (times or 1, positions).
Terms = Callable[[int, Tensor, "_OnTile"], Sequence[Tensor]]


def on_plane(position: Tensor, axes: Array) -> Tensor:
    """Return positions (..., 3) [km] on the plane at the given axes, (..., 2) [km]: see `xinr.geo.frames.Plane`."""
    local = position @ torch.tensor(axes.T)
    g = torch.sqrt(2.0 / (1.0 + local[..., 2:] / EARTH_RADIUS))
    return g * local[..., :2]


def taper(position: Tensor, axes: Array, radius: float) -> Tensor:
    """Return ``(1 - |r - c|² / ρ²)³`` of positions r (..., 3) around the centre c of axes, zero beyond the radius [km].

    ρ is the chord of the radius; on the sphere |r - c|² is linear in r. Two derivatives are continuous.
    """
    cosine = position @ torch.tensor(axes[2] / EARTH_RADIUS)
    return torch.relu(1.0 - (1.0 - cosine) / (1.0 - np.cos(radius / EARTH_RADIUS))) ** 3


@dataclass(frozen=True)
class _Query:
    """Points in the frame "sphere", and curves through their positions along which to differentiate.

    ``curves`` (j + p, m, 4) are j directions and the p metric terms of the pairs; None where only values are asked for.
    """

    points: Points
    curves: Tensor | None = None
    pairs: Pairs = ()

    def positions(self, at: NDArray[np.int64]) -> Tensor:
        """Return chosen positions (k, 3), with the curves through them."""
        value = torch.from_numpy(self.points.positions[at])
        return value if self.curves is None else self.jet(value, self.curves[:, at, :3])

    def on_tile(self, plane: Tensor, at: NDArray[np.int64]) -> _OnTile:
        """Return chosen positions on the plane of a tile, (k, 2), with their times."""
        times = self.points.times if self.points.grid else self.points.times[at]
        if self.curves is None:
            return _OnTile(self, Points(plane.numpy(), times, self.points.grid), np.empty(0))
        value, *curves = plane.terms()  # type: ignore[attr-defined]
        along = torch.cat([torch.cat(curves), self.curves[:, at, 3:]], dim=2)
        return _OnTile(self, Points(value.numpy(), times, self.points.grid), along.numpy())

    def jet(self, value: Tensor, curves: Tensor) -> Jet:
        """Return values with their derivatives (j + p, ...)."""
        first = len(curves) - len(self.pairs)
        return Jet.along(value, curves[:first], self.pairs, curves[first:])

    def zeros(self) -> Tensor:
        """Return room for a sum over tiles: values and derivatives, (1 + j + p, times, positions)."""
        return torch.zeros(
            1 + (0 if self.curves is None else len(self.curves)), *self.points.shape, dtype=torch.float64
        )

    def unpacked(self, total: Tensor) -> Tensor:
        """Return such a sum as values that carry their derivatives, (times, positions)."""
        return total[0] if self.curves is None else self.jet(total[0], total[1:])


@dataclass(frozen=True)
class _OnTile:
    """Points in the frame "plane" of a tile, and the curves (j + p, k, 3) through them."""

    query: _Query
    points: Points
    curves: Array

    def value(self, part: Predictor) -> Tensor:
        """Return a part at the points, (times, positions), with the derivatives asked for."""
        value = self.rows(part.predict(self.points))
        if self.query.curves is None:
            return value
        first = len(self.curves) - len(self.query.pairs)
        found = part.derivatives(self.points, list(self.curves[:first]), self.query.pairs, list(self.curves[first:]))
        return self.query.jet(value, torch.cat([self.rows(each) for each in found]))

    def rows(self, values: Array) -> Tensor:
        """Return values (..., n) as a tensor (..., times, positions)."""
        return torch.from_numpy(values).reshape(*values.shape[:-1], *self.points.shape)


@dataclass(frozen=True, eq=False)
class BlendedTiles(DerivativePredictor):
    """The mean of the functions of tiles, in the frame "sphere", weighted by the `taper` of each; NaN beyond all.

    Notes
    -----
    ``f(r, t) = Σ w_i(r) f_i(P_i(r), t) / Σ w_i(r)`` with the projection P_i of `xinr.geo.frames.Plane`, an analytic
    function of the three coordinates of r: derivatives follow by the chain rule, which jets apply.
    """

    axes: Array  #: East, north and up at the centre of each tile, (k, 3, 3).
    radius: float  #: Where its weight ends [km].
    parts: tuple[Predictor, ...]  #: Its function, in the frame "plane" around its centre.

    @override
    def predict(self, points: Points) -> Array:
        return self._blend(_Query(points)).numpy().ravel()

    @override
    def gradient(self, points: Points) -> Array:
        axes = np.broadcast_to(np.eye(4)[:, None], (4, len(points.positions), 4))
        return self.derivatives(points, list(axes), (), ())[0].T

    @override
    def derivatives(
        self, points: Points, directions: Sequence[Array], pairs: Pairs, metric_terms: Sequence[Array]
    ) -> tuple[Array, Array]:
        curves = torch.from_numpy(np.stack([*directions, *metric_terms]))
        _, first, second = self._blend(_Query(points, curves, pairs)).terms()  # type: ignore[attr-defined]
        return first.flatten(1).numpy(), second.flatten(1).numpy()

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        return _joined(self.parts) | {"axes": self.axes, "radius": np.array(self.radius)}

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        return cls(state["axes"], float(state["radius"]), _split(state))

    def _blend(self, query: _Query) -> Tensor:
        def terms(number: int, weight: Tensor, tile: _OnTile) -> Sequence[Tensor]:
            value = tile.value(self.parts[number])
            return weight * value, weight

        weighted, weights = self._sums(query, terms, 2)
        return weighted / weights

    def _sums(self, query: _Query, terms: Terms, count: int) -> list[Tensor]:
        """Return sums over tiles, each at the positions that lie within it."""
        sums = [query.zeros() for _ in range(count)]
        for number, at in self._within(query.points.positions):
            position = query.positions(at)
            weight = taper(position, self.axes[number], self.radius).unsqueeze(0)
            tile = query.on_tile(on_plane(position, self.axes[number]), at)
            for total, term in zip(sums, terms(number, weight, tile), strict=True):
                total[:, :, at] += _packed(term)
        return [query.unpacked(total) for total in sums]

    def _within(self, positions: Array) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield tiles and which of the positions (n, 3) lie within them."""
        furthest = EARTH_RADIUS * np.cos(self.radius / EARTH_RADIUS)
        for number, axes in enumerate(self.axes):
            at = np.flatnonzero(positions @ axes[2] > furthest)
            if len(at):
                yield number, at


class TiledPredictor(BlendedTiles):
    """Tiles of which nothing but the function is known."""

    kind = "tiled"


@dataclass(frozen=True, eq=False)
class BlendedErrors(BlendedTiles, ErrorPredictor):
    """Tiles that know their errors."""

    parts: tuple[ErrorPredictor, ...]

    @property
    @override
    def error_comment(self) -> str:
        return next(filter(None, (part.error_comment for part in self.parts)), "")

    @override
    def posterior(self, points: Points) -> tuple[Array, Array]:
        """Return the means of values and of deviations: tiles that overlap err nearly alike."""

        def terms(number: int, weight: Tensor, tile: _OnTile) -> Sequence[Tensor]:
            value, error = map(tile.rows, self.parts[number].posterior(tile.points))
            return weight * value, weight * error, weight

        value, deviation, weights = self._sums(_Query(points), terms, 3)
        return (value / weights).numpy().ravel(), (deviation / weights).numpy().ravel()


class TiledErrorPredictor(BlendedErrors):
    """Tiles of which the function and its error are known."""

    kind = "tiled-error"


class TiledSamplePredictor(BlendedErrors, SamplePredictor):
    """Tiles that can be sampled, too."""

    kind = "tiled-sample"

    parts: tuple[SamplePredictor, ...]

    @override
    def sample(self, count: int, seed: int) -> Sequence[Predictor]:
        """Sample each tile independently."""
        seeds = np.random.SeedSequence(seed).generate_state(len(self.parts))
        each = [part.sample(count, int(own)) for part, own in zip(self.parts, seeds, strict=True)]
        return [TiledSampled(self.axes, self.radius, self.parts, sampled) for sampled in zip(*each, strict=True)]


@dataclass(frozen=True, eq=False)
class TiledSampled(BlendedTiles):
    """The blend of tiles, and of posterior samples of each.

    Where tiles overlap, their samples are independent, and the mean of several would vary too little:
    ``f + Σ w_i (sampled_i - f_i) / √(Σ w_i²)`` has the variance of each.
    """

    kind = "tiled-sampled"

    sampled: tuple[Predictor, ...]

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        return super().state() | _joined((*self.parts, *self.sampled))

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        both, count = _split(state), len(state["axes"])
        return cls(state["axes"], float(state["radius"]), both[:count], both[count:])

    @override
    def _blend(self, query: _Query) -> Tensor:
        def terms(number: int, weight: Tensor, tile: _OnTile) -> Sequence[Tensor]:
            value, sampled = tile.value(self.parts[number]), tile.value(self.sampled[number])
            return weight * value, weight, weight * (sampled - value), weight * weight

        weighted, weights, deviations, squares = self._sums(query, terms, 4)
        return weighted / weights + deviations / torch.sqrt(squares)


#: Which predictor of tiles knows what all of its parts know.
_KNOWING: Sequence[tuple[type[BlendedTiles], type[Predictor]]] = (
    (TiledSamplePredictor, SamplePredictor),
    (TiledErrorPredictor, ErrorPredictor),
)


def tiled(axes: Array, radius: float, parts: Sequence[Predictor]) -> BlendedTiles:
    """Return the predictor of tiles that knows what all of its parts know: errors, samples."""
    for cls, needed in _KNOWING:
        if all(isinstance(part, needed) for part in parts):
            return cls(axes, radius, tuple(parts))
    return TiledPredictor(axes, radius, tuple(parts))


def _joined(parts: Sequence[Predictor]) -> dict[str, NDArray[Any]]:
    """Return the states of parts, arrays of the same name end to end: a file of thousands of arrays would be slow."""
    states = [part.state() for part in parts]
    shapes = [{key: array.shape for key, array in state.items()} for state in states]
    keys = sorted({key for state in states for key in state})
    flat = {f"parts_{key}": np.concatenate([s[key].ravel() for s in states if key in s]) for key in keys}
    return flat | {"parts": packed([[part.kind, shape] for part, shape in zip(parts, shapes, strict=True)])}


def _split(state: Mapping[str, NDArray[Any]]) -> tuple[Predictor, ...]:
    """Rebuild the parts that were `_joined`."""
    flat, begun = with_prefix(state, "parts_"), Counter[str]()

    def own(key: str, shape: Sequence[int]) -> NDArray[Any]:
        start = begun[key]
        begun[key] += prod(shape)
        return flat[key][start : begun[key]].reshape(shape)

    return tuple(
        predictor_class(kind).from_state({key: own(key, shape) for key, shape in shapes.items()})
        for kind, shapes in unpacked(state["parts"])
    )


def _packed(term: Tensor) -> Tensor:
    """Return values, and the derivatives they may carry, as one tensor (1 + m + p, ...)."""
    if not isinstance(term, Jet):
        return term[None]
    value, *derivatives = term.terms()
    return torch.cat([value[None], *derivatives])
