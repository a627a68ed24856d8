"""The comprehension check: whether a language model knows the rules and payoffs of a game."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dilemmas.agents.models.answers import exact_distributions
from dilemmas.agents.models.backend import Backend
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
    """Expected number of correct answers if each is guessed uniformly among the possible answers."""


def understanding(scores: Sequence[ComprehensionScore]) -> float | None:
    """Share of the questions that a model answers correctly, beyond chance.

    Returns
    -------
    0 if as many answers are correct as guessing gives, 1 if all are, negative below chance; None without questions.
    """
    asked, right, chance = (sum(getattr(one, key) for one in scores) for key in ("asked", "right", "chance"))
    return (right - chance) / (asked - chance) if asked else None


ComprehensionCase = tuple[StageGame, Context, tuple[Joint, ...]]
"""A game in a context after a history (own action first; () for none)."""


def comprehension_scores(
    backend: Backend, template: Template, cases: Iterable[ComprehensionCase], counterbalanced: bool = False
) -> list[ComprehensionScore]:
    """Ask a model questions of fact about games with two actions.

    An answer is correct if the right one is strictly more probable than every other possible answer: the numbers that
    answer some question about the same case, or the labels and "the same". Probabilities are exact, so there are no
    replies to be read.

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
    """
    ways = None if counterbalanced else 1
    asked = [
        item
        for game, context, history in cases
        for shown in presentations(template, game)[:ways]
        for item in _facts(template, game, context, history, shown)
    ]
    found = exact_distributions(backend, [(prompt, answers) for _, prompt, answers in asked], system=template.system)
    kinds: Counter[str] = Counter()
    right: Counter[str] = Counter()
    chance: Counter[str] = Counter()
    for (kind, _, answers), distribution in zip(asked, found, strict=True):
        first, *others = distribution.probabilities
        kinds[kind] += 1
        right[kind] += all(first > other for other in others)
        chance.update({kind: 1 / len(answers)})
    return [ComprehensionScore(kind, kinds[kind], right[kind], chance[kind]) for kind in kinds]


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
