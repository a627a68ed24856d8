"""What the shell completes, and that it is switched on as the help says."""

import os
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete, get_completion_class

from dilemmas.envs.games.catalogue import ENVIRONMENTS, GAMES
from dilemmas.envs.prompts.contexts import built_in_contexts
from dilemmas.experiments.commands.main import COMMANDS, COMPLETION, cli
from dilemmas.experiments.commands.tournament import group


def completed(*words: str) -> list[str]:
    """The values for the last word, which is incomplete, after the others."""
    complete = ShellComplete(cli, {}, "dilemmas", "_DILEMMAS_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]


def test_commands_complete_without_being_imported() -> None:
    assert completed("") == list(COMMANDS)
    assert completed("re") == ["replicate", "report", "replay"]
    assert completed("tournament", "") == list(group.COMMANDS)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("compile", "tft", "--game", ""), list(GAMES)),
        (("compile", "tft", "--game", "stag-h"), ["stag_hunt"]),
        (("games", "pop"), ["population"]),
        (("games", ""), [*ENVIRONMENTS, "population"]),
        (("replicate", "--recipe", "min"), ["miniatures"]),
        (("replicate", "--teacher", ""), ["miniature-teacher", "miniature-student", "miniature:", "hf:", "gguf:"]),
        (("compile", "tab"), ["table:"]),
        (("games", "stag_hunt", "--set", "T"), ["T="]),
        (("compile", "tft", "--game", "public_goods", "--set", "mult"), ["multiplier="]),
        (("compile", "tft", "--game", "nothing", "--set", ""), []),
        (("compile", "tft", "--context", ""), list(built_in_contexts())),
        (("compile", "tft", "--template", "st"), ["study"]),
        (("tournament", "run", "--engine", "c"), ["cycle", "chain", "compiled"]),
        (("tournament", "run", "--graph", "s"), ["small_world"]),
        (("tournament", "run", "--agents", "@f"), ["@first_tournament"]),
        (("tournament", "run", "--agents", "tft,Mine=miniature-s"), ["tft,Mine=miniature-student"]),
        (("tournament", "strategies", "tit_for_t"), ["tit_for_tat", "tit_for_two_tats", "tit_for_three_tats"]),
        (("tournament", "evolve", "runs", "--dynamics", "mo"), ["moran"]),
        (("compile", "reac"), ["reactive("]),
        (("infer", "x.csv", "--strategies", "grim,mutual_g"), ["grim,mutual_grim"]),
    ],
)
def test_values_complete(words: tuple[str, ...], values: list[str]) -> None:
    assert completed(*words) == values


@pytest.mark.parametrize("words", [["compile"], ["lattice", "--table"], ["replicate", "--recipe"]])
def test_other_text_is_completed_as_a_file(words: list[str]) -> None:
    complete = ShellComplete(cli, {}, "dilemmas", "_DILEMMAS_COMPLETE")
    assert [item.type for item in complete.get_completions(words, "./tun")] == ["file"]


def test_a_list_of_agents_may_begin_with_a_set() -> None:
    values = completed("tournament", "run", "--agents", "grim,")
    assert {"grim,@all", "grim,tit_for_tat", "grim,uniform", "grim,random("} <= set(values)


def test_bash_gets_parentheses_that_it_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_DILEMMAS_COMPLETE", "bash_complete")
    assert completed("compile", "reac") == [r"reactive\("]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_help_describes_how_to_enable_it(shell: str) -> None:
    assert f"_DILEMMAS_COMPLETE={shell}_source dilemmas" in COMPLETION
    assert get_completion_class(shell) is not None
    code = "from dilemmas.experiments.commands.main import main; main()"
    environment = {**os.environ, "_DILEMMAS_COMPLETE": f"{shell}_source"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0
    assert "dilemmas" in done.stdout
