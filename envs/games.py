"""The catalogue of stage games: a name and options in, a game with its payoffs out."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from understudy.envs.catalogue import lookup
from understudy.envs.matrix_games import DEFAULTS, MatrixGame
from understudy.envs.public_goods import PublicGoods
from understudy.envs.rules import StageGame

GAMES: Mapping[str, MatrixGame | PublicGoods] = {
    **DEFAULTS,
    "matrix_game": MatrixGame("matrix_game", T=0, R=0, P=0, S=0),  # any payoffs: those not given are 0
    "public_goods": PublicGoods(),
}
"""Every game by name, with its default payoffs. A new game is one more line."""

ENVIRONMENTS = ("prisoners_dilemma", "stag_hunt", "snowdrift", "harmony", "matrix_game", "public_goods")
"""The games with a PettingZoo environment: module ``understudy.envs.NAME_v0``, id ``understudy/NAME-v0``."""


def game_name(name: str) -> str:
    """The catalogue's name of a game that is called by it or by the id of an environment.

    ``prisoners_dilemma``, ``prisoners-dilemma``, ``prisoners_dilemma_v0`` and
    ``understudy/prisoners_dilemma-v0`` are the same game.
    """
    return re.sub(r"[-_]v\d+$", "", name.removeprefix("understudy/")).replace("-", "_")


def game_options(name: str) -> dict[str, float]:
    """The options of a game and their defaults: T, R, P, S, or those of the public goods game."""
    default = lookup("game", game_name(name), GAMES)
    return {field.name: getattr(default, field.name) for field in fields(default) if field.name != "name"}


def stage_game(name: str, **options: Any) -> StageGame:
    """A game by name or environment id, with the payoffs of the catalogue or your own.

    Options: `T`, `R`, `P`, `S` (points) of games for two; `n_players`, `endowment` (points), `multiplier` and
    `levels` of public goods. Raises `UnknownNameError` for an unknown game or option, and `GameError` for
    payoffs that make another game than the name says.
    """
    default = lookup("game", game_name(name), GAMES)
    known = game_options(name)
    for option in options:
        lookup("option", option, known, place=default.name)
    return replace(default, **options)
