"""The command line. Commands are imported when they are called, so `--help` needs neither torch nor transformers."""

import os
import sys
from importlib import import_module

import click

COMMANDS = {
    "replicate": (
        "dilemmas.experiments.commands.replicate",
        "The study in one command: teach, distil, evaluate, report.",
    ),
    "miniatures": ("dilemmas.experiments.commands.miniatures", "Build the two built-in models from their recipe."),
    "look": ("dilemmas.experiments.commands.examples", "Read a teaching data set by eye, with summary counts."),
    "replay": (
        "dilemmas.experiments.commands.replay",
        "Check that a recorded trajectory comes out again, step by step.",
    ),
    "watch": ("dilemmas.experiments.commands.watch", "Step through the episodes of a run in the terminal."),
    "tournament": ("dilemmas.experiments.commands.tournament", "Agents play each other, and evolve."),
    "fingerprint": ("dilemmas.experiments.commands.fingerprint", "What kind of player everybody in a run is."),
    "infer": ("dilemmas.experiments.commands.infer", "Which strategies were played, and by how many."),
    "games": ("dilemmas.experiments.commands.games", "Every environment, its page, and what game theory says of it."),
    "compile": (
        "dilemmas.experiments.commands.compile",
        "Turn an agent into a small policy table that needs no torch.",
    ),
    "bench": ("dilemmas.experiments.commands.bench", "Measure speed here, against others in the same run."),
}
"""Command -> (module with a click command named `command`, one line of help)."""
RESUMED = ("replicate", "miniatures")
"""Commands that go on where they were when they are repeated."""


class LazyGroup(click.Group):
    """A group that knows its commands' one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from dilemmas.envs.names import lookup

        if args and not args[0].startswith("-"):
            lookup("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from dilemmas.agents.versions import dilemmas_version

        click.echo(f"dilemmas {dilemmas_version()}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version, help="The version.")
def cli() -> None:
    """Social dilemmas for language-model agents: a teacher plays, a student learns its part, alignment is measured."""


def main(arguments: list[str] | None = None, command: click.Command = cli) -> None:
    """Run a command. Exit codes: 0 done, 1 the answer is no, 2 the input cannot be used, 130 interrupted."""
    try:
        code = command.main(arguments, standalone_mode=False)
    except click.ClickException as error:
        click.echo(in_one_line(error), err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        asked = sys.argv[1:] if arguments is None else arguments
        click.echo("interrupted" + "; the same command goes on where it was" * resumed(asked), err=True)
        sys.exit(130)
    except BrokenPipeError:  # the reader has seen enough: dilemmas ... | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:  # a folder that cannot be written to, a full disk
        click.echo(f"error: {error.filename or 'system'}: {error.strerror or error}", err=True)
        sys.exit(2)
    except ValueError as error:
        from dilemmas.envs.errors import InputError  # here, because dilemmas.envs imports pettingzoo

        if not isinstance(error, InputError):
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


def resumed(asked: list[str]) -> bool:
    """Whether these arguments, repeated, go on where they were; a tournament does if it has a folder."""
    kept = any(word.partition("=")[0] == "--out" for word in asked)
    return asked[:1] in ([name] for name in RESUMED) or (asked[:2] == ["tournament", "run"] and kept)


def in_one_line(error: click.ClickException) -> str:
    """What click has to say about the arguments, with the command whose help says more."""
    told = error.format_message()
    if "\n" in told:  # the help itself, where no command is given
        return told
    asked = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
    return f"error: {told} (see {asked} --help)" if asked else f"error: {told}"
