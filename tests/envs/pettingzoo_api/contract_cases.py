"""Environments whose payoffs are known from the literature, and how the contract plays them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from dilemmas.envs.pettingzoo_api.parallel_env import parallel

Make = Callable[..., Any]
"""Makes an environment from options."""


@dataclass(frozen=True)
class Case:
    """An environment and what is known of its game without asking dilemmas."""

    name: str
    payoffs: Callable[[tuple[int, ...]], tuple[float, ...]]
    n_players: int = 2
    n_actions: int = 2
    options: dict[str, Any] = field(default_factory=dict)

    def make(self, **options: Any) -> Any:
        return parallel(self.name, **self.options, **options, views=True)

    def joints(self, rounds: int, seed: int = 1) -> list[tuple[int, ...]]:
        """Random joint actions."""
        rng = random.Random(seed)
        return [tuple(rng.randrange(self.n_actions) for _ in range(self.n_players)) for _ in range(rounds)]


def pair(T: float, R: float, P: float, S: float) -> Callable[[tuple[int, ...]], tuple[float, ...]]:
    return lambda joint: {(0, 0): (R, R), (0, 1): (S, T), (1, 0): (T, S), (1, 1): (P, P)}[joint[0], joint[1]]


def commons(n: int, endowment: float, multiplier: float, levels: int) -> Callable[[tuple[int, ...]], tuple[float, ...]]:
    def payoffs(joint: tuple[int, ...]) -> tuple[float, ...]:
        given = [endowment * (levels - 1 - action) / (levels - 1) for action in joint]
        return tuple(endowment - own + multiplier * sum(given) / n for own in given)

    return payoffs


CASES = [
    Case("prisoners_dilemma", pair(5, 3, 1, 0)),
    Case("stag_hunt", pair(3, 4, 3, 0)),
    Case("snowdrift", pair(4, 3, 0, 2)),
    Case("harmony", pair(3, 5, 0, 1)),
    Case("matrix_game", pair(-1, 2.5, 0, 7), options={"T": -1, "R": 2.5, "P": 0, "S": 7}),
    Case("public_goods", commons(4, 20, 1.6, 2), n_players=4),
    Case("public_goods", commons(3, 6, 2, 4), 3, 4, {"n_players": 3, "endowment": 6, "multiplier": 2, "levels": 4}),
    Case("public_goods", commons(13, 1, 3, 2), 13, 2, {"n_players": 13, "endowment": 1, "multiplier": 3}),
]


def act(env: Any, joint: tuple[int, ...]) -> SimpleNamespace:
    """Play one round and name what comes back."""
    agents = list(env.agents)
    observations, rewards, terminations, truncations, infos = env.step(dict(zip(agents, joint, strict=True)))
    for given in (observations, rewards, terminations, truncations, infos):
        assert list(given) == agents, "every agent gets everything, in the order of the table"
    return SimpleNamespace(
        observations=observations,
        rewards=rewards,
        terminations=terminations,
        truncations=truncations,
        infos=infos,
        over=not env.agents,
    )


def played(env: Any, joints: list[tuple[int, ...]]) -> Iterator[SimpleNamespace]:
    """Rounds of one match until it ends or the joint actions do."""
    for joint in joints:
        result = act(env, joint)
        yield result
        if result.over:
            return


def last_joint(case: Case, observation: Any) -> tuple[int, ...]:
    """The last round as the first player's observation shows it."""
    rounds = np.asarray(observation).reshape(-1, case.n_players, case.n_actions)
    return tuple(int(action) for action in rounds[-1].argmax(axis=-1))


def record(case: Case, env: Any, joints: list[tuple[int, ...]], seed: int | None) -> list[Any]:
    """Everything that can be observed of a match, as plain data."""
    env.reset(seed=seed)
    return [
        [(r.observations[a].tolist(), r.rewards[a], r.terminations[a], r.truncations[a]) for a in r.observations]
        for r in played(env, joints)
    ]


def own_first(joint: tuple[Any, ...], player: int) -> tuple[Any, ...]:
    return (joint[player], *joint[:player], *joint[player + 1 :])


def seen_views(infos: Any) -> list[Any]:
    return [info["view"] for info in infos.values()]
