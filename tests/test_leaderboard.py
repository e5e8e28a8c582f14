"""Leaderboards: each method once, found again; scores on shared points; tables, page and pictures that say the same."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import xinr
from xinr import cli
from xinr.challenges import CHALLENGES, open_challenge, osse
from xinr.challenges.leaderboard import NULL, Entry, run, text_of, write
from xinr.challenges.leaderboard.entry import fingerprint
from xinr.challenges.leaderboard.gallery import gallery
from xinr.challenges.leaderboard.machine import versions
from xinr.challenges.leaderboard.report import write_report
from xinr.methods.covariances import Gaussian
from xinr.simulate import eddies

PERIOD = ("2021-01-01", "2021-01-16")
QUICK = xinr.OI(frame="sphere", covariance=Gaussian(120.0, 10.0, 0.12), coarsen=10, analysis_step=6.0)
METHODS = {"OI": QUICK, "short OI": replace(QUICK, covariance=Gaussian(60.0, 4.0, 0.12))}
SMALL_NET = {"hidden_features": 16, "hidden_layers": 1, "steps": 10, "batch_size": 512}


def challenge_of(**options):
    options = {"missions": ("alg", "j3", "s3a"), "period": PERIOD, "spacing": 1.0, "time_step": 2} | options
    return osse(eddies(waves=60), segment_length=500.0, **options)


@pytest.fixture(scope="module")
def challenge():
    """A simulated ocean, with one map that exists and one score that was published."""
    alone = challenge_of()
    others = {"smooth map": alone.true_maps[["sla"]].rolling(longitude=3, center=True, min_periods=1).mean()}
    return replace(alone, maps=others, published={"somebody": {"mu": 0.5, "sigma": 0.1, "lambda_x": 300.0}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("board") / "deep"


@pytest.fixture(scope="module")
def board(challenge, folder):
    return run(challenge, METHODS, folder)


def test_rows_are_the_null_the_methods_the_maps_and_what_was_published(board, challenge):
    null, oi, short, existing, published = board.rows
    names = [row["method"] for row in board.rows]
    assert names == [NULL, "OI", "short OI", "smooth map", "somebody"]
    assert [row.get("settings") for row in board.rows] == [None, "given", "given", "map", "published"]
    assert oi["rmse"] < existing["rmse"] < null["rmse"] and short["rmse"] < null["rmse"]
    assert 0.0 < oi["rmse_truth"] < null["rmse"] and "rmse_truth" not in null
    assert {"fit_seconds", "map_seconds", "device"} <= set(oi) and "fit_seconds" not in existing
    assert published == {"method": "somebody", "settings": "published", "mu": 0.5, "sigma": 0.1, "lambda_x": 300.0}


def test_scores_are_those_of_the_challenge(challenge, folder):
    field = challenge.fit(QUICK)
    alone = challenge.score(field)
    row = run(replace(challenge, maps={}), {"OI": QUICK}, folder).rows[1]
    assert [row[name] for name in ("mu", "rmse")] == pytest.approx([float(alone.mu), float(alone.rmse)], abs=1e-6)
    assert row["rmse_low"] == pytest.approx(float(alone.rmse_interval[0]), abs=1e-6)
    assert row["mu_velocity"] == pytest.approx(float(challenge.score_truth(field).mu_velocity), abs=1e-5)


def test_points_that_a_map_lacks_are_scored_for_no_method(board, challenge):
    """The map that exists ends before the track does."""
    reference = challenge.track.ssh.values
    known = np.isfinite(board.entries["smooth map"].on_track.ssh.values) & np.isfinite(reference)
    assert 0 < known.sum() < known.size == challenge.track.sizes["time"]
    assert board.scores.n.values.tolist() == [known.sum()] * 4
    ssh = challenge.fit(QUICK).on_track(challenge.track).ssh.values
    expected = np.sqrt(((ssh - reference)[known] ** 2).mean())
    assert board.rows[1]["rmse"] == pytest.approx(expected, abs=1e-6)
    assert f"{known.sum():,} of {known.size:,} points" in text_of(board)


def test_a_result_is_found_again_and_an_interrupted_run_goes_on(challenge, board, folder, monkeypatch):
    fitted = []
    original = Entry.of_method.__func__
    monkeypatch.setattr(
        Entry, "of_method", classmethod(lambda cls, *a, **k: fitted.append(a[1]) or original(cls, *a, **k))
    )
    again = run(challenge, METHODS, folder)
    assert fitted == [] and repr(again.rows) == repr(board.rows)
    next(folder.glob("short-oi-*.nc")).unlink()
    run(challenge, METHODS, folder)
    assert fitted == ["short OI"]
    run(challenge, METHODS | {"OI": replace(QUICK, noise=0.03)}, folder)
    assert fitted == ["short OI", "OI"] and len(list(folder.glob("oi-*.nc"))) == 2


def test_the_fingerprint_tells_what_the_result_depends_on(challenge):
    one = fingerprint(challenge, QUICK, 0)
    fewer = replace(challenge, training=challenge.training.isel(time=slice(9, None)))
    finer = replace(challenge, grid=challenge.grid.isel(time=slice(1, None)))
    other_track = replace(challenge, withheld=challenge.withheld.isel(time=slice(9, None)))
    renamed = replace(challenge, name="another name", published={})
    assert fingerprint(renamed, QUICK, 0) == one
    changed = [fingerprint(each, QUICK, 0) for each in (fewer, finer, other_track)]
    changed += [fingerprint(challenge, QUICK, 5), fingerprint(challenge, replace(QUICK, noise=0.03), 0)]
    assert len({one, *changed}) == 6


def test_versions_tell_the_source_of_the_methods():
    assert versions()["source"] != hashlib.sha256(b"").hexdigest()[:8]


def test_versions_are_part_of_the_fingerprint(challenge, monkeypatch):
    one = fingerprint(challenge, QUICK, 0)
    monkeypatch.setattr("xinr.challenges.leaderboard.entry.versions", lambda: {"xinr": "99"})
    assert fingerprint(challenge, QUICK, 0) != one


def test_tuning_is_reported(challenge, tmp_path):
    entry = run(replace(challenge, maps={}), {"OI": QUICK}, tmp_path, tune=3).entries["OI"]
    assert entry.info["choice"] == "tuned" and entry.info["tuning"]["evaluations"] == 3
    assert 0.0 < entry.info["tuning"]["rmse"] < 0.2
    text = (tmp_path / "leaderboard.md").read_text(encoding="utf-8")
    assert re.search(r"\| OI +\| tuned +\| 3 cross-validations, rmse 0\.\d{4} m \|", text)


def test_defaults_and_devices_are_reported(challenge, tmp_path):
    net = xinr.Siren(**SMALL_NET)
    few = replace(challenge, maps={}, training=challenge.training.isel(time=slice(None, None, 3)))
    board = run(few, {"net": net, "OI": QUICK}, tmp_path, devices=["cpu", "cpu"])
    assert [entry.name for entry in board.elsewhere] == ["net"]  # only a network can choose
    assert json.loads(json.dumps(board.entries["net"].info["given"])) == SMALL_NET | {"device": "cpu"}
    assert board.entries["net"].info["device"] == "cpu" and "thread" in board.entries["net"].info["machine"]


def test_the_files_of_a_leaderboard_hold_the_same_scores(board, tmp_path):
    folder = tmp_path
    assert [path.name for path in write(board, folder)] == [f"leaderboard.{kind}" for kind in ("md", "csv", "nc")]
    with (folder / "leaderboard.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == [row["method"] for row in board.rows]
    assert float(rows[1]["rmse"]) == board.rows[1]["rmse"]
    with xr.open_dataset(folder / "leaderboard.nc") as ds:
        assert list(ds.prediction.values) == [NULL, "OI", "short OI", "smooth map"]
        assert float(ds.rmse.sel(prediction="OI")) == board.rows[1]["rmse"]
        assert float(ds.mu_velocity.sel(prediction="OI")) == board.rows[1]["mu_velocity"]
        difference = float(ds.rmse_difference.sel(prediction="OI", other=NULL))
        assert difference == board.rows[1]["rmse"] - board.rows[0]["rmse"] < 0.0
        assert json.loads(ds.attrs["entries"])["OI"]["given"]["coarsen"] == 10
    text = (folder / "leaderboard.md").read_text(encoding="utf-8")
    assert text == text_of(board)
    assert f"{100 * board.rows[1]['rmse']:.2f} (" in text and "| somebody" in text
    for title in ("Scores on the withheld track", "Differences in rmse", "Scores on the truth", "Speed", "Settings"):
        assert f"## {title}" in text


def test_differences_leave_out_the_method_itself(board):
    oi = next(row for row in board.differences("rmse") if row["method"] == "OI")
    assert "OI" not in oi and oi[NULL] < 0.0 and oi[f"{NULL}_low"] <= oi[NULL] <= oi[f"{NULL}_high"]


def test_the_map_read_off_at_the_track_is_scored_where_it_covers_it(tmp_path):
    daily = challenge_of(time_step=1, spacing=0.5)
    shorter = replace(daily, grid=daily.grid.isel(time=slice(0, -1)))
    row, short = (run(each, {"OI": QUICK}, tmp_path).rows[1] for each in (daily, shorter))
    assert row["rmse_map"] == pytest.approx(row["rmse"], rel=0.1) and row["rmse_map"] != row["rmse"]
    assert "rmse_map" not in short


def test_a_challenge_without_a_track_is_scored_on_its_truth(challenge, tmp_path):
    board = run(replace(challenge, withheld=None), {"OI": QUICK}, tmp_path)
    text = text_of(board)
    assert "Scored on the truth, by the protocol dc2020a: 295 to 305 °E" in text and "withheld track" not in text
    assert board.rows[1]["rmse_truth"] > 0.0 and "rmse" not in board.rows[1]
    with xr.open_dataset(tmp_path / "leaderboard.nc") as ds:
        assert float(ds.mu_truth.sel(prediction="OI")) == board.rows[1]["mu_truth"]
    with pytest.raises(ValueError, match=r"no track is withheld of 'simulated ocean': only the truth scores"):
        board.challenge.score_null()


def test_a_challenge_of_ones_own_takes_ten_lines(tracks, maps, tmp_path, monkeypatch):
    """The listing of docs/leaderboard.md."""
    text = (Path(__file__).parents[1] / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    listing = re.search(r"## One's own\n\n```python\n(.*?)```", text, re.DOTALL)
    assert listing is not None
    _, lines = listing[1].strip().split("\nchallenge = ")
    assert len(lines.splitlines()) == 10 and "import" not in lines
    monkeypatch.chdir(tmp_path)
    mission = np.where(tracks.mission == "j3", "c2", tracks.mission)
    names = {"tracks": tracks.assign_coords(mission=("time", mission)), "days": maps.time}
    names |= {"lat": maps.latitude, "lon": maps.longitude}
    exec(listing[1], names)
    null, oi, finer = names["board"].rows
    assert oi["rmse"] < null["rmse"] > finer["rmse"] and (tmp_path / "out" / "leaderboard.md").exists()


def test_a_published_score_may_be_of_a_map_that_is_scored_too(challenge, tmp_path):
    both = replace(challenge, published={"smooth map": {"mu": 0.99, "mu_truth": 0.98}}, truth=challenge.truth)
    board = run(both, [], tmp_path)
    assert [row["method"] for row in board.rows] == [NULL, "smooth map", "smooth map"]
    assert float(board.dataset.mu_truth.sel(prediction="smooth map")) == board.rows[1]["mu_truth"] < 0.98
    assert "published | | 0.980" in re.sub(" +", " ", text_of(board))


def test_a_map_with_holes_is_not_scored_on_the_truth(challenge, tmp_path):
    holes = {"holes": challenge.true_maps[["sla"]].where(challenge.grid.longitude > 297.0)}
    with pytest.raises(ValueError, match=r"'holes' cannot be scored on the truth: .*NaN"):
        run(replace(challenge, maps=holes), [], tmp_path)


def test_what_makes_no_table_is_refused(challenge, tmp_path):
    with pytest.raises(ValueError, match="nothing to score: give a method"):
        run(replace(challenge, maps={}), [], tmp_path)
    with pytest.raises(ValueError, match=r"would have the same name, \['smooth map'\]"):
        run(challenge, {"smooth map": QUICK}, tmp_path)
    with pytest.raises(ValueError, match=r"would have the same name, \['OI', 'Truth', 'oi', 'truth'\]"):
        run(challenge, {"OI": QUICK, "oi": QUICK, "Truth": QUICK}, tmp_path)
    with pytest.raises(ValueError, match="unknown method 'magic'"):
        run(challenge, ["magic"], tmp_path)
    with pytest.raises(ValueError, match="has nothing to score on: give it withheld=<track> or truth=<Field>"):
        replace(challenge, withheld=None, truth=None)


# --- challenges by name -----------------------------------------------------------------------------


def test_challenges_open_by_name(med2021):
    challenge = open_challenge("med2021", med2021, withheld="j3")
    assert challenge.missions == ("alg", "h2b", "s3a")
    sea = challenge.grid.sea
    assert bool(sea.sel(longitude=6.0, latitude=40.0, method="nearest")) and 0.5 < float(sea.mean()) < 0.7
    assert not bool(sea.sel(longitude=9.0, latitude=40.0, method="nearest"))  # Sardinia
    assert not bool(sea.sel(longitude=3.0, latitude=34.0, method="nearest"))  # Algeria


@pytest.mark.parametrize(
    ("name", "data", "options", "message"),
    [
        ("moon", None, {}, r"unknown challenge 'moon': expected one of \['dc2020a', 'dc2021a', 'med2021', 'osse'\]"),
        ("med2021", None, {}, "cannot be opened with data=None: give the folder of its files"),
        ("osse", "folder", {}, "cannot be opened with data='folder': it has no files, leave out data"),
        (
            "dc2021a",
            "folder",
            {"withheld": "alg"},
            r"has no option \['withheld'\]: expected \['missions', 'spacing', 'buffer'\]",
        ),
    ],
)
def test_challenges_that_cannot_be_opened_are_refused(name, data, options, message):
    with pytest.raises(ValueError, match=message):
        open_challenge(name, data, **options)


# --- pictures and the page --------------------------------------------------------------------------


def test_the_report_needs_no_other_file(board, tmp_path):
    page = write_report(board, tmp_path).read_text(encoding="utf-8")
    assert page.count("<img ") == page.count('src="data:image/png;base64,') == 9
    assert not re.findall(r'(?:src|href)="(?!data:)', page) and "http" not in page
    assert 'name="viewport" content="width=device-width' in page
    assert f"{100 * board.rows[1]['rmse']:.2f} (" in page
    assert page.count("<table>") == page.count('<div class="wide"><table>') == 6


def test_the_gallery_shows_every_file(board, tmp_path):
    drawn = gallery(board, tmp_path, quantities=["height", "error"], frames=3)
    page = drawn.page.read_text(encoding="utf-8")
    shown = set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", page))
    assert shown == {path.name for path in drawn.files} == {path.name for path in tmp_path.iterdir()} - {"gallery.md"}
    rows = {"truth", "oi", "short-oi", "smooth-map"}
    assert {f"{row}_{quantity}.gif" for row in rows for quantity in ("height", "error")} <= shown
    assert {"observations.gif", "maps.png", "currents.png", "errors.png", "formal-errors.png"} <= shown
    assert {"spectra.png", "resolved-scales.png", "score-of-each-day.png", "errors-by-place.png"} <= shown
    assert min(path.stat().st_size for path in drawn.files) > 4_000


# --- commands ---------------------------------------------------------------------------------------


@pytest.fixture
def known(challenge, monkeypatch):
    """The challenge of this file, by the name "test"."""
    seen = {}

    def opened(withheld="c2"):
        seen["withheld"] = withheld
        return challenge

    monkeypatch.setitem(CHALLENGES, "test", opened)
    return seen


def test_the_command_writes_tables_and_report(known, challenge, tmp_path):
    maps = tmp_path / "map.nc"
    challenge.maps["smooth map"].to_netcdf(maps)
    arguments = ["leaderboard", "test", "--withheld", "c2", "--methods", "oi,", "--maps", f"L4={maps}"]
    result = CliRunner().invoke(cli.app, [*arguments, "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert known == {"withheld": "c2"}
    assert "| oi " in result.output and "| L4 " in result.output and "report.html" in result.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"leaderboard.md", "leaderboard.csv", "leaderboard.nc", "report.html"} < names


def test_the_command_samples_a_gallery(known, tmp_path):
    arguments = ["gallery", "test", "--methods", "", "--quantities", "speed", "--frames", "2", "--out", str(tmp_path)]
    result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0 and "gallery.md" in result.output
    assert (tmp_path / "smooth-map_speed.gif").exists()


def test_the_commands_say_what_is_wrong(tmp_path):
    out = ["--out", str(tmp_path)]
    unknown = CliRunner().invoke(cli.app, ["leaderboard", "moon", *out])
    assert unknown.exit_code == 1 and "error: unknown challenge 'moon'" in unknown.output
    wrong = CliRunner().invoke(cli.app, ["leaderboard", "osse", "--maps", "file.nc", *out])
    assert wrong.exit_code != 0 and "expected NAME=FILE" in wrong.output
