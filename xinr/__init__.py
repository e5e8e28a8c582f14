"""xinr: sea-surface-height fields from altimetry tracks, as an xarray accessor."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from xinr import accessor as accessor

if TYPE_CHECKING:
    from xinr.field import Field
    from xinr.fitted import fit
    from xinr.maps import MapField
    from xinr.methods import METHODS
    from xinr.methods.duacs import Duacs
    from xinr.methods.kriging import Kriging
    from xinr.methods.neural.fourier import Fourier
    from xinr.methods.neural.positional import Positional
    from xinr.methods.neural.siren import Siren
    from xinr.methods.oi import OI
    from xinr.methods.tiles import Tiled
    from xinr.observations import Observations
    from xinr.storage import open_field
    from xinr.tracks import open_tracks
    from xinr.tuning import tune
    from xinr.validation import cross_validate

# Imported on first use, so that ``import xinr`` costs little more than xarray.
_HOMES = {
    "Field": "xinr.field",
    "MapField": "xinr.maps",
    "METHODS": "xinr.methods",
    "Duacs": "xinr.methods.duacs",
    "Fourier": "xinr.methods.neural.fourier",
    "Kriging": "xinr.methods.kriging",
    "OI": "xinr.methods.oi",
    "Positional": "xinr.methods.neural.positional",
    "Siren": "xinr.methods.neural.siren",
    "Tiled": "xinr.methods.tiles",
    "fit": "xinr.fitted",
    "Observations": "xinr.observations",
    "open_field": "xinr.storage",
    "cross_validate": "xinr.validation",
    "open_tracks": "xinr.tracks",
    "tune": "xinr.tuning",
}

__all__ = [
    "METHODS",
    "OI",
    "Duacs",
    "Field",
    "Fourier",
    "Kriging",
    "MapField",
    "Observations",
    "Positional",
    "Siren",
    "Tiled",
    "cross_validate",
    "fit",
    "open_field",
    "open_tracks",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'xinr' has no attribute {name!r}")
