"""Spectra and errors of a track by pass, so that whole passes can be resampled."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array

Int = NDArray[np.intp]

VELOCITY = 6.77  # km/s, of the altimeter over the ground
MAX_GAP = 4.0  # s; a longer one cuts the track into passes
SAME_SAMPLING = 1.2  # ratio of sampling intervals; those of 1 Hz altimeters, 0.94 to 1.08 s, count as the same
STEP_FRACTION = 0.25  # of a segment, from one segment's start to the next
MIN_SEGMENT_POINTS = 8
MIN_DAILY_POINTS = 10
BATCH_SIZE = 2_000_000  # resamples times passes in memory at once


def _published_bounds(first: Int, stop: Int, npt: int) -> tuple[Int, Int]:
    """Return the range of segment starts in each pass as in the challenge's code.

    That code starts at the last point of the previous pass, omits the last pass, and gives no segment to a pass of
    exactly `npt` points.
    """
    last = stop - 1
    begin = np.concatenate([[0], last[:-1]])
    end = last - npt
    end[-1] = begin[-1]
    return begin, end


def _exact_bounds(first: Int, stop: Int, npt: int) -> tuple[Int, Int]:
    """Return the range of segment starts such that each segment lies within its pass."""
    return first, stop - npt + 1


def sorted_crossing(score: Array, wavelength: Array) -> Array:
    """Return where `score` (b, k) is 0.5, interpolated in the wavelength (k,) over the *sorted* score.

    This is the challenge's formula; it is arbitrary where the score is not monotone.
    """
    found = np.full(len(score), np.nan)
    for row, values in enumerate(score):
        valid = np.isfinite(values)
        order = np.argsort(values[valid], kind="stable")
        if valid.any():
            x, y = values[valid][order], wavelength[valid][order]
            found[row] = np.interp(0.5, x, y, left=np.nan, right=np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def first_crossing(score: Array, wavelength: Array) -> Array:
    """Return where `score` (b, k) first falls through 0.5 from long to short waves.

    Linear in `wavelength` (k,), which decreases along k; an infinite one (the mean) is left out.
    """
    finite = np.isfinite(wavelength)
    score, wavelength = score[:, finite], wavelength[finite]
    falls = (score[:, :-1] >= 0.5) & (score[:, 1:] < 0.5)
    if falls.shape[1] == 0:
        return np.full(len(score), np.nan)
    i = falls.argmax(axis=1)
    above = np.take_along_axis(score, i[:, None], axis=1)[:, 0]
    below = np.take_along_axis(score, i[:, None] + 1, axis=1)[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = wavelength[i] + (above - 0.5) / (above - below) * (wavelength[i + 1] - wavelength[i])
    return np.where(falls.any(axis=1), found, np.nan)


@dataclass(frozen=True)
class Protocol:
    """A way of computing the spectral score."""

    delta_t: float | None
    """Time step [s] of the track; None takes the median step within the passes, repeated times aside."""
    bounds: Callable[[Int, Int, int], tuple[Int, Int]]
    """(first, stop, npt) of the passes -> range of the segment starts in each."""
    crossing: Callable[[Array, Array], Array]
    """(score, wavelength) -> wavelength where the score is 0.5."""


PROTOCOLS: dict[str, Protocol] = {
    "dc2021a": Protocol(delta_t=0.9434, bounds=_published_bounds, crossing=sorted_crossing),
    "strict": Protocol(delta_t=None, bounds=_exact_bounds, crossing=first_crossing),
}


@dataclass(frozen=True)
class Passes:
    """Where the passes and spectral segments of a sorted track begin (indices of points), and the day of each point."""

    crossing: Callable[[Array, Array], Array]
    delta_x: float  #: Distance between points [km].
    npt: int  #: Points per segment.
    first: Int  #: First point of each pass.
    segment_first: Int
    segment_pass: Int
    day: NDArray[np.datetime64]  #: The days, ascending.
    of_day: Int  #: Day of each point, an index into them: those of several missions share days.

    @classmethod
    def cut(
        cls,
        time: NDArray[np.datetime64],
        mission: NDArray[np.int64],
        protocol: Protocol,
        segment_length: float,
    ) -> Self:
        """Cut tracks, mission after mission, at their time gaps, `segment_length` in km."""
        dt = np.diff(time) / np.timedelta64(1, "s")
        gap = (dt > MAX_GAP) | (np.diff(mission) != 0)
        first = np.flatnonzero(np.concatenate([[True], gap]))
        steps = dt[(dt > 0.0) & ~gap]  # none where points are isolated, without segments
        delta_x = VELOCITY * (protocol.delta_t or (float(np.median(steps)) if steps.size else 1.0))
        npt = _segment_points(segment_length, delta_x)
        _check_sampling(dt, first, npt)
        begin, end = protocol.bounds(first, np.append(first[1:], time.size), npt)
        step = max(int(npt * STEP_FRACTION), 1)
        count = np.maximum(-(-(end - begin) // step), 0)
        rank = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        day, of_day = np.unique(time.astype("datetime64[D]"), return_inverse=True)
        return cls(
            crossing=protocol.crossing,
            delta_x=delta_x,
            npt=npt,
            first=first,
            segment_first=np.repeat(begin, count) + step * rank,
            segment_pass=np.repeat(np.arange(first.size), count),
            day=day,
            of_day=of_day,
        )

    @property
    def wavenumber(self) -> Array:
        """Wavenumbers [1/km] of the spectra, from 0."""
        return np.fft.rfftfreq(self.npt, self.delta_x)

    @property
    def wavelength(self) -> Array:
        """Wavelengths [km] of the spectra, from infinity."""
        with np.errstate(divide="ignore"):
            return 1.0 / self.wavenumber


def _check_sampling(dt: Array, first: Int, npt: int) -> None:
    """Raise ValueError where passes that hold a segment are sampled at different intervals: their spectra differ."""
    ends = np.append(first[1:], dt.size + 1)
    steps = [float(np.median(dt[a : b - 1])) for a, b in zip(first, ends, strict=True) if b - a >= npt]
    if steps and max(steps) > SAME_SAMPLING * min(steps):
        raise ValueError(
            f"the passes are sampled every {min(steps):.3g} to {max(steps):.3g} s, expected one interval: their "
            "spectra have no common wavenumbers. Score each mission by itself, ds.isel(time=ds.mission == 'j3')."
        )


def _segment_points(segment_length: float, delta_x: float) -> int:
    if not MIN_SEGMENT_POINTS * delta_x <= segment_length < np.inf:
        raise ValueError(
            f"segment_length must hold at least {MIN_SEGMENT_POINTS} points, here "
            f"{MIN_SEGMENT_POINTS * delta_x:.4g} km, got {segment_length} km. The challenge takes 1000 km."
        )
    return int(segment_length / delta_x)


@dataclass(frozen=True)
class Sums:
    """Sums per pass and scores per day, from which the scores of any resample of them follow."""

    passes: Passes
    count: Array  #: Points in each pass.
    diff2: Array  #: Sum of squared differences [m2] in each pass.
    psd_ref: Array  #: Sum over the segments of each pass of their spectra [m2 km], (passes, wavenumbers).
    psd_diff: Array
    daily: Array  #: RMSE score of each day, NaN on days of too few points.

    @classmethod
    def of(cls, passes: Passes, ref: Array, diff: Array) -> Self:
        """Sum a reference and the prediction's difference from it, both (points,) in metres."""
        return cls(
            passes,
            count=np.diff(np.append(passes.first, ref.size)).astype(np.float64),
            diff2=np.add.reduceat(diff**2, passes.first),
            psd_ref=_pass_spectra(passes, ref),
            psd_diff=_pass_spectra(passes, diff),
            daily=_daily_scores(passes, ref, diff),
        )

    def statistics(self) -> dict[str, float]:
        """Return `mu`, `sigma` [1], `lambda_x` [km] and `rmse` [m]."""
        once = np.ones((1, self.count.size)), np.ones((1, self._scored.size))
        return {name: float(value[0]) for name, value in self._weighted(*once).items()}

    def bootstrap(self, resamples: int, seed: int) -> dict[str, Array]:
        """Return the statistics (resamples,): passes drawn with replacement, days for `mu` and `sigma`.

        A mean over days is resampled by days: with passes, days would have some of their points only, and worse
        scores than any that was observed.
        """
        rng = np.random.default_rng(seed)
        batch = max(1, BATCH_SIZE // self.count.size)
        sizes = [min(batch, resamples - done) for done in range(0, resamples, batch)]
        parts = [
            self._weighted(_draw(rng, rows, self.count.size), _draw(rng, rows, self._scored.size)) for rows in sizes
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}

    @property
    def _scored(self) -> Array:
        return self.daily[np.isfinite(self.daily)]

    def _weighted(self, passes: Array, days: Array) -> dict[str, Array]:
        """Return the statistics (b,) given how often passes (b, passes) and scored days (b, days) are drawn."""
        daily = self._scored
        centre = daily.mean() if daily.size else 0.0  # against cancellation in the variance
        with np.errstate(invalid="ignore", divide="ignore"):  # no scored day, or no segment: NaN is the answer
            offset = days @ (daily - centre) / days.sum(axis=1)
            variance = days @ (daily - centre) ** 2 / days.sum(axis=1) - offset**2
            psd_score = 1.0 - (passes @ self.psd_diff) / (passes @ self.psd_ref)
        return {
            "mu": centre + offset,
            "sigma": np.sqrt(np.maximum(variance, 0.0)),
            "lambda_x": self.passes.crossing(psd_score, self.passes.wavelength),
            "rmse": np.sqrt((passes @ self.diff2) / (passes @ self.count)),
        }


def _draw(rng: np.random.Generator, rows: int, size: int) -> Array:
    """Return how many times each of `size` items is drawn in `size` draws, (rows, size)."""
    drawn = rng.integers(max(size, 1), size=(rows, size)) + size * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float64)


def _daily_scores(passes: Passes, ref: Array, diff: Array) -> Array:
    """Return ``1 - rms(diff) / rms(ref)`` of each day, NaN on days of too few points."""
    count, ref2, diff2 = (np.bincount(passes.of_day, x) for x in (np.ones_like(ref), ref**2, diff**2))
    valid = (count >= MIN_DAILY_POINTS) & (ref2 > 0)
    return np.where(valid, 1.0 - np.sqrt(diff2 / np.where(valid, ref2, 1.0)), np.nan)


def _pass_spectra(passes: Passes, values: Array) -> Array:
    """Return the sum of the segments' periodograms in each pass, (passes, wavenumbers).

    Welch's method without overlap over the concatenated segments is the mean of their periodograms.
    """
    from scipy.signal import periodogram  # slow to import

    total = np.zeros((passes.first.size, passes.wavenumber.size))
    if passes.segment_first.size:
        segments = values[passes.segment_first[:, None] + np.arange(passes.npt)]
        _, psd = periodogram(segments, fs=1.0 / passes.delta_x, window="hann", detrend="constant")
        np.add.at(total, passes.segment_pass, psd)
    return total
