"""Text of strangers in prompts, teaching data, adapters and policy tables acts on no model, terminal or spreadsheet."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

import pytest
from hostile import BASE, TEXTS, cells, is_number, printed

pytest.importorskip("torch")
pytest.importorskip("peft")

import yaml
from tokenizer_families import FAMILIES

from dilemmas.agents.agent import Decision, PlayerRecord, Traits, Turn
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.models.chat import ChatEncoder
from dilemmas.agents.models.control_tokens import control_tokens
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.policy_table import Origin
from dilemmas.agents.tables.table_file import save_table
from dilemmas.envs.data_files import json_text
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import Context, context
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.templates import Template, load_template
from dilemmas.envs.prompts.wording import TemplateError
from dilemmas.training.artefacts.cards import adapter_card, is_plain, merged_card
from dilemmas.training.demonstrations import Speller, from_example
from dilemmas.training.examples import Example, read_examples, write_examples
from dilemmas.training.lora import LoraSettings
from dilemmas.training.losses.hard_labels import hard_labels

GAME, FRIENDS, STUDY = DEFAULTS["harmony"], context("friends"), load_template("study")
SENTENCES = ("pair_rule", "question")
SHORT = [text for text in TEXTS if len(text) < 200]


def framed(text: str) -> Context:
    return Context("strange", text, text, text)


def worded(text: str) -> Template:
    """A template with the text in the first sentence and the last one, and as a label where it can be one."""
    literal = text.replace("{", "{{").replace("}", "}}")
    found = replace(STUDY, **{key: f"{getattr(STUDY, key)} {literal}" for key in SENTENCES})
    try:
        return replace(found, labels=(text, "D")) if text in SHORT else found
    except TemplateError:
        return found


@dataclass(frozen=True)
class Talker:
    """Says the text of the number of its match, then cooperates."""

    name: str = "talker"
    traits: Traits = field(default_factory=Traits)

    def describe(self) -> PlayerRecord:
        return PlayerRecord(self.name, "talker")

    def decide(self, turns: Any) -> list[Decision]:
        return [self._decide(turn) for turn in turns]

    policy = decide

    def _decide(self, turn: Turn) -> Decision:
        talks = turn.info["view"].phase == "talk"
        return Decision(TEXTS[int(turn.rng.bit_generator.seed_seq.spawn_key[0])] if talks else 0)


@pytest.fixture(scope="module")
def heard() -> list[str]:
    """The last prompt of a model whose partner has said a text, by text."""

    def answer(request: Request) -> Response:
        return Response(text="C") if request.labels is None else Response(text="C", logprobs=(-0.1, -3.0))

    agent = LanguageModelAgent(FakeBackend(answer), FRIENDS, STUDY, ask="sampled", presentation="fixed")
    found = run_matches(lambda: parallel("stag_hunt", talk=1, words=True, rounds=1), [agent, Talker()], len(TEXTS), 0)
    ordered = sorted(found, key=lambda record: record.match)
    return [str(record.steps[-1][0].decision.prompt) for record in ordered]


def test_talk_changes_only_its_own_line(heard: list[str]) -> None:
    assert len(heard) == len(TEXTS)
    for prompt in heard:
        different = [
            line for line, usual in zip(prompt.split("\n"), heard[0].split("\n"), strict=True) if line != usual
        ]
        assert len(different) <= 1
        assert prompt.replace("\n", "").isprintable()


def test_talk_does_not_act_where_an_environment_is_shown() -> None:
    env = parallel("stag_hunt", talk=1, words=True, rounds=1, render_mode="ansi")
    for text in TEXTS:
        env.reset(seed=0)
        env.step({agent: text for agent in env.agents})
        assert all(line.isprintable() for line in env.render().split("\n"))


@pytest.mark.parametrize("family", FAMILIES)
def test_no_prompt_and_no_motivation_becomes_a_control_token(family: str, heard: list[str]) -> None:
    tokenizer = FAMILIES[family]()
    chat, known = ChatEncoder(tokenizer), {*control_tokens(tokenizer).values()} - {tokenizer.unk_token_id}

    def controls(tokens: list[int]) -> Counter[int]:
        return Counter(token for token in tokens if token in known)

    usual = controls(chat.prompt("C"))
    assert usual
    examples = []
    for text, talk in zip(TEXTS, heard, strict=True):
        contextual, templated = scenario_prompt(STUDY, GAME, framed(text)), scenario_prompt(worded(text), GAME, FRIENDS)
        assert text.strip() in contextual
        for prompt in (contextual, templated, talk):
            assert controls(chat.prompt(prompt)) == usual
        examples.append(Example("harmony/friends", templated, worded(text).labels[0], 0, text))
    speller = Speller(tokenizer)
    for example in examples:
        (lesson,) = hard_labels(speller, from_example(example))
        start = lesson.targets[0].place
        assert controls(list(lesson.tokens[:start])) == usual
        assert controls(list(lesson.tokens[start:])) <= Counter({chat.stop: 1})


def test_teaching_data_do_not_act_where_they_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "\x1b[2J\u202e.jsonl"
    examples = [Example(f"{text}/friends", text, text, 0, text) for text in TEXTS]
    write_examples(file, examples)
    assert read_examples(file) == examples
    assert all(line.isprintable() for line in file.read_text(encoding="utf-8").split("\n"))
    printed(capsys, "look", str(file), "--show", "1000")
    assert [row["scenario"] for row in json.loads(printed(capsys, "look", str(file), "--json"))] == [
        f"{text}/friends" for text in TEXTS
    ]
    printed(capsys, "look", str(file), "--scenario", "\x1b[2J", code=2)


def toml(value: Any) -> str:
    """A value in TOML, whose texts have the escapes of JSON."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {toml(inner)}' for key, inner in value.items())}}}"
    return json.dumps(value)


