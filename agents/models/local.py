"""Language models on this machine, through transformers: exact label probabilities and sampled text.

These backends are made by `dilemmas.agents.models.open_model`. A prompt is one user message in the model's chat
template (`dilemmas.agents.models.chat`).
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from dilemmas.agents.models.backend import ModelError, Request, Response, ScoreKey, nested_labels
from dilemmas.agents.models.chat import ChatEncoder
from dilemmas.agents.models.networks.architectures import ABLE, Abilities
from dilemmas.agents.models.reading.thoughts import MORE_ROOM, split_thoughts, unfinished_thoughts

if TYPE_CHECKING:
    from dilemmas.agents.models.scoring import Candidates, Score

BATCH_TOKENS = 16_384
"""Default of the maximum number of tokens, padding included, that a model processes at once."""


@dataclass(frozen=True, eq=False, slots=True)
class LocalBackend:
    """A causal language model in memory, with its tokenizer."""

    name: str
    """Name in tables and records."""
    fingerprint: str
    """Identifies the weights; see `ModelFiles.fingerprint`."""
    model: Any
    """The transformers model, in evaluation mode, with the layers of its adapter."""
    chat: ChatEncoder
    """Makes tokens of prompts and replies; holds the tokenizer."""
    batch_tokens: int
    """Maximum number of tokens, padding included, that the model processes at once; the size of the cache of keys and
    values is proportional to it."""
    miniature: bool = False
    """Whether it is a built-in miniature."""
    can: Abilities = ABLE
    """What the model can do exactly."""
    switch: Callable[[], None] = lambda: None
    """Switches the adapter on, or all off, where several models share the weights of their base."""
    scores: bool = True
    """Whether it gives the probabilities of labels."""
    continues: bool = True
    """Whether it gives the probabilities of labels after a begun reply."""

    @property
    def system_turn(self) -> bool:
        return self.chat.system_turn is not None

    @property
    def engine(self) -> str:
        return f"transformers, {str(self.model.dtype).removeprefix('torch.')}"

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        """One response per request, in order; equal prompts are processed once.

        The log-probability of a label is the sum over its tokens, one or more, as the chat template would write it in
        a reply. If one label is the beginning of another, as text or as tokens ("1" and "10"), the probability of each
        is that of the whole label, after which the word ends; all events are mutually exclusive. Probabilities are
        exact up to the precision of the model's dtype; the head and its softmax are computed in float32. Nothing in a
        prompt or a label becomes a control token. A prompt that is too long for the model is refused alone: its
        response says why. If the memory is too small for a batch, it is halved.

        Raises
        ------
        ModelError
            If two labels have the same tokens, or the memory is too small for a single prompt.
        """
        import torch

        self.switch()
        longest: dict[Begun, int] = {}
        for request in requests:
            longest[_begun(request)] = max(longest.get(_begun(request), 0), request.max_tokens)
        prompts = {begun: tuple(self.chat.prompt(*begun)) for begun in longest}
        refused = {
            begun: why for begun, room in longest.items() if (why := self._refuse(begun[0], len(prompts[begun]), room))
        }
        accepted = [request for request in requests if _begun(request) not in refused]
        try:
            with torch.inference_mode():
                scores = self._weigh(accepted, prompts)
                texts = iter(self._sample(accepted, prompts))
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"model '{self.name}': the memory of {self.model.device} is too small for one prompt; use another"
                " device or dtype, or a smaller model"
            ) from error
        responses = []
        for request in requests:
            if _begun(request) in refused:
                responses.append(Response(refused=refused[_begun(request)]))
            else:
                found, score = next(texts), scores.get(request.key)
                responses.append(_with_score(found, request.labels, score) if score else found)
        return responses

    def check_requests(self, requests: Sequence[Request]) -> None:
        """`ModelError` if a prompt is too long, or two labels have the same tokens; the model computes nothing."""
        for request in requests:
            tokens = self.prompt_tokens(request)
            if why := self._refuse(request.prompt, len(tokens), request.max_tokens):
                raise ModelError(why)
            if request.labels:
                self.candidates(request, tokens)

    def prompt_tokens(self, asked: Request) -> tuple[int, ...]:
        """Tokens up to where the model continues."""
        return tuple(self.chat.prompt(*_begun(asked)))

    def _refuse(self, prompt: str, tokens: int, room: int) -> str:
        """Why the model cannot process a prompt of so many tokens and write `room` more; empty if it can."""
        most = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if not most or tokens + room <= most:
            return ""
        more = f", and {room:,} more are requested" if room else ""
        return (
            f"prompt '{prompt[:40]}...' has {tokens:,} tokens{more}; the maximum of {self.name} is {most:,}: show fewer"
            " rounds (a smaller memory of the match, or memory.rounds in a template), use a shorter template or system"
            " text, or request a shorter reply"
        )

    def _weigh(
        self, requests: Sequence[Request], prompts: Mapping["Begun", tuple[int, ...]]
    ) -> dict[ScoreKey, "Score"]:
        """The scores of the labels."""
        import torch

        from dilemmas.agents.models.scoring import Scorer

        asked = {request.key: request for request in requests if request.labels}
        if not asked:
            return {}
        ends = torch.as_tensor(self.chat.word_ends).clone()
        ends[list(self._stops())] = True
        scorer = Scorer(self.model, ends, self.batch_tokens, self.can)
        scores = scorer.score([self.candidates(one, prompts[_begun(one)]) for one in asked.values()])
        return dict(zip(asked, scores, strict=True))

    def candidates(self, asked: Request, tokens: tuple[int, ...]) -> "Candidates":
        """What is scored: the labels as tokens, after those of the prompt. `ModelError` if two are the same."""
        from dilemmas.agents.models.scoring import Candidates

        begun = asked.prefill, asked.thought, asked.system
        replies = tuple(tuple(self.chat.reply(asked.prompt, label, *begun)) for label in asked.labels)
        if not all(replies) or len(set(replies)) < len(replies):
            raise ModelError(f"labels {asked.labels} are not different texts for {self.name}; use other labels")
        return Candidates(tokens, replies)

    def _sample(self, requests: Sequence[Request], prompts: Mapping["Begun", tuple[int, ...]]) -> list[Response]:
        """Sampled text and thoughts, and whether it ended with a stop token, of each request."""
        texts = [Response()] * len(requests)
        for thinks in (False, True):
            wanted = {i: one for i, one in enumerate(requests) if one.max_tokens > 0 and one.thinks == thinks}
            if wanted:
                for i, found in zip(wanted, self._texts(list(wanted.values()), prompts, thinks), strict=True):
                    texts[i] = found
        return texts

    def _texts(
        self, requests: Sequence[Request], prompts: Mapping["Begun", tuple[int, ...]], thinks: bool
    ) -> list[Response]:
        from dilemmas.agents.models.sampling import Draw, sample_tokens

        used = {_begun(request): prompts[_begun(request)] for request in requests}
        place = {begun: index for index, begun in enumerate(used)}
        draws = [Draw(place[_begun(r)], r.max_tokens, r.temperature, r.seed) for r in requests]
        stops = self._stops() | self.chat.last_thoughts if thinks else self._stops()
        replies = sample_tokens(self.model, list(used.values()), draws, stops, self.batch_tokens, self.can)
        if not thinks and any(not ended and self._only_thought(tokens) for tokens, ended in replies):
            warnings.warn(f"model '{self.name}': replies were cut within its thoughts; {MORE_ROOM}", stacklevel=2)
        read = {tokens: self._read(list(tokens), thinks) for tokens in {tuple(tokens) for tokens, _ in replies}}
        return [replace(read[tuple(tokens)], stopped=ended) for tokens, ended in replies]

    def _read(self, tokens: list[int], thinks: bool) -> Response:
        """What tokens say: a thought, or a reply and the thoughts before it."""
        decode, end = partial(self.chat.tokenizer.decode, skip_special_tokens=True), self.chat.end_of_thoughts
        if thinks:
            return Response(text=_before(end, decode(tokens)).strip())
        ends = [place for place, token in enumerate(tokens) if token in self.chat.last_thoughts]
        written = f"{decode(tokens[: ends[-1]])}{end}{decode(tokens[ends[-1] + 1 :])}" if ends else decode(tokens)
        thoughts, text = split_thoughts(written)
        return Response(text=text, thoughts=thoughts)

    def _only_thought(self, tokens: list[int]) -> bool:
        return unfinished_thoughts(self.chat.tokenizer.decode(tokens, skip_special_tokens=False))

    def _stops(self) -> frozenset[int]:
        """Tokens that end a reply: those of the generation settings, the tokenizer and the chat template."""
        settings = getattr(self.model, "generation_config", None)
        named = getattr(settings, "eos_token_id", None)
        stops = named if isinstance(named, list) else [named]
        stops = [*stops, self.chat.tokenizer.eos_token_id, self.chat.stop]
        return frozenset(token for token in stops if token is not None)


Begun = tuple[str, str, str, str, bool]
"""A prompt, the beginning of the reply, the thoughts before it, the system text, and whether the thoughts go on."""


def _with_score(found: Response, labels: Sequence[str], score: "Score") -> Response:
    """A response with the log-probabilities of the labels: of whole ones where one of them is the beginning of another,
    or the shorter one would have the probability of all words that begin so."""
    inner = score.nested or nested_labels(labels)
    return replace(found, logprobs=score.whole if inner else score.starts, whole=score.whole)


def _begun(request: Request) -> Begun:
    return request.prompt, request.prefill, request.thought, request.system, request.thinks


def _before(end: str, text: str) -> str:
    """The part of a text before its end, if it has one."""
    return text.partition(end)[0] if end else text
