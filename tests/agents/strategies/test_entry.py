"""Descriptions of strategies: their form, and whether the strategies play what they say."""

import re
from collections.abc import Callable
from functools import cache
from itertools import combinations, product

import numpy as np
import pytest
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import Turn, View
from dilemmas.agents.strategies.catalogue import FAMILIES, GROUPS, STRATEGIES, listing, strategy
from dilemmas.agents.strategies.entry import Family, GroupEntry, Strategy
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.envs.games.matrix_games import DEFAULTS

GAME = DEFAULTS["prisoners_dilemma"]
COUNTS = {"once": 1, "twice": 2, "two": 2, "three": 3, "four": 4, "ten": 10, "11": 11}
ROWS = [*STRATEGIES, *GROUPS, *FAMILIES]
ENTRIES = {entry.name: entry for entry in STRATEGIES}


def cooperation(played: Strategy, own: str, theirs: str) -> float:
    """Probability of cooperation after these moves of both players."""
    history = tuple(("CD".index(mine), "CD".index(other)) for mine, other in zip(own, theirs, strict=True))
    view = View(GAME, 0, len(history), history)
    (decision,) = played.decide([Turn("player_0", None, {"view": view}, Discrete(2), np.random.default_rng(0))])
    assert decision.probabilities is not None
    return decision.probabilities[0]


@cache
def moves(played: Strategy, theirs: str) -> str:
    """What a deterministic strategy plays against a sequence of moves, one move longer than it."""
    own = moves(played, theirs[:-1]) if theirs else ""
    return own + ("C" if cooperation(played, own, theirs) == 1 else "D")


def stated_opening(description: str) -> str | float | None:
    """The moves of the first rounds, or the probability of C in round 1, as the description states them."""
    if found := re.match(r"Cooperates with probability (?:([\d.]+)/)?([\d.]+) in (round 1|every round)", description):
        return float(found[1]) / float(found[2]) if found[1] else float(found[2])
    if found := re.match(r"(?:Plays|Repeats the moves) ([CD]+)\b", description):
        return found[1]
    if found := re.match(r"(Cooperates|Defects) (?:for )?(\w+)(?: times| rounds|[,;])", description):
        return found[1][0] * COUNTS.get(found[2], 1)
    if found := re.match(r"(Cooperates|Defects)(,| first| until| in every round| unless)", description):
        return found[1][0]
    return "C" if description.startswith("Plays tit_for_tat") else None


@pytest.mark.parametrize("description", [row.description for row in ROWS])
def test_a_description_is_one_short_sentence(description: str) -> None:
    assert len(description) <= 100
    assert re.fullmatch(r"[A-Z].*\.", description)
    assert not re.search(r"[.!?] |\n", description)


def test_the_listing_gives_the_descriptions() -> None:
    assert [row.description for row in listing()] == [row.description for row in ROWS]


def test_equal_descriptions_are_of_equal_strategies() -> None:
    equal = [pair for pair in combinations(ROWS, 2) if pair[0].description == pair[1].description]
    for one, other in equal:
        first, second = ENTRIES[one.name].strategy, ENTRIES[other.name].strategy
        assert isinstance(first, Automaton)
        assert isinstance(second, Automaton)
        assert (first.cooperate, first.after) == (second.cooperate, second.after)
    assert {(one.name, other.name) for one, other in equal} == {("random", "anonymous")}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_description_of_a_family_names_its_parameters(family: Family) -> None:
    names = ("sequence of moves",) if family.moves else family.parameters
    assert [name for name in names if not re.search(rf"\b{name}\b", family.description)] == []


STATED = {name: opening for name, row in ENTRIES.items() if (opening := stated_opening(row.description)) is not None}


@pytest.mark.parametrize("name", STATED)
@pytest.mark.parametrize("opponent", ["C", "D", "CD", "DC"])
def test_the_first_moves_are_those_of_the_description(name: str, opponent: str) -> None:
    opening, played = STATED[name], strategy(name)
    if isinstance(opening, float):
        assert cooperation(played, "", "") == opening
        return
    assert moves(played, (opponent * len(opening))[: len(opening) - 1]) == opening


def test_most_descriptions_state_the_first_move() -> None:
    assert len(STATED) >= 90


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
@pytest.mark.parametrize("players", [2, 3, 5])
def test_the_first_move_in_a_group_is_that_of_the_description(group: GroupEntry, players: int) -> None:
    opening = stated_opening(group.description)
    assert opening is not None
    assert group.make(group.name, players).cooperate[0] == (opening if isinstance(opening, float) else opening == "C")


def run_length(theirs: str, move: str) -> int:
    """Length of the run of this move at the end."""
    return len(theirs) - len(theirs.rstrip(move))


