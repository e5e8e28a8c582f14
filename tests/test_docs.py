"""What the documents show runs: snippets, commands, links, images, names."""

from __future__ import annotations

import re
import shlex
import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import typer
import xarray as xr

import xinr
from xinr.challenges import CHALLENGES
from xinr.cli import app
from xinr.datasets.registry import DC2021A_TRACKS
from xinr.geo.points import Points
from xinr.methods import Predictor, method_from
from xinr.simulate import eddies
from xinr.simulate import tracks as observe

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {str(path.relative_to(ROOT)): path for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))}
#: A fenced block: the comment above it that says why it is not run, if any; its language; its text.
BLOCK = re.compile(r"(?:<!-- not run:(.*?)-->\n)?```([a-z{}-]*)\n(.*?)```", re.DOTALL)
#: At most so many blocks of Python are not run, each with its reason.
MOST_NOT_RUN = 6


def blocks(page: str, *languages: str) -> list[tuple[str | None, str]]:
    """Return the reason why a block is not run, None if it is, and its text on its lines, for these languages."""
    text = PAGES[page].read_text(encoding="utf-8")
    found = [match for match in BLOCK.finditer(text) if match[2] in languages]
    return [(match[1], "\n" * text.count("\n", 0, match.start(3)) + match[3]) for match in found]


# --- stand-ins for the data that snippets take for granted -----------------------------------------------


@pytest.fixture(scope="session")
def simulated():
    """Eddies in the Gulf Stream, and ten days of three altimeters over them."""
    truth = eddies(waves=40)
    period = ("2017-01-01", "2017-01-10")
    ds = observe(truth, ("j3", "c2", "alg"), region=(295, 305, 33, 43), period=period)
    ds["ssh"] = (ds.sla_unfiltered + ds.mdt).assign_attrs(units="m")
    return truth, ds


@pytest.fixture(scope="session")
def files(simulated, tmp_path_factory):
    """The folders that snippets open: files of two missions, and those of dc2021a, most of them short."""
    folder = tmp_path_factory.mktemp("files")
    ds = simulated[1].drop_vars("ssh")
    flown = {name: ds.isel(time=ds.mission == name).drop_vars("mission") for name in ("j3", "c2", "alg")}
    published = flown | dict.fromkeys(("h2g", "j2g", "j2n", "s3a"), flown["alg"].isel(time=slice(0, 200)))
    layout = {"dc_obs": {name: flown[name] for name in ("j3", "alg")}, "dc2021a/dc_obs": published}
    for place, missions in layout.items():
        (folder / place).mkdir(parents=True)
        for name, part in missions.items():
            part.to_netcdf(folder / place / DC2021A_TRACKS.format(name))
    return folder


@pytest.fixture
def stand_ins(simulated):
    """The names that snippets take for granted: tracks, a withheld one, a small grid, and a map of the whole region."""
    truth, ds = simulated
    small, whole = (
        xr.Dataset(
            coords={
                "time": np.arange(first, last, dtype="datetime64[D]").astype("datetime64[ns]"),
                "latitude": np.arange(south, north, 0.5),
                "longitude": np.arange(west, east, 0.5),
            }
        )
        for first, last, west, east, south, north in (
            ("2017-01-04", "2017-01-07", 300.0, 304.0, 36.0, 40.0),
            ("2016-12-31", "2017-01-13", 295.0, 305.5, 33.0, 43.5),
        )
    )
    maps = truth.interp(whole)
    maps["adt"] = (maps.sla + 0.1 * (38.0 - maps.latitude)).assign_attrs(units="m")
    withheld = ds.isel(time=ds.mission == "alg")
    names = {"tracks": ds.isel(time=ds.mission != "alg"), "grid": small, "maps": maps, "l4": maps, "truth": truth}
    names |= {"days": small.time, "lat": small.latitude, "lon": small.longitude}
    return names | {"withheld_track": withheld, "other_track": withheld.isel(time=slice(0, 50))}


@pytest.fixture
def quick(monkeypatch):
    """Defaults made small: 20 steps of networks, coarse lattices, two samples, searches of one trial."""
    small = {"steps": 20, "hidden_features": 32, "spacing": 45.0, "time_step": 3.0, "evaluations": 1}
    classes = [type(method_from(name, {})) for name in xinr.METHODS]
    for function in (*(method.__init__ for method in classes), xinr.tune):
        for name in small.keys() & (function.__kwdefaults__ or {}).keys():
            monkeypatch.setitem(function.__kwdefaults__, name, small[name])


@pytest.fixture
def registries():
    """Give the registries back as they were: pages add methods and challenges of their own."""
    tables = (xinr.METHODS, CHALLENGES, Predictor.registry)
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


@pytest.fixture
def run_page(stand_ins, files, quick, registries, tmp_path, monkeypatch):
    """The function that runs every block of Python of a page, in one namespace, which it returns."""
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # dataclasses look their module up
    module.__dict__.update(stand_ins)
    for entry in files.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    monkeypatch.chdir(tmp_path)

    def run(page):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "lambda_x is NaN")  # ten days hold few long passes
            for reason, code in blocks(page, "python"):
                if reason is None:
                    exec(compile(code, page, "exec"), module.__dict__)
        return module

    return run


# --- snippets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_the_snippets_of_a_page_run_one_after_the_other(page, run_page):
    run_page(page)


