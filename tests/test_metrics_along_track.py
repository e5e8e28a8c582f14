"""Scores along a withheld track: published numbers, oracles, limits, known deviations, intervals and errors."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
import scipy.signal
import xarray as xr

from tests.helpers import DATA
from xinr.metrics import PROTOCOLS, SCORE_OPTIONS, score
from xinr.metrics.spectra import Passes, Sums, first_crossing, sorted_crossing

DELTA_X = 0.9434 * 6.77
NPT = 156
STATISTICS = ("mu", "sigma", "lambda_x", "rmse")


def times(lengths, hours=13):
    """Times of passes of the given numbers of points, 0.9434 s apart, a pass every `hours`."""
    step = [(943_400_000 * np.arange(n)).astype("timedelta64[ns]") for n in lengths]
    start = np.datetime64("2017-01-01", "ns")
    return np.concatenate([start + np.timedelta64(hours * p, "h") + dt for p, dt in enumerate(step)])


def track(ssh, time, **variables):
    return xr.Dataset({"ssh": ("time", ssh)} | {k: ("time", v) for k, v in variables.items()}, {"time": time})


def noise(lengths, seed=0, error=0.5):
    """White noise on passes of the given lengths: (prediction, reference)."""
    rng = np.random.default_rng(seed)
    ref = rng.normal(size=sum(lengths))
    return [track(h, times(lengths)) for h in (ref + error * rng.normal(size=ref.size), ref)]


def cut(time, protocol):
    """The passes and segments of one mission's track."""
    return Passes.cut(time, np.zeros(time.size, dtype=int), protocol, 1000.0)


@pytest.fixture(scope="module")
def golden():
    rng = np.random.default_rng(42)
    s = np.arange(170) * 6.386818
    wavelength = np.array([600.0, 300, 200, 150, 100, 60])
    amplitude = np.array([0.30, 0.20, 0.12, 0.08, 0.04, 0.02])
    gain = 1 / (1 + (130 / wavelength) ** 4)
    ref, map_ = [], []
    for _ in range(40):
        phase, white = rng.uniform(0, 2 * np.pi, 6), rng.normal(0, 0.01, 170)
        waves = np.sin(2 * np.pi * s[:, None] / wavelength + phase)
        ref.append(0.2 + waves @ amplitude + white)
        map_.append(0.2 + waves @ (gain * amplitude))
    time = times([170] * 40)
    return track(np.concatenate(map_), time), track(np.concatenate(ref), time)


# --- published numbers and oracles ----------------------------------------------------------------


def test_scores_are_those_of_the_published_code(golden):
    result = score(*golden, resamples=0)
    assert int(result.n_segments) == 39
    assert float(result.lambda_x) == pytest.approx(112.26349563949782, rel=1e-9)
    assert float(result.mu) == pytest.approx(0.892853731583235, rel=1e-9)
    assert float(result.sigma) == pytest.approx(0.004785963238024886, rel=1e-9)
    assert float(result.psd_ref.sum()) == pytest.approx(82.96798272758447, rel=1e-9)
    assert float(result.psd_ref[5]) == pytest.approx(4.7765652765690465, rel=1e-9)
    assert float(result.psd_diff[5]) == pytest.approx(0.1119046417940809, rel=1e-9)


def test_strict_scores_are_those_of_an_independent_code(golden):
    result = score(*golden, protocol="strict", resamples=0)
    assert int(result.n_segments) == 40
    assert float(result.lambda_x) == pytest.approx(112.3530, abs=5e-5)


def published_starts(time, npt):
    """Segment starts by the loop of the challenge's compute_segment_alongtrack."""
    cuts = np.flatnonzero(np.diff(time) > np.timedelta64(4, "s"))
    starts = []
    for i, cut in enumerate(cuts):
        begin = cuts[i - 1] if i else 0
        if cut - begin >= npt:
            starts += range(begin, cut - npt, int(0.25 * npt))
    return starts


