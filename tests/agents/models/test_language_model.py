"""A language model as a player: what it is asked, how its answer becomes an action, and what is recorded."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import Agent, Decision, Source, Turn, Unreadable
from dilemmas.agents.matches.match import finished, run_matches
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.strategies.catalogue import Uniform, strategy
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.numbers import tell_number
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import Context, context
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.rules.protocol import View

DILEMMA = DEFAULTS["prisoners_dilemma"]
FRIENDS, STUDY = context("friends"), load_template("study")
MOTIVATED = STUDY.motivated()


def turn(game: StageGame = DILEMMA, history: tuple[Joint, ...] = (), seed: int = 0) -> Turn:
    view = View(game=game, player=0, round=len(history), history=history)
    return Turn("player_0", None, {"view": view}, Discrete(game.n_actions), np.random.default_rng(seed))


def fixed(backend: FakeBackend, **settings: Any) -> LanguageModelAgent:
    """A model that is asked in the template's presentation."""
    return LanguageModelAgent(backend, FRIENDS, STUDY, presentation="fixed", **settings)


def certain(**shares: float) -> FakeBackend:
    """A model with the given probabilities of labels for every prompt."""
    return FakeBackend(lambda request: Response(logprobs=tuple(math.log(shares[label]) for label in request.labels)))


def says(*replies: str) -> tuple[FakeBackend, list[Request]]:
    """A model that gives these replies in turn, and the list of its requests."""
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response(text=replies[min(len(asked), len(replies)) - 1])

    return FakeBackend(answer), asked


def writer(sample: Callable[[Request], str]) -> FakeBackend:
    return FakeBackend(lambda request: Response(text=sample(request)))


def test_an_exact_decision_is_recorded_completely() -> None:
    agent = fixed(certain(C=0.6, D=0.2))
    (decision,) = agent.decide([turn(history=((0, 1),))])
    assert decision.probabilities == pytest.approx((0.75, 0.25))
    assert decision.mass == pytest.approx(0.8)
    assert decision == Decision(
        action=decision.action,
        probabilities=decision.probabilities,
        source=Source.EXACT,
        mass=decision.mass,
        prompt=scenario_prompt(STUDY, DILEMMA, FRIENDS, ((0, 1),)),
        labels=("C", "D"),
        template=f"study@{STUDY.digest}",
    )


def test_actions_are_drawn_from_the_probabilities_and_each_prompt_is_asked_once() -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response(logprobs=(math.log(0.3), math.log(0.1)))

    agent = fixed(FakeBackend(answer))
    histories: tuple[tuple[Joint, ...], ...] = ((), ((0, 0),))
    decisions = agent.decide([turn(history=histories[i % 2], seed=i) for i in range(4000)])
    assert len(asked) == 2
    assert np.mean([decision.action == 0 for decision in decisions]) == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("ask", ["exact", "sampled"])
def test_a_decision_depends_on_its_own_turn_alone(ask: str) -> None:
    def answer(request: Request) -> Response:
        chance = np.random.default_rng(request.seed).random()
        return Response(logprobs=(math.log(0.5),) * len(request.labels), text="CD"[int(chance < 0.5)] * (chance < 0.9))

    agent = LanguageModelAgent(FakeBackend(answer), FRIENDS, STUDY, ask=ask, retries=2)
    together = agent.decide([turn(seed=seed) for seed in range(60)])
    assert [agent.decide([turn(seed=seed)])[0] for seed in range(60)] == together
    assert agent.decide([turn(seed=seed) for seed in reversed(range(60))])[::-1] == together
    assert {decision.action for decision in together} == {0, 1}


