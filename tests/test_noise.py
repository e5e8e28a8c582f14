"""`noise` is the standard deviation of one raw observation, however it is given, and what was used is recorded."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xinr
from xinr.challenges import Challenge
from xinr.fields.fitting import fit_observations
from xinr.methods import method_from
from xinr.methods.oi import OI
from xinr.validation.sampling import observation_error, prepared

RAW = 0.06
EACH = {"alg": 0.04, "j3": 0.08}


def used(field):
    """Return the noise of each average that a fit of OI went by."""
    return field.predictor.error_model.noise


def with_variable(tracks, level=RAW):
    return tracks.assign(sd=("time", np.full(tracks.sizes["time"], level), {"units": "m"}))


def test_every_way_of_giving_it_means_the_same(tracks):
    points = xinr.Observations.from_tracks(tracks)
    challenge = Challenge(
        name="two missions",
        training=tracks,
        grid=xr.Dataset(),
        region=(300.0, 306.0, 36.0, 42.0),
        period=("2017-01-01", "2017-01-08"),
        withheld=tracks,
    )
    fields = {
        "keyword": xinr.fit(tracks, "oi", noise=RAW),
        "setting": xinr.fit(tracks, OI(noise=RAW)),
        "keyword with an object": xinr.fit(tracks, OI(), noise=RAW),
        "observations": xinr.fit(points, "oi", noise=RAW),
        "taken before": fit_observations(points, OI(noise=RAW)),
        "mapping": xinr.fit(tracks, "oi", noise=dict.fromkeys(EACH, RAW)),
        "variable": xinr.fit(with_variable(tracks), "oi", variable="sla_unfiltered", noise="sd"),
        "challenge": challenge.fit("oi", noise=RAW),
        "challenge with an object": challenge.fit(OI(noise=RAW)),
    }
    for name, field in fields.items():
        np.testing.assert_allclose(used(field), RAW / np.sqrt(5.0), rtol=1e-12, err_msg=name)
    recorded = {name: field.info["settings"]["noise"] for name, field in fields.items()}
    assert recorded == dict.fromkeys(fields, RAW) | {"mapping": dict.fromkeys(EACH, RAW), "variable": "sd"}


def test_averages_err_less_by_the_root_of_their_number(tracks):
    points = xinr.Observations.from_tracks(tracks)
    for factor in (1, 2, 8):
        error = observation_error(points.coarsen(factor), OI(noise=EACH))
        mission = points.coarsen(factor).mission_index
        np.testing.assert_allclose(error.noise, np.array([0.04, 0.08])[mission] / np.sqrt(factor), rtol=1e-12)
    twice = points.coarsen(2).coarsen(3)
    np.testing.assert_allclose(observation_error(twice, OI(noise=RAW)).noise, RAW / np.sqrt(6.0), rtol=1e-12)


def test_the_noise_of_the_baseline_is_exact():
    """Data challenge 2021a has R = 0.05² of averages of five."""
    assert OI().coarsen == 5
    assert (OI().noise / np.sqrt(5)) ** 2 == pytest.approx(0.05**2, rel=1e-15)


def test_a_variable_wins_and_its_name_is_saved(tracks, tmp_path):
    field = xinr.fit(with_variable(tracks), OI(noise=0.5), variable="sla_unfiltered", noise="sd")
    field.save(tmp_path / "field.nc")
    assert xinr.open_field(tmp_path / "field.nc").info["settings"]["noise"] == "sd"
    np.testing.assert_allclose(used(field), RAW / np.sqrt(5.0))


def test_a_noise_for_missions_that_are_not_there_warns(tracks):
    with pytest.warns(UserWarning, match=r"noise is given for \['c2'\], but the tracks hold only the missions \['alg'"):
        points, method = prepared(tracks, "oi", {"noise": EACH | {"c2": 0.1}})
    np.testing.assert_array_equal(method.noise_of(points.missions), [0.04, 0.08])


def test_the_cure_of_a_missing_mission_works(tracks):
    with pytest.raises(ValueError, match=r"but the tracks hold the missions \['alg', 'j3'\]: add \['j3'\]"):
        tracks.inr.fit(noise={"alg": 0.02})
    assert len(set(used(tracks.inr.fit(noise={"alg": 0.02, "j3": 0.03})))) == 2


def test_missions_may_be_named_by_numbers(tracks):
    numbered = tracks.assign_coords(mission=("time", np.repeat([0, 1], 320)))
    assert numbered.inr.fit(noise={0: 0.02, 1: 0.03}).info["settings"]["noise"] == {"0": 0.02, "1": 0.03}


def test_an_array_is_told_where_to_go(tracks):
    with pytest.raises(TypeError, match="noise must be a number, one for each mission, or the name of a variable, got"):
        tracks.inr.fit(noise=np.full(640, 0.03))
    assert tracks.assign(noise=("time", np.full(640, 0.03))).inr.fit(noise="noise").info["settings"]["noise"] == "noise"


def test_points_without_a_usable_noise_are_left_out_as_told(tracks):
    ds = with_variable(tracks)
    ds["sd"][:3] = [np.nan, 0.0, np.inf]
    with pytest.raises(
        ValueError, match=r"above zero \[m\] at every observation, got nan at 3 of 640: leave those out"
    ):
        ds.inr.fit(variable="sla_unfiltered", noise="sd")
    cured = ds.where((ds["sd"] > 0) & (ds["sd"] < 1))
    assert cured.inr.fit(variable="sla_unfiltered", noise="sd").info["dropped"] == 3


def test_two_noises_are_refused(tracks):
    brought = xinr.Observations.from_tracks(with_variable(tracks), variable="sla_unfiltered", noise="sd")
    with pytest.raises(ValueError, match=r"noise=0\.03 came with observations that bring their own: leave one of them"):
        xinr.fit(brought, "oi", noise=0.03)
    assert xinr.fit(brought, "oi").info["settings"]["noise"] == "sd"
    assert xinr.fit(replace(brought, noise=None), "oi", noise=0.03).info["settings"]["noise"] == 0.03


@pytest.mark.parametrize("noise", [0.2, {"alg": 0.2, "j3": 0.1}])
def test_a_search_starts_from_the_noise_given(tracks, noise):
    found = xinr.tune(tracks, "oi", ["noise"], evaluations=2, noise=noise, analysis_step=4.0)
    rms = 0.2 if noise == 0.2 else np.sqrt(0.025)
    assert float(found.trials.noise[0]) == pytest.approx(rms)
    if noise != 0.2:
        assert found.method.noise["alg"] == pytest.approx(2.0 * found.method.noise["j3"])


def test_a_noise_of_each_point_is_left_out_of_the_search(tracks):
    ds = with_variable(tracks)
    options = {"variable": "sla_unfiltered", "noise": "sd", "analysis_step": 4.0}
    assert list(xinr.tune(ds, "oi", evaluations=1, **options).trials) == ["length_scale", "time_scale", "rmse"]
    with pytest.raises(ValueError, match=r"noise cannot be searched: .* Read them without noise=<variable>"):
        xinr.tune(ds, "oi", ["noise"], evaluations=1, **options)


def test_the_documented_defaults_are_those_of_the_methods():
    """The table of docs/guide.md."""
    guide = (Path(__file__).parents[1] / "docs" / "guide.md").read_text()
    table = re.findall(r"^\| (\S.*?) \| (\w+) \| (\d+)" + r" \| ([\d.]+)" * 3 + r" \| .* \|$", guide, re.MULTILINE)
    named = {name: row[1:] for row in table for name in re.findall(r"`(\w+)`", row[0])}
    assert sorted(named) == sorted(xinr.METHODS)
    for name, (frame, coarsen, noise, *passes) in named.items():
        method = method_from(name, {})
        assert (method.frame, str(method.coarsen), f"{method.noise:.4f}") == (frame, coarsen, noise)
        assert [method.pass_bias, method.pass_slope] == list(map(float, passes))
