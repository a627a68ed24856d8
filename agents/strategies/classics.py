"""Finite strategies of the literature that look further back than one round, or that never forget.

Those of the same name play what Axelrod-Python 4.13 plays; comments say where that is not what the source says.
"""

from dilemmas.agents.strategies.bibliography import (
    AXELROD_1980,
    AXELROD_1984,
    CAMPBELL,
    COMPETITION,
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
    cycle,
    grudge,
    recent,
    recent_rounds,
    tits_for_tats,
    trigger,
    unfold,
)
from dilemmas.agents.strategies.entry import Entry, Family

SILENCE: str = ""
"""Nothing heard of the other yet."""
FRESH: tuple[int, str] = (0, "C")
UNWRONGED: tuple[bool, str] = (False, "D")
UNBITTEN: tuple[int, str] = (0, "")
NOTHING: tuple[int, bool, str, str] = (0, False, "", "")


# Mends its own mistake: having defected unmeant against a C, it cooperates until it has, and then takes what comes.
# State: own plan, what the other did, whether it is contrite.
def _contrite(state: tuple[str, bool], own: str, other: str) -> tuple[str, bool]:
    plan, contrite = state
    if contrite and own == "C":
        return "C", False
    return other, contrite or (plan != own and own == "D" and other == "C")


# Good standing has who cooperated, or defected against a player in bad standing while in good standing (Sugden 1986).
def _standing(state: tuple[bool, bool], own: str, other: str) -> tuple[bool, bool]:
    mine, theirs = state
    return own == "C" or (mine and not theirs), other == "C" or (theirs and not mine)


def _bitten(state: tuple[int, str], _: str, other: str) -> tuple[int, str]:
    defected, seen = state
    on = defected + 1 if 1 <= defected <= 10 else int(seen == "DD")
    return on, (seen + other)[-2:]


def _either(defections: int, state: int, own: str, other: str) -> int:
    """Rounds in a row in which anybody defected; once there are enough, they stay."""
    return state if state == defections else (state + 1 if "D" in own + other else 0)


