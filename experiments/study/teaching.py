"""Teaching data of a study: the teacher's answers and probabilities as the student will be asked for them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dilemmas.agents.models.answers import exact_distributions
from dilemmas.agents.models.deciding.deliberation import DecisionQuestion
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.study.answers import Asked, read_answers
from dilemmas.experiments.study.playing import Player
from dilemmas.experiments.study.recipe import TRAINING_SET, Recipe
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.stages import role_questions
from dilemmas.experiments.study.teachers import AgentTeacher
from dilemmas.training.demonstrations import Demonstration, from_example
from dilemmas.training.examples import Example, write_examples
from dilemmas.training.lora import Method

EXAMPLES = "examples.jsonl"
"""Name of the file of a run folder with the teaching data."""


def teach(run: Run) -> list[Example]:
    """Teaching data, which are kept in the run folder: the teacher's readable answers to the training scenarios."""
    path, examples = run.path(EXAMPLES), answers_taught(run.recipe, teacher_answers(run.folder))
    if not run.seals.fits(path):
        write_examples(path, examples)
        run.seals.add(path)
    return examples


def teacher_answers(folder: Path) -> dict[str, Asked]:
    """What the teacher of a run answered, by scenario."""
    return {asked.scenario: asked for asked in read_answers(folder / "answers" / "teacher.jsonl")}


def answers_taught(recipe: Recipe, asked: Mapping[str, Asked]) -> list[Example]:
    """The teacher's readable answers to the training scenarios, with the prompts of the student.

    Hard labels are taught without motivations where these weigh nothing.
    """
    return [answer.example for answer in _readable(recipe, asked)]


@dataclass(frozen=True, slots=True)
class _ReadableAnswer:
    """An answer of the teacher, as it is taught, and as it was asked for and given."""

    example: Example
    labels: tuple[str, ...]
    teacher_prompt: str
    text: str


def _readable(recipe: Recipe, asked: Mapping[str, Asked]) -> Iterator[_ReadableAnswer]:
    silent = recipe.lora.method == "hard" and not recipe.lora.motivation
    for scenario in recipe.sets()[TRAINING_SET]:
        ways, before = (role_questions(recipe, role, scenario) for role in ("untuned", "teacher"))
        for reply, (text, action, motivation) in enumerate(asked[scenario.name].replies):
            if action is not None:
                way = reply % len(ways)
                shown, whole = ways[way], text if recipe.prompting.template.deliberate else ""
                said = "" if silent else motivation
                example = Example(scenario.name, shown.prompt, shown.labels[action], action, said, whole)
                yield _ReadableAnswer(example, shown.labels, before[way].prompt, text.strip())


def demonstrations(recipe: Recipe, asked: Mapping[str, Asked], method: Method) -> list[Demonstration]:
    """What the student learns from the teacher's answers to the training scenarios.

    Parameters
    ----------
    recipe
        The recipe of the study.
    asked
        What its teacher answered, by scenario.
    method
        ``hard``: every readable answer; ``soft``: the probabilities in every wording and presentation; ``motivated``:
        every readable answer, with these probabilities; ``tokens``: every readable answer, with the question of the
        teacher.

    Raises
    ------
    RunError
        If there are no probabilities to teach.
    """
    around = _around(recipe)
    if method in ("hard", "tokens"):
        answers = [(from_example(one.example, labels=one.labels, **around), one) for one in _readable(recipe, asked)]
        if method == "hard":
            return [shown for shown, _ in answers]
        return [replace(shown, reply=one.text, teacher_prompt=one.teacher_prompt) for shown, one in answers]
    shown = []
    for scenario in recipe.sets()[TRAINING_SET]:
        found = asked[scenario.name]
        for place, way in enumerate(role_questions(recipe, "untuned", scenario)):
            shares = found.presented[place].exact
            if shares is None or recipe.prompting.template.deliberate:
                raise RunError(
                    f"the teacher has no probabilities in {scenario.name} that can be taught; use method hard"
                )
            replies = [text for text, action, _ in found.replies[place :: len(found.presented)] if action is not None]
            shown += [
                Demonstration(way.prompt, way.labels, shares, reply, situation=scenario.name, **around)
                for reply in (replies if method == "motivated" else [""])
            ]
    return shown


def _around(recipe: Recipe) -> dict[str, str]:
    """Beginning of replies and system text of the student."""
    words = recipe.prompting.template
    return {"prefill": words.reply_begins, "system": words.system}


def random_questions(recipe: Recipe, teacher: Player) -> list[Demonstration]:
    """The teacher's probabilities in random games, each in one wording and presentation, or in two opposite ones."""
    around = _around(recipe)
    asked = [
        (scenario, recipe.ways_of_question(place, scenario.game))
        for place, scenario in enumerate(recipe.random_scenarios())
    ]

    def posed(role: str) -> list[DecisionQuestion]:
        every = ((role_questions(recipe, role, scenario), chosen) for scenario, chosen in asked)
        return [ways[way] for ways, chosen in every for way in chosen]

    if isinstance(teacher, AgentTeacher):
        policies = ((teacher.policy(scenario.game, scenario.context), chosen) for scenario, chosen in asked)
        found = [shares for shares, chosen in policies for _ in chosen]
    else:
        questions = [(way.prompt, way.labels) for way in posed("teacher")]
        answers = exact_distributions(teacher, questions, around["prefill"], around["system"])
        found = [one.probabilities for one in answers]
    named = recipe.questions.opposite
    names = [f"question {place}" if named else "" for place, (_, chosen) in enumerate(asked) for _ in chosen]
    return [
        Demonstration(way.prompt, way.labels, shares, situation=name, **around)
        for name, way, shares in zip(names, posed("untuned"), found, strict=True)
    ]
