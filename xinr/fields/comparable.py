"""What can be compared with a reference: withheld tracks, or gridded truth."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import xarray as xr

from xinr._warnings import warn
from xinr.fields.target import TargetLike
from xinr.geo.coordinates import is_grid
from xinr.metrics import score, score_maps, select
from xinr.observations.units import in_metres
from xinr.observations.variables import as_map, is_anomaly

#: Names of heights that hold the mean dynamic topography.
ABSOLUTE = ("adt", "ssh")


class Comparable(ABC):
    """A height that can be evaluated anywhere, and so at the points of a reference."""

    name: str
    info: dict[str, Any]

    @abstractmethod
    def interp(self, target: TargetLike, *, error: bool = False) -> xr.Dataset:
        """Evaluate at the points of a target."""

    def score(self, reference: xr.Dataset | xr.DataArray, *, protocol: str | None = None, **options: Any) -> xr.Dataset:
        """Compare the field with a reference, at the reference's own points.

        Parameters
        ----------
        reference : Dataset or DataArray
            Withheld tracks, with ``ssh`` or with ``sla_unfiltered``, ``mdt`` and ``lwe``: to a field of anomalies
            their own ``mdt`` is added first, and the attribute ``mdt_added`` says so. Or gridded truth of the same
            kind of height as the field.
        protocol : {"dc2021a", "strict", "dc2020a"}, optional
            The first two for tracks, "dc2021a" by default: see `xinr.metrics.score`; the last for gridded truth:
            see `xinr.metrics.score_maps`.
        **options
            For tracks ``region``, ``period``, ``segment_length``, ``resamples``, ``seed``: see `xinr.metrics.score`.

        Returns
        -------
        Dataset
            ``mu``, ``sigma``, ``lambda_x``, ``rmse`` [m] and more; on tracks with intervals and the null map's score.

        Raises
        ------
        ValueError
            Reference and field are not comparable, or a protocol or option is not for this kind of reference.
        """
        if is_grid(reference):
            return self._score_on_grid(reference, protocol, options)
        track = select(reference, options.get("region"), options.get("period"))
        table = score(self.on_track(track), track, protocol=protocol or "dc2021a", **options)
        return table.assign_attrs(mdt_added=str(self.is_anomaly), field=self.summary)

    def _score_on_grid(
        self, reference: xr.Dataset | xr.DataArray, protocol: str | None, options: Mapping[str, Any]
    ) -> xr.Dataset:
        if protocol not in (None, "dc2020a") or options:
            raise ValueError(
                f"gridded truth is scored by the protocol 'dc2020a' without options, got protocol={protocol!r} and "
                f"{sorted(options)}. Select a region with reference.sel(...); interpolate to a track for the others."
            )
        truth = as_map(reference)
        if is_anomaly(str(truth.name), truth.attrs.get("standard_name")) != self.is_anomaly:
            raise ValueError(
                f"the field is {self.name!r} and the reference {truth.name!r}, one an anomaly and the other not: "
                "add the mdt to one of them, or name the reference's variable by reference[<name>]."
            )
        table = score_maps(self.interp(truth)[self.name], truth)
        return table.assign_attrs(field=self.summary)

    def on_track(self, track: xr.Dataset) -> xr.Dataset:
        """Evaluate the absolute height at the points of a track, as `score` compares it.

        Parameters
        ----------
        track : Dataset
            With ``mdt`` [m], which is added to a field of anomalies.

        Returns
        -------
        Dataset
            ``ssh`` [m].

        Raises
        ------
        ValueError
            The field is of anomalies, and the track has no mdt.
        """
        if self.is_anomaly and "mdt" not in track:
            raise ValueError(
                f"the field {self.name!r} is an anomaly and the reference has no mdt to add to it: expected a variable "
                "'mdt' [m]. Add reference['mdt'], or fit absolute heights with mdt=True."
            )
        if not self.is_anomaly and self.name not in ABSOLUTE:
            warn(
                f"the field {self.name!r} is taken for an absolute height, and no mdt is added to it; if it is an "
                "anomaly, name its variable 'sla'."
            )
        height = self.interp(track)[self.name]
        return xr.Dataset({"ssh": height + in_metres(track["mdt"]) if self.is_anomaly else height})

    @property
    def is_anomaly(self) -> bool:
        """Whether heights are anomalies about the mean sea surface, so that the mdt is not in them."""
        return is_anomaly(self.name, self.info.get("standard_name"))

    @property
    def summary(self) -> str:
        """One line: what is mapped, by which method."""
        return f"{self.name} by {self.info['method']}"
