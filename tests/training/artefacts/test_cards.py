"""A model card is made of the record of the training, and takes in what was measured later without losing the rest."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from dilemmas.training.artefacts.cards import BEGIN, CARD, END, adapter_card, merged_card, write_alignment
from dilemmas.training.lora import LoraSettings

RECORD: dict[str, Any] = {
    "settings": asdict(LoraSettings(method="soft", rank=4)),
    "examples": 20,
    "losses": [0.7, 0.2],
    "base": {"name": "org/model@abc", "fingerprint": "0123"},
    "taught": {"teacher": {"name": f"x {BEGIN} {END}", "fingerprint": "4567"}, "data": ["play.jsonl"]},
    "miniature": False,
}
MERGED = {"model": "org/model+adapter", "fingerprint": "0+1", "dtype": "float16", "gguf": True}


def head(card: str) -> Any:
    return yaml.safe_load(card.split("---\n")[1])


def facts(card: str) -> Any:
    return json.loads(card.split("```json\n")[1].split("\n```")[0])


def test_the_card_of_an_adapter_says_what_was_done() -> None:
    card = adapter_card("org/model", RECORD)
    tags = {"tags": ["lora", "dilemmas", "social-dilemma"]}
    assert head(card) == {"base_model": "org/model", "library_name": "peft", **tags}
    assert facts(card) == {"base": RECORD["base"], "taught": RECORD["taught"]}
    assert "| rank | 4 |" in card
    assert "on 20 questions with its teacher's probabilities" in " ".join(card.split())
    assert "dilemmas evaluate" in card
    assert "miniature model" not in card
    assert "say nothing about large" in adapter_card("", RECORD | {"miniature": True})


def test_a_path_is_no_base_on_the_hub() -> None:
    assert "base_model" not in head(adapter_card("/home/me/model", RECORD))
    assert head(adapter_card("miniature-student", RECORD))["base_model"] == "miniature-student"


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("hard", "cross-entropy, in nats per token, went"),
        ("soft", "which is at least their entropy, in nats per token, went"),
        ("motivated", "and of the motivations, in nats per unit of weight, went"),
        ("tokens", "divergence from the teacher's distributions, in nats per token, went"),
    ],
)
def test_a_card_names_what_the_loss_is_and_its_unit(method: str, said: str) -> None:
    record = RECORD | {"settings": {**RECORD["settings"], "method": method}}
    assert f"{said} from 0.700 to 0.200." in " ".join(adapter_card("org/model", record).split())


def test_a_base_is_named_with_its_revision_and_a_place_of_one_machine_is_not() -> None:
    taught = {**RECORD["taught"], "evaluate": ["tit_for_tat", "--on", "histories"]}
    card = adapter_card("org/model", RECORD | {"taught": taught})
    assert "from_pretrained('org/model', revision='abc')" in card
    assert (
        "dilemmas evaluate tit_for_tat Untuned=hf:org/model@abc Tuned=hf:org/model@abc+. \\\n    --on histories" in card
    )
    assert "dilemmas merge hf:org/model@abc+. --out ../merged" in card
    apart = adapter_card("/home/me/model", RECORD | {"base": {"name": "/home/me/model"}, "taught": taught})
    assert "/home/me" not in apart
    assert "the folder or file `model`" in apart
    assert "Untuned=hf:path/to/model" in apart
    assert "evaluate" not in json.dumps(facts(apart))


def test_no_command_is_printed_that_could_not_run() -> None:
    for teacher in (["`x`"], ["a\nb"], [], None):
        card = adapter_card("org/model", RECORD | {"taught": {"evaluate": teacher}})
        assert "compares it with any agent" in card
    beside = RECORD | {"taught": {"evaluate": ["table:../people.json"]}}
    assert "Tuned=hf:" in adapter_card("org/model", beside)
    assert "compares it with any agent" in merged_card("org/model", beside, MERGED)


def test_the_card_of_a_merged_model_says_what_was_merged() -> None:
    card = merged_card("org/model", RECORD, MERGED, "Measured: .9")
    found = head(card)
    assert (found["base_model"], found["base_model_relation"], found["library_name"]) == (
        *("org/model", "finetune"),
        "transformers",
    )
    assert facts(card)["merged"] == MERGED
    assert f"{BEGIN}\nMeasured: .9\n{END}" in card
    assert "llama-server" in card
    assert "llama-server" not in merged_card("org/model", RECORD, MERGED | {"gguf": False})
    assert "was not tuned by dilemmas" in merged_card("org/model", None, MERGED)


def test_measured_alignment_takes_its_place_once_and_nothing_else_changes(tmp_path: Path) -> None:
    card = adapter_card("org/model", RECORD)
    (tmp_path / CARD).write_text(f"{card}\nmine\n")
    for section in ("first", "second"):
        write_alignment(tmp_path, section)
        written = (tmp_path / CARD).read_text()
        start, end = card.rindex(BEGIN), card.rindex(END)
        assert written == f"{card[:start]}{BEGIN}\n{section}\n{card[end:]}\nmine\n"


@pytest.mark.parametrize("text", ["no section", f"{END} {BEGIN}", None])
def test_a_card_without_the_section_is_left_as_it_is(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / CARD).write_text(text)
    write_alignment(tmp_path, "measured")
    assert (tmp_path / CARD).exists() == (text is not None)
    assert text is None or (tmp_path / CARD).read_text() == text
