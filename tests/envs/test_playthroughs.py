"""Every golden match of `make_playthroughs.py` is played again and is the same to the letter."""

from dataclasses import replace
from difflib import unified_diff

import pytest
from make_playthroughs import CASES, COMMAND, FOLDER, Playthrough, playthrough

from dilemmas.envs.pettingzoo_api.env_pages import PAGES


def difference(case: Playthrough) -> str:
    """A unified diff from the golden match to the one that is played now, and what to do; empty if they are equal."""
    expected = case.path.read_text(encoding="utf-8").splitlines()
    lines = list(unified_diff(expected, playthrough(case).splitlines(), case.path.name, "played now", lineterm="", n=2))
    return "\n".join([*lines, f"If this change is intended, run: {COMMAND}"]) if lines else ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_match_is_the_golden_one(case: Playthrough) -> None:
    changed = difference(case)
    assert not changed, f"\n{changed}"


def test_every_environment_has_a_golden_match_and_every_file_a_case() -> None:
    assert {case.environment for case in CASES} == set(PAGES)
    assert sorted(FOLDER.iterdir()) == sorted(case.path for case in CASES)


def test_one_changed_payoff_is_seen_in_payoffs_prompts_and_rendering() -> None:
    case = next(case for case in CASES if case.name == "prisoners_dilemma")
    changed = difference(replace(case, options={**case.options, "T": 7})).splitlines()
    assert "-  payoff of player_1: 5" in changed
    assert "+  payoff of player_1: 7" in changed
    assert "+    | You choose D, they choose C: you get 7, they get 0." in changed
    assert "+player_1        D        1        11   C D D" in changed
    assert changed[-1] == f"If this change is intended, run: {COMMAND}"


def test_matches_contain_the_feature_in_their_name() -> None:
    text = {case.name: case.path.read_text(encoding="utf-8") for case in CASES}
    assert "action of each agent: 0" in text["prisoners_dilemma_noise"]
    assert "history=((0, 0),)" in text["prisoners_dilemma_noise"]
    assert "((1," in text["prisoners_dilemma_noise"]  # a tremble: nobody has chosen action 1
    assert "history=((0, 1),)" in text["prisoners_dilemma_misperception"]  # an error: nobody has chosen action 1
    assert "ending: truncated" in text["prisoners_dilemma_truncated"]
    assert "ending: the continuation draw ended the match" in text["prisoners_dilemma_continuation"]
    assert "step 2: round 2" in text["prisoners_dilemma_random_length"]
    assert "step 2: round 1, phase punish" in text["prisoners_dilemma_punishment"]
    assert all(f"phase {phase}" in text["public_goods_sanctions"] for phase in ("act", "punish", "reward"))
