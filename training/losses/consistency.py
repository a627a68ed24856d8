"""Consistency: the student is to choose alike in all presentations of a situation.

L = sum_s sum_i KL(p_i || m_s), m_s = (1 / n) sum_i p_i, over the n presentations i of each situation s in a step, where
p_i(a) is the probability of the label of action a among those of all actions in presentation i. This is n times the
Jensen-Shannon divergence of the presentations (Lin 1991, IEEE Trans. Inf. Theory 37:145), at most n log n nats.

R-Drop (Liang et al. 2021, arXiv 2106.14448) draws two passes over one input together in this way, and swarm
distillation (Zhou et al. 2022, arXiv 2205.00049) several prompts of one input, both by Kullback-Leibler divergences of
pairs. Those have no bound where a presentation gives an action almost no probability, as here at the beginning: untuned
models follow the place and the name of a label. The gradient is not stopped: that through m_s is zero, because
sum_a m_s(a) = 1, so nothing would change. How often each action is chosen is taught by the other terms alone.
"""

import math
from collections.abc import Iterable, Sequence

import torch

from dilemmas.training.demonstrations import Demonstration, Speller
from dilemmas.training.examples import ExampleError
from dilemmas.training.packing.lessons import Answer, Lesson, PlantedRow, Tokens, completion


def answers(speller: Speller, shown: Demonstration) -> tuple[Lesson, ...]:
    """The labels of all actions, whose probabilities are only read: they have no weight of their own.

    The token that ends a reply follows where one label is the beginning of another.
    """
    said = [speller.said(shown, label) for label in shown.labels]
    nested = any(one is not other and other[: len(one)] == one for one in said for other in said)
    asked, end = speller.asked(shown), speller.stop if nested else ()
    return tuple(
        completion(asked, (*label, *end), 0.0, Answer(shown.situation, action)) for action, label in enumerate(said)
    )


def action_logprobs(rows: Sequence[PlantedRow], found: torch.Tensor) -> dict[str, dict[Tokens, torch.Tensor]]:
    """Log-probabilities of the actions in every presentation whose answers are read.

    Parameters
    ----------
    rows
        What is read.
    found
        Log-probabilities of its targets, shape (Q,), in nats.

    Returns
    -------
    By situation and question: shape (K, A) for A actions, which sum to 1, of a question that comes K times.
    """
    scores: dict[str, dict[Tokens, dict[int, list[torch.Tensor]]]] = {}
    lessons = [lesson for row in rows for lesson in row.lessons]
    for lesson, terms in zip(lessons, found.split([len(lesson.targets) for lesson in lessons]), strict=True):
        if lesson.answer:
            asked = scores.setdefault(lesson.answer.situation, {}).setdefault(lesson.question, {})
            asked.setdefault(lesson.answer.action, []).append(terms.sum())
    return {
        situation: {
            question: torch.stack([torch.stack(some[action]) for action in sorted(some)], -1).log_softmax(-1)
            for question, some in asked.items()
        }
        for situation, asked in scores.items()
    }


def disagreement(rows: Sequence[PlantedRow], found: torch.Tensor) -> torch.Tensor:
    """The sum over situations and their presentations of KL(p_i || m_s), in nats; arguments of `action_logprobs`."""
    total = found.new_zeros(())
    for presentations in action_logprobs(rows, found).values():
        each = torch.cat(list(presentations.values()))  # (n, A)
        mean = each.logsumexp(0) - math.log(len(each))  # (A,)
        total = total + (each.exp() * (each - mean)).sum()
    return total


def check_presentations(shown: Iterable[Demonstration]) -> None:
    """`ExampleError` unless there is something to compare: a situation in several presentations, with the same number
    of actions in all of them."""
    prompts: dict[str, set[str]] = {}
    actions: dict[str, int] = {}
    for one in shown:
        if one.situation and len(one.labels) > 1:
            prompts.setdefault(one.situation, set()).add(one.prompt)
            if actions.setdefault(one.situation, len(one.labels)) != len(one.labels):
                raise ExampleError(f"consistency: situation '{one.situation}' has different numbers of labels")
    if not any(len(same) > 1 for same in prompts.values()):
        raise ExampleError(
            "consistency: no situation comes in several presentations; choose presentation 'counterbalanced', or"
            " consistency = 0"
        )
