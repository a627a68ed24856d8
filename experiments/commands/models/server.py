"""`dilemmas server`: what a model server can do for one model."""

from dataclasses import asdict

import click

from dilemmas.agents.models.servers.settings import ServerSettings
from dilemmas.agents.visible_text import visible
from dilemmas.experiments.commands.options import json_option, print_json, server_options
from dilemmas.experiments.reporting.terminal_text import echo


@click.command()
@click.argument("model")
@server_options
@json_option
def command(model: str, servers: ServerSettings, as_json: bool) -> None:
    """Ask a model server a few short questions and show what it can do for a model.

    MODEL is openai:MODEL@URL, such as openai:my-model@http://127.0.0.1:8000/v1, where MODEL is the name under which the
    server lists the model.

    \b
    Keys of --server:
      in_flight         requests at the same time
      exact_in_flight   requests at the same time that ask for probabilities;
                        0: one at a time where the engine needs it
      scores            false: no log-probabilities are used; replies are
                        sampled and read
      endpoint          chat, completions or auto
      timeout           seconds that a request may take
      retries           further attempts after a fault that may pass
      key_variable      environment variable with the key (OPENAI_API_KEY)
      max_requests      budget of a command; 0 for no limit
      max_tokens        the same, in tokens of prompts and replies
      max_cost          the same, in money, by the two prices
      input_price       price of a million tokens of prompts
      output_price      price of a million tokens of replies
    """
    from dilemmas.agents.models.servers.server import ServerBackend

    served = ServerBackend(model, servers)
    found = served.capabilities
    if as_json:
        print_json({**asdict(found), "fingerprint": found.fingerprint, "usage": asdict(served.usage)})
        return
    for line in [*found.lines(), f"asked: {served.usage}"]:
        echo(visible(line))
