"""Scenarios (a game in a context) and the sets of scenarios of the study.

The study does not publish payoffs. Its four games here have the same four payoffs 10, 6, 3 and 1 and differ only in
their assignment to T, R, P and S, so that only the structure of the game distinguishes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import lookup
from dilemmas.envs.prompts.contexts import Context, built_in_contexts

KNOWN_GAMES: Mapping[str, StageGame] = {
    "prisoners_dilemma": MatrixGame("prisoners_dilemma", T=10, R=6, P=3, S=1),
    "stag_hunt": MatrixGame("stag_hunt", T=6, R=10, P=3, S=1),
    "snowdrift": MatrixGame("snowdrift", T=10, R=6, P=1, S=3),
    "harmony": MatrixGame("harmony", T=6, R=10, P=1, S=3),
}
"""The four games of the study, on which students are trained."""

NEW_GAMES: Mapping[str, StageGame] = {
    "deadlock": MatrixGame("deadlock", T=10, R=3, P=6, S=1),
    "leader": MatrixGame("leader", T=10, R=3, P=1, S=6),
    "public_goods_3": PublicGoods("public_goods_3", n_players=3, endowment=6, multiplier=2),
    "public_goods_4": PublicGoods("public_goods_4", n_players=4, endowment=6, multiplier=2),
    "public_goods_5": PublicGoods("public_goods_5", n_players=5, endowment=6, multiplier=2.5),
}
"""Games on which students are not trained."""


def two_player_game(name: str) -> MatrixGame:
    """Return a two-player game of the study by name.

    Raises
    ------
    UnknownNameError
        If there is no such game; the message suggests the most similar name.
    """
    games = {name: game for name, game in {**KNOWN_GAMES, **NEW_GAMES}.items() if isinstance(game, MatrixGame)}
    return lookup("two-player game", name, games)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A game in a context."""

    game: StageGame
    """The game."""
    context: Context
    """The social framing."""

    @property
    def name(self) -> str:
        """Identifier ``game/context``."""
        return f"{self.game.name}/{self.context.name}"


def cross(games: Mapping[str, StageGame], contexts: Mapping[str, Context]) -> list[Scenario]:
    """Combine each game with each context; games are in the outer loop."""
    return [Scenario(game, context) for game in games.values() for context in contexts.values()]


def study_sets() -> dict[str, list[Scenario]]:
    """The 20 scenarios of the study (``within``) and the three out-of-sample sets, by name."""
    known = {name: context for name, context in built_in_contexts().items() if context.known}
    new = {name: context for name, context in built_in_contexts().items() if not context.known}
    return {
        "within": cross(KNOWN_GAMES, known),
        "new_context": cross(KNOWN_GAMES, new),
        "new_game": cross(NEW_GAMES, known),
        "new_both": cross(NEW_GAMES, new),
    }
