"""The rules of a repeated stage game, played by one group or by a population in pairs.

A round consists of phases, in order: talk (zero or more turns), act, and optionally punishment and reward. Random
numbers are drawn for a random number of rounds, for the pairs of a population, for noise, for errors of perception, and
for the continuation of the match. How many uniform numbers a phase draws depends only on the rules, so that a batch of
matches (`dilemmas.envs.vector.vector_matches`) draws the same numbers as a single match.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from operator import index
from typing import Any

import numpy as np

from dilemmas.envs.checks import MOST_WHOLE, GameError, flag, probability, whole_number
from dilemmas.envs.games.stage_game import Joint, StageGame, whole
from dilemmas.envs.rules.interaction import InPairs, Interaction, OneGroup
from dilemmas.envs.rules.observations import GroupLayout, Layout, Observation, PopulationLayout
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.protocol import Ending, Phase, State, Transition, View
from dilemmas.envs.rules.stages import LARGEST_CHOICE, Sanction, Talk

MAX_OBSERVED = 1 << 28
"""Largest total length of the observations of all players: 1 GiB in 32-bit numbers."""


@dataclass(frozen=True)
class Repeated:
    """A stage game that the same players play once or repeatedly. Implements `dilemmas.envs.rules.protocol.Rules`.

    Raises
    ------
    GameError
        If a value is outside its range, or options cannot be combined.
    """

    stage: StageGame
    """The stage game, which is played in each round."""
    rounds: int | tuple[int, int] | None = 1
    """Number of rounds, 1 or more; a pair (shortest, longest): drawn uniformly from this range, both included, and
    unknown to the players; None: no limit."""
    continuation: float = 1.0
    """Continuation probability, in [0, 1]: that a round is followed by another one."""
    noise: float = 0.0
    """Trembling hand: probability, in [0, 1], that an action is replaced by a random other action."""
    misperception: float = 0.0
    """Probability, in [0, 1], that a player perceives a random other action in place of another player's action;
    histories are then private."""
    memory: int = 1
    """Number of past rounds that the players observe, 0 or more."""
    clock: bool = False
    """Whether the players know the number of remaining rounds, which needs a fixed number of rounds."""
    talk: Talk | None = None
    """Cheap talk before the players act; None without it."""
    punishment: Sanction | None = None
    """Stage of punishment after the players have acted; None without it."""
    reward: Sanction | None = None
    """Stage of reward after the players have acted; None without it."""
    population: Population | None = None
    """Interaction structure of a population that plays a symmetric two-player game in pairs; None if all players play
    together. It cannot be combined with errors of perception, talk or sanctions."""

    def __post_init__(self) -> None:
        for option in ("misperception", "talk", "punishment", "reward") if self.population else ():
            if getattr(self, option):
                raise GameError(f"population: {option} = {getattr(self, option)!r}; cannot be used in a population")
        object.__setattr__(self, "rounds", _horizon(self.rounds))
        for name in ("continuation", "noise", "misperception"):
            object.__setattr__(self, name, probability(getattr(self, name), name))
        object.__setattr__(self, "memory", whole_number(self.memory, "memory", 0))
        object.__setattr__(self, "clock", flag(self.clock, "clock"))
        if self.clock and not isinstance(self.rounds, int):
            raise GameError(f"clock = True, rounds = {self.rounds!r}; a clock needs a fixed number of rounds")
        if 0 in self.stage.options and len(self.phases) > 1:
            raise GameError(f"{self.stage.name}: free amounts exclude talk and sanctions; use contribution levels")
        for phase in self.phases:
            if max(phase.options) > LARGEST_CHOICE:
                most = f"more than {LARGEST_CHOICE} options of a player"
                raise GameError(f"{phase.name}: {most}; use fewer points or fewer players")
        if self.n_players * self.observation_size > MAX_OBSERVED:
            size = f"{self.observation_size} numbers observed by each of {self.n_players} players"
            raise GameError(f"memory = {self.memory}: {size}; the limit is {MAX_OBSERVED} in all; use less memory")

    @cached_property
    def interaction(self) -> Interaction:
        """How the players interact in a round."""
        return OneGroup(self.stage) if self.population is None else InPairs(self.stage, self.population)

    @property
    def n_players(self) -> int:
        """Number of players of a match."""
        return self.interaction.n_players

    @property
    def endless(self) -> bool:
        """Whether the rules never end a match."""
        return self.rounds is None and self.continuation == 1.0

    @property
    def certain_rounds(self) -> int | None:
        """Number of rounds if the players know it and nothing else ends the match, as `View.certain_rounds`."""
        known = self.clock and self.continuation == 1.0
        return self.rounds if known and isinstance(self.rounds, int) else None

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of a round, in order."""
        n, options = self.n_players, self.interaction.options
        silent = (0,) * n
        turns = [Phase("talk", (self.talk.signals,) * n, silent)] * self.talk.turns if self.talk else []
        act = Phase("act", options, tuple(count - 1 if count else 0 for count in options))
        after = [
            Phase(name, ((sanction.points + 1) ** (n - 1),) * n, silent)
            for name, sanction in (("punish", self.punishment), ("reward", self.reward))
            if sanction
        ]
        return (*turns, act, *after)

    @cached_property
    def spaces(self) -> tuple[int, ...]:
        """Largest number of options of each player in any phase; 0 if the action is an amount."""
        return tuple(map(max, zip(*(phase.options for phase in self.phases), strict=True)))

    @cached_property
    def layout(self) -> Layout:
        """Encoder of views and states."""
        return GroupLayout(self) if self.population is None else PopulationLayout(self, self.population)

    @property
    def observation_size(self) -> int:
        """Length of an encoded view."""
        return self.layout.size

    @property
    def state_size(self) -> int:
        """Length of an encoded state."""
        return self.layout.state_size

    def encode(self, view: View) -> Observation:
        """Encode a view as a vector with values in [0, 1], shape (observation_size,)."""
        return self.layout.encode(view)

    def encode_state(self, state: State) -> Observation:
        """Encode a state without errors of perception as a vector with values in [0, 1], shape (state_size,)."""
        return self.layout.encode_state(state)

    def start(self, rng: np.random.Generator) -> State:
        """The state before the first phase of a match; uses `rng` only if the number of rounds is random."""
        length = self.rounds
        if isinstance(length, tuple):
            shortest, longest = length
            length = shortest + int(rng.random() * (longest - shortest + 1))
        return State(
            round=0,
            phase=0,
            history=(),
            length=length,
            seen=((),) * self.n_players if self.misperception or self.interaction.random else None,
        )

    def step(self, state: State, joint: Sequence[Any], rng: np.random.Generator) -> Transition:
        """Play one phase.

        Parameters
        ----------
        state
            State before the phase.
        joint
            Action of each player. An action of another phase is replaced by the default of this phase.
        rng
            Random generator.

        Raises
        ------
        GameError
            If the match has ended, the number of actions is wrong, or an action is valid in no phase.
        """
        if state.ending is not None:
            raise GameError(f"the match has ended after round {state.round}: {state.ending.value}")
        phase = self.phases[state.phase]
        legal = self._legal(joint, phase)
        if phase.name == "act":
            return self._act(state, legal, rng)
        if phase.name == "talk":
            return self._next(state._replace(said=(*state.said, legal)), legal, (0.0,) * self.n_players, rng)
        return self._sanction(state, legal, phase.name, rng)

    def view(self, state: State, player: int) -> View:
        """The information of a player in a state; joint actions have its own action first, then the others in order."""
        history = state.seen[player] if state.seen is not None else state.history
        acted = state.perceived[player] if state.perceived is not None else state.acted
        own_first = self.interaction.looks[player]
        return View(
            self.stage,
            player,
            state.round,
            tuple(map(own_first, history)),
            self.phases[state.phase].name,
            tuple(map(own_first, state.said)),
            None if acted is None else own_first(acted),
            None if state.sanctioned is None else own_first(state.sanctioned),
            state.length if self.clock else None,
            self,
        )

    def sanctions(self, action: int, player: int, points: int) -> list[int]:
        """Points that an action of a phase of sanctions assigns to each player.

        The action is a number in base ``points + 1``; its digits are the points of the other players, in order, the
        least significant digit first.
        """
        digits = [(action // (points + 1) ** place) % (points + 1) for place in range(self.n_players - 1)]
        return [*digits[:player], 0, *digits[player:]]

    @cached_property
    def predictable(self) -> bool:
        """Whether `step` is deterministic."""
        return not (self.noise or self.misperception or self.interaction.random) and self.continuation == 1.0

    def _act(self, state: State, joint: Joint, rng: np.random.Generator) -> Transition:
        n = self.n_players
        if self.noise:
            trembles = rng.random(n).tolist()
            joint = tuple([self._swapped(joint[i], i, trembles[i], self.noise) for i in range(n)])
        payoffs, perceived = self._meet(joint, rng)
        seen = None if state.seen is None else tuple(map(self._remember, state.seen, perceived))
        due = joint if state.phase + 1 < len(self.phases) else None
        sanctioned = None if due is None else (0.0,) * n
        history = self._remember(state.history, joint)
        shown = tuple(perceived) if seen is not None and due else None
        after = state._replace(history=history, seen=seen, acted=due, sanctioned=sanctioned, perceived=shown)
        return self._next(after, joint, payoffs, rng)

    def _meet(self, joint: Joint, rng: np.random.Generator) -> tuple[tuple[float, ...], Sequence[Joint]]:
        """Payoffs of a joint action; and, if it may differ between players, what each of them observes."""
        payoffs, seen = self.interaction.meet(joint, rng)
        return payoffs, self._mistaken(joint, rng) if self.misperception else seen

    def _mistaken(self, joint: Joint, rng: np.random.Generator) -> list[Joint]:
        """A joint action as perceived by each player, with errors of perception."""
        n, chance = self.n_players, self.misperception
        errors = rng.random((n, n)).tolist()  # (observer, observed); the diagonal is not used
        return [
            tuple([joint[j] if j == i else self._swapped(joint[j], j, errors[i][j], chance) for j in range(n)])
            for i in range(n)
        ]

    def _remember(self, past: tuple[Joint, ...], joint: Joint) -> tuple[Joint, ...]:
        return (*past, joint)[-self.memory :] if self.memory else ()

    def _sanction(self, state: State, joint: Joint, name: str, rng: np.random.Generator) -> Transition:
        punishing = name == "punish"
        sanction = self.punishment if punishing else self.reward
        assert sanction is not None
        assert state.sanctioned is not None
        given = [self.sanctions(action, player, sanction.points) for player, action in enumerate(joint)]
        sign = -1.0 if punishing else 1.0
        received = [
            sign * sanction.effect * sum(row[player] for row in given) + 0.0 for player in range(self.n_players)
        ]
        payoffs = tuple(got - sanction.cost * sum(row) for got, row in zip(received, given, strict=True))
        total = tuple(old + new for old, new in zip(state.sanctioned, received, strict=True))
        return self._next(state._replace(sanctioned=total), joint, payoffs, rng)

    def _next(self, state: State, joint: Joint, payoffs: tuple[float, ...], rng: np.random.Generator) -> Transition:
        """Advance to the next phase, to the next round, or to the end of the match."""
        name = self.phases[state.phase].name
        if state.phase + 1 < len(self.phases):
            return Transition(state._replace(phase=state.phase + 1), joint, payoffs, name)
        continued = self.continuation == 1.0 or rng.random() < self.continuation
        ending = None
        if state.length is not None and state.round + 1 == state.length:
            ending = Ending.LAST_ROUND
        elif not continued:
            ending = Ending.CHANCE
        over = State(state.round + 1, 0, state.history, ending, state.length, state.seen, (), None, state.sanctioned)
        return Transition(over, joint, payoffs, name)

    def _legal(self, joint: Sequence[Any], phase: Phase) -> Joint:
        """The joint action with defaults in place of actions of other phases; `GameError` for invalid actions."""
        if len(joint) != self.n_players:
            raise GameError(f"joint action {tuple(joint)} has {len(joint)} actions for {self.n_players} players")
        if {*map(type, joint)} == {int} and min(joint) >= 0 and max(joint) < min(phase.options):
            return tuple(joint)  # fast path for large populations
        return tuple([self._legal_action(action, player, phase) for player, action in enumerate(joint)])

    def _legal_action(self, action: Any, player: int, phase: Phase) -> Any:
        options = phase.options[player]
        if not options:
            return self._amount(action, player)
        if whole(action, options):
            return index(action)
        if whole(action, self.spaces[player]):
            return phase.default[player]
        if isinstance(action, str) and self.talk is not None and self.talk.words:
            return action if phase.name == "talk" else phase.default[player]
        raise GameError(
            f"action {action!r} of player_{player} is outside 0..{self.spaces[player] - 1} of {self.stage.name}"
        )

    def _amount(self, action: Any, player: int) -> float:
        """A contribution in points, from a number or an array of one number."""
        endowment = self.stage.endowments[player]
        try:
            amount = float(np.asarray(action, dtype=np.float64).item())
        except (TypeError, ValueError):
            amount = -1.0
        most = max(endowment, float(np.float32(endowment)))  # the space has 32 bits, where 0.1 is rounded up
        if not 0.0 <= amount <= most:
            raise GameError(f"action {action!r} of player_{player} is outside 0..{endowment:g} of {self.stage.name}")
        return min(amount, endowment)

    def _swapped(self, action: Any, player: int, u: float, chance: float) -> Any:
        """The action or, with probability `chance`, a random other action; `u` is uniform in [0, 1)."""
        if u >= chance:
            return action
        options = self.interaction.options[player]
        if not options:
            return u / chance * self.stage.endowments[player]
        return (action + 1 + int(u / chance * (options - 1))) % options


def _horizon(rounds: Any) -> int | tuple[int, int] | None:
    """Check the number of rounds or the pair (shortest, longest), and convert them to int."""
    if rounds is None:
        return None
    pair = rounds if isinstance(rounds, tuple) else (rounds, rounds)
    whole = all(isinstance(n, Integral) and not isinstance(n, bool) for n in pair)
    if not (len(pair) == 2 and whole and 1 <= int(pair[0]) <= int(pair[1]) <= MOST_WHOLE):
        raise GameError(
            f"rounds = {rounds!r}; needs a whole number of at least 1, a pair of them (shortest, longest)"
            " such as (5, 10), or None for no limit"
        )
    return (int(pair[0]), int(pair[1])) if isinstance(rounds, tuple) else int(rounds)
