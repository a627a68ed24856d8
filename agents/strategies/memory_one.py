"""Memory-one strategies: five probabilities of cooperation each (Nowak & Sigmund 1990)."""

from dataclasses import replace

from dilemmas.agents.strategies.bibliography import (
    AXELROD_1980,
    AXELROD_1984,
    BERG,
    COMPETITION,
    HARPER,
    HILBE_2013,
    LI,
    NOWAK_1990,
    NOWAK_1992,
    PRISON,
)
from dilemmas.agents.strategies.builders import vector
from dilemmas.agents.strategies.entry import Family, StrategyEntry
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError, memory_one
from dilemmas.agents.two_actions import shown_payoffs
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame

USUAL = DEFAULTS["prisoners_dilemma"]
"""T = 5, R = 3, P = 1, S = 0: for strategies that depend on payoffs, if no game is given."""


def generosity(game: MatrixGame) -> float:
    """The optimal probability of forgiveness (Nowak & Sigmund 1992): min(1 - (T-R)/(R-S), (R-P)/(T-P)).

    Raises
    ------
    StrategyError
        Unless T > R > P > S and 2R >= T + S, where it is a probability.
    """
    T, R, P, S = game.T, game.R, game.P, game.S
    if not (T > R > P > S and 2 * R >= T + S):
        raise StrategyError(
            f"generous tit for tat: no best generosity for {shown_payoffs((T, R, P, S))}, which needs T > R > P > S and"
            " 2R >= T + S; give the probability of forgiveness, as in generous_tit_for_tat(0.1)"
        )
    return min(1 - (T - R) / (R - S), (R - P) / (T - P))


def best_generous(name: str, game: MatrixGame = USUAL) -> Automaton:
    """Tit for Tat that forgives a defection with the probability `generosity`: 1/3 by default."""
    return replace(generous(name, generosity(game)), payoffs=(game.T, game.R, game.P, game.S))


def bernoulli(p: float) -> Automaton:
    """Cooperates with probability `p` in every round."""
    return constant(f"random({p:g})", p)


def constant(name: str, p: float) -> Automaton:
    """Cooperates with probability `p` in every round, under a given name."""
    _probability(p, name, "p")
    return memory_one(name, p, p, p, p, p)


def reactive(name: str, first: float, c: float, d: float) -> Automaton:
    """Cooperates with probability `c` after a C of the opponent and `d` after a D (Nowak & Sigmund 1989)."""
    for meaning, value in (("first", first), ("c", c), ("d", d)):
        _probability(value, name, meaning)
    return memory_one(name, first, c, d, c, d)


def generous(name: str, d: float) -> Automaton:
    """Tit for Tat that forgives a defection with probability `d`."""
    return reactive(name, 1, 1, d)


def joss(name: str, c: float) -> Automaton:
    """Tit for Tat that copies a cooperation with probability `c`."""
    return reactive(name, 1, c, 0)


def wavering_pavlov(name: str, error: float) -> Automaton:
    """Win-Stay Lose-Shift that makes the opposite move with probability `error` from round 2 on."""
    _probability(error, name, "error")
    return memory_one(name, 1, 1.0 - error, error, error, 1.0 - error)


def _probability(value: float, name: str, meaning: str) -> None:
    if not 0.0 <= value <= 1.0:
        raise StrategyError(f"strategy '{name}': {meaning} = {value:g}; a probability must be in [0, 1]")


