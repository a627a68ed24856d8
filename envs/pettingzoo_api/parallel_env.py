"""PettingZoo environments: a `ParallelEnv` for any `Rules`, and its AEC form.

This module implements only the interface to PettingZoo: names of agents, spaces, dictionaries and truncation. The rules
(`dilemmas.envs.rules.protocol`) determine what happens in a round.
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from numpy.typing import NDArray
from pettingzoo import AECEnv, ParallelEnv  # type: ignore[import-untyped]
from pettingzoo.utils.conversions import parallel_to_aec  # type: ignore[import-untyped]

from dilemmas.envs.checks import GameError, flag, whole_number
from dilemmas.envs.games.catalogue import game_name
from dilemmas.envs.names import lookup
from dilemmas.envs.pettingzoo_api.transition_cache import TransitionCache
from dilemmas.envs.rendering.frames import MatchHistory
from dilemmas.envs.rendering.pixels import Picture
from dilemmas.envs.rendering.render import render_image, render_text
from dilemmas.envs.rules.factory import check_options, rules_of
from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.rules.protocol import Rules

MAX_CYCLES = 100
"""Number of rounds until truncation if the rules never end a match and `max_cycles` is None."""

RENDER_MODES = ("human", "ansi", "rgb_array")
"""Valid values of `render_mode` besides None."""

Seen = tuple[dict[str, Any], dict[str, dict[str, Any]]]
"""Observations and infos by agent."""


class SocialDilemma(ParallelEnv):  # type: ignore[misc]
    """A match with the given rules between the agents ``player_0``, ``player_1`` and so on.

    An observation is the encoded history (`dilemmas.envs.rules.observations`), shape (observation_size,), values in
    [0, 1]. Copies and pickles made during a
    match continue from the same state, including the state of the random generator.

    Parameters
    ----------
    rules
        Rules of the match.
    name
        Name of the environment in error messages and metadata, such as ``prisoners_dilemma_v0``.
    max_cycles
        Number of steps until truncation, 1 or more. None: 100 rounds if the rules never end a match, otherwise no
        truncation.
    render_mode
        ``"human"``, ``"ansi"``, ``"rgb_array"`` or None.
    views
        Whether ``infos[agent]["view"]`` is the agent's `View`; the attribute `views` may be changed between steps.
        `run_matches` and `InWords` set it. Libraries that only accept numbers in infos, such as TorchRL and Tianshou,
        need False.
    observe_masks
        Whether an observation is a dictionary of the encoded history, ``observation``, and the ``action_mask``, shape
        (actions,), 1 for each action of the next step, as in PettingZoo's classic games.

    Raises
    ------
    InputError
        If `max_cycles`, `render_mode`, `views` or `observe_masks` is invalid.
    """

    def __init__(
        self,
        rules: Rules,
        name: str,
        *,
        max_cycles: int | None = None,
        render_mode: str | None = None,
        views: bool = False,
        observe_masks: bool = False,
    ) -> None:
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
        self.observe_masks = flag(observe_masks, f"{name}: observe_masks")
        if self.observe_masks and rules.stage.endowments:
            raise GameError(f"{name}: observe_masks = True; an amount has no mask; use contribution levels")
        self.possible_agents = [f"player_{player}" for player in range(rules.n_players)]
        self.agents: list[str] = []
        self._cache = TransitionCache(rules, self.possible_agents)
        self._no = dict.fromkeys(self.possible_agents, False)
        self._phased = len(rules.phases) > 1
        self._masks = self._phase_masks()
        self._joint = itemgetter(*self.possible_agents)
        self._rng = np.random.default_rng()
        self._begin()
        self.action_spaces = {agent: self._actions(player) for player, agent in enumerate(self.possible_agents)}
        self.observation_spaces = {agent: self._observed(agent) for agent in self.possible_agents}
        self.state_space = _box(rules.state_size)

    def _actions(self, player: int) -> Discrete | Box:
        options = self.rules.spaces[player]
        return Discrete(options) if options else Box(0.0, self.rules.stage.endowments[player], (1,), np.float32)

    def _observed(self, agent: str) -> Box | Dict:
        seen = _box(self.rules.observation_size)
        if not self.observe_masks:
            return seen
        return Dict({"observation": seen, "action_mask": Box(0, 1, self._masks[0][agent].shape, np.int8)})

    def __getstate__(self) -> dict[str, Any]:
        """The attributes without the cached state, which is rebuilt: a copy continues from the same state."""
        return {**self.__dict__, "_current": self._current.state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._current = self._cache.cached_state(state["_current"])

    def _begin(self) -> None:
        self._current = self._cache.start(self._rng)
        self._steps = 0
        self._history = MatchHistory(self.rules)

    def observation_space(self, agent: str) -> Box | Dict:
        """The observation space of an agent; the same object at each call."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete | Box:
        """The action space of an agent, most cooperative action first; the same object at each call."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> Seen:
        """Start a match.

        Parameters
        ----------
        seed
            Seed of the random generator, 0 or more; None continues the present generator.
        options
            Not used; part of PettingZoo's interface.

        Returns
        -------
        Observations and infos by agent.
        """
        if seed is not None:
            self._rng = np.random.default_rng(whole_number(seed, "seed", 0))
        self._begin()
        self.agents = self.possible_agents[:]
        self._show()
        return self._look()

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Play one step: a round, or one phase of a round with talk or sanctions.

        Parameters
        ----------
        actions
            Action of each agent.

        Returns
        -------
        Observations, rewards (payoffs of the step), terminations, truncations and infos by agent.

        Raises
        ------
        GameError
            If an action is missing or outside the action space, or if no match is in progress.
        """
        agents = self.agents
        if not agents:
            raise GameError(f"{self}: no match has been started, or it has ended; call reset() first")
        try:
            joint = self._joint(actions)
        except KeyError as missing:
            raise GameError(f"{self}: no action for {missing}; each agent acts in each step") from None
        except (TypeError, IndexError):
            raise GameError(f"{self}: actions = {actions!r}; needs a dict with an action for each agent") from None
        if len(actions) != len(agents):
            unknown = next(agent for agent in actions if agent not in agents)
            raise GameError(f"{self}: unknown agent {unknown!r}; the agents are {agents[0]} to {agents[-1]}")
        transition, rewards, self._current = self._cache.step(self._current, joint, self._rng)
        self._steps += 1
        if self.render_mode is not None:
            self._history.add(transition)
            self._show()
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
        """Observations and infos of all agents, in new arrays and new dictionaries."""
        views = self.views
        observations: dict[str, Any] = {}
        infos: dict[str, dict[str, Any]] = {}
        for agent, view, vector in self._current.seen:  # one loop: on Python 3.11 each comprehension is a call
            observations[agent] = vector.copy()
            infos[agent] = {"view": view} if views else {}
        if self._masks:
            for agent, mask in self._masks[self._current.state.phase].items():
                if self._phased:
                    infos[agent]["action_mask"] = mask.copy()
                if self.observe_masks:
                    observations[agent] = {"observation": observations[agent], "action_mask": mask.copy()}
        return observations, infos

    def _phase_masks(self) -> list[dict[str, NDArray[np.int8]]]:
        """For each phase the action mask of each agent; empty if neither infos nor observations have masks."""
        rules = self.rules
        if not (self._phased or self.observe_masks):
            return []
        masks = [
            [(np.arange(space) < own).astype(np.int8) for space, own in zip(rules.spaces, phase.options, strict=True)]
            for phase in rules.phases
        ]
        return [dict(zip(self.possible_agents, row, strict=True)) for row in masks]

    def state(self) -> Observation:
        """The encoded state without errors of perception, players in order; shape (state_size,), values in [0, 1]."""
        return self.rules.encode_state(self._current.state)

    def _show(self) -> None:
        """Print the match in the render mode ``human``, in which `reset` and `step` do so by themselves."""
        if self.render_mode == "human":
            print(render_text(self._history))

    def render(self) -> str | Picture | None:
        """Render the match.

        Returns
        -------
        A text for ``ansi``, a picture of shape (height, width, 3) for ``rgb_array``; None for ``human``, which prints
        the text once more.
        """
        if self.render_mode is None:
            gymnasium.logger.warn(f"{self}: render() needs a render_mode, one of {', '.join(RENDER_MODES)}")
            return None
        if self.render_mode == "rgb_array":
            return render_image(self._history)
        if self.render_mode == "ansi":
            return render_text(self._history)
        self._show()
        return None

    def close(self) -> None:
        """Does nothing: an environment holds no resources."""


