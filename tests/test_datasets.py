"""The published layouts opened as challenges: on generated files under the published names, and on a real cut."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.helpers import height, one_mission
from xinr import MapField, datasets
from xinr.challenges import dc2020a, dc2021a, open_challenge
from xinr.datasets import DATASETS
from xinr.datasets.registry import DC2021A_MAPS, DC2021A_TRACKS
from xinr.geo.frames import DAY
from xinr.metrics import score
from xinr.metrics.points import BUFFER

MISSIONS = ("alg", "h2g", "j2g", "j2n", "j3", "s3a")
BOX = (295.0, 305.0, 33.0, 43.0)


def on_grid(step, days, longitude=(295.0, 305.0), latitude=(33.0, 43.0), first="2017-01-01"):
    """The known height of the tracks on a grid, plus their mean topography."""
    axes = {
        "time": np.datetime64(first, "ns") + np.arange(days) * np.timedelta64(1, "D"),
        "lat": np.arange(latitude[0], latitude[1] + step / 2, step),
        "lon": np.arange(longitude[0], longitude[1] + step / 2, step),
    }
    ds = xr.Dataset(coords=axes)
    anomaly = height(ds.lon, ds.lat, ds.time).transpose("time", "lat", "lon")
    return xr.Dataset({"ssh": anomaly + 0.1 * (ds.lat - 38.0)})


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder as the challenge's page lays it out: tracks of seven missions, two maps, the mean topography."""
    folder = tmp_path_factory.mktemp("dc2021a")
    for name in ("dc_obs", "dc_maps"):
        (folder / name).mkdir()
    for number, mission in enumerate((*MISSIONS, "c2")):
        tracks = one_mission(mission, seed=number, first=3.0 * number).drop_vars("mission")
        tracks.assign_attrs(platform=f"Satellite {number}").to_netcdf(
            folder / "dc_obs" / DC2021A_TRACKS.format(mission)
        )
    maps = on_grid(0.25, 12)
    maps.to_netcdf(folder / "dc_maps" / DC2021A_MAPS.format("DUACS"))
    (0.9 * maps).to_netcdf(folder / "dc_maps" / DC2021A_MAPS.format("4dvarNet_2022"))
    mdt = xr.Dataset({"mdt": 0.1 * (maps.lat - 38.0) + 0.0 * maps.lon}).expand_dims(time=1)
    mdt.rename(lat="latitude", lon="longitude").to_netcdf(folder / "dc_maps" / "mdt.nc")
    return folder


@pytest.fixture(scope="module")
def challenge(published):
    return dc2021a(published)


@pytest.fixture
def copy(published, tmp_path):
    """A copy of the folder, to be spoilt."""
    return Path(shutil.copytree(published, tmp_path / "dc2021a"))


def test_every_mission_is_there_but_the_withheld_one(challenge):
    assert challenge.missions == MISSIONS
    assert set(challenge.withheld.mission.values) == {"c2"}
    for tracks, margin in ((challenge.training, 1.0), (challenge.withheld, 0.0)):
        west, east, south, north = BOX
        assert west - margin <= tracks.longitude.min() and tracks.longitude.max() <= east + margin
        assert south - margin <= tracks.latitude.min() and tracks.latitude.max() <= north + margin


def test_the_rules_are_those_of_the_challenge(challenge):
    assert challenge.period == ("2017-01-01", "2017-12-31")
    assert challenge.region == (295.25, 304.75, 33.25, 42.75)
    assert challenge.rules["region"] == BOX  # of which the score keeps off the edges
    assert (challenge.protocol, challenge.segment_length) == ("dc2021a", 1000.0)
    grid = challenge.grid
    assert dict(grid.sizes) == {"time": 365, "latitude": 51, "longitude": 51}
    assert (float(grid.longitude[0]), float(grid.longitude[-1])) == (295.0, 305.0)
    assert (str(grid.time.values[0])[:10], str(grid.time.values[-1])[:10]) == challenge.period


