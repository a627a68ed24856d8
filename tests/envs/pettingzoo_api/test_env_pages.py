"""The pages are complete, in PettingZoo's form, up to date, and agree with their environments."""

import ast
import inspect
import re
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pettingzoo
import pytest
from gymnasium.spaces import Box

from dilemmas.envs.checks import GameError
from dilemmas.envs.games import catalogue as games
from dilemmas.envs.games.bimatrix import BimatrixGame
from dilemmas.envs.games.catalogue import ENVIRONMENTS, GAMES, game_options, stage_game, title
from dilemmas.envs.pettingzoo_api import env_pages as pages
from dilemmas.envs.pettingzoo_api.env_pages import PAGES, generated_module, module_path, outdated_pages
from dilemmas.envs.pettingzoo_api.page_texts import OPTIONS, PARTS
from dilemmas.envs.pettingzoo_api.parallel_env import parallel

GENERATOR = "python -m dilemmas.envs.pettingzoo_api.env_pages"
SECTIONS = ["Arguments", "Observation Space", "Action Space", "Rewards", "Version History"]


def read(name: str) -> str:
    return inspect.getdoc(import_module(f"dilemmas.envs.{name}_v0")) or ""


def table(text: str) -> dict[str, list[str]]:
    """The cells of a table by the first one of their row."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return {first: rest for first, *rest in rows}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_complete(name: str) -> None:
    text = read(name)
    assert re.findall(r"^# (.+)", text)
    assert re.findall(r"^### (.+)", text, re.MULTILINE) == SECTIONS
    assert "(describe" not in text.lower()  # the draft was completed
    assert text.count("(cite the source)") == 0
    assert "\n\n\n" not in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("name", PAGES)
def test_the_facts_are_those_of_the_environment(name: str) -> None:
    env = pettingzoo.make("parallel", f"dilemmas/{name}-v0", **games.example_options(name))
    facts = {fact: cells[0] for fact, cells in table(read(name).split("###")[0]).items()}
    found = re.findall(r"`(player_\d+)`", facts["Agents"])
    assert (found[0], found[-1]) == (env.possible_agents[0], env.possible_agents[-1])
    assert int(facts["Number of agents"]) == env.max_num_agents == len(env.possible_agents)
    for agent in env.possible_agents:
        space = env.action_space(agent)
        assert facts["Action Shape"] == str(space)
        assert [int(value) for value in re.findall(r"\d+", facts["Action Values"])] == [0, space.n - 1]
        assert ast.literal_eval(facts["Observation Shape"]) == env.observation_space(agent).shape
    assert ast.literal_eval(facts["State Shape"]) == env.state_space.shape
    assert f"dilemmas/{name}-v0" in facts["Creation"]
    assert f"import {name}_v0" in facts["Import"]


@pytest.mark.parametrize("name", PAGES)
def test_the_example_call_has_every_option_with_its_default(name: str) -> None:
    text = read(name)
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code
    call = ast.parse(code[1]).body[-1].value  # type: ignore[attr-defined]
    assert [ast.literal_eval(argument) for argument in call.args] == ["parallel", f"dilemmas/{name}-v0"]
    found = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    assert found == pages.environment_options(name)
    arguments = text.split("### Arguments")[1].split("### Observation")[0].split("```")[2]
    described = re.findall(r"`(\w+)`", " ".join(re.findall(r"^(`.*?`):", arguments, re.MULTILINE)))
    assert sorted(described) == sorted(found)


def test_no_option_is_described_that_does_not_exist() -> None:
    assert set(OPTIONS) == set(pages.environment_options("harmony")) - set(game_options("harmony"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("prisoners_dilemma", {}),
        ("prisoners_dilemma", {"memory": 0}),
        ("rock_paper_scissors", {"memory": 3, "talk": 2, "signals": 5, "words": True}),
        ("bimatrix_game", {"row": [[1, 2, 3]], "column": [[1, 2, 3]], "memory": 2}),
        ("public_goods", {"n_players": 3, "levels": 4, "punishment": (1, 3), "reward": (1, 1), "points": 2}),
        ("public_goods", {"levels": None, "memory": 2}),
        ("n_person_snowdrift", {"clock": True, "rounds": 7, "punishment": (1, 3)}),
        ("harmony", {"memory": None, "rounds": 9, "talk": 1}),
    ],
)
def test_an_observation_is_as_long_as_its_parts(name: str, options: dict[str, Any]) -> None:
    env = parallel(name, **options)
    given = pages.environment_options(name) | options
    known = {**given, "memory": given["rounds"] if given["memory"] is None else given["memory"]}
    known |= {"n": len(env.possible_agents), "w": env.rules.stage.n_actions or 1}
    total = 0
    for length, where in PARTS.values():
        if where == "always" or any(given[option] for option in re.split(r", | or ", where)):
            total += eval(length, {"bool": bool}, known)
    assert env.observation_space("player_0").shape == (max(1, total),)
    for length, where in PARTS.values():
        assert f"| `{length}` | {where} |" in read(name)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_payoff_tables_are_those_of_the_game(name: str) -> None:
    text, game = read(name), GAMES[name]
    rows = list(table(text.split("### Rewards")[1]).values())
    if not rows:
        assert name in ("public_goods", "bimatrix_game", "travelers_dilemma")
        return
    body = [[[float(x) for x in re.findall(r"-?[\d.]+", cell)] for cell in cells] for cells in rows[-game.n_actions :]]
    for mine, cells in enumerate(body):
        for theirs, found in enumerate(cells):
            joint = (mine, theirs) if game.n_players == 2 and name != "count_game" else None
            joint = joint or (mine, *[0] * theirs, *[1] * (game.n_players - 1 - theirs))
            assert found == pytest.approx(game.payoffs(joint)[: len(found)], abs=1e-5)


@pytest.mark.parametrize("name", PAGES)
def test_the_page_in_the_file_is_the_one_that_is_generated(name: str) -> None:
    source = module_path(name).read_text(encoding="utf-8")
    assert source == generated_module(name, source), f"{name}_v0.py is outdated; run {GENERATOR}"


@pytest.mark.parametrize("name", PAGES)
def test_the_example_call_fits_a_page_of_88_columns(name: str) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", read(name), re.DOTALL)
    assert max(map(len, code.splitlines())) <= 88


def test_one_changed_payoff_makes_the_pages_that_show_it_outdated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outdated_pages() == []
    changed = replace(GAMES["prisoners_dilemma"], T=4.75)
    monkeypatch.setattr(games, "GAMES", {**GAMES, "prisoners_dilemma": changed})
    assert outdated_pages() == ["prisoners_dilemma", "population"]
    page = generated_module("prisoners_dilemma", module_path("prisoners_dilemma").read_text(encoding="utf-8"))
    assert "T=4.75," in page
    assert "| T = 4.75 |" in page


def test_a_changed_option_makes_the_pages_of_all_games_outdated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPTIONS, "talk", "something else")
    assert outdated_pages() == list(ENVIRONMENTS)


def test_generation_keeps_the_prose_and_restores_deleted_parts() -> None:
    source = module_path("snowdrift").read_text(encoding="utf-8")
    generated = ("| Creation ", "```python", "pettingzoo.make(", "`rounds`:", "With `talk`")
    lost = "\n\n".join(part for part in source.split("\n\n") if not part.startswith(generated))
    assert len(lost) < len(source) - 1000
    assert generated_module("snowdrift", lost) == source
    prose = source.replace("Two drivers", "Two stubborn drivers")
    assert generated_module("snowdrift", prose) == prose


def test_a_page_that_lacks_a_section_or_an_action_is_refused() -> None:
    source = module_path("rock_paper_scissors").read_text(encoding="utf-8")
    with pytest.raises(GameError, match=r"rock_paper_scissors_v0: sections .*; needs Arguments, "):
        generated_module("rock_paper_scissors", source.replace("### Rewards", "### Payoffs"))
    with pytest.raises(GameError, match="rock_paper_scissors_v0: 2 rows in the action table; needs 3"):
        generated_module("rock_paper_scissors", source.replace("| 2 | Scissors |\n", ""))


def test_a_new_game_of_the_catalogue_gets_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry_deterrence(fight: float = 1) -> BimatrixGame:
        return BimatrixGame("entry_deterrence", [[0, 0], [2, -fight]], [[3, 3], [1, 0]])

    made = {**GAMES, "entry_deterrence": entry_deterrence()}
    monkeypatch.setattr(games, "MAKERS", {**games.MAKERS, "entry_deterrence": entry_deterrence})
    for module in (games, pages):
        monkeypatch.setattr(module, "GAMES", made)
    source = generated_module("entry_deterrence", "")
    assert source.startswith('"""\n# Entry deterrence\n\n| Creation ')
    assert "| Action 1 | 2, 1 | -1, 0 |" in source
    assert "\n`fight`: (describe" in source
    assert "fight=1, rounds=None" in source
    assert 'parallel_env = partial(parallel, "entry_deterrence")' in source
    assert generated_module("entry_deterrence", source) == source


