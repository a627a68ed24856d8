"""The strategies of Axelrod's first tournament that no small automaton holds (Axelrod 1980, J. Confl. Res. 24:3).

They play what Axelrod-Python 4.13 plays under the same names: readings of descriptions, for the programs are lost.
Where a description needs the number of rounds, it is used only if the players are told it, as they were in 1980.
"""

from dataclasses import dataclass

import numpy as np

from dilemmas.agents.strategies.bibliography import AXELROD_1980
from dilemmas.agents.strategies.counting import Actions, Briefing, Routine
from dilemmas.agents.strategies.entry import Entry
from dilemmas.envs.games.stage_game import Numbers

CHI_SQUARED_95 = 3.841458820694124
"""A chi-squared variable with one degree of freedom exceeds it with probability 5%."""


def like_a_coin(cooperations: Numbers, rounds: int) -> Numbers:
    """Whether a chi-squared test at 5% lets C and D pass for equally likely, by match."""
    return np.asarray((2 * cooperations - rounds) ** 2 <= CHI_SQUARED_95 * rounds)


def _told(briefing: Briefing) -> float:
    return np.inf if briefing.rounds is None else briefing.rounds


def _unforced(now: int, told: Numbers) -> Numbers:
    """Where a round is not one of the last two."""
    return np.asarray((now < told - 1) | (now > told))


@dataclass(frozen=True)
class TidemanAndChieruzzi(Routine):
    """Answers the n-th run of defections with n of its own; a fresh start for who is 10 points behind and no coin.

    Defects in the last two rounds where they are told. A run that goes on counts as another one once it is answered.
    """

    name: str
    deterministic = True

    def begin(self, luck: Numbers, briefing: Briefing) -> Numbers:
        state = np.zeros((len(luck), 12))
        state[:, 0] = _told(briefing) > 2
        state[:, 7] = _told(briefing)
        state[:, 8:] = (briefing.payoffs[..., 0] - briefing.payoffs[..., 1]).reshape(-1, 4)
        return state

    def learn(self, state: Numbers, round: int, own: Actions, theirs: Actions, luck: Numbers) -> Numbers:
        _, left, length, ahead, since, fresh, defections, told = state[:, :8].T
        now = round + 1
        defections += theirs
        ahead += state[np.arange(len(state)), 8 + 2 * own + theirs]
        second, plays = fresh > 0, np.ones(len(state))
        far = 1.5 * round**0.5
        unlike = (defections <= round / 2 - far) | (defections >= round / 2 + far)
        due = (ahead >= 10) & (theirs == 0) & (told - now >= 10) & ((since == 0) | (now - since >= 20))
        start = due & unlike & ~second
        angry = ~second & ~start
        begins = angry & (left == 0) & (theirs == 1)
        length += begins
        left[begins] = length[begins]
        punishing = angry & (left > 0)
        left -= punishing
        plays[punishing] = 0
        for forgotten in (left, length, defections):
            forgotten[start] = 0
        since[start] = now
        fresh[:] = start
        state[:, 0] = plays * _unforced(now, told)
        return state


@dataclass(frozen=True)
class Shubik(Routine):
    """Answers the n-th departure from mutual cooperation with n defections."""

    name: str
    deterministic = True

    def begin(self, luck: Numbers, briefing: Briefing) -> Numbers:
        return np.tile([1.0, 0.0, 0.0], (len(luck), 1))

    def learn(self, state: Numbers, round: int, own: Actions, theirs: Actions, luck: Numbers) -> Numbers:
        _, left, length = state.T
        begins = (left == 0) & (theirs > own)
        length += begins
        left += begins * length
        state[:, 0] = left == 0
        left -= left > 0
        return state


@dataclass(frozen=True)
class SteinAndRapoport(Routine):
    """Four cooperations, then Tit for Tat; every 15 rounds it asks whether the other is a coin, and then defects.

    Defects in the last two rounds where they are told. The source also tests transitions; Axelrod-Python does not.
    """

    name: str
    deterministic = True

    def begin(self, luck: Numbers, briefing: Briefing) -> Numbers:
        told = _told(briefing)
        return np.tile([told > 2, 0.0, 0.0, told], (len(luck), 1))

    def learn(self, state: Numbers, round: int, own: Actions, theirs: Actions, luck: Numbers) -> Numbers:
        _, cooperations, coin, told = state.T
        cooperations += 1 - theirs
        now = round + 1
        if now % 15 == 0:
            coin[:] = like_a_coin(cooperations, round)
        plays = np.ones(len(state)) if now < 5 else (1 - theirs) * (coin == 0)
        state[:, 0] = plays * _unforced(now, told)
        return state


@dataclass(frozen=True)
class Graaskamp(Routine):
    """Tit for Tat with a probe in round 51; from round 57 on it sorts the other out.

    Against a coin (chi-squared at 5%, asked in every round) it defects for ever; with Tit for Tat or its own twin it
    plays Tit for Tat; against anybody else it cooperates but for a defection every 5 to 14 rounds (the source says 15).
    """

    name: str
    luck = 1

    def begin(self, luck: Numbers, briefing: Briefing) -> Numbers:
        return np.tile([1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0], (len(luck), 1))

    def learn(self, state: Numbers, round: int, own: Actions, theirs: Actions, luck: Numbers) -> Numbers:
        _, cooperations, coin, mirror, twin, before, turn = state.T
        cooperations += 1 - theirs
        if round > 1:
            mirror *= theirs == before
        twin *= theirs == own
        before[:] = own
        plays = 1.0 - theirs
        if round == 50:
            plays[:] = 0
        elif round >= 56:
            coin[like_a_coin(cooperations, round)] = 1
            stranger = (coin + mirror + twin) == 0
            drawn = round + 5 + np.floor(10 * luck[:, 0])
            strikes = stranger & (turn == round)
            renew = stranger & ((turn == 0) | strikes)
            turn[renew] = drawn[renew]
            plays = np.where(stranger, ~strikes, plays * (coin == 0))
        state[:, 0] = plays
        return state


