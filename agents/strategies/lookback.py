"""Automata that depend on the last two to five rounds only."""

from dilemmas.agents.strategies.bibliography import ARNOLD, AXELROD_1980, HILBE_2017, LANGNER, MATHIEU
from dilemmas.agents.strategies.builders import from_rule, recent, recent_rounds
from dilemmas.agents.strategies.entry import StrategyEntry

# own and the opponent's last two moves after which the delayed all-or-none strategy cooperates
DELAYED_AON = {("CC", "CC"), ("CD", "CD"), ("CD", "DD"), ("DD", "CD"), ("DC", "DC"), ("DD", "DD")}

# own and the opponent's last three moves after which CAPRI cooperates; rounds before the match count as CC
CAPRI = {
    *[("CCC", "CCC"), ("CCD", "CCC"), ("CDC", "CCD"), ("DCC", "CDC"), ("CCC", "DCC")],
    *[("CCD", "CDC"), ("CDC", "DCC"), ("DCC", "CCC"), ("DDD", "DDC"), ("DDC", "DCC")],
    *[("DDC", "DDD"), ("DCC", "DDC"), ("DDC", "DDC"), ("DCC", "DCC")],
}

NYDEGGER = {1, 6, 7, 17, 22, 23, 26, 29, 30, 31, 33, 38, 39, 45, 49, 54, 55, 58, 61}
"""Weighted sums after which Nydegger defects."""


def nydegger(own: str, other: str) -> bool:
    """Tit for Tat for three rounds, except for D after DC, then a weighted sum over the last three rounds.

    The weight 16 belongs to the last of the three rounds as in Axelrod-Python; the source gives it to the first.
    """
    if len(own) < 3:
        return other[-1:] != "D" and other != "DC"
    last_first = zip(own[::-1], other[::-1], strict=True)
    points = [2 * (theirs == "D") + (mine == "D") for mine, theirs in last_first]
    return 16 * points[0] + 4 * points[1] + points[2] not in NYDEGGER


NO_RUN: tuple[int, str, str] = (0, "", "C")


def _run(state: tuple[int, str, str], own: str, other: str) -> tuple[int, str, str]:
    """Length of the run of equal own moves, up to 5; that move; the opponent's last move."""
    length, move, _ = state
    return min(length + 1, 5) if own == move else 1, own, other


LOOKBACK = (
    StrategyEntry(
        "nydegger",
        "Starts much like tit_for_tat; from round 4 on, a weighted sum of the last three rounds decides.",
        recent_rounds(3, nydegger),
        f"Nydegger, in {AXELROD_1980}",
        (),
        ("FirstByNydegger",),
    ),
    StrategyEntry(
        "capri",
        "Cooperates after 14 of the 64 histories of three rounds; rounds before the match count as CC.",
        recent_rounds(3, lambda own, other: (own.rjust(3, "C"), other.rjust(3, "C")) in CAPRI),
        "Murase & Baek 2020, Sci. Rep. 10:16904",
        (),
        ("Capri",),
    ),
    StrategyEntry(
        "all_or_none_2",
        "Cooperates twice, then only if both players made the same move in each of the last two rounds.",
        recent_rounds(2, lambda own, other: len(own) < 2 or own == other),
        HILBE_2017,
        ("aon_2",),
        ("AON2",),
    ),
    StrategyEntry(
        "delayed_all_or_none",
        "Cooperates twice, then after DD, and after CC if the moves in the round before were equal too.",
        recent_rounds(2, lambda own, other: len(own) < 2 or (own, other) in DELAYED_AON),
        HILBE_2017,
        ("delayed_aon",),
        ("DelayedAON1",),
    ),
    StrategyEntry(
        "winner_12",
        "Cooperates twice, then after CC, and after DD if the opponent cooperated in the round before.",
        recent_rounds(2, lambda own, other: own[-1] + other in ("CCC", "CDC", "DCD") if own[1:] else True),
        MATHIEU,
        (),
        ("Winner12",),
    ),
    StrategyEntry(
        "winner_21",
        "Plays DC, then cooperates after CC, and after DC if the opponent cooperated in the round before too.",
        recent_rounds(2, lambda own, other: own[-1] + other in ("CCC", "CDC", "DCC") if own[1:] else bool(own)),
        MATHIEU,
        (),
        ("Winner21",),
    ),
    StrategyEntry(
        "majority_of_five",
        "Cooperates if the opponent defected in at most half of the last five rounds.",
        recent(5, lambda other: 2 * other.count("D") <= len(other)),
        LANGNER,
        (),
        ("GoByMajority5",),
    ),
    StrategyEntry(
        "hard_majority_of_five",
        "Defects first, then cooperates if the opponent defected in under half of the last five rounds.",
        recent(5, lambda other: 2 * other.count("D") < len(other)),
        LANGNER,
        (),
        ("HardGoByMajority5",),
    ),
    StrategyEntry(
        "resurrection",
        "Plays tit_for_tat, but keeps defecting once it has defected five times in a row.",
        from_rule(NO_RUN, lambda run: run[2] == "C" and run[:2] != (5, "D"), _run),
        ARNOLD,
        (),
        ("Resurrection",),
    ),
    StrategyEntry(
        "double_resurrection",
        "Plays tit_for_tat, but after five equal moves of its own in a row plays the opposite move.",
        from_rule(NO_RUN, lambda run: run[1] == "D" if run[0] == 5 else run[2] == "C", _run),
        ARNOLD,
        (),
        ("DoubleResurrection",),
    ),
)
