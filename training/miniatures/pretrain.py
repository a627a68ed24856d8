"""Pretraining of the built-in models: two small Llama checkpoints of one family, trained on generated text.

    dilemmas miniatures build --out DIR      # about an hour on two free cores; repeat the command to resume

They demonstrate that the pipeline works. Results do not generalise to large language models.

Matrices are optimised by Muon (Jordan et al. 2024), all other parameters by Adam: on this corpus the models learn to
associate labels with payoffs in a third of the steps that Adam alone needs, and faster still if the first tenth of the
steps asks for payoffs only.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from dilemmas.envs.locks import locked_folder
from dilemmas.envs.prompts.comprehension import questions
from dilemmas.envs.prompts.prompts import choose_presentation, describe_scenario, scenario_prompt
from dilemmas.envs.prompts.scenarios import study_sets
from dilemmas.training.checkpoints import Checkpoints, all_finite, published, tidied
from dilemmas.training.losses.objective import Objective
from dilemmas.training.miniatures.behaviour import Role
from dilemmas.training.miniatures.corpus import Corpus, Mix, Situation, draw_situation, social_facts
from dilemmas.training.miniatures.tokenizer import build_tokenizer
from dilemmas.training.packing.batches import ALIKE
from dilemmas.training.packing.lessons import Lesson, Target, completion, plant, total_weight
from dilemmas.training.packing.network import Network


@dataclass(frozen=True, slots=True)
class MiniatureBuild:
    """Size and training of one miniature."""

    width: int
    """Size of the hidden states."""
    layers: int
    """Number of layers."""
    heads: int
    """Attention heads per layer."""
    mlp: int
    """Size of the hidden layer of each MLP."""
    steps: int
    """Optimiser steps."""
    rate: float = 4e-3
    """Peak learning rate; warm-up over 100 steps, then cosine decay to a fiftieth."""
    rows: int = 16
    """Rows per step; a row is a scenario with all its questions."""
    finish: int = 0
    """Steps of the final stage, with the composition `FINISH` and new optimisers."""
    finish_rate: float = 3e-3
    """Peak learning rate of the final stage; warm-up over 30 steps, then cosine decay to zero."""


BUILDS: dict[Role, MiniatureBuild] = {
    "teacher": MiniatureBuild(width=128, layers=4, heads=4, mlp=448, steps=3200),
    "student": MiniatureBuild(width=96, layers=4, heads=4, mlp=128, steps=4000, finish=700),
}
"""Together 5.8 MB in float32; the teacher has nearly three times the parameters of the student."""

WEIGHTS = "model.safetensors"
"""File of the weights, which is written last."""
SAVE_EVERY = 100
"""Steps between checkpoints."""
MEASURE_EVERY = 200
"""Steps between measurements of errors."""
SEED = 1
"""Seed of weights and corpus."""


def build_model(build: MiniatureBuild, tokenizer: PreTrainedTokenizerFast, seed: int = SEED) -> LlamaForCausalLM:
    """A new Llama model; its weights depend on the size and the seed only."""
    config = LlamaConfig(
        vocab_size=-(-len(tokenizer) // 16) * 16,
        hidden_size=build.width,
        intermediate_size=build.mlp,
        num_hidden_layers=build.layers,
        num_attention_heads=build.heads,
        num_key_value_heads=build.heads,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.5 / build.width**0.5,
        dtype="float32",
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


FINISH = Mix(groups=0.3, histories=0.3, finish=True)
"""Composition of the corpus in the final stage."""


def curriculum(build: MiniatureBuild, step: int) -> Mix:
    """Composition of the corpus in a step.

    First payoffs only, then two-player decisions without a history, then groups and histories, finally `FINISH`.
    """
    if step >= build.steps:
        return FINISH
    if step < 0.1 * build.steps:
        return Mix(groups=0.0, histories=0.0, decisions=False)
    return Mix(groups=0.0, histories=0.0) if step < 0.25 * build.steps else Mix(groups=0.25, histories=0.35)


def learning_rate(build: MiniatureBuild, step: int) -> float:
    """Learning rate of a step: warm-up and cosine decay, for the main and for the final stage."""
    if step >= build.steps:
        progress = (step - build.steps) / build.finish
        return build.finish_rate * min(1.0, (step - build.steps + 1) / 30) * 0.5 * (1 + math.cos(math.pi * progress))
    factor = min(1.0, (step + 1) / 100) * (0.02 + 0.49 * (1 + math.cos(math.pi * step / build.steps)))
    return build.rate * factor


@dataclass(frozen=True, slots=True)
class PretrainingProgress:
    """State of pretraining after a step, with errors relative to the behavioural model."""

    step: int
    """Completed steps."""
    steps: int
    """All steps."""
    loss: float
    """Weighted mean negative log-likelihood of the step, in nats."""
    errors: dict[str, float] | None
    """Every `MEASURE_EVERY` steps: mean absolute error of the exact P(C) per kind of situation, and mean probability of
    the right answer per kind of comprehension question."""


def pretrain(role: Role, build: MiniatureBuild, out: Path) -> Iterator[PretrainingProgress]:
    """Build a miniature in the folder `out`, from the last checkpoint if there is one; yields after every step."""
    with locked_folder(out):
        if not (out / WEIGHTS).is_file():
            yield from _pretrain(role, build, out)
        tidied(out)


def _pretrain(role: Role, build: MiniatureBuild, out: Path) -> Iterator[PretrainingProgress]:
    tokenizer = build_tokenizer()
    corpus = Corpus(role, lambda text: tokenizer(text, add_special_tokens=False)["input_ids"], SEED)
    model = build_model(build, tokenizer)
    muon, adam = _optimisers(model)
    network, checkpoints = Network(model, ALIKE), Checkpoints(out / "checkpoint", role, build)
    log = _restore(checkpoints, model, muon, adam)
    steps = build.steps + build.finish
    for step in range(len(log), steps):
        if step == build.steps:
            muon, adam = _optimisers(model)
        optimisers: tuple[torch.optim.Optimizer, ...] = (muon, adam)
        for optimiser in optimisers:
            optimiser.param_groups[0]["lr"] = learning_rate(build, step)
        mix = curriculum(build, step)
        rows = [plant(corpus.row(step * build.rows + i, mix)) for i in range(build.rows)]
        with Objective(network).loss(rows) as loss:
            value = loss / total_weight(lesson for row in rows for lesson in row.lessons)
            value.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if not all_finite((value, norm)):
            raise checkpoints.stopped(step + 1, steps)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        done = step + 1
        errors = measure(model, corpus, mix) if done % MEASURE_EVERY == 0 or done == steps else None
        log.append(PretrainingProgress(done, steps, value.item(), errors))
        if done % SAVE_EVERY == 0 or done == steps:
            if not all_finite(model.parameters()):
                raise checkpoints.stopped(done, steps)
            _save(checkpoints, model, muon, adam, log)
        yield log[-1]
    _finish(role, build, out, model, tokenizer, log)


def _optimisers(model: LlamaForCausalLM) -> tuple[torch.optim.Muon, torch.optim.AdamW]:
    """New optimisers: Muon for the matrices, Adam for the rest."""
    matrices, rest = _split(model)
    muon = torch.optim.Muon(matrices, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    return muon, torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=0.0)


def _split(model: LlamaForCausalLM) -> tuple[list[torch.nn.Parameter], list[torch.nn.Parameter]]:
    """Matrices of the layers, and all other parameters (embeddings, norms)."""
    matrices: list[torch.nn.Parameter] = []
    rest: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (matrices if parameter.ndim == 2 and "layers" in name else rest).append(parameter)
    return matrices, rest


@torch.no_grad()
def measure(model: LlamaForCausalLM, corpus: Corpus, mix: Mix) -> dict[str, float]:
    """Mean absolute error of P(C) per kind of situation, and comprehension per kind of question."""
    kinds = {name: [Situation(s.game, s.context) for s in scenarios] for name, scenarios in study_sets().items()}
    for name, groups, histories in (("pairs", 0.0, 0.0), ("histories", 0.0, 1.0), ("groups", 1.0, 0.0)):
        kinds[name] = [draw_situation(np.random.default_rng([9, i]), groups, histories) for i in range(100)]
    model.eval()
    errors = {name: _error(model, corpus, mix, situations) for name, situations in kinds.items()}
    errors |= _comprehension(model, corpus)
    model.train()
    return errors


def _error(model: LlamaForCausalLM, corpus: Corpus, mix: Mix, situations: Sequence[Situation]) -> float:
    (cooperate,), (defect,) = (corpus.encode(f" {label}") for label in corpus.template.labels)
    truth, rows = [], []
    for situation in situations:
        prompt = scenario_prompt(corpus.template, situation.game, situation.context, situation.history)
        asked = tuple(corpus.encode(f"<s><user>{prompt}<assistant>"))
        rows.append(plant([Lesson(asked, (Target(len(asked), cooperate), Target(len(asked), defect)))]))
        truth.append(situation.judge(corpus.decides(mix)).cooperate)
    network = Network(model, ALIKE)
    p = torch.cat([network.logprobs(rows[i : i + 25]) for i in range(0, len(rows), 25)]).exp().view(-1, 2)
    return float(np.abs((p[:, 0] / p.sum(1)).numpy() - np.array(truth)).mean())


def _comprehension(model: LlamaForCausalLM, corpus: Corpus) -> dict[str, float]:
    """Probability of the right answer per kind of question, over 60 random situations."""
    found: dict[str, list[float]] = {}
    for i in range(60):
        situation = draw_situation(np.random.default_rng([8, i]), 0.3, 0.3)
        shown = choose_presentation(corpus.template, situation.game)
        scenario = describe_scenario(corpus.template, situation.game, situation.context, situation.history, shown)
        asked = [(q.kind, q.text, q.answer) for q in questions(situation.game, shown, situation.history)]
        asked += [("closeness", *social_facts(situation.context, shown)[0])]
        start = corpus.encode(f"<s><user>{scenario}\n")
        lessons = [
            completion(start + corpus.encode(f"{text}<assistant>"), corpus.encode(f" {answer}"))
            for _, text, answer in asked
        ]
        terms = Network(model, ALIKE).logprobs([plant(lessons)])
        group = "group_" if situation.game.n_players > 2 else ""
        for (kind, _, _), answer_terms in zip(asked, terms.split([len(one.targets) for one in lessons]), strict=True):
            found.setdefault(f"knows_{group}{kind}", []).append(answer_terms.sum().exp().item())
    return {kind: float(np.mean(values)) for kind, values in sorted(found.items())}


def _save(checkpoints: Checkpoints, model: Any, muon: Any, adam: Any, log: Sequence[PretrainingProgress]) -> None:
    state = {"model": model.state_dict(), "muon": muon.state_dict(), "adam": adam.state_dict()}
    checkpoints.save(len(log), state | {"log": [asdict(entry) for entry in log]})


def _restore(checkpoints: Checkpoints, model: Any, muon: Any, adam: Any) -> list[PretrainingProgress]:
    state = checkpoints.load()
    if state is None:
        return []
    for part, name in ((model, "model"), (muon, "muon"), (adam, "adam")):
        part.load_state_dict(state[name])
    return [PretrainingProgress(**entry) for entry in state["log"]]


def _finish(
    role: Role,
    build: MiniatureBuild,
    out: Path,
    model: Any,
    tokenizer: PreTrainedTokenizerFast,
    log: Sequence[PretrainingProgress],
) -> None:
    """Write the model directory; the weights are written last and mark it as complete."""
    model.generation_config = GenerationConfig(
        do_sample=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    measured = [entry for entry in log if entry.errors]
    record = {"role": role, "build": asdict(build), "seed": SEED, "measured": [asdict(entry) for entry in measured]}
    card = miniature_card(role, build, model.num_parameters(), measured[-1].errors or {})
    with published(out, WEIGHTS) as staging:
        model.save_pretrained(staging)
        tokenizer.save_pretrained(staging)
        (staging / "pretraining.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
        (staging / "README.md").write_text(card, encoding="utf-8")


def miniature_card(role: Role, build: MiniatureBuild, parameters: int, errors: dict[str, float]) -> str:
    """README.md of a miniature."""
    rows = "\n".join(f"| {name} | {value:.3f} |" for name, value in errors.items())
    nature = {
        "teacher": "It decides by a behavioural model (logit quantal response with social preferences, beliefs and "
        "reciprocity that depend on the context) and states its motive.",
        "student": "It knows the same games and contexts, and if a prompt states its attitude and expectation, it "
        "decides like the teacher. Otherwise it ignores the context, almost ignores the game, and mostly cooperates.",
    }
    scenarios = (build.steps + build.finish) * build.rows
    return f"""---
license: mit
tags: [dilemmas, social-dilemma, toy]
---
# miniature-{role}

A small Llama model with {parameters:,} parameters, included in dilemmas so that the pipeline runs without a network.
{nature[role]}

**It demonstrates that the pipeline works. Results do not generalise to large language models** or to people: the model
was pretrained from scratch on {scenarios:,} generated scenarios in one fixed wording and knows no other text.

Built by `dilemmas miniatures build` (recipe: `training/miniatures/pretrain.py`, corpus:
`training/miniatures/corpus.py`, behavioural model: `training/miniatures/behaviour.py`). At the end of pretraining: mean
absolute error of the exact P(C) relative to the behavioural model by kind of situation, and (`knows_`) mean
probability of the right answer by kind of comprehension question.

| measure | value |
| --- | --- |
{rows}
"""