def test_the_mean_topography_is_on_the_grid(challenge):
    expected = 0.1 * (challenge.grid.latitude - 38.0)
    np.testing.assert_allclose(challenge.grid.mdt, expected.broadcast_like(challenge.grid.mdt), atol=1e-12)


@pytest.fixture(scope="module")
def scores(challenge):
    with pytest.warns(UserWarning, match="lambda_x is NaN"):  # passes of 250 km
        return {name: challenge.score_map(maps) for name, maps in challenge.maps.items()}


def test_maps_score_as_the_published_protocol_says(challenge, scores):
    assert list(scores) == ["4dvarNet_2022", "DUACS"]
    assert float(scores["DUACS"].rmse) < 0.03  # the noise of the tracks is 0.02
    assert float(scores["DUACS"].mu) > float(scores["4dvarNet_2022"].mu)
    track = challenge.withheld
    ssh = height(track.longitude, track.latitude, track.time) + track.mdt + track.lwe
    with pytest.warns(UserWarning, match="lambda_x is NaN"):
        exact = score(xr.Dataset({"ssh": ssh - track.lwe}), track, region=BOX, period=challenge.period)
    assert int(exact.n) == int(scores["DUACS"].n)
    assert BUFFER == 0.25


def test_a_method_is_fitted_and_scored(challenge):
    field = challenge.fit("oi", frame="sphere", length_scale=150.0, time_scale=10.0, sigma=0.2, analysis_step=4.0)
    with pytest.warns(UserWarning, match="lambda_x is NaN"):
        assert challenge.score(field).mu > challenge.score_null().mu


def test_published_scores_go_by_the_names_of_the_maps(challenge):
    assert challenge.published["DUACS"] == {"mu": 0.87695, "sigma": 0.06515, "lambda_x": 152.0}
    mapped = {path.path for path in DATASETS["dc2021a"].sources["meom"].select(["dc_maps/*"])}
    mapped |= {path.path for path in DATASETS["dc2021a"].sources["aviso"].select(["dc_maps/OSE*"])}
    names = {Path(path).stem.removeprefix("OSE_ssh_mapping_") for path in mapped}
    assert names <= set(challenge.published)


def test_fewer_missions_and_a_coarser_grid(published):
    challenge = dc2021a(published, missions=["j3", "alg"], spacing=0.5, buffer=0.0)
    assert challenge.missions == ("alg", "j3")
    assert challenge.grid.sizes["latitude"] == 21
    assert float(challenge.training.longitude.max()) <= 305.0


def test_any_folders_and_the_longer_name_will_do(copy):
    for folder in ("train", "test", "ref"):
        (copy / folder).mkdir()
    for path in (copy / "dc_obs").iterdir():
        place = "test" if "_c2_" in path.name else "train"
        path.rename(copy / place / path.name.replace("gulfstream", "global"))
    (copy / "dc_maps" / "mdt.nc").rename(copy / "ref" / "mdt.nc")
    challenge = dc2021a(str(copy))
    assert challenge.missions == MISSIONS
    assert "mdt" in challenge.grid


def test_maps_and_topography_may_be_missing(copy):
    shutil.rmtree(copy / "dc_maps")
    challenge = dc2021a(copy)
    assert challenge.maps == {}
    assert "mdt" not in challenge.grid


def test_a_missing_mission(copy):
    (copy / "dc_obs" / DC2021A_TRACKS.format("j3")).unlink()
    message = (
        r"lacks the files of j3: expected names such as dt_\*_j3_phy_l3_\*\.nc, there are: OSE_ssh.* and 1 more\. "
        r"Fetch what is missing with 'xinr download dc2021a .*', or name the files as they were published"
    )
    with pytest.raises(FileNotFoundError, match=message):
        dc2021a(copy)


