"""The model card of a tuned student: README.md of an adapter, and of a model that an adapter was merged into.

A card depends on the record of the training only, so that equal trainings have equal cards. Names that people gave
stand in its head and in its block of JSON, where they are text whatever they contain, and in commands if they are
plain. Commands are meant for the folder of the card, so that nothing in them has to be replaced.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from dilemmas.agents.models.model_files import BUILT_IN, GGUF
from dilemmas.envs.data_files import json_text, write_text
from dilemmas.training.lora import LOSS_UNITS

CARD = "README.md"
"""Name of the file."""
TAUGHT = {
    "hard": "answers and motivations of its teacher",
    "soft": "questions with its teacher's probabilities of the answers",
    "motivated": "motivations of its teacher, with the teacher's probabilities of the answers",
    "tokens": "answers and motivations of its teacher, with the teacher's probabilities of every token",
}
"""What a student is tuned on, by method."""
LOSSES = {
    "hard": "cross-entropy",
    "soft": "cross-entropy with the teacher's probabilities, which is at least their entropy",
    "motivated": "cross-entropy with the teacher's probabilities, and of the motivations",
    "tokens": "divergence from the teacher's distributions",
}
"""What the loss is, by method; its unit: `dilemmas.training.lora.LOSS_UNITS`."""
BEGIN, END = "<!-- alignment -->", "<!-- end of alignment -->"
"""What stands around the section on alignment, which is written anew when alignment has been measured."""
EVALUATE = "evaluate"
"""Key of what was taught: the teacher and the options with which `dilemmas evaluate` compares a student with it."""


def adapter_card(base: str, record: Mapping[str, Any]) -> str:
    """The card of an adapter.

    Parameters
    ----------
    base
        What its configuration names as its base: a hub id, a built-in name, or a path, from the folder of the card
        if it begins with a dot; it may be empty.
    record
        Its record (`dilemmas.agents.models.networks.adapters.ADAPTER_RECORD`).
    """
    model, commands = base_spec(_whole_name(base, record)), []
    if model and is_plain(model):
        commands = [f"dilemmas merge {shlex.quote(f'{model}+.')} --out ../merged", "transformers serve ../merged"]
    return f"""{_head(base, "library_name: peft", "tags: [lora, dilemmas, social-dilemma]")}
# A student of dilemmas

LoRA adapter that imitates play in social dilemmas. {_tuned(record)}

## Facts

{_facts(record)}

{_settings(record)}

## Alignment

{_alignment(_unmeasured(record, model, f"{model}+."))}

## Limits

{_limits(record)}

## Use

{_needed(base)}{_snippet(base, record)}{_shell("Merged into its base, for other servers:", commands)}"""


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
    kind = "base_model_relation: finetune\n" if is_portable(base) else ""
    tags = "library_name: transformers\ntags: [dilemmas, social-dilemma]"
    serve = ["transformers serve .", *(["llama-server -m gguf/model.gguf"] if merged["gguf"] else [])]
    known = record or {}
    return f"""{_head(base, kind + tags)}
# A student of dilemmas

Language model that imitates play in social dilemmas: a base model with a LoRA adapter merged into its weights.
{_tuned(record) if record else "The adapter was not tuned by dilemmas."}

## Facts

{_facts({**known, "merged": merged})}

{_settings(record) if record else ""}

## Alignment

{_alignment(alignment or _unmeasured(known, base_spec(base), "hf:."))}

## Limits

{_limits(known)}

## Use

In dilemmas, `hf:DIRECTORY` names it wherever a model is named, with the path of this folder.