TITS_FOR_TATS = (
    Entry(
        "tit_for_two_tats",
        "Cooperates unless the opponent defected in each of the last two rounds.",
        recent(2, lambda other: other != "DD"),
        f"{AXELROD_1984}; Maynard Smith, in Axelrod 1980, J. Confl. Res. 24:379",
        ("tf2t", "tftt", "j_maynard_smith"),
        ("TitFor2Tats",),
    ),
    Entry(
        "tit_for_three_tats",
        "Cooperates unless the opponent defected in each of the last three rounds.",
        recent(3, lambda other: other != "DDD"),
        FUDENBERG,
        ("tf3t",),
    ),
    Entry(
        "two_tits_for_tat",
        "Cooperates unless the opponent defected in at least one of the last two rounds.",
        recent(2, lambda other: "D" not in other),
        AXELROD_1984,
        ("2tft", "ttft"),
        ("TwoTitsForTat",),
    ),
    Entry(
        "hard_tit_for_tat",
        "Cooperates unless the opponent defected in at least one of the last three rounds.",
        recent(3, lambda other: "D" not in other),
        COMPETITION,
        (),
        ("HardTitForTat",),
    ),
    Entry(
        "hard_tit_for_two_tats",
        "Cooperates unless the opponent defected twice in a row within the last three rounds.",
        recent(3, lambda other: "DD" not in other),
        STEWART_2012,
        ("two_tits_for_two_tats", "2tf2t"),
        ("HardTitFor2Tats",),
    ),
    Entry(
        "slow_tit_for_two_tats",
        "Cooperates twice, then copies the opponent after two equal moves and else repeats its own move.",
        recent_rounds(
            2, lambda own, other: (other[-1] if other[0] == other[-1] else own[-1]) == "C" if own[1:] else True
        ),
        PRISON,
        ("slow_tit_for_tat",),
        ("SlowTitForTwoTats2",),
    ),
    Entry(
        "three_tits_for_two_tats",
        "Cooperates, but defects in the three rounds after two defections of the opponent in a row.",
        tits_for_tats(3, 2),
        HARPER,
        (),
        ("NTitsForMTats",),
    ),
    Entry(
        "spiteful_tit_for_tat",
        "Plays tit_for_tat until the opponent defects twice in a row, then defects forever.",
        unfold(
            SILENCE, lambda seen: seen[-1:] != "D", lambda seen, _, other: seen if seen == "DD" else (seen + other)[-2:]
        ),
        PRISON,
        (),
        ("SpitefulTitForTat",),
    ),
    Entry(
        "sneaky_tit_for_tat",
        "Plays CC, then D until the opponent has; then copies a D unless its own move two rounds ago was D.",
        unfold(
            NOTHING,  # rounds, whether the other ever defected, own last two moves, the other's last
            lambda s: s[0] < 2 or (s[1] and (s[3] == "C" or s[2][0] == "D")),
            lambda s, own, other: (min(s[0] + 1, 2), s[1] or other == "D", (s[2] + own)[-2:], other),
        ),
        LANGNER,
        (),
        ("SneakyTitForTat",),
    ),
    Entry(
        "contrite_tit_for_tat",
        "Plays tit_for_tat, but does not retaliate for the answer to its own accidental defection.",
        unfold(("C", False), lambda state: state[0] == "C", _contrite),
        "Wu & Axelrod 1995, J. Confl. Res. 39:183",
        (),
        ("ContriteTitForTat",),
    ),
    Entry(
        "standing_tit_for_tat",
        "Defects only in good standing against an opponent that lost its own by an unjustified defection.",
        unfold((True, True), lambda state: not state[0] or state[1], _standing),
        "Boyd 1989, J. Theor. Biol. 136:47; Boerlijst, Nowak & Sigmund 1997, J. Theor. Biol. 185:281",
        ("ctft",),
    ),
    Entry(
        "random_tit_for_tat",
        "Cooperates first, then alternates between copying the opponent and a random move (1/2 each).",
        unfold(
            FRESH,  # from the second round on: 1 = to copy, 2 = to toss a coin; the other's last move
            lambda state: 0.5 if state[0] == 2 else state[1] == "C",
            lambda state, _, other: (2 if state[0] == 1 else 1, other),
        ),
        "Taylor, in Axelrod-Python",
        (),
        ("RandomTitForTat",),
    ),
)

