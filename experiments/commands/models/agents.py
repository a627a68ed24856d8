"""`dilemmas agents`: all kinds of agents, and how each is specified."""

from dataclasses import asdict

import click

from dilemmas.agents.specifications import FORMS
from dilemmas.experiments.commands.options import json_option, print_json
from dilemmas.experiments.reporting.terminal_text import echo


@click.command()
@json_option
def command(as_json: bool) -> None:
    """List all kinds of agents and how they are specified, with an example of each.

    Every command that takes an agent takes these; one that takes a model, the language models among them.
    """
    if as_json:
        return print_json([asdict(form) for form in FORMS])
    for form in FORMS:
        echo(form.form)
        echo(f"  {form.what}")
        echo(f"  example  {form.example}{f' (needs {form.needs})' if form.needs else ''}")
        if form.options:
            echo(f"  options  {' '.join(form.options)}")