def show_views(env: Any) -> None:
    """Set `views` of an environment of dilemmas, also within wrappers; other environments are left as they are."""
    if isinstance(env, ParallelEnv) and isinstance(env.unwrapped, SocialDilemma):
        env.unwrapped.views = True


def _box(size: int) -> Box:
    return Box(0.0, 1.0, (size,), np.float32)


def parallel(
    name: str,
    /,
    *,
    max_cycles: int | None = None,
    render_mode: str | None = None,
    views: bool = False,
    observe_masks: bool = False,
    **options: Any,
) -> SocialDilemma:
    """Make an environment in PettingZoo's parallel form.

    With talk or sanctions a round takes several steps. Infos then have an ``action_mask``, and an action that is valid
    only in another step counts as silence, defection, or no points.

    Parameters
    ----------
    name
        Name of a game in the catalogue, ``population``, or the id of an environment.
    max_cycles
        Number of steps until truncation, 1 or more. None: 100 rounds if the rules never end a match, otherwise no
        truncation.
    render_mode
        ``"human"``, ``"ansi"``, ``"rgb_array"`` or None.
    views, observe_masks
        Whether infos contain a `View`, and observations the action mask, as in `SocialDilemma`.
    options
        Options of the match and of the game, as in `rules_of`.

    Raises
    ------
    InputError
        If a name or an option is unknown, or a value is invalid.
    """
    check_options(name, options, *PETTINGZOO_OPTIONS)  # all known options, so that `max_cycle` suggests `max_cycles`
    rules, environment = rules_of(name, **options), f"{game_name(name)}_v0"
    shown: dict[str, Any] = {"render_mode": render_mode, "views": views, "observe_masks": observe_masks}
    return SocialDilemma(rules, environment, max_cycles=max_cycles, **shown)


PETTINGZOO_OPTIONS: dict[str, Any] = dict(parallel.__kwdefaults__ or {})
"""Options of `parallel` and their defaults; those of the rules are in `rules.factory.options_of`."""


def aec(name: str, /, **options: Any) -> AECEnv:
    """Make an environment in PettingZoo's AEC form; actions take effect when all agents have chosen.

    Parameters and errors are those of `parallel`.
    """
    return parallel_to_aec(parallel(name, **options))
