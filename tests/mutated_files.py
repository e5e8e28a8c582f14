"""Damaged files: bytes of small netCDF files mutated, and opened in processes of their own, so that a crash is seen.

A campaign of any size: ``python -m tests.mutated_files 10000``.
"""

import multiprocessing
import resource
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import xarray as xr

import xinr
from tests.helpers import one_mission

#: A file that takes longer to open hangs [s].
PATIENCE = 20.0
#: Of a worker [bytes]: a damaged header may name dimensions of any size.
MEMORY = 6 * 2**30
HEADER = 3000


def write_files(folder):
    """Write a small file of each kind; return their paths by kind."""
    tracks = one_mission("alg", n_passes=2, n_points=30)
    packed = {"sla_unfiltered": {"dtype": "i2", "scale_factor": 1e-4, "_FillValue": -32767, "zlib": True}}
    tracks.drop_vars("mission").to_netcdf(folder / "classic.nc", format="NETCDF3_CLASSIC")
    tracks.to_netcdf(folder / "hdf5.nc", encoding=packed)
    swath().to_netcdf(folder / "swath.nc")
    tracks.inr.fit(coarsen=1).save(folder / "field.nc")
    grid().to_netcdf(folder / "grid.nc")
    xinr.MapField.of(grid()).save(folder / "map.nc")
    return {kind: folder / f"{kind}.nc" for kind in ("classic", "hdf5", "swath", "field", "map")}


def swath():
    """Lines by pixels, in the layout of SWOT."""
    line, across = np.arange(12)[:, None], np.arange(-6, 7)[None, :] * 10.0
    latitude, longitude = 36.0 + 0.1 * line + 0.0 * across, 300.0 + 0.01 * across + 0.02 * line
    time = np.datetime64("2023-05-01T00:00", "ns") + np.arange(12) * np.timedelta64(2, "s")
    dims = ("num_lines", "num_pixels")
    return xr.Dataset(
        {"ssha_unfiltered": (dims, 0.1 * np.sin(latitude + longitude), {"units": "m"})},
        {"time": ("num_lines", time), "latitude": (dims, latitude), "longitude": (dims, longitude)},
        {"platform": "SWOT"},
    )


def grid():
    """A map of one variable on 2 times, 3 latitudes and 4 longitudes."""
    axes = {"time": np.array(["2017-01-01", "2017-01-02"], "M8[ns]"), "latitude": [36.0, 37, 38]}
    axes["longitude"] = [300.0, 301, 302, 303]
    return xr.Dataset({"sla": (tuple(axes), np.arange(24.0).reshape(2, 3, 4) / 100, {"units": "m"})}, axes)


def mutated(data, rng):
    """Return bytes of which one to three places, half of them in the header, are changed, cut out, zero or doubled."""
    found = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        last = len(found) if rng.random() < 0.5 else min(HEADER, len(found))
        start = int(rng.integers(0, max(last, 1)))
        length = int(rng.choice([1, 2, 4, 8, 64, 512]))
        match rng.integers(6):
            case 0:
                found[start : start + 1] = bytes([found[start] ^ (1 << int(rng.integers(8)))]) if found else b""
            case 1:
                found[start : start + length] = rng.bytes(min(length, len(found) - start))
            case 2:
                found[start : start + length] = bytes(min(length, len(found) - start))
            case 3:
                found[start : start + length] = b"\xff" * min(length, len(found) - start)
            case 4:
                del found[start : start + length if rng.random() < 0.7 else None]
            case 5:
                found[start:start] = rng.bytes(length)
    return bytes(found)


def outcome(path, kind):
    """Open a file as a user would; return "read", "refused", or what is wrong with what happened."""
    try:
        field_or_tracks(path, kind)
    except (ValueError, TypeError, OSError) as error:
        return "refused" if path.name in str(error) else f"no name: {_where(error)}"
    except BaseException as error:
        return f"not xinr's: {_where(error)}"
    return "read"


def field_or_tracks(path, kind):
    """Open a file, and read all of it; tracks are those that xarray reads."""
    if kind in ("field", "map"):
        xinr.open_field(path)
        return
    with xinr.open_tracks(path) as ds:
        ds.load()
    if kind == "swath" or "sla_unfiltered" not in ds:
        return
    with xr.open_dataset(path) as raw:
        if raw["sla_unfiltered"].dims == ("time",):
            np.testing.assert_array_equal(ds["sla_unfiltered"], raw["sla_unfiltered"])


def _where(error):
    frames = traceback.extract_tb(error.__traceback__)
    own = [f"{Path(each.filename).name}:{each.lineno}" for each in frames if "/xinr/" in each.filename]
    last = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
    return f"{type(error).__name__} at {own[-1] if own else ''} {last}: {str(error)[:150]}"


def _work(connection, files):
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    whole = {kind: path.read_bytes() for kind, path in files.items()}
    with tempfile.TemporaryDirectory() as folder:
        while (seed := connection.recv()) is not None:
            rng = np.random.default_rng(seed)
            kind = list(files)[seed % len(files)]
            path = Path(folder) / f"damaged_{seed}.nc"
            path.write_bytes(mutated(whole[kind], rng))
            connection.send(outcome(path, kind))
            path.unlink()


class Worker:
    """A process that opens mutated files, started anew after it crashed or hung."""

    def __init__(self, files):
        self.files = files
        self.start()

    def start(self):
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=_work, args=(other, self.files), daemon=True)
        self.process.start()
        other.close()

    def open(self, seed):
        """Return the outcome of one mutation."""
        self.connection.send(seed)
        try:
            if self.connection.poll(PATIENCE + (0 if self.process.is_alive() else 1)):
                return self.connection.recv()
            found = f"hangs for {PATIENCE:g} s"
        except EOFError:
            self.process.join()
            found = f"crashes, exit code {self.process.exitcode}"
        self.process.kill()
        self.process.join()
        self.start()
        return found

    def stop(self):
        """End the process."""
        self.connection.send(None)
        self.process.join()


def outcomes(seeds, folder):
    """Return the outcome of each mutation."""
    worker = Worker(write_files(folder))
    try:
        return {seed: worker.open(seed) for seed in seeds}
    finally:
        worker.stop()


def main(first, last):
    """Print how often each outcome came, and the mutations of those that are faults."""
    with tempfile.TemporaryDirectory() as folder:
        found = outcomes(range(first, last), Path(folder))
    for seed, each in found.items():
        if each not in ("read", "refused"):
            print(seed, each)
    print(Counter(each.split(":")[0] for each in found.values()))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
