"""Finite-state machines found by evolutionary algorithms, as printed in the papers.

``D1`` before the rows means that the first move is D, followed by state 1. The row ``2: D1 C3`` means that in state 2,
after a C of the opponent the machine plays D and goes to state 1, after a D it plays C and goes to state 3
(`dilemmas.agents.strategies.builders.transition_table`). States that cannot be reached from the start are dropped.
"""

from dilemmas.agents.strategies.bibliography import (
    ASHLOCK_2006,
    ASHLOCK_2008,
    ASHLOCK_2009,
    ASHLOCK_2014,
    ASHLOCK_2015,
    HARPER_2017,
    KNIGHT,
)
from dilemmas.agents.strategies.builders import transition_table
from dilemmas.agents.strategies.entry import StrategyEntry

EVOLVED = (
    StrategyEntry(
        "fortress_3",
        "Defects until the opponent has defected twice in a row, cooperates until it defects, and restarts.",
        transition_table("D1", "1: D1 D2, 2: D1 C3, 3: C3 D1"),
        ASHLOCK_2006,
        (),
        ("Fortress3",),
    ),
    StrategyEntry(
        "fortress_4",
        "Defects until three opponent defections in a row, cooperates until the next defection, and restarts.",
        transition_table("D1", "1: D1 D2, 2: D1 D3, 3: D1 C4, 4: C4 D1"),
        ASHLOCK_2006,
        (),
        ("Fortress4",),
    ),
    StrategyEntry(
        "predator",
        "Cooperates first, then follows a nine-state machine found by an evolutionary algorithm.",
        transition_table(
            "C0", "0: D0 D1, 1: D2 D3, 2: C4 D3, 3: D5 C4, 4: C2 D6, 5: D7 D3, 6: C7 D7, 7: D8 D7, 8: D8 D6"
        ),
        ASHLOCK_2006,
        (),
        ("Predator",),
    ),
    StrategyEntry(
        "pun_1",
        "Defects first, cooperates in even rounds, and copies the opponent's last move in later odd rounds.",
        transition_table("D1", "1: C2 C2, 2: C1 D1"),
        "Ashlock, Kim & Leahy 2006, IEEE Trans. Syst. Man Cybern. C 36:464",
        (),
        ("Pun1",),
    ),
    StrategyEntry(
        "raider",
        "Repeats DD, or DDC if the second D met a D; once such a C meets a D, plays tit_for_tat forever.",
        transition_table("D0", "0: D2 D2, 1: C1 D1, 2: D0 C3, 3: D0 C1"),
        ASHLOCK_2014,
        (),
        ("Raider",),
    ),
    StrategyEntry(
        "ripoff",
        "Alternates D and C until the opponent defects, then cooperates once and plays tit_for_tat.",
        transition_table("D1", "1: C2 C3, 2: D1 C3, 3: C3 D3"),
        ASHLOCK_2008,
        (),
        ("Ripoff",),
    ),
    StrategyEntry(
        "thumper",
        "Cooperates first and answers a defection with exactly two defections.",
        transition_table("C1", "1: C1 D2, 2: D1 D1"),
        ASHLOCK_2008,
        (),
        ("Thumper",),
    ),
    StrategyEntry(
        "usually_cooperates",
        "Cooperates, but defects after the opponent ended an odd number of defections in a row with a C.",
        transition_table("C1", "1: C1 C2, 2: D1 C1"),
        ASHLOCK_2009,
        (),
        ("UsuallyCooperates",),
    ),
    StrategyEntry(
        "usually_defects",
        "Defects, but cooperates after the opponent ended an odd number of cooperations in a row with a D.",
        transition_table("D1", "1: D2 D1, 2: D1 C1"),
        ASHLOCK_2009,
        (),
        ("UsuallyDefects",),
    ),
    StrategyEntry(
        "solution_b1",
        "Defects until the opponent cooperates, defects once more, then cooperates forever.",
        transition_table("D1", "1: D2 D1, 2: C2 C3, 3: C3 C3"),
        ASHLOCK_2015,
        (),
        ("SolutionB1",),
    ),
    StrategyEntry(
        "solution_b5",
        "Defects first, then follows a six-state machine found by an evolutionary algorithm.",
        transition_table("D1", "1: C2 D6, 2: C2 D3, 3: C6 D1, 4: C3 D6, 5: D5 D4, 6: C3 D5"),
        ASHLOCK_2015,
        (),
        ("SolutionB5",),
    ),
    StrategyEntry(
        "evolved_4",
        "Cooperates first, then follows a four-state machine found by an evolutionary algorithm.",
        transition_table("C0", "0: C0 D2, 1: D3 C0, 2: D2 C1, 3: D3 D1"),
        HARPER_2017,
        (),
        ("EvolvedFSM4",),
    ),
    StrategyEntry(
        "evolved_6",
        "Cooperates first, then follows a six-state machine found by an evolutionary algorithm.",
        transition_table("C4", "2: D2 D7, 3: D6 C4, 4: C4 D6, 5: D2 D7, 6: C3 D5, 7: C2 D3"),
        "Vincent & Fryer, in Axelrod-Python",
        (),
        ("EvolvedFSM6",),
    ),
    StrategyEntry(
        "evolved_16",
        "Cooperates first, then follows a 16-state machine evolved in tournaments without noise.",
        transition_table(
            "C0",
            "0: C0 D12, 1: D3 C6, 2: D2 D14, 3: D3 D3, 5: D12 D10, 6: C5 D12, 7: D3 C1, 8: C5 C5, 10: D11 C8,"
            "11: D15 D5, 12: C8 D11, 13: D13 D7, 14: D13 D13, 15: D15 C2",
        ),
        HARPER_2017,
        (),
        ("EvolvedFSM16",),
    ),
    StrategyEntry(
        "evolved_16_noise",
        "Cooperates first, then follows a 16-state machine evolved in tournaments with 5% noise.",
        transition_table(
            "C0",
            "0: C8 D3, 1: C13 D15, 2: C12 D3, 3: C10 D3, 4: D5 D4, 5: D4 D10, 6: C8 D6, 8: C2 D4, 10: D4 D1,"
            "11: D14 C13, 12: C13 C2, 13: C13 C6, 14: D3 D13, 15: D5 C11",
        ),
        HARPER_2017,
        (),
        ("EvolvedFSM16Noise05",),
    ),
    StrategyEntry(
        "tf_1",
        "Plays CCD, then follows a 16-state machine evolved for fixation in Moran processes.",
        transition_table(
            "C0",
            "0: C7 C1, 1: D11 D11, 2: D8 C8, 3: C3 D12, 4: C6 C3, 5: C11 D8, 6: D13 C14, 7: D4 D2, 8: D14 D8,"
            "9: C0 D10, 10: C8 C15, 11: D6 D5, 12: D6 D9, 13: D9 D8, 14: D8 D13, 15: C4 C5",
        ),
        KNIGHT,
        (),
        ("TF1",),
    ),
    StrategyEntry(
        "tf_2",
        "Plays CD, then follows a 16-state machine evolved for fixation in Moran processes.",
        transition_table(
            "C0",
            "0: D13 D12, 1: D3 D4, 2: D14 D9, 3: C0 D1, 4: D1 D2, 7: D12 D2, 8: D7 D9, 9: D8 D0, 10: C2 C15,"
            "11: D7 D13, 12: C3 D8, 13: C7 D10, 14: D10 D7, 15: C15 D11",
        ),
        KNIGHT,
        (),
        ("TF2",),
    ),
    StrategyEntry(
        "tf_3",
        "Cooperates twice, then follows an eight-state machine evolved for fixation in Moran processes.",
        transition_table("C0", "0: C0 C3, 1: D5 C0, 2: C3 D2, 3: D4 D6, 4: C3 D1, 5: C6 D3, 6: D6 D6, 7: D7 C5"),
        KNIGHT,
        (),
        ("TF3",),
    ),
)
