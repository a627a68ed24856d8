"""`dilemmas infer`: which strategies people, models or other agents played, and with which shares."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import click
import numpy as np
from rich.table import Table
from rich.text import Text

from dilemmas.agents.visible_text import visible
from dilemmas.envs.checks import check_memory
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.options import Location, json_option, print_json, reading_options, seed_option
from dilemmas.experiments.inference.candidates import USUAL_CANDIDATES, candidate_automata
from dilemmas.experiments.inference.likelihoods import MOST_TREMBLE, Evidence, InferenceError, evidence
from dilemmas.experiments.inference.mixture import TOLERANCE, Criterion, Inference, infer, selected
from dilemmas.experiments.inference.play_tables import TABLES, unused_columns
from dilemmas.experiments.inference.recorded_play import (
    Choice,
    SubjectUnit,
    by_subject,
    by_treatment,
    common_game,
    read_play,
)
from dilemmas.experiments.reporting.cost import check_duration
from dilemmas.experiments.reporting.format import NONE
from dilemmas.experiments.reporting.parsing import listed
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_table import number_column, terminal_table, word_column
from dilemmas.experiments.reporting.terminal_text import echo, one_line


@click.command()
@click.argument("paths", metavar="PATH...", type=Location(), nargs=-1, required=True)
@click.option(
    "--strategies",
    metavar="A,B,...",
    shell_complete=completion.agents,
    show_default="13 common strategies",
    help="Candidates, comma-separated: strategies, or policy tables with two actions.",
)
@click.option(
    "--by",
    type=click.Choice(get_args(SubjectUnit)),
    default="agent",
    show_default=True,
    help="What is assumed to keep one strategy: an agent of a file, a seat of a file, or a seat of a match.",
)
@click.option(
    "--bootstrap",
    type=click.IntRange(2, 1_000_000),
    default=1000,
    show_default=True,
    help="Number of bootstrap samples of the subjects, for standard errors and for the intervals of trembles.",
)
@seed_option("the bootstrap")
@click.option("--own-trembles", is_flag=True, help="Estimate a separate tremble for each strategy.")
@click.option(
    "--select",
    type=click.Choice(["bic", "icl"]),
    help="Drop strategies one by one while this criterion decreases.",
)
@reading_options
@json_option
def command(
    paths: Sequence[Path],
    strategies: str | None,
    by: SubjectUnit,
    bootstrap: int,
    seed: int,
    own_trembles: bool,
    select: Criterion | None,
    choices: Choice,
    one: str | None,
    cooperate: str | None,
    as_json: bool,
) -> None:
    """Estimate from recorded play which strategies were played, by the method of Dal Bó & Fréchette 2011.

    PATH is a run folder (of a tournament only with --engine environment), a *.trajectory.jsonl file, or a .csv table of
    human play with the columns subject, match, round, own and other, and perhaps session, treatment and intended.
    Treatments are fitted apart. --json includes the posterior of each subject.
    """
    treatments = by_treatment(read_play(paths, choices, one, cooperate))
    tell_unused(paths)
    specs = USUAL_CANDIDATES if strategies is None else listed(strategies)
    rng, results = np.random.default_rng(seed), {}
    for treatment, plays in treatments.items():
        candidates = candidate_automata(specs, plays[0].players, common_game(plays))
        counted = evidence(by_subject(plays, by), candidates)
        check_bootstrap(counted, bootstrap)
        try:
            with SafeConsole(stderr=True).status("fitting"):
                if select is not None:
                    counted = selected(counted, rng, select, own_trembles)
                results[treatment] = infer(counted, rng, bootstrap, own_trembles)
        except InferenceError as error:
            raise InferenceError(f"treatment {treatment}: {error}" if len(treatments) > 1 else str(error)) from None
    if as_json:
        return print_json(all_data(results))
    console = SafeConsole()
    for treatment, result in results.items():
        if len(results) > 1:
            console.print(Text(f"treatment {visible(treatment)}", "bold"))
        console.print(share_table(result))
        for line in summary(result):
            echo(line)
    if len(results) > 1:
        echo(f"{len(results)} treatments, each with its own shares: log-likelihood {total(results):z.2f} in all")


def check_bootstrap(counted: Evidence, samples: int) -> None:
    """Announce a long bootstrap; `InputError` for one that takes too long or too much memory."""
    k, subjects = len(counted.strategies), len(counted.subjects)
    what = f"{samples:,} bootstrap samples of {subjects:,} subjects with {k} strategies"
    check_memory(what, 16.0 * samples * (subjects + 4 * k), "take a smaller --bootstrap")
    check_duration(what, 3e-6 * samples * subjects * k, "take a smaller --bootstrap")


def tell_unused(paths: Sequence[Path]) -> None:
    """Say which columns of tables are not used."""
    for path in paths:
        if path.suffix.lower() in TABLES and (unused := unused_columns(path)):
            echo(f"{path}: columns that are not used: {one_line(', '.join(unused))}", err=True)


def all_data(results: Mapping[str, Inference]) -> dict[str, Any]:
    """The results as plain data: of the only treatment, or of each by its name."""
    found = {treatment: inference_data(result) for treatment, result in results.items()}
    if len(found) == 1:
        return next(iter(found.values()))
    return {"treatments": found, "log_likelihood": total(results)}


def total(results: Mapping[str, Inference]) -> float:
    """Log-likelihood of all treatments."""
    return sum(result.log_likelihood for result in results.values())


def share_table(result: Inference) -> Table:
    """One line per strategy, the most frequent one first."""
    own = len(result.trembles) > 1
    headings = ["share", "s.e.", "95% interval", "all at once", "subjects", *(["tremble"] if own else [])]
    rows = []
    for k in np.argsort(-result.shares, kind="stable"):
        cells = [f"{result.shares[k]:.3f}", _error(result.errors[k]), _span(result.pointwise[k])]
        cells += [_span(result.intervals[k]), f"{result.assigned[k]:.6g}"]
        cells += [f"{result.trembles[k]:.3f}"] if own else []
        rows.append([one_line(result.evidence.strategies[k]), *cells])
    return terminal_table([word_column("strategy"), *map(number_column, headings)], rows)


def summary(result: Inference) -> list[str]:
    """Lines printed below the table."""
    lines = []
    if len(result.trembles) == 1:
        span = _span(result.tremble_intervals[0])
        lines.append(
            f"tremble {result.trembles[0]:.3f} (s.e. {_error(result.tremble_errors[0])}, 95% {span}; gamma"
            f" {'without limit' if result.trembles[0] > MOST_TREMBLE - TOLERANCE else f'{result.gamma[0]:.3g}'})"
        )
    lines.append(f"log-likelihood {result.log_likelihood:z.2f}, BIC {result.bic:z.2f}, ICL {result.icl:z.2f}")
    counted = result.evidence
    together = f" in {counted.independent} clusters" if counted.independent < len(counted.subjects) else ""
    lines.append(f"{len(counted.subjects)} subjects{together}, {counted.choices} choices")
    if together:
        lines.append(
            "cluster: subjects with random numbers in common (equal seeds of their matches), which count as one"
        )
    return lines + inference_warnings(result)


def inference_warnings(result: Inference) -> list[str]:
    """Limits of the interpretation of the shares."""
    trembles = dict(zip(result.evidence.strategies, np.broadcast_to(result.trembles, result.shares.shape), strict=True))
    found = []
    for names in result.tied:
        coins = all(trembles[name] > MOST_TREMBLE - TOLERANCE for name in names)
        why = "with a tremble of 1/2 nothing distinguishes" if coins else "no recorded choice distinguishes"
        found.append(f"warning: {why} {', '.join(names)}; only the sum of their shares is identified")
    return found


def inference_data(result: Inference) -> dict[str, Any]:
    """A result as plain data."""
    counted, names = result.evidence, result.evidence.strategies
    columns = {
        "share": result.shares,
        "standard_error": result.errors,
        "interval": result.intervals,
        "pointwise_interval": result.pointwise,
        "assigned": result.assigned,
    }
    trembles = {
        "value": result.trembles,
        "gamma": result.gamma,
        "standard_error": result.tremble_errors,
        "pointwise_interval": result.tremble_intervals,
    }
    return {
        "strategies": dict(zip(names, _rows(columns), strict=True)),
        "tremble": _rows(trembles) if len(result.trembles) > 1 else _rows(trembles)[0],
        "log_likelihood": result.log_likelihood,
        "bic": result.bic,
        "icl": result.icl,
        "subjects": len(counted.subjects),
        "clusters": counted.independent,
        "choices": counted.choices,
        "warnings": inference_warnings(result),
        "posterior": {
            subject: dict(zip(names, row, strict=True))
            for subject, row in zip(counted.subjects, result.posterior.tolist(), strict=True)
        },
    }


def _rows(columns: Mapping[str, Numbers]) -> list[dict[str, Any]]:
    """Arrays of equal length by name, as one mapping per entry; NaN, an unknown number, becomes None."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*map(_with_none, columns.values()), strict=True)]


def _with_none(values: Numbers) -> list[Any]:
    """An array as lists, with None for NaN."""
    known = values.astype(object)
    known[np.isnan(values)] = None
    return list(known.tolist())


def _error(value: float) -> str:
    return NONE if np.isnan(value) else f"{value:.3f}"


def _span(interval: Numbers) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"
