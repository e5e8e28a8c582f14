from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
import xarray as xr

import xinr
from tests.benchmarks import simulation
from tests.benchmarks.package_data import make
from xinr.geo.geostrophy import GRAVITY
from xinr.geo.points import Points
from xinr.simulate import OneLayer, TwoLayer, as_field, derivatives, qg
from xinr.simulate.ocean import spun_up
from xinr.simulate.ocean.periodic import resampled

INFINITE = np.inf
#: No sources, no losses, no mean current.
FREE = {"drag_time": INFINITE, "damping_time": INFINITE}
AT_REST = {**FREE, "upper_current": 0.0, "lower_current": 0.0}
DAY = 86_400.0


def at_start(q, model="one-layer", **settings):
    """Return a Dataset to restart from, with q (layers, y, x) as given."""
    ds = qg(0, model, spin_up=0, **settings)
    names = ("q", "q_lower")[: len(q)]
    return ds.assign({name: (("time", "y", "x"), layer[None]) for name, layer in zip(names, q, strict=True)})


def plane_wave(points, k, ell=0, phase=0.0):
    """Return a wave of k and ell periods on a square, with its squared wavenumber for 2000 km."""
    turn = 2 * np.pi * np.arange(points) / points
    first = 2 * np.pi / 2e6
    return np.cos(k * turn + ell * turn[:, None] + phase), (k**2 + ell**2) * first**2


@pytest.fixture(scope="module")
def eddying():
    """An eddying two-layer ocean at 48 x 48."""
    return qg(0, points=48)


def test_q_is_the_potential_vorticity_of_psi(eddying):
    ocean = TwoLayer(points=48)
    upper = 1.0 / (1.25 * 22e3**2)
    psi = eddying["psi"]
    lower = psi + (eddying["q"] - derivatives(eddying, "psi")["laplacian_psi"]) / upper
    bend = derivatives(lower.to_dataset(name="lower"), "lower")["laplacian_lower"]
    expected = bend + ocean.depth_ratio * upper * (psi - lower)
    np.testing.assert_allclose(eddying["q_lower"], expected, rtol=0, atol=1e-12 * float(abs(eddying["q"]).max()))


def test_advection_of_two_waves_is_the_product_of_their_gradients():
    points, turn = 32, 2 * np.pi / 2e6
    ocean = OneLayer(points=points, forcing=0.0, **FREE)
    x = turn * ocean.spacing * np.arange(points)
    y = x[:, None]
    one, other = 2e4 * np.cos(3 * x + 0 * y), 1e4 * np.sin(2 * x + 4 * y)
    screen = 1.0 / 35e3**2
    q = -(9 * turn**2 + screen) * one - (20 * turn**2 + screen) * other
    one_x, other_x = -6e4 * turn * np.sin(3 * x), 2e4 * turn * np.cos(2 * x + 4 * y)
    other_y = 4e4 * turn * np.cos(2 * x + 4 * y)
    # J(ψ, q) of waves whose q is -K² ψ.
    jacobian = (9 - 20) * turn**2 * one_x * other_y
    from xinr.simulate.ocean.stepper import Stepper

    stepper = Stepper(ocean, 0, None, torch.device("cpu"), torch.float64)
    found = stepper.grid(stepper.tendency(stepper.spectrum(q[None])))[0].numpy()
    expected = -jacobian - ocean.beta * (one_x + other_x)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * abs(q).max() / DAY)


@pytest.mark.parametrize(("step", "energy", "enstrophy"), [(2.0, 1e-6, 1e-4), (0.5, 2e-9, 2e-7)])
def test_energy_and_enstrophy_are_conserved(eddying, step, energy, enstrophy):
    ds = qg(20, restart=eddying, interval=20, step=step, **AT_REST)
    assert abs(float(ds["energy"][-1] / eddying["energy"][0]) - 1) < energy
    assert abs(float(ds["enstrophy"][-1] / eddying["enstrophy"][0]) - 1) < enstrophy


