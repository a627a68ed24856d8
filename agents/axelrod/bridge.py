"""A bridge to Axelrod-Python (Knight et al. 2016, J. Open Res. Softw. 4:e35), in both directions.

    axelrod_agent("Adaptive")                     a strategy of Axelrod-Python as an agent, in 2 x 2 games
    axelrod_agent("Random(p=0.3)")                with parameters; see `dilemmas.agents.axelrod.names`
    axelrod_player(strategy("tit_for_tat"))       an agent as a player in matches and tournaments of Axelrod-Python

Axelrod-Python is an optional dependency: pip install "dilemmas[axelrod]".
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import IDLE, Agent, Decision, PlayerRecord, Source, Traits, Turn, View
from dilemmas.agents.axelrod.names import axelrod_library, format_name, make_player, parse_name
from dilemmas.agents.axelrod.terms import Terms, terms_of, view_there
from dilemmas.agents.strategies.catalogue import STRATEGIES, key_of
from dilemmas.agents.strategies.entry import Strategy
from dilemmas.agents.strategies.finite_state import StrategyError, view_of
from dilemmas.envs.games.stage_game import Joint, StageGame

FEWEST_KEPT = 64
"""Least number of players in the middle of a match that an agent keeps for the next round."""

OPPONENT_NEEDED = ("inspects_source", "manipulates_source", "manipulates_state")
"""Axelrod's classifiers of strategies that need more of their opponent than its actions."""


@dataclass(slots=True)
class _SeatedPlayer:
    """A player in the middle of a match, and its next action."""

    player: Any
    terms: Terms
    opponent: Any
    """Represents the opponent: it has the same history of actions."""
    history: tuple[Joint, ...]
    """Joint actions that both have been given, own action first."""
    action: int
    """The next action of the player: 0 = C, 1 = D."""

    def advance(self, history: tuple[Joint, ...]) -> None:
        """Advance to the end of a longer history: record each round, then ask for the next action, as a Match does."""
        moves = tuple(axelrod_library().Action)
        for joint in history[len(self.history) :]:
            own, other = moves[joint[0]], moves[joint[1]]
            self.player.update_history(own, other)
            self.opponent.update_history(other, own)
            self.action = self.player.strategy(self.opponent).value
        self.history = history


@dataclass(frozen=True)
class AxelrodAgent:
    """A strategy of Axelrod-Python. In every round it acts as a new player does after the whole history of the match.

    Its random numbers depend on `Turn.key` alone. Players are kept for the next round, so that no history is replayed
    in ordinary play; if the history is another one, a new player replays it.
    """

    name: str
    """Name in tables and records."""
    player: Any = field(compare=False)
    """A player of Axelrod-Python, of which those that play are clones."""
    text: str | None = None
    """The name from which `axelrod_agent` reconstructs it; None if there is none."""
    _seated_players: OrderedDict[tuple[int, int], _SeatedPlayer] = field(
        default_factory=OrderedDict, repr=False, compare=False
    )

    def __reduce__(self) -> tuple[Any, ...]:
        return axelrod_agent, (self.text or self.player,)

    @property
    def traits(self) -> Traits:
        """Only the whole history determines what it does."""
        return Traits(None, self.deterministic, axelrod=self.player)

    @cached_property
    def deterministic(self) -> bool:
        """Whether all its actions are certain."""
        return not axelrod_library().Classifiers["stochastic"](self.player)

    def describe(self) -> PlayerRecord:
        version = axelrod_library().__version__
        if self.text is None:
            return PlayerRecord(self.name, "axelrod_player", {"version": version})
        return PlayerRecord(self.name, "axelrod", {"strategy": self.text, "version": version})

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision per turn; `StrategyError` if it cannot play the game or is not shown the whole history."""
        decisions = [self._decide(turn) for turn in turns]
        while len(self._seated_players) > max(FEWEST_KEPT, len(turns)):
            self._seated_players.popitem(last=False)
        return decisions

    policy = decide

    def _decide(self, turn: Turn) -> Decision:
        view = view_of(turn, self.name)
        if view.phase != "act":
            return IDLE
        _check(view, self.name)
        terms, history = terms_of(view), view.history
        seated = self._seated_players.pop(turn.key, None)  # not kept if it fails
        if seated is None or seated.terms != terms or seated.history != history[: len(seated.history)]:
            seated = self._new_player(turn.key, terms)
        seated.advance(history)
        self._seated_players[turn.key] = seated
        certain = ((1.0, 0.0), (0.0, 1.0))[seated.action] if self.deterministic else None
        return Decision(seated.action, certain, Source.RULE)

    def _new_player(self, key: tuple[int, int], terms: Terms) -> _SeatedPlayer:
        """A new player before its first round, prepared as Axelrod's Match does."""
        player, opponent = self.player.clone(), axelrod_library().MockPlayer()
        try:
            player.set_match_attributes(**terms.attributes)
        except Exception as error:  # e.g. zero-determinant strategies do not exist for every game
            raise StrategyError(f"{self.name} cannot play {terms.game}: {type(error).__name__}: {error}") from error
        if not self.deterministic:
            player.set_seed(player_seed(key))
        return _SeatedPlayer(player, terms, opponent, (), player.strategy(opponent).value)


