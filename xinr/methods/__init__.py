"""The registry of methods: ``method="oi"`` is a key of `METHODS`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from xinr.methods.base import ErrorPredictor, Method, ObservationError, Predictor, SamplePredictor
from xinr.methods.settings import covariance_of, resolve_settings

#: Name of each method, and where its class is. A class may stand in place of its address, so that one's own
#: method is added by ``METHODS["mine"] = Mine``.
METHODS: dict[str, str | type[Method]] = {
    "duacs": "xinr.methods.duacs:Duacs",
    "finer": "xinr.methods.neural.finer:Finer",
    "fourier": "xinr.methods.neural.fourier:Fourier",
    "fouriermfn": "xinr.methods.neural.multiplicative:FourierMFN",
    "gabormfn": "xinr.methods.neural.multiplicative:GaborMFN",
    "hashgrid": "xinr.methods.neural.hashgrid:HashGrid",
    "kriging": "xinr.methods.kriging:Kriging",
    "modulatedsiren": "xinr.methods.neural.modulated:ModulatedSiren",
    "oi": "xinr.methods.oi:OI",
    "positional": "xinr.methods.neural.positional:Positional",
    "siren": "xinr.methods.neural.siren:Siren",
    "tiled": "xinr.methods.tiles:Tiled",
    "wire": "xinr.methods.neural.wire:Wire",
}

# Modules that define the predictors of saved Fields; imported when such a Field is opened.
_PREDICTORS = {
    "duacs": "xinr.methods.duacs",
    "ensemble": "xinr.methods.neural.ensemble",
    "finer": "xinr.methods.neural.finer",
    "fourier": "xinr.methods.neural.fourier",
    "fouriermfn": "xinr.methods.neural.multiplicative",
    "gabormfn": "xinr.methods.neural.multiplicative",
    "hashgrid": "xinr.methods.neural.hashgrid",
    "kriging": "xinr.methods.kriging",
    "modulatedsiren": "xinr.methods.neural.modulated",
    "oi": "xinr.methods.oi",
    "oi-local": "xinr.methods.oi",
    "polynomial": "xinr.methods.polynomial",
    "positional": "xinr.methods.neural.positional",
    "siren": "xinr.methods.neural.siren",
    "spline": "xinr.methods.spline",
    "sum": "xinr.methods.sum",
    "tiled": "xinr.methods.blending",
    "tiled-draw": "xinr.methods.blending",
    "tiled-error": "xinr.methods.blending",
    "tiled-sample": "xinr.methods.blending",
    "waves": "xinr.simulate.eddies",
    "wire": "xinr.methods.neural.wire",
}

__all__ = [
    "METHODS",
    "ErrorPredictor",
    "Method",
    "ObservationError",
    "Predictor",
    "SamplePredictor",
    "method_from",
    "predictor_class",
]


def method_from(method: str | Method, settings: dict[str, Any]) -> Method:
    """Return the method of that name with these settings, or the given method itself.

    Settings of the method's covariance stand beside its own: ``length_scale=100.0`` with or without
    ``covariance=Matern(...)``.

    Raises
    ------
    ValueError
        No method has that name.
    TypeError
        A setting that neither the method nor its covariance has, or settings beside a method that is already built.
    """
    if isinstance(method, Method):
        if settings:
            raise TypeError(
                f"settings {sorted(settings)} came beside a ready {type(method).__name__}: "
                "set them on the object, dataclasses.replace(method, ...), or name the method by its string."
            )
        return method
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(
            f"unknown method {method!r}: expected one of {sorted(METHODS)}, or an object such as xinr.OI(coarsen=3)."
        )
    found = METHODS[method]
    cls: type[Method] = _load(found) if isinstance(found, str) else found
    return cls(**resolve_settings(cls, covariance_of(cls), settings))


def predictor_class(kind: str) -> type[Predictor]:
    """Return the predictor class of that kind, importing its module if it is one of ours."""
    if kind in _PREDICTORS:
        import_module(_PREDICTORS[kind])
    if kind not in Predictor.registry:
        raise ValueError(
            f"the file holds a predictor of kind {kind!r}, which is not known here: expected one of "
            f"{sorted({*_PREDICTORS, *Predictor.registry})}. Import the module that defines it, then open the file."
        )
    return Predictor.registry[kind]


def _load(address: str) -> Any:
    module, name = address.split(":")
    return getattr(import_module(module), name)
