"""The comprehension check: whether a language model knows the rules and payoffs of a game."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dilemmas.agents.models.answers import UnknownProbabilitiesError, ask_labels, read_distribution
from dilemmas.agents.models.backend import Backend, Response
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.prompts.comprehension import EQUAL, questions
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.labels import Presentation
from dilemmas.envs.prompts.prompts import describe_scenario, presentations
from dilemmas.envs.prompts.templates import Template


@dataclass(frozen=True, slots=True)
class ComprehensionScore:
    """How many questions of one kind a model answered correctly."""

    kind: str
    """What the questions test; see `dilemmas.envs.prompts.comprehension`."""
    asked: int
    """Number of questions."""
    right: int
    """Number of correct answers."""
    chance: float
    """Expected number of correct answers if each known one is guessed uniformly among the possible answers."""
    unknown: int
    """Number of questions whose answer is not known, because a server lists too few log-probabilities."""

    @property
    def known(self) -> int:
        """Number of questions whose answer is known."""
        return self.asked - self.unknown


def understanding(scores: Sequence[ComprehensionScore]) -> float | None:
    """Share of the known answers to questions that are correct, beyond chance.

    Returns
    -------
    0 if as many answers are correct as guessing gives, 1 if all are, negative below chance; None without known answers.
    """
    known, right, chance = (sum(getattr(one, key) for one in scores) for key in ("known", "right", "chance"))
    return (right - chance) / (known - chance) if known else None


ComprehensionCase = tuple[StageGame, Context, tuple[Joint, ...]]
"""A game in a context after a history (own action first; () for none)."""


def comprehension_scores(
    backend: Backend, template: Template, cases: Iterable[ComprehensionCase], counterbalanced: bool = False
) -> list[ComprehensionScore]:
    """Ask a model questions of fact about games with two actions.

    An answer is correct if the right one is strictly more probable than every other possible answer: the numbers that
    answer some question about the same case, or the labels and "the same". Probabilities are exact, so there are no
    replies to be read; where a server tells them within bounds that leave open which is the largest, the answer is not
    known.

    Parameters
    ----------
    backend
        The model.
    template
        The sentences of the prompts.
    cases
        Games, contexts and histories of the questions.
    counterbalanced
        Whether each case is asked about in every presentation of its actions, not only in the first.

    Returns
    -------
    list
        One score per kind of question, in the order in which the kinds first occur.

    Raises
    ------
    ModelError
        If a question is not answered.
    """
    ways = None if counterbalanced else 1
    asked = [
        item
        for game, context, history in cases
        for shown in presentations(template, game)[:ways]
        for item in _facts(template, game, context, history, shown)
    ]
    found = ask_labels(backend, [(prompt, answers) for _, prompt, answers in asked], system=template.system)
    by_kind: dict[str, list[tuple[bool | None, float]]] = {}
    for (kind, _, answers), response in zip(asked, found, strict=True):
        by_kind.setdefault(kind, []).append((_first_is_largest(response), 1 / len(answers)))
    return [
        ComprehensionScore(
            kind,
            len(some),
            sum(one is True for one, _ in some),
            math.fsum(chance for one, chance in some if one is not None),
            sum(one is None for one, _ in some),
        )
        for kind, some in by_kind.items()
    ]


def _first_is_largest(response: Response) -> bool | None:
    """Whether the first label is more probable than every other; None if the bounds of a server leave it open."""
    try:
        first, *others = read_distribution(response).probabilities
    except UnknownProbabilitiesError as error:
        if not error.shares:
            return None
        first, *others = error.shares
        if abs(first - max(others)) <= 2 * response.margin:
            return None
    return all(first > other for other in others)


def _facts(
    template: Template, game: StageGame, context: Context, history: tuple[Joint, ...], shown: Presentation
) -> list[tuple[str, str, tuple[str, ...]]]:
    """Kind, prompt and possible answers of each question, the right answer first."""
    scenario = describe_scenario(template, game, context, history, shown)
    asked = questions(game, shown, history)
    words = {*shown.labels, EQUAL}
    numbers = {question.answer for question in asked} - words
    return [
        (q.kind, f"{scenario}\n{q.text}", (q.answer, *sorted((words if q.answer in words else numbers) - {q.answer})))
        for q in asked
    ]
