"""What the documents show must run."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import xinr
from xinr.geo.points import Points
from xinr.methods import Predictor

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def documented_method():
    """Run the listing of adding-a-method.md, and take its method out of the registries afterwards."""
    listing = re.search(r"```python\n(.*?)```", (DOCS / "adding-a-method.md").read_text(), re.DOTALL)
    assert listing is not None
    module = ModuleType("documented")
    sys.modules["documented"] = module  # dataclasses look their module up
    exec(compile(listing.group(1), "adding-a-method.md", "exec"), module.__dict__)
    yield "inverse-distance"
    sys.modules.pop("documented")
    xinr.METHODS.pop("inverse-distance")
    Predictor.registry.pop("inverse-distance")


def test_the_documented_method_is_a_whole_method(documented_method, tracks, tmp_path):
    field = tracks.inr.fit(method=documented_method, n_neighbors=640)  # all of them: no jump where neighbours change
    at = tracks.isel(time=slice(0, 200, 20))
    value = field.interp(at)["sla"]
    assert np.isfinite(value).all()
    field.save(tmp_path / "field.nc")
    np.testing.assert_array_equal(xinr.open_field(tmp_path / "field.nc").interp(at)["sla"], value)
    x = field.frame.project(at.longitude.values, at.latitude.values, at.time.values)
    step = np.zeros(4)
    for axis, h in enumerate((0.01, 0.01, 0.01, 1e-3)):
        step[:], step[axis] = 0.0, h
        difference = (field.predictor.predict(Points.of(x + step)) - field.predictor.predict(Points.of(x - step))) / (
            2 * h
        )
        np.testing.assert_allclose(field.predictor.gradient(Points.of(x))[:, axis], difference, rtol=1e-4, atol=1e-8)
