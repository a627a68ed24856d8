"""The tables of a report, from the dictionary of results.json; one without rows where nothing was measured."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from dilemmas.experiments.reporting.format import NONE, Results, bracketed, duration, num, with_span, words
from dilemmas.experiments.reporting.page import Table
from dilemmas.experiments.study.answers import ROLES

SETS = {
    "within": "Within sample",
    "new_context": "New contexts",
    "new_game": "New games",
    "new_both": "Both new",
}
"""Titles of the study's sets; other sets go by their own names."""


def gap_table(alignment: Results) -> Table:
    """Gap closed on each set, beside the null player."""
    rows = (
        (
            set_title(name),
            row["estimate"],
            f"{row['counted']}/{row['scenarios']}",
            with_span(row["gap_closed"], row["interval"]),
            num(row["null"]),
            with_span(row["transfer"], row["transfer_interval"]),
        )
        for name, row in estimates(alignment)
    )
    return Table(
        "Gap closed, all scenarios of a set together",
        ("set", "estimate", "n", "gap closed", "null", "beyond null"),
        tuple(rows),
        words=2,
        note="n: scenarios counted, of those asked. In brackets 95% bootstrap intervals: over scenarios "
        "for exact estimates, over scenarios and answers for sampled ones.",
    )


def mean_table(alignment: Results) -> Table:
    """The mean of the scenarios' gaps closed, and what a perfect copy would show."""
    rows = (
        (
            set_title(name),
            row["estimate"],
            with_span(row["mean"]["gap_closed"], row["mean"]["interval"]),
            num(row["mean"]["null"]),
            num(row["ceiling"]),
        )
        for name, row in estimates(alignment)
    )
    return Table(
        "Gap closed, mean of the scenarios",
        ("set", "estimate", "mean gap closed", "null", "perfect copy"),
        tuple(rows),
        words=2,
        note="The mean weighs every scenario alike, also those where the gap is small. Perfect copy: the "
        "gap closed, all scenarios together, to be expected of the teacher itself in the student's place; "
        "two samples of one model differ too.",
    )


def rate_table(rows: Sequence[Results]) -> Table:
    """Every scenario of a set: cooperation of the three models and the gap closed, by each estimate."""
    kinds = [kind for kind in ("exact", "sampled") if any(row["teacher"][kind] is not None for row in rows)]
    return Table(
        f"The numbers: cooperation in {len(rows)} scenarios",
        ("game", "context", *(f"{part}, {kind}" for kind in kinds for part in (*ROLES, "gap"))),
        tuple((words(row["game"]), words(row["context"]), *_rates(row, kinds)) for row in rows),
        words=2,
        note=f"Gap: the gap closed; {NONE} where teacher and untuned student do not differ beyond sampling error.",
        folded=True,
    )


def test_table(rows: Sequence[Results]) -> Table:
    """z-tests of every scenario of a set."""
    columns = {"difference": "difference", "standard_error": "std. error", "p": "p"}
    students = {"untuned": "test_untuned", "tuned": "test_tuned"}
    cells = (
        (
            words(row["game"]),
            words(row["context"]),
            *(_test(row[s], key) for s in students.values() for key in columns),
        )
        for row in rows
        if row["test_untuned"] or row["test_tuned"]
    )
    return Table(
        "z-tests: teacher against untuned, and against tuned student",
        ("game", "context", *(f"{student}: {name}" for student in students for name in columns.values())),
        tuple(cells),
        words=2,
        note="Two-sided z-tests for the difference of two proportions: teacher minus student, sampled "
        "answers, pooled standard error. A large p says that the samples do not tell the two apart, not "
        "that they are the same; of twenty tests one falls below 0.05 by chance alone.",
        folded=True,
    )


