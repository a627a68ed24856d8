"""Strategies of each kind that the engines distinguish, for their tests."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.strategies.counting import ActionArray, CountingStrategy, MatchInformation
from dilemmas.agents.strategies.finite_state import Automaton, memory_one
from dilemmas.envs.games.stage_game import Numbers

PD = "prisoners_dilemma"
TFT = memory_one("tit_for_tat", 1, 1, 0, 1, 0)
ALLD = memory_one("always_defect", 0, 0, 0, 0, 0)
WSLS = memory_one("win_stay_lose_shift", 1, 1, 0, 0, 1)
FICKLE = memory_one("fickle", 0.9, 0.8, 0.3, 0.6, 0.1)
THREE = Automaton("three", (1.0, 0.0), ((0, 0, 1, 0, 1, 1), (0, 1, 1, 0, 1, 1)), players=3)
LARGE = Automaton("large", (0.5,) * 3000, tuple(((i + 1) % 3000, i, 0, i) for i in range(3000)))


@dataclass(frozen=True)
class Mirror(CountingStrategy):
    """Tit for Tat as a counting strategy."""

    name: str = "mirror"

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.ones((len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        return 1.0 - theirs[:, None]


MIRROR = Mirror()


def seeds(groups: int, matches: int) -> NDArray[np.uint64]:
    return np.random.default_rng(0).integers(0, 2**64, (groups, matches), dtype=np.uint64)
