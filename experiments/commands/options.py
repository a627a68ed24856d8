"""Options that several commands share; each decorator passes its values to the command as one argument."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import wraps
from math import isinf, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from dilemmas.agents.models.servers.settings import ServerSettings
from dilemmas.agents.roster import Framing
from dilemmas.envs.data_files import check_value, json_text
from dilemmas.envs.errors import InputError
from dilemmas.envs.prompts.contexts import built_in_contexts
from dilemmas.envs.prompts.labels import Showing
from dilemmas.envs.prompts.template_choices import TemplateChoice
from dilemmas.envs.rules.networks import DEGREES
from dilemmas.experiments.commands import completion
from dilemmas.experiments.reporting.parsing import parsed, text_or_file
from dilemmas.experiments.reporting.terminal_text import echo

if TYPE_CHECKING:
    from dilemmas.experiments.study.recipe import Prompting

Function = Callable[..., Any]
FramedBy = Callable[["Prompting"], Framing]
"""How the game is presented, where the words of a recipe are the default."""


SEED = click.IntRange(0, 2**63 - 1)
"""Type of a seed: what a signed integer of 64 bits holds."""


class Finite(click.FloatRange):
    """A number in a range: not nan, and infinite only where an end of the range is and "inf" is given."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if isnan(number) or (isinf(number) and isinstance(value, str) and "inf" not in value.casefold()):
            self.fail(f"{value!r} is {'not a' if isnan(number) else 'too large a'} number.", param, ctx)
        return number


class Location(click.Path):
    """A path, as a `Path`: not an empty text, which would be the current folder."""

    def __init__(self, **checks: Any) -> None:
        super().__init__(path_type=Path, **checks)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the path is empty.", param, ctx)
        return super().convert(value, param, ctx)


class OverwriteError(InputError):
    """A file that exists and must not be overwritten."""


def with_options(function: Function, options: Sequence[Callable[[Function], Function]]) -> Function:
    """Add click options to a function, in the order in which the help lists them."""
    for option in reversed(options):
        function = option(function)
    return function


def json_option(function: Function) -> Function:
    """``--json``, passed as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")(function)


def force_option(help_text: str) -> Callable[[Function], Function]:
    """``--force``, passed as `force`."""
    return click.option("--force", is_flag=True, help=help_text)


def seed_option(purpose: str) -> Callable[[Function], Function]:
    """``--seed``, passed as `seed`."""
    return click.option("--seed", type=SEED, default=0, show_default=True, help=f"Seed of {purpose}.")


def degree_option(purpose: str) -> Callable[[Function], Function]:
    """``--degree``, passed as `degree`."""
    return click.option(
        "--degree",
        type=click.IntRange(1, 1000),
        show_default=", ".join(f"{degree} in a {graph}" for graph, degree in DEGREES.items()),
        help=f"{purpose}: number of neighbours of each player.",
    )


def game_option(default: str | None = None) -> Callable[[Function], Function]:
    """``--game``, passed as `game`; required without a default."""
    usual: dict[str, Any] = {"required": True} if default is None else {"default": default, "show_default": True}
    return click.option(
        "--game", shell_complete=completion.games, help="Name of a game; `dilemmas games` lists the games.", **usual
    )


def set_option(function: Function) -> Function:
    """``--set KEY=VALUE``, repeatable, passed as the mapping `settings`."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        callback=lambda ctx, parameter, values: settings_of(values),
        shell_complete=completion.settings,
        show_default="as in the catalogue",
        help="Option of the game, such as T=6; repeatable. `dilemmas games NAME` lists the options.",
    )(function)


