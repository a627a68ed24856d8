"""Prompts say what the game is, and nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from understudy.envs.contexts import built_in_contexts, context
from understudy.envs.errors import InputError
from understudy.envs.matrix_games import MatrixGame
from understudy.envs.public_goods import PublicGoods
from understudy.envs.scenarios import study_sets
from understudy.envs.wording import load_template

STUDY = load_template("study")
FRIENDS = context("friends")
PD = MatrixGame("prisoners_dilemma", T=5, R=3, P=1, S=0)
TEMPLATE_FILE = Path(__file__).parent.parent / "envs" / "templates" / "study.toml"


def test_the_prisoners_dilemma_among_friends() -> None:
    assert STUDY.prompt(PD, FRIENDS, history=((0, 1),)) == (
        "You are in a chat with a good friend.\n"
        "You both choose C or D at the same time.\n"
        "You choose C, they choose C: you get 3, they get 3.\n"
        "You choose C, they choose D: you get 0, they get 5.\n"
        "You choose D, they choose C: you get 5, they get 0.\n"
        "You choose D, they choose D: you get 1, they get 1.\n"
        "Last round you chose C and they chose D.\n"
        "Which do you choose, C or D?"
    )


def test_a_public_goods_game_of_three() -> None:
    game = PublicGoods(n_players=3, endowment=6, multiplier=2)
    assert STUDY.prompt(game, FRIENDS, history=((1, 0, 0), (0, 1, 0)), motivation=True) == (
        "You are in a chat with 2 good friends.\n"
        "All 3 of you choose C or D at the same time.\n"
        "You choose C, 0, 1 or 2 of the others choose C: you get 4, 8 or 12.\n"
        "You choose D, 0, 1 or 2 of the others choose C: you get 6, 10 or 14.\n"
        "2 rounds ago you chose D and 2 of the others chose C.\n"
        "Last round you chose C and 1 of the others chose C.\n"
        "Which do you choose, C or D? Say why."
    )


def test_contribution_levels_are_their_own_labels() -> None:
    prompt = STUDY.prompt(PublicGoods(n_players=3, endowment=6, multiplier=1.5, levels=3), FRIENDS)
    assert "Each of you has 6 and puts 6, 3 or 0 into a pot. The pot is multiplied by 1.5" in prompt


@pytest.mark.parametrize("symbol", ["T", "R", "P", "S"])
def test_a_changed_payoff_changes_the_prompt_and_nothing_else_in_it(symbol: str) -> None:
    game = MatrixGame("matrix_game", T=5, R=3, P=1, S=0)
    changed = replace(game, **{symbol: 77})
    before, after = (STUDY.prompt(g, FRIENDS) for g in (game, changed))
    assert after.count("77") == 2
    assert after.replace("77", f"{getattr(game, symbol):g}") == before


def test_the_study_has_20_scenarios_and_three_disjoint_new_sets() -> None:
    sets = study_sets()
    names = {name: {scenario.name for scenario in scenarios} for name, scenarios in sets.items()}
    assert len(names["within"]) == 20
    games = {name: {s.game.name for s in scenarios} for name, scenarios in sets.items()}
    contexts = {name: {s.context.name for s in scenarios} for name, scenarios in sets.items()}
    assert games["new_context"] == games["within"]
    assert not contexts["new_context"] & contexts["within"]
    assert contexts["new_game"] == contexts["within"]
    assert not games["new_game"] & games["within"]
    assert not games["new_both"] & games["within"]
    assert not contexts["new_both"] & contexts["within"]
    assert len(contexts["new_both"]) >= 10


def test_every_context_names_its_group_size() -> None:
    for item in built_in_contexts().values():
        assert "4" in item.opening(5)
        assert "{" not in item.opening(5) + item.opening(2)


def test_shuffled_labels_keep_the_game() -> None:
    """Whatever the labels are called, the payoff stated for (own, other) is the game's."""
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(40):
        shown = STUDY.presentation(PD, rng)
        seen.add((shown.labels, shown.order))
        prompt = STUDY.prompt(PD, FRIENDS, shown=shown)
        cooperate, defect = shown.labels
        assert f"You choose {defect}, they choose {cooperate}: you get 5, they get 0." in prompt
    assert len(seen) == 4
    assert [(shown.labels, shown.order) for shown in STUDY.presentations(PD)] == [
        (("C", "D"), (0, 1)),
        (("C", "D"), (1, 0)),
        (("D", "C"), (0, 1)),
        (("D", "C"), (1, 0)),
    ]


def test_amounts_keep_their_meaning_and_are_named_from_either_end() -> None:
    game = PublicGoods(n_players=3, endowment=6, levels=4)
    ways = STUDY.presentations(game)
    assert {shown.labels for shown in ways} == {("6", "4", "2", "0")}
    assert [shown.listed() for shown in ways] == ["6, 4, 2 or 0", "0, 2, 4 or 6"]


def test_the_digest_follows_the_words() -> None:
    assert replace(STUDY, question="What now, {labels}?").digest != STUDY.digest
    assert load_template(str(TEMPLATE_FILE)).digest == STUDY.digest


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text.replace("{my_payoff}", "{my_payof}"), "pair_line uses {my_payof}"),
        (lambda text: text.replace("question =", "qestion ="), "did you mean 'question'"),
        (lambda text: text.replace('motivation = "Say why."', ""), "'motivation' is missing"),
        (lambda text: text.replace('["C", "D"]', '["C", "C"]'), "two different words"),
        (lambda text: text.replace('["C", "D"]', '["C", "D'), "study.toml"),
        (lambda text: text.replace('["C", "D"]', '"CD"'), "labels = 'CD'; needs a list"),
        (lambda text: text.replace('["C", "D"]', "5"), "labels = 5; needs a list"),
        (lambda text: text.replace('"Say why."', "5"), "motivation = 5; needs a text"),
        (lambda text: text.replace('name = "study"', 'name = ["a"]'), "name = ['a']; needs a text"),
        (lambda text: text.replace("{labels}?", "{labels?"), "question: expected '}'"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_with_the_key(edit, message, tmp_path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(edit(TEMPLATE_FILE.read_text()))
    with pytest.raises(InputError) as error:
        load_template(str(path))
    assert message in str(error.value)


def test_unknown_names_get_the_nearest_one() -> None:
    with pytest.raises(InputError, match="did you mean 'friends'"):
        context("freinds")
    with pytest.raises(InputError, match="did you mean 'study'"):
        load_template("studdy")