def answering(trigger: str, answer: str) -> Callable[[str, str], bool]:
    """Cooperates, and begins the answer when the opponent's moves end with the trigger, unless it is answering."""

    def rule(_: str, theirs: str) -> bool:
        left = ""
        for round in range(1, len(theirs) + 1):
            left = left[1:]
            if not left and theirs[:round].endswith(trigger):
                left = answer
        return not left.startswith("D")

    return rule


def fortress(defections: int) -> Callable[[str, str], bool]:
    """Defects until so many defections in a row, cooperates until the next defection, and restarts."""

    def rule(_: str, theirs: str) -> bool:
        run, open = 0, False
        for move in theirs:
            run = 0 if move == "C" or open else run + 1
            open = move == "C" if open else run == defections
        return open

    return rule


def raider(_: str, theirs: str) -> bool:
    """Repeats DD, or DDC if the second D met a D; once such a C meets a D, plays tit_for_tat forever."""
    while True:
        if len(theirs) < 2:
            return False
        meets, theirs = theirs[1], theirs[2:]
        if meets == "C":
            continue
        if not theirs:
            return True
        meets, theirs = theirs[0], theirs[1:]
        if meets == "D":
            return not theirs.endswith("D")


def gradual(counts_all: bool) -> Callable[[str, str], bool]:
    """Answers a defection with as many as it has counted, then cooperates twice."""

    def rule(_: str, theirs: str) -> bool:
        left, count = "", 0
        for move in theirs:
            left = left[1:]
            count += move == "D" and (counts_all or not left)
            if move == "D" and not left:
                left = "D" * count + "CC"
        return not left.startswith("D")

    return rule


