"""No match brings a longer prompt than the one that is found without playing."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.longest import longest_history, longest_view, longest_views
from dilemmas.envs.prompts.prompts import match_prompt
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.protocol import View

STUDY, VIGNETTE = map(load_template, ("study", "vignette"))
MATCHES: list[tuple[str, dict[str, Any]]] = [
    ("prisoners_dilemma", {"rounds": 4, "memory": 2, "clock": True}),
    ("stag_hunt", {"rounds": (5, 12), "memory": 9, "misperception": 0.2}),
    ("n_person_stag_hunt", {"rounds": 7, "memory": 9, "n_players": 12}),
    ("public_goods", {"rounds": 3, "memory": 3, "levels": 21, "n_players": 3}),
    ("public_goods", {"rounds": 3, "memory": 3, "endowment": (20.0, 7.0), "levels": 4, "n_players": 2}),
    (
        "public_goods",
        {"rounds": 3, "memory": 2, "talk": 2, "punishment": (1, 3), "reward": (1, 1), "points": 2, "n_players": 3},
    ),
    ("inspection_game", {"rounds": 3, "memory": 2}),
]


@pytest.mark.parametrize("template", [STUDY, VIGNETTE], ids=lambda one: one.name)
@pytest.mark.parametrize(("game", "options"), MATCHES)
def test_no_played_match_has_a_longer_prompt(game: str, options: dict[str, Any], template: Any) -> None:
    rules, rng = rules_of(game, **options), np.random.default_rng(1)
    social = context("friends", template.contexts)
    longest = {
        player: max(len(match_prompt(template, view, social)) for view in longest_views(template, rules, player))
        for player in range(rules.n_players)
    }
    for _ in range(30):
        state = rules.start(rng)
        while state.ending is None:
            for player, most in longest.items():
                assert len(match_prompt(template, rules.view(state, player), social)) <= most
            phase = rules.phases[state.phase]
            state = rules.step(state, [int(rng.integers(options)) for options in phase.options], rng).state


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_it_is_the_longest_of_all_histories(rounds: int) -> None:
    """Also where labels differ in length; and of those that are summed up, all actions are counted."""
    game, social = stage_game("prisoners_dilemma"), context("friends")
    for template in (
        replace(STUDY, labels=("no", "perhaps")),
        replace(VIGNETTE, memory=replace(VIGNETTE.memory, rounds=1)),
    ):
        past = product(product((0, 1), repeat=2), repeat=rounds)
        lengths = [len(match_prompt(template, View(game, 0, rounds, history), social)) for history in past]
        assert len(match_prompt(template, longest_view(template, game, rounds), social)) == max(lengths)


def test_without_a_limit_of_rounds_only_the_first_question_is_certain() -> None:
    rules = rules_of("stag_hunt", rounds=None, continuation=0.9, memory=5)
    (view,) = longest_views(STUDY, rules)
    assert view.history == ()
    assert longest_history(STUDY, rules.stage, 0) == ()
