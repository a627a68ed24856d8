"""`dilemmas compare`: finished studies side by side."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from dilemmas.envs.checks import check_different_files
from dilemmas.envs.data_files import differences
from dilemmas.envs.errors import InputError
from dilemmas.experiments.commands.options import Location, json_option, print_json
from dilemmas.experiments.commands.studies.report import finished_study
from dilemmas.experiments.reporting.format import NONE, Results, num, with_span
from dilemmas.experiments.reporting.page import Bullets, Section, Table, print_sections
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.run_folder import json_values
from dilemmas.experiments.study.titles import set_title

MEASURES = ("gap_closed", "interval", "null", "transfer", "transfer_interval", "estimate")
"""What of the gap closed on a set is compared."""
MOST_DIFFERENCES = 20
"""Differences between recipes that are listed for each run."""


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
    first, *others = names
    recipes = {name: json_values(recipe.as_table()) for name, (recipe, _) in studies.items()}
    other = {name: list(differences(recipes[first], recipes[name])) for name in others}
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


def _tables(found: Mapping[str, Mapping[str, Results]]) -> Iterator[Section]:
    for name in dict.fromkeys(one for sets in found.values() for one in sets):
        rows = tuple(
            (
                run,
                with_span(row["gap_closed"], row["interval"]),
                num(row["null"]),
                with_span(row["transfer"], row["transfer_interval"]),
                num(row["correlation"]),
                num(row["label_mass"]),
            )
            if (row := sets.get(name))
            else (run, *[NONE] * 5)
            for run, sets in found.items()
        )
        table = Table(
            set_title(name),
            ("run", "gap closed", "null", "beyond null", "r", "label mass"),
            rows,
            words=1,
            note="r: correlation of the tuned student's cooperation with the teacher's over scenarios. In brackets: "
            "95% intervals.",
            missing="not measured in this run",
        )
        yield Section(table.title, (table,))


def _settings(first: str, other: Mapping[str, Sequence[str]]) -> Iterator[Section]:
    for name, found in other.items():
        more = [f"and {len(found) - MOST_DIFFERENCES} more"] if len(found) > MOST_DIFFERENCES else []
        lines = (*found[:MOST_DIFFERENCES], *more) or ("none",)
        yield Section(f"Settings in which {name} differs from {first}", (Bullets(tuple(lines)),))
