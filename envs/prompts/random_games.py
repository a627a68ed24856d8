"""Further questions to the teacher: random games in contexts that no test set has.

A student that is taught in a few scenarios only can learn them by heart. Many games, each in one of many contexts, show
it what the teacher makes of payoffs and relations.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dilemmas.envs.checks import check_numbers
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.scenarios import Scenario
from dilemmas.envs.validation import Count, Share

LARGEST = 12
"""Largest payoff of a random game for two; all are whole numbers from 0."""
TIES = 0.2
"""Share of games for two whose payoffs are drawn one by one, so that some may be equal."""
MOST_PLAYERS = 6
"""Players of the largest public goods game; the smallest has 3."""
LARGEST_ENDOWMENT = 20
MOST_POINTS = 60
"""Largest payoff of a random public goods game."""


@dataclass(frozen=True, slots=True)
class QuestionSettings:
    """Random games about which the teacher is asked beside the training scenarios."""

    number: Count = 0
    """Number of questions, each about a game in a context."""
    groups: Share = 0.2
    """Share of the random games that are public goods games of 3 to 6 players; the others are 2x2 games of any ordering
    of payoffs."""
    familiar: Share = 0.0
    """Share of the questions that are about games of the training scenarios, in place of random ones: they tell what
    relations change in games that the student knows."""
    contexts: tuple[str, ...] = ()
    """Contexts in which the games are told; ``@stock`` stands for all of the stock (stock.toml), none of which is in a
    test set. Empty: those of the training scenarios."""
    opposite: bool = False
    """Whether each is asked a second time, with the labels for the actions in reverse and in the reverse order, so that
    a preference for a label or a place does not help."""
    repeats: Count = 1
    """How often every training scenario comes among the questions."""

    def __post_init__(self) -> None:
        check_numbers(self, "groups familiar", 0, 1)
        check_numbers(self, "repeats", 1)


def random_scenarios(
    settings: QuestionSettings,
    contexts: Sequence[Context],
    familiar: Sequence[StageGame],
    unlike: Iterable[StageGame],
    seed: int,
) -> list[Scenario]:
    """Random games in contexts.

    Parameters
    ----------
    settings
        How many, and of which kind.
    contexts
        The contexts, at least one; every game is put in one of them.
    familiar
        Games of the training scenarios, at least one.
    unlike
        Games of all sets: no random game has their payoffs, or others that differ in scale and origin only.
    seed
        Seed of games and contexts, 0 or more.
    """
    rng, found = np.random.default_rng([seed, 13]), list[Scenario]()
    forbidden = {_form(game) for game in unlike}
    while len(found) < settings.number:
        if rng.random() < settings.familiar:
            game = familiar[int(rng.integers(len(familiar)))]
        else:
            game = _group(rng) if rng.random() < settings.groups else _pair(rng)
            if _form(game) in forbidden:
                continue
        found.append(Scenario(game, contexts[int(rng.integers(len(contexts)))]))
    return found


def _pair(rng: np.random.Generator) -> MatrixGame:
    low, high = 0, LARGEST + 1
    drawn = rng.integers(low, high, size=4) if rng.random() < TIES else rng.permutation(high)[:4]
    if len(set(drawn.tolist())) == 1:
        return _pair(rng)
    temptation, reward, punishment, sucker = map(int, drawn)
    return MatrixGame("matrix_game", T=temptation, R=reward, P=punishment, S=sucker)


def _group(rng: np.random.Generator) -> PublicGoods:
    """Contributions of one are worth a whole number of points to everybody."""
    n, endowment = int(rng.integers(3, MOST_PLAYERS + 1)), 2 + int((LARGEST_ENDOWMENT - 1) * rng.random() ** 2)
    largest = min(endowment + 1, (MOST_POINTS - endowment) // (n - 1))
    share = int(rng.integers(1, largest + 1))
    return PublicGoods(n_players=n, endowment=endowment, multiplier=share * n / endowment)


def _form(game: StageGame) -> tuple[float, ...]:
    """What is the same in games whose payoffs differ in scale and origin only."""
    if isinstance(game, PublicGoods):
        return (float(game.n_players), round(game.multiplier, 9))
    if not isinstance(game, MatrixGame):
        return ()
    payoffs = np.array([game.T, game.R, game.P, game.S], dtype=float)
    spread = np.ptp(payoffs)
    return tuple(np.round((payoffs - payoffs.min()) / spread, 9).tolist()) if spread else ()
