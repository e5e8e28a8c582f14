from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from matplotlib.figure import Figure

from xinr import plots
from xinr.simulate import eddies, tracks


@pytest.fixture(scope="module")
def truth():
    return eddies(waves=60)


@pytest.fixture(scope="module")
def grid():
    time = np.array(["2021-01-02", "2021-01-03", "2021-01-04"], "datetime64[ns]")
    axes = {"time": time, "latitude": np.arange(33.0, 43.0), "longitude": np.arange(295.0, 304.0)}
    return xr.Dataset(coords=axes)


def spectrum(crossing: float) -> xr.Dataset:
    k = np.arange(40) / 1000.0
    ratio = np.where(k < 1e3 / crossing / 1e6, 0.1, 0.9)
    return xr.Dataset(
        {
            "psd_ref": ("wavenumber", np.ones(40)),
            "psd_diff": ("wavenumber", ratio),
            "lambda_x": crossing,
            "lambda_x_interval": ("quantile", [0.9 * crossing, 1.1 * crossing]),
        },
        {"wavenumber": k},
    )


def rendered(figure: Figure, path) -> Figure:
    figure.savefig(path)
    assert path.stat().st_size > 10_000
    assert not pyplot.get_fignums()
    return figure


def test_tracks_by_mission_and_height(truth, tmp_path):
    ds = tracks(truth, ["j3", "c2"], period=("2021-01-01", "2021-01-06"))
    figure = rendered(
        plots.tracks(ds, period=("2021-01-02", "2021-01-05"), names={"j3": "Jason-3"}), tmp_path / "t.png"
    )
    left, right, bar = figure.axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["c2", "Jason-3"]
    assert left.get_xlabel() == "longitude [°E]" and right.get_title() == "by height"
    assert bar.get_ylabel() == "sea level anomaly, not filtered [cm]"


def test_maps_of_fields_and_datasets_share_their_scales(truth, grid, tmp_path):
    sources = {"truth": truth, "map": truth.interp(grid)}
    figure = rendered(plots.maps(sources, grid, time="2021-01-03T05"), tmp_path / "m.png")
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels[:2]] == ["truth: height", "truth: gradient magnitude"]
    for column in range(3):
        assert panels[column].collections[0].get_clim() == panels[column + 3].collections[0].get_clim()
    expected = 100 * truth.interp(grid.isel(time=1)).sla.values
    np.testing.assert_allclose(panels[0].collections[0].get_array().reshape(expected.shape), expected)
    assert figure.get_suptitle() == "2021-01-03"


def test_derivatives_in_a_dataset_are_shown_as_they_are(truth, grid):
    exact = xr.merge([truth.interp(grid), truth.gradient(grid), truth.laplacian(grid)], combine_attrs="drop_conflicts")
    figure = plots.maps({"exact": exact, "doubled": exact.assign(laplacian_sla=2 * exact.laplacian_sla)})
    panels = [axes.collections[0].get_array() for axes in figure.axes if axes.get_title()]
    np.testing.assert_allclose(2 * panels[2], panels[5])


def test_psd_score_marks_the_resolved_scale(tmp_path):
    figure = rendered(plots.psd_score({"OI": spectrum(150.0), "SIREN": spectrum(100.0)}), tmp_path / "p.png")
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["OI: 150 km", "SIREN: 100 km"]
    west, east = axes.get_xlim()
    assert west > east  # long waves on the left


def test_psd_score_without_a_crossing():
    ds = spectrum(150.0).assign(lambda_x=np.nan).drop_vars("lambda_x_interval")
    assert plots.psd_score({"OI": ds}).axes[0].get_legend().get_texts()[0].get_text() == "OI"


def test_nothing_to_draw_is_said(truth, grid):
    ds = tracks(truth, ["j3"], period=("2021-01-01", "2021-01-03"))
    with pytest.raises(ValueError, match="no variable 'ssh': expected it among"):
        plots.tracks(ds, "ssh")
    with pytest.raises(ValueError, match="no observation to draw in"):
        plots.tracks(ds, period=("2022-01-01", "2022-01-02"))
    with pytest.raises(ValueError, match="no map to draw"):
        plots.maps({})
    with pytest.raises(ValueError, match="'truth' is a Field, which has no grid of its own"):
        plots.maps({"truth": truth})
    with pytest.raises(ValueError, match="no score to draw"):
        plots.psd_score({})
    empty = spectrum(100.0).isel(wavenumber=slice(0, 1))
    with pytest.raises(ValueError, match="holds no spectrum"):
        plots.psd_score({"OI": empty})
