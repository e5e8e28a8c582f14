"""Small synthetic data shared by the tests: tracks of two missions over a known field, and a grid."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import settings

# No deadline: machines under load are slow; always the same examples.
settings.register_profile("xinr", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("xinr")

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


@pytest.fixture
def mission():
    """The maker of one mission's tracks."""
    return one_mission


def two_missions():
    """Tracks of the missions "alg" and "j3", one after the other: 16 passes of 40 points."""
    return xr.concat([one_mission("alg", seed=1), one_mission("j3", seed=2, first=7.0)], "time")


@pytest.fixture
def tracks():
    """Tracks of two missions: see `two_missions`."""
    return two_missions()


@pytest.fixture
def truth():
    """The field under the tracks, a function of longitude, latitude and time."""
    return height


@pytest.fixture
def grid():
    """Coordinates of a map within the tracks: 4 days, 5 latitudes, 6 longitudes."""
    return xr.Dataset(
        coords={
            "time": np.datetime64("2017-01-03", "ns") + np.arange(4) * np.timedelta64(1, "D"),
            "latitude": np.linspace(36.5, 38.5, 5),
            "longitude": np.linspace(301.0, 305.0, 6),
        }
    )


@pytest.fixture
def maps(grid):
    """A map of the known field on the grid."""
    found = height(grid.longitude, grid.latitude, grid.time).transpose("time", "latitude", "longitude")
    return found.assign_attrs(units="m").to_dataset(name="sla")


@pytest.fixture
def count_computes():
    """A dask scheduler and the list of its calls: lazy work must add none until it is computed."""
    import dask

    calls = []

    def scheduler(dsk, keys, **options):
        calls.append(keys)
        return dask.get(dsk, keys, **options)

    with dask.config.set(scheduler=scheduler):
        yield calls


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real observations, which a clone of the project does not have."""
    if not DATA.is_dir():
        pytest.skip(f"real observations are not at {DATA}")
    return DATA


@pytest.fixture(scope="session")
def med2021(shared_data):
    """Real tracks of four missions over the Western Mediterranean."""
    return shared_data / "med2021"
