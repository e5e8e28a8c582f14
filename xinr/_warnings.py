"""Warnings that point at the line which called the package, however deep they arise."""

import warnings
from pathlib import Path

_PACKAGE = (str(Path(__file__).parent),)


def warn(message: str) -> None:
    """Warn the caller of the package."""
    warnings.warn(message, UserWarning, skip_file_prefixes=_PACKAGE)
