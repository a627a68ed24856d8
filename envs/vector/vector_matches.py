"""Many matches of one game in parallel: the rules of `dilemmas.envs.rules.repeated` over arrays.

    matches = VectorMatches(rules_of("prisoners_dilemma", rounds=100), count=100_000)
    observations = matches.reset(seed=1)
    step = matches.step(actions)  # integers, shape (matches, players)

A step plays one phase of all matches, which are always in the same phase: a match that ends is reset in the same step
(`gymnasium.vector.AutoresetMode.SAME_STEP`); its last observations are in `VectorStep.final`, and the first ones of the
next match in `VectorStep.observations`. With the same random numbers a match is identical to one played in
`dilemmas.envs.pettingzoo_api.parallel_env`, with two exceptions: signals are numbers and never texts, and truncation
counts rounds, not steps.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilemmas.envs.checks import GameError, check_memory, unmasked, whole_number
from dilemmas.envs.games.stage_game import Numbers, checked_actions
from dilemmas.envs.pettingzoo_api.parallel_env import MAX_CYCLES
from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.rules.protocol import Phase
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.vector.batched_views import ObservationBuffer, evaluator_for, own_first

Flags = NDArray[np.bool_]


class VectorStep(NamedTuple):
    """The result of one phase of all matches. Its arrays are contiguous, so `torch.from_numpy` accepts them."""

    observations: Observation
    """Shape (matches, players, size), float32; of the next match, where one has ended."""
    payoffs: Numbers
    """Payoffs of this phase in points, shape (matches, players), float64."""
    terminated: Flags
    """Matches that were ended by the rules, shape (matches,)."""
    truncated: Flags
    """Matches that were ended by `max_rounds` and not by the rules, shape (matches,)."""
    final: Observation
    """The last observations of the matches that ended, in the order of the matches: shape (ended, players, size)."""


class VectorMatches:
    """`count` matches with the same rules.

    Parameters
    ----------
    rules
        Rules of the matches; all players of a population are the players of a match.
    count
        Number of matches, at least 1.
    max_rounds
        Rounds until truncation. None: 100 where the rules end no match, otherwise no truncation.
    copy
        Whether every step returns new arrays. If False, the next step may overwrite the returned arrays, which must
        not be modified by the caller.

    Raises
    ------
    GameError
        If `count` or `max_rounds` is not a positive integer, or the arrays do not fit into memory.
    """

    def __init__(self, rules: Repeated, count: int, *, max_rounds: int | None = None, copy: bool = True) -> None:
        for name, value in (("count", count), ("max_rounds", 1 if max_rounds is None else max_rounds)):
            whole_number(value, f"matches: {name}", 1)
        _check_size(rules, count, copy)
        self.rules = rules
        self.count = count
        self.max_rounds = MAX_CYCLES if max_rounds is None and rules.endless else max_rounds
        self.copy = copy
        self.rounds = np.zeros(count, dtype=np.int64)
        """Rounds completed, shape (matches,)."""
        n = rules.n_players
        self._evaluator = evaluator_for(rules)
        self._buffer = ObservationBuffer(rules, count, self._evaluator)
        self._options = np.array(rules.interaction.options)
        self._spaces = np.array(rules.spaces)
        self._defaults = [self._replaced(phase) for phase in rules.phases]
        self._draws = [self._draws_in(phase) for phase in rules.phases]
        self._streams = [np.random.default_rng()]
        self._lengths = np.zeros(count, dtype=np.int64)  # 0: no limit
        self._sanctioned = np.zeros((count, n))
        self._paid: Numbers | None = None if copy else np.zeros((count, n))
        self._at: int | None = None

    def _replaced(self, phase: Phase) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Number of options of each player in a phase and its default; None if the phase has all actions."""
        whole = phase.options == self.rules.spaces
        return None if whole else (np.array(phase.options), np.array(phase.default))

    def _draws_in(self, phase: Phase) -> int:
        """Number of random numbers that a match draws in a phase, before it draws partners."""
        rules, n = self.rules, self.rules.n_players
        acts = phase.name == "act"
        hands, eyes = acts and rules.noise > 0, acts and rules.misperception > 0
        last = phase is rules.phases[-1] and rules.continuation < 1 and not rules.interaction.random
        return n * hands + n * n * eyes + last

    @property
    def phase(self) -> Phase:
        """The next phase, which is the same in every match."""
        return self.rules.phases[self._at or 0]

    @property
    def masks(self) -> NDArray[np.int8]:
        """Action mask of the next phase, the same in every match: shape (players, largest number of actions)."""
        most = np.arange(max(self.rules.spaces))
        return (most < np.array(self.phase.options)[:, None]).astype(np.int8)

    def reset(self, seed: int | Sequence[int] | None = None, which: Flags | None = None) -> Observation:
        """Start all matches, or some of them.

        Parameters
        ----------
        seed
            An integer seeds one stream of random numbers from which all matches draw in turn. A sequence of `count`
            integers gives each match its own stream, which is slower: the match is then identical to the one that
            `parallel` plays with that seed, independent of `count`. None continues the streams.
        which
            Matches to start, shape (matches,); the others go on. All matches are in the same phase, so this is possible
            between rounds only. None: all matches.

        Returns
        -------
        Observations, shape (matches, players, size).

        Raises
        ------
        GameError
            If a seed is not an integer from 0 up, or the sequence does not have `count` seeds; if `which` is not such
            an array, the round is not over, or the matches to start have seeds while the others share a stream.
        """
        rows = np.arange(self.count) if which is None else self._chosen(which)
        if isinstance(seed, Sequence | np.ndarray):
            seed = unmasked(seed, "matches: seed", GameError) if isinstance(seed, np.ndarray) else seed
            if len(seed) != self.count:
                raise GameError(f"{len(seed)} seeds for {self.count} matches; give one seed, or one per match")
            made = [np.random.default_rng(whole_number(one, "matches: seed", 0)) for one in seed]
            if len(rows) < self.count and len(self._streams) < self.count:
                raise GameError("seeds for some matches, while all share one stream: start all with one seed per match")
            started = {*rows.tolist()}
            self._streams = [made[row] if row in started else self._streams[row] for row in range(self.count)]
        elif seed is not None:
            self._streams = [np.random.default_rng(whole_number(seed, "matches: seed", 0))]
        self._at = 0
        self._restart(rows)
        return self._observations()

    def _chosen(self, which: Flags) -> NDArray[np.intp]:
        """The matches that are to be started anew while the others go on."""
        chosen = unmasked(which, "which", GameError)
        if chosen.shape != (self.count,) or chosen.dtype != np.bool_ or not chosen.any():
            found = f"type {chosen.dtype} and shape {chosen.shape}"
            raise GameError(f"which: an array of {found}; needs booleans of shape ({self.count},), one of them True")
        if chosen.all():
            return np.arange(self.count)
        if self._at is None:
            raise GameError("no match has been started; start all matches first")
        if self._at:
            raise GameError(f"which: the next phase is '{self.phase.name}'; start some matches between rounds only")
        return np.flatnonzero(chosen)

    def step(self, actions: ArrayLike) -> VectorStep:
        """Play one phase of every match.

        Parameters
        ----------
        actions
            Shape (matches, players): integers, or points where actions are continuous. An action that belongs to
            another phase is replaced by the default action of this phase.

        Raises
        ------
        GameError
            For an action outside the action space, with match, player and value, or before the first `reset`. The
            matches are then unchanged.
        """
        if self._at is None:
            raise GameError("no match has been started; call reset() first")
        at, phase = self._at, self.phase
        joint = self._legal(unmasked(actions, "actions", GameError), at)
        chances = self._draw(self._draws[at], np.arange(self.count)) if self._draws[at] else np.empty((0, 0))
        if phase.name == "act":
            payoffs = self._act(joint, chances)
        elif phase.name == "talk":
            self._buffer.add_signals(at, joint)  # turns of talk are the first phases of a round
            payoffs = np.zeros((self.count, self.rules.n_players))
        else:
            payoffs = self._sanction(joint, phase.name)
        self._at = (at + 1) % len(self.rules.phases)
        self._buffer.set_phase(self._at)
        if self._at:
            ends = np.zeros((2, self.count), dtype=np.bool_)
            return VectorStep(self._observations(), payoffs, ends[0], ends[1], self._buffer.vectors[:0].copy())
        return self._end_round(payoffs, chances)

    def _observations(self) -> Observation:
        return self._buffer.vectors.copy() if self.copy else self._buffer.vectors

    def _draw(self, length: int, rows: NDArray[np.intp]) -> Numbers:
        """Uniform numbers in [0, 1) for some matches, shape (rows, length)."""
        if len(self._streams) == 1:
            return self._streams[0].random((len(rows), length))
        return np.stack([self._streams[row].random(length) for row in rows])

    def _restart(self, rows: NDArray[np.intp]) -> None:
        rules = self.rules
        self.rounds[rows] = 0
        self._buffer.reset(rows)
        if isinstance(rules.rounds, tuple):
            shortest, longest = rules.rounds
            self._lengths[rows] = shortest + (self._draw(1, rows)[:, 0] * (longest - shortest + 1)).astype(np.int64)
        else:
            self._lengths[rows] = rules.rounds or 0

    def _legal(self, joint: NDArray[Any], at: int) -> NDArray[Any]:
        """The joint actions in the phase of this index; GameError for an action that belongs to no phase."""
        shape = (self.count, self.rules.n_players)
        if joint.shape != shape:
            raise GameError(f"actions of shape {joint.shape}; needs shape {shape}: (matches, players)")
        if self.rules.stage.endowments:
            return self._amounts(joint)
        joint = checked_actions(joint, self._spaces, False, self.rules.stage.name, "match")
        joint = joint.astype(np.int64, copy=False)
        replaced = self._defaults[at]
        return joint if replaced is None else np.where(joint < replaced[0], joint, replaced[1])

    def _amounts(self, joint: NDArray[Any]) -> Numbers:
        """Contributions in points."""
        endowments = np.array(self.rules.stage.endowments)
        most = np.maximum(endowments, endowments.astype(np.float32))  # as in `Repeated`
        checked_actions(joint, most, True, self.rules.stage.name, "match")
        within: Numbers = np.minimum(joint, endowments, dtype=np.float64)
        return within

    def _act(self, joint: NDArray[Any], chances: Numbers) -> Numbers:
        rules, n = self.rules, self.rules.n_players
        if rules.noise:
            joint = self._swapped(joint, chances[:, :n], rules.noise)
        encoded = self._evaluator.encode(joint, self._streams)
        payoffs = self._evaluator.payoffs(encoded, self._paid)
        if rules.misperception:
            first = n if rules.noise else 0
            errors = chances[:, first : first + n * n].reshape(-1, n, n)  # (matches, viewer, player)
            errors[:, np.arange(n), np.arange(n)] = 1.0  # a player always perceives its own action
            perceived = np.repeat(joint[:, None], n, axis=1)
            encoded = self._evaluator.encode(self._swapped(perceived, errors, rules.misperception), self._streams)
        self._buffer.add_round(encoded)
        if rules.punishment or rules.reward:
            self._sanctioned[:] = 0
            self._buffer.set_acted(encoded)
            self._buffer.set_sanctions(self._sanctioned)
        return payoffs

    def _swapped(self, actions: NDArray[Any], numbers: Numbers, chance: float) -> NDArray[Any]:
        """The actions, each replaced by another one with probability `chance`, as in `Repeated`; players last."""
        places = np.nonzero(numbers < chance)
        player = places[-1]
        shares = numbers[places] / chance
        swapped = actions.copy()
        if self.rules.stage.endowments:
            swapped[places] = shares * np.array(self.rules.stage.endowments)[player]
        else:
            options = self._options[player]
            swapped[places] = (actions[places] + 1 + (shares * (options - 1)).astype(np.int64)) % options
        return swapped

    def _sanction(self, joint: NDArray[np.int64], name: str) -> Numbers:
        """Payoffs of a stage of sanctions; the digits of an action are the points for each of the others, in order."""
        sanction = self.rules.punishment if name == "punish" else self.rules.reward
        assert sanction is not None
        n, most = self.rules.n_players, sanction.points + 1
        digits = joint[:, :, None] // most ** np.arange(n - 1) % most  # (matches, giver, others)
        given = np.zeros((self.count, n, n), dtype=np.int64)  # (matches, giver, receiver)
        given[:, np.arange(n)[:, None], own_first(n)[:, 1:]] = digits
        sign = -1.0 if name == "punish" else 1.0
        received = sign * sanction.effect * given.sum(axis=1)
        self._sanctioned += received
        self._buffer.set_sanctions(self._sanctioned)
        payoffs: Numbers = received - sanction.cost * given.sum(axis=2)
        return payoffs

    def _end_round(self, payoffs: Numbers, chances: Numbers) -> VectorStep:
        """Start the next round, or the next match where one has ended."""
        rules = self.rules
        self.rounds += 1
        terminated = self.rounds == self._lengths
        if rules.continuation < 1:
            drawn = self._draw(1, np.arange(self.count)) if rules.interaction.random else chances
            terminated |= drawn[:, -1] >= rules.continuation
        late = self.max_rounds is not None and self.rounds >= self.max_rounds
        truncated = late & ~terminated
        self._buffer.end_round((self._lengths - self.rounds) / self._lengths if rules.clock else None)
        ended = np.flatnonzero(terminated | truncated)
        final = self._buffer.vectors[ended]
        if len(ended):
            self._restart(ended)
        return VectorStep(self._observations(), payoffs, terminated, truncated, final)


def _check_size(rules: Repeated, count: int, copy: bool) -> None:
    """`GameError` if the observations of all matches, with the last ones, do not fit into memory."""
    n = rules.n_players
    numbers = rules.observation_size * (3 if copy else 2) + 6 * n * (rules.misperception > 0)
    what = f"{count:,} matches of {n:,} players, with {rules.observation_size:,} numbers in an observation"
    check_memory(what, 4.0 * count * n * numbers, "take fewer matches or players, less memory of rounds, or copy=False")
