"""`dilemmas evaluate` compares agents with a teacher in situations, after histories and in matches in its place."""

import json
from math import log

import pytest
from click.testing import CliRunner

from dilemmas.envs.errors import InputError
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
