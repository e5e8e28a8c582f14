"""Make the data that come with the package: ``python -m tests.benchmarks.package_data``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from xinr.fields.netcdf import write_netcdf
from xinr.simulate import qg
from xinr.simulate.ocean.periodic import resampled
from xinr.simulate.ocean.spun_up import MEMBERS, PATH, POINTS

#: Days for which each sea of the package was run.
DAYS = 1500


def make(path: Path = PATH, members: int = MEMBERS, days: float = DAYS) -> None:
    """Spin two-layer seas up and write them, packed into two bytes a value."""
    seas = [qg(0, "two-layer", spin_up=days, seed=seed) for seed in range(members)]
    q = np.stack([[sea["q"].values[-1], sea["q_lower"].values[-1]] for sea in seas])
    attrs = {"long_name": "potential vorticity anomaly", "units": "s-1"}
    ds = xr.Dataset({"q": (("member", "layer", "y", "x"), resampled(q, POINTS), attrs)}, attrs=seas[0].attrs)
    scale = float(abs(ds["q"]).max()) / 32_700
    packing = {"dtype": "int16", "scale_factor": scale, "zlib": True, "shuffle": True, "_FillValue": -32_768}
    write_netcdf(ds, path, encoding={"q": packing})


if __name__ == "__main__":
    make()
