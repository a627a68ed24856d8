"""Whether a model's answers are scored, or sampled and read, in the way of a template, and the room that they need."""

import warnings

from dilemmas.agents.models.backend import Backend, ModelError
from dilemmas.envs.prompts.templates import Template

ANSWER_TOKENS = 32
"""Tokens for the answer after a reasoning or a prediction, in the same reply or scored."""

RETRIES = 5
"""Further replies after an unreadable one."""


def why_sampled(backend: Backend, template: Template) -> str:
    """Why a model's answers can only be sampled and read, in the way of a template; empty if they are scored.

    Labels are scored after a text where the model writes one first, or the beginning of its reply is written for it.
    Where probabilities are stated in words, nothing is scored.
    """
    if template.decision.way == "mixed":
        return ""
    if not backend.scores:
        return f"{backend.name} gives no log-probabilities of its answers"
    if (template.deliberate or template.reply_begins) and not backend.continues:
        return f"{backend.name} does not score what follows a begun reply, as template '{template.name}' needs"
    return ""


def scores_labels(backend: Backend, template: Template) -> bool:
    """Whether a model is asked for the probabilities of labels, in the way of a template."""
    return template.decision.way != "mixed" and not why_sampled(backend, template)


def warn_if_sampled(backend: Backend, template: Template) -> bool:
    """Whether a model's answers can only be sampled and read; a warning says why."""
    why = why_sampled(backend, template)
    if why:
        warnings.warn(f"{why}, so its replies are sampled and read: nothing is exact", stacklevel=3)
    return bool(why)


def require_scores(backend: Backend, template: Template) -> None:
    """`ModelError` if a model's answers can only be sampled and read."""
    if why := why_sampled(backend, template):
        raise ModelError(
            f"{why}, so there are no exact probabilities; use another server, a template in which the model answers at"
            " once and no beginning of its reply is written for it, or sampled answers (`dilemmas ask` without --exact,"
            " `dilemmas tournament run`)"
        )


def further_replies(template: Template, sampled: bool) -> int:
    """How often a model is asked again after an unreadable reply, where replies are read; then a match is aborted.

    `sampled`: whether all its answers are sampled and read.
    """
    return RETRIES if sampled or template.decision.way == "mixed" else 0


def room_to_decide(backend: Backend, template: Template) -> int:
    """Most tokens after a question about which a model writes something before it decides, the answer included."""
    decision = template.decision
    if decision.way == "predict" and not why_sampled(backend, template):
        return ANSWER_TOKENS
    return decision.tokens + (0 if decision.way == "mixed" else ANSWER_TOKENS)
