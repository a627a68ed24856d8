"""The PettingZoo shell of the games: a native ParallelEnv over any `Rules`, and AEC made from it.

All that is decided here is PettingZoo's: names of agents, spaces, dictionaries, the clock. What happens in a
round is decided by the rules (`understudy.envs.rules`).
"""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import AECEnv, ParallelEnv  # type: ignore[import-untyped]
from pettingzoo.utils.conversions import parallel_to_aec  # type: ignore[import-untyped]

from understudy.envs.catalogue import lookup
from understudy.envs.games import game_name, game_options, stage_game
from understudy.envs.matrix_games import GameError
from understudy.envs.observations import Observation, Sight
from understudy.envs.pixels import Picture
from understudy.envs.rendering import Album, image, text
from understudy.envs.rules import Repeated, Rules, View

MAX_CYCLES = 100
"""Rounds after which the clock ends a match that the rules would never end."""

RENDER_MODES = ("human", "ansi", "rgb_array")

Seen = tuple[dict[str, Observation], dict[str, dict[str, Any]]]
"""Observations and infos by agent."""


class SocialDilemma(ParallelEnv):  # type: ignore[misc]
    """A match by given rules, between ``player_0``, ``player_1`` and so on.

    An observation is the history in numbers (`understudy.envs.observations.encode`); ``infos[agent]["view"]``
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
        if not (max_cycles is None or (isinstance(max_cycles, Integral) and max_cycles >= 1)):
            raise GameError(f"{name}: max_cycles = {max_cycles!r}; needs a whole number from 1 up, or None")
        if render_mode is not None:
            lookup("render_mode", render_mode, dict.fromkeys(RENDER_MODES), place=name)
        self.metadata: dict[str, Any] = {
            "name": name,
            "render_modes": list(RENDER_MODES),
            "is_parallelizable": True,
            "render_fps": 2,
        }
        self.rules = rules
        self.max_cycles = MAX_CYCLES if max_cycles is None and rules.endless else max_cycles
        self.render_mode = render_mode
        self.views = views
        self.possible_agents = [f"player_{player}" for player in range(rules.n_players)]
        self.agents: list[str] = []
        self._sight = Sight(rules)
        self._rng = np.random.default_rng()
        self._begin()
        options = dict(zip(self.possible_agents, rules.phase(self._state).options, strict=True))
        self.action_spaces = {agent: Discrete(count) for agent, count in options.items()}
        self.observation_spaces = {agent: self._box() for agent in self.possible_agents}
        self.state_space = self._box()

    def _box(self) -> Box:
        return Box(0.0, 1.0, (self._sight.size,), np.float32)

    def _begin(self) -> None:
        self._state = self.rules.start()
        self._steps = 0
        self._album = Album(self.rules.stage)

    def observation_space(self, agent: str) -> Box:
        """Where the agent's observations lie; the same object at every call."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """The agent's actions, from the most cooperative to the least; the same object at every call."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> Seen:
        """Start a match. A `seed` starts randomness anew, else it goes on; `options` change nothing."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
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
            joint = tuple([actions[agent] for agent in agents])
        except KeyError as missing:
            raise GameError(f"{self}: no action of {missing}; every agent acts in every round") from None
        transition = self.rules.step(self._state, joint, self._rng)
        self._state = transition.state
        self._steps += 1
        if self.render_mode is not None:
            self._album.add(transition)
        observations, infos = self._look()
        terminated = self._state.ending is not None
        truncated = not terminated and self.max_cycles is not None and self._steps >= self.max_cycles
        if terminated or truncated:
            self.agents = []
        return (
            observations,
            dict(zip(agents, transition.payoffs, strict=True)),
            dict.fromkeys(agents, terminated),
            dict.fromkeys(agents, truncated),
            infos,
        )

    def _look(self) -> Seen:
        """What every agent sees, in new arrays and new dictionaries."""
        game, played, views = self.rules.stage, self._state.round, self.views
        observations: dict[str, Observation] = {}
        infos: dict[str, dict[str, Any]] = {}
        for agent, (player, history, vector) in zip(self.agents, self._sight(self._state), strict=True):
            observations[agent] = vector.copy()
            infos[agent] = {"view": View(game, player, played, history)} if views else {}
        return observations, infos

    def state(self) -> Observation:
        """The last rounds in numbers, with the players in the order of the table: what ``player_0`` sees."""
        return self._sight(self._state)[0].vector.copy()

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


def parallel(
    name: str,
    *,
    rounds: int | None = None,
    continuation: float = 1.0,
    noise: float = 0.0,
    memory: int = 1,
    max_cycles: int | None = None,
    render_mode: str | None = None,
    views: bool = True,
    **game: Any,
) -> SocialDilemma:
    """An environment of the catalogue in PettingZoo's parallel form.

    A match is ended by the rules (terminated) after `rounds`, or after each round with probability
    1 - `continuation`; by the clock (truncated) after `max_cycles`, which is 100 where nothing else would end
    it. `noise` is the probability that an action is replaced by another one, `memory` how many rounds back
    players see; `views` puts a `View` into every info. `game`: options of `stage_game`. Raises `InputError` for
    options that cannot be used.
    """
    known = {**game_options(name), **(parallel.__kwdefaults__ or {})}  # all: `round` should find `rounds`
    for option in game:
        lookup("option", option, known, place=game_name(name))
    rules = Repeated(stage_game(name, **game), rounds, continuation, noise, memory)
    environment = f"{game_name(name)}_v0"
    return SocialDilemma(rules, environment, max_cycles=max_cycles, render_mode=render_mode, views=views)


def aec(name: str, **options: Any) -> AECEnv:
    """The same in PettingZoo's turn-based form: actions are held back until all have been chosen."""
    return parallel_to_aec(parallel(name, **options))
