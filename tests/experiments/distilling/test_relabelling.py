"""On-policy relabelling teaches what one-shot answers cannot: what to do on the histories that the student reaches."""

import json

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from dilemmas.envs.errors import InputError
from dilemmas.experiments.commands.studies.distill import command as distill
from dilemmas.experiments.commands.studies.evaluate import command as evaluate
from dilemmas.training.demonstrations import read_demonstrations

STUDENT = "miniature:student"


def run(command, *arguments: str):
    result = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.slow
def test_a_student_of_tit_for_tat_plays_it_against_opponents_that_it_never_met(tmp_path) -> None:
    """In 100 rounds: one-shot answers do not tell the student to retaliate."""
    settings = ("--on", "scenarios", "--student", STUDENT, "--lora", "steps=150", "--lora", "batch=16")
    play = ("--game", "prisoners_dilemma", "--opponents", "random,always_defect", "--on-policy", "1")
    run(distill, "tit_for_tat", *settings, *play, "--out", str(tmp_path / "on_policy"))
    once = tmp_path / "on_policy" / "rounds" / "0" / "adapter"
    found = run(
        evaluate,
        "tit_for_tat",
        f"Once={STUDENT}+{once}",
        f"Again={STUDENT}+{tmp_path / 'on_policy' / 'adapter'}",
        "--opponents",
        "alternator,grudger",
        "--rounds",
        "100",
        "--matches",
        "3",
    )
    first, second = (row for row in found["alignment"] if row["on"] == "its own matches")
    assert first["overlap"]["value"] < 0.9
    assert second["overlap"]["value"] > 0.98
    assert second["divergence"] < first["divergence"]
    relabelled = list(read_demonstrations(once.parent / "demonstrations.jsonl"))
    assert len(relabelled) == len(set(relabelled))
    assert {one.probabilities for one in relabelled} == {(1.0, 0.0), (0.0, 1.0)}


@pytest.mark.parametrize(
    ("arguments", "needs"),
    [
        (["tit_for_tat"], "--game"),
        (["tit_for_tat", "random", "--game", "stag_hunt"], "one agent"),
        (["tests", "--game", "stag_hunt"], "one agent"),
    ],
)
def test_relabelling_needs_one_teacher_and_a_game(tmp_path, arguments, needs) -> None:
    with pytest.raises(InputError, match=needs):
        run(distill, *arguments, "--on-policy", "1", "--student", STUDENT, "--out", str(tmp_path / "run"))
