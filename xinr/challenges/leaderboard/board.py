"""The leaderboard of a challenge: every method and map on the same points, with differences pair by pair."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from xinr.challenges.challenge import Challenge
from xinr.challenges.leaderboard.entry import Entry
from xinr.challenges.leaderboard.table import NULL, Row, track_cells, truth_cells
from xinr.fields.gridded import MapField
from xinr.metrics import score, score_pairs

#: What of the ``info`` of entries the rows show.
COST = ("fit_seconds", "map_seconds", "rest_seconds", "device")


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """What came of a challenge.

    Parameters
    ----------
    challenge : Challenge
        Its tracks, and the rules of the score.
    entries : mapping of str to Entry
        Of every method and map, by name.
    elsewhere : sequence of Entry
        The same methods on other devices: for their cost.
    """

    challenge: Challenge
    entries: Mapping[str, Entry]
    elsewhere: tuple[Entry, ...] = ()

    @cached_property
    def scores(self) -> xr.Dataset:
        """Scores on the withheld track along ``prediction``, the null first: see `xinr.metrics.score_pairs`."""
        methods = {name: entry.on_track for name, entry in self.entries.items() if entry.on_track is not None}
        return score_pairs({NULL: self.challenge.null, **methods}, self.challenge.track, **self.challenge.rules)

    @cached_property
    def truth_scores(self) -> dict[str, xr.Dataset]:
        """Scores on the truth by name: see `xinr.metrics.truth.score_truth`; none where it is not known."""
        if self.challenge.truth is None:
            return {}
        found = {}
        for name, entry in self.entries.items():
            try:
                found[name] = self.challenge.score_truth(entry.maps)
            except ValueError as error:
                raise ValueError(f"{name!r} cannot be scored on the truth: {error}") from error
        return found

    @cached_property
    def rows(self) -> list[Row]:
        """One for the null, one for each entry, one for each published score."""
        rows: list[Row] = [{"method": NULL, **self._on_track(NULL)}]
        rows += [self._row(name, entry) for name, entry in self.entries.items()]
        published = self.challenge.published.items()
        return rows + [{"method": name, "settings": "published", **cells} for name, cells in published]

    def differences(self, name: str) -> list[Row]:
        """Return one row for each prediction: its score of that name less that of the column's, with intervals."""
        return [{"method": one, **_pairs(self.scores, name, one)} for one in map(str, self.scores["prediction"].values)]

    @property
    def dataset(self) -> xr.Dataset:
        """All numbers along ``prediction``: scores, spectra, differences, scores on the truth, cost."""
        alone = xr.Dataset(coords={"prediction": [NULL, *self.entries]})
        out = alone if self.challenge.withheld is None else self.scores
        rows = {str(row["method"]): row for row in self.rows if row.get("settings") != "published"}
        known = [rows[str(name)] for name in out["prediction"].values]
        keys = dict.fromkeys(key for row in known for key, value in row.items() if not isinstance(value, str))
        plain = [key for key in keys if key not in out and not key.endswith(("_low", "_high"))]
        columns = {key: ("prediction", [float(row.get(key, np.nan)) for row in known]) for key in plain}
        info = {name: entry.info for name, entry in self.entries.items()}
        return out.assign(columns).assign_attrs(challenge=self.challenge.name, entries=json.dumps(info))

    def _row(self, name: str, entry: Entry) -> Row:
        truth = truth_cells(self.truth_scores[name]) if name in self.truth_scores else {}
        cost = {key: entry.info[key] for key in COST if key in entry.info}
        return {"method": name, "settings": entry.info["choice"], **self._on_track(name), **truth, **cost}

    def _on_track(self, name: str) -> dict[str, float]:
        if self.challenge.withheld is None:
            return {}
        cells = track_cells(self.scores.sel(prediction=name))
        return cells | (self._via_map(self.entries[name]) if name in self.entries else {})

    def _via_map(self, entry: Entry) -> dict[str, float]:
        """Return the rmse of the map of a method, interpolated to the track as the challenges do, if it covers it."""
        track = self.challenge.track
        via_map = MapField.of(entry.maps, entry.height).on_track(track)
        outside = np.isnan(via_map["ssh"].values) & np.isfinite(self.challenge.null["ssh"].values)
        if entry.info["choice"] == "map" or outside.any():
            return {}
        return {"rmse_map": float(score(via_map, track, **self.challenge.rules, resamples=0)["rmse"])}


def _pairs(scores: xr.Dataset, name: str, one: str) -> dict[str, float]:
    """Return the differences of one prediction from the others, with their intervals."""
    cells: dict[str, float] = {}
    for other in map(str, scores["prediction"].values):
        if other != one:
            pair = scores.sel(prediction=one, other=other)
            low, high = map(float, pair[f"{name}_difference_interval"].values)
            cells |= {other: float(pair[f"{name}_difference"]), f"{other}_low": low, f"{other}_high": high}
    return cells
