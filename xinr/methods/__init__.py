"""Methods: frozen settings with one ``fit``, from observations as arrays to a predictor. ``METHODS`` lists them."""

from xinr.methods.method import Method
from xinr.methods.observation_error import ObservationError
from xinr.methods.predictor import ErrorPredictor, Predictor, SamplePredictor, predictor_class
from xinr.methods.registry import METHODS, method_from

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
