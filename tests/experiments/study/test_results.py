"""results.json: what cannot be the results of the study is refused with the file and the place."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dilemmas.agents.matches.trajectory import read_trajectory
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.envs.seals import SEALS, SealError
from dilemmas.experiments.commands.replicate import replicate
from dilemmas.experiments.run_folder import RunError, write_json
from dilemmas.experiments.study import playing, stages
from dilemmas.experiments.study.answers import ROLES
from dilemmas.experiments.study.conduct.procedure import finished_results
from dilemmas.experiments.study.data import collect
from dilemmas.experiments.study.evaluation import evaluate, read_results
from dilemmas.experiments.study.recipe import MatchSettings
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run

MATCHES = MatchSettings(("stag_hunt",), ("friends", "team"), ("tit_for_tat", "random"), rounds=4, repetitions=3)
COOPERATION = {"teacher": 0.9, "untuned": 0.2, "tuned": 0.7}


def model(role: str) -> FakeBackend:
    """A model that cooperates with a certain probability, and one of whose twelve replies cannot be read."""

    def answer(request: Request) -> Response:
        first, rest = COOPERATION[role], len(request.labels) - 1
        shares = [first, *[(1 - first) / max(1, rest)] * rest]
        heard = "?" if request.seed[-1] % 12 == 0 else f"{request.labels[:1] or 'CD'[request.seed[-1] % 4 == 1]}"
        return Response(tuple(map(math.log, shares[: len(request.labels)])), text=f"{heard[:1]}. It is right.")

    return FakeBackend(answer, role, role)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A study whose results are written."""
    recipe = load_recipe("miniatures")
    prompting = replace(recipe.prompting, presentation="counterbalanced")
    recipe = replace(recipe, observations=12, prompting=prompting, matches=MATCHES)
    run = Run(tmp_path_factory.mktemp("study") / "run", recipe)
    run.begin()
    backends = {role: model(role) for role in ROLES}
    for role, backend in backends.items():
        list(stages.ask_model(run, role, backend))
    list(playing.play_matches(run, backends))
    population = {role: [0.5] * recipe.population.steps for role in ROLES}
    write_json(run.path("results.json"), evaluate(collect(run, backends, population)))
    run.seals.add(run.path("results.json"))
    return run


def changed(run: Run, folder: Path, change: Callable[[Any], Any]) -> Path:
    """The results of the run with one change."""
    found, path = json.loads(run.path("results.json").read_text()), folder / "results.json"
    change(found)
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


def put(*place: Any) -> Callable[[Any], None]:
    """The change that puts the last argument where the others lead."""
    *path, key, value = place

    def change(found: Any) -> None:
        for one in path:
            found = found[one]
        found[key] = value

    return change


def lose(*path: Any) -> Callable[[Any], None]:
    """The change that deletes what is there."""

    def change(found: Any) -> None:
        for one in path[:-1]:
            found = found[one]
        del found[path[-1]]

    return change


