"""xinr: sea-surface-height fields from altimetry tracks, as an xarray accessor."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from xinr import accessor as accessor

if TYPE_CHECKING:
    from xinr import challenges, datasets, methods, metrics, plots, simulate
    from xinr.fields.field import Field
    from xinr.fields.fitted import FittedField
    from xinr.fields.fitting import fit
    from xinr.fields.gridded import MapField
    from xinr.fields.storage import open_field
    from xinr.methods import METHODS, Method, covariances
    from xinr.methods.covariances import ArhanColinDeVerdiere, Gaussian, Matern, Spectral
    from xinr.methods.kriging.method import Kriging
    from xinr.methods.neural.architectures.finer import Finer
    from xinr.methods.neural.architectures.fourier import Fourier
    from xinr.methods.neural.architectures.fouriermfn import FourierMFN
    from xinr.methods.neural.architectures.gabormfn import GaborMFN
    from xinr.methods.neural.architectures.hashgrid import HashGrid
    from xinr.methods.neural.architectures.modulated import ModulatedSiren
    from xinr.methods.neural.architectures.positional import Positional
    from xinr.methods.neural.architectures.siren import Siren
    from xinr.methods.neural.architectures.wire import Wire
    from xinr.methods.oi.duacs import Duacs
    from xinr.methods.oi.method import OI
    from xinr.methods.tiled.method import Tiled
    from xinr.observations import Observations, open_tracks
    from xinr.validation import Tuned, cross_validate, tune

    __version__: str

# Imported on first use, so that ``import xinr`` costs little more than xarray: the module of each public name.
_HOMES = {
    "ArhanColinDeVerdiere": "xinr.methods.covariances",
    "Duacs": "xinr.methods.oi.duacs",
    "Field": "xinr.fields.field",
    "Finer": "xinr.methods.neural.architectures.finer",
    "FittedField": "xinr.fields.fitted",
    "Fourier": "xinr.methods.neural.architectures.fourier",
    "FourierMFN": "xinr.methods.neural.architectures.fouriermfn",
    "GaborMFN": "xinr.methods.neural.architectures.gabormfn",
    "Gaussian": "xinr.methods.covariances",
    "HashGrid": "xinr.methods.neural.architectures.hashgrid",
    "Kriging": "xinr.methods.kriging.method",
    "METHODS": "xinr.methods",
    "MapField": "xinr.fields.gridded",
    "Matern": "xinr.methods.covariances",
    "Method": "xinr.methods",
    "ModulatedSiren": "xinr.methods.neural.architectures.modulated",
    "OI": "xinr.methods.oi.method",
    "Observations": "xinr.observations",
    "Positional": "xinr.methods.neural.architectures.positional",
    "Siren": "xinr.methods.neural.architectures.siren",
    "Spectral": "xinr.methods.covariances",
    "Tiled": "xinr.methods.tiled.method",
    "Tuned": "xinr.validation",
    "Wire": "xinr.methods.neural.architectures.wire",
    "cross_validate": "xinr.validation",
    "fit": "xinr.fields.fitting",
    "open_field": "xinr.fields.storage",
    "open_tracks": "xinr.observations",
    "tune": "xinr.validation",
}
_ROOMS = {
    "challenges": "xinr.challenges",
    "covariances": "xinr.methods.covariances",
    "datasets": "xinr.datasets",
    "methods": "xinr.methods",
    "metrics": "xinr.metrics",
    "plots": "xinr.plots",
    "simulate": "xinr.simulate",
}

__all__ = [
    "METHODS",
    "OI",
    "ArhanColinDeVerdiere",
    "Duacs",
    "Field",
    "Finer",
    "FittedField",
    "Fourier",
    "FourierMFN",
    "GaborMFN",
    "Gaussian",
    "HashGrid",
    "Kriging",
    "MapField",
    "Matern",
    "Method",
    "ModulatedSiren",
    "Observations",
    "Positional",
    "Siren",
    "Spectral",
    "Tiled",
    "Tuned",
    "Wire",
    "__version__",
    "challenges",
    "covariances",
    "cross_validate",
    "datasets",
    "fit",
    "methods",
    "metrics",
    "open_field",
    "open_tracks",
    "plots",
    "simulate",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return import_module(_ROOMS[name])
    if name == "__version__":
        return import_module("importlib.metadata").version("xinr")
    raise AttributeError(f"module 'xinr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
