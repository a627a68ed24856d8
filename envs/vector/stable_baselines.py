"""Many matches as a Stable-Baselines3 `VecEnv`, made from `dilemmas.envs.vector.gymnasium_vector`.

    learner = PPO("MlpPolicy", StableBaselinesPlayers(VectorPlayers(matches)))

Requires Stable-Baselines3. MaskablePPO of sb3-contrib gets its action masks from ``env_method("action_masks")``.
"""

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from dilemmas.envs.errors import InputError
from dilemmas.envs.vector.gymnasium_vector import VectorPlayers
from dilemmas.envs.vector.vector_matches import Flags

try:
    from stable_baselines3.common.vec_env import VecEnv  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    raise InputError("StableBaselinesPlayers requires Stable-Baselines3: pip install stable-baselines3") from None


class StableBaselinesPlayers(VecEnv):  # type: ignore[misc, unused-ignore]
    """All players of all matches as rows; ``infos[row]["terminal_observation"]`` is the last observation of a match."""

    def __init__(self, players: VectorPlayers) -> None:
        if players.autoreset_mode != AutoresetMode.SAME_STEP:
            raise InputError("StableBaselinesPlayers: needs VectorPlayers with autoreset_mode='SameStep', the default")
        self.players = players
        super().__init__(players.num_envs, players.single_observation_space, players.single_action_space)

    def reset(self) -> Any:
        """Start all matches with the seed given to `seed`; observations, shape (rows, size)."""
        observations, _ = self.players.reset(seed=self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Store the actions, one per row, for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, NDArray[np.float32], Flags, list[dict[str, Any]]]:
        """Play one phase of all matches: observations, rewards in points, dones and infos by row."""
        observations, rewards, terminations, truncations, infos = self.players.step(self._actions)
        row_infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = terminations | truncations
        for row in np.flatnonzero(ended):
            row_infos[row] = {
                "terminal_observation": infos["final_obs"][row],
                "TimeLimit.truncated": bool(truncations[row]),
            }
        return observations, rewards.astype(np.float32), ended, row_infos

    def close(self) -> None:
        """There is nothing to close."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the rows `indices`, as in `VectorPlayers.call`."""
        values = self.players.get_attr(attr_name)
        return [values[row] for row in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Always raises `InputError`: rows have no attributes that can be changed."""
        self.players.set_attr(attr_name, value)

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Call a method of the rows, such as ``action_masks``, as in `VectorPlayers.call`; the values of `indices`."""
        values = self.players.call(method_name, *method_args, **method_kwargs)
        return [values[row] for row in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """False for each of `indices`: no row is wrapped."""
        return [False] * len(list(self._get_indices(indices)))
