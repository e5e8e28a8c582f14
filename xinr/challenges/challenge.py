"""A challenge: observations to map, what is withheld, and the rules of the score, in one object for every method."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from xinr._typing import Region
from xinr.fields.field import Field
from xinr.fields.fitted import FittedField
from xinr.fields.fitting import fit
from xinr.fields.gridded import MapField
from xinr.geo.coordinates import widened
from xinr.methods.method import Method
from xinr.metrics import score, select
from xinr.metrics.points import BUFFER
from xinr.metrics.truth import score_truth
from xinr.observations.observations import Observations


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Challenge:
    """Tracks to map, a track withheld or a known truth, and how a map is scored.

    Parameters
    ----------
    name : str
        Its title.
    training : Dataset
        Along-track data to map: heights [m], corrected as they are to be mapped, and the coordinate ``mission``. It may
        begin before the period that is scored, and end after it.
    grid : Dataset
        Coordinates of the maps; with a variable ``mdt`` where it is known on them.
    region : (west, east, south, north)
        Where the withheld track is scored [degrees].
    period : (first, last)
        When: days, both included.
    withheld : Dataset, optional
        The track that no method sees, with ``ssh``, or with ``sla_unfiltered``, ``lwe`` and ``mdt`` [m].
    protocol : str
        See `xinr.metrics.score`.
    segment_length : float
        Of the spectral score [km].
    truth : Field, optional
        The height itself, where the ocean is simulated.
    maps : mapping of str to Dataset
        Maps that others made, by name, to be scored like the methods: any gridded (L4) height.
    published : mapping of str to mapping
        Scores that others published, by name. Keys are those of a leaderboard's rows: ``mu``, ``sigma``, ``lambda_x``
        [km], ...; of scores on the truth ``mu_truth``, ``lambda_x_truth`` [degrees], ...

    Raises
    ------
    ValueError
        Nothing to score on: neither a withheld track nor a truth.

    Examples
    --------
    >>> from xinr.challenges import osse
    >>> from xinr.simulate import eddies
    >>> two_weeks = ("2021-01-01", "2021-01-16")
    >>> challenge = osse(eddies(waves=40), missions=("j3", "s3a"), period=two_weeks, spacing=1.0, time_step=2)
    >>> challenge
    <Challenge simulated ocean: 4253 points of j3, s3a to map, 2803 of c2 withheld, 2021-01-01 to 2021-01-16>
    >>> fitted = challenge.fit("oi", analysis_step=4)
    >>> table = challenge.score(fitted)
    >>> bool(table.mu > challenge.score_null().mu), bool(challenge.score_truth(fitted).mu > 0)
    (True, True)
    """

    name: str
    training: xr.Dataset
    grid: xr.Dataset
    region: Region
    period: tuple[str, str]
    withheld: xr.Dataset | None = None
    protocol: str = "strict"
    segment_length: float = 1000.0
    truth: Field | None = None
    maps: Mapping[str, xr.Dataset] = field(default_factory=dict)
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.withheld is None and self.truth is None:
            raise ValueError(
                f"the challenge {self.name!r} has nothing to score on: give it withheld=<track> or truth=<Field>."
            )

    @cached_property
    def observations(self) -> Observations:
        """The training tracks as methods take them.

        Heights of DUACS come corrected for ``lwe``, which the reference of the data challenges,
        ``sla_unfiltered + mdt - lwe``, puts back: see docs/results.md.
        """
        return Observations.from_tracks(self.training)

    def fit(self, method: str | Method = "oi", **settings: Any) -> FittedField:
        """Fit a method to the training tracks: see `xinr.fit`."""
        return fit(self.observations, method, **settings)

    def map(self, field: Field) -> xr.Dataset:
        """Evaluate a field on the grid of the maps: height, formal error if any, gradient and Laplacian."""
        return field.evaluate(self.grid)

    @cached_property
    def track(self) -> xr.Dataset:
        """The points of the withheld track that are scored; ValueError if none is withheld."""
        if self.withheld is None:
            raise ValueError(f"no track is withheld of {self.name!r}: only the truth scores, .score_truth(field).")
        return select(self.withheld, self.rules["region"], self.rules["period"])

    @property
    def null(self) -> xr.Dataset:
        """``ssh`` [m] of a map of nothing at the points of `track`: the mean topography, or zero without one."""
        track = self.track
        return xr.Dataset({"ssh": track["mdt"] if "mdt" in track else xr.zeros_like(track["ssh"])})

    def score(self, field: Field) -> xr.Dataset:
        """Score a field at the points of the withheld track: see `xinr.Field.score`."""
        return field.score(self.track, **self.rules)

    def score_map(self, maps: xr.Dataset) -> xr.Dataset:
        """Score a map on the withheld track, interpolated to it as the data challenges do."""
        return self.score(MapField.of(maps))

    def score_null(self) -> xr.Dataset:
        """Score the mean dynamic topography alone, or zero without one, which inflates every score."""
        return score(self.null, self.track, **self.rules)

    @cached_property
    def true_maps(self) -> xr.Dataset:
        """The truth on the grid of the maps, as `map` gives it; ValueError if it is not known."""
        if self.truth is None:
            raise ValueError(f"the truth of {self.name!r} is not known: only the withheld track scores, .score(field).")
        return self.map(self.truth)

    def score_truth(self, field: Field | xr.Dataset) -> xr.Dataset:
        """Score a field, or what `map` gives, against the truth on the grid: see `xinr.metrics.truth.score_truth`."""
        maps = self.map(field) if isinstance(field, Field) else field
        return score_truth(maps, self.true_maps)

    @property
    def missions(self) -> tuple[str, ...]:
        """Names of the missions to map."""
        return self.observations.missions

    @property
    def rules(self) -> dict[str, Any]:
        """The options of `xinr.metrics.score` under which the withheld track is scored."""
        region = widened(self.region, BUFFER)  # the score leaves out a margin of this width within it
        rules = {"protocol": self.protocol, "segment_length": self.segment_length}
        return {"region": region, "period": self.period, **rules}

    def __repr__(self) -> str:
        to_map = f"{self.training.sizes['time']} points of {', '.join(self.missions)} to map"
        reference = "the truth known"
        if self.withheld is not None:
            names = ", ".join(np.unique(self.withheld["mission"].values.astype(str)))
            reference = f"{self.withheld.sizes['time']} of {names} withheld"
        return f"<Challenge {self.name}: {to_map}, {reference}, {self.period[0]} to {self.period[1]}>"
