"""Settings of methods: frozen dataclasses whose covariance's settings stand beside their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from xinr.methods.base import Method

#: What a search takes for one unit of a drift, as it takes a factor of e for one of other settings [km/day].
DRIFT = 5.0


def check_settings(method: type[Method], covariance: Any, names: Iterable[str]) -> None:
    """Raise TypeError for settings that neither a method nor its covariance has, naming those they have."""
    valid, inner = _names(method), list(getattr(covariance, "settings", ()))
    unknown = sorted(set(names) - {*valid, *inner})
    if unknown:
        beside = f", or of its covariance {type(covariance).__name__} {inner}" if inner else ""
        raise TypeError(f"{method.__name__} has no setting {unknown}: expected some of {valid}{beside}.")


def resolve_settings(method: type[Method], covariance: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the method's own settings, those of its covariance put into the covariance.

    A setting that the method itself lacks but its covariance has belongs to the covariance.

    Raises
    ------
    TypeError
        A setting that neither has.
    """
    covariance = settings.get("covariance", covariance)
    check_settings(method, covariance, settings)
    own = {name: value for name, value in settings.items() if name in _names(method)}
    inner = {name: value for name, value in settings.items() if name not in own}
    return own | {"covariance": covariance.changed(inner)} if inner else own


def covariance_of(method: Method | type[Method]) -> Any:
    """Return the covariance of a method whose settings stand beside its own: that it has, or takes when given none."""
    return getattr(method, "covariance", None) or getattr(method, "usual_covariance", None)


def with_settings[M: Method](method: M, settings: Mapping[str, Any]) -> M:
    """Return the method with other settings, of its own or of its covariance.

    Examples
    --------
    >>> from xinr.methods.oi import OI
    >>> with_settings(OI(), {"length_scale": 2.0, "noise": 0.03}).covariance
    Gaussian(length_scale=2.0, time_scale=7.0, sigma=1.0)
    """
    return replace(method, **resolve_settings(type(method), covariance_of(method), settings))


def lower_bound(method: Method, name: str) -> float:
    """Return what a setting must exceed: zero, unless its covariance says otherwise; -inf where it has either sign."""
    bounds: Mapping[str, float] = getattr(covariance_of(method), "bounds", {})
    return bounds.get(name, 0.0)


def to_variable(method: Method, name: str) -> float:
    """Return the variable z by which a setting is searched.

    The logarithm of what it exceeds its `lower_bound` by; of a drift, which has either sign, the drift over `DRIFT`.

    Examples
    --------
    >>> from xinr.methods.oi import OI
    >>> to_variable(OI(noise=1.0), "noise")
    0.0
    """
    setting, bound = float(get_setting(method, name)), lower_bound(method, name)
    return setting / DRIFT if np.isinf(bound) else float(np.log(setting - bound))


def from_variable(method: Method, name: str, z: float) -> float:
    """Return the setting of a variable: see `to_variable`."""
    bound = lower_bound(method, name)
    return DRIFT * float(z) if np.isinf(bound) else bound + float(np.exp(z))


def get_setting(method: Method, name: str) -> Any:
    """Return a setting of a method or of its covariance; TypeError where neither has it."""
    covariance = covariance_of(method)
    check_settings(type(method), covariance, [name])
    return getattr(method, name) if name in _names(method) else covariance.settings[name]


def _names(settings: Any) -> list[str]:
    return [setting.name for setting in fields(settings)] if is_dataclass(settings) else []


def plain_settings(settings: Any) -> dict[str, Any]:
    """Return the settings of a frozen dataclass as JSON can keep them; objects among them say of which kind they are.

    Examples
    --------
    >>> from xinr.methods.oi import OI
    >>> plain_settings(OI())["covariance"]
    {'kind': 'Gaussian', 'length_scale': 1.0, 'time_scale': 7.0, 'sigma': 1.0}
    """
    return {name: as_plain(getattr(settings, name)) for name in _names(settings)}


def as_plain(value: Any) -> Any:
    """Return one setting, or an object that has settings, as JSON can keep it."""
    if isinstance(value, tuple | list):
        return [as_plain(item) for item in value]
    return {"kind": type(value).__name__} | plain_settings(value) if is_dataclass(value) else value


def coerce(settings: Any) -> None:
    """Give each setting of a frozen dataclass the plain type it is declared with: numpy's scalars could not be saved.

    Raises
    ------
    TypeError
        A setting that is no number where one is declared.
    """
    for setting in fields(settings):
        value = _as_declared(setting.name, str(setting.type), getattr(settings, setting.name))
        object.__setattr__(settings, setting.name, value)


def check_length_scale(frame: str, length_scale: float) -> None:
    """Raise ValueError for a length scale that must have been meant in the other frame's unit."""
    if frame == "degrees" and length_scale > 45.0:
        raise ValueError(
            f"length_scale = {length_scale:g} is in degrees in the frame 'degrees': expected a few degrees at most. "
            'For kilometres set frame="sphere".'
        )
    if frame in ("sphere", "plane") and length_scale < 10.0:
        raise ValueError(
            f"length_scale = {length_scale:g} is in kilometres in the frame {frame!r}, less than altimeters resolve: "
            'expected 10 or more, say 100. For degrees set frame="degrees".'
        )


def _as_declared(name: str, declared: str, value: Any) -> Any:
    """Return a setting as the plain type it is declared with: numpy's scalars could not be saved."""
    if declared == "float | Mapping[str, float]":
        if not isinstance(value, Mapping):
            return _as_declared(name, "float", value)
        return {str(key): _as_declared(f"{name} of {key}", "float", each) for key, each in value.items()}
    if declared == "int":
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise TypeError(f"{name} must be a whole number, got {value!r}.")
        return int(value)
    if declared == "float":
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"{name} must be a number, got {value!r}.")
        return float(value)
    return value


def check_positive(**settings: float) -> None:
    """Raise ValueError for the first setting that is not a finite number above zero."""
    for name, value in settings.items():
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a finite number above zero, got {value!r}.")


def check_finite(**settings: float) -> None:
    """Raise ValueError for the first setting that is not a finite number."""
    for name, value in settings.items():
        if not np.isfinite(value):
            raise ValueError(f"{name} must be a finite number, got {value!r}.")


def packed(plain: Any) -> NDArray[np.uint8]:
    """Return what JSON can keep as an array, so that a predictor's state can hold it."""
    return np.frombuffer(json.dumps(plain).encode(), np.uint8).copy()


def unpacked(array: NDArray[np.uint8]) -> Any:
    """Return what was `packed`."""
    return json.loads(array.tobytes())
