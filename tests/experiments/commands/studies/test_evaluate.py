"""`dilemmas evaluate` compares agents with a teacher in situations, after histories and in matches in its place."""

import json
import re
from math import log
from pathlib import Path

import pytest
from click.testing import CliRunner

from dilemmas.envs.errors import InputError
from dilemmas.experiments.commands.main import cli
from dilemmas.experiments.commands.studies.evaluate import command


def evaluate(*arguments: str) -> dict[str, list[dict[str, object]]]:
    result = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_known_divergences_after_all_histories() -> None:
    """random(p) from random(q): q log(q/p) + (1 - q) log((1 - q)/(1 - p)); total variation |p - q|."""
    same, other = evaluate("random(0.8)", "Same=random(0.8)", "random(0.5)", "--on", "histories")["alignment"]
    assert same["situations"] == 5
    assert same["divergence"] == pytest.approx(0)
    assert same["overlap"]["value"] == pytest.approx(1)
    assert other["divergence"] == pytest.approx(0.8 * log(1.6) + 0.2 * log(0.4))
    assert other["overlap"]["value"] == pytest.approx(0.7)
    assert other["level"] == pytest.approx(-0.3)
    assert other["correlation"] is None, "it does not vary"
    assert other["overlap"]["interval"] is None, "all histories are no sample"


def test_the_engine_of_models_and_its_number_format_stand_beside_their_probabilities() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    words = ("tit_for_tat", "miniature:student", "random", "--on", "histories", "--device", "cpu")
    assert dict(evaluate(*words))["engines"] == {"miniature:student": "transformers, float32"}
    shown = CliRunner().invoke(command, words, catch_exceptions=False).stdout
    assert shown.endswith("probabilities of miniature:student: computed by transformers, float32\n")


def test_models_are_asked_in_the_words_of_the_recipe(tmp_path) -> None:
    """A model that is asked otherwise answers otherwise; an option that is given goes before the recipe."""
    pytest.importorskip("torch")
    recipe = tmp_path / "own.toml"
    recipe.write_text('base = "miniatures"\nname = "own"\nprompting = { template = "brief", min_mass = 0.0 }\n')
    asked = ("random", "miniature:student", "--on", "histories", "--min-mass", "0", "--recipe")
    study, brief = (evaluate(*asked, "study", *more)["alignment"] for more in ((), ("--template", "brief")))
    assert evaluate(*asked, str(recipe))["alignment"] == brief
    assert evaluate(*asked, str(recipe), "--template", "study")["alignment"] == study
    assert study != brief


def test_where_a_strategy_has_no_probabilities_only_what_evaluate_can_do_is_advised(tmp_path: Path) -> None:
    out, asked = tmp_path / "run", ("--agents", "tft,random", "--no-self-play", "--rounds", "2", "--repetitions", "1")
    words = ["tournament", "run", *asked, "--set", "talk=1", "--engine", "environment", "--out", str(out)]
    assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    for pair in (("tit_for_tat", "uniform"), ("uniform", "tit_for_tat")):
        with pytest.raises(InputError, match="'tit_for_tat' gives no probabilities in the phase 'talk'") as refused:
            evaluate(*pair, "--on", str(out), "--player", "random")
        advised = set(re.findall(r"--[a-z-]+", str(refused.value)))
        assert advised <= {option for parameter in command.params for option in parameter.opts}
    assert evaluate("uniform", "uniform", "--on", str(out), "--player", "random")["alignment"][0]["divergence"] == 0


def test_the_matches_of_a_study_are_found_in_its_folder(small_run: Path) -> None:
    run = small_run / "runs" / "replicate"
    whole, matches = (
        evaluate("tit_for_tat", "random", "--on", str(path), "--player", "random") for path in (run, run / "matches")
    )
    assert whole["alignment"][0]["situations"] == matches["alignment"][0]["situations"] > 0


def test_words_for_situations_are_named_where_one_is_unknown() -> None:
    with pytest.raises(
        InputError, match=r"--on histoires: needs scenarios, within, .*histories, questions, or the path"
    ):
        evaluate("tit_for_tat", "random", "--on", "histoires")


def test_strategies_that_explain_matches_are_shown_whole_in_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    agents = ("win_stay_lose_shift", "Untuned=random(0.8)", "Tuned=generous_tit_for_tat")
    words = (*agents, "--opponents", "random,always_defect")
    shown = re.sub(r"\s", "", CliRunner().invoke(command, words, catch_exceptions=False).stdout)
    beside = shown.replace("win_stay_lose_shift1.001.000.00", "")  # the teacher's own row begins so
    likes = [one for agent in dict(evaluate(*words))["conduct"] for one in agent["strategies"][:2]]  # type: ignore[index]
    assert all(f"{one['strategy']}{one['share']:.2f}" in beside for one in likes)


