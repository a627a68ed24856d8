"""The tables of a tournament, from the dictionary of results.json."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor
from typing import Any

from dilemmas.agents.engines.dispatch import EXACT
from dilemmas.agents.strategies.catalogue import FIRST_TOURNAMENT
from dilemmas.experiments.dynamics.invasion import Resident
from dilemmas.experiments.reporting.format import NONE, bracketed, num, with_span, words
from dilemmas.experiments.reporting.page import Table
from dilemmas.experiments.reporting.terminal_text import shortened
from dilemmas.experiments.reporting.uncertainty.intervals import Interval, t_critical

Results = Mapping[str, Any]

ENGINES = {
    "cycle": "exact: actions are simulated until they repeat",
    "chain": "exact: expected values of a Markov chain",
    "compiled": "sampled, in compiled code",
    "vectorised": "sampled, in arrays",
    "environment": "sampled, in environments",
}
"""How each engine computes its results."""
RERUN = (
    "In 1980 tit_for_tat won. The programs of 1980 are lost, and those here play as Axelrod-Python reads the published"
    " descriptions; where these leave something open, the ranking depends on the reading."
)
"""Below the ranking of the first tournament."""
ENDS = 5
"""Number of groups shown from each end of the list."""
NAMED = 4
"""Maximum number of names in one cell."""


def decimals(values: Sequence[float | None]) -> int:
    """Number of decimals of these points."""
    most = max((abs(value) for value in values if value is not None), default=0.0)
    return 2 if most < 10 else 1 if most < 1000 else 0


def ranking_table(data: Results, cells: int | None = None) -> Table:
    """The ranking, with its uncertainty if any match was sampled. `cells`: maximum width of a name in a terminal."""
    rows, digits, sampled = data["ranking"], score_digits(data), uncertain(data)
    lines = (
        (
            str(one["rank"]),
            _named(one["player"], cells),
            score(one, digits),
            num(one["cooperation"]),
            *((_between(one["ranks"]), num(one["first"])) if sampled else ()),
        )
        for one in rows
    )
    note = f"Points per round against {_opponents(data)}. Cooperation: share of rounds."
    if sampled:
        note += (
            " Brackets: 95% intervals. Ranks: intervals that hold for all players at once in about 95% of tournaments,"
        )
        note += " or more. First: probability of the first place."
    if set(data["players"]) == set(FIRST_TOURNAMENT):
        note += f" {RERUN}"
    columns = ("", "player", "score", "cooperation", *(("ranks", "first") if sampled else ()))
    return Table("Ranking", columns, tuple(lines), words=2, note=note, missing="the player completed no round")


def _opponents(data: Results) -> str:
    """The opponents against whom a score is the mean, and whether a player is its own opponent."""
    settings, groups = data["settings"], [group["players"] for group in data["groups"]]
    chosen = any(settings.get(name) is not None for name in ("meetings", "graph"))
    itself = any(len(set(group)) < len(group) for group in groups)
    if settings.get("sample") is not None and settings["self_play"]:
        return f"opponents drawn at random, {'also itself' if itself else 'itself was not drawn'}"
    who = "the opponents that it met" if chosen else "opponents drawn at random"
    return f"{who}, {'itself included' if itself else 'itself not included'}"


def score(standing: Results, digits: int) -> str:
    """Points per round, with the interval unless its width is 0."""
    return f"{num(standing['score'], digits)} {bracketed(interval(standing), digits)}".rstrip()


def interval(standing: Results) -> Interval | None:
    """The interval of a score; None if it is unknown or its width is 0."""
    low, high = standing["interval"] or (0.0, 0.0)
    return (low, high) if low < high else None


def uncertain(data: Results) -> bool:
    """Whether any score has an interval."""
    return any(map(interval, data["ranking"]))


def score_digits(data: Results) -> int:
    """Decimals of all points of a tournament."""
    return decimals([value for row in data["payoff_matrix"] for value in row])


def matrix_table(
    data: Results, order: Sequence[int], cells: int | None = None, digits: int | None = None, intervals: bool = False
) -> Table:
    """Points per round of each player in groups with each other player, in the given order of players.

    `cells`: maximum width of a name in a terminal; `digits`: number of decimals, by default chosen from the numbers;
    `intervals`: whether to show intervals.
    """
    digits = score_digits(data) if digits is None else digits
    margin = " ±: 95% interval." if intervals and uncertain(data) else ""
    reach = t_critical(data["settings"]["repetitions"] - 1) if margin else 0.0

    def cell(i: int, j: int) -> str:
        error = data["standard_errors"][i][j] if margin else None
        return num(data["payoff_matrix"][i][j], digits) + (f" ± {num(reach * error, digits)}" if error else "")

    lines = (
        (str(number), _named(data["players"][i], cells), *(cell(i, j) for j in order))
        for number, i in enumerate(order, 1)
    )
    return Table(
        f"Points per round of the player in the row {meeting(data)} the one in the column",
        ("", "player", *map(str, range(1, len(order) + 1))),
        tuple(lines),
        words=2,
        note=f"Columns are numbered as the rows.{margin}",
        missing="they never met, or completed no round",
        folded=len(order) > 2 * ENDS,
    )


def meeting(data: Results) -> str:
    """Preposition between the names of two players."""
    return "against" if seat_count(data) == 2 else "in groups with"


def unlike_seats(data: Results) -> bool:
    """Whether the seats of the game differ, so that pairs met in both orders."""
    return any(list(group["players"]) != sorted(group["players"]) for group in data["groups"])


def seat_count(data: Results) -> int:
    """Number of players of a match."""
    return len(data["groups"][0]["players"])


def habit_table(data: Results) -> Table:
    """The fingerprints of the players, the best one first."""
    found = [(one["player"], data["fingerprints"][one["player"]]) for one in data["ranking"]]
    seen = (
        "CD: it cooperated, the other defected"
        if seat_count(data) == 2
        else "C, 1 D: it cooperated, one other defected"
    )
    return Table(
        "Cooperation of each player after each outcome of the previous round",
        ("player", *(habit["after"] for habit in found[0][1])),
        tuple((name, *map(_habit, habits)) for name, habits in found),
        note=f"Memory-one fingerprints, over all groups; start: in the first round; {seen}."
        f"{' Brackets: 95% intervals.' if uncertain(data) else ''}",
        missing="never observed",
        folded=len(found) > 2 * ENDS,
    )


def _habit(habit: Results) -> str:
    if not habit["times"]:
        return NONE
    low, high = habit["interval"]
    return with_span(habit["cooperated"] / habit["times"], (low, high) if low < high else None)


def engine_table(groups: Sequence[Results]) -> Table:
    """The number of groups played by each engine, and the method of the engine."""
    counts = Counter(group["engine"] for group in groups)
    matches = {engine: {group["matches"] for group in groups if group["engine"] == engine} for engine in counts}
    cells = (
        (engine, ENGINES[engine], f"{counts[engine]:,}", NONE if engine in EXACT else _range(matches[engine]))
        for engine in ENGINES
        if engine in counts
    )
    return Table(
        "Engines",
        ("engine", "result", "groups", "matches each"),
        tuple(cells),
        words=2,
        note="Exact results are expected values and have no sampling error. Sampled ones have: four times the matches"
        " halve it.",
        missing="exact results need no repeated matches",
    )


def group_table(groups: Sequence[Results]) -> Table:
    """The groups of three or more with the largest and the smallest total payoffs."""
    ordered = sorted(groups, key=lambda group: -_mean(group["payoffs"]))
    numbered = list(enumerate(ordered, 1))
    shown = numbered if len(numbered) <= 2 * ENDS + 1 else [*numbered[:ENDS], *numbered[-ENDS:]]
    digits = decimals([value for group in groups for value in group["payoffs"]])
    cells = (
        (
            f"{number:,}",
            seated(group["players"]),
            *(num(of(group["payoffs"]), digits) for of in (_mean, min, max)),
            num(_mean(group["cooperation"])),
        )
        for number, group in shown
    )
    return Table(
        f"Groups by payoff: the best and the worst of {len(groups):,}" if shown != numbered else "Groups",
        ("", "players", "mean", "lowest", "highest", "cooperation"),
        tuple(cells),
        words=2,
        note="Points per round: mean of the group, and the lowest and highest of its players.",
    )


def seated(players: Sequence[str]) -> str:
    """The players of a group: ``2 × grim, tit_for_tat``."""
    return ", ".join(f"{count} × {name}" if count > 1 else name for name, count in Counter(players).items())


def invasion_table(residents: Sequence[Resident]) -> Table:
    """Which mutants invade a population of one strategy."""
    sampled = any(one.uncertain for one in residents)
    cells = (
        (
            *(one.name, one.stability.value, _listed(one.invaded), _listed(one.drifting)),
            *((_listed(one.uncertain),) if sampled else ()),
        )
        for one in residents
    )
    unsure = " Uncertain: mutants that may or may not invade, given the 95% intervals."
    return Table(
        "Invasion of a population of one strategy by a single mutant",
        ("resident", "stability", "invaded by", "drifts with", *(("uncertain",) if sampled else ())),
        tuple(cells),
        words=4 + sampled,
        note="ESS: evolutionarily stable strategy, every mutant is repelled. Drift: neither has an advantage. Only"
        f" these players are considered as mutants.{unsure if sampled else ''}",
        folded=len(residents) > 2 * ENDS,
    )


def settings_table(settings: Results) -> Table:
    """The settings, which reproduce the tournament."""
    return Table("Settings", ("what", "value"), tuple(_settings(settings)), words=2)


def _settings(settings: Results) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from ((f"{words(name)}, {words(key)}", str(one)) for key, one in value.items())
        elif name == "meetings" and value is not None:
            yield "meetings", f"{len(value):,} chosen groups"
        elif value is not None and name != "players":  # players are in the ranking
            yield words(name), ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _named(player: str, cells: int | None) -> str:
    return player if cells is None else shortened(player, cells)


def _between(ranks: Sequence[float] | None) -> str:
    if ranks is None:
        return NONE
    low, high = floor(ranks[0]), ceil(ranks[1])
    return str(low) if low == high else f"{low}–{high}"


def _range(counts: set[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _listed(names: Sequence[str]) -> str:
    if len(names) > NAMED + 1:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return ", ".join(names) or NONE
