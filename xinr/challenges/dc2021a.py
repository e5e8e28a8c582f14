"""Data challenge 2021a: a year of real altimetry over the Gulf Stream, CryoSat-2 withheld."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr

from xinr._typing import Region
from xinr.challenges.challenge import Challenge
from xinr.challenges.files import below, chosen, folder_of, one_of_each, open_map
from xinr.challenges.osse import regular_grid
from xinr.fields.gridded import MapField
from xinr.geo.coordinates import bounds, locate, widened, within
from xinr.geo.frames import DAY
from xinr.metrics.points import BUFFER
from xinr.observations.open_tracks import open_tracks

PREFIX = "OSE_ssh_mapping_"
MISSIONS = ("alg", "h2g", "j2g", "j2n", "j3", "s3a")
WITHHELD = "c2"
PERIOD = ("2017-01-01", "2017-12-31")
#: Of the maps; the score keeps a quarter of a degree off its edges.
DOMAIN = (295.0, 305.0, 33.0, 43.0)
#: mu, sigma and lambda_x [km] as published, under the names of the maps; SIREN is that of ml4ssh (2022).
PUBLISHED = {
    "BASELINE": (0.85, 0.09, 140.0),
    "DUACS": (0.87695, 0.06515, 152.0),
    "MIOST": (0.88695, 0.08475, 139.0),
    "DYMOST": (0.88944, 0.0638, 129.0),
    "BFN": (0.87943, 0.06467, 122.0),
    "4dvarNet": (0.89, 0.06, 122.0),
    "4dvarNet_2022": (0.89, 0.09, 109.0),
    "4DVarQG": (0.90202, 0.06169, 106.0),
    "convlstm_ssh": (0.89564, 0.06396, 113.0),
    "convlstm_ssh-sst": (0.90163, 0.06214, 100.0),
    "neurost_ssh-sst": (0.89904, 0.06335, 114.0),
    "SIREN": (0.88, 0.08, 136.0),
}


def dc2021a(
    folder: str | Path, *, missions: Iterable[str] = MISSIONS, spacing: float = 0.2, buffer: float = 1.0
) -> Challenge:
    """Open the files of the SSH mapping data challenge 2021a.

    Parameters
    ----------
    folder : str or Path
        Folder with the files under their published names, in any subfolders: ``dt_*_<mission>_phy_l3_*.nc`` of the
        missions and of c2; the maps ``OSE_ssh_mapping_<name>.nc`` and ``mdt.nc`` where they are there.
    missions : iterable of str
        Which to map, of alg, h2g, j2g, j2n, j3 and s3a: all of them under the challenge's rules.
    spacing : float
        Of the maps [degrees]; they are daily.
    buffer : float
        How far beyond the domain observations are taken [degrees]; the challenge's baseline takes 1.

    Returns
    -------
    Challenge
        All of its tracks from December 2016 to January 2018 to map, and CryoSat-2 withheld; maps are opened lazily.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, ValueError
        A file is missing, there twice or unreadable, or a mission is none of these: the text says how to go on.

    References
    ----------
    https://github.com/ocean-data-challenges/2021a_SSH_mapping_OSE, DOI 10.24400/527896/a01-2021.005
    """
    patterns = {mission: f"dt_*_{mission}_phy_l3_*.nc" for mission in (*chosen(missions, MISSIONS), WITHHELD)}
    folder = folder_of(folder, "dc2021a")
    *mapped, withheld = one_of_each(folder, patterns, "dc2021a").values()
    return Challenge(
        name="data challenge 2021a",
        training=_cut(open_tracks(mapped), widened(DOMAIN, buffer)),
        withheld=_cut(open_tracks([withheld]), DOMAIN),
        grid=_grid(folder, spacing),
        region=widened(DOMAIN, -BUFFER),
        period=PERIOD,
        protocol="dc2021a",
        maps={path.stem.removeprefix(PREFIX): open_map(path) for path in below(folder, f"{PREFIX}*.nc")},
        published={name: dict(zip(("mu", "sigma", "lambda_x"), row, strict=True)) for name, row in PUBLISHED.items()},
    )


def _cut(tracks: xr.Dataset, region: Region) -> xr.Dataset:
    longitude, latitude = locate(tracks, "longitude"), locate(tracks, "latitude")
    inside = within(longitude.values, latitude.values, region)
    return tracks.isel({longitude.dims[0]: inside})


def _grid(folder: Path, spacing: float) -> xr.Dataset:
    """Return the coordinates of daily maps, with the mean dynamic topography on them if its file is there."""
    grid = regular_grid(DOMAIN, spacing, np.arange(*bounds(PERIOD), DAY))
    for file in below(folder, "mdt.nc")[:1]:
        with open_map(file) as mdt:
            field = MapField.of(mdt.squeeze(drop=True), "mdt")
            grid = grid.assign(mdt=field.interp(grid.drop_vars("time"))["mdt"].load())
    return grid
