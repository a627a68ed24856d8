"""What the report of a tournament says: from the dictionary of results.json to sentences, figures and tables."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from dilemmas.agents.engines.dispatch import EXACT
from dilemmas.experiments.dynamics.deterministic import Course, replicator
from dilemmas.experiments.dynamics.invasion import invasions
from dilemmas.experiments.dynamics.payoff_matrix import PayoffMatrix
from dilemmas.experiments.reporting.charts import leading, lines
from dilemmas.experiments.reporting.format import num, words
from dilemmas.experiments.reporting.intervals import Interval
from dilemmas.experiments.reporting.page import Block, Bullets, Figure, Notice, Paragraph, Section
from dilemmas.experiments.tournaments import tables as tables
from dilemmas.experiments.tournaments.charts import HeatMap, ScoreRow, Show, heat_map, scores
from dilemmas.experiments.tournaments.tables import Results

DRAWN = 60
"""Players in a figure at most, the best ones; beyond, cells are too small to be told apart."""
FEW = 5
"""Fewer matches of a group than this leave its standard error itself uncertain, by more than a third."""
STEPS = 399
"""Length of the course of a population, in the time in which the widest advantage there is grows e-fold."""
WIDEST = 6
"""Most players at a table whose fingerprints are shown; results.json has them all."""
SEEN = 0.05
"""Less likely winners are not named."""
LAST = 0.005
"""Players whose share ends below it are not named; shares that differ by less from the last ones have settled."""


def sections(data: Results) -> list[Section]:
    """The whole report; what cannot be told is left out."""
    parts: list[tuple[str, Iterator[Block]]] = [
        ("Who comes first", _ranking(data)),
        ("How certain is the order?", _certainty(data)),
        (f"Who earns how much {'against' if tables.seats(data) == 2 else 'with'} whom", _payoffs(data)),
        ("Who cooperates with whom", _cooperation(data)),
        ("Groups", _groups(data)),
        ("In a population", _population(data)),
        ("What these numbers do not say", iter([Bullets(tuple(_limits(data)))])),
        ("Where they come from", iter([tables.settings_table(data["settings"])])),
    ]
    found = [Section(title, tuple(blocks)) for title, blocks in parts]
    return [section for section in found if section.blocks]


def _ranking(data: Results) -> Iterator[Block]:
    yield Paragraph(f"{_what_was_played(data)} {_verdict(data)}")
    yield from map(Notice, warnings(data))
    digits = tables.score_digits(data)
    rows = [
        ScoreRow(one["player"], one["score"], tables.interval(one), tables.score(one, digits))
        for one in data["ranking"][:DRAWN]
    ]
    caption = f"Points per round{', with 95% intervals' if tables.uncertain(data) else ''}{_best(data)}."
    yield Figure(scores("Scores", caption, "points per round", rows), caption)
    yield tables.ranking_table(data)


def _certainty(data: Results) -> Iterator[Block]:
    yield Paragraph(about_errors(data))
    yield tables.engine_table(data["groups"])
    shares = data["rank_distribution"]
    if shares is not None and tables.uncertain(data):
        places = order(data)[:DRAWN]
        names = [data["players"][i] for i in places]
        ranks = [str(rank) for rank in range(1, len(places) + 1)]
        values = [shares[i][: len(places)] for i in places]
        caption = f"How likely each player has each rank, in percent{_best(data)}."
        yield _heat(caption, HeatMap(names, ranks, values, (0.0, 1.0), "percent", "at rank", [_percent], least=0.01))


def _payoffs(data: Results) -> Iterator[Block]:
    values = [value for row in data["payoff_matrix"] for value in row if value is not None]
    ends = (min(values), max(values)) if min(values) < max(values) else (values[0] - 0.5, values[0] + 0.5)
    digits = tables.score_digits(data)
    shows = [partial(num, decimals=count) for count in sorted({digits, min(digits, 1)}, reverse=True)]
    caption = f"Points per round of the player in the row {tables.meeting(data)} the one in the column{_best(data)}."
    yield _heat(caption, _by_pair(data, "payoff_matrix", ends, "points per round", shows))
    yield tables.matrix_table(data, order(data), intervals=True)


def _cooperation(data: Results) -> Iterator[Block]:
    caption = (
        f"Rounds in which the player in the row cooperated {tables.meeting(data)} the one in the column, in percent"
        f"{_best(data)}."
    )
    yield _heat(caption, _by_pair(data, "cooperation_matrix", (0.0, 1.0), "percent of rounds", [_percent]))
    if tables.seats(data) <= WIDEST:
        yield tables.habit_table(data)


def _groups(data: Results) -> Iterator[Block]:
    if tables.seats(data) > 2:
        yield tables.group_table(data["groups"])


def _population(data: Results) -> Iterator[Block]:
    """What becomes of players who spread by what they earn, and what a population of one kind withstands."""
    matrix = _complete(data)
    if matrix is None:
        return
    if tables.unlike_seats(data):
        yield Paragraph("The seats of this game are unlike; in a population everybody takes either seat as often.")
    widest = float(np.ptp(matrix.payoffs))
    if widest > matrix.tie:
        course = replicator(matrix, time=STEPS / widest, every=1 / widest)
        yield Paragraph(_fate(course))
        moving = np.abs(course.shares - course.shares[-1]).max(axis=1) > LAST
        end = min(len(moving), 20 + round(1.2 * moving.sum()))  # once it has settled, nothing more is to be seen
        caption = (
            "Shares of a population in which everybody meets everybody, from equal shares. One step of time: in it the"
            f" share of a player that earned {num(widest)} points a round more than the mean would grow 2.7-fold."
        )
        shares = leading({name: values[:end] for name, values in course.series().items()})
        yield Figure(lines("Shares over time", caption, {"share": shares}, "time", first=0), caption)
    yield tables.invasion_table(invasions(matrix).residents())


def _complete(data: Results) -> PayoffMatrix | None:
    """The payoffs where pairs played and everybody met everybody and itself, best players first."""
    names = tuple(data["players"][i] for i in order(data))
    among = np.ix_(order(data), order(data))
    payoffs, errors = (np.array(data[key], dtype=np.float64)[among] for key in ("payoff_matrix", "standard_errors"))
    return None if np.isnan(payoffs).any() or tables.seats(data) > 2 else PayoffMatrix(names, payoffs, errors)


def _fate(course: Course) -> str:
    living = [f"{fate.name} {num(fate.end)}" for fate in course.fates() if fate.end >= LAST][: tables.NAMED]
    first, last = num(course.payoffs[0]), num(course.payoffs[-1])
    return (
        "In a population where everybody starts with the same share, and a share grows by what its players earn above"
        f" the mean (replicator dynamics), these have the most in the end: {', '.join(living)}. The mean payoff goes"
        f" from {first} to {last} points per round."
    )


def _by_pair(data: Results, key: str, ends: Interval, unit: str, shows: Sequence[Show]) -> HeatMap:
    places = order(data)[:DRAWN]
    names = [data["players"][i] for i in places]
    values = [[data[key][i][j] for j in places] for i in places]
    return HeatMap(names, names, values, ends, unit, tables.meeting(data), shows, "never met")


def _heat(caption: str, heat: HeatMap) -> Figure:
    return Figure(heat_map(caption, caption, heat), caption)


def order(data: Results) -> list[int]:
    """The players' places in the matrices, the best first."""
    place = {name: i for i, name in enumerate(data["players"])}
    return [place[one["player"]] for one in data["ranking"]]


