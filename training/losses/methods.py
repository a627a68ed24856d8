"""The methods of distillation by name."""

from dilemmas.training.demonstrations import Demonstration, Speller
from dilemmas.training.lora import LoraSettings
from dilemmas.training.losses.consistency import answers
from dilemmas.training.losses.hard_labels import hard_labels
from dilemmas.training.losses.soft_labels import soft_labels
from dilemmas.training.losses.soft_labels_and_motivation import soft_labels_and_motivation
from dilemmas.training.losses.token_divergence import reply_tokens
from dilemmas.training.packing.lessons import Lesson


def lessons_of(speller: Speller, shown: Demonstration, settings: LoraSettings) -> tuple[Lesson, ...]:
    """What is learned from a demonstration with the method of the settings; without labels, its reply."""
    compared = settings.consistency and shown.situation and len(shown.labels) > 1
    return (*_taught(speller, shown, settings), *(answers(speller, shown) if compared else ()))


def _taught(speller: Speller, shown: Demonstration, settings: LoraSettings) -> tuple[Lesson, ...]:
    if settings.method == "tokens":
        return reply_tokens(speller, shown)
    if not shown.labels:
        return hard_labels(speller, shown)
    if settings.method == "soft":
        return soft_labels(speller, shown)
    if settings.method == "motivated":
        return soft_labels_and_motivation(speller, shown, settings.motivation)
    return hard_labels(speller, shown)
