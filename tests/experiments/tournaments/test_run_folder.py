"""The folder of a tournament: resumed bit-identically, independent of the workers, and never shared."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dilemmas.agents.roster import sets
from dilemmas.agents.strategies.catalogue import listing, strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.table_file import save_table
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.seals import PROVENANCE, SEALS
from dilemmas.experiments.commands.main import main
from dilemmas.experiments.commands.tournament.group import command
from dilemmas.experiments.run_folder import recover, write_sealed
from dilemmas.experiments.tournaments.run_folder import ROWS, play_tournament
from dilemmas.experiments.tournaments.tournament import Settings, Tournament

AGENTS = ("tit_for_tat", "random", "downing", "joss", "always_defect")
MADE = (ROWS, "results.json", "payoffs.csv", "ranking.csv", "settings.json", "report.html", "report.md")
"""Files that are the same whenever the settings are."""


def settings(repetitions: int = 5, rounds: int = 50) -> Settings:
    return Settings("prisoners_dilemma", AGENTS, {"rounds": rounds}, repetitions, engine="vectorised")


def files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in MADE}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tournament") / "whole"
    play_tournament(Tournament(settings()), folder)
    return folder


def test_a_folder_from_before_sources_were_kept_is_shown_and_resumed(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "older")
    older = json.loads((whole / "settings.json").read_bytes())
    del older["sources"]
    write_sealed(recover(tmp_path / "older"), "settings.json", older)
    (tmp_path / "older" / "results.json").unlink()
    rows = tmp_path / "older" / ROWS
    rows.write_bytes(rows.read_bytes()[:-5])
    assert CliRunner().invoke(command, ["show", str(tmp_path / "older")]).exit_code == 1  # its rows were cut
    play_tournament(Tournament(settings()), tmp_path / "older")
    assert files(tmp_path / "older") == files(whole)
    assert CliRunner().invoke(command, ["show", str(tmp_path / "older")]).exit_code == 0


def test_a_file_truncated_anywhere_is_resumed(whole: Path, tmp_path: Path) -> None:
    expected = files(whole)
    rows = expected[ROWS]
    for cut in (0, 1, rows.index(b"\n"), rows.index(b"\n") + 1, len(rows) // 2, len(rows) - 1, len(rows)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / "settings.json").write_bytes(expected["settings.json"])
        (folder / ROWS).write_bytes(rows[:cut])
        play_tournament(Tournament(settings()), folder)
        assert files(folder) == expected


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_makes_the_same_files(whole: Path, tmp_path: Path, workers: int) -> None:
    play_tournament(Tournament(settings()), tmp_path / "out", workers=workers)
    assert files(tmp_path / "out") == files(whole)


def test_another_tournament_is_refused_with_the_difference(whole: Path) -> None:
    before = files(whole)
    with pytest.raises(InputError, match=r"repetitions: 5 recorded, 6 now"):
        play_tournament(Tournament(settings(6)), whole)
    assert files(whole) == before


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="holds no tournament"):
        play_tournament(Tournament(settings()), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_damaged_row_is_found(whole: Path, tmp_path: Path) -> None:
    damages = (
        (b'"tit_for_tat"', b'"tit_for_tot"'),
        (b'{"group"', b'{"grp"'),
        (b'{"group"', b"\xff"),
        (b'"rounds":[', b'"rounds":[1,'),
        (b'"payoffs":[[', b'"payoffs":[[NaN],['),
        (b'"payoffs":[[1', b'"payoffs":[[1e999'),
        (b'"count":5', b'"count":"5"'),
    )
    for number, (damage, found) in enumerate(damages):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert damage in (whole / ROWS).read_bytes().splitlines()[0]
        (folder / "settings.json").write_bytes((whole / "settings.json").read_bytes())
        (folder / ROWS).write_bytes((whole / ROWS).read_bytes().replace(damage, found, 1))
        with pytest.raises(InputError, match="line 1"):
            play_tournament(Tournament(settings()), folder)


def test_a_single_changed_digit_is_found(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_bytes((whole / "settings.json").read_bytes())
    first, rest = (whole / ROWS).read_bytes().split(b"\n", 1)
    place = first.index(b'"payoffs":[[') + len(b'"payoffs":[[')
    digit = b"1" if first[place : place + 1] != b"1" else b"2"
    (tmp_path / ROWS).write_bytes(first[:place] + digit + first[place + 1 :] + b"\n" + rest)
    with pytest.raises(InputError, match="line 1 is damaged"):
        play_tournament(Tournament(settings()), tmp_path)


def test_a_player_that_has_become_another_is_refused(tmp_path: Path) -> None:
    """Its name is the same, but the table in the file is not."""
    game, file = stage_game("prisoners_dilemma"), tmp_path / "mine.json"
    save_table(compile_agent(strategy("tit_for_tat"), game, 1), file)
    asked = Settings("prisoners_dilemma", (str(file), "always_defect"), {"rounds": 5})
    play_tournament(Tournament(asked), tmp_path / "out")
    save_table(compile_agent(strategy("bully"), game, 1), file)
    with pytest.raises(InputError, match=r"identities.mine: '\w+' recorded, '\w+' now"):
        play_tournament(Tournament(asked), tmp_path / "out")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_the_command_prints_json(tmp_path: Path) -> None:
    asked = ("run", "--agents", "tft,alld", "--rounds", "20", "--json")
    found = json.loads(run(*asked).stdout)
    assert found["players"] == ["tit_for_tat", "always_defect"]
    assert found["payoff_matrix"] == [[3.0, pytest.approx(0.95)], [pytest.approx(1.2), 1.0]]
    assert [row["player"] for row in found["ranking"]] == ["tit_for_tat", "always_defect"]
    assert found["seconds"] >= 0
    assert found["engines"] == {"cycle": 3}
    folder = str(tmp_path / "out")
    run(*asked, "--out", folder)
    shown = json.loads(run("show", folder, "--json").stdout)
    assert {**shown, "seconds": found["seconds"]} == found


def test_every_match_can_be_exported(whole: Path, tmp_path: Path) -> None:
    run("export", str(whole), "--out", str(tmp_path / "matches.csv"))
    lines = (tmp_path / "matches.csv").read_text().splitlines()
    assert len(lines) == 1 + 15 * 5 * 2  # pairs, repetitions, seats
    with pytest.raises(InputError, match="overwrite it with --force"):
        run("export", str(whole), "--out", str(tmp_path / "matches.csv"))
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    run("export", str(whole), "--out", str(tmp_path / "matches.parquet"))
    assert pandas.read_parquet(tmp_path / "matches.parquet").equals(pandas.read_csv(tmp_path / "matches.csv"))


def test_the_matches_of_a_stopped_tournament_are_shown_and_exported(whole: Path, tmp_path: Path) -> None:
    rows = (whole / ROWS).read_bytes()
    folder = tmp_path / "stopped"
    folder.mkdir()
    (folder / "settings.json").write_bytes((whole / "settings.json").read_bytes())
    (folder / ROWS).write_bytes(rows[: len(rows) // 2])
    found = json.loads(run("show", str(folder), "--json").stdout)
    assert len(found["groups"]) == rows[: len(rows) // 2].count(b"\n")
    run("export", str(folder), "--out", str(tmp_path / "matches.csv"))
    assert len((tmp_path / "matches.csv").read_text().splitlines()) == 1 + len(found["groups"]) * 5 * 2


def test_an_invalid_tournament_neither_creates_nor_deletes_a_folder(whole: Path, tmp_path: Path) -> None:
    asked = ("run", "--agents", "tft,alld", "--pairs", "tft", "--out", str(tmp_path / "out"))
    with pytest.raises(InputError, match="1 players in a group of 2"):
        run(*asked)
    assert not (tmp_path / "out").exists()
    run(*asked[:3], *asked[5:])
    with pytest.raises(InputError, match="1 players in a group of 2"):
        run(*asked, "--force")
    assert (tmp_path / "out" / "results.json").is_file()


def test_force_deletes_nothing_but_tournaments(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"editor.fontSize": 14}')
    with pytest.raises(InputError, match=r"settings\.json: the key 'format' is missing"):
        run("run", "--agents", "tft,alld", "--out", str(tmp_path), "--force")
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("name", ["settings.json", "seconds.json", "results.json"])
def test_other_damage_is_reported_in_one_line(whole: Path, tmp_path: Path, name: str) -> None:
    for kept in ("settings.json", ROWS, *([SEALS, PROVENANCE] if name == "results.json" else [])):
        (tmp_path / kept).write_bytes((whole / kept).read_bytes())
    (tmp_path / name).write_text("[]")
    read = run if name == "results.json" else lambda *_: play_tournament(Tournament(settings()), tmp_path)
    with pytest.raises(InputError, match=name):
        read("show", str(tmp_path))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_all_workers_with_one_line(tmp_path: Path, workers: str) -> None:
    asked = ["tournament", "run", "--agents", ",".join(AGENTS), "--engine", "vectorised", "--repetitions", "100000"]
    asked += ["--out", str(tmp_path / "out"), "--workers", workers]
    code = f"from dilemmas.experiments.commands.main import main; main({asked!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, start_new_session=True)
    until = time.monotonic() + 60
    while not (tmp_path / "out" / ROWS).is_file() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)  # workers are loading
    os.killpg(process.pid, signal.SIGINT)
    found = process.communicate(timeout=60)[1]  # of the workers, too: none of them holds the pipe open
    assert process.returncode == 130
    assert found.splitlines()[-1] == "interrupted; repeat the same command to resume"
    assert len(found.splitlines()) <= 3  # an announcement of the duration and of the work come first


def test_an_address_without_a_cluster_is_reported_immediately() -> None:
    pytest.importorskip("ray")
    with pytest.raises(InputError, match="no Ray cluster answers there"):
        play_tournament(Tournament(settings()), executor="ray", address="127.0.0.1:1")


def test_without_ray_nothing_is_made_or_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("run", "--agents", "tft,alld", "--out", str(tmp_path / "out"))
    run(*asked)
    monkeypatch.setitem(sys.modules, "ray", None)
    for folder, more in (("out", ["--force"]), ("new", [])):
        with pytest.raises(InputError, match=r'pip install "dilemmas\[cluster\]"'):
            run(*asked[:4], str(tmp_path / folder), "--executor", "ray", *more)
    assert (tmp_path / "out" / "results.json").is_file()
    assert not (tmp_path / "new").exists()


def test_dry_run_prints_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run("run", "--agents", "tft,downing", "--dry-run", "--json").stdout)
    assert (found["groups"], found["engines"], found["matches"]) == (3, {"cycle": 1, "vectorised": 2}, 20)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--agents", "tft,alldd"), "did you mean 'alld'"),
        (
            ("--agents", "tft,nosuch"),
            "`dilemmas agents` all kinds of agents; a model is given by its directory",
        ),
        (("--agents", "tft,alld", "--pairs", "tft:grim"), "unknown agent 'grim' in 'tft:grim'"),
        (("--agents", "tft,alld", "--graph", "ring"), "change the number of agents, or give --pairs"),
        (("--agents", "tft,alld", "--rounds", "many"), "MIN-MAX"),
        (("--agents", "tft,alld", "--noise", "1.5"), "1.5 is not in the range 0<=x<=1"),
        (("--agents", "tft,alld", "--noise", "0.1", "--set", "noise=0.2"), "leave one out"),
        (("--agents", "tft,alld", "--set", "TT=3"), "unknown option 'TT'"),
        (("--agents", "tft,alld", "--game", "prisoner"), "did you mean 'prisoners_dilemma'"),
    ],
)
def test_errors_are_one_line_and_exit_code_2(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tournament", "run", *arguments])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def killed(folder: Path, seconds: float, *more: str) -> bool:
    """Play in a process of its own, which is killed after some seconds; whether it was before it had ended."""
    asked = ["tournament", "run", "--agents", ",".join(AGENTS), "--engine", "vectorised", "--rounds", "300"]
    asked += ["--repetitions", "300", "--out", str(folder), *more]
    code = f"from dilemmas.experiments.commands.main import main; main({asked!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--workers", "2")])
def test_killed_at_twenty_moments_it_ends_as_if_undisturbed(tmp_path: Path, more: tuple[str, ...]) -> None:
    started = time.monotonic()
    assert not killed(tmp_path / "undisturbed", 600)
    whole_time, moments = time.monotonic() - started, random.Random(1)
    expected, kills, attempt = files(tmp_path / "undisturbed"), 0, 0
    while kills < 20:
        folder = tmp_path / f"killed-{attempt}"
        attempt += 1
        while killed(folder, moments.uniform(0.1, 1.1) * whole_time, *more):
            kills += 1
        assert files(folder) == expected


@pytest.mark.slow
def test_two_nodes_of_a_cluster_make_the_same_files(whole: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        folder = tmp_path / "out"
        play_tournament(Tournament(settings()), folder, workers=2, executor="ray", address=cluster.address)
        assert files(folder) == files(whole)
    finally:
        cluster.shutdown()


def test_names_of_strategies_are_whole_in_a_narrow_terminal() -> None:
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(command, ["strategies"]).output
    assert [row.name for row in listing() if row.name not in shown] == []


def test_a_set_of_strategies_is_listed_by_its_word() -> None:
    listed = CliRunner().invoke(command, ["strategies", "@first_tournament", "--json"]).output
    assert {row["name"] for row in json.loads(listed)} == set(sets()["@first_tournament"])


def test_a_single_group_is_counted_in_the_singular() -> None:
    assert "The only group was computed exactly." in " ".join(run("run", "--agents", "tft").stdout.split())
