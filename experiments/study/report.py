"""The report of a study: written from the dictionary of results.json, the time from seconds.json, and the course of the
training from the record of the adapter."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from dilemmas.agents.models.networks.adapters import ADAPTER_RECORD
from dilemmas.envs.data_files import write_text
from dilemmas.experiments.reporting.csv_text import csv_text
from dilemmas.experiments.reporting.format import Results, duration
from dilemmas.experiments.reporting.page import (
    Block,
    Bullets,
    Notice,
    Paragraph,
    Section,
    Table,
    html,
    markdown,
    markdown_blocks,
    print_sections,
)
from dilemmas.experiments.reporting.training_curves import read_course, training_sections
from dilemmas.experiments.run_folder import RunError, read_known_shares, read_seconds
from dilemmas.experiments.study.answers import ROLES
from dilemmas.experiments.study.metrics.gap_closed import gap_table
from dilemmas.experiments.study.metrics.registry import METRICS
from dilemmas.experiments.study.titles import SUMMARY
from dilemmas.training.artefacts.cards import write_alignment

CSV_COLUMNS = (
    *("set", "scenario", "game", "context", "model", "exact", "sampled"),
    *("readable", "unreadable", "lowest", "highest", "gap_closed_exact", "gap_closed_sampled"),
    *("p", "adjusted_p", "alike_p", "adjusted_alike_p"),
)
"""Columns of scenarios.csv. exact, sampled: cooperation by each estimate; lowest, highest: sampled cooperation if all
unreadable replies meant to defect, and if all meant to cooperate; gap closed: of the tuned student; p: of the z-test
that a student answers as the teacher; alike: of the test that the tuned student does not; adjusted: for the number of
scenarios of the set."""


def write_study_report(run_dir: Path, results: Results) -> None:
    """Write report.md, report.html and scenarios.csv into a run folder, each at once; the page needs nothing else.

    The model card of the adapter gets the table of alignment.
    """
    seconds, known = sum(read_seconds(run_dir).values()), read_known_shares(run_dir)
    course = read_course(run_dir / "adapter" / ADAPTER_RECORD, RunError)
    parts = report_sections(results, seconds, known, training_sections(course))
    title = f"Alignment of the student with its teacher: {results['recipe']}"
    write_text(run_dir / "report.md", markdown(title, parts))
    write_text(run_dir / "report.html", html(title, parts))
    write_text(run_dir / "scenarios.csv", scenarios_csv(results))
    write_alignment(run_dir / "adapter", alignment_section(results))


def alignment_section(results: Results) -> str:
    """What the model card of the tuned student says of its alignment, in Markdown."""
    asked = (
        f"Measured by dilemmas with the recipe {results['recipe']}: 1 = answers as the teacher, 0 = as the student"
        " before it was tuned. The null player cooperates at the teacher's mean rate in every game and context."
    )
    return markdown_blocks((Paragraph(asked), gap_table(results["alignment"])))


def scenarios_csv(results: Results) -> str:
    """A line for each scenario and model; unknown values are empty."""
    return csv_text(CSV_COLUMNS, _csv_lines(results))


def _csv_lines(results: Results) -> Iterator[tuple[object, ...]]:
    for name, rows in results["scenarios"].items():
        for row in rows:
            for role in ROLES:
                answers, gap = row[role], row["gap_closed"] if role == "tuned" else {}
                yield (
                    *(name, row["name"], row["game"], row["context"], role, answers["exact"], answers["sampled"]),
                    *(sum(answers["counts"]), answers["unreadable"], *(answers["bounds"] or (None, None))),
                    *(gap.get("exact"), gap.get("sampled"), *_p_values(row, role)),
                )


def _p_values(row: Results, role: str) -> Iterator[float | None]:
    """p-values of the tests of a model against the teacher, and adjusted ones."""
    test, adjusted = row.get(f"test_{role}"), row["adjusted"]
    yield from (test and test["p"], adjusted.get(role))
    yield from (row["alike_tuned"], adjusted["alike"]) if role == "tuned" else (None, None)


def print_study_tables(console: Console, results: Results) -> None:
    """Print the main tables, which fit a terminal of 80 columns."""
    print_sections(console, terminal_sections(results))


def report_sections(
    results: Results, seconds: float, known: Sequence[str], training: Sequence[Section]
) -> list[Section]:
    """The whole report; what was not measured is left out.

    `seconds`: time spent on the study. `known`: how many questions were put to each model, in words. `training`: how
    the student was trained.
    """
    ranked = sorted(METRICS, key=lambda metric: metric.report_rank)
    parts = [
        Section(SUMMARY, (*_caveat(results), *_warnings(results), Paragraph(_what_was_run(results)))),
        *(section for metric in ranked for section in metric.sections(results)),
        *training,
        Section("Limitations", (Bullets(tuple(_limits(results))),)),
        Section("Provenance", (model_table(results["models"]), run_table(results, seconds, known))),
    ]
    return _joined(parts)


def terminal_sections(results: Results) -> list[Section]:
    """The main tables and the warnings, for the terminal."""
    ranked = sorted(METRICS, key=lambda metric: metric.terminal_rank)
    shown = [section for metric in ranked for section in metric.terminal(results)]
    warnings = [Section("Warnings", tuple(_warnings(results)))] if results["warnings"] else []
    return [*warnings, *shown, *(Section("About these models", (notice,)) for notice in _caveat(results))]


def _joined(parts: Sequence[Section]) -> list[Section]:
    """Sections of the same title as one; those without a block are left out."""
    blocks: dict[str, list[Block]] = {}
    for part in parts:
        blocks.setdefault(part.title, []).extend(part.blocks)
    return [Section(title, tuple(found)) for title, found in blocks.items() if found]


def _warnings(results: Results) -> Iterator[Notice]:
    yield from map(Notice, results["warnings"])


def _caveat(results: Results) -> list[Notice]:
    """A warning where the models are miniatures."""
    if not any(model["miniature"] for model in results["models"]):
        return []
    return [
        Notice(
            "These models are miniatures, made to test the whole procedure in minutes. They show that the measurement "
            "works; they say nothing about large language models."
        )
    ]


def _what_was_run(results: Results) -> str:
    names = {model["role"]: model["name"] for model in results["models"]}
    asked = [row for rows in results["scenarios"].values() for row in rows]
    ways = []
    if _estimated(results, "exact"):
        ways.append("the probabilities of the actions were computed (the exact estimate, free of sampling error)")
    if _estimated(results, "sampled"):
        ways.append(f"{results['observations']} answers were drawn (the sampled estimate)")
    return (
        f"The teacher, {names.get('teacher', 'unnamed')}, answered {results['training']['scenarios']} training "
        f"scenarios, each a social dilemma in a social context. The student, {names.get('untuned', 'unnamed')}, was "
        f"tuned on those answers. The teacher, and the student before and after tuning, were asked about {len(asked)} "
        f"scenarios. For each model and scenario, {' and '.join(ways) or 'no answer could be read'}."
    )


def _estimated(results: Results, estimate: str) -> bool:
    """Whether there is an estimate of the teacher's cooperation."""
    return any(row["teacher"][estimate] is not None for rows in results["scenarios"].values() for row in rows)


