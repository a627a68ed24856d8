"""`dilemmas compare`: finished studies side by side."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

import click

from dilemmas.envs.checks import check_different_files
from dilemmas.envs.data_files import different_values, json_text
from dilemmas.envs.errors import InputError
from dilemmas.experiments.commands.options import Location, json_option, print_json
from dilemmas.experiments.commands.studies.report import finished_study
from dilemmas.experiments.reporting.format import Results, num, with_span
from dilemmas.experiments.reporting.page import Bullets, Paragraph, Section, Table, print_sections
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.run_folder import json_values
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.titles import set_title

MEASURES = ("gap_closed", "interval", "null", "transfer", "transfer_interval", "estimate")
"""What of the gap closed on a set is compared."""
MOST_DIFFERENCES = 20
"""Differences between recipes that are listed for each run."""
COLUMNS = (
    "Estimate: from the models' own probabilities (exact), or from replies (sampled). Null: gap closed by a player that"
    " cooperates at the teacher's mean rate in every scenario. Beyond null: gap closed minus null. r: correlation of"
    " the tuned student's cooperation with the teacher's over scenarios. In brackets: 95% intervals."
)
LONGEST = 160
"""Characters of a setting that are shown."""


@click.command()
@click.argument("runs", nargs=-1, type=Location(file_okay=False))
@json_option
def command(runs: tuple[Path, ...], as_json: bool) -> None:
    """Show finished studies side by side: gap closed, correlation with the teacher and label mass on every set, and in
    which settings they differ. RUNS: two or more run folders."""
    names = [str(run) for run in runs]
    if len(set(names)) < 2:
        raise InputError("needs two or more different run folders: dilemmas compare runs/one runs/other")
    check_different_files(runs)
    studies = dict(zip(names, map(finished_study, runs), strict=True))
    found = {name: _measures(results) for name, (_, results) in studies.items()}
    (first, whole), *others = ((name, recipe) for name, (recipe, _) in studies.items())
    other = {name: list(_differences((first, whole), (name, recipe))) for name, recipe in others}
    if as_json:
        print_json({"runs": found, "differences": other})
    else:
        print_sections(SafeConsole(), [*_tables(found), *_settings(first, other)])


def _measures(results: Results) -> dict[str, dict[str, Any]]:
    """What is compared, by set."""
    patterns = {row["set"]: row for row in results["pattern"]}
    masses = {(row["set"], row["model"]): row["mean"] for row in results["label_mass"]}
    return {
        name: {key: row[key] for key in MEASURES}
        | {"correlation": patterns[name]["tuned"], "label_mass": masses.get((name, "tuned"))}
        for name, row in results["alignment"].items()
    }


def _differences(one: tuple[str, Recipe], other: tuple[str, Recipe]) -> Iterator[str]:
    """A line for each setting in which two runs, each with its name, differ; of answers, how many are drawn."""
    names = one[0], other[0]
    tables = [json_values(recipe.as_table() | {"observations": recipe.drawn}) for _, recipe in (one, other)]
    for place, *values in different_values(*tables):
        shown = zip(names, _only(values) or map(_said, values), strict=True)
        yield f"{place}: {', '.join(f'{text} in {name}' for name, text in shown if text)}"


def _only(values: Sequence[Any]) -> list[str]:
    """What only one of two lists of names has, in words, for each; empty if they are no such lists or alike."""
    if not all(isinstance(value, list) and all(isinstance(item, str) for item in value) for value in values):
        return []
    own = [[item for item in mine if item not in theirs] for mine, theirs in (values, values[::-1])]
    return [f"{_said(items)} only" if items else "" for items in own] if any(own) else []


def _said(value: Any) -> str:
    """A setting as in a recipe; of a table its name, if it has one."""
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return f"its own {_said(value['name'])}" if "name" in value else "a table of its own"
    text = ", ".join(map(_said, value)) or "none" if isinstance(value, list) else json_text(value)
    return shorten(text, LONGEST, placeholder=" ...")


def _tables(found: Mapping[str, Mapping[str, Results]]) -> Iterator[Section]:
    for name in dict.fromkeys(one for sets in found.values() for one in sets):
        rows = tuple(
            (
                run,
                row["estimate"],
                with_span(row["gap_closed"], row["interval"]),
                num(row["null"]),
                with_span(row["transfer"], row["transfer_interval"]),
                num(row["correlation"]),
                num(row["label_mass"]),
            )
            for run, sets in found.items()
            if (row := sets.get(name))
        )
        without = [run for run, sets in found.items() if name not in sets]
        table = Table(
            set_title(name),
            ("run", "estimate", "gap closed", "null", "beyond null", "r", "label mass"),
            rows,
            words=2,
            missing="no value: of the gap closed, teacher and untuned student are not known to differ in any scenario;"
            " of r, they are fewer than three, or do not vary; of the label mass, there are no probabilities",
        )
        left_out = [Paragraph(f"{', '.join(without)}: has no such scenarios.")] if without else []
        yield Section(table.title, (table, *left_out))
    yield Section("Columns", (Paragraph(COLUMNS),))


def _settings(first: str, other: Mapping[str, Sequence[str]]) -> Iterator[Section]:
    for name, found in other.items():
        more = [f"and {len(found) - MOST_DIFFERENCES} more"] if len(found) > MOST_DIFFERENCES else []
        lines = (*found[:MOST_DIFFERENCES], *more) or ("none",)
        yield Section(f"Settings in which {name} differs from {first}", (Bullets(tuple(lines)),))
