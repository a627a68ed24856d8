"""The model card of a tuned student: README.md of an adapter, and of a model that an adapter was merged into.

A card depends on the record of the training only, so that equal trainings have equal cards. Names that people gave
stand in its head and in its block of JSON, where they are text whatever they contain.
"""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from dilemmas.envs.data_files import json_text, write_text

CARD = "README.md"
"""Name of the file."""
TAUGHT = {
    "hard": "answers and motivations of its teacher",
    "soft": "questions with its teacher's probabilities of the answers",
    "motivated": "motivations of its teacher, with the teacher's probabilities of the answers",
    "tokens": "answers and motivations of its teacher, with the teacher's probabilities of every token",
}
"""What a student is tuned on, by method."""
BEGIN, END = "<!-- alignment -->", "<!-- end of alignment -->"
"""What stands around the section on alignment, which is written anew when alignment has been measured."""
UNMEASURED = """It has not been measured here. With TEACHER and BASE as in the facts above, and DIRECTORY for this
folder, this compares the student, before and after it was tuned, with its teacher:

```sh
dilemmas evaluate TEACHER Untuned=BASE Tuned=BASE+DIRECTORY
```"""
SERVED = """```sh
dilemmas merge BASE+DIRECTORY --out merged --gguf
transformers serve merged
llama-server -m merged/gguf/model.gguf
```"""


def adapter_card(base: str, record: Mapping[str, Any]) -> str:
    """The card of an adapter.

    Parameters
    ----------
    base
        What its configuration names as its base: a hub id, a built-in name or a path; it may be empty.
    record
        Its record (`dilemmas.agents.models.networks.adapters.ADAPTER_RECORD`).
    """
    return f"""{_head(base, "library_name: peft", "tags: [lora, dilemmas, social-dilemma]")}
# A student of dilemmas

LoRA adapter that imitates the play of a teacher in social dilemmas. {_tuned(record)}

## Facts

{_facts(record)}

{_settings(record)}

## Alignment

{_alignment(UNMEASURED)}

## Limits

{_limits(record)}

## Use

With PEFT:

```python
from peft import AutoPeftModelForCausalLM
model = AutoPeftModelForCausalLM.from_pretrained("this directory")
```

With dilemmas, wherever a model is named: `BASE+DIRECTORY`, where BASE may be `hf:ID`, `gguf:FILE` or
`miniature:student`. Merged into its base, for other servers:

{SERVED}
"""


def merged_card(base: str, record: Mapping[str, Any] | None, merged: Mapping[str, Any], alignment: str = "") -> str:
    """The card of a model that an adapter was merged into.

    Parameters
    ----------
    base
        As for `adapter_card`.
    record
        The record of the adapter; None for one that was not tuned by dilemmas.
    merged
        What was merged, as texts and numbers.
    alignment
        The section on alignment, in Markdown; empty if it has not been measured.
    """
    kind = "base_model_relation: finetune\n" if _is_portable(base) else ""
    tags = "library_name: transformers\ntags: [dilemmas, social-dilemma]"
    serve = "\nllama-server -m DIRECTORY/gguf/model.gguf" if merged["gguf"] else ""
    return f"""{_head(base, kind + tags)}
# A student of dilemmas

Language model that imitates the play of a teacher in social dilemmas: a base model with a LoRA adapter merged into its
weights. {_tuned(record) if record else "The adapter was not tuned by dilemmas."}

## Facts

{_facts({**(record or {}), "merged": merged})}

{_settings(record) if record else ""}

## Alignment

{_alignment(alignment or UNMEASURED.replace("BASE+DIRECTORY", "DIRECTORY"))}

## Limits

{_limits(record or {})}

## Use

With DIRECTORY for this folder, in dilemmas wherever a model is named (`hf:DIRECTORY`), and by servers:

```sh
transformers serve DIRECTORY{serve}
```
"""


def write_alignment(folder: Path, alignment: str) -> None:
    """Replace the section on alignment of the card in a folder, if it has one; the rest stays as it is.

    `alignment`: the section in Markdown.
    """
    path = folder / CARD
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    before, begin, rest = text.rpartition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        write_text(path, before + _alignment(alignment) + after)


def _is_portable(base: str) -> bool:
    """Whether a base is named so that it is found on another machine: the hub refuses cards with a path."""
    return bool(base) and not PurePath(base).is_absolute()


def _head(base: str, *lines: str) -> str:
    """What the hub reads of a card; a text in JSON is one in YAML."""
    named = [f"base_model: {json_text(base)}"] if _is_portable(base) else []
    return "\n".join(["---", *named, *lines, "---"])


def _alignment(section: str) -> str:
    return f"{BEGIN}\n{section.strip()}\n{END}"


def _tuned(record: Mapping[str, Any]) -> str:
    settings, losses, held_out = record["settings"], record["losses"], record.get("held_out")
    text = (
        f"It was tuned with dilemmas\non {record['examples']} {TAUGHT[settings.get('method', 'hard')]}; the loss"
        f" decreased from {losses[0]:.3f} to {losses[-1]:.3f} nats\nper token."
    )
    if held_out:
        lowest = min(value for step, value in held_out if step)
        text += (
            f"\n\nIn the situations that were held out, a share of {settings['held_out']}, the Kullback-Leibler"
            f" divergence from the teacher's\nprobabilities of the actions was {lowest:.4f} nats at its lowest, and"
            f" {held_out[0][1]:.4f} before training."
        )
    return text


def _facts(record: Mapping[str, Any]) -> str:
    """Base, teacher and data as JSON, in which no name can end the block."""
    known = {key: record[key] for key in ("base", "taught", "merged") if record.get(key)}
    return f"```json\n{json_text(known, indent=1)}\n```"


def _settings(record: Mapping[str, Any]) -> str:
    rows = "\n".join(f"| {name} | {value} |" for name, value in record["settings"].items())
    return f"| setting | value |\n| --- | --- |\n{rows}"


def _limits(record: Mapping[str, Any]) -> str:
    small = "\nThe base is a miniature model: results say nothing about large language models.\n"
    return (
        "It imitates the decisions of one teacher in games that are told in text, in the words in which it was asked."
        " It was made for\nresearch on such games and tested for nothing else: it gives no advice, and what it says"
        " besides its choice means little.\n" + (small if record.get("miniature") else "")
    ).rstrip("\n")
