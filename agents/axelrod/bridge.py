"""A bridge to Axelrod-Python (Knight et al. 2016, J. Open Res. Softw. 4:e35), in both directions.

    axelrod_agent("Adaptive")                     any of its strategies as an agent, in games for two with two actions
    axelrod_agent("Random(p=0.3)")                with parameters; see `dilemmas.agents.axelrod.names`
    axelrod_player(strategy("tit_for_tat"))       any agent as one of its players, in its matches and tournaments

It is an optional dependency: pip install "dilemmas[axelrod]".
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import IDLE, Agent, Decision, Player, Source, Turn, View
from dilemmas.agents.axelrod.names import axelrod_library, made, read_name, written
from dilemmas.agents.axelrod.terms import Terms, terms_of, view_there
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.strategies.catalogue import STRATEGIES, key_of
from dilemmas.agents.strategies.counting import CountingStrategy
from dilemmas.agents.strategies.entry import Strategy
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError, view_of
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.envs.games.stage_game import Joint, StageGame

FEWEST_KEPT = 64
"""Players in the midst of a match that an agent keeps for the round to come, or as many as it was last asked for."""

OPPONENT_NEEDED = ("inspects_source", "manipulates_source", "manipulates_state")
"""Axelrod's words for strategies that are not content with what their opponent did."""


@dataclass(slots=True)
class _Sitting:
    """A player in the midst of a match, and its next action."""

    player: Any
    terms: Terms
    opponent: Any
    """Stands in for the opponent: it has done what the opponent did."""
    history: tuple[Joint, ...]
    """What the two have been told of the past."""
    action: int
    """What the player does next: 0 = C, 1 = D."""

    def hear(self, history: tuple[Joint, ...]) -> None:
        """Go on to the end of a longer history, as Axelrod's Match does: it asks, then it tells what happened."""
        moves = tuple(axelrod_library().Action)
        for joint in history[len(self.history) :]:
            own, other = moves[joint[0]], moves[joint[1]]
            self.player.update_history(own, other)
            self.opponent.update_history(other, own)
            self.action = self.player.strategy(self.opponent).value
        self.history = history


