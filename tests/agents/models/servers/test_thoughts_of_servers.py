"""Thoughts that a server tells are recorded with the reply and are no part of it."""

import pytest
from served_model import SAID, SHARES, Serve, opened
from stub_server import Payload, chat

from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.templates import load_template

TOLD = {"content": "C", "reasoning_content": "They choose D.\n"}


@pytest.mark.parametrize(
    ("message", "thoughts", "text"),
    [
        (TOLD, "They choose D.", "C"),
        ({"content": "C", "reasoning": "They choose D."}, "They choose D.", "C"),
        ({"content": "<think>They choose D.</think>\nC"}, "They choose D.", "C"),
        ({"content": "", "reasoning_content": "I choose D."}, "I choose D.", ""),
        ({"content": None, "refusal": "No.", "reasoning_content": "Hm."}, "Hm.", "No."),
        ({"content": "C", "reasoning_content": None}, "", "C"),
    ],
)
def test_thoughts_are_no_part_of_the_reply(serve: Serve, message: Payload, thoughts: str, text: str) -> None:
    server = serve(lambda payload: chat(payload, "C", SHARES))
    model = opened(server)
    model.loaded()
    server.answer = lambda payload: chat(payload, message=message)
    (found,) = model.respond([SAID])
    assert (found.thoughts, found.text) == (thoughts, text)


@pytest.mark.parametrize("template", ["study", "mixed"])
def test_a_decision_has_them(serve: Serve, template: str) -> None:
    """Of replies that are read, and of those that state probabilities."""
    server = serve(lambda payload: chat(payload, message=TOLD))
    words = load_template(template)
    agent = LanguageModelAgent(opened(server), context("team", words.contexts), words, "sampled", unreadable="uniform")
    (record,) = run_matches(lambda: parallel("prisoners_dilemma", rounds=1), [agent, strategy("tft")], 1, 0)
    decision = record.steps[0][0].decision
    told = decision if decision.deliberations is None else decision.deliberations[0]
    assert told.thoughts == "They choose D."
