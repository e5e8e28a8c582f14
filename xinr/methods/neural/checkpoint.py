"""What is kept of a long training, so that a run that was killed goes on where it was."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch


class Checkpoint:
    """A file with the state of a training, replaced as a whole at every check and removed once it is done.

    An empty path keeps nothing; ``fit`` tells one fit from another: observations and settings.
    """

    def __init__(self, path: str, fit: str) -> None:
        self.path, self.fit = Path(path) if path else None, fit

    def read(self) -> dict[str, Any] | None:
        """Return what was kept, or None; ValueError for a file of another fit, or none of these files."""
        if self.path is None or not self.path.exists():
            return None
        try:
            found: dict[str, Any] = torch.load(self.path, weights_only=True)
            same = found["fit"] == self.fit
        except Exception as error:  # torch raises many kinds for files that are not its own
            raise ValueError(f"{self.path} is no checkpoint of a training: name another file, or remove it.") from error
        if not same:
            raise ValueError(
                f"the checkpoint {self.path} is of another fit, with other observations or settings: name another file "
                "for this one, or remove it."
            )
        return found

    def write(self, state: Mapping[str, Any]) -> None:
        """Keep the state, in place of what was kept."""
        if self.path is not None:
            passing = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
            try:
                torch.save({**state, "fit": self.fit}, passing)
                passing.replace(self.path)
            finally:
                passing.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the file: the training is done."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
