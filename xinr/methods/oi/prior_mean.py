"""The mean about which optimal interpolation maps."""

from __future__ import annotations

from xinr._typing import Array

#: A mean this many standard deviations of the observations from zero is no anomaly's.
FAR_FROM_ZERO = 3.0


def prior_mean(mean: float | None, y: Array) -> float:
    """Return the mean as set, else zero, or the mean of observations y (n,) where that is far from zero.

    Optimal interpolation of anomalies has a mean of zero: what is far from all observations is mapped as such. Heights
    above the ellipsoid would fall from tens of metres to zero there.

    Examples
    --------
    >>> import numpy as np
    >>> prior_mean(None, np.array([0.1, -0.2, 0.3])), prior_mean(None, np.array([-35.1, -34.9]))
    (0.0, -35.0)
    """
    if mean is not None:
        return mean
    centre = float(y.mean())
    return centre if abs(centre) > FAR_FROM_ZERO * float(y.std()) else 0.0
