"""Automata that depend on the last two to five rounds, and those of Mathieu & Delahaye with a fixed opening.

Those of Mathieu & Delahaye play as the authors' program (CRISTAL-SMAC 2018), move for move. Where Axelrod-Python reads
their paper otherwise, its reading has a name of its own.
"""

from dilemmas.agents.strategies.bibliography import ARNOLD, AXELROD_1980, CRISTAL, HILBE_2017, LANGNER, MATHIEU
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


def nydegger(own: str, other: str, weights: tuple[int, ...] = (1, 4, 16)) -> bool:
    """Tit for Tat for three rounds, except for D after DC, then a weighted sum over the last three rounds.

    `weights`: of these rounds, the oldest first.
    """
    if len(own) < 3:
        return other[-1:] != "D" and other != "DC"
    rounds = zip(weights, own, other, strict=True)
    return sum(weight * (2 * (theirs == "D") + (mine == "D")) for weight, mine, theirs in rounds) not in NYDEGGER


def _tft_spiteful(seen: str, _: str, other: str) -> str:
    """Moves of the opponent: the first, then the last two; constant after two defections in a row."""
    return seen if seen == "DD" else (seen + other)[-2:]


SILENCE: str = ""
"""No move of the opponent seen yet."""
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
    # The source gives the weights 16, 4 and 1 "in chronological order"; Axelrod-Python reads the last round first.
    StrategyEntry(
        "nydegger_chronological",
        "Plays nydegger with the largest weight on the oldest of the last three rounds.",
        recent_rounds(3, lambda own, other: nydegger(own, other, (16, 4, 1))),
        f"Nydegger, in {AXELROD_1980}",
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
        f"{MATHIEU}; {CRISTAL}",
        (),
        ("Winner12",),
    ),
    StrategyEntry(
        "winner_21",
        "Plays DC, then cooperates after a C of the opponent, except if it has defected twice in a row.",
        recent_rounds(2, lambda own, other: other[-1] == "C" and own != "DD" if own[1:] else bool(own)),
        f"{MATHIEU}; {CRISTAL}",
    ),
    # Axelrod-Python's reading: one own move and two of the opponent, instead of two own moves and one of the opponent.
    StrategyEntry(
        "winner_21_axelrod",
        "Plays DC, then cooperates after CC, and after DC if the opponent cooperated in the round before too.",
        recent_rounds(2, lambda own, other: own[-1] + other in ("CCC", "CDC", "DCC") if own[1:] else bool(own)),
        MATHIEU,
        (),
        ("Winner21",),
    ),
    StrategyEntry(
        "spiteful_cc",
        "Cooperates twice, then only after mutual cooperation in the last round.",
        recent_rounds(2, lambda own, other: own[-1] + other[-1] == "CC" if own[1:] else True),
        f"{MATHIEU}; {CRISTAL}",
    ),
    # The program's opening has a second C whatever the opponent does; spiteful_tit_for_tat copies its first move.
    StrategyEntry(
        "tft_spiteful",
        "Cooperates twice, then plays tit_for_tat until the opponent defects twice in a row, then defects.",
        from_rule(SILENCE, lambda seen: len(seen) < 2 or seen[1] == "C", _tft_spiteful),
        f"{MATHIEU}; {CRISTAL}",
    ),
    # two_tits_for_tat (Axelrod 1984) may already defect in round 2.
    StrategyEntry(
        "hard_tft",
        "Cooperates twice, then unless the opponent defected in at least one of the last two rounds.",
        recent(2, lambda other: len(other) < 2 or "D" not in other),
        f"{MATHIEU}; {CRISTAL}",
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