@pytest.mark.parametrize("seed", range(5))
def test_segments_are_those_of_the_published_loop(seed):
    lengths = [*np.random.default_rng(seed).integers(100, 450, size=12).tolist(), NPT, NPT + 1, 400]
    time = times(lengths)
    passes = cut(time, PROTOCOLS["dc2021a"])
    expected = published_starts(time, NPT)
    assert len(expected) > 10
    assert passes.npt == NPT
    assert passes.segment_first.tolist() == expected


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_spectra_equal_welch_over_the_concatenated_segments(protocol):
    prediction, reference = noise([300, 170, 60, 420, 200])
    result = score(prediction, reference, protocol=protocol, resamples=0)
    starts = cut(reference.time.values, PROTOCOLS[protocol]).segment_first
    diff = (prediction.ssh - reference.ssh).values
    for name, values in (("psd_ref", reference.ssh.values), ("psd_diff", diff)):
        joined = np.concatenate([values[i : i + NPT] for i in starts])
        k, psd = scipy.signal.welch(joined, fs=1 / DELTA_X, nperseg=NPT, noverlap=0)
        np.testing.assert_allclose(result[name], psd, rtol=1e-12)
        np.testing.assert_allclose(result.wavenumber, k, rtol=1e-9)
    assert int(result.n_segments) == len(starts) >= 10


def test_daily_scores_equal_xarray_resample():
    prediction, reference = noise([170, 9, 300, 12, 80], error=0.3)

    def rms(values):
        return np.sqrt((values**2).resample(time="1D").mean())

    expected = 1 - rms(prediction.ssh - reference.ssh) / rms(reference.ssh)
    expected = expected.where(reference.ssh.resample(time="1D").count() >= 10)
    result = score(prediction, reference, resamples=0)
    np.testing.assert_allclose(result.daily_score, expected.sel(time=result.day.values), rtol=1e-12)
    assert float(result.mu) == pytest.approx(float(expected.mean()), rel=1e-12)
    assert float(result.sigma) == pytest.approx(float(expected.std()), rel=1e-12)
    assert float(result.rmse) == pytest.approx(float(((prediction - reference).ssh ** 2).mean() ** 0.5))


def test_days_of_fewer_than_ten_points_are_masked():
    prediction, reference = noise([170, 10, 9], error=0.3)
    prediction, reference = (ds.assign_coords(time=times([170, 10, 9], 24)) for ds in (prediction, reference))
    result = score(prediction, reference, resamples=0)
    assert np.isfinite(result.daily_score).values.tolist() == [True, True, False]
    assert float(result.mu) == pytest.approx(float(result.daily_score[:2].mean()))


# --- limits ---------------------------------------------------------------------------------------


def test_perfect_map_scores_one(golden):
    _, reference = golden
    result = score(reference, reference, resamples=0)
    assert (float(result.mu), float(result.sigma), float(result.rmse)) == (1.0, 0.0, 0.0)
    assert np.isnan(result.lambda_x)
    assert "NaN where it is not crossed" in result.lambda_x.long_name


def test_null_prediction_scores_the_null_score(golden):
    _, reference = golden
    mdt = 0.2 + 0.3 * np.sin(np.arange(reference.time.size) / 40)
    reference = track(reference.ssh.values + mdt, reference.time.values, mdt=mdt)
    result = score(track(mdt, reference.time.values), reference, resamples=0)
    assert result.null_prediction == "the reference's mdt"
    assert 0.05 < float(result.mu_null) < 0.95
    for name in STATISTICS:
        np.testing.assert_array_equal(result[name], result[f"{name}_null"])


