"""Stable-Baselines3's vector form of many matches: `dilemmas.envs.vector.gymnasium_vector` with the manners of its
`VecEnv`.

    learner = PPO("MlpPolicy", StableBaselinesPlayers(VectorPlayers(matches)))

Needs Stable-Baselines3. Action masks reach sb3-contrib's MaskablePPO through ``env_method("action_masks")``.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.errors import InputError
from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.vector.gymnasium_vector import VectorPlayers
from dilemmas.envs.vector.vector_matches import Flags

try:
    from stable_baselines3.common.vec_env import VecEnv  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    raise InputError("this form needs Stable-Baselines3: pip install stable-baselines3") from None


class StableBaselinesPlayers(VecEnv):  # type: ignore[misc, unused-ignore]
    """All players of all matches as rows; the last observation of a match is in ``infos``, as the library wants it."""

    def __init__(self, players: VectorPlayers) -> None:
        self.players = players
        super().__init__(players.num_envs, players.single_observation_space, players.single_action_space)

    def reset(self) -> Observation:
        """Start all matches, by the first of the seeds that `seed` was given."""
        observations, _ = self.players.reset(seed=self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Observation, NDArray[np.float32], Flags, list[dict[str, Any]]]:
        """Play one phase of all matches: observations, rewards, ends and infos by row."""
        observations, rewards, terminations, truncations, infos = self.players.step(self._actions)
        told: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = terminations | truncations
        for row in np.flatnonzero(ended):
            told[row] = {
                "terminal_observation": infos["final_obs"][row],
                "TimeLimit.truncated": bool(truncations[row]),
            }
        return observations, rewards.astype(np.float32), ended, told

    def close(self) -> None:
        """Nothing is held open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of all rows, which have it in common."""
        return [getattr(self.players, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Rows have no attributes of their own: always an error."""
        raise InputError(f"{attr_name}: the rows have no attributes of their own; set it where the matches are made")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """A method that gives an array with a value per row, such as ``action_masks``: the values of some rows."""
        values = getattr(self.players, method_name)(*method_args, **method_kwargs)
        return [values[row] for row in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """No row is wrapped."""
        return [False] * len(list(self._get_indices(indices)))
