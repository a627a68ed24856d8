"""Automata from the literature with more than one round of memory.

Strategies that name a class of Axelrod-Python 4.13 play as it does; comments say where it differs from the source.
"""

from dilemmas.agents.strategies.bibliography import (
    AXELROD_1980,
    AXELROD_1984,
    CAMPBELL,
    COMPETITION,
    CRISTAL,
    DAL_BO,
    FRIEDMAN,
    FUDENBERG,
    HARPER,
    LANGNER,
    LI,
    MATHIEU,
    MITTAL,
    PALMER,
    PRISON,
    STEWART_2012,
)
from dilemmas.agents.strategies.builders import (
    from_rule,
    grudge,
    recent,
    recent_rounds,
    repeated_moves,
    tits_for_tats,
    trigger,
)
from dilemmas.agents.strategies.entry import Family, StrategyEntry

SILENCE: str = ""
"""No move of the opponent seen yet."""
FRESH: tuple[int, str] = (0, "C")
UNWRONGED: tuple[bool, str] = (False, "D")
UNBITTEN: tuple[int, str] = (0, "")
NOTHING: tuple[int, bool, str, str] = (0, False, "", "")


# After its own unintended defection against a C it is contrite: it cooperates until it has done so, whatever the
# opponent plays meanwhile. State: intended move, whether it is contrite.
def _contrite(state: tuple[str, bool], own: str, other: str) -> tuple[str, bool]:
    plan, contrite = state
    if contrite and own == "C":
        return "C", False
    return other, contrite or (plan != own and own == "D" and other == "C")


# A player is in good standing after cooperating, or after defecting in good standing against a player who was not
# (Sugden 1986).
def _standing(state: tuple[bool, bool], own: str, other: str) -> tuple[bool, bool]:
    mine, theirs = state
    return own == "C" or (mine and not theirs), other == "C" or (theirs and not mine)


def _bitten(state: tuple[int, str], _: str, other: str) -> tuple[int, str]:
    defected, seen = state
    on = defected + 1 if 1 <= defected <= 10 else int(seen == "DD")
    return on, (seen + other)[-2:]


def _either(defections: int, state: int, own: str, other: str) -> int:
    """Number of rounds in a row in which a player defected; constant once it has reached `defections`."""
    return state if state == defections else (state + 1 if "D" in own + other else 0)