@pytest.mark.parametrize("with_nan", [False, True])
def test_null_prediction_is_zero_without_an_mdt(golden, with_nan):
    prediction, reference = golden
    if with_nan:
        reference = reference.assign(mdt=("time", np.full(reference.time.size, np.nan)))
    result = score(prediction, reference, resamples=0)
    assert result.null_prediction.startswith("zero")
    assert float(result.mu_null) == 0.0
    assert np.isnan(result.lambda_x_null)
    assert float(result.rmse_null) == pytest.approx(float((reference.ssh**2).mean() ** 0.5))


def test_ssh_is_sla_plus_mdt_minus_lwe(golden):
    prediction, reference = golden
    sla = reference.ssh.values - 0.3 + 0.02
    parts = track(sla, reference.time.values, mdt=np.full(sla.size, 0.3), lwe=np.full(sla.size, 0.02))
    result = score(prediction, parts.rename(ssh="sla_unfiltered"), resamples=0)
    assert float(result.mu) == pytest.approx(0.892853731583235, rel=1e-9)


# --- science: a known low-pass crosses 0.5 at its cutoff ------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("cutoff", [80.0, 120.0, 200.0])
def test_a_low_pass_filter_is_resolved_down_to_its_cutoff(protocol, cutoff):
    rng = np.random.default_rng(3)
    ref = rng.normal(size=(60, 400))
    gain = 1 / (1 + (np.fft.rfftfreq(400, DELTA_X) * cutoff) ** 16)
    gain = 1 - np.sqrt(1 - gain)  # 1 - (1 - gain)**2 is 0.5 at the cutoff
    prediction = np.fft.irfft(np.fft.rfft(ref) * gain, n=400)
    time = times([400] * 60)
    result = score(track(prediction.ravel(), time), track(ref.ravel(), time), protocol=protocol, resamples=0)
    bin_width = cutoff**2 / (NPT * DELTA_X)
    assert float(result.lambda_x) == pytest.approx(cutoff, abs=0.5 * bin_width)


# --- known deviations of the published code, and the strict protocol ------------------------------


@pytest.mark.parametrize(
    ("lengths", "published", "strict"),
    [
        ([NPT, NPT, NPT], [], [0, NPT, 2 * NPT]),  # exactly one segment long
        ([100, NPT + 1, NPT + 1], [99], [100, 100 + NPT + 1]),  # one point early; the last pass is dropped
        ([NPT + 39], [], [0, 39]),  # a single pass is the last one
        ([NPT + 1, 20], [], [0]),  # the first pass is counted one point short
    ],
)
def test_segments_of_the_published_code_and_of_the_strict_one(lengths, published, strict):
    time = times(lengths)
    found = {name: cut(time, rules).segment_first for name, rules in PROTOCOLS.items()}
    assert found["dc2021a"].tolist() == published
    assert found["strict"].tolist() == strict


def test_strict_takes_the_time_step_of_the_data():
    time = times([200, 200])
    slower = time[0] + (time - time[0]) * 2
    steps = {name: cut(slower, rules).delta_x for name, rules in PROTOCOLS.items()}
    assert steps["dc2021a"] == pytest.approx(DELTA_X)
    assert steps["strict"] == pytest.approx(2 * DELTA_X)


def test_crossing_of_a_score_that_is_not_monotone():
    wavelength = np.array([np.inf, 400.0, 300.0, 200.0, 100.0])
    psd_score = np.array([[0.45, 0.9, 0.1, 0.8, 0.2]])
    assert first_crossing(psd_score, wavelength)[0] == pytest.approx(350.0)
    assert first_crossing(np.array([[0.9, 0.4, 0.8, 0.2, 0.1]]), wavelength)[0] == pytest.approx(250.0)
    psd_score[0, 0] = 0.95
    order = np.argsort(psd_score[0])
    expected = np.interp(0.5, psd_score[0][order], wavelength[order])
    assert sorted_crossing(psd_score, wavelength)[0] == pytest.approx(expected)
    assert 100.0 < expected < 200.0


