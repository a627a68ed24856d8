"""Situations: decisions that a teacher is asked to make, from which a student learns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dilemmas.agents.tables.histories import histories
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.scenarios import Scenario
from dilemmas.envs.rules.protocol import View

PresentationsAsked = Literal["one", "opposite", "all"]
"""One presentation, which is drawn; it and its opposite, with the labels for the actions and their order reversed; or
all of them."""


@dataclass(frozen=True, slots=True)
class FramedDecision:
    """What a player knows when it decides, and the context in which it is told."""

    view: View
    """The game, the seat and the history."""
    context: Context
    """The social framing."""
    asked: PresentationsAsked = "all"
    """Presentations of the actions in which the student is asked."""
    match: int | None = None
    """Seed of the match in which it was decided, which other decisions may share; None outside matches."""
    opponent: int = 0
    """Number of the opponent in that match."""

    @property
    def name(self) -> str:
        """``game/context``."""
        return f"{self.view.game.name}/{self.context.name}"


def of_scenarios(scenarios: Sequence[Scenario]) -> list[FramedDecision]:
    """The first decision in games in a context."""
    return [FramedDecision(View(one.game, 0, 0, ()), one.context) for one in scenarios]


def of_histories(game: StageGame, memory: int, contexts: Sequence[Context]) -> Iterator[FramedDecision]:
    """Every history of up to `memory` rounds of a game, for every player, in every context.

    `HistoryError` if they cannot be enumerated or are too many.
    """
    from dilemmas.envs.theory.outcomes import alike_seats

    for player in range(1 if alike_seats(game) else game.n_players):
        for history in histories(game, memory, player):
            for context in contexts:
                yield FramedDecision(View(game, player, len(history), history), context)