def recipe(folder: Path) -> Path:
    """A recipe whose contexts, template and names are the texts."""
    words = worded(BASE[0])
    lines = ['base = "miniatures"', f"name = {toml(BASE[0])}", "observations = 1", "[scenarios]", 'games = ["harmony"]']
    lines += [f"contexts = {toml([f'c{number}' for number in range(len(SHORT))])}", 'sets = ["within"]']
    sentences = {key: value for key, value in words.filled().items() if key != "paraphrases"}
    lines += ["[prompting.template]", *(f"{key} = {toml(value)}" for key, value in sentences.items())]
    for number, text in enumerate(SHORT):
        lines += [f"[contexts.c{number}]", *(f"{key} = {toml(text)}" for key in ("title", "pair", "group"))]
    path = folder / "\x1b[2J\u202e.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_contexts_and_templates_of_a_recipe_do_not_act(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = recipe(tmp_path)
    found = json.loads(printed(capsys, "replicate", "--recipe", str(file), "--dry-run"))
    assert [one["title"] for one in found["contexts"].values()] == SHORT
    assert BASE[0] in found["prompting"]["template"]["question"]
    for text in BASE:
        file.write_text(f"{toml(text)} = 1", encoding="utf-8")
        printed(capsys, "replicate", "--recipe", str(file), "--dry-run", code=2)
        file.write_text(f'base = "miniatures"\n[scenarios]\ncontexts = [{toml(text)}]', encoding="utf-8")
        printed(capsys, "replicate", "--recipe", str(file), "--dry-run", code=2)
        file.write_text(f"question = {toml(f'{text} {{x}}')}", encoding="utf-8")
        printed(capsys, "compile", "m/n", "--game", "harmony", "--context", "team", "--template", str(file), code=2)


