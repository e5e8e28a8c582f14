"""Choose settings without fooling oneself: cross-validation over whole missions or passes."""

from xinr.validation.cross_validation import cross_validate
from xinr.validation.tuning import Tuned, tune

__all__ = ["Tuned", "cross_validate", "tune"]