@pytest.mark.parametrize("crossing", [first_crossing, sorted_crossing])
@pytest.mark.parametrize("values", [[0.1] * 4, [0.9] * 4, [np.nan] * 4, [0.5] * 4])
def test_no_crossing_is_nan_and_never_an_exception(crossing, values):
    rows = np.array([values, [0.9, 0.8, 0.6, 0.2]])
    found = crossing(rows, np.array([np.inf, 300.0, 200.0, 100.0]))
    assert found[1] == pytest.approx(175.0)
    if values != [0.5] * 4 or crossing is first_crossing:
        assert np.isnan(found[0])


# --- intervals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_intervals_hold_the_estimate_and_follow_the_seed(golden, protocol):
    first, again, other = (score(*golden, protocol=protocol, resamples=300, seed=s) for s in (1, 1, 2))
    assert first.identical(again)
    assert not np.array_equal(first.mu_interval, other.mu_interval)
    for name in STATISTICS:
        low, high = first[f"{name}_interval"].values
        assert low < float(first[name]) < high, name
    assert first["quantile"].values.tolist() == [0.025, 0.975]


def test_bootstrap_equals_scoring_the_drawn_passes():
    lengths = [200, 260, 170, 330]
    prediction, reference = noise(lengths)
    ref, diff = reference.ssh.values, (prediction.ssh - reference.ssh).values
    passes = cut(reference.time.values, PROTOCOLS["strict"])
    found = Sums.of(passes, ref, diff).bootstrap(3, seed=5)
    stop = np.cumsum(lengths)
    drawn = np.random.default_rng(5).integers(4, size=(3, 4))
    for sample, chosen in enumerate(drawn):
        picked = [np.arange(stop[p] - lengths[p], stop[p]) for p in chosen]
        time = times([lengths[p] for p in chosen])
        index = np.concatenate(picked)
        expected = score(track((ref + diff)[index], time), track(ref[index], time), protocol="strict", resamples=0)
        assert found["rmse"][sample] == pytest.approx(float(expected.rmse), rel=1e-12)
        np.testing.assert_allclose(found["lambda_x"][sample], expected.lambda_x, rtol=1e-9)
    assert len({tuple(sorted(chosen)) for chosen in drawn.tolist()}) > 1


def test_interval_narrows_as_the_square_root_of_the_number_of_passes():
    few, many = (score(*noise([60] * n), segment_length=300.0).rmse_interval.values for n in (25, 400))
    assert np.ptp(few) / np.ptp(many) == pytest.approx(4.0, rel=0.4)


def test_without_resamples_there_are_no_intervals(golden):
    assert np.isnan(score(*golden, resamples=0).lambda_x_interval).all()


def test_many_resamples_fit_into_memory(golden):
    """They are computed in batches: 60 000 here are two."""
    many, few = (score(*golden, protocol="strict", resamples=resamples) for resamples in (60_000, 2000))
    for name in ("mu_interval", "rmse_interval", "lambda_x_interval"):
        expected = few[name].values
        np.testing.assert_allclose(many[name], expected, rtol=0, atol=0.1 * np.ptp(expected))


def test_samples_without_a_crossing_are_counted(golden):
    prediction, reference = golden
    result = score(reference, reference, resamples=20)
    assert result.lambda_x_interval.attrs["n_undefined"] == 20
    assert score(prediction, reference, resamples=20).lambda_x_interval.attrs["n_undefined"] == 0


# --- which points are scored ----------------------------------------------------------------------


def test_unsorted_points_score_the_same(golden):
    order = np.random.default_rng(0).permutation(golden[0].time.size)
    shuffled = (ds.isel(time=order) for ds in golden)
    xr.testing.assert_identical(score(*shuffled, resamples=20), score(*golden, resamples=20))