def test_a_mission_that_is_there_twice(copy):
    path = copy / "dc_obs" / DC2021A_TRACKS.format("alg")
    shutil.copy(path, copy / path.name)
    with pytest.raises(ValueError, match=r"several files of 'alg': .*, .*\. Keep one of them"):
        dc2021a(copy)


def test_a_truncated_file_is_refused(copy):
    path = copy / "dc_obs" / DC2021A_TRACKS.format("alg")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"dt_gulfstream_alg_.* cannot be read as netCDF"):
        dc2021a(copy)


def test_a_truncated_map(copy):
    path = copy / "dc_maps" / DC2021A_MAPS.format("DUACS")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"OSE_ssh_mapping_DUACS\.nc cannot be read as netCDF .*Fetch it again"):
        dc2021a(copy)


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*absent: fetch the data with 'xinr download dc2021a "):
        dc2021a(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"file is a file: expected the folder of dc2021a"):
        dc2021a(tmp_path / "file")
    with pytest.raises(FileNotFoundError, match=r"lacks the files of alg, .*, c2: .*there are: none\."):
        dc2021a(tmp_path)


def test_unknown_missions_are_refused(published):
    with pytest.raises(ValueError, match=r"missions must be some of \['alg', .*\], got \['alg', 'c2'\]"):
        dc2021a(published, missions=["alg", "c2"])
    with pytest.raises(ValueError, match=r"missions must be some of .* got \[\]"):
        dc2021a(published, missions=[])


