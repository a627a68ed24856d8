"""How the models play repeated games: cooperation and payoffs by game and opponent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from dilemmas.agents.matches.record import MatchRecord
from dilemmas.envs.validation import Share
from dilemmas.experiments.reporting.charts import lines
from dilemmas.experiments.reporting.format import NONE, Results, num, with_span, words
from dilemmas.experiments.reporting.page import Block, Figure, Section, Table
from dilemmas.experiments.reporting.svg import responsive
from dilemmas.experiments.reporting.uncertainty.intervals import (
    MeanEstimate,
    ShareEstimate,
    ShareInterval,
    proportion,
    ratio,
)
from dilemmas.experiments.study.answers import Role
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows, pivot, shown, titled
from dilemmas.experiments.study.playing import Pairing, pairings
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.titles import game_title

Array = NDArray[np.float64]
Played = list[tuple[Pairing, MatchRecord]]


@dataclass(frozen=True, slots=True)
class MatchRow:
    """How one model played against one opponent."""

    model: Role
    """The model."""
    opponent: str
    """A role or a strategy."""
    game: str
    """Name of the game."""
    rounds: Annotated[float, Ge(0)]
    """Mean number of rounds per match; those in which a reply could not be read do not count."""
    matches: Annotated[int, Ge(1)]
    """Number of matches."""
    cooperation: ShareEstimate | None
    """The model's mean cooperation per round, in [0, 1]; None without a round. Intervals are over the matches of each
    context, not over contexts."""
    payoff: MeanEstimate | None
    """The model's mean payoff per round, in points."""
    opponent_payoff: MeanEstimate | None
    """The opponent's mean payoff per round, in points."""
    cooperation_by_round: tuple[Share, ...]
    """The model's mean cooperation in each round, over the matches that reached it."""
    interval_by_round: tuple[ShareInterval | None, ...]
    """95% interval of each of these means."""

    def __post_init__(self) -> None:
        if len(self.interval_by_round) != len(self.cooperation_by_round):
            raise ValueError(f"interval_by_round: needs one for each of {len(self.cooperation_by_round)} rounds")
        for name in ("cooperation", "payoff", "opponent_payoff", "cooperation_by_round"):
            if bool(getattr(self, name)) != bool(self.rounds):
                raise ValueError(f"{name}: needs numbers where rounds is above 0, and only there")


def match_row(
    model: Role,
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
    model : Role
        The model.
    opponent, game : str
        Names.
    cooperation, payoff, opponent_payoff : array, shape (M, R)
        nan in rounds that were not played.
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
    if not by_round:
        return MatchRow(model, opponent, game, 0.0, len(lengths), None, None, None, (), ())
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


def _measure(data: StudyData) -> list[MatchRow]:
    """Every model against every opponent by game, over all contexts."""
    groups: dict[tuple[Role, str, str], Played] = {}
    for pairing in data.pairings:
        key = (pairing.model, pairing.opponent, pairing.game.name)
        groups.setdefault(key, []).extend((pairing, record) for record in data.records(pairing))
    return [_row(key, played) for key, played in groups.items()]


def _row(key: tuple[Role, str, str], played: Played) -> MatchRow:
    cooperation, payoff, opponent_payoff = _by_round(played)
    return match_row(*key, cooperation, payoff, opponent_payoff, [pairing.context for pairing, _ in played])


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
    columns, cells = pivot(rows, {"game": game_title, "opponent": words}, lambda row: _value(row["cooperation"]))
    return Table("Cooperation in matches", ("game", "opponent", *columns), cells, words=2)


def _value(found: Results | None) -> str:
    return num(found["value"] if found else None)


def match_payoff_table(rows: Sequence[Results]) -> Table:
    """Cooperation and payoffs of each model against each opponent."""
    keys = ("cooperation", "payoff", "opponent_payoff")
    cells = (
        (
            game_title(row["game"]),
            words(row["opponent"]),
            row["model"],
            f"{row['matches']:,} × {row['rounds']:.3g}",
            *(with_span(*row[key].values()) if row[key] else NONE for key in keys),
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
        if row["rounds"]:
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


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    asked, rows = recipe.matches, results["matches"]
    expected = dict.fromkeys((one.model, one.opponent, one.game.name) for one in pairings(recipe))
    yield from other_rows("matches", ((row["model"], row["opponent"], row["game"]) for row in rows), expected)
    count = len(asked.contexts) * asked.repetitions
    for place, row in enumerate(rows):
        if row["matches"] != count:
            yield f"matches[{place}].matches: needs {count}; got {row['matches']}"
        if max(row["rounds"], len(row["cooperation_by_round"])) > asked.rounds:
            yield f"matches[{place}].rounds: needs a number of at most {asked.rounds}, also of cooperation_by_round"


MATCHES = Metric(
    "matches",
    tuple[MatchRow, ...],
    _measure,
    _sections,
    _terminal,
    faults=_faults,
    report_rank=7,
    terminal_rank=4,
)
