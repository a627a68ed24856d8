"""`dilemmas look`: the teaching data of a run, with summary counts."""

from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
from rich.table import Table
from rich.text import Text

from dilemmas.agents.matches.trajectory import check_recorded
from dilemmas.agents.visible_text import visible
from dilemmas.envs.names import lookup
from dilemmas.experiments.commands.options import Location, json_option, print_json, seed_option
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_table import number_column, terminal_table, word_column
from dilemmas.training.examples import Example, ExampleError, Summary, read_examples, summarise


@click.command()
@click.argument("path", type=Location())
@click.option("--scenario", show_default="all", help="Only this scenario, such as harmony/friends.")
@click.option(
    "--show",
    type=click.IntRange(0, 1_000_000),
    default=3,
    show_default=True,
    help="Number of examples to print, drawn at random.",
)
@seed_option("the draw")
@json_option
def command(path: Path, scenario: str | None, show: int, seed: int, as_json: bool) -> None:
    """Show the teaching data of a run: the teacher's answers and motivations, with counts per scenario.

    PATH is a run folder or an examples.jsonl file. --json prints the counts.
    """
    check_recorded(path)
    file = path / "examples.jsonl" if path.is_dir() else path
    examples = read_examples(file)
    if not examples:
        raise ExampleError(f"{file} contains no example: no answer of the teacher was readable")
    summaries = {summary.scenario: summary for summary in summarise(examples)}
    if scenario is not None:
        summaries = {scenario: lookup("scenario", scenario, summaries, str(path))}
        examples = [example for example in examples if example.scenario == scenario]
    if as_json:
        return print_json([asdict(summary) for summary in summaries.values()])
    console = SafeConsole()
    console.print(summary_table(list(summaries.values())))
    rng = np.random.default_rng(seed)
    for index in sorted(rng.permutation(len(examples))[:show]):
        console.print(example_text(examples[index]))


def summary_table(summaries: list[Summary]) -> Table:
    """Answers and motivations by scenario; fits 80 columns."""
    columns = [word_column("scenario"), *map(number_column, ("answers", "motivations", "words"))]
    rows = []
    for summary in summaries:
        answers = "  ".join(f"{label} {count}" for label, count in summary.counts)
        rows.append([summary.scenario, answers, str(summary.motivations), f"{summary.words:.1f}"])
    return terminal_table(columns, rows)


def example_text(example: Example) -> Text:
    """One example; text of the model is never interpreted as markup."""
    return Text.assemble(
        (visible(f"\n{example.scenario}\n"), "bold"),
        (visible(f"{example.prompt}\n"), "dim"),
        ("→ ", "bold"),
        visible(example.completion),
    )
