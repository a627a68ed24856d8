"""The built-in models: what they were built to know, measured against the truth behind their corpus."""

import json
from pathlib import Path

import numpy as np
import pytest

from dilemmas.envs.prompts.prompts import action_question, choose_presentation, scenario_prompt

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file

from dilemmas.agents.models.answers import exact_distributions
from dilemmas.agents.models.comprehension import comprehension_scores
from dilemmas.agents.models.local import LocalBackend
from dilemmas.agents.models.open_model import open_model
from dilemmas.envs.prompts.scenarios import study_sets
from dilemmas.envs.prompts.templates import load_template
from dilemmas.training.demonstrations import Speller, from_example
from dilemmas.training.examples import Example
from dilemmas.training.losses.hard_labels import hard_labels
from dilemmas.training.miniatures import pretrain as miniatures
from dilemmas.training.miniatures.behaviour import TEACHER
from dilemmas.training.miniatures.corpus import Corpus, Mix, Situation, draw_situation
from dilemmas.training.miniatures.tokenizer import CHAT_TEMPLATE

FOLDER = Path(__file__).parents[3] / "agents" / "models" / "miniatures"
STUDY = load_template("study")
ORDINARY = Mix(groups=0.3, histories=0.3)


@pytest.fixture(scope="module")
def teacher() -> LocalBackend:
    return open_model("miniature-teacher", device="cpu").loaded()


@pytest.fixture(scope="module")
def student() -> LocalBackend:
    return open_model("miniature-student", device="cpu").loaded()


def cooperation(backend: LocalBackend, situations: list[Situation]) -> np.ndarray:
    prompts = [scenario_prompt(STUDY, s.game, s.context, s.history) for s in situations]
    found = exact_distributions(backend, [(prompt, STUDY.labels) for prompt in prompts])
    assert min(distribution.mass for distribution in found) > 0.95  # they answer with a label
    return np.array([distribution.probabilities[0] for distribution in found])


def truth(situations: list[Situation]) -> np.ndarray:
    return np.array([s.judge(TEACHER).cooperate for s in situations])


@pytest.mark.parametrize("name", list(study_sets()))
def test_the_teacher_follows_the_stated_model(teacher: LocalBackend, name: str) -> None:
    situations = [Situation(s.game, s.context) for s in study_sets()[name]]
    assert np.abs(cooperation(teacher, situations) - truth(situations)).mean() < 0.06


@pytest.mark.parametrize(("groups", "histories"), [(0, 0), (0, 1), (1, 0)])
def test_the_teacher_follows_it_in_unseen_games(teacher: LocalBackend, groups: float, histories: float) -> None:
    situations = [draw_situation(np.random.default_rng([5, i]), groups, histories) for i in range(80)]
    played, right = cooperation(teacher, situations), truth(situations)
    assert np.corrcoef(played, right)[0, 1] > 0.95


def test_the_student_is_cooperative_almost_indifferent_and_blind_to_the_context(student: LocalBackend) -> None:
    scenarios = [scenario for group in study_sets().values() for scenario in group]
    rates = cooperation(student, [Situation(s.game, s.context) for s in scenarios])
    assert rates.min() > 0.65  # the teacher's go from 0 to 1
    assert rates.mean() > 0.8
    for game in {s.game.name for s in scenarios}:
        assert np.ptp([rate for s, rate in zip(scenarios, rates, strict=True) if s.game.name == game]) < 0.1


def test_the_student_has_the_knowledge_that_it_does_not_use(student: LocalBackend) -> None:
    cases = [(s.game, s.context, ()) for s in study_sets()["new_both"][::13]]
    scores = comprehension_scores(student, STUDY, cases)
    assert sum(score.right for score in scores) / sum(score.asked for score in scores) > 0.85


