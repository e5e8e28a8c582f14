from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

from xinr import plots
from xinr.plots import geography
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


def truth_maps(truth, grid) -> xr.Dataset:
    return xr.merge([truth.interp(grid), truth.gradient(grid), truth.laplacian(grid)], combine_attrs="drop_conflicts")


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


def test_maps_of_fields_and_datasets_share_their_colour_scales(truth, grid, tmp_path):
    sources = {"truth": truth, "map": truth.interp(grid)}
    figure = rendered(plots.maps(sources, grid, time="2021-01-03T05"), tmp_path / "m.png")
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels[:2]] == ["truth: height", "truth: gradient magnitude"]
    for column in range(3):
        assert panels[column].collections[0].get_clim() == panels[column + 3].collections[0].get_clim()
    expected = 100 * truth.interp(grid.isel(time=1)).sla.values
    np.testing.assert_allclose(panels[0].collections[0].get_array().reshape(expected.shape), expected)
    assert figure.get_suptitle() == "2021-01-03"


def test_derivatives_in_a_dataset_are_drawn_unchanged(truth, grid):
    exact = xr.merge([truth.interp(grid), truth.gradient(grid), truth.laplacian(grid)], combine_attrs="drop_conflicts")
    figure = plots.maps({"exact": exact, "doubled": exact.assign(laplacian_sla=2 * exact.laplacian_sla)})
    panels = [axes.collections[0].get_array() for axes in figure.axes if axes.get_title()]
    np.testing.assert_allclose(2 * panels[2], panels[5])


def test_psd_score_marks_the_resolved_wavelength(tmp_path):
    figure = rendered(plots.psd_score({"OI": spectrum(150.0), "SIREN": spectrum(100.0)}), tmp_path / "p.png")
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["OI: 150 km", "SIREN: 100 km"]
    west, east = axes.get_xlim()
    assert west > east  # long waves on the left


def test_psd_score_without_a_crossing_has_no_wavelength_in_its_legend():
    ds = spectrum(150.0).assign(lambda_x=np.nan).drop_vars("lambda_x_interval")
    assert plots.psd_score({"OI": ds}).axes[0].get_legend().get_texts()[0].get_text() == "OI"


def test_nothing_to_draw_is_refused(truth, grid):
    ds = tracks(truth, ["j3"], period=("2021-01-01", "2021-01-03"))
    with pytest.raises(ValueError, match="no variable 'ssh': expected it among"):
        plots.tracks(ds, "ssh")
    with pytest.raises(ValueError, match="no observation to draw in"):
        plots.tracks(ds, period=("2022-01-01", "2022-01-02"))
    with pytest.raises(ValueError, match="no map to draw"):
        plots.maps({})
    with pytest.raises(ValueError, match="'truth' cannot be drawn: a Field has no grid of its own"):
        plots.maps({"truth": truth})
    with pytest.raises(ValueError, match="no score to draw"):
        plots.psd_score({})
    empty = spectrum(100.0).isel(wavenumber=slice(0, 1))
    with pytest.raises(ValueError, match="has no spectrum"):
        plots.psd_score({"OI": empty})


# --- quantities -------------------------------------------------------------------------------------


def test_quantities_have_their_units(truth, grid):
    maps = truth_maps(truth, grid)
    found = plots.quantities_of(maps, ["height", "gradient", "laplacian", "speed", "vorticity"])
    order = ("time", "latitude", "longitude")
    np.testing.assert_allclose(found.height, 100 * maps.sla)
    np.testing.assert_allclose(found.gradient, 1e7 * np.hypot(maps.dsla_dx, maps.dsla_dy))
    np.testing.assert_allclose(found.laplacian, 1e10 * maps.laplacian_sla)
    f = 2 * 7.292115e-5 * np.sin(np.radians(maps.latitude))
    np.testing.assert_allclose(
        found.speed, (100 * 9.80665 / f * np.hypot(maps.dsla_dx, maps.dsla_dy)).transpose(*order)
    )
    beta = 2 * 7.292115e-5 * np.cos(np.radians(maps.latitude)) / 6371008.8
    vorticity = 9.80665 / f * (maps.laplacian_sla - beta / f * maps.dsla_dy)
    np.testing.assert_allclose(found.vorticity, 1e5 * vorticity.transpose(*order), rtol=1e-6)
    assert [found[name].attrs["units"] for name in ("height", "speed")] == ["cm", "cm/s"]
    assert found.height.attrs["long_name"] == "sea level anomaly"


