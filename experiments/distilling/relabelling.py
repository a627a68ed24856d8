"""On-policy relabelling: a student plays, and its teacher says what it would have done in its place."""

from pathlib import Path

from dilemmas.agents.tables.compilation import TellProgress
from dilemmas.experiments.distilling.matches import MatchPlan, play_out
from dilemmas.experiments.distilling.sources import Lessons, teacher_file
from dilemmas.experiments.distilling.teaching import teach_policy
from dilemmas.experiments.study.teachers import teacher_of
from dilemmas.training.demonstrations import Demonstration


def relabelled(lessons: Lessons, student: str, number: int, kept: Path, tell: TellProgress) -> list[Demonstration]:
    """The teacher's policy where a student decided in its own matches; each question is taught once.

    Parameters
    ----------
    lessons
        What is taught; the only one of its data is the teacher.
    student
        Specification of the student.
    number
        Number of the relabelling, which seeds the matches.
    kept
        Folder in which the answers of language models are kept.
    tell
        Called with the number of situations that the teacher has been asked about, and of all.
    """
    asked, (spec,), context = lessons.relabelling, lessons.data, lessons.contexts[0]
    if asked is None:
        return []
    plan = MatchPlan(asked.rules, context, asked.opponents, asked.matches, lessons.recipe.seed * 1000 + number)
    others = {one: teacher_of(one, lessons.framing) for one in asked.opponents}
    _, situations = play_out(plan, student, teacher_of(student, lessons.framing), others)
    teacher = teacher_of(spec, lessons.framing, teacher_file(kept, spec))
    return list(dict.fromkeys(teach_policy(lessons.prompts, teacher, situations, 0, tell)))