def test_repeated_points_are_dropped_and_counted(golden):
    once = score(*golden, protocol="strict", resamples=0)
    twice = score(*(xr.concat([ds, ds], "time") for ds in golden), protocol="strict", resamples=0)
    assert twice.attrs["n_repeated"] == golden[0].sizes["time"]
    for name in ("n", "mu", "lambda_x", "rmse"):
        assert float(twice[name]) == float(once[name])


def test_two_releases_of_a_track_some_milliseconds_apart_count_once(golden):
    def both(ds):
        return xr.concat([ds, ds.assign_coords(time=ds.time.values + np.timedelta64(3, "ms"))], "time")

    found = score(*map(both, golden), protocol="strict", resamples=0)
    assert found.attrs["n_repeated"] == golden[0].sizes["time"]
    assert float(found.lambda_x) == pytest.approx(112.353, abs=1e-3)


def of_missions(ds, seconds):
    """The same track flown by two altimeters, the second some seconds later on another ground track."""
    later = ds.assign_coords(time=ds.time.values + np.timedelta64(int(1000 * seconds), "ms"))
    return xr.concat(
        [
            ds.assign_coords(mission=("time", np.full(ds.sizes["time"], name)))
            for name, ds in (("j3", ds), ("s6a", later))
        ],
        "time",
    ).sortby("time")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_altimeters_half_a_minute_apart_are_scored_as_two_tracks(golden, protocol):
    alone = score(*golden, protocol=protocol, resamples=0)
    both = score(*(of_missions(ds, 30.4) for ds in golden), protocol=protocol, resamples=0)
    assert both.attrs["n_passes"] == 2 * alone.attrs["n_passes"]
    assert float(both.lambda_x) == pytest.approx(float(alone.lambda_x), abs=0.2)
    assert float(both.mu) == pytest.approx(float(alone.mu), abs=1e-3)
    assert int(both.day.size) == int(alone.day.size)


def test_altimeters_without_names_are_told_apart_by_their_ground_tracks(golden):
    named = [of_missions(ds, 30.4) for ds in golden]
    along = 0.0575 * (np.arange(170) % 170)
    latitude = np.tile(along, 40)
    second = named[0].mission.values == "s6a"
    place = np.empty(second.size)
    place[~second], place[second] = latitude, latitude
    found = [
        ds.drop_vars("mission").assign_coords(
            latitude=("time", place - 5.0), longitude=("time", np.where(second, 40.0, 10.0))
        )
        for ds in named
    ]
    expected = score(*named, protocol="strict", resamples=0)
    xr.testing.assert_allclose(score(*found, protocol="strict", resamples=0), expected)


def test_tracks_of_different_sampling_are_refused_and_scored_one_by_one(golden):
    slow = [ds.isel(time=slice(None, None, 2)) for ds in golden]
    shift = np.timedelta64(200, "D")
    mixed = [
        xr.concat(
            [
                one.assign_coords(mission=("time", np.full(one.sizes["time"], "s6a"))),
                other.assign_coords(time=other.time + shift, mission=("time", np.full(other.sizes["time"], "j3"))),
            ],
            "time",
        )
        for one, other in zip(golden, slow, strict=True)
    ]
    with pytest.raises(ValueError, match=r"sampled every 0\.943 to 1\.89 s, expected one interval.*ds.mission == 'j3'"):
        score(*mixed, protocol="strict", segment_length=500.0, resamples=0)
    score(*(ds.isel(time=ds.mission == "j3") for ds in mixed), protocol="strict", segment_length=500.0, resamples=0)


def test_a_swath_is_refused_as_a_reference_and_its_columns_are_scored(golden):
    columns = []
    for ds in golden:
        latitude = np.tile(0.0575 * np.arange(170), 40)
        pair = [
            ds.assign_coords(
                latitude=("time", latitude),
                longitude=("time", np.full(ds.time.size, 10.0 + x)),
                mission=("time", np.full(ds.time.size, "swot")),
            )
            for x in (0.0, 0.1)
        ]
        columns.append(pair)
    swath = [xr.concat(pair, "time") for pair in columns]
    with pytest.raises(ValueError, match=r"6800 points of the same mission and time at different positions.*column"):
        score(*swath, protocol="strict", resamples=0)
    score(*(pair[0] for pair in columns), protocol="strict", resamples=0)


