"""Any play becomes questions as the student will be asked, with what was done there, and what was probable."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from dilemmas.agents.agent import Decision
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.roster import Framing
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.names import UnknownNameError
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import match_prompt, presentations
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.rules.protocol import View
from dilemmas.experiments.distilling.recorded import recorded_turns
from dilemmas.experiments.distilling.situations import FramedDecision, of_histories
from dilemmas.experiments.distilling.teaching import (
    StudentPrompts,
    TeachingError,
    teach_play,
    teach_policy,
)
from dilemmas.experiments.study.teachers import teacher_of

FRIENDS = context("friends")
STUDY = StudentPrompts(load_template("study"), counterbalanced=False)
PD = stage_game("prisoners_dilemma")
TALKATIVE = {"rounds": 3, "talk": 1, "words": True, "punishment": (1, 3)}


def record(folder: Path, agents: list[Any], game: str = "prisoners_dilemma", **options: Any) -> Path:
    options = {"rounds": 6} | options
    header = Header(f"dilemmas/{game}-v0", tuple(agent.describe() for agent in agents), 3, options, "friends")
    path = folder / f"{game}.trajectory.jsonl"
    with TrajectoryWriter(path, header) as writer:
        for match in run_matches(lambda: parallel(game, **options), agents, 4, 3):
            writer.write(match)
    return path


def model(answer: Any, **settings: Any) -> LanguageModelAgent:
    return LanguageModelAgent(FakeBackend(answer, "little", "0"), FRIENDS, load_template("study"), **settings)


def test_a_strategy_teaches_what_it_would_do_after_every_history() -> None:
    situations = list(of_histories(PD, 1, [FRIENDS]))
    shown = teach_policy(STUDY, teacher_of("generous_tit_for_tat", Framing()), situations)
    assert [one.probabilities[0] for one in shown] == pytest.approx([1, 1, 1 / 3, 1, 1 / 3])
    assert shown[2].prompt == match_prompt(STUDY.template, View(PD, 0, 1, ((0, 1),)), FRIENDS)


def test_a_strategy_is_that_of_the_game_in_which_it_is_asked() -> None:
    games = [PD, stage_game("prisoners_dilemma", T=6, R=4, P=2, S=-1)]
    situations = [FramedDecision(View(game, 0, 1, ((0, 0),)), FRIENDS) for game in games]
    shown = teach_policy(STUDY, teacher_of("zd_extort_2", Framing()), situations)
    wanted = [strategy("zd_extort_2", 2, game).traits.automaton.cooperate[1] for game in games]
    assert [one.probabilities[0] for one in shown] == pytest.approx(wanted)
    assert wanted[0] != pytest.approx(wanted[1])


def test_every_presentation_has_the_probability_of_the_action_beside_its_label() -> None:
    student = StudentPrompts(load_template("study"), counterbalanced=True)
    shown = teach_policy(student, teacher_of("random(0.8)", Framing()), [FramedDecision(View(PD, 0, 0, ()), FRIENDS)])
    ways = presentations(student.template, PD)
    assert [one.labels for one in shown] == [way.labels for way in ways]
    assert all(one.probabilities == pytest.approx((0.8, 0.2)) for one in shown)
    assert len({one.prompt for one in shown}) == 4


def test_opposite_presentations_reverse_labels_and_order_with_the_same_persona() -> None:
    student = StudentPrompts(replace(load_template("study"), persona="counterbalanced"), counterbalanced=True)
    situation = FramedDecision(View(PD, 0, 0, ()), FRIENDS, asked="opposite")
    pairs = [student.posed(situation, number) for number in range(60)]
    personas = Counter(one.prompt.split("\n")[0] for one, _ in pairs)
    assert len(personas) == 4
    for one, other in pairs:
        assert one.labels == other.labels[::-1]
        assert one.prompt != other.prompt
        for place in (0, -1):
            assert one.prompt.split("\n")[place] == other.prompt.split("\n")[place]


def test_drawn_answers_have_the_shares_of_the_policy() -> None:
    situations = [FramedDecision(View(PD, 0, 0, ()), FRIENDS)] * 40
    shown = teach_policy(STUDY, teacher_of("random(0.8)", Framing()), situations, answers=100)
    shares = [one.probabilities[0] for one in shown]
    assert len(set(shares)) > 5
    assert sum(shares) / 40 == pytest.approx(0.8, abs=0.03)
    assert all((100 * share) % 1 == pytest.approx(0, abs=1e-9) for share in shares)


def test_recorded_play_of_a_strategy_is_told_in_the_words_of_the_student(tmp_path) -> None:
    path = record(tmp_path, [strategy("tit_for_tat"), strategy("random")])
    turns = list(recorded_turns([path], ["tit_for_tat"]))
    assert len(turns) == 24
    assert {one.player for one in turns} == {"tit_for_tat"}
    shown = teach_play(STUDY, FRIENDS, turns, "soft")
    for one, turn in zip(shown, turns, strict=True):
        view = turn.turn.info["view"]
        assert one.prompt == match_prompt(STUDY.template, view, FRIENDS)
        copied = view.history[-1][1] if view.history else 0
        assert one.probabilities == tuple(float(place == copied) for place in (0, 1))
    assert teach_play(STUDY, FRIENDS, turns, "hard") == shown, "it is sure of every action"


def test_a_seat_can_be_taught_and_an_unknown_player_cannot(tmp_path) -> None:
    path = record(tmp_path, [strategy("tit_for_tat"), strategy("random")])
    assert {one.player for one in recorded_turns([path], ["player_1"])} == {"random"}
    with pytest.raises(UnknownNameError, match="tit_for_tat"):
        list(recorded_turns([path], ["tit_for_tta"]))


def test_what_a_language_model_was_asked_is_taught_as_it_was_asked(tmp_path) -> None:
    def say(request: Request) -> Response:
        return Response(text="D. They may betray me.")

    path = record(tmp_path, [model(say, ask="sampled"), strategy("random")])
    (first, *_) = turns = list(recorded_turns([path], ["little"]))
    (shown, *_) = teach_play(STUDY, context("team"), turns, "hard")
    assert shown.prompt == first.decision.prompt
    assert "a good friend" in shown.prompt
    assert shown.reply == "D. They may betray me."
    (again, *_) = teach_play(STUDY, context("team"), turns, "hard", again=True)
    assert "a mate from your team" in again.prompt
    with pytest.raises(TeachingError, match="--method hard"):
        teach_play(STUDY, FRIENDS, turns, "soft")


def test_exact_probabilities_of_a_language_model_are_taught_softly(tmp_path) -> None:
    def score(request: Request) -> Response:
        return Response((-0.1, -2.4))

    path = record(tmp_path, [model(score, presentation="counterbalanced"), strategy("random")])
    turns = list(recorded_turns([path], ["little"]))
    shown = teach_play(STUDY, FRIENDS, turns, "soft")
    assert all(one.probabilities[0] == pytest.approx(0.909, abs=1e-3) for one in shown)
    assert Counter(one.labels for one in shown).keys() == {("C", "D"), ("D", "C")}, "as they were shown to it"


def test_messages_and_sanctions_are_taught_in_their_phases(tmp_path) -> None:
    def speak(request: Request) -> Response:
        question = request.prompt.splitlines()[-1]
        return Response(text="Let us both choose C." if "message" in question else "0" if "0" in question else "C")

    path = record(tmp_path, [model(speak, ask="sampled", max_tokens=40), strategy("tit_for_tat")], **TALKATIVE)
    shown = teach_play(STUDY, FRIENDS, recorded_turns([path], ["little"]), "hard")
    spoken = [one for one in shown if not one.labels]
    assert {one.reply for one in spoken} == {"Let us both choose C."}
    assert len(shown) > len(spoken) > 0


def test_play_without_any_way_to_ask_is_refused() -> None:
    from dilemmas.agents.agent import Turn
    from dilemmas.experiments.distilling.recorded import DecidedTurn

    turn = Turn("player_0", None, {}, None, None)  # type: ignore[arg-type]
    with pytest.raises(TeachingError, match="does not tell what a player knew"):
        teach_play(STUDY, FRIENDS, [DecidedTurn("walker", turn, Decision(1, (0.5, 0.5)))], "soft")


def test_a_template_in_which_the_student_writes_first_is_refused() -> None:
    with pytest.raises(TeachingError, match="choose another --template"):
        StudentPrompts(load_template("reason"), counterbalanced=False)
