"""Finite strategies that open a match in a way of their own, and judge the other by its answer."""

from dilemmas.agents.strategies.bibliography import FUDENBERG, LANGNER, LI, PRISON
from dilemmas.agents.strategies.builders import opened, unfold
from dilemmas.agents.strategies.entry import Entry

SILENCE: str = ""
"""Nothing heard of the other yet."""

PROBERS = (
    Entry(
        "handshake",
        "Plays CD, then cooperates forever if the opponent's first two moves were CD, and else defects.",
        opened("CD", lambda early, _: early == "CD"),
        "Robson 1990, J. Theor. Biol. 144:379",
        (),
        ("Handshake",),
    ),
    Entry(
        "collective_strategy",
        "Plays CD, then cooperates only if the opponent played CD too and has never defected since.",
        unfold(
            SILENCE,
            lambda seen: seen in ("", "CD"),
            lambda seen, _, other: seen + other if len(seen) < 2 else "CD" if seen + other == "CDC" else "D",
        ),
        "Li & Kendall 2009, Evol. Comput. 17:257",
        (),
        ("CollectiveStrategy",),
    ),
    Entry(
        "detective",
        "Plays CDCC, then tit_for_tat if the opponent defected in these rounds, and else always defects.",
        opened("CDCC", lambda early, last: "D" in early and last == "C"),
        "Case 2017, The Evolution of Trust",
        (),
        ("Detective",),
    ),
    Entry(
        "prober",
        "Plays DCC, then defects forever if the opponent played CC in rounds 2 and 3, else tit_for_tat.",
        opened("DCC", lambda early, last: early[1:] != "CC" and last == "C"),
        LI,
        (),
        ("Prober",),
    ),
    Entry(
        "prober_2",
        "Plays DCC, then cooperates forever if the opponent played DC in rounds 2 and 3, else tit_for_tat.",
        opened("DCC", lambda early, last: early[1:] == "DC" or last == "C"),
        PRISON,
        (),
        ("Prober2",),
    ),
    Entry(
        "prober_3",
        "Plays DC, then defects forever if the opponent cooperated in round 2, else tit_for_tat.",
        opened("DC", lambda early, last: early[1] == "D" and last == "C"),
        PRISON,
        (),
        ("Prober3",),
    ),
    Entry(
        "hard_prober",
        "Plays DDCC, then defects forever if the opponent played CC in rounds 2 and 3, else tit_for_tat.",
        opened("DDCC", lambda early, last: early[1:3] != "CC" and last == "C"),
        PRISON,
        (),
        ("HardProber",),
    ),
    Entry(
        "gradual_killer",
        "Plays DDDDDCC, then defects forever if the opponent played DD in rounds 6 and 7, else cooperates.",
        opened("DDDDDCC", lambda early, _: early[5:] != "DD"),
        PRISON,
        (),
        ("GradualKiller",),
    ),
    Entry(
        "cooperator_hunter",
        "Cooperates, except from round 5 on as long as the opponent has never defected.",
        unfold((0, True), lambda s: s != (4, True), lambda s, _, other: (min(s[0] + 1, 4), s[1] and other == "C")),
        LANGNER,
        (),
        ("CooperatorHunter",),
    ),
    Entry(
        "defector_hunter",
        "Cooperates, except from round 5 on as long as the opponent has never cooperated.",
        unfold((0, True), lambda s: s != (4, True), lambda s, _, other: (min(s[0] + 1, 4), s[1] and other == "D")),
        LANGNER,
        (),
        ("DefectorHunter",),
    ),
    Entry(
        "cooperate_then_defect",
        "Cooperates first, then defects forever.",
        opened("C", lambda *_: False),
        FUDENBERG,
        ("c_to_all_d",),
    ),
)
