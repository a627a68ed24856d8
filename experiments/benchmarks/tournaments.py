"""Contenders of `dilemmas bench tournaments`: the engines of dilemmas, and the Axelrod library.

A tournament is a round robin with self-play in the prisoner's dilemma, with 200 rounds per match, including the
computation of the results. Sampled tournaments have 10 repetitions in both libraries. The import of Axelrod is not
measured.
"""

from collections.abc import Sequence

import numpy as np

from dilemmas.agents.strategies.catalogue import listing, strategy
from dilemmas.envs.rules.factory import rules_of
from dilemmas.experiments.benchmarks.race import Bar, Contender, Play
from dilemmas.experiments.tournaments.run_folder import play_tournament
from dilemmas.experiments.tournaments.tournament import Settings, Tournament

ROUNDS, REPETITIONS = 200, 10

CLASSICS = {
    "always_cooperate": "Cooperator",
    "always_defect": "Defector",
    "tit_for_tat": "TitForTat",
    "grim": "Grudger",
    "win_stay_lose_shift": "WinStayLoseShift",
    "generous_tit_for_tat": "GTFT",
    "random": "Random",
    "alternator": "Alternator",
    "tit_for_two_tats": "TitFor2Tats",
    "two_tits_for_tat": "TwoTitsForTat",
    "suspicious_tit_for_tat": "SuspiciousTitForTat",
    "anti_tit_for_tat": "AntiTitForTat",
    "bully": "Bully",
    "hard_tit_for_tat": "HardTitForTat",
    "firm_but_fair": "FirmButFair",
    "stochastic_cooperator": "StochasticCooperator",
}
"""Names of sixteen strategies in dilemmas and in Axelrod."""
FIRST = {
    "tit_for_tat": "TitForTat",
    "tideman_and_chieruzzi": "FirstByTidemanAndChieruzzi",
    "nydegger": "FirstByNydegger",
    "grofman": "FirstByGrofman",
    "shubik": "FirstByShubik",
    "stein_and_rapoport": "FirstBySteinAndRapoport",
    "grim": "Grudger",
    "davis": "FirstByDavis",
    "graaskamp": "FirstByGraaskamp",
    "downing": "FirstByDowning",
    "feld": "FirstByFeld",
    "joss": "FirstByJoss",
    "tullock": "FirstByTullock",
    "anonymous": "FirstByAnonymous",
    "random": "Random",
}
"""The 15 of Axelrod's first tournament (Axelrod 1980, J. Confl. Res. 24:3)."""


def ours(names: Sequence[str], engine: str, noise: float = 0.0) -> Play:
    """Play one tournament per call, from the names of the strategies to the ranking."""
    options = {"rounds": ROUNDS, "noise": noise, "clock": True}  # players in Axelrod know the length of a match
    settings = Settings("prisoners_dilemma", tuple(names), options, REPETITIONS, engine=engine)

    def play() -> int:
        play_tournament(Tournament(settings))
        return 1

    return play


def theirs(names: Sequence[str]) -> Play:
    """Play one tournament of Axelrod per call, in this process."""
    import axelrod  # type: ignore[import-not-found, import-untyped, unused-ignore]

    def play() -> int:
        players = [getattr(axelrod, name)() for name in names]
        tournament = axelrod.Tournament(players, turns=ROUNDS, repetitions=REPETITIONS, seed=1)
        assert tournament.play(progress_bar=False).ranked_names
        return 1

    return play


def compiled_pair(one: str, other: str, rounds: int, matches: int) -> Play:
    """Play matches of a pair in compiled code, including the counts."""
    from dilemmas.agents.engines.compiled import play_compiled

    rules = rules_of("prisoners_dilemma", rounds=rounds)
    keys = np.arange(matches, dtype=np.uint64)[None]
    group = strategy(one), strategy(other)

    def play() -> int:
        play_compiled(rules, [group], keys)
        return rounds * matches

    return play


def axelrod_match() -> Play:
    """Play one long match of Axelrod."""
    import axelrod

    def play() -> int:
        axelrod.Match((axelrod.TitForTat(), axelrod.Random(0.5)), turns=20_000, seed=1).play()
        return 20_000

    return play


def example_automata(count: int) -> list[str]:
    """The first `count` finite automata of the catalogue."""
    return [row.name for row in listing() if row.kind == "automaton"][:count]


CLASSIC, FIRST_15 = "16 classics", "first tournament"
MATCH, COMPILED, MEMORY_ONE = "Axelrod, a match", "dilemmas, TFT v random", "dilemmas, memory-one with chance"
LARGE = "dilemmas exact, 40 strategies with 1% noise"
LONG, SIDE_BY_SIDE = 10_000, 200
"""Number of rounds per match, and of matches per call, in the measurements of rounds."""

CONTENDERS = (
    Contender(f"Axelrod, {CLASSIC}", "tournaments", lambda: theirs([*CLASSICS.values()])),
    Contender(f"dilemmas, {CLASSIC}", "tournaments", lambda: ours([*CLASSICS], "auto")),
    Contender(f"dilemmas sampled, {CLASSIC}", "tournaments", lambda: ours([*CLASSICS], "compiled")),
    Contender(f"Axelrod, {FIRST_15}", "tournaments", lambda: theirs([*FIRST.values()])),
    Contender(f"dilemmas, {FIRST_15}", "tournaments", lambda: ours([*FIRST], "auto")),
    Contender(f"dilemmas sampled, {FIRST_15}", "tournaments", lambda: ours([*FIRST], "vectorised")),
    Contender(LARGE, "tournaments", lambda: ours(example_automata(40), "chain", noise=0.01)),
    Contender(MATCH, "rounds", axelrod_match),
    Contender(COMPILED, "rounds", lambda: compiled_pair("tit_for_tat", "random", LONG, SIDE_BY_SIDE)),
    Contender(
        MEMORY_ONE, "rounds", lambda: compiled_pair("generous_tit_for_tat", "stochastic_cooperator", LONG, SIDE_BY_SIDE)
    ),
)

BARS = (
    Bar(f"dilemmas, {CLASSIC}", 100, f"Axelrod, {CLASSIC}"),
    Bar(f"dilemmas sampled, {CLASSIC}", 100, f"Axelrod, {CLASSIC}"),
    Bar(f"dilemmas, {FIRST_15}", 50, f"Axelrod, {FIRST_15}"),
    Bar(f"dilemmas sampled, {FIRST_15}", 50, f"Axelrod, {FIRST_15}"),
    Bar(LARGE, 1),
    Bar(COMPILED, 500, MATCH),
    Bar(MEMORY_ONE, 500, MATCH),
    Bar(COMPILED, 100e6),
    Bar(MEMORY_ONE, 100e6),
)
