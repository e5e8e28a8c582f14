"""Published data sets, and their download."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinr.datasets.copernicus import L3_MISSIONS, download_l3, read_l3
    from xinr.datasets.fetch import download
    from xinr.datasets.registry import DATASETS

# Imported on first use, so that listing files does not import what downloads them.
_HOMES = {
    "registry": ("DATASETS",),
    "fetch": ("download",),
    "copernicus": ("L3_MISSIONS", "download_l3", "read_l3"),
}

__all__ = ["DATASETS", "L3_MISSIONS", "download", "download_l3", "read_l3"]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return resolve_name(f"xinr.datasets.{home}:{name}")
    raise AttributeError(f"module 'xinr.datasets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
