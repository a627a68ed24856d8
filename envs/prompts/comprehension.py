"""Comprehension questions: questions about a game that have one correct answer.

Fontana, Pierri & Aiello 2024 (arXiv 2406.13605) test the comprehension of rules and history in this way before they
analyse decisions. The miniature models are pretrained on the same questions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb, isclose
from operator import mul

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.numbers import tell_number
from dilemmas.envs.prompts.labels import Presentation
from dilemmas.envs.theory.outcomes import is_symmetric

EQUAL = "the same"
"""Answer to the question which action gives more, if both give the same."""


class QuestionError(InputError, ValueError):
    """A game for which there are no comprehension questions; the message has its name."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with one correct answer."""

    kind: str
    """Subject: payoff, other_payoff, more, more_for_them, change, even_odds, together, worst_case, or history."""
    text: str
    """The question."""
    answer: str
    """The correct answer: a label, a number, or `EQUAL`."""


def questions(game: StageGame, shown: Presentation, history: Sequence[Joint] = (), player: int = 0) -> list[Question]:
    """All comprehension questions about a two-action game, from the perspective of one player.

    Parameters
    ----------
    game
        A game with two actions for each player; with more than two players, a symmetric one.
    shown
        Presentation of the actions.
    history
        Joint actions, own action first, oldest round first; the last round is the subject of questions.
    player
        Index of the player.

    Raises
    ------
    QuestionError
        If the game is of another kind.
    """
    if set(game.options) != {2}:
        counts = " and ".join(map(str, sorted(set(game.options))))
        raise QuestionError(f"{game.name}: comprehension questions need a game with two actions, not {counts}")
    if game.n_players == 2:
        return _pair(game, shown, player) + _history(game, shown, history)
    if not is_symmetric(game):
        raise QuestionError(f"{game.name}: comprehension questions about more than two players need a symmetric game")
    return _group(game, shown) + _history(game, shown, history)


def _more(points: Sequence[float], shown: Presentation) -> str:
    """The label of the action that gives more points, or `EQUAL`."""
    cooperate, defect = points
    return (
        EQUAL
        if isclose(cooperate, defect, rel_tol=1e-9, abs_tol=1e-12)
        else shown.labels[0 if cooperate > defect else 1]
    )


def _pair(game: StageGame, shown: Presentation, player: int) -> list[Question]:
    asked = []
    seats = (0, 1) if player == 0 else (1, 0)
    paid = [[game.payoffs(tuple((mine, theirs)[seat] for seat in seats)) for theirs in (0, 1)] for mine in (0, 1)]
    own, other = ([[points[seat] for points in row] for row in paid] for seat in seats)
    labels = shown.labels
    for mine in shown.order:
        for theirs in shown.order:
            case = f"You choose {labels[mine]}, they choose {labels[theirs]}: what do"
            asked.append(Question("payoff", f"{case} you get?", tell_number(own[mine][theirs])))
            asked.append(Question("other_payoff", f"{case} they get?", tell_number(other[mine][theirs])))
    for theirs in shown.order:
        case = f"If they choose {labels[theirs]}, "
        asked += _comparisons(shown, case, [row[theirs] for row in own], [row[theirs] for row in other], "them")
    asked += _even_odds([sum(row) for row in own], [sum(row) for row in other], 1, shown)
    return [*asked, *_overall(shown, own, [own[0][0], own[1][1]])]


def _comparisons(
    shown: Presentation, case: str, own: Sequence[float], other: Sequence[float], them: str
) -> Iterator[Question]:
    """Questions on the two choices, whose payoffs are given by own action; `them`: the others in the question."""
    yield Question("more", f"{case}which gives you more?", _more(own, shown))
    yield Question("more_for_them", f"{case}which gives them more?", _more(other, shown))
    for whom, points in (("you", own), (them, other)):
        change = tell_number(abs(points[0] - points[1]))
        yield Question("change", f"{case}how much does your choice change for {whom}?", change)


def _overall(shown: Presentation, own: Sequence[Sequence[float]], together: Sequence[float]) -> Iterator[Question]:
    """Questions on the two choices over all cases; `together`: payoffs if all choose the same."""
    yield Question("together", "If all choose the same, which gives more?", _more(together, shown))
    yield Question("worst_case", "Which has the better worst case?", _more([min(row) for row in own], shown))


def _group(game: StageGame, shown: Presentation) -> list[Question]:
    asked = []
    others = game.n_players - 1
    labels = shown.labels
    paid = [[game.payoffs((mine, *[0] * k, *[1] * (others - k))) for k in range(others + 1)] for mine in (0, 1)]
    own = [[points[0] for points in row] for row in paid]
    other = [[sum(points[1:]) / others for points in row] for row in paid]
    for k in range(others + 1):
        for mine in shown.order:
            case = f"You choose {labels[mine]}, {k} of the others choose {labels[0]}: what do you get?"
            asked.append(Question("payoff", case, tell_number(own[mine][k])))
        case = f"If {k} of the others choose {labels[0]}, "
        asked += _comparisons(shown, case, [row[k] for row in own], [row[k] for row in other], "each of them")
    evenly = [comb(others, k) for k in range(others + 1)]
    even = [[sum(map(mul, evenly, row)) for row in table] for table in (own, other)]
    asked += _even_odds(even[0], even[1], others, shown)
    return [*asked, *_overall(shown, own, [own[0][others], own[1][0]])]


def _even_odds(own: Sequence[float], other: Sequence[float], others: int, shown: Presentation) -> list[Question]:
    """Comparisons of the actions by four social value orientations, if the others choose uniformly.

    Individualists compare own payoffs, altruists those of the others, prosocials the sum, competitors the difference
    (Murphy, Ackermann & Handgraaf 2011, Judgment and Decision Making 6:771).
    """
    odds = "If they choose each equally often, which"
    together = [mine + others * theirs for mine, theirs in zip(own, other, strict=True)]
    ahead = [mine - theirs for mine, theirs in zip(own, other, strict=True)]
    return [
        Question("even_odds", f"{odds} gives you more?", _more(own, shown)),
        Question("even_odds", f"{odds} gives them more?", _more(other, shown)),
        Question("even_odds", f"{odds} gives all of you more together?", _more(together, shown)),
        Question("even_odds", f"{odds} puts you further ahead of them?", _more(ahead, shown)),
    ]


def _history(game: StageGame, shown: Presentation, history: Sequence[Joint]) -> list[Question]:
    if not history:
        return []
    mine, *theirs = history[-1]
    asked = [Question("history", "What did you choose last round?", shown.labels[mine])]
    if game.n_players == 2:
        asked.append(Question("history", "What did they choose last round?", shown.labels[theirs[0]]))
    else:
        text = f"How many of the others chose {shown.labels[0]} last round?"
        asked.append(Question("history", text, str(theirs.count(0))))
    return asked