def test_rossby_waves_keep_their_dispersion_relation():
    wave, square = plane_wave(32, 2, 3)
    start = at_start(1e-6 * wave[None], points=32, forcing=0.0, **FREE)
    later = qg(100, restart=start, interval=100)
    omega = -OneLayer().beta * 2 * (2 * np.pi / 2e6) / (square + 1.0 / 35e3**2)
    expected, _ = plane_wave(32, 2, 3, -omega * 100 * DAY)
    assert abs(omega * 100 * DAY) > 0.5
    np.testing.assert_allclose(later["q"][0], 1e-6 * expected, rtol=0, atol=1e-6 * 1e-7)


def test_the_most_unstable_wave_grows_as_phillips_says():
    ocean = TwoLayer(points=32, length=1000.0, **FREE)
    upper, lower = 1.0 / (1.25 * 22e3**2), 0.25 / (1.25 * 22e3**2)
    u1, u2, shear = 0.13, 0.03, 0.1

    def growth(k):
        square = (k * 2 * np.pi / 1e6) ** 2
        # [(U1 - c)(-κ² - F1) + Q1'] [(U2 - c)(-κ² - F2) + Q2'] = F1 F2 (U1 - c)(U2 - c)
        first = np.poly1d([square + upper, -u1 * (square + upper) + ocean.beta + upper * shear])
        second = np.poly1d([square + lower, -u2 * (square + lower) + ocean.beta - lower * shear])
        speeds = (first * second - upper * lower * np.poly1d([-1, u1]) * np.poly1d([-1, u2])).roots
        return k * 2 * np.pi / 1e6 * speeds.imag.max()

    k = max(range(1, 11), key=growth)
    wave = 1e-12 * np.cos(2 * np.pi * k * np.arange(32) / 32) * np.ones((2, 32, 1))
    ds = qg(200, restart=at_start(wave, "two-layer", points=32, length=1000.0, **FREE), interval=10, step=2)
    found = np.log(float(ds["energy"][-1] / ds["energy"][-2])) / (2 * 10 * DAY)
    assert growth(k) > 1 / (30 * DAY)
    assert found == pytest.approx(growth(k), rel=1e-6)


def test_the_step_is_of_fourth_order(eddying):
    def after(step):
        return qg(2, restart=eddying, interval=2, step=step)["ssh"].values

    exact = after(0.25)
    coarse, fine = (abs(after(step) - exact).max() for step in (4.0, 2.0))
    assert 11 < coarse / fine < 22


def test_finer_grids_converge():
    start = qg(0, points=32)

    def after(points):
        # The same hyperviscosity at every resolution.
        damping = 12.0 * (OneLayer(points=48).truncation / OneLayer(points=points).truncation) ** 8
        return resampled(qg(5, restart=start, points=points, interval=5, damping_time=damping)["ssh"].values, 32)

    exact = after(96)
    rough, fair = (np.sqrt(((after(points) - exact) ** 2).mean()) for points in (32, 64))
    assert fair < 0.05 * rough
    assert fair < 0.02 * exact.std()


