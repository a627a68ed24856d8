"""`dilemmas experiment` carries out variants of other commands with several seeds, and finds what differs."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dilemmas.envs.errors import InputError
from dilemmas.experiments.commands import replicate
from dilemmas.experiments.commands.series.experiment import command
from dilemmas.experiments.series.plan import built_in_experiments

KNOWN = """
question = "Which coin is nearer to a coin of .8?"
seeds = 3
[variants.same]
run = ["evaluate random(0.8) Tuned=random(0.8) --on histories"]
[variants.fair]
run = ["evaluate random(0.8) Tuned=random(0.5) --on histories"]
[[limits]]
says = "The fair coin's overlap"
where = "Tuned: histories"
what = "overlap"
variant = "fair"
against = "same"
below = -0.25
"""
MATCHES = """
question = "Who is nearer to tit for tat in noisy matches?"
seeds = 4
[variants.generous]
run = ["evaluate {teacher} Tuned=generous_tit_for_tat --opponents random --rounds 20 --matches 4"]
[variants.fair]
run = ["evaluate {teacher} Tuned=random --opponents random --rounds 20 --matches 4"]
"""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def experiment(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def rows(results: dict[str, Any], where: str, what: str, key: str = "measures") -> dict[str, Any]:
    return {row["variant"]: row for row in results[key] if (row["where"], row["what"]) == (where, what)}


def test_a_known_difference_is_found_with_width_zero_where_nothing_is_random(tmp_path: Path) -> None:
    results = experiment(write(tmp_path, KNOWN), "--out", str(tmp_path / "out"))
    overlap = rows(results, "Tuned: histories", "overlap")
    assert overlap["same"]["mean"] == pytest.approx(1)
    assert overlap["fair"]["mean"] == pytest.approx(0.7)
    assert overlap["fair"]["interval"] == pytest.approx([0.7, 0.7])
    difference = rows(results, "Tuned: histories", "overlap", "differences")["fair"]
    assert difference["against"] == "same"
    assert difference["interval"] == pytest.approx([-0.3, -0.3])
    assert results["limits"][0]["passed"] is True
    assert "−0.30" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")


def test_one_seed_has_no_interval_and_says_so(tmp_path: Path) -> None:
    words = [write(tmp_path, KNOWN), "--seeds", "1", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(command, words, catch_exceptions=False)
    assert "One seed: there are no intervals" in done.stdout
    assert {row["interval"] for row in experiment(*words)["measures"]} == {None}


def test_seeds_are_independent_and_more_of_them_can_be_added(tmp_path: Path) -> None:
    words = [write(tmp_path, MATCHES), "--out", str(tmp_path / "out")]
    few = rows(experiment(*words, "--seeds", "2"), "Tuned: its own matches", "overlap")["fair"]
    more = rows(experiment(*words, "--seeds", "4"), "Tuned: its own matches", "overlap")["fair"]
    assert more["values"][:2] == few["values"]
    assert len(set(more["values"])) == 4
    lines = (tmp_path / "out" / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4 * 2, "the first four runs were kept"


@pytest.mark.slow
def test_a_killed_experiment_is_resumed_to_the_same_results(tmp_path: Path) -> None:
    path = write(tmp_path, MATCHES)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    experiment(path, "--out", str(whole))
    words = [sys.executable, "-m", "dilemmas", "experiment", path, "--out", str(killed)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kept = killed / "runs.jsonl"
    while process.poll() is None and not (kept.is_file() and kept.stat().st_size):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = kept.read_text(encoding="utf-8")
    assert not (killed / "results.json").exists()
    experiment(path, "--out", str(killed))
    assert kept.read_text(encoding="utf-8").startswith(before), "what was finished is kept"
    assert (killed / "results.json").read_bytes() == (whole / "results.json").read_bytes()
    assert (killed / "report.md").read_bytes() == (whole / "report.md").read_bytes()


def test_only_the_variants_that_are_asked_for_are_carried_out(tmp_path: Path) -> None:
    results = experiment(write(tmp_path, KNOWN), "--variant", "fair", "--out", str(tmp_path / "out"))
    assert set(results["commands"]) == {"fair"}
    assert results["differences"] == []
    assert results["limits"] == []


def test_the_folder_of_another_experiment_is_refused_and_further_variants_are_not(tmp_path: Path) -> None:
    words = ["--out", str(tmp_path / "out"), "--seeds", "1"]
    experiment(write(tmp_path, KNOWN), *words)
    with pytest.raises(InputError, match=r"with other settings .*variants"):
        experiment(write(tmp_path, KNOWN.replace("0.5", "0.4")), *words)
    more = KNOWN + '[variants.third]\nrun = ["evaluate random(0.8) Tuned=random(0.3) --on histories"]\n'
    results = experiment(write(tmp_path, more), *words)
    assert rows(results, "Tuned: histories", "overlap")["third"]["mean"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("evaluate random", "variant 'a': 'evaluate random"),
        ("evaluate random random --rounds many", "many"),
        ("replicate --set lora.rank", "no value"),
        ("replicate --dry-run", "--dry-run does nothing"),
        ("replicate --help", "prints something"),
        ("replicate --recipe nowhere", "unknown recipe 'nowhere'"),
    ],
)
def test_a_command_that_cannot_be_carried_out_is_refused_before_any_run(
    line: str, message: str, tmp_path: Path
) -> None:
    text = f'question = "Why?"\n[variants.first]\nrun = ["evaluate random random"]\n[variants.a]\nrun = ["{line}"]\n'
    with pytest.raises(InputError, match=message):
        experiment(write(tmp_path, text), "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_two_commands_that_measure_the_same_are_refused(tmp_path: Path) -> None:
    line = '"evaluate random Tuned=random(0.2) --on histories"'
    text = f'question = "Why?"\n[variants.a]\nrun = [{line}, {line}]\n'
    with pytest.raises(InputError, match="different names"):
        experiment(write(tmp_path, text), "--out", str(tmp_path / "out"))


@pytest.mark.parametrize("name", built_in_experiments())
def test_the_commands_of_a_built_in_experiment_can_be_parsed(name: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [name, "--dry-run", "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "dilemmas" in done.stdout
    assert not (tmp_path / "out").exists()


def test_a_dry_run_counts_variants_seeds_and_runs(tmp_path: Path) -> None:
    path, many = write(tmp_path, 'question = "Why?"\n[variants.a]\nrun = ["evaluate random random"]\n'), "--seeds"
    for seeds, counts in ((1, "1 variant, 1 seed each: 1 run\n"), (2, "1 variant, 2 seeds each: 2 runs\n")):
        words = [str(path), "--dry-run", many, str(seeds), "--out", str(tmp_path / "out")]
        assert CliRunner().invoke(command, words, catch_exceptions=False).stderr == counts


def test_the_list_has_question_and_command_of_every_experiment() -> None:
    listed = CliRunner().invoke(command, []).stdout
    for name in built_in_experiments():
        assert f"\n  Command:  dilemmas experiment {name} " in listed
    assert listed.count("Question: ") == len(built_in_experiments())


STUDY = """
question = "Does the rank matter?"
seeds = 1
recipe = "small.toml"
[variants.4]
run = ["replicate --recipe {recipe} --set lora.rank=4"]
[variants.2]
run = ["replicate --recipe {recipe} --set lora.rank=2"]
"""
SMALL = """
base = "miniatures"
observations = 2
[scenarios]
games = ["prisoners_dilemma", "harmony"]
contexts = ["friends", "team"]
sets = ["within"]
[lora]
method = "soft"
steps = 3
[matches]
games = ["prisoners_dilemma"]
contexts = ["friends"]
opponents = ["tit_for_tat"]
rounds = 2
repetitions = 2
[population]
size = 3
steps = 2
"""


@pytest.mark.slow
def test_studies_that_differ_in_tuning_share_the_answers_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    results = experiment(write(tmp_path, STUDY), "--out", "out")
    for role in ("teacher", "untuned"):
        assert "scenarios were answered in out/4/seed-0" in (tmp_path / "out/2/seed-0/log.txt").read_text("utf-8")
        first, second = ((tmp_path / f"out/{rank}/seed-0/answers/{role}.jsonl").read_bytes() for rank in (4, 2))
        assert first == second
    alone = CliRunner().invoke(
        replicate.command,
        ["--recipe", "small.toml", "--set", "lora.rank=2", "--out", "alone", "--json"],
        catch_exceptions=False,
    )
    row = json.loads(alone.stdout)["pattern"][0]
    assert rows(results, "within", "correlation")["2"]["values"] == [row["tuned"]], "as if it had been asked itself"
    (tmp_path / "small.toml").write_text(SMALL.replace("steps = 3", "steps = 4"), encoding="utf-8")
    with pytest.raises(InputError, match="steps"):
        experiment(write(tmp_path, STUDY), "--out", "out")
