"""Importing the environments, and making one, loads neither prompts nor heavy libraries."""

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "numba", "scipy", "matplotlib", "pygame", "textual")
"""Libraries that no environment needs."""

PROMPTS = "dilemmas.envs.prompts"


def loaded(code: str) -> set[str]:
    """Names of the modules that a new interpreter has loaded after running `code`."""
    code += "\nimport json, sys; print(json.dumps([*sys.modules]))"
    env = {"PYTHONPATH": ":".join(part for part in sys.path if part)}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    return set(json.loads(found.stdout.splitlines()[-1]))


def test_importing_the_package_loads_only_the_catalogue_of_games() -> None:
    modules = loaded("import dilemmas.envs")
    assert "dilemmas.envs.games.catalogue" in modules
    subpackages = {name.split(".")[2] for name in modules if name.startswith("dilemmas.envs.")}
    assert not subpackages & {"prompts", "pettingzoo_api", "rules", "rendering", "theory", "vector"}
    assert not modules & set(HEAVY)


@pytest.mark.parametrize(
    "code",
    [
        "import pettingzoo, dilemmas.envs\npettingzoo.make('parallel', 'dilemmas/prisoners_dilemma-v0')",
        "import pettingzoo, dilemmas.envs\n"
        "env = pettingzoo.make('parallel', 'dilemmas/stag_hunt-v0', render_mode='ansi', talk=1, reward=(1, 3))\n"
        "env.reset(seed=0); env.step({'player_0': 1, 'player_1': 0}); env.render()",
        "import pettingzoo, dilemmas.envs\npettingzoo.make('aec', 'dilemmas/population-v0')",
        "import dilemmas.envs.vector.gymnasium_vector, dilemmas.envs.theory.solutions",
    ],
    ids=["parallel", "rendered", "aec", "vector"],
)
def test_environments_load_neither_prompts_nor_heavy_libraries(code: str) -> None:
    modules = loaded(code)
    assert "dilemmas.envs.rules.protocol" in modules or "vector" in code
    assert not modules & {*HEAVY, PROMPTS}


def test_loaded_modules_are_detected() -> None:
    assert PROMPTS in loaded("import dilemmas.envs.prompts.templates")
