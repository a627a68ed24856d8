"""Names that people guess are answered with what does that job, and what the answers suggest exists."""

from importlib import import_module

import pytest

from dilemmas.experiments.commands.answers import ANSWERS, TOURNAMENT_ANSWERS, suggested
from dilemmas.experiments.commands.main import COMMANDS, main
from dilemmas.experiments.commands.tournament import group

GUESSED = (
    *("evaluation", "chart", "play", "finetune", "train", "prompts", "run", "simulate", "view"),
    *("env", "list", "strategies"),
)


@pytest.mark.parametrize("name", GUESSED)
def test_a_guessed_name_is_answered_in_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith(f"error: there is no command '{name}': {ANSWERS[name]}")


def test_no_answer_hides_a_command() -> None:
    assert not set(ANSWERS) & set(COMMANDS)
    assert not set(TOURNAMENT_ANSWERS) & set(group.COMMANDS)


LINES = sorted({line for line in (*suggested(ANSWERS), *suggested(TOURNAMENT_ANSWERS)) if line.startswith("dilemmas ")})


@pytest.mark.parametrize("line", LINES)
def test_the_command_lines_that_are_suggested_exist(line: str) -> None:
    _, name, *words = line.split()
    options = {word for word in [name, *words] if word.startswith("-")}
    known = {"--help", "-h", "--version"}
    if not name.startswith("-") and name != "COMMAND":
        module = COMMANDS[name][0]
        if name == "tournament":
            module = group.COMMANDS[words[0]][0]
        known |= {option for parameter in import_module(module).command.params for option in parameter.opts}
    assert options <= known