@dataclass(frozen=True)
class Downing(Routine):
    """Estimates how the other answers C and D, and does what pays more in the long run against that.

    It defects in the first two rounds, and takes the other's first move for an answer to a C.
    """

    name: str
    deterministic = True

    def begin(self, luck: Numbers, briefing: Briefing) -> Numbers:
        state = np.zeros((len(luck), 9))
        state[:, 5:] = briefing.payoffs[..., 0].reshape(-1, 4)
        return state

    def learn(self, state: Numbers, round: int, own: Actions, theirs: Actions, luck: Numbers) -> Numbers:
        _, after_c, after_d, cooperations, before, R, S, T, P = state.T
        came = 1 - theirs
        after_c += came * (before == 0)
        after_d += came * (before == 1)
        before[:] = own
        cooperations += 1 - own
        if round == 1:
            return state
        alpha = after_c / (cooperations + 1)
        beta = after_d / np.maximum(round - cooperations, 2)
        good, bad = alpha * R + (1 - alpha) * S, beta * T + (1 - beta) * P
        state[:, 0] = np.where(good == bad, own, good > bad)
        return state


@dataclass(frozen=True)
class Feld(Routine):
    """Tit for Tat that answers a C the less the longer the match: from certainty down to one half in round 201."""

    name: str

    def begin(self, luck: Numbers, briefing: Briefing) -> Numbers:
        return np.ones((len(luck), 1))

    def learn(self, state: Numbers, round: int, own: Actions, theirs: Actions, luck: Numbers) -> Numbers:
        state[:, 0] = (1 - theirs) * max(1 - 0.5 / 200 * round, 0.5)
        return state


@dataclass(frozen=True)
class Tullock(Routine):
    """Eleven cooperations; then it cooperates one time in ten less often than the other did in the last ten rounds."""

    name: str

    def begin(self, luck: Numbers, briefing: Briefing) -> Numbers:
        state = np.zeros((len(luck), 12))  # chance, cooperations in the last ten rounds, those rounds
        state[:, 0] = 1
        return state

    def learn(self, state: Numbers, round: int, own: Actions, theirs: Actions, luck: Numbers) -> Numbers:
        place, came = 2 + round % 10, 1 - theirs
        state[:, 1] += came - state[:, place]
        state[:, place] = came
        if round >= 11:
            state[:, 0] = np.maximum(0, state[:, 1] / 10 - 0.10)
        return state


TOURNAMENT_ROUTINES = (
    Entry(
        "tideman_and_chieruzzi",
        "Answers the n-th run of defections with n defections, unless it grants a fresh start.",
        TidemanAndChieruzzi,
        f"Tideman & Chieruzzi, in {AXELROD_1980}",
        (),
        ("FirstByTidemanAndChieruzzi",),
    ),
    Entry(
        "shubik",
        "Cooperates first and answers the n-th defection against its cooperation with n defections.",
        Shubik,
        f"Shubik, in {AXELROD_1980}",
        (),
        ("FirstByShubik",),
    ),
    Entry(
        "stein_and_rapoport",
        "Cooperates four times, then plays tit_for_tat, but defects against a random-looking opponent.",
        SteinAndRapoport,
        f"Stein & Rapoport, in {AXELROD_1980}",
        (),
        ("FirstBySteinAndRapoport",),
    ),
    Entry(
        "graaskamp",
        "Plays tit_for_tat with a defection in round 51, and from round 57 on adapts to the kind of opponent.",
        Graaskamp,
        f"Graaskamp, in {AXELROD_1980}",
        (),
        ("FirstByGraaskamp",),
    ),
    Entry(
        "downing",
        "Defects twice, then does what pays more against its estimate of how the opponent responds.",
        Downing,
        f"Downing, in {AXELROD_1980}",
        (),
        ("FirstByDowning",),
    ),
    Entry(
        "feld",
        "Plays tit_for_tat, but cooperates after C with a probability that falls from 1 to 1/2.",
        Feld,
        f"Feld, in {AXELROD_1980}",
        (),
        ("FirstByFeld",),
    ),
    Entry(
        "tullock",
        "Cooperates 11 times, then 10 percentage points less often than the opponent in its last ten moves.",
        Tullock,
        f"Tullock, in {AXELROD_1980}",
        (),
        ("FirstByTullock",),
    ),
)

FIRST_TOURNAMENT = (
    *("tit_for_tat", "tideman_and_chieruzzi", "nydegger", "grofman", "shubik", "stein_and_rapoport", "grim", "davis"),
    *("graaskamp", "downing", "feld", "joss", "tullock", "anonymous", "random"),
)
"""The 15 players of 1980 by name, the winner first; as they were ranked then."""