def test_they_are_one_family_of_two_sizes_and_small() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 6_000_000
    assert (FOLDER / "teacher" / "tokenizer.json").read_text() == (FOLDER / "student" / "tokenizer.json").read_text()
    larger, smaller = ((FOLDER / role / "model.safetensors").stat().st_size for role in ("teacher", "student"))
    assert larger > 2.5 * smaller


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_the_chat_template_marks_what_the_model_writes_for_trainers(role: str) -> None:
    """As `assistant_only_loss` of TRL needs it: exactly the tokens that are targets here, in every turn; the space
    before the reply belongs to its first token."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(FOLDER / role)
    example = Example("stag_hunt/friends", "C or D?", "C", 0, "It is best.")
    (lesson,) = hard_labels(Speller(tokenizer), from_example(example))
    turns = [{"role": "user", "content": example.prompt}, {"role": "assistant", "content": example.completion}]
    for twice in (1, 2):
        marked = tokenizer.apply_chat_template(turns * twice, return_dict=True, return_assistant_tokens_mask=True)
        learned = [token for token, mine in zip(marked["input_ids"], marked["assistant_masks"], strict=True) if mine]
        assert learned == [target.token for target in lesson.targets] * twice
    assert tokenizer.decode(learned) == " C. It is best.</s>" * 2
    assert tokenizer.chat_template == CHAT_TEMPLATE


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_plain_transformers_loads_them(role: str) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(FOLDER / role)
    assert model.config.architectures == ["LlamaForCausalLM"]
    tokenizer = AutoTokenizer.from_pretrained(FOLDER / role)
    messages = [{"role": "user", "content": "Which do you choose, C or D?"}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text == "<s><user>Which do you choose, C or D?<assistant>"


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_model_cards_state_their_limits(role: str) -> None:
    card = (FOLDER / role / "README.md").read_text()
    assert "Results do not generalise to large language models" in card
    measured = json.loads((FOLDER / role / "pretraining.json").read_text())["measured"][-1]["errors"]
    assert f"| within | {measured['within']:.3f} |" in card


def test_a_row_of_the_corpus_depends_on_seed_and_number_alone() -> None:
    corpora = [Corpus("teacher", spell, seed) for seed in (0, 0, 1)]
    rows = [corpus.row(41, ORDINARY) for corpus in corpora]
    assert rows[0] == rows[1] != rows[2]


def test_soft_labels_are_the_behavioural_models_probabilities() -> None:
    corpus = Corpus("teacher", spell, 0)
    for number in range(20):
        situation = draw_situation(np.random.default_rng([0, number]), ORDINARY.groups, ORDINARY.histories)
        expected = situation.judge(TEACHER).cooperate
        (ask,) = spell(f"{action_question(STUDY, choose_presentation(STUDY, situation.game))}<assistant>")
        decisions = [lesson for lesson in corpus.row(number, ORDINARY) if ask in lesson.tokens]
        assert decisions
        first, second = decisions[0].targets[:2]
        assert first.weight / (first.weight + second.weight) == pytest.approx(expected)


WORDS: dict[str, int] = {}


def spell(text: str) -> list[int]:
    """Every word of the corpus is one token; labels have separate tokens."""
    return [WORDS.setdefault(text, len(WORDS))]


@pytest.mark.slow
def test_a_resumed_build_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the finish, two steps behind the checkpoint, which was written before the finish began."""
    monkeypatch.setattr(miniatures, "SAVE_EVERY", 6)
    monkeypatch.setattr(miniatures, "measure", lambda *_: {"within": 0.0})
    build = miniatures.MiniatureBuild(width=16, layers=1, heads=2, mlp=16, steps=6, rows=2, finish=4)
    assert [measured.step for measured in miniatures.pretrain("student", build, tmp_path / "whole")] == [*range(1, 11)]
    for measured in miniatures.pretrain("student", build, tmp_path / "stopped"):
        if measured.step == 8:
            break
    assert [m.step for m in miniatures.pretrain("student", build, tmp_path / "stopped")] == [7, 8, 9, 10]
    whole, stopped = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "stopped"))
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)
