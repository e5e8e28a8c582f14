"""Arrays of many files end to end, read when they are selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.core import indexing


class Piece(NamedTuple):
    """What one file holds of a variable, along the first dimension: nothing where it lacks it."""

    size: int
    variable: xr.Variable | None
    factor: float = 1.0
    name: str = ""

    def read(self, index: Any, rest: tuple[Any, ...]) -> NDArray[Any] | float:
        """Return chosen elements, in the units of the whole; raise OSError for a damaged file."""
        if self.variable is None:
            return np.nan
        try:
            values = np.asarray(self.variable[(index, *rest)].values)
        except (OSError, RuntimeError, OverflowError) as error:
            raise OSError(f"{self.name} cannot be read on ({error}): is it complete? Download it again.") from error
        return values if self.factor == 1.0 else values * self.factor


class Concatenated(xr.backends.BackendArray):
    """Pieces end to end along the first dimension, as xarray's backends give one file's array: without reading it."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        known = [each.variable for each in pieces if each.variable is not None]
        self.pieces = pieces
        self.ends = np.cumsum([each.size for each in pieces])
        self.shape = (int(self.ends[-1]), *known[0].shape[1:])
        self.dtype = _dtype(pieces, [each.dtype for each in known])

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Read what an xarray indexer chooses."""
        support = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, support, self._read)

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        first, *rest = key
        wanted = np.arange(self.shape[0])[first]
        positions = np.atleast_1d(wanted)
        owner = np.searchsorted(self.ends, positions, side="right")
        shape = np.empty(self.shape[1:], dtype=bool)[tuple(rest)].shape
        found = np.empty((positions.size, *shape), dtype=self.dtype)
        for number in np.unique(owner):
            mine = owner == number
            start = self.ends[number] - self.pieces[number].size
            found[mine] = self.pieces[number].read(positions[mine] - start, tuple(rest))
        return found if np.ndim(wanted) else found[0]


def end_to_end(dims: tuple[Any, ...], pieces: Sequence[Piece], attrs: dict[Any, Any]) -> xr.Variable:
    """Return the variable of all pieces, read when it is selected, and kept once read."""
    read_once: Any = indexing.MemoryCachedArray  # untyped in xarray
    data: Any = indexing.CopyOnWriteArray(read_once(indexing.LazilyIndexedArray(Concatenated(pieces))))
    return xr.Variable(dims, data, attrs, fastpath=True)


def _dtype(pieces: Sequence[Piece], dtypes: list[np.dtype[Any]]) -> np.dtype[Any]:
    found = dtypes[0] if len(set(dtypes)) == 1 else _common(dtypes)
    lacking = any(each.variable is None for each in pieces)
    scaled = any(each.factor != 1.0 for each in pieces)
    if lacking and found.kind not in "biufcmM":
        return np.dtype(object)
    return np.result_type(found, np.float32) if (lacking or scaled) and found.kind in "biu" else found


def _common(dtypes: list[np.dtype[Any]]) -> np.dtype[Any]:
    try:
        return np.result_type(*dtypes)
    except TypeError:
        return np.dtype(object)