{_shell("By servers, from this folder:", serve)}"""


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


def is_portable(base: str) -> bool:
    """Whether a base is named so that it is found on another machine: the hub refuses cards with a path."""
    return bool(base) and not _is_path(base)


def _is_path(base: str) -> bool:
    return base.startswith(".") or PurePath(base).is_absolute()


def _whole_name(base: str, record: Mapping[str, Any]) -> str:
    """A base with its revision, if it was recorded."""
    known = record.get("base")
    name = known.get("name") if isinstance(known, Mapping) else None
    return name if isinstance(name, str) and name.partition("@")[0] == base else base


def base_spec(base: str) -> str:
    """A base as `dilemmas.agents.specifications` names a model, from the folder of the card; empty without one.

    One that is told by its whole path lies elsewhere on every other machine: only its name is told.
    """
    if base in BUILT_IN:
        return f"miniature:{BUILT_IN[base]}"
    where = f"path/to/{PurePath(base).name}" if PurePath(base).is_absolute() else base
    return f"{'gguf' if base.endswith(GGUF) else 'hf'}:{where}" if base else ""


def is_plain(text: str) -> bool:
    """Whether a text can stand in a block of code: it ends neither the block nor the section around it."""
    return text.isprintable() and "`" not in text and "<!--" not in text


def _needed(base: str) -> str:
    """What a base in a folder asks of those to whom a card was given."""
    if not _is_path(base) or not is_plain(base):
        return ""
    where = f"here at `{base}`" if base.startswith(".") else "below as `path/to/`"
    return (
        f"It needs its base, the folder or file `{PurePath(base).name}`, {where}.\n"
        "Its fingerprint is among the facts: dilemmas tells whether a base is the same.\n\n"
    )


def _snippet(base: str, record: Mapping[str, Any]) -> str:
    """How the adapter is loaded with PEFT, and named in dilemmas; nothing where its base is not known."""
    spec, (name, _, revision) = base_spec(base), _whole_name(base, record).partition("@")
    if not spec or not is_plain(spec):
        return ""
    place, more, imported = repr(name), f", revision={revision!r}" if revision else "", ""
    if base in BUILT_IN:
        place, imported = f"locate({base!r})", "from dilemmas.agents.models.model_files import locate\n"
    elif _is_path(base):
        told, more = PurePath(spec.partition(":")[2]), ""
        if spec.startswith("gguf:"):
            told, more = told.parent, f", gguf_file={told.name!r}"
        where = told.as_posix()
        place = f"folder + {'/' + where!r}" if base.startswith(".") else repr(where)
    named = "hf:DIRECTORY" if base.startswith(".") else f"{spec}+DIRECTORY"
    return f"""With PEFT:

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM
{imported}
folder = "."  # that of this card
base = AutoModelForCausalLM.from_pretrained({place}{more})
model = PeftModel.from_pretrained(base, folder)
```

In dilemmas, `{named}` names it wherever a model is named, with the path of this folder.

"""


def _shell(before: str, commands: Sequence[str]) -> str:
    text = "\n".join(commands)
    return f"{before}\n\n```sh\n{text}\n```\n" if commands else ""


def _unmeasured(record: Mapping[str, Any], untuned: str, tuned: str) -> str:
    """How alignment is measured, if the teacher can be asked from the folder of the card; paths lead from an adapter.

    `untuned`, `tuned`: specifications of the student before and after.
    """
    taught = record.get("taught")
    teacher, *options = (isinstance(taught, Mapping) and taught.get(EVALUATE)) or [""]
    words = [teacher, f"Untuned={untuned}", f"Tuned={tuned}", *options]
    known = bool(teacher and untuned) and all(map(is_plain, words))
    if not known or (tuned == "hf:." and any("../" in word for word in (teacher, *options))):
        return "It has not been measured here. `dilemmas evaluate` compares it with any agent that can be asked."
    first, more = shlex.join(words[:3]), f" \\\n    {shlex.join(options)}" if options else ""
    return _shell(
        "It has not been measured here. Where dilemmas is installed, this compares the student, before and after it"
        " was\ntuned, with its teacher, from this folder:",
        [f"dilemmas evaluate {first}{more}"],
    )


def _head(base: str, *lines: str) -> str:
    """What the hub reads of a card; a text in JSON is one in YAML."""
    named = [f"base_model: {json_text(base)}"] if is_portable(base) else []
    return "\n".join(["---", *named, *lines, "---"])


def _alignment(section: str) -> str:
    return f"{BEGIN}\n{section.strip()}\n{END}"


def _tuned(record: Mapping[str, Any]) -> str:
    settings, losses, held_out = record["settings"], record["losses"], record.get("held_out")
    method = settings.get("method", "hard")
    apart = " and the disagreement of presentations" if settings.get("consistency") else ""
    text = (
        f"It was tuned with dilemmas\non {record['examples']} {TAUGHT[method]}. The loss,\n{LOSSES[method]}{apart},\n"
        f"in {LOSS_UNITS[method]}, went from {losses[0]:.3f} to {losses[-1]:.3f}."
    )
    if held_out:
        measured = [value for step, value in held_out if step]
        kept = min(measured) if settings.get("patience") else measured[-1]
        text += (
            f"\n\nIn the situations that were held out, a share of {settings['held_out']}, the Kullback-Leibler"
            f" divergence from the teacher's\nprobabilities of the actions was {held_out[0][1]:.4f} nats before"
            f" training, and {kept:.4f} nats after it."
        )
    return text


def _facts(record: Mapping[str, Any]) -> str:
    """Base, teaching and merging as JSON, in which no name can end the block."""
    known = {key: record[key] for key in ("base", "taught", "merged") if record.get(key)}
    if isinstance(base := known.get("base"), Mapping) and _is_path(name := str(base.get("name"))):
        known["base"] = {**base, "name": PurePath(name).name}
    if isinstance(taught := known.get("taught"), Mapping):
        known["taught"] = {key: value for key, value in taught.items() if key != EVALUATE}
    return f"```json\n{json_text(known, indent=1)}\n```"


def _settings(record: Mapping[str, Any]) -> str:
    rows = "\n".join(f"| {name} | {value} |" for name, value in record["settings"].items())
    return f"| setting | value |\n| --- | --- |\n{rows}"


def _limits(record: Mapping[str, Any]) -> str:
    small = "\nThe base is a miniature model: results say nothing about large language models.\n"
    return (
        "It imitates the decisions that it was taught, in games that are told in text, in the words in which it was"
        " asked.\nIt was made for research on such games and tested for nothing else: it gives no advice, and what it"
        " says besides its\nchoice means little.\n" + (small if record.get("miniature") else "")
    ).rstrip("\n")
