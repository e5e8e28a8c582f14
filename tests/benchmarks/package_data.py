"""Make the data that come with the package: ``python -m tests.benchmarks.package_data``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from xinr.fields.netcdf import write_netcdf
from xinr.simulate import qg
from xinr.simulate.ocean.periodic import resampled
from xinr.simulate.ocean.spun_up import MEMBERS, PATH, POINTS

#: Days for which each ocean of the package was run.
DAYS = 1500


def make(path: Path = PATH, members: int = MEMBERS, days: float = DAYS) -> None:
    """Spin two-layer oceans up and write them, packed into two bytes a value."""
    oceans = [qg(0, "two-layer", spin_up=days, seed=seed) for seed in range(members)]
    q = np.stack([[ds["q"].values[-1], ds["q_lower"].values[-1]] for ds in oceans])
    attrs = {"long_name": "potential vorticity anomaly", "units": "s-1"}
    ds = xr.Dataset({"q": (("member", "layer", "y", "x"), resampled(q, POINTS), attrs)}, attrs=oceans[0].attrs)
    scale = float(abs(ds["q"]).max()) / 32_700
    packing = {"dtype": "int16", "scale_factor": scale, "zlib": True, "shuffle": True, "_FillValue": -32_768}
    write_netcdf(ds, path, encoding={"q": packing})


if __name__ == "__main__":
    make()