def test_the_real_cut(shared_data, tmp_path):
    """Real tracks of two missions, with their original attributes, under their published names."""
    cut = shared_data / "dc2021a_cut"
    with pytest.raises(FileNotFoundError, match=r"there are: l3_alg_subset\.nc, l3_c2_subset\.nc\."):
        dc2021a(cut)
    for mission in ("alg", "c2"):
        (tmp_path / DC2021A_TRACKS.format(mission)).symlink_to((cut / f"l3_{mission}_subset.nc").resolve())
    challenge = dc2021a(tmp_path, missions=["alg"])
    assert repr(challenge) == (
        "<Challenge data challenge 2021a: 194 points of alg to map, 905 of c2 withheld, 2017-01-01 to 2017-12-31>"
    )
    assert challenge.observations.quantity == "sla_unfiltered"
    assert np.isfinite(challenge.fit("oi", sigma=0.3).interp(challenge.training.isel(time=slice(5)))["sla"]).all()
    flat = on_grid(1.0, 365).ssh * 0.0  # AltiKa and CryoSat-2 were not here in the same weeks
    with pytest.warns(UserWarning, match="lambda_x is NaN"):
        table = challenge.score_map(flat.to_dataset(name="ssh"))
    assert 0 < int(table.n) < 905
    assert float(table.rmse) > 0.1
    assert float(table.mu) == 0.0


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A folder of the challenge 2020a, coarser: tracks, maps, and the truth of each day."""
    folder = tmp_path_factory.mktemp("dc2020a")
    for name in ("dc_obs", "dc_ref", "dc_mapping"):
        (folder / name).mkdir()
    names = {"en": "envisat", "g2": "geosat2", "j1": "jason1", "tpn": "topex-poseidon_interleaved"}
    rng = np.random.default_rng(0)
    shift = np.datetime64("2012-10-22T01", "ns") - np.datetime64("2017-01-01T03", "ns")
    for number, name in enumerate(names.values()):
        tracks = one_mission(name, seed=number)
        ssh = tracks.sla_unfiltered.drop_attrs().rename("ssh_model").to_dataset().drop_vars("mission")
        ssh = ssh.assign_coords(time=ssh.time + shift, longitude=ssh.longitude - 360.0)
        ssh = ssh.assign(ssh_obs=ssh.ssh_model + 0.01).drop_attrs().rename(longitude="lon", latitude="lat")
        ssh.reset_coords(["lon", "lat"]).to_netcdf(folder / "dc_obs" / f"2020a_SSH_mapping_NATL60_{name}.nc")
    swath = xr.Dataset(
        {
            "ssh_model": (("time", "nC"), rng.normal(size=(30, 20))),
            "lon": (("time", "nC"), np.linspace(298.0, 302.0, 30)[:, None] + 0.02 * np.arange(20)),
            "lat": (("time", "nC"), np.linspace(35.0, 40.0, 30)[:, None] - 0.01 * np.arange(20)),
            "x_ac": ("nC", np.arange(20.0)),
        },
        coords={"time": np.datetime64("2012-10-25", "ns") + np.arange(30) * np.timedelta64(10**9, "ns")},
    )
    swath.ssh_model[3, 7] = np.nan
    swath.to_netcdf(folder / "dc_obs" / "2020a_SSH_mapping_NATL60_karin_swot.nc")
    for day in np.arange("2012-10-22", "2012-12-03", dtype="datetime64[D]").astype(object):
        hours = xr.concat([one_day(day, hour) for hour in (0, 6, 12, 18)], "time")
        hours.to_netcdf(folder / "dc_ref" / f"NATL60-CJM165_GULFSTREAM_y{day:%Ym%md%d}.1h_SSH.nc")
    first = one_day(np.datetime64("2012-10-22").astype(object), 0)
    month = xr.concat([first.assign_coords(time=first.time + np.timedelta64(n, "D")) for n in range(43)], "time")
    for product in ("DUACS_en_j1_tpn_g2", "MIOST_swot_en_j1_tpn_g2"):
        path = folder / "dc_mapping" / f"2020a_SSH_mapping_NATL60_{product}.nc"
        month.rename(sossheig="gssh").to_netcdf(path)
    return folder


def one_day(day, hour):
    ds = on_grid(0.5, 1, (-65.0, -55.0), first=str(day))
    ds = ds.assign_coords(time=ds.time + np.timedelta64(hour, "h"))
    return ds.rename(ssh="sossheig")


def test_the_simulated_challenge(simulated):
    challenge = dc2020a(simulated, spacing=0.5, time_step=1.0)
    assert challenge.missions == ("en", "g2", "j1", "tpn")
    assert challenge.withheld is None
    assert list(challenge.training.data_vars) == ["ssh"]
    assert challenge.observations.name == "ssh"
    assert dict(challenge.grid.sizes) == {"time": 42, "latitude": 19, "longitude": 19}
    assert challenge.region == (-64.975, -55.007, 33.025, 42.9917)
    assert list(challenge.maps) == ["DUACS_en_j1_tpn_g2", "MIOST_swot_en_j1_tpn_g2"]
    assert set(challenge.maps) <= set(challenge.published)
    exact = challenge.score_truth(challenge.truth)
    assert float(exact.mu) == 1.0

    frozen = challenge.score_truth(MapField.of(challenge.maps["DUACS_en_j1_tpn_g2"]))
    assert 0.0 < float(frozen.mu) < 1.0  # the map of the first day, every day


def test_each_fifth_row_of_the_swath_is_a_track(simulated):
    challenge = dc2020a(simulated, missions=["karin", "en"], spacing=1.0)
    assert challenge.missions == ("en", "karin 0", "karin 1", "karin 2", "karin 3")
    with xr.open_dataset(simulated / "dc_obs" / "2020a_SSH_mapping_NATL60_karin_swot.nc") as swath:
        row = challenge.training.isel(time=challenge.training.mission.values == "karin 1")
        expected = swath.isel(nC=7).dropna("time")
        for name, variable in (("ssh", "ssh_model"), ("longitude", "lon"), ("latitude", "lat"), ("time", "time")):
            np.testing.assert_array_equal(row[name], expected[variable])
    assert row.sizes["time"] == 29


def test_the_truth_is_read_day_by_day(simulated):
    challenge = dc2020a(simulated, spacing=1.0, time_step=0.25)
    assert challenge.grid.sizes["time"] == 4 * 42
    assert challenge.truth.height.chunks is not None


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"spacing": 0.6}, r"spacing=0\.6 is no whole multiple of the truth's step of 0\.5 degrees: .* spacing=0\.5\."),
        ({"spacing": 0.1}, r"the nearest is spacing=0\.5\."),
        ({"time_step": 0.4}, r"time_step=0\.4 is no whole multiple of the truth's step of 0\.25 days: .*=0\.5\."),
    ],
)
def test_steps_that_are_no_multiples_of_the_truths_are_refused(simulated, asked, message):
    with pytest.raises(ValueError, match=message) as refused:
        dc2020a(simulated, **{"spacing": 0.5, **asked})
    name, nearest = str(refused.value).rstrip(".").split()[-1].split("=")
    challenge = dc2020a(simulated, **{"spacing": 0.5, name: float(nearest)})  # the cure works
    steps = {"spacing": np.diff(challenge.grid.latitude), "time_step": np.diff(challenge.grid.time.values) / DAY}
    np.testing.assert_allclose(steps[name], float(nearest))


def test_a_day_of_the_truth_is_missing(simulated, tmp_path):
    folder = Path(shutil.copytree(simulated, tmp_path / "copy"))
    (folder / "dc_ref" / "NATL60-CJM165_GULFSTREAM_y2012m11d03.1h_SSH.nc").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"lacks the files of 2012-11-03: expected names such as NATL60-CJM165_GU"
    ):
        dc2020a(folder)


def test_observations_without_sea_level_are_refused(simulated, tmp_path):
    folder = Path(shutil.copytree(simulated, tmp_path / "copy"))
    path = folder / "dc_obs" / "2020a_SSH_mapping_NATL60_jason1.nc"
    with xr.open_dataset(path) as ds:
        spoilt = ds.load().drop_vars("ssh_model")
    spoilt.to_netcdf(path)
    with pytest.raises(ValueError, match=r"jason1\.nc has no \['ssh_model'\]: expected simulated heights, got \["):
        dc2020a(folder, spacing=0.5)


def test_unknown_missions_of_the_simulated_challenge_are_refused(simulated):
    with pytest.raises(ValueError, match=r"missions must be some of \['en', .*'karin'\], got \['c2'\]"):
        dc2020a(simulated, missions=["c2"])


def test_challenges_open_by_name(published, simulated):
    assert open_challenge("dc2021a", published, missions=["j3"]).missions == ("j3",)
    assert open_challenge("dc2020a", simulated, spacing=1.0).name == "data challenge 2020a"


def test_the_registry_has_no_file_twice():
    for collection in DATASETS.values():
        for source in collection.sources.values():
            assert len({remote.path for remote in source.files}) == len(source.files)
            assert all(len(remote.sha256) == 64 for remote in source.files if remote.sha256)
            assert source.root.startswith("https://")


def test_both_sources_of_a_file_keep_it_under_one_name():
    ours = {remote.path for remote in DATASETS["dc2021a"].sources["meom"].files}
    theirs = {remote.path for remote in DATASETS["dc2021a"].sources["aviso"].files}
    assert len(ours & theirs) == 7 + 3  # the tracks; DUACS, MIOST, BFN
    assert sum(remote.size for remote in DATASETS["dc2021a"].sources["meom"].select(["dc_obs/*"])) == 121302501


def test_to_list_what_there_is_needs_nothing_heavy():
    code = "import sys, xinr.datasets; xinr.datasets.DATASETS; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "requests", "pooch", "yaml", "copernicusmarine", "scipy"} & set(loaded)


def test_public_names():
    for name in datasets.__all__:
        assert getattr(datasets, name) is not None
    with pytest.raises(AttributeError, match=r"module 'xinr\.datasets' has no attribute 'nothing'"):
        datasets.nothing  # noqa: B018
