"""The registry of networks: a saved field names the one that it was trained as."""

from typing import Any

#: Class of each network by its name, or the module whose import defines it.
NETWORKS: dict[str, type[Any] | str] = {}
