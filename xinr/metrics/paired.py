"""Scores of several predictions on the same points, with paired bootstrap intervals of their differences."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from xinr._typing import Array, Region
from xinr.geo.cf import attributes
from xinr.metrics.along_track import DESCRIPTIONS, QUANTILES, score, track_sums
from xinr.metrics.points import ssh_of


def score_pairs(
    predictions: Mapping[str, xr.Dataset],
    reference: xr.Dataset,
    *,
    protocol: str = "dc2021a",
    region: Region | None = None,
    period: tuple[str, str] | None = None,
    segment_length: float = 1000.0,
    resamples: int = 1000,
    seed: int = 0,
) -> xr.Dataset:
    """Score several predictions on the points that all of them have, and compare each pair.

    Parameters
    ----------
    predictions : mapping of str to Dataset
        By name: each on the points of the reference, as for `xinr.metrics.score`.
    reference : Dataset
        The withheld track.
    protocol, region, period, segment_length, resamples, seed
        See `xinr.metrics.score`.

    Returns
    -------
    Dataset
        The result of `xinr.metrics.score`, along ``prediction``; and for `mu`, `sigma`, `lambda_x` and `rmse` the
        ``_difference`` (prediction, other), the score of the first minus that of the second, with its
        ``_difference_interval`` (prediction, other, quantile). Differences of an undefined `lambda_x` are NaN.

    Raises
    ------
    ValueError
        No prediction, or what `xinr.metrics.score` refuses.

    Notes
    -----
    Scores of different methods on one pass are correlated. Each resample therefore has the same passes (days for mu and
    sigma) for every method, and the interval is that of their differences, narrower than intervals of single scores
    suggest. It holds for other passes of the same season, not for another season.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 8 (paired data), doi:10.1201/9780429246593

    Examples
    --------
    >>> time = np.datetime64("2017-01-01", "ns") + 943_400_000 * np.arange(400)
    >>> truth = xr.Dataset({"ssh": ("time", np.random.default_rng(0).normal(size=400))}, {"time": time})
    >>> table = score_pairs({"good": 0.9 * truth, "bad": 0.7 * truth}, truth, protocol="strict", resamples=10)
    >>> table.mu.round(3).values, table.mu_difference.sel(prediction="good", other="bad").round(3).item()
    (array([0.9, 0.7]), 0.2)
    """
    if not predictions:
        raise ValueError("no prediction to score: expected {name: Dataset}, got an empty mapping.")
    rules: dict[str, Any] = {"protocol": protocol, "region": region, "period": period, "segment_length": segment_length}
    shared = _on_shared_points(predictions, reference)
    scored = [score(each, reference, **rules, resamples=resamples, seed=seed) for each in shared.values()]
    names = xr.DataArray(list(shared), dims="prediction", name="prediction")
    out = xr.concat(
        scored, names, combine_attrs="override", data_vars="all", coords="minimal", compat="override", join="exact"
    )
    samples = [track_sums(each, reference, **rules)[1].bootstrap(resamples, seed) for each in shared.values()]
    return out.merge(_differences(out, samples)).assign_coords(other=("other", list(shared)))


def _on_shared_points(predictions: Mapping[str, xr.Dataset], reference: xr.Dataset) -> dict[str, xr.Dataset]:
    """Return the predictions, NaN wherever one of them is."""
    levels = {name: ssh_of(each, f"the prediction {name!r}") for name, each in predictions.items()}
    sizes = {name: height.size for name, height in levels.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"the predictions must be on the same points, those of the reference: got {sizes} of them.")
    missing = np.any([~np.isfinite(height) for height in levels.values()], axis=0)
    return {
        name: each.assign(ssh=(each[next(iter(each.dims))].dims, np.where(missing, np.nan, levels[name])))
        for name, each in predictions.items()
    }


def _differences(scores: xr.Dataset, samples: list[dict[str, Array]]) -> xr.Dataset:
    """Return the differences of every pair, and their intervals."""
    out = xr.Dataset()
    for name, (units, text) in DESCRIPTIONS.items():
        values = scores[name].values
        drawn = np.array([sample.get(name, np.empty(0)) for sample in samples])  # (methods, resamples)
        ends = np.full((*2 * values.shape, len(QUANTILES)), np.nan)
        for i, j in product(range(len(drawn)), repeat=2):
            both = (drawn[i] - drawn[j])[np.isfinite(drawn[i]) & np.isfinite(drawn[j])]
            if both.size:
                ends[i, j] = np.quantile(both, QUANTILES)
        attrs = attributes(units, f"score of prediction minus that of other: {text}")
        out[f"{name}_difference"] = (("prediction", "other"), values[:, None] - values, attrs)
        attrs = attributes(units, f"95 % bootstrap interval, the same passes for both: {text}")
        out[f"{name}_difference_interval"] = (("prediction", "other", "quantile"), ends, attrs)
    return out