def unreadable_table(rows: Sequence[Results]) -> Table:
    """Unreadable replies, and the bounds of the rates."""
    cells = (
        (
            set_title(row["set"]),
            row["role"],
            f"{row['replies']:,}",
            f"{row['unreadable']:,}",
            f"{row['unreadable'] / row['replies']:.1%}",
            num(row["rate"], 3),
            bracketed(row["bounds"], 3),
        )
        for row in rows
    )
    return Table(
        "Sampled replies in which no action could be read",
        ("set", "model", "replies", "unreadable", "share", "cooperation", "bounds"),
        tuple(cells),
        words=2,
        note="An unreadable reply is part of no rate. Bounds: the rate if all of them had meant to defect, "
        "and if all had meant to cooperate.",
    )


def consistency_table(rows: Sequence[Results]) -> Table:
    """How variable the teacher's answers to one scenario are."""
    cells = (
        (
            scenario(row["scenario"]),
            row["commonest"] or NONE,
            f"{row['answers']}",
            num(row["cooperation"]),
            f"{'! ' if row['noisy'] else ''}{num(row['disagreement'])}",
            f"{row['distinct_motivations']}/{row['motivations']}",
        )
        for row in rows
    )
    return Table(
        "The teacher's answers to one scenario under different seeds",
        (
            "scenario",
            "commonest motivation",
            "answers",
            "cooperation",
            "disagreement",
            "distinct motivations",
        ),
        tuple(cells),
        words=2,
        note="Disagreement: the chance that two answers to the same scenario differ; ! above the study's "
        "limit of 0.30.",
    )


def comprehension_table(rows: Sequence[Results]) -> Table:
    """Share of right answers to questions of fact, one column per model."""
    columns, cells = _pivot(rows, ("kind",), lambda row: with_span(row["right"] / row["asked"], row["interval"]))
    return Table(
        "Questions of fact answered rightly",
        ("about", *columns),
        cells,
        note="The choice of a model that cannot read the payoffs says little (after Fontana, Pierri & Aiello "
        f"2024). In brackets 95% Wilson intervals; {sum(row['asked'] for row in rows):,} answers in all.",
    )


def bias_table(rows: Sequence[Results]) -> Table:
    """Share of the answers that follows the label or the place, one column per model."""
    parts = {"label": "label", "place": "place"}
    columns, cells = _by_model(rows, parts, lambda found: with_span(found["value"], found["interval"]))
    return Table(
        "Share of the answers that follows the label or the place",
        ("set", "by", *columns),
        cells,
        words=2,
        note="How much the probability of an action changes when the two labels are exchanged, or the actions are "
        "named in reverse order, and nothing else: 0 where that has no say, 1 where it decides every answer. Means "
        "over scenarios; in brackets 95% bootstrap intervals over scenarios.",
    )


def lean_table(rows: Sequence[Results]) -> Table:
    """Liking for a label or a place, one column per model."""
    first, second = rows[0]["labels"] if rows else ("", "")
    columns, cells = _by_model(rows, {"label_lean": "label", "place_lean": "place"}, lambda found: num(found["value"]))
    return Table(
        f"Lean towards {first} or the first named (1), {second} or the last named (−1)",
        ("set", "by", *columns),
        cells,
        words=2,
        note="How much more often the one is taken than the other, whatever it stands for. Opposite leans cancel here, "
        "not above: a share without a lean belongs to a model that misreads the game when it is shown in another way.",
    )


def cooperation_table(rows: Sequence[Results]) -> Table:
    """Mean cooperation in matches, one column per model."""
    columns, cells = _pivot(rows, ("game", "opponent"), lambda row: num(row["cooperation"]["value"]))
    return Table("Cooperation in matches", ("game", "opponent", *columns), cells, words=2)


def match_table(rows: Sequence[Results]) -> Table:
    """Cooperation and payoffs of each model against each opponent."""
    keys = ("cooperation", "payoff", "opponent_payoff")
    cells = (
        (
            scenario(row["game"]),
            words(row["opponent"]),
            row["model"],
            f"{row['matches']:,} × {row['rounds']:.3g}",
            *(with_span(row[key]["value"], row[key]["interval"]) for key in keys),
        )
        for row in rows
    )
    return Table(
        "The numbers: cooperation and payoffs in matches",
        ("game", "opponent", "model", "matches × rounds", "cooperation", "payoff", "opponent's payoff"),
        tuple(cells),
        words=3,
        note="Payoffs in points per round. In brackets 95% bootstrap intervals over matches.",
        folded=True,
    )


