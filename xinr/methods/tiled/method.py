"""Regions larger than one plane, mapped in overlapping tiles."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any, override

import numpy as np
import torch
from scipy.spatial import cKDTree
from tqdm.auto import tqdm

from xinr._typing import Array
from xinr._warnings import warn
from xinr.geo.frames import EARTH_RADIUS, PLANE_RADIUS
from xinr.methods.kriging.method import Kriging
from xinr.methods.method import Method
from xinr.methods.observation_error import DEVIATIONS, ObservationError, present_errors
from xinr.methods.predictor import Predictor
from xinr.methods.settings import check_positive
from xinr.methods.tiled.predictor import BlendedTiles, on_plane, tiled
from xinr.observations.passes import along_chord

#: Settings that are those of the method of the tiles, unless they are given.
SHARED = ("coarsen", "noise", *DEVIATIONS)
#: The smallest tiles [km].
SMALLEST = 100.0


@dataclass(frozen=True, kw_only=True)
class Tiled(Method):
    """Another method in overlapping tiles of the sphere, from a basin to the globe.

    Parameters
    ----------
    inner : Method
        What maps each tile, in the frame "plane" around its centre.
    size : float
        Distance between the centres of tiles, and from the centre to where a tile's weight ends [km].
    margin : float
        How far beyond that a tile sees observations [km].
    coarsen, noise, pass_bias, pass_slope, swath_bias, swath_roll, swath_baseline, swath_phase
        Of ``inner`` unless given here, then ``inner`` has them as well.

    Notes
    -----
    1. Centres lie all over the sphere, whatever the observations: see `centres`. Tiles are made where one of them is
       the nearest to an observation.
    2. Each is fitted to what lies within ``size + margin`` of its centre, on the plane there, with the biases and
       slopes of passes its own. What a method finds in the data, such as variance, it finds in each tile.
    3. Values are means over the tiles with smooth weights that end at ``size``, about three at a position, so that the
       map has two continuous derivatives, exact ones, without a seam at the dateline or a pole.

    Examples
    --------
    >>> Tiled(Kriging(noise=0.02), size=800.0, coarsen=5).inner.coarsen
    5
    """

    frame: str = "sphere"
    coarsen: Any = None
    noise: Any = None
    pass_bias: Any = None
    pass_slope: Any = None
    swath_bias: Any = None
    swath_roll: Any = None
    swath_baseline: Any = None
    swath_phase: Any = None
    inner: Method = field(default=Kriging(), kw_only=False)
    size: float = 1000.0
    margin: float = 300.0

    def __post_init__(self) -> None:
        if not isinstance(self.inner, Method):
            raise TypeError(f"inner must be a method such as Kriging(), got {self.inner!r}.")
        given = {name: getattr(self, name) for name in SHARED if getattr(self, name) is not None}
        object.__setattr__(self, "inner", replace(self.inner, frame="plane", **given))
        for name in SHARED:
            object.__setattr__(self, name, getattr(self.inner, name))
        super().__post_init__()
        check_positive(size=self.size, margin=self.margin)
        if self.frame != "sphere":
            raise ValueError(f"tiles lie in the frame 'sphere', got {self.frame!r}: leave frame as it is.")
        if not (self.size >= SMALLEST and self.size + self.margin <= PLANE_RADIUS):
            raise ValueError(
                f"tiles of size = {self.size:g} km with a margin of {self.margin:g} km are out of range: "
                f"expected a size of {SMALLEST:g} km or more, and {PLANE_RADIUS:.0f} km together, where lengths on a "
                f"plane are off by 1 %. With this margin, size <= {PLANE_RADIUS - self.margin:g}."
            )

    @property
    @override
    def searched(self) -> tuple[str, ...]:
        """The errors."""
        return ("noise", *present_errors(self))

    @override
    def fit(self, x: Array, y: Array, error: ObservationError) -> BlendedTiles:
        """Fit each tile; where the method of the tiles cannot map one of them, a note on its error says where it is."""
        everywhere = centres(self.size)
        nearest = np.unique(cKDTree(everywhere).query(x[:, :3] / EARTH_RADIUS)[1])
        tiles = axes_at(everywhere[nearest])
        bar = tqdm(tiles, "tiles", leave=False, disable=None, delay=1)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            parts = [self._part(axes, x, y, error) for axes in bar]
        if said:
            warn(f"{len(said)} warnings came from {len(tiles)} tiles, the first: {said[0].message}")
        return tiled(tiles, self.size, parts)

    def _part(self, axes: Array, x: Array, y: Array, error: ObservationError) -> Predictor:
        """Return what maps the tile at the given axes."""
        seen = np.flatnonzero(x[:, :3] @ axes[2] > EARTH_RADIUS * np.cos((self.size + self.margin) / EARTH_RADIUS))
        try:
            return self.inner.fit(*_on_tile(axes, x[seen], y[seen], error.take(seen)))
        except (ValueError, ArithmeticError, MemoryError) as problem:
            east, north = np.degrees([np.arctan2(axes[2, 1], axes[2, 0]), np.arcsin(axes[2, 2])])
            place = f"{east % 360.0:.1f} E, {north:.1f} N"
            problem.add_note(f"In the tile around {place}, with {len(seen)} observations.")
            raise


def centres(spacing: float) -> Array:
    """Return unit vectors (n, 3) all over the sphere, one for every spacing² [km²].

    A spiral from pole to pole, each a golden angle further: no position is farther than 0.78 spacing from one of them.

    References
    ----------
    Swinbank & Purser (2006), doi:10.1256/qj.05.227

    Examples
    --------
    >>> centres(1000.0).shape
    (510, 3)
    """
    count = round(4.0 * np.pi * (EARTH_RADIUS / spacing) ** 2)
    number = np.arange(count) + 0.5
    up, turn = 1.0 - 2.0 * number / count, np.pi * (3.0 - np.sqrt(5.0)) * number
    across = np.sqrt(1.0 - up**2)
    return np.stack([across * np.cos(turn), across * np.sin(turn), up], axis=1)


def axes_at(centre: Array) -> Array:
    """Return the unit vectors east, north and up, (n, 3, 3), at positions other than the poles, unit vectors (n, 3)."""
    east = np.stack([-centre[:, 1], centre[:, 0], np.zeros(len(centre))], axis=1)
    east /= np.linalg.norm(east, axis=1, keepdims=True)
    return np.stack([east, np.cross(centre, east), centre], axis=1)


def _on_tile(axes: Array, x: Array, y: Array, error: ObservationError) -> tuple[Array, Array, ObservationError]:
    """Return observations at points x (n, 4) on the plane of a tile, where passes have their middle within it."""
    plane = on_plane(torch.from_numpy(x[:, :3]), axes).numpy()
    along = replace(error, distance=1e-3 * along_chord(x[:, :3], error.pass_index))
    return np.column_stack([plane, x[:, 3]]), y, along