def warnings(data: Results) -> Iterator[str]:
    """What nobody may overlook."""
    sampled = [group for group in data["groups"] if group["engine"] not in EXACT]
    fewest = min((group["matches"] for group in sampled), default=FEW)
    if fewest == 1:
        yield (
            "Some groups played a single match, of which no sampling error can be told: there are no intervals. Let"
            " them play more (--repetitions)."
        )
    elif fewest < FEW:
        yield (
            f"Some groups played {fewest} matches only: their standard errors are uncertain by more than a third, and"
            " the intervals too narrow. Let them play more (--repetitions)."
        )
    aborted, played = (sum(group[key] for group in sampled) for key in ("aborted", "matches"))
    if aborted:
        yield (
            f"{aborted:,} of {played:,} sampled matches ended early by a reply in which no action could be read; they"
            " count as far as they went."
        )
    met = data["payoff_matrix"]
    pairs = [(i, j) for j in range(len(met)) for i in range(j)]
    apart = sum(met[i][j] is None and met[j][i] is None for i, j in pairs)
    if apart:
        yield (
            f"{apart:,} of {len(pairs):,} pairs of players never met. Scores come from different opponents, and a place"
            " in the ranking may be owed to them."
        )


def _what_was_played(data: Results) -> str:
    settings, groups = data["settings"], data["groups"]
    options = ", ".join(f"{words(name)} {value}" for name, value in settings["options"].items())
    rounds = [f"{group['rounds']:,.5g}" for group in groups]
    mean = sum(group["rounds"] for group in groups) / len(groups)
    met = f"{len(groups):,} pairings" if tables.seats(data) == 2 else f"{len(groups):,} groups of {tables.seats(data)}"
    return (
        f"{len(data['players'])} players met in {met}, in the game {words(settings['game'])}"
        f"{f' ({options})' if options else ''}."
        f"{f' Matches lasted {mean:,.4g} rounds on average.' if len(set(rounds)) > 1 else ''}"
    )


