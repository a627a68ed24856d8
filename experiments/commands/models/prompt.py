"""`dilemmas prompt`: prompts before any run."""

import click

from dilemmas.experiments.commands.group import CommandGroup

HERE = "dilemmas.experiments.commands.models"
COMMANDS = {"show": (f"{HERE}.prompt_show", "Print what a model would see in a scenario.")}


@click.group(cls=CommandGroup, commands=COMMANDS, answers={})
def command() -> None:
    """Prompts of language models, before any run."""
