"""How the models play repeated games: cooperation and payoffs by game and opponent."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.matches.record import MatchRecord
from dilemmas.experiments.reporting.charts import lines
from dilemmas.experiments.reporting.format import Results, num, with_span, words
from dilemmas.experiments.reporting.intervals import Estimate, Interval, proportion, ratio
from dilemmas.experiments.reporting.page import Block, Figure, Section, Table
from dilemmas.experiments.reporting.svg import responsive
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.layout import pivot
from dilemmas.experiments.study.metrics.metric import Metric, shown, titled
from dilemmas.experiments.study.playing import Pairing
from dilemmas.experiments.study.titles import game_title

Array = NDArray[np.float64]
Played = list[tuple[Pairing, MatchRecord]]


@dataclass(frozen=True, slots=True)
class MatchRow:
    """How one model played against one opponent."""

    model: str
    opponent: str
    game: str
    rounds: float
    """Mean number of rounds per match."""
    matches: int
    cooperation: Estimate
    """The model's mean cooperation per round, in [0, 1]. Intervals are over the matches of each context, not over
    contexts."""
    payoff: Estimate
    """The model's mean payoff per round, in points."""
    opponent_payoff: Estimate
    """The opponent's mean payoff per round (in a group, the mean over the other players), in points."""
    cooperation_by_round: tuple[float, ...]
    """The model's mean cooperation in each round, over the matches that reached it."""
    interval_by_round: tuple[Interval | None, ...]
    """95% interval of each of these means."""


def match_row(
    model: str,
    opponent: str,
    game: str,
    cooperation: Array,
    payoff: Array,
    opponent_payoff: Array,
    context: Sequence[str],
) -> MatchRow:
    """Summarise M matches of at most R rounds.

    Parameters
    ----------
    model, opponent, game : str
        Names.
    cooperation, payoff, opponent_payoff : array, shape (M, R)
        nan in rounds that were not played; at least one was.
    context : sequence of str
        Context of each match, M of them.

    Raises
    ------
    ValueError
        Where the shapes differ.
    """
    if not cooperation.shape == payoff.shape == opponent_payoff.shape:
        raise ValueError(f"shapes {cooperation.shape}, {payoff.shape} and {opponent_payoff.shape} differ")
    played = ~np.isnan(cooperation)  # (M, R)
    lengths = played.sum(axis=1)  # (M,)
    by_round = [
        proportion(np.nan_to_num(column), one.astype(np.int64), context)
        for column, one in zip(cooperation.T, played.T, strict=True)
        if one.any()
    ]
    return MatchRow(
        model,
        opponent,
        game,
        rounds=float(lengths.mean()),
        matches=len(lengths),
        cooperation=proportion(np.nansum(cooperation, axis=1), lengths, context),
        payoff=ratio(np.nansum(payoff, axis=1), lengths, context),
        opponent_payoff=ratio(np.nansum(opponent_payoff, axis=1), lengths, context),
        cooperation_by_round=tuple(found.value for found in by_round),
        interval_by_round=tuple(found.interval for found in by_round),
    )


def _measure(data: StudyData) -> list[dict[str, Any]]:
    """Every model against every opponent by game, over all contexts."""
    groups: dict[tuple[str, str, str], Played] = {}
    for pairing in data.pairings:
        key = (pairing.model, pairing.opponent, pairing.game.name)
        groups.setdefault(key, []).extend((pairing, record) for record in data.records(pairing))
    rows = (_row(key, played) for key, played in groups.items())
    return [asdict(row) for row in rows if row]


def _row(key: tuple[str, str, str], played: Played) -> MatchRow | None:
    """The row of some matches; None where no reply in them could be read."""
    cooperation, payoff, opponent_payoff = _by_round(played)
    contexts = [pairing.context for pairing, _ in played]
    return None if np.isnan(payoff).all() else match_row(*key, cooperation, payoff, opponent_payoff, contexts)


def _by_round(played: Played) -> Array:
    """Cooperation, payoff and the opponent's payoff, shape (3, M, R); nan in rounds that were not played."""
    rounds = max(len(record.steps) for _, record in played)
    found = np.full((3, len(played), rounds), np.nan)
    for m, (pairing, record) in enumerate(played):
        for r, (mine, theirs) in enumerate(record.steps):
            if mine.reward is not None and theirs.reward is not None:  # else a reply could not be read
                found[:, m, r] = pairing.game.cooperation(mine.played), mine.reward, theirs.reward
    return found


def cooperation_table(rows: Sequence[Results]) -> Table:
    """Mean cooperation in matches, one column per model."""
    columns, cells = pivot(rows, {"game": game_title, "opponent": words}, lambda row: num(row["cooperation"]["value"]))
    return Table("Cooperation in matches", ("game", "opponent", *columns), cells, words=2)


def match_payoff_table(rows: Sequence[Results]) -> Table:
    """Cooperation and payoffs of each model against each opponent."""
    keys = ("cooperation", "payoff", "opponent_payoff")
    cells = (
        (
            game_title(row["game"]),
            words(row["opponent"]),
            row["model"],
            f"{row['matches']:,} × {row['rounds']:.3g}",
            *(with_span(row[key]["value"], row[key]["interval"]) for key in keys),
        )
        for row in rows
    )
    return Table(
        "Cooperation and payoffs in matches, in numbers",
        ("game", "opponent", "model", "matches × rounds", "cooperation", "payoff", "opponent's payoff"),
        tuple(cells),
        words=3,
        note="Payoffs in points per round. In brackets: 95% intervals over matches in the same contexts; none "
        "where all matches are alike.",
        folded=True,
    )


def _figures(rows: Sequence[Results]) -> Iterator[Figure]:
    """One figure per game, with a panel per opponent."""
    games: dict[str, list[Results]] = {}
    for row in rows:
        games.setdefault(game_title(row["game"]), []).append(row)
    for game, played in games.items():
        caption = f"{game}: mean cooperation of each model in each round, by opponent. Shaded: 95% intervals."
        values, ends = (_panels(played, key) for key in ("cooperation_by_round", "interval_by_round"))
        title = f"Cooperation by round: {game}"
        yield Figure(responsive(partial(lines, title, caption, values, bands=ends)), caption)


def _panels(rows: Sequence[Results], key: str) -> dict[str, dict[str, Any]]:
    """A value of the rows by opponent and model."""
    panels: dict[str, dict[str, Any]] = {}
    for row in rows:
        panels.setdefault(f"against {words(row['opponent'])}", {})[row["model"]] = row[key]
    return panels


def _sections(results: Results) -> Iterator[Section]:
    rows = results["matches"]
    blocks: list[Block] = [*_figures(rows), *shown(cooperation_table(rows)), *shown(match_payoff_table(rows))]
    yield Section("Repeated matches", tuple(blocks))


def _terminal(results: Results) -> list[Section]:
    return titled([cooperation_table(results["matches"])])


MATCHES = Metric("matches", _measure, _sections, _terminal, report_rank=7, terminal_rank=4)
