"""Tables of human play and records of matches are read, or refused with the line and the remedy."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.experiments.inference.recorded_play import PlayError, people, read_play

HEAD = "subject,match,round,own,other\n"


def test_a_table_of_peoples_play(tmp_path: Path) -> None:
    file = tmp_path / "lab.csv"
    file.write_text(
        "\ufeffID;Supergame;Period;Choice;Other.choice;age\n7;1;2;d;C;30\n7;1;1;Cooperate;D;30\n\n8;1;1;C;C;31\n"
    )
    one, other = people(file)
    assert (one.player, one.match, one.own.tolist(), one.defectors.tolist()) == ("7", "1", [0, 1], [1, 0])
    assert (other.player, other.own.tolist()) == ("8", [0])


def test_a_file_of_another_kind_is_named_as_what_it_is(tmp_path: Path) -> None:
    file = tmp_path / "lab.txt"
    file.write_text(HEAD)
    with pytest.raises(
        PlayError, match=r"needs a run folder, .* or a \.csv or \.tsv table; it is text that begins with"
    ):
        read_play([file])


@pytest.mark.parametrize(("one", "own"), [("C", [0, 1]), ("D", [1, 0])])
def test_numeric_actions_follow_the_option(tmp_path: Path, one: str, own: list[int]) -> None:
    file = tmp_path / "lab.csv"
    file.write_text(HEAD + "a,1,1,1,0\na,1,2,0,0\n")
    (found,) = people(file, one=one)
    assert found.own.tolist() == own
    file.write_text(HEAD + "a,1,1.0,1.0,0.0\na,1,2.0,0.0,0.0\n")  # as pandas and R may write them
    (found,) = people(file, one=one)
    assert found.own.tolist() == own


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line is empty; it must name the columns subject"),
        ("subjct,match,round,own,other\n", "line 1: no column 'subject' .*did you mean 'subjct'"),
        ("subject,match,round,own,Own ,other\n", "lab.csv, line 1: column 'own' is there 2 times; keep one"),
        ("subject;match;round;own;other;age;age\n", "line 1: column 'age' is there 2 times"),
        (HEAD + "a,1,1,C\n", "line 2: 4 fields under 5 columns"),
        (HEAD + "a,1,1,C,C\na,1,2,X,C\n", "line 3: action 'X' is not C, D, 0 or 1"),
        (HEAD + "a,1,1,1,0\n", "line 2: action '1' is a number; specify the meaning of 1 with --one C"),
        (HEAD + "a,1,one,C,C\n", "line 2: round 'one' is not a whole number"),
        (HEAD + "a,1,0,C,C\n", "line 2: round '0' is not a whole number from 1"),
        (HEAD + "a,,1,C,C\n", "line 2: 'match' is empty"),
        (HEAD + "a,1,1,C,C\na,1,1,C,C\n", "line 3: round 1 of match 1 of subject a occurs twice"),
        (HEAD + "a,1,1,C,C\na,1,3,C,C\n", "subject a, match 1: round 2 is missing"),
    ],
)
def test_a_table_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "lab.csv"
    file.write_text(text)
    with pytest.raises(PlayError, match=message):
        list(people(file))


def test_columns_without_a_name_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "lab.csv").write_text(f"{HEAD.strip()},,\na,1,1,C,D,,\n")
    (found,) = people(tmp_path / "lab.csv")
    assert (found.own.tolist(), found.defectors.tolist()) == ([0], [1])


def test_a_table_without_a_round(tmp_path: Path) -> None:
    (tmp_path / "lab.csv").write_text(HEAD)
    with pytest.raises(PlayError, match="no complete round"):
        read_play([tmp_path / "lab.csv"])


def test_files_without_play_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"contains no file named \*\.trajectory\.jsonl"):
        read_play([tmp_path])
    path = tmp_path / "a.trajectory.jsonl"
    agents, options = [strategy("tft")] * 9, {"rounds": 2, "n_players": 9}
    header = Header("dilemmas/population-v0", tuple(agent.describe() for agent in agents), 5, options)
    with TrajectoryWriter(path, header) as writer:
        for match in run_matches(partial(parallel, "population", **options), agents, 1, seed=5):
            writer.write(match)
    with pytest.raises(ValueError, match="not a repeated game of dilemmas among fixed players"):
        read_play([path])
    pair = replace(header, environment="dilemmas/prisoners_dilemma-v0", agents=header.agents[:2], options={})
    with TrajectoryWriter(tmp_path / "b.trajectory.jsonl", pair):
        pass
    with pytest.raises(PlayError, match="no complete round"):
        read_play([tmp_path / "b.trajectory.jsonl"])
    summed = tmp_path / "tournament"
    summed.mkdir()
    (summed / "rows.jsonl").touch()
    with pytest.raises(PlayError, match="records totals only; run it with --engine environment"):
        read_play([summed])
