"""The accessor ``.inr`` on Datasets and DataArrays: it holds the object and delegates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from xinr.fields.field import Field
    from xinr.fields.fitted import FittedField
    from xinr.fields.target import TargetLike
    from xinr.methods.method import Method
    from xinr.validation import Tuned
    from xinr.validation.cross_validation import Folds


@xr.register_dataset_accessor("inr")  # type: ignore[no-untyped-call]
@xr.register_dataarray_accessor("inr")  # type: ignore[no-untyped-call]
class InrAccessor:
    """Fit, map, differentiate and score sea surface heights.

    On along-track data ``fit`` gives a Field; the other verbs fit first, with the method named. On a gridded map
    they work on the map itself.
    """

    def __init__(self, obj: xr.Dataset | xr.DataArray) -> None:
        self._obj = obj

    def fit(self, method: str | Method = "oi", **options: Any) -> FittedField:
        """Fit a method to along-track data: see `xinr.fit`."""
        from xinr.fields.fitting import fit

        return fit(self._obj, method, **options)

    def interp(self, target: TargetLike, *, error: bool = False, **options: Any) -> xr.Dataset:
        """Evaluate at the points of a target: see `xinr.Field.interp`; ``options`` as for `fit`."""
        return self._field(options).interp(target, error=error)

    def gradient(self, target: TargetLike | None = None, **options: Any) -> xr.Dataset:
        """Differentiate, by default at its own points: see `xinr.Field.gradient`."""
        return self._field(options).gradient(self._points(target, options))

    def laplacian(self, target: TargetLike | None = None, **options: Any) -> xr.Dataset:
        """Apply the horizontal Laplacian, by default at its own points: see `xinr.Field.laplacian`."""
        return self._field(options).laplacian(self._points(target, options))

    def currents(self, target: TargetLike | None = None, **options: Any) -> xr.Dataset:
        """Give the geostrophic currents, by default at its own points: see `xinr.Field.currents`."""
        return self._field(options).currents(self._points(target, options))

    def score(self, reference: xr.Dataset | xr.DataArray, *, protocol: str | None = None, **options: Any) -> xr.Dataset:
        """Score against withheld tracks: see `xinr.Field.score`; other ``options`` as for `fit`.

        ``region``, ``period``, ``segment_length``, ``resamples`` and ``seed`` are the score's. To give the fit a
        region or a seed of its own, fit first: ``ds.inr.fit(...).score(...)``.
        """
        from xinr.metrics import SCORE_OPTIONS

        scoring = {key: options.pop(key) for key in SCORE_OPTIONS if key in options}
        return self._field(options).score(reference, protocol=protocol, **scoring)

    def sample(
        self, target: TargetLike, count: int, *, method: str | Method = "kriging", seed: int = 0, **options: Any
    ) -> xr.Dataset:
        """Draw posterior samples: see `xinr.FittedField.sample`; other ``options`` as for `fit`."""
        return self.fit(method, **options).sample(target, count, seed)

    def tune(self, method: str | Method = "oi", search: Sequence[str] | None = None, **options: Any) -> Tuned:
        """Search the settings of a method that predict withheld tracks best: see `xinr.tune`."""
        from xinr.validation import tune

        return tune(self._obj, method, search, **options)

    def cross_validate(self, method: str | Method = "oi", folds: Folds | None = None, **options: Any) -> xr.DataArray:
        """Withhold one mission, or part of the passes, in turn: see `xinr.cross_validate`."""
        from xinr.validation import cross_validate

        return cross_validate(self._obj, method, folds, **options)

    def plot(self, *, variable: str | None = None, **options: Any) -> Figure:
        """Draw a quick look: observations by mission and by height, or a map with gradient and Laplacian.

        ``options`` are those of `xinr.plots.tracks` (``period``, ``names``), or of `xinr.Field.plot` (``time``,
        ``quantities``).
        """
        from xinr import plots
        from xinr.fields.gridded import MapField
        from xinr.geo.coordinates import is_grid
        from xinr.observations.observations import as_points
        from xinr.observations.variables import as_tracks

        if not is_grid(self._obj):
            tracks, variable, _ = as_points(self._obj, variable)
            return plots.tracks(*as_tracks(tracks, variable), **options)
        return MapField.of(self._obj, variable).plot(**options)

    def _field(self, options: dict[str, Any]) -> Field:
        from xinr.fields.gridded import MapField
        from xinr.geo.coordinates import is_grid

        if not is_grid(self._obj):
            return self.fit(**options)
        unknown = sorted(set(options) - {"variable"})
        if unknown:
            raise TypeError(f"a gridded map is not fitted: expected no option but 'variable', got {unknown}.")
        return MapField.of(self._obj, **options)

    def _points(self, target: TargetLike | None, options: dict[str, Any]) -> TargetLike | None:
        from xinr.geo.coordinates import is_grid
        from xinr.observations.variables import as_tracks

        if target is not None or is_grid(self._obj):
            return target
        tracks, variable = as_tracks(self._obj, options.get("variable"))
        return tracks[variable]