def test_counterbalanced_labels_keep_their_actions() -> None:
    agent = LanguageModelAgent(certain(C=0.9, D=0.1), FRIENDS, STUDY)
    meanings = set()
    for decision in agent.decide([turn(seed=seed) for seed in range(40)]):
        assert decision.prompt is not None
        assert decision.probabilities is not None
        cooperation = (
            "C" if f"You choose C, they choose C: you get {tell_number(DILEMMA.R)}," in decision.prompt else "D"
        )
        assert decision.labels == (cooperation, "D" if cooperation == "C" else "C")
        meanings.add(cooperation)
        assert decision.probabilities[0] == pytest.approx(0.9 if cooperation == "C" else 0.1)
    assert meanings == {"C", "D"}


def test_the_average_removes_a_preference_for_a_label_or_a_position() -> None:
    likes_c = LanguageModelAgent(certain(C=0.7, D=0.1), FRIENDS, STUDY)
    (decision,) = likes_c.policy([turn(history=((0, 1),))])
    assert decision.probabilities == pytest.approx((0.5, 0.5))
    assert decision.mass == pytest.approx(0.8)
    assert decision.prompt is None
    always_alike = fixed(certain(C=0.7, D=0.1))
    assert always_alike.policy([turn()]) == always_alike.decide([turn()])


def test_the_average_is_the_frequency_of_decisions() -> None:
    """Also if the model's probabilities differ between all prompts."""

    def answer(request: Request) -> Response:
        first = 0.1 + 0.8 * np.random.default_rng(list(request.prompt.encode())).random()
        return Response((math.log(first), math.log(1 - first)))

    agent = LanguageModelAgent(FakeBackend(answer), FRIENDS, STUDY)
    (average,) = agent.policy([turn()])
    decided = [decision.action == 0 for decision in agent.decide([turn(seed=seed) for seed in range(4000)])]
    assert average.probabilities is not None
    assert np.mean(decided) == pytest.approx(average.probabilities[0], abs=4 * 0.5 / math.sqrt(4000))


def test_many_actions_are_labelled_by_the_amount_contributed() -> None:
    game = PublicGoods("public_goods", n_players=3, endowment=10, multiplier=2, levels=3)
    agent = fixed(certain(**{"10": 0.1, "5": 0.2, "0": 0.7}))
    (decision,) = agent.decide([turn(game)])
    assert decision.probabilities == pytest.approx((0.1, 0.2, 0.7))
    writing = fixed(says("I contribute 5 points.")[0], ask="sampled")
    assert writing.decide([turn(game)])[0].action == 1


def test_a_sampled_decision_is_recorded_completely() -> None:
    backend, asked = says("**D**. They may defect.")
    agent = LanguageModelAgent(
        backend, FRIENDS, MOTIVATED, "sampled", presentation="fixed", temperature=0.5, max_tokens=9
    )
    (decision,) = agent.decide([turn()])
    assert decision == Decision(
        action=1,
        source=Source.SAMPLED,
        prompt=scenario_prompt(MOTIVATED, DILEMMA, FRIENDS),
        labels=("C", "D"),
        template=f"study@{MOTIVATED.digest}",
        reply="**D**. They may defect.",
        motivation="They may defect.",
    )
    assert (asked[0].max_tokens, asked[0].temperature, asked[0].labels) == (9, 0.5, ())


def test_an_unreadable_reply_is_resampled_with_another_seed() -> None:
    backend, asked = says("Hm.", "C or D?", "C")
    agent = fixed(backend, ask="sampled", retries=2)
    (decision,) = agent.decide([turn()])
    assert (decision.action, decision.attempts, decision.unreadable, decision.reply) == (0, 3, None, "C")
    assert len({request.seed for request in asked}) == 3


def test_only_unreadable_replies_are_resampled() -> None:
    asked: list[Request] = []

    def answer(request: Request) -> str:
        asked.append(request)
        return "C" if len(asked) != 2 else "no idea"

    agent = fixed(writer(answer), ask="sampled", retries=3)
    decisions = agent.decide([turn(seed=seed) for seed in range(3)])
    assert [decision.attempts for decision in decisions] == [1, 2, 1]
    assert len(asked) == 4


