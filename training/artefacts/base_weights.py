"""Whether a model is the one over which an adapter was tuned: by its files, or else by its weights.

The same weights have other files in another format, or beside another configuration. An adapter over other weights is
another model than the one that was measured, even where it fits.
"""

from hashlib import sha256
from typing import Any

from dilemmas.agents.models.model_files import ModelFiles
from dilemmas.agents.models.networks.adapters import adapter_record
from dilemmas.envs.errors import InputError


class OtherBaseError(InputError):
    """An adapter over a model other than the one over which it was tuned."""


def weights_digest(model: Any) -> str:
    """16 hex digits of the SHA-256 of a model's weights in float32, by name and shape; empty if they are quantised.

    It does not depend on the files, nor on a data type in which the weights are exact. `model`: that of transformers,
    without an adapter.
    """
    digest = sha256()
    for name, weights in sorted(model.named_parameters()):
        if not weights.is_floating_point():
            return ""
        digest.update(f"{name}\0{tuple(weights.shape)}\0".encode())
        digest.update(weights.detach().float().cpu().contiguous().numpy())
    return digest.hexdigest()[:16]


def check_base(found: ModelFiles, model: Any) -> None:
    """Check that a model is the base over which an adapter was tuned, as far as the record of the adapter tells.

    Parameters
    ----------
    found
        The files of the model and of the adapter.
    model
        The model, without the adapter, in float32.

    Raises
    ------
    OtherBaseError
        If it has other files than those that were recorded, and other weights, or none were recorded.
    """
    assert found.adapter is not None
    base, fingerprint = (adapter_record(found.adapter) or {}).get("base"), found.fingerprint.partition("+")[0]
    if not isinstance(base, dict) or base.get("fingerprint") == fingerprint:
        return
    tuned, given = base.get("weights"), weights_digest(model)
    if tuned and tuned == given:
        return
    weights = f"weights {tuned}, not {given}" if tuned else "it is not recorded whether the weights are the same"
    raise OtherBaseError(
        f"adapter {found.adapter} was tuned over {base.get('name')} (fingerprint {base.get('fingerprint')}), and"
        f" {found.name.rpartition('+')[0]} is another model (fingerprint {fingerprint}; {weights}), with which it would"
        " not be the student that was tuned; give the model over which it was tuned, as MODEL+ADAPTER, or tune an"
        " adapter over this one"
    )
