"""Headers of netCDF files: those are refused over which the netCDF and HDF5 libraries would not come to an end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

#: Classic netCDF, by the version in its fourth byte: bytes of a count, and of the position of a variable.
CLASSIC = {b"CDF\x01": (4, 4), b"CDF\x02": (4, 8), b"CDF\x05": (8, 8)}
HDF5 = b"\x89HDF"
#: Heaps of HDF5 hold the dimensions of variables and are at the beginning of files: so much is looked at [bytes].
BEGINNING = 2**20
#: Bytes of the header of a heap of HDF5, and of each object in it.
HEAP, OBJECT = 16, 16


def check_header(path: Path) -> None:
    """Raise ValueError for a damaged header that the netCDF or HDF5 library would read without end.

    Such are classic files that count more attributes, dimensions or variables than they have bytes, and heaps of HDF5
    with an object of no size, as where a range of the file is zero. What else is damaged, the libraries find.

    References
    ----------
    netCDF classic format: doi:10.5065/D6H70CW6, appendix B; HDF5 file format specification 3.0, III.E "Global heap"
    """
    with path.open("rb") as file:
        start = file.read(4)
        if start in CLASSIC:
            _Classic(file, path.stat().st_size, *CLASSIC[start]).check()
        elif start == HDF5 and any(_endless(heap) for heap in _heaps(start + file.read(BEGINNING))):
            raise ValueError("an object without size in a heap of HDF5")


class _Classic:
    """A walk over the header of a classic netCDF file, which checks that it counts no more than the file can hold."""

    def __init__(self, file: BinaryIO, size: int, count: int, position: int) -> None:
        self.file, self.size, self.count, self.position = file, size, count, position

    def check(self) -> None:
        self._skip(self.count)  # records
        for _ in range(self._elements()):  # dimensions
            self._name()
            self._skip(self.count)
        self._attributes()
        for _ in range(self._elements()):  # variables
            self._name()
            self._skip(self._number(self.count) * self.count)
            self._attributes()
            self._skip(4 + self.count + self.position)

    def _attributes(self) -> None:
        for _ in range(self._elements()):
            self._name()
            kind = self._number(4)
            if kind not in _WIDTHS:
                raise ValueError(f"an attribute in its header has the type {kind}")
            self._padded(self._number(self.count) * _WIDTHS[kind])

    def _elements(self) -> int:
        self._skip(4)  # a tag
        return self._number(self.count)

    def _name(self) -> None:
        length = self._number(self.count)
        if not length:
            raise ValueError("a name in its header is empty")
        self._padded(length)

    def _padded(self, length: int) -> None:
        self._skip(length + -length % 4)

    def _number(self, width: int) -> int:
        return int.from_bytes(self._read(width), "big")

    def _skip(self, length: int) -> None:
        if length > self.size - self.file.tell():
            raise ValueError(f"its header goes on for {length} bytes beyond the file's {self.size}")
        self.file.seek(length, 1)

    def _read(self, length: int) -> bytes:
        found = self.file.read(length)
        if len(found) < length:
            raise ValueError(f"its header goes on beyond the file's {self.size} bytes")
        return found


#: Bytes of a value of each type of classic netCDF, from NC_BYTE to NC_UINT64.
_WIDTHS = dict(enumerate((1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8), start=1))


def _heaps(beginning: bytes) -> Iterator[bytes]:
    """Yield the objects of each heap of HDF5."""
    start = beginning.find(b"GCOL\x01\x00\x00\x00")
    while start >= 0:
        size = int.from_bytes(beginning[start + 8 : start + HEAP], "little")
        yield beginning[start + HEAP : start + size]
        start = beginning.find(b"GCOL\x01\x00\x00\x00", start + 1)


def _endless(heap: bytes) -> bool:
    """Return whether the library would come to the same object of a heap again and again."""
    place = 0
    while place + OBJECT <= len(heap):
        number = int.from_bytes(heap[place : place + 2], "little")
        size = int.from_bytes(heap[place + 8 : place + OBJECT], "little")
        step = (OBJECT + size + -size % 8) % 2**64 if number else size  # object 0 is the space that is left
        if step == 0:
            return True
        place += step
    return False