def test_points_that_are_nan_on_either_side_are_dropped(golden):
    prediction, reference = (ds.copy(deep=True) for ds in golden)
    prediction.ssh[3:6] = np.nan
    reference.ssh[5:8] = np.inf
    result = score(prediction, reference, resamples=0)
    assert result.n_dropped == 5
    assert int(result.n) == golden[0].time.size - 5
    kept = [ds.isel(time=np.r_[0:3, 8 : ds.time.size]) for ds in golden]
    xr.testing.assert_equal(result, score(*kept, resamples=0))


def test_dask_gives_the_same(golden):
    chunked = (ds.chunk(time=500) for ds in golden)
    xr.testing.assert_identical(score(*chunked, resamples=5), score(*golden, resamples=5))


def located(longitude, latitude=None):
    """A prediction and a reference whose points lie at the given longitudes."""
    n = len(longitude)
    latitude = np.zeros(n) if latitude is None else latitude
    rng = np.random.default_rng(0)
    return [
        track(rng.normal(size=n), times([n])).assign_coords(longitude=("time", longitude), latitude=("time", latitude))
        for _ in range(2)
    ]


@pytest.mark.parametrize(
    ("region", "kept"),
    [
        ((295, 305, -5, 5), [295.25, 300, 304.75]),
        ((-65, -55, -5, 5), [295.25, 300, 304.75]),
        ((170, -170, -5, 5), [171, 180, 189.5]),
        ((170, 190, -5, 5), [171, 180, 189.5]),
        ((-10, 10, -5, 5), [0, 5, 355]),
        ((0, 360, -5, 5), None),
        ((-180, 180, -5, 5), None),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_region_in_any_longitude_convention(region, kept, wrapped):
    inside = [0, 5, 171, 180, 189.5, 295.25, 300, 304.75, 355]
    outside = [295.2, 304.8, 170.1, 189.9, 250, 10]
    longitude = np.repeat([*inside, *outside], 12).astype(float)
    expected = 12 * len(kept or [*inside, *outside])
    longitude = (longitude + 180) % 360 - 180 if wrapped else longitude
    with pytest.warns(UserWarning, match="lambda_x is NaN"):
        result = score(*located(longitude), region=region, resamples=0)
    assert int(result.n) == expected


def test_a_region_has_its_buffer_in_latitude():
    latitude = np.repeat([33.0, 33.2, 33.25, 40.0, 42.75, 42.8, 43.0], 12)
    with pytest.warns(UserWarning, match="lambda_x is NaN"):
        result = score(*located(np.full(84, 300.0), latitude), region=(295, 305, 33, 43), resamples=0)
    assert int(result.n) == 36


def test_period_includes_both_days():
    time = np.arange("2017-01-01", "2017-01-06", np.timedelta64(1, "h"), dtype="datetime64[ns]")
    ssh = np.random.default_rng(0).normal(size=(2, time.size))
    tracks = [track(h, time) for h in ssh]
    with pytest.warns(UserWarning, match="lambda_x is NaN"):
        result = score(*tracks, period=("2017-01-02", "2017-01-04"), resamples=0)
    assert int(result.n) == 72
    assert [str(day)[:10] for day in result.day.values] == ["2017-01-02", "2017-01-03", "2017-01-04"]


# --- the result -----------------------------------------------------------------------------------


def test_every_variable_has_units_and_a_long_name(golden, tmp_path):
    result = score(*golden, resamples=5)
    assert len(result.data_vars) == 17
    for name in [*result.data_vars, "wavenumber", "wavelength"]:
        assert {"units", "long_name"} <= set(result[name].attrs), name
    assert result.protocol == "dc2021a"
    assert result.segment_length_km == 1000.0
    result.to_netcdf(tmp_path / "score.nc")
    with xr.open_dataset(tmp_path / "score.nc") as back:
        assert float(back.lambda_x) == float(result.lambda_x)


def test_score_options_are_the_keywords_of_score():
    keywords = [p.name for p in inspect.signature(score).parameters.values() if p.kind == p.KEYWORD_ONLY]
    assert ["protocol", *SCORE_OPTIONS] == keywords


def test_importing_the_metrics_is_light():
    code = "import sys, xinr.metrics; print([m for m in ('xrft', 'scipy.signal', 'torch') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# --- errors and warnings --------------------------------------------------------------------------


def test_no_pass_long_enough_warns_and_keeps_the_other_scores():
    with pytest.warns(UserWarning, match=r"no pass is as long as a segment of 1000 km \(156 points\).* has 50 points"):
        result = score(*noise([50, 40, 30]), resamples=20)
    assert np.isnan(result.lambda_x)
    assert np.isnan(result.psd_ref).all()
    assert np.isfinite(result.mu)
    assert np.isfinite(result.rmse_interval).all()


def test_isolated_points_warn():
    time = np.arange("2017-01-01", "2017-01-02", np.timedelta64(60, "s"), dtype="datetime64[ns]")
    ssh = np.random.default_rng(0).normal(size=(2, time.size))
    with pytest.warns(UserWarning, match="lambda_x is NaN.* has 1 points"):
        score(*(track(h, time) for h in ssh), protocol="strict", resamples=5)


def test_too_few_points_a_day_warns():
    with (
        pytest.warns(UserWarning, match="mu is NaN: no day has 10 points"),
        pytest.warns(UserWarning, match="lambda_x is NaN"),
    ):
        result = score(*noise([9]), resamples=5)
    assert np.isnan(result.mu)
    assert np.isnan(result.sigma)
    assert np.isfinite(result.rmse)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"protocol": "dc2020a"}, r"protocol='dc2020a' is unknown: choose one of \['dc2021a', 'strict'\]"),
        (
            {"period": ("2030-01-01", "2030-02-01")},
            r"no point to score in .*covers 2017-01-01.* or pass None",
        ),
        ({"period": ("yesterday", "today-ish")}, r"period must be two days such as .*, got \('yesterday'"),
        ({"period": ("2017-01-01",)}, "period must be two days such as"),
        ({"resamples": -1}, "resamples must be 0 .* or more, got -1"),
        ({"segment_length": 20.0}, r"segment_length must hold at least 8 points, here 51.09 km, got 20.0 km"),
        ({"segment_length": float("nan")}, "segment_length must hold at least 8 points"),
        ({"region": (295, 305, 33, 43)}, "no longitude found"),
        ({"region": (295, 33, 305, 43)}, r"region must be \(west, east, south, north\) in degrees"),
        ({"region": (300, 300, 33, 43)}, r"region must be \(west, east, south, north\) in degrees"),
        ({"region": (300, 33, 43)}, r"region must be \(west, east, south, north\) in degrees"),
    ],
)
def test_invalid_options_are_refused(golden, options, text):
    with pytest.raises(ValueError, match=text):
        score(*golden, **options)


