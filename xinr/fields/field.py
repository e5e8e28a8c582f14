"""Field: sea surface height as a function of longitude, latitude and time."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, override

import xarray as xr

from xinr.fields.comparable import Comparable
from xinr.fields.display import LARGE, SMALL, as_html, as_text, grid_over, solves_when_asked
from xinr.fields.netcdf import write_netcdf
from xinr.fields.target import Target, TargetLike
from xinr.geo.cf import STANDARD_NAMES
from xinr.geo.geostrophy import currents

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Of saved fields: raised when a change makes older files unreadable.
FORMAT = 1
LONG_NAMES = {
    "sla": "sea level anomaly",
    "adt": "absolute dynamic topography",
    "ssh": "sea surface height",
}
SLOPES = {
    "x": ("eastward slope of ", "m m-1"),
    "y": ("northward slope of ", "m m-1"),
    "t": ("rate of change of ", "m s-1"),
}


class Field(Comparable):
    """Sea surface height as a function of (longitude, latitude, time).

    Networks, optimal interpolation, kriging and gridded maps are all Fields: `interp` evaluates, `gradient`,
    `laplacian` and `currents` differentiate, `score` compares with a reference at the reference's own points, `save`
    keeps.

    Attributes
    ----------
    name : str
        Name of the variable: "sla", "adt", "ssh", ...
    info : dict
        What the field came from: method, settings, counts, extent; plain values, saved with it.
    """

    @override
    def interp(self, target: TargetLike, *, error: bool = False) -> xr.Dataset:
        """Evaluate the field at the points of a target.

        Parameters
        ----------
        target : Dataset, DataArray or mapping
            Anything with longitude, latitude and time: a grid, coordinates alone, or the points of a track.
            Chunked targets (``maps.chunk(time=10)``) are evaluated lazily, block by block. Dimensions of which
            longitude, latitude and time do not depend are left out.
        error : bool
            Also give the posterior standard deviation, as ``err_<name>``, of a method that has one.

        Returns
        -------
        Dataset
            ``<name>`` [m], dims (time, latitude, longitude) on a grid, those of the track on a track.

        Raises
        ------
        ValueError
            The target lacks a coordinate, lies wholly outside the data of a fit (a map gives NaN there), or an
            error is asked of a method that has none.
        """
        points = self._reach(target)
        if not error:
            return self._dataset({self.name: self._value(points).assign_attrs(self._attrs("", "m"))})
        value, deviation = self._posterior(points)
        attrs = self._attrs("", "m")
        deviation.attrs |= {"long_name": f"posterior standard deviation of {attrs['long_name']}", "units": "m"}
        if "standard_name" in attrs:
            deviation.attrs["standard_name"] = f"{attrs['standard_name']} standard_error"
        return self._dataset({self.name: value.assign_attrs(attrs), f"err_{self.name}": deviation})

    def gradient(self, target: TargetLike | None = None) -> xr.Dataset:
        """Differentiate the field: slopes east and north, and the rate of change.

        Parameters
        ----------
        target : Dataset, DataArray or mapping, optional
            As for `interp`. A gridded map needs none: it is differentiated on its own grid.

        Returns
        -------
        Dataset
            ``d<name>_dx`` and ``d<name>_dy``, eastward and northward [m/m], and ``d<name>_dt`` [m/s]: exact
            derivatives of the fitted function on the sphere; centred differences for a map.
        """
        found = self._gradient(self._reach(target))
        return self._dataset(
            {f"d{self.name}_d{key}": slope.assign_attrs(self._attrs(*SLOPES[key])) for key, slope in found.items()}
        )

    def laplacian(self, target: TargetLike | None = None) -> xr.Dataset:
        """Apply the horizontal Laplacian of the sphere (Laplace-Beltrami), at a target as for `gradient`.

        Returns
        -------
        Dataset
            ``laplacian_<name>`` [1/m]: exact for a fitted function; centred differences for a map.
        """
        bend = self._laplacian(self._reach(target))
        return self._dataset({f"laplacian_{self.name}": bend.assign_attrs(self._attrs("Laplacian of ", "m-1"))})

    def currents(self, target: TargetLike | None = None) -> xr.Dataset:
        """Differentiate the field into the geostrophic currents that balance its slopes, at a target as for `gradient`.

        Returns
        -------
        Dataset
            ``ugosa``, ``vgosa`` [m/s] of anomalies, ``ugos``, ``vgos`` of absolute heights; ``vorticity``, ``strain``
            [1/s] and ``kinetic_energy`` [m²/s²]; NaN within 5 degrees of the equator: see
            `xinr.geo.geostrophy.currents`.
        """
        return self._dataset(currents(self._derivatives(self._reach(target)), anomaly=self.is_anomaly))

    def evaluate(self, target: TargetLike) -> xr.Dataset:
        """Evaluate all that the field knows: height, formal error if there is one, gradient and Laplacian.

        The target is as for `interp`; the Dataset has what `interp`, `gradient` and `laplacian` give, together.
        """
        parts = [self.interp(target, error=self.has_error), self.gradient(target), self.laplacian(target)]
        return xr.merge(parts, combine_attrs="override", join="exact", compat="override")

    def plot(
        self,
        target: TargetLike | None = None,
        *,
        time: Any = None,
        quantities: Iterable[str] = ("height", "gradient", "laplacian"),
    ) -> Figure:
        """Draw a quick look, by default of height, gradient and Laplacian.

        Parameters
        ----------
        target : Dataset, DataArray or mapping, optional
            Grid to draw. By default a map its own, a fitted field the extent of its observations.
        time : str or datetime64, optional
            Which time (of a grid the nearest); by default the middle.
        quantities : iterable of str
            Keys of `xinr.plots.QUANTITIES`.

        Returns
        -------
        Figure
            Of `xinr.plots.maps`, which draws several fields on one scale.

        Raises
        ------
        ValueError
            An unknown quantity, or no target for a field that does not know its extent.
        """
        from xinr.plots import maps

        if target is None:
            source, grid = self._to_draw(time)
            return maps({self.name: source}, grid, time=time, quantities=quantities)
        grid = xr.Dataset(coords=target if isinstance(target, Mapping) else target.coords)
        return maps({self.name: self}, grid, time=time, quantities=quantities)

    def save(self, path: str | Path) -> None:
        """Write the field to one netCDF file, which `xinr.open_field` reads back.

        The file appears under its name only when complete; one that was there stays whole until then.

        Parameters
        ----------
        path : str or Path
            Where to write.
        """
        stored = self.stored()
        attrs = {"xinr_format": FORMAT, "name": self.name, "info": json.dumps(self.info)}
        write_netcdf(stored.assign_attrs({**stored.attrs, **attrs}), Path(path).expanduser())

    @property
    def has_error(self) -> bool:
        """Whether the field has a formal error."""
        return False

    def __repr__(self) -> str:
        return as_text(type(self).__name__, self.summary, self.info)

    def _repr_html_(self) -> str:
        return as_html(type(self).__name__, self.summary, self.info, self._small_map)

    @abstractmethod
    def stored(self) -> xr.Dataset:
        """Return what `save` writes: arrays, and the attribute ``content`` that tells which kind of field it is."""

    @classmethod
    @abstractmethod
    def restored(cls, ds: xr.Dataset) -> Self:
        """Rebuild a field from a file that `save` wrote, not decoded."""

    @abstractmethod
    def _reach(self, target: TargetLike | None) -> Target:
        """Return the target's points, having checked that the field has something to say there."""

    @abstractmethod
    def _value(self, target: Target) -> xr.DataArray: ...

    @abstractmethod
    def _gradient(self, target: Target) -> dict[str, xr.DataArray]: ...

    @abstractmethod
    def _laplacian(self, target: Target) -> xr.DataArray: ...

    @abstractmethod
    def _derivatives(self, target: Target) -> dict[str, xr.DataArray]:
        """Return what `currents` needs: "x", "y", "xx", "xy", "yy", east and north, along great circles."""

    @abstractmethod
    def _posterior(self, target: Target) -> tuple[xr.DataArray, xr.DataArray]: ...

    def _to_draw(self, time: Any) -> tuple[Field | xr.Dataset, xr.Dataset | None]:
        """Return what to draw, and the grid, where none is given."""
        if "extent" not in self.info:
            raise ValueError("this field does not know its extent: say where, field.plot(grid).")
        return self, grid_over(self.info["extent"], time, LARGE)

    def _small_map(self) -> xr.DataArray | None:
        """Return the height mid-period on a coarse grid, (latitude, longitude), where that costs next to nothing."""
        if "extent" not in self.info or solves_when_asked(getattr(self, "predictor", None)):
            return None
        return self.interp(grid_over(self.info["extent"], None, SMALL))[self.name].isel(time=0)

    def _attrs(self, prefix: str, units: str) -> dict[str, str]:
        attrs = {"long_name": prefix + LONG_NAMES.get(self.name, self.name), "units": units}
        if not prefix and self.name in STANDARD_NAMES:
            attrs["standard_name"] = STANDARD_NAMES[self.name]
        return attrs

    def _dataset(self, variables: Mapping[str, xr.DataArray]) -> xr.Dataset:
        attrs = {
            "Conventions": "CF-1.11",
            "source": f"xinr {version('xinr')}: {self.summary}",
            "xinr": json.dumps(self.info),
        }
        return xr.Dataset(dict(variables), attrs=attrs)
