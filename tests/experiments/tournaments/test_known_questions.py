"""What language models answered in a tournament is kept: a stopped one asks nothing again, with any workers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dilemmas.agents.models import open_model
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.backend import Request, Response
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.roster import Seats
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.errors import InputError
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.seals import SEALS
from dilemmas.experiments.commands.main import cli
from dilemmas.experiments.run_folder import QUESTIONS, RunError
from dilemmas.experiments.tournaments.run_folder import play_tournament
from dilemmas.experiments.tournaments.tournament import Settings, Tournament

NOT_COMPARED = (QUESTIONS, SEALS, "seconds.json", "provenance.json")
"""Files with times, and that whose order depends on who asked first."""


class StoppedError(BaseException):
    """The tournament was killed, which is no failure of an agent."""


class Patient:
    """A small model whose last digits depend on the size of the batch, and which is stopped after some questions."""

    name = engine = "patient"
    size, portion = 1_000_000, 0
    miniature = False
    scores = continues = system_turn = True

    def __init__(self, patience: int = 1_000_000, fingerprint: str = "weights") -> None:
        self.patience, self.fingerprint = patience, fingerprint
        self.asked: list[Request] = []

    def loaded(self) -> "Patient":
        return self

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        if len(self.asked) + len(requests) > self.patience:
            raise StoppedError
        self.asked += requests
        return [self._answer(one, len(requests)) for one in requests]

    def _answer(self, request: Request, batch: int) -> Response:
        spread = len(request.prompt) % 7
        return Response(tuple(-1 - (spread + place) / 5 - 1e-9 * batch for place, _ in enumerate(request.labels)))

    def check_requests(self, requests: Sequence[Request]) -> None:
        """Does nothing."""

    def unload(self) -> None:
        """Does nothing."""


def played(model: Patient, folder: Path, **options: Any) -> Any:
    """A tournament in environments, in which every decision is asked for."""
    agent = LanguageModelAgent(CachingBackend(model), context("team"), load_template("study"))
    guests: dict[str, Seats] = {"patient": (agent,) * 2, "random": (strategy("random"),) * 2}
    rules = {"rounds": 6, "memory": 2}
    settings = Settings("prisoners_dilemma", tuple(guests), rules, repetitions=3, engine="environment")
    tournament = Tournament(settings, guests, folder / "matches")
    play_tournament(tournament, folder, **options)
    return tournament


def content(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name not in NOT_COMPARED)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def written(folder: Path) -> list[str]:
    return [json.loads(line)["prompt"] for line in (folder / QUESTIONS).read_text(encoding="utf-8").splitlines()]


def test_a_tournament_that_is_stopped_again_and_again_asks_every_question_once(tmp_path: Path) -> None:
    undisturbed, stops, asked = Patient(), 0, 0
    played(undisturbed, tmp_path / "whole")
    while stops < 100:
        model = Patient(patience=5)
        try:
            played(model, tmp_path / "run")
            break
        except StoppedError:
            stops, asked = stops + 1, asked + len(model.asked)
    assert stops > 3
    assert asked + len(model.asked) == len(undisturbed.asked)
    assert content(tmp_path / "run") == content(tmp_path / "whole")
    assert written(tmp_path / "run") == written(tmp_path / "whole")


def test_workers_share_what_was_answered_and_write_the_same_files(tmp_path: Path) -> None:
    played(Patient(), tmp_path / "one")
    (backend,) = played(Patient(), tmp_path / "two", workers=2).backends
    assert backend.asked > backend.put >= len(written(tmp_path / "two")), "of both workers"
    assert content(tmp_path / "two") == content(tmp_path / "one")
    assert sorted(written(tmp_path / "two")) == sorted(written(tmp_path / "one"))


def test_a_deleted_row_is_played_again_without_a_question(tmp_path: Path) -> None:
    played(Patient(), tmp_path)
    before = content(tmp_path)
    for name in ("rows.jsonl", SEALS, "results.json"):
        (tmp_path / name).unlink()
    again = Patient(patience=0)
    tournament = played(again, tmp_path)
    assert content(tmp_path) == before
    (backend,) = tournament.backends
    assert backend.hits.endswith("questions were put to the model, 100.0% were known")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`dilemmas tournament run` with a model that is compiled."""

    def call(model: Patient, *words: str) -> Result:
        monkeypatch.setattr(open_model, "open_model", lambda *_, **__: model)
        command = ("tournament", "run", "--agents", "some/model,tft", "--rounds", "5", "--out", str(tmp_path / "run"))
        return CliRunner().invoke(cli, [*command, *words], catch_exceptions=False)

    return call


def test_a_model_that_is_compiled_is_asked_once(run: Any, tmp_path: Path) -> None:
    first = Patient()
    assert f"patient: {len(first.asked)} of {len(first.asked)} questions" not in run(first).stderr
    before, again = content(tmp_path / "run"), Patient(patience=0)
    assert f"0 of {len(first.asked)} questions were put to the model, 100.0% were known" in run(again).stderr
    assert content(tmp_path / "run") == before
    forced = Patient()
    run(forced, "--force")
    assert len(forced.asked) == len(first.asked) == len(written(tmp_path / "run"))
    assert content(tmp_path / "run") == before


def test_a_tournament_is_not_resumed_with_another_adapter(run: Any) -> None:
    run(Patient(fingerprint="base+adapter1"))
    changed = Patient(patience=0, fingerprint="base+adapter2")
    with pytest.raises(RunError, match=r"identities.some/model: 'base\+adapter1 .*' recorded, 'base\+adapter2 .*' now"):
        run(changed)


def test_a_tournament_goes_on_with_a_smaller_label_mass_but_not_with_a_larger_one(run: Any, tmp_path: Path) -> None:
    run(Patient())
    run(Patient(patience=0), "--min-mass", "0")
    assert json.loads((tmp_path / "run" / "settings.json").read_text(encoding="utf-8"))["framing"]["min_mass"] == 0
    with pytest.raises(RunError, match=r"framing.min_mass: 0.0 recorded, 0.01 now"):
        run(Patient(patience=0))


def test_stopped_while_a_model_is_compiled_the_answers_serve_any_settings(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Patient()
    run(whole)
    known = (tmp_path / "run" / QUESTIONS).read_text(encoding="utf-8").splitlines(keepends=True)
    for path in (tmp_path / "run").iterdir():
        path.unlink()
    (tmp_path / "run" / QUESTIONS).write_text("".join(known[:3]), encoding="utf-8")
    resumed = Patient()
    run(resumed, "--seed", "7")
    assert len(resumed.asked) == len(whole.asked) - 3


def test_damaged_answers_are_named_with_the_way_out(run: Any, tmp_path: Path) -> None:
    run(Patient())
    path = tmp_path / "run" / QUESTIONS
    path.write_bytes(path.read_bytes().replace(b"-1.", b"-2.", 1))
    with pytest.raises(InputError, match=rf"{QUESTIONS}, line 1: was changed .*; delete the line"):
        run(Patient())
