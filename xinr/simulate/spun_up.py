"""Where a simulation begins: eddying seas that come with the package, or random eddies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from xinr.currents import GRAVITY
from xinr.netcdf import write_netcdf
from xinr.simulate.periodic import resampled
from xinr.simulate.quasigeostrophic import Array, Ocean, TwoLayer

#: Seas in the package, the days each was run, and the points that hold its waves.
MEMBERS, DAYS, POINTS = 4, 1500, 86
PATH = Path(__file__).parent / "data" / "two-layer.nc"
#: Standard deviation of the random height that a spin-up starts from [m], of waves down to an eighth of a side.
NOISE = 0.05


def spun_up(ocean: Ocean, seed: int) -> Array | None:
    """Return q (layers, points, points) of a sea in the package, or None where the ocean is not the default one.

    The seed chooses one of the seas and moves it: east and north, and perhaps north for south with all currents
    turning the other way. The equations are the same after either.
    """
    # The grid's size and meridian do not matter for the eddies.
    if replace(ocean, points=POINTS, longitude=0.0) != TwoLayer(points=POINTS, longitude=0.0):
        return None
    rng = np.random.default_rng(seed)
    with xr.open_dataset(PATH) as ds:
        q = np.asarray(ds["q"].isel(member=seed % MEMBERS).values, dtype=np.float64)
    east, north = rng.integers(0, POINTS, size=2)
    moved = np.roll(q, (north, east), axis=(-2, -1))
    return resampled(-moved[..., ::-1, :] if rng.random() < 0.5 else moved, ocean.points)


def random_eddies(ocean: Ocean, seed: int) -> Array:
    """Return q (layers, points, points) of weak random eddies, the same currents in all layers and for any points."""
    height = NOISE * resampled(np.random.default_rng([seed, MEMBERS]).normal(size=(16, 16)), ocean.points)
    square = np.square(ocean.first_wavenumber * np.fft.fftfreq(ocean.points, 1.0 / ocean.points))
    psi = np.fft.fft2(GRAVITY / ocean.f * height)
    stretching = ocean.coupling.sum(axis=1)[:, None, None]
    return np.asarray(np.fft.ifft2((stretching - square - square[:, None]) * psi).real)


def make(path: Path = PATH) -> None:
    """Spin the seas up and write them into the package, packed into two bytes a value."""
    from xinr.simulate.qg import qg

    seas = [qg(0, "two-layer", spin_up=DAYS, seed=seed) for seed in range(MEMBERS)]
    q = np.stack([[sea["q"].values[-1], sea["q_lower"].values[-1]] for sea in seas])
    attrs = {"long_name": "potential vorticity anomaly", "units": "s-1"}
    ds = xr.Dataset({"q": (("member", "layer", "y", "x"), resampled(q, POINTS), attrs)}, attrs=seas[0].attrs)
    scale = float(abs(ds["q"]).max()) / 32_700
    packing = {"dtype": "int16", "scale_factor": scale, "zlib": True, "shuffle": True, "_FillValue": -32_768}
    write_netcdf(ds, path, encoding={"q": packing})
