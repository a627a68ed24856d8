"""Contenders of `dilemmas bench envs`: the environments of dilemmas, PettingZoo and OpenSpiel.

All take random actions that are drawn in advance. A round is one play of the stage game by all players; a decision is
the action of one player in a round.
"""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.vector.gymnasium_vector import VectorPlayers
from dilemmas.envs.vector.vector_matches import VectorMatches
from dilemmas.experiments.benchmarks.race import Bar, Contender, Play

ROUNDS = 100
"""Rounds of a match."""
MATCHES = 100_000
"""Matches at once."""


def random_actions(shape: Sequence[int], options: int) -> NDArray[np.int64]:
    """Random actions."""
    return np.random.default_rng(1).integers(0, options, shape)


def one_by_one(env: Any, options: int) -> Play:
    """Play matches of a PettingZoo parallel environment, 1,000 rounds per call."""
    joints = [
        dict(zip(env.possible_agents, joint, strict=True)) for joint in random_actions((1000, 2), options).tolist()
    ]
    env.reset(seed=1)

    def play() -> int:
        for joint in joints:
            env.step(joint)
            if not env.agents:
                env.reset()
        return len(joints)

    return play


def shipped() -> Play:
    """The installed rock-paper-scissors environment of PettingZoo, 15 rounds per match."""
    from pettingzoo.classic.rps.rps import parallel_env  # type: ignore[import-untyped]  # needs pygame

    return one_by_one(parallel_env(), 3)


class PlainExample:
    """The work of the parallel example in PettingZoo's documentation (parallel_rps.py) per round.

    Rock-paper-scissors: look up the rewards, and create one dictionary each of observations, flags and infos. Nothing
    is checked or copied, and an observation is an array with the last action of the other player.
    """

    def __init__(self) -> None:
        self.possible_agents = ["player_0", "player_1"]
        self.agents: list[str] = []
        self.outcomes = {
            (mine, theirs): [(0, 0), (1, -1), (-1, 1)][(mine - theirs) % 3] for mine in range(3) for theirs in range(3)
        }

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        self.agents = self.possible_agents[:]
        self.rounds = 0
        self.seen = {agent: np.array(3) for agent in self.agents}
        return self.seen, {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[dict[str, Any], ...]:
        if not actions:
            self.agents = []
            return {}, {}, {}, {}, {}
        rewards: dict[str, Any] = {}
        joint = actions[self.agents[0]], actions[self.agents[1]]
        rewards[self.agents[0]], rewards[self.agents[1]] = self.outcomes[joint]
        terminations = {agent: False for agent in self.agents}
        self.rounds += 1
        over = self.rounds >= ROUNDS
        truncations = {agent: over for agent in self.agents}
        count = range(len(self.agents))
        observations = {self.agents[i]: np.array(actions[self.agents[1 - i]], dtype=np.int64) for i in count}
        self.seen = observations
        infos: dict[str, Any] = {agent: {} for agent in self.agents}
        if over:
            self.agents = []
        return observations, rewards, terminations, truncations, infos


def spiel() -> Play:
    """OpenSpiel's repeated prisoner's dilemma, in C++ and without dictionaries or observations."""
    import pyspiel  # type: ignore[import-not-found, unused-ignore]

    game = pyspiel.create_repeated_game("matrix_pd", {"num_repetitions": ROUNDS})
    joints = random_actions((ROUNDS, 2), 2).tolist()

    def play() -> int:
        state = game.new_initial_state()
        for joint in joints:
            state.apply_actions(joint)
        return ROUNDS

    return play


def at_once(game: str, per_round: int, copy: bool = True) -> Play:
    """Play one round of all matches per call, counted as `per_round` units."""
    rules = rules_of(game, rounds=ROUNDS)
    matches = VectorMatches(rules, MATCHES, copy=copy)
    matches.reset(seed=1)
    joints = cycle(random_actions((4, MATCHES, rules.n_players), rules.spaces[0]))

    def play() -> int:
        matches.step(next(joints))
        return MATCHES * per_round

    return play


def as_vector(game: str) -> Play:
    """Play one round of all matches per call through Gymnasium's vector interface, in which each player is a row."""
    rules = rules_of(game, rounds=ROUNDS)
    players = VectorPlayers(VectorMatches(rules, MATCHES))
    players.reset(seed=1)
    joints = cycle(random_actions((4, players.num_envs), rules.spaces[0]))

    def play() -> int:
        players.step(next(joints))
        return MATCHES

    return play


SHIPPED, PLAIN, SPIEL = "PettingZoo rps_v2", "PettingZoo plain example", "OpenSpiel in C++"
NATIVE, BATCH, COMMONS = "dilemmas one by one", "dilemmas batch", "dilemmas public goods"

CONTENDERS = (
    Contender(SHIPPED, "rounds", shipped),
    Contender(PLAIN, "rounds", lambda: one_by_one(PlainExample(), 3)),
    Contender(SPIEL, "rounds", spiel),
    Contender(NATIVE, "rounds", lambda: one_by_one(parallel("prisoners_dilemma", rounds=ROUNDS), 2)),
    Contender(BATCH, "rounds", lambda: at_once("prisoners_dilemma", 1)),
    Contender(f"{BATCH}, no copy", "rounds", lambda: at_once("prisoners_dilemma", 1, copy=False)),
    Contender(f"{BATCH}, vector", "rounds", lambda: as_vector("prisoners_dilemma")),
    Contender(COMMONS, "decisions", lambda: at_once("public_goods", 4)),
)
"""Environments of dilemmas play the repeated prisoner's dilemma, one of them public goods with four players; the two
of PettingZoo play rock-paper-scissors."""

BARS = (
    Bar(NATIVE, 25, SHIPPED),
    Bar(NATIVE, 1, PLAIN),
    Bar(BATCH, 50e6),
    Bar(COMMONS, 20e6),
)
