"""A local model gives the results of a plain forward pass in any batch, and is loaded and unloaded on demand."""

import json
import math
import shutil
import weakref
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")

from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from dilemmas.agents.models.answers import exact_distributions, sample_replies  # noqa: E402
from dilemmas.agents.models.backend import ModelError, Request  # noqa: E402
from dilemmas.agents.models.chat import conversation  # noqa: E402
from dilemmas.agents.models.local import LocalBackend  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402
from dilemmas.agents.models.sampling import Draw, sample_tokens  # noqa: E402
from dilemmas.agents.models.scoring import disjoint_logprobs  # noqa: E402
from dilemmas.envs.errors import InputError  # noqa: E402

SHORT = "You choose C or D?"
LONG = "You are in a chat with a good friend. You both choose C or D at the same time. Which do you choose?"
PROMPTS = (SHORT, LONG, "If you choose C, you get 10. Say why.", "Which?")


class Plain:
    """The reference: one text, one forward pass, no batch, no cache, no mask."""

    def __init__(self, folder: Path, adapter: Path | None = None, chat: bool = True) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        if adapter:
            self.model = peft.PeftModel.from_pretrained(self.model, adapter).eval()
        self.head = "<s><user>{}<assistant>" if chat else "<s>{}\nAnswer:"

    def tokens(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def logprob(self, prompt: str, label: str) -> float:
        start = self.tokens(self.head.format(prompt))
        whole = self.tokens(f"{self.head.format(prompt)} {label}")
        assert whole[: len(start)] == start
        with torch.no_grad():
            scores = self.model(torch.tensor([whole])).logits[0].double().log_softmax(-1)
        return sum(float(scores[i - 1, whole[i]]) for i in range(len(start), len(whole)))


class Spy:
    """A model that records the token ids of every call."""

    def __init__(self, model: Any) -> None:
        self.model, self.config, self.device, self.dtype = model, model.config, model.device, model.dtype
        self.generation_config = model.generation_config
        self.calls: list[Any] = []

    def __call__(self, **arguments: Any) -> Any:
        self.calls.append(arguments["input_ids"])
        return self.model(**arguments)


def texts(backend: LocalBackend, requests: list[Request]) -> list[str]:
    return [response.text for response in backend.respond(requests)]


@pytest.mark.parametrize("batch_tokens", [1, 300, 16_384])
def test_label_probabilities_equal_a_plain_forward_pass_in_any_batch(backend, tiny_model, batch_tokens: int) -> None:
    plain = Plain(tiny_model)
    labels = [("C", "D"), ("the same", "a good friend", "C"), ("Zebra", "10")]
    requests = [Request(prompt, labels=some) for prompt in PROMPTS for some in labels] * 2
    assert len(plain.tokens(" C")) == 1 < len(plain.tokens(" Zebra"))
    for request, response in zip(requests, replace(backend, batch_tokens=batch_tokens).respond(requests), strict=True):
        expected = [plain.logprob(request.prompt, label) for label in request.labels]
        assert response.logprobs == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("labels", [("z", "zzz"), ("1", "10"), ("zz", "q", "z")])
def test_a_label_that_begins_another_is_a_whole_word(backend, labels: tuple[str, ...]) -> None:
    """Or all words that begin so would count for the shorter label."""
    nested, alone = backend.respond([Request(SHORT, labels), Request(SHORT, labels[:1])])
    assert nested.logprobs == nested.whole
    assert alone.logprobs != alone.whole
    assert all(one < begun for one, begun in zip(nested.logprobs[:1], alone.logprobs, strict=True))


def test_disjoint_events_add_up_to_the_one_that_holds_them_all() -> None:
    replies = [(5,), (5, 5, 5), (5, 5), (6,), (5, 7)]  # P(starts with): .6, .1, .3, .2, .05
    shares = disjoint_logprobs(replies, [math.log(p) for p in (0.6, 0.1, 0.3, 0.2, 0.05)])
    assert [math.exp(value) for value in shares] == pytest.approx([0.25, 0.1, 0.2, 0.2, 0.05])
    assert disjoint_logprobs([(5,), (5, 6)], [math.log(0.5), math.log(0.5)]) == [-math.inf, math.log(0.5)]


def test_equal_prompts_are_processed_once_with_one_bos_token(backend) -> None:
    spy = Spy(backend.model)
    replace(backend, model=spy).respond([Request(SHORT, labels=("C", "D"))] * 50)
    ids, labels = spy.calls
    assert labels.tolist() == [[*backend.chat.reply(SHORT, "C"), *backend.chat.reply(SHORT, "D")]]
    assert ids.shape[0] == 1
    assert ids[0].tolist().count(backend.chat.tokenizer.bos_token_id) == 1


def test_a_model_without_chat_template_is_asked_in_plain_text(copy) -> None:
    (copy / "chat_template.jinja").unlink()
    plain = Plain(copy, chat=False)
    (response,) = open_model(str(copy)).respond([Request(SHORT, labels=("C", "the same"), max_tokens=3)])
    assert response.logprobs == pytest.approx([plain.logprob(SHORT, label) for label in ("C", "the same")], abs=1e-5)
    assert response.text


def test_the_most_probable_text_is_that_of_transformers(backend, tiny_model) -> None:
    plain = Plain(tiny_model)
    requests = [Request(prompt, max_tokens=12, temperature=0) for prompt in PROMPTS]
    for prompt, response in zip(PROMPTS, backend.respond(requests), strict=True):
        start = torch.tensor([plain.tokens(plain.head.format(prompt))])
        with torch.no_grad():
            written = plain.model.generate(start, do_sample=False, max_new_tokens=12)[0, start.shape[1] :]
        assert response.text == plain.tokenizer.decode(written, skip_special_tokens=True).strip()


def test_sampled_tokens_have_the_frequencies_of_the_model(backend) -> None:
    draws = 20_000
    for temperature in (1.0, 0.5):
        requests = [Request(SHORT, max_tokens=1, temperature=temperature, seed=(7, i)) for i in range(draws)]
        found = texts(backend, requests)
        ids = torch.tensor([backend.chat.tokenizer("<s><user>" + SHORT + "<assistant>")["input_ids"]])
        with torch.inference_mode():
            chance = (backend.model(ids).logits[0, -1].double() / temperature).softmax(-1)
        for token in chance.topk(5).indices.tolist():
            word, p = backend.chat.tokenizer.decode([token]).strip(), float(chance[token])
            if word and "\ufffd" not in word:  # not the bytes of half a character
                spread = math.sqrt(p * (1 - p) / draws)
                same = [i for i in range(len(chance)) if backend.chat.tokenizer.decode([i]).strip() == word]
                assert found.count(word) / draws == pytest.approx(float(chance[same].sum()), abs=5 * spread)


def test_a_request_with_its_seed_gives_the_same_text_in_any_batch(backend) -> None:
    requests = [
        Request(prompt, max_tokens=4 + i % 9, temperature=0.7 + 0.1 * (i % 3), seed=(3, i))
        for i, prompt in enumerate(PROMPTS * 6)
    ]
    together = texts(backend, requests)
    assert len(set(together)) > 15
    assert [texts(backend, [request])[0] for request in requests] == together
    assert texts(backend, requests[::-1])[::-1] == together
    assert texts(replace(backend, batch_tokens=150), requests) == together


def test_another_seed_gives_another_text(backend) -> None:
    assert len(set(texts(backend, [Request(SHORT, max_tokens=12, seed=(i,)) for i in range(20)]))) == 20


def test_equal_partial_replies_share_a_row(backend) -> None:
    spy = Spy(backend.model)
    requests = [Request(SHORT, max_tokens=10, temperature=0, seed=(i,)) for i in range(50)]
    assert len(set(texts(replace(backend, model=spy), requests))) == 1
    assert [ids.shape[0] for ids in spy.calls] == [1] * 10


def test_a_reply_ends_at_a_stop_token_and_the_others_continue(backend) -> None:
    prompts = [backend.chat.tokenizer(f"<s><user>{prompt}<assistant>")["input_ids"] for prompt in PROMPTS]
    draws = [Draw(i % 4, max_tokens=10, temperature=0.7, seed=(i,)) for i in range(40)]
    with torch.inference_mode():
        free = sample_tokens(backend.model, prompts, draws, frozenset(), 16_384)
        stop = Counter(token for tokens, _ in free for token in tokens).most_common(1)[0][0]
        stopped = sample_tokens(backend.model, prompts, draws, frozenset([stop, 2]), 16_384)
    assert 4 < sum(ended for _, ended in stopped) < 40
    for (whole, _), (tokens, ended) in zip(free, stopped, strict=True):
        ends = [i for i, token in enumerate(whole) if token in (stop, 2)]
        assert (tokens, ended) == ((whole[: ends[0]], True) if ends else (whole, False))


def test_the_stop_tokens_are_those_of_the_generation_settings(copy, backend) -> None:
    request = Request(SHORT, max_tokens=10, temperature=0)
    spy = Spy(backend.model)
    (whole,) = replace(backend, model=spy).respond([request])
    written = [int(ids[0, 0]) for ids in spy.calls[1:]]
    settings = json.loads((copy / "generation_config.json").read_text())
    (copy / "generation_config.json").write_text(json.dumps(settings | {"eos_token_id": [2, written[2]]}))
    (short,) = open_model(str(copy)).respond([request])
    assert (whole.stopped, short.stopped) == (False, True)
    assert short.text == backend.chat.tokenizer.decode(written[:2]).strip()


def test_nothing_touches_the_global_generators(tiny_model) -> None:
    before = (torch.get_rng_state(), np.random.get_state()[1].copy())
    open_model(str(tiny_model)).respond([Request(SHORT, labels=("C", "D"), max_tokens=5)])
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()


@pytest.mark.parametrize(("dtype", "error"), [("float32", 1e-5), ("bfloat16", 0.5)])
def test_an_adapter_is_applied(tiny_model, adapter, backend, dtype: str, error: float) -> None:
    plain = Plain(tiny_model, adapter)
    expected = [plain.logprob(LONG, label) for label in ("C", "D")]
    (untuned,) = backend.respond([Request(LONG, labels=("C", "D"))])
    assert np.abs(np.subtract(untuned.logprobs, expected)).max() > 1
    for tuned in (open_model(f"{tiny_model}+{adapter}", dtype=dtype), open_model(str(adapter), dtype=dtype)):
        (response,) = tuned.respond([Request(LONG, labels=("C", "D"))])
        assert response.logprobs == pytest.approx(expected, abs=error)
        assert tuned.name == "tiny+tuned"


def test_a_model_sent_to_another_process_is_loaded_there(tiny_model: Path) -> None:
    """Copied weights have another alignment in memory, and sums over them other rounding errors."""
    import pickle

    sent = open_model(str(tiny_model))
    few = len(pickle.dumps(sent))
    asked = [Request(prompt, ("C", "D")) for prompt in PROMPTS]
    answers = sent.respond(asked)
    assert len(pickle.dumps(sent)) == few
    assert pickle.loads(pickle.dumps(sent)).respond(asked) == answers


def test_weights_are_loaded_at_the_first_request_and_freed_by_unload(tiny_model, backend, tmp_path) -> None:
    waiting = open_model(str(shutil.copytree(tiny_model, tmp_path / "tiny")))
    assert (waiting.name, waiting.fingerprint) == (backend.name, backend.fingerprint)
    request = Request(SHORT, labels=("C", "D"))
    for _ in range(2):
        assert waiting.respond([request]) == backend.respond([request])
        weights = weakref.ref(waiting.loaded().model)
        assert waiting.loaded().model is weights()
        waiting.unload()
        assert weights() is None
    with pytest.raises(ModelError, match="no such directory"):
        open_model("/nowhere/at all")
    with pytest.raises(InputError, match="did you mean 'float32'"):
        open_model(str(tiny_model), dtype="float23")


def test_a_prompt_that_is_too_long_is_refused_alone(backend) -> None:
    fitting, long = Request(SHORT, ("C", "D"), max_tokens=3), Request("choose " * 300, ("C", "D"), max_tokens=3)
    refused, answered, again = backend.respond([long, fitting, long])
    assert answered == backend.respond([fitting])[0]
    assert refused == again
    assert "the maximum of tiny is 256: show fewer rounds" in refused.refused
    assert (refused.logprobs, refused.text) == ((), "")
    with pytest.raises(ModelError, match="the maximum of tiny is 256"):
        exact_distributions(backend, [(long.prompt, long.labels)])
    with pytest.raises(ModelError, match="the maximum of tiny is 256"):
        sample_replies(backend, [(long.prompt, long.labels, (0,))])


def test_labels_with_the_same_tokens_are_refused(backend) -> None:
    with pytest.raises(ModelError, match="not different"):
        backend.respond([Request(SHORT, labels=("C", "C"))])


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "does not end|exit code"),
        ("{{ messages[0].content * 10 ** 10 }}", "MemoryError"),
        ("{% for a in range(99999) %}{{ 'a long text' * 9 }}{% endfor %}", "writes more than 1,000,000 characters"),
        ("{{ messages[0].content.upper() }}", "does not write a message of the user as it is"),
        ("{{ messages[0].content|length }} {{ messages[0].content }}", "something else if a message has other words"),
        ("{{ messages[0].content.split('\\n')[0] }}", "something else if a message has other words"),
        ("{{ messages[0].content }}{{ 'A' if 'Which do' in messages[0].content }}", "has other words"),
        ("{{ raise_exception('only systems') }}", "only systems"),
        ("{% if %}", "TemplateSyntaxError"),
        ("{{ ''.__class__.__mro__ }}", "SecurityError"),
    ],
)
def test_a_chat_template_that_cannot_be_used_is_refused(
    template: str, complaint: str, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "does not end" in complaint:
        monkeypatch.setattr("dilemmas.agents.models.chat.SECONDS", 2)
    (copy / "chat_template.jinja").write_text(template)
    with pytest.raises(ModelError, match=complaint):
        open_model(str(copy)).loaded()


def test_a_chat_template_gives_the_same_prompt_every_time(copy: Path) -> None:
    """Its date and its random numbers are fixed, so the prompt is that of any other day and process."""
    clock = "{{ strftime_now('%Y-%m-%d') }} {{ [1, 2, 3, 4, 5, 6, 7, 8, 9] | random }}{{ messages[0].content }}"
    (copy / "chat_template.jinja").write_text(clock)
    tokenizer = open_model(str(copy)).loaded().chat.tokenizer
    assert conversation(tokenizer).before == "2024-01-01 7"