def test_the_gap_is_closed_from_the_first_agent() -> None:
    """Tit for tat and win-stay lose-shift differ after DC and DD; generous tit for tat after CD and DD, by 1/3 each."""
    first, second = evaluate(
        "tit_for_tat", "win_stay_lose_shift", "generous_tit_for_tat", "--on", "histories", "--game", "prisoners_dilemma"
    )["alignment"]
    assert first["gap_closed"] is None
    assert second["gap_closed"] == pytest.approx(1 - (2 / 3) / 2)


def test_the_same_agent_in_the_place_of_the_teacher_plays_the_same_matches() -> None:
    found = evaluate("tit_for_tat", "Copy=tit_for_tat", "always_defect", "--opponents", "random,grudger")
    teacher, copy, other = (found["matches"][place : place + 2] for place in (0, 2, 4))
    assert [one["payoff"] for one in teacher] == [one["payoff"] for one in copy]
    assert other[1]["payoff"]["value"] == pytest.approx((5 + 19 * 1) / 20), "T once, then P"
    own = [row for row in found["alignment"] if row["on"] == "its own matches"]
    assert own[0]["overlap"]["value"] == 1
    assert own[1]["overlap"]["value"] < 0.9


def test_matches_of_automata_are_computed() -> None:
    """T=5 R=3 P=1 S=0. Tit for tat cooperates first and then answers the alternator, C D C D ...: rounds CC, CD, DC,
    CD, DC, ...; generous tit for tat forgives a defection with probability 1/3 (Nowak & Sigmund 1992)."""
    words = ("tit_for_tat", "generous_tit_for_tat", "--opponents", "alternator", "--rounds", "100")
    found = evaluate(*words, "--game", "prisoners_dilemma", "--set", "T=5", "--set", "R=3", "--set", "P=1")
    teacher, generous = (one["expected"] for one in found["matches"])
    assert teacher["cooperation"] == pytest.approx(0.51)
    assert teacher["payoff"] == pytest.approx((3 + 50 * 0 + 49 * 5) / 100)
    assert generous["cooperation"] == pytest.approx((51 + 49 / 3) / 100)
    first, second = found["matches"]
    assert first["by_round"][:5] == [1, 1, 0, 1, 0]
    assert second["by_round"][1] == 1
    assert second["cooperation"]["interval"][0] < generous["cooperation"] < second["cooperation"]["interval"][1]


def test_what_agents_do_after_each_outcome_and_which_strategies_that_looks_like() -> None:
    teacher, generous, coin = evaluate(
        "tit_for_tat", "generous_tit_for_tat", "random(0.3)", "--opponents", "alternator,random", "--rounds", "30"
    )["conduct"]
    assert teacher["after"] == {"start": 1, "CC": 1, "CD": 0, "DC": 1, "DD": 0}
    assert teacher["distance"] is None
    assert generous["distance"] == pytest.approx((1 / 3 + 1 / 3) / 5)
    assert coin["distance"] == pytest.approx((0.7 * 3 + 0.3 * 2) / 5)
    assert all(one["exact"] for one in (teacher, generous, coin))
    assert [(one["strategy"], one["share"]) for one in teacher["strategies"]] == [("tit_for_tat", pytest.approx(1))]
    assert teacher["tremble"] == 0


def test_a_strategy_with_a_long_memory_is_counted_in_its_matches() -> None:
    words = ("tit_for_tat", "go_by_majority", "--opponents", "random", "--rounds", "10", "--memory", "10")
    found = evaluate(*words)
    assert [one["exact"] for one in found["conduct"]] == [True, False]
    assert found["conduct"][1]["after"]["start"] == 1
    assert [one["expected"] is None for one in found["matches"]] == [False, True]


def test_a_language_model_that_sees_one_round_is_computed_too() -> None:
    """Its sampled matches agree: twelve means of 30 matches, each within four standard errors."""
    words = ("miniature-teacher", "miniature-student", "--opponents", "random,tit_for_tat", "--matches", "30")
    for one in evaluate(*words)["matches"]:
        for key, expected in one["expected"].items():
            value, (low, high) = one[key]["value"], one[key]["interval"]
            assert abs(expected - value) < 2 * (high - low) / 2, (one["agent"], one["opponent"], key)


@pytest.mark.parametrize(
    ("arguments", "needs"),
    [
        (["tit_for_tat", "random", "random", "--on", "histories"], "once"),
        (["tit_for_tat", "randon", "--on", "histories"], "random"),
        (["tit_for_tat", "random", "--on", "nowhere"], "nowhere"),
        (["tit_for_tat", "random", "--opponents", "tit_for_tta"], "tit_for_tat"),
        (["tit_for_tat", "random", "--opponents", "random", "--set", "talk=1"], "talk"),
        (["tit_for_tat", "random", "--opponents", "random,grudger,random"], "random is named twice"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: list[str], needs: str) -> None:
    with pytest.raises(InputError, match=needs):
        evaluate(*arguments)
