"""Language models of a record answer again, from where they are now."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from recorded_matches import MODEL, Opened, answer, model, record, replay

from dilemmas.agents.matches.record import RecordError
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.errors import InputError


@pytest.mark.parametrize(("shift", "code"), [(0.0, 0), (1e-7, 0), (1e-4, 1)])
def test_models_answer_again_to_a_hundred_thousandth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shift: float, code: int
) -> None:
    asked = []

    def load(spec: str, ask_hub: bool) -> FakeBackend:
        asked.append(spec)
        return Opened(lambda request: answer(request, shift), "little", "0123")

    monkeypatch.setattr("dilemmas.agents.models.open_model.open_model", load)
    path = record(tmp_path, [model(), model(presentation="counterbalanced")])
    assert replay(path)[0] == 0
    found, result = replay(path, "--models")
    assert found == code
    assert {d["field"] for d in result["differences"]} <= {"probabilities", "mass", "action"}
    assert asked == ["little"]  # once for both
    replay(path, "--model", "little=/elsewhere")
    assert asked[1:] == ["/elsewhere"]


def test_a_model_whose_small_label_mass_had_been_accepted_is_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rarely(request: Request) -> Response:
        return Response(tuple(logprob - 20 for logprob in answer(request).logprobs))

    rare = Opened(rarely, "little", "0123")
    monkeypatch.setattr("dilemmas.agents.models.open_model.open_model", lambda *_, **__: rare)
    path = record(tmp_path, [replace(model(min_mass=0.0), backend=rare), strategy("tft")])
    assert [replay(path, *words)[0] for words in ((), ("--models",))] == [0, 0]


@pytest.mark.parametrize("pair", ["teacher-tuned", "tuned-untuned"])
def test_the_models_of_a_study_are_found_from_its_folder_and_answer_again(small_run: Path, pair: str) -> None:
    path = small_run / "runs" / "replicate" / "matches" / f"stag_hunt.friends.{pair}.trajectory.jsonl"
    code, result = replay(path, "--models")
    assert (code, result["matches"], result["rounds"], result["not_asked"]) == (0, 10, 100, [])


def test_a_model_in_a_directory_is_found_through_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load(spec: str, ask_hub: bool) -> FakeBackend:
        asked.append(spec)
        return Opened(MODEL.answer, MODEL.name, MODEL.fingerprint)

    monkeypatch.setattr("dilemmas.agents.models.open_model.open_model", load)
    (tmp_path / "models" / "little").mkdir(parents=True)
    (tmp_path / "run" / "matches").mkdir(parents=True)
    models = {"teacher": "big", "student": str(tmp_path / "models" / "little")}
    (tmp_path / "run" / "recipe.json").write_text(json.dumps({"models": models}))
    assert replay(record(tmp_path / "run" / "matches", [model(), strategy("tft")]), "--models")[0] == 0
    assert asked == [models["student"]]


def test_the_place_of_a_model_that_did_not_play_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown model 'litle' in the record; did you mean 'little'"):
        replay(record(tmp_path, [model(), strategy("tft")]), "--model", "litle=/elsewhere")
    with pytest.raises(InputError, match=r"unknown model 'tit_for_tat' in the record; there is none$"):
        replay(
            record(tmp_path / "strategies", [strategy("tft"), strategy("alld")]), "--model", "tit_for_tat=/elsewhere"
        )


def test_another_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dilemmas.agents.models.open_model.open_model", lambda *_, **__: Opened(answer, "little", "4567")
    )
    with pytest.raises(RecordError, match="has the fingerprint 4567, that of the record 0123"):
        replay(record(tmp_path, [model(), strategy("tft")]), "--models")
