"""The simulated ocean: its speed, its accuracy, its statistics.

``python -m tests.benchmarks.simulation`` prints the figures of docs/simulation.md, and
``--figure qg.png`` draws its picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tests.benchmarks.measures import Measurement, print_parts, rms
from xinr.challenges.leaderboard.evaluation import timed
from xinr.geo.points import Points
from xinr.plots.style import COLOURS, DPI, LABEL, TITLE
from xinr.simulate import TwoLayer, as_field, derivatives, qg

Array = NDArray[np.float64]

#: Wavelengths between which the slope of the spectrum is fitted [km].
MESOSCALE = (100.0, 250.0)
#: No sources and no losses.
FREE: dict[str, Any] = {"drag_time": np.inf, "damping_time": np.inf, "upper_current": 0.0, "lower_current": 0.0}


def speed(days: int, points: int) -> Iterator[Measurement]:
    """Time a run in both precisions."""
    for dtype in ("float64", "float32"):
        _, seconds = timed(lambda: qg(days, points=points, dtype=dtype, device="cpu"))  # noqa: B023
        yield Measurement(f"{points} x {points}, {days} days, {dtype}", f"{seconds:.1f} s")


def accuracy(days: int, points: int) -> Iterator[Measurement]:
    """Measure what time steps, single precision and the spline lose, and what an ocean without losses keeps."""
    start = qg(0, points=points)
    exact = qg(days, restart=start, interval=days, step=0.25)["ssh"]
    for name, dtype in {"the usual step": "float64", "the usual step in float32": "float32"}.items():
        error = abs(qg(days, restart=start, interval=days, dtype=dtype)["ssh"] - exact).max()
        yield Measurement(f"greatest error of ssh after {days} days, {name}", f"{1e3 * float(error):.3f} mm")
    for name, step in {"the usual step": None, "steps of half an hour": 0.5}.items():
        free = qg(days, restart=start, interval=days, step=step, **FREE)
        for invariant in ("energy", "enstrophy"):
            drift = float(free[invariant][-1] / start[invariant][0]) - 1.0
            yield Measurement(f"drift of {invariant} in {days} days without losses, {name}", f"{drift:.1e}")


def spline(points: int) -> Iterator[Measurement]:
    """Compare the derivatives of the Field with the exact ones, on the model's grid."""
    ds = qg(6, points=points)
    inner, truth = ds.isel(time=slice(3, 4)), as_field(ds)
    x, y = (axis.ravel() for axis in np.meshgrid(inner["x"], inner["y"]))
    at = np.stack([x, y, np.full_like(x, 3.0)], axis=1)
    east, north = (np.tile(np.eye(3)[axis], (len(at), 1)) for axis in (0, 1))
    slope = truth.predictor.gradient(Points.of(at))[:, :2] / 1e3
    curved = (truth.predictor.curvature(Points.of(at), east) + truth.predictor.curvature(Points.of(at), north)) / 1e6
    exact = derivatives(inner)
    slopes = np.stack([exact["dssh_dx"].values.ravel(), exact["dssh_dy"].values.ravel()], axis=1)
    yield Measurement("error of the spline's slopes, rms over rms", f"{rms(slope - slopes) / rms(slopes):.1e}")
    laplacian = exact["laplacian_ssh"].values.ravel()
    yield Measurement("error of its Laplacian", f"{rms(curved - laplacian) / rms(laplacian):.1e}")


def statistics(ds: xr.Dataset) -> Iterator[Measurement]:
    """Describe an ocean: heights, currents, spectrum, decorrelation."""
    ssh, current = ds["ssh"], np.hypot(ds["u"].values, ds["v"].values)
    yield Measurement("ssh, rms", f"{100 * float(ssh.std()):.1f} cm")
    yield Measurement("current, mean and rms", f"{100 * float(current.mean()):.0f} and {100 * rms(current):.0f} cm/s")
    yield Measurement("vorticity over f, rms", f"{rms(_vorticity(ds)):.2f}")
    number, power = isotropic(ds)
    yield Measurement("wavelength of the most variance", f"{1.0 / number[power.argmax()]:.0f} km")
    number, power = along(ds)
    between = (number > 1.0 / MESOSCALE[1]) & (number < 1.0 / MESOSCALE[0])
    slope = np.polyfit(np.log(number[between]), np.log(power[between]), 1)[0]
    yield Measurement("slope of the spectrum along a line, 250 to 100 km", f"{slope:.1f}")
    days = np.timedelta64(10, "D") // (ds["time"].values[1] - ds["time"].values[0])
    late, early = ssh.values[days:], ssh.values[:-days]
    yield Measurement(
        "correlation after 10 days at a point", f"{float((late * early).mean() / (ssh.values**2).mean()):.2f}"
    )


