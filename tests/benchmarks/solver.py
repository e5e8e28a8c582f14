"""The solver of kriging: its iterations against plain conjugate gradients, and what bounds its speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from tests.benchmarks.measures import Measurement, fastest
from xinr._typing import Array
from xinr.challenges import Challenge
from xinr.methods.kriging.conditioning import Conditioning
from xinr.methods.kriging.lattice import STENCIL
from xinr.methods.kriging.method import Kriging
from xinr.methods.observation_error import ObservationError
from xinr.validation.sampling import sampled

#: Relative residual of the solution that others are measured by, and iterations that plain ones may take.
EXACT, MOST = 1e-7, 5000
#: Length of the transforms, many at once, whose rate is that of the machine; and bytes copied to find its memory's.
CACHED, COPIED = 1024, 1 << 28


def iterations(challenge: Challenge) -> Iterator[Measurement]:
    """Count the iterations of plain and of preconditioned conjugate gradients, and what the tolerance does."""
    method = Kriging()
    x, y, error = observed(challenge, method)
    lattice = method.lattice(x)
    power = lattice.power(method.signal)
    problem = Conditioning(lattice, power, x, error, torch.device("cpu"), torch.float64)
    heights = problem.move((y - y.mean())[:, None])
    exact = problem.signal_covariance(problem.solve(heights, EXACT).weights)
    found = problem.solve(heights, method.tolerance)
    off = _relative(problem.signal_covariance(found.weights), exact)
    what = f"{len(y)} observations, signal there within {100 * off:.2g} % of the exact solution"
    yield Measurement(f"preconditioned iterations, {what}", f"{len(found.residuals)}")
    plain = next((n for n, signal in _plain(problem, heights) if _relative(signal, exact) <= off), None)
    yield Measurement("plain iterations to the same", f"{plain or f'more than {MOST}'}")
    for part in (2.0, 1.0, 0.5):
        tolerance = part * method.tolerance
        field = challenge.fit(replace(method, tolerance=tolerance))
        table, count = challenge.score(field), field.history.sizes["check"]
        score = f"{100 * float(table.rmse):.4f} cm, mu {float(table.mu):.5f}"
        yield Measurement(f"score on the withheld track at tolerance {tolerance:g}, {count} iterations", score)


def observed(challenge: Challenge, method: Kriging) -> tuple[Array, Array, ObservationError]:
    """Return positions, values and errors of a challenge's observations, as the method gets them."""
    return sampled(challenge.observations.coarsen(method.coarsen), method)


def machine(challenge: Challenge, repeats: int) -> Iterator[Measurement]:
    """Share out the time of a fit, and compare transforms and sparse products with what the machine can do."""
    method = Kriging()
    x, y, error = observed(challenge, method)
    started = perf_counter()
    fitted = method.fit(x, y, error)
    whole = perf_counter() - started
    count = 2 * len(fitted.history["residual"])  # of the observations and of the constant drift
    problem = method.conditioning(method.lattice(x), x, error)
    seconds = fastest(_parts(problem, len(y)), 10 * repeats)
    shape = problem.lattice.shape
    yield Measurement(f"fit, lattice {shape[0]} x {shape[1]} x {shape[2]}, {len(y)} observations", f"{whole:.2f} s")
    for name, spent in seconds.items():
        share = 100 * count * spent / whole
        yield Measurement(f"{name}, {count} times", f"{1e3 * spent:.2f} ms each, {share:.0f} % of the fit")
    size = problem.lattice.size
    flops = 2.5 * size * np.log2(size)
    rate, bandwidth = machine_rates(size, repeats)
    for name in ("forward transform", "inverse transform"):
        reached = flops / seconds[name]
        yield Measurement(f"rate of the {name}", _of(reached / 1e9, rate / 1e9, "GFLOP/s", "transforms in cache"))
    moved = 8 * STENCIL * len(y)
    for name in ("spreading product", "gathering product"):
        yield Measurement(
            f"weights read by the {name}", _of(moved / seconds[name] / 1e9, bandwidth / 1e9, "GB/s", "a copy")
        )


def machine_rates(size: int, repeats: int) -> tuple[float, float]:
    """Return the rates of short transforms of about that many numbers [flop/s] and of a copy [bytes/s]."""
    rows = torch.randn(max(size // CACHED, 1), CACHED)
    origin, copy = torch.zeros(2, COPIED // 4)
    tasks = {"transform": lambda: torch.fft.rfft(rows), "copy": lambda: copy.copy_(origin)}
    seconds = fastest(tasks, 3 * repeats)
    return 2.5 * rows.numel() * np.log2(CACHED) / seconds["transform"], 2.0 * COPIED / seconds["copy"]


def _parts(problem: Conditioning, n: int) -> dict[str, Callable[[], object]]:
    """Return the parts of one iteration for one column."""
    shape = problem.lattice.shape
    weights = torch.randn(n, 1)
    values = torch.randn(shape)
    spectrum = torch.fft.rfftn(values)
    return {
        "forward transform": lambda: torch.fft.rfftn(values),
        "inverse transform": lambda: torch.fft.irfftn(spectrum, s=shape),
        "spreading product": lambda: problem.attached.transposed(weights[:, 0]),
        "gathering product": lambda: problem.attached @ values.reshape(-1),
        "product with the spectrum": lambda: problem.power * spectrum,
        "inverse of the errors": lambda: problem.errors.solve(weights),
    }


def _plain(problem: Conditioning, y: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yield the signal at the observations, ``G α``, after each iteration of conjugate gradients on (G + R) α = y."""
    residual = direction = y
    signal = torch.zeros_like(y)
    norm = (residual**2).sum()
    for n in range(1, MOST + 1):
        seen = problem.signal_covariance(direction)
        image = seen + problem.errors.times(direction)
        length = norm / (direction * image).sum()
        signal = signal + length * seen
        yield n, signal
        residual = residual - length * image
        previous, norm = norm, (residual**2).sum()
        direction = residual + norm / previous * direction


def _relative(signal: Tensor, exact: Tensor) -> float:
    return float(torch.linalg.norm(signal - exact) / torch.linalg.norm(exact))


def _of(reached: float, possible: float, unit: str, what: str) -> str:
    return f"{reached:.1f} of {possible:.1f} {unit} of {what}, {100 * reached / possible:.0f} %"
