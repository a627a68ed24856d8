"""Strategies that remember one round: the classics of the field, in games for two or for many.

A new strategy is one line of `STRATEGIES`. In every game an action counts as cooperation where it is at least
half as cooperative as can be, and *the others* cooperated where at least half of them did.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from gymnasium.spaces import Discrete

from understudy.agents.agent import IDLE, Decision, Player, Source, Turn, View, draw
from understudy.envs.catalogue import lookup
from understudy.envs.errors import InputError
from understudy.envs.labels import options_now
from understudy.envs.matrix_games import DEFAULTS, MatrixGame
from understudy.envs.population import Population


class StrategyError(InputError):
    """A strategy that cannot be made or cannot play; the message names it, the value and the way out."""


@dataclass(frozen=True, slots=True)
class MemoryOne:
    """Cooperates with a probability that depends on the last round alone.

    It plays the most cooperative action or the least cooperative one, nothing between. After Nowak & Sigmund
    1990 (Acta Appl. Math. 20:247).
    """

    name: str
    """What tables and records call it."""
    first: float
    """Probability, from 0 to 1, to cooperate where there is no last round."""
    cc: float
    """Probability to cooperate after I cooperated and the others did."""
    cd: float
    """Probability to cooperate after I cooperated and the others defected."""
    dc: float
    """Probability to cooperate after I defected and the others cooperated."""
    dd: float
    """Probability to cooperate after I defected and the others did."""

    def __post_init__(self) -> None:
        for field in ("first", "cc", "cd", "dc", "dd"):
            value = getattr(self, field)
            if not 0.0 <= value <= 1.0:
                raise StrategyError(f"strategy '{self.name}': {field} = {value!r}; a probability lies in [0, 1]")

    def describe(self) -> Player:
        parameters = asdict(self)
        return Player(name=parameters.pop("name"), kind="memory_one", parameters=parameters)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [self._decide(turn) for turn in turns]

    def cooperation(self, view: View) -> float:
        """Probability to cooperate at what `view` shows."""
        if view.round == 0 or self._never_looks():
            return self.first
        if not view.history:
            raise StrategyError(
                f"strategy '{self.name}' looks at the last round, and the environment shows none:"
                " set memory to 1 or more"
            )
        met = [joint for joint in view.history if len(joint) > 1]
        if not met:
            return self.first  # in a population it may have met nobody
        played = zip(met[-1], _seats(view, len(met[-1])), strict=True)
        mine, *others = (view.game.cooperation(action, seat) >= 0.5 for action, seat in played)
        they = 2 * sum(others) >= len(others)
        if mine:
            return self.cc if they else self.cd
        return self.dc if they else self.dd

    def _never_looks(self) -> bool:
        return self.first == self.cc == self.cd == self.dc == self.dd

    def _decide(self, turn: Turn) -> Decision:
        view = turn.info.get("view")
        if not isinstance(view, View):
            raise StrategyError(
                f"strategy '{self.name}' needs info['view'], which the environments of understudy give;"
                f" {turn.agent} got none"
            )
        if view.phase != "act":
            return IDLE
        cooperate = float(self.cooperation(view))
        options = options_now(view)
        if options == 1:
            return Decision(0, (1.0,), Source.RULE)
        if not options:
            defects = draw((cooperate, 1.0 - cooperate), turn.rng)
            return Decision(turn.space.low if defects else turn.space.high, None, Source.RULE)
        probabilities = (cooperate, *[0.0] * (options - 2), 1.0 - cooperate)
        return Decision(draw(probabilities, turn.rng), probabilities, Source.RULE)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Does in every phase anything that is possible then, each as likely: it needs nothing but space and mask."""

    name: str = "uniform"
    """What tables and records call it."""

    def describe(self) -> Player:
        return Player(name=self.name, kind="uniform")

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [self._decide(turn) for turn in turns]

    def _decide(self, turn: Turn) -> Decision:
        if not isinstance(turn.space, Discrete):
            low, high = turn.space.low, turn.space.high
            amount = low + turn.rng.random(low.shape) * (high - low)
            return Decision(amount.astype(turn.space.dtype), None, Source.RULE)
        mask = turn.info.get("action_mask", np.ones(turn.space.n))
        probabilities = tuple((mask / mask.sum()).tolist())
        return Decision(draw(probabilities, turn.rng), probabilities, Source.RULE)


def _seats(view: View, count: int) -> tuple[int | None, ...]:
    """Who did what in a round of `count` actions, own seat first; None in a population, where seats do not matter."""
    if isinstance(view.rules, Population):
        return (None,) * count
    return view.player, *(seat for seat in range(view.game.n_players) if seat != view.player)


def generosity(game: MatrixGame) -> float:
    """The most forgiveness that pays (Nowak & Sigmund 1992): min(1 - (T-R)/(R-S), (R-P)/(T-P))."""
    return min(1 - (game.T - game.R) / (game.R - game.S), (game.R - game.P) / (game.T - game.P))


def bernoulli(p: float) -> MemoryOne:
    """Cooperates with probability `p` whatever happened."""
    return MemoryOne(f"random({p:g})", p, p, p, p, p)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table of strategies."""

    strategy: MemoryOne
    source: str
    """Where the strategy was described."""
    aliases: tuple[str, ...] = ()
    """Other names in use."""


FORGIVE = generosity(DEFAULTS["prisoners_dilemma"])
"""1/3 with Axelrod's payoffs, for which the generous strategy is known."""

STRATEGIES = (
    Entry(MemoryOne("always_cooperate", 1, 1, 1, 1, 1), "Axelrod 1984", ("cooperator", "allc")),
    Entry(MemoryOne("always_defect", 0, 0, 0, 0, 0), "Axelrod 1984", ("defector", "alld")),
    Entry(MemoryOne("random", 0.5, 0.5, 0.5, 0.5, 0.5), "Axelrod 1980, J. Confl. Res. 24:3", ("coin",)),
    Entry(MemoryOne("tit_for_tat", 1, 1, 0, 1, 0), "Rapoport, in Axelrod 1980", ("tft",)),
    # Exact where no hand trembles; where hands do, one round of C by mistake on both sides mends everything.
    Entry(MemoryOne("grim", 1, 1, 0, 0, 0), "Friedman 1971, Rev. Econ. Stud. 38:1", ("grim_trigger", "grudger")),
    Entry(
        MemoryOne("win_stay_lose_shift", 1, 1, 0, 0, 1),
        "Nowak & Sigmund 1993, Nature 364:56",
        ("wsls", "pavlov"),
    ),
    Entry(
        MemoryOne("generous_tit_for_tat", 1, 1, FORGIVE, 1, FORGIVE),
        "Nowak & Sigmund 1992, Nature 355:250",
        ("gtft",),
    ),
)
"""Every strategy that has a name. Others are made with `MemoryOne` and `bernoulli`."""


def strategy(name: str) -> MemoryOne:
    """A strategy by its name or alias; an unknown name is answered with the nearest one."""
    known = {key: entry.strategy for entry in STRATEGIES for key in (entry.strategy.name, *entry.aliases)}
    return lookup("strategy", name.lower().replace("-", "_").replace(" ", "_"), known)
