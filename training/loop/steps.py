"""What is taught in every optimiser step, and what of it has to be read at the same time."""

from collections.abc import Iterator, Sequence
from itertools import chain, count, zip_longest
from operator import itemgetter

import numpy as np

from dilemmas.agents.models.networks.texts import common_start
from dilemmas.training.lora import LoraSettings
from dilemmas.training.packing.lessons import SHARED, Lesson, Tokens

Taught = Sequence[Lesson]
"""What is learned from one demonstration."""
Asked = dict[Tokens, list[Taught]]
"""The demonstrations of one situation, or of one question, by question."""


def steps_of(
    shown: Sequence[Taught], situations: Sequence[str], settings: LoraSettings, seed: int
) -> list[list[Taught]]:
    """What is taught in every step, over all passes.

    A pass has every demonstration once, in random order; those of one question, or of questions that begin alike, come
    up to `settings.pack` at a time, because what they share is then read once. One demonstration of every presentation
    of a situation comes in the same step, which then may have more than `settings.batch`: they are compared there, and
    preferences for a label or a place, which differ between them, cancel.

    `situations`: name of the situation of each demonstration; empty for none.
    """
    steps: list[list[Taught]] = []
    step: list[Taught] = []
    for inseparable in _in_order(shown, situations, settings, seed):
        step += inseparable
        if len(step) >= settings.batch:
            steps.append(step)
            step = []
        if len(steps) == settings.steps > 0:
            return steps
    return [*steps, step] if step else steps


def _in_order(
    shown: Sequence[Taught], situations: Sequence[str], settings: LoraSettings, seed: int
) -> Iterator[list[Taught]]:
    """Demonstrations in the order of training, those together that have to come in one step."""
    alike: dict[str | Tokens, Asked] = {}
    for lessons, situation in zip(shown, situations, strict=True):
        question = lessons[0].question
        alike.setdefault(situation or question, {}).setdefault(question, []).append(lessons)
    families = _families(list(alike.values()), settings.pack)
    for number in count() if settings.steps else range(settings.epochs):
        rng = np.random.default_rng([seed, number])
        groups: list[list[list[Taught]]] = []
        for family in families:
            rounds = [one for asked in family for one in _rounds(asked, rng)]
            mixed = [rounds[i] for i in rng.permutation(len(rounds))]
            size = max(1, settings.pack // len(mixed[0]))
            groups += [mixed[start : start + size] for start in range(0, len(mixed), size)]
        yield from chain.from_iterable(groups[i] for i in rng.permutation(len(groups)))


def _rounds(asked: Asked, rng: np.random.Generator) -> list[list[Taught]]:
    """One demonstration of every question in each, as long as there are any, in random order."""
    mixed = ([same[i] for i in rng.permutation(len(same))] for same in asked.values())
    return [[one for one in each if one is not None] for each in zip_longest(*mixed)]


def _families(every: Sequence[Asked], pack: int) -> list[list[Asked]]:
    """Situations and questions in families: those with fewer than `pack` demonstrations with those that begin alike,
    each other one alone."""
    many = [[asked] for asked in every if sum(map(len, asked.values())) >= pack]
    few = sorted(((min(asked), asked) for asked in every if sum(map(len, asked.values())) < pack), key=itemgetter(0))
    joined: list[list[Asked]] = []
    before: Tokens = ()
    for question, asked in few:
        if joined and common_start(before, question) >= SHARED * len(question):
            joined[-1].append(asked)
        else:
            joined.append([asked])
        before = question
    return [*many, *joined]


def bundles_of(step: Sequence[Taught]) -> list[list[Lesson]]:
    """What is taught in a step, as bundles of lessons that have to be read at the same time."""
    bundles: dict[object, list[Lesson]] = {}
    for place, lessons in enumerate(step):
        bundles.setdefault(_compared(lessons) or place, []).extend(lessons)
    return list(bundles.values())


def _compared(lessons: Taught) -> str:
    """The situation whose presentations are compared, if they are."""
    return next((lesson.answer.situation for lesson in lessons if lesson.answer), "")
