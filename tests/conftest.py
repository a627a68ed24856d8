"""Lets a bare checkout run its tests: where dilemmas is not installed, a link of that name points at the root."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from xdist import is_xdist_worker

ROOT = Path(__file__).parent.parent

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")  # a stall of the machine says nothing about the code

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side: threads that wait for each other take the cores

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts background jobs like this, and their children inherit it; the tests of Ctrl-C need the signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if find_spec("dilemmas") is None:
    links = Path(tempfile.mkdtemp(prefix="dilemmas-"))
    (links / "dilemmas").symlink_to(ROOT)
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


Share = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def share(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Share:
    """Function from a name and a function that fills a folder to that folder, which all workers of pytest-xdist share.

    The worker that asks first fills it; the others wait.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if is_xdist_worker(request) else own

    def shared_folder(name: str, fill: Callable[[Path], None]) -> Path:
        folder, filled = shared / name, shared / f"{name}.filled"
        with FileLock(shared / f"{name}.lock"):
            if not filled.exists():
                folder.mkdir()
                fill(folder)
                filled.touch()
        return folder

    return shared_folder


def run_python(words: Sequence[str], folder: Path) -> None:
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def small_run(share: Share) -> Path:
    """A folder with `runs/replicate`: the study of the miniatures, with ten observations instead of 300."""
    words = ["-m", "dilemmas", "replicate", "--out", "runs/replicate", "--observations", "10"]
    return share("study", lambda folder: run_python(words, folder))


@pytest.fixture(scope="session")
def built(share: Share) -> Path:
    """A folder with the source distribution and the wheel that is built from it."""
    return share("dist", lambda folder: run_python(["-m", "build", "-n", "-o", str(folder), str(ROOT)], ROOT))
