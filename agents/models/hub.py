"""Models of the Hugging Face hub: used from the cache on this machine, and fetched only if the user named them.

A model that is complete in the cache is used as it is, without a request; ``id@revision`` names another revision.
Before anything is fetched, the hub is asked once whether it has the model, with a time limit that also holds behind a
proxy or a name server that never answers. A download that stalls is given up by the package of the hub, after it has
been resumed some times; the part that came is kept.
"""

import logging
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from dilemmas.agents.models.backend import ModelError
from dilemmas.envs.data_files import read_json

ANSWER_SECONDS = 4
"""Time within which the hub must answer."""


class NotCachedError(ModelError):
    """A hub id that is not in the cache, where the hub must not be asked."""


def from_hub(model: str, patterns: list[str], ask_hub: bool) -> Path:
    """The directory of a model or an adapter of the hub.

    Parameters
    ----------
    model
        Hub id, also ``id@revision``.
    patterns
        The files that are needed.
    ask_hub
        Whether it is fetched from the hub if it is not complete in the cache.

    Raises
    ------
    ModelError
        If it is not in the cache and cannot be fetched.
    NotCachedError
        If it is not in the cache and must not be fetched, or without the package for the hub.
    """
    try:
        from huggingface_hub import constants, snapshot_download
    except ImportError:
        raise NotCachedError(f"'{model}' is no directory, and the hub needs pip install \"dilemmas[llm]\"") from None

    name, _, revision = model.partition("@")
    found = _cached(name, revision or None)
    if found is not None and _complete(found):
        return found
    if not ask_hub:
        raise NotCachedError(f"'{model}' is no built-in model and no directory, and not in the cache of the hub")
    if constants.HF_HUB_OFFLINE:
        why = "HF_HUB_OFFLINE is set and the model is not in the cache"
    else:
        logging.getLogger(__name__).warning("asking the Hugging Face hub for %s", model)
        try:
            _ask_hub(name, revision or None)
        except Exception as error:  # the hub's errors have no other common base class
            why = _one_line(error)
        else:
            try:
                return Path(snapshot_download(name, revision=revision or None, allow_patterns=patterns))
            except Exception as error:
                raise ModelError(
                    f"'{model}' is on the hub, but its download stopped ({_one_line(error)}); repeat the command to"
                    " go on with it, or give a directory with its files"
                ) from None
    raise ModelError(
        f"model or adapter '{model}': no such directory, and not found on the hub ({why});"
        " give a directory with its files, or set HF_HUB_OFFLINE=0 and connect to a network"
    )


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"


def _cached(name: str, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except Exception:  # not in the cache, or not a name that the hub allows
        return None


def _complete(folder: Path) -> bool:
    """Whether a folder of the cache has the weights of a model or an adapter, and not only its small files."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            return all((folder / name).is_file() for name in read_json(index, dict[str, Any])["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
    return any(folder.glob("*model*.safetensors"))


def _ask_hub(name: str, revision: str | None) -> None:
    """Ask the hub for a model in a thread of its own, because a name server can block longer than any time limit."""
    from huggingface_hub import model_info

    answers: Queue[Exception | None] = Queue()

    def ask() -> None:
        try:
            model_info(name, revision=revision, timeout=ANSWER_SECONDS)
        except Exception as error:  # raised again by the caller
            answers.put(error)
        else:
            answers.put(None)

    Thread(target=ask, daemon=True).start()
    try:
        error = answers.get(timeout=ANSWER_SECONDS)
    except Empty:
        raise TimeoutError(f"no answer within {ANSWER_SECONDS} seconds") from None
    if error is not None:
        raise error
