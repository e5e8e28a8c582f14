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
from xinr.places import repetition

#: Takes the number of a tile, its weight (times, places) and the points on its plane (times, places, 3), and returns
#: what is summed over tiles, each (times, places).
Terms = Callable[[int, Tensor, Tensor], Sequence[Tensor]]


def on_plane(place: Tensor, axes: Array) -> Tensor:
    """Return places (..., 3) [km] on the plane at the given axes, (..., 2) [km]: see `xinr.geo.frames.Plane`."""
    local = place @ torch.tensor(axes.T)
    g = torch.sqrt(2.0 / (1.0 + local[..., 2:] / EARTH_RADIUS))
    return g * local[..., :2]


def taper(place: Tensor, axes: Array, radius: float) -> Tensor:
    """Return ``(1 - |r - c|² / ρ²)³`` of places r (..., 3) around the centre c of axes, zero beyond the radius [km].

    ρ is the chord of the radius; on the sphere |r - c|² is linear in r. Two derivatives are continuous.
    """
    cosine = place @ torch.tensor(axes[2] / EARTH_RADIUS)
    return torch.relu(1.0 - (1.0 - cosine) / (1.0 - np.cos(radius / EARTH_RADIUS))) ** 3


@dataclass(frozen=True)
class _Points:
    """Points in the frame "sphere", and curves through them, so that what repeats at each time is done once.

    ``x`` is (times, places, 4), where all times have the same places. ``curves`` (m + p, times or 1, places, 4) are m
    directions and the p second derivatives of the curves, for the pairs; None where only values are asked for.
    """

    x: Tensor
    curves: Tensor | None
    pairs: Pairs

    @classmethod
    def of(cls, x: Array, directions: Sequence[Array] = (), pairs: Pairs = (), bends: Sequence[Array] = ()) -> Self:
        shape = (-1, repetition(*x.T[:3]), 4)
        if not directions:
            return cls(torch.from_numpy(x.reshape(shape)), None, ())
        each = [np.asarray(vector).reshape(shape) for vector in (*directions, *bends)]
        if all(bool((vector == vector[:1]).all()) for vector in each):
            each = [vector[:1] for vector in each]
        return cls(torch.from_numpy(x.reshape(shape)), torch.from_numpy(np.stack(each)), pairs)

    def places(self, at: NDArray[np.int64]) -> Tensor:
        """Return chosen places, (times or 1, k, 3)."""
        if self.curves is None:
            return self.x[:1, at, :3]
        return self._jet(self.x[: self.curves.shape[1], at, :3], self.curves[:, :, at, :3])

    def timed(self, plane: Tensor, at: NDArray[np.int64]) -> Tensor:
        """Return chosen places on a plane (times or 1, k, 2) with their times, (times, k, 3)."""
        time = self.x[:, at, 3:]
        if self.curves is None:
            return torch.cat([plane.expand(len(time), -1, -1), time], dim=2)
        value, *slopes = plane.terms()  # type: ignore[attr-defined]
        value = torch.cat([value.expand(len(time), -1, -1), time], dim=2)
        curves = torch.cat([torch.cat(slopes), self.curves[:, :, at, 3:]], dim=3)
        return self._jet(value, curves.expand(-1, len(time), -1, -1))

    def zeros(self) -> Tensor:
        """Return room for a sum over tiles: values and derivatives, (1 + m + p, times, places)."""
        return self.x.new_zeros(1 + (0 if self.curves is None else len(self.curves)), *self.x.shape[:2])

    def unpacked(self, total: Tensor) -> Tensor:
        """Return such a sum as values that carry their derivatives, (times, places)."""
        return total[0] if self.curves is None else self._jet(total[0], total[1:])

    def _jet(self, value: Tensor, curves: Tensor) -> Jet:
        first = len(curves) - len(self.pairs)
        return Jet.along(value, curves[:first], self.pairs, curves[first:])