def isotropic(ds: xr.Dataset) -> tuple[Array, Array]:
    """Return wavenumbers [cycles/km] and the variance of ssh in rings of one wavenumber of the square."""
    points = ds.sizes["x"]
    side = points * float(ds["x"][1] - ds["x"][0])
    power = (np.abs(np.fft.fft2(ds["ssh"].values)) ** 2).mean(axis=0)
    whole = np.fft.fftfreq(points, 1.0 / points)
    ring = np.round(np.hypot(whole, whole[:, None])).astype(int)
    sums = np.bincount(ring.ravel(), power.ravel())[1 : points // 2]
    return np.arange(1, points // 2) / side, sums


def along(ds: xr.Dataset) -> tuple[Array, Array]:
    """Return wavenumbers [cycles/km] and the power spectral density [m² km] of ssh along lines east and north."""
    values, spacing = ds["ssh"].values, float(ds["x"][1] - ds["x"][0])
    length = values.shape[-1]
    spectra = [(np.abs(np.fft.rfft(lines, axis=-1)) ** 2).mean((0, 1)) for lines in (values, values.swapaxes(1, 2))]
    return np.fft.rfftfreq(length, spacing)[1:], np.mean(spectra, axis=0)[1:] * 2.0 * spacing / length


def draw(ds: xr.Dataset) -> Figure:
    """Draw height and vorticity at the last time, and the spectrum along lines."""
    figure = Figure(figsize=(13.0, 4.1), layout="constrained", dpi=DPI)
    axes = figure.subplots(1, 3, width_ratios=(1.0, 1.0, 0.85))
    last = ds.isel(time=-1)
    vorticity = _vorticity(ds.isel(time=slice(-1, None)))[0]
    _map(axes[0], last, 100.0 * last["ssh"].values, "sea surface height anomaly [cm]", "RdBu_r")
    _map(axes[1], last, vorticity, "relative vorticity / f", "PuOr_r")
    _spectrum(axes[2], ds)
    return figure


def _map(axes: Axes, ds: xr.Dataset, values: Array, title: str, colours: str) -> None:
    limit = np.quantile(np.abs(values), 0.998)
    drawn = axes.pcolormesh(ds["x"], ds["y"], values, vmin=-limit, vmax=limit, cmap=colours, rasterized=True)
    axes.figure.colorbar(drawn, ax=axes, shrink=0.9)
    axes.set(aspect="equal", xlabel="east [km]", ylabel="north [km]")
    axes.set_title(title, fontsize=TITLE)


def _spectrum(axes: Axes, ds: xr.Dataset) -> None:
    number, power = along(ds)
    kept = number < TwoLayer(points=ds.sizes["x"]).truncation / (ds.sizes["x"] * float(ds["x"][1] - ds["x"][0]))
    axes.loglog(1.0 / number[kept], power[kept], color=COLOURS[0], linewidth=2.0)
    ends = np.array(MESOSCALE)
    middle = float(np.interp(np.log(150.0), np.log(1.0 / number[::-1]), power[::-1]))
    for slope, style in ((4.0, ":"), (5.0, "--")):
        axes.loglog(ends, 2.5 * middle * (ends / 150.0) ** slope, style, color="0.35", label=f"slope −{slope:.0f}")
    axes.invert_xaxis()
    ticks = (1000, 500, 250, 100, 50)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("wavelength [km]", fontsize=LABEL)
    axes.set_ylabel("m² km", fontsize=LABEL)
    axes.set_title("its spectrum along lines", fontsize=TITLE)
    axes.legend()
    axes.grid(alpha=0.25)


def _vorticity(ds: xr.Dataset) -> Array:
    return np.asarray(derivatives(ds, "psi")["laplacian_psi"].values / TwoLayer().f)


def main(
    days: Annotated[int, typer.Option(help="Length of the timed run.")] = 400,
    points: Annotated[int, typer.Option(help="Grid points along a side.")] = 128,
    figure: Annotated[Path | None, typer.Option(help="Where to draw the picture.")] = None,
) -> None:
    """Print the figures of docs/simulation.md."""
    ds = qg(days, points=points)
    parts = {
        "statistics": lambda: statistics(ds),
        "accuracy": lambda: accuracy(10, points),
        "spline": lambda: spline(points),
        "speed": lambda: speed(days, points),
    }
    print_parts(parts)
    if figure is not None:
        draw(ds.isel(time=slice(None, None, 5))).savefig(figure)


if __name__ == "__main__":
    typer.run(main)