TITS_FOR_TATS = (
    StrategyEntry(
        "tit_for_two_tats",
        "Cooperates unless the opponent defected in each of the last two rounds.",
        recent(2, lambda other: other != "DD"),
        f"{AXELROD_1984}; Maynard Smith, in Axelrod 1980, J. Confl. Res. 24:379",
        ("tf2t", "tftt", "j_maynard_smith"),
        ("TitFor2Tats",),
    ),
    StrategyEntry(
        "tit_for_three_tats",
        "Cooperates unless the opponent defected in each of the last three rounds.",
        recent(3, lambda other: other != "DDD"),
        FUDENBERG,
        ("tf3t",),
    ),
    StrategyEntry(
        "two_tits_for_tat",
        "Cooperates unless the opponent defected in at least one of the last two rounds.",
        recent(2, lambda other: "D" not in other),
        AXELROD_1984,
        ("2tft", "ttft"),
        ("TwoTitsForTat",),
    ),
    StrategyEntry(
        "hard_tit_for_tat",
        "Cooperates unless the opponent defected in at least one of the last three rounds.",
        recent(3, lambda other: "D" not in other),
        COMPETITION,
        (),
        ("HardTitForTat",),
    ),
    StrategyEntry(
        "hard_tit_for_two_tats",
        "Cooperates unless the opponent defected twice in a row within the last three rounds.",
        recent(3, lambda other: "DD" not in other),
        STEWART_2012,
        ("two_tits_for_two_tats", "2tf2t"),
        ("HardTitFor2Tats",),
    ),
    StrategyEntry(
        "slow_tit_for_two_tats",
        "Cooperates twice, then copies the opponent after two equal moves and else repeats its own move.",
        recent_rounds(
            2, lambda own, other: (other[-1] if other[0] == other[-1] else own[-1]) == "C" if own[1:] else True
        ),
        PRISON,
        ("slow_tit_for_tat",),
        ("SlowTitForTwoTats2",),
    ),
    StrategyEntry(
        "three_tits_for_two_tats",
        "Cooperates, but defects in the three rounds after two defections of the opponent in a row.",
        tits_for_tats(3, 2),
        HARPER,
        (),
        ("NTitsForMTats",),
    ),
    StrategyEntry(
        "spiteful_tit_for_tat",
        "Plays tit_for_tat until the opponent defects twice in a row, then defects forever.",
        from_rule(
            SILENCE, lambda seen: seen[-1:] != "D", lambda seen, _, other: seen if seen == "DD" else (seen + other)[-2:]
        ),
        PRISON,
        (),
        ("SpitefulTitForTat",),
    ),
    StrategyEntry(
        "sneaky_tit_for_tat",
        "Plays CC, then D until the opponent has; then copies a D unless its own move two rounds ago was D.",
        from_rule(
            NOTHING,  # rounds, whether the opponent ever defected, own last two moves, the opponent's last
            lambda s: s[0] < 2 or (s[1] and (s[3] == "C" or s[2][0] == "D")),
            lambda s, own, other: (min(s[0] + 1, 2), s[1] or other == "D", (s[2] + own)[-2:], other),
        ),
        LANGNER,
        (),
        ("SneakyTitForTat",),
    ),
    StrategyEntry(
        "contrite_tit_for_tat",
        "Plays tit_for_tat, but does not retaliate for the answer to its own accidental defection.",
        from_rule(("C", False), lambda state: state[0] == "C", _contrite),
        "Wu & Axelrod 1995, J. Confl. Res. 39:183",
        (),
        ("ContriteTitForTat",),
    ),
    StrategyEntry(
        "standing_tit_for_tat",
        "Defects only in good standing against an opponent that lost its own by an unjustified defection.",
        from_rule((True, True), lambda state: not state[0] or state[1], _standing),
        "Boyd 1989, J. Theor. Biol. 136:47; Boerlijst, Nowak & Sigmund 1997, J. Theor. Biol. 185:281",
        ("ctft",),
    ),
    StrategyEntry(
        "random_tit_for_tat",
        "Cooperates first, then alternates between copying the opponent and a random move (1/2 each).",
        from_rule(
            FRESH,  # from round 2 on: 1 = copies, 2 = plays at random; the opponent's last move
            lambda state: 0.5 if state[0] == 2 else state[1] == "C",
            lambda state, _, other: (2 if state[0] == 1 else 1, other),
        ),
        "Taylor, in Axelrod-Python",
        (),
        ("RandomTitForTat",),
    ),
)

