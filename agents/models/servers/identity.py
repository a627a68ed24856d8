"""Which program serves a model, and what it tells about the model."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from dilemmas.agents.models.backend import ModelError
from dilemmas.agents.models.servers.client import ServerClient
from dilemmas.agents.models.servers.faults import FINAL, ServerFault
from dilemmas.envs.names import did_you_mean

CHANGING = frozenset({"created", "permission", "modified_at", "n_ctx", "status", "loaded_instances"})
"""What a server tells about a model that says nothing about its answers."""
TOLD_BY_LLAMA = ("build_info", "chat_template", "model_ftype", "bos_token", "eos_token")
OWNERS = {"llamacpp": "llama.cpp", "vllm": "vLLM", "sglang": "SGLang", "library": "Ollama"}
"""Engines by what they write as the owner of a model."""
LOADS_ANY = ("transformers serve",)
"""Engines that also serve models which they do not list."""


@dataclass(frozen=True, slots=True)
class ServedIdentity:
    """A served model as its server tells it."""

    engine: str
    version: str
    model: str
    """Name under which the server lists it."""
    digest: str

    @property
    def title(self) -> str:
        """Engine and version."""
        return f"{self.engine} {self.version}".strip()


async def identify(client: ServerClient) -> ServedIdentity:
    """Ask the server what it is and what it tells about the model.

    Raises
    ------
    ModelError
        If the server does not answer, refuses the key, or has no such model.
    """
    listed = await _listed(client)
    root = client.address.root
    props = await _told(client, f"{root}/props")
    engine, version = await _engine(client, props, listed)
    entry = _choose(client, listed, engine)
    told = {key: value for key, value in entry.items() if key not in CHANGING} | {
        key: props[key] for key in TOLD_BY_LLAMA if key in props
    }
    if isinstance(told.get("meta"), dict):
        told["meta"] = {key: value for key, value in told["meta"].items() if key not in CHANGING}
    model = str(entry.get("id", client.address.model))
    digest = sha256(json.dumps([engine, version, _portable(model), _portable(told)], sort_keys=True).encode())
    return ServedIdentity(engine, version, model, digest.hexdigest()[:12])


def short_name(model: str) -> str:
    """The name of a file for a model that is listed by its path, without the ending."""
    return re.sub(r"\.gguf$", "", PurePath(model).name) if model.endswith(".gguf") else model


async def _listed(client: ServerClient) -> list[dict[str, Any]]:
    """The models that the server lists; empty if it has no list."""
    try:
        data = await client.get(f"{client.address.url}/models")
    except ServerFault as fault:
        if fault.status in (0, *FINAL):
            raise unusable(client, fault) from None
        return []
    entries = data.get("data") if isinstance(data, dict) else data  # Together has the list alone
    return [one for one in entries if isinstance(one, dict) and "id" in one] if isinstance(entries, list) else []


def unusable(client: ServerClient, fault: ServerFault) -> ModelError:
    """The error for a server that cannot be used, with what to do."""
    remedy = "; is the server running, and is the URL right?" if fault.elsewhere else ""
    if fault.status in FINAL:
        remedy = f"; the key is read from the environment variable {client.settings.key_variable}"
    if fault.status == HTTPStatus.NOT_FOUND:
        remedy = "; are the URL and the name of the model right?"
    return ModelError(client.transport.hide(f"{client.address}: {fault.cause}{remedy}"))


async def _told(client: ServerClient, url: str) -> dict[str, Any]:
    try:
        found = await client.get(url)
    except ServerFault:
        return {}
    return found if isinstance(found, dict) else {}


async def _engine(client: ServerClient, props: Mapping[str, Any], listed: list[dict[str, Any]]) -> tuple[str, str]:
    """Engine and version."""
    root = client.address.root
    if "build_info" in props:
        return "llama.cpp", str(props["build_info"])
    owners = {OWNERS.get(str(entry.get("owned_by"))) for entry in listed}
    if "SGLang" in owners:
        return "SGLang", str((await _told(client, f"{root}/get_server_info")).get("version", ""))
    if "vLLM" in owners:
        return "vLLM", str((await _told(client, f"{root}/version")).get("version", ""))
    if "Ollama" in owners:
        return "Ollama", str((await _told(client, f"{root}/api/version")).get("version", ""))
    if "/load_model" in ((await _told(client, f"{root}/openapi.json")).get("paths") or ()):
        return "transformers serve", ""
    return next((owner for owner in owners if owner), urlsplit(client.address.url).hostname or ""), ""


def _choose(client: ServerClient, listed: list[dict[str, Any]], engine: str) -> dict[str, Any]:
    """The entry of the list that the address means; another name for the same file is accepted."""
    wanted = client.address.model
    for entry in listed:
        names = {str(entry["id"]), short_name(str(entry["id"])), PurePath(str(entry["id"])).name}
        if wanted in names | {str(alias) for alias in entry.get("aliases") or ()}:
            return entry
    if not listed or engine in LOADS_ANY:
        return {"id": wanted}
    known = [short_name(str(entry["id"])) for entry in listed]
    close = did_you_mean(wanted, dict.fromkeys(known)) if len(known) > 1 else f"; it has '{known[0]}'"
    raise ModelError(f"{client.address}: the server has no model '{wanted}'{close}")


def _portable(told: Any) -> Any:
    """The same without the folders of files."""
    if isinstance(told, dict):
        return {key: _portable(value) for key, value in told.items()}
    if isinstance(told, list):
        return [_portable(value) for value in told]
    return short_name(told) if isinstance(told, str) and told.endswith(".gguf") else told