@dataclass(frozen=True, eq=False)
class TiledPredictor(DerivativePredictor):
    """The mean of the functions of tiles, in the frame "sphere", weighted by the `taper` of each; NaN beyond all.

    Parameters
    ----------
    axes : ndarray (k, 3, 3)
        East, north and up at the centre of each tile.
    radius : float
        Where its weight ends [km].
    parts : tuple of k Predictor
        In the frame "plane" around its centre.

    Notes
    -----
    ``f(r, t) = Σ w_i(r) f_i(P_i(r), t) / Σ w_i(r)`` with the projection P_i of `xinr.geo.frames.Plane`, an analytic
    function of the three coordinates of r: derivatives follow by the chain rule, which jets apply.
    """

    kind = "tiled"

    axes: Array
    radius: float
    parts: tuple[Predictor, ...]

    @override
    def predict(self, x: Array) -> Array:
        return self._blend(_Points.of(x)).numpy().ravel()

    @override
    def gradient(self, x: Array) -> Array:
        return self.derivatives(x, list(np.broadcast_to(np.eye(4)[:, None], (4, *x.shape))), (), ())[0].T

    @override
    def derivatives(
        self, x: Array, directions: Sequence[Array], pairs: Pairs, bends: Sequence[Array]
    ) -> tuple[Array, Array]:
        _, first, second = self._blend(_Points.of(x, directions, pairs, bends)).terms()  # type: ignore[attr-defined]
        return first.flatten(1).numpy(), second.flatten(1).numpy()

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        return _joined(self.parts) | {"axes": self.axes, "radius": np.array(self.radius)}

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        return cls(state["axes"], float(state["radius"]), _split(state))

    def _blend(self, points: _Points) -> Tensor:
        def terms(number: int, weight: Tensor, x: Tensor) -> Sequence[Tensor]:
            return weight * _value(self.parts[number], x), weight

        weighted, weights = self._sums(points, terms, 2)
        return weighted / weights

    def _sums(self, points: _Points, terms: Terms, count: int) -> list[Tensor]:
        """Return sums over tiles, each at the places that lie within it."""
        sums = [points.zeros() for _ in range(count)]
        for number, at in self._within(points.x[0, :, :3].numpy()):
            place = points.places(at)
            weight = taper(place, self.axes[number], self.radius)
            x = points.timed(on_plane(place, self.axes[number]), at)
            for total, term in zip(sums, terms(number, weight, x), strict=True):
                total[:, :, at] += _packed(term)
        return [points.unpacked(total) for total in sums]

    def _within(self, places: Array) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield tiles and which of the places (n, 3) lie within them."""
        furthest = EARTH_RADIUS * np.cos(self.radius / EARTH_RADIUS)
        for number, axes in enumerate(self.axes):
            at = np.flatnonzero(places @ axes[2] > furthest)
            if len(at):
                yield number, at


class TiledErrorPredictor(TiledPredictor, ErrorPredictor):
    """Tiles that also know their errors."""

    kind = "tiled-error"

    parts: tuple[ErrorPredictor, ...]

    @property
    @override
    def error_comment(self) -> str:
        """That of the first tile that has one."""
        return next(filter(None, (part.error_comment for part in self.parts)), "")

    @override
    def posterior(self, x: Array) -> tuple[Array, Array]:
        """Tiles that overlap err nearly alike, by the mean of their deviations."""

        def terms(number: int, weight: Tensor, x: Tensor) -> Sequence[Tensor]:
            both = self.parts[number].posterior(x.reshape(-1, 3).numpy())
            return *(weight * torch.from_numpy(each).reshape(x.shape[:-1]) for each in both), weight

        value, deviation, weights = self._sums(_Points.of(x), terms, 3)
        return (value / weights).numpy().ravel(), (deviation / weights).numpy().ravel()


class TiledSamplePredictor(TiledErrorPredictor, SamplePredictor):
    """Tiles from each of which other functions can be drawn."""

    kind = "tiled-sample"

    parts: tuple[SamplePredictor, ...]

    @override
    def sample(self, count: int, seed: int) -> Sequence[Predictor]:
        """Each tile is drawn apart."""
        seeds = np.random.SeedSequence(seed).generate_state(len(self.parts))
        each = [part.sample(count, int(own)) for part, own in zip(self.parts, seeds, strict=True)]
        return [TiledSampled(self.axes, self.radius, self.parts, drawn) for drawn in zip(*each, strict=True)]


@dataclass(frozen=True, eq=False)
class TiledSampled(TiledPredictor):
    """The blend of tiles, and of what was drawn of their errors.

    Where tiles overlap, their draws are independent, and the mean of several would vary too little:
    ``f + Σ w_i (drawn_i - f_i) / √(Σ w_i²)`` has the variance of each.
    """

    kind = "tiled-sampled"

    drawn: tuple[Predictor, ...]

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        return super().state() | _joined((*self.parts, *self.drawn))

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        both, count = _split(state), len(state["axes"])
        return cls(state["axes"], float(state["radius"]), both[:count], both[count:])

    def _blend(self, points: _Points) -> Tensor:
        def terms(number: int, weight: Tensor, x: Tensor) -> Sequence[Tensor]:
            value, drawn = _value(self.parts[number], x), _value(self.drawn[number], x)
            return weight * value, weight, weight * (drawn - value), weight * weight

        weighted, weights, deviations, squares = self._sums(points, terms, 4)
        return weighted / weights + deviations / torch.sqrt(squares)


def tiled(axes: Array, radius: float, parts: Sequence[Predictor]) -> TiledPredictor:
    """Return the predictor of tiles that knows what all of its parts know: errors, draws."""
    for cls, needed in ((TiledSamplePredictor, SamplePredictor), (TiledErrorPredictor, ErrorPredictor)):
        if all(isinstance(part, needed) for part in parts):
            return cls(axes, radius, tuple(parts))
    return TiledPredictor(axes, radius, tuple(parts))


def _value(part: Predictor, x: Tensor) -> Tensor:
    """Return a part at points (..., 3), with the derivatives that they carry."""
    if not isinstance(x, Jet):
        return torch.from_numpy(part.predict(x.reshape(-1, 3).numpy())).reshape(x.shape[:-1])
    point, directions, bends = (term.flatten(-3, -2).numpy() for term in x.terms())
    found = part.predict(point), *part.derivatives(point, list(directions), x.pairs, list(bends))
    value, first, second = map(torch.from_numpy, found)
    shape = x.terms()[0].shape[:-1]
    return Jet.along(value.reshape(shape), first.reshape(-1, *shape), x.pairs, second.reshape(-1, *shape))


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
