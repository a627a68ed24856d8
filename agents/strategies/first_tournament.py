"""The strategies of Axelrod's first tournament that are not small automata (Axelrod 1980, J. Confl. Res. 24:3).

They play as the strategies of the same names in Axelrod-Python 4.13, which are interpretations of descriptions, since
the programs are lost. Strategies that depend on the number of rounds use it only if the players know it, as they did in
1980.
"""

from dataclasses import dataclass

import numpy as np

from dilemmas.agents.strategies.bibliography import AXELROD_1980
from dilemmas.agents.strategies.counting import ActionArray, CountingStrategy, MatchInformation
from dilemmas.agents.strategies.entry import StrategyEntry
from dilemmas.envs.games.stage_game import Numbers

CHI_SQUARED_95 = 3.841458820694124
"""A chi-squared variable with one degree of freedom exceeds it with probability 5%."""


def looks_random(cooperations: Numbers, rounds: int) -> Numbers:
    """Whether a chi-squared test at the 5% level does not reject that C and D are equally likely, by match."""
    return np.asarray((2 * cooperations - rounds) ** 2 <= CHI_SQUARED_95 * rounds)


def _length(information: MatchInformation) -> float:
    """The known number of rounds, else infinity."""
    return np.inf if information.rounds is None else information.rounds


def _not_last(now: int, length: Numbers) -> Numbers:
    """Whether a round is not one of the last two."""
    return np.asarray((now < length - 1) | (now > length))


@dataclass(frozen=True)
class TidemanAndChieruzzi(CountingStrategy):
    """Answers the n-th run of defections with n defections; gives a fresh start to some opponents that are behind.

    An opponent gets a fresh start (two cooperations, all counts reset) if it is 10 points behind, has just cooperated
    and does not look random, at least 20 rounds after the last one and 10 before the end. It defects in the last two
    rounds if it knows them. A run that continues counts as a new one once it has been answered.
    """

    name: str
    deterministic = True

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        state = np.zeros((len(random), 12))
        state[:, 0] = _length(information) > 2
        state[:, 7] = _length(information)
        state[:, 8:] = (information.payoffs[..., 0] - information.payoffs[..., 1]).reshape(-1, 4)
        return state

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        _, left, answer, ahead, since, fresh, defections, length = state[:, :8].T
        now = round + 1
        defections += theirs
        ahead += state[np.arange(len(state)), 8 + 2 * own + theirs]
        second, plays = fresh > 0, np.ones(len(state))
        far = 1.5 * round**0.5
        unlike = (defections <= round / 2 - far) | (defections >= round / 2 + far)
        due = (ahead >= 10) & (theirs == 0) & (length - now >= 10) & ((since == 0) | (now - since >= 20))
        start = due & unlike & ~second
        angry = ~second & ~start
        begins = angry & (left == 0) & (theirs == 1)
        answer += begins
        left[begins] = answer[begins]
        punishing = angry & (left > 0)
        left -= punishing
        plays[punishing] = 0
        for forgotten in (left, answer, defections):
            forgotten[start] = 0
        since[start] = now
        fresh[:] = start
        state[:, 0] = plays * _not_last(now, length)
        return state


