"""Groups of commands that are imported when they are called, and that answer common names of other commands; commands
that compute something, and only then print it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

Commands = Mapping[str, tuple[str, str]]
"""Name of a command -> module with a click command named `command`, one line of help."""
Answers = Mapping[str, str]
"""Name that is not a command -> what to use instead, or that there is no such function."""


class UnknownCommandError(click.UsageError):
    """A command that does not exist; the message says what to use instead."""


class UnreadError(Exception):
    """Output that nobody reads any more."""


@contextmanager
def _unread() -> Iterator[None]:
    """Raise `UnreadError` if the reader of the output has closed the pipe; click and rich would exit with code 1."""
    try:
        yield
    except BrokenPipeError:
        raise UnreadError from None
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):
            raise UnreadError from None
        raise


class CommandGroup(click.Group):
    """A group that has the one-line help of each command without importing it."""

    def __init__(self, *, commands: Commands, answers: Answers | None = None, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.modules, self.answers = commands, answers or {}

    def make_context(self, *arguments: Any, **others: Any) -> click.Context:
        with _unread():
            return super().make_context(*arguments, **others)

    def invoke(self, ctx: click.Context) -> Any:
        with _unread():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.modules)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.modules:
            return None
        command: click.Command = import_module(self.modules[name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing and args[0] not in self.modules and not args[0].startswith("-"):
            raise UnknownCommandError(self.answer(args[0]), ctx)
        return super().resolve_command(ctx, args)

    def answer(self, name: str) -> str:
        """The message for a name that is not a command: the answer to it, or to the most similar name."""
        from dilemmas.envs.names import closest_name

        close = closest_name(name, [*self.modules, *self.answers])
        known = name if name in self.answers else close or ""
        if known in self.answers:
            return f"there is no command '{name}': {self.answers[known]}"
        hint = f"; did you mean '{known}'?" if known else f"; commands: {', '.join(self.modules)}"
        return f"unknown command '{name}'{hint}"

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.modules.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names of commands, without importing them, and options."""
        found = [CompletionItem(name, help=text) for name, (_, text) in self.modules.items()]
        fitting = [item for item in found if item.value.startswith(incomplete)]
        return fitting + click.Command.shell_complete(self, ctx, incomplete)


class ComputingCommand(click.Command):
    """A command whose function returns what it has computed, without printing it; it has ``--json``.

    `compute` is for those who want the result alone.
    """

    def __init__(self, *, show: Callable[[Any, bool], None], **attributes: Any) -> None:
        """`show`: prints the result; its second argument is whether as JSON. A result of None was printed already."""
        super().__init__(**attributes)
        self.show = show

    def compute(self, ctx: click.Context) -> Any:
        """The result of the command with the values of a context."""
        values = {name: value for name, value in ctx.params.items() if name != "as_json"}
        return ctx.invoke(self.callback, **values) if self.callback else None

    def invoke(self, ctx: click.Context) -> Any:
        found = self.compute(ctx)
        if found is not None:
            self.show(found, ctx.params["as_json"])
