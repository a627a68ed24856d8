"""The folder of an experiment: runs that are finished are kept, and a stopped experiment goes on where it was.

experiment.json  what is carried out         runs.jsonl       what each finished run measured
VARIANT/seed-N/  the folder of a run         results.json     means, differences and limits over seeds
report.md, report.html                       provenance.json, seconds.json, log.txt, seals.jsonl
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dilemmas.envs.data_files import (
    append_text,
    complete_lines,
    drop_incomplete_line,
    json_text,
    parse_json,
    plain_value,
)
from dilemmas.envs.locks import locked_folder
from dilemmas.envs.seals import PROVENANCE, RESULTS, Seals, check_described
from dilemmas.envs.validation import Count
from dilemmas.experiments.run_folder import (
    add_seconds,
    append_log,
    check_folder,
    json_values,
    provenance,
    read_run_json,
    recover,
    write_json,
    write_sealed,
)
from dilemmas.experiments.series.aggregate import (
    Aggregate,
    DifferenceOverSeeds,
    FinishedRun,
    LimitVerdict,
    OverSeeds,
)
from dilemmas.experiments.series.measures import MeasuredNumber
from dilemmas.experiments.series.plan import Experiment, ExperimentError

SETTINGS, RUNS = "experiment.json", "runs.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesResults:
    """Results of an experiment: the content of its results.json."""

    format: Literal["dilemmas-experiment"]
    """Name of the format."""
    version: Literal[1]
    """Version of the format."""
    name: str
    """Name of the experiment."""
    question: str
    """Its question."""
    teacher: str
    """The teacher."""
    student: str
    """The student."""
    recipe: str
    """The recipe."""
    axis: str
    """What the names of the variants count; empty if they are no numbers."""
    seeds: tuple[Count, ...]
    """The seeds."""
    commands: Mapping[str, tuple[str, ...]]
    """The commands of every variant that was carried out."""
    measures: tuple[OverSeeds, ...]
    """Every number of every variant."""
    differences: tuple[DifferenceOverSeeds, ...]
    """Every number of the other variants minus that of the first one."""
    limits: tuple[LimitVerdict, ...]
    """What the limits of the experiment say."""
    then: tuple[str, ...]
    """Commands with which to go on."""


class Series:
    """The folder of one experiment."""

    def __init__(self, folder: Path, plan: Experiment, recipes: Mapping[str, Any]) -> None:
        """Open a folder, which `locked` creates; that of another experiment is refused (`RunError`).

        `recipes`: the resolved recipes that the commands name.
        """
        self.folder, self.plan = folder, plan
        self._settings = json_values({"experiment": plain_value(plan, Experiment), "recipes": recipes})
        self._check()
        self._seals = Seals(folder)

    def _check(self) -> None:
        check_described(self.folder)
        path = self.folder / SETTINGS
        kept = read_run_json(path, dict[str, Any]) if path.is_file() else None
        asked = None
        if kept is not None:
            kept, asked = _common(kept, self._settings), _common(self._settings, kept)
        check_folder(self.folder, "run of an experiment", SETTINGS, kept, asked, " or delete it")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Context manager: holds the lock of the folder, and makes it whole after a kill or damage."""
        with locked_folder(self.folder):
            self._check()
            if (self.folder / SETTINGS).is_file():
                self._seals = recover(self.folder)
            write_sealed(self._seals, SETTINGS, self._settings)
            write_sealed(self._seals, PROVENANCE, provenance())
            yield

    def place(self, variant: str, seed: int) -> Path:
        """The folder of a run."""
        return self.folder / variant / f"seed-{seed}"

    def finished(self) -> dict[tuple[str, int], FinishedRun]:
        """The runs that are finished, by variant and seed."""
        path = self.folder / RUNS
        if not path.is_file():
            return {}
        drop_incomplete_line(path)
        lines = [
            parse_json(line, FinishedRun, f"{path}, line {number}", ExperimentError, "delete the line")
            for number, line in complete_lines(path)
        ]
        return {(one.variant, one.seed): one for one in lines}

    def carry_out(
        self, variants: Sequence[str], seeds: Sequence[int], carry: Callable[[str, int], Sequence[MeasuredNumber]]
    ) -> Iterator[tuple[str, int]]:
        """Carry out what is not finished, all variants with the first seed and so on; needs the lock.

        `carry`: carries out the commands of a variant with a seed. Yields variant and seed before each.
        """
        done = self.finished()
        for seed in seeds:
            for variant in variants:
                if (variant, seed) in done:
                    continue
                yield variant, seed
                begun = time.monotonic()
                try:
                    found = FinishedRun(variant, seed, tuple(carry(variant, seed)))
                finally:
                    add_seconds(self.folder, variant, time.monotonic() - begun)
                append_text(self.folder / RUNS, json_text(plain_value(found, FinishedRun)) + "\n")
                self._seals.add(self.folder / RUNS, finished=False)
                append_log(self.folder, f"{variant}, seed {seed}: {time.monotonic() - begun:.1f} s")

    def results(self, variants: Sequence[str], seeds: Sequence[int]) -> dict[str, Any]:
        """The content of results.json, which is written; needs the lock."""
        plan, whole = self.plan, Aggregate(self.finished().values(), variants, seeds)
        found = SeriesResults(
            format="dilemmas-experiment",
            version=1,
            name=plan.name,
            question=plan.question,
            teacher=plan.teacher,
            student=plan.student,
            recipe=plan.recipe,
            axis=plan.axis,
            seeds=tuple(seeds),
            commands={name: plan.variants[name].run for name in variants},
            measures=tuple(whole.means()),
            differences=tuple(whole.differences()),
            limits=tuple(whole.verdicts(plan.limits)),
            then=plan.then,
        )
        results: dict[str, Any] = plain_value(found, SeriesResults)
        write_json(self.folder / RESULTS, results)
        self._seals.add(self.folder / RESULTS)
        return results


def _common(settings: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """That on which runs depend, of the variants and recipes that both settings have: others may be added."""
    (one, recipes), (two, known) = ((part.get("experiment", {}), part.get("recipes", {})) for part in (settings, other))
    return {key: one.get(key) for key in ("teacher", "student", "recipe")} | {
        "variants": {name: value for name, value in one.get("variants", {}).items() if name in two.get("variants", {})},
        "recipes": {name: value for name, value in recipes.items() if name in known},
    }