def test_drawn_currents_are_those_of_the_field(truth, grid):
    found, currents = plots.quantities_of(truth, ["speed", "vorticity"], grid), truth.currents(grid)
    np.testing.assert_allclose(found.speed, 100 * np.hypot(currents.ugosa, currents.vgosa), rtol=1e-9)
    np.testing.assert_allclose(found.vorticity, 1e5 * currents.vorticity, rtol=1e-6, atol=1e-9)


def test_errors_are_against_the_truth(truth, grid):
    maps = truth_maps(truth, grid)
    found = plots.quantities_of(1.1 * maps, ["error"], truth=maps)
    np.testing.assert_allclose(found.error, 10 * maps.sla)
    formal = plots.quantities_of(maps.assign(err_sla=0 * maps.sla + 0.03), ["formal error"])
    np.testing.assert_allclose(formal["formal error"], 3.0)


def test_quantities_without_their_data_are_refused(truth, grid):
    maps = truth_maps(truth, grid)
    with pytest.raises(ValueError, match=r"unknown quantity \['salt'\]: expected some of \['height'"):
        plots.quantities_of(maps, ["salt"])
    with pytest.raises(ValueError, match="'error' cannot be drawn of 'sla': give truth=<true maps>"):
        plots.quantities_of(maps, ["error"])
    with pytest.raises(ValueError, match=r"'formal error' cannot be drawn of 'sla': the map has none"):
        plots.quantities_of(maps, ["formal error"])


def test_one_quantity_puts_the_maps_side_by_side(truth, grid, tmp_path):
    maps = truth_maps(truth, grid)
    figure = rendered(plots.maps({"a": maps, "b": maps, "c": maps}, quantities=["speed"]), tmp_path / "s.png")
    panels = figure.axes[:3]
    assert [axes.get_title() for axes in panels] == ["a", "b", "c"]
    assert len({axes.get_subplotspec().rowspan.start for axes in panels}) == 1
    assert figure.axes[3].get_xlabel() == "geostrophic speed [cm/s]"


# --- movies -----------------------------------------------------------------------------------------


def frames_of(path):
    with Image.open(path) as film:
        return [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(film)]


