"""A distillation: teaching data are collected, and a student is tuned on them, in a folder of its own.

With on-policy relabelling, the student then plays; the teacher says what it would have done on the histories that the
student reached; and a student is tuned anew on all data so far, again and again (DAgger: Ross, Gordon & Bagnell 2011,
AISTATS 15:627). A student that errs comes to histories that its teacher never meets, and learns there too.

distil.json      what was asked for            demonstrations.jsonl  the teaching data
adapter/         the tuned student             questions/            what teachers that are language models answered
rounds/N/        the data and the student before the Nth relabelling
provenance.json  versions, git commit, command log.txt               what happened when
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dilemmas.agents.models.networks.adapters import ADAPTER_RECORD
from dilemmas.agents.models.open_model import LazyModel, open_local
from dilemmas.agents.tables.compilation import TellProgress
from dilemmas.envs.errors import InputError
from dilemmas.envs.seals import PROVENANCE, Seals, check_described
from dilemmas.experiments.distilling.folders import DEMONSTRATIONS, SETTINGS
from dilemmas.experiments.distilling.relabelling import relabelled
from dilemmas.experiments.distilling.sources import Lessons, taught
from dilemmas.experiments.distilling.teaching_facts import teaching_facts
from dilemmas.experiments.run_folder import (
    append_log,
    check_folder,
    json_values,
    provenance,
    read_run_json,
    recover,
    write_sealed,
)
from dilemmas.experiments.study.conduct.procedure import check_tuned, token_teacher
from dilemmas.training.demonstrations import Demonstration, read_demonstrations, write_demonstrations
from dilemmas.training.loop.processes import launched

Follow = Callable[[int, int | None, str], object]
"""Called with the number of steps that are done, and of all once it is known, and what is known of the last one."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A student that was tuned."""

    adapter: str
    """Specification of the student with its adapter, as commands take it."""
    demonstrations: int
    """Demonstrations that were collected."""
    questions: int
    """Different questions among them."""
    taught: int
    """Demonstrations that it was taught; the others were held out."""
    steps: int
    """Optimiser steps."""
    loss: float
    """Loss in the last step, in nats."""
    held_out: float | None
    """Divergence of the adapter from the teacher's actions in situations that were held out, in nats; None if none
    were."""


class Distillation:
    """The folder of one distillation."""

    def __init__(self, folder: Path, lessons: Lessons) -> None:
        """Open a folder, which `collect` creates; that of another distillation is refused (`RunError`)."""
        self.folder, self.lessons, self.processes = folder, lessons, launched()
        if self.processes.first:
            self._check()

    def _check(self) -> None:
        check_described(self.folder)
        path = self.folder / SETTINGS
        kept = read_run_json(path, dict[str, Any]) if path.is_file() else None
        check_folder(self.folder, "distillation", SETTINGS, kept, json_values(asdict(self.lessons)), " or delete it")

    def run(self, tell: TellProgress, follow: Follow) -> Tuned:
        """Collect the teaching data and tune the student, resumed where an earlier attempt ended.

        `tell`: called with the number of situations that a teacher has been asked about, and of all; `follow`: with the
        number of training steps that are done, and of all, and the loss in words.
        """
        shared = self.processes.shared
        with self.processes.locked(self.folder):
            shared(partial(check_tuned, self.lessons.recipe))  # before a teacher is asked
            shown, asked = shared(partial(self._collect, tell)), self.lessons.relabelling
            for number in range(asked.times if asked else 0):
                before = self.folder / "rounds" / str(number)
                tuned = self._tune(shown, before, number, follow)
                shown = shown + shared(partial(self._relabelled, before, tuned, tell))
            return self._tune(shown, self.folder, asked.times if asked else 0, follow)

    def _relabelled(self, folder: Path, tuned: Tuned, tell: TellProgress) -> list[Demonstration]:
        """What the teacher would do on the histories that a student reaches; made once."""
        seals, path = Seals(folder), folder / DEMONSTRATIONS
        if seals.fits(path):
            return list(read_demonstrations(path))
        found = relabelled(self.lessons, tuned.adapter, int(folder.name), self.folder / "questions", tell)
        write_demonstrations(path, found)
        seals.add(path)
        return found

    def _collect(self, tell: TellProgress) -> list[Demonstration]:
        """The teaching data; those that are complete are not made again."""
        self._check()
        recover(self.folder)
        seals, path = Seals(self.folder), self.folder / DEMONSTRATIONS
        if seals.fits(path):
            return list(read_demonstrations(path))
        kept = self.folder / "questions"
        shown = list(taught(self.lessons, kept, tell))
        write_sealed(seals, SETTINGS, asdict(self.lessons))
        write_sealed(seals, PROVENANCE, provenance())
        write_demonstrations(path, shown)
        seals.add(path)
        append_log(self.folder, f"{len(shown):,} demonstrations")
        return shown

    def _student(self) -> LazyModel:
        models = self.lessons.recipe.models
        return open_local(models.student, device=self.processes.device(models.device), dtype=models.dtype)

    def _told(self, times: int, adapter: Path) -> dict[str, Any]:
        """What record and card say of the teaching."""
        try:
            return teaching_facts(self.lessons, times, adapter)
        except (InputError, OSError):  # what taught is there no more; the demonstrations are
            return {"data": [Path(word).name for word in self.lessons.data], "on_policy": times}

    def _tune(self, shown: list[Demonstration], folder: Path, times: int, follow: Follow) -> Tuned:
        """The student that was taught all so far, after playing and being taught again so many times."""
        from dilemmas.training.adapters import base_of
        from dilemmas.training.distill import distil

        recipe, adapter, student = self.lessons.recipe, folder / "adapter", self._student()
        model, tokenizer = student.weights()
        base = base_of(recipe.models.student, student.fingerprint, model)
        teacher = token_teacher(recipe, self.lessons.teacher)
        told = self.processes.shared(lambda: self._told(times, adapter))
        steps = distil(
            model, tokenizer, shown, recipe.lora, adapter, recipe.seed, base=base, teacher=teacher, taught=told
        )
        for step in steps:
            follow(step.step, step.total, step.note)
        record = self.processes.shared(lambda: read_run_json(adapter / ADAPTER_RECORD, dict[str, Any]))
        losses, measured = record["losses"], [value for step, value in record.get("held_out", []) if step]
        kept = (min(measured) if recipe.lora.patience else measured[-1]) if measured else None
        questions = len({(one.prompt, one.system) for one in shown})
        spec, examples = f"{recipe.models.student}+{adapter}", record["examples"]
        return Tuned(spec, len(shown), questions, examples, len(losses), losses[-1], kept)
