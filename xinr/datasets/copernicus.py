"""Along-track altimetry of the Copernicus Marine Service in a region and period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr
from tqdm.auto import tqdm

from xinr._typing import Region
from xinr.datasets.credentials import ACCOUNTS, find_credentials
from xinr.fields.netcdf import write_netcdf
from xinr.geo.coordinates import check_region, width_of
from xinr.observations.open_tracks import open_tracks

if TYPE_CHECKING:
    import pandas as pd

PRODUCT = "SEALEVEL_GLO_PHY_L3_MY_008_062"
DATASET = "cmems_obs-sl_glo_phy-ssh_my_{}-l3-duacs_PT1S"
#: Missions of the product, by the names of their datasets.
L3_MISSIONS = {
    "al": "SARAL/AltiKa",
    "alg": "SARAL/AltiKa, drifting",
    "c2": "CryoSat-2",
    "c2n": "CryoSat-2, new orbit",
    "e1": "ERS-1",
    "e1g": "ERS-1, geodetic",
    "e2": "ERS-2",
    "en": "Envisat",
    "enn": "Envisat, new orbit",
    "g2": "Geosat Follow-On",
    "h2a": "HaiYang-2A",
    "h2ag": "HaiYang-2A, geodetic",
    "h2b": "HaiYang-2B",
    "j1": "Jason-1",
    "j1g": "Jason-1, geodetic",
    "j1n": "Jason-1, interleaved",
    "j2": "Jason-2",
    "j2g": "Jason-2, long repeat",
    "j2n": "Jason-2, interleaved",
    "j3": "Jason-3",
    "j3n": "Jason-3, interleaved",
    "s3a": "Sentinel-3A",
    "s3b": "Sentinel-3B",
    "s6a-lr": "Sentinel-6A",
    "swon": "SWOT nadir",
    "swonc": "SWOT nadir, calibration",
    "tp": "TOPEX/Poseidon",
    "tpn": "TOPEX/Poseidon, interleaved",
}
VARIABLES = ("sla_unfiltered", "sla_filtered", "lwe", "mdt")
Days = tuple[str, str]


def download_l3(
    folder: str | Path,
    *,
    region: Region,
    period: Days,
    missions: Iterable[str] = tuple(L3_MISSIONS),
    credentials_file: str | Path | None = None,
) -> list[Path]:
    """Download along-track (L3) altimetry in a region and period, a file for each mission and year.

    Parameters
    ----------
    folder : str or Path
        Folder of the files, created if missing. Existing files are not downloaded again.
    region : (west, east, south, north)
        Degrees; any convention of longitude, the dateline included.
    period : (first, last)
        Days, both included, such as ``("2017-01-01", "2021-12-31")``.
    missions : iterable of str
        Keys of `L3_MISSIONS`; by default all. Missions without data in the period give no file.
    credentials_file : str or Path, optional
        YAML file with a block ``copernicusmarine:``, see `xinr.datasets.credentials.find_credentials`; by default
        those of ``copernicusmarine login``.

    Returns
    -------
    list of Path
        netCDF files in the layout of DUACS, for `xinr.open_tracks`, with ``sla_unfiltered``, ``sla_filtered``, ``lwe``
        and ``mdt`` [m].

    Raises
    ------
    ImportError
        The package ``copernicusmarine`` is not installed.
    ValueError
        Unknown mission, or an invalid region or period.
    PermissionError
        Wrong user name or password.

    References
    ----------
    Copernicus Marine Service, product SEALEVEL_GLO_PHY_L3_MY_008_062, DOI 10.48670/moi-00146

    Examples
    --------
    >>> download_l3("data", region=(295, 305, 33, 43), period=("2017-01-01", "2017-12-31"), missions=["jason"])
    Traceback (most recent call last):
    ValueError: no mission 'jason': expected some of ['al', 'alg', 'c2', ...
    """
    wanted = list(missions)
    for mission in wanted:
        if mission not in L3_MISSIONS:
            raise ValueError(f"no mission {mission!r}: expected some of {list(L3_MISSIONS)}.")
    check_region(region)
    years = list(_years(period))
    toolbox = _toolbox()
    found = find_credentials(ACCOUNTS["copernicusmarine"], credentials_file, "https://auth.marine.copernicus.eu")
    login = {"username": found.username, "password": found.password} if found else {}
    folder = Path(folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    requests = {folder / _name(mission, days, region): (mission, days) for mission in wanted for days in years}
    for path, (mission, days) in tqdm(requests.items(), desc="tracks", disable=None, leave=False, delay=1):
        if not path.exists():
            _subset(toolbox, path, DATASET.format(mission), region, days, login)
    return [path for path in requests if path.exists()]


def read_l3(table: str | Path | pd.DataFrame) -> xr.Dataset:
    """Read the table of a Copernicus Marine subset: `xinr.open_tracks`, which reads any other table as well.

    Parameters
    ----------
    table : str, Path or DataFrame
        CSV or parquet file, or the result of ``copernicusmarine.read_dataframe``.

    Returns
    -------
    Dataset
        See `xinr.open_tracks`.
    """
    return open_tracks(table)


def _subset(toolbox: Any, path: Path, name: str, region: Region, days: Days, login: dict[str, str]) -> None:
    """Download the data of one mission and year, and write them if there are any."""
    import pandas as pd

    try:
        tables = [_table(toolbox, name, span, region, days, login) for span in _spans(region)]
    except toolbox.InvalidUsernameOrPassword:
        raise PermissionError(
            "Copernicus Marine refuses the user name and password. "
            f"Register, or renew the password, at {ACCOUNTS['copernicusmarine'].page}."
        ) from None
    filled = [table for table in tables if not table.empty]
    if filled:
        ds = read_l3(pd.concat(filled))
        platform = str(ds["mission"].values[0])
        ds = ds.drop_vars("mission").sortby("time").assign_attrs(platform=platform, source=f"{PRODUCT}, {name}")
        compressed = {str(variable): {"zlib": True, "dtype": "float32"} for variable in ds.data_vars}
        write_netcdf(ds, path, encoding=compressed)


def _table(
    toolbox: Any, name: str, span: tuple[float, float], region: Region, days: Days, login: dict[str, str]
) -> pd.DataFrame:
    return toolbox.read_dataframe(
        dataset_id=name,
        variables=list(VARIABLES),
        minimum_longitude=span[0],
        maximum_longitude=span[1],
        minimum_latitude=region[2],
        maximum_latitude=region[3],
        start_datetime=f"{days[0]}T00:00:00",
        end_datetime=f"{days[1]}T23:59:59.999",
        disable_progress_bar=True,
        **login,
    )


def _toolbox() -> Any:
    try:
        import copernicusmarine
    except ImportError as error:
        raise ImportError("the package copernicusmarine is not installed: pip install 'xinr[copernicus]'.") from error
    return copernicusmarine


def _name(mission: str, days: Days, region: Region) -> str:
    """Return the name of a file, as in DUACS."""
    first, last = (day.replace("-", "") for day in days)
    west, east, south, north = (f"{edge:g}" for edge in region)
    short = mission.split("-")[0]
    return f"dt_global_{short}_phy_l3_{first}-{last}_{west}-{east}_{south}-{north}.nc"


def _years(period: Days) -> Iterator[Days]:
    """Yield the calendar years of a period, to limit the size of a table."""
    try:
        first, last = map(date.fromisoformat, period)
    except ValueError as error:
        raise ValueError(f"period must be (first, last), days such as '2017-01-01', got {period}.") from error
    if first > last:
        raise ValueError(f"period must be (first, last) with the first before the last, got {period}.")
    for year in range(first.year, last.year + 1):
        yield str(max(first, date(year, 1, 1))), str(min(last, date(year, 12, 31)))


def _spans(region: Region) -> list[tuple[float, float]]:
    """Return the longitudes of a region as intervals within -180 to 180, as the service has them."""
    west = (region[0] + 180.0) % 360.0 - 180.0
    east = west + width_of(region)
    return [(west, east)] if east <= 180.0 else [(west, 180.0), (-180.0, east - 360.0)]
