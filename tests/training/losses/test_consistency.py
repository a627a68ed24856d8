"""Presentations of one situation are drawn together, as far as their weight says, and are compared in one step."""

import math
from collections import Counter
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from loss_of_rows import loss_of  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from dilemmas.agents.models.backend import Request  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402
from dilemmas.training.demonstrations import Demonstration, Speller  # noqa: E402
from dilemmas.training.distill import distil  # noqa: E402
from dilemmas.training.examples import ExampleError  # noqa: E402
from dilemmas.training.loop.steps import bundles_of, steps_of  # noqa: E402
from dilemmas.training.lora import LoraSettings  # noqa: E402
from dilemmas.training.losses.consistency import answers, disagreement  # noqa: E402
from dilemmas.training.losses.methods import lessons_of  # noqa: E402
from dilemmas.training.losses.objective import Objective  # noqa: E402
from dilemmas.training.packing.batches import ALIKE  # noqa: E402
from dilemmas.training.packing.lessons import arrange  # noqa: E402
from dilemmas.training.packing.network import Network  # noqa: E402

FIRST = "You are in a chat with a good friend. If you both choose C, you both get 3. Do you choose C or D?"
LABELS = {FIRST: ("C", "D"), FIRST.replace("choose C,", "choose D,"): ("D", "C"), "D or C?": ("C", "D")}
ALIKE_SHOWN = [Demonstration(prompt, labels, (0.7, 0.3), situation="a") for prompt, labels in LABELS.items()]
OTHERS = [Demonstration(f"{name}: C or D?", ("C", "D"), (0.5, 0.5), situation="b") for name in ("One", "Two")]
SETTINGS = LoraSettings(method="soft", rank=4, alpha=8, rate=1e-3, batch=4, epochs=60, consistency=0.5)


@pytest.fixture(scope="module")
def tiny(tiny_model):
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    return model, Speller(AutoTokenizer.from_pretrained(tiny_model))


def probabilities(model, speller, shown):
    """P(a) of each label among those of a demonstration, by plain forward passes, shape (A,)."""
    found = []
    for label in shown.labels:
        asked, said = speller.asked(shown), speller.said(shown, label)
        scores = model(input_ids=torch.tensor([[*asked, *said]])).logits[0].log_softmax(-1)
        found.append(sum(scores[len(asked) + place - 1, token] for place, token in enumerate(said)))
    return torch.stack(found).softmax(0)


def gradient(model, value):
    model.zero_grad()
    value.backward()
    return torch.cat([weights.grad.flatten() for weights in model.parameters() if weights.grad is not None])


def expected(model, speller, *situations):
    """n H(mean p) - sum_i H(p_i), summed over situations: the definition of Jensen and Shannon."""
    total = 0.0
    for situation in situations:
        each = torch.stack([probabilities(model, speller, shown) for shown in situation])
        entropy = lambda p: -(p * p.log()).sum(-1)  # noqa: E731
        total = total + len(each) * entropy(each.mean(0)) - entropy(each).sum()
    return total


@pytest.mark.parametrize("packed", [True, False])
def test_the_term_is_the_jensen_shannon_divergence_and_so_is_its_gradient(tiny, packed) -> None:
    model, speller = tiny
    lessons = [lesson for shown in (*ALIKE_SHOWN, *OTHERS) for lesson in answers(speller, shown)]
    network, rows = Network(model, ALIKE if packed else None), arrange(lessons, packed)
    found = disagreement(rows, network.logprobs(rows))
    wanted = expected(model, speller, ALIKE_SHOWN, OTHERS)
    assert float(wanted.detach()) > 1e-4
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-4)
    ours, theirs = gradient(model, found), gradient(model, wanted)
    assert float((ours - theirs).norm() / theirs.norm()) < 1e-4


def test_the_gradient_through_the_mean_is_zero(tiny) -> None:
    """Which is why nothing is gained by stopping it."""
    model, speller = tiny
    found = []
    for mean_of in (lambda each: each.mean(0), lambda each: each.mean(0).detach()):
        each = torch.stack([probabilities(model, speller, shown) for shown in ALIKE_SHOWN])
        found.append(gradient(model, (each * (each / mean_of(each)).log()).sum()))
    torch.testing.assert_close(*found, atol=1e-6, rtol=1e-3)


def test_a_presentation_that_is_taught_twice_counts_twice(tiny) -> None:
    model, speller = tiny
    first, second = OTHERS
    lessons = [lesson for shown in (first, second, second) for lesson in answers(speller, shown)]
    rows = arrange(lessons, True)
    found = disagreement(rows, Network(model, ALIKE).logprobs(rows))
    torch.testing.assert_close(found, expected(model, speller, [first, second, second]), atol=1e-6, rtol=1e-4)


def test_one_presentation_agrees_with_itself(tiny) -> None:
    model, speller = tiny
    rows = arrange(answers(speller, OTHERS[0]), True)
    assert disagreement(rows, Network(model, ALIKE).logprobs(rows)).item() == pytest.approx(0, abs=1e-6)