# Whether the strategy cooperates after its own moves and the opponent's, as the description states it.
RULES: dict[str, Callable[[str, str], bool]] = {
    "win_stay_lose_shift": lambda own, theirs: not own or (own[-1] == "C") == (theirs[-1] == "C"),
    "win_shift_lose_stay": lambda own, theirs: own != "" and (own[-1] == "C") != (theirs[-1] == "C"),
    "memory_one_grim": lambda own, theirs: not own or own[-1] + theirs[-1] == "CC",
    "alternator": lambda own, theirs: not own or own[-1] == "D",
    "tit_for_two_tats": lambda own, theirs: theirs[-2:] != "DD",
    "two_tits_for_tat": lambda own, theirs: "D" not in theirs[-2:],
    "hard_tit_for_tat": lambda own, theirs: "D" not in theirs[-3:],
    "hard_tit_for_two_tats": lambda own, theirs: "DD" not in theirs[-3:],
    "slow_tit_for_two_tats": lambda own, theirs: (
        len(own) < 2 or (theirs[-1] if theirs[-1] == theirs[-2] else own[-1]) == "C"
    ),
    "three_tits_for_two_tats": lambda own, theirs: "DD" not in theirs[-4:],
    "spiteful_tit_for_tat": lambda own, theirs: "DD" not in theirs and theirs[-1:] != "D",
    "sneaky_tit_for_tat": lambda own, theirs: len(own) < 2 or ("D" in theirs and (theirs[-1] == "C" or own[-2] == "D")),
    "soft_grudger": answering("D", "DDDDCC"),
    "forgetful_grudger": answering("D", "D" * 10),
    "once_bitten": answering("DD", "D" * 11),
    "thumper": answering("D", "DD"),
    "fortress_3": fortress(2),
    "fortress_4": fortress(3),
    "raider": raider,
    "gradual": gradual(counts_all=True),
    "original_gradual": gradual(counts_all=False),
    "davis": lambda own, theirs: len(own) < 10 or "D" not in theirs,
    "aggravater": lambda own, theirs: len(own) >= 3 and "D" not in theirs,
    "opposite_grudger": lambda own, theirs: "C" in theirs,
    "easy_go": lambda own, theirs: "D" in theirs,
    "grudger_alternator": lambda own, theirs: "D" not in theirs or own[-1] == "D",
    "fool_me_once": lambda own, theirs: theirs.count("D") < 2,
    "mutual_grim": lambda own, theirs: "D" not in own + theirs,
    "grim_2": lambda own, theirs: (
        "DD" not in "".join("D" if "D" in pair else "C" for pair in map("".join, zip(own, theirs, strict=True)))
    ),
    "cycler_ccd": lambda own, theirs: len(own) % 3 < 2,
    "handshake": lambda own, theirs: theirs[:2] == "CD" if own[1:] else not own,
    "collective_strategy": lambda own, theirs: theirs[:2] == "CD" and "D" not in theirs[2:] if own[1:] else not own,
    "detective": lambda own, theirs: (
        "CDCC"[len(own)] == "C" if len(own) < 4 else "D" in theirs[:3] and theirs[-1] == "C"
    ),
    "detective_axelrod": lambda own, theirs: (
        "CDCC"[len(own)] == "C" if len(own) < 4 else "D" in theirs[:4] and theirs[-1] == "C"
    ),
    "prober": lambda own, theirs: "DCC"[len(own)] == "C" if len(own) < 3 else theirs[1:3] != "CC" and theirs[-1] == "C",
    "prober_2": lambda own, theirs: (
        "DCC"[len(own)] == "C" if len(own) < 3 else theirs[1:3] == "DC" or theirs[-1] == "C"
    ),
    "prober_3": lambda own, theirs: "DC"[len(own)] == "C" if len(own) < 2 else theirs[1] == "D" and theirs[-1] == "C",
    "hard_prober": lambda own, theirs: (
        "DDCC"[len(own)] == "C" if len(own) < 4 else theirs[1:3] != "CC" and theirs[-1] == "C"
    ),
    "gradual_killer": lambda own, theirs: "DDDDDCC"[len(own)] == "C" if len(own) < 7 else theirs[5:7] != "DD",
    "cooperator_hunter": lambda own, theirs: len(own) < 4 or "D" in theirs,
    "defector_hunter": lambda own, theirs: len(own) < 4 or "C" in theirs,
    "cooperate_then_defect": lambda own, theirs: not own,
    "all_or_none_2": lambda own, theirs: len(own) < 2 or own[-2:] == theirs[-2:],
    "delayed_all_or_none": lambda own, theirs: (
        len(own) < 2 or own[-1] + theirs[-1] == "DD" or (own[-1] + theirs[-1] == "CC" and own[-2] == theirs[-2])
    ),
    "winner_12": lambda own, theirs: (
        len(own) < 2 or own[-1] + theirs[-1] == "CC" or (own[-1] + theirs[-1] == "DD" and theirs[-2] == "C")
    ),
    "winner_21": lambda own, theirs: "DC"[len(own)] == "C" if len(own) < 2 else theirs[-1] == "C" and own[-2:] != "DD",
    "spiteful_cc": lambda own, theirs: len(own) < 2 or own[-1] + theirs[-1] == "CC",
    "spiteful_cc_axelrod": lambda own, theirs: len(own) < 2 or "D" not in theirs,
    "tft_spiteful": lambda own, theirs: len(own) < 2 or ("DD" not in theirs and theirs[-1] == "C"),
    "hard_tft": lambda own, theirs: len(own) < 2 or "D" not in theirs[-2:],
    "cycler_cd": lambda own, theirs: len(own) % 2 == 0,
    "winner_21_axelrod": lambda own, theirs: (
        "DC"[len(own)] == "C"
        if len(own) < 2
        else own[-1] + theirs[-1] == "CC" or (own[-1] + theirs[-1] == "DC" and theirs[-2] == "C")
    ),
    "majority_of_five": lambda own, theirs: 2 * theirs[-5:].count("D") <= len(theirs[-5:]),
    "hard_majority_of_five": lambda own, theirs: 2 * theirs[-5:].count("D") < len(theirs[-5:]),
    "resurrection": lambda own, theirs: theirs[-1:] != "D" and own[-5:] != "DDDDD",
    "double_resurrection": lambda own, theirs: own[-1] == "D" if own[-5:] in ("CCCCC", "DDDDD") else theirs[-1:] != "D",
    "pun_1": lambda own, theirs: len(own) % 2 == 1 or theirs[-1:] == "C",
    "solution_b1": lambda own, theirs: "C" in theirs[:-1],
    "ripoff": lambda own, theirs: (
        len(own) % 2 == 1
        if "D" not in theirs[:-1] and theirs[-1:] != "D"
        else "D" not in theirs[:-1] or theirs[-1] == "C"
    ),
    "usually_cooperates": lambda own, theirs: theirs[-1:] != "C" or run_length(theirs[:-1], "D") % 2 == 0,
    "usually_defects": lambda own, theirs: theirs[-1:] == "D" and run_length(theirs[:-1], "C") % 2 == 1,
    "majority": lambda own, theirs: 2 * theirs.count("C") >= len(theirs),
    "hard_majority": lambda own, theirs: 2 * theirs.count("C") > len(theirs),
    "forgiver": lambda own, theirs: 10 * theirs.count("D") <= len(theirs),
    "forgiving_tit_for_tat": lambda own, theirs: theirs[-1:] != "D" or 10 * theirs.count("D") <= len(theirs),
}


@pytest.mark.parametrize("name", RULES)
def test_play_matches_the_description(name: str) -> None:
    """Against every sequence of eight moves of the opponent, and long random ones."""
    rng = np.random.default_rng(0)
    long = ["".join(rng.choice(["C", "D"], size=40, p=[share, 1 - share])) for share in (0.2, 0.5, 0.8) * 3]
    for theirs in [*map("".join, product("CD", repeat=8)), *long]:
        own = moves(strategy(name), theirs)
        said = ["C" if RULES[name](own[:round], theirs[:round]) else "D" for round in range(len(own))]
        assert own == "".join(said), theirs
