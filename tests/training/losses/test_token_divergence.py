"""A student learns the teacher's distribution of every token, exactly, packed or not, and only in the same tokens."""

import math
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from loss_of_rows import loss_of  # noqa: E402
from random_networks import random_network  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

from dilemmas.agents.models.model_files import find_model  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402
from dilemmas.training.checkpoints import TrainingError  # noqa: E402
from dilemmas.training.demonstrations import Demonstration, Speller  # noqa: E402
from dilemmas.training.distill import distil  # noqa: E402
from dilemmas.training.lora import LoraSettings  # noqa: E402
from dilemmas.training.losses.methods import lessons_of  # noqa: E402
from dilemmas.training.losses.objective import Objective  # noqa: E402
from dilemmas.training.losses.token_divergence import (  # noqa: E402
    TokenTeacher,
    ask_token_teacher,
    check_same_tokens,
    token_divergence,
)
from dilemmas.training.packing import kept_predictions  # noqa: E402
from dilemmas.training.packing.batches import ALIKE  # noqa: E402
from dilemmas.training.packing.kept_predictions import keep_predictions  # noqa: E402
from dilemmas.training.packing.lessons import Lesson, arrange, completion  # noqa: E402
from dilemmas.training.packing.network import Network  # noqa: E402
from dilemmas.training.packing.trial import prepare_network, prepared  # noqa: E402

PROMPT = [1, *range(40, 70)]
REPLIES = [[7, 8, 9], [7, 8, 11, 12, 2], [7, 8, 9], [13, 14, 2]]
ASKED = [50, 51, *PROMPT]
"""The question of the teacher is another one."""
KINDS = ("forward", "reverse", "jensen_shannon")


def whole(before: list[int], reply: list[int]) -> Lesson:
    return replace(completion(before, reply), whole=True)


LESSONS = [whole(PROMPT, reply) for reply in REPLIES]
SETTINGS = LoraSettings(method="tokens", rank=8, alpha=16, rate=5e-3, batch=4, epochs=200)


def distributions(model, before, reply):
    """Of every token of a reply, by a plain forward pass, shape (T, V)."""
    scores = model(input_ids=torch.tensor([[*before, *reply]]), use_cache=False).logits[0]
    return scores[len(before) - 1 : -1].log_softmax(-1)


def plain(kind, beta, q, p):
    """The divergences by their definitions, from distributions, for one place."""
    kl = lambda a, b: (a * (a.log() - b.log())).sum()  # noqa: E731
    if kind == "jensen_shannon":
        m = beta * q + (1 - beta) * p
        return beta * kl(q, m) + (1 - beta) * kl(p, m)
    return kl(q, p) if kind == "forward" else kl(p, q)


def gradient(model, value):
    model.zero_grad()
    value.backward()
    return torch.cat([weights.grad.flatten() for weights in model.parameters() if weights.grad is not None])


def teacher_of(model, kind, beta=0.3, top=0, packed=True):
    network = Network(model, ALIKE if packed else None)
    lessons = {whole(PROMPT, reply): whole(ASKED, reply) for reply in REPLIES}
    size = model.config.vocab_size
    return TokenTeacher(keep_predictions(network, lessons, size, top, tokens=100), kind, beta)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["llama", "mistral", "gemma2", "mpt"])
def test_loss_and_gradient_are_those_of_separate_texts(kind, name) -> None:
    teacher, student = random_network("llama"), random_network(name)
    network = prepared(prepare_network(student, LESSONS, 0, tokens=10_000))
    judged = teacher_of(teacher, kind, packed=network.packing is not None)
    size = judged.kept.size
    found = loss_of(Objective(network, teacher=judged), arrange(LESSONS, network.packing is not None))
    wanted = 0.0
    for reply in REPLIES:
        with torch.no_grad():
            q = distributions(teacher, ASKED, reply).exp()
        p = distributions(student, PROMPT, reply)[:, :size].log_softmax(-1).exp()
        wanted = wanted + sum(plain(kind, 0.3, q[place], p[place]) for place in range(len(reply)))
    assert wanted.item() > 1e-2
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)
    ours, theirs = gradient(student, found), gradient(student, wanted)
    assert float((ours - theirs).norm() / theirs.norm()) < 1e-4


