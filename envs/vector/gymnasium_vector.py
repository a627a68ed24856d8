"""Many matches as a Gymnasium vector environment: each player of each match is one row, and one policy plays all rows.

    players = VectorPlayers(VectorMatches(rules_of("prisoners_dilemma", rounds=100), count=1000))
    observations, infos = players.reset(seed=1)
    observations, rewards, terminations, truncations, infos = players.step(players.action_space.sample())

Row ``match * n_players + player`` is one player of one match. Observations do not depend on the player's index, so
learning on all rows is self-play with shared parameters. A match that ends is reset in the same step
(`AutoresetMode.SAME_STEP`): ``infos["final_obs"]`` has the last observations of its players.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.vector.vector_matches import Flags, VectorMatches

Infos = dict[str, Any]
"""For each key an array of one value per row, and under ``_key`` a boolean array of the rows that have a value."""


class VectorPlayers(VectorEnv[Observation, NDArray[Any], NDArray[Any]]):
    """All players of `VectorMatches` as the rows of a vector environment.

    Where a round has several phases, ``infos["action_mask"]`` marks the actions of the next phase.

    Parameters
    ----------
    matches
        The matches. All players need the same action space.

    Raises
    ------
    GameError
        If the action spaces of the players differ.
    """

    def __init__(self, matches: VectorMatches) -> None:
        self.matches = matches
        self.num_envs = matches.count * matches.rules.n_players
        self.metadata = {
            "name": matches.rules.stage.name,
            "render_modes": [],
            "autoreset_mode": AutoresetMode.SAME_STEP,
        }
        self.single_observation_space = Box(0.0, 1.0, (matches.rules.observation_size,), np.float32)
        self.single_action_space = _one_space(matches.rules)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Infos]:
        """Start all matches.

        Parameters
        ----------
        seed
            As in `VectorMatches.reset`: one seed, or one per match; None continues the random streams.
        options
            Accepted for Gymnasium and not used.

        Raises
        ------
        GameError
            If `options` has a ``reset_mask``: single matches cannot be reset.
        """
        if options and "reset_mask" in options:
            raise GameError("reset_mask: single matches cannot be reset; a match is reset when it ends")
        return self._rows(self.matches.reset(seed)), self._infos()

    def step(self, actions: NDArray[Any]) -> tuple[Observation, Numbers, Flags, Flags, Infos]:
        """Play one phase of all matches.

        Parameters
        ----------
        actions
            One action per row, as in `action_space`.

        Returns
        -------
        Observations (rows, size), rewards in points (rows,), terminations (rows,), truncations (rows,), infos.

        Raises
        ------
        GameError
            If the shape of `actions` is wrong, or as in `VectorMatches.step`.
        """
        actions = np.asarray(actions)
        if actions.shape != self.action_space.shape:
            raise GameError(f"actions of shape {actions.shape}; needs shape {self.action_space.shape}")
        n = self.matches.rules.n_players
        step = self.matches.step(actions.reshape(-1, n))
        terminations, truncations = step.terminated.repeat(n), step.truncated.repeat(n)
        infos = self._infos()
        ended = terminations | truncations
        if len(step.final):
            last = np.full(self.num_envs, None, dtype=object)
            for row, observation in zip(np.flatnonzero(ended), self._rows(step.final), strict=True):
                last[row] = observation  # row by row: numpy would merge the arrays into one
            infos |= {"final_obs": last, "_final_obs": ended, "final_info": {}, "_final_info": ended.copy()}
        return self._rows(step.observations), step.payoffs.reshape(-1), terminations, truncations, infos

    def action_masks(self) -> NDArray[np.int8]:
        """Action masks of the next phase, shape (rows, actions): 1 for each action that belongs to it."""
        return np.tile(self.matches.masks, (self.matches.count, 1))

    def _rows(self, vectors: Observation) -> Observation:
        return vectors.reshape(-1, vectors.shape[-1])

    def _infos(self) -> Infos:
        if len(self.matches.rules.phases) == 1:
            return {}
        return {"action_mask": self.action_masks(), "_action_mask": np.ones(self.num_envs, dtype=np.bool_)}


def _one_space(rules: Repeated) -> Discrete | Box:
    """The action space that all players share."""
    each = rules.stage.endowments or rules.spaces
    if len(set(each)) > 1:
        what = "endowments" if rules.stage.endowments else "numbers of actions"
        raise GameError(f"{rules.stage.name}: players have {what} {each}; one policy needs the same action space")
    return Box(0.0, each[0], (1,), np.float32) if rules.stage.endowments else Discrete(int(each[0]))
