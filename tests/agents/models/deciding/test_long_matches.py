"""What a model cannot be asked in a match or for a table is known before anything is asked."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from dilemmas.agents.agent import Turn
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.backend import FakeBackend, ModelError, Response
from dilemmas.agents.models.language_model import LanguageModelAgent, LanguageModelError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.longest import longest_view, longest_views
from dilemmas.envs.prompts.templates import RoundMemory, load_template
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.protocol import View

GAME, FRIENDS, STUDY = stage_game("harmony"), context("friends"), load_template("study")


class Asleep:
    """A network that computes nothing."""

    def __init__(self, config: Any) -> None:
        self.config = config


def fits(agent: LanguageModelAgent, rounds: int) -> bool:
    try:
        agent.check([longest_view(agent.template, GAME, rounds)])
    except LanguageModelError:
        return False
    return True


def answers(agent: LanguageModelAgent, rounds: int) -> bool:
    view = longest_view(agent.template, GAME, rounds)
    turn = Turn("player_0", None, {"view": view}, None, np.random.default_rng(1))
    try:
        (decision,) = agent.policy([turn])
    except ModelError:
        return False
    return decision.probabilities is not None


def test_what_is_refused_is_what_could_not_be_answered(backend: Any) -> None:
    short = replace(STUDY, motivation="", pair_line="{mine}{theirs}: {my_payoff}", pair_rule="{labels}?")
    agent = LanguageModelAgent(CachingBackend(backend), FRIENDS, short, min_mass=0)
    asleep = replace(agent, backend=replace(backend, model=Asleep(backend.model.config)))
    found = [fits(asleep, rounds) for rounds in range(15)]
    assert found == [answers(agent, rounds) for rounds in range(15)]
    assert (found[0], found[-1]) == (True, False)
    most = found.count(True) - 1
    asleep.check(longest_views(short, rules_of("harmony", rounds=most + 1, memory=100)))
    asleep.check(longest_views(short, rules_of("harmony", rounds=None, continuation=0.5, memory=100)))
    asleep.check(longest_views(short, rules_of("harmony", rounds=500, memory=most)))
    assert fits(replace(asleep, template=replace(short, memory=RoundMemory(most))), 100)
    told = (
        rf"(?s)model 'tiny' after {most + 1} rounds: .*the maximum of tiny is 256: show fewer rounds \(a smaller memory"
    )
    with pytest.raises(LanguageModelError, match=told):
        asleep.check(longest_views(short, rules_of("harmony", rounds=(1, most + 2), memory=100)))
    assert not fits(replace(asleep, template=replace(short, personas={"lo": "no " * 300}, persona="lo")), 0)


def test_room_for_what_is_written_is_needed_too(backend: Any) -> None:
    words = replace(
        load_template("reason"), pair_line="{mine}{theirs}{my_payoff}", pair_rule="{labels}?", payoffs="words"
    )
    words = replace(words, decision=replace(words.decision, tokens=240), question="?", unit="")
    agent = LanguageModelAgent(backend, FRIENDS, words)
    with pytest.raises(LanguageModelError, match="and 272 more are requested"):
        agent.check([View(GAME, 0, 0, ())])


def test_amounts_have_no_exact_probabilities() -> None:
    views = [View(stage_game("public_goods", levels=None), 0, 0, ())]
    model = LanguageModelAgent(FakeBackend(lambda request: Response()), FRIENDS, STUDY)
    with pytest.raises(LanguageModelError, match=r"amounts have no exact probabilities; use contribution levels"):
        model.check(views)
    replace(model, ask="sampled").check(views)
