"""Data challenge 2020a: simulated altimetry of the ocean model NATL60, whose sea surface is the truth."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr

from xinr._typing import Region
from xinr.challenges.challenge import Challenge
from xinr.challenges.files import below, chosen, folder_of, one_of_each, open_map
from xinr.fields.gridded import MapField
from xinr.geo.coordinates import bounds, widened, within
from xinr.geo.frames import DAY

PREFIX = "2020a_SSH_mapping_NATL60_"
#: Of each mission, its name in the files.
MISSIONS = {
    "en": "envisat",
    "g2": "geosat2",
    "j1": "jason1",
    "tpn": "topex-poseidon_interleaved",
    "swot": "nadir_swot",
    "karin": "karin_swot",
}
NADIRS = ("en", "g2", "j1", "tpn")
#: Of SWOT's swath, every fifth row of pixels is taken, one in 10 km: between them there is little that is new.
ROWS = slice(2, None, 5)
COLUMNS = ("ssh_model", "lon", "lat", "time")
PERIOD = ("2012-10-22", "2012-12-02")
#: Spin-up before the period, and beyond it two decorrelation times of the baseline's covariance, as the baseline takes.
OBSERVED = ("2012-10-01", "2012-12-16")
DOMAIN = (-64.975, -55.007, 33.025, 42.9917)
#: mu, sigma, lambda_x [degrees] and lambda_t [days] as published, under the names of the maps.
PUBLISHED = {
    "OI_en_j1_tpn_g2": (0.83, 0.04, 2.25, 15.67),
    "DUACS_en_j1_tpn_g2": (0.92, 0.01, 1.42, 12.13),
    "BFN_Steady_State_QG1L_en_j1_tpn_g2": (0.92, 0.02, 1.23, 10.82),
    "DYMOST_Dynamic_en_j1_tpn_g2": (0.91, 0.01, 1.36, 11.91),
    "MIOST_en_j1_tpn_g2": (0.93, 0.01, 1.35, 10.41),
    "4DVarNet_v2022_nadir_GF_GF": (0.94, 0.01, 0.83, 8.03),
    "DUACS_swot_en_j1_tpn_g2": (0.92, 0.02, 1.22, 11.37),
    "BFN_Steady_State_QG1L_swot_en_j1_tpn_g2": (0.93, 0.02, 1.0, 10.24),
    "DYMOST_Dynamic_swot_en_j1_tpn_g2": (0.93, 0.02, 1.19, 10.04),
    "MIOST_swot_en_j1_tpn_g2": (0.94, 0.01, 1.18, 10.33),
    "4DVarNet_v2022_nadirswot_GF_GF": (0.96, 0.01, 0.62, 4.35),
}


def dc2020a(
    folder: str | Path,
    *,
    missions: Iterable[str] = NADIRS,
    spacing: float = 0.1,
    time_step: float = 1.0,
    buffer: float = 1.0,
) -> Challenge:
    """Open the files of the SSH mapping data challenge 2020a.

    Parameters
    ----------
    folder : str or Path
        Folder with the files under their published names, in any subfolders: the observations
        ``2020a_SSH_mapping_NATL60_<mission>.nc``, the truth of each day of the period,
        ``NATL60-CJM165_GULFSTREAM_y<year>m<month>d<day>.1h_SSH.nc``, and the maps that are there.
    missions : iterable of str
        Which to map, of en, g2, j1, tpn, swot (its nadir altimeter) and karin (its swath, of which every fifth row of
        pixels becomes a track of its own).
    spacing, time_step : float
        Of the maps [degrees, days]: whole multiples of the truth's, 1/60 and 1/24. The published scores are those of
        all its nodes, some 360 million.
    buffer : float
        How far beyond the domain observations are taken [degrees]; the challenge's baseline takes 1.

    Returns
    -------
    Challenge
        Without a withheld track: the truth scores. Heights are absolute, ``ssh``, without errors; maps and truth are
        opened lazily.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, ValueError
        A file is missing, there twice or unreadable, a mission is none of these, or a step no whole multiple of the
        truth's: the text says how to go on.

    References
    ----------
    https://github.com/ocean-data-challenges/2020a_SSH_mapping_NATL60, DOI 10.24400/527896/a01-2020.002
    """
    patterns = {mission: f"{PREFIX}{MISSIONS[mission]}.nc" for mission in chosen(missions, MISSIONS)}
    folder = folder_of(folder, "dc2020a")
    tracks = one_of_each(folder, patterns, "dc2020a")
    truth = _truth(folder)
    truth = truth.isel(time=_every(truth["time"], "time_step", time_step))
    nodes = {axis: truth[axis][_every(truth[axis], "spacing", spacing)].values for axis in ("lat", "lon")}
    named = {file.stem.removeprefix(PREFIX): file for file in below(folder, f"{PREFIX}*.nc")}
    around = widened(DOMAIN, buffer)
    scores = ("mu_truth", "sigma_truth", "lambda_x_truth", "lambda_t_truth")
    return Challenge(
        name="data challenge 2020a",
        training=xr.concat([_heights(file, mission, around) for mission, file in tracks.items()], "time"),
        grid=xr.Dataset(coords={"time": truth["time"].values, "latitude": nodes["lat"], "longitude": nodes["lon"]}),
        region=DOMAIN,
        period=PERIOD,
        truth=MapField.of(truth, "ssh"),
        maps={name: _map(file) for name, file in named.items() if name not in MISSIONS.values()},
        published={name: dict(zip(scores, row, strict=True)) for name, row in PUBLISHED.items()},
    )


def _heights(file: Path, mission: str, region: Region) -> xr.Dataset:
    """Return the observations of one instrument: ``ssh`` along ``time``, a mission for each row of a swath."""
    with xr.open_dataset(file) as ds:
        missing = [name for name in COLUMNS if name not in ds]
        if missing:
            raise ValueError(
                f"{file} has no {missing}: expected simulated heights, got {sorted(map(str, ds.variables))}."
            )
        along = ds["time"].dims[0]
        across = [dim for dim in ds["ssh_model"].dims if dim != along]
        columns = xr.broadcast(*(ds[name].isel(dict.fromkeys(across, ROWS), missing_dims="ignore") for name in COLUMNS))
        ssh, longitude, latitude, time = (column.transpose(*across, along).values.ravel() for column in columns)
        length = ds.sizes[along]
    rows = np.arange(ssh.size) // length
    names = np.array([f"{mission} {row}" if across else mission for row in range(ssh.size // length)])[rows]
    first, after = bounds(OBSERVED)
    chosen = within(longitude, latitude, region) & (time >= first) & (time < after) & np.isfinite(ssh)
    coords = {"time": time, "longitude": longitude, "latitude": latitude, "mission": names}
    return xr.Dataset(
        {"ssh": ("time", ssh[chosen], {"units": "m"})},
        coords={name: ("time", values[chosen]) for name, values in coords.items()},
    )


def _truth(folder: Path) -> xr.Dataset:
    """Return the true ``ssh`` of the period on the domain, lazy, one chunk for each day."""
    days = np.arange(*(bound.astype("datetime64[D]") for bound in bounds(PERIOD))).astype(object)
    names = {str(day): f"NATL60-CJM165_GULFSTREAM_{day:y%Ym%md%d}.1h_SSH.nc" for day in days}
    files = one_of_each(folder, names, "dc2020a")
    ds = xr.open_mfdataset(
        list(files.values()),
        combine="nested",
        concat_dim="time",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="override",
    )
    west, east, south, north = DOMAIN
    return ds.rename(sossheig="ssh")[["ssh"]].sel(lon=slice(west, east), lat=slice(south, north))


def _every(axis: xr.DataArray, name: str, asked: float) -> slice:
    """Return every how many nodes of an axis are so many degrees or days apart."""
    span, unit = axis.values[-1] - axis.values[0], "degrees"
    if axis.dtype.kind == "M":
        span, unit = span / DAY, "days"
    step = float(span) / (axis.size - 1)
    count = max(round(asked / step), 1)
    if abs(asked / step - count) > 1e-3:
        raise ValueError(
            f"{name}={asked!r} is no whole multiple of the truth's step of {step:.6g} {unit}: "
            f"the nearest is {name}={count * step:.6g}."
        )
    return slice(None, None, count)


def _map(file: Path) -> xr.Dataset:
    ds = open_map(file)
    return ds.rename(gssh="ssh") if "gssh" in ds else ds