@dataclass(frozen=True)
class Shubik(CountingStrategy):
    """Answers the n-th defection against its cooperation with n defections."""

    name: str
    deterministic = True

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.tile([1.0, 0.0, 0.0], (len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        _, left, length = state.T
        begins = (left == 0) & (theirs > own)
        length += begins
        left += begins * length
        state[:, 0] = left == 0
        left -= left > 0
        return state


@dataclass(frozen=True)
class SteinAndRapoport(CountingStrategy):
    """Cooperates four times, then plays Tit for Tat, but defects against an opponent that looks random.

    It tests whether the opponent looks random every 15 rounds, and defects in the last two rounds if it knows
    them. The source also tests transitions; Axelrod-Python does not.
    """

    name: str
    deterministic = True

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        length = _length(information)
        return np.tile([length > 2, 0.0, 0.0, length], (len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        _, cooperations, coin, length = state.T
        cooperations += 1 - theirs
        now = round + 1
        if now % 15 == 0:
            coin[:] = looks_random(cooperations, round)
        plays = np.ones(len(state)) if now < 5 else (1 - theirs) * (coin == 0)
        state[:, 0] = plays * _not_last(now, length)
        return state


@dataclass(frozen=True)
class Graaskamp(CountingStrategy):
    """Plays Tit for Tat with a defection in round 51; from round 57 on it depends on the kind of opponent.

    It defects forever against an opponent that looks random (chi-squared test at the 5% level in every round), plays
    Tit for Tat against Tit for Tat and itself, and cooperates with all others except for a defection every 5 to 14
    rounds (the source says 15).
    """

    name: str
    n_random = 1

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.tile([1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0], (len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
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
            coin[looks_random(cooperations, round)] = 1
            stranger = (coin + mirror + twin) == 0
            drawn = round + 5 + np.floor(10 * random[:, 0])
            strikes = stranger & (turn == round)
            renew = stranger & ((turn == 0) | strikes)
            turn[renew] = drawn[renew]
            plays = np.where(stranger, ~strikes, plays * (coin == 0))
        state[:, 0] = plays
        return state


@dataclass(frozen=True)
class Downing(CountingStrategy):
    """Estimates the opponent's responses to C and D, and plays what pays more in the long run against them.

    It defects in the first two rounds and counts the opponent's first move as a response to a C.
    """

    name: str
    deterministic = True

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        state = np.zeros((len(random), 9))
        state[:, 5:] = information.payoffs[..., 0].reshape(-1, 4)
        return state

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
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
class Feld(CountingStrategy):
    """Tit for Tat that answers a C with a probability that falls linearly from 1 to 1/2 in round 201."""

    name: str

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.ones((len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        state[:, 0] = (1 - theirs) * max(1 - 0.5 / 200 * round, 0.5)
        return state


@dataclass(frozen=True)
class Tullock(CountingStrategy):
    """Cooperates 11 times, then with a probability 0.1 below the opponent's frequency in the last ten rounds."""

    name: str

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        state = np.zeros((len(random), 12))  # probability, cooperations in the last ten rounds, those rounds
        state[:, 0] = 1
        return state

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        place, came = 2 + round % 10, 1 - theirs
        state[:, 1] += came - state[:, place]
        state[:, place] = came
        if round >= 11:
            state[:, 0] = np.maximum(0, state[:, 1] / 10 - 0.10)
        return state


FIRST_TOURNAMENT_COUNTING = (
    StrategyEntry(
        "tideman_and_chieruzzi",
        "Answers the n-th run of defections with n defections, unless it grants a fresh start.",
        TidemanAndChieruzzi,
        f"Tideman & Chieruzzi, in {AXELROD_1980}",
        (),
        ("FirstByTidemanAndChieruzzi",),
    ),
    StrategyEntry(
        "shubik",
        "Cooperates first and answers the n-th defection against its cooperation with n defections.",
        Shubik,
        f"Shubik, in {AXELROD_1980}",
        (),
        ("FirstByShubik",),
    ),
    StrategyEntry(
        "stein_and_rapoport",
        "Cooperates four times, then plays tit_for_tat, but defects against a random-looking opponent.",
        SteinAndRapoport,
        f"Stein & Rapoport, in {AXELROD_1980}",
        (),
        ("FirstBySteinAndRapoport",),
    ),
    StrategyEntry(
        "graaskamp",
        "Plays tit_for_tat with a defection in round 51, and from round 57 on adapts to the kind of opponent.",
        Graaskamp,
        f"Graaskamp, in {AXELROD_1980}",
        (),
        ("FirstByGraaskamp",),
    ),
    StrategyEntry(
        "downing",
        "Defects twice, then does what pays more against its estimate of how the opponent responds.",
        Downing,
        f"Downing, in {AXELROD_1980}",
        (),
        ("FirstByDowning",),
    ),
    StrategyEntry(
        "feld",
        "Plays tit_for_tat, but cooperates after C with a probability that falls from 1 to 1/2.",
        Feld,
        f"Feld, in {AXELROD_1980}",
        (),
        ("FirstByFeld",),
    ),
    StrategyEntry(
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
"""The 15 strategies of 1980 in the order of their ranking, the winner first."""
