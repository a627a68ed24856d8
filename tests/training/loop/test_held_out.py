"""Whole situations are held out, the divergence there is that of the actions, and training ends where it is lowest."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from dilemmas.agents.models.backend import Request  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402
from dilemmas.envs.errors import InputError  # noqa: E402
from dilemmas.training.demonstrations import Demonstration, Speller  # noqa: E402
from dilemmas.training.distill import TrainingProgress, distil  # noqa: E402
from dilemmas.training.examples import ExampleError  # noqa: E402
from dilemmas.training.loop.held_out import held_out_divergence, held_out_questions, hold_out  # noqa: E402
from dilemmas.training.loop.processes import ALONE  # noqa: E402
from dilemmas.training.lora import LoraSettings  # noqa: E402
from dilemmas.training.packing.trial import prepare_network, prepared  # noqa: E402

STUDENT = "miniature-student"
PROMPTS = [f"Your friend and you choose C or D. You get {points}." for points in range(6)]
WAYS = [
    Demonstration(f"{order}: {prompt}", labels, (0.9, 0.1), situation=prompt)
    for prompt in PROMPTS
    for order, labels in (("First", ("C", "D")), ("Second", ("D", "C")))
]
SETTINGS = LoraSettings(method="soft", rank=4, alpha=8, rate=1e-3, batch=4, steps=60, held_out=0.3, measure_every=2)


def divergence(spec: str, shown: list[Demonstration]) -> float:
    """Mean KL from the teacher, from the probabilities that the product gives."""
    found = open_model(spec, device="cpu").respond([Request(one.prompt, one.labels) for one in shown])
    total = 0.0
    for one, answer in zip(shown, found, strict=True):
        weights = [math.exp(value) for value in answer.logprobs]
        total += sum(q * math.log(q * sum(weights) / p) for q, p in zip(one.probabilities, weights, strict=True) if q)
    return total / len(shown)


def train(out: Path, shown: list[Demonstration], settings: LoraSettings, stop: int = -1) -> list[TrainingProgress]:
    steps = []
    for one in distil(*open_model(STUDENT, device="cpu").weights(), shown, settings, out, 3, save_every=3):
        steps.append(one)
        if one.step == stop:
            break
    return steps


def record(folder: Path) -> dict:
    return dict(json.loads((folder / "training.json").read_text()))


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9])
def test_whole_situations_are_held_out(share: float) -> None:
    chat = Demonstration("Hello?", (), (), "Hello.")
    taught, held = hold_out([*WAYS * 2, chat], share, seed=5)
    assert sorted(map(repr, taught + held)) == sorted(map(repr, [*WAYS * 2, chat]))
    assert chat in taught, "it has no actions to compare"
    apart = {one.situation for one in held}
    assert apart.isdisjoint({one.situation for one in taught})
    assert len(apart) == {0.01: 1, 0.3: 2, 0.5: 3, 0.9: 5}[share]


def test_another_seed_holds_out_others() -> None:
    chosen = [frozenset(one.situation for one in hold_out(WAYS, 0.3, seed)[1]) for seed in range(8)]
    assert len(set(chosen)) > 3
    assert hold_out(WAYS, 0.3, 1) == hold_out(WAYS, 0.3, 1)


def test_questions_without_a_situation_are_one_each() -> None:
    taught, held = hold_out([replace(one, situation="") for one in WAYS], 0.5, seed=0)
    assert (len(taught), len(held)) == (6, 6)
    assert hold_out(WAYS, 0, seed=0) == (WAYS, [])


@pytest.mark.parametrize("shown", [WAYS[:2], [Demonstration("C?", (), (), "C")] * 3])
def test_one_situation_cannot_be_held_out(shown: list[Demonstration], tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match="needs two or more situations"):
        train(tmp_path, shown, SETTINGS)


@pytest.mark.parametrize("tokens", [10_000, 30])
def test_the_divergence_is_that_of_the_probabilities_of_the_actions(tokens: int) -> None:
    model, tokenizer = open_model(STUDENT, device="cpu").weights()
    held = [replace(one, probabilities=(0.2 + 0.05 * place, 0.8 - 0.05 * place)) for place, one in enumerate(WAYS)]
    held[0] = replace(held[0], probabilities=(1.0, 0.0))
    questions = held_out_questions(Speller(tokenizer), held)
    network = prepared(prepare_network(model, [lesson for one in questions for lesson in one.answers], 0, tokens))
    found = held_out_divergence(network, questions, tokens, ALONE)
    assert found == pytest.approx(divergence(STUDENT, held), rel=1e-4)


def test_replies_are_pooled_by_question() -> None:
    _, tokenizer = open_model(STUDENT, device="cpu").weights()
    answers = [replace(WAYS[0], probabilities=shares, reply="C. So.") for shares in [(1.0, 0.0)] * 3 + [(0.0, 1.0)]]
    (question,) = held_out_questions(Speller(tokenizer), answers)
    assert question.teacher == (0.75, 0.25)


@pytest.fixture(scope="module")
def passing() -> list[Demonstration]:
    """The student is taught .97, and passes .8 on its way, which the teacher has in the situations held out."""
    apart = {one.situation for one in hold_out(WAYS[::2], 0.3, 3)[1]}
    shares = {True: (0.8, 0.2), False: (0.97, 0.03)}
    return [replace(one, probabilities=shares[one.situation in apart]) for one in WAYS[::2]]


def test_training_ends_with_the_adapter_at_the_lowest_divergence(passing, tmp_path: Path) -> None:
    settings = replace(SETTINGS, patience=6)
    steps, kept = train(tmp_path, passing, settings), record(tmp_path)
    values = [value for _, value in kept["held_out"]]
    best = min(values)
    assert [step for step, _ in kept["held_out"]] == [*range(0, len(kept["losses"]) + 1, 2)]
    assert values.index(best) == len(values) - 1 - 6, "it ended six measurements after the best"
    assert [one.step for one in steps] == list(range(len(kept["losses"]) + 1))
    assert len(kept["losses"]) < settings.steps
    assert [one.held_out for one in steps[::2]] == values
    held = hold_out(passing, settings.held_out, 3)[1]
    assert divergence(f"{STUDENT}+{tmp_path}", held) == pytest.approx(best, rel=1e-3)
    assert divergence(STUDENT, held) == pytest.approx(values[0], rel=1e-3)
    assert best < values[0] / 2
    assert f"{best:.4f} nats" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_without_patience_the_last_adapter_is_kept(passing, tmp_path: Path) -> None:
    train(tmp_path, passing, SETTINGS)
    kept = record(tmp_path)
    assert len(kept["losses"]) == SETTINGS.steps
    held = hold_out(passing, SETTINGS.held_out, 3)[1]
    assert divergence(f"{STUDENT}+{tmp_path}", held) == pytest.approx(kept["held_out"][-1][1], rel=1e-3)
    assert kept["held_out"][-1][1] > min(value for _, value in kept["held_out"])
    assert kept["examples"] == len(passing) - len(held)


@pytest.mark.parametrize("stop", [1, 10, 25])
def test_a_stopped_run_ends_with_the_same_bytes(passing, stop: int, tmp_path: Path) -> None:
    settings = replace(SETTINGS, patience=6)
    for name in ("whole", "stopped"):
        if name == "stopped":
            train(tmp_path / name, passing, settings, stop)
            assert not (tmp_path / name / "training.json").exists()
        train(tmp_path / name, passing, settings)
    for file in ("adapter_model.safetensors", "training.json", "README.md"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "stopped" / file).read_bytes()


def test_patience_needs_something_to_measure() -> None:
    with pytest.raises(InputError, match="needs held_out"):
        LoraSettings(patience=2)


def test_without_held_out_situations_nothing_is_recorded(tmp_path: Path) -> None:
    (*_, last) = train(tmp_path, WAYS, replace(SETTINGS, held_out=0, steps=2))
    assert last.held_out is None
    assert "held_out" not in {key for key in record(tmp_path) if key != "settings"}
