"""Sections of the report of a tournament: sentences, figures and tables from the dictionary of results.json."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from dilemmas.agents.agent import Source
from dilemmas.agents.engines.dispatch import EXACT
from dilemmas.experiments.dynamics.deterministic import Course, replicator
from dilemmas.experiments.dynamics.invasion import invasions
from dilemmas.experiments.dynamics.payoff_matrix import PayoffMatrix, error_freedom
from dilemmas.experiments.reporting.charts import leading, lines
from dilemmas.experiments.reporting.format import num, words
from dilemmas.experiments.reporting.page import Block, Bullets, Figure, Notice, Paragraph, Section
from dilemmas.experiments.reporting.svg import responsive
from dilemmas.experiments.reporting.uncertainty.intervals import Interval
from dilemmas.experiments.tournaments import tables as tables
from dilemmas.experiments.tournaments.charts import MOST_NARROW, HeatMap, ScoreRow, Show, heat_map, scores
from dilemmas.experiments.tournaments.standings import FEWEST_OPPONENTS
from dilemmas.experiments.tournaments.tables import Results

DRAWN = 60
"""Maximum number of players in a figure, which shows the best ones."""
FEW = 5
"""Number of matches of a group below which its standard error is itself uncertain by more than a third."""
STEPS = 399
"""Length of the population dynamics, in units of the time in which the largest advantage grows e-fold."""
WIDEST = 6
"""Maximum number of players of a match for which fingerprints are shown; results.json has all of them."""
ESTIMATED = {
    Source.WITHIN: "known only within the margin that a server gives",
    Source.SAMPLED: "shares of sampled choices: no number here shows their error",
    Source.REASONED: "means over reasonings that were sampled once, whatever the seed: no number here shows their"
    " error",
    Source.STATED: "means over replies that were sampled once, whatever the seed: no number here shows their error",
}
"""What the probabilities of a player are that are not exactly its own."""
SEEN = 0.05
"""Probability of the first place below which a player is not named."""
LAST = 0.005
"""Players with a smaller final share are not named; dynamics within this distance of the final shares have
converged."""


def sections(data: Results) -> list[Section]:
    """The whole report; sections without content are left out."""
    parts: list[tuple[str, Iterator[Block]]] = [
        ("Ranking", _ranking(data)),
        ("Certainty of the ranking", _certainty(data)),
        (f"Payoffs {'against' if tables.seat_count(data) == 2 else 'with'} each player", _payoffs(data)),
        ("Cooperation with each player", _cooperation(data)),
        ("Groups", _groups(data)),
        ("Population dynamics", _population(data)),
        ("Limitations", iter([Bullets(tuple(_limits(data)))])),
        ("Settings", iter([tables.settings_table(data["settings"])])),
    ]
    found = [Section(title, tuple(blocks)) for title, blocks in parts]
    return [section for section in found if section.blocks]


def _ranking(data: Results) -> Iterator[Block]:
    yield Paragraph(f"{_what_was_played(data)} {_verdict(data)}")
    yield from map(Notice, tournament_warnings(data))
    digits = tables.score_digits(data)
    rows = [
        ScoreRow(one["player"], one["score"], tables.interval(one), tables.score(one, digits))
        for one in data["ranking"][:DRAWN]
    ]
    caption = f"Points per round{', with 95% intervals' if tables.uncertain(data) else ''}{_best(data)}."
    yield Figure(responsive(partial(scores, "Scores", caption, "points per round", rows)), caption)
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
        caption = f"Probability of each rank for each player, in percent{_best(data)}."
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
    if tables.seat_count(data) <= WIDEST:
        yield tables.habit_table(data)


def _groups(data: Results) -> Iterator[Block]:
    if tables.seat_count(data) > 2:
        yield tables.group_table(data["groups"])


def _population(data: Results) -> Iterator[Block]:
    """Replicator dynamics of the players, and which populations of one strategy can be invaded."""
    matrix = _complete(data)
    if matrix is None:
        return
    if tables.unlike_seats(data):
        yield Paragraph("The seats of this game differ; in a population each player takes both seats equally often.")
    widest = float(np.ptp(matrix.payoffs))
    if widest > matrix.tie:
        course = replicator(matrix, time=STEPS / widest, every=1 / widest)
        yield Paragraph(_fate(course))
        moving = np.abs(course.shares - course.shares[-1]).max(axis=1) > LAST
        end = min(len(moving), 20 + round(1.2 * moving.sum()))  # up to convergence
        caption = (
            "Shares in a well-mixed population, from equal shares. In one unit of time the share of a player earning"
            f" {num(widest)} points per round more than the mean would grow 2.7-fold."
        )
        shares = leading({name: values[:end] for name, values in course.series().items()})
        draw = partial(lines, "Shares over time", caption, {"share": shares}, "time", first=0)
        yield Figure(responsive(draw), caption)
    yield tables.invasion_table(invasions(matrix).residents())


def _complete(data: Results) -> PayoffMatrix | None:
    """The payoffs, best players first; None unless all pairs have met, including self-play."""
    names = tuple(data["players"][i] for i in order(data))
    among = np.ix_(order(data), order(data))
    payoffs, errors = (np.array(data[key], dtype=np.float64)[among] for key in ("payoff_matrix", "standard_errors"))
    if np.isnan(payoffs).any() or tables.seat_count(data) > 2:
        return None
    return PayoffMatrix(names, payoffs, errors, error_freedom(data["groups"]))


def _fate(course: Course) -> str:
    living = [f"{fate.name} {num(fate.end)}" for fate in course.fates() if fate.end >= LAST][: tables.NAMED]
    first, last = num(course.payoffs[0]), num(course.payoffs[-1])
    return (
        "In a population with equal initial shares, in which a share grows with its payoff above the mean (replicator"
        f" dynamics), the largest final shares are: {', '.join(living)}. The mean payoff changes from {first} to"
        f" {last} points per round."
    )


def _by_pair(data: Results, key: str, ends: Interval, unit: str, shows: Sequence[Show]) -> HeatMap:
    places = order(data)[:DRAWN]
    names = [data["players"][i] for i in places]
    values = [[data[key][i][j] for j in places] for i in places]
    return HeatMap(names, names, values, ends, unit, tables.meeting(data), shows, "never met")


def _heat(caption: str, heat: HeatMap) -> Figure:
    draw = partial(heat_map, caption, caption, heat)
    narrow = len(heat.columns) <= MOST_NARROW
    return Figure(responsive(draw) if narrow else f'<div class="scrolled">{draw()}</div>', caption)


def order(data: Results) -> list[int]:
    """The indices of the players in the matrices, best first."""
    place = {name: i for i, name in enumerate(data["players"])}
    return [place[one["player"]] for one in data["ranking"]]


def tournament_warnings(data: Results) -> Iterator[str]:
    """Warnings about the results."""
    sampled = [group for group in data["groups"] if group["engine"] not in EXACT]
    fewest = min((group["matches"] for group in sampled), default=FEW)
    if fewest == 1:
        yield (
            "Some groups played a single match, so their sampling error is unknown: there are no intervals. Increase"
            " --repetitions."
        )
    elif fewest < FEW:
        yield (
            f"Some groups played only {fewest} matches: their standard errors are uncertain by more than a third"
            f"{', and the intervals wide' if tables.uncertain(data) else ''}. Increase --repetitions."
        )
    aborted, played = (sum(group[key] for group in sampled) for key in ("aborted", "matches"))
    if aborted:
        yield (
            f"{aborted:,} of {played:,} sampled matches were aborted after an unreadable reply; their rounds up to then"
            " count."
        )
    met = data["payoff_matrix"]
    pairs = [(i, j) for j in range(len(met)) for i in range(j)]
    apart = sum(met[i][j] is None and met[j][i] is None for i, j in pairs)
    drawn = data["settings"].get("sample") is not None
    if (waiting := len(data["settings"].get("players", ())) - len(data["players"])) > 0:
        yield f"{waiting:,} players have not played yet."
    elif drawn and data["ranking"][0]["interval"] is None and fewest > 1:
        yield (
            f"Some players are in one draw alone, or met fewer than {FEWEST_OPPONENTS} opponents, so there are no"
            " intervals. Draw more groups (--sample)."
        )
    elif apart:
        yield (
            f"{apart:,} of {len(pairs):,} pairs of players never met. Scores are against different opponents, and ranks"
            f" may be due to that{'; the intervals include this chance' if drawn else ''}."
        )


def _what_was_played(data: Results) -> str:
    settings, groups = data["settings"], data["groups"]
    options = ", ".join(f"{words(name)} {value}" for name, value in settings["options"].items())
    rounds = [f"{group['rounds']:,.5g}" for group in groups]
    mean = sum(group["rounds"] for group in groups) / len(groups)
    met = (
        f"{len(groups):,} pairings"
        if tables.seat_count(data) == 2
        else f"{len(groups):,} groups of {tables.seat_count(data)}"
    )
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
    verdict = f"{names} is first with {tables.score(ranking[0], digits)} points per round"
    open_to = [f"{one['player']} {num(one['first'])}" for one in ranking if (one["first"] or 0) >= SEEN]
    if len(open_to) > 1:
        return f"{verdict}, but this may be chance; probabilities of the first place: {', '.join(open_to)}."
    return f"{verdict}."


def about_errors(data: Results) -> str:
    """Which results are sampled, and the size of their errors."""
    exact = sum(group["engine"] in EXACT for group in data["groups"])
    total = len(data["groups"])
    estimated = " ".join(_estimated(data))
    if exact == total and estimated:
        return f"{counted(total)} computed without sampled matches. {estimated}"
    if exact == total:
        chance = "there is no sampling error, and the ranking does not depend on chance"
        if data["settings"].get("sample") is not None:
            chance = "they have no sampling error, but which groups play may be by chance (--sample)"
        return f"{counted(total)} computed exactly. The numbers are expected values: {chance}."
    known = [error for row in data["standard_errors"] for error in row if error is not None]
    largest = f" The largest standard error in the payoff matrix is {max(known):.2g} points." if known else ""
    which = f"{total - exact:,} of {total:,} groups were" if exact else counted(total)
    rest = " The others are exact: expected values without sampling error." if exact else ""
    return " ".join(filter(None, (f"{which} sampled.{rest}{largest}", estimated)))


def _estimated(data: Results) -> Iterator[str]:
    """What no standard error shows: the probabilities with which some players play are not exactly their own."""
    for source, name in ESTIMATED.items():
        players = [player for player, found in (data["settings"]["sources"] or {}).items() if found == source]
        if players:
            yield f"The probabilities of {', '.join(players)} are {name}."


def counted(groups: int) -> str:
    """``All 3 groups were``, or ``The only group was``."""
    return f"All {groups:,} groups were" if groups > 1 else "The only group was"


def _limits(data: Results) -> Iterator[str]:
    yield "Scores depend on the participants: with other participants the ranking can be the reverse."
    if tables.uncertain(data):
        yield (
            "Intervals and ranks reflect chance within matches, for these players and rules. They do not cover other"
            " opponents, games or noise."
        )
    if any(group["engine"] == "environment" for group in data["groups"]):
        yield "Language models were asked in one context and one wording; in others they may play differently."
    if tables.seat_count(data) > 2:
        yield (
            "The matrices show means over all groups that contain both players. They do not show what one player does"
            " to the other."
        )


def _best(data: Results) -> str:
    return f"; the {DRAWN} best of {len(data['players'])} players" if len(data["players"]) > DRAWN else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"