def settings_of(words: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """Parse the values of an option KEY=VALUE; `InputError` if a key is given twice."""
    settings: dict[str, Any] = {}
    for word in words:
        key, value = parsed(word)
        if key in settings:
            raise InputError(f"{option} {f' {option} '.join(words)}: '{key}' is given twice")
        settings[key] = value
    return settings


def framing_options(context: str | None, in_recipe: bool = False) -> Callable[[Function], Function]:
    """``--context``, those of `wording_options`, ``--device``, ``--presentation``, ``--min-mass`` and those of servers,
    passed as `framing`: a `Framing`, or None without a context.

    `context`: the default. `in_recipe`: whether a recipe has the defaults of the words; `framing` is then `FramedBy`.
    """

    def decorate(function: Function) -> Function:
        needed = "" if context else " (required for one)"
        known = ", ".join(built_in_contexts())

        @wraps(function)
        def call(
            *,
            context: str | None,
            wording: TemplateChoice,
            device: str,
            presentation: Showing | None,
            min_mass: float | None,
            servers: ServerSettings,
            **others: Any,
        ) -> Any:
            if context is None:
                return function(framing=None, **others)
            chosen = asdict(wording) | {"context": context, "device": device, "servers": servers}
            given = {"presentation": presentation, "min_mass": min_mass}
            chosen |= {key: value for key, value in given.items() if value is not None}

            def framed(usual: "Prompting") -> Framing:
                shown = {"presentation": usual.presentation, "min_mass": usual.min_mass}
                return Framing(**(shown | chosen), usual=usual.template)

            return function(framing=framed if in_recipe else Framing(**chosen), **others)

        return with_options(
            server_options(call),
            (
                click.option(
                    "--context",
                    default=context,
                    show_default=True,
                    shell_complete=completion.contexts,
                    help=f"Social context of a language model{needed}: {known}.",
                ),
                wording_options(None if in_recipe else "study"),
                click.option(
                    "--device",
                    default="auto",
                    show_default=True,
                    help="Device of language models: cpu, cuda, cuda:1 or auto.",
                ),
                presentation_option(None if in_recipe else "auto"),
                min_mass_option(None if in_recipe else 0.01),
            ),
        )

    return decorate


def wording_options(template: str | None) -> Callable[[Function], Function]:
    """``--template``, ``--persona``, ``--labels`` and ``--system``, passed as `wording`: a `TemplateChoice`.

    `template`: the default; None where a recipe has one.
    """
    usual = "of the template" if template else "from the recipe"

    def decorate(function: Function) -> Function:
        @wraps(function)
        def call(*, template: str, persona: str, labels: str, system: str, **others: Any) -> Any:
            return function(wording=TemplateChoice(template, persona, labels, system), **others)

        return with_options(
            call,
            (
                click.option(
                    "--template",
                    default=template,
                    callback=_not_empty,
                    show_default=template or "from the recipe",
                    shell_complete=completion.templates,
                    help="Prompt template, and the way to decide: a name, or a .toml file; NAME#1 is a paraphrase.",
                ),
                click.option(
                    "--persona",
                    callback=_not_empty,
                    metavar="NAME,...",
                    help="Who a language model is to be: personas of the template, or a .toml file with others; several"
                    " are used equally often, as are all of them with counterbalanced; none: nobody.",
                    show_default=usual,
                ),
                click.option(
                    "--labels",
                    callback=_not_empty,
                    metavar="SET or A,B",
                    help="Labels of two actions: a label set of the template, such as words or letters, or two labels.",
                    show_default=usual,
                ),
                click.option(
                    "--system",
                    metavar="TEXT or FILE",
                    callback=lambda ctx, parameter, value: text_or_file(_not_empty(ctx, parameter, value)),
                    help="System prompt: a turn of its own in the chat template, or the beginning of the prompt where a"
                    " template has none; the word none: no text, not even that of the template.",
                    show_default=usual,
                ),
            ),
        )

    return decorate


def _not_empty(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """The text that was given; empty without the option."""
    if value is not None and not value.strip():
        option = f"--{parameter.name}"
        away = f"; {option} none takes it away" if option in ("--persona", "--system") else ""
        raise InputError(f"{option}: the text is empty; without the option, that of the template is used{away}")
    return value or ""


def server_options(function: Function) -> Function:
    """``--in-flight`` and ``--server KEY=VALUE``, passed as `servers`: a `ServerSettings`."""

    @wraps(function)
    def call(*, in_flight: int | None, server: dict[str, Any], **others: Any) -> Any:
        return function(servers=server_settings(in_flight, server, ServerSettings()), **others)

    return with_options(call, (_IN_FLIGHT, _SERVER))


def server_settings(in_flight: int | None, server: dict[str, Any], usual: ServerSettings) -> ServerSettings:
    """The settings of servers with the values of the two options; `usual` has the others."""
    given = server | ({} if in_flight is None else {"in_flight": in_flight})
    return check_value(asdict(usual) | given, ServerSettings, "--server") if given else usual


_IN_FLIGHT = click.option(
    "--in-flight",
    type=click.IntRange(1, 1000),
    show_default="8",
    help="Requests to a model server at the same time.",
)
_SERVER = click.option(
    "--server",
    multiple=True,
    metavar="KEY=VALUE",
    callback=lambda ctx, parameter, values: settings_of(values, "--server"),
    help="How a model server is asked, such as timeout=60; repeatable. `dilemmas server --help` lists the keys.",
)


def given_server_options(function: Function) -> Function:
    """The same options, passed as `in_flight` and `server`, for commands that have other defaults."""
    return with_options(function, (_IN_FLIGHT, _SERVER))


def presentation_option(default: str | None) -> Callable[[Function], Function]:
    """``--presentation``. `default`: None where a recipe has one."""
    return click.option(
        "--presentation",
        type=click.Choice(get_args(Showing)),
        default=default,
        show_default=default or "from the recipe",
        help="Labels of the actions and their order in the prompts of a language model: all equally often"
        " (counterbalanced), those of the template (fixed), or fixed for miniatures only (auto).",
    )


def min_mass_option(default: float | None) -> Callable[[Function], Function]:
    """``--min-mass``. `default`: None where a recipe has one."""
    return click.option(
        "--min-mass",
        type=Finite(0, 1),
        default=default,
        show_default=str(default) if default else "from the recipe",
        help="Smallest share of a language model's replies that must begin with one of the labels.",
    )


def calibrate_option(function: Function) -> Function:
    """``--calibrate``, passed as `calibrate`."""
    return click.option(
        "--calibrate",
        is_flag=True,
        help="Divide a model's own probabilities by those of the same question without its payoffs, which takes out"
        " what it prefers in any game.",
    )(function)


def reading_options(function: Function) -> Function:
    """``--choices``, ``--one`` and ``--cooperate`` of every command that reads play (see `read_play`)."""
    from dilemmas.experiments.inference.recorded_play import Choice

    return with_options(
        function,
        (
            click.option(
                "--choices",
                type=click.Choice(get_args(Choice)),
                default="played",
                show_default=True,
                help="With trembling hands: the action played, or the action decided.",
            ),
            click.option("--one", type=click.Choice(["C", "D"]), help="Meaning of 1, or TRUE, in a table of play."),
            click.option("--cooperate", metavar="WORD", help="Word for cooperation, in a table with words of its own."),
        ),
    )


def check_overwrite(path: Path | None, option: str, force: bool) -> None:
    """Raise `OverwriteError` if a file exists and `force` is not set, or if a folder is there."""
    if path is not None and path.is_dir():
        raise OverwriteError(f"{option}: '{path}' is a folder; give the name of a file")
    if path is not None and path.exists() and not force:
        raise OverwriteError(f"{path} exists; choose another {option}, or overwrite it with --force")


def print_json(data: Any) -> None:
    """Print data as one line of JSON on stdout; values without a JSON type are written as in Python."""
    echo(json_text(data, default=repr))
