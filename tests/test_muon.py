"""Muon: the steps of the hidden matrices, and the precision of what is computed."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.helpers import observed_passes, pass_error
from xinr.methods.neural.architectures.siren import Siren
from xinr.methods.neural.muon import REPEATS, Muon, orthogonalised

SMALL = Siren(hidden_features=32, hidden_layers=2, steps=3, batch_size=64)


def matrices(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(3, 24, 24), (2, 16, 40), (2, 40, 16)])
def test_a_step_keeps_singular_vectors_and_makes_singular_values_alike(shape):
    gradients = matrices(*shape)
    found = orthogonalised(gradients)
    u, before, vh = torch.linalg.svd(gradients, full_matrices=False)
    inner = u.mT @ found @ vh.mT
    torch.testing.assert_close(inner, torch.diag_embed(torch.diagonal(inner, dim1=1, dim2=2)), atol=1e-5, rtol=0.0)
    after = torch.linalg.svdvals(found)
    assert float(after.max()) < 1.25
    share = before / torch.linalg.matrix_norm(gradients)[:, None]
    assert float(after[share.sort(dim=1, descending=True).values > 0.1].min()) > 0.6


def test_matrices_of_several_shapes_move_as_those_of_torch_do():
    shapes, rate, decay = [(12, 12), (12, 12), (20, 8)], 0.02, 0.1
    ours = [torch.nn.Parameter(matrices(*shape, seed=k)) for k, shape in enumerate(shapes)]
    theirs = [torch.nn.Parameter(matrix.detach().clone()) for matrix in ours]
    peer = torch.optim.Muon(theirs, lr=rate, weight_decay=decay, ns_steps=REPEATS)
    own = Muon(ours, rate, decay, torch.float32)
    for step in range(3):
        for k, pair in enumerate(zip(ours, theirs, strict=True)):
            for matrix in pair:
                matrix.grad = matrices(*matrix.shape, seed=10 * step + k)
        own.step()
        peer.step()
    for matrix, other in zip(ours, theirs, strict=True):  # they multiply in bfloat16
        torch.testing.assert_close(matrix, other, atol=3e-3, rtol=0.0)


class Dtypes(TorchDispatchMode):
    """Counts the operations that return a tensor of each dtype."""

    def __init__(self):
        super().__init__()
        self.count = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.count.update(each.dtype for each in [result] if isinstance(each, torch.Tensor))
        return result


@pytest.mark.parametrize(
    ("precision", "hardware", "expected"),
    [("float32", True, False), ("auto", False, False), ("auto", True, True), ("bfloat16", False, True)],
)
def test_nothing_is_computed_in_bfloat16_where_the_hardware_emulates_it(monkeypatch, precision, hardware, expected):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: hardware)
    x, y, _, _, index = observed_passes(n_passes=6, n=20)
    method = replace(SMALL, precision=precision, device="cpu")
    with Dtypes() as seen:
        method.fit(x, y, pass_error(y, index))
    assert seen.count[torch.float32] > 100
    assert (seen.count[torch.bfloat16] > 0) == expected


def test_a_network_without_pass_errors_is_not_evaluated_before_its_end(monkeypatch):
    """A check that has nothing to compare costs nothing: points are evaluated for the batches and the last layer."""
    x, y, _, _, index = observed_passes(n_passes=20, n=40)
    evaluated = []
    forward = SMALL.network_class.features
    monkeypatch.setattr(
        SMALL.network_class, "features", lambda self, at: evaluated.append(len(at)) or forward(self, at)
    )
    SMALL.fit(x, y, pass_error(y, index))
    plain = sum(evaluated)
    evaluated.clear()
    SMALL.fit(x, y, pass_error(y, index, bias=0.02))
    assert plain == SMALL.steps * SMALL.batch_size + len(x)
    assert sum(evaluated) == plain + len(x)  # one check, at the last step
