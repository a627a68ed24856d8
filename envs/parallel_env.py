"""The PettingZoo shell of the games: a native ParallelEnv over any `Rules`, and AEC made from it.

All that is decided here is PettingZoo's: names of agents, spaces, dictionaries, the clock. What happens in a round is
decided by the rules (`understudy.envs.rules`).
"""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils.conversions import parallel_to_aec

from understudy.envs.catalogue import lookup
from understudy.envs.games import game_name, game_options, stage_game
from understudy.envs.matrix_games import GameError
from understudy.envs.observations import Sight
from understudy.envs.rendering import Album, image, text
from understudy.envs.rules import Repeated, Rules, View

MAX_CYCLES = 100
"""Rounds after which the clock ends a match that the rules would never end."""

Infos = dict[str, dict[str, Any]]


class SocialDilemma(ParallelEnv):  # type: ignore[type-arg, misc]  # PettingZoo ships no types
    """A match by given rules. Agents are ``player_0``, ``player_1``, ...; observations see `understudy.envs.observations`.

    `infos[agent]["view"]` is the agent's `View`: the game, its seat, rounds played, and the history as it sees it.
    """

    def __init__(
        self, rules: Rules, *, name: str = "", max_cycles: int | None = None, render_mode: str | None = None
    ) -> None:
        """`max_cycles`: rounds until truncation; None is no clock, or 100 rounds where the rules never end a match."""
        if max_cycles is not None and not (isinstance(max_cycles, int) and max_cycles >= 1):
            raise GameError(f"max_cycles = {max_cycles!r}; needs a whole number from 1 up, or None")
        self.metadata: dict[str, Any] = {
            "name": name or rules.stage.name,
            "render_modes": ["human", "ansi", "rgb_array"],
            "is_parallelizable": True,
            "render_fps": 2,
        }
        if render_mode is not None:
            lookup("render mode", render_mode, dict.fromkeys(self.metadata["render_modes"]), place=str(self))
        self.rules = rules
        self.max_cycles = MAX_CYCLES if max_cycles is None and rules.endless else max_cycles
        self.render_mode = render_mode
        self._sight = Sight(rules)
        self._state = rules.start()
        self._steps = 0
        self._rng = np.random.default_rng()
        self._album = Album(rules.stage)
        self.possible_agents = [f"player_{player}" for player in range(rules.n_players)]
        self.agents: list[str] = []
        options = rules.phase(self._state).options
        self.action_spaces = {agent: Discrete(n) for agent, n in zip(self.possible_agents, options, strict=True)}
        self.observation_spaces = {agent: self._box() for agent in self.possible_agents}
        self.state_space = self._box()

    def _box(self) -> Box:
        return Box(0.0, 1.0, (self._sight.size,), np.float32)

    def observation_space(self, agent: str) -> Box:
        """The same object at every call."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """The same object at every call; action 0 is the most cooperative, the last one the least."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[np.float32]], Infos]:
        """Start a match. With `seed` randomness starts anew, without it goes on; `options` are not used."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._state = self.rules.start()
        self._steps = 0
        self._album = Album(self.rules.stage)
        self.agents = self.possible_agents[:]
        return self._look()

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Play one round. Raises `GameError` for an action outside the space, a missing one, or where no match is on."""
        agents = self.agents
        if not agents:
            raise GameError(f"{self}: no match is on; call reset() first")
        try:
            joint = tuple([actions[agent] for agent in agents])
        except KeyError as missing:
            raise GameError(f"{self}: no action of {missing}; every agent acts in every round") from None
        transition = self.rules.step(self._state, joint, self._rng)
        self._state = state = transition.state
        self._steps += 1
        if self.render_mode is not None:
            self._album.add(transition)
        terminated = state.ending is not None
        truncated = not terminated and self.max_cycles is not None and self._steps >= self.max_cycles
        observations, infos = self._look()
        if terminated or truncated:
            self.agents = []
        return (
            observations,
            dict(zip(agents, transition.payoffs, strict=True)),
            dict.fromkeys(agents, terminated),
            dict.fromkeys(agents, truncated),
            infos,
        )

    def _look(self) -> tuple[dict[str, NDArray[np.float32]], Infos]:
        """Observations and infos of all agents, made of new arrays and dictionaries."""
        game, played = self.rules.stage, self._state.round
        observations, infos = {}, {}
        for agent, seen in zip(self.agents, self._sight(self._state), strict=True):
            observations[agent] = seen.vector.copy()
            infos[agent] = {"view": View(game, seen.player, played, seen.history)}
        return observations, infos

    def state(self) -> NDArray[np.float32]:
        """What is seen by somebody who knows everything: the last rounds with the players in their order."""
        array: NDArray[np.float32] = self._sight(self._state)[0].vector.copy()
        return array

    def render(self) -> str | NDArray[np.uint8] | None:
        """The match so far: ``ansi`` a text, ``rgb_array`` a picture (H, W, 3) in uint8, ``human`` prints the text."""
        if self.render_mode is None:
            gymnasium.logger.warn(f"{self}: render() needs a render_mode: human, ansi or rgb_array")
            return None
        if self.render_mode == "rgb_array":
            return image(self._album)
        if self.render_mode == "ansi":
            return text(self._album)
        print(text(self._album))
        return None

    def close(self) -> None:
        """Nothing is held."""


def parallel(
    name: str,
    *,
    rounds: int | None = None,
    continuation: float = 1.0,
    noise: float = 0.0,
    memory: int = 1,
    max_cycles: int | None = None,
    render_mode: str | None = None,
    **game: Any,
) -> SocialDilemma:
    """An environment of the catalogue in PettingZoo's parallel form.

    Rounds end by the rules (terminated) after `rounds`, or each with probability 1 - `continuation`; by the clock
    (truncated) after `max_cycles`, which is 100 where nothing else would end a match. `noise` is the probability that an
    action is replaced by another one, `memory` how many rounds back players see. `game` are the options of the game.
    """
    known = {**game_options(name), **(parallel.__kwdefaults__ or {})}
    for option in game:
        lookup("option", option, known, place=name)
    rules = Repeated(stage_game(name, **game), rounds, continuation, noise, memory)
    return SocialDilemma(rules, name=f"{game_name(name)}_v0", max_cycles=max_cycles, render_mode=render_mode)


def aec(name: str, **options: Any) -> AECEnv:  # type: ignore[type-arg]
    """The same environment in PettingZoo's turn-based form: actions are held back until all have been chosen."""
    return parallel_to_aec(parallel(name, **options))
