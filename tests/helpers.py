"""Small synthetic data that several test files share."""

from pathlib import Path

import numpy as np
import xarray as xr

from xinr.methods import ObservationError

#: Real observations, which a clone of the project does not have.
DATA = Path(__file__).parents[2] / "shared" / "data"
START = np.datetime64("2017-01-01T03:00", "ns")


def height(longitude, latitude, time):
    """A smooth anomaly [m]: waves of about 4 degrees that drift within a month."""
    days = (time - START) / np.timedelta64(1, "D")
    return 0.2 * np.sin(1.5 * longitude + 0.1 * days) * np.cos(1.4 * latitude) + 0.05 * np.cos(0.2 * days)


def one_mission(name, *, n_passes=8, n_points=40, seed=0, first=0.0):
    """Passes of 1 Hz points over 300-306 E, 36-40 N, ascending and descending in turn, every 23 hours."""
    rng = np.random.default_rng(seed)
    along = np.linspace(0.0, 1.0, n_points)
    longitude, latitude, time = [], [], []
    for number in range(n_passes):
        upward = along if number % 2 == 0 else along[::-1]
        longitude.append(300.0 + 5.0 * rng.random() + along)
        latitude.append(36.0 + 4.0 * upward * n_points / 80.0 + 1.5 * rng.random())
        start = START + np.timedelta64(int(3600e9 * (first + 23 * number)), "ns")
        time.append(start + np.arange(n_points) * np.timedelta64(10**9, "ns"))
    lon, lat, t = map(np.concatenate, (longitude, latitude, time))
    n = len(t)
    return xr.Dataset(
        {
            "sla_unfiltered": ("time", height(lon, lat, t) + 0.02 * rng.normal(size=n), {"units": "m"}),
            "mdt": ("time", 0.1 * (lat - 38.0), {"units": "m"}),
            "lwe": ("time", np.full(n, 0.01), {"units": "m"}),
        },
        coords={
            "time": t,
            "longitude": ("time", lon, {"units": "degrees_east"}),
            "latitude": ("time", lat, {"units": "degrees_north"}),
            "mission": ("time", np.full(n, name)),
        },
    )


def two_missions():
    """Tracks of the missions "alg" and "j3", one after the other: 16 passes of 40 points."""
    return xr.concat([one_mission("alg", seed=1), one_mission("j3", seed=2, first=7.0)], "time")


def observed_passes(n_passes: int = 40, n: int = 50, bias: float = 0.0, noise: float = 0.01, seed: int = 0):
    """Return x, y, the signal, the bias of each pass and the pass of each point: straight passes, a signal of 0.1 m."""
    rng = np.random.default_rng(seed)
    along = np.linspace(-500, 500, n)
    across, time = rng.uniform(-500, 500, n_passes), rng.uniform(0, 30, n_passes)
    x = np.stack([np.tile(along, n_passes), np.repeat(across, n), np.zeros(n * n_passes), np.repeat(time, n)], axis=1)
    signal = 0.1 * np.sin(x[:, 0] / 150) * np.cos(x[:, 1] / 150 + x[:, 3] / 30)
    index = np.repeat(np.arange(n_passes), n)
    biases = bias * rng.standard_normal(n_passes)
    y = signal + biases[index] + noise * rng.standard_normal(len(x))
    return x, y, signal, biases, index


def pass_error(y, index, noise: float = 0.01, bias: float = 0.0) -> ObservationError:
    """How such points err: white noise, and a bias of each pass."""
    return ObservationError(np.full(len(y), noise), index, np.zeros(len(y)), bias)
