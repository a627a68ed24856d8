"""The command `dilemmas infer`: subjects, candidates and output."""

import json
from functools import partial
from pathlib import Path

import pytest

from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.names import UnknownNameError
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.experiments.commands.infer import command
from dilemmas.experiments.commands.main import main
from dilemmas.experiments.inference.candidates import candidate_automata
from dilemmas.experiments.inference.likelihoods import InferenceError, evidence
from dilemmas.experiments.inference.recorded_play import SubjectUnit, by_subject, read_play


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tit for Tat against Always Defect, and against itself, four matches each."""
    folder = tmp_path_factory.mktemp("run")
    for other in ("alld", "tft"):
        agents = [strategy("tft"), strategy(other)]
        header = Header("dilemmas/prisoners_dilemma-v0", tuple(a.describe() for a in agents), 0, {"rounds": 5})
        with TrajectoryWriter(folder / f"{other}.trajectory.jsonl", header) as writer:
            for record in run_matches(partial(parallel, "prisoners_dilemma", rounds=5), agents, 4, seed=0):
                writer.write(record)
    return folder


@pytest.mark.parametrize(("by", "subjects"), [("agent", 3), ("subject", 4), ("match", 16)])
def test_number_of_subjects(recorded: Path, by: SubjectUnit, subjects: int) -> None:
    assert len(by_subject(read_play([recorded]), by)) == subjects


def test_the_command_estimates_the_shares_that_were_played(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(recorded), "--by", "match", "--strategies", "tft,alld,allc", "--bootstrap", "50"]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--json"], command)
    data = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    shares = {name: row["share"] for name, row in data["strategies"].items()}
    assert shares["always_defect"] == pytest.approx(4 / 16, abs=1e-6)
    # the matches against itself fit Tit for Tat and Always Cooperate; those against Always Defect only Tit for Tat
    assert shares["tit_for_tat"] >= 4 / 16
    assert data["subjects"] == 16
    assert data["choices"] == 80
    assert data["tremble"]["value"] == pytest.approx(0, abs=1e-6)
    with pytest.raises(SystemExit):
        main(arguments, command)
    assert "16 subjects in 8 clusters, 80 choices" in capsys.readouterr().out
    assert data["clusters"] == 8, "the seeds of the four matches are those of the other file, in two seats each"
    with pytest.raises(InferenceError, match=r"3 subjects, .*: all have random numbers in common"):
        command.main([str(recorded), "--bootstrap", "2"], standalone_mode=False)


def test_a_table_and_a_trajectory_of_the_same_play_give_equal_counts(recorded: Path, tmp_path: Path) -> None:
    lines = [
        f"{one.file} {one.seat},{one.match},{round},{'CD'[own]},{'CD'[other]}\n"
        for one in read_play([recorded])
        for round, (own, other) in enumerate(zip(one.own, one.defectors, strict=True), 1)
    ]
    (tmp_path / "lab.csv").write_text("subject,match,round,own,other\n" + "".join(lines))
    candidates = candidate_automata(["alld", "allc", "grim", "tft", "wsls"], 2)
    data = [evidence(by_subject(read_play([path]), "subject"), candidates) for path in (recorded, tmp_path / "lab.csv")]
    assert (data[0].counts == data[1].counts).all()
    assert data[0].choices == 80


def test_invalid_candidates_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'grim'"):
        candidate_automata(["tft", "grimm"], 2)
    with pytest.raises(InferenceError, match="'tit_for_tat' twice"):
        candidate_automata(["tft", "tit_for_tat"], 2)
    with pytest.raises(InferenceError, match="'lab/model' is no strategy"):
        candidate_automata(["tft", "lab/model"], 2)
    with pytest.raises(InferenceError, match="not a finite automaton"):
        candidate_automata(["gradual"], 2)


def test_what_is_not_known_is_a_dash_and_rounded_figures_have_no_minus_sign(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{subject},1,{round},C,C\n" for subject in "abcdefghij" for round in range(1, 11)]
    (tmp_path / "nice.csv").write_text("subject,match,round,own,other\n" + "".join(rows))
    arguments = [str(tmp_path / "nice.csv"), "--strategies", "allc,alld", "--bootstrap", "50"]
    command.main(arguments, standalone_mode=False)
    shown = capsys.readouterr().out
    assert "tremble 0.000 (s.e. –, 95% 0.000 to 0.037; gamma 0)" in shown
    assert "log-likelihood 0.00" in shown
    command.main([*arguments, "--json"], standalone_mode=False)
    data = json.loads(capsys.readouterr().out)
    assert data["tremble"]["standard_error"] is data["strategies"]["always_defect"]["standard_error"] is None
    assert data["strategies"]["always_defect"]["interval"][0] == data["log_likelihood"] == 0
