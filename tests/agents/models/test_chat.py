"""Where a chat template puts thoughts and system texts, and what is asked and read then."""

# mypy: disable-error-code="no-untyped-def"

import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from dilemmas.agents.models.answers import exact_distributions  # noqa: E402
from dilemmas.agents.models.asking.caching import CachingBackend  # noqa: E402
from dilemmas.agents.models.backend import FakeBackend, Request, Response  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402

SHORT = "Which do you choose, C or D?"
HEAD = "{% for m in messages %}<user>{{ m.content }}{% endfor %}<assistant>"
OPENED = HEAD + "{{ '<think>\\n' }}"
SWITCHED = HEAD + "{% if not enable_thinking %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
MENTIONED = "{% for m in messages %}<user>{{ m.content.split('</think>')[-1] }}{% endfor %}<assistant>"
SYSTEM = "You are terse."
BEGIN = "{% if add_generation_prompt %}<assistant>{% endif %}"
TURNS = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}" + BEGIN
DEFAULT = "{% if messages[0].role != 'system' %}<system>You are a bot.{% endif %}" + TURNS
MERGED = (
    "<user>{% for m in messages if m.role != 'assistant' %}{{ m.content }}{% if not loop.last %}: {% endif %}"
    "{% endfor %}<assistant>"
)
PARTS = TURNS.replace("m.content", "m.content[0].text")
REFUSING = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + TURNS
IGNORING = TURNS.replace(
    "<{{ m.role }}>{{ m.content }}", "{% if m.role != 'system' %}<{{ m.role }}>{{ m.content }}{% endif %}"
)


def opened(copy: Path, template: str | None) -> Any:
    path = copy / "chat_template.jinja"
    path.unlink() if template is None else path.write_text(template)
    return open_model(str(copy)).loaded()


@pytest.mark.parametrize("template", [OPENED, SWITCHED, MENTIONED], ids=["opened", "switched on", "mentioned"])
def test_a_thought_is_written_where_the_template_has_it(copy: Path, template: str) -> None:
    chat = opened(copy, template).chat
    decode = chat.tokenizer.decode
    head = f"<user>{SHORT}<assistant><think>\n"
    assert decode(chat.prompt(SHORT, thinks=True)) == head
    assert decode(chat.prompt(SHORT, thought="We gain.", thinks=True)) == f"{head}We gain."
    assert decode(chat.prompt(SHORT, "I choose", "We gain.")) == f"{head}We gain.\n</think>\n\nI choose"
    assert decode(chat.prompt(SHORT, "I choose", "</think><user>")).count("</think>") == 2
    assert chat.end_of_thoughts == "</think>"


def test_tags_of_thoughts_may_have_other_brackets(copy: Path) -> None:
    chat = opened(copy, HEAD.replace("m.content", "m.content.split('[/THINK]')[-1]")).chat
    written = chat.tokenizer.decode(chat.prompt(SHORT, "I choose", "We gain."))
    assert written == f"<user>{SHORT}<assistant>[THINK]\nWe gain.\n[/THINK]\n\nI choose"


def test_without_a_place_for_thoughts_they_begin_the_reply(backend) -> None:
    chat = backend.chat
    assert chat.end_of_thoughts == ""
    assert chat.prompt(SHORT, thinks=True) == chat.prompt(SHORT)
    assert chat.prompt(SHORT, "I choose", "We gain.") == chat.prompt(SHORT, "We gain.\n\nI choose")


@pytest.mark.parametrize("template", [None, OPENED], ids=["plain", "thoughts"])
def test_the_answer_is_scored_given_the_thought(copy: Path, backend, template: str | None) -> None:
    model = backend if template is None else opened(copy, template)
    asked = Request(SHORT, ("C", "D"), prefill="I choose", thought="We both gain.")
    start = model.chat.prompt(SHORT, "I choose", "We both gain.")
    values = []
    for label in ("C", "D"):
        reply = model.chat.reply(SHORT, label, "I choose", "We both gain.")
        assert reply == model.chat.reply(SHORT, label, "I choose")
        tokens = torch.tensor([[*start, *reply]])
        with torch.inference_mode():
            scores = model.model(tokens).logits[0].float().log_softmax(-1)
        values.append(sum(float(scores[len(start) - 1 + i, token]) for i, token in enumerate(reply)))
    assert model.respond([asked])[0].logprobs == pytest.approx(values, abs=1e-5)
    other, without = model.respond([replace(asked, thought="They defect."), replace(asked, thought="")])
    assert len({one.logprobs for one in (other, without, model.respond([asked])[0])}) == 3
    assert all(math.isfinite(value) for value in other.logprobs)


def test_a_thought_ends_with_its_tag_and_within_its_tokens(copy: Path) -> None:
    """The model's text is replaced: it writes the tag after two tokens, or never."""
    model = opened(copy, OPENED)
    tokenizer = model.chat.tokenizer
    written = tokenizer("We gain</think> I choose C", add_special_tokens=False)["input_ids"]
    scripted = replace(model, model=Scripted(model.model, written, len(model.chat.prompt(SHORT, thinks=True))))
    thinking = Request(SHORT, (), 40, 0.0, thinks=True)
    assert scripted.respond([thinking])[0].text == "We gain"
    (cut,) = scripted.respond([replace(thinking, max_tokens=1)])
    assert (cut.text, cut.stopped) == (tokenizer.decode(written[:1]), False)


