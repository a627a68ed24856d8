"""Many matches of one game at once: the rules of `dilemmas.envs.rules.repeated` over arrays.

    matches = Matches(rules_of("prisoners_dilemma", rounds=100), count=100_000)
    observations = matches.reset(seed=1)
    step = matches.step(actions)  # integers, shape (matches, players)

A step plays one phase of all matches, which are in the same phase at all times: a match that ends starts anew in the
same step (`gymnasium.vector.AutoresetMode.SAME_STEP`), so that its last vectors are in `Step.final` and the next
match's first in `Step.observations`. Every match goes as it would in `dilemmas.envs.pettingzoo_api.parallel_env` with
the same random numbers, but for two things: signals are numbers and never texts, and the clock counts rounds, not
steps.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilemmas.envs.checks import GameError, whole_number
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.pettingzoo_api.parallel_env import MAX_CYCLES
from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.rules.protocol import Phase
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.vector.batched_views import Sight, own_first, reader

Flags = NDArray[np.bool_]


class Step(NamedTuple):
    """What one phase of all matches did. The arrays are contiguous, so `torch.from_numpy` takes them as they are."""

    observations: Observation
    """Shape (matches, players, size), float32; of the next match, where one has ended."""
    payoffs: Numbers
    """Points of this phase, shape (matches, players), float64."""
    terminated: Flags
    """Matches that the rules ended, shape (matches,)."""
    truncated: Flags
    """Matches that the clock ended, shape (matches,); never one that the rules ended."""
    final: Observation
    """The last vectors of the matches that ended, in the order of the table: shape (ended, players, size)."""


class Matches:
    """`count` matches by the same rules, side by side."""

    def __init__(self, rules: Repeated, count: int, *, max_rounds: int | None = None, copy: bool = True) -> None:
        """`max_rounds`: rounds until truncation; None is 100 where the rules end no match, else no clock.

        `copy`: whether every step gives new arrays; else the next step may write into them again, and nobody else must.
        """
        for name, value in (("count", count), ("max_rounds", 1 if max_rounds is None else max_rounds)):
            whole_number(value, f"matches: {name}", 1)
        if rules.n_players != rules.stage.n_players:
            raise GameError(f"{rules.n_players} players of {rules.stage.name}: a population is one match, not many")
        self.rules = rules
        self.count = count
        self.max_rounds = MAX_CYCLES if max_rounds is None and rules.endless else max_rounds
        self.copy = copy
        self.rounds = np.zeros(count, dtype=np.int64)
        """Rounds completed, shape (matches,)."""
        n = rules.n_players
        self._reader = reader(rules)
        self._sight = Sight(rules, count, self._reader)
        self._options = np.array(rules.stage.options)
        self._chances = [self._chances_in(phase) for phase in rules.phases]
        self._streams = [np.random.default_rng()]
        self._lengths = np.zeros(count, dtype=np.int64)  # 0 where there is none
        self._sanctioned = np.zeros((count, n))
        self._paid: Numbers | None = None if copy else np.zeros((count, n))
        self._at: int | None = None

    def _chances_in(self, phase: Phase) -> int:
        """How many random numbers a match takes in a phase."""
        rules, n = self.rules, self.rules.n_players
        acts = phase.name == "act"
        hands, eyes = acts and rules.noise > 0, acts and rules.misperception > 0
        last = phase is rules.phases[-1] and rules.continuation < 1
        return n * hands + n * n * eyes + last

    @property
    def phase(self) -> Phase:
        """What may be done now, in every match."""
        return self.rules.phases[self._at or 0]

    @property
    def masks(self) -> NDArray[np.int8]:
        """Which actions belong to the phase, the same in every match: shape (players, most actions of any)."""
        most = np.arange(max(self.rules.spaces))
        return (most < np.array(self.phase.options)[:, None]).astype(np.int8)

    def reset(self, seed: int | Sequence[int] | None = None) -> Observation:
        """Start all matches; what is seen, shape (matches, players, size).

        One `seed` starts one stream of random numbers, from which all matches draw in turn. A sequence of seeds, one
        per match, gives each its own, which is slower: it is then the match that `parallel` plays by that seed,
        however many others there are. Without a seed the streams go on.
        """
        if isinstance(seed, Sequence | np.ndarray):
            if len(seed) != self.count:
                raise GameError(f"{len(seed)} seeds for {self.count} matches; give one for all, or one for each")
            self._streams = [np.random.default_rng(whole_number(one, "matches: seed", 0)) for one in seed]
        elif seed is not None:
            self._streams = [np.random.default_rng(whole_number(seed, "matches: seed", 0))]
        self._at = 0
        self._restart(np.arange(self.count))
        return self._seen()

    def step(self, actions: ArrayLike) -> Step:
        """Play one phase of every match.

        `actions`: shape (matches, players), integers; or points, where actions are amounts. One that belongs to
        another phase becomes this phase's default. Raises `GameError` for an action outside the space, naming match,
        player and value, and nothing has then happened.
        """
        if self._at is None:
            raise GameError("no match is on; call reset() first")
        at, phase = self._at, self.phase
        joint = self._legal(np.asarray(actions), phase)
        chances = self._draw(self._chances[at], np.arange(self.count)) if self._chances[at] else np.empty((0, 0))
        if phase.name == "act":
            payoffs = self._act(joint, chances)
        elif phase.name == "talk":
            self._sight.hear(at, joint)  # talk comes first, so its turns are the first phases
            payoffs = np.zeros((self.count, self.rules.n_players))
        else:
            payoffs = self._sanction(joint, phase.name)
        self._at = (at + 1) % len(self.rules.phases)
        self._sight.turn(self._at)
        if self._at:
            ends = np.zeros((2, self.count), dtype=np.bool_)
            return Step(self._seen(), payoffs, ends[0], ends[1], self._sight.vectors[:0].copy())
        return self._end_round(payoffs, chances)

    def _seen(self) -> Observation:
        return self._sight.vectors.copy() if self.copy else self._sight.vectors

    def _draw(self, length: int, rows: NDArray[np.intp]) -> Numbers:
        """Uniform numbers in [0, 1) for some matches, shape (rows, length)."""
        if len(self._streams) == 1:
            return self._streams[0].random((len(rows), length))
        return np.stack([self._streams[row].random(length) for row in rows])

    def _restart(self, rows: NDArray[np.intp]) -> None:
        rules = self.rules
        self.rounds[rows] = 0
        self._sight.restart(rows)
        if isinstance(rules.rounds, tuple):
            shortest, longest = rules.rounds
            self._lengths[rows] = shortest + (self._draw(1, rows)[:, 0] * (longest - shortest + 1)).astype(np.int64)
        else:
            self._lengths[rows] = rules.rounds or 0

    def _legal(self, joint: NDArray[Any], phase: Phase) -> NDArray[Any]:
        """The joint actions in this phase, or the error that names one that cannot be played in any."""
        shape = (self.count, self.rules.n_players)
        if joint.shape != shape:
            raise GameError(f"actions of shape {joint.shape}; needs {shape}, matches by players")
        if self.rules.stage.endowments:
            return self._amounts(joint)
        if joint.dtype.kind not in "iu":
            raise GameError(f"actions of type {joint.dtype}; needs integers")
        spaces = np.array(self.rules.spaces)
        if joint.min() < 0 or joint.max() >= spaces.min():  # not all are in everybody's space: look closer
            self._refuse(joint, (joint < 0) | (joint >= spaces), [f"0..{space - 1}" for space in spaces])
        joint = joint.astype(np.int64, copy=False)
        options = np.array(phase.options)
        return joint if (options == spaces).all() else np.where(joint < options, joint, phase.default)

    def _amounts(self, joint: NDArray[Any]) -> Numbers:
        """Contributions in points."""
        if joint.dtype.kind not in "iuf":
            raise GameError(f"actions of type {joint.dtype}; needs numbers")
        endowments = np.array(self.rules.stage.endowments)
        amounts = joint.astype(np.float64, copy=False)
        most = np.maximum(endowments, endowments.astype(np.float32))  # as in `Repeated`
        if not (amounts.min() >= 0 and amounts.max() <= most.min()):  # not a number is neither
            inside = (amounts >= 0) & (amounts <= most)
            self._refuse(joint, ~inside, [f"0..{endowment:g}" for endowment in endowments])
        within: Numbers = np.minimum(amounts, endowments)
        return within

    def _refuse(self, joint: NDArray[Any], wrong: Flags, allowed: Sequence[str]) -> None:
        """Name the first wrong action, if there is one."""
        for match, player in np.argwhere(wrong)[:1]:
            who = f"action {joint[match, player].item()!r} of player_{player} in match {match}"
            raise GameError(f"{who} is outside {allowed[player]} of {self.rules.stage.name}")

    def _act(self, joint: NDArray[Any], chances: Numbers) -> Numbers:
        rules, n = self.rules, self.rules.n_players
        if rules.noise:
            joint = self._swapped(joint, chances[:, :n], rules.noise)
        read = self._reader.read(joint)
        payoffs = self._reader.payoffs(read, self._paid)
        if rules.misperception:
            first = n if rules.noise else 0
            errors = chances[:, first : first + n * n].reshape(-1, n, n)  # (matches, viewer, player)
            errors[:, np.arange(n), np.arange(n)] = 1.0  # nobody is mistaken about oneself
            perceived = np.repeat(joint[:, None], n, axis=1)
            read = self._reader.read(self._swapped(perceived, errors, rules.misperception))
        self._sight.remember(read)
        if rules.punishment or rules.reward:
            self._sanctioned[:] = 0
            self._sight.await_sanctions(read)
            self._sight.sanction(self._sanctioned)
        return payoffs

    def _swapped(self, actions: NDArray[Any], numbers: Numbers, chance: float) -> NDArray[Any]:
        """The actions, or with probability `chance` other ones: `Repeated` says which; players are the last axis."""
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
        """Points given to or taken from each other; an action's digits are the points, the others in order."""
        sanction = self.rules.punishment if name == "punish" else self.rules.reward
        assert sanction is not None
        n, most = self.rules.n_players, sanction.points + 1
        digits = joint[:, :, None] // most ** np.arange(n - 1) % most  # (matches, giver, others)
        given = np.zeros((self.count, n, n), dtype=np.int64)  # (matches, giver, receiver)
        given[:, np.arange(n)[:, None], own_first(n)[:, 1:]] = digits
        sign = -1.0 if name == "punish" else 1.0
        received = sign * sanction.effect * given.sum(axis=1)
        self._sanctioned += received
        self._sight.sanction(self._sanctioned)
        payoffs: Numbers = received - sanction.cost * given.sum(axis=2)
        return payoffs

    def _end_round(self, payoffs: Numbers, chances: Numbers) -> Step:
        """The next round, or the next match."""
        rules = self.rules
        self.rounds += 1
        terminated = self.rounds == self._lengths
        if rules.continuation < 1:
            terminated |= chances[:, -1] >= rules.continuation
        late = self.max_rounds is not None and self.rounds >= self.max_rounds
        truncated = late & ~terminated
        self._sight.end_round((self._lengths - self.rounds) / self._lengths if rules.clock else None)
        ended = np.flatnonzero(terminated | truncated)
        final = self._sight.vectors[ended]
        if len(ended):
            self._restart(ended)
        return Step(self._seen(), payoffs, terminated, truncated, final)
