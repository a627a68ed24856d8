"""How a network can be trained exactly is found by trial, because no setting of an architecture says it.

In networks with linear attention, state spaces or biases by index, texts that are packed into one row leak into each
other, without an error. So the log-probabilities of packed texts are compared with those of one text alone.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch

from dilemmas.agents.models.networks.number_formats import is_quantised
from dilemmas.training.checkpoints import TrainingError
from dilemmas.training.packing.attention import can_read_in_blocks
from dilemmas.training.packing.batches import Packing
from dilemmas.training.packing.lessons import Lesson, Tokens, completion, plant
from dilemmas.training.packing.network import Network
from dilemmas.training.packing.trunk import run_trunk

NEAR = {torch.float32: 1e-3, torch.float64: 1e-6}
"""Largest difference of log-probabilities, as a share of how they vary over the places; 0.1 for other data types and
for quantised weights."""


def prepare_network(model: Any, lessons: Sequence[Lesson], lower: int, tokens: int) -> Generator[float, None, Network]:
    """A network that is ready for these lessons, with its lower layers run once where this changes nothing.

    Parameters
    ----------
    model
        A causal language model of transformers, with its adapter.
    lessons
        All that it is to be taught.
    lower
        Number of layers that are not tuned.
    tokens
        Most tokens that are read at a time.

    Yields
    ------
    Share of the lessons that the lower layers have read.

    Returns
    -------
    The network.

    Raises
    ------
    TrainingError
        If the model cannot be trained.
    """
    plain = Network(model, find_packing(model, lessons))
    if not lower:
        return plain
    alike = list(dict.fromkeys(lessons))
    with _without_dropout(model):
        trunk = yield from run_trunk(model, plain.packing, lower, list(plain.parts(alike, tokens)))
    with evaluated(model):
        found, rows = replace(plain, trunk=trunk), plain.arranged(alike[:2], tokens)
        return found if _near(model, found.logprobs(rows), plain.logprobs(rows)) else plain


def prepared(steps: Generator[float, None, Network]) -> Network:
    """The network that `prepare_network` returns, when its progress is of no interest."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Network = end.value
            return found


def find_packing(model: Any, lessons: Sequence[Lesson]) -> Packing | None:
    """How a network reads several texts in one row; None if each text needs a row of its own.

    It is tried with a text as long as the longest lesson, because windows matter only to texts that are longer.

    Raises
    ------
    TrainingError
        If the network gives no numbers, or also padded rows differ from one text alone.
    """
    with evaluated(model):
        tried = _lessons(max((lesson.read for lesson in lessons), key=len))
        alone = torch.cat([_alone(model, lesson) for lesson in tried])
        if alone.isnan().any():
            raise TrainingError(
                f"the student computes NaN instead of probabilities: its files are damaged, or {model.dtype} is too"
                " small for it; restore the files, or choose another data type"
            )
        for packing in (*_packings(model), None):
            found = _together(model, tried, packing)
            if found is not None and _near(model, found, alone):
                return packing
    raise TrainingError(
        f"a model of type '{model.config.model_type}' cannot be trained: texts in a batch do not have the probabilities"
        " that they have alone; use another student"
    )


@contextmanager
def evaluated(model: Any) -> Iterator[None]:
    """Context manager: without dropout and without gradients."""
    with _without_dropout(model), torch.no_grad():
        yield


@contextmanager
def _without_dropout(model: Any) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _near(model: Any, found: torch.Tensor, wanted: torch.Tensor) -> bool:
    near = 0.1 if is_quantised(model) else NEAR.get(model.dtype, 0.1)
    spread = float((wanted - wanted.mean()).abs().max())
    return float((found - wanted).abs().max()) <= near * spread


def _lessons(text: Tokens) -> list[Lesson]:
    """Three lessons that begin with the same text and go on otherwise."""
    middle, third = len(text) // 2, len(text) // 3
    texts = (text, text[:middle] + text[middle:][::-1], text[:third] + text[third:][::-1])
    return [completion(one[: -len(one) // 2], one[-len(one) // 2 :]) for one in texts]


def _alone(model: Any, lesson: Lesson) -> torch.Tensor:
    """Log-probabilities of the targets of one lesson, by a plain forward pass over its text."""
    out = model(input_ids=torch.tensor([lesson.tokens], device=model.device), use_cache=False)
    scores = out.logits[0].float().log_softmax(-1)  # (T, V)
    return torch.stack([scores[one.place - 1, one.token] for one in lesson.targets])


def _together(model: Any, lessons: Sequence[Lesson], packing: Packing | None) -> torch.Tensor | None:
    """Log-probabilities of the targets of lessons in one batch; None if the network cannot be computed so."""
    rows = [plant([lesson]) for lesson in lessons] if packing is None else [plant(lessons)]
    try:
        return Network(model, packing).logprobs(rows)
    except Exception:  # every architecture fails in its own way
        return None


def _packings(model: Any) -> Iterator[Packing]:
    """The masks that the layers of a network may need, by what its configuration says."""
    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None) or 0
    kinds = dict.fromkeys(getattr(config, "layer_types", None) or ())
    masks = [{"all": window}] if window else []
    if len(kinds) > 1:
        masks.insert(0, {kind: window if "sliding" in kind else 0 for kind in kinds})
    for windows in (*masks, {"all": 0}):
        if can_read_in_blocks(model):
            yield Packing(windows, blocks=True)
        yield Packing(windows)
