"""Token-level distillation: the student learns the teacher's whole distribution at every token of the teacher's reply.

L = sum_t D(q_t, p_t), with the next-token distributions q_t of the teacher and p_t of the student after the first t
tokens of the reply, which the teacher drew, each after the question as it is asked. D, in nats, is one of

- ``forward``: KL(q || p), Hinton, Vinyals & Dean 2015 (arXiv 1503.02531): it covers all that the teacher does
- ``reverse``: KL(p || q), MiniLLM, Gu et al. 2024 (arXiv 2306.08543): it keeps to what the teacher finds probable
- ``jensen_shannon``: b KL(q || m) + (1 - b) KL(p || m), m = b q + (1 - b) p, with b = `beta`: GKD, Agarwal et al. 2024
  (arXiv 2306.13649, equation 1); D / b tends to the forward one for b -> 0, D / (1 - b) to the reverse one for b -> 1,
  and D <= -b log b - (1 - b) log(1 - b)

MiniLLM and GKD train on texts of the student; here they are the teacher's. All sums are over the whole vocabulary, and
so exact. With `top` = K, the K tokens that the teacher finds most probable are told apart, and all others are one. By
the chain rule the forward D is then too small by r KL(q' || p'), where r is the teacher's probability of those others,
and q' and p' are the distributions among them; the reverse D by r' KL(p' || q'), with the student's r'; and that of
Jensen-Shannon by at most (b r + (1 - b) r') log 2.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from dilemmas.agents.models.chat import ChatEncoder
from dilemmas.training.checkpoints import TrainingError
from dilemmas.training.demonstrations import Demonstration, Speller
from dilemmas.training.lora import Divergence, LoraSettings
from dilemmas.training.losses.hard_labels import hard_labels
from dilemmas.training.packing.batches import Batch
from dilemmas.training.packing.kept_predictions import KeptPredictions, keep_predictions
from dilemmas.training.packing.lessons import Lesson, PlantedRow
from dilemmas.training.packing.network import Network
from dilemmas.training.packing.trial import find_packing


def reply_tokens(speller: Speller, shown: Demonstration) -> tuple[Lesson, ...]:
    """The reply of a demonstration, with the teacher's distribution at each token; without a reply, its labels."""
    lessons = hard_labels(speller, shown)
    return tuple(replace(lesson, whole=True) for lesson in lessons) if shown.reply else lessons


@dataclass(frozen=True, slots=True)
class TokenTeacher:
    """The distributions of a teacher, and how a student is compared with them."""

    kept: KeptPredictions
    """Its distributions."""
    divergence: Divergence
    """How two distributions are compared."""
    beta: float
    """Weight of the teacher in the mixture (Jensen-Shannon), in (0, 1)."""

    def instead(
        self, losses: torch.Tensor, rows: Sequence[PlantedRow], batch: Batch, logits: torch.Tensor
    ) -> torch.Tensor:
        """The losses of all terms, shape (Q,), with the divergence where the whole distribution is taught.

        Parameters
        ----------
        losses
            -log P of all terms, shape (Q,).
        rows, batch, logits
            What the student read, and what it predicts at the places of the batch, shape (P, V).
        """
        lessons = [lesson for row in rows for lesson in row.lessons]
        terms = torch.arange(len(losses)).split([len(lesson.targets) for lesson in lessons])
        taught = [(some, self.kept.index[lesson]) for some, lesson in zip(terms, lessons, strict=True) if lesson.whole]
        if not taught:
            return losses
        mine, places = (torch.cat(list(column)) for column in zip(*taught, strict=True))
        mine = mine.to(losses.device)
        student = self.kept.alike(logits[batch.terms[mine]], places)
        teacher = self.kept.logprobs[places].to(losses.device)
        return losses.index_copy(0, mine, token_divergence(teacher, student, self.divergence, self.beta))


def token_divergence(teacher: torch.Tensor, student: torch.Tensor, kind: Divergence, beta: float) -> torch.Tensor:
    """How far the student's distributions are from the teacher's, shape (M,), in nats, 0 or more.

    Parameters
    ----------
    teacher, student
        Log-probabilities, shape (M, V).
    kind, beta
        As `LoraSettings.divergence` and `LoraSettings.beta`.
    """
    if kind == "forward":
        return _kullback_leibler(teacher, student)
    if kind == "reverse":
        return _kullback_leibler(student, teacher)
    share = torch.tensor(beta, dtype=student.dtype, device=student.device)
    mixed = torch.logaddexp(teacher + share.log(), student + (1 - share).log())
    return share * _kullback_leibler(teacher, mixed) + (1 - share) * _kullback_leibler(student, mixed)


def _kullback_leibler(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return (first.exp() * (first - second)).sum(-1)


def ask_token_teacher(
    model: Any, tokenizer: Any, speller: Speller, shown: Iterable[Demonstration], settings: LoraSettings
) -> TokenTeacher:
    """Let a teacher read all replies.

    Parameters
    ----------
    model, tokenizer
        The teacher.
    speller
        The demonstrations as tokens of the student.
    shown
        The demonstrations.
    settings
        Divergence and memory.

    Raises
    ------
    TrainingError
        If teacher and student write a reply with other tokens, there is no reply, or the distributions need too much
        memory.
    """
    own = Speller(tokenizer)
    lessons: dict[Lesson, Lesson] = {}
    for one in shown:
        if one.reply:
            ((mine,), (theirs,)) = reply_tokens(speller, one), reply_tokens(own, _as_asked(one))
            if [target.token for target in mine.targets] != [target.token for target in theirs.targets]:
                raise TrainingError(f"teacher and student write other tokens for {one.reply!r}; use another method")
            lessons[mine] = theirs
    if not lessons:
        raise TrainingError("method 'tokens' needs what the teacher wrote; choose method 'soft'")
    network = Network(model, find_packing(model, list(lessons.values())))
    size = max(tokenizer.get_vocab().values()) + 1
    kept = keep_predictions(network, lessons, size, settings.top, settings.tokens)
    return TokenTeacher(kept, settings.divergence, settings.beta)


def _as_asked(shown: Demonstration) -> Demonstration:
    """A demonstration with the question that the teacher was asked."""
    return replace(shown, prompt=shown.teacher_prompt or shown.prompt)


def check_same_tokens(teacher: Any, student: Any, labels: Iterable[str]) -> None:
    """`TrainingError` unless two tokenizers have the same vocabulary, and replies begin and end with the same tokens.

    `labels`: the labels of actions, with which replies begin.
    """
    words: tuple[Mapping[str, int], ...] = (teacher.get_vocab(), student.get_vocab())
    if words[0] != words[1]:
        other = dict(words[0].items() ^ words[1].items())
        raise TrainingError(
            f"method 'tokens' needs a teacher and a student of the same vocabulary; these have {len(words[0]):,} and"
            f" {len(words[1]):,} tokens, and '{min(other)}' is not the same in both; use method 'soft'"
        )
    first, second = ChatEncoder(teacher), ChatEncoder(student)
    if first.stop != second.stop:
        raise TrainingError("method 'tokens': teacher and student end a reply with other tokens; use method 'soft'")
    for label in labels:
        if first.reply("?", label) != second.reply("?", label):
            raise TrainingError(f"method 'tokens': teacher and student write label '{label}' with other tokens")