@dataclass(frozen=True)
class AxelrodAgent:
    """A strategy of Axelrod-Python. In every round it is what a fresh player is after the whole history of the match.

    Its random numbers come from `Turn.key` alone. Players wait for the next round where they sat, so that nothing is
    gone through twice; one that is asked about another history begins again.
    """

    name: str
    """What tables and records call it."""
    player: Any = field(compare=False)
    """A player of Axelrod that never plays; others are cloned from it."""
    text: str | None = None
    """The name from which `axelrod_agent` makes it again; None for a player that has none."""
    _sitting: OrderedDict[tuple[int, int], _Sitting] = field(default_factory=OrderedDict, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return axelrod_agent, (self.text or self.player,)

    @property
    def lookback(self) -> int | None:
        """None: the whole history tells what it does, and no number of last rounds."""
        return None

    @cached_property
    def deterministic(self) -> bool:
        """Whether nothing is left to chance."""
        return not axelrod_library().Classifiers["stochastic"](self.player)

    def describe(self) -> Player:
        version = axelrod_library().__version__
        if self.text is None:
            return Player(self.name, "axelrod_player", {"version": version})
        return Player(self.name, "axelrod", {"strategy": self.text, "version": version})

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision per turn. `StrategyError` where it cannot play the game, or is not shown all of the past."""
        decisions = [self._decide(turn) for turn in turns]
        while len(self._sitting) > max(FEWEST_KEPT, len(turns)):
            self._sitting.popitem(last=False)
        return decisions

    def _decide(self, turn: Turn) -> Decision:
        view = view_of(turn, self.name)
        if view.phase != "act":
            return IDLE
        _check(view, self.name)
        terms, history = terms_of(view), view.history
        sitting = self._sitting.pop(turn.key, None)  # whoever fails is gone
        if sitting is None or sitting.terms != terms or sitting.history != history[: len(sitting.history)]:
            sitting = self._seated(turn.key, terms)
        sitting.hear(history)
        self._sitting[turn.key] = sitting
        certain = ((1.0, 0.0), (0.0, 1.0))[sitting.action] if self.deterministic else None
        return Decision(sitting.action, certain, Source.RULE)

    def _seated(self, key: tuple[int, int], terms: Terms) -> _Sitting:
        """A fresh player before its first round, prepared as Axelrod's Match prepares it."""
        player, opponent = self.player.clone(), axelrod_library().MockPlayer()
        try:
            player.set_match_attributes(**terms.attributes)
        except Exception as error:  # zero-determinant strategies, for one, are not there for every game
            raise StrategyError(f"{self.name} cannot play {terms.game}: {type(error).__name__}: {error}") from error
        if not self.deterministic:
            player.set_seed(player_seed(key))
        return _Sitting(player, terms, opponent, (), player.strategy(opponent).value)


def axelrod_agent(strategy: Any, /, **parameters: Any) -> AxelrodAgent:
    """A strategy of Axelrod-Python as an agent.

    `strategy`: its name, such as ``TitForTat``, ``Tit For Tat``, ``Random(p=0.3)`` or ``Random: 0.3``, with more
    `parameters`; or a player of Axelrod, such as one of a class of your own. `UnknownNameError` with the nearest name
    for an unknown one; `StrategyError` for parameters that it does not take, for strategies that look into their
    opponent, which here is known by its actions only, and where Axelrod-Python is not installed.
    """
    library = axelrod_library()
    if isinstance(strategy, library.Player):
        if parameters:
            raise StrategyError(f"{strategy!r} has its parameters already; got {', '.join(parameters)}")
        text, player = None, strategy.clone()
    else:
        cls, given = read_name(strategy)
        given |= parameters
        text, player = written(cls, given), made(cls, given)
    for trait in OPPONENT_NEEDED:
        if library.Classifiers[trait](player):
            raise StrategyError(
                f"Axelrod's {player!r} {trait.replace('_', ' ')}: it needs its opponent itself,"
                " and here it learns nothing but what the opponent did; it plays in Axelrod's own matches"
            )
    return AxelrodAgent(f"axelrod:{text or repr(player)}", player, text)


def player_seed(key: tuple[int, int]) -> int:
    """What a player of Axelrod is seeded with, from `Turn.key`; below 2**32."""
    match, place = key
    return int(np.random.SeedSequence(match, spawn_key=(place,)).generate_state(1)[0])


def native(name: str) -> Strategy | None:
    """The strategy of dilemmas that plays as the one of Axelrod of this name does; None where there is none."""
    twins = {key_of(cls): entry for entry in STRATEGIES for cls in entry.axelrod}
    found = twins.get(key_of(name))
    return None if found is None else found.strategy


def _check(view: View, name: str) -> None:
    """`StrategyError` where a player of Axelrod cannot play, or is not told what it goes by."""
    players = view.game.n_players if view.rules is None else view.rules.n_players
    if players != 2 or view.game.options != (2, 2):
        actions = " x ".join(str(count) if count else "any amount" for count in view.game.options)
        raise StrategyError(
            f"strategy '{name}' plays games for two with two actions; {view.game.name} has {players} players"
            f" and {actions} actions"
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

    `game`, `noise`: what the agent is told; None: what Axelrod tells its players. In a game whose players are not
    alike it takes the first seat. `name`: what Axelrod's tables, and its cache of matches, know it by; None: the
    agent's. The agent sees the whole history, gets no observation beside its `View`, and draws from the seed that
    Axelrod gives to stochastic players. `StrategyError` for a reply in which no action can be read.
    """
    return _player_class()(agent, game, noise, name)


@cache
def _player_class() -> Any:
    """The class of agents as players of Axelrod; made here, for it derives from what may not be installed."""
    library = axelrod_library()
    moves = tuple(library.Action)

    class AgentPlayer(library.Player):  # type: ignore[name-defined, misc]
        _seed = 0
        """Until there is another one; agents that leave nothing to chance get none."""

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
    """What an agent does in a match of Axelrod."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(view.round,)))
    turn = Turn("player_0", None, {"view": view}, Discrete(2), rng, (seed, 0))
    (decision,) = agent.decide([turn])
    if decision.action is None:
        raise StrategyError(
            f"{agent.name}, round {view.round + 1}: no action can be read in {decision.reply!r}, and Axelrod's matches"
            " cannot be aborted: give the agent a default action"
        )
    return int(decision.action)


def _classifier(agent: Agent) -> dict[str, Any]:
    """How Axelrod classifies an agent."""
    deterministic, memory = _nature(agent)
    found: dict[str, Any] = {
        "memory_depth": math.inf if memory is None else memory,
        "stochastic": not deterministic,
        "makes_use_of": set(),
        "long_run_time": isinstance(agent, LanguageModelAgent),
        **dict.fromkeys(OPPONENT_NEEDED, False),
    }
    if isinstance(agent, AxelrodAgent):
        found = {trait: axelrod_library().Classifiers[trait](agent.player) for trait in found}
    return found


def _nature(agent: Agent) -> tuple[bool, int | None]:
    """Whether an agent leaves nothing to chance, and how many rounds it looks back; None where that has no bound."""
    match agent:
        case Automaton():
            return agent.deterministic, agent.lookback
        case CountingStrategy():
            return agent.deterministic, None
        case PolicyTable():
            return all(max(row) == 1.0 for row in agent.rows), agent.memory
    return False, None
