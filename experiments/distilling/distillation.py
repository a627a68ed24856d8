"""A distillation: teaching data are collected, and a student is tuned on them, in a folder of its own.

distil.json      what was asked for            demonstrations.jsonl  the teaching data
adapter/         the tuned student             questions/            what teachers that are language models answered
provenance.json  versions, git commit, command log.txt               what happened when
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dilemmas.agents.models.model_files import is_hub_id, portable_name
from dilemmas.agents.models.open_model import check_trainable, open_local
from dilemmas.envs.locks import locked_folder
from dilemmas.envs.seals import PROVENANCE, Seals
from dilemmas.experiments.distilling.sources import Lessons, taught
from dilemmas.experiments.distilling.teaching import TeachingError, Tell
from dilemmas.experiments.run_folder import (
    append_log,
    check_folder,
    json_values,
    provenance,
    read_run_json,
    recover,
    write_json,
)
from dilemmas.training.demonstrations import Demonstration, read_demonstrations, write_demonstrations

SETTINGS, DEMONSTRATIONS = "distil.json", "demonstrations.jsonl"


@dataclass(frozen=True, slots=True)
class Tuned:
    """A student that was tuned."""

    adapter: str
    """Specification of the student with its adapter, as commands take it."""
    demonstrations: int
    """Demonstrations that it was taught."""
    questions: int
    """Different questions among them."""
    steps: int
    """Optimiser steps."""
    loss: float
    """Loss in the last step, in nats."""


class Distillation:
    """The folder of one distillation."""

    def __init__(self, folder: Path, lessons: Lessons) -> None:
        """Open a folder, which `collect` creates; that of another distillation is refused (`RunError`)."""
        self.folder, self.lessons = folder, lessons
        self._check()
        check_trainable(lessons.recipe.models.student)

    def _check(self) -> None:
        path = self.folder / SETTINGS
        kept = read_run_json(path, dict[str, Any]) if path.is_file() else None
        check_folder(self.folder, "distillation", SETTINGS, kept, json_values(asdict(self.lessons)), " or delete it")

    def run(self, tell: Tell, follow: Tell) -> Tuned:
        """Collect the teaching data and tune the student, resumed where an earlier attempt ended.

        `tell`: called with the number of situations that a teacher has been asked about, and of all; `follow`: with the
        number of training steps that are done, and of all.
        """
        with locked_folder(self.folder):
            self._check()
            recover(self.folder)
            shown = self._collect(tell)
            return self._tune(shown, follow)

    def _collect(self, tell: Tell) -> list[Demonstration]:
        """The teaching data; those that are complete are not made again."""
        seals, path = Seals(self.folder), self.folder / DEMONSTRATIONS
        if seals.fits(path):
            return list(read_demonstrations(path))
        kept = self.folder / "questions"
        shown = [one for some in taught(self.lessons, kept, tell) for one in some]
        if not shown:
            raise TeachingError(f"{', '.join(self.lessons.data)}: nothing was decided, so nothing can be taught")
        write_json(self.folder / SETTINGS, asdict(self.lessons))
        write_json(self.folder / PROVENANCE, provenance())
        write_demonstrations(path, shown)
        seals.add(path)
        append_log(self.folder, f"{len(shown):,} demonstrations")
        return shown

    def _tune(self, shown: list[Demonstration], follow: Tell) -> Tuned:
        from dilemmas.training.adapters import RECORD, BaseModel
        from dilemmas.training.distill import distil

        recipe, adapter = self.lessons.recipe, self.folder / "adapter"
        student = open_local(recipe.models.student, device=recipe.models.device, dtype=recipe.models.dtype)
        base = BaseModel(portable_name(recipe.models.student), student.fingerprint, is_hub_id(recipe.models.student))
        for step in distil(*student.weights(), shown, recipe.lora, adapter, recipe.seed, base=base):
            follow(step.step, step.steps)
        losses = read_run_json(adapter / RECORD, dict[str, Any])["losses"]
        questions = len({(one.prompt, one.system) for one in shown})
        return Tuned(f"{recipe.models.student}+{adapter}", len(shown), questions, len(losses), losses[-1])


def preview(lessons: Lessons) -> Iterator[Demonstration]:
    """The demonstrations of a distillation, without a folder."""
    for some in taught(lessons):
        yield from some
