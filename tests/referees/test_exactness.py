"""Exact probabilities of real models are those of a plain forward pass over each question alone."""

import math
from pathlib import Path

import pytest
from plain_pass import PlainModel

from dilemmas.agents.models.backend import Request
from dilemmas.agents.models.open_model import open_model
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.templates import load_template

LABELS = ("C", "D")
PROMPTS = [
    scenario_prompt(load_template(template), DEFAULTS[game], context(name))
    for template in ("study", "vignette")
    for game in ("prisoners_dilemma", "harmony")
    for name in ("friends", "business")
]


def test_probabilities_are_those_of_a_plain_forward_pass(referee: Path) -> None:
    plain = PlainModel(referee)
    wanted = [[plain.probability(prompt, label) for label in LABELS] for prompt in PROMPTS]
    for batch_tokens in (16_384, 700):  # all questions in one batch, and a few with other padding
        model = open_model(f"gguf:{referee}", dtype="float32", batch_tokens=batch_tokens)
        found = model.respond([Request(prompt, LABELS) for prompt in PROMPTS])
        for response, alone in zip(found, wanted, strict=True):
            ours = [math.exp(value) for value in response.logprobs]
            assert ours == pytest.approx(alone, abs=1e-5)
            assert ours[0] / sum(ours) == pytest.approx(alone[0] / sum(alone), abs=1e-5)