def test_the_cards_of_students_say_names_as_they_are_and_nothing_else() -> None:
    """In the head, and in the block of JSON, which no name ends; the rest is the same whatever the names are, except
    for those of bases that can stand in commands, which add no block to those of any other."""
    same: dict[str, tuple[str, str]] = {}
    for text in ["", *TEXTS]:
        settings = {"settings": asdict(LoraSettings()), "examples": 1, "losses": [1.0]}
        record = {**settings, "base": {"name": text}, "taught": {"teacher": {"name": text}}}
        merged = {"model": text, "gguf": True}
        cards = adapter_card(text, record), merged_card(text, record, merged)
        for card, library in zip(cards, ("peft", "transformers"), strict=True):
            assert all(line.isprintable() for line in card.split("\n"))
            _, head, body = card.split("---\n", 2)
            found = yaml.safe_load(head)
            path = PurePath(text).is_absolute() or text.startswith(".")
            named = text if text and not path else None  # the hub refuses paths
            assert (found["library_name"], found.get("base_model")) == (library, named)
            before, facts, after = re.split(r"^```(?:json)?$", body, maxsplit=2, flags=re.MULTILINE)
            assert json.loads(facts)["taught"]["teacher"]["name"] == text
            if text and is_plain(text):
                usual = adapter_card("org/model", settings) if library == "peft" else merged_card("", None, merged)
                assert (after.count("```"), after.count("<!--")) == (usual.count("```") - 2, 2)
            else:
                assert (before, after) == same.setdefault(library, (before, after))


@pytest.mark.parametrize("key", ["base_model_name_or_path", "peft_type", "revision"])
def test_the_configuration_of_an_adapter_does_not_act(
    key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "\x1b[2J\u202e"
    folder.mkdir()
    for text in SHORT:
        given = {"base_model_name_or_path": "miniature-student", "peft_type": "LORA", key: text}
        (folder / "adapter_config.json").write_text(json.dumps(given))
        printed(capsys, "compile", str(folder), "--game", "harmony", "--context", "team", code=2)
        (folder / "README.md").write_text(text, encoding="utf-8")


def tables(folder: Path) -> Iterator[Path]:
    """Policy tables in files named by the texts, which are also the names of their agents."""
    table = compile_agent(strategy("tft"), GAME, 1)
    for text in SHORT:
        if not {"/", "\0"} & set(text):
            path = folder / f"{text}.json"
            save_table(replace(table, origin=Origin(text, context=text, template=text, model=text)), path)
            yield path


def test_names_of_policy_tables_do_not_act(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = list(tables(tmp_path))
    assert len(files) > 80
    given = [word for file in files for word in ("--table", str(file))]
    words = ["lattice", *given, "--size", "3", "--steps", "2", "--out", str(tmp_path / "\u202eout")]
    printed(capsys, *words)
    assert [*json.loads(printed(capsys, *words, "--json"))] == [file.stem for file in files]
    for cell in cells(tmp_path / "\u202eout" / "lattice.csv"):
        assert cell.replace("\n", "").isprintable(), ascii(cell)
        assert not cell.startswith(("=", "+", "@", "-", "＝")) or is_number(cell), ascii(cell)
    figure = (tmp_path / "\u202eout" / "lattice.svg").read_text(encoding="utf-8")
    assert figure.replace("\n", "").isprintable()
    assert "<script" not in figure.replace("<style", "")
    assert "<img" not in figure
    for file in files:
        assert all(line.isprintable() for line in file.read_text(encoding="utf-8").split("\n"))


def test_policy_tables_do_not_act_where_they_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in tables(tmp_path):
        printed(capsys, "tournament", "run", "--agents", f"tft,x={file}", "--game", "stag_hunt", code=2)
        printed(capsys, "compile", str(file), "--game", "harmony", code=2)
        printed(capsys, "compile", "tft", "--game", "harmony", "--out", str(file), code=2)
        file.write_text(json_text({file.stem: 1}), encoding="utf-8")
        printed(capsys, "lattice", "--table", str(file), "--out", str(tmp_path / "out"), code=2)