GRUDGES = (
    # Not the class Spiteful of CRISTAL-SMAC 2018, which is memory_one_grim: the same unless a move of its own is noise.
    StrategyEntry(
        "grim",
        "Cooperates until the opponent defects, then defects forever.",
        trigger(),
        f"{FRIEDMAN}; in {AXELROD_1980}",
        ("grim_trigger", "friedman", "spite", "spiteful", "vengeful"),
        ("Grudger",),
    ),
    StrategyEntry(
        "davis",
        "Cooperates for ten rounds, and from then on as long as the opponent has never defected.",
        trigger("C" * 10),
        f"Davis, in {AXELROD_1980}",
        (),
        ("FirstByDavis",),
    ),
    StrategyEntry(
        "spiteful_cc_axelrod",  # Axelrod-Python's reading; the authors' program forgives the first two rounds
        "Cooperates for two rounds, and from then on as long as the opponent has never defected.",
        trigger("CC"),
        MATHIEU,
        (),
        ("SpitefulCC",),
    ),
    StrategyEntry(
        "aggravater",
        "Defects for three rounds, then cooperates as long as the opponent has never defected.",
        trigger("DDD"),
        CAMPBELL,
        (),
        ("Aggravater",),
    ),
    StrategyEntry(
        "soft_grudger",
        "Cooperates first and answers a defection with DDDDCC, whatever the opponent does meanwhile.",
        grudge(1, 4, 2),
        LI,
        ("sgrim", "soft_grim"),
        ("SoftGrudger", "GeneralSoftGrudger"),
    ),
    StrategyEntry(
        "forgetful_grudger",
        "Cooperates first and answers a defection with ten, whatever the opponent does meanwhile.",
        from_rule(
            FRESH,  # defections of the answer so far, the opponent's last move
            lambda s: not (0 < s[0] < 10 or s[1] == "D"),
            lambda s, _, other: (s[0] % 10 + 1 if 0 < s[0] < 10 or s[1] == "D" else 0, other),
        ),
        PALMER,
        (),
        ("ForgetfulGrudger",),
    ),
    StrategyEntry(
        "opposite_grudger",
        "Defects until the opponent cooperates, then cooperates forever.",
        from_rule(False, lambda kind: kind, lambda kind, _, other: kind or other == "C"),
        PALMER,
        (),
        ("OppositeGrudger",),
    ),
    StrategyEntry(
        "easy_go",
        "Defects until the opponent defects, then cooperates forever.",
        from_rule(False, lambda meek: meek, lambda meek, _, other: meek or other == "D"),
        PRISON,
        ("reverse_grudger", "fool_me_forever"),
        ("EasyGo",),
    ),
    StrategyEntry(
        "grudger_alternator",
        "Cooperates until the opponent defects, then plays the opposite of its own last move.",
        from_rule(UNWRONGED, lambda s: not s[0] or s[1] == "D", lambda s, own, other: (s[0] or other == "D", own)),
        PRISON,
        ("c_then_per_dc",),
        ("GrudgerAlternator",),
    ),
    StrategyEntry(
        "fool_me_once",
        "Cooperates until the opponent's second defection, then defects forever.",
        from_rule(0, lambda count: count < 2, lambda count, _, other: min(count + (other == "D"), 2)),
        HARPER,
        (),
        ("FoolMeOnce",),
    ),
    StrategyEntry(
        "once_bitten",
        "Cooperates first and answers two defections in a row with eleven, whatever happens meanwhile.",
        from_rule(UNBITTEN, lambda s: not 1 <= s[0] <= 10 and s[1] != "DD", _bitten),
        "Marissa, in Axelrod-Python",
        (),
        ("OnceBitten",),
    ),
    # In the strategies of the experimental literature a defection of either player counts, its own errors included.
    StrategyEntry(
        "trigger_2",
        "Cooperates first and answers a defection of either player with exactly two defections.",
        from_rule(0, lambda left: left == 0, lambda left, own, other: left - 1 if left else 2 * ("D" in own + other)),
        DAL_BO,
        ("trigger_with_two_rounds",),
    ),
    StrategyEntry(
        "mutual_grim",
        "Cooperates until either player defects, then defects forever.",
        from_rule(0, lambda run: run < 1, lambda *seen: _either(1, *seen)),
        DAL_BO,
        ("trigger_either",),
    ),
    StrategyEntry(
        "grim_2",
        "Cooperates until two rounds in a row contain a defection of either player, then defects forever.",
        from_rule(0, lambda run: run < 2, lambda *seen: _either(2, *seen)),
        FUDENBERG,
        ("lenient_grim_2",),
    ),
    StrategyEntry(
        "grim_3",
        "Cooperates until three rounds in a row contain a defection of either player, then defects forever.",
        from_rule(0, lambda run: run < 3, lambda *seen: _either(3, *seen)),
        FUDENBERG,
        ("lenient_grim_3",),
    ),
)

CYCLERS = tuple(
    StrategyEntry(
        f"cycler_{moves.lower()}",
        f"Repeats the moves {moves} in a cycle.",
        repeated_moves(moves),
        source,
        aliases,
        classes,
    )
    for moves, source, aliases, classes in (
        ("CD", CRISTAL, ("periodic_cd",), ()),  # with noise it is not alternator, which answers its own last move
        ("DC", HARPER, (), ("CyclerDC",)),
        ("CCD", MITTAL, ("periodic_ccd",), ("CyclerCCD",)),
        ("DDC", MITTAL, ("periodic_ddc",), ("CyclerDDC",)),
        ("CCCD", HARPER, (), ("CyclerCCCD",)),
        ("CCCDCD", HARPER, (), ("CyclerCCCDCD",)),
        ("CCCCCD", HARPER, (), ("CyclerCCCCCD",)),
    )
)

CLASSICS = (*TITS_FOR_TATS, *GRUDGES, *CYCLERS)

CLASSIC_FAMILIES = (
    Family(
        "cycler",
        "Repeats the given sequence of moves.",
        ("moves",),
        lambda name, moves: repeated_moves(moves)(name),
        MITTAL,
        moves=True,
    ),
    Family(
        "tits_for_tats",
        "Cooperates, but defects for tits rounds after tats defections of the opponent in a row.",
        ("tits", "tats"),
        lambda name, *counts: tits_for_tats(*counts)(name),
        HARPER,
    ),
    Family(
        "grudge",
        "Answers tats defections in a row with punishment defections and then penance cooperations.",
        ("tats", "punishment", "penance"),
        lambda name, *counts: grudge(*counts)(name),
        LI,
    ),
)
