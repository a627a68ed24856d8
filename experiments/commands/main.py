"""The command line. Commands are imported when they are called, so `--help` needs neither torch nor numpy."""

import errno
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import click

from dilemmas.experiments.commands.answers import ANSWERS
from dilemmas.experiments.commands.group import CommandGroup, UnreadError
from dilemmas.experiments.reporting.terminal_text import echo, message_line, write_every_character

HERE = "dilemmas.experiments.commands"
COMMANDS = {
    "replicate": (f"{HERE}.replicate", "Run the study: teach, distil, evaluate, report."),
    "distill": (f"{HERE}.studies.distill", "Tune a student on recorded play, or on any agent."),
    "evaluate": (f"{HERE}.studies.evaluate", "Measure how closely agents decide as a teacher does."),
    "experiment": (f"{HERE}.series.experiment", "Answer a question by runs of several variants and seeds."),
    "merge": (f"{HERE}.models.merge", "Merge an adapter into its base, for other programs."),
    "ask": (f"{HERE}.models.ask", "Ask language models about scenarios, without a student."),
    "report": (f"{HERE}.studies.report", "Write the report of a finished study again."),
    "compare": (f"{HERE}.studies.compare", "Show finished studies side by side."),
    "prompt": (f"{HERE}.models.prompt", "Show what a language model would see, before any run."),
    "tournament": (f"{HERE}.tournament.group", "Play tournaments of agents; compute how strategies evolve."),
    "agents": (f"{HERE}.models.agents", "List all kinds of agents and how they are specified."),
    "games": (f"{HERE}.games", "List the environments, or show one and its equilibria."),
    "compile": (f"{HERE}.compile", "Write the policy table of an agent, which needs no torch."),
    "lattice": (f"{HERE}.lattice", "Play policy tables on a lattice (Mesa)."),
    "watch": (f"{HERE}.watch", "Step through recorded matches in the terminal."),
    "replay": (f"{HERE}.replay", "Verify that recorded matches are reproduced exactly."),
    "look": (f"{HERE}.look", "Show the teaching data of a run, with counts."),
    "fingerprint": (f"{HERE}.fingerprint", "Describe how each player of recorded matches behaves."),
    "infer": (f"{HERE}.infer", "Estimate which strategies were played, and how often."),
    "server": (f"{HERE}.models.server", "Show what a model server can do for a model."),
    "miniatures": (f"{HERE}.miniatures", "Build the two built-in models."),
    "bench": (f"{HERE}.bench", "Measure speed, compared with other libraries."),
}
"""Command -> (module with a click command named `command`, one line of help)."""
AGAIN = 0.05
"""Seconds after which a dropped Ctrl-C is repeated."""
RESUMED = ("replicate", "distill", "experiment", "ask", "miniatures")
"""Commands that are resumed by repeating them."""

COMPLETION = """\b
To enable shell completion, add a line to the startup file of the shell:
  bash  eval "$(_DILEMMAS_COMPLETE=bash_source dilemmas)"
  zsh   eval "$(_DILEMMAS_COMPLETE=zsh_source dilemmas)"
  fish  _DILEMMAS_COMPLETE=fish_source dilemmas | source
"""


def show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from dilemmas.agents.versions import dilemmas_version

        echo(f"dilemmas {dilemmas_version()}")
        ctx.exit()


@click.group(
    cls=CommandGroup,
    commands=COMMANDS,
    answers=ANSWERS,
    epilog=COMPLETION,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version, help="Print the version."
)
def cli() -> None:
    """Social dilemmas for language-model agents: environments, tournaments, and a study in which a student model learns
    from the play of a teacher model and the alignment of the two is measured."""


