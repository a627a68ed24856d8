"""What is taught in every optimiser step, and what of it has to be read at the same time."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count, zip_longest

import numpy as np

from dilemmas.training.lora import LoraSettings
from dilemmas.training.packing.lessons import SHARED, Lesson, Tokens, shared

Taught = Sequence[Lesson]
"""What is learned from one demonstration."""


def steps_of(shown: Sequence[Taught], settings: LoraSettings, seed: int) -> list[list[Taught]]:
    """What is taught in every step, over all passes.

    A pass has every demonstration once, in random order; those of one question, or of questions that begin alike, come
    up to `settings.pack` at a time, because what they share is then read once. Where presentations of a situation are
    compared, one demonstration of each of them comes in the same step, which then may have more than `settings.batch`.
    """
    steps: list[list[Taught]] = []
    step: list[Taught] = []
    for inseparable in _in_order(shown, settings, seed):
        step += inseparable
        if len(step) >= settings.batch:
            steps.append(step)
            step = []
        if len(steps) == settings.steps > 0:
            return steps
    return [*steps, step] if step else steps


def _in_order(shown: Sequence[Taught], settings: LoraSettings, seed: int) -> Iterator[list[Taught]]:
    """Demonstrations in the order of training, those together that have to come in one step."""
    alike: dict[str | Tokens, dict[Tokens, list[Taught]]] = {}
    for lessons in shown:
        question = lessons[0].question
        alike.setdefault(_situation(lessons) or question, {}).setdefault(question, []).append(lessons)
    together = _begin_alike(alike, settings.pack)
    for number in count() if settings.steps else range(settings.epochs):
        rng = np.random.default_rng([seed, number])
        groups: list[list[list[Taught]]] = []
        for asked in together:
            mixed = ([same[i] for i in rng.permutation(len(same))] for same in asked.values())
            rounds = [[one for one in each if one is not None] for each in zip_longest(*mixed)]
            size = max(1, settings.pack // len(asked))
            groups += [rounds[start : start + size] for start in range(0, len(rounds), size)]
        yield from chain.from_iterable(groups[i] for i in rng.permutation(len(groups)))


def _begin_alike(
    alike: Mapping[str | Tokens, dict[Tokens, list[Taught]]], pack: int
) -> list[dict[Tokens, list[Taught]]]:
    """The questions by situation or question; those with fewer than `pack` demonstrations with those that begin alike.

    `alike`: the demonstrations by question, by their situation or, where none is compared, by their question.
    """
    few = {key: asked[key] for key, asked in alike.items() if isinstance(key, tuple) and len(asked[key]) < pack}
    joined: list[dict[Tokens, list[Taught]]] = []
    before: Tokens = ()
    for question in sorted(few):
        if joined and shared(before, question) >= SHARED * len(question):
            next(iter(joined[-1].values())).extend(few[question])
        else:
            joined.append({question: list(few[question])})
        before = question
    return [*(asked for key, asked in alike.items() if key not in few), *joined]


def bundles_of(step: Sequence[Taught]) -> list[list[Lesson]]:
    """What is taught in a step, as bundles of lessons that have to be read at the same time."""
    bundles: dict[object, list[Lesson]] = {}
    for place, lessons in enumerate(step):
        bundles.setdefault(_situation(lessons) or place, []).extend(lessons)
    return list(bundles.values())


def _situation(lessons: Taught) -> str:
    """The situation whose presentations are compared, if they are."""
    return next((lesson.answer.situation for lesson in lessons if lesson.answer), "")