def agreement_table(rows: Sequence[Results]) -> Table:
    """How the students would decide where the teacher decided."""
    cells = (
        (
            row["model"],
            f"{row['decisions']:,}",
            *(with_span(row[key]["value"], row[key]["interval"]) for key in ("overlap", "expected")),
            num(row["ceiling"]),
        )
        for row in rows
    )
    return Table(
        "Students on the histories that the teacher's matches reached",
        ("model", "decisions", "overlap", "same action", "teacher itself"),
        tuple(cells),
        note="Overlap: 1 minus the total variation distance between the two models' probabilities; 1 is "
        "the same everywhere. Same action: how often independent draws agree, and beside it how often two "
        "draws of the teacher do.",
    )


def model_table(models: Sequence[Results]) -> Table:
    cells = ((row["role"], row["name"], "yes" if row["miniature"] else "no", row["fingerprint"]) for row in models)
    return Table("Models", ("role", "name", "miniature", "fingerprint"), tuple(cells), words=4)


def run_table(measured: Results) -> Table:
    """What it takes to make the numbers again."""
    facts = [
        ("recipe", measured["recipe"]),
        ("prompt template", measured["template"]),
        ("seed", str(measured["seed"])),
        ("answers per scenario and model", str(measured["observations"])),
        ("bootstrap resamples", f"{measured['resamples']:,}"),
        ("time", duration(measured["seconds"])),
        *_flat(measured["provenance"]),
    ]
    return Table("Run", ("what", "value"), tuple(facts), words=2)


def estimates(alignment: Results) -> Iterator[tuple[str, Results]]:
    """(set, figures) of every estimate for which there are answers."""
    for name, row in alignment.items():
        for figures in row["estimates"].values():
            if figures["counted"] or figures["undefined"]:
                yield name, {**figures, "scenarios": row["scenarios"]}


def set_title(name: str) -> str:
    """What a set is called."""
    return SETS.get(name, words(name))


def scenario(name: str) -> str:
    """``stag_hunt/summit`` as words."""
    return words(name).replace("/", ", ")


def _pivot(
    rows: Sequence[Results], keys: Sequence[str], cell: Callable[[Results], str]
) -> tuple[list[str], tuple[tuple[str, ...], ...]]:
    """The models, and a row of one cell per model for each combination of the keys' values."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    grid: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:
        grid.setdefault(tuple(scenario(row[key]) for key in keys), {})[row["model"]] = cell(row)
    return models, tuple((*place, *(cells.get(model, NONE) for model in models)) for place, cells in grid.items())


def _by_model(
    rows: Sequence[Results], parts: Mapping[str, str], cell: Callable[[Results], str]
) -> tuple[list[str], tuple[tuple[str, ...], ...]]:
    """The models, and a row of cells for each set and each part of a bias, given by its key and what it is called."""
    flat = [
        {"set": set_title(row["set"]), "by": by, "model": row["model"], "found": row[key]}
        for row in rows
        for key, by in parts.items()
        if row[key] is not None
    ]
    return _pivot(flat, ("set", "by"), lambda row: cell(row["found"]))


def _rates(row: Results, kinds: Sequence[str]) -> Iterator[str]:
    for kind in kinds:
        yield from (num(row[role][kind]) for role in ROLES)
        yield num(row["gap_closed"][kind])


def _test(test: Results | None, key: str) -> str:
    if test is None:
        return NONE
    return "<0.001" if key == "p" and test["p"] < 0.001 else num(test[key], 3)


def _flat(table: Results, place: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a nested table, with the path to each."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{key} ")
        elif value is not None:
            yield f"{place}{key}", " ".join(map(str, value)) if isinstance(value, list) else str(value)
