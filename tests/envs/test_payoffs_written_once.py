"""Payoffs are written once: one changed number changes everything that reads it, and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dilemmas.envs.games import catalogue
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.pettingzoo_api.env_pages import generated_module, module_path
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.comprehension import questions
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import match_prompt, presentations, scenario_prompt
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.theory.solutions import solve
from dilemmas.envs.vector.vector_matches import VectorMatches

C, D = 0, 1
STUDY = load_template("study")
FRIENDS = context("friends")


def rewards(name: str, *joint: int, **options: Any) -> tuple[float, ...]:
    """Rewards of one round of the environment."""
    env = parallel(name, **options, views=True)
    env.reset(seed=0)
    return tuple(env.step(dict(zip(env.agents, joint, strict=True)))[1].values())


def batch_rewards(name: str, *joint: int, **options: Any) -> tuple[float, ...]:
    """Rewards of one round of a batch of one match."""
    matches = VectorMatches(rules_of(name, **options), 1)
    matches.reset(seed=0)
    return tuple(matches.step(np.array([joint])).payoffs[0].tolist())


def prompt(name: str, **options: Any) -> str:
    """Prompt of the first player of the environment."""
    _, infos = parallel(name, **options, views=True).reset(seed=0)
    asked = match_prompt(STUDY, infos["player_0"]["view"], FRIENDS)
    assert asked == scenario_prompt(STUDY, stage_game(name, **options), FRIENDS)
    return asked


def answers(name: str, **options: Any) -> dict[str, str]:
    """Comprehension questions and their answers."""
    game = stage_game(name, **options)
    return {question.text: question.answer for question in questions(game, presentations(STUDY, game)[0])}


def page(name: str) -> str:
    """Source of the environment's module with its page, generated from the catalogue."""
    return generated_module(name, Path(module_path(name)).read_text(encoding="utf-8"))


def change(monkeypatch: pytest.MonkeyPatch, name: str, **payoffs: float) -> None:
    """Change payoffs of a game in the catalogue."""
    game = replace(catalogue.GAMES[name], **payoffs)
    monkeypatch.setattr(catalogue, "GAMES", {**catalogue.GAMES, name: game})


def changed_lines(before: str, after: str) -> list[str]:
    """The lines of `after` that differ from those of `before`."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [new for old, new in pairs if old != new]


def test_a_changed_temptation_in_the_catalogue_is_followed_by_every_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prisoner's dilemma: T = 5 becomes 5.75."""
    name = "prisoners_dilemma"
    before_prompt, before_page, before_answers = prompt(name), page(name), answers(name)
    assert rewards(name, D, C) == batch_rewards(name, D, C) == (5, 0)
    change(monkeypatch, name, T=5.75)
    assert rewards(name, D, C) == batch_rewards(name, D, C) == (5.75, 0)
    assert rewards(name, C, C) == (3, 3)
    assert changed_lines(before_prompt, prompt(name)) == [
        "You choose C, they choose D: you get 0, they get 5.75.",
        "You choose D, they choose C: you get 5.75, they get 0.",
    ]
    solution = solve(stage_game(name))
    assert {(0, 5.75), (5.75, 0)} <= {outcome.payoffs for outcome in solution.pareto}
    assert solution.strength is not None
    assert solution.strength.greed == 5.75 - 3  # T - R
    after = answers(name)
    assert {text: answer for text, answer in after.items() if before_answers[text] != answer} == {
        "You choose C, they choose D: what do they get?": "5.75",
        "You choose D, they choose C: what do you get?": "5.75",
        "If they choose C, how much does your choice change for you?": "2.75",
        "If they choose D, how much does your choice change for them?": "4.75",
    }
    lines = changed_lines(before_page, page(name))
    assert any("T = 5.75" in line for line in lines)
    assert all("5.75" in line for line in lines)


@pytest.mark.parametrize(
    ("symbol", "joint"), [("T", (D, C)), ("R", (C, C)), ("P", (D, D)), ("S", (C, D))], ids=["T", "R", "P", "S"]
)
def test_each_payoff_of_a_symmetric_game_given_as_an_option(symbol: str, joint: tuple[int, int]) -> None:
    name, options = "matrix_game", {"T": 5, "R": 3, "P": 1, "S": 0}
    own, other = "CD"[joint[0]], "CD"[joint[1]]
    options[symbol] = 77
    assert rewards(name, *joint, **options)[0] == batch_rewards(name, *joint, **options)[0] == 77
    assert f"You choose {own}, they choose {other}: you get 77, they get" in prompt(name, **options)
    assert prompt(name, **options).count("77") == 2
    assert answers(name, **options)[f"You choose {own}, they choose {other}: what do you get?"] == "77"
    assert 77 in {paid for outcome in solve(stage_game(name, **options)).pareto for paid in outcome.payoffs}


def test_one_cell_of_an_asymmetric_game() -> None:
    row, column = ((3, 0), (5, 77)), ((4, 6), (2, 1))
    options = {"row": row, "column": column}
    assert rewards("bimatrix_game", D, D, **options) == batch_rewards("bimatrix_game", D, D, **options) == (77, 1)
    assert "You choose D, they choose D: you get 77, they get 1." in prompt("bimatrix_game", **options)
    assert answers("bimatrix_game", **options)["You choose D, they choose D: what do you get?"] == "77"
    assert (77, 1) in {outcome.payoffs for outcome in solve(stage_game("bimatrix_game", **options)).pareto}


def test_the_multiplier_of_a_public_goods_game() -> None:
    """Three players with an endowment of 6: a contribution returns 6 * multiplier / 3 to each."""
    options = {"n_players": 3, "endowment": 6}
    for multiplier, share in ((2, 4), (2.5, 5)):
        given = options | {"multiplier": multiplier}
        assert rewards("public_goods", D, C, C, **given) == pytest.approx((6 + 2 * share, 2 * share, 2 * share))
        assert batch_rewards("public_goods", D, C, C, **given) == rewards("public_goods", D, C, C, **given)
        payoffs = f"you get 6, {6 + share} or {6 + 2 * share}."
        assert f"You choose D, 0, 1 or 2 of the others choose C: {payoffs}" in prompt("public_goods", **given)
        asked = "You choose D, 2 of the others choose C: what do you get?"
        assert answers("public_goods", **given)[asked] == str(6 + 2 * share)
        assert solve(stage_game("public_goods", **given)).welfare.greatest == 3 * 3 * share
