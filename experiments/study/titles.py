"""Titles for people: of the sets, the games and the scenarios of a study."""

from dilemmas.envs.games.catalogue import title
from dilemmas.experiments.reporting.format import words

SETS = {
    "within": "Within sample",
    "new_context": "New contexts",
    "new_game": "New games",
    "new_both": "Both new",
}
"""Titles of the study's sets."""
ABOUT = {
    "within": "The student was trained on the teacher's answers to these scenarios.",
    "new_context": "The games are those of the training scenarios, the contexts are new.",
    "new_game": "The contexts are those of the training scenarios, the games are new.",
    "new_both": "Neither the games nor the contexts were part of the training.",
}
"""How the sets differ."""
GAMES = {f"public_goods_{n}": f"Public goods, {n} players" for n in (3, 4, 5)}
"""Titles of the study's games that are not in the catalogue under their names."""
SUMMARY = "Summary"
"""Title of the first section of the report."""


def set_title(name: str) -> str:
    """Title of a set."""
    return SETS.get(name, words(name).capitalize())


def game_title(name: str) -> str:
    """Title of a game of the study, of the catalogue or of a recipe's own: ``my_dilemma`` becomes ``My dilemma``."""
    return GAMES.get(name) or title(name)


def scenario_title(name: str) -> str:
    """Title of a scenario: ``stag_hunt/summit`` becomes ``Stag hunt, summit``."""
    game, slash, context = name.partition("/")
    return f"{game_title(game)}, {words(context)}" if slash else game_title(game)
