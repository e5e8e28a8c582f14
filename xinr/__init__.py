"""xinr: sea-surface-height fields from altimetry tracks, as an xarray accessor."""

from __future__ import annotations

from importlib.metadata import version
from pkgutil import resolve_name
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

# Where public names other than methods are, imported on first use: ``import xinr`` costs little more than xarray.
_HOMES = {
    "xinr.fields.field": ("Field",),
    "xinr.fields.fitted": ("FittedField",),
    "xinr.fields.fitting": ("fit",),
    "xinr.fields.gridded": ("MapField",),
    "xinr.fields.storage": ("open_field",),
    "xinr.methods": ("METHODS", "Method"),
    "xinr.methods.covariances": ("ArhanColinDeVerdiere", "Gaussian", "Matern", "Spectral"),
    "xinr.observations": ("Observations", "open_tracks"),
    "xinr.validation": ("Tuned", "cross_validate", "tune"),
}
_ROOMS = {name: f"xinr.{name}" for name in ("challenges", "datasets", "methods", "metrics", "plots", "simulate")}
_ROOMS["covariances"] = "xinr.methods.covariances"

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
    if name == "__version__":
        return version("xinr")
    if name not in __all__:
        raise AttributeError(f"module 'xinr' has no attribute {name!r}")
    if name in _ROOMS:
        return resolve_name(_ROOMS[name])
    home = next((home for home, names in _HOMES.items() if name in names), None)
    return resolve_name(f"{home}:{name}" if home else resolve_name("xinr.methods.registry:ADDRESSES")[name.lower()])


def __dir__() -> list[str]:
    return sorted(__all__)
