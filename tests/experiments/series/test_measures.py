"""The numbers of commands, as experiments compare them."""

from typing import Any

import pytest

from dilemmas.experiments.series.measures import of_evaluation, of_study, of_survey, place_title


def study() -> dict[str, Any]:
    """The keys of results.json that are read."""
    closings = (("new_context", 2 / 3), ("new_both", 0.5))
    return {
        "alignment": {name: {"gap_closed": 0.75} for name, _ in closings},
        "pattern": [{"set": name, "student": closed, "null": 0.4, "tuned": 0.9} for name, closed in closings],
        "consistency": [{"disagreement": 0.2}, {"disagreement": 0.4}, {"disagreement": None}],
        "agreement": [
            {"model": model, "overlap": {"value": value}, "expected": {"value": value / 2}}
            for model, value in (("untuned", 0.4), ("tuned", 0.8))
        ],
    }


def numbers(results: dict[str, Any]) -> dict[tuple[str, str], float | None]:
    return {(one.where, one.what): one.value for one in of_study(results)}


def test_transfer_is_what_is_closed_beyond_the_null_player_over_all_scenarios() -> None:
    found = numbers(study())
    assert found["new_context", "gap_closed"] == pytest.approx(2 / 3)
    assert found["new_context", "null"] == 0.4
    assert found["new_context", "beyond_null"] == pytest.approx(2 / 3 - 0.4)
    assert found["new_context", "gap_closed_counted"] == 0.75
    assert found["teacher", "disagreement"] == pytest.approx(0.3)
    assert found["matches", "overlap"] == 0.8, "of the tuned student"


def test_the_drop_is_the_share_that_is_lost_from_new_contexts_to_both_new() -> None:
    assert numbers(study())["new_both", "drop"] == pytest.approx(1 - 0.5 / (2 / 3))


def test_matches_that_were_computed_are_told_so_and_others_as_they_were_sampled() -> None:
    sampled = {"cooperation": {"value": 0.4}, "payoff": {"value": 2.0}}
    rows = [
        {"agent": "Tuned", "opponent": "random", "expected": None, **sampled},
        {"agent": "Tuned", "opponent": "grudger", "expected": {"cooperation": 0.5, "payoff": 2.5}, **sampled},
    ]
    ways = [{"agent": "T", "distance": None}, {"agent": "Tuned", "distance": 0.1}]
    found = {
        (one.where, one.what): one.value for one in of_evaluation({"alignment": [], "matches": rows, "conduct": ways})
    }
    assert found == {
        ("Tuned against random", "cooperation"): 0.4,
        ("Tuned against random", "payoff"): 2.0,
        ("Tuned against grudger", "cooperation"): 0.5,
        ("Tuned against grudger", "payoff"): 2.5,
        ("Tuned: all its matches", "distance"): 0.1,
    }


def test_several_models_of_a_survey_are_told_apart() -> None:
    row = {"cooperation": {"a": 0.2, "b": None, "c": 0.4}}
    row |= dict.fromkeys(("disagreement", "motivations", "unreadable", "label_mass", "place_effect"))
    one = {measured.where: measured.value for measured in of_survey({"m": {"within": row}}) if measured.value}
    assert one == {"within": pytest.approx(0.3)}
    assert {measured.where for measured in of_survey({"m": {"within": row}, "n": {"within": row}})} == {
        "m: within",
        "n: within",
    }


def test_places_have_titles() -> None:
    assert place_title("new_both") == "Both new"
    assert place_title("Tuned: new_context") == "Tuned: New contexts"
    assert place_title("Tuned: its own matches") == "Tuned: its own matches"
