"""Initial states of a simulation: spun-up states from the package, or random eddies."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from xinr._typing import Array
from xinr.geo.geostrophy import GRAVITY
from xinr.simulate.ocean.periodic import resampled
from xinr.simulate.ocean.quasigeostrophic import Ocean, TwoLayer

#: Number of states in the package, and the grid points of each.
STATES, POINTS = 4, 86
PATH = Path(__file__).parent / "data" / "two-layer.nc"
#: Standard deviation of the random initial sea surface height [m], of waves down to an eighth of a side.
NOISE = 0.05


def spun_up(ocean: Ocean, seed: int) -> Array | None:
    """Return q (layers, points, points) of a state in the package, or None where the ocean is not the default one.

    The seed chooses a state, shifts it, and may reflect it north to south with the sign of the vorticity changed. The
    equations do not change under either.
    """
    # The eddies do not depend on the grid or the longitude.
    if replace(ocean, points=POINTS, longitude=0.0) != TwoLayer(points=POINTS, longitude=0.0):
        return None
    rng = np.random.default_rng(seed)
    with xr.open_dataset(PATH) as ds:
        q = np.asarray(ds["q"].isel(member=seed % STATES).values, dtype=np.float64)
    east, north = rng.integers(0, POINTS, size=2)
    moved = np.roll(q, (north, east), axis=(-2, -1))
    return resampled(-moved[..., ::-1, :] if rng.random() < 0.5 else moved, ocean.points)


def random_eddies(ocean: Ocean, seed: int) -> Array:
    """Return q (layers, points, points) of weak random eddies, the same in all layers and for any number of points."""
    height = NOISE * resampled(np.random.default_rng([seed, STATES]).normal(size=(16, 16)), ocean.points)
    square = np.square(ocean.first_wavenumber * np.fft.fftfreq(ocean.points, 1.0 / ocean.points))
    psi = np.fft.fft2(GRAVITY / ocean.f * height)
    stretching = ocean.coupling.sum(axis=1)[:, None, None]
    return np.asarray(np.fft.ifft2((stretching - square - square[:, None]) * psi).real)