def main(arguments: list[str] | None = None, command: click.Command = cli) -> None:
    """Run a command. Exit codes: 0 success, 1 negative result (such as a failed replay), 2 unusable input, 130
    interrupted."""
    open_standard_streams()
    write_every_character(sys.stdout, sys.stderr)
    try:
        with no_interrupt_dropped(), warnings_in_one_line():
            code = command.main(arguments, prog_name="dilemmas", standalone_mode=False)
            sys.stdout.flush()
    except click.ClickException as error:
        end(click_message(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        asked = sys.argv[1:] if arguments is None else arguments
        end("interrupted" + "; repeat the same command to resume" * resumed(asked), 130)
    except (UnreadError, BrokenPipeError):  # the reader has closed the pipe: dilemmas ... | head
        end_unread(0)
    except OSError as error:  # for example a folder without write permission, or a full disk
        unwritten = error.filename is None and error.errno == errno.ENOSPC  # every file that is written has its name
        where = "standard output" if unwritten else error.filename or "system"
        say(message_line(f"error: {where}: {error.strerror or error}"))
        end_unread(2) if unwritten else sys.exit(2)
    except ModuleNotFoundError as error:
        if not (remedy := missing_extra((error.name or "").partition(".")[0])):
            raise
        end(message_line(f"error: {remedy}"), 2)
    except ValueError as error:
        from dilemmas.envs.errors import InputError  # here, because dilemmas.envs imports pettingzoo

        if not isinstance(error, InputError):
            raise
        end(message_line(f"error: {error}"), 2)
    sys.exit(code if isinstance(code, int) else 0)


def missing_extra(package: str) -> str:
    """What to install where a package is missing that belongs to an extra; empty if it belongs to none."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        needed = requires("dilemmas") or []
    except PackageNotFoundError:  # runs from a checkout that is not installed
        needed = []
    pattern = re.compile(rf"{re.escape(package)}\b(?!-).*; *extra == ['\"]([a-z]+)['\"]", re.IGNORECASE)
    extra = next((found[1] for line in needed if package and (found := pattern.match(line))), "")
    return f'this needs {package}: pip install "dilemmas[{extra}]"' if extra else ""


def open_standard_streams() -> None:
    """Connect standard streams that are closed with nothing; a file opened later would take the place of one."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            if nothing != number:
                os.dup2(nothing, number)
                os.close(nothing)
            setattr(sys, name, os.fdopen(number, mode))


def say(line: str) -> None:
    """Print a line on stderr, if anybody reads it."""
    with suppress(OSError):
        echo(line, err=True)


def end(line: str, code: int) -> NoReturn:
    """Print a line on stderr and exit."""
    say(line)
    sys.exit(code)


def end_unread(code: int) -> NoReturn:
    """Exit without the output that is not written yet, because it cannot be."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)


@contextmanager
def no_interrupt_dropped() -> Iterator[None]:
    """Repeat a Ctrl-C that Python has dropped, until it arrives where it can be handled.

    Python drops exceptions in destructors and in callbacks of the garbage collector, which runs for tenths of a second
    while torch and transformers are imported.
    """
    shown = sys.unraisablehook

    def repeat_or_show(dropped: Any) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            shown(dropped)
            return
        from _thread import interrupt_main
        from threading import Timer

        again = Timer(AGAIN, interrupt_main)
        again.daemon = True
        again.start()

    sys.unraisablehook = repeat_or_show
    try:
        yield
    finally:
        sys.unraisablehook = shown


@contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Print warnings as messages, without the lines of code that they come from."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: say(message_line(f"warning: {message}"))
        yield


def resumed(asked: list[str]) -> bool:
    """Whether a command with these arguments is resumed by repeating it, as a tournament with a folder is."""
    kept = any(word.partition("=")[0] == "--out" for word in asked)
    return asked[:1] in ([name] for name in RESUMED) or (asked[:2] == ["tournament", "run"] and kept)


def click_message(error: click.ClickException) -> str:
    """The message of click about the arguments, and the command with the help."""
    message, ctx = error.format_message(), error.ctx if isinstance(error, click.UsageError) else None
    if ctx and message == ctx.get_help():  # no command is given
        return message
    asked = ctx.command_path if ctx else ""
    return message_line(f"error: {message}") + (f" (see {asked} --help)" if asked else "")
