"""What computed: the machine, its devices, and the versions of what ran."""

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from xinr.methods.device import device_from
from xinr.methods.method import Method
from xinr.methods.search import SearchableMethod

#: Parts of the package, and packages, on which numbers depend.
ROOMS = ("geo", "observations", "methods", "metrics", "validation", "fields")
PACKAGES = ("xinr", "numpy", "scipy", "torch", "pyinterp", "xarray")


@cache
def versions() -> dict[str, str]:
    """Return the versions of python and of the packages that compute, and a hash of the source of the methods.

    Examples
    --------
    >>> sorted(versions())
    ['numpy', 'pyinterp', 'python', 'scipy', 'source', 'torch', 'xarray', 'xinr']
    """
    # Of the modules on which a fit and its maps depend: one version under work has many sources.
    root = Path(__file__).parents[2]
    files = sorted(path for room in ROOMS for path in root.glob(f"{room}/**/*.py"))
    source = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:8]
    found = {"python": platform.python_version(), "source": source}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a source tree that is not installed
            found[name] = "unknown"
    return found


def device_of(method: Method) -> str:
    """Return where a method computes: "cpu", "cuda" or "mps"."""
    name = getattr(method, "device", "cpu")
    # Kriging needs float64, which mps has not.
    return device_from(name, metal=not isinstance(method, SearchableMethod)).type


def machine_of(device: str) -> str:
    """Return the name of the processor behind a device, and how many threads a processor has to itself here."""
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    described = Path("/proc/cpuinfo")
    lines = described.read_text(encoding="utf-8").splitlines() if described.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    return f"{processor}, {torch.get_num_threads()} threads".replace(", 1 threads", ", 1 thread")
