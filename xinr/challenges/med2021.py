"""The mapping challenge of the Western Mediterranean."""

from pathlib import Path

import numpy as np
import xarray as xr

from xinr.challenges.challenge import Challenge
from xinr.challenges.osse import regular_grid
from xinr.geo.coordinates import bounds
from xinr.geo.frames import DAY
from xinr.observations.open_tracks import open_tracks
from xinr.simulate.altimeters.land import on_land

MED2021_MISSIONS = ("alg", "h2b", "j3", "s3a")
MED2021_REGION = (2.0, 19.0, 31.0, 44.0)
MED2021_PERIOD = ("2021-01-15", "2021-03-15")


def med2021(folder: str | Path, withheld: str = "s3a", spacing: float = 0.2) -> Challenge:
    """Open the mapping challenge of the Western Mediterranean, January to March 2021.

    Parameters
    ----------
    folder : str or Path
        With the files ``dt_med_<mission>_phy_l3_*.nc`` of alg, h2b, j3 and s3a.
    withheld : str
        Mission to score on; the others are mapped.
    spacing : float
        Of the maps [degrees]; they are daily.

    Returns
    -------
    Challenge
        With segments of 500 km, since few passes over the basin are longer; its grid tells which nodes are at ``sea``
        where the folder has ``dt_med_mdt_phy_l4_*.nc``.

    Raises
    ------
    FileNotFoundError, ValueError
        The folder lacks a mission, or there is no such mission.

    References
    ----------
    https://github.com/ocean-data-challenges/DC_MapMed_OSE
    """
    if withheld not in MED2021_MISSIONS:
        raise ValueError(f"withheld must be one of {list(MED2021_MISSIONS)}, got {withheld!r}.")
    files = {mission: sorted(Path(folder).glob(f"dt_med_{mission}_phy_l3_*.nc")) for mission in MED2021_MISSIONS}
    missing = [mission for mission, found in files.items() if not found]
    if missing:
        raise FileNotFoundError(f"{folder} lacks dt_med_<mission>_phy_l3_*.nc for {missing}.")
    mapped = [path for mission, found in files.items() if mission != withheld for path in found]
    first, after = bounds(MED2021_PERIOD)
    days = np.arange(first, after + DAY, DAY)  # a day more, so that the last is within
    return Challenge(
        name="Western Mediterranean 2021",
        training=open_tracks(mapped),
        withheld=open_tracks(files[withheld]),
        grid=_with_sea(regular_grid(MED2021_REGION, spacing, days), Path(folder)),
        region=MED2021_REGION,
        period=MED2021_PERIOD,
        segment_length=500.0,
    )


def _with_sea(grid: xr.Dataset, folder: Path) -> xr.Dataset:
    """Add which nodes are at sea, by the mean dynamic topography, if it is there: it is NaN on land.

    Its heights are left alone: they are 5 cm above those of the tracks.
    """
    for path in folder.glob("dt_med_mdt_phy_l4_*.nc"):
        with xr.open_dataset(path) as mdt:
            lat, lon = xr.broadcast(grid["latitude"], grid["longitude"])
            land = on_land(mdt, lon.values.ravel(), lat.values.ravel()).reshape(lat.shape)
        return grid.assign(sea=(lat.dims, ~land, {"long_name": "whether the node is at sea"}))
    return grid
