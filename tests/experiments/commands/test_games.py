"""`dilemmas games`: the list, the pages, and what is said of given payoffs."""

import json
from typing import Any

import pettingzoo
import pytest
from click.testing import CliRunner
from pettingzoo.env_registry.registration import parallel_registry

from dilemmas.envs.games.bimatrix import BimatrixGame
from dilemmas.envs.games.catalogue import example_options, stage_game
from dilemmas.envs.theory.solutions import solve
from dilemmas.experiments.commands import main as cli
from dilemmas.experiments.commands.games import command, page, solution_lines
from dilemmas.experiments.reporting.parsing import parsed

IDS = [known for known in parallel_registry if known.startswith("dilemmas/")]


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def options(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def data(*arguments: str) -> Any:
    return json.loads(shown(*arguments, "--json"))


def line(text: str, concept: str) -> str:
    """What is said of a concept."""
    return next(row.removeprefix(concept).strip() for row in text.splitlines() if row.startswith(f"{concept}  "))


def test_every_environment_has_a_line() -> None:
    names = [row.split()[0] for row in shown().splitlines()[1:] if not row.startswith(" ")]
    assert [f"dilemmas/{name}-v0" for name in names] == IDS


def test_games_that_are_played_without_an_environment_are_told_with_the_list() -> None:
    assert "deadlock and leader are played under these names too" in CliRunner().invoke(command, []).stderr


def test_the_list_agrees_with_pettingzoo() -> None:
    for found in data():
        env = pettingzoo.make("parallel", found["id"], **example_options(found["id"]))
        first = env.possible_agents[0]
        assert found["players"] == len(env.possible_agents)
        assert found["action_space"] == str(env.action_space(first))
        assert tuple(found["observation_shape"]) == env.observation_space(first).shape
        assert found["dilemma"]


def test_listed_options_have_their_defaults() -> None:
    for found in data():
        by_default = pettingzoo.make("parallel", found["id"], **example_options(found["id"]))
        plain = {name: value for name, value in found["options"].items() if value is not None}
        assert pettingzoo.make("parallel", found["id"], **plain).rules == by_default.rules


@pytest.mark.parametrize("identity", IDS)
def test_every_environment_has_a_page_and_a_solution(identity: str) -> None:
    text = shown(identity)
    title = (page(identity).__doc__ or "").split("# ", 1)[1].splitlines()[0]
    assert title in text
    assert line(text, "pure equilibria")
    assert data(identity)["solution"]["pareto"]


def test_solution_of_axelrods_prisoners_dilemma() -> None:
    text = shown("prisoners_dilemma")
    assert line(text, "dilemma") == "prisoner's dilemma"
    assert line(text, "dominant action") == "D (strictly)"
    assert line(text, "pure equilibria") == "D D (1, 1)"
    assert line(text, "Pareto front") == "C C (3, 3); C D (0, 5); D C (5, 0)"
    assert line(text, "greed") == "2, scaled 1"
    assert line(text, "2R - (T + S)") == "1"


def test_own_payoffs_are_looked_at_without_the_page() -> None:
    text = shown("matrix_game", *options("T=4", "R=3", "S=2", "P=0"))
    assert "Version History" not in text
    assert line(text, "dilemma") == "snowdrift (chicken)"
    assert line(text, "mixed equilibria") == "P(C) = 0.666667 and 0.666667"


def test_a_continuum_of_equilibria_is_printed() -> None:
    assert line(shown("matrix_game", *options("T=5", "R=3", "P=0", "S=0")), "mixed equilibria") == (
        "P(C) = 0 and any from 0 to 1; P(C) = any from 0 to 1 and 0"
    )


def test_groups_are_printed_by_number_of_cooperators() -> None:
    text = shown("n_person_snowdrift", "--set", "n_players=40")
    assert line(text, "pure equilibria") == "1 C (2), 39 D (4)"
    solution = data("n_person_snowdrift", "--set", "n_players=40")["solution"]
    assert [outcome["ways"] for outcome in solution["pure"]] == [40]
    assert len(solution["strength"]["gains"]) == 40


def test_actions_that_are_no_cooperation_are_numbered() -> None:
    assert line(shown("rock_paper_scissors"), "least total").startswith("0 at #0 #0 (0, 0); #0 #1 (-1, 1)")
    assert line(shown("public_goods", "--set", "levels=3"), "pure equilibria") == "4 #2 (20)"


def test_an_asymmetric_game_is_printed_for_each_player() -> None:
    text = shown("bimatrix_game", *options("row=[[1, 1], [0, 0]]", "column=[[0, 1], [1, 0]]"))
    assert line(text, "dominant action") == "player_0 C (strictly), player_1 none"
    assert line(text, "pure equilibria") == "C D (1, 1)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prisoner_dilema"], "did you mean 'prisoners_dilemma'?"),
        (["prisoners_dilemma", "--set", "t=6"], "unknown option 't'"),
        (["prisoners_dilemma", "--set", "name=harmony"], "unknown option 'name'"),
        (["prisoners_dilemma", "--set", "T"], "write T=VALUE"),
        (["prisoners_dilemma", "--set", "T=2"], "needs T>R>P>S"),
        (["prisoners_dilemma", "--set", "T=six"], "T = 'six'"),
        (["public_goods", "--set", "levels=None"], "actions are amounts"),
        (["prisoners_dilemma", "--set", "T=6", "--set", "T=7"], "--set T=6 --set T=7: 'T' is given twice"),
        (["--set", "T=6"], "which game? Give its NAME"),
        (["leader"], "shown by `dilemmas games matrix_game --set T=4 --set R=2 --set P=1 --set S=3`"),
    ],
)
def test_an_error_is_one_line_with_the_remedy(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["games", *arguments])
    assert left.value.code == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert message in found.err
    assert found.err.count("\n") == 1


@pytest.mark.parametrize(
    ("word", "value"), [("T=6", 6), ("clock=true", True), ("rounds=none", None), ("graph=ring", "ring")]
)
def test_values_of_options_are_read_as_people_write_them(word: str, value: object) -> None:
    assert parsed(word) == (word.partition("=")[0], value)


def test_games_larger_than_two_by_two_have_mixed_equilibria_or_say_that_they_were_not_computed() -> None:
    """Rock paper scissors: a third each. The traveler's dilemma has 99 x 99 actions, the volunteer's more players."""
    third = "0.333333 #0 + 0.333333 #1 + 0.333333 #2"
    said = {
        "rock_paper_scissors": f"{third} and {third}",
        "travelers_dilemma": "not computed for this many actions",
        "volunteers_dilemma": "not computed for three or more players",
        "matching_pennies": "P(#0) = 0.5 and 0.5",
    }
    for name, text in said.items():
        game = stage_game(name)
        assert solution_lines(game, solve(game))["mixed equilibria"] == text


def test_a_degenerate_game_is_said_to_be_one() -> None:
    """Von Stengel, in Nisan et al. 2007, game (3.8)."""
    table = BimatrixGame("bimatrix", ((3, 3), (2, 5), (0, 6)), ((3, 3), (2, 6), (3, 1)))
    assert solution_lines(table, solve(table))["mixed equilibria"] == (
        "1 #0 and 0.666667 #0 + 0.333333 #1; 0.333333 #1 + 0.666667 #2 and 0.333333 #0 + 0.666667 #1;"
        " infinitely many (degenerate game): also all between two in which a player does the same"
    )
