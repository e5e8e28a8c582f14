"""Windows that share most of their observations, solved together."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.blas import ssyrk

from xinr._typing import Array
from xinr.methods.covariances import Covariance
from xinr.methods.observation_error import ObservationError

#: Share of its largest window that a group of windows must have in common: with less, more iterations.
CORE = 0.55
#: Observations of a group of windows, at most: its matrices take 12 n² = 1.2 GB.
LARGEST_GROUP = 10_000
#: Rows of a covariance built at once, so that they stay in the cache.
ROWS = 48
#: Relative error of a solution, in the norm of the inverse covariance of the observations.
ACCURACY = 1e-8
#: Iterations after which single precision is given up.
MOST_ITERATIONS = 40


def grouped(windows: Sequence[slice]) -> Iterator[range]:
    """Part windows, which begin and end in ascending order, into ranges of those that share a core of observations.

    Examples
    --------
    >>> list(grouped([slice(0, 10), slice(2, 12), slice(4, 14), slice(6, 16), slice(20, 30)]))
    [range(0, 3), range(3, 4), range(4, 5)]
    """
    begin = 0
    for end in range(1, len(windows) + 1):
        if end == len(windows) or not _together(windows[begin : end + 1]):
            yield range(begin, end)
            begin = end


def solve_windows(
    covariance: Covariance, error: ObservationError, x: Array, y: Array, windows: Sequence[slice]
) -> list[Array]:
    """Return the weights ``(K + R)⁻¹ y`` of each window of a group of `grouped`, none of them empty.

    Observations x (n, d) and y (n,) are in order of time; ``error`` is of all of them.

    Notes
    -----
    1. Order the observations of all windows: the core C that the windows share, then its wings, before and after it in
       time, each from the core outward. The observations of a window are then C and a leading piece of each wing.
    2. Factor by Cholesky in single precision: C, then each wing given C (its Schur complement). What the wings know of
       each other beyond C is left out; they are days apart. Leading pieces of a factor are factors of leading pieces,
       so that one factor serves all windows.
    3. It preconditions conjugate gradients in double precision with the whole matrix, for all windows at once.

    With ``A = K + R``, residual r and any point whose covariances are k, the map errs by
    ``kᵀ A⁻¹ r <= sigma (rᵀ A⁻¹ r)^½``, which the preconditioner estimates: iterations end when that has fallen by
    ``ACCURACY``. Where single precision fails, as with noise very small relative to the signal, each window is factored
    by itself in double precision.
    """
    try:
        return _solve_together(covariance, error, x, y, windows)
    except np.linalg.LinAlgError:
        return [cho_solve(factor(covariance, error, x, near), y[near], check_finite=False) for near in windows]


def factor(covariance: Covariance, error: ObservationError, x: Array, near: slice) -> tuple[Array, bool]:
    """Return the Cholesky factor of ``K + R`` of one window in double precision, for `scipy.linalg.cho_solve`."""
    matrix = lower_triangle(covariance, x[near])
    error.add_to(matrix, near)
    # Its transpose is in the order of LAPACK, which then factors it in place.
    return cholesky(matrix.T, lower=False, overwrite_a=True, check_finite=False), False


def lower_triangle(covariance: Covariance, x: Array) -> Array:
    """Return the covariance between points x (n, d), (n, n), zero above the blocks of ``ROWS`` along its diagonal."""
    matrix = np.zeros((len(x), len(x)))
    for start in range(0, len(x), ROWS):
        stop = start + ROWS
        matrix[start:stop, :stop] = covariance.value(x[start:stop], x[:stop])
    return matrix


def _product(matrix: Array, columns: Array) -> Array:
    """Multiply by a symmetric matrix of which only the `lower_triangle` is filled, read from memory once."""
    total = np.zeros_like(columns)
    for start in range(0, len(matrix), ROWS):
        rows = matrix[start : start + ROWS]
        stop = start + len(rows)
        total[start:stop] += rows[:, :stop] @ columns[:stop]
        total[:start] += rows[:, :start].T @ columns[start:stop]
    return total


def _together(windows: Sequence[slice]) -> bool:
    largest = max(near.stop - near.start for near in windows)
    shared = windows[0].stop - windows[-1].start
    return bool(shared >= CORE * largest and windows[-1].stop - windows[0].start <= max(LARGEST_GROUP, largest))


def _solve_together(
    covariance: Covariance, error: ObservationError, x: Array, y: Array, windows: Sequence[slice]
) -> list[Array]:
    first, begin, end, last = windows[0].start, windows[-1].start, windows[0].stop, windows[-1].stop
    order = np.concatenate([np.arange(begin, end), np.arange(first, begin)[::-1], np.arange(end, last)])
    within = np.stack([(order >= near.start) & (order < near.stop) for near in windows], axis=1)
    matrix = lower_triangle(covariance, x[order])
    error.take(order).add_to(matrix, slice(None))
    core, middle = end - begin, end - first
    preconditioner = _Preconditioner(matrix, core, [slice(core, middle), slice(middle, last - first)], within)

    def product(columns: Array) -> Array:
        return np.asarray(_product(matrix, columns) * within)

    solution = _conjugate_gradients(product, preconditioner.solve, y[order, None] * within)
    ranks = np.argsort(order)
    return [solution[ranks[near.start - first : near.stop - first], i] for i, near in enumerate(windows)]


class _Preconditioner:
    """Factor of a group in single precision: its core, and each wing given the core."""

    def __init__(self, matrix: Array, core: int, wings: Sequence[slice], within: NDArray[np.bool_]) -> None:
        self.core, self.within = slice(0, core), within
        self.wings = [wing for wing in wings if wing.start < wing.stop]
        self.root = _upper_root(matrix[:core, :core].T.astype(np.float32))
        self.links = [self._solve_core(matrix[wing, :core].T.astype(np.float32, order="F")) for wing in self.wings]
        self.roots = [
            _upper_root(ssyrk(-1.0, link, beta=1.0, c=matrix[wing, wing].T.astype(np.float32), trans=1, overwrite_c=1))
            for link, wing in zip(self.links, self.wings, strict=True)
        ]

    def solve(self, residual: Array) -> Array:
        """Return an approximate ``A⁻¹ r`` of each window, (n, windows), zero outside of it."""
        z = residual.astype(np.float32, order="F")
        z[self.core] = self._solve_core(z[self.core])
        for wing, link, root in zip(self.wings, self.links, self.roots, strict=True):
            outward = _solve_triangular(root, z[wing] - link.T @ z[self.core], trans=1) * self.within[wing]
            z[wing] = _solve_triangular(root, outward, trans=0)
        for wing, link in zip(self.wings, self.links, strict=True):
            z[self.core] -= link @ z[wing]
        z[self.core] = _solve_triangular(self.root, z[self.core], trans=0)
        return z.astype(np.float64)

    def _solve_core(self, columns: NDArray[np.float32]) -> NDArray[np.float32]:
        return _solve_triangular(self.root, columns, trans=1)


def _upper_root(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cholesky(matrix, lower=False, overwrite_a=True, check_finite=False))


def _solve_triangular(root: NDArray[np.float32], columns: NDArray[np.float32], *, trans: int) -> NDArray[np.float32]:
    return np.asarray(solve_triangular(root, columns, trans=trans, check_finite=False))


def _conjugate_gradients(product: Callable[[Array], Array], precondition: Callable[[Array], Array], y: Array) -> Array:
    """Solve for each column of y; LinAlgError where that takes too many iterations."""
    weights, residual = np.zeros_like(y), y.copy()
    direction = precondition(residual)
    norm = first = _inner(residual, direction)
    for _ in range(MOST_ITERATIONS):
        image = product(direction)
        length = _ratio(norm, _inner(direction, image))
        weights += length * direction
        residual -= length * image
        seen = precondition(residual)
        previous, norm = norm, _inner(residual, seen)
        if (norm <= ACCURACY**2 * first).all():
            return weights
        direction = seen + _ratio(norm, previous) * direction
    raise np.linalg.LinAlgError("single precision does not do")


def _inner(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->j", a, b))


def _ratio(a: Array, b: Array) -> Array:
    """Return a / b, zero where a column has converged exactly."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)
