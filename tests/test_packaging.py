"""What is distributed: the package alone as a wheel, and a source distribution from which the tests run."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from sysconfig import get_path

import pytest
import yaml

import dilemmas

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
FOLDERS = ("envs", "agents", "training", "experiments")


def with_files() -> set[str]:
    """Names of the packages: the root, and every folder of the four with files of its own."""
    found = {"dilemmas"}
    for top in FOLDERS:
        for folder in (ROOT / top, *(ROOT / top).rglob("*")):
            if folder.is_dir() and folder.name != "__pycache__" and any(map(is_content, folder.iterdir())):
                found.add(".".join(("dilemmas", *folder.relative_to(ROOT).parts)))
    return found


def is_content(path: Path) -> bool:
    return path.is_file() and path.suffix != ".pyc" and path.name != "README.md"


def test_the_listed_packages_are_the_folders_with_code_or_data() -> None:
    assert sorted(SETUPTOOLS["packages"]) == sorted(with_files())


def test_every_data_file_is_package_data() -> None:
    for name in with_files() - {"dilemmas"}:
        folder = ROOT.joinpath(*name.split(".")[1:])
        patterns = SETUPTOOLS["package-data"].get(name, [])
        given = {path for pattern in patterns for path in folder.glob(pattern)}
        left = {path for path in folder.iterdir() if is_content(path) and path.suffix != ".py"} - given
        assert not left, f"{name}: {sorted(path.name for path in left)}"


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == dilemmas.__version__
    urls = PROJECT["project"]["urls"]
    assert citation["url"] == urls["Homepage"]
    assert [reference["url"] for reference in citation["references"]] == [urls["Paper"]]
    assert citation["license"] == PROJECT["project"]["license"]


def test_documents_link_to_no_repository_of_the_project() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "pyproject.toml", ROOT / "CITATION.cff"]
    assert not [page.name for page in pages if re.search(r"github\.com/[\w-]*/?dilemmas", page.read_text("utf-8"))]


@pytest.mark.slow
def test_the_wheel_holds_the_package_alone(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = [Path(name) for name in zipfile.ZipFile(wheel).namelist()]
    assert {name.parts[0].partition("-")[0] for name in names} == {"dilemmas"}
    inside = {name.parts[1] for name in names if name.parts[0] == "dilemmas"}
    assert inside == {"__init__.py", "__main__.py", "py.typed", *FOLDERS}


@pytest.mark.slow
def test_the_tests_run_from_the_source_distribution(built: Path, tmp_path: Path) -> None:
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (root,) = tmp_path.iterdir()
    held = {path.name for path in root.iterdir()}
    assert {"tests", "docs", "constraints.txt", "Makefile", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md"} <= held
    tests = ["envs/rules", "envs/games/test_stage_games.py", "envs/test_playthroughs.py", "docs/test_schemas.py"]
    tests += ["test_layout.py", "test_packaging.py", "test_readme.py", "test_one_name.py"]
    words = ["-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", *(f"tests/{name}" for name in tests)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join({get_path("purelib"), get_path("platlib")})}
    bare = [sys.executable, "-S"]  # reads no .pth file, so an editable installation is not found
    shown = "import importlib.util; print(importlib.util.find_spec('dilemmas'))"
    if subprocess.check_output([*bare, "-c", shown], env=environment, text=True, cwd=tmp_path).strip() != "None":
        pytest.skip("dilemmas is installed, and not as editable")
    done = subprocess.run([*bare, *words], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
