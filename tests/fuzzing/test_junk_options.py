"""Whatever is given to an option, the answer is a result or one line with the error: no traceback, and no waiting."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from junk import GIVEN, LEAVES, PARSED, command_lines, fault, parameters

from dilemmas.experiments.commands.main import main
from dilemmas.experiments.commands.options import Finite
from dilemmas.experiments.reporting import cost

QUICK = {"suppress_health_check": list(HealthCheck), "deadline": None, "phases": [Phase.generate]}


def done(words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 0


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working folder, with a tournament, recorded matches, a policy table and a table of play."""
    folder = tmp_path_factory.mktemp("yard")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        patch.setattr(cost, "MOST_SECONDS", 2.0)
        for name, command in LEAVES.items():
            if name.split()[0] in PARSED:
                patch.setattr(command, "callback", lambda **_: None)
        done("tournament run --agents tft,alld,allc --rounds 5 --out run")
        done("tournament run --agents tft,random(0.5) --rounds 5 --repetitions 2 --engine environment --out played")
        done("compile tft --game harmony --out table.json")
        Path("play.csv").write_text("subject,match,round,own,other\na,1,1,C,D\nb,1,1,D,C\n")
        yield folder


@pytest.mark.parametrize(("name", "parameter"), parameters(), ids=lambda one: getattr(one, "name", one))
def test_every_number_has_a_range(name: str, parameter: click.Parameter) -> None:
    kind = parameter.type
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        assert isinstance(kind, click.IntRange | Finite), name
        assert kind.min is not None, name
        assert kind.max is not None, name


def test_an_empty_text_is_a_value_like_others(yard: Path) -> None:
    """Where a program asks whether there is a text, an empty one is easily taken for none."""
    for name, parameter in parameters():
        if isinstance(parameter, click.Option) and not (parameter.is_flag or parameter.is_eager):
            words = [*name.split(), *GIVEN.get(name, []), parameter.opts[0], ""]
            assert fault(words) is None, words


@settings(max_examples=150, derandomize=True, **QUICK)
@given(words=command_lines())
def test_junk_is_answered_in_one_line(yard: Path, words: list[str]) -> None:
    assert fault(words) is None


@pytest.mark.slow
@settings(max_examples=10_000, **QUICK)
@given(words=command_lines())
def test_much_junk_is_answered_in_one_line(yard: Path, words: list[str]) -> None:
    assert fault(words) is None
