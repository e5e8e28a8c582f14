"""A saved field predicts to the bit what it did; a file is whole or refused."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import xinr
from xinr.fields.field import FORMAT

OI = {"length_scale": 1.0, "time_scale": 7.0, "coarsen": 5, "noise": 0.03, "pass_bias": 0.01}


@pytest.fixture
def field(tracks):
    return tracks.inr.fit("oi", **OI)


@pytest.fixture
def saved(field, tmp_path):
    field.save(tmp_path / "field.nc")
    return tmp_path / "field.nc"


def tamper(path, **attrs):
    with xr.open_dataset(path, decode_cf=False) as ds:
        ds = ds.load()
    path.unlink()
    ds.assign_attrs(attrs).to_netcdf(path)


@pytest.mark.parametrize("frame", ["degrees", "sphere"])
def test_a_fitted_field_comes_back_to_the_bit(tracks, grid, tmp_path, frame):
    settings = OI | ({"frame": "sphere", "length_scale": 100.0} if frame == "sphere" else {})
    field = tracks.inr.fit("oi", **settings)
    field.save(str(tmp_path / "field.nc"))
    again = xinr.open_field(str(tmp_path / "field.nc"))
    assert isinstance(again, type(field))
    assert (again.name, again.info, again.frame) == (field.name, field.info, field.frame)
    xr.testing.assert_identical(again.interp(grid, error=True), field.interp(grid, error=True))
    xr.testing.assert_identical(again.gradient(grid), field.gradient(grid))
    xr.testing.assert_identical(again.laplacian(grid), field.laplacian(grid))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("chunks", [None, {"time": 1}])
def test_a_map_comes_back_to_the_bit(maps, tracks, tmp_path, dtype, chunks):
    maps = maps.astype(dtype).where(maps.latitude > 36.6)
    # As read from a packed file: saved again with that packing, it would be rounded.
    maps["sla"].encoding = {"dtype": "int16", "scale_factor": 1e-3, "_FillValue": -32768}
    field = xinr.MapField.of(maps if chunks is None else maps.chunk(chunks))
    field.save(tmp_path / "map.nc")
    again = xinr.open_field(tmp_path / "map.nc")
    assert again.info == field.info
    xr.testing.assert_identical(again.height, field.height.compute())
    assert again.height.dtype == dtype
    xr.testing.assert_identical(again.interp(tracks), field.interp(tracks).compute())


def test_a_map_without_time_is_saved_and_opened(maps, tmp_path):
    xinr.MapField.of(maps.isel(time=0, drop=True)).save(tmp_path / "map.nc")
    assert xinr.open_field(tmp_path / "map.nc").own.time is None


def test_the_file_is_plain_netcdf_with_the_permissions_of_any_other(field, tmp_path):
    old = os.umask(0o027)
    try:
        field.save(tmp_path / "field.nc")
    finally:
        os.umask(old)
    assert (tmp_path / "field.nc").stat().st_mode & 0o777 == 0o640
    with xr.open_dataset(tmp_path / "field.nc") as ds:
        assert json.loads(ds.attrs["info"])["settings"]["covariance"]["time_scale"] == 7.0
        assert ds["y"].dtype == "float64"


@pytest.mark.parametrize("broken", ["xarray.Dataset.to_netcdf", "os.replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_an_interrupted_save_leaves_the_old_file_and_no_junk(saved, maps, monkeypatch, broken, error):
    before = saved.read_bytes()

    def fail(first, *args, **options):
        if broken != "os.replace":
            with open(args[0], "wb") as half:
                half.write(before[:100])
        raise error

    monkeypatch.setattr(broken, fail)
    with pytest.raises(type(error)):
        xinr.MapField.of(maps).save(saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


KILLED = """
import os, signal, sys
import numpy as np, xarray as xr, xinr
write = xr.Dataset.to_netcdf
def half_written(ds, path, **options):
    write(ds, path, **options)
    os.truncate(path, os.path.getsize(path) // 2)
    os.kill(os.getpid(), signal.SIGKILL)
xr.Dataset.to_netcdf = half_written
u = xr.DataArray(np.zeros((2, 2)), dims=("lat", "lon"), coords={"lat": [0, 1.0], "lon": [0, 1.0]}, name="ssh")
xinr.MapField.of(u).save(sys.argv[1])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill a process")
def test_a_killed_save_leaves_the_old_file(saved, field, grid):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(saved)], capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    xr.testing.assert_identical(xinr.open_field(saved).interp(grid), field.interp(grid))


