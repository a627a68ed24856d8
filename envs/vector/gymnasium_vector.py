"""Many matches as a Gymnasium vector environment: each player of each match is one row, and one policy plays all rows.

    players = VectorPlayers(VectorMatches(rules_of("prisoners_dilemma", rounds=100), count=1000))
    observations, infos = players.reset(seed=1)
    observations, rewards, terminations, truncations, infos = players.step(players.action_space.sample())

Row ``match * n_players + player`` is one player of one match. Where all players are alike, observations do not depend
on the player's index, so learning on all rows is self-play with shared parameters; otherwise an observation ends with
the seat. A match that ends is reset in the same step (`AutoresetMode.SAME_STEP`): ``infos["final_obs"]`` has the last
observations of its players. Wrappers of Gymnasium that change observations need ``autoreset_mode="NextStep"``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError, flag, unmasked
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.theory.outcomes import alike_seats
from dilemmas.envs.vector.vector_matches import Flags, VectorMatches

Infos = dict[str, Any]
"""For each key an array of one value per row, and under ``_key`` a boolean array of the rows that have a value."""

NOT_OF_ROWS = ("reset", "step", "close", "close_extras", "render", "call", "get_attr", "set_attr")
"""Methods of the vector environment that a row does not have."""


class VectorPlayers(VectorEnv[Any, NDArray[Any], NDArray[Any]]):
    """All players of `VectorMatches` as the rows of a vector environment.

    All rows have the same action space, that of the player with the most actions or the largest endowment. An action
    that is none of the player's is treated as one of another phase: it is replaced by the player's default action, and
    a larger amount by the endowment. ``infos["action_mask"]`` marks the actions of the next phase, where a round has
    several phases or the players have different numbers of actions.

    Parameters
    ----------
    matches
        The matches; those of a population have all its players as rows.
    seats
        Whether an observation ends with the player's index in the match, one-hot. None: where the game is not the same
        from every seat, as in matching pennies, and one policy could not know which player it is.
    observe_masks
        Whether observations are dictionaries of the ``observation`` and the ``action_mask``.
    autoreset_mode
        When a match that has ended is reset. ``"SameStep"``: in the step that ends it. ``"NextStep"``: in the step
        after, whose actions are ignored, whose rewards are 0, and in which the other matches play on; only where a
        round has a single phase, because all matches play the same phase.

    Raises
    ------
    GameError
        If `autoreset_mode`, `seats` or `observe_masks` is invalid, or `seats` is None and the game is too large to
        compare its seats.
    """

    def __init__(
        self,
        matches: VectorMatches,
        *,
        seats: bool | None = None,
        observe_masks: bool = False,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    ) -> None:
        rules = matches.rules
        self.matches = matches
        self.num_envs = matches.count * rules.n_players
        self.autoreset_mode = _checked_mode(autoreset_mode, rules)
        self.metadata = {"name": rules.stage.name, "render_modes": [], "autoreset_mode": self.autoreset_mode}
        self._over = np.zeros(matches.count, dtype=np.bool_)  # matches that the next step resets
        self.seats = _has_roles(rules) if seats is None else flag(seats, "seats")
        self.observe_masks = flag(observe_masks, "observe_masks")
        if self.observe_masks and rules.stage.endowments:
            raise GameError("observe_masks = True; an amount has no mask; use contribution levels")
        most = np.array(rules.stage.endowments or rules.spaces)
        self._most = np.maximum(most, most.astype(np.float32)) if rules.stage.endowments else most  # as in `Repeated`
        self._unequal = len(set(self._most.tolist())) > 1
        self._masked = not rules.stage.endowments and (len(rules.phases) > 1 or self._unequal)
        self._labels = np.tile(np.eye(rules.n_players, dtype=np.float32), (matches.count, 1)) if self.seats else None
        self.single_observation_space = self._one_observation()
        self.single_action_space = self._one_action()
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    @property
    def rules(self) -> Repeated:
        """The rules of all matches."""
        return self.matches.rules

    @property
    def match(self) -> NDArray[np.int64]:
        """Index of the match of each row."""
        return np.arange(self.num_envs) // self.rules.n_players

    @property
    def seat(self) -> NDArray[np.int64]:
        """Index of the player of each row in its match."""
        return np.arange(self.num_envs) % self.rules.n_players

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, Infos]:
        """Start all matches, or some of them.

        Parameters
        ----------
        seed
            As in `VectorMatches.reset`: one seed, or one per match; None continues the random streams.
        options
            ``{"reset_mask": rows}`` starts some matches, while the others go on: booleans of shape (rows,), the same
            for all players of a match. It is possible between rounds only, as in `VectorMatches.reset`.

        Raises
        ------
        GameError
            As in `VectorMatches.reset`; and if the mask is not such an array.
        """
        mask = (options or {}).get("reset_mask")
        which = None if mask is None else self._matches_of(unmasked(mask, "reset_mask", GameError))
        observations = self.matches.reset(seed, which)
        self._over[slice(None) if which is None else which] = False
        return self._rows(observations), self._infos()

    def step(self, actions: NDArray[Any]) -> tuple[Any, Numbers, Flags, Flags, Infos]:
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
        actions = unmasked(actions, "actions", GameError)
        if actions.shape != self.action_space.shape:
            raise GameError(f"actions of shape {actions.shape}; needs shape {self.action_space.shape}")
        n = self.rules.n_players
        joint = actions.reshape(-1, n)
        joint = self._own(joint) if self._unequal else joint
        if self.autoreset_mode == AutoresetMode.NEXT_STEP:
            return self._next_step(joint)
        step = self.matches.step(joint)
        terminations, truncations = step.terminated.repeat(n), step.truncated.repeat(n)
        infos = self._infos()
        ended = terminations | truncations
        if len(step.final):
            last = np.full(self.num_envs, None, dtype=object)
            rows = np.flatnonzero(ended)
            final = self._rows(step.final, rows)
            for place, row in enumerate(rows):  # row by row: numpy would merge the arrays into one
                last[row] = {key: part[place] for key, part in final.items()} if self.observe_masks else final[place]
            infos |= {"final_obs": last, "_final_obs": ended, "final_info": {}, "_final_info": ended.copy()}
        return self._rows(step.observations), step.payoffs.reshape(-1), terminations, truncations, infos

    def _next_step(self, joint: NDArray[Any]) -> tuple[Any, Numbers, Flags, Flags, Infos]:
        """`step` that leaves the matches that end as they are, and resets those that ended before.

        `VectorMatches` resets a match as soon as it ends. One that is over plays a round of which nothing is kept.
        """
        over, n = self._over, self.rules.n_players
        step = self.matches.step(np.where(over[:, None], np.zeros_like(joint), joint))
        seen = self.matches.reset(which=over) if over.any() else step.observations
        terminated, truncated = step.terminated & ~over, step.truncated & ~over
        self._over = terminated | truncated
        if self._over.any():
            seen = seen.copy()
            seen[self._over] = step.final[self._over[step.terminated | step.truncated]]
        payoffs = np.where(over[:, None], 0.0, step.payoffs)
        return self._rows(seen), payoffs.reshape(-1), terminated.repeat(n), truncated.repeat(n), self._infos()

    def action_masks(self) -> NDArray[np.int8]:
        """Action masks of the next phase, shape (rows, actions): 1 for each action that belongs to it."""
        return np.tile(self.matches.masks, (self.matches.count, 1))

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The values of an attribute or a method of the rows, one per row, as in Gymnasium's other vector environments.

        A row has `match`, `seat`, `action_masks`, ``action_space``, ``observation_space``, and what is the same for all
        rows, such as `rules`.

        Raises
        ------
        InputError
            For a method that plays, which rows do not have one by one.
        AttributeError
            For an unknown name.
        """
        if name in NOT_OF_ROWS:
            raise InputError(f"{name}: a row has no such method; it is one of the whole vector environment")
        found = getattr(self, f"single_{name}" if name in ("action_space", "observation_space") else name)
        value = found(*args, **kwargs) if callable(found) and not isinstance(found, Box | Dict | Discrete) else found
        each = isinstance(value, np.ndarray) and value.shape[:1] == (self.num_envs,)
        return tuple(value) if each else (value,) * self.num_envs

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """The values of an attribute of the rows, one per row, as in `call`."""
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Always raises `InputError`: rows have no attributes that can be changed."""
        raise InputError(f"{name}: rows have no attributes of their own; set it when the matches are created")

    def _own(self, joint: NDArray[Any]) -> NDArray[Any]:
        """Joint actions with the player's default or endowment in place of actions that only other players have."""
        if self.rules.stage.endowments:
            return np.where(joint <= self._most.max(), np.minimum(joint, self._most), joint)
        others = (joint >= self._most) & (joint < self._most.max())
        return np.where(others, self.matches.phase.default, joint)

    def _matches_of(self, mask: NDArray[Any]) -> Flags:
        """The matches whose rows are marked."""
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_:
            needed = f"needs booleans of shape ({self.num_envs},)"
            raise GameError(f"reset_mask: an array of type {mask.dtype} and shape {mask.shape}; {needed}")
        rows = mask.reshape(self.matches.count, -1)
        for match in np.flatnonzero(rows.any(axis=1) != rows.all(axis=1))[:1]:
            raise GameError(f"reset_mask: only some of the rows of match {match}; a match is started as a whole")
        return np.asarray(rows[:, 0])

    def _rows(self, vectors: Observation, which: NDArray[np.intp] | slice = slice(None)) -> Any:
        """Observations of the rows `which`, with the seat and the mask where they are observed."""
        rows = vectors.reshape(-1, vectors.shape[-1])
        if self._labels is not None:
            rows = np.concatenate([rows, self._labels[which]], axis=1)
        return {"observation": rows, "action_mask": self.action_masks()[which]} if self.observe_masks else rows

    def _infos(self) -> Infos:
        if not self._masked:
            return {}
        return {"action_mask": self.action_masks(), "_action_mask": np.ones(self.num_envs, dtype=np.bool_)}

    def _one_observation(self) -> Box | Dict:
        """The observation space of a row."""
        rules = self.rules
        seen = Box(0.0, 1.0, (rules.observation_size + rules.n_players * self.seats,), np.float32)
        if not self.observe_masks:
            return seen
        return Dict({"observation": seen, "action_mask": Box(0, 1, (int(self._most.max()),), np.int8)})

    def _one_action(self) -> Discrete | Box:
        """The action space of a row: that of the player with the most actions."""
        most = self._most.max().item()
        return Box(0.0, most, (1,), np.float32) if self.rules.stage.endowments else Discrete(int(most))


def _has_roles(rules: Repeated) -> bool:
    """Whether the game is not the same from every seat; in a population it always is."""
    if rules.population is not None:
        return False
    try:
        return not alike_seats(rules.stage)
    except GameError as error:
        raise GameError(f"{error}; or say with seats=True or seats=False whether the seat is observed") from None


def _checked_mode(given: AutoresetMode | str, rules: Repeated) -> AutoresetMode:
    """The autoreset mode; `GameError` for one that these matches do not have."""
    known = (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP)
    if given not in known and given not in [mode.value for mode in known]:
        valid = " or ".join(repr(mode.value) for mode in known)
        raise GameError(f"autoreset_mode = {given!r}; needs {valid}: matches are reset when they end")
    mode = AutoresetMode(given)
    if mode == AutoresetMode.NEXT_STEP and len(rules.phases) > 1:
        raise GameError(
            f"autoreset_mode = {mode.value!r}: a round has {len(rules.phases)} phases, and a match that is reset while"
            " others go on would be in another one than they; use 'SameStep'"
        )
    return mode
