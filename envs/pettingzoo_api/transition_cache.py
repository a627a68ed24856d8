"""A cache of the states of a match and of the transitions between them, so that most steps are lookups."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.rules.protocol import Rules, State, Transition, View

MOST_STATES = 4096
"""Largest number of cached states; fewer if observations are long. Other states are computed each time."""

CAPACITY = 1 << 22
"""Largest total size of the cached states, and again of the cached observations, in 32-bit numbers."""

VIEW_SIZE = 100
"""Approximate size of a `View` without its observation, in 32-bit numbers."""


class CachedState:
    """A state with the observations of the agents and the transitions that were taken from it."""

    __slots__ = ("after", "seen", "state")

    def __init__(self, state: State, seen: Sequence[tuple[str, View, Observation]]) -> None:
        self.state = state
        self.seen = seen
        """Agent, view and observation of each player; copy an observation before returning it to a caller."""
        self.after: dict[bytes, CachedStep] = {}


CachedStep = tuple[Transition, dict[str, float], CachedState]
"""The result of a joint action: transition, payoffs by agent, and next state."""


class TransitionCache:
    """Computes and caches the states of a match, and the transitions if the rules are deterministic.

    Parameters
    ----------
    rules
        Rules of the match.
    agents
        Names of the agents, in the order of the players.
    """

    def __init__(self, rules: Rules, agents: Sequence[str]) -> None:
        self.rules = rules
        self.agents = agents
        self._most_states = min(MOST_STATES, 1 + CAPACITY // (rules.n_players * (rules.observation_size + VIEW_SIZE)))
        self._most_vectors = min(MOST_STATES, 1 + CAPACITY // rules.observation_size)
        self._states: dict[State, CachedState] = {}
        self._vectors: dict[Any, Observation] = {}

    def __reduce__(self) -> tuple[type["TransitionCache"], tuple[Rules, Sequence[str]]]:
        """Copies and pickles do not contain the cache, which is cheap to recompute."""
        return TransitionCache, (self.rules, self.agents)

    def start(self, rng: np.random.Generator) -> CachedState:
        """The state before the first phase of a match."""
        return self.cached_state(self.rules.start(rng))

    def cached_state(self, state: State) -> CachedState:
        """The cached form of a state; the same object at each call until the cache is full."""
        cached = self._states.get(state)
        if cached is None:
            views = [self.rules.view(state, player) for player in range(self.rules.n_players)]
            cached = CachedState(state, list(zip(self.agents, views, map(self._vector, views), strict=True)))
            if len(self._states) < self._most_states:
                self._states[state] = cached
        return cached

    def _vector(self, view: View) -> Observation:
        """The observation of a view, computed once for all players and rounds that have the same observation."""
        key = view[3:-1] if view.rounds is None else view[2:-1]  # without the rules, which are constant
        vector = self._vectors.get(key)
        if vector is None:
            vector = self.rules.encode(view)
            if len(self._vectors) < self._most_vectors:
                self._vectors[key] = vector
        return vector

    def step(self, cached: CachedState, joint: tuple[Any, ...], rng: np.random.Generator) -> CachedStep:
        """Play one phase from a state.

        Parameters
        ----------
        cached
            State before the phase.
        joint
            Action of each player.
        rng
            Random generator; deterministic rules do not use it.

        Raises
        ------
        GameError
            If an action is outside the action space.
        """
        key = b""
        try:
            key = bytes(joint)  # integers only, numpy's included: in a tuple, 1.0 would equal 1
            return cached.after[key]
        except (KeyError, TypeError, ValueError):  # a new joint action, or actions other than integers below 256
            pass
        transition = self.rules.step(cached.state, joint, rng)
        after = self.cached_state(transition.state)
        step = transition, dict(zip(self.agents, transition.payoffs, strict=True)), after
        if key and self.rules.predictable and cached.state in self._states:
            cached.after[key] = step
        return step
