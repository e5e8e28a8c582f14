"""What benchmarks measure: seconds of tasks taken in turn, and the peak memory of a process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter

#: A line of a table: what was measured, how much it is, and what was aimed at.
Row = tuple[str, str, str]


def fastest(
    tasks: Mapping[str, Callable[[], object]], repeats: int, clock: Callable[[], float] = perf_counter
) -> dict[str, float]:
    """Run tasks in turn, again and again, and return the least seconds of each, by a clock of the `time` module.

    Examples
    --------
    >>> fastest({"nothing": lambda: None}, repeats=3)["nothing"] < 0.1
    True
    """
    seconds = dict.fromkeys(tasks, float("inf"))
    for _ in range(repeats):
        for name, task in tasks.items():
            started = clock()
            task()
            seconds[name] = min(seconds[name], clock() - started)
    return seconds


def peak_memory() -> int:
    """Return the most memory that this process has held at once [bytes].

    Linux hands ``ru_maxrss`` down from a process to those that it starts; there the record of its own memory is read.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    return getrusage(RUSAGE_SELF).ru_maxrss