def test_a_gif_has_a_frame_for_each_time(truth, grid, tmp_path):
    path = plots.movie(tmp_path / "m.gif", {"ocean": truth_maps(truth, grid)}, fps=4)
    frames = frames_of(path)
    assert len(frames) == grid.sizes["time"] == 3
    assert len({frame.tobytes() for frame in frames}) == 3
    with Image.open(path) as film:
        assert film.info["duration"] == 250 and film.info["loop"] == 0
    assert frames[0][0, 0].tolist() == [255, 255, 255]
    # The frame about the map stands still: only what is within the axes, and the date, differ.
    changed = np.any(frames[0] != frames[2], axis=(0, 2))
    assert not changed[: frames[0].shape[1] // 20].any() and changed.any()
    assert [each.name for each in tmp_path.iterdir()] == ["m.gif"]


def test_the_colours_of_a_movie_are_of_the_same_values(truth, grid, tmp_path):
    """A map twice as high on a scale twice as long has the same colours."""
    maps = truth_maps(truth, grid)
    plots.movie(tmp_path / "one.gif", {"ocean": maps}, limits={"height": 20.0})
    plots.movie(tmp_path / "two.gif", {"ocean": 2 * maps}, limits={"height": 40.0})
    one, two = (frames_of(tmp_path / f"{name}.gif")[1] for name in ("one", "two"))
    upper = slice(0, int(0.75 * one.shape[0]))  # without the colour bar
    assert np.mean(np.abs(one[upper] - two[upper]) > 8) < 0.01


def test_several_maps_and_quantities_move_together(truth, grid, tmp_path):
    maps = truth_maps(truth, grid)
    path = plots.movie(tmp_path / "m.gif", {"a": maps, "b": 2 * maps}, quantities=["height", "error"], truth=maps)
    height, width = frames_of(path)[0].shape[:2]
    assert 500 < width < 600 and height > 600


def test_a_movie_of_tracks_shows_those_within_the_window(truth, tmp_path):
    ds = tracks(truth, ["j3", "c2"], period=("2021-01-01", "2021-01-08"))
    times = np.array(["2021-01-02", "2021-01-05", "2021-03-01"], "datetime64[ns]")
    frames = frames_of(plots.tracks_movie(tmp_path / "t.gif", ds, times, window=1.0))
    coloured = [(np.ptp(frame, axis=2) > 40)[: frame.shape[0] // 2].sum() for frame in frames]
    assert coloured[0] > 50 and coloured[1] > 50 and coloured[2] == 0


def test_an_mp4_is_written_with_ffmpeg(truth, grid, tmp_path):
    pytest.importorskip("imageio_ffmpeg", reason="an MP4 needs imageio-ffmpeg")
    from imageio_ffmpeg import count_frames_and_secs

    path = plots.movie(tmp_path / "m.mp4", {"ocean": truth_maps(truth, grid)}, fps=3)
    frames, seconds = count_frames_and_secs(str(path))
    assert frames == 3 and seconds == pytest.approx(1.0, abs=0.05)


def test_movies_that_cannot_be_written_leave_no_file(truth, grid, tmp_path, monkeypatch):
    maps = truth_maps(truth, grid)
    with pytest.raises(ValueError, match=r"must end in .gif or .mp4, got 'm.avi'"):
        plots.movie(tmp_path / "m.avi", {"ocean": maps})
    with pytest.raises(ValueError, match="must have the same times"):
        plots.movie(tmp_path / "m.gif", {"a": maps, "b": maps.isel(time=slice(2))})
    with pytest.raises(ValueError, match="must have the same times"):
        plots.movie(tmp_path / "m.gif", {"a": maps.isel(time=0)})
    with pytest.raises(ValueError, match="a movie needs a frame"):
        plots.tracks_movie(
            tmp_path / "m.gif", tracks(truth, ["j3"], period=("2021-01-01", "2021-01-03")), grid.time.values[:0]
        )
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(
        RuntimeError, match=r"an MP4 needs ffmpeg: pip install 'xinr\[figures\]', or name the movie .gif"
    ):
        plots.movie(tmp_path / "m.mp4", {"ocean": maps})
    assert not list(tmp_path.iterdir())


# --- scores -----------------------------------------------------------------------------------------


def test_spectra_are_thick_where_waves_are_resolved(tmp_path):
    figure = rendered(plots.psd({"OI": spectrum(150.0)}), tmp_path / "p.png")
    thin, thick = figure.axes[0].get_lines()[2:]
    assert min(thick.get_xdata()) >= 150.0 > min(thin.get_xdata())
    with pytest.raises(ValueError, match="no score to draw"):
        plots.psd({})


def test_days_are_drawn_with_mean_and_deviation(tmp_path):
    day = np.datetime64("2021-01-01", "ns") + np.arange(20) * np.timedelta64(1, "D")
    daily = np.where(np.arange(20) == 4, np.nan, np.linspace(0.7, 0.9, 20))
    one = xr.Dataset({"daily_score": ("day", daily)}, {"day": day})
    other = xr.Dataset({"rmse_score": ("time", 0 * daily + 0.5)}, {"time": day})
    figure = rendered(plots.daily_scores({"OI": one, "map": other}), tmp_path / "d.png")
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels[0] == f"OI: {np.nanmean(daily):.3f} ± {np.nanstd(daily):.3f}"
    with pytest.raises(ValueError, match="no score to draw"):
        plots.daily_scores({})
    with pytest.raises(ValueError, match="the score of 'OI' has no day"):
        plots.daily_scores({"OI": one * np.nan})


def test_maps_of_binned_errors_share_a_colour_scale(tmp_path):
    boxes = xr.Dataset(
        {
            name: (("latitude", "longitude"), np.linspace(-0.1, 0.1, 6).reshape(2, 3))
            for name in ("rmse", "bias", "score")
        },
        {"latitude": [33.5, 34.5], "longitude": [295.5, 296.5, 297.5]},
    )
    figure = rendered(
        plots.error_maps({"a": boxes, "b": 2 * boxes, "c": boxes, "d": boxes}, "bias"), tmp_path / "e.png"
    )
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["a", "b", "c", "d"]
    assert len({axes.collections[0].get_clim() for axes in panels}) == 1
    np.testing.assert_allclose(panels[1].collections[0].get_array().ravel(), 200 * boxes.bias.values.ravel())
    rendered(plots.error_maps({"one box": boxes.isel(latitude=[0], longitude=[0])}), tmp_path / "o.png")
    five = plots.error_maps(dict.fromkeys("abcde", boxes), "score")
    assert [axes.get_xlabel() != "" for axes in five.axes[:5]] == [False, False, True, True, True]
    with pytest.raises(ValueError, match=r"one of \['rmse', 'bias', 'score'\], got \['a'\], 'salt'"):
        plots.error_maps({"a": boxes}, "salt")


# --- coastlines and the accessor ---------------------------------------------------------------------


@pytest.fixture
def cartopy(monkeypatch):
    """Replaces cartopy, which downloads its coastlines."""
    island = [np.array([[-59.0, 36.0], [-58.0, 36.0], [-58.0, 37.0], [-59.0, 36.0]])]
    shapes = [SimpleNamespace(geoms=[SimpleNamespace(coords=line) for line in island])]
    reader = SimpleNamespace(
        natural_earth=lambda **options: f"{options['resolution']}.shp",
        Reader=lambda path: SimpleNamespace(geometries=lambda: shapes),
    )
    monkeypatch.setitem(sys.modules, "cartopy", ModuleType("cartopy"))
    monkeypatch.setitem(sys.modules, "cartopy.io", SimpleNamespace(shapereader=reader))
    monkeypatch.setattr(geography, "find_spec", lambda name: name)
    geography._coasts.cache_clear()
    yield reader
    geography._coasts.cache_clear()


def test_coastlines_are_drawn_with_cartopy(truth, grid, cartopy, tmp_path):
    figure = rendered(plots.maps({"ocean": truth_maps(truth, grid)}), tmp_path / "c.png")
    (line,) = [lines for lines in figure.axes[0].collections if isinstance(lines, LineCollection)]
    assert line.get_segments()[0][0].tolist() == [301.0, 36.0]  # in the longitudes of the map
    assert figure.axes[0].get_xlim()[0] == pytest.approx(295.0, abs=0.01)


def test_without_a_network_maps_have_no_coastlines_and_one_warning(truth, grid, cartopy, monkeypatch):
    def unreachable(**options):
        raise OSError("no network")

    monkeypatch.setattr(cartopy, "natural_earth", unreachable)
    with pytest.warns(UserWarning, match=r"no coastlines: cartopy could not fetch .* \(no network\)"):
        plots.maps({"ocean": truth_maps(truth, grid)})
    plots.maps({"ocean": truth_maps(truth, grid)})  # one warning alone


def test_the_accessor_samples_tracks_and_maps(truth, grid):
    ds = tracks(truth, ["j3", "c2"], period=("2021-01-01", "2021-01-06"))
    assert ds.inr.plot(period=("2021-01-02", "2021-01-04")).axes[1].get_title() == "by height"
    maps = truth_maps(truth, grid)
    assert maps.inr.plot(time="2021-01-03").axes[0].get_title() == "sla: height"
    assert maps.sla.inr.plot(quantities=["speed"]).axes[0].get_title() == "sla, 2021-01-03"
    both = maps.assign(other=maps.sla)
    assert both.inr.plot(variable="other").axes[0].get_title() == "other: height"
