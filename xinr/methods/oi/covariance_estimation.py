"""Scales and variance of the signal as they vary in space, estimated from the tracks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial import cKDTree
from tqdm.auto import tqdm

from xinr._typing import Array
from xinr.methods.covariances import ArhanColinDeVerdiere, Covariance, Gaussian
from xinr.methods.covariances.nonstationary import NonstationaryCovariance
from xinr.methods.observation_error import ObservationError

#: Pairs of observations: how far apart at most [km, days], and the classes of their distances.
REACH, LAG, WIDTH, DAYS = 450.0, 28.0, 50.0, 4.0
#: Observations whose pairs are taken, a random choice where there are more.
SUBSAMPLE = 10_000
#: Of these, so many at once.
TOGETHER = 64
#: Distance between nodes at which scales are estimated, and radius of the observations of each [km].
NODE = 300.0
#: Length scale of the background: it stands for what varies little over the reach of the pairs [km].
BASIN = 1500.0
#: The prior of each setting [km, days, 1], and the standard deviation of its logarithm.
EXPECTED = {
    "length_scale": (150.0, 0.5),
    "time_scale": (20.0, 0.5),
    "anisotropy": (1.0, 0.3),
    "background_time_scale": (20.0, 0.5),
}
#: Standard deviation of the logarithms of sigma about the rms of the data, of the drift about none [km/day].
SIGMA_SPREAD, DRIFT_SPREAD = 1.0, 3.0
#: Settings that vary in space, with their names in the sum, and the standard deviation of their logarithms
#: about the domain's.
VARYING = {
    "sigma": "sigma_1",
    "length_scale": "length_scale_1",
    "time_scale": "time_scale_1",
    "anisotropy": "anisotropy_1",
    "background_sigma": "sigma_2",
}
SPREAD = 0.3
#: Root mean square below which heights are taken for none [m].
LEAST = 1e-6


@dataclass(frozen=True)
class Moments:
    """Mean products of observations of different passes, by how far apart they are."""

    apart: Array  #: Middle of each class: east, north [km] and later [days], (b, 3).
    count: Array  #: Pairs of each class around each node, (nodes, b).
    product: Array  #: Sum of the products of their values, (nodes, b).
    passes: Array  #: How many passes there are around each, (nodes,).

    def around(self, weights: Array) -> Moments:
        """Return sums over nodes, weighted by rows (m, nodes)."""
        return Moments(self.apart, weights @ self.count, weights @ self.product, weights @ self.passes)


def estimate_covariance(x: Array, y: Array, error: ObservationError) -> NonstationaryCovariance:
    """Estimate the covariance of eddies upon a background from the products of observations of different passes.

    Heights y (n,) [m] are at positions on the plane and times x (n, 3) [km, km, days]; their errors tell the passes
    apart.

    Returns
    -------
    NonstationaryCovariance
        Of a sum: Arhan and Colin de Verdière's covariance, of which standard deviation, zonal, meridional and time
        scale vary in space, and a Gaussian of 1500 km for what is common to the basin, whose standard
        deviation does.

    Raises
    ------
    ValueError
        No two passes come near each other.

    Notes
    -----
    1. Mean products of pairs by distance east and north (50 km, to 450 km) and lag (4 days, to 28 days). Pairs are of
       different passes, whose errors are independent: noise and errors of passes take no part.
    2. The most probable settings of the whole domain, classes weighted by their pairs. The error of a mean product is
       taken for ``√(2 / p)`` times the mean square of the data, p the number of passes; a priori
       logarithms of settings are normal about ``EXPECTED``.
    3. Again around each node of 300 km with Gaussian weights of that radius, for the settings that vary, now about
       those of the whole domain.

    DUACS production has tables of such scales, which are not public.

    References
    ----------
    Kuragano & Kamachi (2000), doi:10.1029/1999JC900247 (scales and propagation from pairs of altimeter heights)
    """
    moments, origin, nodes = pair_moments(x, y, error)
    rms = max(float(np.sqrt(np.mean(y**2))), LEAST)
    prior = {name: np.log(value) for name, (value, _) in EXPECTED.items()}
    spread = {name: spread for name, (_, spread) in EXPECTED.items()}
    for name in ("sigma", "background_sigma"):
        prior[name], spread[name] = np.log(rms / np.sqrt(2.0)), SIGMA_SPREAD
    for name in ("westward_drift", "northward_drift"):
        prior[name], spread[name] = 0.0, DRIFT_SPREAD
    domain = _fit(moments.around(np.ones((1, len(nodes)))), 0, prior, spread, rms)
    apart = np.sum((nodes[:, None] - nodes) ** 2, axis=2)
    local = moments.around(np.exp(-apart / NODE**2))
    held = dict.fromkeys(VARYING, SPREAD)
    bar = tqdm(range(len(nodes)), "scales", leave=False, disable=None, delay=1)
    found = [_fit(local, node, domain, held, rms) for node in bar]
    shape = np.round((nodes[-1] - nodes[0]) / NODE).astype(int) + 1
    tables = {full: np.exp(np.reshape([at[name] for at in found], shape)) for name, full in VARYING.items()}
    return NonstationaryCovariance(_covariance(domain), tables, origin, np.array([NODE, NODE]))


def pair_moments(x: Array, y: Array, error: ObservationError) -> tuple[Moments, Array, Array]:
    """Return the `Moments` around nodes of the domain, the first node, and all nodes (nodes, 2)."""
    axes = [np.arange(-REACH, REACH, WIDTH) + WIDTH / 2.0] * 2 + [np.arange(0.0, LAG, DAYS) + DAYS / 2.0]
    shape = tuple(map(len, axes))
    origin, nodes, node = _nodes(x)
    count, product = np.zeros((2, len(nodes), int(np.prod(shape))))
    chosen = np.random.default_rng(0).permutation(len(x))[:SUBSAMPLE]
    scaled = x / [REACH, REACH, LAG]
    tree, columns = cKDTree(scaled), np.ascontiguousarray(x.T)
    for start in tqdm(range(0, len(chosen), TOGETHER), "pairs", leave=False, disable=None, delay=1):
        some = chosen[start : start + TOGETHER]
        near = cKDTree(scaled[some]).sparse_distance_matrix(tree, 0.999, p=np.inf, output_type="ndarray")
        i, j = some[near["i"]], near["j"]
        others = error.pass_index[i] != error.pass_index[j]
        i, j = i[others], j[others]
        east, north, lag = (column[j] - column[i] for column in columns)
        later = np.where(lag < 0.0, -1.0, 1.0)
        index = node[i]
        axes_of_pairs = (east, REACH, WIDTH), (north, REACH, WIDTH), (lag, 0.0, DAYS)
        for size, (apart, least, width) in zip(shape, axes_of_pairs, strict=True):
            index = index * size + ((apart * later + least) / width).astype(np.int64)
        count += np.bincount(index, minlength=count.size).reshape(count.shape)
        product += np.bincount(index, y[i] * y[j], minlength=count.size).reshape(count.shape)
    if not count.any():
        raise ValueError(
            f"no two passes come within {REACH:g} km and {LAG:g} days of each other, so that scales cannot be "
            "estimated: set estimate=False."
        )
    pairs = np.unique(np.stack([node, error.pass_index]), axis=1)
    passes = np.bincount(pairs[0], minlength=len(nodes)).astype(np.float64)
    apart = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return Moments(apart, count, product, passes), origin, nodes


def _nodes(x: Array) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return the first node of the plane, all of them (nodes, 2), and the nearest of each point (n,)."""
    low, high = x[:, :2].min(axis=0), x[:, :2].max(axis=0)
    shape = np.floor((high - low) / NODE).astype(int) + 1
    origin = (low + high - NODE * (shape - 1)) / 2.0
    nodes = origin + NODE * np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 2)
    index = np.clip(np.rint((x[:, :2] - origin) / NODE).astype(np.int64), 0, shape - 1)
    return origin, nodes, np.ravel_multi_index(tuple(index.T), tuple(shape))


