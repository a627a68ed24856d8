"""The layout of the project: where modules are, how long they are, and that a public name means one thing.

The directions of imports are contracts of import-linter, in pyproject.toml.
"""

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("envs", "agents", "training", "experiments")
MOST_MODULES, MOST_LINES, MOST_FUNCTION_LINES, MEDIAN_FUNCTION_LINES = 16, 350, 60, 8
LOOSE = {  # modules directly in a package: what its subpackages share, and the page of each environment
    "envs": {"checks", "data_files", "errors", "locks", "names", "numbers", "seals", "validation"},
    "agents": {"agent", "roster", "specifications", "two_actions", "versions", "visible_text"},
    "training": {"adapters", "checkpoints", "demonstrations", "distill", "examples", "lora"},
    "experiments": {"run_folder"},
}


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("package", PACKAGES)
def test_a_module_is_in_a_subpackage_or_has_a_reason_not_to_be(package: str) -> None:
    found = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__"}
    assert {name for name in found if not re.fullmatch(r"\w+_v\d+", name)} == LOOSE[package]


def test_every_part_of_envs_but_the_pages_has_a_layer() -> None:
    """The other packages have exhaustive contracts; the pages, one for each environment, are not named in one."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    contracts = {contract["name"]: contract for contract in tools["importlinter"]["contracts"]}
    layers = {name for layer in contracts["the layers of envs"]["layers"] for name in layer.split(" | ")}
    assert layers == {path.parent.name for path in (ROOT / "envs").glob("*/__init__.py")} | LOOSE["envs"]


def test_no_folder_has_many_modules() -> None:
    folders = {path.parent for path in modules(*PACKAGES, "tests")} - {ROOT / "envs"}
    counts = {folder: len([path for path in folder.glob("*.py") if path.stem != "__init__"]) for folder in folders}
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


@pytest.mark.parametrize("folder", [*PACKAGES, "tests"])
def test_modules_and_functions_are_short(folder: str) -> None:
    for path in modules(folder):
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= MOST_LINES, path
        for node in functions(ast.parse(text)):
            assert length(node) <= MOST_FUNCTION_LINES, f"{path}: {node.name}"


def test_most_functions_are_very_short() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in modules(*PACKAGES)]
    assert median(length(node) for tree in trees for node in functions(tree)) <= MEDIAN_FUNCTION_LINES


def test_a_public_name_means_one_thing() -> None:
    """Names of classes and functions; the click commands are called `command` in every module of commands."""
    places = defaultdict(set)
    for path in modules(*PACKAGES):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                places[node.name].add(str(path.relative_to(ROOT)))
    assert {name: sorted(found) for name, found in places.items() if len(found) > 1 and name != "command"} == {}


def test_tests_mirror_the_packages() -> None:
    """A test module lies in the folder of what it tests; those of the whole project lie in tests/ and tests/docs."""
    for path in modules("tests"):
        folder = path.parent.relative_to(ROOT / "tests")
        if folder.parts and folder.parts[0] in PACKAGES:
            assert (ROOT / folder).is_dir(), path
