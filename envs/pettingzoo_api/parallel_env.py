"""The PettingZoo shell of the games: a native ParallelEnv over any `Rules`, and AEC made from it.

All that is decided here is PettingZoo's: names of agents, spaces, dictionaries, the clock. What happens in a
round is decided by the rules (`dilemmas.envs.rules.protocol`).
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from pettingzoo import AECEnv, ParallelEnv  # type: ignore[import-untyped]
from pettingzoo.utils.conversions import parallel_to_aec  # type: ignore[import-untyped]

from dilemmas.envs.checks import GameError, flag, whole_number
from dilemmas.envs.games.catalogue import game_name
from dilemmas.envs.names import lookup
from dilemmas.envs.pettingzoo_api.transition_cache import Graph
from dilemmas.envs.rendering.frames import Album
from dilemmas.envs.rendering.pixels import Picture
from dilemmas.envs.rendering.render import image, text
from dilemmas.envs.rules.factory import check_options, rules_of
from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.rules.protocol import Rules

MAX_CYCLES = 100
"""Rounds after which the clock ends a match that the rules would never end."""

RENDER_MODES = ("human", "ansi", "rgb_array")

Seen = tuple[dict[str, Observation], dict[str, dict[str, Any]]]
"""Observations and infos by agent."""


class SocialDilemma(ParallelEnv):  # type: ignore[misc]
    """A match by given rules, between ``player_0``, ``player_1`` and so on.

    An observation is the history in numbers (`dilemmas.envs.rules.observations.encode`); ``infos[agent]["view"]``
    is the agent's `View`, unless `views` is false: TorchRL, for one, can only take numbers there. Copies and
    pickles made in mid-match go on from there, randomness included.
    """

    def __init__(
        self,
        rules: Rules,
        name: str,
        *,
        max_cycles: int | None = None,
        render_mode: str | None = None,
        views: bool = True,
    ) -> None:
        """`max_cycles`: rounds until truncation; None is 100 where the rules end no match, else no clock."""
        if max_cycles is not None:
            max_cycles = whole_number(max_cycles, f"{name}: max_cycles", 1)
        if render_mode is not None:
            lookup("render_mode", render_mode, dict.fromkeys(RENDER_MODES), place=name)
        self.metadata: dict[str, Any] = {
            "name": name,
            "render_modes": list(RENDER_MODES),
            "is_parallelizable": True,
            "render_fps": 2,
        }
        self.rules = rules
        self.max_cycles = MAX_CYCLES * len(rules.phases) if max_cycles is None and rules.endless else max_cycles
        self.render_mode = render_mode
        self.views = flag(views, f"{name}: views")
        self.possible_agents = [f"player_{player}" for player in range(rules.n_players)]
        self.agents: list[str] = []
        self._graph = Graph(rules, self.possible_agents)
        self._no = dict.fromkeys(self.possible_agents, False)
        self._masks = self._phase_masks()
        self._joint = itemgetter(*self.possible_agents)
        self._rng = np.random.default_rng()
        self._begin()
        self.action_spaces = {agent: self._actions(player) for player, agent in enumerate(self.possible_agents)}
        self.observation_spaces = {agent: _box(rules.observation_size) for agent in self.possible_agents}
        self.state_space = _box(rules.state_size)

    def _actions(self, player: int) -> Discrete | Box:
        options = self.rules.spaces[player]
        return Discrete(options) if options else Box(0.0, self.rules.stage.endowments[player], (1,), np.float32)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what is kept: a copy made in mid-match goes on from there."""
        return {**self.__dict__, "_node": self._node.state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._node = self._graph.node(state["_node"])

    def _begin(self) -> None:
        self._node = self._graph.start(self._rng)
        self._steps = 0
        self._album = Album(self.rules)

    def observation_space(self, agent: str) -> Box:
        """Where the agent's observations lie; the same object at every call."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete | Box:
        """The agent's actions, from the most cooperative to the least; the same object at every call."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> Seen:
        """Start a match. A `seed` starts randomness anew, else it goes on; `options` change nothing."""
        if seed is not None:
            self._rng = np.random.default_rng(whole_number(seed, "seed", 0))
        self._begin()
        self.agents = self.possible_agents[:]
        return self._look()

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Play one round: observations, rewards, terminations, truncations and infos by agent.

        Raises `GameError` for an action outside the space, for a missing one, and where no match is on.
        """
        agents = self.agents
        if not agents:
            raise GameError(f"{self}: no match is on; call reset() first")
        try:
            joint = self._joint(actions)
        except KeyError as missing:
            raise GameError(f"{self}: no action of {missing}; every agent acts in every round") from None
        except (TypeError, IndexError):
            raise GameError(f"{self}: actions = {actions!r}; needs a dict with an action for each agent") from None
        if len(actions) != len(agents):
            strange = next(agent for agent in actions if agent not in agents)
            raise GameError(f"{self}: no agent is called {strange!r}; they are {agents[0]} to {agents[-1]}")
        transition, rewards, self._node = self._graph.step(self._node, joint, self._rng)
        self._steps += 1
        if self.render_mode is not None:
            self._album.add(transition)
        observations, infos = self._look()
        terminated = transition.state.ending is not None
        truncated = not terminated and self.max_cycles is not None and self._steps >= self.max_cycles
        if terminated or truncated:
            self.agents = []
        return (
            observations,
            rewards.copy(),
            dict.fromkeys(agents, True) if terminated else self._no.copy(),
            dict.fromkeys(agents, True) if truncated else self._no.copy(),
            infos,
        )

    def _look(self) -> Seen:
        """What every agent sees, in new arrays and new dictionaries."""
        views = self.views
        observations: dict[str, Observation] = {}
        infos: dict[str, dict[str, Any]] = {}
        for agent, view, vector in self._node.seen:  # one loop: on Python 3.11 each comprehension is a call
            observations[agent] = vector.copy()
            infos[agent] = {"view": view} if views else {}
        if self._masks:
            for agent, mask in self._masks[self._node.state.phase].items():
                infos[agent]["action_mask"] = mask.copy()
        return observations, infos

    def _phase_masks(self) -> list[dict[str, NDArray[np.int8]]]:
        """Per phase, which actions of each agent belong to it; empty where there is but one phase."""
        rules = self.rules
        if len(rules.phases) == 1:
            return []
        masks = [
            [(np.arange(space) < own).astype(np.int8) for space, own in zip(rules.spaces, phase.options, strict=True)]
            for phase in rules.phases
        ]
        return [dict(zip(self.possible_agents, row, strict=True)) for row in masks]

    def state(self) -> Observation:
        """The last rounds in numbers, as they happened, with the players in the order of the table."""
        return self.rules.encode_state(self._node.state)

    def render(self) -> str | Picture | None:
        """The match so far: ``ansi`` is a text, ``rgb_array`` a picture, ``human`` prints the text."""
        if self.render_mode is None:
            gymnasium.logger.warn(f"{self}: render() needs a render_mode, one of {', '.join(RENDER_MODES)}")
            return None
        if self.render_mode == "rgb_array":
            return image(self._album)
        if self.render_mode == "ansi":
            return text(self._album)
        print(text(self._album))
        return None

    def close(self) -> None:
        """Nothing is held open."""


def _box(size: int) -> Box:
    return Box(0.0, 1.0, (size,), np.float32)


def parallel(
    name: str,
    /,
    *,
    max_cycles: int | None = None,
    render_mode: str | None = None,
    views: bool = True,
    **options: Any,
) -> SocialDilemma:
    """An environment of the catalogue in PettingZoo's parallel form.

    `options`: of the match and of the game, as in `rules_of`, which end it (terminated). The clock ends it (truncated)
    after `max_cycles` steps, which is 100 rounds where nothing else would. With talk or sanctions a round takes several
    steps; infos have an `action_mask`, and an action of another step counts as silence, as defection, or as no point.
    `views` puts a `View` into every info. Raises `InputError` for options that cannot be used.
    """
    check_options(name, options, *SHELL)  # all that are known: `max_cycle` should find `max_cycles`
    rules, environment = rules_of(name, **options), f"{game_name(name)}_v0"
    return SocialDilemma(rules, environment, max_cycles=max_cycles, render_mode=render_mode, views=views)


SHELL: dict[str, Any] = dict(parallel.__kwdefaults__ or {})
"""The options of the shell and their defaults; those of the rules are `rulebook.options_of`."""


def aec(name: str, /, **options: Any) -> AECEnv:
    """The same in PettingZoo's turn-based form: actions are held back until all have been chosen."""
    return parallel_to_aec(parallel(name, **options))
