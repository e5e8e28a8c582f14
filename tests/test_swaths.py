"""Swaths are observations: SWOT files of every version, passes, nadir samples, blocks, together with tracks."""

import matplotlib
import numpy as np
import pytest
import xarray as xr

import xinr
from tests.helpers import START, height, one_mission
from xinr import Observations
from xinr.methods.covariances import Gaussian
from xinr.observations.swaths import is_swath, unrolled

PIXELS = 69
ACROSS = 2.0 * (np.arange(PIXELS) - PIXELS // 2)
NAME = "SWOT_L3_LR_SSH_{kind}_474_{number:03d}_20230329T083419_20230329T092525_v{version}.nc"
#: Heights and flags of each kind of file: the names in l3_schema.md of SWOT's field lists.
HEIGHTS = {
    ("0.3", "Expert"): ("ssha_noiseless", "ssha_unedited"),
    ("1.0", "Basic"): ("ssha", "ssha_noiseless"),
    ("1.0", "Expert"): ("ssha", "ssha_noiseless", "ssha_unedited"),
    ("2.0", "Expert"): ("ssha_unfiltered", "ssha_filtered", "ssha_unedited"),
    ("2.0.1", "Expert"): ("ssha_unfiltered", "ssha_filtered", "ssha_unedited"),
    ("2.0.1", "Basic"): ("ssha_unfiltered", "ssha_filtered"),
    ("2.0.1", "Unsmoothed"): ("ssha_unfiltered", "ssha_filtered", "ssha_unedited"),
    ("3.0", "Expert"): ("ssha_unfiltered", "ssha_filtered", "ssha_unedited"),
}
#: What each height is off by, so that a test knows which was taken [m].
OFFSETS = {"ssha_filtered": 1.0, "ssha_noiseless": 1.0, "ssha_unedited": 2.0}


def positions(lines, step=2.0, up=True, start=301.0, across=ACROSS):
    """Longitude and latitude of a swath over 300-306 E, 36-40 N, that flies up or down, (lines, pixels)."""
    along = np.arange(lines)[:, None] * step / 111.2
    turned, upward = np.arctan(0.2 * np.cos(np.radians(38.0))), 1 if up else -1
    latitude = (36.0 + along if up else 40.0 - along) - across * np.sin(turned) / 111.2
    return start + 0.2 * along + upward * across * np.cos(turned) / (111.2 * np.cos(np.radians(38.0))), latitude


def swot(version="2.0.1", kind="Expert", lines=200, hours=0.0, up=True, start=301.0, names=None, noise=0.0):
    """A pass in the layout of SWOT L3: heights of `height`, NaN in the gap, nadir samples within it."""
    step, across = (0.25, 0.25 * np.arange(-259, 260)) if kind == "Unsmoothed" else (2.0, ACROSS)
    longitude, latitude = positions(lines, step, up, start, across)
    time = START + np.timedelta64(int(3600e9 * hours), "ns") + (np.arange(lines) * step / 6.8 * 1e9).astype("m8[ns]")
    true = height(longitude, latitude, time[:, None]) + noise * np.random.default_rng(0).normal(size=longitude.shape)
    seen = np.broadcast_to((np.abs(across) >= 10.0) & (np.abs(across) <= 60.0), true.shape).copy()
    dims = ("num_lines", "num_pixels")
    coords = {"time": ("num_lines", time), "latitude": (dims, latitude), "longitude": (dims, longitude)}
    variables = {"mdt": (dims, np.full(true.shape, 0.5), {"units": "m"})}
    if kind != "Unsmoothed":
        line = np.arange(0, lines, 3)
        pixel = np.full(line.size, PIXELS // 2)
        seen[line, pixel] = True
        variables |= {"i_num_line": ("num_nadir", line), "i_num_pixel": ("num_nadir", pixel)}
    if kind != "Basic":
        variables["cross_track_distance"] = ("num_pixels", across, {"units": "km"})
        variables["quality_flag"] = (dims, np.where(seen, 0, 102).astype("uint8"))
        variables["sigma0"] = (dims, np.full(true.shape, 12.0), {"units": "1"})
        variables["ugos_filtered"] = (dims, np.zeros(true.shape), {"units": "m/s"})
    for name in names or HEIGHTS[version, kind]:
        kept = true if name == "ssha_unedited" else np.where(seen, true, np.nan)
        variables[name] = (dims, kept + OFFSETS.get(name, 0.0), {"units": "m"})
    return xr.Dataset(variables, coords, {"platform": "Swot", "product_version": version})


def l2(qualities=True):
    """A pass of L2: metres across the track, the correction of crossovers apart, flags of each height."""
    ds = swot(names=("ssha_karin", "ssha_karin_2")).drop_vars(["i_num_line", "i_num_pixel", "quality_flag"])
    roll = (0.02 * ds.cross_track_distance * xr.ones_like(ds.latitude)).assign_attrs(units="m")
    ds = ds.assign(ssha_karin=ds.ssha_karin - roll + 1.0, ssha_karin_2=ds.ssha_karin_2 - roll, height_cor_xover=roll)
    ds["cross_track_distance"] = (1e3 * ds.cross_track_distance * xr.ones_like(ds.latitude)).assign_attrs(units="m")
    for name in ("ssha_karin", "ssha_karin_2", "height_cor_xover") if qualities else ():
        ds[name + "_qual"] = xr.zeros_like(ds.latitude, dtype="uint32")
    return ds.where(abs(ds.cross_track_distance) > 9e3)


def misfit(observations, offset=0.0):
    true = height(observations.longitude, observations.latitude, observations.time)
    return float(np.sqrt(np.mean((observations.value - true - offset) ** 2)))


@pytest.mark.parametrize(("version", "kind"), HEIGHTS)
def test_files_of_every_version_are_read_as_they_are(version, kind):
    lines = 400 if kind == "Unsmoothed" else 120
    found = Observations.from_tracks(swot(version, kind, lines))
    missions = ("swot",) if kind == "Unsmoothed" else ("swot", "swot_nadir")
    assert found.missions == missions and found.n_passes == len(missions) and found.name == "sla"
    first = HEIGHTS[version, kind][0]
    assert found.quantity == first
    # Block averages differ from the height at their middle by the curvature of it.
    assert misfit(found, OFFSETS.get(first, 0.0)) < 2e-3


@pytest.mark.parametrize("variable", ["ssha_filtered", "ssha_unedited"])
def test_another_height_is_taken_by_name_with_flags_applied(variable):
    found = Observations.from_tracks(swot(), variable=variable)
    assert found.quantity == variable and misfit(found, OFFSETS[variable]) < 2e-3
    swath = np.abs(found.cross_track_distance[found.of_swath])
    assert swath.min() >= 10.0 and swath.max() <= 60.0


def test_pixels_with_a_flag_are_left_out():
    ds = swot()
    ds["quality_flag"][50:80] = 30
    with_flags, all_pixels = (Observations.from_tracks(each) for each in (ds, ds.drop_vars("quality_flag")))
    assert with_flags.averaged[with_flags.of_swath].sum() == 170 * 52
    assert all_pixels.averaged[all_pixels.of_swath].sum() == 200 * 52


@pytest.mark.parametrize("change", [lambda ds: ds, lambda ds: ds.isel(num_lines=slice(60, 150))], ids=["whole", "cut"])
@pytest.mark.parametrize("across", [True, False], ids=["with", "without"])
def test_nadir_samples_are_a_mission_of_their_own(change, across):
    ds = change(swot() if across else swot().drop_vars(["cross_track_distance", "quality_flag"]))
    found = Observations.from_tracks(ds, swath_block=0)
    assert found.missions == ("swot", "swot_nadir")
    nadir = found.mission_index == 1
    np.testing.assert_array_equal(nadir, ~found.of_swath)
    assert nadir.sum() == int(ds.ssha_unfiltered.isel(num_pixels=PIXELS // 2).notnull().sum())
    inner = np.abs(found.cross_track_distance[~nadir])
    assert inner.min() > 9.6 and inner.max() < 62.0


def test_the_distance_across_is_found_from_the_positions():
    for up in (True, False):
        ds = swot(up=up)
        told, computed = (unrolled(each) for each in (ds, ds.drop_vars("cross_track_distance")))
        both = told.cross_track_distance.notnull().values
        # Positive to the right of the flight; the synthetic lines are not quite at right angles to it.
        np.testing.assert_allclose(
            told.cross_track_distance[both], computed.cross_track_distance[both], atol=0.03 * 60.0
        )


@pytest.mark.parametrize("name", ["ssha_karin", "ssha_karin_2"])
def test_heights_of_l2_have_the_correction_of_crossovers(name):
    found = Observations.from_tracks(l2(), variable=name)
    assert misfit(found, 1.0 if name == "ssha_karin" else 0.0) < 2e-3
    assert Observations.from_tracks(l2()).quantity == "ssha_karin_2"
    assert np.abs(found.cross_track_distance).max() < 61.0


def test_flags_of_l2_are_of_each_height_and_of_the_correction():
    ds = l2()
    whole = Observations.from_tracks(ds).averaged.sum()
    for flag in ("ssha_karin_2_qual", "height_cor_xover_qual"):
        flagged = ds.copy(deep=True)
        flagged[flag][:20] = 2
        assert Observations.from_tracks(flagged).averaged.sum() == whole - 20 * 52
    assert Observations.from_tracks(l2(qualities=False)).averaged.sum() == whole


def test_l2_without_the_correction_is_refused_and_the_cure_works():
    ds = l2().drop_vars("height_cor_xover")
    with pytest.raises(ValueError, match=r"ssha_karin_2 is not corrected.*add the correction and say so by"):
        Observations.from_tracks(ds)
    ds["ssha"] = (ds["ssha_karin_2"] + l2()["height_cor_xover"]).assign_attrs(units="m")
    assert misfit(Observations.from_tracks(ds.drop_vars("ssha_karin_2"))) < 2e-3


def test_l2_stacked_by_hand_is_refused_and_the_cure_works():
    stacked = l2().stack(obs=["num_lines", "num_pixels"]).reset_index("obs")
    with pytest.raises(ValueError, match=r"ssha_karin_2 was stacked without 'height_cor_xover'.*unrolled\(ds\)"):
        Observations.from_tracks(stacked)
    assert misfit(Observations.from_tracks(unrolled(l2()))) < 2e-3


def test_a_swath_without_times_is_refused_and_one_time_for_all_is_a_pass():
    ds = swot().drop_vars("time")
    with pytest.raises(ValueError, match=r"no time found: expected one for each line of the swath, or one for all"):
        Observations.from_tracks(ds)
    found = Observations.from_tracks(ds.assign_coords(time=START))
    assert found.n_passes == 2 and set(found.time.tolist()) == {START.astype("M8[ns]").tolist()}


@pytest.mark.parametrize("unit", ["s", "D"])
def test_a_track_whose_times_are_rounded_is_no_swath(unit):
    ds = (
        swot(lines=400)
        .isel(num_pixels=PIXELS // 2 + 8)[["ssha_unfiltered"]]
        .drop_vars("cross_track_distance", errors="ignore")
    )
    rounded = ds.time.values.astype(f"datetime64[{unit}]").astype("datetime64[ns]")
    found = Observations.from_tracks(ds.assign_coords(time=("num_lines", rounded)))
    assert len(found) == 400 and not found.of_swath.any() and found.n_passes == 1


def test_a_region_is_cut_out_of_a_swath():
    ds = swot()
    region = (300.0, 302.0, 37.0, 38.0)
    found = Observations.from_tracks(ds, region=region, swath_block=0)
    seen = np.isfinite(ds.ssha_unfiltered) & (ds.latitude >= 37.0) & (ds.latitude <= 38.0) & (ds.longitude <= 302.0)
    assert len(found) == int(seen.sum()) and found.missions == ("swot", "swot_nadir") and found.n_passes == 2
    with pytest.raises(ValueError, match=r"the tracks are empty: expected at least one"):
        Observations.from_tracks(ds, region=(10.0, 12.0, 37.0, 38.0))


def test_a_swath_is_drawn():
    matplotlib.use("agg")
    assert swot(lines=40).inr.plot().axes


def test_no_height_on_the_pixels_is_refused():
    with pytest.raises(ValueError, match=r"no height on lines and pixels.*Name it: variable=<name>"):
        unrolled(swot()[["quality_flag", "sigma0"]])
    with pytest.raises(ValueError, match=r"no variable 'ssha_x' in the tracks: expected it among"):
        Observations.from_tracks(swot(), variable="ssha_x")


def several():
    """Six passes of 5 hours each other, in turn ascending and descending."""
    parts = [swot(kind="Basic", hours=5.0 * k, up=k % 2 == 0, start=300.5 + 0.6 * k) for k in range(6)]
    return [part.drop_vars(["i_num_line", "i_num_pixel"]) for part in parts]


STACKS = {
    "lines by pixels": lambda ds: ds,
    "stacked": lambda ds: ds.stack(obs=["num_lines", "num_pixels"]).reset_index("obs"),
    "stacked pixels first": lambda ds: ds.stack(obs=["num_pixels", "num_lines"]).reset_index("obs"),
    "stacked, complete": lambda ds: (
        ds.stack(obs=["num_lines", "num_pixels"]).reset_index("obs", drop=True).dropna("obs")
    ),
    "half of a line missing": lambda ds: (
        ds.where((ds.longitude < 303) | (np.arange(PIXELS) > 30))
        .stack(obs=["num_lines", "num_pixels"])
        .reset_index("obs", drop=True)
        .dropna("obs")
    ),
}


@pytest.mark.parametrize("layout", STACKS)
def test_a_pass_is_a_half_orbit_whatever_the_layout(layout):
    ds = xr.concat(several(), "num_lines")
    ds["ssha_unfiltered"] = ds.ssha_unfiltered.where(abs(ACROSS) > 5.0)  # no nadir
    found = Observations.from_tracks(STACKS[layout](ds[["ssha_unfiltered"]]))
    assert found.n_passes == 6
    hours = (found.time - START) / np.timedelta64(5, "h")
    np.testing.assert_array_equal(np.floor(hours), found.pass_index)
    assert misfit(found) < 2e-3 and np.isfinite(found.cross_track_distance).all()


def test_passes_of_a_whole_orbit_end_where_it_turns():
    ds = xinr.simulate.swath(
        xinr.simulate.eddies(waves=2), region=(-180, 180, -80, 80), period=("2021-01-01", "2021-01-01"), spacing=10.0
    )
    shore = np.random.default_rng(0).random(ds.sla_unfiltered.shape) < 0.4
    stacked = ds.where(~shore)[["sla_unfiltered"]].drop_vars("mission", errors="ignore")
    stacked = stacked.stack(obs=["num_lines", "num_pixels"]).reset_index("obs", drop=True).dropna("obs")
    found = Observations.from_tracks(stacked, swath_block=0)
    half = xinr.simulate.MISSIONS["swon"].period / 2.0
    expected = np.floor((found.time - np.datetime64("2021-01-01")) / np.timedelta64(1, "s") / half - 0.5)
    assert found.n_passes == len(np.unique(expected))
    # The turn is found to a few lines.
    assert np.mean(np.diff(found.pass_index) - np.diff(expected) != 0) < 0.01


def files(folder, mission):
    for number, part in enumerate(several()):
        part.to_netcdf(folder / NAME.format(kind="Basic", number=number + 1, version="2.0.1"))
    mission("x").drop_vars("mission").to_netcdf(folder / "dt_global_alg_phy_l3_20170101.nc")


def test_files_of_swaths_and_tracks_open_together(tmp_path, mission):
    files(tmp_path, mission)
    ds = xinr.open_tracks(tmp_path / "*.nc")
    assert sorted(np.unique(ds.mission)) == ["alg", "swot", "swot_nadir"]
    swath = ds.isel(time=ds.mission.values == "swot")
    assert set(swath.cycle.values) == {474} and set(swath["pass"].values) == set(range(1, 7))
    found = Observations.from_tracks(ds)
    assert found.missions == ("alg", "swot", "swot_nadir") and found.n_passes == 8 + 6 + 6
    assert found.quantity == "sla_unfiltered or ssha_unfiltered"
    of_mission = [misfit(found.take(found.mission_index == k)) for k in range(3)]
    assert of_mission[0] < 0.03 and max(of_mission[1:]) < 2e-3
    filtered = Observations.from_tracks(ds, variable="ssha_filtered")
    assert filtered.quantity == "ssha_filtered or sla_unfiltered"
    assert misfit(filtered.take(filtered.mission_index == 1), 1.0) < 2e-3
    assert misfit(filtered.take(filtered.mission_index == 0)) < 0.03


def test_a_file_of_a_swath_without_time_is_named(tmp_path):
    swot().drop_vars("time").to_netcdf(tmp_path / "cut.nc")
    with pytest.raises(ValueError, match=r"cut\.nc is not a file of tracks or swaths: no time found: expected one for"):
        xinr.open_tracks(tmp_path / "cut.nc")


@pytest.mark.parametrize("attrs", [{}, {"standard_name": "latitude", "units": "degrees_north"}])
def test_positions_of_the_nadir_beside_those_of_the_pixels_do_not_count(attrs):
    ds = swot()
    beside = ds.assign_coords(latitude_nadir=("num_lines", np.zeros(ds.sizes["num_lines"]), attrs))
    expected = Observations.from_tracks(ds)
    np.testing.assert_array_equal(Observations.from_tracks(beside).latitude, expected.latitude)
    bare = beside.assign(latitude=ds.latitude.drop_attrs(), longitude=ds.longitude.drop_attrs())
    np.testing.assert_array_equal(Observations.from_tracks(bare).latitude, expected.latitude)


def test_numbers_of_passes_in_file_names_part_passes(tmp_path, mission):
    files(tmp_path, mission)
    paths = sorted(tmp_path.glob("SWOT*"))
    one, two = (xr.open_dataset(path) for path in paths[:2])
    late = one.time.values[-1] + np.arange(1, 201) * np.timedelta64(10**9, "ns")
    moved = {"latitude": one.latitude + 3.6, "longitude": one.longitude + 0.7, "time": ("num_lines", late)}
    found = Observations.from_tracks(xr.concat([unrolled(one), unrolled(two.assign_coords(moved))], "time"))
    assert found.n_passes == 3  # nadirs are told by their orbit alone


@pytest.mark.parametrize("size", [5.0, 10.0, 14.0])
def test_pixels_are_averaged_over_blocks_of_a_length(size):
    found = Observations.from_tracks(swot(noise=0.02), swath_block=size)
    swath = found.take(found.of_swath)
    whole = np.median(swath.averaged)
    assert whole == pytest.approx((size / 2.0) ** 2, rel=0.3)
    assert swath.averaged.sum() == 200 * 52
    full = swath.averaged == whole
    assert np.mean(swath.spread[full]) == pytest.approx(0.02, rel=0.1)
    error = swath.value - height(swath.longitude, swath.latitude, swath.time)
    assert np.std(error[full]) == pytest.approx(0.02 / np.sqrt(whole), rel=0.25)


def test_blocks_do_not_cross_halves_or_passes():
    ds = xr.concat(several()[:2], "num_lines")
    step = np.where(ACROSS > 0, 1.0, -1.0) + 4.0 * (np.arange(400) >= 200)[:, None]
    found = Observations.from_tracks(
        ds.assign(ssha_unfiltered=0.0 * ds.ssha_unfiltered + step).drop_vars("ssha_filtered")
    )
    values = found.value[found.of_swath]
    assert set(values.round(9)) == {-1.0, 1.0, 3.0, 5.0}


def test_a_noise_that_pixels_bring_is_that_of_the_average():
    ds = swot().assign(sd=lambda ds: 0.0 * ds.ssha_unfiltered + 0.03).drop_vars(["ssha_unedited"])
    ds["sd"].attrs["units"] = "m"
    found = Observations.from_tracks(ds, noise="sd")
    np.testing.assert_allclose(found.noise, 0.03 / np.sqrt(found.averaged))


@pytest.mark.parametrize("size", [-1.0, np.nan, np.inf])
def test_a_block_must_be_a_length(size):
    with pytest.raises(ValueError, match="swath_block must be a length"):
        Observations.from_tracks(swot(), swath_block=size)


def test_coarsening_is_along_tracks_alone(tmp_path, mission):
    files(tmp_path, mission)
    found = Observations.from_tracks(xinr.open_tracks(tmp_path / "*.nc"))
    coarse = found.coarsen(4)
    assert coarse.of_swath.sum() == found.of_swath.sum()
    assert (~coarse.of_swath).sum() == sum(n // 4 for n in np.bincount(found.pass_index[~found.of_swath]) if n)
    assert np.all(np.diff(coarse.mission_index) >= 0)


def test_swaths_are_fitted_as_they_are():
    ds = swot(lines=220)
    field = ds.inr.fit("kriging", swath_block=14.0)
    assert field.info["passes"] == 2 and field.info["missions"] == ["swot", "swot_nadir"]
    left = field.interp(ds).sla - ds.ssha_unfiltered
    assert left.dims == ("num_lines", "num_pixels")
    assert float(np.sqrt((left**2).mean())) < 0.01
    with pytest.raises(ValueError, match="swath_block"):
        ds.inr.fit("oi", swath_block=-2.0)


#: Small and quick settings of methods of every kind.
METHODS = {
    "kriging": {"covariance": Gaussian(200.0, 10.0, 0.15), "margin": 100.0, "time_margin": 10.0},
    "oi": {"frame": "plane", "covariance": Gaussian(200.0, 10.0, 0.15)},
    "fourier": {"steps": 300, "hidden_features": 64, "hidden_layers": 2, "batch_size": 256, "length_scale": 300.0},
}


@pytest.fixture(scope="module")
def rolled():
    """Six passes of a swath, each with a roll of its own, beside a nadir altimeter."""
    rng = np.random.default_rng(0)
    parts = [part.assign(ssha_unfiltered=part.ssha_unfiltered + 0.1 * rng.normal() * ACROSS / 60) for part in several()]
    return xr.concat([one_mission("alg", n_passes=6), *(unrolled(part[["ssha_unfiltered"]]) for part in parts)], "time")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_tells_the_roll_of_a_swath_from_the_sea(rolled, method):
    seen = Observations.from_tracks(rolled)
    at = xr.Dataset(coords={axis: ("n", getattr(seen, axis)) for axis in ("time", "longitude", "latitude")})
    true = height(seen.longitude, seen.latitude, seen.time)
    rmse = {}
    for roll in (0.0, 0.1):
        errors = {"swath_roll": roll, "swath_bias": 0.0, "swath_baseline": 0.0, "swath_phase": 0.0}
        field = rolled.inr.fit(method, noise=0.02, coarsen=1, swath_block=30.0, **METHODS[method], **errors)
        rmse[roll] = float(np.sqrt(np.mean((field.interp(at).sla.values - true) ** 2)))
    assert rmse[0.1] < 0.75 * rmse[0.0]


def test_errors_of_swaths_are_searched_where_there_is_one(rolled):
    start = xinr.OI(frame="plane", covariance=Gaussian(200.0, 10.0, 0.15), coarsen=20, noise=0.02)
    krige = xinr.Kriging(covariance=Gaussian(200.0, 10.0, 0.15), coarsen=20, spacing=80.0, time_step=5.0, margin=80.0)
    of_swath = set(xinr.tune(rolled, krige, evaluations=1, folds="mission", swath_block=50.0).trials)
    of_tracks = set(xinr.tune(one_mission("alg"), krige, evaluations=1).trials)
    assert of_swath - of_tracks == {"swath_bias", "swath_roll", "swath_baseline", "swath_phase"}
    options = {"folds": "pass", "evaluations": 3, "swath_block": 50.0}
    found = xinr.tune(rolled, start, ["swath_roll"], **options)
    assert found.method.swath_roll / found.method.rms_noise > start.swath_roll / start.rms_noise


@pytest.mark.parametrize("name", ["swath_bias", "swath_roll", "swath_baseline", "swath_phase"])
def test_an_error_of_swaths_is_a_deviation(name):
    with pytest.raises(ValueError, match=rf"{name} must be a standard deviation \[m\], zero or more, got -1"):
        xinr.Kriging(**{name: -1.0})


def test_maps_are_no_swaths():
    grid = xr.Dataset(coords={"latitude": ("y", [30.0, 31.0]), "longitude": ("x", [1.0, 2.0])})
    two = xr.Dataset(coords={"latitude": (("y", "x"), np.ones((2, 3))), "longitude": (("y", "x"), np.ones((2, 3)))})
    assert not is_swath(grid) and not is_swath(two) and not is_swath(two.assign_coords(time=START))
    assert not is_swath(two.expand_dims(time=[START])) and is_swath(two.assign_coords(time=("y", [START, START])))


def test_a_real_pass_is_one(shared_data):
    with xr.open_dataset(shared_data / "swot" / "swot_l3_v2.0.1_pass003_med_20230328.nc") as ds:
        found = Observations.from_tracks(ds.assign_coords(time=np.datetime64("2023-03-28T12:00")))
    assert found.n_passes == 1 and found.missions == ("swot",)
    assert found.averaged.sum() == 17851 and np.abs(found.cross_track_distance).min() > 10.0
    with xr.open_dataset(shared_data / "swot" / "swot_med_swath.nc") as ds:
        found = Observations.from_tracks(ds.assign_coords(time=np.datetime64("2023-03-28T12:00")), variable="ssha_raw")
    assert found.n_passes == 1 and found.averaged.sum() == 19312