def test_a_trunk_that_is_run_once_changes_nothing() -> None:
    student, judged = random_network("llama"), teacher_of(random_network("mistral"), "reverse")
    network = prepared(prepare_network(student, LESSONS, 1, tokens=10_000))
    assert network.trunk is not None
    for weights in student.parameters():
        weights.requires_grad_(False)
    for weights in network.trunk.layers[1].parameters():
        weights.requires_grad_(True)
    rows = arrange(LESSONS, True)
    ours = gradient(student, loss_of(Objective(network, teacher=judged), rows))
    theirs = gradient(student, loss_of(Objective(Network(student, network.packing), teacher=judged), rows))
    assert float((ours - theirs).norm() / theirs.norm()) < 1e-5


def random_pair(size=50):
    generator = torch.Generator().manual_seed(0)
    return (3 * torch.randn(2, 8, size, generator=generator, dtype=torch.float64)).log_softmax(-1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_teacher_is_at_no_distance_from_itself(kind) -> None:
    same = random_pair()[0]
    assert token_divergence(same, same, kind, 0.5).abs().max() < 1e-12


def test_jensen_shannon_lies_between_the_two_others_and_has_a_bound() -> None:
    q, p = random_pair()
    for beta, kind in ((1e-9, "forward"), (1 - 1e-9, "reverse")):
        limit = token_divergence(q, p, "jensen_shannon", beta) / min(beta, 1 - beta)
        torch.testing.assert_close(limit, token_divergence(q, p, kind, 0.5), rtol=1e-2, atol=0)
    for beta in (0.1, 0.5, 0.9):
        most = -beta * math.log(beta) - (1 - beta) * math.log(1 - beta)
        assert token_divergence(q, p, "jensen_shannon", beta).max() < most


@pytest.mark.parametrize("kind", KINDS)
def test_kept_tokens_miss_what_the_docstring_says(kind) -> None:
    """What the chain rule leaves out is the divergence among the tokens that are one."""
    teacher, student = random_network("llama"), random_network("mistral")
    size, top = teacher.config.vocab_size, 20
    network, rows = prepared(prepare_network(student, LESSONS, 0, tokens=10_000)), arrange(LESSONS[:1], True)
    exact, near, every = (
        loss_of(Objective(network, teacher=teacher_of(teacher, kind, 0.5, some)), rows).item()
        for some in (0, top, size)
    )
    q, p = distributions(teacher, ASKED, REPLIES[0]), distributions(student, PROMPT, REPLIES[0])
    others = q.argsort(-1, descending=True)[:, top:]
    r, s = (found.gather(-1, others).exp().sum(-1) for found in (q, p))
    among = [found.gather(-1, others).log_softmax(-1) for found in (q, p)]
    if kind == "jensen_shannon":
        assert 0 < exact - near <= ((r + s) / 2 * math.log(2)).sum().item()
    else:
        share = r if kind == "forward" else s
        assert exact - near == pytest.approx((share * token_divergence(*among, kind, 0.5)).sum().item(), rel=1e-3)
    assert every == exact


def test_distributions_that_need_too_much_memory_are_refused_with_what_fits(monkeypatch) -> None:
    teacher = random_network("llama")
    monkeypatch.setattr(kept_predictions, "KEPT_BYTES", 2000)
    with pytest.raises(TrainingError, match="with top = ") as caught:
        teacher_of(teacher, "forward")
    most = int(str(caught.value).split("top = ")[1].split()[0])
    assert teacher_of(teacher, "forward", top=most).kept.logprobs.shape[1] == most + 1
    with pytest.raises(TrainingError, match="top"):
        teacher_of(teacher, "forward", top=most + 1)


PROMPT_TEXT = "You are in a chat with a good friend. Which do you choose, C or D?"
SHOWN = [Demonstration(PROMPT_TEXT, ("C", "D"), (1.0, 0.0), reply) for reply in ("C. We are friends.", "D. I am not.")]


@pytest.mark.parametrize("divergence", KINDS)
def test_a_student_comes_to_the_distributions_of_the_teacher(divergence, tmp_path) -> None:
    teacher, student = (open_model(f"miniature-{name}", device="cpu") for name in ("teacher", "student"))
    settings = replace(SETTINGS, divergence=divergence)
    _, first, *_, last = distil(*student.weights(), SHOWN, settings, tmp_path, seed=3, teacher=teacher)
    assert last.loss < first.loss / 5
    before, after, wanted = (
        distributions(
            model.loaded().model, (speller := Speller(model.tokenizer())).asked(one), speller.said(one, reply)
        )
        for model in (open_model("miniature-student"), open_model(f"miniature-student+{tmp_path}"), teacher)
        for one, reply in [(SHOWN[0], SHOWN[0].reply)]
    )
    far, near = (token_divergence(wanted, found, divergence, 0.5).mean().item() for found in (before, after))
    assert near < far / 5
    assert "every token" in " ".join((tmp_path / "README.md").read_text().split())


def test_a_demonstration_without_a_reply_teaches_its_probabilities() -> None:
    speller = Speller(open_model("miniature-student").tokenizer())
    soft = Demonstration(PROMPT_TEXT, ("C", "D"), (0.3, 0.7))
    lessons = lessons_of(speller, soft, SETTINGS)
    assert lessons == lessons_of(speller, soft, replace(SETTINGS, method="soft"))
    assert [lesson.whole for lesson in lessons_of(speller, SHOWN[0], SETTINGS)] == [True]


def test_the_teacher_reads_the_question_that_it_was_asked() -> None:
    teacher, student = (open_model(f"miniature-{name}", device="cpu") for name in ("teacher", "student"))
    speller, loaded = Speller(student.tokenizer()), teacher.loaded()
    other = replace(SHOWN[0], teacher_prompt="You choose C or D? Say why.")
    judged = ask_token_teacher(loaded.model, teacher.tokenizer(), speller, [other], SETTINGS)
    (lesson,) = lessons_of(speller, other, SETTINGS)
    asked = speller.asked(replace(other, prompt=other.teacher_prompt))
    wanted = distributions(loaded.model, asked, [target.token for target in lesson.targets])
    found = judged.kept.logprobs[judged.kept.index[lesson]]
    assert found.shape[1] == 822 < wanted.shape[1], "the head has more rows than the vocabulary has tokens"
    torch.testing.assert_close(found, wanted[:, :822].log_softmax(-1), atol=1e-4, rtol=0)


def test_teacher_and_student_need_the_same_tokens(tiny_model) -> None:
    teacher = AutoTokenizer.from_pretrained(find_model("miniature-teacher", None).folder)
    check_same_tokens(teacher, open_model("miniature-student").tokenizer(), ("C", "D"))
    with pytest.raises(TrainingError, match="of the same vocabulary; these have"):
        check_same_tokens(teacher, AutoTokenizer.from_pretrained(tiny_model), ("C", "D"))
    other = AutoTokenizer.from_pretrained(find_model("miniature-student", None).folder)
    other.eos_token = other.convert_ids_to_tokens(7)
    other.chat_template = None
    teacher.chat_template = None
    with pytest.raises(TrainingError, match="end a reply with other tokens"):
        check_same_tokens(teacher, other, ("C", "D"))


@pytest.mark.parametrize(("shown", "needs"), [(SHOWN, "needs a teacher"), ([replace(SHOWN[0], reply="")], "wrote")])
def test_what_cannot_be_taught_is_refused(shown, needs, tmp_path) -> None:
    student = open_model("miniature-student", device="cpu")
    teacher = open_model("miniature-teacher", device="cpu") if shown is not SHOWN else None
    with pytest.raises(TrainingError, match=needs):
        next(distil(*student.weights(), shown, SETTINGS, tmp_path, seed=3, teacher=teacher))
