"""Tables of human play with sessions, treatments, intended actions and words of their own."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.experiments.commands.infer import command
from dilemmas.experiments.inference.candidates import candidate_automata, known_automata
from dilemmas.experiments.inference.likelihoods import InferenceError
from dilemmas.experiments.inference.play_tables import PlayError, unused_columns
from dilemmas.experiments.inference.portraits import portraits
from dilemmas.experiments.inference.recorded_play import by_subject, people, read_play

DAL_BO_FRECHETTE = Path(os.environ.get("DILEMMAS_PEOPLE", "")) / "dal_bo_frechette_2011.csv"
"""The table of the R package stratEst, in a folder of people's play; it is not part of the repository."""


def table(folder: Path, text: str) -> Path:
    file = folder / "lab.csv"
    file.write_text(text)
    return file


def inferred(*arguments: str) -> tuple[Any, str]:
    done = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), done.stderr


def test_subjects_counted_anew_in_every_session_are_different_people(tmp_path: Path) -> None:
    rows = "1,1,1,C,D\n1,1,2,D,D\n"
    twice = table(tmp_path, "subject,match,round,own,other\n" + rows + rows)
    with pytest.raises(PlayError, match=r"line 4: .* occurs twice; .* add a column 'session'"):
        list(people(twice))
    lines = [f"{session},{row}\n" for session in "AB" for row in rows.split()]
    found = list(people(table(tmp_path, "Session,subject,match,round,own,other\n" + "".join(lines))))
    assert [one.player for one in found] == ["1, session A", "1, session B"]
    assert len(by_subject(found, "agent")) == 2


def test_treatments_are_apart(tmp_path: Path) -> None:
    """Two people who defect under one treatment and cooperate under the other."""
    lines = [f"{name},{side},1,{round},{side},C\n" for name in "ab" for side in "CD" for round in (1, 2, 3)]
    file = table(tmp_path, "subject,treatment,match,round,own,other\n" + "".join(lines))
    found, _ = inferred(str(file), "--strategies", "allc,alld", "--bootstrap", "5")
    shares = {name: result["strategies"]["always_cooperate"]["share"] for name, result in found["treatments"].items()}
    assert shares == pytest.approx({"C": 1, "D": 0}, abs=1e-6)
    assert found["log_likelihood"] == sum(one["log_likelihood"] for one in found["treatments"].values())
    cooperation = {one.player: one.character.cooperation.value for one in portraits(read_play([file]))}
    assert cooperation == {"a, C": 1, "a, D": 0, "b, C": 1, "b, D": 0}


@pytest.mark.skipif(not DAL_BO_FRECHETTE.is_file(), reason="DILEMMAS_PEOPLE names no folder with the table")
def test_the_six_treatments_of_dal_bo_and_frechette(tmp_path: Path) -> None:
    """Dal Bó & Fréchette 2011, with the six strategies of the paper: one mixture for each treatment, or for all."""
    options = ("--strategies", "alld,allc,mutual_grim,tft,wsls,trigger_2", "--bootstrap", "2")
    found, _ = inferred(str(DAL_BO_FRECHETTE), *options)
    assert len(found["treatments"]) == 6
    assert found["log_likelihood"] == pytest.approx(-2217.194, abs=5e-4)
    pooled = table(tmp_path, DAL_BO_FRECHETTE.read_text(encoding="utf-8").replace("treatment", "part", 1))
    assert inferred(str(pooled), *options)[0]["log_likelihood"] == pytest.approx(-2361.21, abs=5e-3)


def test_intended_beside_realised_choices(tmp_path: Path) -> None:
    """Tit for Tat with noise 1/8 (as in Fudenberg, Rand & Dreber 2012): it never trembles in what it intends."""
    rng, lines = np.random.default_rng(0), []
    for subject in range(6):
        last = 0
        for round in range(1, 60):
            intended, last = last, int(rng.random() < 0.4)
            own = intended ^ int(rng.random() < 1 / 8)
            lines.append(f"{subject},1,{round},{'CD'[own]},{'CD'[last]},{'CD'[intended]}\n")
    file = table(tmp_path, "subject,match,round,own,other,intended\n" + "".join(lines))
    options = (str(file), "--strategies", "tft,alld", "--bootstrap", "5")
    assert inferred(*options, "--choices", "decided")[0]["tremble"]["value"] == pytest.approx(0, abs=1e-9)
    assert inferred(*options)[0]["tremble"]["value"] == pytest.approx(1 / 8, abs=0.04)
    bare = table(tmp_path, "subject,match,round,own,other\n1,1,1,C,C\n")
    with pytest.raises(PlayError, match="line 2: no column 'intended'"):
        list(people(bare, "decided"))


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (("TRUE", "FALSE"), {"one": "C"}),
        (("False", "True"), {"one": "D"}),
        (("yes", "no"), {"one": "C"}),
        (("blue", "green"), {"cooperate": "Blue"}),
    ],
)
def test_words_for_cooperation_and_defection(tmp_path: Path, words: tuple[str, str], options: dict[str, str]) -> None:
    text = f"subject,match,round,own,other\na,1,1,{words[0]},{words[1]}\na,1,2,{words[1]},{words[1]}\n"
    (one,) = people(table(tmp_path, text), "played", **options)
    assert (one.own.tolist(), one.defectors.tolist()) == ([0, 1], [1, 1])


@pytest.mark.parametrize(
    ("actions", "options", "message"),
    [
        ("TRUE,FALSE", {}, "action 'TRUE' is the same as 1; specify the meaning of 1 with --one C"),
        ("blue,green", {}, "action 'blue' is not C, D, 0 or 1; .* with --cooperate WORD"),
        ("blue,green\na,1,2,red,blue", {"cooperate": "blue"}, "line 3: action 'red' is a third word, beside 'blue'"),
    ],
)
def test_words_that_are_not_understood(tmp_path: Path, actions: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(PlayError, match=message):
        list(people(table(tmp_path, f"subject,match,round,own,other\na,1,1,{actions}\n"), "played", **options))


def test_columns_that_are_not_used_are_named(tmp_path: Path) -> None:
    lines = [f"{name},1,1,C,C,.75,40\n" for name in "ab"]
    file = table(tmp_path, "subject,match,round,own,other,delta,R\n" + "".join(lines))
    assert unused_columns(file) == ["delta", "R"]
    assert "columns that are not used: delta, R" in inferred(str(file), "--bootstrap", "2")[1]


def test_strategies_that_depend_on_payoffs_need_the_game() -> None:
    with pytest.raises(InferenceError, match="'zd_extort_2' depends on payoffs, which the play does not tell"):
        candidate_automata(["zd_extort_2"], 2)
    game = DEFAULTS["prisoners_dilemma"]
    assert candidate_automata(["zd_extort_2"], 2, game)[0] in known_automata(2, game)
    assert "zd_extort_2" not in {one.name for one in known_automata(2)}
