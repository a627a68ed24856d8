"""Counting strategies whose moves depend on the whole history of a match."""

from dataclasses import dataclass

import numpy as np

from dilemmas.agents.strategies.bibliography import AXELROD_1984, BEAUFILS, CAMPBELL, CRISTAL, MITTAL, PALMER, TZAFESTAS
from dilemmas.agents.strategies.counting import ActionArray, CountingStrategy, MatchInformation
from dilemmas.agents.strategies.entry import Family, StrategyEntry
from dilemmas.agents.strategies.finite_state import StrategyError
from dilemmas.envs.games.stage_game import Numbers


@dataclass(frozen=True)
class Gradual(CountingStrategy):
    """Answers a defection with as many defections as it has counted, then cooperates twice unconditionally."""

    name: str
    counts_all: bool = True
    """Whether it counts defections during an answer, as in the authors' later program, but not in their paper."""
    deterministic = True

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.tile([1.0, 0.0, 0.0, 0.0], (len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        _, left, calm, count = state.T
        begins = (left == 0) & (calm == 0) & (theirs == 1)
        count += theirs if self.counts_all else begins
        left[begins] = count[begins]
        calm[begins] = 2
        state[:, 0] = left == 0
        calm -= (left == 0) & (calm > 0)
        left -= left > 0
        return state


@dataclass(frozen=True)
class Majority(CountingStrategy):
    """Plays the move that the opponent has made more often so far."""

    name: str
    at_tie: float = 1.0
    """Probability of cooperation if C and D have been equally frequent, as before round 1."""
    deterministic = True

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.tile([self.at_tie, 0.0], (len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        balance = state[:, 1]
        balance += 1 - 2 * theirs
        state[:, 0] = np.where(balance == 0, self.at_tie, balance > 0)
        return state


@dataclass(frozen=True)
class Forgiver(CountingStrategy):
    """Cooperates as long as the opponent has defected in at most 10% of the rounds."""

    name: str
    copies: bool = False
    """Whether it plays Tit for Tat otherwise; if not, it defects."""
    deterministic = True

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.tile([1.0, 0.0], (len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        defections = state[:, 1]
        defections += theirs
        state[:, 0] = defections <= round / 10.0
        if self.copies:
            state[:, 0] = np.maximum(state[:, 0], 1 - theirs)
        return state


@dataclass(frozen=True)
class AverageCopier(CountingStrategy):
    """Cooperates with the opponent's frequency of cooperation."""

    name: str
    first: float = 0.5
    """Probability of cooperation in the first round."""

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.tile([self.first, 0.0], (len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        state[:, 1] += 1 - theirs
        state[:, 0] = state[:, 1] / round
        return state


@dataclass(frozen=True)
class Adaptive(CountingStrategy):
    """Cooperates if an exponential moving average of the opponent's cooperation is at least 1/2."""

    name: str
    rate: float = 0.5
    """Weight of the last round in the average, above 0 and at most 1. From 1/2 on this is Tit for Tat, save for the
    rounding of the average to 1 after some fifty cooperations, which forgives one defection."""
    deterministic = True

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise StrategyError(f"strategy '{self.name}': rate = {self.rate:g}; must be above 0 and at most 1")

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.tile([1.0, 0.5], (len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        world = state[:, 1]
        world += self.rate * (1.0 - theirs - world)
        state[:, 0] = world >= 0.5
        return state


LONG_MEMORY = (
    # The authors' later program, which does not reproduce the results of their paper of 1997.
    StrategyEntry(
        "gradual",
        "Answers a defection with as many defections as the opponent has made so far, then cooperates twice.",
        Gradual,
        CRISTAL,
        (),
        ("Gradual",),
    ),
    StrategyEntry(
        "original_gradual",
        "Answers the n-th defection outside its own answers with n defections, then cooperates twice.",
        lambda name: Gradual(name, counts_all=False),
        BEAUFILS,
        (),
        ("OriginalGradual",),
    ),
    StrategyEntry(
        "majority",
        "Cooperates first, then if the opponent has cooperated in at least half of all rounds so far.",
        Majority,
        AXELROD_1984,
        ("soft_majority", "grisell"),
        ("GoByMajority",),
    ),
    StrategyEntry(
        "hard_majority",
        "Defects first, then cooperates if the opponent cooperated in more than half of all rounds so far.",
        lambda name: Majority(name, 0.0),
        MITTAL,
        (),
        ("HardGoByMajority",),
    ),
    StrategyEntry(
        "forgiver",
        "Cooperates first, then if the opponent has defected in at most 10% of all rounds so far.",
        Forgiver,
        CAMPBELL,
        (),
        ("Forgiver",),
    ),
    StrategyEntry(
        "forgiving_tit_for_tat",
        "Plays tit_for_tat, but also cooperates if the opponent defected in at most 10% of all rounds so far.",
        lambda name: Forgiver(name, copies=True),
        CAMPBELL,
        (),
        ("ForgivingTitForTat",),
    ),
    StrategyEntry(
        "average_copier",
        "Cooperates with probability 1/2 in round 1, then with the opponent's rate of cooperation so far.",
        AverageCopier,
        PALMER,
        (),
        ("AverageCopier",),
    ),
    StrategyEntry(
        "nice_average_copier",
        "Cooperates first, then with a probability equal to the opponent's rate of cooperation so far.",
        lambda name: AverageCopier(name, 1.0),
        CAMPBELL,
        (),
        ("NiceAverageCopier",),
    ),
    # Axelrod-Python's rate of 1/2. The source wants a small one, for behaviour that changes gradually: see the family.
    StrategyEntry(
        "adaptive_tit_for_tat",
        "Cooperates first, then if a moving average of the opponent's cooperation (rate 1/2) is at least 1/2.",
        Adaptive,
        TZAFESTAS,
        (),
        ("AdaptiveTitForTat",),
    ),
)

LONG_MEMORY_FAMILIES = (
    Family(
        "adaptive_tit_for_tat",
        "Cooperates first, then if a moving average with this rate of the opponent's C is at least 1/2.",
        ("rate",),
        Adaptive,
        TZAFESTAS,
    ),
)