def test_a_region_without_points_is_refused():
    with pytest.raises(ValueError, match=r"no point to score in region=\(10, 20, -5, 5\)"):
        score(*located(np.full(50, 300.0)), region=(10, 20, -5, 5))


def test_a_missing_sea_surface_height_is_refused(golden):
    prediction, reference = golden
    with pytest.raises(ValueError, match=r"prediction has no sea surface height.*\['mdt', 'lwe'\] are missing"):
        score(prediction.rename(ssh="sla_unfiltered"), reference)
    with pytest.raises(TypeError, match=r"reference must be an xarray Dataset, got DataArray.*to_dataset"):
        score(prediction, reference.ssh)


def test_prediction_and_reference_must_have_the_same_points(golden):
    prediction, reference = golden
    with pytest.raises(ValueError, match=r"prediction has 6799 points and reference 6800.*field.interp"):
        score(prediction.isel(time=slice(1, None)), reference)
    later = prediction.assign_coords(time=prediction.time + np.timedelta64(1, "s"))
    with pytest.raises(ValueError, match=r"times of prediction and reference differ at 6800 points"):
        score(later, reference)
    with pytest.raises(ValueError, match=r"reference must be a track of one dimension.*field.interp\(track\)"):
        score(prediction, reference.expand_dims(member=2))
    one_time = xr.Dataset({"ssh": ("point", [1.0, 2.0])}, {"time": np.datetime64("2017-01-01", "ns")})
    with pytest.raises(ValueError, match=r"time must have one value per point, \(2,\)"):
        score(one_time, one_time)


