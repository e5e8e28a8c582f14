"""Small synthetic data shared by the tests: tracks of two missions over a known field, and a grid."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import settings

from tests.helpers import DATA, height, one_mission, two_missions
from xinr.datasets.credentials import ACCOUNTS

# No deadline: machines under load are slow; always the same examples.
settings.register_profile("xinr", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("xinr")


@pytest.fixture
def mission():
    """The maker of one mission's tracks."""
    return one_mission


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


@pytest.fixture
def no_credentials(monkeypatch, tmp_path):
    """An environment without accounts; returns the path of the netrc file, which does not exist."""
    for account in ACCOUNTS.values():
        monkeypatch.delenv(account.username, raising=False)
        monkeypatch.delenv(account.password, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return tmp_path / "netrc"


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
