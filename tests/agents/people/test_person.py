"""A person reads what a language model reads, is asked until a reply is readable, and is recorded like a model."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from dilemmas.agents.agent import Agent, Decision, PlayerRecord, Source, Traits, Turn
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.people.person import Person, PersonError, read_line, show_text
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.policy_table import PolicyTableError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.templates import load_template
from dilemmas.experiments.commands import replay
from dilemmas.experiments.commands.tournament import run

FRIENDS, STUDY = context("friends"), load_template("study")


def person(lines: Sequence[str], shown: list[str] | None = None) -> Person:
    """A person who writes these lines, one after another, and sees texts in `shown`."""
    written: Iterator[str] = iter(lines)
    return Person(FRIENDS, STUDY, show=[].append if shown is None else shown.append, read=lambda: next(written))


def match(game: str, *agents: Agent, **options: object) -> MatchRecord:
    (record,) = run_matches(lambda: parallel(game, **options), agents, 1, seed=0)
    return record


def test_a_person_reads_what_a_model_reads() -> None:
    read: list[str] = []

    def answer(request: Request) -> Response:
        read.append(request.prompt)
        return Response(text="CD"[len(read) % 2])

    model = LanguageModelAgent(FakeBackend(answer), FRIENDS, STUDY, ask="sampled", presentation="fixed")
    shown: list[str] = []
    told = match("prisoners_dilemma", model, strategy("tft"), rounds=3)
    played = match("prisoners_dilemma", person(["D", "C", "D"], shown), strategy("tft"), rounds=3)
    assert shown[1::2] == read
    assert [moves[0].reward for moves in played.steps] == [moves[0].reward for moves in told.steps] == [5, 0, 5]
    assert [moves[0].decision.prompt for moves in played.steps] == read


def test_a_person_is_asked_again_until_the_reply_is_readable() -> None:
    shown: list[str] = []
    played = match("stag_hunt", person(["hm", "not C", "I choose D."], shown), strategy("tft"), rounds=1)
    decision = played.steps[0][0].decision
    assert (decision.action, decision.attempts, decision.reply) == (1, 3, "I choose D.")
    assert decision.source is Source.SAMPLED
    assert [text.startswith("This cannot be read") for text in shown[2:-1]] == [True, False, True]


def test_a_person_talks_and_gives_amounts() -> None:
    people = [person(["Let us all give 10!", "I put in 14"]), person(["", "nothing"])]
    options = {"n_players": 2, "levels": 11, "endowment": 20, "talk": 1, "words": True, "rounds": 1}
    talk, acts = match("public_goods", *people, **options).steps
    assert [move.decision.action for move in talk] == ["Let us all give 10!", ""]
    assert [move.decision.action for move in acts] == [3, 10]  # of 20, 18, ..., 0


class Hostile:
    """Says what clears a screen, and cooperates."""

    name = "hostile"
    traits = Traits()

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [Decision("\x1b[2J\x1b]0;mine\x07hello" if turn.info["view"].phase == "talk" else 0) for turn in turns]

    policy = decide

    def describe(self) -> PlayerRecord:
        return PlayerRecord(self.name, "scripted")


def test_what_is_no_text_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda: "caf\udce9 \U0001f600")
    assert read_line() == "caf\ufffd \U0001f600"


def test_a_game_that_cannot_be_put_into_words_is_refused_before_anything_is_played() -> None:
    words = ["--agents", "human,uniform", "--game", "travelers_dilemma", "--rounds", "2"]
    done = CliRunner().invoke(run.command, words, input="55\n")
    assert "cannot be put into words" in str(done.exception) or "actions" in str(done.exception)
    assert "round 1" not in done.output


def test_words_of_others_do_not_act_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    written = iter(["hi", "C"])
    player = Person(FRIENDS, STUDY, show=show_text, read=lambda: next(written))
    match("stag_hunt", player, Hostile(), talk=1, words=True, rounds=1)
    shown = capsys.readouterr().err
    assert "hello" in shown
    assert shown.replace("\n", "").isprintable()


def test_nobody_knows_the_probabilities_of_a_person() -> None:
    with pytest.raises(PolicyTableError, match="sampled replies"):
        compile_agent(person([]), stage_game("stag_hunt"), 1)
    with pytest.raises(PersonError, match="no known probabilities"):
        person([]).policy([])
    with pytest.raises(PersonError, match="'reason' asks for more than an answer"):
        Person(FRIENDS, load_template("reason"))


def test_a_tournament_with_a_person_is_resumed_and_can_be_replayed(tmp_path: Path) -> None:
    words = ["--agents", "human,tft", "--no-self-play", "--repetitions", "2", "--rounds", "2", "--json"]

    def play(name: str, lines: str, *more: str) -> tuple[int, bytes]:
        done = CliRunner().invoke(run.command, [*words, "--out", str(tmp_path / name), *more], input=lines)
        rows = tmp_path / name / "rows.jsonl"
        return done.exit_code, rows.read_bytes() if rows.exists() else b""

    code, first = play("stopped", "C\nC\nC\n")
    assert (code, first.count(b"\n")) == (1, 1)
    assert play("stopped", "hm\nD\nD\n")[0] == 0
    assert play("whole", "C\nC\nhm\nD\nD\n") == (0, (tmp_path / "stopped" / "rows.jsonl").read_bytes())
    again = CliRunner().invoke(replay.command, [str(tmp_path / "whole"), "--json"])
    assert (again.exit_code, json.loads(again.stdout)["matches"]) == (0, 2)
    assert "in one process" in str(CliRunner().invoke(run.command, [*words, "--workers", "2"]).exception)
