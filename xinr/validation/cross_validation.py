"""Cross-validation over whole missions or passes of the training data."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import xarray as xr

from xinr._typing import Array
from xinr.geo.frames import frame_around
from xinr.geo.points import Points
from xinr.methods.method import Method
from xinr.methods.predictor import ErrorPredictor
from xinr.methods.search import Fold
from xinr.observations.observations import Observations
from xinr.validation.sampling import Tracks, fit_predictor, prepared, sampled

Folds = Literal["mission", "pass"]
#: Passes are dealt into this many folds.
PASS_FOLDS = 5


def cross_validate(
    tracks: Tracks, method: str | Method = "oi", folds: Folds | None = None, seed: int = 0, **options: Any
) -> xr.DataArray:
    """Fit without one mission (or one fifth of the passes) and predict it, in turn.

    Never split points at random along a pass: neighbours share their errors, and the score would flatter.

    Parameters
    ----------
    tracks : Dataset, DataArray or Observations
        The training data.
    method : str or Method
        What to judge.
    folds : {"mission", "pass"}, optional
        What is withheld in turn: by default each mission, of a single one a fifth of the passes.
    seed : int
        Of the deal of passes into folds.
    **options
        Keywords of the tracks (``variable``, ``lwe``, ``mdt``, ``noise``, ``region``), and settings of the method: see
        `xinr.fit`.

    Returns
    -------
    DataArray
        Root mean square misfit at the withheld points [m], noise included; dim ``fold``.

    Raises
    ------
    ValueError
        Fewer than two missions or passes to part, or an unknown way to part them.

    Examples
    --------
    >>> from xinr.simulate import eddies, tracks
    >>> seen = tracks(eddies(waves=9), ["j3", "s3a"], region=(300.0, 304.0, 36.0, 40.0))
    >>> cross_validate(seen, "oi", analysis_step=4.0).fold.values.tolist()
    ['j3', 's3a']
    """
    observations, method = prepared(tracks, method, options)
    return rmse_by_fold(observations, method, folds or usual_folds(observations), seed)


def usual_folds(observations: Observations) -> Folds:
    """Return how observations are parted unless told: by missions, the passes of a single one."""
    return "mission" if len(np.unique(observations.mission_index)) > 1 else "pass"


def rmse_by_fold(observations: Observations, method: Method, folds: Folds, seed: int) -> xr.DataArray:
    """Return what `cross_validate` does, of observations."""
    rmse: dict[str, float] = {}
    for label, train, withheld in parted(observations, folds, seed):
        frame, predictor = fit_predictor(train, method)
        x = frame.project(withheld.longitude, withheld.latitude, withheld.time)
        rmse[label] = float(np.sqrt(np.mean((predictor.predict(Points.of(x)) - withheld.value) ** 2)))
    attrs = {"units": "m", "long_name": f"root mean square misfit of each withheld {folds}"}
    return xr.DataArray(list(rmse.values()), {"fold": list(rmse)}, "fold", name="rmse", attrs=attrs)


def sampled_folds(
    observations: Observations, method: Method, folds: Folds, seed: int, *, averaged: bool = False
) -> list[Fold]:
    """Return the folds as a method sees them, in the frame around all; what is withheld is averaged only if asked."""
    frame = frame_around(method.frame, observations.longitude, observations.latitude, observations.time)
    factor = method.coarsen if averaged else 1
    return [
        Fold(*sampled(train.coarsen(method.coarsen), method, frame), *sampled(withheld.coarsen(factor), method, frame))
        for _, train, withheld in parted(observations, folds, seed)
    ]


def expected_misfits(observations: Observations, method: Method, folds: Folds, seed: int) -> tuple[Array, Array] | None:
    """Return the misfits at withheld observations, averaged as those mapped, and how large each is expected to be.

    None for a method without formal errors.
    """
    misfits, deviations = [], []
    for _, train, withheld in parted(observations, folds, seed):
        frame, predictor = fit_predictor(train, method)
        if not isinstance(predictor, ErrorPredictor):
            return None
        x, y, error = sampled(withheld.coarsen(method.coarsen), method, frame)
        value, deviation = predictor.posterior(Points.of(x))
        misfits.append(y - value)
        deviations.append(np.sqrt(deviation**2 + error.variance))
    return np.concatenate(misfits), np.concatenate(deviations)


def parted(observations: Observations, folds: Folds, seed: int) -> Iterator[tuple[str, Observations, Observations]]:
    """Yield the label of each fold, the observations of all others, and its own."""
    if folds == "mission":
        fold, labels = observations.mission_index, list(observations.missions)
    elif folds == "pass":
        passes, number = np.unique(observations.pass_index, return_inverse=True)
        deal = np.random.default_rng(seed).permutation(len(passes)) % PASS_FOLDS
        fold, labels = deal[number], [f"passes {k}" for k in range(PASS_FOLDS)]
    else:
        raise ValueError(f"folds must be 'mission' or 'pass', got {folds!r}.")
    present = np.unique(fold)
    if len(present) < 2:
        cure = 'part it by passes, folds="pass"' if folds == "mission" else "take a longer period or a larger region"
        raise ValueError(f"cross-validation withholds each {folds} in turn, and there is only {len(present)}: {cure}.")
    for k in present:
        yield labels[k], observations.take(fold != k), observations.take(fold == k)
