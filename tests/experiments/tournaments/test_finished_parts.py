"""What a tournament has finished is not lost, not taken for whole when it is cut, and not mixed with anything else."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dilemmas.agents.agent import Decision, PlayerRecord, Traits, Turn
from dilemmas.agents.matches.match import AgentError
from dilemmas.agents.matches.record import Reason
from dilemmas.agents.matches.trajectory import SUFFIX, find_trajectories, read_trajectory
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.errors import InputError
from dilemmas.envs.locks import LOCK
from dilemmas.envs.seals import DAMAGED, RESULTS, SEALS, SealError
from dilemmas.experiments.commands.main import cli
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.tournaments.run_folder import ROWS, play_tournament, read_rows
from dilemmas.experiments.tournaments.tournament import Settings, Tournament

SMALL = ("tournament", "run", "--agents", "tft,random,alld", "--rounds", "5", "--repetitions", "2")
RECORDED = (*SMALL, "--engine", "environment")
LONG = ("tournament", "run", "--agents", "@first_tournament", "--engine", "vectorised", "--repetitions", "3000")
TIMES = ("seconds.json", "provenance.json", SEALS)


def dilemmas(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in TIMES)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    dilemmas(*RECORDED, "--out", str(folder))
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def cut(path: Path) -> None:
    """Remove the last line: the file is as well-formed as before."""
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def doubled(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 2)


@pytest.mark.parametrize("damage", [cut, empty, doubled, Path.unlink])
def test_damaged_rows_are_refused_on_reading_and_played_again(whole: Path, copy: Path, damage) -> None:
    damage(copy / ROWS)
    for words in (("show", str(copy)), ("export", str(copy), "--out", str(copy.parent / "matches.csv"))):
        with pytest.raises(SealError, match=rf"{ROWS} has .* or repeat the command that wrote run"):
            dilemmas("tournament", *words)
    assert not (copy.parent / "matches.csv").exists()
    dilemmas(*RECORDED, "--out", str(copy))
    (copy / f"{ROWS}{DAMAGED}").unlink(missing_ok=True)
    assert content(copy) == content(whole)
    dilemmas("tournament", "export", str(copy), "--out", str(copy.parent / "matches.csv"))


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("damage", [cut, empty, Path.unlink])
def test_a_damaged_trajectory_is_refused_on_reading_and_played_again(
    whole: Path, copy: Path, damage, finished: bool
) -> None:
    """Also in a run that was stopped after the group had been played."""
    if not finished:
        (copy / RESULTS).unlink()
        cut(copy / SEALS)
    path = find_trajectories(copy)[2]
    damage(path)
    if damage is not Path.unlink:
        for words in (("replay", str(copy)), ("watch", str(copy)), ("fingerprint", str(copy))):
            with pytest.raises(SealError, match=f"{path.name} has .* or repeat the command that wrote run"):
                dilemmas(*words)
    dilemmas(*RECORDED, "--out", str(copy))
    path.with_name(path.name + DAMAGED).unlink(missing_ok=True)
    assert content(copy) == content(whole)
    assert "reproduced" in dilemmas("replay", str(copy)).stdout


def readings(folder: Path) -> list[tuple[str, ...]]:
    """The commands that read the folder of a tournament."""
    name, out = str(folder), str(folder.parent / "matches.csv")
    tournament = [("show", name), ("evolve", name), ("export", name, "--out", out, "--force")]
    play = [("replay", name), ("watch", name, "--plain"), ("fingerprint", name), ("infer", name, "--bootstrap", "2")]
    return [*(("tournament", *words) for words in tournament), *play]


def test_edited_settings_are_refused_by_every_command(copy: Path) -> None:
    settings = copy / "settings.json"
    played = settings.read_text()
    settings.write_text(played.replace('"rounds": 5', '"rounds": 6'))
    asked = [(*RECORDED, "--out", str(copy)), (*RECORDED, "--rounds", "6", "--out", str(copy))]
    before = content(copy)
    for words in (*readings(copy), *asked):
        with pytest.raises(SealError, match=r"settings\.json has been changed .* does not say what was played here"):
            dilemmas(*words)
    assert content(copy) == before
    settings.write_text(played)
    for words in (*readings(copy), asked[0]):
        assert dilemmas(*words).exit_code == 0, words
    settings.write_text(played.replace('"rounds": 5', '"rounds": 6'))
    dilemmas(*asked[1], "--force")
    assert dilemmas(*readings(copy)[0]).exit_code == 0


def test_a_lost_or_added_match_is_found_by_every_command(whole: Path, copy: Path) -> None:
    first, *_, last = find_trajectories(copy)
    last.unlink()
    for words in readings(copy):
        with pytest.raises(SealError, match=f"run lacks matches/{last.name}, .* repeat the command that wrote run"):
            dilemmas(*words)
    dilemmas(*RECORDED, "--out", str(copy))
    assert content(copy) == content(whole)
    added = Path(shutil.copy(first, first.with_name(f"00099{first.name[5:]}")))
    for words in readings(copy):
        with pytest.raises(SealError, match=f"{added.name} is not a file of the run"):
            dilemmas(*words)


def test_play_is_counted_once(copy: Path) -> None:
    path = find_trajectories(copy)[0]
    (copy.parent / "link").symlink_to(copy)
    (copy.parent / f"other{SUFFIX}").symlink_to(path)
    for other in (copy, path, copy.parent / "link", copy / "matches", copy.parent / f"other{SUFFIX}"):
        with pytest.raises(InputError, match=f"{SUFFIX} is given twice"):
            dilemmas("infer", str(copy), str(other))
    (copy.parent / "lab.csv").write_text("subject,match,round,own,other\na,1,1,C,D\n")
    with pytest.raises(InputError, match=r"lab\.csv is given twice"):
        dilemmas("infer", str(copy.parent / "lab.csv"), str(copy.parent / "link" / ".." / "lab.csv"))


def test_the_matches_of_a_stopped_tournament_are_read(copy: Path) -> None:
    """The last one is being written, and has no seal."""
    *_, last = find_trajectories(copy)
    (copy / RESULTS).unlink()
    lines = (copy / SEALS).read_text().splitlines(keepends=True)
    (copy / SEALS).write_text("".join(lines[: next(at for at, line in enumerate(lines) if last.name in line)]))
    cut(last)
    assert last.name in dilemmas("watch", str(copy), "--plain").stderr
    last.unlink()
    for words in readings(copy):
        if "evolve" not in words:
            assert dilemmas(*words).exit_code == 0, words
    shutil.copy(find_trajectories(copy)[0], last)
    with pytest.raises(SealError, match=f"{last.name} is a copy of matches/00000-"):
        dilemmas("replay", str(copy))


def test_a_changed_result_is_refused_and_computed_again(whole: Path, copy: Path) -> None:
    (copy / RESULTS).write_bytes((whole / RESULTS).read_bytes().replace(b"2", b"3"))
    for words in (("show", str(copy)), ("evolve", str(copy))):
        with pytest.raises(SealError, match=f"{RESULTS} has been changed"):
            dilemmas("tournament", *words)
    dilemmas(*RECORDED, "--out", str(copy))
    (copy / f"{RESULTS}{DAMAGED}").unlink()
    assert content(copy) == content(whole)


@pytest.mark.parametrize("damage", [empty, Path.unlink])
def test_finished_rows_without_a_seal_are_refused_until_the_command_is_repeated(
    whole: Path, copy: Path, damage
) -> None:
    damage(copy / SEALS)
    cut(copy / ROWS)
    for words in (("show", str(copy)), ("export", str(copy), "--out", str(copy.parent / "matches.csv"))):
        with pytest.raises(SealError, match=rf"no seal of {RESULTS}, .* repeat the command that wrote run"):
            dilemmas("tournament", *words)
    dilemmas(*RECORDED, "--out", str(copy))
    assert content(copy) == content(whole)


def test_rows_that_are_there_twice_are_refused_without_seals_too(copy: Path) -> None:
    for name in (SEALS, RESULTS):
        (copy / name).unlink()
    doubled(copy / ROWS)
    with pytest.raises(RunError, match=f"{ROWS}, line 7 is there twice, so two processes wrote it"):
        dilemmas("tournament", "export", str(copy), "--out", str(copy.parent / "matches.csv"))


class Fails:
    """Cooperates, but cannot see a defection."""

    name = "fails"
    traits = Traits()
    able = False

    def describe(self) -> PlayerRecord:
        return PlayerRecord(self.name, "fails")

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        if not self.able and any(joint[1] for turn in turns for joint in turn.info["view"].history):
            raise KeyError("a defection")
        return [Decision(0)] * len(turns)

    policy = decide


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_agent_costs_its_own_group_alone(tmp_path: Path, workers: int) -> None:
    def tournament(folder: Path, fails: Fails) -> Tournament:
        guests = {name: (strategy(name),) * 2 for name in ("always_defect", "tit_for_tat")} | {"fails": (fails,) * 2}
        settings = Settings("prisoners_dilemma", tuple(guests), {"rounds": 5}, repetitions=2)
        return Tournament(settings, guests, folder / "matches")

    said = "always_defect, fails: match 0, round 2, player_1: agent fails failed: KeyError: 'a defection' .*; all other"
    with pytest.raises(AgentError, match=said):
        play_tournament(tournament(tmp_path / "run", Fails()), tmp_path / "run", workers=workers)
    groups = [row.fixture.group for row in read_rows(tmp_path / "run" / ROWS)]
    assert len(groups) == 5
    assert ("always_defect", "fails") not in groups
    (failed,) = (tmp_path / "run" / "matches").glob("00002-*")
    (first, _) = read_trajectory(failed)[1]
    assert (first.outcome.reason, len(first.steps)) == (Reason.FAILED, 2)
    able = Fails()
    able.able = True
    again = play_tournament(tournament(tmp_path / "run", able), tmp_path / "run")
    assert again.ranking == play_tournament(tournament(tmp_path / "new", able), tmp_path / "new").ranking


def test_force_deletes_what_the_program_wrote_and_nothing_else(whole: Path, copy: Path) -> None:
    other = ("notes.txt", ".git/HEAD", "matches/mine.txt", "matches/own.trajectory.jsonl", "index.lock")
    (copy / ".git").mkdir()
    for name in other:
        (copy / name).write_text("mine")
    dilemmas(*SMALL, "--seed", "7", "--out", str(copy), "--force")
    assert {name: (copy / name).read_text() for name in other} == dict.fromkeys(other, "mine")
    assert not [path for path in (copy / "matches").iterdir() if path.name[0].isdigit()]
    assert content(copy)[ROWS] != content(whole)[ROWS]
    with pytest.raises(InputError, match="other settings"):
        dilemmas(*RECORDED, "--out", str(copy))


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "dilemmas", *LONG, "--out", str(folder), *more]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def lines(folder: Path) -> int:
    return (folder / ROWS).read_bytes().count(b"\n") if (folder / ROWS).is_file() else 0


@pytest.mark.parametrize("how", ["again", "--force", "link", "stopped"])
def test_a_running_tournament_is_not_disturbed(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "run"
    holder = start(folder)
    while holder.poll() is None and lines(folder) == 0:
        time.sleep(0.02)
    if how == "stopped":
        holder.send_signal(signal.SIGSTOP)
    (tmp_path / "link").symlink_to(folder)
    second = start(tmp_path / "link" if how == "link" else folder, *(["--force"] if how == "--force" else []))
    error = second.communicate()[1]
    assert (second.returncode, holder.poll()) == (2, None)
    assert f"is in use by another process (process {holder.pid} on " in error.splitlines()[-1]
    holder.send_signal(signal.SIGCONT)
    holder.send_signal(signal.SIGINT)
    assert holder.communicate()[1].endswith("interrupted; repeat the same command to resume\n")
    assert not (folder / LOCK).exists()
    dilemmas("tournament", "export", str(folder), "--out", str(tmp_path / "matches.csv"))


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3, 5])
def test_of_processes_that_start_at_once_one_works(tmp_path: Path, count: int) -> None:
    processes = [start(tmp_path / "run", *(["--force"] if number % 2 else [])) for number in range(count)]
    errors = [process.communicate()[1].splitlines()[-1] for process in processes]
    codes = [process.returncode for process in processes]
    assert sorted(codes) == [0, *[2] * (count - 1)]
    winner = processes[codes.index(0)]
    for code, error in zip(codes, errors, strict=True):
        assert code == 0 or f"is in use by another process (process {winner.pid} on " in error
    assert not (tmp_path / "run" / LOCK).exists()
    assert os.listdir(tmp_path) == ["run"]