GRUDGES = (
    Entry(
        "grim",
        "Cooperates until the opponent defects, then defects forever.",
        trigger(),
        f"{FRIEDMAN}; in {AXELROD_1980}",
        ("grim_trigger", "friedman", "spite", "spiteful", "vengeful"),
        ("Grudger",),
    ),
    Entry(
        "davis",
        "Cooperates for ten rounds, and from then on as long as the opponent has never defected.",
        trigger("C" * 10),
        f"Davis, in {AXELROD_1980}",
        (),
        ("FirstByDavis",),
    ),
    Entry(
        "spiteful_cc",
        "Cooperates for two rounds, and from then on as long as the opponent has never defected.",
        trigger("CC"),
        MATHIEU,
        (),
        ("SpitefulCC",),
    ),
    Entry(
        "aggravater",
        "Defects for three rounds, then cooperates as long as the opponent has never defected.",
        trigger("DDD"),
        CAMPBELL,
        (),
        ("Aggravater",),
    ),
    Entry(
        "soft_grudger",
        "Cooperates first and answers a defection with DDDDCC, whatever the opponent does meanwhile.",
        grudge(1, 4, 2),
        LI,
        ("sgrim", "soft_grim"),
        ("SoftGrudger", "GeneralSoftGrudger"),
    ),
    Entry(
        "forgetful_grudger",
        "Cooperates first and answers a defection with ten, whatever the opponent does meanwhile.",
        unfold(
            FRESH,  # defections of the answer so far, the other's last move
            lambda s: not (0 < s[0] < 10 or s[1] == "D"),
            lambda s, _, other: (s[0] % 10 + 1 if 0 < s[0] < 10 or s[1] == "D" else 0, other),
        ),
        PALMER,
        (),
        ("ForgetfulGrudger",),
    ),
    Entry(
        "opposite_grudger",
        "Defects until the opponent cooperates, then cooperates forever.",
        unfold(False, lambda kind: kind, lambda kind, _, other: kind or other == "C"),
        PALMER,
        (),
        ("OppositeGrudger",),
    ),
    Entry(
        "easy_go",
        "Defects until the opponent defects, then cooperates forever.",
        unfold(False, lambda meek: meek, lambda meek, _, other: meek or other == "D"),
        PRISON,
        ("reverse_grudger", "fool_me_forever"),
        ("EasyGo",),
    ),
    Entry(
        "grudger_alternator",
        "Cooperates until the opponent defects, then plays the opposite of its own last move.",
        unfold(UNWRONGED, lambda s: not s[0] or s[1] == "D", lambda s, own, other: (s[0] or other == "D", own)),
        PRISON,
        ("c_then_per_dc",),
        ("GrudgerAlternator",),
    ),
    Entry(
        "fool_me_once",
        "Cooperates until the opponent's second defection, then defects forever.",
        unfold(0, lambda count: count < 2, lambda count, _, other: min(count + (other == "D"), 2)),
        HARPER,
        (),
        ("FoolMeOnce",),
    ),
    Entry(
        "once_bitten",
        "Cooperates first and answers two defections in a row with eleven, whatever happens meanwhile.",
        unfold(UNBITTEN, lambda s: not 1 <= s[0] <= 10 and s[1] != "DD", _bitten),
        "Marissa, in Axelrod-Python",
        (),
        ("OnceBitten",),
    ),
    # In the strategies of the experimental literature a defection of either player counts, its own errors included.
    Entry(
        "trigger_2",
        "Cooperates first and answers a defection of either player with exactly two defections.",
        unfold(0, lambda left: left == 0, lambda left, own, other: left - 1 if left else 2 * ("D" in own + other)),
        DAL_BO,
        ("trigger_with_two_rounds",),
    ),
    Entry(
        "mutual_grim",
        "Cooperates until either player defects, then defects forever.",
        unfold(0, lambda run: run < 1, lambda *seen: _either(1, *seen)),
        DAL_BO,
        ("trigger_either",),
    ),
    Entry(
        "grim_2",
        "Cooperates until two rounds in a row contain a defection of either player, then defects forever.",
        unfold(0, lambda run: run < 2, lambda *seen: _either(2, *seen)),
        FUDENBERG,
        ("lenient_grim_2",),
    ),
    Entry(
        "grim_3",
        "Cooperates until three rounds in a row contain a defection of either player, then defects forever.",
        unfold(0, lambda run: run < 3, lambda *seen: _either(3, *seen)),
        FUDENBERG,
        ("lenient_grim_3",),
    ),
)

CYCLERS = tuple(
    Entry(
        f"cycler_{moves.lower()}",
        f"Repeats the moves {moves} in a cycle.",
        cycle(moves),
        source,
        aliases,
        (f"Cycler{moves}",),
    )
    for moves, source, aliases in (
        ("DC", HARPER, ()),
        ("CCD", MITTAL, ("periodic_ccd",)),
        ("DDC", MITTAL, ("periodic_ddc",)),
        ("CCCD", HARPER, ()),
        ("CCCDCD", HARPER, ()),
        ("CCCCCD", HARPER, ()),
    )
)

CLASSICS = (*TITS_FOR_TATS, *GRUDGES, *CYCLERS)

CLASSIC_FAMILIES = (
    Family(
        "cycler",
        "Repeats the given sequence of moves.",
        ("moves",),
        lambda name, moves: cycle(moves)(name),
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
