"""The rules of a match by the name of an environment and its options."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dilemmas.envs.checks import GameError, whole_number
from dilemmas.envs.games.catalogue import game_name, game_options, stage_game
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.networks import build_network
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.rules.stages import Sanction, Talk

POPULATION = "population"
"""The environment that is no game: any symmetric game for two, played by many."""


def rules_of(name: str, /, **options: Any) -> Repeated:
    """The rules of an environment: `population` for the one of that name, `repeated` for every game of the catalogue.

    Raises `InputError` for options that cannot be used.
    """
    check_options(name, options)
    return population(**options) if game_name(name) == POPULATION else repeated(name, **options)


def options_of(name: str) -> dict[str, Any]:
    """The options of the rules of an environment and their defaults: those of the game, then those of the match."""
    if game_name(name) == POPULATION:
        return dict(population.__kwdefaults__ or {})
    return {**game_options(name), **(repeated.__kwdefaults__ or {})}


def check_options(name: str, given: Mapping[str, Any], *others: str) -> None:
    """`UnknownNameError` with the nearest known one for an option that is neither the environment's nor in `others`."""
    known = {**options_of(name), **dict.fromkeys(others)}
    if game_name(name) == POPULATION:
        known |= game_options(given.get("game", known["game"]))
    for option in given:
        lookup("option", option, known, place=game_name(name))


def repeated(
    name: str,
    /,
    *,
    rounds: int | tuple[int, int] | None = None,
    continuation: float = 1.0,
    noise: float = 0.0,
    misperception: float = 0.0,
    memory: int | None = 1,
    clock: bool = False,
    talk: int = 0,
    signals: int = 3,
    words: bool = False,
    punishment: tuple[float, float] | None = None,
    reward: tuple[float, float] | None = None,
    points: int = 1,
    **game: Any,
) -> Repeated:
    """The rules of a match of a game of the catalogue.

    The rules end a match after `rounds` (a pair: drawn between the two, and told to nobody), or after each round with
    probability 1 - `continuation`. `noise`: probability that an action is replaced by another one. `misperception`:
    that a player takes another's action for another one. `memory`: how many rounds back players see; None is all of
    them. `clock`: whether they are told how many are left. `talk`: turns of talk before each round, in `signals` of
    which 0 is silence, or in texts where `words` are allowed. `punishment`, `reward`: cost and effect of a point, of
    which each may give every other one up to `points` after a round. `game`: options of `stage_game`. Raises
    `InputError` for options that cannot be used.
    """
    rounds = _horizon(rounds)
    turns = whole_number(talk, "talk", 0)
    speech = Talk(turns or 1, signals, words)  # checked also where nobody talks
    return Repeated(
        stage_game(name, **game),
        rounds,
        continuation,
        noise,
        misperception,
        _remembered(memory, rounds),
        clock,
        speech if turns else None,
        _sanction("punishment", punishment, points),
        _sanction("reward", reward, points),
    )


def population(
    *,
    game: str = "prisoners_dilemma",
    n_players: int | None = None,
    graph: str | Iterable[Any] = "lattice",
    degree: int | None = None,
    rewiring: float | None = None,
    graph_seed: int | None = None,
    payoff: str = "mean",
    rounds: int | tuple[int, int] | None = None,
    continuation: float = 1.0,
    noise: float = 0.0,
    memory: int | None = 1,
    clock: bool = False,
    **payoffs: Any,
) -> Repeated:
    """The rules of a population game.

    `game`: a symmetric game for two of the catalogue, whose options are `payoffs`. `n_players`, `graph`, `degree`,
    `rewiring`, `graph_seed`: who meets whom, as in `dilemmas.envs.rules.networks.network`. `payoff`: a player gets the
    ``mean`` or the ``sum`` over those it met. The others are those of `repeated`.
    """
    rounds = _horizon(rounds)
    size, edges = build_network(graph, n_players, degree, rewiring, graph_seed)
    return Repeated(
        stage_game(game, **payoffs),
        rounds,
        continuation,
        noise,
        memory=_remembered(memory, rounds),
        clock=clock,
        population=Population(size, edges, payoff),
    )


def _sanction(name: str, rates: tuple[float, float] | None, points: int) -> Sanction | None:
    """A stage of sanctions from its cost and effect."""
    if rates is None:
        Sanction(points=points)  # checked also where there are none
        return None
    if not (isinstance(rates, Sequence) and len(rates) == 2):
        raise GameError(f"{name} = {rates!r}; needs a pair: what a point costs, and its effect")
    return Sanction(*rates, points)


def _horizon(rounds: Any) -> Any:
    """A pair is a list in JSON, and so in records of matches."""
    return tuple(rounds) if isinstance(rounds, list) else rounds


def _remembered(memory: int | None, rounds: int | tuple[int, int] | None) -> int:
    """How many rounds back players see; None is the whole match."""
    if memory is not None:
        return memory
    if rounds is None:
        raise GameError("memory = None, rounds = None; a history without an end has no size: give rounds or memory")
    return rounds[-1] if isinstance(rounds, tuple) and rounds else rounds