def test_tracks_without_common_points_are_refused(golden):
    prediction, reference = golden
    with pytest.raises(ValueError, match=r"no common finite points: of 6800 .* has 0 finite and the reference 6800"):
        score(prediction * np.nan, reference)
    with pytest.raises(ValueError, match=r"no point to score.*the track being empty"):
        score(*(ds.isel(time=slice(0)) for ds in golden))


# --- real tracks ----------------------------------------------------------------------------------


@pytest.mark.skipif(not DATA.is_dir(), reason=f"real observations not found in {DATA}")
def test_mean_topography_alone_on_real_tracks():
    path = DATA / "med2021" / "dt_med_s3a_phy_l3_20210101-20210331_0-20_30-45.nc"
    with xr.open_dataset(path) as ds:
        reference = ds.load()
    options = {"region": (2, 19, 31, 44), "period": ("2021-01-15", "2021-03-15"), "segment_length": 500.0}
    result = score(reference.assign(ssh=reference.mdt), reference, protocol="strict", **options)

    ds = reference.sel(time=slice("2021-01-15", "2021-03-15"))
    lon, lat = ds.longitude.values, ds.latitude.values
    ds = ds.isel(time=(lon >= 2.25) & (lon <= 18.75) & (lat >= 31.25) & (lat <= 43.75))
    ssh = ds.sla_unfiltered.astype(float) + ds.mdt - ds.lwe
    ratio = ((ds.mdt - ssh) ** 2).resample(time="1D").mean() / (ssh**2).resample(time="1D").mean()
    daily = (1 - ratio**0.5).where(ssh.resample(time="1D").count() >= 10)
    assert float(result.rmse) == pytest.approx(float(((ds.mdt - ssh) ** 2).mean() ** 0.5), rel=1e-6)
    assert float(result.mu) == pytest.approx(float(daily.mean()), rel=1e-6)
    assert float(result.rmse) == pytest.approx(0.1004, abs=1e-4)
    assert result.delta_x_km == pytest.approx(6.77, abs=0.01)
    assert int(result.n_segments) > 50


@pytest.mark.skipif(not DATA.is_dir(), reason=f"real observations not found in {DATA}")
@pytest.mark.parametrize("region", [(300, 304, 36, 39), (-60, -56, 36, 39)])
def test_filtered_track_on_a_real_cut_of_the_challenge(region):
    with xr.open_dataset(DATA / "dc2021a_cut" / "l3_c2_subset.nc") as ds:
        reference = ds.load()
    filtered = reference.assign(sla_unfiltered=reference.sla_filtered)
    result = score(filtered, reference, protocol="strict", region=region, segment_length=200.0)
    assert float(result.delta_x_km) == pytest.approx(DELTA_X, abs=1e-3)  # CryoSat-2's step
    assert 0.95 < float(result.mu) < 0.98
    assert 50 < float(result.lambda_x) < 65  # the challenge filters at 65 km
    assert int(result.n) == 647