WITHIN = ("scenarios", "within", 0)
WRONG = {
    r"version: .* got 2; another version of dilemmas wrote it": put("version", 2),
    r"format: .*'dilemmas-study'": put("format", "dilemmas-tournament"),
    r"seed: .* as in the recipe; got 9": put("seed", 9),
    r"alignment\.within\.interval: needs a lower end": put("alignment", "within", "interval", [0.9, 0.1]),
    r"alignment\.within\.interval\[0\]: .*finite": put("alignment", "within", "interval", [math.nan, 0.1]),
    r"alignment\.within: counted: needs that of estimates.exact": put("alignment", "within", "counted", 3),
    r"alignment\.new_game\.gap_closed: .* at most 1": put("alignment", "new_game", "gap_closed", 1.5),
    r"alignment\.new_game: transfer: needs gap_closed minus null": put("alignment", "new_game", "gap_closed", 0.1),
    r"alignment\.new_game: ceiling: needs that of estimates.exact": put("alignment", "new_game", "ceiling", 0.5),
    r"alignment: new_game is missing": lose("alignment", "new_game"),
    r"scenarios: new_game is missing": lose("scenarios", "new_game"),
    r"scenarios\.within: .*/.* is missing": lose(*WITHIN),
    r"scenarios\.within\[0\]\.teacher: probabilities: .* add up to 1": put(
        *WITHIN, "teacher", "probabilities", [0.5, 0.4]
    ),
    r"scenarios\.within\[0\]\.teacher\.probabilities\[0\]: .* at most 1": put(
        *WITHIN, "teacher", "probabilities", [1.2, -0.2]
    ),
    r"scenarios\.within\[0\]\.teacher\.exact: needs 0.9; got 0.8": put(*WITHIN, "teacher", "exact", 0.8),
    r"scenarios\.within\[0\]\.tuned\.counts: needs 12 replies.* got 13": put(*WITHIN, "tuned", "unreadable", 2),
    r"scenarios\.within\[0\]\.tuned\.counts\[0\]: .*whole number": put(*WITHIN, "tuned", "counts", [4.5, 6.5]),
    r"scenarios\.within\[0\]\.test_tuned\.p: .* at most 1": put(*WITHIN, "test_tuned", "p", 3.0),
    r"scenarios\.within\[0\]: test_tuned: needs a test": put(*WITHIN, "test_tuned", None),
    r"unreadable\[0\].*unreadable: needs .* at most replies": put("unreadable", 0, "unreadable", 10**6),
    r"unreadable\[0\]\.replies: needs 240; got 241": put("unreadable", 0, "replies", 241),
    r"unreadable: within, teacher is missing": lose("unreadable", 0),
    r"matches: teacher, tit_for_tat, stag_hunt is missing": lose("matches", 0),
    r"matches\[0\]\.matches: needs 6; got 5": put("matches", 0, "matches", 5),
    r"matches\[0\]\.cooperation: interval: needs ends around": put("matches", 0, "cooperation", "interval", [0.0, 0.1]),
    r"matches\[0\]\.cooperation\.value: a text|matches\[0\]\.cooperation\.value: needs a number": put(
        "matches", 0, "cooperation", "value", "x"
    ),
    r"matches\[0\]: interval_by_round: needs one for each": lose("matches", 0, "interval_by_round", 0),
    r"matches\[0\]\.game": put("matches", 0, "game", 7),
    r"matches: .* is not part of the recipe, or there twice": lambda found: found["matches"].append(
        found["matches"][0]
    ),
    r"agreement\[0\]\.ceiling: .* at most 1": put("agreement", 0, "ceiling", 2.0),
    r"agreement: untuned is missing": lose("agreement", 0),
    r"consistency\[0\]: noisy: needs to say": lambda found: put("noisy", not found["consistency"][0]["noisy"])(
        found["consistency"][0]
    ),
    r"consistency\[0\]\.answers: needs 12 with the unreadable ones": put("consistency", 0, "answers", 5),
    r"bias\[0\]\.scenarios: needs 20; got 19": put("bias", 0, "scenarios", 19),
    r"comprehension\[0\]: right: needs .* at most asked": put("comprehension", 0, "right", 10**6),
    r"comprehension: .* is missing": lose("comprehension", 0),
    r"bias\[0\]\.label: value: needs a number from 0 to 1": put("bias", 0, "label", "value", 1.5),
    r"bias: within, teacher is missing": lose("bias", 0),
    r"transfer_drop: warning: needs to say": lambda found: put("warning", not found["transfer_drop"]["warning"])(
        found["transfer_drop"]
    ),
    r"population\.curves\.tuned\[3\]: .* at most 1": put("population", "curves", "tuned", 3, 1.5),
    r"population\.curves\.tuned: needs \d+ numbers": lose("population", "curves", "tuned", 3),
    r"models: untuned is missing": lose("models", 1),
    r"unknown key 'notes'": put("notes", "x"),
    r"the key 'consistency' is missing": lose("consistency"),
}
"""What the error says, and the change of the results that it is about."""


def test_the_results_of_a_study_are_read_as_they_were_written(run: Run) -> None:
    path = run.path("results.json")
    found = read_results(path, run.recipe)
    assert found == json.loads(path.read_text())
    assert {row["matches"] for row in found["matches"]} == {6}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_the_results_is_refused(words: str, run: Run, tmp_path: Path) -> None:
    path = changed(run, tmp_path, WRONG[words])
    with pytest.raises(RunError, match=f"^{path}: {words}.*; delete it and repeat the command: only the metrics"):
        read_results(path, run.recipe)


def test_without_its_seals_no_file_of_a_finished_study_is_taken_for_whole(run: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(run.folder, tmp_path / "run")
    path = next((folder / "matches").iterdir())
    lines = path.read_bytes().splitlines(keepends=True)
    ends = [place for place, line in enumerate(lines, 1) if line.startswith(b'{"end"')]
    whole = folder.joinpath(SEALS).read_bytes()
    for seals in (None, b"", whole.splitlines(keepends=True)[0]):
        (folder / SEALS).unlink() if seals is None else (folder / SEALS).write_bytes(seals)
        for cut in (lines, lines[: ends[0]]):  # the rest is whole matches with valid checksums
            path.write_bytes(b"".join(cut))
            with pytest.raises(SealError, match=r"no seal of results\.json, .* or repeat the command that wrote run"):
                read_trajectory(path)
        with pytest.raises(SealError, match="no seal"):
            read_results(folder / "results.json", run.recipe)
    again = Run(folder, run.recipe)
    with again.locked():
        assert finished_results(again) is None
        list(playing.play_matches(again, {role: model(role) for role in ROLES}))
    assert path.read_bytes() == b"".join(lines)


def test_changed_results_make_no_report(run: Run) -> None:
    path = run.path("results.json")
    whole = path.read_text()
    run.seals.add(changed(run, run.folder, put("matches", 0, "cooperation", "value", 2.0)))
    with pytest.raises(RunError, match=r"results\.json: matches\[0\]\.cooperation"):
        replicate(run, Console(quiet=True))
    assert not (run.folder / "report.md").exists()
    path.write_text(whole)
    run.seals.add(path)
    assert replicate(run, Console(quiet=True)) == json.loads(whole)
    assert (run.folder / "report.md").exists()
