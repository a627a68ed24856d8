"""The catalogue of stage games: makes a game with its payoffs from its name and options.

Add a game to the catalogue
---------------------------
1. Write a file ``envs/games/NAME.py`` with a function ``NAME(option=default, ...)`` that checks its options with
   `dilemmas.envs.checks` and returns one of the game classes: `BimatrixGame` (two players, two payoff tables),
   `CountGame` (n players, two actions, payoffs by the number of cooperators), `MatrixGame` or `PublicGoods`; or a
   frozen dataclass of your own with the members of `dilemmas.envs.games.stage_game.StageGame`, which is then added to
   `Game` below. Payoffs and default options are written there and nowhere else, with their source.
2. Add the function to `MAKERS` below. (A symmetric 2x2 game needs no file: one line of payoffs in
   `dilemmas.envs.games.matrix_games.DEFAULTS`, and one in `ORDERINGS` if its name promises an order of payoffs.)
3. ``pip install -e .``, then ``python -m dilemmas.envs.pettingzoo_api.env_pages`` writes the environment
   ``envs/NAME_v0.py`` with a draft of its page. Replace the parts of the draft in parentheses and the words for the
   actions, and run the command again: it fills in the payoff table. The page is a new file, so install once more.
4. Add one line ``Playthrough("NAME", options={"rounds": 2}),`` to ``tests/envs/make_playthroughs.py``, run
   ``python tests/envs/make_playthroughs.py``, and read the match in ``tests/envs/playthroughs/NAME.txt``.

``pytest tests/envs`` then tests the game, its environment, its page and its golden match.

Use a game without adding it
----------------------------
``parallel("matrix_game", T=..., R=..., P=..., S=...)``, ``parallel("bimatrix_game", row=..., column=...)`` and
``parallel("count_game", cooperate=..., defect=...)`` take any payoffs. A game class of your own is played by
``SocialDilemma(Repeated(game, rounds=10), "NAME")`` (`dilemmas.envs.pettingzoo_api.parallel_env`,
`dilemmas.envs.rules.repeated`).
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from inspect import Parameter, signature
from typing import Any

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.bimatrix import (
    BimatrixGame,
    bimatrix_game,
    inspection_game,
    matching_pennies,
    rock_paper_scissors,
    travelers_dilemma,
)
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame, matrix_game
from dilemmas.envs.games.n_player import (
    CountGame,
    count_game,
    n_person_harmony,
    n_person_prisoners_dilemma,
    n_person_snowdrift,
    n_person_stag_hunt,
    volunteers_dilemma,
)
from dilemmas.envs.games.public_goods import PublicGoods, public_goods
from dilemmas.envs.names import lookup

Game = MatrixGame | BimatrixGame | CountGame | PublicGoods
"""The classes of games, each a frozen dataclass."""

MAKERS: Mapping[str, Callable[..., Game]] = {
    make.__name__: make
    for make in (
        matrix_game,
        bimatrix_game,
        matching_pennies,
        rock_paper_scissors,
        travelers_dilemma,
        inspection_game,
        count_game,
        n_person_prisoners_dilemma,
        n_person_stag_hunt,
        n_person_snowdrift,
        volunteers_dilemma,
        n_person_harmony,
        public_goods,
    )
}
"""Functions that make the game of their name from their options."""


def game_name(name: str) -> str:
    """Name of a game in the catalogue, from that name or from the id of its environment.

    ``prisoners_dilemma``, ``prisoners-dilemma``, ``prisoners_dilemma_v0`` and
    ``dilemmas/prisoners_dilemma-v0`` are the same game.
    """
    return str(name).removeprefix("dilemmas/").replace("-", "_").removesuffix("_v0")


EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "matrix_game": {"T": 3.0, "R": 2.0, "P": 0.0, "S": 1.0},
    "bimatrix_game": {"row": ((3.0, 0.0), (5.0, 1.0)), "column": ((2.0, 4.0), (0.0, 1.0))},
    "count_game": {"cooperate": (-1.0, 1.0, 3.0), "defect": (0.0, 2.0, 4.0)},
}
"""Payoffs with which the games that have none of their own are shown; who plays them specifies the payoffs."""


def default_game(name: str, make: Callable[..., Game]) -> Game:
    """Make a game with its default options or its example; if that fails, the `GameError` names the game."""
    try:
        return make(**example_options(name))
    except Exception as error:
        raise GameError(
            f"the game '{name}' of the catalogue cannot be made with its default options:"
            f" {type(error).__name__}: {error}"
        ) from error


def example_options(name: str) -> dict[str, Any]:
    """The options without which a game cannot be made, with payoffs of an example; empty for most games."""
    return dict(EXAMPLES.get(game_name(name), {}))


GAMES: Mapping[str, Game] = {
    **DEFAULTS,
    **{name: default_game(name, make) for name, make in MAKERS.items()},
}
"""Every game by name, with its default options, or its example if it has no payoffs of its own."""

ENVIRONMENTS = tuple(name for name in GAMES if name not in ("deadlock", "leader"))
"""The games with a PettingZoo environment: module ``dilemmas.envs.NAME_v0``, id ``dilemmas/NAME-v0``. The others can be
played as ``matrix_game``, or in a population (`dilemmas.envs.population_v0`)."""
POPULATION = "population"
"""Name of the environment of a population, which plays any symmetric two-player game."""


def environment_name(name: str) -> str:
    """Name of a game or `POPULATION`, from that name or the id of an environment; `UnknownNameError` for another."""
    return lookup("environment", game_name(name), {known: known for known in (*GAMES, POPULATION)})


TITLES = {
    "prisoners_dilemma": "Prisoner's dilemma",
    "rock_paper_scissors": "Rock, paper, scissors",
    "travelers_dilemma": "Traveler's dilemma",
    "volunteers_dilemma": "Volunteer's dilemma",
    "n_person_prisoners_dilemma": "N-person prisoner's dilemma",
    "n_person_stag_hunt": "N-person stag hunt",
    "n_person_snowdrift": "N-person snowdrift",
    "n_person_harmony": "N-person harmony",
}
"""Titles of the games whose title is not simply their name with blanks, as "Stag hunt" is for ``stag_hunt``."""


def title(name: str) -> str:
    """Title of a game or environment for people, such as "Prisoner's dilemma"; `name` as in `game_name`."""
    known = game_name(name)
    return TITLES.get(known, known.replace("_", " ").capitalize())


def game_options(name: str) -> dict[str, Any]:
    """The options of a game and their defaults: its payoffs, or the parameters from which they are computed.

    A game without payoffs of its own has those of its example.
    """
    default = lookup("game", game_name(name), GAMES)
    options = signature(_maker(default.name)).parameters.values()
    named = [option for option in options if option.kind is not Parameter.VAR_KEYWORD]
    shown = {option.name: option.default for option in named if option.default is not Parameter.empty}
    shown |= example_options(default.name)
    known = {option.name: shown[option.name] for option in named if option.name in shown}
    if any(option.kind is Parameter.VAR_KEYWORD for option in options):
        known = {field.name: getattr(default, field.name) for field in fields(default) if field.name != "name"} | known
    return known


def stage_game(name: str, **options: Any) -> Game:
    """Make a game of the catalogue.

    Parameters
    ----------
    name
        Name of the game, or id of its environment.
    options
        As in `game_options`, for example `T`, `R`, `P`, `S` in points for a symmetric 2x2 game.

    Raises
    ------
    UnknownNameError
        For an unknown game or option.
    GameError
        For values that cannot be used, or that contradict the name of the game; and for a game without payoffs of its
        own, if they are not specified.
    """
    default = lookup("game", game_name(name), GAMES)
    known = game_options(name)
    for option in options:
        lookup("option", option, known, place=default.name)
    needed = [option for option in signature(_maker(default.name)).parameters.values() if _is_needed(option)]
    missing = [option.name for option in needed if option.name not in options]
    if missing:
        example = ", ".join(f"{option}={value}" for option, value in example_options(default.name).items())
        raise GameError(
            f"{default.name} has no payoffs of its own: {', '.join(missing)} not specified; for example {example}"
        )
    return _maker(default.name)(**options)


def _is_needed(option: Parameter) -> bool:
    """Whether a parameter has no default."""
    return option.default is Parameter.empty and option.kind is Parameter.POSITIONAL_OR_KEYWORD


def _maker(name: str) -> Callable[..., Game]:
    return MAKERS.get(name) or partial(replace, GAMES[name])
