"""The registry of methods: ``method="oi"`` is a key of `METHODS`."""

from difflib import get_close_matches
from pkgutil import resolve_name
from typing import Any

from xinr.methods.method import Method, covariance_of, resolve_settings
from xinr.methods.neural.networks import NETWORKS
from xinr.methods.predictor import Predictor

#: Where the class of each method of xinr is.
ADDRESSES = {
    "duacs": "xinr.methods.oi.duacs:Duacs",
    "finer": "xinr.methods.neural.architectures.finer:Finer",
    "fourier": "xinr.methods.neural.architectures.fourier:Fourier",
    "fouriermfn": "xinr.methods.neural.architectures.fouriermfn:FourierMFN",
    "gabormfn": "xinr.methods.neural.architectures.gabormfn:GaborMFN",
    "hashgrid": "xinr.methods.neural.architectures.hashgrid:HashGrid",
    "kriging": "xinr.methods.kriging.method:Kriging",
    "modulatedsiren": "xinr.methods.neural.architectures.modulated:ModulatedSiren",
    "oi": "xinr.methods.oi.method:OI",
    "positional": "xinr.methods.neural.architectures.positional:Positional",
    "siren": "xinr.methods.neural.architectures.siren:Siren",
    "tiled": "xinr.methods.tiled.method:Tiled",
    "wire": "xinr.methods.neural.architectures.wire:Wire",
}
#: Methods by name: their addresses, or classes, so that one's own is added by ``METHODS["mine"] = Mine``.
METHODS: dict[str, str | type[Method]] = {**ADDRESSES}

# Module of each predictor, imported when a saved Field is opened.
Predictor.registry |= {
    "ensemble": "xinr.methods.neural.ensemble",
    "kriging": "xinr.methods.kriging.predictor",
    "neural": "xinr.methods.neural.predictor",
    "oi": "xinr.methods.oi.windows",
    "oi-local": "xinr.methods.oi.local",
    "polynomial": "xinr.methods.functions.polynomial",
    "spline": "xinr.methods.functions.spline",
    "sum": "xinr.methods.functions.sum",
    "tiled": "xinr.methods.tiled.predictor",
    "tiled-sampled": "xinr.methods.tiled.predictor",
    "tiled-error": "xinr.methods.tiled.predictor",
    "tiled-sample": "xinr.methods.tiled.predictor",
    "waves": "xinr.methods.functions.waves",
}

# Module of each network, which has the name of its method.
NETWORKS |= {name: address.split(":")[0] for name, address in ADDRESSES.items() if ".neural.architectures." in address}


def method_from(method: str | Method, settings: dict[str, Any]) -> Method:
    """Return the method of that name, in capitals or not, with these settings, or the given method itself.

    Settings of the method's covariance stand next to its own: ``length_scale=100.0`` with or without
    ``covariance=Matern(...)``.

    Raises
    ------
    ValueError
        No method has that name.
    TypeError
        A setting that neither the method nor its covariance has, or settings given with a ready method.
    """
    if isinstance(method, Method):
        if settings:
            raise TypeError(
                f"settings {sorted(settings)} came with a ready {type(method).__name__}: "
                "set them on the object, dataclasses.replace(method, ...), or name the method by its string."
            )
        return method
    found = METHODS[_key(method)]
    cls: type[Method] = resolve_name(found) if isinstance(found, str) else found
    return cls(**resolve_settings(cls, covariance_of(cls), settings))


def _key(name: Any) -> str:
    """Return the key of `METHODS` that a name stands for."""
    keys = {key.lower(): key for key in METHODS}
    if isinstance(name, str) and (name in METHODS or name.lower() in keys):
        return name if name in METHODS else keys[name.lower()]
    near = get_close_matches(str(name).lower(), keys, 1)
    hint = f"did you mean {keys[near[0]]!r}? Expected" if near else "expected"
    raise ValueError(
        f"unknown method {name!r}: {hint} one of {sorted(METHODS)}, or an object such as xinr.OI(coarsen=3)."
    )