MEMORY_ONE = (
    StrategyEntry(
        "always_cooperate",
        "Cooperates in every round.",
        vector(1, 1, 1, 1, 1),
        AXELROD_1984,
        ("cooperator", "allc", "unconditional_cooperator"),
        ("Cooperator",),
    ),
    StrategyEntry(
        "always_defect",
        "Defects in every round.",
        vector(0, 0, 0, 0, 0),
        AXELROD_1984,
        ("defector", "alld", "free_rider"),
        ("Defector",),
    ),
    StrategyEntry(
        "random",
        "Cooperates with probability 1/2 in every round.",
        vector(0.5, 0.5, 0.5, 0.5, 0.5),
        AXELROD_1980,
        ("coin", "lunatic"),
        ("Random",),
    ),
    StrategyEntry(
        "tit_for_tat",
        "Cooperates first, then copies the opponent's last move.",
        vector(1, 1, 0, 1, 0),
        f"Rapoport, in {AXELROD_1980}",
        ("tft", "rapoport"),
        ("TitForTat",),
    ),
    StrategyEntry(
        "suspicious_tit_for_tat",
        "Defects first, then copies the opponent's last move.",
        vector(0, 1, 0, 1, 0),
        "Boyd & Lorberbaum 1987, Nature 327:58",
        ("stft", "mistrust", "d_tft", "exploitive_tit_for_tat"),
        ("SuspiciousTitForTat",),
    ),
    StrategyEntry(
        "generous_tit_for_tat",
        "Cooperates first, then copies the opponent, but forgives as often as the payoffs allow (1/3).",
        best_generous,
        NOWAK_1992,
        ("gtft", "naive_peace_maker"),
        ("GTFT",),
        of_payoffs=True,
    ),
    StrategyEntry(
        "anti_tit_for_tat",
        "Cooperates first, then plays the opposite of the opponent's last move.",
        vector(1, 0, 1, 0, 1),
        HILBE_2013,
        ("psycho",),
        ("AntiTitForTat",),
    ),
    StrategyEntry(
        "bully",
        "Defects first, then plays the opposite of the opponent's last move.",
        vector(0, 0, 1, 0, 1),
        "Nachbar 1992, J. Econ. Behav. Organ. 19:307",
        ("reverse_tit_for_tat",),
        ("Bully",),
    ),
    StrategyEntry(
        "win_stay_lose_shift",
        "Cooperates first, then repeats its move if the opponent cooperated and switches otherwise.",
        vector(1, 1, 0, 0, 1),
        "Nowak & Sigmund 1993, Nature 364:56; Kraines & Kraines 1989 (Pavlov); Rapoport & Chammah 1965 (simpleton)",
        ("wsls", "pavlov", "perfect_tit_for_tat", "simpleton"),
        # The Appeaser repeats its move after a C and switches after a D, which is the same rule.
        ("WinStayLoseShift", "Appeaser"),
    ),
    StrategyEntry(
        "win_shift_lose_stay",
        "Defects first, then switches its move if the opponent cooperated and repeats it otherwise.",
        vector(0, 0, 1, 1, 0),
        LI,
        ("reverse_pavlov",),
        ("WinShiftLoseStay",),
    ),
    # Grim with one round of memory: it forgives only if noise makes both players cooperate.
    StrategyEntry(
        "memory_one_grim",
        "Cooperates first, then only after mutual cooperation in the last round.",
        vector(1, 1, 0, 0, 0),
        NOWAK_1990,
        ("grim_1",),
    ),
    StrategyEntry(
        "alternator",
        "Cooperates first, then plays the opposite of its own last move.",
        vector(1, 0, 0, 1, 1),
        AXELROD_1984,
        (),
        ("Alternator",),
    ),
    StrategyEntry(
        "repeat",
        "Cooperates with probability 0.6 in round 1, then repeats its own last move.",
        vector(0.6, 1, 1, 0, 0),
        "Akin 2015, Games 6:175",
        ("allc_or_alld",),
        ("ALLCorALLD",),
    ),
    StrategyEntry(
        "firm_but_fair",
        "Cooperates first and after CC or DC, never after CD, and with probability 2/3 after DD.",
        vector(1, 1, 0, 1, 2 / 3),
        "Frean 1994, Proc. R. Soc. B 257:75",
        (),
        ("FirmButFair",),
    ),
    StrategyEntry(
        "stochastic_cooperator",
        "Cooperates first, then with probability 0.935, 0.229, 0.266 and 0.42 after CC, CD, DC and DD.",
        vector(1, 0.935, 0.229, 0.266, 0.42),
        "Adami & Hintze 2013, Nat. Commun. 4:2193",
        (),
        ("StochasticCooperator",),
    ),
    StrategyEntry(
        "stochastic_win_stay_lose_shift",
        "Plays win_stay_lose_shift, but after round 1 makes the opposite move with probability 0.05.",
        lambda name: wavering_pavlov(name, 0.05),
        HARPER,
        (),
        ("StochasticWSLS",),
    ),
    StrategyEntry(
        "joss",
        "Cooperates first, then copies defections, and copies cooperation with probability 0.9.",
        lambda name: joss(name, 0.9),
        f"Joss, in {AXELROD_1980}",
        ("hard_joss", "naive_prober", "burn_both_ends"),
        ("FirstByJoss", "NaiveProber", "BurnBothEnds"),
    ),
    StrategyEntry(
        "soft_joss",
        "Cooperates first, then copies the opponent, but forgives a defection with probability 0.1.",
        lambda name: generous(name, 1 - 0.9),
        PRISON,
        (),
        ("SoftJoss",),
    ),
    StrategyEntry(
        "grofman",
        "Cooperates first and after equal moves, and with probability 2/7 after different moves.",
        vector(1, 1, 2 / 7, 2 / 7, 1),
        f"Grofman, in {AXELROD_1980}",
        (),
        ("FirstByGrofman",),
    ),
    # Axelrod-Python draws a probability from [0.3, 0.7] in every round, which amounts to 1/2.
    StrategyEntry(
        "anonymous",
        "Cooperates with probability 1/2 in every round.",
        vector(0.5, 0.5, 0.5, 0.5, 0.5),
        f"name withheld, in {AXELROD_1980}",
        (),
        ("FirstByAnonymous",),
    ),
    StrategyEntry(
        "desperate",
        "Cooperates with probability 1/2 in round 1, then only after mutual defection.",
        vector(0.5, 0, 0, 0, 1),
        BERG,
        (),
        ("Desperate",),
    ),
    StrategyEntry(
        "hopeless",
        "Cooperates with probability 1/2 in round 1, then always except after mutual cooperation.",
        vector(0.5, 0, 1, 1, 1),
        BERG,
        (),
        ("Hopeless",),
    ),
    StrategyEntry(
        "willing",
        "Cooperates with probability 1/2 in round 1, then always except after mutual defection.",
        vector(0.5, 1, 1, 1, 0),
        BERG,
        (),
        ("Willing",),
    ),
    StrategyEntry(
        "negation",
        "Cooperates with probability 1/2 in round 1, then plays the opposite of the opponent's last move.",
        vector(0.5, 0, 1, 0, 1),
        COMPETITION,
        (),
        ("Negation",),
    ),
)

