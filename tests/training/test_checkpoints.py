"""Training goes on after damage, stops at a loss that is no number, and leaves nothing behind."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from dilemmas.envs.locks import InUseError, locked_folder  # noqa: E402
from dilemmas.training import distill  # noqa: E402
from dilemmas.training.checkpoints import TrainingError, published  # noqa: E402
from dilemmas.training.demonstrations import from_example  # noqa: E402
from dilemmas.training.examples import Example  # noqa: E402
from dilemmas.training.lora import LoraSettings  # noqa: E402
from dilemmas.training.losses.objective import Objective  # noqa: E402
from dilemmas.training.miniatures import pretrain as miniatures  # noqa: E402

EXAMPLES = [Example("harmony/friends", "You choose C or D?", label, "CD".index(label), "So.") for label in "CDCDCDCD"]
SETTINGS = LoraSettings(rank=2, alpha=4, rate=1e-2, batch=4, pack=4, epochs=6)
FILES = ["README.md", "adapter_config.json", "adapter_model.safetensors", "training.json"]
STEPS = 12


def training(tiny_model: Path, out: Path, settings: LoraSettings = SETTINGS) -> Iterator[distill.TrainingProgress]:
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    shown = [from_example(example) for example in EXAMPLES]
    return distill.distil(model, tokenizer, shown, settings, out, seed=1, save_every=2)


def stopped_after(step: int, tiny_model: Path, out: Path) -> list[Path]:
    """The checkpoints of a training that is stopped after a step."""
    steps = training(tiny_model, out)
    while next(steps).step < step:
        pass
    steps.close()
    return sorted((out / "checkpoint").iterdir())


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def whole(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("adapter")
    assert [one.step for one in training(tiny_model, out)] == list(range(STEPS + 1))
    return out


def test_a_finished_adapter_has_four_files_and_lists_in_order(whole: Path) -> None:
    assert sorted(path.name for path in whole.iterdir()) == FILES
    config = json.loads((whole / "adapter_config.json").read_text())
    assert config["target_modules"] == sorted(config["target_modules"])
    assert len(config["target_modules"]) > 1


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_a_damaged_checkpoint_is_put_aside_and_the_one_before_is_used(
    damage: bytes | None, tiny_model: Path, whole: Path, tmp_path: Path
) -> None:
    before, last = stopped_after(7, tiny_model, tmp_path)
    data = bytearray(last.read_bytes())
    data[len(data) // 2] ^= 1  # a bit that torch itself would read without a word
    last.write_bytes(bytes(data) if damage is None else damage)
    with pytest.warns(UserWarning, match=re.escape(f"{last} is damaged, or of another training, and was put aside")):
        steps = [progress.step for progress in training(tiny_model, tmp_path)]
    assert steps[0] == int(before.name[:7]) == 4
    assert content(tmp_path) == content(whole)


def test_without_a_good_checkpoint_training_begins_again(tiny_model: Path, whole: Path, tmp_path: Path) -> None:
    for path in stopped_after(7, tiny_model, tmp_path):
        path.write_bytes(b"")
    with pytest.warns(UserWarning, match="put aside"):
        steps = [progress.step for progress in training(tiny_model, tmp_path)]
    assert steps == [*range(STEPS + 1)]
    assert content(tmp_path) == content(whole)


@pytest.mark.parametrize("change", [{"rank": 3}, {"rate": 2e-2}, {"epochs": 7}])
def test_a_checkpoint_of_another_training_is_not_continued(
    change: dict[str, Any], tiny_model: Path, whole: Path, tmp_path: Path
) -> None:
    other = training(tiny_model, tmp_path, replace(SETTINGS, **change))
    while next(other).step < 3:
        pass
    other.close()
    with pytest.warns(UserWarning, match="of another training, and was put aside"):
        assert [progress.step for progress in training(tiny_model, tmp_path)] == [*range(STEPS + 1)]
    assert content(tmp_path) == content(whole)


def test_what_a_late_kill_left_is_deleted(tiny_model: Path, whole: Path, tmp_path: Path) -> None:
    stopped_after(3, tiny_model, tmp_path)
    (tmp_path / "staging").mkdir()
    for name in FILES:
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    assert list(training(tiny_model, tmp_path)) == []
    assert content(tmp_path) == content(whole)


@pytest.mark.parametrize("lost", FILES[1:])
def test_an_adapter_that_lacks_a_file_is_trained_again(
    lost: str, tiny_model: Path, whole: Path, tmp_path: Path
) -> None:
    for name in set(FILES) - {lost}:
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    assert [one.step for one in training(tiny_model, tmp_path)] == [*range(STEPS + 1)]
    assert content(tmp_path) == content(whole)


def test_a_loss_that_is_no_number_stops_training_with_the_last_good_state(
    tiny_model: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, asked = Objective.loss, iter(range(STEPS))

    @contextmanager
    def bad(objective: Objective, rows: Any) -> Iterator[Any]:
        with right(objective, rows) as loss:
            yield loss * (float("nan") if next(asked) == 4 else 1)

    with monkeypatch.context() as changed:
        changed.setattr(Objective, "loss", bad)
        with pytest.raises(TrainingError, match=r"step 5 of 12: .* last good checkpoint is .*0000004\.\w+\.pt; train"):
            list(training(tiny_model, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
    assert [progress.step for progress in training(tiny_model, tmp_path)] == [*range(4, STEPS + 1)]
    assert content(tmp_path) == content(whole)


def test_a_rate_without_bounds_leaves_no_adapter(tiny_model: Path, tmp_path: Path) -> None:
    """The weights overflow while the losses before them were numbers."""
    with pytest.raises(TrainingError, match="no finite numbers, so training was stopped"):
        list(training(tiny_model, tmp_path, replace(SETTINGS, rate=1e18)))
    assert not (tmp_path / "adapter_model.safetensors").exists()
    for path in (tmp_path / "checkpoint").glob("*.pt"):
        assert all(torch.isfinite(tensor).all() for tensor in torch.load(path)["adapter"].values())


def test_pretraining_stops_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miniatures, "SAVE_EVERY", 1)
    build = miniatures.MiniatureBuild(width=16, layers=1, heads=2, mlp=16, steps=3, rows=2, rate=float("inf"))
    with pytest.raises(TrainingError, match=r"of 3: .* no finite numbers, so training was stopped"):
        list(miniatures.pretrain("student", build, tmp_path))
    assert not (tmp_path / "model.safetensors").exists()


def test_one_process_trains(tiny_model: Path, tmp_path: Path) -> None:
    with locked_folder(tmp_path), pytest.raises(InUseError, match="is in use by another process"):
        next(training(tiny_model, tmp_path))


def test_a_full_disk_is_named_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No space left on device: .*staging"), published(tmp_path, "a"):
        raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")
    with pytest.raises(RuntimeError, match="anything else"), published(tmp_path, "a"):
        raise RuntimeError("anything else")