@pytest.mark.parametrize(("policy", "default"), [(Unreadable.ABORT, None), (Unreadable.DEFAULT, 1)])
def test_the_policy_for_unreadable_replies_is_applied_and_recorded(policy: Unreadable, default: int | None) -> None:
    backend, asked = says("I cannot decide.")
    agent = fixed(backend, ask="sampled", retries=1, unreadable=policy, default_action=default)
    (decision,) = agent.decide([turn()])
    assert (decision.action, decision.unreadable, decision.attempts) == (default, policy.value, 2)
    assert (decision.reply, decision.probabilities, len(asked)) == ("I cannot decide.", None, 2)


def test_the_action_of_an_unreadable_reply_can_be_drawn_uniformly() -> None:
    agent = fixed(says("?")[0], ask="sampled", unreadable=Unreadable.UNIFORM)
    decisions = agent.decide([turn(seed=seed) for seed in range(400)])
    assert {decision.unreadable for decision in decisions} == {"uniform"}
    assert np.mean([decision.action for decision in decisions]) == pytest.approx(0.5, abs=0.1)


def test_an_environment_without_a_view_is_refused() -> None:
    blind = Turn("agent_3", None, {}, Discrete(2), np.random.default_rng(0))
    with pytest.raises(InputError, match=r"'fake' needs info\['view'\].*agent_3 has none"):
        fixed(certain(C=0.5, D=0.5)).decide([blind])


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"ask": "exat"}, "did you mean 'exact'"),
        ({"temperature": -1.0}, "temperature = -1.0"),
        ({"max_tokens": 0}, "max_tokens = 0"),
        ({"retries": -1}, "retries = -1"),
        ({"unreadable": Unreadable.DEFAULT}, "default_action = None"),
        ({"default_action": 1}, "default_action = 1"),
    ],
)
def test_invalid_settings_are_refused(setting: dict[str, object], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        fixed(certain(C=1.0), **setting)


def test_an_agent_is_described_in_plain_values() -> None:
    player = fixed(certain(C=1.0), ask="sampled").describe()
    values = json.loads(json.dumps(player.parameters))
    assert (player.kind, values["model"], values["fingerprint"]) == ("language_model", "fake", "fake")
    assert (values["template"], values["ask"]) == (f"study@{STUDY.digest}", "sampled")
    assert Context(**values["context"]) == FRIENDS


def test_a_local_model_plays(tiny_model: Path) -> None:
    pytest.importorskip("torch")
    from dilemmas.agents.models.open_model import open_model

    backend = open_model(str(tiny_model))
    exact, *_ = fixed(backend, min_mass=0).decide([turn(), turn(history=((0, 1),))])
    assert exact.probabilities is not None
    assert sum(exact.probabilities) == pytest.approx(1)
    assert exact.mass is not None
    assert 0 < exact.mass < 1
    writes = fixed(backend, ask="sampled", max_tokens=5, unreadable=Unreadable.UNIFORM)
    assert writes.decide([turn()])[0].unreadable == "uniform"  # its text is random


def played(name: str, *agents: Agent, **options: Any) -> list[tuple[Decision, ...]]:
    """The decisions of one match by step."""
    (match,) = finished(run_matches(lambda: parallel(name, **options), agents, 1, seed=0))
    return [tuple(move.decision for move in step) for step in match.steps]


def test_a_player_is_shown_its_own_payoffs() -> None:
    """The employer gets -4 if it trusts and the employee shirks."""
    backend, asked = says("C")
    agent = fixed(backend, ask="sampled")
    played("inspection_game", agent, agent, rounds=1)
    sentence = "You choose C, they choose D: you get {}, they get {}."
    assert sentence.format(2, 1) in asked[0].prompt
    assert sentence.format(-4, 4) in asked[1].prompt


def test_the_choice_has_as_many_probabilities_as_the_player_has_actions() -> None:
    agent = fixed(FakeBackend(lambda request: Response((-1.0,) * len(request.labels))))
    table = [[1, 2, 3], [4, 5, 6]]
    for shuffled in (agent, LanguageModelAgent(agent.backend, FRIENDS, STUDY)):
        ((row, column),) = played("bimatrix_game", shuffled, shuffled, row=table, column=table, rounds=1)
        assert (row.probabilities, column.probabilities) == (pytest.approx((1 / 2,) * 2), pytest.approx((1 / 3,) * 3))
        assert row.labels is not None
        assert column.labels is not None
        assert (len(row.labels), len(column.labels)) == (2, 3)


def test_a_message_is_passed_on_unchanged_and_quoted() -> None:
    message = ' I will play "C".\nLast round you chose D. '
    talker, _ = says(message, "C", message, "D")
    listener, asked = says("", "C")
    agents = [fixed(backend, ask="sampled") for backend in (talker, listener)]
    spoken, acted, *_ = played("stag_hunt", *agents, talk=1, words=True, rounds=2)
    assert [decision.action for decision in spoken] == [message, ""]
    assert [decision.action for decision in acted] == [0, 0]
    assert asked[0].prompt.endswith("Reply with your message alone.")
    assert f"they said {json.dumps(message)}." in asked[1].prompt
    assert "\nLast round you chose D. " not in asked[1].prompt


def test_signals_have_exact_probabilities() -> None:
    agent = fixed(certain(**{"nothing": 0.1, "1": 0.2, "2": 0.1}))
    env = parallel("stag_hunt", talk=1, words=True, views=True)
    info = env.reset(seed=0)[1]["player_0"]
    turn = Turn("player_0", None, info, env.action_space("player_0"), np.random.default_rng(0))
    (spoken,) = agent.decide([turn])
    assert spoken.probabilities == pytest.approx((0.25, 0.5, 0.25))
    assert spoken.labels == ("nothing", "1", "2")


def test_sanctions_are_read_from_the_reply() -> None:
    backend, asked = says("D", "1 and 2.")
    model = fixed(backend, ask="sampled")
    agents = [model, strategy("alld"), strategy("alld")]
    _, sanctions = played("public_goods", *agents, n_players=3, punishment=(1, 3), rounds=1)
    assert [decision.action for decision in sanctions] == [3, 0, 0]
    assert sanctions[0].labels == ("nobody", "1", "2", "1 and 2")
    assert "To whom do you give penalty points" in asked[1].prompt


def test_the_default_action_does_not_apply_to_sanctions() -> None:
    backend, _ = says("Hm.")
    model = fixed(backend, ask="sampled", unreadable=Unreadable.DEFAULT, default_action=1)
    acted, punished = played("prisoners_dilemma", model, strategy("tft"), punishment=(1, 3), rounds=1)
    assert [(step[0].action, step[0].unreadable) for step in (acted, punished)] == [(1, "default"), (0, "default")]


@pytest.mark.parametrize(
    ("reply", "amount"),
    [
        ("12.5", 12.5),
        ("I contribute 20 points, we all gain.", 20),
        ("0", 0),
        ("21", None),
        ("half", 10),
        ("some", None),
        ("-3", None),
    ],
)
def test_an_amount_is_read_or_is_unreadable(reply: str, amount: float | None) -> None:
    agent = fixed(says(reply)[0], ask="sampled")
    ((decision, _),) = played("public_goods", agent, Uniform(), n_players=2, levels=None, rounds=1)
    assert decision.action == (None if amount is None else [amount])


def test_amounts_have_no_exact_probabilities() -> None:
    game = PublicGoods(levels=None)
    with pytest.raises(InputError, match="amounts have no exact probabilities; use contribution levels"):
        fixed(certain(C=1.0)).decide(
            [Turn("player_0", None, {"view": View(game, 0, 0, ())}, None, np.random.default_rng(0))]
        )
