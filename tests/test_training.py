"""Training: ensembles as one network, checkpoints, several processes, and starting from an earlier field."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
import xarray as xr

import xinr
from tests.helpers import observed_passes, pass_error, two_missions
from xinr.geo.points import Points
from xinr.methods import METHODS, ObservationError, method_from
from xinr.methods.neural import method as method_module
from xinr.methods.neural import training
from xinr.methods.neural.architectures.fourier import Fourier
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.neural.batched import BatchedNetworks
from xinr.methods.neural.calibration import inflation_of
from xinr.methods.neural.ensemble import EnsemblePredictor
from xinr.methods.neural.last_layer import posterior_root
from xinr.methods.neural.method import NeuralMethod
from xinr.methods.oi import OI
from xinr.methods.pass_errors import PassErrors

SMALL = Siren(
    hidden_features=32,
    hidden_layers=2,
    steps=100,
    batch_size=256,
    length_scale=500.0,
    time_scale=100.0,
    precision="float32",
)


def neural_methods():
    methods = (method_from(name, {}) for name in sorted(METHODS))
    return [method for method in methods if isinstance(method, NeuralMethod)]


@pytest.mark.parametrize("method", neural_methods(), ids=lambda method: type(method).__name__)
def test_members_of_every_architecture_are_evaluated_as_one(method):
    small = replace(method, hidden_features=16, hidden_layers=2)
    networks = [small.network(np.ones(4), torch.Generator().manual_seed(seed)) for seed in range(3)]
    for network in networks:
        torch.nn.init.normal_(network.last.weight, generator=torch.Generator().manual_seed(9))
    x = torch.rand(3, 7, 4, generator=torch.Generator().manual_seed(1))
    together = BatchedNetworks(networks)(x)
    apart = torch.stack([network(positions) for network, positions in zip(networks, x, strict=True)])
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-5)


def test_an_ensemble_is_the_mean_of_its_members_and_better_than_they():
    x, y, signal, _, index = observed_passes(noise=0.05)
    found = replace(SMALL, members=4).fit(x, y, pass_error(y, index, noise=0.05))
    assert isinstance(found, EnsemblePredictor)
    np.testing.assert_allclose(
        found.predict(Points.of(x)), np.mean([m.predict(Points.of(x)) for m in found.members], axis=0)
    )
    own = [np.sqrt(np.mean((member.predict(Points.of(x)) - signal) ** 2)) for member in found.members]
    assert np.sqrt(np.mean((found.predict(Points.of(x)) - signal) ** 2)) < 0.95 * np.mean(own)
    value, deviation = found.posterior(Points.of(x[:50]))
    between = np.std([member.predict(Points.of(x[:50])) for member in found.members], axis=0, ddof=1)
    np.testing.assert_allclose(value, found.predict(Points.of(x[:50])))
    assert (deviation > between).all()


def test_the_errors_of_an_ensemble_are_larger_where_there_are_no_tracks():
    x, y, _, _, index = observed_passes()
    found = replace(SMALL, members=3).fit(x, y, pass_error(y, index))
    far = x + np.array([1500.0, 0.0, 0.0, 0.0])
    assert found.posterior(Points.of(far))[1].mean() > 2.0 * found.posterior(Points.of(x))[1].mean()


@pytest.mark.parametrize("members", [1, 3])
def test_posterior_samples_have_the_spread_of_the_formal_error(members):
    x, y, _, _, index = observed_passes()
    found = replace(SMALL, members=members).fit(x, y, pass_error(y, index))
    drawn = np.stack([each.predict(Points.of(x[:40])) for each in found.sample(300, seed=5)])
    value, deviation = found.posterior(Points.of(x[:40]))
    np.testing.assert_allclose(drawn.mean(axis=0), value, atol=5 * deviation.max() / np.sqrt(300))
    # Of three members the mean square about their mean is two thirds of the variance between them.
    assert 0.7 < float((drawn.std(axis=0) / deviation).mean()) < 1.1
    again = np.stack([each.predict(Points.of(x[:40])) for each in found.sample(300, seed=5)])
    np.testing.assert_array_equal(drawn, again)


def test_an_ensemble_is_rebuilt_from_its_state():
    x, y, _, _, index = observed_passes()
    found = replace(SMALL, members=2, steps=10).fit(x, y, pass_error(y, index))
    again = EnsemblePredictor.from_state(found.state())
    for first, second in zip(found.posterior(Points.of(x[:9])), again.posterior(Points.of(x[:9])), strict=True):
        np.testing.assert_array_equal(first, second)
    directions = [np.eye(4)[:1] * np.ones((9, 1)), np.eye(4)[1:2] * np.ones((9, 1))]
    pairs = [[(0, 0), (1, 1)]]
    for first, second in zip(
        found.derivatives(Points.of(x[:9]), directions, pairs, [np.zeros((9, 4))]),
        super(EnsemblePredictor, again).derivatives(Points.of(x[:9]), directions, pairs, [np.zeros((9, 4))]),
        strict=True,
    ):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-9)


def test_the_last_layer_is_the_textbook_posterior():
    """Against the dense formula, with errors of passes, the prior by a scan of the evidence."""
    rng = np.random.default_rng(0)
    features, index = rng.standard_normal((60, 5)), np.repeat(np.arange(6), 10)
    observations = pass_error(np.zeros(60), index, noise=0.3, bias=0.5)
    y = features @ rng.normal(0.0, 2.0, 5) + 0.3 * rng.standard_normal(60) + (0.5 * rng.standard_normal(6))[index]
    errors = PassErrors(observations, torch.device("cpu"))
    root = posterior_root(torch.as_tensor(features), torch.as_tensor(y), errors)

    R = np.zeros((60, 60))
    observations.add_to(R, slice(None))

    def minus_evidence(a):
        C = features @ features.T / a + R
        return np.linalg.slogdet(C)[1] + y @ np.linalg.solve(C, y)

    scan = np.geomspace(1e-3, 1e3, 2001)
    a = scan[np.argmin([minus_evidence(a) for a in scan])]
    expected = np.linalg.inv(features.T @ np.linalg.solve(R, features) + a * np.eye(5))
    np.testing.assert_allclose(root @ root.T, expected, rtol=0.01, atol=1e-5)


@dataclass(frozen=True)
class Unaware:
    """A member that is off by as much as planted, and whose last layer has a formal error of a tenth of it."""

    off: np.ndarray
    known: float = 0.005

    def last_layer(self, x):
        return self.off, np.full(len(x), self.known)


@pytest.mark.parametrize("members", [1, 3])
def test_the_inflation_is_that_of_planted_errors_whatever_the_noise(members):
    """Errors of 5 cm along 400 passes, of which members share some; noise of 10 cm; biases of 3 cm."""
    rng, n = np.random.default_rng(0), 400
    x, index = np.arange(20.0 * n)[:, None], np.repeat(np.arange(n), 20)
    own = rng.standard_normal((members, n))[:, index] * (0.03 if members > 1 else 0.0)
    shared, bias = (0.04 if members > 1 else 0.05) * rng.standard_normal(n), 0.03 * rng.standard_normal(n)
    y = bias[index] + 0.1 * rng.standard_normal(len(x))
    errors = ObservationError(np.full(len(x), 0.001), index, np.zeros(len(x)), 0.03)
    order = rng.permutation(len(x))
    found = inflation_of(
        [Unaware((shared[index] + each)[order]) for each in own], x[order], y[order], errors.take(order)
    )
    # Of the mean of three 0.04² + 0.03² / 3 in all, less 0.03² between them.
    expected = np.sqrt(0.04**2 + 0.03**2 / 3 - 0.03**2) if members == 3 else 0.05
    np.testing.assert_allclose(found, expected / 0.005, rtol=0.15)


def test_formal_errors_are_never_smaller_than_those_of_the_last_layer():
    x, index = np.arange(40.0)[:, None], np.repeat([0, 1], 20)
    errors = pass_error(np.zeros(40), index)
    member = Unaware(np.full(40, 0.001))
    assert inflation_of([member], x, np.zeros(40), errors) == 1.0
    alone = pass_error(np.zeros(40), np.arange(40))
    assert inflation_of([member], x, np.ones(40), alone) == 1.0


@pytest.mark.parametrize("members", [1, 3])
def test_as_much_of_the_truth_lies_within_calibrated_errors_as_should(members):
    """With the noise set four times too small: 11 to 13 % of it lie within the error of the last layer alone."""
    x, y, _, _, index = observed_passes(n_passes=160, n=25, noise=0.02, bias=0.01)
    found = replace(SMALL, members=members, learning_rate=1e-2, calibrate=True).fit(
        x, y, pass_error(y, index, noise=0.005, bias=0.01)
    )
    elsewhere, _, signal, _, _ = observed_passes(seed=7)
    value, deviation = found.posterior(Points.of(elsewhere))
    off = np.abs(value - signal)
    assert 0.55 < np.mean(off < deviation) < 0.9
    member = found.members[0] if isinstance(found, EnsemblePredictor) else found
    assert np.mean(off < member.last_layer(elsewhere)[1]) < 0.2


def test_errors_of_passes_set_too_large_leave_half_of_the_misfit_to_the_map():
    rng, index = np.random.default_rng(0), np.repeat(np.arange(200), 20)
    off = 0.02 * rng.standard_normal(200)[index]
    x, errors = np.arange(4000.0)[:, None], ObservationError(np.full(4000, 0.01), index, np.zeros(4000), 0.5)
    expected = np.sqrt(np.mean(off**2) / 2) / 0.005
    np.testing.assert_allclose(inflation_of([Unaware(off)], x, np.zeros(4000), errors), expected)


def test_calibration_is_a_second_training_without_a_tenth_of_the_passes(monkeypatch):
    trained = []
    train = method_module.train

    def noted(networks, data, settings, *rest):
        trained.append((settings, data))
        return train(networks, data, settings, *rest)

    monkeypatch.setattr(method_module, "train", noted)
    x, y, _, _, index = observed_passes()
    found = replace(SMALL, steps=10, calibrate=True).fit(x, y, pass_error(y, index))
    (without, some), (_, everything) = trained
    assert without.patience == without.steps == 10
    assert int(some.withheld.sum()) == 200 and int(everything.withheld.sum()) == 0
    assert found.inflation > 1.0
    np.testing.assert_array_equal(found.posterior(Points.of(x))[1], found.inflation * found.last_layer(x)[1])
    plain = replace(SMALL, steps=10).fit(x, y, pass_error(y, index))
    np.testing.assert_array_equal(plain.predict(Points.of(x)), found.predict(Points.of(x)))
    np.testing.assert_array_equal(plain.posterior(Points.of(x))[1], found.last_layer(x)[1])
    assert len(trained) == 3


@pytest.mark.parametrize("members", [1, 2])
def test_a_calibrated_field_says_by_how_much_and_at_what_cost(grid, tmp_path, members):
    field = two_missions().inr.fit(replace(SMALL, steps=10, members=members, calibrate=True))
    inflation, seconds = field.info["calibration"]["inflation"], field.info["calibration"]["seconds"]
    assert inflation > 1.0 and 0.0 < seconds < field.info["fit_seconds"]
    assert f"inflation={inflation:.6g}, seconds=" in repr(field)
    field.save(tmp_path / "field.nc")
    again = xinr.open_field(tmp_path / "field.nc")
    found = again.interp(grid, error=True)
    xr.testing.assert_identical(found, field.interp(grid, error=True))
    assert "comment" not in found.err_sla.attrs and again.predictor.calibration == field.info["calibration"]


@pytest.mark.parametrize("members", [1, 2])
def test_an_uncalibrated_error_says_so(grid, tmp_path, members):
    field = two_missions().inr.fit(replace(SMALL, steps=10, members=members))
    assert "calibration" not in field.info
    field.save(tmp_path / "field.nc")
    for each in (field, xinr.open_field(tmp_path / "field.nc")):
        assert "not calibrated" in each.interp(grid, error=True).err_sla.attrs["comment"]
        assert "comment" not in each.interp(grid, error=True).sla.attrs


def test_withheld_passes_calibrate_the_fit_itself():
    x, y, _, _, index = observed_passes()
    method = replace(SMALL, withheld_passes=0.2)
    found = method.fit(x, y, pass_error(y, index))
    assert found.inflation > 1.0 and found.calibration["seconds"] == 0.0
    np.testing.assert_allclose(found.posterior(Points.of(x))[1], found.inflation * found.last_layer(x)[1])
    again = replace(method, calibrate=True).fit(x, y, pass_error(y, index))
    assert again.calibration == found.calibration


def test_a_single_pass_cannot_be_withheld():
    x, y, _, _, index = observed_passes(n_passes=1)
    with pytest.warns(UserWarning, match="calibrate=True needs two passes or more, got one"):
        found = replace(SMALL, steps=5, calibrate=True).fit(x, y, pass_error(y, index))
    assert found.calibration == {} and "not calibrated" in found.error_comment


def test_a_start_brings_its_calibration():
    x, y, _, _, index = observed_passes()
    start = replace(SMALL, steps=50, calibrate=True).fit(x, y, pass_error(y, index))
    for method in (replace(SMALL, steps=2), replace(SMALL, steps=2, calibrate=True)):
        assert method.refit(x, y, pass_error(y, index), start).calibration == start.calibration


def test_a_start_that_is_not_calibrated_cannot_be_later():
    x, y, _, _, index = observed_passes()
    method = replace(SMALL, steps=2)
    start = method.fit(x, y, pass_error(y, index))
    with pytest.raises(ValueError, match=r"calibrate=True needs passes .*fit that one with calibrate=True"):
        replace(method, calibrate=True).refit(x, y, pass_error(y, index), start)
    calibrated = replace(method, calibrate=True).fit(x, y, pass_error(y, index))  # the cure
    assert replace(method, calibrate=True).refit(x, y, pass_error(y, index), calibrated).calibration


def test_a_network_has_formal_errors_and_posterior_samples(grid):
    field = two_missions().inr.fit(replace(SMALL, steps=25))
    assert float(field.interp(grid, error=True).err_sla.min()) > 0
    assert field.sample(grid, 2).sizes["sample"] == 2


class KilledError(Exception):
    """Stands for the end of a process."""


def killed_after(checks: int, monkeypatch):
    """Have the training die at that check, once what there is has been kept."""
    write, seen = training.Checkpoint.write, []

    def write_and_die(self, state):
        write(self, state)
        seen.append(state["step"])
        if len(seen) == checks:
            raise KilledError

    monkeypatch.setattr(training.Checkpoint, "write", write_and_die)


@pytest.mark.parametrize("settings", [{}, {"members": 2, "withheld_passes": 0.25}, {"optimizer": "adam"}])
def test_a_training_that_was_killed_goes_on_and_ends_as_if_it_had_not(tmp_path, monkeypatch, settings):
    x, y, _, _, index = observed_passes()
    method = replace(SMALL, checkpoint=str(tmp_path / "run.pt"), **settings)
    whole = replace(method, checkpoint="").fit(x, y, pass_error(y, index))
    with monkeypatch.context() as patch:
        killed_after(2, patch)
        with pytest.raises(KilledError):
            method.fit(x, y, pass_error(y, index))
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]
    steps = []
    monkeypatch.setattr(training, "tqdm", lambda todo, *args, **options: steps.extend(todo) or todo)
    resumed = method.fit(x, y, pass_error(y, index))
    assert steps[0] == 50
    np.testing.assert_array_equal(resumed.predict(Points.of(x)), whole.predict(Points.of(x)))
    np.testing.assert_array_equal(resumed.history["loss"], whole.history["loss"])
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_another_fit_is_refused(tmp_path, monkeypatch):
    x, y, _, _, index = observed_passes()
    method = replace(SMALL, checkpoint=str(tmp_path / "run.pt"))
    with monkeypatch.context() as patch:
        killed_after(1, patch)
        with pytest.raises(KilledError):
            method.fit(x, y, pass_error(y, index))
    for other, heights in ((replace(method, seed=1), y), (method, 2 * y)):
        with pytest.raises(ValueError, match=r"the checkpoint .*run.pt is of another fit.*name another file"):
            other.fit(x, heights, pass_error(y, index))
    (tmp_path / "run.pt").write_bytes(b"PK no checkpoint")
    with pytest.raises(ValueError, match=r"run.pt is no checkpoint of a training"):
        method.fit(x, y, pass_error(y, index))


SCRIPT = """
import sys
import numpy as np, torch
sys.path.insert(0, {folder!r})
torch.set_num_threads(1)
from tests.helpers import observed_passes, pass_error
from tests.test_training import SMALL
from xinr.geo.points import Points
x, y, _, _, index = observed_passes()
found = SMALL.fit(x, y, pass_error(y, index))
from torch import distributed
np.save(f"{out}/{{distributed.get_rank()}}.npy", found.predict(Points.of(x)))
distributed.destroy_process_group()
"""


def test_two_processes_train_the_field_of_one(tmp_path):
    """Two gloo processes with the environment that torchrun gives them."""
    script = tmp_path / "fit.py"
    script.write_text(SCRIPT.format(folder=os.path.dirname(os.path.dirname(__file__)), out=tmp_path))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    ranks = [
        subprocess.Popen([sys.executable, str(script)], env=os.environ | shared | {"RANK": str(rank)})
        for rank in (0, 1)
    ]
    assert [process.wait(timeout=240) for process in ranks] == [0, 0]
    first, second = (np.load(tmp_path / f"{rank}.npy") for rank in (0, 1))
    np.testing.assert_array_equal(first, second)
    x, y, _, _, index = observed_passes()
    alone = SMALL.fit(x, y, pass_error(y, index)).predict(Points.of(x))
    np.testing.assert_allclose(first, alone, atol=0.02 * alone.std())


def test_new_days_are_fitted_from_an_earlier_field():
    """A few steps from an earlier field fit all days better than as few from nothing."""
    tracks = two_missions()
    half = tracks.isel(time=slice(0, tracks.sizes["time"] // 2))
    method = replace(SMALL, steps=150, learning_rate=1e-2)
    earlier = half.inr.fit(method)
    few = replace(method, steps=25)

    def misfit(field):
        return float((tracks.sla_unfiltered - field.interp(tracks).sla).std())

    warm, cold = xinr.fit(tracks, few, init=earlier), xinr.fit(tracks, few)
    assert misfit(warm) < 0.9 * misfit(cold)
    assert warm.frame == earlier.frame
    untouched = half.inr.fit(method)
    xr.testing.assert_equal(earlier.interp(half), untouched.interp(half))


def test_a_start_that_does_not_fit_is_refused():
    tracks = two_missions()
    short = replace(SMALL, steps=2)
    earlier = xinr.fit(tracks, short)
    with pytest.raises(ValueError, match=r"OI starts from no earlier field.*without init="):
        xinr.fit(tracks, OI(), init=earlier)
    with pytest.raises(ValueError, match=r"Fourier of 1 member\(s\) cannot start from a field of 1 'siren'"):
        xinr.fit(tracks, Fourier(steps=2), init=earlier)
    with pytest.raises(ValueError, match=r"Siren of 2 member\(s\) cannot start from a field of 1 'siren'"):
        xinr.fit(tracks, replace(short, members=2), init=earlier)
    with pytest.raises(ValueError, match=r"works in the frame 'sphere', the method in 'plane': set frame='sphere'"):
        xinr.fit(tracks, replace(short, frame="plane"), init=earlier)
