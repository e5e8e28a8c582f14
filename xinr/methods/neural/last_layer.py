"""The last layer of a trained network, known exactly: a linear Gaussian model of the features beneath."""

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from xinr._typing import Array
from xinr.methods.pass_errors import PassErrors

#: Columns whose errors are weighted at once: bounds the memory.
COLUMNS = 32
#: Where the logarithm of the prior variance of a weight is looked for, about 1 / features.
DECADES = (-12.0, 12.0)


def posterior_root(features: Tensor, y: Tensor, errors: PassErrors) -> Array:
    """Return the root C of the posterior covariance ``C Cᵀ`` of the weights of the last layer, (m, m).

    With it ``|Cᵀ φ(x)|`` is the standard deviation of the height at x, in units of the observations y (n,). Features Φ
    (n, m) are those of the network at each observation, and ones for the bias; errors are in float64.

    Notes
    -----
    With weights w of prior variance 1/a and observations of errors R, ``C Cᵀ = (Φᵀ R⁻¹ Φ + a I)⁻¹``. The a is that of
    the largest evidence for the observations (MacKay 1992). The features themselves are taken as known, so that the
    deviations are far too small: they tell where the error is larger, `xinr.methods.neural.calibration` how large.

    References
    ----------
    MacKay (1992), doi:10.1162/neco.1992.4.3.415; the last layer: Snoek et al. (2015), arXiv:1502.05700
    """
    gram, seen = _normal_equations(features, y, errors)
    eigenvalues, vectors = np.linalg.eigh(gram)
    eigenvalues, seen = np.clip(eigenvalues, 0.0, None), vectors.T @ seen

    def minus_evidence(log_a: float) -> float:
        a = np.exp(log_a)
        fitted = np.sum(seen**2 / (eigenvalues + a))
        return float(np.sum(np.log1p(eigenvalues / a)) - fitted)

    centre = np.log(len(eigenvalues))
    best = minimize_scalar(minus_evidence, bounds=(centre + DECADES[0], centre + DECADES[1]), method="bounded")
    return np.asarray(vectors / np.sqrt(eigenvalues + np.exp(best.x)))


def _normal_equations(features: Tensor, y: Tensor, errors: PassErrors) -> tuple[Array, Array]:
    """Return ``Φᵀ R⁻¹ Φ`` and ``Φᵀ R⁻¹ y``."""
    columns = torch.cat([features, y[:, None].to(features.dtype)], dim=1)
    products = [features.double().T @ errors.solve(some.double()) for some in torch.split(columns, COLUMNS, dim=1)]
    together = torch.cat(products, dim=1).cpu().numpy()
    return together[:, :-1], together[:, -1]
