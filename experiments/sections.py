"""What the report says: from the dictionary of results.json to sentences, tables and figures."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from understudy.experiments.charts import Dumbbell, GapRow, dumbbells, gaps, lines
from understudy.experiments.page import Block, Bullets, Figure, Notice, Paragraph, Section, Table

Results = Mapping[str, Any]

SETS = {
    "within": "Within sample",
    "new_context": "New contexts",
    "new_game": "New games",
    "new_both": "New games in new contexts",
}
"""Titles of the study's sets; other sets go by their own names."""

ABOUT = {
    "within": "The student was tuned on the teacher's answers to these very scenarios.",
    "new_context": "The games are those of the training, the contexts are new.",
    "new_game": "The contexts are those of the training, the games are new.",
    "new_both": "Neither the games nor the contexts were part of the training.",
}

ROLES = ("teacher", "untuned", "tuned")
NONE = "–"
"""Stands where there is no number."""


def sections(measured: Results) -> list[Section]:
    """The whole report, in order; what was not measured is left out."""
    parts = [("Summary", _summary(measured))]
    parts += [(set_title(name), _scenarios(measured, name)) for name in measured["alignment"]]
    parts += [
        ("Other students", _others(measured)),
        ("Unreadable replies", _unreadable(measured)),
        ("Does the teacher agree with itself?", _consistency(measured)),
        ("Do the models understand the scenarios?", _comprehension(measured)),
        ("Matches", _matches(measured)),
        ("The teacher's decisions, made again", _agreement(measured)),
        ("What these numbers do not say", iter([Bullets(tuple(_limits(measured)))])),
        ("Where they come from", _provenance(measured)),
    ]
    made = [Section(title, tuple(blocks)) for title, blocks in parts]
    return [section for section in made if section.blocks]


def brief(measured: Results) -> list[Section]:
    """What is worth a terminal's space."""
    warnings = [Notice(text) for text in measured["warnings"]]
    parts = [
        Section(
            "Gap closed (1 = as the teacher, 0 = as untuned)", (_gap_table(measured["alignment"]), *warnings)
        )
    ]
    tables = [block for make in (_comprehension, _agreement, _matches) for block in make(measured)]
    parts += [Section(table.title, (table,)) for table in tables if isinstance(table, Table)]
    return parts


def set_title(name: str) -> str:
    """What a set is called in a table."""
    return SETS.get(name, _words(name))


def _summary(measured: Results) -> Iterator[Block]:
    names = {model["role"]: model["name"] for model in measured["models"]}
    n, seen = measured["observations"], measured["training"]["scenarios"]
    asked = sum(len(rows) for rows in measured["scenarios"].values())
    yield Paragraph(
        f"A teacher, {names.get('teacher', 'unnamed')}, answered {seen} scenarios: social dilemmas in a social context. A "
        f"student, {names.get('untuned', 'unnamed')}, was tuned on those answers and then asked exactly as before, about the "
        f"same scenarios and about others, {asked} in all. {_asking(measured, n)}"
    )
    yield Paragraph(
        "The gap closed is 1 where the tuned student answers as the teacher does, 0 where tuning brought it no closer, "
        "and negative where it moved away. The null player repeats the teacher's mean cooperation over the training "
        f"scenarios, {_null_rates(measured)}, whatever the game and whatever the context. Only what the student closes "
        "beyond the null player is transfer."
    )
    yield Bullets(tuple(_verdict(name, row) for name, row in measured["alignment"].items()))
    yield from (Notice(text) for text in measured["warnings"])
    rows = list(_gap_rows(measured["alignment"]))
    if rows:
        caption = "Gap closed on each set: exact estimates filled, sampled ones hollow. Whiskers are 95% bootstrap intervals."
        yield Figure(gaps("Gap closed on each set of scenarios", caption, rows), caption)
    yield _gap_table(measured["alignment"])
    yield _mean_table(measured)
    drop = measured["transfer_drop"]
    if drop and drop["drop"] is not None:
        yield Paragraph(
            f"From new contexts to new games in new contexts the gap closed goes from {num(drop['new_context'])} to "
            f"{num(drop['new_both'])}: {num(drop['drop'])} of it is lost (a warning above {num(drop['limit'])})."
        )


def _asking(measured: Results, n: int) -> str:
    sampled = any(sum(row["teacher"]["counts"]) for rows in measured["scenarios"].values() for row in rows)
    exact = any(
        row["teacher"]["exact"] is not None for rows in measured["scenarios"].values() for row in rows
    )
    probabilities = "its own probabilities of the actions were read (exact, without sampling error)"
    answers = f"{n} answers were drawn (sampled)"
    ways = " and ".join(text for text, given in ((probabilities, exact), (answers, sampled)) if given)
    return f"For every scenario and model, {ways}." if ways else "No model gave an answer."