def test_the_loss_of_a_step_is_the_same_however_few_tokens_are_read_at_a_time(tiny) -> None:
    model, speller = tiny
    step = [lessons_of(speller, shown, SETTINGS) for shown in (*ALIKE_SHOWN, *OTHERS)]
    objective = Objective(Network(model, ALIKE), consistency=0.5)
    sums = []
    for tokens in (100_000, 40, 1):
        parts = list(objective.parts(bundles_of(step), tokens))
        sums.append((len(parts), sum(loss_of(objective, rows).item() for rows in parts)))
    assert [number for number, _ in sums] == [1, 2, 2], "a situation is never read in parts"
    assert [value for _, value in sums] == pytest.approx([sums[0][1]] * 3, rel=1e-5)
    alone = loss_of(Objective(Network(model, ALIKE)), arrange([lesson for one in step for lesson in one], True))
    difference = sums[0][1] - alone.item()
    assert difference == pytest.approx(0.5 * expected(model, speller, ALIKE_SHOWN, OTHERS).item(), rel=1e-3)


def test_all_presentations_of_a_situation_come_in_one_step(tiny) -> None:
    _, speller = tiny
    many = [replace(one, situation=str(i), prompt=f"{i} {one.prompt}") for one in ALIKE_SHOWN for i in range(5)]
    every = [*many, *many, *OTHERS]
    taught, names = [lessons_of(speller, shown, SETTINGS) for shown in every], [one.situation for one in every]
    settings = replace(SETTINGS, epochs=3)
    steps = steps_of(taught, names, settings, seed=1)
    assert Counter(lessons for step in steps for lessons in step) == Counter(taught * 3)
    for step in steps:
        asked = Counter((lessons[-1].answer.situation, lessons[-1].question) for lessons in step)
        for situation in {situation for situation, _ in asked}:
            counts = [number for (one, _), number in asked.items() if one == situation]
            assert len(counts) == (2 if situation == "b" else 3)
            assert len(set(counts)) == 1
    assert len(steps_of(taught, names, replace(settings, steps=7), seed=1)) == 7


def test_without_a_weight_nothing_more_is_read(tiny) -> None:
    _, speller = tiny
    off = replace(SETTINGS, consistency=0)
    for shown in ALIKE_SHOWN:
        assert all(lesson.answer is None for lesson in lessons_of(speller, shown, off))
        more = lessons_of(speller, shown, SETTINGS)
        assert more[: -len(shown.labels)] == lessons_of(speller, shown, off)
        assert sum(target.weight for lesson in more[-2:] for target in lesson.targets) == 0


def test_a_label_that_begins_another_ends_with_the_reply(tiny) -> None:
    """Otherwise P(1) would hold P(10)."""
    _, speller = tiny
    prefixed = Demonstration("How much?", ("C", "C C"), (0.5, 0.5), situation="a")
    ends = [lesson.targets[-1].token for lesson in answers(speller, prefixed)]
    assert ends == [*speller.stop] * 2
    assert speller.stop[0] not in [lesson.targets[-1].token for lesson in answers(speller, OTHERS[0])]


@pytest.mark.slow
def test_presentations_that_are_taught_differently_are_drawn_together(tmp_path) -> None:
    """The teacher chooses the first action with .9 in one presentation, and with .1 in the other."""
    shown = [replace(one, probabilities=(p, 1 - p)) for one, p in zip(ALIKE_SHOWN[:2], (0.9, 0.1), strict=True)]
    spread = {}
    for weight in (0.0, 1.0, 20.0):
        model, out = open_model("miniature-student", device="cpu"), tmp_path / str(weight)
        for _ in distil(*model.weights(), shown, replace(SETTINGS, consistency=weight), out, seed=3):
            pass
        tuned = open_model(f"miniature-student+{out}", device="cpu")
        first, second = tuned.respond([Request(one.prompt, one.labels) for one in shown])
        spread[weight] = math.exp(first.logprobs[0]) - math.exp(second.logprobs[0])
    assert spread[0.0] == pytest.approx(0.8, abs=0.05)
    assert spread[1.0] < 0.7
    assert abs(spread[20.0]) < 0.15


@pytest.mark.parametrize(
    ("shown", "needs"),
    [
        ([replace(one, situation=one.prompt) for one in ALIKE_SHOWN], "choose presentation 'counterbalanced'"),
        ([replace(one, situation="") for one in ALIKE_SHOWN], "choose presentation 'counterbalanced'"),
        ([OTHERS[0], Demonstration("?", ("A", "B", "C"), (1.0, 0.0, 0.0), situation="b")], "numbers of labels"),
    ],
)
def test_what_cannot_be_compared_is_refused(tiny_model, tmp_path, shown, needs) -> None:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    with pytest.raises(ExampleError, match=needs):
        next(distil(model, tokenizer, shown, SETTINGS, tmp_path, seed=3))
