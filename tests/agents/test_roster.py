"""One way of naming players everywhere: any name of a strategy that `--agents` takes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from dilemmas.agents.roster import player_named
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import UnknownNameError
from dilemmas.experiments.commands.tournament import evolve
from dilemmas.experiments.commands.tournament import run as tournament_run
from dilemmas.experiments.dynamics.deterministic import start_shares
from dilemmas.experiments.dynamics.moran import start_counts
from dilemmas.experiments.dynamics.payoff_matrix import PayoffMatrix

NAMES = ("always_cooperate", "tit_for_tat", "random(0.3)", "Mine", "tuned+adapter")
MATRIX = PayoffMatrix(NAMES[:3], np.eye(3))


@pytest.mark.parametrize(
    ("word", "name"),
    [
        *[("allc", NAMES[0]), ("Cooperator", NAMES[0]), ("TFT", NAMES[1]), ("tit-for-tat", NAMES[1])],
        *[("coin( 0.3 )", NAMES[2]), ("Mine", "Mine"), ("tuned+adapter", "tuned+adapter")],
    ],
)
def test_a_player_is_named_as_agents_are(word: str, name: str) -> None:
    assert player_named(word, NAMES) == name


def test_a_name_of_the_users_own_is_taken_as_it_is() -> None:
    assert player_named("allc", ("allc", "always_cooperate")) == "allc"
    for word in ("mine", "alld", "random(0.4)", "TFTT"):
        with pytest.raises(UnknownNameError, match="unknown player"):
            player_named(word, NAMES)


def test_initial_shares_and_numbers_take_any_name() -> None:
    assert start_shares(MATRIX, {"allc": 0.5, "TFT": 0.5}).tolist() == [0.5, 0.5, 0]
    assert start_counts(MATRIX, 9, {"tft": 2, "coin(0.3)": 3})["always_cooperate"] == 4
    assert MATRIX.only(["tft", "allc"]).names == ("tit_for_tat", "always_cooperate")
    with pytest.raises(InputError, match="'allc' is a second name of 'always_cooperate'"):
        start_shares(MATRIX, {"always_cooperate": 0.5, "allc": 0.5})


def run(command: Any, *arguments: str) -> Any:
    done = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_names_on_the_command_line(tmp_path: Path) -> None:
    folder = str(tmp_path / "run")
    pairs = "TitForTat:allc,allc:Cooperator,alld:TFT,Defector:allc,defector:alld,tit_for_tat:tft"
    run(tournament_run.command, "--agents", "allc,alld,tft", "--rounds", "5", "--pairs", pairs, "--out", folder)
    found = run(evolve.command, folder, "--players", "allc,TFT", "--start", "Cooperator=0.25")
    assert {fate["name"]: fate["start"] for fate in found["fates"]} == {"tit_for_tat": 0.75, "always_cooperate": 0.25}
