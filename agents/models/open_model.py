"""Opening a language model by MODEL, or by MODEL+ADAPTER with a LoRA adapter.

The log-probabilities of two labels:

    model = open_model("miniature-student")
    model.respond([Request("Which do you choose, C or D?", labels=("C", "D"))])[0].logprobs

A model with an adapter:

    open_model("miniature-student+runs/replicate/adapter")

A model behind a server:

    open_model("openai:my-model@http://127.0.0.1:8000/v1")
"""

import gc
from collections.abc import Sequence
from functools import partial
from os.path import expanduser
from pathlib import Path
from typing import Any

from dilemmas.agents.models.asking.pace import fixed_portion
from dilemmas.agents.models.backend import ModelError, Request, Response
from dilemmas.agents.models.chat import ChatEncoder
from dilemmas.agents.models.local import BATCH_TOKENS, LocalBackend
from dilemmas.agents.models.model_files import check_installed, find_model, split_spec
from dilemmas.agents.models.networks.adapters import ADAPTER_CONFIG
from dilemmas.agents.models.servers.server import ServerBackend
from dilemmas.agents.models.servers.settings import ServerSettings, is_served
from dilemmas.agents.models.weights import (
    device_map,
    load_base,
    load_tokenizer,
    network_without_weights,
    number_format,
    share_weights,
)

TUNED = "has an adapter, over which no other can be trained; give its base model, or weights with the adapter merged in"


def open_model(
    spec: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    batch_tokens: int = BATCH_TOKENS,
    ask_hub: bool = True,
    servers: ServerSettings | None = None,
) -> "LazyModel | ServerBackend":
    """Open a language model, on this machine or behind a server.

    Nothing is loaded, and no server is asked, before the first request.

    Parameters
    ----------
    spec
        ``openai:MODEL@URL`` for a model behind an OpenAI-compatible server; anything else as for `open_local`.
    device, dtype, batch_tokens
        As for `open_local`; a server has its own.
    ask_hub
        As for `open_local`; also whether a server may be asked.
    servers
        How servers are asked.

    Raises
    ------
    ModelError
        If no such model exists or it cannot be used; errors in the weights are raised when they are loaded, those of a
        server when it is asked.
    """
    if not is_served(spec):
        return open_local(spec, device=device, dtype=dtype, batch_tokens=batch_tokens, ask_hub=ask_hub)
    if not ask_hub:
        raise ModelError(f"'{spec}' is behind a server, which is asked only if it is named by you")
    return ServerBackend(spec, servers)


def open_local(
    spec: str, *, device: str = "auto", dtype: str = "auto", batch_tokens: int = BATCH_TOKENS, ask_hub: bool = True
) -> "LazyModel":
    """Open a language model on this machine; its weights are loaded at the first request.

    Code from a model's repository is never run, and pickled weights are never read.

    Parameters
    ----------
    spec
        ``MODEL`` or ``MODEL+ADAPTER``. MODEL is a built-in name (``miniature-teacher``, ``miniature-student``), a
        directory in the format of transformers, the directory of an adapter that names its base model, a GGUF file
        (its weights are dequantised), or a hub id, also ``id@revision``. The kind may be given: ``miniature:teacher``,
        ``hf:DIRECTORY_OR_ID``, ``gguf:FILE``. ADAPTER is the directory or hub id of a LoRA adapter.
    device
        ``cpu``, ``cuda``, ``cuda:1``; ``auto`` uses the GPU, several of them if there are several, or else the CPU.
    dtype
        ``float32``, ``bfloat16``, ``float16``; ``int8`` or ``nf4``, for which weights are quantised (needs
        bitsandbytes); ``auto`` is float32 on the CPU, where bfloat16 is far slower, and bfloat16 on a GPU.
    batch_tokens
        Maximum number of tokens, padding included, that are processed at once; at least 1.
    ask_hub
        Whether what `spec` names is fetched from the hub if it is not on this machine. The base model that an adapter
        names itself is never fetched.

    Raises
    ------
    ModelError
        If no such model exists or it cannot be used; errors in the weights are raised when they are loaded.
    """
    check_local(spec)
    check_installed()
    if batch_tokens < 1:
        raise ModelError(f"batch_tokens = {batch_tokens}; needs at least 1")
    return LazyModel(spec, device, dtype, batch_tokens, ask_hub)