def _limits(results: Results) -> Iterator[str]:
    for metric in METRICS:
        yield from metric.limits(results)
    yield "Only choices are compared, not the reasons for them: models that answer alike may reason differently."


def model_table(models: Sequence[Results]) -> Table:
    """Who played which part."""
    cells = (
        (row["role"], row["name"], "yes" if row["miniature"] else "no", row["engine"], row["fingerprint"])
        for row in models
    )
    return Table("Models", ("role", "name", "miniature", "computed by", "fingerprint"), tuple(cells), words=5)


def run_table(results: Results, seconds: float, known: Sequence[str]) -> Table:
    """What is needed to reproduce the numbers."""
    facts = [
        ("recipe", results["recipe"]),
        ("prompt template", results["template"]),
        ("seed", str(results["seed"])),
        ("answers per scenario and model", str(results["observations"]) if _estimated(results, "sampled") else "none"),
        ("simulated samples of answers", f"{results['resamples']:,}"),
        ("time", duration(seconds)),
        *(("questions asked once", line) for line in known),
        *_flat(results["provenance"]),
    ]
    return Table("Run", ("what", "value"), tuple(facts), words=2)


def _flat(table: Results, place: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a nested table, with the path to each."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{key} ")
        elif value is not None:
            yield f"{place}{key}", " ".join(map(str, value)) if isinstance(value, list) else str(value)
