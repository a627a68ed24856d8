"""What a teacher predicts at the targets of lessons: its distributions over the vocabulary, computed once and kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from dilemmas.training.checkpoints import TrainingError
from dilemmas.training.packing.batches import collate
from dilemmas.training.packing.lessons import Lesson, PlantedRow
from dilemmas.training.packing.network import Network

KEPT_BYTES = 4 << 30
"""Most bytes of distributions that are kept in memory."""


@dataclass(frozen=True, slots=True)
class KeptPredictions:
    """Distributions over the next token, as log-probabilities."""

    size: int
    """Number of token ids that count, V; a head may have more rows than the vocabulary has tokens."""
    logprobs: torch.Tensor
    """Log-probabilities of the tokens, in nats, shape (N, V), or (N, K + 1) where K are kept and the last is that of
    all others together."""
    tokens: torch.Tensor | None
    """Ids of the K tokens, shape (N, K); None where all are kept, in order."""
    index: Mapping[Lesson, torch.Tensor]
    """Index of the distribution at each target, by the lesson of the student."""

    def alike(self, logits: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of a student in the same form as those that were kept.

        Parameters
        ----------
        logits
            Of the student, shape (M, V or more).
        places
            Index of the distribution that each is compared with, shape (M,).
        """
        found = logits[:, : self.size].log_softmax(-1)  # (M, V)
        if self.tokens is None:
            return found
        kept = self.tokens[places].to(found.device)  # (M, K)
        others = found.scatter(-1, kept, -torch.inf).logsumexp(-1, keepdim=True)
        return torch.cat([found.gather(-1, kept), others], -1)  # (M, K + 1)


@torch.no_grad()
def keep_predictions(
    network: Network, lessons: Mapping[Lesson, Lesson], size: int, top: int, tokens: int
) -> KeptPredictions:
    """Let a teacher read its lessons once.

    Parameters
    ----------
    network
        The teacher.
    lessons
        What it reads, by the lesson of the student; both have the same number of targets.
    size
        Number of token ids of the vocabulary, V.
    top
        Number of most probable tokens that are kept at each target, the others as one; 0: all.
    tokens
        Most tokens that are read at a time.

    Raises
    ------
    TrainingError
        If the distributions do not fit into `KEPT_BYTES`.
    """
    parts = list(network.parts(list(dict.fromkeys(lessons.values())), tokens))
    top = top if top < size else 0
    _check_memory(parts, size, top)
    logprobs, chosen = list[torch.Tensor](), list[torch.Tensor]()
    index: dict[Lesson, torch.Tensor] = {}
    count = 0
    for rows in parts:
        with network.reading(rows) as (batch, logits):
            found = logits[:, :size].log_softmax(-1)  # (P, V)
        if top:
            best, ids = found.topk(top, -1)
            chosen.append(ids.cpu())
            found = torch.cat([best, found.scatter(-1, ids, -torch.inf).logsumexp(-1, keepdim=True)], -1)
        logprobs.append(found.cpu())
        read = [lesson for row in rows for lesson in row.lessons]
        places = (count + batch.terms.cpu()).split([len(lesson.targets) for lesson in read])
        index |= dict(zip(read, places, strict=True))
        count += len(found)
    mine = {lesson: index[other] for lesson, other in lessons.items()}
    return KeptPredictions(size, torch.cat(logprobs), torch.cat(chosen) if chosen else None, mine)


def _check_memory(parts: Sequence[Sequence[PlantedRow]], size: int, top: int) -> None:
    count = sum(len(collate(rows).places) for rows in parts)
    each = 4 * size if not top else 12 * top + 4  # log-probability and id
    if count * each > KEPT_BYTES:
        most = (KEPT_BYTES // count - 4) // 12
        raise TrainingError(
            f"the teacher's distributions at {count:,} tokens need {count * each / 2**30:.1f} GiB, more than"
            f" {KEPT_BYTES >> 30}; keep the most probable tokens only, with top = {most:,} or less, or take less data"
        )