@pytest.mark.parametrize("model", ["two-layer", "one-layer"])
def test_a_restart_continues_the_simulation(model):
    options = {"interval": 1.25, "points": 32, "seed": 3}
    if model == "one-layer":
        options["forcing_wavelength"] = 300
    whole = qg(20, model, spin_up=5, **options)
    first = qg(10, model, spin_up=5, **options)
    later = qg(10, restart=first, interval=1.25)
    joined = xr.concat([first, later], "time", data_vars="all", combine_attrs="override")
    xr.testing.assert_allclose(joined, whole, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(joined["ssh"], whole["ssh"], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(joined["time"], whole["time"])
    assert later.attrs == first.attrs == whole.attrs


def test_a_seed_gives_one_realisation():
    one, again, other = (qg(3, points=32, seed=seed) for seed in (1, 1, 2))
    xr.testing.assert_identical(one, again)
    assert float(abs(one["ssh"] - other["ssh"]).max()) > 0.1


def test_single_precision_follows_double(eddying):
    exact, single = (qg(5, restart=eddying, interval=5, dtype=dtype)["ssh"] for dtype in ("float64", "float32"))
    assert single.dtype == np.float32
    assert 0.0 < float(abs(single - exact).max()) < 1e-4 * float(exact.std())


@pytest.mark.parametrize("latitude", [38.0, -30.0])
def test_currents_are_geostrophic(latitude):
    ds = qg(0, "one-layer", points=32, latitude=latitude, spin_up=5, forcing_wavelength=300)
    f = 2 * 7.292115e-5 * np.sin(np.radians(latitude))
    slopes = derivatives(ds)
    exactly = {"rtol": 0, "atol": 1e-13}
    np.testing.assert_allclose(ds["u"], -GRAVITY / f * slopes["dssh_dy"], **exactly)
    np.testing.assert_allclose(ds["v"], GRAVITY / f * slopes["dssh_dx"], **exactly)
    np.testing.assert_allclose(ds["ssh"], f / GRAVITY * ds["psi"], rtol=1e-12)
    assert float(ds["ssh"].std()) > 0.001


def test_forcing_puts_in_its_energy():
    start = at_start(np.zeros((1, 64, 64)), points=64, forcing=1e-12, forcing_wavelength=150.0, **FREE)
    gained = np.diff(qg(40, restart=start, interval=20)["energy"], prepend=0.0)
    np.testing.assert_allclose(gained, 1e-12 * 20 * DAY, rtol=0.25)


def test_forcing_does_not_depend_on_points():
    # So weak that no wave feels another.
    start = at_start(np.zeros((1, 48, 48)), points=48, forcing=1e-20, forcing_wavelength=250.0, damping_time=INFINITE)
    coarse, fine = (qg(2, restart=start, interval=2, points=points)["ssh"].values for points in (48, 64))
    np.testing.assert_allclose(resampled(fine, 48), coarse, rtol=0, atol=1e-5 * coarse.std())


def test_the_mirrored_ocean_has_mirrored_currents(eddying):
    mirrored = eddying.assign({name: -eddying[name].roll(x=5)[:, ::-1].drop_vars("y") for name in ("q", "q_lower")})
    later, other = (qg(5, restart=ds, interval=5)["ssh"].values for ds in (eddying, mirrored))
    np.testing.assert_allclose(other, -np.roll(later, 5, axis=-1)[:, ::-1], rtol=0, atol=1e-12)


def test_the_default_ocean_starts_from_a_state_in_the_package():
    ds = qg(0, dtype="float32")
    with xr.open_dataset(spun_up.PATH) as packed:
        assert packed.attrs["settings"] == ds.attrs["settings"], "run python -m tests.benchmarks.package_data"
    for seed in range(4):
        one = qg(0, points=96, seed=seed)
        other = qg(0, points=96, seed=seed + 4)  # the same state, shifted
        assert float(other["energy"][0]) == pytest.approx(float(one["energy"][0]), rel=1e-3)
        assert 0.15 < float(one["ssh"].std()) < 0.30
        speed = np.hypot(one["u"], one["v"])
        assert 0.2 < float(speed.mean()) < 0.6
    assert float(abs(ds["ssh"].values - qg(0, seed=4)["ssh"].values).max()) > 0.1


def test_the_states_of_the_package_are_spun_up_by_the_simulation(tmp_path):
    make(tmp_path / "two-layer.nc", states=2, days=1)
    run = qg(0, seed=1, spin_up=1)
    with xr.open_dataset(tmp_path / "two-layer.nc") as ds:
        for layer, name in enumerate(("q", "q_lower")):
            packed, exact = ds["q"].values[1, layer], resampled(run[name].values[0], spun_up.POINTS)
            np.testing.assert_allclose(packed, exact, rtol=0, atol=1e-4 * float(abs(ds["q"]).max()))


def test_other_oceans_are_spun_up(monkeypatch):
    monkeypatch.setattr(sys.modules["xinr.simulate.ocean.qg"], "SPIN_UP", 2.0)
    ds = qg(0, points=32, radius=30.0)
    assert np.datetime64(ds.attrs["clock_start"]) == ds["time"].values[0] - np.timedelta64(2, "D")


def test_the_dataset_describes_itself(eddying):
    assert eddying["ssh"].dims == ("time", "y", "x")
    assert {str(name): eddying[name].attrs["units"] for name in eddying.data_vars} == {
        "ssh": "m",
        "psi": "m2 s-1",
        "u": "m s-1",
        "v": "m s-1",
        "q": "s-1",
        "q_lower": "s-1",
        "energy": "m2 s-2",
        "enstrophy": "s-2",
    }
    assert float(eddying["x"][0]) == -1000.0
    centre = eddying.sel(x=0, y=0)
    assert float(centre["longitude"]) == pytest.approx(300.0)
    assert float(centre["latitude"]) == pytest.approx(38.0)
    assert json.loads(eddying.attrs["settings"])["radius"] == 22.0
    assert eddying.attrs["mean_current"] == [0.13, 0.03]
    # The sea surface falls northward where the mean current runs east.
    assert eddying.attrs["mean_slope"] == pytest.approx(-TwoLayer().f * 0.13 / GRAVITY)
    assert abs(float(eddying["ssh"].mean())) < 1e-12


def test_a_restart_from_a_file_is_the_same(eddying, tmp_path):
    eddying.to_netcdf(tmp_path / "ocean.nc", engine="netcdf4")
    with xr.open_dataset(tmp_path / "ocean.nc") as stored:
        xr.testing.assert_identical(qg(1, restart=stored), qg(1, restart=eddying))


def test_derivatives_of_waves_are_exact():
    wave, square = plane_wave(32, 3, 2)
    quarter, _ = plane_wave(32, 3, 2, np.pi / 2)
    x = np.arange(32) * 2000.0 / 32
    ds = xr.Dataset({"ssh": (("y", "x"), wave, {"units": "m"})}, {"x": x, "y": x})
    found = derivatives(ds)
    close = {"rtol": 0, "atol": 1e-13}
    np.testing.assert_allclose(found["dssh_dx"], 3 * 2 * np.pi / 2e6 * quarter, **close)
    np.testing.assert_allclose(found["dssh_dy"], 2 * 2 * np.pi / 2e6 * quarter, **close)
    np.testing.assert_allclose(found["laplacian_ssh"], -square * wave, **close)
    assert found["laplacian_ssh"].attrs["units"] == "m-1"
    stacked = ds.expand_dims(time=3)
    xr.testing.assert_identical(derivatives(stacked.chunk(time=1)).compute(), derivatives(stacked))


def test_a_simulation_is_a_field(tmp_path):
    ds = qg(6, points=48)
    truth = as_field(ds)
    flat = ds[["ssh"]].isel(time=slice(1, 5))
    at = flat.stack(point=("time", "y", "x")).reset_index("point").isel(point=slice(None, None, 7))
    x = np.stack([at["x"], at["y"], (at["time"] - ds["time"][0]) / np.timedelta64(1, "D")], axis=1)
    np.testing.assert_allclose(truth.predictor.predict(Points.of(x)), at["ssh"], rtol=0, atol=1e-9)
    exact = derivatives(flat)["dssh_dx"].stack(point=("time", "y", "x")).values[::7]
    slope = truth.predictor.gradient(Points.of(x))[:, 0] / 1e3
    assert np.sqrt(((slope - exact) ** 2).mean()) < 0.05 * exact.std()
    grid = {"time": ds["time"][2:3], "latitude": np.arange(34.0, 43.0), "longitude": np.arange(296.0, 305.0)}
    truth.save(tmp_path / "ocean.nc")
    xr.testing.assert_identical(xinr.open_field(tmp_path / "ocean.nc").gradient(grid), truth.gradient(grid))


def test_the_benchmark_prints_and_samples(tmp_path, capsys):
    simulation.main(days=20, points=32, figure=tmp_path / "qg.png")
    printed = capsys.readouterr().out
    rows = dict(line.split(" | ")[1:3] for line in printed.splitlines() if line.count(" | ") > 1)
    assert float(rows["ssh, rms"].removesuffix(" cm")) > 10.0
    assert float(rows["greatest error of ssh after 10 days, the usual step"].removesuffix(" mm")) < 1.0
    assert (tmp_path / "qg.png").stat().st_size > 10_000


def test_the_spectrum_along_lines_holds_the_variance():
    ds = qg(1, points=32)
    number, power = simulation.along(ds)
    lines = [ds["ssh"].var(axis).mean() for axis in ("x", "y")]
    assert power.sum() * number[0] == pytest.approx(float(sum(lines)) / 2, rel=1e-3)


def test_the_number_of_threads_is_restored():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        qg(0, points=32)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_simulate_loads_no_torch():
    code = "import sys, xinr.simulate; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"model": "three-layer"},
            ValueError,
            "unknown model 'three-layer': expected one of .'one-layer', 'two-layer'",
        ),
        ({"depth": 3}, TypeError, "the two-layer model has no setting .'depth'.: expected some of .'points'"),
        ({"points": 31}, ValueError, "points must be an even number, 16 or more, got 31"),
        ({"points": 32.5}, TypeError, "points must be a whole number, got 32.5"),
        ({"length": -1.0}, ValueError, "length must be a finite number above zero, got -1.0"),
        ({"drag_time": 0.0}, ValueError, "drag_time must be above zero, or infinite to leave it out, got 0.0"),
        ({"latitude": 0.0}, ValueError, "latitude must be 10 to 80 degrees from the equator"),
        ({"upper_current": np.nan}, ValueError, "upper_current must be a finite number, got nan"),
        ({"model": "one-layer", "forcing": -1.0}, ValueError, "forcing must be an energy input .* got -1.0"),
        ({"model": "one-layer", "forcing_wavelength": 5.0}, ValueError, "no wave of about 5 km to force on a grid of"),
        ({"days": 1.5}, ValueError, "days must be a whole number of intervals of 1 days, zero or more, got 1.5"),
        ({"interval": 0.0}, ValueError, "interval must be days, a whole number of seconds, above zero, got 0.0"),
        ({"spin_up": -1}, ValueError, "spin_up must be days, a whole number of seconds, zero or more, got -1"),
        ({"step": 0}, ValueError, "step must be a finite number above zero, got 0"),
        ({"device": "abacus"}, ValueError, "device 'abacus' cannot be used here: expected 'auto', 'cpu', 'cuda'"),
        ({"dtype": "float16"}, ValueError, "dtype must be 'float64' or 'float32', got 'float16'"),
        (
            {"days": 1, "points": 64, "step": 12},
            FloatingPointError,
            "unstable on day 0: .* need steps below .* hours, got 12.*leave",
        ),
    ],
)
def test_bad_settings_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        qg(**{"days": 0, "points": 32} | options)


