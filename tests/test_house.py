"""The layout of the package: which room may import which, no import circles, short files."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import xinr

PACKAGE = Path(xinr.__file__).parent
#: The rooms, from the ground up: each imports those below its own floor only.
FLOORS = (
    {"_typing", "_warnings"},
    {"geo"},
    {"observations"},
    {"methods"},
    {"metrics"},
    {"validation", "plots"},
    {"fields"},
    {"simulate", "datasets"},
    {"challenges"},
    {"accessor"},
    {"__init__"},
    {"cli"},
)
LONGEST_FILE, MOST_ENTRIES = 320, 12


def module_name(path: Path) -> str:
    parts = ("xinr", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(package: Path = PACKAGE) -> dict[str, Path]:
    return {module_name(path): path for path in sorted(package.rglob("*.py"))}


def imported(name: str, tree: ast.Module, modules: set[str]) -> Iterator[str]:
    """Yield the modules that a file names: imported anywhere in it, or in a string such as ``"xinr.geo.frames"``."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                found = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(parent), names=aliases):
                inner = [f"{parent}.{alias.name}" for alias in aliases]
                found = [each if each in modules else parent for each in inner]
            case ast.Constant(value=str(text)) if re.fullmatch(r"xinr(\.\w+)+(:\w+)?", text):
                found = [text.split(":")[0]]
            case _:
                continue
        yield from (each for each in found if each in modules and each != name)


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """The modules that each module imports, under ``TYPE_CHECKING`` and within functions too."""
    paths = sources()
    return {name: set(imported(name, ast.parse(path.read_text()), set(paths))) for name, path in paths.items()}


def room(name: str) -> str:
    return [*name.split("."), "__init__"][1]


def floor(name: str) -> int:
    """Return the floor of a module; of a room that has none, one above all."""
    return next((i for i, rooms in enumerate(FLOORS) if room(name) in rooms), len(FLOORS))


def test_no_module_imports_itself_by_way_of_others(graph):
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import circle: {' <- '.join(error.args[1])}")


def test_every_room_has_its_floor(graph):
    unknown = {room(name) for name in graph} - set.union(*FLOORS)
    assert not unknown, f"rooms without a floor: {sorted(unknown)}"


def test_rooms_import_only_from_the_floors_below(graph):
    arrows = [
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in sorted(others)
        if room(name) != room(other) and floor(other) >= floor(name)
    ]
    assert not arrows, "\n".join(arrows)


def test_files_are_short():
    long = {
        name: size for name, path in sources().items() if (size := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert not long, f"files of more than {LONGEST_FILE} lines: {long}"


def test_the_top_of_the_package_is_easy_to_survey():
    entries = sorted(
        path.name for path in PACKAGE.iterdir() if not path.name.startswith("_") and path.name != "py.typed"
    )
    assert len(entries) <= MOST_ENTRIES, f"more than {MOST_ENTRIES} entries: {entries}"
