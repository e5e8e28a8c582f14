"""Peers: pyinterp's optimal interpolation as a method, with the same observations, cross-validation and score; dense
Gaussian-process regression by scikit-learn and GPyTorch, which take the arrays that kriging gets.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, override

import numpy as np
import torch
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.geo.frames import SECONDS_PER_DAY
from xinr.geo.points import Points
from xinr.methods.covariances import Matern
from xinr.methods.method import Method
from xinr.methods.observation_error import ObservationError
from xinr.methods.predictor import ErrorPredictor

#: Takes x (n, 3), y (n,), noise (n,), the covariance, and sets of targets (m, 3); returns the values of each set, (m,).
Regression = Callable[[Array, Array, Array, Matern, Sequence[Array]], list[Array]]
Kernel = Literal["cauchy", "gaussian", "matern_12", "matern_32", "matern_52", "spherical", "wendland"]


@dataclass(frozen=True, kw_only=True)
class PyinterpOI(Method):
    """Local optimal interpolation of `pyinterp.OptimalInterpolation`: the nearest observations of each target.

    Parameters
    ----------
    length_scale, time_scale : float
        Scales of the covariance [km, days].
    sigma : float
        Standard deviation of the signal [m].
    n_neighbors : int
        Observations used for each target.
    covariance : str
        One of pyinterp's names.
    """

    frame: str = "degrees"
    coarsen: int = 3
    noise: float | Mapping[str, float] = 0.052
    length_scale: float = 150.0
    time_scale: float = 15.0
    sigma: float = 0.09
    n_neighbors: int = 50
    covariance: Kernel = "matern_32"

    @override
    def fit(self, x: Array, y: Array, error: ObservationError) -> PyinterpPredictor:
        # It has no model of a bias per pass.
        return PyinterpPredictor(x, y, error.noise**2, self)


@dataclass(frozen=True, eq=False)
class PyinterpPredictor(ErrorPredictor):
    """The observations and the settings; solved anew at each target, without derivatives."""

    kind = "pyinterp"

    x: Array
    y: Array
    variance: Array
    settings: PyinterpOI

    @override
    def predict(self, points: Points) -> Array:
        return self.posterior(points)[0]

    @override
    def gradient(self, points: Points) -> Array:
        # The map jumps where neighbours change.
        raise TypeError("pyinterp's optimal interpolation gives no derivatives: map it, then maps.inr.gradient().")

    @override
    def curvature(self, points: Points, direction: Array) -> Array:
        return self.gradient(points)

    @override
    def state(self) -> dict[str, NDArray[Any]]:
        raise TypeError("a peer in a benchmark is not saved.")

    @classmethod
    @override
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        raise TypeError("a peer in a benchmark is not saved.")

    @override
    def posterior(self, points: Points) -> tuple[Array, Array]:
        import pyinterp

        x = points.x
        settings = self.settings
        metres, seconds = 1e3 * settings.length_scale, SECONDS_PER_DAY * settings.time_scale
        to_seconds = np.array([1.0, 1.0, SECONDS_PER_DAY])
        analysis = pyinterp.OptimalInterpolation(
            self.x * to_seconds,
            self.y,
            self.variance,
            covariance=settings.covariance,
            coordinate_system="geographic",
            time_scale=metres / seconds,
        )
        scales = {"l_spatial": metres, "lt": seconds, "sigma": settings.sigma}
        found = analysis(x * to_seconds, **scales, k=settings.n_neighbors)
        return np.nan_to_num(found.value), found.error


def by_scikit_learn(x: Array, y: Array, noise: Array, covariance: Matern, targets: Sequence[Array]) -> list[Array]:
    """Map with `sklearn.gaussian_process.GaussianProcessRegressor`: a Cholesky factor in float64."""
    from sklearn.gaussian_process import GaussianProcessRegressor, kernels

    scales = [covariance.length_scale, covariance.length_scale, covariance.time_scale]
    kernel = covariance.sigma**2 * kernels.Matern(length_scale=scales, nu=covariance.smoothness)
    model = GaussianProcessRegressor(kernel, alpha=noise**2, optimizer=None).fit(x, y)
    return [np.asarray(model.predict(at)) for at in targets]


def by_gpytorch(x: Array, y: Array, noise: Array, covariance: Matern, targets: Sequence[Array]) -> list[Array]:
    """Map with `gpytorch.models.ExactGP`, its settings of speed as they come, in float32 and without variances."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the import: deprecations in torch
        import gpytorch

    def tensor(array: Any) -> torch.Tensor:
        return torch.as_tensor(array, dtype=torch.float32)

    scales = tensor([covariance.length_scale, covariance.length_scale, covariance.time_scale])

    class Model(gpytorch.models.ExactGP):
        def __init__(self, likelihood: Any) -> None:
            super().__init__(tensor(x), tensor(y), likelihood)
            self.mean = gpytorch.means.ZeroMean()
            matern = gpytorch.kernels.MaternKernel(nu=covariance.smoothness, ard_num_dims=3)
            self.kernel = gpytorch.kernels.ScaleKernel(matern)
            matern.lengthscale, self.kernel.outputscale = scales, covariance.sigma**2

        def forward(self, at: torch.Tensor) -> Any:
            return gpytorch.distributions.MultivariateNormal(self.mean(at), self.kernel(at))

    model = Model(gpytorch.likelihoods.FixedNoiseGaussianLikelihood(tensor(noise) ** 2)).eval()
    with torch.no_grad(), gpytorch.settings.skip_posterior_variances():
        return [model(tensor(at)).mean.numpy() for at in targets]


REGRESSIONS: dict[str, Regression] = {"scikit-learn GPR": by_scikit_learn, "GPyTorch ExactGP": by_gpytorch}