def _fit(
    moments: Moments, node: int, prior: dict[str, float], spread: dict[str, float], rms: float
) -> dict[str, float]:
    """Return logarithms of settings, and drifts, that fit the moments around a node; those with a spread may move."""
    count, product = moments.count[node], moments.product[node]
    mean = np.divide(product, count, out=np.zeros_like(count), where=count > 0)
    # Classes within a length and a time scale of each other are one measurement, with the error of so many passes.
    alike = (EXPECTED["length_scale"][0] / WIDTH) ** 2 * EXPECTED["time_scale"][0] / DAYS
    sampling = rms**2 * np.sqrt(2.0 * alike / max(moments.passes[node], 1.0))
    weight = np.sqrt(count / max(count.mean(), 1e-9)) / sampling

    def moved(z: Array) -> dict[str, float]:
        return prior | {name: prior[name] + spread[name] * step for name, step in zip(spread, z, strict=True)}

    def misfit(z: Array) -> Array:
        model = _covariance(moved(z)).value(np.zeros((1, 3)), moments.apart)[0]
        return np.concatenate([weight * (model - mean), z])

    return moved(least_squares(misfit, np.zeros(len(spread))).x)


def _covariance(settings: dict[str, float]) -> Covariance:
    """Return the covariance whose settings, but for drifts, have these logarithms."""
    plain = {name: value if name.endswith("drift") else float(np.exp(value)) for name, value in settings.items()}
    background = Gaussian(BASIN, plain.pop("background_time_scale"), plain.pop("background_sigma"))
    return ArhanColinDeVerdiere(**plain) + background
