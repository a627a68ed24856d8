"""What the report says: from the dictionary of results.json to sentences, figures and tables, in order."""

from collections.abc import Iterator, Sequence

from dilemmas.experiments.reporting.charts import Dumbbell, GapRow, dumbbells, gaps, lines
from dilemmas.experiments.reporting.format import NONE, Results, num, with_span, words
from dilemmas.experiments.reporting.page import Block, Bullets, Figure, Notice, Paragraph, Section, Table
from dilemmas.experiments.study import tables
from dilemmas.experiments.study.answers import ROLES
from dilemmas.experiments.study.tables import set_title

ABOUT = {
    "within": "The student was tuned on the teacher's answers to these very scenarios.",
    "new_context": "The games are those of the training, the contexts are new.",
    "new_game": "The contexts are those of the training, the games are new.",
    "new_both": "Neither the games nor the contexts were part of the training.",
}
"""What sets the study's sets apart."""


def sections(measured: Results) -> list[Section]:
    """The whole report; what was not measured is left out."""
    parts: list[tuple[str, Sequence[Block]]] = [("Summary", [*_caveat(measured), *_summary(measured)])]
    parts += [(set_title(name), [*_set(measured, name)]) for name in measured["alignment"]]
    parts += [
        ("Unreadable replies", _shown(tables.unreadable_table(measured["unreadable"]))),
        ("Does the teacher agree with itself?", _shown(tables.consistency_table(measured["consistency"]))),
        (
            "Do the models understand the scenarios?",
            _shown(tables.comprehension_table(measured["comprehension"])),
        ),
        ("Do the answers follow the label or the place?", [*_bias(measured["bias"])]),
        ("Matches", [*_matches(measured["matches"])]),
        ("The teacher's decisions, made again", _shown(tables.agreement_table(measured["agreement"]))),
        ("What these numbers do not say", [Bullets(tuple(_limits(measured)))]),
        ("Where they come from", [tables.model_table(measured["models"]), tables.run_table(measured)]),
    ]
    return [Section(title, tuple(blocks)) for title, blocks in parts if blocks]


def brief(measured: Results) -> list[Section]:
    """The tables that are worth a terminal's space, and the warnings."""
    warnings = tuple(Notice(text) for text in measured["warnings"])
    parts = [
        Section("Gap closed: 1 as the teacher, 0 as untuned", (tables.gap_table(measured["alignment"]), *warnings))
    ]
    others = (
        tables.comprehension_table(measured["comprehension"]),
        tables.bias_table(measured["bias"]),
        tables.lean_table(measured["bias"]),
        tables.agreement_table(measured["agreement"]),
        tables.cooperation_table(measured["matches"]),
    )
    shown = parts + [Section(table.title, (table,)) for table in others if table.rows]
    return [*shown, *(Section("About these models", (notice,)) for notice in _caveat(measured))]


def _caveat(measured: Results) -> list[Notice]:
    """What nobody may overlook where the models are miniatures."""
    if not any(model["miniature"] for model in measured["models"]):
        return []
    return [
        Notice(
            "These models are miniatures, made to try the whole procedure in minutes. They show that the measurement "
            "works; they say nothing about large language models."
        )
    ]


def _shown(table: Table) -> list[Block]:
    return [table] if table.rows else []


def _summary(measured: Results) -> Iterator[Block]:
    alignment = measured["alignment"]
    yield Paragraph(_what_was_run(measured))
    yield Paragraph(
        "The gap closed is 1 where the tuned student answers as the teacher does, 0 where tuning brought "
        "it no closer, and negative where it moved away. The null player repeats the teacher's mean "
        f"cooperation over the training scenarios, {_null_rates(measured)}, whatever the game and the "
        "context. Only what the student closes beyond the null player is transfer."
    )
    yield Bullets(tuple(f"{set_title(name)}: {_verdict(row)}" for name, row in alignment.items()))
    yield from (Notice(text) for text in measured["warnings"])
    rows = [*_gap_rows(alignment)]
    if rows:
        caption = "Gap closed on each set of scenarios. Exact estimates are filled, sampled ones hollow."
        yield Figure(gaps("Gap closed on each set", caption, rows), caption)
    yield tables.gap_table(alignment)
    yield tables.mean_table(alignment)
    drop = measured["transfer_drop"]
    if drop and drop["drop"] is not None:
        yield Paragraph(
            "From new contexts to new games in new contexts the gap closed goes from "
            f"{num(drop['new_context'])} to {num(drop['new_both'])}: a drop by {num(drop['drop'])} of it, "
            f"with a warning above {num(drop['limit'])}."
        )


def _what_was_run(measured: Results) -> str:
    names = {model["role"]: model["name"] for model in measured["models"]}
    asked = [row for rows in measured["scenarios"].values() for row in rows]
    ways = []
    if any(row["teacher"]["exact"] is not None for row in asked):
        ways.append("its own probabilities of the actions were read (the exact estimate, free of sampling error)")
    if any(row["teacher"]["sampled"] is not None for row in asked):
        ways.append(f"{measured['observations']} answers were drawn (the sampled estimate)")
    return (
        f"A teacher, {names.get('teacher', 'unnamed')}, answered {measured['training']['scenarios']} "
        "scenarios, each a social dilemma in a social context. A student, "
        f"{names.get('untuned', 'unnamed')}, was tuned on those answers. Before and after, it was asked "
        f"about {len(asked)} scenarios, and so was the teacher. From each model, for each scenario, "
        f"{' and '.join(ways) or 'nothing could be read'}."
    )