def _verdict(data: Results) -> str:
    ranking, digits = data["ranking"], tables.score_digits(data)
    leaders = [one for one in ranking if one["rank"] == 1]
    names = ", ".join(one["player"] for one in leaders[: tables.NAMED])
    if len(leaders) > 1:
        more = f" and {len(leaders) - tables.NAMED} more" if len(leaders) > tables.NAMED else ""
        return f"{names}{more} share the first place with {num(leaders[0]['score'], digits)} points per round."
    told = f"{names} comes first with {tables.score(ranking[0], digits)} points per round"
    open_to = [f"{one['player']} {num(one['first'])}" for one in ranking if (one["first"] or 0) >= SEEN]
    if len(open_to) > 1:
        return f"{told}, but chance could have it otherwise; probabilities of the first place: {', '.join(open_to)}."
    return f"{told}."


def about_errors(data: Results) -> str:
    """What was sampled, and how large its errors are."""
    exact = sum(group["engine"] in EXACT for group in data["groups"])
    total = len(data["groups"])
    if exact == total:
        return (
            f"{counted(total)} played exactly. {'Its' if total == 1 else 'Their'} numbers are expected values: there is"
            " no sampling error, and no chance in the order."
        )
    known = [error for row in data["standard_errors"] for error in row if error is not None]
    largest = f" The largest standard error in the matrix of payoffs is {max(known):.2g} points." if known else ""
    which = f"{total - exact:,} of {total:,} groups were" if exact else counted(total)
    rest = " The others are exact: expected values without sampling error." if exact else ""
    return f"{which} sampled.{rest}{largest}"


def counted(groups: int) -> str:
    """``All 3 groups were``, or ``The one group was``."""
    return f"All {groups:,} groups were" if groups > 1 else "The one group was"


def _limits(data: Results) -> Iterator[str]:
    yield "Scores depend on who takes part: another field of players can turn the order round."
    if tables.uncertain(data):
        yield (
            "Intervals and ranks are about chance within matches, with these players and these rules. They are not"
            " about other opponents, other games or other noise."
        )
    if any(group["engine"] == "environment" for group in data["groups"]):
        yield "Language models were asked in one context, with one wording; in another one they may play otherwise."
    if tables.seats(data) > 2:
        yield (
            "The matrices show means over all groups that two players were in together. What one does to the other"
            " they do not tell."
        )


def _best(data: Results) -> str:
    return f"; the {DRAWN} best of {len(data['players'])} players" if len(data["players"]) > DRAWN else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"
