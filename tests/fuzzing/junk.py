"""Junk values for every parameter of every command, derived from the command tree."""

import io
import signal
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import click
from hypothesis import strategies as st

from dilemmas.experiments.commands.main import cli, main

SECONDS = 20
"""Longest time that a command line with junk may take."""
HOSTILE = ["\x1b]0;title\x07\x1b[2J", "\x9b2J", "\u202eabc\u2066", "\u200b", "\u2028", "\x85", "\udcff", "\x7f\x08"]
HOSTILE += ["\n", "\t", "a\rb", "[red]x[/red]", "[/]", "<script>1</script>", "=1+1", "+1", "@SUM(A1)", "%n%s", "{0.x}"]
"""Texts that act on terminals, pages, spreadsheets or templates."""
NUMBERS = ["nan", "inf", "-inf", "1e999", "-1", "0", "1", "1e-320", "0x10", "½", "1.5", "true", " 5 "]
NUMBERS += ["100000", "1000000", "2147483648", str(2**63), str(2**64), "1" + "0" * 400, "9" * 5000]
WORDS = ["", ",", ":", "=", "a=b", "a=b=c", "--", "-", "*", "'", "\\", "é", "囚", "🎲", "x" * 100_000, "(" * 5000]
WORDS += ["tft,", "tft:tft", "x=tft", "@", "@nothing", "7-3", "1-", "cuda:9"]
WORDS += ["random(nan)", "random(1e999)", f"random(1{'0' * 400})", "graph=ring", "degree=99", "points=10**9"]
WORDS += ["T=1e999", "T=nan", "T=", f"T=1{'0' * 400}", f"T={'[' * 3000}", "rounds=0", "rounds=(1,2,3)"]
WORDS += [f"rounds={'9' * 400}", "n_players=1000000000", "memory=10000000", "talk=1000000", "noise=nan"]
WORDS += ["continuation=inf", "row=4,0;0,4", "actions=1000000"]
WORDS += ["run", "played", "table.json", "play.csv", "missing.json", "missing", ".", "run/rows.jsonl", "/dev/null"]
"""Texts that look like names, settings, agents and files."""
GIVEN = {
    "tournament run": ["--agents", "tft,alld"],
    "tournament evolve": ["run"],
    "tournament show": ["run"],
    "tournament export": ["run", "--out", "table.csv"],
    "compile": ["tft", "--game", "harmony"],
    "lattice": ["--table", "table.json", "--size", "3", "--steps", "2"],
    "replicate": ["--dry-run"],
    "watch": ["played"],
    "replay": ["played"],
    "look": ["run"],
    "fingerprint": ["played"],
    "infer": ["played", "--bootstrap", "10"],
}
"""What a command needs beside the junk."""
PARSED = ("bench", "miniatures")
"""Commands whose arguments are parsed only, because they take long with any."""


def leaves(group: click.Group = cli, names: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, f"{names}{name} ")
        else:
            yield names + name, command


class TooLate(BaseException):
    """A command that takes longer than `SECONDS`."""


LEAVES = dict(leaves())
Pair = tuple[str, click.Parameter]


def parameters() -> list[Pair]:
    """Every parameter of every command."""
    return [(name, parameter) for name, command in LEAVES.items() for parameter in command.params]


def values(parameter: click.Parameter) -> st.SearchStrategy[str]:
    """Junk for a parameter: numbers where it is one, anything everywhere."""
    if isinstance(parameter.type, click.types.IntRange | click.types.FloatRange):
        whole = st.integers().filter(lambda n: not 1 < n < 100_000)  # a number of workers, say, that would be used
        return st.sampled_from(NUMBERS) | whole.map(str) | st.floats().map(str) | st.sampled_from(HOSTILE)
    if isinstance(parameter.type, click.Path):  # no drawn text: it could name a file outside of the folder
        return st.sampled_from([*WORDS, *HOSTILE])
    drawn = st.text(st.characters(exclude_characters="/\0"), max_size=20)
    return st.sampled_from([*WORDS, *HOSTILE, *NUMBERS]) | drawn


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """A command with junk in one to three of its parameters."""
    name, first = draw(st.sampled_from(parameters()))
    chosen = [first, *draw(st.lists(st.sampled_from(LEAVES[name].params), max_size=2))]
    words = [*name.split(), *GIVEN.get(name, [])]
    for parameter in chosen:
        flag = isinstance(parameter, click.Option) and (parameter.is_flag or parameter.is_eager)
        option = [draw(st.sampled_from(parameter.opts))] if isinstance(parameter, click.Option) else []
        words += option if flag else [*option, draw(values(parameter))]
    return words


def fault(words: list[str]) -> str | None:
    """What is wrong with the answer to a command line; None if it is done, or refused in one line."""

    def late(*_: Any) -> None:
        raise TooLate

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main(words)
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        return traceback.format_exc()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    printed, said = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
    if code not in (0, 1, 2):
        return f"exit code {code}: {said}"
    if code == 2 and [line.startswith("error:") for line in said.splitlines()].count(True) != 1:
        return f"not one line with an error: {said!r}"
    return None if (printed + said).replace("\n", "").isprintable() else f"acts on a terminal: {printed + said!r}"
