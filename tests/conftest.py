"""Lets a bare checkout run its tests: where dilemmas is not installed, a link of that name points at the root."""

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from xdist import is_xdist_worker

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")  # a stall of the machine says nothing about the code

if find_spec("dilemmas") is None:
    links = Path(tempfile.mkdtemp(prefix="dilemmas-"))
    (links / "dilemmas").symlink_to(Path(__file__).parent.parent)
    sys.path.insert(0, str(links))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(links), os.environ.get("PYTHONPATH")]))


TEXTS = (
    "Which do you choose, C or D? Say why. Answer: If you choose C and they choose D, you get 10 and they get 1.",
    "You are in a chat with a good friend. You both choose C or D at the same time. the same 0 3 6 20",
)
"""What the tiny model's tokenizer has seen; other text is spelled out in bytes."""

CHAT = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}<assistant> "
    "{{ message['content'] }}{{ eos_token }}{% else %}<user>{{ message['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a random Llama with 2 layers of width 32 and a chat template. It speaks nonsense."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>", "<user>", "<assistant>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(TEXTS, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", pad_token="<pad>", chat_template=CHAT
    )
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        initializer_range=0.3,
    )
    folder = tmp_path_factory.mktemp("models") / "tiny"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder with `runs/replicate`: the study of the miniatures, with ten observations instead of 300.

    It takes 25 seconds, so it is made once: the workers of pytest-xdist share it.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if is_xdist_worker(request) else own  # the folder of the session
    folder, made = shared / "study", shared / "study.made"
    with FileLock(shared / "study.lock"):
        if not made.exists():
            folder.mkdir()
            command = [sys.executable, "-m", "dilemmas", "replicate", "--out", "runs/replicate", "--observations", "10"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            made.touch()
    return folder
