"""The conda environments ask for what pyproject.toml asks for, and no more."""

import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml

from xinr.methods.device import device_from

ROOT = Path(__file__).parents[1]
NAMES = ("torch_linux.yaml", "torch_macos.yaml")
#: conda-forge's names, where they are not PyPI's in lower case.
CONDA = {"torch": "pytorch"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def environment(name):
    return yaml.safe_load((ROOT / "environments" / name).read_text())


def conda_requirement(requirement):
    """Turn ``dask[array]>=1`` into ``dask>=1``, under the name that conda-forge has."""
    name, version = re.fullmatch(r"([\w.-]+)(?:\[.*\])?(.*)", requirement).groups()
    return CONDA.get(name, name.lower()) + version


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_has_what_the_project_needs(name):
    wanted = [f"python{PROJECT['requires-python']}", "pip", *map(conda_requirement, PROJECT["dependencies"])]
    *listed, by_pip = environment(name)["dependencies"]
    assert sorted(listed) == sorted(wanted)
    assert len(by_pip["pip"]) == 1


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_installs_the_project_from_its_folder(name):
    option, _, folder = environment(name)["dependencies"][-1]["pip"][0].partition(" ")
    assert option == "-e"
    # conda and mamba run pip in the folder of the file.
    assert (ROOT / "environments" / folder).resolve() == ROOT
    assert (ROOT / "environments" / folder / "pyproject.toml").is_file()


def test_environments_are_from_conda_forge_alone_and_differ_in_their_names():
    linux, macos = map(environment, NAMES)
    assert linux == macos
    assert linux["channels"] == ["conda-forge", "nodefaults"]
    assert linux["name"] == "xinr"


@pytest.mark.parametrize(
    ("cuda", "mps", "metal", "expected"),
    [
        (True, True, True, "cuda"),
        (False, True, True, "mps"),
        (False, True, False, "cpu"),
        (False, False, True, "cpu"),
    ],
)
def test_auto_takes_cuda_then_mps_then_the_processor(monkeypatch, cuda, mps, metal, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends, "mps", SimpleNamespace(is_available=lambda: mps))
    assert device_from("auto", metal=metal).type == expected
