"""Groups of netCDF files: the group that holds sea level, joined with what the groups around it hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import xarray as xr


def groups_of(tree: xr.DataTree) -> tuple[dict[str, xr.Dataset], str]:
    """Return all groups of the file that a tree is of, by their paths, and the path of the tree among them."""
    return {node.path: node.to_dataset(inherit=False) for node in tree.root.subtree}, tree.path


def joined(groups: Mapping[str, xr.Dataset], within: str, names: Iterable[str]) -> xr.Dataset:
    """Return the group with sea level; variables, coordinates and attributes of the groups around it are inherited.

    Parameters
    ----------
    groups : mapping of str to Dataset
        By path, such as "/data_01/ku".
    within : str
        Path of the group to look in, and below.
    names : iterable of str
        Names of sea level variables.

    Raises
    ------
    ValueError
        No group holds one of them, or several do.
    """
    within = "/" + within.strip("/")
    inside = [path for path in groups if _around(within, path)]
    wanted = set(names)
    holding = [path for path in inside if wanted & set(groups[path].data_vars)]
    if not holding and within != "/" and within in groups:
        holding = [within]
    if len(holding) != 1:
        raise ValueError(
            f"sea level must be in one group, one of {sorted(wanted)}: got it in {holding} of the groups "
            f"{sorted(groups)}. Name the group: xinr.open_tracks(path, group='data_01/ku'), or of a DataTree "
            "xinr.fit(tree['data_01/ku'])."
        )
    return _inherited([groups[path] for path in sorted(groups, key=len) if _around(path, holding[0])])


def _around(outer: str, inner: str) -> bool:
    return outer in ("/", inner) or inner.startswith(outer + "/")


def _inherited(nested: list[xr.Dataset]) -> xr.Dataset:
    """Return the innermost of nested groups, with what others have along its dimensions, or along none."""
    variables: dict[Any, xr.Variable] = {}
    sizes = dict(nested[-1].sizes)
    attrs: dict[Any, Any] = {}
    for ds in nested:
        variables |= {name: each for name, each in ds.variables.items() if each.sizes.items() <= sizes.items()}
        attrs |= ds.attrs
    coords = {name for ds in nested for name in ds.coords if name in variables}
    found = xr.Dataset(variables, attrs=attrs)
    return found.set_coords(list(coords))
