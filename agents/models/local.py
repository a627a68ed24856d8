"""Language models on this machine, through transformers: exact label probabilities and sampled text.

These backends are made by `dilemmas.agents.models.open_model`. A prompt is one user message in the model's chat
template (`dilemmas.agents.models.chat`).
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from dilemmas.agents.models.backend import ModelError, Request, Response, ScoreKey
from dilemmas.agents.models.chat import ChatEncoder, conversation
from dilemmas.agents.models.model_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, ModelFiles
from dilemmas.agents.models.networks.architectures import ABLE, Abilities
from dilemmas.agents.models.thoughts import split_thoughts
from dilemmas.envs.names import lookup

if TYPE_CHECKING:
    import torch

    from dilemmas.agents.models.scoring import Candidates, Score

DTYPES = ("auto", "float32", "bfloat16", "float16")
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
    """The transformers model, with its adapter applied, in evaluation mode."""
    chat: ChatEncoder
    """Makes tokens of prompts and replies; holds the tokenizer."""
    batch_tokens: int
    """Maximum number of tokens, padding included, that the model processes at once; the size of the cache of keys and
    values is proportional to it."""
    miniature: bool = False
    """Whether it is a built-in miniature."""
    can: Abilities = ABLE
    """What the model can do exactly."""
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
        a reply. If the tokens of one label are the beginning of another's ("1" and "10"), the probability of the longer
        one is subtracted from that of the shorter one, so that the events are mutually exclusive. Probabilities are
        exact up to the precision of the model's dtype; the head and its softmax are computed in float32. Nothing in a
        prompt or a label becomes a control token. A prompt that is too long for the model is refused alone: its
        response says why. If the memory is too small for a batch, it is halved.

        Raises
        ------
        ModelError
            If two labels have the same tokens, or the memory is too small for a single prompt.
        """
        import torch

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
                score = scores.get(request.key)
                found = next(texts)
                responses.append(replace(found, logprobs=score.starts, whole=score.whole) if score else found)
        return responses

    def _refuse(self, prompt: str, tokens: int, room: int) -> str:
        """Why the model cannot process a prompt of so many tokens and write `room` more; empty if it can."""
        most = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if not most or tokens + room <= most:
            return ""
        return (
            f"prompt '{prompt[:40]}...' has {tokens} tokens, and {room} more are requested; the maximum of {self.name}"
            f" is {most}: show fewer rounds or request a shorter reply"
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
        scores = scorer.score([self._candidates(one, prompts[_begun(one)]) for one in asked.values()])
        return dict(zip(asked, scores, strict=True))

    def _candidates(self, asked: Request, tokens: tuple[int, ...]) -> "Candidates":
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

    def _stops(self) -> frozenset[int]:
        """Tokens that end a reply: those of the generation settings, the tokenizer and the chat template."""
        settings = getattr(self.model, "generation_config", None)
        named = getattr(settings, "eos_token_id", None)
        stops = named if isinstance(named, list) else [named]
        stops = [*stops, self.chat.tokenizer.eos_token_id, self.chat.stop]
        return frozenset(token for token in stops if token is not None)


Begun = tuple[str, str, str, str, bool]
"""A prompt, the beginning of the reply, the thoughts before it, the system text, and whether the thoughts go on."""


def _begun(request: Request) -> Begun:
    return request.prompt, request.prefill, request.thought, request.system, request.thinks


def _before(end: str, text: str) -> str:
    """The part of a text before its end, if it has one."""
    return text.partition(end)[0] if end else text


def load_weights(found: ModelFiles, place: str, precision: "torch.dtype") -> tuple[Any, Any]:
    """Load a model, with its adapter applied, and the tokenizer.

    Parameters
    ----------
    found
        The files of the model.
    place
        Device map of transformers, as returned by `device_map`.
    precision
        Data type of the weights in memory.

    Raises
    ------
    ModelError
        If a file cannot be read, or the files do not fit together.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        with _quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(
                found.folder, gguf_file=found.gguf, local_files_only=True, trust_remote_code=False
            )
            conversation(tokenizer)  # fails here if the chat template cannot be used
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                found.folder,
                gguf_file=found.gguf,
                dtype=precision,
                device_map=place,
                local_files_only=True,
                trust_remote_code=False,  # by default, transformers would ask the user
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # reported, and refused below
                output_loading_info=True,
            )
    except Exception as error:  # transformers raises many types, from KeyError to SafetensorError
        raise ModelError(f"model '{found.name}' in {found.folder} cannot be loaded: {_one_line(error)}") from error
    model, report = loaded
    if lacking := sorted({*report["missing_keys"], *(name for name, *_ in report["mismatched_keys"])}):
        raise ModelError(
            f"model '{found.name}' in {found.folder}: the weights lack {len(lacking)} tensors ({lacking[0]}, ...) or"
            " have other shapes than config.json states; these tensors would be random. Use a complete model"
        )
    if spare := sorted(report["unexpected_keys"]):
        raise ModelError(
            f"model '{found.name}' in {found.folder}: {len(spare)} tensors of the weights ({spare[0]}, ...) have no"
            " place in the model that config.json states; they would be ignored. Use the config.json of these weights"
        )
    if found.gguf:  # dequantised, so it can be changed and saved like any other model
        model.hf_quantizer.remove_quantization_config(model)
    if found.adapter is not None:
        model = _apply(model, found)
    return model.eval().requires_grad_(False), tokenizer


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Suppress progress bars and reports: dilemmas has its own, and reports errors in one line."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        with redirect_stderr(StringIO()):  # the progress of GGUF files has no other switch
            yield
    finally:
        logging.set_verbosity(before)


def _apply(model: Any, found: ModelFiles) -> Any:
    """The model with its adapter, merged into the weights in float32, where rounding is negligible."""
    import torch
    from peft import PeftModel

    try:
        with quiet_peft():
            warnings.filterwarnings("error", message="Found missing adapter keys")
            adapted = PeftModel.from_pretrained(model, str(found.adapter), local_files_only=True)
            spare = _spare_tensors(adapted, found)
    except Exception as error:  # peft passes on any error of torch
        raise ModelError(f"adapter {found.adapter} does not fit model '{found.name}': {_one_line(error)}") from error
    if spare:
        raise ModelError(
            f"adapter {found.adapter} does not fit model '{found.name}': {len(spare)} tensors of its weights"
            f" ({spare[0]}, ...) have no place by {ADAPTER_CONFIG}; they would be ignored. Use a complete adapter"
        )
    return adapted.merge_and_unload() if model.dtype == torch.float32 else adapted


def _spare_tensors(adapted: Any, found: ModelFiles) -> list[str]:
    """Tensors in the file of an adapter that peft did not load."""
    from peft.utils import get_peft_model_state_dict
    from safetensors import safe_open

    assert found.adapter is not None
    loaded = {*get_peft_model_state_dict(adapted, save_embedding_layers=False), *adapted.state_dict()}
    with safe_open(found.adapter / ADAPTER_WEIGHTS, "pt") as file:
        return sorted(set(file.keys()) - loaded)


@contextmanager
def quiet_peft() -> Iterator[None]:
    """Suppress a warning that peft 0.21 causes by reading a property that transformers 5.23 deprecates."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        yield


def device_map(device: str) -> str:
    """The device map of transformers for a device name, as in `dilemmas.agents.models.open_model.open_model`.

    Raises
    ------
    UnknownNameError
        If there is no such device on this machine.
    """
    import torch

    count = torch.cuda.device_count()
    if device == "auto":
        return "auto" if count > 1 else "cuda" if count else "cpu"
    known = ["cpu", *(["cuda"] if count else []), *(f"cuda:{i}" for i in range(count))]
    return lookup("device", device, {name: name for name in known})


def torch_dtype(dtype: str, device: str) -> "torch.dtype":
    """The data type for a name; ``auto`` is float32 on the CPU and bfloat16 on a GPU.

    Raises
    ------
    UnknownNameError
        If there is no such data type.
    """
    import torch

    name = lookup("dtype", dtype, {name: name for name in DTYPES})
    if name == "auto":
        name = "float32" if device_map(device) == "cpu" else "bfloat16"
    chosen: torch.dtype = getattr(torch, name)
    return chosen


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {shorten(str(error), 300, placeholder=' ...')}"
