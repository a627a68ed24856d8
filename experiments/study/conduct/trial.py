"""How long a study takes and how much memory, estimated from a few timed questions to models on this machine.

The models are loaded, and all their questions are checked as before the run. Not included are the loading of the models
and what they write in matches. Times are upper limits rather than means: replies and texts are taken to be as long as
they may be, what questions have in common to be read for each of them, and training, in the layers that are tuned, to
cost three times as much as scoring, for the forward and the backward pass.
"""

import resource
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dilemmas.agents.models.asking.pace import is_small
from dilemmas.agents.models.backend import Backend, Request
from dilemmas.agents.models.model_files import check_installed
from dilemmas.agents.models.open_model import open_local
from dilemmas.agents.specifications import is_model
from dilemmas.envs.errors import InputError
from dilemmas.experiments.study import playing, stages
from dilemmas.experiments.study.answers import Role
from dilemmas.experiments.study.conduct.ahead import listed_questions
from dilemmas.experiments.study.conduct.procedure import ask_further, check_without_loading, cost
from dilemmas.experiments.study.recipe import Recipe

PROMPTS = 4
"""Questions that are timed."""
TOKENS = 16
"""Tokens of a timed text, at most."""
TRAINING = 3
"""Time of training on a question, in times of scoring it."""


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """What a model of a study is estimated to need."""

    not_measured: str
    """Why it was not measured; empty if it was."""
    seconds_per_question: float | None = None
    """To score the labels of a question; 0 where none are scored."""
    seconds_per_text: float | None = None
    """To write a reply or a reasoning of the greatest length."""
    seconds: float | None = None
    """For all questions, texts and, of the student, training."""
    memory_bytes: int | None = None
    """Largest memory of the process up to then, or of the GPU that the model is on; training needs more."""


def estimate(recipe: Recipe) -> dict[str, ModelEstimate]:
    """What the teacher and the student need.

    `InputError` if a model on this machine cannot be used, or one of its questions is too long for it.
    """
    named = {"teacher": recipe.models.teacher, "student": recipe.models.student}
    return {role: _measured(recipe, role, spec) for role, spec in named.items()}


def _measured(recipe: Recipe, role: str, spec: str) -> ModelEstimate:
    if not is_model(spec):
        return ModelEstimate("it is no language model, and answers at once")
    if reason := check_without_loading(spec):
        return ModelEstimate(reason)
    try:
        check_installed()
    except InputError as error:
        return ModelEstimate(str(error))
    model = open_local(spec, device=recipe.models.device, dtype=recipe.models.dtype, ask_hub=False)
    asked: Role = "teacher" if role == "teacher" else "untuned"
    stages.check_room(recipe, asked, model)
    playing.check_play(recipe, model)
    question, text = _timed(recipe, asked, model)
    further = len(listed_questions(partial(ask_further, recipe, asked), model))
    seconds = question * further + _answers(recipe, question, text)
    if role == "student":
        seconds = 2 * seconds + question * _training(recipe, model.loaded().model)
    memory = _memory(str(model.loaded().model.device))
    model.unload()
    return ModelEstimate("", question, text, seconds, memory)


def _timed(recipe: Recipe, role: str, model: Backend) -> tuple[float, float]:
    """Seconds per question, and per text of full length, in batches as small as those of the run or smaller."""
    asked = stages.questions_asked(recipe, role, model)
    some = asked[:: -(-len(asked) // PROMPTS)]
    scored = [replace(one, max_tokens=0) for one in some if one.labels]
    together = 2 * PROMPTS if is_small(model) else max(1, model.portion // len(some))
    written = [
        replace(one, labels=(), max_tokens=min(TOKENS, one.max_tokens), seed=(number,))
        for one in some
        for number in range(together)
    ]
    model.respond([replace(some[0], max_tokens=1)])  # the first question takes longer
    question = _seconds(model, scored) / max(1, len(scored))
    return question, _seconds(model, written) / len(written) * max(1.0, some[0].max_tokens / TOKENS)


def _seconds(model: Backend, requests: list[Request]) -> float:
    begun = time.monotonic()
    if requests:
        model.respond(requests)
    return time.monotonic() - begun


def _answers(recipe: Recipe, question: float, text: float) -> float:
    """Seconds of the answers to all scenarios."""
    scenarios = [scenario for group in recipe.sets().values() for scenario in group]
    ways, decision = sum(len(list(recipe.ways(one.game))) for one in scenarios), recipe.prompting.template.decision
    texts = ways * decision.samples if recipe.prompting.template.writes else 0
    return question * (ways + texts) + text * (texts + len(scenarios) * recipe.drawn)


def _training(recipe: Recipe, model: Any) -> float:
    """Time of the training, in times of scoring a question; what layers below the tuned ones compute is kept."""
    layers: int = model.config.get_text_config().num_hidden_layers
    tuned = min(recipe.lora.layers or layers, layers) / layers
    visits = cost(recipe)["training_steps"] * recipe.lora.batch
    return TRAINING * tuned * visits + (1 - tuned) * recipe.demonstrations


def _memory(device: str) -> int:
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