def test_a_missing_folder_is_refused(field, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere: make it first, then write a\.nc"):
        field.save(tmp_path / "nowhere" / "a.nc")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*a\.nc: expected one written by Field\.save"):
        xinr.open_field(tmp_path / "a.nc")


@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(saved, part):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError, match=r"field\.nc is truncated or no netCDF file .*save the field again"):
        xinr.open_field(saved)


def test_a_text_file_is_refused(tmp_path):
    (tmp_path / "a.nc").write_text("longitude,latitude\n1,2\n")
    with pytest.raises(ValueError, match=r"a\.nc is truncated or no netCDF file"):
        xinr.open_field(tmp_path / "a.nc")


def test_a_netcdf_without_a_field_is_refused(maps, tmp_path):
    maps.to_netcdf(tmp_path / "map.nc")
    with pytest.raises(
        ValueError, match=r"holds no xinr Field: expected one written by Field\.save.*has \.inr as it is"
    ):
        xinr.open_field(tmp_path / "map.nc")


@pytest.mark.parametrize("number", [FORMAT + 1, "new"])
def test_a_file_of_another_format_is_refused(saved, number):
    tamper(saved, xinr_format=number)
    with pytest.raises(ValueError, match=rf"has format {number}, this xinr reads {FORMAT}: open it with the xinr"):
        xinr.open_field(saved)


@pytest.mark.parametrize(
    ("attrs", "reason"),
    [
        ({"manifest": "{}"}, "KeyError"),
        ({"manifest": "[1, 2]"}, "AttributeError"),
        ({"manifest": '{"x": ["float64", [1, 2]]}'}, r"'x' should be float64 \[1, 2\], is float64 \[128, 3\]"),
        ({"manifest": '{"x": ["float32", [128, 3]]}'}, r"'x' should be float32 \[128, 3\], is float64 \[128, 3\]"),
        ({"manifest": '{"z": ["float64", [1]]}'}, "KeyError: .*'z'"),
        ({"manifest": "{"}, "JSONDecodeError"),
        ({"frame": '{"kind": "cube", "epoch": "2020-01-01", "origin": 0}'}, "KeyError: 'cube'"),
        ({"frame": '{"kind": "sphere", "epoch": "noon", "origin": 0}'}, "ValueError"),
        ({"content": "magic"}, r"a predictor of kind 'magic', which is not known here: expected one of \[.*'oi', "),
        ({"content": "map"}, "no latitude found"),
    ],
)
def test_a_tampered_file_is_refused(saved, attrs, reason):
    tamper(saved, **attrs)
    with pytest.raises(ValueError, match=rf"field\.nc cannot be rebuilt, .*{reason}"):
        xinr.open_field(saved)


def test_a_state_without_one_of_its_arrays(saved):
    with xr.open_dataset(saved, decode_cf=False) as ds:
        manifest = json.loads(ds.attrs["manifest"])
    del manifest["covariance"]
    tamper(saved, manifest=json.dumps(manifest))
    with pytest.raises(ValueError, match=r"cannot be rebuilt, KeyError: 'covariance'"):
        xinr.open_field(saved)


def test_every_array_of_the_state_is_in_the_file(field, saved):
    with xr.open_dataset(saved, decode_cf=False) as ds:
        for key, array in field.predictor.state().items():
            np.testing.assert_array_equal(ds[key].values, array)


def test_numbers_of_numpy_as_settings_are_saved(tracks, grid, tmp_path):
    field = tracks.inr.fit(coarsen=np.int64(5), length_scale=np.float32(1.5))
    field.save(tmp_path / "field.nc")
    assert xinr.open_field(tmp_path / "field.nc").info["settings"] == field.info["settings"]


def test_a_folder_is_no_file(field, tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder: name a file in it"):
        field.save(tmp_path)
    with pytest.raises(IsADirectoryError, match=r"is a folder: name the file that Field\.save wrote"):
        xinr.open_field(tmp_path)
