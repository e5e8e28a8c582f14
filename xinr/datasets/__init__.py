"""Published data sets, and their download."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinr.datasets.copernicus import L3_MISSIONS, download_l3, read_l3
    from xinr.datasets.fetch import download
    from xinr.datasets.registry import DATASETS

# Imported on first use, so that listing files does not import what downloads them.
_HOMES = {
    "DATASETS": "xinr.datasets.registry",
    "L3_MISSIONS": "xinr.datasets.copernicus",
    "download": "xinr.datasets.fetch",
    "download_l3": "xinr.datasets.copernicus",
    "read_l3": "xinr.datasets.copernicus",
}

__all__ = [
    "DATASETS",
    "L3_MISSIONS",
    "download",
    "download_l3",
    "read_l3",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'xinr.datasets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
