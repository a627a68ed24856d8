"""Construction of rules from the name of an environment and its options."""

from collections.abc import Iterable, Mapping
from typing import Any

from dilemmas.envs.checks import GameError, whole_number
from dilemmas.envs.games.catalogue import GAMES, game_name, game_options, stage_game
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.networks import build_network
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.rules.stages import Sanction, Talk

POPULATION = "population"
"""Name of the environment of a population, which plays any symmetric two-player game."""
ENVIRONMENT_NAMES = {name: name for name in (*GAMES, POPULATION)}
"""Names from which rules are made."""


def rules_of(name: str, /, **options: Any) -> Repeated:
    """Make the rules of an environment.

    Parameters
    ----------
    name
        ``population``, the name of a game in the catalogue, or the id of an environment.
    options
        Options of `population` or `repeated`.

    Raises
    ------
    InputError
        If the name or an option is unknown, or a value is invalid.
    """
    check_options(name, options)
    return population(**options) if game_name(name) == POPULATION else repeated(name, **options)


def options_of(name: str) -> dict[str, Any]:
    """Options of the rules of an environment and their defaults: those of the game, then those of the match.

    Raises
    ------
    UnknownNameError
        If the name is unknown.
    """
    if lookup("environment", game_name(name), ENVIRONMENT_NAMES) == POPULATION:
        return dict(population.__kwdefaults__ or {})
    return {**game_options(name), **(repeated.__kwdefaults__ or {})}


def check_options(name: str, given: Mapping[str, Any], *others: str) -> None:
    """Check the names of options.

    Parameters
    ----------
    name
        Name of the environment.
    given
        Options by name.
    others
        Names of further valid options.

    Raises
    ------
    UnknownNameError
        If an option is unknown; the message suggests the most similar known one.
    """
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
    """Make the rules of a match of a game in the catalogue.

    Parameters
    ----------
    name
        Name of the game.
    rounds
        Number of rounds, 1 or more; a pair (shortest, longest): drawn uniformly from this range and unknown to the
        players; None: no limit.
    continuation
        Continuation probability, in [0, 1]: that a round is followed by another one.
    noise
        Trembling hand: probability, in [0, 1], that an action is replaced by a random other action.
    misperception
        Probability, in [0, 1], that a player perceives a random other action in place of another player's action.
    memory
        Number of past rounds that the players observe, 0 or more; None: all rounds of the match, which needs `rounds`.
    clock
        Whether the players know the number of remaining rounds, which needs a fixed number of `rounds`.
    talk
        Number of turns of talk before each round, 0 or more.
    signals, words
        Number of signals, 2 or more, of which 0 is silence; and whether a message may also be a text.
    punishment, reward, points
        Cost and effect of a point in a stage of sanctions after each round, None for no such stage; and the largest
        number of points that a player may assign to another player, 1 or more.
    game
        Options of the game, as in `stage_game`.

    Raises
    ------
    InputError
        If a name or an option is unknown, or a value is invalid.
    """
    rounds = _horizon(rounds)
    seen = _remembered(memory, rounds)
    turns = whole_number(talk, "talk", 0)
    speech = Talk(turns or 1, signals, words)  # checked even without talk
    stages = _sanction("punishment", punishment, points), _sanction("reward", reward, points)
    parts = speech if turns else None, *stages
    return Repeated(stage_game(name, **game), rounds, continuation, noise, misperception, seen, clock, *parts)


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
    """Make the rules of a match of a population that plays in pairs.

    Parameters
    ----------
    game
        Name of a symmetric two-player game in the catalogue.
    n_players, graph, degree, rewiring, graph_seed
        The interaction graph, as in `dilemmas.envs.rules.networks.build_network`.
    payoff
        Whether a player gets the ``mean`` or the ``sum`` of its payoffs in a round.
    rounds, continuation, noise, memory, clock
        As in `repeated`.
    payoffs
        Options of the game, as in `stage_game`.

    Raises
    ------
    InputError
        If a name or an option is unknown, or a value is invalid.
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
    """A stage of sanctions from its cost and effect; None without it."""
    if rates is None:
        Sanction(points=points)  # checked even without sanctions
        return None
    if not (isinstance(rates, list | tuple) and len(rates) == 2):
        raise GameError(f"{name} = {rates!r}; needs a pair: cost and effect of a point, such as (1, 3)")
    return Sanction(*rates, points)


def _horizon(rounds: Any) -> Any:
    """Convert a pair from JSON, and so from a record of a match, where it is a list."""
    return tuple(rounds) if isinstance(rounds, list) else rounds


def _remembered(memory: int | None, rounds: int | tuple[int, int] | None) -> int:
    """Number of past rounds that the players observe; None is all rounds of the match."""
    if memory is not None:
        return memory
    if rounds is None:
        raise GameError(
            "memory = None, rounds = None; observations of an unlimited match need a memory; set memory or rounds"
        )
    return rounds[-1] if isinstance(rounds, tuple) and rounds else rounds
