"""Settings of methods: frozen dataclasses whose covariance's settings stand next to their own."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray


def setting_names(settings: Any) -> list[str]:
    """Return the names of the settings of a dataclass; none of anything else."""
    return [setting.name for setting in fields(settings)] if is_dataclass(settings) else []


def plain_settings(settings: Any) -> dict[str, Any]:
    """Return the settings of a frozen dataclass as JSON can keep them; objects among them say of which kind they are.

    Examples
    --------
    >>> from xinr.methods.oi import OI
    >>> plain_settings(OI())["covariance"]
    {'kind': 'Gaussian', 'length_scale': 1.0, 'time_scale': 7.0, 'sigma': 1.0}
    """
    return {name: as_plain(getattr(settings, name)) for name in setting_names(settings)}


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
