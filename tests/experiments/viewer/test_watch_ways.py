"""What a model wrote before its action was decided is shown with the probabilities that followed."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from dilemmas.agents.agent import Decision, Deliberation, Source, Unreadable
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter
from dilemmas.agents.strategies.catalogue import Uniform
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.experiments.commands.watch import command

SAID = "I think [/bold] \x1b[31mof both."
REASONED = Decision(
    0,
    (0.6, 0.4),
    Source.REASONED,
    0.8,
    deliberations=(Deliberation(SAID, (0.75, 0.25)), Deliberation("Of myself.", (0.45, 0.55))),
)
PREDICTED = Decision(
    1,
    (0.3, 0.7),
    Source.EXACT,
    0.9,
    deliberations=(Deliberation("I expect C.", (0.25, 0.75)), Deliberation("I expect D.", (0.5, 0.5))),
    prediction=(0.8, 0.2),
)
UNCLEAR = Decision(
    None,
    None,
    Source.STATED,
    unreadable=Unreadable.ABORT,
    deliberations=(Deliberation("Hm.", None, "[red]Who knows?"),),
)


class Recorded(Uniform):
    """Decides as written here, round by round."""

    def decide(self, turns):  # type: ignore[no-untyped-def]
        return [(REASONED, PREDICTED, UNCLEAR)[turn.info["view"].round] for turn in turns]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path: Path = tmp_path_factory.mktemp("run") / "a.trajectory.jsonl"
    agents, options = [Recorded(), Uniform()], {"rounds": 3}
    header = Header("dilemmas/prisoners_dilemma-v0", tuple(agent.describe() for agent in agents), 1, options)
    with TrajectoryWriter(path, header) as writer:
        for record in run_matches(lambda: parallel("prisoners_dilemma", **options), agents, 1, 1):
            writer.write(record)
    done = CliRunner(env={"COLUMNS": "100"}).invoke(command, [str(path), "--match", "0"], catch_exceptions=False)
    return str(done.stdout).split("round ")[1:]


def test_every_reasoning_has_its_probabilities_and_the_mean_its_error(shown: list[str]) -> None:
    for part in (
        "after a reasoning, label mass 80.0%",
        "written before the decision, 1 of 2",
        "I think [/bold] ␛[31mof both.",
        "0.750",
        "0.450",
        "standard error of the mean: 0.150",
    ):
        assert part in shown[0]


def test_a_prediction_is_shown_with_the_answers_to_it(shown: list[str]) -> None:
    prediction = shown[1].split("prediction of what others choose")[1]
    assert [part in prediction for part in ("0.800", "0.200", "I expect C.", "0.250", "I expect D.")] == [True] * 5
    assert "standard error" not in shown[1]


def test_an_unreadable_statement_is_shown(shown: list[str]) -> None:
    assert [line.strip() for line in shown[2].split("written before the decision")[1].splitlines()][:3] == [
        "",
        "Hm.",
        "unreadable",
    ]


def test_thoughts_are_shown_as_text(shown: list[str]) -> None:
    before, _, after = shown[2].partition("[red]Who knows?")
    assert before.rstrip().endswith("thoughts")
    assert "written before the decision" in after
