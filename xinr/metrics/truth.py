"""Scores of maps against a known truth: sea level, gradient, Laplacian, currents, formal errors."""

import xarray as xr

from xinr.geo.coordinates import locate
from xinr.geo.geostrophy import geostrophic
from xinr.metrics.gridded import named, score_maps
from xinr.observations.variables import is_anomaly

#: Half-widths of Gaussian intervals [standard deviations], by percentage.
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
        From `xinr.Field.evaluate`.
    truth : Dataset
        The same variable on the same grid: uniform longitudes, latitudes and times, at least 8 of each.

    Returns
    -------
    Dataset
        - ``mu``, ``sigma``, ``mu_all``, ``rmse`` [m], ``lambda_x``, ``lambda_r`` [degree], ``lambda_t`` [day] and
          spectra: see `xinr.metrics.score_maps`.
        - ``mu_gradient``, ``mu_laplacian``, ``mu_speed``, ``mu_velocity`` and ``sigma_...`` [1]: mean and standard
          deviation over time of ``1 - rms(field - truth) / rms(truth)``, of the norm of the gradient, the Laplacian,
          and the speed and the vector of the geostrophic current. ``rmse_velocity`` [m/s].
        - ``coverage_68``, ``coverage_95`` [1]: the fraction of the truth within the formal intervals of 68 and 95 %, if
          there is a formal error.

    Raises
    ------
    ValueError
        A missing variable or value, or grids that differ, are not uniform or too small.

    Notes
    -----
    Current: ``u = -(g/f) ∂h/∂y``, ``v = (g/f) ∂h/∂x``, more than 5 degrees from the equator. The formal error is of
    the map alone, without observation errors.

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
    kinds = {is_anomaly(ds.attrs["name"], ds["height"].attrs.get("standard_name")) for ds in (ours, true)}
    if len(kinds) > 1:
        raise ValueError(
            f"the maps are of {ours.attrs['name']!r} and the truth of {true.attrs['name']!r}, one an anomaly and the "
            "other not: fit the same variable."
        )
    out = score_maps(ours["height"], true["height"])
    if "error" in ours:
        misfit = abs(ours["height"] - true["height"])
        for percentage, width in INTERVALS.items():
            share = (misfit <= width * ours["error"]).mean()
            out[f"coverage_{percentage}"] = named(share, "1", f"share of the truth within intervals of {percentage} %")
    return out.merge(_derivatives(ours, true))


def _plain(ds: xr.Dataset, role: str) -> xr.Dataset:
    """Return the variables of `xinr.Field.evaluate` under names that do not depend on the map's name, an attribute."""
    name = next((str(key).removeprefix("laplacian_") for key in ds if str(key).startswith("laplacian_")), "sla")
    names = {name: "height", f"d{name}_dx": "dx", f"d{name}_dy": "dy", f"laplacian_{name}": "laplacian"}
    missing = [old for old in names if old not in ds]
    if missing:
        raise ValueError(f"the {role} lack {missing}: expected the result of field.evaluate(grid), got {list(ds)}.")
    names |= {f"err_{name}": "error"} if f"err_{name}" in ds else {}
    return ds[list(names)].rename(names).assign_attrs(name=name)


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
        others = [dim for dim in wanted.dims if dim != locate(wanted, "time").dims[0]]
        skill = 1.0 - (((mapped - wanted) ** 2).mean(others) / (wanted**2).mean(others)) ** 0.5
        out[f"mu_{key}"] = named(skill.mean(), "1", f"RMSE score of the {MEANINGS[key]}, mean over time steps")
        out[f"sigma_{key}"] = named(skill.std(), "1", f"RMSE score of the {MEANINGS[key]}, standard deviation")
    square = ((current[0] - current[1]) ** 2).sum("component", skipna=False).mean()
    out["rmse_velocity"] = named(square**0.5, "m s-1", "root mean square error of the current")
    return out.drop_vars([name for name in out.coords if name not in out.dims])


def _norm(vector: xr.DataArray) -> xr.DataArray:
    """Return the length of a vector (component, ...)."""
    length: xr.DataArray = (vector**2).sum("component", skipna=False) ** 0.5
    return length
