"""The catalogue of stage games: a name and options in, a game with its payoffs out."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from inspect import Parameter, signature
from typing import Any

from dilemmas.envs.games.bimatrix import (
    BimatrixGame,
    bimatrix_game,
    inspection_game,
    matching_pennies,
    rock_paper_scissors,
    travelers_dilemma,
)
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame
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

MAKERS: Mapping[str, Callable[..., Game]] = {
    make.__name__: make
    for make in (
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
"""Functions that make the game of their name from their arguments. A new game is one more of them, or of `DEFAULTS`."""

GAMES: Mapping[str, Game] = {
    **DEFAULTS,
    "matrix_game": MatrixGame("matrix_game", T=0, R=0, P=0, S=0),  # any payoffs: those not given are 0
    **{name: make() for name, make in MAKERS.items()},
}
"""Every game by name, as it is without options."""

ENVIRONMENTS = tuple(name for name in GAMES if name not in ("deadlock", "leader"))
"""The games with a PettingZoo environment: module ``dilemmas.envs.NAME_v0``, id ``dilemmas/NAME-v0``. The other
ones are played as ``matrix_game``; the population game (`dilemmas.envs.population_v0`) plays any of them."""


def game_name(name: str) -> str:
    """The catalogue's name of a game that is called by it or by the id of an environment.

    ``prisoners_dilemma``, ``prisoners-dilemma``, ``prisoners_dilemma_v0`` and
    ``dilemmas/prisoners_dilemma-v0`` are the same game.
    """
    return str(name).removeprefix("dilemmas/").replace("-", "_").removesuffix("_v0")


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
"""Titles of games that are not their names with blanks, such as "Stag hunt" for ``stag_hunt``."""


def title(name: str) -> str:
    """Title of a game or environment for people, such as "Prisoner's dilemma"; `name` as in `game_name`."""
    known = game_name(name)
    return TITLES.get(known, known.replace("_", " ").capitalize())


def game_options(name: str) -> dict[str, Any]:
    """The options of a game and their defaults: the payoffs, or what they are made from."""
    default = lookup("game", game_name(name), GAMES)
    options = signature(_maker(default.name)).parameters.values()
    known = {option.name: option.default for option in options if option.default is not Parameter.empty}
    if any(option.kind is Parameter.VAR_KEYWORD for option in options):
        known = {field.name: getattr(default, field.name) for field in fields(default) if field.name != "name"} | known
    return known


def stage_game(name: str, **options: Any) -> Game:
    """A game by name or environment id, with the payoffs of the catalogue or your own.

    `options`: see `game_options`; for example `T`, `R`, `P`, `S` (points) of symmetric games for two. Raises
    `UnknownNameError` for an unknown game or option, and `GameError` for options that make another game than the name
    says.
    """
    default = lookup("game", game_name(name), GAMES)
    known = game_options(name)
    for option in options:
        lookup("option", option, known, place=default.name)
    return _maker(default.name)(**options)


def _maker(name: str) -> Callable[..., Game]:
    return MAKERS.get(name) or partial(replace, GAMES[name])
