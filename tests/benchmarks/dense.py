"""Dense Gaussian-process regression by scikit-learn and GPyTorch: each map from the arrays that kriging gets."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from xinr._typing import Array
from xinr.methods.covariances import Matern

#: Takes x (n, 3), y (n,), noise (n,), the covariance, and sets of targets (m, 3); returns the values of each set, (m,).
Regression = Callable[[Array, Array, Array, Matern, Sequence[Array]], list[Array]]


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

    class Model(gpytorch.models.ExactGP):  # type: ignore[misc]
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
