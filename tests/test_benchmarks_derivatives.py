"""The benchmark of derivatives at a small size, so that it cannot rot."""

from __future__ import annotations

import pytest
import typer
from torch.utils._python_dispatch import TorchDispatchMode
from typer.testing import CliRunner

from tests.benchmarks import derivatives
from tests.benchmarks.derivatives import QUANTITIES, WAYS, by_jets, example, timed
from xinr.methods import METHODS, method_from
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.neural.method import NeuralMethod


def test_the_table_has_every_way_and_every_architecture():
    app = typer.Typer()
    app.command()(derivatives.main)
    printed = CliRunner().invoke(app, ["--points", "64", "--repeats", "1"], catch_exceptions=False).output
    rows = [line.split("|")[2:-1] for line in printed.splitlines()[2:]]
    neural = [name for name in METHODS if isinstance(method_from(name, {}), NeuralMethod)]
    assert len(rows) == len(QUANTITIES) * len(WAYS) + len(neural)
    for figure, measured, _ in rows:
        assert float(measured.split()[0]) > 0.0, figure
    ratios = {row[0].strip(): float(row[1].split(", ")[1].split()[0]) for row in rows}
    assert all(ratio == 1.0 for figure, ratio in ratios.items() if figure.endswith(": double backward"))


class Multiplications(TorchDispatchMode):
    """Counts the multiplications of matrix products."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        if func.overloadpacket.__name__ in ("mm", "addmm", "bmm"):
            self.total += found.numel() * args[-1].shape[-2]
        return found


def test_jets_take_no_more_operations_than_double_backward():
    """Counted, not timed: seconds are for the benchmark, on an idle machine."""
    network, z, directions = example(Siren(), 64)
    for count, pairs in QUANTITIES.values():
        operations = {}
        for name in ("jets", "double backward"):
            with Multiplications() as counted:
                WAYS[name](network, z, directions[:count], pairs)
            operations[name] = counted.total
        assert 0 < operations["jets"] < 1.001 * operations["double backward"]


def test_ways_that_disagree_are_not_compared():
    network, z, directions = example(Siren(), 32)
    wrong = {"jets": by_jets, "wrong": lambda *given: 1.1 * by_jets(*given)}
    with pytest.raises(ArithmeticError, match="wrong and jets find different derivatives"):
        timed(wrong, network, z, directions[:1], [[(0, 0)]], repeats=1)
