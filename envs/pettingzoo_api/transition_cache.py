"""The states of a match and the steps between them, kept as they are met, so that play becomes walking."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.rules.protocol import Rules, State, Transition, View

KEPT = 4096
"""Most states that are kept, fewer where there is much to see; the others are worked out every time."""

ROOM = 1 << 22
"""Numbers of four bytes that the kept states may take, and again the kept vectors."""

VIEW = 100
"""What a `View` takes besides its vector, in such numbers."""


class Node:
    """A state, what the agents see in it, and the steps from it that were taken before."""

    __slots__ = ("after", "seen", "state")

    def __init__(self, state: State, seen: Sequence[tuple[str, View, Observation]]) -> None:
        self.state = state
        self.seen = seen
        """Agent, view, and the same in numbers; to be copied before it is given away."""
        self.after: dict[bytes, Step] = {}


Step = tuple[Transition, dict[str, float], Node]
"""What a joint action does: the transition, payoffs by agent, the next node."""


class Graph:
    """Walks through the states of rules; where nothing is left to chance, steps are kept too."""

    def __init__(self, rules: Rules, agents: Sequence[str]) -> None:
        self.rules = rules
        self.agents = agents
        self._room = min(KEPT, 1 + ROOM // (rules.n_players * (rules.observation_size + VIEW)))
        self._room_for_vectors = min(KEPT, 1 + ROOM // rules.observation_size)
        self._nodes: dict[State, Node] = {}
        self._vectors: dict[Any, Observation] = {}

    def __reduce__(self) -> tuple[type["Graph"], tuple[Rules, Sequence[str]]]:
        """Copies and pickles leave behind what is kept: it is quickly made again."""
        return Graph, (self.rules, self.agents)

    def start(self, rng: np.random.Generator) -> Node:
        """Where a match begins."""
        return self.node(self.rules.start(rng))

    def node(self, state: State) -> Node:
        """The node of a state: the same one at every call, while there is room."""
        node = self._nodes.get(state)
        if node is None:
            views = [self.rules.view(state, player) for player in range(self.rules.n_players)]
            node = Node(state, list(zip(self.agents, views, map(self._vector, views), strict=True)))
            if len(self._nodes) < self._room:
                self._nodes[state] = node
        return node

    def _vector(self, view: View) -> Observation:
        """A view in numbers, made once for all players and rounds that look alike."""
        key = view[3:-1] if view.rounds is None else view[2:-1]  # without the rules: they are one and the same
        vector = self._vectors.get(key)
        if vector is None:
            vector = self.rules.encode(view)
            if len(self._vectors) < self._room_for_vectors:
                self._vectors[key] = vector
        return vector

    def step(self, node: Node, joint: tuple[Any, ...], rng: np.random.Generator) -> Step:
        """Play one phase from a node."""
        key = b""
        try:
            key = bytes(joint)  # whole numbers alone, numpy's too: in a tuple, 1.0 would pass for 1
            return node.after[key]
        except (KeyError, TypeError, ValueError):  # not taken before, or with other actions, or with large ones
            pass
        transition = self.rules.step(node.state, joint, rng)
        after = self.node(transition.state)
        step = transition, dict(zip(self.agents, transition.payoffs, strict=True)), after
        if key and self.rules.predictable and node.state in self._nodes:
            node.after[key] = step
        return step