def check_local(spec: str) -> None:
    """`ModelError` for a model behind a server."""
    if is_served(spec):
        raise ModelError(f"'{spec}' is behind a server; needs a model on this machine, with its weights and tokenizer")


def check_trainable(spec: str) -> None:
    """`ModelError` for a model over which no adapter can be trained: behind a server, or with an adapter."""
    check_local(spec)
    model, adapter = split_spec(spec)
    if adapter is not None or (Path(expanduser(model)) / ADAPTER_CONFIG).is_file():
        raise ModelError(f"'{spec}' {TUNED}")


class LazyModel:
    """A model whose weights are loaded at the first request, and again at the first one after `unload`."""

    def __init__(self, spec: str, device: str, dtype: str, batch_tokens: int, ask_hub: bool) -> None:
        """Find the files of the model. Parameters and errors are those of `open_local`."""
        self._files = find_model(*split_spec(spec), ask_hub=ask_hub)
        self._place, self._precision = device_map(device), number_format(dtype, device)
        self._batch_tokens = batch_tokens
        self._loaded: LocalBackend | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The state without the weights: copied to other memory, they would give results with other rounding errors."""
        return {**self.__dict__, "_loaded": None}

    @property
    def name(self) -> str:
        return self._files.name

    @property
    def fingerprint(self) -> str:
        """Of the files; with the number format if it is not float32, because rounding moves the probabilities."""
        plain = self._precision == "float32"
        return self._files.fingerprint if plain else f"{self._files.fingerprint}/{self._precision}"

    @property
    def engine(self) -> str:
        return f"transformers, {self._precision}"

    @property
    def size(self) -> int:
        """Size of the base model's weights, in bytes."""
        return self._files.size

    @property
    def portion(self) -> int:
        return fixed_portion(self.size) if self._place == "cpu" else 0

    @property
    def miniature(self) -> bool:
        return self._files.miniature

    @property
    def scores(self) -> bool:
        return True

    @property
    def continues(self) -> bool:
        return True

    @property
    def system_turn(self) -> bool:
        """Of its chat template; the model is loaded for it."""
        return self.loaded().system_turn

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        return self.loaded().respond(requests)

    def check_requests(self, requests: Sequence[Request]) -> None:
        self.loaded().check_requests(requests)

    def loaded(self) -> LocalBackend:
        """The model with its weights in memory."""
        if self._loaded is None:
            from dilemmas.agents.models.networks.trial import find_abilities

            shared, adapter = share_weights(self._files, self._place, self._precision)
            switch = partial(shared.switch, adapter)
            switch()
            can = find_abilities(self.name, shared.model)
            chat, size = ChatEncoder(shared.tokenizer), self._batch_tokens
            self._loaded = LocalBackend(
                self.name, self.fingerprint, shared.model, chat, size, self.miniature, can, switch
            )
        return self._loaded

    def weights(self) -> tuple[Any, Any]:
        """Model and tokenizer of transformers, newly loaded, so that the caller may change them.

        Raises
        ------
        ModelError
            If the model has an adapter.
        """
        if self._files.adapter is not None:
            raise ModelError(f"'{self.name}' {TUNED}")
        return load_base(self._files, self._place, self._precision)

    def tokenizer(self) -> Any:
        """The tokenizer of transformers, without the weights."""
        return load_tokenizer(self._files)

    def network(self) -> Any:
        """The network of transformers, without the weights."""
        return network_without_weights(self._files)

    def unload(self) -> None:
        """Free the memory of the weights."""
        import torch

        self._loaded = None
        gc.collect()  # a model contains reference cycles
        torch.cuda.empty_cache()
