"""Whole words are told from beginnings, shared beginnings are read once, and a batch that is too large is halved."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from dilemmas.agents.models.answers import exact_distributions  # noqa: E402
from dilemmas.agents.models.backend import ModelError, Request  # noqa: E402
from dilemmas.agents.models.networks.architectures import Abilities  # noqa: E402
from dilemmas.agents.models.networks.texts import shared_starts, tokens_read  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402

SHORT = "You choose C or D?"
LABELS = ("C", "the", "the same", "z", "zz")
PROMPTS = [
    f"You are in a chat with {who}. You both choose C or D at the same time. Again: C or D at the same time. {what}"
    for who in ("C", "a good friend")
    for what in ("Which?", "Say why.", "Why?")
]


class Small:
    """A model whose memory is enough for a number of rows, and that counts the tokens it reads."""

    def __init__(self, model: Any, rows: int) -> None:
        self.model, self.config, self.device, self.rows = model, model.config, model.device, rows
        self.generation_config, self.dtype, self.read, self.refused = model.generation_config, model.dtype, 0, 0

    def __call__(self, **arguments: Any) -> Any:
        if len(arguments["input_ids"]) > self.rows:
            self.refused += 1
            raise torch.OutOfMemoryError("none left")
        self.read += arguments["input_ids"].numel()
        return self.model(**arguments)


def next_tokens(backend: Any, tokens: list[int]) -> Any:
    """Probabilities of the next token by a plain forward pass."""
    with torch.no_grad():
        return backend.model(torch.tensor([tokens])).logits[0, -1].double().softmax(-1)


def test_a_whole_label_is_followed_by_the_end_of_a_word(backend) -> None:
    (response,) = backend.respond([Request(SHORT, LABELS)])
    tokenizer, start = backend.chat.tokenizer, backend.chat.prompt(SHORT)

    def starting(reply: list[int]) -> float:
        return math.prod(float(next_tokens(backend, start + reply[:i])[token]) for i, token in enumerate(reply))

    same = backend.chat.reply(SHORT, "the same")
    for label, told, whole in zip(LABELS, response.logprobs, response.whole, strict=True):
        reply = backend.chat.reply(SHORT, label)
        after = next_tokens(backend, start + reply)
        texts = [tokenizer.decode([*reply, token])[len(tokenizer.decode(reply)) :] for token in range(len(after))]
        goes_on = [text[:1].isalnum() or text[:1] in "\ufffd_" for text in texts]
        ends = starting(reply) * float(after[[not more for more in goes_on]].sum())
        if label == "the":  # without "the same", whose first token is the whole of "the"
            assert same[: len(reply)] == reply
            ends -= starting(same)
        assert math.exp(whole) == pytest.approx(ends, rel=1e-4)
        assert told == whole  # "the" begins another label

    different = ("C", "the same", "z")
    (response,) = backend.respond([Request(SHORT, different)])
    assert response.logprobs == pytest.approx([math.log(starting(backend.chat.reply(SHORT, one))) for one in different])
    (found,) = exact_distributions(backend, [(SHORT, different)])
    assert found.whole_mass == pytest.approx(math.fsum(map(math.exp, response.whole)))
    assert 0 < found.whole_mass < found.mass


def test_a_stop_token_ends_a_word(backend) -> None:
    ends = backend.chat.word_ends
    tokens = backend.chat.tokenizer.convert_tokens_to_ids(["</s>", "<assistant>", "Ġ", ".", "a", "7", "Ã"])
    assert [ends[token] for token in tokens] == [True, True, True, True, False, False, False]


@pytest.mark.parametrize(
    ("prefill", "text"),
    [
        ("My choice is", " My choice is{space}{label}"),
        ("My choice is  ", " My choice is{space}{label}"),
        ("I choose (", " I choose ({label}"),
        ("<assistant>", None),
    ],
)
def test_labels_and_texts_continue_the_beginning_of_a_reply(backend, prefill: str, text: str | None) -> None:
    head = f"<s><user>{SHORT}<assistant>"
    request = Request(SHORT, ("C", "D"), 4, 0.0, prefill=prefill)
    response, without = backend.respond([request, replace(request, prefill="")])
    assert response.logprobs != without.logprobs
    chat = backend.chat
    start = chat.prompt(SHORT, prefill)
    assert start.count(4) == 1  # of control tokens, only that of the template
    if text is not None:
        whole = [*start, *chat.reply(SHORT, "C", prefill)]
        assert whole == chat.tokenizer(head + text.format(space=" ", label="C"))["input_ids"]
        assert start == chat.tokenizer(head + f" {prefill}".rstrip())["input_ids"]
    values = []
    for label in ("C", "D"):
        reply = chat.reply(SHORT, label, prefill)
        steps = [math.log(next_tokens(backend, start + reply[:i])[token]) for i, token in enumerate(reply)]
        values.append(sum(steps))
    assert response.logprobs == pytest.approx(values, abs=1e-5)
    tokens = list(start)
    for _ in range(4):
        tokens.append(int(next_tokens(backend, tokens).argmax()))
    assert response.text == chat.tokenizer.decode(tokens[len(start) :], skip_special_tokens=True).strip()


def test_shared_beginnings_are_read_once_and_change_nothing(backend) -> None:
    requests = [Request(prompt, ("C", "the same")) for prompt in PROMPTS * 2]
    tokens = [tuple(backend.chat.prompt(prompt)) for prompt in PROMPTS]
    spies = [Small(backend.model, 99) for _ in range(2)]
    found = [
        replace(backend, model=spy, can=Abilities(gaps=gaps)).respond(requests)
        for spy, gaps in zip(spies, (True, False), strict=True)
    ]
    for one, other in zip(*found, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)
        assert one.whole == pytest.approx(other.whole, abs=1e-5)
    saved = tokens_read(tokens, Abilities(gaps=False)) - tokens_read(tokens, Abilities())
    assert spies[1].read - spies[0].read == saved > 20


def test_prompts_share_what_the_best_groups_have_in_common() -> None:
    a, b = tuple(range(10)), tuple(range(20, 30))
    prompts = [(*a, 1, 2), (*b, 1), (*a, 1, 3), (*b, 2)]
    assert shared_starts(prompts) == [11, 10, 11, 10]
    assert tokens_read(prompts, Abilities()) == 2 * 11 + 4 * 1
    assert shared_starts([a, a]) == [9, 9]  # one token is left
    assert shared_starts([a, b]) == shared_starts([a]) == []


def test_a_batch_for_which_the_memory_is_too_small_is_halved(backend) -> None:
    requests = [Request(f"{prompt} {i}", ("C", "D"), 6, 1.0, (i,)) for i, prompt in enumerate(PROMPTS * 4)]
    spy = Small(backend.model, 3)
    found = replace(backend, model=spy).respond(requests)
    assert spy.refused
    for one, other in zip(found, backend.respond(requests), strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)
        assert one.text == other.text
    for request in (requests[0], replace(requests[0], labels=())):
        with pytest.raises(ModelError, match="memory of cpu is too small for one prompt"):
            replace(backend, model=Small(backend.model, 0)).respond([request])


PARTS = (
    "{% for m in messages %}<user>{% for part in m.content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)
THINKING = "{% for m in messages %}<user>{{ m.content }}{% endfor %}<assistant>"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (PARTS, f"<user>{SHORT}<assistant>"),
        (THINKING + "{{ '<think>\\n' }}", f"<user>{SHORT}<assistant><think>\n\n</think>\n\n"),
        (THINKING + "<think>", f"<user>{SHORT}<assistant><think>\n\n</think>\n\n"),
        (THINKING + "{{ '<think>\\n\\n</think>\\n\\n' }}", f"<user>{SHORT}<assistant><think>\n\n</think>\n\n"),
    ],
    ids=["parts", "thoughts", "thoughts in one line", "closed thoughts"],
)
def test_chat_templates_of_other_kinds_are_written_as_they_are_meant(template: str, text: str, copy: Path) -> None:
    (copy / "chat_template.jinja").write_text(template)
    chat = open_model(str(copy)).loaded().chat
    assert chat.tokenizer.decode(chat.prompt(SHORT)) == text