def test_importing_an_environment_generates_no_page() -> None:
    code = "import sys, dilemmas.envs.stag_hunt_v0; print([name for name in sys.modules if '_page' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_its_modules_docstring(name: str) -> None:
    tree = ast.parse(module_path(name).read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) == read(name)
    assert read(name).splitlines()[0] == f"# {title(name)}"


@pytest.mark.parametrize(
    ("name", "message", "joints"),
    [
        (
            "public_goods",
            r"default (\d+) each if all.*?(\d+) each if nobody.*?(\d+) to the only",
            [(0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 0, 0)],
        ),
        (
            "travelers_dilemma",
            r"default (\d+) each.*?(\d+) each in equilibrium; (\d+) to a player.*?(\d+) to that one",
            [(0, 0), (98, 98), (1, 0), (0, 1)],
        ),
    ],
)
def test_a_page_states_the_extreme_payoffs(name: str, message: str, joints: list[tuple[int, ...]]) -> None:
    found = re.search(message, read(name), re.DOTALL)
    assert found
    assert [float(number) for number in found.groups()] == pytest.approx([GAMES[name].payoffs(j)[0] for j in joints])


def test_a_page_states_the_mixed_equilibria() -> None:
    for name in ("snowdrift", "battle_of_the_sexes"):
        found = re.search(r"by default (\d)/(\d)", read(name))
        assert found
        mixed = int(found[1]) / int(found[2])  # probability to cooperate
        paid = stage_game(name).payoff_array(np.array([[[0, 0], [0, 1]], [[1, 0], [1, 1]]]))[..., 0]
        assert paid[0] @ [mixed, 1 - mixed] == pytest.approx(paid[1] @ [mixed, 1 - mixed])


def test_the_page_of_amounts_is_true() -> None:
    space = parallel("public_goods", levels=None, endowment=12).action_space("player_0")
    assert space == Box(0, 12, (1,), np.float32)
    assert "a Box of one number, the contribution in points, from 0 to the endowment" in read("public_goods")
