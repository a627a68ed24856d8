"""Held-out situations: how far the student's actions are from the teacher's in what it is not taught, while it learns.

D = mean over questions of KL(q || p), in nats: of the student's distribution p over the labels of the actions from the
teacher's q, which is the mean of the probabilities in all demonstrations of the question. Where replies are taught, q
is the share of each action among them, so that D is above that from the exact probabilities by about (A - 1) / (2 n)
for A actions and n replies (the bias of plug-in entropies, Miller 1955), whatever the student.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dilemmas.training.demonstrations import Demonstration, Speller
from dilemmas.training.examples import ExampleError
from dilemmas.training.loop.processes import Processes
from dilemmas.training.losses.consistency import answers
from dilemmas.training.packing.lessons import Lesson
from dilemmas.training.packing.network import Network
from dilemmas.training.packing.trial import evaluated


@dataclass(frozen=True, slots=True)
class HeldOutQuestion:
    """A question with the probabilities of the teacher."""

    answers: tuple[Lesson, ...]
    """The label of each action."""
    teacher: tuple[float, ...]
    """Probability of each action; they sum to 1."""


def hold_out(
    shown: Sequence[Demonstration], share: float, seed: int
) -> tuple[list[Demonstration], list[Demonstration]]:
    """Demonstrations that are taught, and those that are held out: all or none of a situation.

    Parameters
    ----------
    shown
        All demonstrations.
    share
        Share of situations that are held out, in [0, 1); at least one where it is above 0. Only those with two or more
        labels count; a question without the name of a situation is one.
    seed
        Seed of the choice.

    Raises
    ------
    ExampleError
        If there are not two situations.
    """
    if not share:
        return list(shown), []
    situations = list(dict.fromkeys(_situation(one) for one in shown if len(one.labels) > 1))
    if len(situations) < 2:
        raise ExampleError("held_out: needs two or more situations with labels; choose held_out = 0")
    count = min(max(1, round(share * len(situations))), len(situations) - 1)
    rng = np.random.default_rng([seed, 1])
    chosen = {situations[place] for place in rng.choice(len(situations), count, replace=False)}
    held = [len(one.labels) > 1 and _situation(one) in chosen for one in shown]
    taught = [one for one, out in zip(shown, held, strict=True) if not out]
    return taught, [one for one, out in zip(shown, held, strict=True) if out]


def _situation(shown: Demonstration) -> tuple[str, ...]:
    return (shown.situation,) if shown.situation else (shown.prompt, shown.system, shown.prefill)


def held_out_questions(speller: Speller, held: Sequence[Demonstration]) -> list[HeldOutQuestion]:
    """The different questions among demonstrations, each with the mean of its probabilities."""
    shares: dict[tuple[Lesson, ...], list[tuple[float, ...]]] = {}
    for one in held:
        shares.setdefault(answers(speller, one), []).append(one.probabilities)
    return [HeldOutQuestion(asked, tuple(np.mean(found, 0).tolist())) for asked, found in shares.items()]


def held_out_divergence(
    network: Network, questions: Sequence[HeldOutQuestion], tokens: int, processes: Processes
) -> float:
    """The divergence of the student from the teacher, in nats, the same in all processes.

    Parameters
    ----------
    network
        The student.
    questions
        At least one.
    tokens
        Most tokens that are read at a time.
    processes
        Those that train; each asks a part of the questions.
    """
    mine = processes.part_of(questions)
    found: dict[Lesson, torch.Tensor] = {}
    with evaluated(network.model):
        for rows in network.parts([lesson for one in mine for lesson in one.answers], tokens) if mine else ():
            read = [lesson for row in rows for lesson in row.lessons]
            terms = network.logprobs(rows).split([len(lesson.targets) for lesson in read])
            found |= {lesson: some.sum().double().cpu() for lesson, some in zip(read, terms, strict=True)}
    total = 0.0
    for one in mine:
        student = torch.stack([found[lesson] for lesson in one.answers]).log_softmax(0)
        teacher = torch.tensor(one.teacher, dtype=torch.float64)
        total += float((torch.xlogy(teacher, teacher) - teacher * student).sum())
    return processes.total(total) / len(questions)