def test_bad_restarts_are_refused(eddying):
    with pytest.raises(ValueError, match=r"\['start', 'seed'\] are those of the restart, .* leave them out"):
        qg(1, restart=eddying, start="2020-01-01", seed=2)
    with pytest.raises(ValueError, match=r"restart needs a Dataset made by xinr.simulate.qg: it lacks \['q_lower'\]"):
        qg(1, restart=eddying.drop_vars("q_lower"))
    with pytest.raises(ValueError, match="restart has missing values in q at its last time, 2021-01-01"):
        qg(1, restart=eddying.where(eddying["x"] > 0))
    with pytest.raises(ValueError, match="restart needs the whole square of 48 x 48 points, got 48 x 20"):
        qg(1, restart=eddying.isel(x=slice(20)))
    with pytest.raises(
        FloatingPointError, match=r"became unstable before day 0: currents of .* m/s. Take a shorter step"
    ):
        qg(1, restart=eddying.assign(q=1e3 * eddying["q"]))


def test_parts_of_the_square_are_refused():
    ds = qg(3, points=32)
    with pytest.raises(ValueError, match=r"expected a Dataset made by xinr.simulate.qg, with ssh and the attribute"):
        as_field(ds.drop_attrs())
    with pytest.raises(ValueError, match="expected the whole square of 32 x 32 points, got 20 x 32: a periodic ocean"):
        as_field(ds.isel(x=slice(20)))
    with pytest.raises(ValueError, match="a Field needs four maps or more at equal intervals, got 2 from"):
        as_field(ds.isel(time=[0, 1]))
    with pytest.raises(ValueError, match="a Field needs four maps or more at equal intervals, got 4 from"):
        as_field(qg(6, points=32).isel(time=[0, 1, 2, 4]))
    with pytest.raises(ValueError, match="ssh has missing values: give the whole square, as simulated"):
        as_field(ds.where(ds["x"] > 0))
    with pytest.raises(ValueError, match=r"no variable 'adt' with dims .y, x.: got .*'ssh': .'time', 'y', 'x'"):
        derivatives(ds, "adt")
    with pytest.raises(ValueError, match="x must increase by equal steps over a whole period"):
        derivatives(ds.isel(x=[0, 1, 3]))
