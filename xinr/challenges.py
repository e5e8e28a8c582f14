"""Challenges: tracks to map, a track kept back, and the rules of the score, in one object for every method."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xinr.coordinates import width_of
from xinr.field import Field
from xinr.fitted import FittedField, fit_observations
from xinr.frame import DAY
from xinr.methods import Method, method_from
from xinr.metrics import score
from xinr.metrics.points import MARGIN
from xinr.observations import Observations
from xinr.simulate.cache import cached_sea
from xinr.simulate.eddies import GULF_STREAM, Jet, Region
from xinr.simulate.errors import bounds
from xinr.simulate.tracks import tracks
from xinr.tracks import open_tracks
from xinr.truth import maps_of, score_truth

MED2021_MISSIONS = ("alg", "h2b", "j3", "s3a")
MED2021_REGION = (2.0, 19.0, 31.0, 44.0)
MED2021_PERIOD = ("2021-01-15", "2021-03-15")


@dataclass(frozen=True, eq=False, repr=False)
class Challenge:
    """Tracks to map, a track kept back, and how a map is scored.

    Parameters
    ----------
    name : str
        What it is called.
    training : Dataset
        Along-track data to map: ``sla_unfiltered``, ``lwe`` [m] and the coordinate ``mission``. It may begin before
        the period that is scored, and end after it.
    withheld : Dataset
        The track that no method sees, with ``sla_unfiltered``, ``lwe`` and ``mdt`` [m].
    grid : Dataset
        Coordinates of the maps; with a variable ``mdt`` where it is known on them.
    region : (west, east, south, north)
        Where the withheld track is scored [degrees].
    period : (first, last)
        When: days, both included.
    protocol : str
        See `xinr.metrics.score`.
    segment_length : float
        Of the spectral score [km].
    truth : Field, optional
        The anomalies themselves, where the sea is simulated.

    Examples
    --------
    >>> from xinr.simulate import eddies
    >>> two_weeks = ("2021-01-01", "2021-01-16")
    >>> challenge = osse(eddies(waves=40), missions=("j3", "s3a"), period=two_weeks, spacing=1.0, time_step=2)
    >>> challenge
    <Challenge simulated sea: 4253 points of j3, s3a to map, 2803 of c2 withheld, 2021-01-01 to 2021-01-16>
    >>> field = challenge.fit("oi", analysis_step=4)
    >>> table = challenge.score(field)
    >>> bool(table.mu > challenge.score_null().mu), bool(challenge.score_truth(field).mu > 0)
    (True, True)
    """

    name: str
    training: xr.Dataset
    withheld: xr.Dataset
    grid: xr.Dataset
    region: Region
    period: tuple[str, str]
    protocol: str = "strict"
    segment_length: float = 1000.0
    truth: Field | None = None

    @cached_property
    def observations(self) -> Observations:
        """The training tracks as methods take them: ``sla_unfiltered - lwe``."""
        return Observations.from_tracks(self.training, variable="sla_unfiltered", lwe=True)

    def fit(self, method: str | Method = "oi", **settings: Any) -> FittedField:
        """Fit a method to the training tracks: see `xinr.fit`."""
        return fit_observations(self.observations, method_from(method, settings))

    def score(self, field: Field) -> xr.Dataset:
        """Score a field straight at the points of the withheld track: see `xinr.Field.score`."""
        return field.score(self.withheld, **self._options)

    def score_map(self, maps: xr.Dataset) -> xr.Dataset:
        """Score a map on the withheld track, interpolated to it as the data challenges do."""
        return self.score(Field.from_grid(maps))

    def score_null(self) -> xr.Dataset:
        """Score the mean dynamic topography alone, which inflates every score."""
        return score(xr.Dataset({"ssh": self.withheld["mdt"]}), self.withheld, **self._options)

    def maps(self, field: Field) -> xr.Dataset:
        """Evaluate a field on the grid of the maps: height, stated error if any, gradient and Laplacian."""
        return maps_of(field, self.grid)

    @cached_property
    def true_maps(self) -> xr.Dataset:
        """The truth on the grid of the maps, as `maps` gives it.

        Raises
        ------
        ValueError
            The truth is not known: the sea is real.
        """
        if self.truth is None:
            raise ValueError(f"the truth of {self.name!r} is not known: only the withheld track scores, .score(field).")
        return self.maps(self.truth)

    def score_truth(self, field: Field | xr.Dataset) -> xr.Dataset:
        """Score a field, or its `maps`, against the truth on the grid of the maps: see `xinr.truth.score_truth`.

        Raises
        ------
        ValueError
            The truth is not known, or the field is not of anomalies.
        """
        maps = self.maps(field) if isinstance(field, Field) else field
        return score_truth(maps, self.true_maps)

    @property
    def missions(self) -> tuple[str, ...]:
        """Names of the missions to map."""
        return self.observations.missions

    @property
    def _options(self) -> dict[str, Any]:
        # The score keeps off the edges of its region by a margin, which is taken for its inside here.
        west, east, south, north = self.region
        widened = (west - MARGIN, east + MARGIN, max(south - MARGIN, -90.0), min(north + MARGIN, 90.0))
        rules = {"protocol": self.protocol, "segment_length": self.segment_length}
        return {"region": widened, "period": self.period, **rules}

    def __repr__(self) -> str:
        kept_back = ", ".join(np.unique(self.withheld["mission"].values.astype(str)))
        return (
            f"<Challenge {self.name}: {self.training.sizes['time']} points of {', '.join(self.missions)} to map, "
            f"{self.withheld.sizes['time']} of {kept_back} withheld, {self.period[0]} to {self.period[1]}>"
        )


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
        With segments of 500 km, since few passes over the basin are longer.

    Raises
    ------
    FileNotFoundError
        The folder lacks a mission.
    ValueError
        No such mission.

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
    west, east, south, north = MED2021_REGION
    first, after = bounds(MED2021_PERIOD)
    grid = {
        "time": np.arange(first, after + DAY, DAY),  # a day more, so that the last is within
        "latitude": np.arange(south, north + spacing / 2, spacing),
        "longitude": np.arange(west, east + spacing / 2, spacing),
    }
    return Challenge(
        name="Western Mediterranean 2021",
        training=open_tracks(mapped),
        withheld=open_tracks(files[withheld]),
        grid=xr.Dataset(coords=grid),
        region=MED2021_REGION,
        period=MED2021_PERIOD,
        segment_length=500.0,
    )


def osse(
    truth: Field | None = None,
    *,
    missions: Iterable[str] = ("alg", "h2b", "j3", "s3a", "s3b"),
    withheld: str = "c2",
    region: Region = GULF_STREAM,
    period: tuple[str, str] = ("2021-01-01", "2021-03-01"),
    spacing: float = 0.2,
    time_step: int = 3,
    segment_length: float = 1000.0,
    seed: int = 0,
    **sampling: Any,
) -> Challenge:
    """Set up an observing-system simulation experiment: a known sea, the altimeters that see it, and one kept back.

    Parameters
    ----------
    truth : Field, optional
        Sea level anomalies [m] over region and period. By default a quasi-geostrophic sea of that seed, simulated
        once and kept in the user's cache folder: see `xinr.simulate.cache.cached_sea`.
    missions : iterable of str
        To map: keys of `xinr.simulate.MISSIONS`.
    withheld : str
        To score on.
    region : (west, east, south, north)
        Degrees.
    period : (first, last)
        Days, both included.
    spacing, time_step : float, int
        Of the maps [degrees; days].
    segment_length : float
        Of the spectral score [km].
    seed : int
        Of sea and errors.
    **sampling
        ``land``, ``mdt``, ``errors``: see `xinr.simulate.tracks`.

    Returns
    -------
    Challenge
        With its truth.

    Raises
    ------
    ValueError
        The withheld mission is one of those to map, the region is larger than the simulated ocean, or what
        `xinr.simulate.tracks` refuses.

    Examples
    --------
    >>> from xinr.simulate import Errors, eddies
    >>> week = ("2021-01-01", "2021-01-07")
    >>> challenge = osse(eddies(waves=40), period=week, errors=Errors(missing_passes=0.1))
    >>> dict(challenge.grid.sizes)
    {'time': 3, 'latitude': 51, 'longitude': 51}
    """
    mapped = list(missions)
    if withheld in mapped:
        raise ValueError(f"the withheld mission {withheld!r} must not be among those to map, {mapped}.")
    truth = cached_sea(region, period, seed) if truth is None else truth
    everything = tracks(truth, [*mapped, withheld], region=region, period=period, seed=seed, **sampling)
    kept_back = everything["mission"].values == withheld
    first, after = bounds(period)
    grid = regular_grid(region, spacing, np.arange(first, after, time_step * DAY))
    jet = sampling.get("mdt") or Jet.across(region)
    return Challenge(
        name="simulated sea",
        training=everything.isel(time=~kept_back),
        withheld=everything.isel(time=kept_back),
        grid=grid.assign(mdt=jet.interp(grid)),
        region=region,
        period=period,
        segment_length=segment_length,
        truth=truth,
    )


def regular_grid(region: Region, spacing: float, time: NDArray[np.datetime64]) -> xr.Dataset:
    """Return the coordinates of maps over a region, its edges included, in steps of about ``spacing`` degrees."""
    west, east, south, north = region
    east = west + width_of(region)
    axes = {"latitude": (south, north), "longitude": (west, east)}
    steps = {name: np.linspace(low, high, round((high - low) / spacing) + 1) for name, (low, high) in axes.items()}
    return xr.Dataset(coords={"time": time.astype("datetime64[ns]"), **steps})
