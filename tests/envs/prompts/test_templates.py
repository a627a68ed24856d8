"""Templates are read strictly, and identified by a digest of their sentences."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.templates import OPTIONAL, Template, load_template
from dilemmas.envs.prompts.wording import TemplateError, sentences

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
    """The template with another sentence."""
    group, _, name = key.rpartition(".")
    value = {name: "x"}
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