def _null_rates(measured: Results) -> str:
    rates = measured["training"]["null_rate"]
    return (
        " and ".join(f"{num(rate)} ({estimate})" for estimate, rate in rates.items() if rate is not None)
        or NONE
    )


def _verdict(name: str, row: Mapping[str, Any]) -> str:
    start = (
        f"{set_title(name)} ({row['counted']} of {row['scenarios']} scenarios counted, {row['estimate']}):"
    )
    if row["gap_closed"] is None:
        return (
            f"{start} no scenario on which the teacher and the untuned student differ beyond sampling error."
        )
    low, high = row["transfer_interval"] or (None, None)
    if low is None or low <= 0 <= high:
        beyond = "not told apart from the null player"
    else:
        beyond = "more than the null player" if low > 0 else "less than the null player"
    return (
        f"{start} the tuned student closes {num(row['gap_closed'])} of the gap {span(row['interval'])}, the null player "
        f"{num(row['null'])}; the difference is {num(row['transfer'])} {span(row['transfer_interval'])}, {beyond}."
    )


def _estimates(alignment: Results) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(set, figures) of every estimate that there is."""
    for name, row in alignment.items():
        for figures in row["estimates"].values():
            if figures["counted"] or figures["undefined"]:
                yield name, {**figures, "scenarios": row["scenarios"]}


def _gap_rows(alignment: Results) -> Iterator[GapRow]:
    last = None
    for name, row in _estimates(alignment):
        if row["gap_closed"] is not None:
            label = f"{set_title(name)}, {row['estimate']}" if name != last else row["estimate"]
            last = name
            yield GapRow(label, row["gap_closed"], row["interval"], row["null"], row["estimate"] == "sampled")


def _gap_table(alignment: Results) -> Table:
    rows = [
        (
            set_title(name),
            row["estimate"],
            f"{row['counted']}/{row['scenarios']}",
            f"{num(row['gap_closed'])} {span(row['interval'])}",
            num(row["null"]),
            f"{num(row['transfer'])} {span(row['transfer_interval'])}",
        )
        for name, row in _estimates(alignment)
    ]
    return Table(
        "Gap closed, all scenarios of a set together",
        ("set", "estimate", "n", "gap closed", "null", "beyond null"),
        tuple(rows),
        words=2,
        note="n: scenarios counted, of those asked. In brackets 95% bootstrap intervals: over scenarios for exact estimates, "
        "over scenarios and answers for sampled ones.",
    )


def _mean_table(measured: Results) -> Table:
    rows = [
        (
            set_title(name),
            row["estimate"],
            f"{num(row['mean']['gap_closed'])} {span(row['mean']['interval'])}",
            num(row["mean"]["null"]),
            num(row["ceiling"]),
        )
        for name, row in _estimates(measured["alignment"])
    ]
    return Table(
        "Gap closed, mean of the scenarios",
        ("set", "estimate", "mean gap closed", "null", "perfect copy"),
        tuple(rows),
        words=2,
        note="The mean weighs every scenario alike, also those where the gap is small. Perfect copy: what the gap closed of a "
        "set would be expected to show for the teacher itself in the student's place; two samples of one model differ too.",
    )


def _scenarios(measured: Results, name: str) -> Iterator[Block]:
    figures, rows = measured["alignment"][name], measured["scenarios"][name]
    yield Paragraph(" ".join(filter(None, (ABOUT.get(name, ""), _verdict(name, figures)))))
    left_out = {text: figures[text] for text in ("undefined", "missing") if figures[text]}
    reasons = {
        "undefined": "Left out, because teacher and untuned student do not differ beyond sampling error",
        "missing": "Left out, because a model has no estimate",
    }
    if left_out:
        yield Bullets(tuple(f"{reasons[text]}: {_listed(names)}." for text, names in left_out.items()))
    caption = f"Cooperation of the three models in every scenario ({figures['estimate']} estimates). Faint: left out."
    yield Figure(dumbbells(set_title(name), caption, _dumbbells(rows, figures)), caption)
    yield _rate_table(rows)
    if any(row["test_untuned"] or row["test_tuned"] for row in rows):
        yield _test_table(rows)


def _dumbbells(rows: Sequence[Results], figures: Results) -> dict[str, list[Dumbbell]]:
    estimate, out = figures["estimate"], {*figures["undefined"], *figures["missing"]}
    groups: dict[str, list[Dumbbell]] = {}
    for row in rows:
        rates = [row[role][estimate] for role in ROLES]
        groups.setdefault(_words(row["game"]), []).append(
            Dumbbell(_words(row["context"]), *rates, row["name"] in out)
        )
    return groups


def _rate_table(rows: Sequence[Results]) -> Table:
    kinds = [kind for kind in ("exact", "sampled") if any(row["teacher"][kind] is not None for row in rows)]
    columns = [f"{part}, {kind}" for kind in kinds for part in (*ROLES, "gap closed")]
    cells = [
        (
            _words(row["game"]),
            _words(row["context"]),
            *(
                text
                for kind in kinds
                for text in (*(num(row[role][kind]) for role in ROLES), num(row["gap_closed"][kind]))
            ),
        )
        for row in rows
    ]
    return Table(
        f"The numbers: cooperation in {len(rows)} scenarios",
        ("game", "context", *columns),
        tuple(cells),
        words=2,
        folded=True,
        note=f"{NONE} in the last column of an estimate: no gap to close, or no estimate.",
    )


def _test_table(rows: Sequence[Results]) -> Table:
    keys = ("difference", "standard_error", "p")
    names = ("difference", "std. error", "p")
    cells = [
        (
            _words(row["game"]),
            _words(row["context"]),
            *(_test(row[test], key) for test in ("test_untuned", "test_tuned") for key in keys),
        )
        for row in rows
    ]
    return Table(
        "z-tests: teacher against untuned, and against tuned student",
        ("game", "context", *(f"{student}: {name}" for student in ROLES[1:] for name in names)),
        tuple(cells),
        words=2,
        folded=True,
        note="Two-sided z-tests for the difference of two proportions (teacher minus student, sampled answers, pooled standard "
        "error). A large p says that the samples do not tell the two apart, not that they are the same. With this many tests "
        "about one in twenty falls below 0.05 by chance alone.",
    )


def _test(test: Results | None, key: str) -> str:
    if test is None:
        return NONE
    return p_value(test["p"]) if key == "p" else num(test[key], 3)


def _others(measured: Results) -> Iterator[Block]:
    rows = []
    for student, alignment in measured["others"].items():
        for name, row in alignment.items():
            main = measured["alignment"].get(name, {}).get("gap_closed")
            known = main is not None and row["gap_closed"] is not None
            rows.append(
                (
                    student,
                    set_title(name),
                    row["estimate"],
                    f"{num(row['gap_closed'])} {span(row['interval'])}",
                    num(row["null"]),
                    num(main - row["gap_closed"]) if known else NONE,
                )
            )
    if rows:
        yield Table(
            "Students tuned in another way, on the same scenarios",
            ("student", "set", "estimate", "gap closed", "null", "this study's student: more by"),
            tuple(rows),
            words=3,
        )


def _unreadable(measured: Results) -> Iterator[Block]:
    rows = [
        (
            set_title(row["set"]),
            row["role"],
            f"{row['replies']:,}",
            f"{row['unreadable']:,}",
            f"{row['unreadable'] / row['replies']:.1%}",
            num(row["rate"], 3),
            span(row["bounds"], 3),
        )
        for row in measured["unreadable"]
    ]
    if rows:
        yield Table(
            "Sampled replies in which no action could be read",
            ("set", "model", "replies", "unreadable", "share", "cooperation", "bounds"),
            tuple(rows),
            words=2,
            note="An unreadable reply is part of no rate. Bounds: the rate if all of them had meant to defect, and if all "
            "had meant to cooperate.",
        )


def _consistency(measured: Results) -> Iterator[Block]:
    rows = [
        (
            _scenario(row["scenario"]),
            row["commonest"] or NONE,
            f"{row['answers']}",
            num(row["cooperation"]),
            f"{num(row['disagreement'])}{' !' if row['noisy'] else ''}",
            f"{row['distinct_motivations']}/{row['motivations']}",
        )
        for row in measured["consistency"]
    ]
    if rows:
        yield Table(
            "The teacher's answers to one scenario under different seeds",
            (
                "scenario",
                "commonest motivation",
                "answers",
                "cooperation",
                "disagreement",
                "distinct motivations",
            ),
            tuple(rows),
            words=2,
            note="Disagreement: the chance that two answers to the same scenario differ; the study warns above 0.30 (!).",
        )


def _comprehension(measured: Results) -> Iterator[Block]:
    rows = [
        (
            row["model"],
            _words(row["kind"]),
            f"{row['right']:,}/{row['asked']:,}",
            f"{num(row['right'] / row['asked'])} {span(row['interval'])}",
        )
        for row in measured["comprehension"]
        if row["asked"]
    ]
    if rows:
        yield Table(
            "Questions of fact answered rightly",
            ("model", "about", "right", "share"),
            tuple(rows),
            words=2,
            note="A choice says little of a model that cannot read the payoffs (after Fontana et al. 2024). In brackets "
            "95% Wilson intervals.",
        )


def _matches(measured: Results) -> Iterator[Block]:
    rows = measured["matches"]
    for game in dict.fromkeys(row["game"] for row in rows):
        panels: dict[str, dict[str, Sequence[float]]] = {}
        for row in rows:
            if row["game"] == game:
                panels.setdefault(f"against {row['opponent']}", {})[row["model"]] = row[
                    "cooperation_by_round"
                ]
        caption = f"{_words(game)}: mean cooperation of each model in each round, by opponent."
        yield Figure(lines(f"Cooperation over rounds, {_words(game)}", caption, panels), caption)
    if rows:
        yield Table(
            "Repeated play against fixed opponents",
            ("game", "opponent", "model", "matches", "cooperation", "payoff", "opponent's"),
            tuple(_match(row) for row in rows),
            words=3,
            note="Payoffs in points per round. In brackets 95% bootstrap intervals over matches.",
        )


def _match(row: Results) -> tuple[str, ...]:
    estimates = [
        f"{num(row[key]['value'])} {span(row[key]['interval'])}"
        for key in ("cooperation", "payoff", "opponent_payoff")
    ]
    return (
        _words(row["game"]),
        row["opponent"],
        row["model"],
        f"{row['matches']:,}×{row['rounds']:g}",
        *estimates,
    )


def _agreement(measured: Results) -> Iterator[Block]:
    rows = [
        (
            row["model"],
            f"{row['decisions']:,}",
            *(f"{num(row[key]['value'])} {span(row[key]['interval'])}" for key in ("overlap", "expected")),
            num(row["ceiling"]),
        )
        for row in measured["agreement"]
    ]
    if rows:
        yield Table(
            "Students on the histories that the teacher's matches reached",
            ("model", "decisions", "overlap", "same action", "teacher itself"),
            tuple(rows),
            note="Overlap: 1 minus the total variation distance between the two models' probabilities, so 1 is the same "
            "everywhere. Same action: how often independent draws agree; beside it how often two draws of the teacher do.",
        )


def _limits(measured: Results) -> Iterator[str]:
    if any(model["miniature"] for model in measured["models"]):
        yield (
            "They say nothing about large language models. The models are miniatures, made to try the whole procedure "
            "in minutes: they show that the measurement works, not how language models think."
        )
    yield (
        "They are not the figures of the study (46% within sample, 18% on new contexts, 28% on new games, LLaMa2-70b to 7b): "
        "it does not publish its formula, payoffs or prompts, and the definitions used here are this project's own."
    )
    yield (
        "One student was tuned, from one seed. The intervals are about scenarios and answers, not about tuning again: "
        "a second student may differ by more."
    )
    yield (
        "The intervals treat the scenarios as drawn from many like them. They do not reach to other wordings, other payoffs "
        "or other labels of the actions."
    )
    yield "Answering alike is not reasoning alike: choices are compared here, not the reasons for them."


def _provenance(measured: Results) -> Iterator[Block]:
    models = [
        (model["role"], model["name"], "miniature" if model["miniature"] else "model", model["fingerprint"])
        for model in measured["models"]
    ]
    yield Table("Models", ("role", "name", "kind", "fingerprint"), tuple(models), words=4)
    facts = [
        ("recipe", measured["recipe"]),
        ("prompt template", measured["template"]),
        ("seed", str(measured["seed"])),
        ("answers per scenario and model", str(measured["observations"])),
        ("bootstrap resamples", f"{measured['resamples']:,}"),
        ("time", duration(measured["seconds"])),
        *measured["versions"].items(),
    ]
    yield Table("Run", ("what", "value"), tuple(facts), words=2)


def num(value: float | None, decimals: int = 2) -> str:
    """A number with a true minus sign, or a dash where there is none."""
    return NONE if value is None else f"{value:.{decimals}f}".replace("-", "−")


def span(interval: Sequence[float] | None, decimals: int = 2) -> str:
    """An interval in brackets."""
    return "" if interval is None else f"[{num(interval[0], decimals)}, {num(interval[1], decimals)}]"


def p_value(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def duration(seconds: float) -> str:
    """Seconds below two minutes, else minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _words(name: str) -> str:
    """A catalogue name as words."""
    return name.replace("_", " ")


def _scenario(name: str) -> str:
    """``stag_hunt/summit`` as words."""
    return _words(name).replace("/", ", ")


def _listed(names: Sequence[str]) -> str:
    return "; ".join(_scenario(name) for name in names)
