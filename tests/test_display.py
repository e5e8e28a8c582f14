"""A field shows itself: a figure, and in a notebook a small map with settings and cost."""

import base64
import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from matplotlib.image import imread

import xinr
from xinr.methods.covariances import Gaussian
from xinr.methods.kriging.method import Kriging
from xinr.methods.oi import OI
from xinr.methods.tiled.method import Tiled

SMALL = Kriging(covariance=Gaussian(130.0, 8.0, 0.08), margin=100.0, time_margin=10.0)


def picture(html):
    """Return the picture in a page (rows, columns, RGBA) and its size [bytes], or None."""
    found = re.search(r"src='data:image/png;base64,([^']+)'", html)
    if found is None:
        return None
    file = base64.b64decode(found.group(1))
    return imread(BytesIO(file)), len(file)


def panels(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def test_a_fitted_field_is_drawn_over_its_observations(tracks):
    figure = tracks.inr.fit(SMALL).plot()
    assert panels(figure) == [f"sla: {name}" for name in ("height", "gradient magnitude", "Laplacian")]
    extent = float(tracks.longitude.min()), float(tracks.longitude.max())
    np.testing.assert_allclose(figure.axes[0].get_xlim(), extent, atol=0.1)
    assert figure.get_suptitle() == "2017-01-04"  # of eight days
    assert not pyplot.get_fignums()


def test_where_when_and_what_may_be_said(tracks, grid):
    field = tracks.inr.fit("oi", analysis_step=4.0)
    for target in (
        grid,
        {name: grid[name] for name in grid.coords},
        grid.longitude * grid.latitude * xr.ones_like(grid.time, float),
    ):
        figure = field.plot(target, time="2017-01-05T01", quantities=["speed"])
        assert panels(figure) == ["sla, 2017-01-05"]
        assert any(
            "geostrophic speed" in label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel())
        )
    assert panels(field.plot(time="2017-01-06", quantities=["height"])) == ["sla, 2017-01-06"]
    with pytest.raises(ValueError, match=r"unknown quantity \['sped'\]: expected some of"):
        field.plot(grid, quantities=["sped"])


def test_a_map_is_drawn_on_its_own_grid(maps):
    figure = xinr.MapField.of(maps).plot(quantities=["height"])
    expected = 100.0 * maps.sla.isel(time=2).values
    np.testing.assert_allclose(figure.axes[0].collections[0].get_array().reshape(expected.shape), expected)
    assert panels(maps.inr.plot(quantities=["height"])) == panels(figure) and len(panels(figure)) == 1


def test_a_field_that_does_not_know_its_extent_asks_for_a_grid(tracks, grid):
    field = tracks.inr.fit(SMALL)
    bare = replace(field, info={"method": "kriging"})
    with pytest.raises(ValueError, match=r"this field does not know its extent: say where, field\.plot\(grid\)"):
        bare.plot()
    assert panels(bare.plot(grid))
    assert picture(bare._repr_html_()) is None


@pytest.mark.parametrize(
    "method", [SMALL, xinr.Siren(steps=5, hidden_features=16, hidden_layers=1), Tiled(SMALL, size=300.0)]
)
def test_a_page_shows_a_small_map_settings_and_cost(tracks, method):
    field = tracks.inr.fit(method)
    html = field._repr_html_()
    pixels, size = picture(html)
    assert size < 30_000 and len(html) < 45_000 and max(pixels.shape[:2]) == 64
    for shown in ("settings", "fit_seconds", "observations", "2017-01-04", "cm</figcaption>"):
        assert shown in html
    assert not re.search(r"color|background", html)  # as the page has them, light or dark
    assert not vars(field).keys() - {"frame", "predictor", "name", "info"}  # nothing is kept


@pytest.mark.parametrize(
    "method", [OI(), OI(n_neighbors=20), Tiled(OI(frame="plane", covariance=Gaussian(130.0, 8.0)))]
)
def test_a_field_that_would_have_to_solve_shows_no_map(tracks, method, monkeypatch):
    field = tracks.inr.fit(method)
    monkeypatch.setattr(type(field.predictor), "predict", None)
    html = field._repr_html_()
    assert picture(html) is None and "fit_seconds" in html


def test_north_is_up_and_what_is_missing_is_clear(maps):
    """Of a map: every so many nodes of its middle time."""
    high = xr.zeros_like(maps.sla).where(maps.latitude < 38.4, 1.0).where(maps.longitude < 304.9)
    pixels, _ = picture(xinr.MapField.of(high.assign_attrs(units="m"))._repr_html_())
    assert pixels.shape == (5, 6, 4)
    assert np.all(pixels[:, -1, 3] == 0.0) and np.all(pixels[:, :-1, 3] == 1.0)
    assert pixels[0, 0, 0] > pixels[0, 0, 2]  # red in the north
    large = xr.DataArray(
        np.zeros((3, 700, 900)),
        {"time": maps.time[:3], "latitude": np.linspace(-60, 60, 700), "longitude": np.linspace(0, 350, 900)},
        name="sla",
    )
    assert max(picture(xinr.MapField.of(large)._repr_html_())[0].shape) <= 64
    assert picture(xinr.MapField.of(large.chunk(time=1))._repr_html_()) is None  # nothing is computed


def test_a_field_that_cannot_be_drawn_says_what_it_is(tracks, monkeypatch):
    field = tracks.inr.fit(SMALL)
    monkeypatch.setattr(type(field.predictor), "predict", None)
    assert "sla by kriging" in field._repr_html_() and picture(field._repr_html_()) is None
