"""The benchmark of training runs, at a tenth of its size, and its ratios are about what they are said to be."""

from __future__ import annotations

import re

import pytest
import typer
from typer.testing import CliRunner

from tests.benchmarks import training


def run(folder, part):
    app = typer.Typer()
    app.command()(training.main)
    return CliRunner().invoke(app, [str(folder), "--small", "--threads", "1", "--part", part])


@pytest.mark.parametrize(
    ("part", "row", "found"),
    [
        ("rates", "xinr, Adam, float32", r"thousand samples a second, \d+ % of sgemm, [\d.]+ times the plain loop"),
        ("prediction", "96798 points of 5 x 51", r"[\d.]+ s, \d+ % of sgemm"),
        ("days", "7 new days from an earlier field, 5 steps", r"cm in [\d.]+ s, [\d.]+ of the time"),
        ("adam", "Adam, 15 steps of 4096", r"cm in [\d.]+ s"),
        ("curve", "Positional, 20 steps, 4 member(s)", r"cm in [\d.]+ s, \d+ / \d+ % within formal"),
    ],
)
def test_prints_what_it_measured(med2021, part, row, found):
    shown = run(med2021, part)
    assert shown.exit_code == 0, shown.output
    lines = [line.split(" | ") for line in shown.stdout.splitlines() if line.startswith(f"| {part} |")]
    table = {what: value for _, what, value, _ in lines}
    assert re.search(found, table[row])


def test_an_unknown_part_is_refused(tmp_path):
    shown = run(tmp_path, "all of it")
    assert shown.exit_code == 2
    assert "unknown ['all of it']: expected some of" in " ".join(shown.output.replace("│", " ").split())