def test_few_snippets_are_not_run_and_each_says_why():
    reasons = [reason for page in PAGES for reason, _ in blocks(page, "python") if reason is not None]
    assert len(reasons) <= MOST_NOT_RUN and all(len(reason.split()) > 2 for reason in reasons)
    marked = sum(path.read_text(encoding="utf-8").count("\n<!-- not run") for path in PAGES.values())
    assert marked == len(reasons)  # a comment that stands above no block marks nothing


def test_the_documented_method_is_a_whole_method(run_page, tracks, tmp_path):
    run_page("docs/adding-a-method.md")
    field = tracks.inr.fit("inverse-distance", n_neighbors=640)  # all of them: no jump where neighbours change
    at = tracks.isel(time=slice(0, 200, 20))
    value = field.interp(at)["sla"]
    assert np.isfinite(value).all()
    field.save(tmp_path / "field.nc")
    np.testing.assert_array_equal(xinr.open_field(tmp_path / "field.nc").interp(at)["sla"], value)
    x = field.frame.project(at.longitude.values, at.latitude.values, at.time.values)
    step = np.zeros(4)
    for axis, h in enumerate((0.01, 0.01, 0.01, 1e-3)):
        step[:], step[axis] = 0.0, h
        above, below = (field.predictor.predict(Points.of(x + sign * step)) for sign in (1.0, -1.0))
        slope = field.predictor.gradient(Points.of(x))[:, axis]
        np.testing.assert_allclose(slope, (above - below) / (2 * h), rtol=1e-4, atol=1e-8)


def test_the_guide_tells_the_defaults_of_every_method():
    text = PAGES["docs/guide.md"].read_text(encoding="utf-8")
    table = text[text.index("| `method=` | `frame` |") :].partition("\n\n")[0].splitlines()[2:]
    told = {}
    for cells in ([cell.strip() for cell in row.strip("|").split("|")] for row in table):
        told |= dict.fromkeys(re.findall(r"`(\w+)`", cells[0]), (cells[1], *map(float, cells[2:6])))
    for name in xinr.METHODS:
        method = method_from(name, {})
        levels = method.noise, method.pass_bias, method.pass_slope
        assert told[name] == (method.frame, method.coarsen, *(pytest.approx(level, abs=5e-5) for level in levels))


# --- commands ---------------------------------------------------------------------------------------------


def commands(first: str) -> list[list[str]]:
    """Return the words of each command of the documents that begins so."""
    pages = PAGES | {"data/README.md": ROOT / "data" / "README.md"}
    text = [code for path in pages.values() for _, _, code in BLOCK.findall(path.read_text(encoding="utf-8"))]
    lines = [line for code in text for line in code.splitlines() if line.startswith(first + " ")]
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.parametrize("words", commands("xinr"), ids=" ".join)
def test_the_commands_of_xinr_are_understood(words):
    command = typer.main.get_command(app)
    with command.make_context("xinr", [*words[1:]], resilient_parsing=True) as context:
        name, chosen, rest = command.resolve_command(context, words[1:])
    chosen.make_context(name, rest)  # parses every argument and option, and runs nothing


@pytest.mark.parametrize("words", commands("python -m"), ids=" ".join)
def test_the_benchmarks_that_print_the_tables_exist(words):
    found = find_spec(words[2])
    assert found is not None
    source = Path(found.origin).read_text(encoding="utf-8") if words[2].startswith("tests.") else ""
    for word in words[3:]:
        assert not word.startswith("--") or not source or word[2:].replace("-", "_") in source.replace("-", "_")


@pytest.mark.parametrize("words", commands("make"), ids=" ".join)
def test_the_targets_of_make_exist(words):
    assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


# --- links, images, names ---------------------------------------------------------------------------------


def headings(path: Path) -> set[str]:
    """Return the names by which links lead to the headings of a page."""
    found = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", [*PAGES, "data/README.md", "CHANGELOG.md"])
def test_links_and_images_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    for path, _, heading in (target.partition("#") for target in targets):
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), path
        assert not heading or heading in headings(file), f"{path}#{heading}"


def test_every_page_is_in_the_table_of_contents():
    listed = {str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.md")} - {"index"}
    toctrees = re.findall(r"```{toctree}\n(.*?)```", (DOCS / "index.md").read_text(), re.DOTALL)
    assert set(re.findall(r"^[a-z][\w/-]*$", "\n".join(toctrees), re.MULTILINE)) == listed


def documented() -> list[str]:
    """Return the names that Sphinx is asked to document."""
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    return re.findall(r"auto(?:class|function|data|module|method)::\s*([\w.]+)", text)


@pytest.mark.parametrize("name", documented())
def test_the_names_of_the_api_pages_exist(name):
    module, _, attribute = name.rpartition(".")
    assert getattr(import_module(module), attribute).__doc__


@pytest.mark.parametrize(
    "room", ["", ".challenges", ".challenges.leaderboard", ".datasets", ".methods", ".methods.covariances",
             ".metrics", ".plots", ".simulate"]
)  # fmt: skip
def test_every_public_name_is_on_the_api_page(room):
    known = {name.rpartition(".")[2] for name in documented()}
    public = import_module(f"xinr{room}")
    functions = [n for n in public.__all__ if callable(getattr(public, n))]
    assert not sorted(set(functions) - known)
