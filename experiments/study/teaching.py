"""Teaching data of a study: the teacher's answers and probabilities as the student will be asked for them."""

from collections.abc import Mapping
from pathlib import Path

from dilemmas.agents.models.answers import exact_distributions
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


def teach(run: Run) -> list[Example]:
    """Teaching data, which are kept in the run folder: the teacher's readable answers to the training scenarios."""
    path, examples = run.path("examples.jsonl"), answers_taught(run.recipe, teacher_answers(run.folder))
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
    examples, silent = [], recipe.lora.method == "hard" and not recipe.lora.motivation
    for scenario in recipe.sets()[TRAINING_SET]:
        ways = role_questions(recipe, "untuned", scenario)
        for reply, (text, action, motivation) in enumerate(asked[scenario.name].replies):
            if action is not None:
                shown, whole = ways[reply % len(ways)], text if recipe.prompting.template.deliberate else ""
                said = "" if silent else motivation
                examples.append(Example(scenario.name, shown.prompt, shown.labels[action], action, said, whole))
    return examples


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
        every readable answer, with these probabilities.

    Raises
    ------
    RunError
        If there are no probabilities to teach.
    """
    around = _around(recipe)
    if method == "hard":
        return [from_example(example, **around) for example in answers_taught(recipe, asked)]
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
                Demonstration(way.prompt, way.labels, shares, reply, **around)
                for reply in (replies if method == "motivated" else [""])
            ]
    return shown


def _around(recipe: Recipe) -> dict[str, str]:
    """Beginning of replies and system text of the student."""
    words = recipe.prompting.template
    return {"prefill": words.reply_begins, "system": words.system}


def random_questions(recipe: Recipe, teacher: Player) -> list[Demonstration]:
    """The teacher's probabilities in random games, each in one wording and presentation."""
    around = _around(recipe)
    asked, posed = [], []
    scenarios = recipe.random_scenarios()
    for place, scenario in enumerate(scenarios):
        ways = role_questions(recipe, "teacher", scenario)
        one = place % len(ways)
        asked.append(ways[one])
        posed.append(role_questions(recipe, "untuned", scenario)[one])
    if isinstance(teacher, AgentTeacher):
        found = [teacher.policy(scenario.game, scenario.context) for scenario in scenarios]
    else:
        questions = [(way.prompt, way.labels) for way in asked]
        answers = exact_distributions(teacher, questions, around["prefill"], around["system"])
        found = [one.probabilities for one in answers]
    return [Demonstration(way.prompt, way.labels, shares, **around) for way, shares in zip(posed, found, strict=True)]
