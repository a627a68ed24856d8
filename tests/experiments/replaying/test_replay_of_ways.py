"""Decisions after a reasoning, a prediction or a stated mixed strategy are reproduced; changes in them are found."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from recorded_matches import model, record, replay, share

from dilemmas.agents.agent import Deliberation, Unreadable
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.matches.trajectory import read_trajectory
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.prompts.template_choices import TemplateChoice
from dilemmas.envs.prompts.templates import load_template
from dilemmas.experiments.replaying import reenact

STATEMENTS = ("J 70%", "always F", "Hm.", "I expect the other person to choose J. I choose F.")


def answer(request: Request) -> Response:
    first = 0.2 + 0.6 * share(request.prompt, request.begun)
    count = len(request.labels)
    shares = [first, *[(1 - first) / max(1, count - 1)] * (count - 1)]
    text = STATEMENTS[int(len(STATEMENTS) * share(request.prompt, request.seed))]
    return Response(tuple(math.log(0.9 * p) for p in shares[:count]), text)


def player(way: str, continues: bool = True, **settings: Any) -> LanguageModelAgent:
    backend = FakeBackend(answer, "little", "0123", continues=continues)
    return model(backend=backend, template=load_template(way), presentation="counterbalanced", **settings)


@pytest.mark.filterwarnings("ignore:little does not score")
@pytest.mark.parametrize("policy", [Unreadable.ABORT, Unreadable.UNIFORM])
@pytest.mark.parametrize("way", ["motivate", "reason", "predict", "mixed"])
@pytest.mark.parametrize("continues", [True, False])
def test_every_value_is_reproduced(tmp_path: Path, way: str, continues: bool, policy: Unreadable) -> None:
    path = record(tmp_path, [player(way, continues, retries=1, unreadable=policy), strategy("tft")])
    code, result = replay(path)
    assert (code, result["differences"], result["matches"], result["not_asked"]) == (0, [], 5, [])


@pytest.mark.parametrize("turn", [True, False])
def test_persona_labels_and_system_text_are_part_of_the_record(tmp_path: Path, turn: bool) -> None:
    words = TemplateChoice("vignette", "nurse,farmer", "words", "Be brief.").of()
    backend = FakeBackend(answer, "little", "0123", system_turn=turn)
    path = record(tmp_path, [model(backend=backend, template=words, presentation="counterbalanced"), strategy("tft")])
    header, matches = read_trajectory(path)
    told = header.agents[0].parameters
    assert (told["labels"], list(told["personas"])) == (["left", "right"], ["nurse", "farmer"])
    assert (told["system"], told["system_turn"]) == ("Be brief.", turn)
    prompts = [step[0].decision.prompt or "" for match in matches for step in match.steps]
    assert {"a 41-year-old nurse" in prompt for prompt in prompts} == {True, False}
    code, result = replay(path)
    assert (code, result["differences"]) == (0, [])


@pytest.mark.parametrize("way", ["study", "mixed"])
def test_thoughts_are_part_of_the_record(tmp_path: Path, way: str) -> None:
    def thinking(request: Request) -> Response:
        return replace(answer(request), thoughts=f"Hm {request.seed[-1]}.")

    backend, words = FakeBackend(thinking, "little", "0123"), load_template(way)
    agent = model(backend=backend, template=words, ask="sampled", retries=2, unreadable=Unreadable.UNIFORM)
    path = record(tmp_path, [agent, strategy("tft")])
    assert '"thoughts":"Hm ' in path.read_text().replace('": "', '":"')
    code, result = replay(path)
    assert (code, result["differences"]) == (0, [])


@pytest.mark.parametrize("way", ["reason", "predict", "mixed"])
def test_the_model_can_be_asked_again(tmp_path: Path, way: str) -> None:
    agent = player(way, unreadable=Unreadable.UNIFORM)
    header, matches = read_trajectory(record(tmp_path, [agent, strategy("tft")]))
    (match, *_) = matches
    witness = reenact.witness(header.agents[0], header, agent.backend)
    assert witness is not None
    assert _differences(header, match, witness) == []


def _differences(header: Any, match: MatchRecord, witness: reenact.Witness) -> list[reenact.Difference]:
    from dilemmas.envs.pettingzoo_api.parallel_env import parallel

    env = parallel("prisoners_dilemma", views=True, **header.options)
    return reenact.reenact(env, header, match, [witness, None])


@pytest.mark.parametrize(
    ("way", "field"),
    [("reason", "deliberations"), ("reason", "probabilities"), ("predict", "prediction"), ("mixed", "deliberations")],
)
def test_a_change_is_found(tmp_path: Path, way: str, field: str) -> None:
    changed = {
        "deliberations": (Deliberation("J 10%", (0.9, 0.1)),),
        "probabilities": (0.9, 0.1),
        "prediction": (0.99, 0.01),
    }

    def edit(match: MatchRecord) -> MatchRecord:
        first, *others = match.steps[0]
        decision = replace(first.decision, **{field: changed[field]})
        return replace(match, steps=((replace(first, decision=decision), *others), *match.steps[1:]))

    agents = [player(way, unreadable=Unreadable.UNIFORM), strategy("tft")]
    code, result = replay(record(tmp_path, agents, edit=edit))
    assert code == 1
    assert result["differences"]


def test_what_was_written_is_in_the_file(tmp_path: Path) -> None:
    path = record(tmp_path, [player("reason"), strategy("tft")])
    steps = [json.loads(line) for line in path.read_text().splitlines() if '"step":1' in line]
    assert steps[0]["moves"][0]["decision"]["deliberations"][0].keys() == {"text", "probabilities"}
