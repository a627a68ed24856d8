"""Templates are read strictly, and identified by a digest of their sentences."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.prompts.contexts import context, load_contexts
from dilemmas.envs.prompts.prompts import presentations, scenario_prompt
from dilemmas.envs.prompts.template_tables import template_files
from dilemmas.envs.prompts.templates import OPTIONAL, Template, build_template, load_template
from dilemmas.envs.prompts.wording import PLACEHOLDERS, TemplateError, sentences

STUDY = load_template("study")
FRIENDS = context("friends")
PD = MatrixGame("prisoners_dilemma", T=5, R=3, P=1, S=0)
TEMPLATE_FILE = Path(__file__).parents[3] / "envs" / "prompts" / "template_files" / "study.toml"


def test_the_digest_follows_the_words() -> None:
    assert replace(STUDY, question="What now, {labels}?").digest != STUDY.digest
    assert load_template(str(TEMPLATE_FILE)).digest == STUDY.digest == "17d1235cb916"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text.replace("{my_payoff}", "{my_payof}"), "pair_line uses {my_payof}"),
        (lambda text: text.replace("question =", "qestion ="), "did you mean 'question'"),
        (lambda text: text.replace('motivation = "Say why."', ""), "'motivation' is missing"),
        (lambda text: text.replace('["C", "D"]', '["C", "C"]'), "two different words"),
        (lambda text: text.replace('["C", "D"]', '["C", " C"]'), "without spaces or marks around them"),
        *(
            (lambda text, pair=pair: text.replace('["C", "D"]', json.dumps(pair)), "two different words")
            for pair in (("C", "\uff23"), ("\u00e9", "e\u0301"), ("C", "*C*"), ("C", "C."), ("<A>", "B"), ("_C_", "D"))
        ),
        (lambda text: text.replace('["C", "D"]', '["a  b", "a b"]'), "two different words"),
        (lambda text: text.replace('["C", "D"]', '["C", "**"]'), "two different words"),
        (lambda text: text.replace('["C", "D"]', '["C", "\\u200b"]'), "two different words"),
        (lambda text: text.replace('"JKLMNPQRST"', '"JK MN"'), "needs different letters or digits"),
        (lambda text: text.replace("{labels}?", "{labels:d}?"), "write {labels} without a format"),
        (lambda text: text.replace("{labels}?", "{labels:>999999999}?"), "write {labels} without a format"),
        (lambda text: text.replace("{labels}?", "{labels:{labels}}?"), "write {labels} without a format"),
        (lambda text: text.replace("{labels}?", "{labels!r}?"), "write {labels} without a format"),
        (lambda text: text.replace("{labels}?", "{labels.__class__}?"), "uses {labels.__class__}"),
        (lambda text: text.replace('["C", "D"]', '["C", "D'), "study.toml"),
        (lambda text: text.replace('labels = ["C", "D"]', 'labels = "CD"'), "labels: needs a list; got 'CD'"),
        (lambda text: text.replace('labels = ["C", "D"]', "labels = 5"), "labels: needs a list; got 5"),
        (lambda text: text.replace('"Say why."', "5"), "motivation: needs a text; got 5"),
        (lambda text: text.replace('name = "study"', 'name = ["a"]'), "name: needs a text; got ['a']"),
        (lambda text: text.replace("{labels}?", "{labels?"), "question: expected '}'"),
    ],
)
def test_an_invalid_template_is_refused_with_the_key(edit, message, tmp_path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(edit(TEMPLATE_FILE.read_text()))
    with pytest.raises(InputError) as error:
        load_template(str(path))
    assert message in str(error.value)


def test_unknown_names_suggest_the_most_similar_one() -> None:
    with pytest.raises(InputError, match="did you mean 'friends'"):
        context("freinds")
    with pytest.raises(InputError, match="did you mean 'study'"):
        load_template("studdy")


def test_a_template_without_the_optional_sentences_serves_a_matrix_game_only(tmp_path: Path) -> None:
    kept = [line for line in TEMPLATE_FILE.read_text().splitlines() if line.split(" =")[0] not in OPTIONAL]
    path = tmp_path / "short.toml"
    path.write_text("\n".join(kept))
    short = load_template(str(path))
    assert scenario_prompt(short, PD, FRIENDS, ((0, 1),)) == scenario_prompt(STUDY, PD, FRIENDS, ((0, 1),))
    with pytest.raises(TemplateError, match=r"'study' has no sentence 'letters', which 'rock_paper_scissors' needs"):
        scenario_prompt(short, stage_game("rock_paper_scissors"), FRIENDS)


def test_every_sentence_counts_in_the_digest() -> None:
    others = {"labels", "personas", "persona", "payoffs", "contexts", "paraphrases"}
    keys = [key for key, _ in sentences(STUDY) if key not in others]
    digests = {changed(STUDY, key).digest for key in keys}
    assert len(keys) > 60
    assert len(digests | {STUDY.digest}) == len(keys) + 1


def changed(template: Template, key: str) -> Template:
    """The template with another sentence, which has the placeholders that it needs."""
    group, _, name = key.rpartition(".")
    needed, _ = PLACEHOLDERS.get(key, ("", ""))
    value = {name: f"x{''.join(f'{{{one}}}' for one in needed.split())}"}
    return replace(template, **({group: replace(getattr(template, group), **value)} if group else value))


WAYS = {name: load_template(name) for name in ("motivate", "reason", "predict", "mixed")}


@pytest.mark.parametrize(
    ("way", "question"),
    [
        (
            "motivate",
            'Which option do you choose? Give the reason for your choice too. Begin your answer with "I choose F." or'
            ' "I choose J."',
        ),
        (
            "reason",
            "Which option do you choose? First think about the situation in a few sentences. Then answer with"
            ' "I choose F." or "I choose J."',
        ),
        (
            "predict",
            'Which option do you choose? First say what you expect, with "I expect the other person to choose F." or'
            ' "I expect the other person to choose J." Then answer with "I choose F." or "I choose J."',
        ),
    ],
)
def test_a_way_to_decide_is_asked_for_in_its_words(way: str, question: str) -> None:
    assert scenario_prompt(WAYS[way], PD, FRIENDS).rpartition("\n")[2] == question


def test_only_a_model_that_answers_at_once_has_its_reply_begun() -> None:
    begun = {name: one.reply_begins for name, one in WAYS.items()}
    assert begun == {"motivate": "I choose", "reason": "", "predict": "", "mixed": ""}
    assert {one.motivated() == one for name, one in WAYS.items() if name != "motivate"} == {True}
    assert STUDY.motivated().decision.way == "motivate"


def test_the_way_to_decide_counts_in_the_digest() -> None:
    longer = replace(WAYS["reason"], decision=replace(WAYS["reason"].decision, tokens=300))
    digests = {one.digest for one in (*WAYS.values(), longer, load_template("vignette"), STUDY.motivated(), STUDY)}
    assert len(digests) == 8


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('decision.way = "guess"', "decision.way"),
        ('decision.way = "reason"', "needs the sentence decision.request"),
        ('decision = {way = "reason", request = "Think.", tokens = 0}', "decision.tokens = 0; needs at least 1"),
        ('decision = {way = "mixed", request = "How likely?", samples = 0}', "decision.samples = 0; needs at least 1"),
        ('decision = {way = "predict", request = "Say both."}', "needs decision.prediction, with words before {label}"),
        (
            'answer.reply = "{label}."\ndecision = {way = "reason", request = "Think."}',
            "needs answer.reply, with words",
        ),
        ('decision = {way = "mixed", request = "{lables}"}', "decision.request uses {lables}"),
        ('[[paraphrases]]\ndecision.way = "motivate"', "decision.way needs the placeholders"),
    ],
)
def test_a_way_to_decide_needs_its_sentences(lines: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'name = "mine"\nbase = "vignette"\n{lines}\n')
    with pytest.raises(InputError) as error:
        load_template(str(path))
    assert message in str(error.value)


@pytest.mark.parametrize("key", [key for key, (needed, _) in PLACEHOLDERS.items() if needed])
def test_a_sentence_without_a_placeholder_that_it_needs_is_refused(key: str) -> None:
    group, _, name = key.rpartition(".")
    for lost in PLACEHOLDERS[key][0].split():
        others = "".join(f"{{{one}}}" for one in PLACEHOLDERS[key][0].split() if one != lost)
        table = {name: f"x {others} {{{{{lost}}}}}"}
        with pytest.raises(TemplateError, match=re.escape(f"{key} = ") + ".*" + re.escape(f"needs {{{lost}}}")):
            build_template({"name": "own", "base": "vignette"} | ({group: table} if group else table), "own")


def test_every_sentence_that_is_filled_in_may_be_used_with_its_placeholders_alone() -> None:
    """The table of placeholders is that of the built-in templates: none of them uses another one, or lacks one."""
    used: dict[str, set[str]] = {}
    for name in template_files():
        for key, sentence in sentences(load_template(name)):
            used.setdefault(key, set()).update(re.findall(r"(?<!{){(\w+)}", sentence))
    for key, (needed, optional) in PLACEHOLDERS.items():
        assert not used[key] or set(needed.split()) <= used[key] <= {*needed.split(), *optional.split(), "unit"}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"answer": {"reply": "I choose"}}, "answer.reply = 'I choose' needs {label}"),
        ({"answer": {"reply": "{label}, I choose {label}"}}, "has {label} more than once"),
        ({"answer": {"reply": "I choose {{label}} {label}"}}, "has {label} more than once"),
        ({"decision": {"prediction": "They choose"}}, "decision.prediction = 'They choose' needs {label}"),
        ({"decision": {"group_prediction": "{label} of {label}"}}, "has {label} more than once"),
        ({"answer": {"examples": 'Such as "{first}".'}}, "needs {last}"),
        ({"answer": {"examples": "{first}, {first}, {last}"}}, "{first} and {last} equally often"),
        ({"answer": {"examples": "{first}, {last}, {label}"}}, "answer.examples uses {label}"),
        ({"answer": {"alone": "Answer with {label}."}}, "answer.alone uses {label}"),
        ({"unit": "{labels}"}, "unit uses {labels}, but the text is used as it is; it has no placeholders"),
        ({"unit": "{unit}"}, "unit uses {unit}"),
        ({"system": "Choose {labels}."}, "system uses {labels}"),
        ({"personas": {"monk": "You are {who}."}}, "personas.monk uses {who}"),
        ({"labels": ["a{unit}b", "c"]}, "labels uses {unit}"),
        ({"label_sets": {"odd": ["a{unit}b", "c"]}}, "label_sets.odd uses {unit}"),
        ({"quotation": {"prefix": "> {ago} "}}, "quotation.prefix uses {ago}"),
        ({"levels_rule": "{endowment} {multiplier} {players}"}, "levels_rule needs {labels}, unless the question has"),
        ({"silence": "{labels}"}, "silence uses {labels}"),
        ({"paraphrases": [{"answer": {"alone": "{label}"}}]}, "answer.alone uses {label}"),
    ],
)
def test_every_text_is_checked_for_placeholders(table: dict[str, Any], message: str) -> None:
    with pytest.raises(TemplateError) as error:
        build_template({"name": "own", "base": "vignette"} | table, "own").reworded(1)
    assert message in str(error.value)


def test_braces_that_are_no_placeholder_are_text() -> None:
    system = 'Answer {"choice": "J"}, with \\boxed{choice}, or {}.'
    own = build_template({"name": "own", "base": "vignette", "system": system, "personas": {"x": "Set {1, 2}."}}, "own")
    assert own.system == system
    question = replace(own, question="Which {{one}} do you choose?", persona="x")
    shown = scenario_prompt(question, PD, FRIENDS)
    assert "\nWhich {one} do you choose? Answer with" in shown
    assert shown.startswith("Set {1, 2}.\n")


def test_contexts_have_the_number_of_others_in_groups_alone(tmp_path: Path) -> None:
    path = tmp_path / "contexts.toml"
    for key, text in (("pair", "You meet {others} people."), ("group", "You meet {players} people.")):
        texts = {"title": "A pub", "pair": "You meet one.", "group": "You meet {others}."} | {key: text}
        path.write_text("[pub]\n" + "".join(f'{name} = "{value}"\n' for name, value in texts.items()))
        with pytest.raises(InputError, match=f"contexts.toml: pub.{key} uses {{"):
            load_contexts(path)


@pytest.mark.parametrize("name", ["prisoners_dilemma", "public_goods", "rock_paper_scissors"])
def test_examples_of_answers_name_each_label_equally_often_at_each_place(name: str) -> None:
    """Over the presentations; a game of more actions has examples of those that are named first and last."""
    line = "For example: {first}, {last}, {last}, {first}."
    own, game = (
        build_template({"name": "own", "base": "vignette", "answer": {"examples": line}}, "own"),
        stage_game(name),
    )
    ways = presentations(own, game)
    places = []
    for shown in ways:
        prompt = scenario_prompt(own, game, FRIENDS, shown=shown)
        assert prompt.count("For example: ") == 1
        assert prompt.index("For example: ") < prompt.index("Which option do you choose?")
        places.append(re.search("For example: (.*)[.]", prompt)[1].split(", "))
    for column in zip(*places, strict=True):
        counts = Counter(column)
        assert len(set(counts.values())) == 1, counts
        assert len(counts) >= 2
    assert own.digest != load_template("vignette").digest
