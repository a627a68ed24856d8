"""Experiments as files: the built-in ones can be carried out, and what is no experiment is refused."""

from pathlib import Path

import pytest

from dilemmas.envs.errors import InputError
from dilemmas.experiments.series.plan import (
    ExperimentError,
    built_in_experiments,
    load_experiment,
    opening,
    words_of,
)

VALUES = {"seed": "3", "out": "a folder", "teacher": "T", "student": "S", "recipe": "R"}


@pytest.mark.parametrize("name", built_in_experiments())
def test_a_built_in_experiment_opens_with_question_and_command(name: str) -> None:
    first, *others = opening(built_in_experiments()[name]).splitlines()
    assert first.startswith("Question: ")
    assert any(line.startswith(f"Command:  dilemmas experiment {name} ") for line in others)
    plan = load_experiment(name)
    assert plan.name == name
    for limit in plan.limits:
        assert limit.variant in {"", *plan.variants}


def test_placeholders_are_replaced_word_by_word() -> None:
    found = words_of("distill {teacher} --student {student}+{out}/x --set 'a=[\"b c\"]' --seed {seed}", VALUES)
    assert found == ("distill", ["T", "--student", "S+a folder/x", "--set", 'a=["b c"]', "--seed", "3"])
    assert words_of("tournament run --agents {teacher},random", VALUES) == ("tournament run", ["--agents", "T,random"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("distill {techer}", "'techer' in 'distill {techer}'; did you mean 'teacher'"),
        ("rm -rf /", "needs one of the commands"),
        ("", "needs one of the commands"),
        ("tournament", "needs one of the commands"),
        ("replicate 'half", "No closing quotation"),
    ],
)
def test_lines_that_are_no_command_are_refused(line: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        words_of(line, VALUES)


GOOD = 'question = "Why?"\n[variants.a]\nrun = ["replicate"]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("question = 3\n", "question: needs"),
        ('question = "Why?"\n', "variants"),
        ('question = "Why?"\n[variants.a]\nrun = []\n', "variants.a.run"),
        ('question = "Why?"\n[variants."a/b"]\nrun = ["replicate"]\n', "cannot be a name"),
        ('question = "Why?"\nsead = 3\n[variants.a]\nrun = ["replicate"]\n', "sead"),
        ("seeds = 0\n" + GOOD, "seeds"),
        ('axis = "steps"\n' + GOOD, "names are numbers"),
        (GOOD + '[[limits]]\nsays = "x"\nwhere = "x"\nwhat = "x"\n', "one of above and below"),
        (GOOD + '[[limits]]\nsays = "x"\nwhere = "x"\nwhat = "overlap"\nabove = 1\nvariant = "b"\n', "'b'"),
        (GOOD + '[[limits]]\nsays = "x"\nwhere = "x"\nwhat = "overlp"\nabove = 1\n', "'overlap'"),
        ("{", "not TOML"),
    ],
)
def test_files_that_are_no_experiment_are_refused_with_file_and_key(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ExperimentError, match=message) as error:
        load_experiment(str(path))
    assert str(error.value).startswith(str(path))


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ExperimentError, match="did you mean 'motivation'"):
        load_experiment("motivaton")
