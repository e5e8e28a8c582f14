"""Scores of a field against the truth, where it is known: heights, slopes, curvature, currents, and stated errors."""

from __future__ import annotations

import xarray as xr

from xinr.geo.coordinates import locate
from xinr.geo.geostrophy import geostrophic
from xinr.metrics import score_maps
from xinr.observations.variables import is_anomaly

#: Half-widths of normal intervals, by the percentage that they should hold.
INTERVALS = {68: 0.994458, 95: 1.959964}
MEANINGS = {
    "gradient": "norm of the gradient",
    "laplacian": "Laplacian",
    "speed": "speed of the geostrophic current",
    "velocity": "geostrophic current, both components",
}


def score_truth(maps: xr.Dataset, truth: xr.Dataset) -> xr.Dataset:
    """Score maps and their derivatives against the truth.

    Parameters
    ----------
    maps : Dataset
        Of what a method made of the observations, as `xinr.Field.evaluate` gives it.
    truth : Dataset
        What they should be, the same kind of height on the same grid: uniform longitudes, latitudes and times, at
        least 8 of each.

    Returns
    -------
    Dataset
        - ``mu``, ``sigma``, ``mu_all``, ``rmse`` [m], ``lambda_x``, ``lambda_r`` [degree], ``lambda_t`` [day] and
          their spectra: heights, by `xinr.metrics.score_maps`.
        - ``mu_gradient``, ``mu_laplacian``, ``mu_speed``, ``mu_velocity`` and ``sigma_...`` [1]: mean and standard
          deviation over time of ``1 - rms(field - truth) / rms(truth)``, of the norm of the gradient, the Laplacian,
          and the speed and the vector of the geostrophic current. ``rmse_velocity`` [m/s].
        - ``coverage_68``, ``coverage_95`` [1]: how much of the truth lies within intervals of 68 and 95 % about
          the field, if it states its error.

    Raises
    ------
    ValueError
        A variable is not there, a value is missing, or the grids differ, are not uniform or too small.

    Notes
    -----
    Current: ``u = -(g/f) ∂h/∂y``, ``v = (g/f) ∂h/∂x``, more than 5 degrees from the equator. The stated error is that
    of the height itself: observations err more.

    Examples
    --------
    >>> import numpy as np
    >>> from xinr.simulate import eddies
    >>> days = np.datetime64("2021-01-01", "ns") + np.arange(8) * np.timedelta64(1, "D")
    >>> axes = {"time": days, "latitude": np.arange(34.0, 42.0), "longitude": np.arange(296.0, 304.0)}
    >>> one, other = (eddies(waves=20, seed=seed).evaluate(xr.Dataset(coords=axes)) for seed in (1, 2))
    >>> bool(score_truth(one, other).mu < 0), float(score_truth(one, one).mu_velocity)
    (True, 1.0)
    """
    ours, true = _plain(maps, "maps"), _plain(truth, "truth")
    if is_anomaly(*_named_so(ours)) != is_anomaly(*_named_so(true)):
        raise ValueError(
            f"the maps are of {ours.attrs['name']!r} and the truth of {true.attrs['name']!r}, one an anomaly and the "
            "other not: fit the same kind of height."
        )
    out = score_maps(ours["height"], true["height"])
    if "error" in ours:
        misfit = abs(ours["height"] - true["height"])
        out = out.assign({f"coverage_{key}": _covered(misfit, ours["error"], key) for key in INTERVALS})
    return out.merge(_derivatives(ours, true))


def _plain(ds: xr.Dataset, role: str) -> xr.Dataset:
    """Return what `xinr.Field.evaluate` gives under names that do not depend on the height's, kept in attrs."""
    bends = [str(name) for name in ds if str(name).startswith("laplacian_")]
    name = bends[0].removeprefix("laplacian_") if bends else "sla"
    names = {name: "height", f"d{name}_dx": "dx", f"d{name}_dy": "dy", f"laplacian_{name}": "laplacian"}
    missing = [old for old in names if old not in ds]
    if missing:
        raise ValueError(f"the {role} lack {missing}: expected what field.evaluate(grid) gives, got {list(ds)}.")
    stated = {f"err_{name}": "error"} if f"err_{name}" in ds else {}
    return ds[[*names, *stated]].rename({**names, **stated}).assign_attrs(name=name)


def _named_so(ds: xr.Dataset) -> tuple[str, str | None]:
    return ds.attrs["name"], ds["height"].attrs.get("standard_name")


def _derivatives(maps: xr.Dataset, truth: xr.Dataset) -> xr.Dataset:
    """Return the scores of gradient, Laplacian and current."""
    both = maps, truth
    current: list[xr.DataArray] = [xr.concat(geostrophic(ds["dx"], ds["dy"]), "component") for ds in both]
    pairs: dict[str, list[xr.DataArray]] = {
        "gradient": [_norm(xr.concat([ds["dx"], ds["dy"]], "component")) for ds in both],
        "laplacian": [ds["laplacian"] for ds in both],
        "speed": [_norm(vector) for vector in current],
        "velocity": current,
    }
    out = xr.Dataset()
    for key, (mapped, wanted) in pairs.items():
        skill = _skill(mapped, wanted)
        out[f"mu_{key}"] = _named(skill.mean(), "1", f"RMSE score of the {MEANINGS[key]}, mean over time steps")
        out[f"sigma_{key}"] = _named(skill.std(), "1", f"RMSE score of the {MEANINGS[key]}, standard deviation")
    square = ((current[0] - current[1]) ** 2).sum("component", skipna=False).mean()
    out["rmse_velocity"] = _named(square**0.5, "m s-1", "root mean square error of the current")
    return out.drop_vars([name for name in out.coords if name not in out.dims])


def _norm(vector: xr.DataArray) -> xr.DataArray:
    """Return the length of a vector (component, ...)."""
    length: xr.DataArray = (vector**2).sum("component", skipna=False) ** 0.5
    return length


def _skill(values: xr.DataArray, truth: xr.DataArray) -> xr.DataArray:
    """Return ``1 - rms(values - truth) / rms(truth)`` of each time step."""
    time = locate(truth, "time").dims[0]
    others = [dim for dim in truth.dims if dim != time]
    square: xr.DataArray = ((values - truth) ** 2).mean(others) / (truth**2).mean(others)
    return 1.0 - square**0.5


def _covered(misfit: xr.DataArray, error: xr.DataArray, percentage: int) -> xr.DataArray:
    share = (misfit <= INTERVALS[percentage] * error).mean()
    return _named(share, "1", f"share of the truth within intervals of {percentage} %")


def _named(value: xr.DataArray, units: str, long_name: str) -> xr.DataArray:
    return value.drop_attrs().assign_attrs(units=units, long_name=long_name)
