"""A cache of the states of a match and the transitions between them, so that most steps are lookups."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.rules.protocol import Rules, State, Transition, View

MOST_STATES = 4096
"""Largest number of states that are cached, fewer where observations are long; other states are computed each time."""

CAPACITY = 1 << 22
"""Numbers of four bytes that the cached states may take, and again the cached observations."""

VIEW_SIZE = 100
"""Size of a `View` without its observation, in such numbers."""


class CachedState:
    """A state, what the agents observe in it, and the transitions from it that were taken before."""

    __slots__ = ("after", "seen", "state")

    def __init__(self, state: State, seen: Sequence[tuple[str, View, Observation]]) -> None:
        self.state = state
        self.seen = seen
        """Agent, view and observation of each player; to be copied before it is returned to a caller."""
        self.after: dict[bytes, CachedStep] = {}


CachedStep = tuple[Transition, dict[str, float], CachedState]
"""The effect of a joint action: the transition, payoffs by agent, the next state."""


class TransitionCache:
    """Computes and caches the states of a match; transitions are cached where the rules are deterministic."""

    def __init__(self, rules: Rules, agents: Sequence[str]) -> None:
        self.rules = rules
        self.agents = agents
        self._most_states = min(MOST_STATES, 1 + CAPACITY // (rules.n_players * (rules.observation_size + VIEW_SIZE)))
        self._most_vectors = min(MOST_STATES, 1 + CAPACITY // rules.observation_size)
        self._states: dict[State, CachedState] = {}
        self._vectors: dict[Any, Observation] = {}

    def __reduce__(self) -> tuple[type["TransitionCache"], tuple[Rules, Sequence[str]]]:
        """Copies and pickles leave out what is cached, which is cheap to recompute."""
        return TransitionCache, (self.rules, self.agents)

    def start(self, rng: np.random.Generator) -> CachedState:
        """The first state of a match."""
        return self.cached_state(self.rules.start(rng))

    def cached_state(self, state: State) -> CachedState:
        """The cached form of a state; the same object at every call until the cache is full."""
        cached = self._states.get(state)
        if cached is None:
            views = [self.rules.view(state, player) for player in range(self.rules.n_players)]
            cached = CachedState(state, list(zip(self.agents, views, map(self._vector, views), strict=True)))
            if len(self._states) < self._most_states:
                self._states[state] = cached
        return cached

    def _vector(self, view: View) -> Observation:
        """The observation of a view, computed once for all players and rounds with equal views."""
        key = view[3:-1] if view.rounds is None else view[2:-1]  # without the rules, which never change
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
            The state.
        joint
            One action per player, in the order of the players.
        rng
            Source of randomness, which deterministic rules do not use.

        Raises
        ------
        GameError
            For an action outside the action space.
        """
        key = b""
        try:
            key = bytes(joint)  # integers only, numpy's included: in a tuple, 1.0 would equal 1
            return cached.after[key]
        except (KeyError, TypeError, ValueError):  # not taken before, or actions that are no integers below 256
            pass
        transition = self.rules.step(cached.state, joint, rng)
        after = self.cached_state(transition.state)
        step = transition, dict(zip(self.agents, transition.payoffs, strict=True)), after
        if key and self.rules.predictable and cached.state in self._states:
            cached.after[key] = step
        return step