def axelrod_agent(strategy: Any, /, **parameters: Any) -> AxelrodAgent:
    """A strategy of Axelrod-Python as an agent.

    Parameters
    ----------
    strategy
        Its name, such as ``TitForTat``, ``Tit For Tat``, ``Random(p=0.3)`` or ``Random: 0.3``; or a player of
        Axelrod-Python, for example of a class of your own.
    **parameters
        Parameters of the strategy that are not in its name.

    Raises
    ------
    UnknownNameError
        If there is no such strategy; the message suggests the nearest name.
    StrategyError
        If the parameters are not valid, the strategy needs more of its opponent than its actions, or Axelrod-Python is
        not installed.
    """
    library = axelrod_library()
    if isinstance(strategy, library.Player):
        if parameters:
            raise StrategyError(f"{strategy!r} already has its parameters; got {', '.join(parameters)}")
        text, player = None, strategy.clone()
    else:
        cls, given = parse_name(strategy)
        given |= parameters
        text, player = format_name(cls, given), make_player(cls, given)
    for trait in OPPONENT_NEEDED:
        if library.Classifiers[trait](player):
            raise StrategyError(
                f"Axelrod's {player!r} {trait.replace('_', ' ')}: it needs the opponent itself,"
                " but only the opponent's actions are known here; it plays in Axelrod's own matches only"
            )
    return AxelrodAgent(f"axelrod:{text or repr(player)}", player, text)


def player_seed(key: tuple[int, int]) -> int:
    """The seed of a player of Axelrod-Python from `Turn.key`, below 2**32."""
    match, place = key
    return int(np.random.SeedSequence(match, spawn_key=(place,)).generate_state(1)[0])


def native_strategy(name: str) -> Strategy | None:
    """The strategy of dilemmas equivalent to a strategy of Axelrod-Python; None if there is none."""
    twins = {key_of(cls): entry for entry in STRATEGIES for cls in entry.axelrod}
    found = twins.get(key_of(name))
    return None if found is None else found.strategy


def _check(view: View, name: str) -> None:
    """Raise `StrategyError` if a player of Axelrod-Python cannot play or is not shown the whole history."""
    players = view.game.n_players if view.rules is None else view.rules.n_players
    if players != 2 or view.game.options != (2, 2):
        actions = " x ".join(str(count) if count else "any amount" for count in view.game.options)
        raise StrategyError(
            f"strategy '{name}' plays 2 x 2 games only; {view.game.name} has {players} players and {actions} actions"
        )
    if len(view.history) < view.round:
        raise StrategyError(
            f"strategy '{name}' needs the whole history, but the environment shows {len(view.history)} of"
            f" {view.round} rounds: set memory to None"
        )


def axelrod_player(
    agent: Agent, game: StageGame | None = None, noise: float | None = None, name: str | None = None
) -> Any:
    """An agent as a player of Axelrod-Python, for its Match, Tournament and MoranProcess.

    The agent is shown the whole history, has no observation besides its `View`, and draws from the seed that
    Axelrod-Python gives to stochastic players. It raises `StrategyError` for an unreadable reply.

    Parameters
    ----------
    agent
        The agent.
    game
        The game as the agent knows it; in an asymmetric game it has the first seat. None: as Axelrod-Python states it.
    noise
        The noise as the agent knows it, from 0 to 1; None: as Axelrod-Python states it.
    name
        Name in tables and in the cache of matches of Axelrod-Python; None: the agent's name.
    """
    return _player_class()(agent, game, noise, name)


@cache
def _player_class() -> Any:
    """The class of agents as players; defined here because its base class may not be installed."""
    library = axelrod_library()
    moves = tuple(library.Action)

    class AgentPlayer(library.Player):  # type: ignore[name-defined, misc]
        _seed = 0
        """Replaced by Axelrod-Python for stochastic agents only."""

        def __init__(self, agent: Agent, game: StageGame | None, noise: float | None, name: str | None) -> None:
            super().__init__()
            self.agent, self.game, self.noise = agent, game, noise
            self.name = name or agent.name
            self.classifier = _classifier(agent)

        def __repr__(self) -> str:
            return str(self.name)

        def __reduce__(self) -> tuple[Any, ...]:
            return axelrod_player, tuple(self.init_kwargs.values()), self.__getstate__()

        def strategy(self, opponent: Any) -> Any:
            history = tuple(
                (own.value, other.value) for own, other in zip(self.history[:], opponent.history[:], strict=True)
            )
            view = view_there(self.match_attributes, self.game, self.noise, history)
            return moves[_answer(self.agent, view, int(self._seed))]

    return AgentPlayer


def _answer(agent: Agent, view: View, seed: int) -> int:
    """The action of an agent in a match of Axelrod-Python."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(view.round,)))
    turn = Turn("player_0", None, {"view": view}, Discrete(2), rng, (seed, 0))
    (decision,) = agent.decide([turn])
    if decision.action is None:
        raise StrategyError(
            f"{agent.name}, round {view.round + 1}: the reply {decision.reply!r} is unreadable, and matches of"
            " Axelrod-Python cannot be aborted: give the agent a default action"
        )
    return int(decision.action)


def _classifier(agent: Agent) -> dict[str, Any]:
    """Axelrod-Python's classification of an agent."""
    traits, model = agent.traits, agent.describe().kind == "language_model"
    found: dict[str, Any] = {
        "memory_depth": math.inf if model or traits.lookback is None else traits.lookback,
        "stochastic": not traits.deterministic,
        "makes_use_of": set(),
        "long_run_time": model,
        **dict.fromkeys(OPPONENT_NEEDED, False),
    }
    if traits.axelrod is not None:
        found = {trait: axelrod_library().Classifiers[trait](traits.axelrod) for trait in found}
    return found
