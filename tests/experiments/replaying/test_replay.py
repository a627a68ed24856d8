"""Records are reproduced; every change in a record or in its agents is reported with its place."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from recorded_matches import PUB, model, record, replay

from dilemmas.agents.agent import Agent, Decision, PlayerRecord, Source, Traits, Unreadable
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.record import MatchRecord, Move, Reason, RecordError
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter, read_trajectory
from dilemmas.agents.strategies.catalogue import Uniform, bernoulli, strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.experiments.commands.replay import command
from dilemmas.experiments.replaying import reenact

GOLDEN = Path(__file__).with_name("golden") / "version_1.trajectory.jsonl"


@pytest.mark.parametrize(
    "agents",
    [
        [strategy("gtft"), bernoulli(0.3)],
        [model(), strategy("tft")],
        [model(presentation="counterbalanced"), model()],
        [model(ask="sampled", retries=2, unreadable=Unreadable.UNIFORM), strategy("random")],
        [model(ask="sampled"), strategy("random")],  # matches are aborted
        [model(ask="sampled", unreadable=Unreadable.DEFAULT, default_action=1), strategy("wsls")],
        [compile_agent(strategy("gtft"), stage_game("prisoners_dilemma"), 1), strategy("alld")],
        [compile_agent(model(), stage_game("prisoners_dilemma"), 1, context="friends"), replace(model(), context=PUB)],
    ],
    ids=lambda agents: " v ".join(agent.name for agent in agents),
)
def test_every_value_is_reproduced(tmp_path: Path, agents: list[Any]) -> None:
    code, result = replay(record(tmp_path, agents))
    assert (code, result["differences"], result["matches"], result["not_asked"]) == (0, [], 5, [])


def test_groups_with_many_levels_and_chance_come_out_again(tmp_path: Path) -> None:
    options = {"n_players": 4, "levels": 5, "continuation": 0.7}
    agents = [model(), strategy("tft"), strategy("random"), model()]
    assert replay(record(tmp_path, agents, "public_goods", options))[0] == 0


WRITER = model(ask="sampled", unreadable=Unreadable.UNIFORM)


@pytest.mark.parametrize(
    ("game", "options", "agents"),
    [
        (
            "stag_hunt",
            {"talk": 1, "words": True, "rounds": 3},
            [model(ask="sampled", unreadable=Unreadable.UNIFORM)] * 2,
        ),
        ("stag_hunt", {"talk": 2, "reward": (1, 2), "punishment": (1, 3), "rounds": 3}, [model(), Uniform()]),
        ("bimatrix_game", {"row": [[1, 2, 3], [4, 5, 6]], "column": [[6, 5, 4], [3, 2, 1]]}, [model(), model()]),
        ("public_goods", {"n_players": 2, "levels": None, "rounds": 3}, [strategy("tft"), Uniform()]),
        (
            "public_goods",
            {"n_players": 2, "levels": None},
            [model(ask="sampled", unreadable=Unreadable.UNIFORM), Uniform()],
        ),
    ],
)
def test_phases_seats_and_amounts_come_out_again(
    tmp_path: Path, game: str, options: dict[str, Any], agents: list[Any]
) -> None:
    code, result = replay(record(tmp_path, agents, game, options))
    assert (code, result["differences"], result["not_asked"]) == (0, [], [])


def test_a_file_of_version_1_is_read_and_reproduced() -> None:
    code, result = replay(GOLDEN)
    assert (code, result["matches"], result["rounds"]) == (0, 4, 22)


def test_the_same_run_gives_the_same_bytes_for_ever(tmp_path: Path) -> None:
    """A changed rule, stream or format shows here; where it is meant, the format gets a new version."""
    header, _ = read_trajectory(GOLDEN)
    again = tmp_path / "again"
    with TrajectoryWriter(again, header) as writer:
        agents = [strategy("gtft"), strategy("random")]
        for match in run_matches(lambda: parallel("prisoners_dilemma", **header.options), agents, 4, header.seed):
            writer.write(match)
    assert again.read_bytes() == GOLDEN.read_bytes()


def edited(step: int, seat: int, change: Callable[[Move], Move]) -> Callable[[MatchRecord], MatchRecord]:
    """Changes one move of match 2, `step` counted from 1."""

    def edit(match: MatchRecord) -> MatchRecord:
        if match.match != 2:
            return match
        moves = list(match.steps[step - 1])
        moves[seat] = change(moves[seat])
        return replace(match, steps=(*match.steps[: step - 1], tuple(moves), *match.steps[step:]))

    return edit


def decision(**changes: Any) -> Callable[[Move], Move]:
    return lambda move: replace(move, decision=replace(move.decision, **changes))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("observation", lambda move: replace(move, observation=[0.5, *move.observation[1:]])),
        ("reward", lambda move: replace(move, reward=math.nextafter(move.reward, 9))),
        ("played", lambda move: replace(move, played=1 - move.played)),
        ("terminated", lambda move: replace(move, terminated=True)),
        ("truncated", lambda move: replace(move, truncated=True)),
        ("prompt", lambda move: decision(prompt=move.decision.prompt.replace("friend", "fiend"))(move)),
        ("template", decision(template="study@000000000000")),
        ("labels", decision(labels=("D", "C"))),
        ("reply", decision(reply="C")),
        ("attempts", decision(attempts=2)),
        ("unreadable", decision(unreadable=Unreadable.UNIFORM)),
        ("source", decision(source=Source.RULE)),
    ],
)
def test_a_changed_record_is_found_with_its_place(tmp_path: Path, field: str, change: Callable[[Move], Move]) -> None:
    code, result = replay(record(tmp_path, [model(), strategy("tft")], edit=edited(4, 0, change)))
    (found,) = result["differences"]
    assert code == 1
    assert (found["match"], found["round"], found["player"], found["field"]) == (2, 4, "player_0", field)


@pytest.mark.parametrize("at_once", [1, 3])
def test_the_difference_does_not_depend_on_the_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    path = record(tmp_path, [strategy("tft"), strategy("random")], edit=edited(4, 0, lambda m: replace(m, reward=9.5)))
    whole = replay(path)
    monkeypatch.setattr(reenact, "AT_ONCE", at_once)
    assert replay(path) == whole
    assert whole[0] == 1


def test_a_changed_action_is_a_difference(tmp_path: Path) -> None:
    def other(move: Move) -> Move:
        return replace(move, decision=replace(move.decision, action=1 - move.decision.action))

    code, result = replay(record(tmp_path, [strategy("random"), strategy("alld")], edit=edited(2, 0, other)))
    assert code == 1
    assert {found["round"] for found in result["differences"]} == {2}
    assert {"action drawn", "action", "played", "reward"} >= {found["field"] for found in result["differences"]}
    assert "action drawn" in {found["field"] for found in result["differences"]}


def test_a_changed_probability_is_a_difference(tmp_path: Path) -> None:
    change = edited(1, 0, decision(probabilities=(0.5 + 1e-6, 0.5 - 1e-6)))
    code, result = replay(record(tmp_path, [strategy("random"), strategy("alld")], edit=change))
    assert (code, [found["field"] for found in result["differences"]]) == (1, ["probabilities"])


def test_a_reply_is_read_again(tmp_path: Path) -> None:
    """A record in which the model wrote one action and played the other."""
    agents = [model(ask="sampled", retries=9, unreadable=Unreadable.UNIFORM), strategy("alld")]
    change = edited(1, 0, lambda move: decision(reply=f"I choose {'DC'[move.decision.action]}")(move))
    code, result = replay(record(tmp_path, agents, edit=change))
    assert (code, [found["field"] for found in result["differences"]]) == (1, ["action"])


def test_a_strategy_that_has_changed_is_found(tmp_path: Path) -> None:
    """The header names another strategy than the one that played."""

    @dataclass(frozen=True)
    class Disguised:
        agent: Agent
        name: str = "tit_for_tat"

        def describe(self) -> PlayerRecord:
            return strategy("tft").describe()

        def decide(self, turns: Any) -> list[Decision]:
            return self.agent.decide(turns)

        policy = decide

        traits = Traits()

    code, result = replay(record(tmp_path, [Disguised(strategy("alld")), strategy("alld")], options={"rounds": 3}))
    found = [(d["match"], d["round"], d["player"], d["field"]) for d in result["differences"]]
    assert code == 1
    assert found[:2] == [(0, 1, "player_0", "action"), (0, 1, "player_0", "probabilities")]
    assert len(found) == 5 * 2


def test_the_seed_and_the_ending_are_checked(tmp_path: Path) -> None:
    path = record(tmp_path, [strategy("tft")] * 2, edit=lambda match: replace(match, seed=match.seed + 1))
    assert {(d["round"], d["field"]) for d in replay(path)[1]["differences"]} == {(0, "seed")}
    (tmp_path / "b").mkdir()
    path = record(tmp_path / "b", [strategy("tft")] * 2, edit=lambda match: replace(match, steps=match.steps[:-1]))
    assert {(d["round"], d["field"]) for d in replay(path)[1]["differences"]} == {(5, "ending")}


def test_agents_of_unknown_kind_are_not_asked_but_their_draws_are_checked(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Mine:
        name: str = "mine"

        def describe(self) -> PlayerRecord:
            return PlayerRecord("mine", "my own")

        def decide(self, turns: Any) -> list[Decision]:
            return strategy("random").decide(turns)

        policy = decide

        traits = Traits()

    code, result = replay(record(tmp_path, [Mine(), strategy("tft")]))
    assert (code, result["not_asked"]) == (0, ["mine"])


def test_a_run_folder_is_replayed_whole(tmp_path: Path) -> None:
    for name in ("stag_hunt", "snowdrift"):
        (tmp_path / "matches" / name).mkdir(parents=True)
        record(tmp_path / "matches" / name, [strategy("tft"), strategy("random")], name)
    code, result = replay(tmp_path)
    assert (code, result["files"], result["matches"], result["rounds"]) == (0, 2, 10, 60)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"environment": "dilemmas/stag_hunter-v0"}, "the environment 'dilemmas/stag_hunter-v0' cannot be made"),
        ({"options": {"rounds": 0}}, "cannot be made again: rounds = 0"),
        (
            {"environment": "dilemmas/prisoner_dilemma-v0"},  # PettingZoo would list its Atari games
            r"cannot be made again: unknown environment 'prisoner_dilemma'; did you mean 'prisoners_dilemma'\?$",
        ),
        (
            {"environment": "dilemmas/public_goods-v0"},
            r"line 1: 2 agents; the environment 'dilemmas/public_goods-v0' has 4 players",
        ),
        ({"agents": (PlayerRecord("x", "automaton", {"after": ()}),) * 2}, "agent 'x' cannot be made again"),
        ({"agents": (PlayerRecord("x", "language_model", {}),) * 2}, "there is no 'template' in its parameters"),
    ],
)
def test_a_header_that_cannot_be_followed_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    agents = [strategy("tft"), strategy("tft")]
    header = Header("dilemmas/stag_hunt-v0", tuple(a.describe() for a in agents), 3)
    path = tmp_path / "a.trajectory.jsonl"
    with TrajectoryWriter(path, replace(header, **change)) as writer:
        for match in run_matches(lambda: parallel("stag_hunt", rounds=1), agents, 1, 3):
            writer.write(match)
    with pytest.raises(RecordError, match=message):
        replay(path)


def test_the_report_names_the_place_and_shows_where_texts_part(tmp_path: Path) -> None:
    change = edited(
        4, 0, lambda move: decision(prompt=move.decision.prompt.replace("Last round", "[red]\x1b[1mL"))(move)
    )
    path = record(tmp_path, [model(), strategy("tft")], edit=change)
    done = CliRunner().invoke(command, [str(path)], standalone_mode=False)
    assert done.return_value == 1
    first, recorded, replayed, last = done.stdout.splitlines()
    assert first.endswith("match 2, round 4, player_0: prompt")
    assert "[red]␛[1mL" in recorded
    assert "Last round" in replayed
    assert last == "files 1, matches 5, rounds 30: NOT reproduced"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("stag_hunt", {"rounds": (2, 5), "talk": 1, "punishment": (1, 3)}),
        ("population", {"rounds": (2, 5), "n_players": 3, "graph": [(0, 1), (1, 2)], "memory": None}),
    ],
)
def test_options_come_back_from_the_file_as_they_were(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    """JSON has lists for tuples."""
    agents = [Uniform()] * options.get("n_players", 2)
    path = tmp_path / "a.trajectory.jsonl"
    header = Header(f"dilemmas/{name}-v0", tuple(agent.describe() for agent in agents), 3, options)
    with TrajectoryWriter(path, header) as writer:
        for match in run_matches(lambda: parallel(name, **options), agents, 3, 3):
            writer.write(match)
    assert replay(path)[0] == 0


class Breaks:
    """Tit for tat that fails in the third round of some matches."""

    name, _inner = "breaks", strategy("tft")
    traits = _inner.traits

    def describe(self) -> PlayerRecord:
        return self._inner.describe()

    def decide(self, turns: Any) -> Any:
        if any(turn.info["view"].round == 2 and turn.rng.random() < 0.5 for turn in turns):
            raise RuntimeError("no more")
        return self._inner.decide(turns)

    policy = decide


def test_a_match_in_which_an_agent_failed_is_replayed_as_far_as_it_was_played(tmp_path: Path) -> None:
    agents, options = [Breaks(), strategy("alld")], {"rounds": 4}
    path = tmp_path / "a.trajectory.jsonl"
    header = Header("dilemmas/stag_hunt-v0", tuple(agent.describe() for agent in agents), 3, options)
    with TrajectoryWriter(path, header) as writer:
        for match in run_matches(lambda: parallel("stag_hunt", **options), agents, 6, 3):
            writer.write(match)
    reasons = [match.outcome.reason for match in read_trajectory(path)[1]]
    assert {*reasons} == {Reason.FAILED, Reason.TERMINATED}
    assert replay(path)[0] == 0
