"""`dilemmas tournament`: play tournaments, print and export them, and compute how their strategies evolve."""

import click

from dilemmas.experiments.commands.answers import TOURNAMENT_ANSWERS
from dilemmas.experiments.commands.group import CommandGroup

HERE = "dilemmas.experiments.commands.tournament"
COMMANDS = {
    "run": (f"{HERE}.run", "Play a tournament, or resume one."),
    "strategies": (f"{HERE}.strategies", "List the built-in strategies, or describe one."),
    "show": (f"{HERE}.show", "Print the tables of a tournament again."),
    "export": (f"{HERE}.export", "Write every match to a CSV or Parquet file."),
    "evolve": (f"{HERE}.evolve", "Compute how the strategies evolve in a population."),
}


@click.group(cls=CommandGroup, commands=COMMANDS, answers=TOURNAMENT_ANSWERS)
def command() -> None:
    """Tournaments of strategies, policy tables and language models: exact where possible, otherwise sampled."""