MEMORY_ONE_FAMILIES = (
    Family(
        "random", "Cooperates with probability p in every round.", ("p",), constant, AXELROD_1980, ("coin", "bernoulli")
    ),
    Family(
        "memory_one",
        "Cooperates with probability first in round 1, and cc, cd, dc, dd after CC, CD, DC, DD.",
        ("first", "cc", "cd", "dc", "dd"),
        memory_one,
        NOWAK_1990,
    ),
    Family(
        "reactive",
        "Cooperates with probability first in round 1, c after the opponent's C and d after its D.",
        ("first", "c", "d"),
        reactive,
        "Nowak & Sigmund 1989, Appl. Math. Comput. 30:191",
    ),
    Family(
        "generous_tit_for_tat",
        "Cooperates first, then copies the opponent, but forgives a defection with probability d.",
        ("d",),
        generous,
        NOWAK_1992,
        ("gtft",),
    ),
    Family(
        "joss",
        "Cooperates first, then copies defections, and copies cooperation with probability c.",
        ("c",),
        joss,
        f"Joss, in {AXELROD_1980}",
    ),
    Family(
        "wavering_pavlov",
        "Plays win_stay_lose_shift, but after round 1 makes the opposite move with probability error.",
        ("error",),
        wavering_pavlov,
        HARPER,
        ("stochastic_wsls",),
    ),
)
