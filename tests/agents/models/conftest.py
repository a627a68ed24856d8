"""A tiny model in memory, a copy of its files to damage, and an adapter for it.

Also lets the tests of this folder import what they share (`tokenizer_families`).
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="module")
def backend(tiny_model: Path) -> Any:
    """The tiny model with its weights in memory."""
    pytest.importorskip("torch")
    from dilemmas.agents.models.open_model import open_model

    return open_model(str(tiny_model)).loaded()


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model to damage."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


@pytest.fixture(scope="module")
def adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter that changes what the model says."""
    torch, peft = pytest.importorskip("torch"), pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    adapted = peft.get_peft_model(model, peft.LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    numbers = torch.Generator().manual_seed(1)
    for name, weight in adapted.named_parameters():
        if "lora_" in name:
            weight.data = 0.3 * torch.randn(weight.shape, generator=numbers)
    folder = tmp_path_factory.mktemp("adapters") / "tuned"
    adapted.save_pretrained(folder)
    return folder
