"""Observations come out of any along-track Dataset, whatever its layout, order and conventions."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers import one_mission, two_missions
from xinr import Observations
from xinr.geo.coordinates import wrap

COLUMNS = ("longitude", "latitude", "time", "value", "pass_index", "mission_index")


def assert_same(one, other, columns=COLUMNS):
    assert one.missions == other.missions
    for name in columns:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def plain(ds):
    """The same data with short names, no attributes, and everything a variable along 'obs'."""
    bare = ds.drop_attrs().rename(longitude="lon", latitude="lat", time="obs").drop_vars("mission")
    return bare.assign(time=("obs", bare["obs"].values)).drop_vars("obs").reset_coords()


def test_observations_have_the_columns_and_passes_of_the_tracks(tracks, truth):
    obs = Observations.from_tracks(tracks)
    assert len(obs) == 640
    assert obs.missions == ("alg", "j3")
    assert obs.n_passes == 16
    assert obs.name == "sla"
    assert obs.noise is None
    assert np.std(obs.value - truth(obs.longitude, obs.latitude, obs.time)) == pytest.approx(0.02, rel=0.1)


def test_layout_does_not_matter(mission):
    ds = mission("alg")
    reference = Observations.from_tracks(ds.drop_vars("mission"))
    assert_same(Observations.from_tracks(plain(ds)), reference)
    assert_same(Observations.from_tracks(ds.drop_vars("mission").chunk(time=50)), reference)
    assert_same(Observations.from_tracks(ds["sla_unfiltered"].drop_vars("mission")), reference)


@given(seed=st.integers(0, 2**32 - 1), repeats=st.integers(0, 30))
def test_order_and_repeats_of_the_input_do_not_matter(seed, repeats):
    ds = two_missions()
    rng = np.random.default_rng(seed)
    order = rng.permutation(np.concatenate([np.arange(640), rng.integers(0, 640, repeats)]))
    assert_same(Observations.from_tracks(ds.isel(time=order)), Observations.from_tracks(ds))


@given(shift=st.floats(-180, 180), turns=st.integers(-1, 0))
def test_convention_of_longitudes_does_not_matter(shift, turns):
    ds = one_mission("alg")
    moved = [wrap(ds.longitude + shift, origin) for origin in (0.0, 180.0, 180.0 + 360.0 * turns)]
    obs = [Observations.from_tracks(ds.assign_coords(longitude=("time", lon))).coarsen(5) for lon in moved]
    for other in obs[1:]:
        assert_same(obs[0], other, ("latitude", "time", "value", "pass_index"))
        np.testing.assert_allclose(wrap(obs[0].longitude - other.longitude, 0.0), 0.0, atol=1e-9)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("sla_filtered", "sla_unfiltered"), "sla_unfiltered"),
        (("sla", "mdt", "lwe", "dac", "ocean_tide"), "sla"),
        (("ssh", "nasa_flag", "pass", "ssh_smoothed"), "ssh"),
        (("my_height", "mdt"), "my_height"),
    ],
)
def test_the_sea_level_variable_is_found_by_name_or_as_the_only_one(mission, names, chosen):
    ds = mission("alg")
    ds = ds.drop_vars(list(ds.data_vars)).assign(
        {name: ("time", np.full(320, float(i))) for i, name in enumerate(names)}
    )
    assert Observations.from_tracks(ds).value[0] == names.index(chosen)


@pytest.mark.parametrize("names", [("sla", "adt"), ("depth", "swh"), ()])
def test_an_ambiguous_variable_lists_the_candidates(mission, names):
    ds = mission("alg").drop_vars("sla_unfiltered").assign({name: ("time", np.zeros(320)) for name in names})
    with pytest.raises(ValueError, match=r"which variable is the sea level.*variable=<name>") as caught:
        Observations.from_tracks(ds)
    assert str(list(names)) in str(caught.value)
    if names:
        assert len(Observations.from_tracks(ds, variable=names[1])) == 320


@pytest.mark.parametrize(("lwe", "mdt", "name"), [(False, False, "sla"), (True, False, "sla"), (True, True, "adt")])
def test_lwe_is_subtracted_and_mdt_added_where_asked(tracks, lwe, mdt, name):
    plain, corrected = Observations.from_tracks(tracks), Observations.from_tracks(tracks, lwe=lwe, mdt=mdt)
    expected = plain.value - 0.01 * lwe + 0.1 * (plain.latitude - 38.0) * mdt
    np.testing.assert_allclose(corrected.value, expected, rtol=0, atol=1e-15)
    assert corrected.name == name


def test_missing_values_are_dropped_and_counted(tracks):
    tracks = tracks.copy(deep=True)
    tracks["sla_unfiltered"][:3] = np.nan
    tracks["lwe"][3:5] = np.nan
    tracks["latitude"][5] = np.nan
    tracks = tracks.assign_coords(time=("time", np.where(np.arange(640) == 6, np.datetime64("NaT", "ns"), tracks.time)))
    assert Observations.from_tracks(tracks).dropped == 5
    obs = Observations.from_tracks(tracks, lwe=True)
    assert (obs.dropped, len(obs)) == (7, 633)


def test_noise_is_taken_from_a_variable(tracks):
    per_point = 0.01 + np.arange(640) / 1e4
    obs = Observations.from_tracks(tracks.assign(sd=("time", per_point, {"units": "m"})), noise="sd")
    np.testing.assert_array_equal(obs.noise, per_point)  # the tracks are in order already
    assert obs.noise_name == "sd" and Observations.from_tracks(tracks).noise is None


def test_a_scalar_mission_names_all_points(mission):
    ds = mission("alg").drop_vars("mission").assign_coords(mission="c2")
    assert Observations.from_tracks(ds).missions == ("c2",)


@pytest.mark.parametrize("region", [(301, 303, 36, 38), (-59, -57, 36, 38)])
def test_a_region_selects_its_points_in_any_convention_of_longitude(tracks, region):
    obs = Observations.from_tracks(tracks, region=region)
    everything = Observations.from_tracks(tracks)
    lon, lat = everything.longitude, everything.latitude
    assert len(obs) == np.sum((lon >= 301) & (lon <= 303) & (lat >= 36) & (lat <= 38)) > 0


def test_region_across_the_dateline(mission):
    ds = mission("alg")
    ds = ds.assign_coords(longitude=(ds.longitude - 303.0 + 180.0 + 180.0) % 360.0 - 180.0)
    obs = Observations.from_tracks(ds, region=(179, -179, 30, 45))
    assert len(obs) and np.all(np.abs(obs.longitude) >= 179)
    assert obs.longitude.min() < 0 < obs.longitude.max()


# --- coarsening -----------------------------------------------------------------------------------


def line(seconds, values=None):
    seconds = np.asarray(seconds)
    time = np.datetime64("2020-01-01", "ns") + (seconds * 1e9).astype("timedelta64[ns]")
    values = np.arange(len(seconds), dtype=float) if values is None else values
    return xr.Dataset(
        {"sla": ("time", values)},
        {"time": time, "lon": ("time", 179.9 + seconds * 0.02), "lat": ("time", seconds * 0.06)},
    )


def test_coarsening_averages_complete_blocks_of_a_segment():
    obs = Observations.from_tracks(
        line(range(11)).assign(sd=("time", np.full(11, 0.02))), variable="sla", noise="sd"
    ).coarsen(5)
    np.testing.assert_allclose(obs.value, [2.0, 7.0])  # the eleventh point is left over
    np.testing.assert_allclose(obs.latitude, [0.12, 0.42])
    np.testing.assert_allclose(obs.longitude, [179.94, 180.04])
    np.testing.assert_allclose(obs.noise, 0.02 / np.sqrt(5))
    assert obs.averaged.tolist() == [5, 5] and obs.coarsen(2).averaged.tolist() == [10]
    assert (
        obs.time.tolist()
        == (np.datetime64("2020-01-01", "ns") + np.array([2, 7]) * np.timedelta64(10**9, "ns")).tolist()
    )


def test_coarsening_never_crosses_a_gap_or_a_pass():
    gap = Observations.from_tracks(line([*range(4), *range(10, 16)])).coarsen(3)
    np.testing.assert_allclose(gap.value, [1.0, 5.0, 8.0])
    turn = Observations.from_tracks(line(range(12)).assign_coords(lat=("time", np.abs(5.5 - np.arange(12.0)) * 0.06)))
    assert turn.n_passes == 2
    assert turn.coarsen(4).pass_index.tolist() == [0, 1]


def test_taking_points_keeps_the_numbers_of_their_passes(tracks):
    by_point = np.where(tracks.mission == "alg", 0.02, 0.04)
    obs = Observations.from_tracks(tracks.assign(sd=("time", by_point)), variable="sla_unfiltered", noise="sd")
    j3 = obs.take(obs.mission_index == 1)
    assert (len(j3), j3.n_passes, j3.missions, set(j3.noise)) == (320, 8, ("alg", "j3"), {0.04})
    assert np.unique(j3.pass_index).tolist() == list(range(8, 16))


def test_coarsening_across_missing_points_needs_no_more_than_four_steps():
    values = np.arange(10.0)
    values[4:6] = np.nan  # a hole of two: three steps
    np.testing.assert_allclose(Observations.from_tracks(line(range(10), values)).coarsen(8).value, [4.5])


def test_coarsening_averages_longitudes_across_the_dateline():
    ds = line(range(10))
    ds = ds.assign_coords(lon=("time", (ds.lon.values + 180) % 360 - 180))
    np.testing.assert_allclose(Observations.from_tracks(ds).coarsen(10).longitude, 179.99)


def test_coarsening_by_one_changes_nothing(tracks):
    obs = Observations.from_tracks(tracks)
    assert obs.coarsen(1) is obs


@pytest.mark.parametrize("factor", [0, -1, 2.5])
def test_coarsening_needs_a_whole_number(tracks, factor):
    with pytest.raises(ValueError, match=r"coarsen must be a whole number above zero, got"):
        Observations.from_tracks(tracks).coarsen(factor)


# --- distance along the pass -----------------------------------------------------------------------


def test_distance_counts_kilometres_from_the_middle_of_each_pass(tracks):
    obs = Observations.from_tracks(tracks)
    for number in range(obs.n_passes):
        of_pass = obs.pass_index == number
        found, lon, lat = obs.distance[of_pass], np.radians(obs.longitude[of_pass]), np.radians(obs.latitude[of_pass])
        assert found.sum() == pytest.approx(0.0, abs=1e-6)
        assert np.all(np.diff(found) > 0)  # in the direction of flight
        a = np.sin((lat[-1] - lat[0]) / 2) ** 2
        a += np.cos(lat[0]) * np.cos(lat[-1]) * np.sin((lon[-1] - lon[0]) / 2) ** 2
        assert np.ptp(found) == pytest.approx(2 * 6371.0088 * np.arcsin(np.sqrt(a)), rel=1e-3)


def test_distance_is_continuous_across_the_dateline_and_a_pole():
    crossing = Observations.from_tracks(line(range(0, 100, 10)))
    assert crossing.n_passes == 1 and np.ptp(crossing.distance) == pytest.approx(90 * 0.0632 * 111.195, rel=1e-2)
    wrapped = line(range(0, 100, 10))
    wrapped = wrapped.assign_coords(lon=(wrapped.lon + 180.0) % 360.0 - 180.0)
    np.testing.assert_allclose(Observations.from_tracks(wrapped).distance, crossing.distance, rtol=0, atol=1e-9)
    over = line(range(0, 176, 16)).assign_coords(
        lat=("time", np.linspace(80.0, 89.9, 11)), lon=("time", np.full(11, 30.0))
    )
    np.testing.assert_allclose(np.diff(Observations.from_tracks(over).distance), 0.99 * 111.195, rtol=5e-3)


def test_distance_is_zero_in_a_pass_of_one_position():
    one = Observations.from_tracks(line([5]))
    assert one.distance.tolist() == [0.0]
    standing = line(range(4)).assign_coords(lon=("time", np.full(4, 3.0)), lat=("time", np.full(4, 40.0)))
    np.testing.assert_allclose(Observations.from_tracks(standing).distance, 0.0, atol=1e-9)


def test_distance_of_chosen_points_is_from_their_own_middle(tracks):
    obs = Observations.from_tracks(tracks)
    some = obs.take(obs.pass_index == 3)
    np.testing.assert_allclose(some.distance, obs.distance[obs.pass_index == 3], atol=1e-9)
    half = some.take(np.arange(20))
    np.testing.assert_allclose(np.diff(half.distance), np.diff(some.distance[:20]), rtol=1e-3)
    assert half.distance.sum() == pytest.approx(0.0, abs=1e-6)


def test_distance_of_averages_is_the_average_of_distances(mission):
    ds = mission("alg")
    ds = ds.isel(time=slice(0, 40))
    fine, coarse = Observations.from_tracks(ds), Observations.from_tracks(ds).coarsen(5)
    np.testing.assert_allclose(coarse.distance, fine.distance.reshape(-1, 5).mean(axis=1), rtol=0, atol=0.05)


# --- real files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "name", "size", "dropped"),
    [
        ("l3_day/COAsT_example_altimetry_data.nc", "sla", 52923, 12),
        ("dc2021a_cut/l3_c2_subset.nc", "sla", 905, 0),
        ("dc2021a_cut/l3_alg_subset.nc", "sla", 194, 0),
        ("nasa_ssh/GSFC-alt_ssh20220101.nc", "ssh", 55466, 4624),
        ("med2021/dt_med_alg_phy_l3_20210101-20210331_0-20_30-45.nc", "sla", 16176, 5),
    ],
)
def test_real_files_are_read_without_arguments(shared_data, file, name, size, dropped):
    with xr.open_dataset(shared_data / file) as ds:
        obs = Observations.from_tracks(ds)
    assert (obs.name, len(obs), obs.dropped) == (name, size, dropped)
    # A global pass lasts half an orbit, about 56 minutes, in which it goes one way.
    for number in range(obs.n_passes):
        of_pass = obs.pass_index == number
        assert np.ptp(obs.time[of_pass]) < np.timedelta64(58, "m")
        steps = np.sign(np.diff(obs.latitude[of_pass]))
        assert not {-1, 1} <= set(steps.tolist())


def test_real_files_of_several_missions_concatenate_without_labels(med2021):
    files = sorted(med2021.glob("*_l3_*.nc"))
    with xr.open_mfdataset(files, combine="nested", concat_dim="time") as ds:
        obs = Observations.from_tracks(ds, lwe=True, mdt=True)
    alone = 0
    for file in files:
        with xr.open_dataset(file) as ds:
            alone += Observations.from_tracks(ds).n_passes
    # Two instruments can reach the same position after a strait: without names, 2 of 605 passes are split.
    assert alone <= obs.n_passes <= 1.005 * alone
    assert obs.name == "adt"


@pytest.mark.parametrize("labelled", [True, False])
def test_files_that_overlap_give_each_point_once(labelled):
    ds = one_mission("alg") if labelled else one_mission("alg").drop_vars("mission")
    obs = Observations.from_tracks(xr.concat([ds.isel(time=slice(0, 200)), ds.isel(time=slice(100, 320))], "time"))
    assert obs.dropped == 100
    assert_same(obs, Observations.from_tracks(ds))


@pytest.mark.parametrize(
    ("variable", "attrs", "options", "name", "quantity"),
    [
        ("sla_unfiltered", {}, {"lwe": True}, "sla", "sla_unfiltered - lwe"),
        ("sla_unfiltered", {}, {"mdt": True}, "adt", "sla_unfiltered + mdt"),
        ("ssha", {}, {}, "sla", "ssha"),
        ("h", {"standard_name": "sea_surface_height_above_sea_level"}, {}, "sla", "h"),
        ("h", {}, {}, "h", "h"),
    ],
)
def test_observations_name_what_is_mapped(tracks, variable, attrs, options, name, quantity):
    ds = tracks.rename(sla_unfiltered=variable)
    ds[variable].attrs.update(attrs)
    obs = Observations.from_tracks(ds, variable=variable, **options)
    assert (obs.name, obs.quantity) == (name, quantity)


def test_instruments_without_names_are_separated():
    from xinr import simulate

    around = {"region": (-180.0, 180.0, -66.0, 66.0), "period": ("2021-01-01", "2021-01-01")}
    labelled = simulate.tracks(simulate.eddies(waves=4), ["j3", "s3a", "c2"], **around)
    with_labels = Observations.from_tracks(labelled)
    without = Observations.from_tracks(labelled.drop_vars("mission").sortby("time"))
    assert without.n_passes == with_labels.n_passes
    assert len(without.coarsen(5)) == len(with_labels.coarsen(5))


@pytest.mark.parametrize("noise", [0.03, {"alg": 0.02, "j3": 0.04}])
def test_noise_that_is_no_variable_is_told_where_to_go(tracks, noise):
    with pytest.raises(TypeError, match=r"noise must be the name of a variable of the tracks, got .* of the method"):
        Observations.from_tracks(tracks, noise=noise)
