"""Automata with an opening sequence of moves, whose further play depends on the opponent's response to it."""

from dilemmas.agents.strategies.bibliography import CASE, FUDENBERG, LANGNER, LI, PRISON
from dilemmas.agents.strategies.builders import from_rule, opened
from dilemmas.agents.strategies.entry import StrategyEntry

SILENCE: str = ""
"""No move of the opponent seen yet."""

PROBERS = (
    StrategyEntry(
        "handshake",
        "Plays CD, then cooperates forever if the opponent's first two moves were CD, and else defects.",
        opened("CD", lambda early, _: early == "CD"),
        "Robson 1990, J. Theor. Biol. 144:379",
        (),
        ("Handshake",),
    ),
    StrategyEntry(
        "collective_strategy",
        "Plays CD, then cooperates only if the opponent played CD too and has never defected since.",
        from_rule(
            SILENCE,
            lambda seen: seen in ("", "CD"),
            lambda seen, _, other: seen + other if len(seen) < 2 else "CD" if seen + other == "CDC" else "D",
        ),
        "Li & Kendall 2009, Evol. Comput. 17:257",
        (),
        ("CollectiveStrategy",),
    ),
    # The author's program no longer looks in round 4, when it has no move of its opening left.
    StrategyEntry(
        "detective",
        "Plays CDCC, then tit_for_tat if the opponent defected in rounds 1 to 3, and else always defects.",
        opened("CDCC", lambda early, last: "D" in early[:3] and last == "C"),
        CASE,
    ),
    StrategyEntry(
        "detective_axelrod",
        "Plays CDCC, then tit_for_tat if the opponent defected in these rounds, and else always defects.",
        opened("CDCC", lambda early, last: "D" in early and last == "C"),
        CASE,
        (),
        ("Detective",),
    ),
    StrategyEntry(
        "prober",
        "Plays DCC, then defects forever if the opponent played CC in rounds 2 and 3, else tit_for_tat.",
        opened("DCC", lambda early, last: early[1:] != "CC" and last == "C"),
        LI,
        (),
        ("Prober",),
    ),
    StrategyEntry(
        "prober_2",
        "Plays DCC, then cooperates forever if the opponent played DC in rounds 2 and 3, else tit_for_tat.",
        opened("DCC", lambda early, last: early[1:] == "DC" or last == "C"),
        PRISON,
        (),
        ("Prober2",),
    ),
    StrategyEntry(
        "prober_3",
        "Plays DC, then defects forever if the opponent cooperated in round 2, else tit_for_tat.",
        opened("DC", lambda early, last: early[1] == "D" and last == "C"),
        PRISON,
        (),
        ("Prober3",),
    ),
    StrategyEntry(
        "hard_prober",
        "Plays DDCC, then defects forever if the opponent played CC in rounds 2 and 3, else tit_for_tat.",
        opened("DDCC", lambda early, last: early[1:3] != "CC" and last == "C"),
        PRISON,
        (),
        ("HardProber",),
    ),
    StrategyEntry(
        "gradual_killer",
        "Plays DDDDDCC, then defects forever if the opponent played DD in rounds 6 and 7, else cooperates.",
        opened("DDDDDCC", lambda early, _: early[5:] != "DD"),
        PRISON,
        (),
        ("GradualKiller",),
    ),
    StrategyEntry(
        "cooperator_hunter",
        "Cooperates, except from round 5 on as long as the opponent has never defected.",
        from_rule((0, True), lambda s: s != (4, True), lambda s, _, other: (min(s[0] + 1, 4), s[1] and other == "C")),
        LANGNER,
        (),
        ("CooperatorHunter",),
    ),
    StrategyEntry(
        "defector_hunter",
        "Cooperates, except from round 5 on as long as the opponent has never cooperated.",
        from_rule((0, True), lambda s: s != (4, True), lambda s, _, other: (min(s[0] + 1, 4), s[1] and other == "D")),
        LANGNER,
        (),
        ("DefectorHunter",),
    ),
    StrategyEntry(
        "cooperate_then_defect",
        "Cooperates first, then defects forever.",
        opened("C", lambda *_: False),
        FUDENBERG,
        ("c_to_all_d",),
    ),
)