def _null_rates(measured: Results) -> str:
    rates = measured["training"]["null_rate"].items()
    return " and ".join(f"{num(rate)} ({estimate})" for estimate, rate in rates if rate is not None) or NONE


def _verdict(row: Results) -> str:
    """The figures of a set as a sentence."""
    if row["gap_closed"] is None:
        return "no scenario tells the teacher and the untuned student apart."
    closed = f"the tuned student closes {with_span(row['gap_closed'], row['interval'])} of the gap"
    null = f"the null player {num(row['null'])}"
    if row["transfer_interval"] is None:
        return f"{closed}, {null}."
    low, high = row["transfer_interval"]
    difference = with_span(row["transfer"], row["transfer_interval"])
    if low <= 0 <= high:
        return f"{closed}, {null}: the two are not told apart (difference {difference})."
    return f"{closed}, {null}: {'more' if low > 0 else 'less'} than the null player (difference {difference})."


def _gap_rows(alignment: Results) -> Iterator[GapRow]:
    for name, row in tables.estimates(alignment):
        if row["gap_closed"] is not None:
            label = f"{set_title(name)}, {row['estimate']}"
            numbers = with_span(row["gap_closed"], row["interval"])
            hollow = row["estimate"] == "sampled"
            yield GapRow(label, row["gap_closed"], row["interval"], row["null"], numbers, hollow)


def _set(measured: Results, name: str) -> Iterator[Block]:
    figures, rows = measured["alignment"][name], measured["scenarios"][name]
    verdict = _verdict(figures)
    yield Paragraph(f"{ABOUT.get(name, '')} {verdict[0].upper()}{verdict[1:]}".strip())
    yield from _left_out(rows, figures, measured["observations"])
    caption = f"Cooperation of the three models in every scenario, {figures['estimate']} estimate."
    if figures["undefined"] or figures["missing"]:
        caption += " Faint: left out of the figures."
    yield Figure(dumbbells(set_title(name), caption, _dumbbells(rows, figures)), caption)
    yield tables.rate_table(rows)
    yield from _shown(tables.test_table(rows))


def _left_out(rows: Sequence[Results], figures: Results, observations: int) -> Iterator[Block]:
    reasons = {
        "undefined": "teacher and untuned student do not differ beyond the sampling error "
        f"of {observations} answers (5% level)",
        "missing": "a model has no such estimate",
    }
    for key, reason in reasons.items():
        games: dict[str, list[str]] = {}
        for row in rows:
            if row["name"] in figures[key]:
                games.setdefault(words(row["game"]), []).append(words(row["context"]))
        if games:
            listed = "; ".join(f"{game} ({', '.join(contexts)})" for game, contexts in games.items())
            yield Paragraph(f"Left out, because {reason}: {listed}.")


def _dumbbells(rows: Sequence[Results], figures: Results) -> dict[str, list[Dumbbell]]:
    estimate, out = figures["estimate"], {*figures["undefined"], *figures["missing"]}
    groups: dict[str, list[Dumbbell]] = {}
    for row in rows:
        teacher, untuned, tuned = (row[role][estimate] for role in ROLES)
        dumbbell = Dumbbell(words(row["context"]), teacher, untuned, tuned, muted=row["name"] in out)
        groups.setdefault(words(row["game"]), []).append(dumbbell)
    return groups


def _bias(rows: Sequence[Results]) -> Iterator[Block]:
    if rows:
        yield Paragraph(
            "In every scenario the labels of the actions and the order in which they are named were drawn from the "
            "seed, the same for all models, and each model's own probabilities were read in all ways to show them. "
            "A share of 0.30 says that at least three answers in ten go by the label (or the place), not by the game."
        )
        yield tables.bias_table(rows)
        yield tables.lean_table(rows)


def _matches(rows: Sequence[Results]) -> Iterator[Block]:
    """One figure per game with a panel per opponent, then the tables."""
    games: dict[str, dict[str, dict[str, Sequence[float]]]] = {}
    for row in rows:
        panels = games.setdefault(tables.scenario(row["game"]), {})
        panels.setdefault(f"against {words(row['opponent'])}", {})[row["model"]] = row["cooperation_by_round"]
    for game, panels in games.items():
        caption = f"{game.capitalize()}: mean cooperation of each model in each round, by opponent."
        yield Figure(lines(f"Cooperation by round: {game}", caption, panels), caption)
    yield from _shown(tables.cooperation_table(rows))
    yield from _shown(tables.match_table(rows))


def _limits(measured: Results) -> Iterator[str]:
    yield (
        "They are not the study's figures (46% within sample, 18% on new contexts, 28% on new games, "
        "LLaMa2-70b to 7b) and cannot be set against them: the study publishes neither its formula nor its "
        "payoffs and prompts."
    )
    yield (
        "One student was tuned, from one seed. The intervals are about scenarios and answers, not about "
        "tuning again; a second student may differ by more."
    )
    yield (
        "The intervals treat the scenarios as drawn from many like them. They do not reach to other "
        "wordings, payoffs or labels."
    )
    if not measured["bias"]:
        yield (
            "They do not tell an answer to the game from a liking for a label or for the action that is named first: "
            "both were fixed. A run with --shuffle-labels draws them from the seed and measures the bias."
        )
    yield "To answer alike is not to reason alike: choices are compared here, not the reasons for them."
