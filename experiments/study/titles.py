"""Titles for people: of the sets, the games and the scenarios of a study."""

from dilemmas.experiments.reporting.format import words

SETS = {
    "within": "Within sample",
    "new_context": "New contexts",
    "new_game": "New games",
    "new_both": "Both new",
}
"""Titles of the study's sets."""
ABOUT = {
    "within": "The student was tuned on the teacher's answers to these very scenarios.",
    "new_context": "The games are those of the training, the contexts are new.",
    "new_game": "The contexts are those of the training, the games are new.",
    "new_both": "Neither the games nor the contexts were part of the training.",
}
"""How the sets differ."""
SUMMARY = "Summary"
"""Title of the first section of the report."""


def set_title(name: str) -> str:
    """Title of a set."""
    return SETS.get(name, words(name))


def scenario_title(name: str) -> str:
    """Title of a scenario: ``stag_hunt/summit`` becomes ``stag hunt, summit``."""
    return words(name).replace("/", ", ")