def test_thoughts_that_a_model_writes_by_itself_are_no_part_of_its_reply(copy: Path) -> None:
    """Also where their tag is a token that texts are shown without."""
    for special in (False, True):
        model = opened(copy, SWITCHED)
        tokenizer = model.chat.tokenizer
        if special:
            tokenizer.add_special_tokens({"additional_special_tokens": ["<think>", "</think>"]})
        written = tokenizer("<think>We gain.</think>D", add_special_tokens=False)["input_ids"]
        (read,) = {model._read(written, thinks=False)}
        assert (read.thoughts, read.text) == ("We gain.", "D")


def test_replies_that_are_cut_within_thoughts_are_told(copy: Path) -> None:
    """Nothing is told of replies that end, nor of what is asked for as a thought."""
    model = opened(copy, SWITCHED)
    tokenizer = model.chat.tokenizer
    written = tokenizer("<think>We gain.</think>D", add_special_tokens=False)["input_ids"]
    short = len(tokenizer("<think>We", add_special_tokens=False)["input_ids"])
    asked = Request(SHORT, (), short, 0.0)
    scripted = replace(model, model=Scripted(model.model, written, len(model.chat.prompt(SHORT))))
    with pytest.warns(UserWarning, match=r"replies were cut within its thoughts; .*--template reason"):
        scripted.respond([asked])
    thinking = replace(model, model=Scripted(model.model, written, len(model.chat.prompt(SHORT, thinks=True))))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scripted.respond([replace(asked, max_tokens=len(written) + 1)])[0].text == "D"
        assert not thinking.respond([replace(asked, thinks=True)])[0].stopped
    tokenizer.add_special_tokens({"additional_special_tokens": ["<think>", "</think>"]})
    assert model._only_thought(tokenizer("<think>We", add_special_tokens=False)["input_ids"])


class Scripted:
    """A network that writes given tokens after a prompt, and then ends the reply."""

    def __init__(self, network: Any, tokens: list[int], start: int) -> None:
        self._network, self._tokens, self._start = network, tokens, start

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def __call__(self, *args: Any, **settings: Any) -> Any:
        found = self._network(*args, **settings)
        positions = settings["position_ids"][0, -found.logits.shape[1] :].tolist()
        for place, position in enumerate(positions):
            step = position + 1 - self._start
            token = self._tokens[step] if 0 <= step < len(self._tokens) else 2
            found.logits[:, place] = -50.0
            found.logits[:, place, token] = 50.0
        return found


@pytest.mark.parametrize(
    ("template", "turn", "seen"),
    [
        (TURNS, True, f"<system>{SYSTEM}<user>{SHORT}<assistant>"),
        (DEFAULT, True, f"<system>{SYSTEM}<user>{SHORT}<assistant>"),
        (MERGED, True, f"<user>{SYSTEM}: {SHORT}<assistant>"),
        (PARTS, True, f"<system>{SYSTEM}<user>{SHORT}<assistant>"),
        (REFUSING, False, f"<user>{SYSTEM}\n{SHORT}<assistant>"),
        (IGNORING, False, f"<user>{SYSTEM}\n{SHORT}<assistant>"),
        (None, False, f"<s>{SYSTEM}\n{SHORT}\nAnswer:"),
    ],
)
def test_where_the_system_text_is(copy: Path, template: str | None, turn: bool, seen: str) -> None:
    model = opened(copy, template)
    assert model.system_turn is turn
    tokens = model.chat.prompt(SHORT, system=SYSTEM)
    assert model.chat.tokenizer.decode(tokens) == seen
    found = exact_distributions(model, [(SHORT, ("C", "D"))], system=SYSTEM)[0].probabilities
    with torch.inference_mode():
        scores = model.model(torch.tensor([tokens])).logits[0, -1].float().softmax(-1)
    first = scores[[model.chat.reply(SHORT, label, system=SYSTEM)[0] for label in ("C", "D")]]
    assert found == pytest.approx((first / first.sum()).tolist(), abs=1e-5)


def test_without_a_system_text_the_prompt_is_as_before(copy: Path) -> None:
    model = opened(copy, DEFAULT)
    assert model.chat.tokenizer.decode(model.chat.prompt(SHORT)) == f"<system>You are a bot.<user>{SHORT}<assistant>"


def test_nothing_in_a_system_text_is_a_control_token(copy: Path) -> None:
    chat = opened(copy, TURNS).chat
    special = chat.tokenizer.convert_tokens_to_ids(["<user>", "<assistant>"])
    count = [
        chat.prompt(SHORT, system=text).count(token) for text in (SYSTEM, "<user>hi<assistant>") for token in special
    ]
    assert count == [1, 1, 1, 1]


def test_the_cache_tells_system_texts_apart() -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response((-1.0, -2.0))

    model = CachingBackend(FakeBackend(answer))
    for system in ("", SYSTEM, SYSTEM, ""):
        exact_distributions(model, [(SHORT, ("C", "D"))], system=system)
    assert [one.system for one in asked] == ["", SYSTEM]
